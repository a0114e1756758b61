"""The published page in a real Chromium under its own and hosts' rules, in frames, and after a file was damaged."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page

from browsers import served
from nurie.config import Publish
from nurie.publish import publish
from nurie.serve import BUILT_IN
from nurie.site.headers import EVERYWHERE
from pages import press, ready, write_model
from plans import small_styled, small_unet

pytestmark = pytest.mark.browser
SAMPLE = {"title": "Bar", "strokes": [{"width": 8, "points": [10, 32, 54, 32]}]}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With two models; the first has samples and threads are worth it."""
    folder = tmp_path_factory.mktemp("models")
    shapes = write_model(folder / "shapes", 128, *small_unet(), title="Shapes", presets=[SAMPLE])
    return publish(Publish(BUILT_IN, folder / "site", more=(shapes,)))


@pytest.fixture(scope="module")
def two(site: Path) -> Iterator[str]:
    with served(site) as address:
        yield address


@pytest.fixture
def strict(browser: Browser) -> Iterator[Page]:
    """An empty tab that keeps pages' policies."""
    with browser.new_context(bypass_csp=False, locale="en-US", viewport={"width": 1200, "height": 900}) as context:
        page = context.new_page()
        page.set_default_timeout(60_000)
        yield page


def until(page: Page, condition: str) -> None:
    """Wait; Playwright's own way would be forbidden."""
    for _ in range(600):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(100)
    raise TimeoutError(condition)


def violations(page: Page) -> list[str]:
    """What the console says of a policy, from now on."""
    said: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if "Policy" in message.text or "Trusted" in message.text:
            said.append(message.text)

    page.on("console", listen)
    return said


def use(page: Page) -> None:
    """A bit of everything that loads something."""
    until(page, "Boolean(document.documentElement.dataset.backend)")
    page.click("#preset")
    until(page, "document.querySelector('dialog[open] #presets') !== null")
    page.click("#presets li:nth-child(2) button")
    with page.expect_download():
        page.click("#download")


def test_the_page_keeps_its_own_policy(strict: Page, two: str) -> None:
    said = violations(strict)
    strict.goto(two)
    use(strict)
    assert said == []
    assert sum("/helper." in worker.url for worker in strict.workers) >= 1
    # ... which is in force
    assert strict.evaluate("fetch('https://example.com/').then(() => 'sent', () => 'refused')") == "refused"
    strict.evaluate(
        """() => {
            const script = document.createElement("script");
            script.append("window.ran = true");
            document.head.append(script);
        }"""
    )
    assert strict.evaluate("window.ran") is None


def test_the_page_works_where_a_host_forbids_strings_as_scripts(strict: Page, site: Path) -> None:
    headers = EVERYWHERE | {"Content-Security-Policy": "require-trusted-types-for 'script'"}
    with served(site, plainly=True, headers=headers) as address:
        said = violations(strict)
        strict.goto(address)
        use(strict)
        assert said == []
        assert strict.evaluate("crossOriginIsolated")
        assert sum("/helper." in worker.url for worker in strict.workers) >= 1


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of another site, whose page is isolated."""
    folder = tmp_path_factory.mktemp("elsewhere")
    (folder / "index.html").write_text("<p>another site</p>")
    with served(folder, plainly=True, headers=EVERYWHERE) as address:
        yield address


def framed(page: Page, elsewhere: str, address: str, **attributes: str) -> None:
    """The other site's page with this one in a frame."""
    page.goto(elsewhere)
    page.evaluate(
        """([src, attributes]) => {
            const frame = document.createElement("iframe");
            for (const [name, value] of Object.entries(attributes)) frame.setAttribute(name, value);
            document.body.append(Object.assign(frame, { src, width: 1100, height: 800 }));
        }""",
        [address, attributes],
    )


def test_a_page_that_is_isolated_may_show_the_site(strict: Page, elsewhere: str, two: str) -> None:
    framed(strict, elsewhere, two)
    frame = strict.frame_locator("iframe")
    frame.locator("#result[data-shown]").wait_for()


