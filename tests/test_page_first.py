"""The first picture, which the page computes itself before its worker and the rest of it are there."""

from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page

from browsers import served
from nurie.config import Publish
from nurie.drawings.pixels import draw_strokes
from nurie.engine.modelfile import read_manifest
from nurie.files.packed import packed
from nurie.painting.painter import Painter, open_painter
from nurie.publish import publish
from pages import count, hold, pixels, release, result, settled, stroke, write_model
from plans import small_unet

pytestmark = pytest.mark.browser

# However slow this machine is, the page waits for its first picture.
PATIENT = "AbortSignal.timeout = () => new AbortController().signal"
# Its patience ends when a test says so: each is one of these.
ENDING = """globalThis.patience = [];
AbortSignal.timeout = () => {
    const one = new AbortController();
    patience.push(one);
    return one.signal;
}"""
# The page is built, and its sample lies on the sheet.
BUILT = "!document.getElementById('preset').disabled"
SAMPLE = {"title": "Bar", "strokes": [{"width": 8, "points": [20, 64, 108, 64]}]}


def test_the_first_picture_comes_before_the_worker_and_is_the_same(page: Page, address: str, built_in: Painter) -> None:
    page.add_init_script(PATIENT)
    held = hold(page, "**/worker.*.js")
    page.goto(address)
    page.wait_for_function("Number(document.getElementById('result').dataset.pictures) === 1")
    page.wait_for_function(BUILT)
    assert page.evaluate("document.documentElement.dataset.state") == "loading"
    page.wait_for_selector(".loading", state="hidden")
    first, drawing = pixels(page, "result")[:, :, :3], pixels(page, "input")
    assert np.abs(first.astype(int) - built_in.paint(drawing)).max() <= 2
    release(page, held)
    page.wait_for_function("document.documentElement.dataset.state === 'ready'")
    assert np.abs(settled(page).astype(int) - first).max() <= 2
    assert count(page) == 2


def test_seed_and_model_of_the_address_count_for_the_first_picture(page: Page, address: str, built_in: Painter) -> None:
    page.add_init_script(PATIENT)
    hold(page, "**/worker.*.js")
    page.goto(f"{address}?seed=5")
    page.wait_for_function("Number(document.getElementById('result').dataset.pictures) === 1")
    page.wait_for_function(BUILT)
    built_in.set_seed(5)
    expected = built_in.paint(pixels(page, "input"))
    assert np.abs(pixels(page, "result")[:, :, :3].astype(int) - expected).max() <= 2


def test_the_page_does_not_wait_for_a_slow_network(page: Page, address: str) -> None:
    held = hold(page, "**/weights.*")
    page.goto(address)
    page.wait_for_function(BUILT)
    assert count(page) == 0 and page.is_visible(".loading")
    before = pixels(page, "input")
    stroke(page, [(60, 20), (200, 20)])
    assert not np.array_equal(pixels(page, "input"), before)
    release(page, held)
    page.wait_for_function("Number(document.getElementById('result').dataset.shown) >= 1")
    # no picture that the worker did not make
    assert page.evaluate("result.dataset.pictures <= result.dataset.asked")


def test_patience_begins_anew_when_the_weights_begin_to_come(page: Page, address: str) -> None:
    page.add_init_script(ENDING)
    weights, engine = hold(page, "**/weights.*"), hold(page, "**/nurie*.wasm")
    hold(page, "**/worker.*.js")
    page.goto(address)
    page.wait_for_function("patience.length === 1")
    release(page, weights)
    page.wait_for_function("patience.length === 2")
    page.evaluate("patience[0].abort()")
    release(page, engine)
    page.wait_for_function("Number(document.getElementById('result').dataset.pictures) === 1")
    page.wait_for_function(BUILT)


@pytest.mark.parametrize("come", [False, True])
def test_when_patience_ends_the_page_is_built_without_its_picture(page: Page, address: str, come: bool) -> None:
    page.add_init_script(ENDING)
    weights, engine = hold(page, "**/weights.*"), hold(page, "**/nurie*.wasm")
    worker = hold(page, "**/worker.*.js")
    page.goto(address)
    page.wait_for_function("patience.length === 1")
    if come:
        release(page, weights)
        page.wait_for_function("patience.length === 2")
    page.evaluate("patience.at(-1).abort()")
    page.wait_for_function(BUILT)
    page.unroute("**/nurie*.wasm")  # the worker asks for it, too
    release(page, engine)
    if not come:
        release(page, weights)
    page.wait_for_function("document.getElementById('progress').getAttribute('aria-valuenow') === '100'")
    assert count(page) == 0
    release(page, worker)
    page.wait_for_function("Number(document.getElementById('result').dataset.shown) >= 1")
    assert count(page) == 1


def test_a_large_model_is_left_to_the_worker(page: Page, tmp_path: Path) -> None:
    plan, weights = small_unet()
    large = weights + bytes(16_000_000)
    model = write_model(tmp_path / "large", 128, plan, large, title="Large", presets=[SAMPLE])
    with served(publish(Publish(model, tmp_path / "site"))) as address:
        page.add_init_script(PATIENT)
        held = hold(page, "**/worker.*.js")
        page.goto(address)
        page.wait_for_function(BUILT)
        page.wait_for_function("document.getElementById('progress').getAttribute('aria-valuenow') === '100'")
        assert count(page) == 0
        release(page, held)
        page.wait_for_function("Number(document.getElementById('result').dataset.shown) >= 1")
        assert count(page) == 1


@pytest.mark.parametrize("version", [1, 2])
def test_models_of_both_versions_are_coloured_alike_here_and_by_the_worker(
    page: Page, tmp_path: Path, version: int
) -> None:
    presets = [SAMPLE] if version == 1 else packed({"presets": [SAMPLE]})["presets"]
    model = write_model(tmp_path / "model", 128, *small_unet(), version=version, presets=presets)
    expected = open_painter(model).paint(draw_strokes(read_manifest(model).presets[0].strokes, 128, 128))
    with served(publish(Publish(model, tmp_path / "site"))) as address:
        page.add_init_script(PATIENT)
        held = hold(page, "**/worker.*.js")
        page.goto(address)
        for made in (1, 2):
            page.wait_for_function(f"Number(document.getElementById('result').dataset.pictures) === {made}")
            shown = np.frombuffer(result(page), np.uint8).reshape(128, 128, 4)[:, :, :3]
            assert np.abs(shown.astype(int) - expected).max() <= 2
            release(page, held, 2 - made)
            held = []
