"""The controls of the page in a real Chromium: languages, keyboard, download, screens of all sizes."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from pages import count, pixels, ready, settled, stop_live

pytestmark = pytest.mark.browser


def test_japanese_is_a_switch_away_and_remembered(page: Page, address: str) -> None:
    ready(page, address)
    assert page.get_attribute("html", "lang") == "en"
    page.click("#language")
    assert page.get_attribute("html", "lang") == "ja"
    assert "変換" in page.inner_text("#convert")
    page.reload()
    page.wait_for_function("document.documentElement.lang === 'ja'")


def test_japanese_browser_gets_japanese(browser: Browser, address: str) -> None:
    context = browser.new_context(locale="ja-JP")
    page = context.new_page()
    page.route("**/weights.*", lambda route: route.fulfill(status=404, body="none"))
    page.goto(address)
    page.wait_for_selector("#message:visible")
    assert page.get_attribute("html", "lang") == "ja"
    assert "サーバーにページの一部がありません" in page.inner_text("#message")
    assert "変換" in page.inner_text("#convert")
    context.close()


def test_keyboard_presses_everything(page: Page, address: str) -> None:
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
    assert image is not None and np.array_equal(image[:, :, ::-1], picture)


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
