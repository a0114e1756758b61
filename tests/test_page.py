"""The page in a real Chromium, with the built-in model, from loading to failure."""

import base64
import gzip
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from browsers import launched, served, sync_api
from nurie.config import Publish
from nurie.engine import Engine
from nurie.modelfile import read_manifest, read_model
from nurie.plan import Op, Plan
from nurie.publish import publish
from nurie.serve import BUILT_IN
from nurie.strokes import draw_strokes
from plans import Builder, small_unet

Browser, Page, Route = sync_api.Browser, sync_api.Page, sync_api.Route

pytestmark = pytest.mark.browser

SIZE = 256
PIXELS = """id => {
    const canvas = document.getElementById(id);
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    let text = "";
    for (let i = 0; i < data.length; i += 8192) text += String.fromCharCode(...data.subarray(i, i + 8192));
    return btoa(text);
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched() as browser:
        yield browser


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of the built-in model's site, published under a sub-path of a host."""
    folder = tmp_path_factory.mktemp("host")
    (folder / "index.html").write_text("another page")
    publish(Publish(BUILT_IN, folder / "some" / "where"))
    with served(folder) as host:
        yield host + "some/where/"


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """An empty tab whose script errors fail the test."""
    context = browser.new_context(locale="en-US", viewport={"width": 1200, "height": 900})
    page = context.new_page()
    page.set_default_timeout(60_000)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    context.close()
    assert errors == []


def ready(page: Page, address: str) -> None:
    """Open the page and wait for the first preset to be coloured."""
    page.goto(address)
    page.wait_for_function("document.documentElement.dataset.state === 'ready'")
    page.wait_for_function("Number(document.getElementById('result').dataset.pictures) >= 1")


def count(page: Page) -> int:
    return int(page.evaluate("Number(document.getElementById('result').dataset.pictures)"))


def pixels(page: Page, canvas: str) -> np.ndarray:
    """A canvas of the model's size as uint8 (256, 256, 4)."""
    return np.frombuffer(base64.b64decode(page.evaluate(PIXELS, canvas)), np.uint8).reshape(SIZE, SIZE, 4)


def stop_live(page: Page) -> None:
    page.click("#live")
    assert page.get_attribute("#live", "aria-checked") == "false"


def convert(page: Page) -> np.ndarray:
    """Press the button and wait for its picture: uint8 (256, 256, 3)."""
    before = count(page)
    page.click("#convert")
    page.wait_for_function(f"Number(document.getElementById('result').dataset.pictures) > {before}")
    return pixels(page, "result")[:, :, :3]


def stroke(page: Page, points: list[tuple[float, float]]) -> None:
    """Draw with the mouse, in pixels of the model."""
    box = page.locator("#drawing").bounding_box()
    assert box is not None
    at = [(box["x"] + x / SIZE * box["width"], box["y"] + y / SIZE * box["height"]) for x, y in points]
    page.mouse.move(*at[0])
    page.mouse.down()
    for point in at[1:]:
        page.mouse.move(*point)
    page.mouse.up()


def settled(page: Page) -> np.ndarray:
    """The result once it is the picture of the drawing as it is now."""
    page.wait_for_function(
        """() => {
            const { asked, shown } = document.getElementById('result').dataset;
            return Number(shown) >= Number(asked);
        }"""
    )
    return pixels(page, "result")[:, :, :3]


@pytest.fixture(scope="module")
def engine() -> Engine:
    """As the page asks for it at first: in the model's default style."""
    manifest, plan, weights = read_model(BUILT_IN)
    engine = Engine(plan, weights=weights)
    engine.set_style(0, manifest["styles"][0])
    return engine


def outside(drawing: np.ndarray) -> np.ndarray:
    """The paper around a drawing: what a flood from the corner reaches, bool (256, 256), without its rim."""
    paper = (drawing[:, :, 0] > 200).astype(np.uint8)
    cv2.floodFill(paper, None, (0, 0), 2)
    return cv2.erode((paper == 2).astype(np.uint8), np.ones((9, 9), np.uint8)).astype(bool)


def inside(drawing: np.ndarray) -> np.ndarray:
    paper = (drawing[:, :, 0] > 200).astype(np.uint8)
    cv2.floodFill(paper, None, (0, 0), 2)
    return paper == 1


