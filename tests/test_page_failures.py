"""The page in a real Chromium when something is missing, damaged or dies: a sentence, or it goes on."""

from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, Route

from browsers import served
from nurie.config import Publish
from nurie.painting.painter import Painter
from nurie.publish import publish
from nurie.serve import BUILT_IN
from pages import convert, pixels, ready, settled, stop_live

pytestmark = pytest.mark.browser


def test_missing_weights_give_a_sentence(page: Page, address: str) -> None:
    page.route("**/weights.*", lambda route: route.fulfill(status=404, body="none"))
    page.goto(address)
    page.wait_for_selector("#message:visible")
    assert "missing on the server" in page.inner_text("#message")
    assert "status 404" in str(page.get_attribute("#message", "title"))  # for the site's maker
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
    assert "The model arrived damaged" in page.inner_text("#message")


def test_missing_engine_gives_a_sentence(page: Page, address: str) -> None:
    page.route("**/*.wasm", lambda route: route.fulfill(status=404, body="none"))
    page.goto(address)
    page.wait_for_selector("#message:visible")
    assert "missing on the server" in page.inner_text("#message")


def test_page_whose_script_is_missing_gives_a_sentence(page: Page, address: str) -> None:
    page.route("**/main.*.js", lambda route: route.fulfill(status=404, body="none"))
    page.goto(address)
    # once it has tried again with files fetched anew
    page.wait_for_function(
        "history.state?.healed && document.getElementById('stuck')?.innerText.includes('This page has not started')"
    )


def test_crashed_worker_is_replaced(page: Page, address: str) -> None:
    ready(page, address)
    before = settled(page)
    [worker] = [worker for worker in page.workers if "/worker." in worker.url]
    worker.evaluate("setTimeout(() => { throw new Error('made up') })")
    page.wait_for_function("Number(document.getElementById('result').dataset.pictures) >= 2")
    assert page.evaluate("document.documentElement.dataset.state") == "ready"
    assert np.array_equal(convert(page), before)
    assert not page.is_visible("#message")


def helpers(page: Page) -> int:
    """How many there are once the first picture is out and the back end chosen."""
    page.wait_for_function("document.documentElement.dataset.backend")
    return sum("/helper." in worker.url for worker in page.workers)


def test_threads_are_as_many_as_processors_up_to_four(page: Page, address: str) -> None:
    ready(page, address)
    assert helpers(page) == min(4, page.evaluate("navigator.hardwareConcurrency")) - 1


def test_a_host_without_isolation_gets_one_thread_and_the_same_picture(
    page: Page, tmp_path: Path, built_in: Painter
) -> None:
    publish(Publish(BUILT_IN, tmp_path / "site"))
    with served(tmp_path / "site", plainly=True) as address:
        ready(page, address)
        assert not page.evaluate("crossOriginIsolated")
        assert helpers(page) == 0
        assert np.abs(settled(page).astype(int) - built_in.paint(pixels(page, "input"))).max() <= 2


def test_the_picture_comes_when_a_thread_is_lost(page: Page, tmp_path: Path, built_in: Painter) -> None:
    dying = """addEventListener("message", async ({ data: { module, memory } }) => {
        const { exports } = await WebAssembly.instantiate(module, { env: { memory } });
        exports.stop();
        self.close();
    });"""
    publish(Publish(BUILT_IN, tmp_path / "site"))
    [helper] = (tmp_path / "site" / "assets").rglob("helper.*.js")
    helper.write_text(dying)
    with served(tmp_path / "site") as address:
        ready(page, address)
        page.wait_for_function("document.documentElement.dataset.backend")
        stop_live(page)
        for _ in range(3):
            picture = convert(page)
    assert helpers(page) == 0
    assert np.abs(picture.astype(int) - built_in.paint(pixels(page, "input"))).max() <= 2
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
    assert "do not fit together" in page.inner_text("#message")
    assert "format version 99" in str(page.get_attribute("#message", "title"))
