"""The page in a real Chromium, with the built-in model: loading, drawing and the pictures."""

import cv2
import numpy as np
import pytest
from playwright.sync_api import Page

from nurie.drawings.pixels import draw_strokes
from nurie.engine.modelfile import read_manifest
from nurie.files.schema import Stroke
from nurie.painting.painter import Painter
from nurie.serve import BUILT_IN
from pages import SIZE, convert, count, pixels, ready, settled, stop_live, stroke

pytestmark = pytest.mark.browser


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


def test_preset_is_coloured_inside_white_outside_and_equals_python(page: Page, address: str, built_in: Painter) -> None:
    ready(page, address)
    stop_live(page)
    assert page.locator("#presets button").count() >= 6
    presets = read_manifest(BUILT_IN).presets
    for index in (1, 4):
        page.click("#preset")
        page.locator("#presets button").nth(index).click()
        built_in.set_seed(presets[index].seed)
        picture, drawing = convert(page), pixels(page, "input")
        assert (drawing[:, :, 3] == 255).all() and (drawing[:, :, 0] < 128).sum() > 300
        assert picture[outside(drawing)].mean() > 250
        colours = picture[inside(drawing)].astype(int)
        assert colours.mean() < 200
        assert np.ptp(colours, axis=1).mean() > 8  # colours, not greys
        difference = np.abs(picture.astype(int) - built_in.paint(drawing))
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
    presets = read_manifest(BUILT_IN).presets
    for index in (0, 3, 6):
        page.click("#preset")
        page.locator("#presets button").nth(index).click()
        expected = draw_strokes(presets[index].strokes, SIZE, SIZE)
        assert (expected < 128).mean() > 0.01
        assert np.array_equal(pixels(page, "input")[:, :, :3], expected)


def test_a_click_draws_a_dot_as_python_does(page: Page, address: str) -> None:
    ready(page, address)
    page.click("#clear")
    stroke(page, [(100, 60), (100, 60)])
    expected = draw_strokes([Stroke(read_manifest(BUILT_IN).pencil, [100, 60])], SIZE, SIZE)
    assert expected.min() < 100
    assert np.array_equal(pixels(page, "input")[:, :, :3], expected)


def test_50_drawings_equal_pythons(page: Page, address: str, built_in: Painter) -> None:
    ready(page, address)
    stop_live(page)
    rng = np.random.default_rng(0)
    seen, styles = set(), len(read_manifest(BUILT_IN).styles)
    for number in range(50):
        page.click("#clear")
        built_in.set_seed(number % styles)  # each begins in the next style
        for _ in range(int(rng.integers(1, 4))):
            stroke(page, [tuple(p) for p in rng.uniform(5, 250, (int(rng.integers(2, 5)), 2)).tolist()])
        picture, drawing = convert(page), pixels(page, "input")
        seen.add(drawing.tobytes())
        assert np.abs(picture.astype(int) - built_in.paint(drawing)).max() <= 2
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


def test_undo_of_100_steps_and_redo_of_100_bring_back_the_same_bytes(page: Page, address: str) -> None:
    page.set_viewport_size({"width": 390, "height": 664})
    ready(page, address)
    stop_live(page)
    press_often = "([button, times]) => { for (let i = 0; i < times; i++) document.getElementById(button).click(); }"
    sheets = [pixels(page, "input")]
    for half in range(2):
        for i in range(50):
            if i in (0, 40):
                page.click("#eraser" if i else "#pencil")
            stroke(page, [(20 + 4 * i, 20 + 100 * half), (240 - 3 * i, 100 + 100 * half)])
        sheets.append(pixels(page, "input"))
    assert not np.array_equal(sheets[0], sheets[1]) and not np.array_equal(sheets[1], sheets[2])
    for button, expected in (("undo", sheets[1::-1]), ("redo", sheets[1:])):
        for sheet in expected:
            page.evaluate(press_often, [button, 50])
            assert np.array_equal(pixels(page, "input"), sheet)
    assert page.is_disabled("#redo")


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