def leak(drawing: np.ndarray) -> float:
    """The share of the figure that the paper around it flows into through gaps under about 15 pixels."""
    ink = np.pad((drawing[:, :, 0] < 200).astype(np.uint8), 16)
    mended = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (15, 15)))
    figure, whole = (cv2.floodFill(1 - lines, None, (0, 0), 2)[1] != 2 for lines in (ink, mended))
    return float((whole & ~figure).sum() / whole.sum())


def test_progress_goes_up_to_100_percent(page: Page, address: str) -> None:
    page.add_init_script(
        """addEventListener('DOMContentLoaded', () => {
            window.seen = [];
            const bar = document.getElementById('progress');
            new MutationObserver(() => window.seen.push(Number(bar.getAttribute('aria-valuenow'))))
                .observe(bar, { attributes: true, attributeFilter: ['aria-valuenow'] });
        })"""
    )
    ready(page, address)
    seen = page.evaluate("window.seen")
    assert seen == sorted(seen) and seen[-1] == 100
    assert page.get_attribute("#progress", "role") == "progressbar"
    assert "MB" in str(page.text_content("#bytes"))


def test_preset_is_coloured_inside_white_outside_and_equals_python(page: Page, address: str, engine: Engine) -> None:
    ready(page, address)
    stop_live(page)
    assert page.locator("#presets button").count() >= 6
    for index in (1, 4):
        page.click("#preset")
        page.locator("#presets button").nth(index).click()
        picture, drawing = convert(page), pixels(page, "input")
        assert (drawing[:, :, 3] == 255).all() and (drawing[:, :, 0] < 128).sum() > 300
        assert picture[outside(drawing)].mean() > 250
        colours = picture[inside(drawing)].astype(int)
        assert colours.mean() < 200
        assert np.ptp(colours, axis=1).mean() > 8  # colours, not greys
        difference = np.abs(picture.astype(int) - engine.run(drawing))
        assert difference.max() <= 2


def test_presets_have_closed_outlines(page: Page, address: str) -> None:
    ready(page, address)
    stop_live(page)
    for index in range(page.locator("#presets button").count()):
        page.click("#preset")
        page.locator("#presets button").nth(index).click()
        assert leak(pixels(page, "input")) < 0.05, f"preset {index + 1}"


def test_strokes_look_as_python_draws_them(page: Page, address: str) -> None:
    ready(page, address)
    stop_live(page)
    presets = read_manifest(BUILT_IN)["presets"]
    for index in (0, 3, 6):
        page.click("#preset")
        page.locator("#presets button").nth(index).click()
        expected = draw_strokes(presets[index]["strokes"], SIZE, SIZE).astype(int)
        difference = np.abs(pixels(page, "input")[:, :, :3] - expected)
        assert (expected < 128).mean() > 0.01
        assert difference.mean() < 1
        assert difference.max() < 128


def test_50_drawings_equal_pythons(page: Page, address: str, engine: Engine) -> None:
    ready(page, address)
    stop_live(page)
    rng = np.random.default_rng(0)
    seen = set()
    for _ in range(50):
        page.click("#clear")
        for _ in range(int(rng.integers(1, 4))):
            stroke(page, [tuple(p) for p in rng.uniform(5, 250, (int(rng.integers(2, 5)), 2)).tolist()])
        picture, drawing = convert(page), pixels(page, "input")
        seen.add(drawing.tobytes())
        assert np.abs(picture.astype(int) - engine.run(drawing)).max() <= 2
    assert len(seen) == 50


def test_drawing_changes_the_picture_live_and_undo_brings_it_back(page: Page, address: str) -> None:
    ready(page, address)
    before, drawing = settled(page), pixels(page, "input")
    box = page.locator("#drawing").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 20, box["y"] + 20)
    page.mouse.down()
    pictures = count(page)
    for i in range(1, 11):
        page.mouse.move(box["x"] + 20 + 12 * i, box["y"] + 20 + 3 * i)
    page.wait_for_function(f"Number(document.getElementById('result').dataset.pictures) > {pictures}")  # pen still down
    page.mouse.up()
    after = settled(page)
    assert not np.array_equal(after, before)
    assert not np.array_equal(pixels(page, "input"), drawing)
    page.keyboard.press("Control+z")
    assert np.array_equal(settled(page), before)
    assert np.array_equal(pixels(page, "input"), drawing)
    page.keyboard.press("Control+Shift+z")
    assert np.array_equal(settled(page), after)


