"""Which colouring a new drawing begins with, in a real Chromium: the next of the model's styles each time."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from browsers import served
from nurie.config import Publish
from nurie.painting.painter import Painter, open_painter
from nurie.publish import publish
from pages import pixels, ready, result, settled, stroke, write_model
from plans import small_styled

pytestmark = pytest.mark.browser

STYLES = [[0.9, -0.9, -0.9], [-0.9, 0.9, -0.9], [-0.9, -0.9, 0.9]]
SAMPLE = {"strokes": [{"width": 9, "points": [40, 128, 216, 100]}]}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of three styles; its first sample has none of its own."""
    fields = {"title": "Styled", "styles": STYLES, "presets": [SAMPLE, SAMPLE | {"seed": 2}]}
    return write_model(tmp_path_factory.mktemp("models") / "styled", 256, *small_styled(), **fields)


@pytest.fixture(scope="module")
def painter(model: Path) -> Painter:
    return open_painter(model)


@pytest.fixture(scope="module")
def styled(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a page with this model."""
    with served(publish(Publish(model, tmp_path_factory.mktemp("site")))) as address:
        yield address


def draw(page: Page, y: int = 60) -> None:
    stroke(page, [(60, y), (200, y + 20)])
    settled(page)


def seed(page: Page, painter: Painter) -> int:
    """Of which style the picture is."""
    picture, drawing = settled(page).astype(int), pixels(page, "input")[:, :, :3]

    def difference(style: int) -> float:
        painter.set_seed(style)
        return float(np.abs(painter.paint(drawing) - picture).mean())

    return min(range(len(STYLES)), key=difference)


def new(page: Page) -> None:
    page.click("#shelf")
    page.click(".shelf .choice button:first-child")
    page.wait_for_selector(".shelf", state="hidden")


def test_each_new_drawing_has_the_next_style(page: Page, styled: str, painter: Painter) -> None:
    ready(page, styled)
    page.click("#clear")
    seeds = []
    for i in range(4):
        draw(page)
        seeds.append(seed(page, painter))
        page.click("#clear") if i % 2 else new(page)
    assert seeds == [0, 1, 2, 0]


def test_an_empty_sheet_takes_none(page: Page, styled: str, painter: Painter) -> None:
    ready(page, styled)
    page.click("#clear")
    draw(page)
    for _ in range(3):
        new(page)
        page.click("#clear")
    draw(page)
    assert seed(page, painter) == 1


def test_the_next_visits_new_drawing_has_the_next_style(browser: Browser, styled: str, painter: Painter) -> None:
    context = browser.new_context()
    page = context.new_page()
    ready(page, styled)
    page.click("#clear")
    draw(page)
    assert seed(page, painter) == 0
    new(page)
    page.reload()
    page.wait_for_function("document.documentElement.dataset.state === 'ready'")
    draw(page)
    assert seed(page, painter) == 1
    context.close()


def test_a_drawing_keeps_its_colours_through_undo_and_reload(page: Page, styled: str, painter: Painter) -> None:
    ready(page, styled)
    page.click("#clear")
    draw(page)
    first = result(page)
    page.click("#clear")
    settled(page)
    draw(page)
    assert seed(page, painter) == 1 and result(page) != first
    second = result(page)
    page.click("#undo")
    page.click("#undo")
    settled(page)
    assert result(page) == first
    page.click("#redo")
    page.click("#redo")
    settled(page)
    assert result(page) == second
    page.reload()
    page.wait_for_function("Number(document.getElementById('result').dataset.shown) >= 1")
    settled(page)
    assert result(page) == second
    page.click("#undo")
    page.click("#undo")
    settled(page)
    assert result(page) == first


def test_a_sample_gives_its_colours_back_when_it_is_undone(page: Page, styled: str) -> None:
    ready(page, styled)
    page.click("#clear")
    draw(page)
    first = result(page)
    page.click("#preset")
    page.locator("#presets button").nth(1).click()
    settled(page)
    page.click("#undo")
    settled(page)
    assert result(page) == first


def test_the_address_wins_over_the_next_style_and_the_dice_does_not(page: Page, styled: str, painter: Painter) -> None:
    ready(page, styled + "?seed=2")
    page.click("#clear")
    draw(page)
    assert seed(page, painter) == 2
    new(page)
    draw(page)
    assert seed(page, painter) == 2 and page.url.endswith("?seed=2")
    page.click("#dice")
    settled(page)
    rolled = seed(page, painter)
    assert rolled != 2 and "seed" in page.url
    page.click("#clear")
    draw(page)
    assert seed(page, painter) == (rolled + 1) % 3 and "seed" not in page.url


def test_the_dice_is_undone_in_a_new_drawing(page: Page, styled: str, painter: Painter) -> None:
    ready(page, styled)
    page.click("#clear")
    draw(page)
    first = result(page)
    page.click("#dice")
    settled(page)
    assert result(page) != first
    page.click("#undice")
    settled(page)
    assert result(page) == first and seed(page, painter) == 0


def test_where_storage_is_refused_the_styles_follow_each_other(page: Page, styled: str) -> None:
    page.add_init_script("Object.defineProperty(window, 'localStorage', { get() { throw new Error('refused'); } })")
    ready(page, styled)
    pictures = []
    for _ in range(3):
        page.click("#clear")
        settled(page)
        draw(page)
        pictures.append(result(page))
    assert len(set(pictures)) == 3
