"""The page for those who see, hold and read otherwise: no fault that axe-core finds, in any state and theme."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from browsers import served
from nurie.config import Publish
from nurie.publish import publish
from pages import count, hold, ready, release, stop_live, stroke, write_model
from plans import small_styled

pytestmark = pytest.mark.browser

AXE = Path(__file__).parents[1] / "node_modules" / "axe-core" / "axe.min.js"
SIZES = [(360, 640), (390, 844), (844, 390), (768, 1024), (1280, 800), (1440, 900)]
RUN = """async () => (await axe.run()).violations.map(({ id, nodes }) =>
    `${id}: ${nodes.map(({ html, any }) => html.slice(0, 80) + " " + (any[0]?.message ?? "")).join("; ")}`)"""


@pytest.fixture(scope="module")
def axe() -> str:
    """The script; where npm has not installed it the test is skipped, and fails in CI."""
    if not AXE.is_file():
        give_up = pytest.fail if os.environ.get("CI") else pytest.skip
        give_up("axe-core is not installed: run `npm ci`.")
    return AXE.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def walls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a page of label maps."""
    labels = [{"colour": "#0030ff", "title": "wall"}, {"colour": "#ffa000", "title": "window"}, {"colour": "#780000"}]
    model = tmp_path_factory.mktemp("models") / "walls"
    write_model(model, 64, *small_styled(), title="Walls", labels=labels, hints=False)
    with served(publish(Publish(model, tmp_path_factory.mktemp("walls")))) as address:
        yield address


def arrived(page: Page) -> None:
    """Wait for the picture of the drawing as it is now."""
    page.wait_for_function(
        "document.getElementById('result').dataset.shown >= Number(document.getElementById('result').dataset.asked)"
    )


def open_loading(page: Page, address: str, walls: str) -> None:
    hold(page, "**/weights.*")
    page.goto(address)
    page.wait_for_function("!document.getElementById('preset').disabled")


def open_ready(page: Page, address: str, walls: str) -> None:
    ready(page, address)


def open_gallery(page: Page, address: str, walls: str) -> None:
    ready(page, address)
    page.click("#preset")


def open_settings(page: Page, address: str, walls: str) -> None:
    ready(page, address)
    page.click("#help")


def open_failed(page: Page, address: str, walls: str) -> None:
    page.route("**/weights.*", lambda route: route.fulfill(status=404, body="none"))
    page.goto(address)
    page.wait_for_selector("#message:visible")


def open_outdated(page: Page, address: str, walls: str) -> None:
    ready(page, address)
    stop_live(page)
    page.click("#clear")


def open_map(page: Page, address: str, walls: str) -> None:
    ready(page, walls)


STATES = {
    "loading": open_loading, "ready": open_ready, "gallery": open_gallery, "settings": open_settings,
    "failed": open_failed, "outdated": open_outdated, "map": open_map,
}  # fmt: skip


@pytest.mark.parametrize("theme", ["light", "dark", "more"])
@pytest.mark.parametrize("state", STATES)
def test_axe_finds_no_fault(browser: Browser, axe: str, address: str, walls: str, state: str, theme: str) -> None:
    wish: dict[str, Any] = {"contrast": "more"} if theme == "more" else {"color_scheme": theme}
    context = browser.new_context(locale="en-US", reduced_motion="reduce", **wish)
    page = context.new_page()
    STATES[state](page, address, walls)
    page.evaluate(axe)
    found = {}
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        if faults := page.evaluate(RUN):
            found[width, height] = faults
    context.close()
    assert found == {}


