"""The page in a real Chromium when the network, the server or the browser's cache is at fault: it says so and heals."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route

from browsers import served
from nurie.config import Publish
from nurie.publish import publish
from pages import count, hold, press, ready, release, stroke, write_model
from plans import small_styled, small_unet

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two small ones, of 64 and 128 pixels."""
    folder = tmp_path_factory.mktemp("models")
    styled = write_model(folder / "styled", 64, *small_styled(), title="Styled", styles=[[0.5, 0, 0], [0, 0.5, 0]])
    return [styled, write_model(folder / "shapes", 128, *small_unet(), version=2, title="Shapes")]


def published(models: list[Path], site: Path, title: str = "") -> Path:
    return publish(Publish(models[0], site, title=title, more=tuple(models[1:])))


@pytest.fixture(scope="module")
def two(models: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a page with both."""
    with served(published(models, tmp_path_factory.mktemp("two") / "site")) as address:
        yield address


def coloured(page: Page) -> None:
    page.wait_for_function("document.documentElement.dataset.state === 'ready'")
    page.wait_for_function("Number(document.getElementById('result').dataset.shown) >= 1")


def told(page: Page) -> str:
    page.wait_for_selector("#message:visible")
    return page.inner_text("#message")


@pytest.mark.parametrize("away", ["**/manifest.*", "**/weights.*", "**/*.wasm", "**/worker.*.js"])
def test_a_server_that_is_away_is_called_so_each_time_until_it_is_back(page: Page, two: str, away: str) -> None:
    page.route(away, lambda route: route.abort())
    page.goto(two)
    assert "network or the server is away" in told(page)
    page.route("**/*", lambda route: route.abort())
    page.click("#again")
    page.wait_for_function("document.documentElement.dataset.state === 'failed'")
    assert "network or the server is away" in told(page)
    page.unroute("**/*")
    page.unroute(away)
    page.click("#again")
    coloured(page)
    assert not page.is_visible("#message")


def test_a_network_that_is_back_is_tried_by_itself(page: Page, two: str) -> None:
    page.route("**/manifest.*", lambda route: route.abort())
    page.goto(two)
    assert "network or the server is away" in told(page)
    page.unroute("**/manifest.*")
    page.evaluate("dispatchEvent(new Event('online'))")
    coloured(page)


@pytest.mark.parametrize(
    ("file", "words", "version"),
    [
        ("model/weights.*", "arrived damaged", 1),
        ("model/weights.*", "arrived damaged", 2),
        ("model/manifest.*", "cannot be read", 1),
        ("assets/engine/*.wasm", "", 2),
    ],
)
def test_a_damaged_file_that_the_browser_keeps_for_ever_is_fetched_anew(
    page: Page, models: list[Path], tmp_path: Path, file: str, words: str, version: int
) -> None:
    site = published(models[version - 1 : version], tmp_path / "site")
    whole = {path: path.read_bytes() for path in site.glob(file)}
    with served(site) as address:
        for path, data in whole.items():
            path.write_bytes(data[: len(data) // 2] + b"?" + data[len(data) // 2 + 1 :])
        held = [] if words else hold(page, "**/worker.*.js")  # until the browser has the damaged engine
        page.goto(address)
        if words:
            assert words in told(page)
        else:
            kept = "performance.getEntriesByType('resource').some(({ name }) => name.endsWith('.wasm'))"
            page.wait_for_function(kept)
        for path, data in whole.items():
            path.write_bytes(data)
        if words:
            page.click("#again")
        release(page, held, len(held))
        coloured(page)
        assert not page.is_visible("#message")


@pytest.mark.parametrize("stalled", ["**/manifest.*", "**/weights.*", "**/worker.*.js"])
def test_a_download_that_stalls_says_so_until_it_goes_on(page: Page, two: str, stalled: str) -> None:
    held = hold(page, stalled)
    page.goto(two)
    assert "goes on by itself" in told(page)
    assert page.is_visible("#again") and page.evaluate("document.documentElement.dataset.state") == "loading"
    page.click("#language")
    assert "自動で続きます" in page.inner_text("#message")
    release(page, held)
    coloured(page)
    assert not page.is_visible("#message")


def test_a_download_that_stalls_can_be_begun_again(page: Page, two: str) -> None:
    held: list[Route] = []
    page.route("**/weights.*", lambda route: route.continue_() if held else held.append(route))
    page.goto(two)
    assert "goes on by itself" in told(page)
    page.click("#again")
    coloured(page)
    assert not page.is_visible("#message")


def test_a_model_that_is_no_longer_wanted_is_not_downloaded(page: Page, two: str) -> None:
    ready(page, two)
    failed: list[str] = []
    page.on("requestfailed", lambda request: failed.append(f"{request.failure} {request.url}"))
    held = hold(page, "**/weights.*")
    page.get_by_role("radio", name="Shapes").check()
    while not held:
        page.wait_for_timeout(20)
    page.get_by_role("radio", name="Styled").check()
    page.wait_for_function("document.documentElement.dataset.state === 'ready'")
    page.wait_for_timeout(100)
    assert len(failed) == 1 and "ABORTED" in failed[0] and "/weights." in failed[0]


def test_the_model_in_use_works_until_another_one_is_there(page: Page, two: str) -> None:
    ready(page, two)
    held = hold(page, "**/weights.*")
    page.get_by_role("radio", name="Shapes").check()
    page.wait_for_function("document.documentElement.dataset.state === 'loading'")
    before = count(page)
    stroke(page, [(32, 32), (32, 224)])
    page.wait_for_function(f"Number(document.getElementById('result').dataset.pictures) > {before}")
    press(page, "#dice")
    assert page.evaluate("document.getElementById('result').width") == 64 and page.inner_text("h1") == "Styled"
    release(page, held)
    page.wait_for_function("document.getElementById('result').width === 128")
    assert page.title() == "Shapes" and page.url.endswith("model=shapes")


def test_fifty_switches_leave_no_worker(page: Page, two: str) -> None:
    ready(page, two)
    page.wait_for_function("document.documentElement.dataset.backend")
    workers = len(page.workers)
    for i in range(50):
        page.get_by_role("radio", name=("Shapes", "Styled")[i % 2]).check()
        page.wait_for_function("document.documentElement.dataset.state === 'ready'")
        page.wait_for_function("Number(document.getElementById('result').dataset.shown) >= 1")
    for _ in range(100):  # Chromium takes two seconds to end one
        if len(page.workers) <= workers:
            break
        page.wait_for_timeout(100)
    assert len(page.workers) <= workers


REFUSED = """const Real = WebAssembly.Memory;
WebAssembly.Memory = function (kind) {
    if (kind.shared) throw new %s("made up");
    return new Real(kind);
};
"""


@pytest.mark.parametrize("error", ["RangeError", "TypeError"])
def test_where_memory_can_not_be_shared_the_build_without_threads_is_taken(page: Page, two: str, error: str) -> None:
    def refuse(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=REFUSED % error + answer.text())

    page.route("**/wasm.*.js", refuse)
    builds: list[str] = []
    page.on("request", lambda request: builds.append(request.url.split("/")[-1]) if ".wasm" in request.url else None)
    ready(page, two)
    assert page.evaluate("crossOriginIsolated")
    page.wait_for_function("document.documentElement.dataset.backend")
    assert builds and not any("threads" in build for build in builds)
    assert not any("/helper." in worker.url for worker in page.workers)
    assert not page.is_visible("#message")
