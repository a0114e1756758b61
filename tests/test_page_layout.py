"""The page in windows of all sizes: every control can be reached, and the sheets have most of the screen."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from browsers import served
from nurie.config import Publish
from nurie.publish import publish
from nurie.serve import BUILT_IN
from pages import ready, write_model
from plans import small_styled, small_unet

pytestmark = pytest.mark.browser

WIDTHS = [
    320, 340, 344, 360, 375, 390, 412, 430, 460, 479, 480, 500, 540, 568, 600, 640, 667, 720, 740, 768, 800, 820,
    844, 915, 959, 960, 1024, 1056, 1057, 1180, 1280, 1440, 1920, 2560,
]  # fmt: skip
HEIGHTS = [256, 320, 360, 390, 479, 480, 545, 605, 767, 844, 1440]
LABELS = ["wall", "window", "door", "balcony", "blind", "molding", "sill", "shop", "cornice", "pillar", "deco", "roof"]

# What is wrong with the controls of a page as it lies: lines of text. A finger needs 44 pixels.
FAULTS = """(view) => {
    const page = view.document, root = page.documentElement, found = [];
    if (root.scrollWidth > root.clientWidth) found.push(`scrolls sideways: ${root.scrollWidth}`);
    const seen = element => element.checkVisibility({ visibilityProperty: true, opacityProperty: false });
    const name = element => element.id || element.dataset.colour || element.textContent.trim();
    const controls = [...page.querySelectorAll("button, select, #models label, #drawing")]
        .filter(element => seen(element) && !element.closest("dialog"));
    const boxes = controls.map(element => element.getBoundingClientRect());
    const inside = (a, b) =>
        a.left >= b.left - 1 && a.right <= b.right + 1 && a.top >= b.top - 1 && a.bottom <= b.bottom + 1;
    const paper = { left: 0, right: root.clientWidth, top: -view.scrollY, bottom: root.scrollHeight - view.scrollY };
    const compact = view.getComputedStyle(page.querySelector(".stage")).display !== "contents";
    controls.forEach((control, i) => {
        const box = boxes[i];
        if (!inside(box, paper)) found.push(`${name(control)} is out of reach`);
        if (box.width < 24 || box.height < 24) found.push(`${name(control)} is tiny`);
        if (compact && Math.min(box.width, box.height) < 43.5)
            found.push(`${name(control)}: ${box.width} x ${box.height}`);
        const parts = [...control.querySelectorAll("svg, span, i")]
            .filter(part => seen(part) && view.getComputedStyle(part).clipPath === "none");
        if (!parts.every(part => inside(part.getBoundingClientRect(), box)))
            found.push(`${name(control)} does not hold what is in it`);
        const tray = control.closest(".tray, #models");
        if (tray && !inside(box, tray.getBoundingClientRect())) found.push(`${name(control)} sticks out of its tray`);
        for (let j = 0; j < i; j++) {
            const other = boxes[j];
            const x = Math.min(box.right, other.right) - Math.max(box.left, other.left);
            const y = Math.min(box.bottom, other.bottom) - Math.max(box.top, other.top);
            if (x > 1 && y > 1) found.push(`${name(control)} overlaps ${name(controls[j])}`);
        }
    });
    return found;
}"""


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a host with pages under /two (two models with hints), /map (one of label maps, twelve names) and
    /kinds (one without colours, wide, and the same two kinds)."""
    host = tmp_path_factory.mktemp("host")
    (host / "index.html").write_text("<!doctype html><title>Frame</title><body style='margin: 0'>")
    hinted = write_model(
        tmp_path_factory.mktemp("models") / "shapes", 64, *small_styled(), title="Shapes", hints=True,
        styles=[[0.5, 0, -0.5], [-0.5, 0, 0.5]],
    )  # fmt: skip
    colours = [f"#{20 * i:02x}{250 - 20 * i:02x}80" for i in range(len(LABELS))]
    labels = [{"colour": colour, "title": title} for colour, title in zip(colours, LABELS, strict=True)]
    mapped = tmp_path_factory.mktemp("models") / "walls"
    write_model(mapped, 64, *small_styled(), title="Walls", labels=labels, hints=False)
    publish(Publish(BUILT_IN, host / "two", more=(hinted,)))
    publish(Publish(mapped, host / "map"))
    wide = tmp_path_factory.mktemp("models") / "wide"
    write_model(wide, 64, *small_unet(), title="Wide", input={"width": 96, "height": 64})
    publish(Publish(wide, host / "kinds", more=(mapped, hinted)))
    with served(host, plainly=True) as address:
        yield address


def open_frame(page: Page, address: str) -> None:
    """A page within a page, whose size is set at once."""
    page.set_viewport_size({"width": 2600, "height": 1500})
    page.goto(address.rsplit("/", 2)[0] + "/")
    page.evaluate(
        """address => {
            window.frame = document.createElement("iframe");
            frame.style.border = "0";
            frame.src = address;
            document.body.append(frame);
        }""",
        address,
    )
    page.wait_for_function("frame.contentDocument.getElementById('result')?.dataset.shown >= 1")


def faults(page: Page) -> dict[str, list[str]]:
    """What is wrong at which size."""
    found: dict[str, list[str]] = page.evaluate(
        f"""([widths, heights]) => {{
            const faults = {FAULTS}, found = {{}};
            for (const width of widths) for (const height of heights) {{
                Object.assign(frame, {{ width, height }});
                const wrong = faults(frame.contentWindow);
                if (wrong.length) found[`${{width}}x${{height}}`] = [...new Set(wrong)];
            }}
            return found;
        }}""",
        [WIDTHS, HEIGHTS],
    )
    return found