@pytest.fixture(scope="module")
def hinted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a page of a model that takes hints."""
    model = tmp_path_factory.mktemp("models") / "hinted"
    bar = {"strokes": [{"width": 4, "points": [10, 32, 54, 32]}]}
    fields = {"title": "Hinted", "hints": True, "credits": ["By nobody"], "presets": [bar]}
    write_model(model, 64, *small_styled(), **fields)
    with served(publish(Publish(model, tmp_path_factory.mktemp("hinted")))) as address:
        yield address


def test_what_is_chosen_is_seen_in_the_systems_colours(browser: Browser, hinted: str) -> None:
    context = browser.new_context(forced_colors="active")
    page = context.new_page()
    ready(page, hinted)
    page.click("#colours [data-colour=blue]")
    swatches = "[...document.querySelectorAll('#colours i')].map(i => getComputedStyle(i).backgroundColor)"
    assert len(set(page.evaluate(swatches))) == 11

    def style(selector: str, name: str) -> str:
        return page.evaluate(f"getComputedStyle(document.querySelector('{selector}')).{name}")

    assert style("[data-colour=blue]", "outlineStyle") == "solid" != style("[data-colour=red]", "outlineStyle")
    assert style("#pencil", "backgroundColor") != style("#eraser", "backgroundColor")
    on = style("#live i", "backgroundColor"), style("#live i", "justifyItems")
    page.click("#live")
    assert on != style("#live i", "backgroundColor")
    page.focus("#convert")
    page.keyboard.press("Tab")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineWidth") == "3px"
    context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_whoever_wishes_more_contrast_gets_it(browser: Browser, hinted: str, theme: Any) -> None:
    looks = []
    for contrast in ("no-preference", "more"):
        context = browser.new_context(color_scheme=theme, contrast=contrast)
        page = context.new_page()
        ready(page, hinted)
        looks.append(
            page.evaluate(
                """[".lead", "#tools"].map(name => getComputedStyle(document.querySelector(name)))
                    .map(({ color, borderTopColor, borderTopWidth }) => [color, borderTopColor, borderTopWidth])"""
            )
        )
        context.close()
    assert all(usual != strong for usual, strong in zip(looks[0][1], looks[1][1], strict=True))


def test_nothing_moves_for_whom_motion_disturbs(browser: Browser, hinted: str) -> None:
    context = browser.new_context(reduced_motion="reduce")
    page = context.new_page()
    ready(page, hinted)
    moving = """[...document.querySelectorAll("*")].filter(element => {
        const { transitionDuration, animationDuration } = getComputedStyle(element);
        return [transitionDuration, animationDuration].some(time => time.split(", ").some(t => parseFloat(t) > 0));
    }).length"""
    assert page.evaluate(moving) == 0
    context.close()


def test_single_letters_can_be_switched_off_and_stay_off(page: Page, hinted: str) -> None:
    ready(page, hinted)
    page.click("#help")
    assert "Eraser" in page.inner_text("#keys")
    page.keyboard.press("e")  # a dialog is open
    page.click("#letters")
    page.keyboard.press("Escape")
    for _ in range(2):
        page.keyboard.press("e")
        assert page.get_attribute("#eraser", "aria-pressed") == "false"
        assert page.get_attribute("#eraser", "title") == "Eraser"
        assert page.get_attribute("#eraser", "aria-keyshortcuts") is None
        assert page.get_attribute("#undo", "aria-keyshortcuts") == "Control+Z Meta+Z"
        page.reload()
        ready(page, hinted)
    page.click("#help")
    page.click("#letters")
    page.keyboard.press("Escape")
    page.keyboard.press("e")
    assert page.get_attribute("#eraser", "aria-pressed") == "true"
    assert page.get_attribute("#eraser", "title") == "Eraser (E)"


def test_keys_of_other_scripts_undo_and_choose_tools(page: Page, hinted: str) -> None:
    ready(page, hinted)
    stroke(page, [(60, 128), (200, 128)])
    press = """([key, code, ctrlKey]) => document.body.dispatchEvent(
        new KeyboardEvent("keydown", { key, code, ctrlKey, bubbles: true, cancelable: true }))"""
    page.evaluate(press, ["\u044f", "KeyZ", True])  # Cyrillic
    assert page.is_enabled("#redo")
    page.keyboard.press("Control+y")
    assert page.is_disabled("#redo")
    page.evaluate(press, ["Process", "KeyZ", True])  # a Japanese input method is on
    assert page.is_enabled("#redo")
    page.evaluate(press, ["\u0443", "KeyE", False])
    assert page.get_attribute("#eraser", "aria-pressed") == "true"


def test_a_button_that_a_pointer_presses_gives_the_focus_back(page: Page, hinted: str) -> None:
    ready(page, hinted)
    stop_live(page)
    for x in (60, 120, 180):
        stroke(page, [(x, 60), (x, 200)])
    page.click("#undo")
    before = count(page)
    page.keyboard.press("Enter")  # colours, and does not undo
    page.wait_for_function(f"Number(document.getElementById('result').dataset.pictures) > {before}")
    page.keyboard.press("Control+y")
    assert page.is_disabled("#redo")  # one line was undone
    page.focus("#undo")
    for _ in range(2):
        page.keyboard.press("Enter")  # whoever came by the keyboard stays
        assert page.evaluate("document.activeElement.id") == "undo"
    page.click("#preset")
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    assert not page.is_visible("#gallery")


def test_off_is_off_and_an_old_picture_says_so(page: Page, hinted: str) -> None:
    ready(page, hinted)
    arrived(page)
    assert not page.is_visible(".old")
    stop_live(page)
    before = page.get_attribute("#result", "data-asked")
    stroke(page, [(60, 128), (200, 128)])
    page.click("#undo")
    page.wait_for_timeout(300)
    assert page.get_attribute("#result", "data-asked") == before
    assert page.inner_text(".old") == "Not of this drawing any more" and page.is_visible(".old")
    page.click("#convert")
    arrived(page)
    assert not page.is_visible(".old")
    page.click("#redo")
    assert page.is_visible(".old")
    page.click("#live")
    arrived(page)
    assert not page.is_visible(".old")


def test_a_slow_picture_is_announced(page: Page, hinted: str) -> None:
    slow = "const post = Worker.prototype.postMessage; Worker.prototype.postMessage = function (m, ...rest) {"
    slow += " setTimeout(() => post.call(this, m, ...rest), m.id ? 1500 : 0); }"
    page.add_init_script(slow)
    ready(page, hinted)
    arrived(page)
    assert page.get_attribute("#result", "aria-busy") == "false" and not page.is_visible(".busy")
    page.click("#convert")
    page.wait_for_selector(".busy", state="visible")
    assert page.get_attribute("#result", "aria-busy") == "true"
    arrived(page)
    page.wait_for_selector(".busy", state="hidden")


def test_the_page_says_what_computed_the_picture_and_what_the_model_weighs(page: Page, hinted: str) -> None:
    ready(page, hinted)
    page.wait_for_selector("html[data-backend]")
    page.click("#help")
    facts = page.inner_text("#facts")
    threads = page.evaluate("Math.min(4, navigator.hardwareConcurrency)")
    assert (f"WebAssembly, {threads} threads" if threads > 1 else "one core") in facts
    assert "64 × 64 pixels" in facts and "ms" in facts
    assert "MB, from the network" in facts
    assert "By nobody" in facts and "MIT" in facts
    page.reload()
    ready(page, hinted)
    page.click("#help")
    assert "MB, kept by this browser" in page.inner_text("#facts")
    held = hold(page, "**/weights.*")
    page.reload()
    page.wait_for_function("!('waiting' in document.getElementById('dice').dataset) && document.title === 'Hinted'")
    page.click("#help")
    assert " MB" in page.inner_text("#facts") and "from" not in page.inner_text("#facts")
    release(page, held)


def test_a_host_without_the_headers_is_told(page: Page, tmp_path_factory: pytest.TempPathFactory) -> None:
    model = tmp_path_factory.mktemp("models") / "plain"
    write_model(model, 64, *small_styled(), title="Plain")
    page.add_init_script("Object.defineProperty(navigator, 'hardwareConcurrency', { value: 4 })")
    with served(publish(Publish(model, tmp_path_factory.mktemp("plain"))), plainly=True) as address:
        ready(page, address)
        page.click("#help")
        assert "one thread: this web server does not send the headers" in page.inner_text("#facts")


def printed(page: Page, landscape: bool = False) -> tuple[int, list[str]]:
    """How many pages the page is on paper, and which parts are on them."""
    page.emulate_media(media="print")
    seen = page.evaluate(
        """[...document.querySelectorAll("button, canvas, footer, h1")]
            .filter(element => element.checkVisibility({ visibilityProperty: true })).map(element => element.id)"""
    )
    page.emulate_media(media="null")
    paper = page.pdf(format="A4", landscape=landscape)
    return len(re.findall(rb"/Type\s*/Page\b", paper)), seen


@pytest.mark.parametrize("landscape", [False, True])
@pytest.mark.parametrize("size", [(390, 844), (844, 390), (1280, 800)])
def test_the_picture_and_its_drawing_are_printed_on_one_page(
    page: Page, hinted: str, size: tuple[int, int], landscape: bool
) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    ready(page, hinted)
    assert printed(page, landscape) == (1, ["drawing", "result"])
    page.evaluate("window.print = () => {}")
    page.click("#help")
    page.click("#print-lines")
    assert page.is_hidden("#settings")
    assert printed(page, landscape) == (1, ["drawing"])
    assert printed(page, landscape) == (1, ["drawing", "result"])
