"""The visitor's own lines over the picture, in a real Chromium: the bytes that are seen and saved, and who chooses."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page

from browsers import served
from nurie.config import Publish
from nurie.engine.modelfile import read_manifest
from nurie.painting.lines import with_lines
from nurie.painting.painter import open_painter
from nurie.publish import publish
from nurie.serve import BUILT_IN
from pages import pixels, ready, settled, stroke, write_model
from plans import small_styled

pytestmark = pytest.mark.browser

SAMPLE = {"strokes": [{"width": 9, "points": [40, 128, 216, 100]}], "seed": 0}


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a page with a model without lines, one whose maker wants a few, and one of label maps."""
    models = tmp_path_factory.mktemp("models")
    fields = {"presets": [SAMPLE], "styles": [[0.5, 0, -0.5]], "hints": True}
    plain = write_model(models / "plain", 256, *small_styled(), title="Plain", **fields)
    some = write_model(models / "some", 256, *small_styled(), title="Some", lines=0.3, **fields)
    labels = [{"colour": "#ffffff"}, {"colour": "#000000"}]
    mapped = write_model(models / "map", 256, *small_styled(), title="Map", labels=labels, lines=1)
    with served(publish(Publish(plain, tmp_path_factory.mktemp("three"), more=(some, mapped)))) as address:
        yield address


def chosen(page: Page) -> int:
    return int(page.evaluate("document.getElementById('lines').selectedIndex"))


def seen(page: Page) -> np.ndarray:
    return pixels(page, "result")[:, :, :3]


def test_lines_lie_over_the_picture_at_once_and_in_the_file(page: Page, three: str, tmp_path: Path) -> None:
    ready(page, three)
    page.click("[data-colour=grey]")
    stroke(page, [(60, 60), (200, 60)])
    without, drawing = settled(page), pixels(page, "input")[:, :, :3]
    asked = page.get_attribute("#result", "data-asked")
    assert chosen(page) == 0
    for choice, strength in ((1, 0.5), (2, 1), (0, 0)):
        page.select_option("#lines", index=choice)
        assert np.array_equal(seen(page), with_lines(without, drawing, strength))
        with page.expect_download() as download:
            page.click("#download")
        download.value.save_as(tmp_path / "nurie.png")
        assert np.array_equal(np.asarray(Image.open(tmp_path / "nurie.png")), seen(page))
    assert page.get_attribute("#result", "data-asked") == asked
    page.select_option("#lines", index=2)
    page.click("[data-colour=ink]")
    stroke(page, [(60, 160), (200, 190)])
    both = settled(page)
    page.select_option("#lines", index=0)
    assert np.array_equal(both, with_lines(seen(page), pixels(page, "input")[:, :, :3], 1))


def test_a_picture_is_what_predict_makes_of_it(page: Page, address: str) -> None:
    ready(page, address)
    drawing = pixels(page, "input")[:, :, :3]
    page.select_option("#lines", index=1)
    painter = open_painter(BUILT_IN)
    painter.set_seed(read_manifest(BUILT_IN).presets[0].seed)
    expected = with_lines(painter.paint(drawing), drawing, 0.5)
    assert np.abs(settled(page).astype(int) - expected).max() <= 1  # engines add in another order


def test_the_maker_chooses_first_and_the_visitor_for_each_model(page: Page, three: str) -> None:
    ready(page, three + "?model=some")
    assert chosen(page) == 1
    some = settled(page)
    page.select_option("#lines", index=0)
    without, drawing = seen(page), pixels(page, "input")[:, :, :3]
    assert np.array_equal(some, with_lines(without, drawing, 0.3)) and not np.array_equal(some, without)
    page.select_option("#lines", index=2)
    page.click("#models label:has([value=plain])")
    page.wait_for_function("document.getElementById('lines').selectedIndex === 0")
    page.click("#models label:has([value=some])")
    page.wait_for_function("document.getElementById('lines').selectedIndex === 2")
    assert page.is_visible("#lines")
    page.click("#models label:has([value=map])")
    page.wait_for_selector("#lines", state="hidden")


def test_the_choice_is_remembered_and_the_first_picture_has_it(page: Page, three: str) -> None:
    ready(page, three + "?model=plain")
    page.select_option("#lines", index=2)
    with_ink, drawing = seen(page), pixels(page, "input")[:, :, :3]
    assert (with_ink[(drawing == 0).all(axis=2)] == 0).all() and (drawing == 0).any()
    page.route("**/main.*.js", lambda route: None)  # never
    page.goto(three + "?model=plain")
    page.wait_for_selector("#result:not([data-empty])")
    assert np.array_equal(seen(page), with_ink)


@pytest.mark.parametrize(("language", "words"), [("en", "Lines: soft"), ("ja", "線：うすく")])
def test_keys_choose_in_both_languages(browser: Browser, three: str, language: str, words: str) -> None:
    context = browser.new_context(locale=language)
    page = context.new_page()
    ready(page, three)
    page.focus("#lines")
    asked = page.get_attribute("#result", "data-asked")
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.getElementById('lines').selectedOptions[0].textContent") == words
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    assert page.get_attribute("#result", "data-asked") == asked
    assert page.evaluate("document.activeElement.id") == "lines"
    assert page.get_attribute("#lines", "aria-label") != words
    context.close()