def test_a_frame_of_its_own_origin_says_at_once_that_it_can_not_start(strict: Page, elsewhere: str, two: str) -> None:
    framed(strict, elsewhere, two, sandbox="allow-scripts")
    note = strict.frame_locator("iframe").locator("#stuck")
    note.wait_for(state="visible", timeout=5000)
    assert "shut off" in note.inner_text()


def test_a_frame_of_its_own_origin_works_where_the_host_gives_its_files_to_all(
    strict: Page, elsewhere: str, site: Path
) -> None:
    with served(site, plainly=True, headers=EVERYWHERE | {"Access-Control-Allow-Origin": "*"}) as address:
        framed(strict, elsewhere, address, sandbox="allow-scripts")
        strict.frame_locator("iframe").locator("#result[data-shown]").wait_for()


@pytest.mark.parametrize("name", ["first", "main", "wasm", "start"])
def test_a_damaged_script_that_the_browser_keeps_is_fetched_anew(browser: Browser, site: Path, name: str) -> None:
    [path] = (site / "assets").rglob(f"{name}.*.js")
    whole = path.read_bytes()
    with browser.new_context() as context, served(site) as address:
        page = context.new_page()
        page.set_default_timeout(60_000)
        try:
            path.write_bytes(whole[: len(whole) // 2])
            page.goto(address)
            page.wait_for_function("history.state?.healed", timeout=60_000)
            page.wait_for_selector("#stuck", state="visible")  # it is tried once, and said then
            path.write_bytes(whole)
            page.wait_for_timeout(300)
            page.evaluate("history.replaceState(null, '')")
            page.reload()  # heals by itself
            page.wait_for_function("Number(document.getElementById('result').dataset.shown) >= 1")
        finally:
            path.write_bytes(whole)


def test_only_the_chosen_model_is_downloaded(page: Page, two: str) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.split("/")[-1]) if "/model/" in request.url else None)
    for query, size in (("?model=shapes", 128), ("?model=unknown", 256), ("", 256)):
        asked.clear()
        ready(page, two + query)
        assert page.evaluate("document.getElementById('result').width") == size
        chosen = page.evaluate(
            f"document.querySelectorAll('meta[name=nurie-model]')[{int(size == 128)}].dataset.weights"
        )
        assert [name for name in asked if name.startswith("weights.")] == [chosen.split("/")[-1]]
        assert len([name for name in asked if name.startswith("manifest.")]) == 1


def test_a_page_that_is_open_goes_on_after_one_publish_and_says_so_after_two(page: Page, tmp_path: Path) -> None:
    models = [
        write_model(tmp_path / "styled", 64, *small_styled(), title="Styled"),
        write_model(tmp_path / "shapes", 128, *small_unet(), title="Shapes"),
    ]

    def again(title: str) -> None:
        for model, plan in zip(models, (small_styled(), small_unet()), strict=True):
            write_model(model, 64 if plan == small_styled() else 128, *plan, title=title)
        publish(Publish(models[0], tmp_path / "site", more=(models[1],)))

    again("One")
    with served(tmp_path / "site") as address:
        ready(page, address)
        again("Two")
        page.locator("#models label").nth(1).click()
        page.wait_for_function("document.getElementById('result').width === 128")
        again("Three")
        page.context.clear_cookies()
        page.route("**/model/*", lambda route: route.fulfill(response=route.fetch()))  # past the browser's cache
        page.locator("#models label").nth(0).click()
        page.wait_for_selector("#message:visible")
        assert "has been updated" in page.inner_text("#message") and page.inner_text("#again") == "Reload"
        press(page, "#convert")  # what is there works on
        assert page.evaluate("document.getElementById('result').width") == 128
        page.locator("#models label").nth(0).click()
        page.wait_for_selector("#message:visible")
        page.click("#again")
        page.wait_for_function("document.title === 'Three'")
        ready(page, address)