@pytest.mark.parametrize("site", ["two", "map"])
def test_every_control_is_within_reach_in_374_windows(page: Page, sites: str, site: str) -> None:
    assert len(WIDTHS) * len(HEIGHTS) == 374
    open_frame(page, f"{sites}{site}/")
    inner = page.frames[-1]
    inner.evaluate("document.getElementById('live').click()")
    for language in ("en", "ja"):
        if inner.get_attribute("html", "lang") != language:
            inner.evaluate("document.getElementById('language').click()")
        inner.evaluate("document.getElementById('time').textContent = '999 ms'")  # the longest
        found = faults(page)
        assert found == {}, "\n".join([language, *(f"{size}: {wrong}" for size, wrong in found.items())])


def test_phones_and_tablets_show_all_at_once_and_the_sheets_large(page: Page, sites: str) -> None:
    ready(page, sites + "two/")
    for width, height, share in [
        (320, 568, 0.3), (360, 640, 0.5), (390, 664, 0.5), (390, 844, 0.6), (412, 915, 0.6), (768, 1024, 0.5),
        (568, 320, 0.4), (667, 375, 0.49), (844, 390, 0.45), (1366, 650, 0.6),
    ]:  # fmt: skip
        page.set_viewport_size({"width": width, "height": height})
        bottoms: list[float] = page.evaluate(
            """[...document.querySelectorAll(".desk button, .desk canvas:not([hidden])")]
                .map(element => element.getBoundingClientRect().bottom)"""
        )
        assert max(bottoms) <= height + 0.5, (width, height)
        areas: list[float] = page.evaluate(
            """["drawing", "result"].map(id => document.getElementById(id).getBoundingClientRect())
                .map(({ width, height }) => width * height)"""
        )
        assert sum(areas) >= share * width * height, (width, height, sum(areas) / width / height)
        assert areas[0] >= areas[1] * 0.99


@pytest.mark.parametrize("site", ["two/", "map/", "kinds/?model=walls", "kinds/"])
def test_wide_windows_show_all_at_once(page: Page, sites: str, site: str) -> None:
    """Whether the lead has one line or two, and whatever the colours are."""
    ready(page, sites + site)
    for _ in range(2):
        for width in (960, 1024, 1100, 1184, 1185, 1280, 1366, 1408, 1409, 1440, 1600, 1920):
            for height in (768, 800, 900, 1080):
                page.set_viewport_size({"width": width, "height": height})
                bottoms: list[float] = page.evaluate(
                    """[...document.querySelectorAll(".desk :is(button, select, canvas):not([hidden])")]
                        .map(element => element.getBoundingClientRect().bottom)"""
                )
                assert max(bottoms) <= height + 0.5, (width, height, page.get_attribute("html", "lang"))
        page.click("#language")


def test_the_drawings_are_one_tap_away_on_every_phone(page: Page, sites: str) -> None:
    page.set_viewport_size({"width": 320, "height": 568})
    ready(page, sites + "kinds/")
    assert page.locator("#models label").count() == 3 and page.is_disabled("#preset")  # this model has no samples
    page.click("#shelf")
    page.wait_for_selector(".shelf[open]")


def test_a_tap_makes_the_picture_the_large_sheet_and_another_the_drawing(browser: Browser, sites: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = context.new_page()
    ready(page, sites + "two/")

    def widths() -> list[float]:
        boxes = [page.locator(sheet).bounding_box() for sheet in ("#drawing", "#result")]
        return [box["width"] for box in boxes if box is not None]

    assert widths()[0] == 374 and widths()[1] > 200
    page.tap("#swap")
    assert page.get_attribute("#swap", "aria-pressed") == "true"
    assert widths()[1] == 374 and 200 < widths()[0] < 374
    page.tap("#swap")
    assert widths()[0] == 374
    page.set_viewport_size({"width": 1280, "height": 800})
    assert not page.is_visible("#swap") and widths()[0] == widths()[1]
    context.close()


def shift(page: Page) -> float:
    """How much of the page has moved while it started (cumulative layout shift)."""
    return float(page.evaluate("window.shifts.filter(s => !s.hadRecentInput).reduce((sum, s) => sum + s.value, 0)"))


@pytest.mark.parametrize(
    ("site", "lang"),
    [("two/", "en"), ("two/", "ja"), ("map/", "en"), ("kinds/", "en"), ("kinds/?model=walls", "ja")],
)
@pytest.mark.parametrize("size", [(360, 640), (390, 844), (844, 390), (768, 1024), (1024, 768), (1440, 900)])
def test_nothing_moves_while_the_page_starts(
    browser: Browser, sites: str, site: str, size: tuple[int, int], lang: str
) -> None:
    context = browser.new_context(viewport={"width": size[0], "height": size[1]}, locale=lang)
    page = context.new_page()
    page.add_init_script(
        """window.shifts = [];
        new PerformanceObserver(list => shifts.push(...list.getEntries()))
            .observe({ type: "layout-shift", buffered: true })"""
    )
    waiting: list[Any] = []
    page.route("**/manifest.*", lambda route: (page.wait_for_timeout(400), waiting.append(1), route.continue_()))
    ready(page, sites + site)
    page.wait_for_timeout(300)
    assert waiting and shift(page) < 0.02, page.evaluate("JSON.stringify(shifts)")
    context.close()