@pytest.mark.parametrize("width", [2, 7])
def test_the_pencil_is_as_wide_as_the_model_says(page: Page, address: str, width: int) -> None:
    page.route("**/manifest.*", lambda route: route.fulfill(json=route.fetch().json() | {"pencil": width}))
    ready(page, address)
    stop_live(page)
    page.click("#clear")
    stroke(page, [(60, 128), (200, 128)])
    ink = 1 - pixels(page, "input")[:, 130, 0] / 255
    assert abs(ink.sum() - width) < 0.5


def test_eraser_and_clear_leave_white_paper(page: Page, address: str) -> None:
    ready(page, address)
    stop_live(page)
    page.click("#clear")
    assert (pixels(page, "input") == 255).all()
    stroke(page, [(100, 128), (156, 128)])
    drawn = (pixels(page, "input")[:, :, 0] < 128).sum()
    page.click("#eraser")
    stroke(page, [(128, 100), (128, 156)])
    erased = (pixels(page, "input")[:, :, 0] < 128).sum()
    assert 0 < erased < drawn


def test_missing_weights_give_a_sentence(page: Page, address: str) -> None:
    page.route("**/weights.*", lambda route: route.fulfill(status=404, body="none"))
    page.goto(address)
    page.wait_for_selector("#message:visible")
    assert "The model is missing" in page.inner_text("#message")
    assert page.evaluate("document.documentElement.dataset.state") == "failed"
    page.unroute("**/weights.*")
    page.click("#again")
    page.wait_for_function("document.documentElement.dataset.state === 'ready'")
    assert not page.is_visible("#message")


