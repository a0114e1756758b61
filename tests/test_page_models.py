"""The page in a real Chromium with other models: colourings, coloured pencils, a choice of two."""

import base64
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page

from browsers import served
from nurie.config import Predict, Publish
from nurie.engine.modelfile import read_manifest
from nurie.predict import predict
from nurie.publish import publish
from pages import PIXELS, hold, press, ready, release, result, stroke, write_model
from plans import PALETTE, rgb_of, small_classes, small_styled, small_unet

pytestmark = pytest.mark.browser

LABELS = "#0030ff", "#ffa000", "#780000"


@pytest.fixture(scope="module")
def styled_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that takes hints and has three styles."""
    styles = [[0.5, 0.0, -0.5], [-0.5, 0.5, 0.5], [0.9, 0.9, 0.9]]
    folder = tmp_path_factory.mktemp("models") / "styled"
    return write_model(folder, 64, *small_styled(), title="Styled", hints=True, styles=styles, pencil=4)


@pytest.fixture(scope="module")
def styled(styled_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of the page with this model alone."""
    with served(publish(Publish(styled_model, tmp_path_factory.mktemp("styled")))) as address:
        yield address


@pytest.fixture(scope="module")
def two(styled_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a page with two models: the second is larger, has a sample, and neither hints nor styles."""
    sample = {"title": {"en": "Bar"}, "strokes": [{"width": 8, "points": [20, 64, 108, 64]}]}
    fields = {"title": {"en": "Shapes", "ja": "形"}, "presets": [sample], "credits": ["Shapes by nobody"], "pencil": 10}
    shapes = write_model(tmp_path_factory.mktemp("models") / "shapes", 128, *small_unet(), **fields)
    with served(publish(Publish(styled_model, tmp_path_factory.mktemp("two"), more=(shapes,)))) as address:
        yield address


def drawn(page: Page) -> np.ndarray:
    """The drawing at the size of a model of 64 pixels, uint8 (64, 64, 3)."""
    return np.frombuffer(base64.b64decode(page.evaluate(PIXELS, "input")), np.uint8).reshape(64, 64, 4)[:, :, :3]


def roll(page: Page) -> bytes:
    """Press the dice and wait for its picture."""
    press(page, "#dice")
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


def test_the_dice_gives_areas_other_colours_of_a_palette(page: Page, tmp_path: Path) -> None:
    square = {"title": "Square", "strokes": [{"width": 2, "points": [12, 12, 52, 12, 52, 52, 12, 52, 12, 12]}]}
    model = write_model(tmp_path / "flat", 64, *small_classes(), title="Flat", palette=PALETTE, presets=[square])
    with served(publish(Publish(model, tmp_path / "site"))) as address:
        ready(page, address)
        first, addresses = result(page), [page.url]
        pictures = [first]
        for _ in range(8):
            pictures.append(roll(page))
            addresses.append(page.url)
        ready(page, addresses[-1])
        assert result(page) == pictures[-1]
        Image.fromarray(drawn(page)).save(tmp_path / "drawing.png")
    inside = {tuple(inner[32, 32]) for inner in map(rgb_at, pictures)}
    assert tuple(rgb_at(first)[32, 32]) == (0xDC, 0x28, 0x28) and len(inside) > 1
    assert inside <= {*map(tuple, rgb_of(PALETTE[2:]))}
    for picture, shown in zip(pictures, addresses, strict=True):
        seed = int(parse_qs(urlsplit(shown).query).get("seed", ["0"])[0])
        made = predict(Predict(model, (tmp_path / "drawing.png",), tmp_path / f"out{seed}", seed=seed))
        assert np.array_equal(np.asarray(Image.open(made / "drawing.png")), rgb_at(picture))


def rgb_at(picture: bytes) -> np.ndarray:
    """uint8 (64, 64, 3)"""
    return np.frombuffer(picture, np.uint8).reshape(64, 64, 4)[:, :, :3]


def test_samples_come_in_their_own_colouring(page: Page, styled_model: Path, styled: str, tmp_path: Path) -> None:
    bar = {"strokes": [{"width": 8, "points": [10, 32, 54, 32]}]}
    manifest = read_manifest(styled_model)
    fields = {key: getattr(manifest, key) for key in ("title", "hints", "styles")}
    model = write_model(
        tmp_path / "model", 64, *small_styled(), **fields, presets=[bar | {"seed": 5}, bar, bar | {"seed": 1}]
    )

    def sample(index: int) -> bytes:
        page.click("#preset")
        press(page, f"#presets li:nth-child({index + 1}) button")
        return result(page)

    with served(publish(Publish(model, tmp_path / "site"))) as address:
        ready(page, address + "?seed=1")
        second = result(page)
        ready(page, address)
        fifth = result(page)
        assert second != fifth and page.url == address
        assert sample(2) == second and page.url == address
        assert sample(1) == second  # it has none of its own
        assert sample(0) == fifth
        roll(page)
        assert "?seed=" in page.url
        rolled = result(page)
        assert sample(1) == rolled and "?seed=" in page.url
        assert sample(2) == second and page.url == address
        page.reload()
        ready(page, address)
        assert result(page) == fifth


def test_coloured_pencils_are_for_models_that_understand_them(page: Page, styled: str, address: str) -> None:
    ready(page, styled)
    swatches = page.locator("#colours [role=radio]")
    assert swatches.count() == 11
    assert all(swatches.nth(i).get_attribute("aria-label") for i in range(11))
    page.click("#colours [data-colour=blue]")
    assert page.get_attribute("#colours [data-colour=blue]", "aria-checked") == "true"
    stroke(page, [(60, 128), (190, 128)])
    assert tuple(drawn(page)[32, 32]) == (0x6E, 0xA3, 0xD8)
    page.keyboard.press("ArrowRight")
    assert page.get_attribute("#colours [data-colour=pink]", "aria-checked") == "true"
    page.click("#colours [data-colour=ink]")
    stroke(page, [(128, 60), (128, 190)])
    page.click("#colours [data-colour=orange]")
    stroke(page, [(100, 128), (150, 128)])  # over the ink, which stays black
    assert drawn(page)[32, 32].max() < 40


@pytest.fixture(scope="module")
def walls(styled_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a page with a model of label maps, and one of line drawings."""
    names = "wall", "window", "door"
    labels = [{"colour": colour, "title": name} for colour, name in zip(LABELS, names, strict=True)]
    model = write_model(
        tmp_path_factory.mktemp("models") / "walls", 64, *small_styled(), title="Walls", labels=labels, hints=False
    )
    with served(publish(Publish(model, tmp_path_factory.mktemp("walls"), more=(styled_model,)))) as address:
        yield address


def test_label_maps_are_drawn_with_boxes_on_their_ground(page: Page, walls: str) -> None:
    wall, window, door = np.array([[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in LABELS])
    ready(page, walls)
    assert (drawn(page) == wall).all()
    assert page.locator("#colours [role=radio]").all_inner_texts() == ["wall", "window", "door"]
    assert "stand for things" in page.inner_text("#lead")
    stroke(page, [(160, 40), (100, 90), (64, 80)])  # the second label, from the right upper corner
    assert (drawn(page)[10:20, 16:40] == window).all()
    assert (drawn(page) == window).all(2).sum() == 10 * 24
    page.click("#colours [data-colour='#780000']")
    assert page.get_attribute("#box", "aria-pressed") == "true"
    stroke(page, [(80, 60), (240, 120)])  # covers what is there
    assert (drawn(page)[15:30, 20:60] == door).all()
    page.keyboard.press("p")
    stroke(page, [(20, 200), (240, 200)])
    assert (drawn(page)[48:52, 10:54] == door).all()
    page.keyboard.press("e")
    stroke(page, [(128, 90), (128, 90)])  # a dot
    assert (drawn(page)[22, 32] == wall).all()
    page.keyboard.press("Control+z")
    assert (drawn(page)[22, 32] == door).all()
    page.keyboard.press("b")
    stroke(page, [(20, 20), (20, 100)])  # no area
    assert (drawn(page)[:10] == wall).all()
    page.click("#clear")
    assert (drawn(page) == wall).all()
    assert page.get_attribute("#box", "aria-pressed") == "true"


def test_an_area_is_filled_by_a_press_or_by_keys_and_undo_takes_it_back(page: Page, walls: str) -> None:
    wall, window, door = np.array([[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in LABELS])
    ready(page, walls)
    stroke(page, [(64, 40), (160, 88)])
    page.keyboard.press("p")
    stroke(page, [(1, 200), (254, 120)])  # a slope, whose edges keep the colours of labels
    before = drawn(page)
    assert {tuple(colour) for colour in before.reshape(-1, 3)} == {tuple(wall), tuple(window)}
    page.click("#fill")
    page.click("#colours [data-colour='#780000']")
    stroke(page, [(100, 60), (10, 10)])
    box = drawn(page)
    assert (box[10:22, 16:40] == door).all() and (box == door).all(2).sum() == 12 * 24
    stroke(page, [(100, 60), (100, 60)])  # it has this colour already
    page.keyboard.press("Control+z")
    assert np.array_equal(drawn(page), before)
    page.keyboard.press("Control+Shift+z")
    assert np.array_equal(drawn(page), box)
    page.focus("#drawing")
    page.keyboard.press("f")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Shift+ArrowUp")
    page.keyboard.press("Space")
    page.keyboard.press("Space")
    filled = drawn(page)
    assert (filled[60] == wall).all() and (filled[:10] == door).all()
    assert ((filled != box).any(2) <= (box == wall).all(2)).all()
    page.click("#clear")
    stroke(page, [(250, 250), (250, 250)])
    assert (drawn(page) == door).all()


def test_boxes_are_drawn_by_keys(page: Page, walls: str) -> None:
    ready(page, walls)
    page.focus("#drawing")
    for key in ("Space", "Space", *["Shift+ArrowRight"] * 2, "Shift+ArrowDown", "Space"):
        page.keyboard.press(key)
    assert np.argwhere((drawn(page) == [0xFF, 0xA0, 0]).all(2)).tolist() == [
        [y, x] for y in range(32, 36) for x in range(32, 40)
    ]
    page.keyboard.press("Control+z")
    assert (drawn(page) == [0, 0x30, 0xFF]).all()


def test_boxes_and_labels_go_with_their_model(page: Page, walls: str) -> None:
    ready(page, walls)
    choose(page, "Styled")
    assert not page.is_visible("#box") and not page.is_visible("#fill")
    assert page.get_attribute("#pencil", "aria-pressed") == "true"
    assert page.locator("#colours [role=radio]").count() == 11
    assert "your lines" in page.inner_text("#lead")
    assert (drawn(page) == 255).all()
    page.keyboard.press("b")
    stroke(page, [(60, 128), (190, 128)])
    assert tuple(drawn(page)[32, 32]) == (0, 0, 0)
    choose(page, "Walls")
    assert page.is_visible("#box") and page.locator("#colours [role=radio]").count() == 3
    assert tuple(drawn(page)[10, 10]) == (0, 48, 255)


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


def test_500_pictures_and_50_other_models_do_not_grow_the_memory(page: Page, two: str) -> None:
    # Without helper threads: asleep in the engine they answer no question about memory, and each costs a minute.
    page.add_init_script("Object.defineProperty(navigator, 'hardwareConcurrency', { value: 1 })")
    ready(page, two)
    go_on = """async ([switches, pictures]) => {
        const result = document.getElementById("result"), root = document.documentElement;
        const until = async done => { while (!done()) await new Promise(resolve => setTimeout(resolve, 1)); };
        for (let i = 0; i < switches; i++) {
            document.querySelector("#models input:not(:checked)").click();
            await until(() => root.dataset.state === "ready" && Number(result.dataset.shown) >= 1);
            for (let k = 0; k < pictures; k++) {
                const before = result.dataset.pictures;
                document.getElementById("convert").click();
                await until(() => result.dataset.pictures !== before);
            }
        }
    }"""
    measure = "async () => (await performance.measureUserAgentSpecificMemory()).bytes"
    page.evaluate(go_on, [4, 10])
    before = page.evaluate(measure)
    page.evaluate(go_on, [50, 10])
    after = page.evaluate(measure)
    # an engine that stays for each switch would be 50 x 4 MB at least
    assert after - before < 5_000_000, (before, after)


def test_a_drawing_of_the_visitors_own_stays_and_takes_the_new_size(page: Page, two: str) -> None:
    ready(page, two)
    stroke(page, [(32, 32), (32, 224)])
    small = ink(page)
    choose(page, "Shapes")
    large = ink(page)
    assert small.shape == (64, 64) and large.shape == (128, 128)
    assert small[8:56, 8].all() and large[16:112, 16].all() and not large[64, 30:].any()
    assert small[32].sum() == 4 and large[64].sum() == 10  # redrawn with the new model's pencil
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
    held = hold(page, "**/weights.*")
    page.get_by_role("radio", name="Shapes").check()
    page.wait_for_function("document.documentElement.dataset.state === 'loading'")
    while not held:
        page.wait_for_timeout(20)
    page.get_by_role("radio", name="Styled").check()
    page.wait_for_function("document.documentElement.dataset.state === 'ready'")
    release(page, held)
    page.wait_for_timeout(300)
    assert len(held) == 1 and page.url == two
    assert page.evaluate("document.getElementById('result').width") == 64 and page.is_visible("#dice")
    assert not page.is_visible("#message")


def test_a_second_model_that_fails_gives_a_sentence_and_another_try(page: Page, two: str) -> None:
    ready(page, two)
    page.route("**/weights.*", lambda route: route.fulfill(status=404, body="none"))
    page.get_by_role("radio", name="Shapes").click()  # the choice may have gone back at once
    page.wait_for_selector("#message:visible")
    assert "missing on the server" in page.inner_text("#message")
    assert page.get_by_role("radio", name="Styled").is_checked()
    press(page, "#convert")  # it goes on
    assert page.evaluate("document.getElementById('result').width") == 64 and page.url == two
    page.get_by_role("radio", name="Shapes").click()
    page.wait_for_selector("#message:visible")
    page.unroute("**/weights.*")
    page.click("#again")
    page.wait_for_function("document.getElementById('result').width === 128")
    assert page.get_by_role("radio", name="Shapes").is_checked()
    assert not page.is_visible("#message")
    page.route("**/manifest.*", lambda route: route.abort())
    page.get_by_role("radio", name="Styled").click()
    page.wait_for_selector("#message:visible")
    assert "could not be fetched" in page.inner_text("#message")
    assert page.is_enabled("#preset") and page.is_enabled("#download")
    assert page.get_by_role("radio", name="Shapes").is_checked() and page.url.endswith("?model=shapes")
    page.unroute("**/manifest.*")
    choose(page, "Styled")
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


def test_a_colour_of_ones_own_is_beside_the_others_and_remembered(page: Page, styled: str) -> None:
    ready(page, styled)
    page.evaluate("window.opened = 0; document.getElementById('own').addEventListener('click', () => opened++)")
    own = "#colours [data-colour=own]"
    page.click(own)
    assert page.evaluate("opened") == 1, "the first press opens: there is none yet"
    for colour in ("#123456", "#00aa55"):
        page.fill("#own", colour)
        assert page.get_attribute(own, "aria-checked") == "true"
    stroke(page, [(60, 128), (190, 128)])
    assert tuple(drawn(page)[32, 32]) == (0x00, 0xAA, 0x55)
    page.reload()
    ready(page, styled)
    page.evaluate("window.opened = 0; document.getElementById('own').addEventListener('click', () => opened++)")
    page.click("#clear")
    page.click("#colours [data-colour=pink]")
    page.keyboard.press("ArrowRight")
    assert page.get_attribute(own, "aria-checked") == "true" and page.evaluate("opened") == 0
    stroke(page, [(60, 128), (190, 128)])
    assert tuple(drawn(page)[32, 32]) == (0x00, 0xAA, 0x55)
    page.focus(own)
    page.keyboard.press("Enter")
    assert page.evaluate("opened") == 1
    assert page.evaluate("Array.from(document.querySelectorAll('#owns option'), o => o.value)") == [
        "#00aa55", "#123456",
    ]  # fmt: skip