def test_truncated_weights_give_a_sentence_with_both_sizes(page: Page, address: str) -> None:
    sizes: list[int] = []

    def truncate(route: Route) -> None:
        body = route.fetch().body()
        sizes.append(len(body))
        route.fulfill(status=200, body=body[: len(body) // 2])

    page.route("**/weights.*", truncate)
    page.goto(address)
    page.wait_for_selector("#message:visible")
    [total] = sizes
    assert "The model is incomplete" in page.inner_text("#message")
    assert f"{total // 2:,} of {total:,} bytes" in page.inner_text("#message")


def test_damaged_weights_give_a_sentence(page: Page, address: str) -> None:
    def damage(route: Route) -> None:
        body = bytearray(route.fetch().body())
        body[len(body) // 2] ^= 255
        route.fulfill(status=200, body=bytes(body))

    page.route("**/weights.*", damage)
    page.goto(address)
    page.wait_for_selector("#message:visible")
    assert "The model is damaged" in page.inner_text("#message")


def test_missing_engine_gives_a_sentence(page: Page, address: str) -> None:
    page.route("**/*.wasm", lambda route: route.fulfill(status=404, body="none"))
    page.goto(address)
    page.wait_for_selector("#message:visible")
    assert "The engine could not be started" in page.inner_text("#message")


def test_page_whose_script_is_missing_gives_a_sentence(page: Page, address: str) -> None:
    page.route("**/main.*.js", lambda route: route.fulfill(status=404, body="none"))
    page.goto(address)
    page.wait_for_selector("#stuck", state="visible")
    assert "This page has not started" in page.inner_text("#stuck")


def test_crashed_worker_is_replaced(page: Page, address: str) -> None:
    ready(page, address)
    before = settled(page)
    [worker] = [worker for worker in page.workers if "/worker." in worker.url]
    worker.evaluate("setTimeout(() => { throw new Error('made up') })")
    page.wait_for_function("Number(document.getElementById('result').dataset.pictures) >= 2")
    assert page.evaluate("document.documentElement.dataset.state") == "ready"
    assert np.array_equal(convert(page), before)
    assert not page.is_visible("#message")


def write_model(folder: Path, size: int, plan: Plan, weights: bytes, **fields: object) -> Path:
    """A model folder with an untrained net."""
    folder.mkdir(exist_ok=True)
    packed = gzip.compress(weights)
    (folder / "weights.bin.gz").write_bytes(packed)
    manifest = {
        "format": "nurie-model", "version": 1, "input": {"width": size, "height": size},
        "weights": {
            "file": "weights.bin.gz", "bytes": len(packed), "raw_bytes": len(weights),
            "sha256": hashlib.sha256(packed).hexdigest(),
        },
        **fields, **plan.to_json(),
    }  # fmt: skip
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


@pytest.fixture(scope="module")
def styled_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that takes hints and has three styles."""
    b = Builder(3)
    joined = b.tensor(16)
    b.ops.append(Op("input", output=joined, shuffle=2))
    b.style(joined, output=joined, output_channel=12)
    plan, weights = b.finish(b.conv(joined, 16, 3, shuffle=2, activation=3))
    styles = [[0.5, 0.0, -0.5], [-0.5, 0.5, 0.5], [0.9, 0.9, 0.9]]
    folder = tmp_path_factory.mktemp("models") / "styled"
    return write_model(folder, 64, plan, weights, title="Styled", hints=True, styles=styles)


@pytest.fixture(scope="module")
def styled(styled_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of the page with this model alone."""
    with served(publish(Publish(styled_model, tmp_path_factory.mktemp("styled")))) as address:
        yield address


@pytest.fixture(scope="module")
def two(styled_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a page with two models: the second is larger, has a sample, and neither hints nor styles."""
    sample = {"title": {"en": "Bar"}, "strokes": [{"width": 8, "points": [20, 64, 108, 64]}]}
    fields = {"title": {"en": "Shapes", "ja": "形"}, "presets": [sample], "credits": ["Shapes by nobody"]}
    shapes = write_model(tmp_path_factory.mktemp("models") / "shapes", 128, *small_unet(), **fields)
    with served(publish(Publish(styled_model, tmp_path_factory.mktemp("two"), more=(shapes,)))) as address:
        yield address


def result(page: Page) -> bytes:
    return base64.b64decode(page.evaluate(PIXELS, "result"))


def roll(page: Page) -> bytes:
    """Press the dice and wait for its picture."""
    before = count(page)
    page.click("#dice")
    page.wait_for_function(f"Number(document.getElementById('result').dataset.pictures) > {before}")
    return result(page)


def test_the_dice_shows_other_colourings_and_a_seed_brings_one_back(page: Page, styled: str) -> None:
    ready(page, styled)
    first = result(page)
    pictures = [roll(page) for _ in range(4)]
    assert all(a != b for a, b in zip([first, *pictures], pictures, strict=False))
    address = page.url
    assert "?seed=" in address
    page.goto(styled)
    ready(page, styled)
    assert result(page) == first
    ready(page, address)
    assert result(page) == pictures[-1]


def test_coloured_pencils_are_for_models_that_understand_them(page: Page, styled: str, address: str) -> None:
    ready(page, styled)
    swatches = page.locator("#colours [role=radio]")
    assert swatches.count() == 9
    assert all(swatches.nth(i).get_attribute("aria-label") for i in range(9))
    page.click("#colours [data-colour=blue]")
    assert page.get_attribute("#colours [data-colour=blue]", "aria-checked") == "true"
    stroke(page, [(60, 128), (190, 128)])
    drawn = np.frombuffer(base64.b64decode(page.evaluate(PIXELS, "input")), np.uint8).reshape(64, 64, 4)
    assert tuple(drawn[32, 32, :3]) == (0x6E, 0xA3, 0xD8)
    page.keyboard.press("ArrowRight")
    assert page.get_attribute("#colours [data-colour=pink]", "aria-checked") == "true"
    page.click("#colours [data-colour=ink]")
    stroke(page, [(128, 60), (128, 190)])
    page.click("#colours [data-colour=orange]")
    stroke(page, [(100, 128), (150, 128)])  # over the ink, which stays black
    drawn = np.frombuffer(base64.b64decode(page.evaluate(PIXELS, "input")), np.uint8).reshape(64, 64, 4)
    assert drawn[32, 32, :3].max() < 40


def choose(page: Page, title: str) -> None:
    """Choose a model and wait for its first picture."""
    page.get_by_role("radio", name=title).check()
    page.wait_for_function("document.documentElement.dataset.state === 'ready'")
    page.wait_for_function("Number(document.getElementById('result').dataset.shown) >= 1")


def ink(page: Page) -> np.ndarray:
    """Where the drawing, at the model's size, is dark: bool (height, width)."""
    drawn = np.frombuffer(base64.b64decode(page.evaluate(PIXELS, "input")), np.uint8)
    size = round((len(drawn) / 4) ** 0.5)
    return drawn.reshape(size, size, 4)[:, :, 0] < 128


def test_one_model_needs_no_chooser(page: Page, styled: str) -> None:
    ready(page, styled + "?model=unknown")
    assert not page.is_visible("#models")
    assert page.inner_text("h1") == page.title() == "Styled"


def test_the_page_follows_the_chosen_model_and_the_address_keeps_it(page: Page, two: str) -> None:
    ready(page, two + "?seed=1&model=unknown")
    assert page.get_by_role("radio", name="Styled").is_checked()
    page.click("#colours [data-colour=blue]")
    choose(page, "Shapes")
    assert page.evaluate("document.getElementById('result').width") == 128
    assert ink(page)[64, 20:108].all()  # its sample
    assert page.locator("#presets button").all_text_contents() == ["Bar"]
    assert not page.is_visible("#colours") and not page.is_visible("#dice")
    assert page.inner_text("#credits") == "Shapes by nobody"
    assert page.title() == page.text_content("h1") == "Shapes"
    assert page.url == two + "?seed=1&model=shapes"
    stroke(page, [(128, 20), (128, 100)])  # the blue pencil went with its tray
    assert ink(page)[30, 64]
    page.reload()
    page.wait_for_function("document.documentElement.dataset.state === 'ready'")
    assert page.get_by_role("radio", name="Shapes").is_checked()
    choose(page, "Styled")
    assert page.is_visible("#colours") and page.is_visible("#dice") and not page.is_visible("footer")
    assert page.url == two + "?seed=1&model=styled"


def test_a_drawing_of_the_visitors_own_stays_and_takes_the_new_size(page: Page, two: str) -> None:
    ready(page, two)
    stroke(page, [(32, 32), (32, 224)])
    small = ink(page)
    choose(page, "Shapes")
    large = ink(page)
    assert small.shape == (64, 64) and large.shape == (128, 128)
    assert small[8:56, 8].all() and large[16:112, 16].all() and not large[64, 30:].any()
    page.click("#clear")
    choose(page, "Styled")
    assert not ink(page).any()
    page.keyboard.press("Control+z")
    assert np.array_equal(ink(page), small)


def test_weights_are_downloaded_when_chosen_and_once(page: Page, two: str) -> None:
    ready(page, two)
    loads = """() => performance.getEntriesByType('resource')
        .filter(({ name }) => name.includes('/weights.')).map(({ name, transferSize }) => [name, transferSize])"""
    first = page.evaluate(loads)
    choose(page, "Shapes")
    choose(page, "Styled")
    choose(page, "Shapes")
    later = page.evaluate(loads)[len(first) :]
    assert len({name for name, _ in first}) == 1 and len(later) == 3
    assert later[0][0] == later[2][0] != later[1][0] == first[0][0]
    assert later[0][1] > 0 and later[1][1] == later[2][1] == 0  # from the browser's cache


def test_the_last_of_two_quick_choices_wins(page: Page, two: str) -> None:
    ready(page, two)
    held: list[Route] = []
    page.route("**/weights.*", lambda route: held.append(route))
    page.get_by_role("radio", name="Shapes").check()
    page.wait_for_function("document.getElementById('result').width === 128")  # its manifest has come
    page.wait_for_function("document.documentElement.dataset.state === 'loading'")
    page.get_by_role("radio", name="Styled").check()
    page.wait_for_function("document.getElementById('result').width === 64")
    for route in reversed(held):
        route.continue_()
    page.wait_for_function("Number(document.getElementById('result').dataset.shown) >= 1")
    page.wait_for_timeout(300)
    assert len(held) == 2 and page.url.endswith("?model=styled")
    assert page.evaluate("document.getElementById('result').width") == 64 and page.is_visible("#dice")
    assert not page.is_visible("#message")


def test_a_second_model_that_fails_gives_a_sentence_and_another_try(page: Page, two: str) -> None:
    ready(page, two)
    page.route("**/weights.*", lambda route: route.fulfill(status=404, body="none"))
    page.get_by_role("radio", name="Shapes").check()
    page.wait_for_selector("#message:visible")
    assert "The model is missing" in page.inner_text("#message")
    page.unroute("**/weights.*")
    page.click("#again")
    page.wait_for_function("Number(document.getElementById('result').dataset.shown) >= 1")
    assert page.evaluate("document.getElementById('result').width") == 128
    assert not page.is_visible("#message")
    page.route("**/manifest.*", lambda route: route.abort())
    page.get_by_role("radio", name="Styled").check()
    page.wait_for_selector("#message:visible")
    assert "could not be fetched" in page.inner_text("#message")
    assert page.is_disabled("#preset") and page.is_disabled("#download")
    page.unroute("**/manifest.*")
    choose(page, "Shapes")
    assert not page.is_visible("#message")


def test_the_chooser_works_by_keyboard_in_both_languages_and_on_a_narrow_screen(page: Page, two: str) -> None:
    page.set_viewport_size({"width": 320, "height": 568})
    ready(page, two)
    group = page.get_by_role("radiogroup", name="Kind of picture")
    assert group.get_by_role("radio").count() == 2
    page.get_by_role("radio", name="Styled").focus()
    page.keyboard.press("ArrowRight")
    assert page.get_by_role("radio", name="Shapes").is_checked()
    page.wait_for_function("document.getElementById('result').width === 128")
    page.click("#language")
    assert page.get_by_role("radiogroup", name="絵の種類").get_by_role("radio", name="形").is_checked()
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def helpers(page: Page) -> int:
    """How many there are once the first picture is out and the back end chosen."""
    page.wait_for_function("document.documentElement.dataset.backend")
    return sum("/helper." in worker.url for worker in page.workers)


def test_threads_are_as_many_as_processors_up_to_four(page: Page, address: str) -> None:
    ready(page, address)
    assert helpers(page) == min(4, page.evaluate("navigator.hardwareConcurrency")) - 1


def test_a_host_without_isolation_gets_one_thread_and_the_same_picture(
    page: Page, tmp_path: Path, engine: Engine
) -> None:
    publish(Publish(BUILT_IN, tmp_path / "site"))
    with served(tmp_path / "site", plainly=True) as address:
        ready(page, address)
        assert not page.evaluate("crossOriginIsolated")
        assert helpers(page) == 0
        assert np.abs(settled(page).astype(int) - engine.run(pixels(page, "input"))).max() <= 2


def test_the_picture_comes_when_a_thread_is_lost(page: Page, tmp_path: Path, engine: Engine) -> None:
    dying = """addEventListener("message", async ({ data: { module, memory } }) => {
        const { exports } = await WebAssembly.instantiate(module, { env: { memory } });
        exports.stop();
        self.close();
    });"""
    publish(Publish(BUILT_IN, tmp_path / "site"))
    [helper] = (tmp_path / "site" / "assets").glob("helper.*.js")
    helper.write_text(dying)
    with served(tmp_path / "site") as address:
        ready(page, address)
        page.wait_for_function("document.documentElement.dataset.backend")
        stop_live(page)
        for _ in range(3):
            picture = convert(page)
    assert helpers(page) == 0
    assert np.abs(picture.astype(int) - engine.run(pixels(page, "input"))).max() <= 2
    assert not page.is_visible("#message")


def test_browser_without_simd_gets_a_sentence(page: Page, address: str) -> None:
    page.add_init_script("WebAssembly.validate = () => false")
    page.goto(address)
    page.wait_for_selector("#message:visible")
    assert "lacks WebAssembly SIMD" in page.inner_text("#message")


def test_newer_model_gives_a_sentence(page: Page, address: str) -> None:
    def newer(route: Route) -> None:
        route.fulfill(json=route.fetch().json() | {"version": 99})

    page.route("**/manifest.*", newer)
    page.goto(address)
    page.wait_for_selector("#message:visible")
    assert "format version 99" in page.inner_text("#message")


def test_japanese_is_a_switch_away_and_remembered(page: Page, address: str) -> None:
    ready(page, address)
    assert page.get_attribute("html", "lang") == "en"
    page.click("#language")
    assert page.get_attribute("html", "lang") == "ja"
    assert "変換" in page.inner_text("#convert")
    page.reload()
    assert page.get_attribute("html", "lang") == "ja"


def test_japanese_browser_gets_japanese(browser: Browser, address: str) -> None:
    context = browser.new_context(locale="ja-JP")
    page = context.new_page()
    page.route("**/weights.*", lambda route: route.fulfill(status=404, body="none"))
    page.goto(address)
    page.wait_for_selector("#message:visible")
    assert page.get_attribute("html", "lang") == "ja"
    assert "モデルが見つかりません" in page.inner_text("#message")
    assert "変換" in page.inner_text("#convert")
    context.close()


def test_keyboard_does_everything_but_draw(page: Page, address: str) -> None:
    ready(page, address)
    page.keyboard.press("e")
    assert page.get_attribute("#eraser", "aria-pressed") == "true"
    page.keyboard.press("p")
    assert page.get_attribute("#pencil", "aria-pressed") == "true"
    page.focus("#live")
    page.keyboard.press("Space")
    assert page.get_attribute("#live", "aria-checked") == "false"
    page.focus("#preset")
    page.keyboard.press("Enter")
    assert page.is_visible("#gallery")
    page.keyboard.press("Escape")
    assert not page.is_visible("#gallery")
    assert page.evaluate("document.activeElement.id") == "preset"
    drawing = pixels(page, "input")
    page.keyboard.press("Enter")
    page.locator("#presets button").nth(2).focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#gallery", state="hidden")
    assert not np.array_equal(pixels(page, "input"), drawing)
    before = count(page)
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Enter")
    page.wait_for_function(f"Number(document.getElementById('result').dataset.pictures) > {before}")


def test_download_is_the_picture(page: Page, address: str, tmp_path: Path) -> None:
    ready(page, address)
    picture = settled(page)
    with page.expect_download() as download:
        page.click("#download")
    download.value.save_as(tmp_path / "nurie.png")
    image = cv2.imread(str(tmp_path / "nurie.png"), cv2.IMREAD_COLOR)
    assert np.array_equal(image[:, :, ::-1], picture)


def test_200_pictures_do_not_grow_the_memory(page: Page, address: str) -> None:
    # Without helper threads: asleep in the engine they answer no question about memory, and each costs a minute.
    page.add_init_script("Object.defineProperty(navigator, 'hardwareConcurrency', { value: 1 })")
    ready(page, address)
    stop_live(page)
    # Engine and worker are their own modules: the worker's heap is asked through the browser, after a collection.
    measure = "async () => (await performance.measureUserAgentSpecificMemory()).bytes"
    for _ in range(20):
        convert(page)
    before = page.evaluate(measure)
    page.evaluate(
        """async () => {
            const result = document.getElementById('result');
            for (let i = 0; i < 200; i++) {
                const before = result.dataset.pictures;
                document.getElementById('convert').click();
                while (result.dataset.pictures === before) await new Promise(resolve => setTimeout(resolve, 1));
            }
        }"""
    )
    after = page.evaluate(measure)
    # one leaked picture in each round would be 200 x 262,144 bytes = 52 MB
    assert after - before < 5_000_000


def test_phone_shows_both_sheets_without_scrolling_sideways(browser: Browser, address: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = context.new_page()
    ready(page, address)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    for sheet in ("#drawing", "#result"):
        box = page.locator(sheet).bounding_box()
        assert box is not None and box["width"] >= 140 and box["x"] >= 0 and box["x"] + box["width"] <= 390
    context.close()


def test_buttons_stay_inside_their_trays(page: Page, address: str) -> None:
    ready(page, address)
    outside = """[...document.querySelectorAll('.tray')].flatMap(tray => {
        const { left, right } = tray.getBoundingClientRect();
        return [...tray.children].map(child => child.getBoundingClientRect())
            .filter(box => box.width && (box.left < left - 0.5 || box.right > right + 0.5));
    }).length"""
    stop_live(page)
    page.evaluate("document.getElementById('time').textContent = '999 ms'")  # the longest
    for width, height in [(1024, 632), (1280, 800), (768, 1024), (740, 360), (390, 844), (320, 568)]:
        page.set_viewport_size({"width": width, "height": height})
        assert page.evaluate(outside) == 0, (width, height)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, (width, height)


def test_every_control_has_a_name_and_credits_are_shown(page: Page, address: str) -> None:
    ready(page, address)
    unnamed = page.evaluate(
        """[...document.querySelectorAll('button')].filter(
            b => !(b.getAttribute('aria-label') || b.textContent.trim())).map(b => b.id)"""
    )
    assert unnamed == []
    assert "Oxford-IIIT Pet" in page.inner_text("footer")
