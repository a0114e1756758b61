"""The shelf: drawings stay when the page goes, and leave and come as files."""

import base64
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from playwright.sync_api import BrowserContext, Page

from browsers import served
from nurie.config import Publish
from nurie.painting.inputs import load_drawing
from nurie.publish import publish
from pages import SIZE, count, pixels, ready, settled, stop_live, stroke, write_model
from plans import small_styled, small_unet

pytestmark = pytest.mark.browser

LINES = [[(40.0, 40.0), (200.0, 60.0), (120.0, 200.0)], [(60.0, 200.0), (220.0, 200.0)]]
REFUSED = {
    "it throws": "indexedDB.open = () => { throw new DOMException('no', 'SecurityError'); }",
    "it fails": """indexedDB.open = () => {
        const request = {};
        setTimeout(() => request.onerror());
        return request;
    }""",
    "it never answers": "indexedDB.open = () => ({})",
    "there is none": "Object.defineProperty(window, 'indexedDB', { value: undefined })",
    "no kind of storage": """for (const name of ['localStorage', 'sessionStorage', 'indexedDB'])
        Object.defineProperty(window, name, { get() { throw new DOMException('no', 'SecurityError'); } })""",
}


def draw(page: Page, lines: list[list[tuple[float, float]]] = LINES) -> np.ndarray:
    """Draw on an empty sheet: the drawing's pixels."""
    page.click("#clear")
    for line in lines:
        stroke(page, line)
    return pixels(page, "input")


def kept(page: Page, count: int = 1) -> list[dict[str, Any]]:
    """All records, once there are so many and nothing is waiting to be saved."""
    page.wait_for_timeout(400)
    for _ in range(100):
        records: list[dict[str, Any]] = page.evaluate(READ)
        if len(records) == count:
            page.evaluate(HIDE)  # what a slow machine has still to save is saved now
            return page.evaluate(READ)
        page.wait_for_timeout(50)
    raise AssertionError(f"{len(records)} records")


HIDE = """() => {
    Object.defineProperty(document, "hidden", { value: true, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
    delete document.hidden;
}"""


READ = """() => new Promise((resolve, reject) => {
    const request = indexedDB.open(`nurie ${location.pathname}`);
    request.onupgradeneeded = () => { request.transaction.abort(); resolve([]); };
    request.onsuccess = () => {
        const database = request.result;
        const all = database.transaction("drawings").objectStore("drawings").getAll();
        all.onsuccess = () => { database.close(); resolve(all.result); };
    };
})"""
WRITE = """change => new Promise((resolve, reject) => {
    const request = indexedDB.open(`nurie ${location.pathname}`);
    request.onsuccess = () => {
        const transaction = request.result.transaction("drawings", "readwrite");
        const store = transaction.objectStore("drawings");
        store.getAll().onsuccess = ({ target }) => {
            for (const record of target.result) store.put({ ...record, ...change });
        };
        transaction.oncomplete = () => { request.result.close(); resolve(); };
    };
})"""


def opened(page: Page) -> None:
    """The page is there, and so is a picture."""
    page.wait_for_function("document.documentElement.dataset.state === 'ready'")
    page.wait_for_function("Number(document.getElementById('result').dataset.shown) >= 1")


def shows(page: Page, drawing: np.ndarray) -> bool:
    """Whether a drawing that was asked for is on the sheet soon."""
    for _ in range(100):
        if np.array_equal(pixels(page, "input"), drawing):
            return True
        page.wait_for_timeout(50)
    return False


def shelf(page: Page) -> int:
    """Open the dialog: how many drawings it shows."""
    page.click("#shelf")
    page.wait_for_selector(".shelf[open]")
    return page.locator(".shelf .drawing").count()


def save(page: Page, kind: str, to: Path) -> Path:
    """Export the drawing on top."""
    with page.expect_download() as download:
        page.locator(".files button", has_text=kind).first.click()
    assert download.value.suggested_filename.endswith("." + kind.lower())
    download.value.save_as(to)
    return to


def drop(page: Page, files: dict[str, bytes | int]) -> None:
    """Files are dropped on the page; a number is that of zeros."""
    page.evaluate(
        """files => {
            const data = new DataTransfer();
            for (const [name, what] of Object.entries(files)) {
                const zeros = typeof what === "number";
                const bytes = zeros ? new Uint8Array(what) : Uint8Array.from(atob(what), c => c.charCodeAt(0));
                data.items.add(new File([bytes], name));
            }
            const event = { dataTransfer: data, bubbles: true, cancelable: true };
            for (const kind of ["dragover", "drop"])
                if (document.body.dispatchEvent(new DragEvent(kind, event))) throw new Error("it navigates");
        }""",
        {name: data if isinstance(data, int) else base64.b64encode(data).decode() for name, data in files.items()},
    )


def test_a_reload_brings_back_the_drawing_with_its_colours_and_all_undo(page: Page, address: str) -> None:
    ready(page, address)
    sample = pixels(page, "input")
    drawn = draw(page)
    page.click("#dice")
    page.keyboard.press("Control+z")
    kept(page)
    picture = settled(page)
    page.reload()
    opened(page)
    assert np.array_equal(settled(page), picture)
    page.keyboard.press("Control+Shift+Z")
    assert np.array_equal(pixels(page, "input"), drawn)
    for _ in range(3):
        page.click("#undo")
    assert np.array_equal(pixels(page, "input"), sample)


def test_3000_lines_come_back_exactly_with_what_was_drawn_at_last(page: Page, address: str) -> None:
    ready(page, address)
    draw(page)
    kept(page)
    page.goto(address + "site.json")  # nobody has the drawing
    lines = [{"tool": "pencil", "width": 2, "points": [i % 250, 5 + i % 7, 128, 40 + i % 200]} for i in range(3000)]
    write = WRITE.replace("location.pathname", "location.pathname.replace('site.json', '')")
    page.evaluate(write, {"steps": lines, "done": len(lines)})
    page.goto(address)
    opened(page)
    before = pixels(page, "input")
    stroke(page, [(20, 250), (240, 250)])
    after = pixels(page, "input")
    page.reload()
    opened(page)
    assert shows(page, after)
    page.keyboard.press("Control+z")
    assert np.array_equal(pixels(page, "input"), before)
    assert len(kept(page)[0]["steps"]) == 3001


def test_what_was_drawn_the_moment_before_is_kept(page: Page, address: str) -> None:
    ready(page, address)
    drawn = draw(page)
    page.reload()
    opened(page)
    assert np.array_equal(pixels(page, "input"), drawn)
    stroke(page, [(20, 20), (240, 20)])
    more = pixels(page, "input")
    page.goto("about:blank")
    page.go_back()
    opened(page)
    assert np.array_equal(pixels(page, "input"), more)
    assert len(kept(page)) == 1


def test_what_the_database_is_too_slow_for_waits_in_the_tab(page: Page, address: str) -> None:
    ready(page, address)
    page.evaluate("IDBDatabase.prototype.transaction = () => { throw new Error('too late'); }; 0")
    drawn = draw(page)
    page.reload()
    opened(page)
    assert np.array_equal(pixels(page, "input"), drawn)
    assert len(kept(page)) == 1
    page.wait_for_function("sessionStorage['nurie /some/where/ left'] === 'null'")


@pytest.mark.parametrize("left", ["damaged", "older", "of another drawing", "no drawing"])
def test_what_waits_in_the_tab_comes_back_only_where_it_is_the_drawing(page: Page, address: str, left: str) -> None:
    ready(page, address)
    drawn = draw(page)
    [record] = kept(page)
    empty = record | {"steps": [], "done": 0}
    waiting = {
        "damaged": "{",
        "older": json.dumps(empty | {"changed": record["changed"] - 1}),
        "of another drawing": json.dumps(empty | {"id": "another", "changed": record["changed"] + 1}),
        "no drawing": json.dumps({"id": record["id"], "changed": record["changed"] + 1}),
    }[left]
    page.evaluate("text => sessionStorage.setItem('nurie /some/where/ left', text)", waiting)
    page.reload()
    opened(page)
    assert np.array_equal(pixels(page, "input"), drawn)


def test_a_visitor_who_never_drew_sees_the_sample_and_leaves_nothing(page: Page, address: str) -> None:
    ready(page, address)
    sample = pixels(page, "input")
    page.click("#dice")
    page.wait_for_timeout(400)
    page.reload()
    opened(page)
    assert np.array_equal(pixels(page, "input"), sample)
    assert kept(page, 0) == []
    names = page.evaluate("[...Object.keys(localStorage), ...Object.keys(sessionStorage)]")
    assert not [name for name in names if name.startswith("nurie /")]


def test_who_drew_sees_the_drawing_in_a_new_tab_and_never_the_sample(page: Page, address: str) -> None:
    ready(page, address)
    drawn = draw(page)
    kept(page)
    page.close()
    other = page.context.new_page()
    other.add_init_script(
        """window.seen = new Set();
        const look = () => {
            if (window.nurie) seen.add(nurie.pixels().reduce((a, b) => a + b, 0));
            requestAnimationFrame(look);
        };
        look();"""
    )
    other.goto(address)
    opened(other)
    assert np.array_equal(pixels(other, "input"), drawn)
    blank = SIZE * SIZE * 4 * 255
    assert set(other.evaluate("[...seen]")) <= {blank, int(drawn.sum())}


def drawn_and_another_tab(page: Page, address: str) -> tuple[np.ndarray, Page]:
    """A drawing on the page, which is kept, and a second tab that was opened after it."""
    ready(page, address)
    first = draw(page)
    kept(page)
    other = page.context.new_page()
    other.goto(address)
    opened(other)
    return first, other


def test_two_tabs_have_a_drawing_each(page: Page, address: str) -> None:
    first, other = drawn_and_another_tab(page, address)
    second = draw(other, LINES[:1])
    kept(page, 2)
    stroke(page, [(20, 20), (240, 20)])
    third = pixels(page, "input")
    kept(page, 2)
    assert shelf(page) == shelf(other) == 2
    for tab, expected in ((other, second), (page, third)):
        tab.reload()
        opened(tab)
        assert np.array_equal(pixels(tab, "input"), expected)
    assert not np.array_equal(first, third)


@pytest.mark.parametrize("locks", [True, False], ids=["locks", "no locks"])
def test_a_tab_that_opens_the_others_drawing_goes_on_with_a_copy(page: Page, address: str, locks: bool) -> None:
    if not locks:
        page.context.add_init_script("Object.defineProperty(navigator, 'locks', { value: undefined })")
    first, other = drawn_and_another_tab(page, address)
    if locks:  # else it has come by itself
        assert not np.array_equal(pixels(other, "input"), first)
        shelf(other)
        other.locator(".shelf .drawing").first.click()
        opened(other)
    other.wait_for_timeout(400)
    assert np.array_equal(pixels(other, "input"), first)
    stroke(other, [(20, 20), (240, 20)])
    theirs = pixels(other, "input")
    other.wait_for_timeout(400)
    stroke(page, [(20, 240), (240, 240)])
    ours = pixels(page, "input")
    kept(page, 2)
    for tab, expected in ((other, theirs), (page, ours)):
        tab.reload()
        opened(tab)
        assert np.array_equal(pixels(tab, "input"), expected)
    kept(page, 2)


@pytest.mark.parametrize("how", REFUSED)
def test_where_storage_is_refused_the_page_says_so_and_works_on(page: Page, address: str, how: str) -> None:
    page.add_init_script(REFUSED[how])
    ready(page, address)
    assert page.is_hidden("#word")
    drawn = draw(page)
    page.wait_for_selector("#word:visible")
    assert "does not keep your drawings" in page.inner_text("#word")
    assert shelf(page) == 1
    page.click("text=New drawing")
    stroke(page, [(20, 20), (240, 20)])
    assert shelf(page) == 2
    page.locator(".shelf .drawing").nth(1).click()
    assert shows(page, drawn)


def test_a_full_disk_is_told_and_the_drawing_is_kept_once_there_is_room(page: Page, address: str) -> None:
    page.add_init_script(
        """const put = IDBObjectStore.prototype.put;
        window.full = true;
        IDBObjectStore.prototype.put = function (...values) {
            if (full) throw new DOMException('full', 'QuotaExceededError');
            return put.apply(this, values);
        };"""
    )
    ready(page, address)
    draw(page)
    page.wait_for_selector("#word:visible")
    assert "full" in page.inner_text("#word")
    page.evaluate("full = false")
    stroke(page, [(20, 20), (240, 20)])
    drawn = pixels(page, "input")
    kept(page)
    page.reload()
    opened(page)
    assert np.array_equal(pixels(page, "input"), drawn)


def test_a_database_of_a_newer_page_is_left_alone(page: Page, address: str) -> None:
    ready(page, address)
    page.evaluate(
        """() => new Promise(resolve => {
            const request = indexedDB.open(`nurie ${location.pathname}`, 99);
            request.onsuccess = () => { request.result.close(); resolve(); };
        })"""
    )
    draw(page)
    page.wait_for_selector("#word:visible")
    assert "does not keep your drawings" in page.inner_text("#word")


@pytest.mark.parametrize("change", [{"steps": None}, {"size": {"width": 1e9, "height": 1e9}}, {"done": 77}])
def test_a_damaged_record_is_told_and_opens_nothing(page: Page, address: str, change: dict[str, Any]) -> None:
    ready(page, address)
    sample = pixels(page, "input")
    draw(page)
    kept(page)
    page.evaluate(WRITE, change)
    page.reload()
    opened(page)
    assert np.array_equal(pixels(page, "input"), sample)
    assert "can not be read" in page.inner_text("#word")
    assert shelf(page) == 0
    assert "can not be read: 1" in page.inner_text(".shelf")


def test_the_shelf_opens_begins_and_deletes_with_a_way_back(page: Page, address: str) -> None:
    ready(page, address)
    first = draw(page)
    assert shelf(page) == 1
    page.click("text=New drawing")
    page.wait_for_function("document.getElementById('undo').disabled")
    assert (pixels(page, "input") == 255).all()
    page.reload()  # a new one that is empty stays the current one
    opened(page)
    assert (pixels(page, "input") == 255).all()
    stroke(page, [(20, 20), (240, 20)])
    second = pixels(page, "input")
    assert shelf(page) == 2
    assert page.locator(".shelf [aria-current]").count() == 1
    page.locator(".shelf .drawing").nth(1).click()
    assert shows(page, first)
    shelf(page)
    page.locator("button:text('Delete')").first.click()
    page.click(".shelf >> text=Undo")
    page.wait_for_function("document.querySelectorAll('.shelf .drawing').length === 2")
    page.keyboard.press("Escape")
    shelf(page)
    current = page.locator(".shelf li:has([aria-current]) button:text('Delete')")
    current.click()
    page.wait_for_selector("text=Deleted")
    page.keyboard.press("Escape")
    assert shows(page, np.full_like(second, 255))
    assert len(kept(page)) == 1
    shelf(page)
    page.locator(".shelf .drawing").first.click()
    assert shows(page, second)


def test_what_is_exported_is_drawn_by_python_to_the_byte(page: Page, address: str, tmp_path: Path) -> None:
    ready(page, address)
    draw(page)
    page.click("[data-colour=green]")
    stroke(page, [(100, 90), (180, 170)])
    page.keyboard.press("e")
    stroke(page, [(30, 30), (220, 190)])
    drawn = pixels(page, "input")[:, :, :3]
    shelf(page)
    file = save(page, "JSON", tmp_path / "drawing.json")
    assert np.array_equal(load_drawing(file, SIZE, SIZE), drawn)
    image = cv2.imread(str(save(page, "PNG", tmp_path / "drawing.png")))
    assert image is not None and np.array_equal(image[:, :, ::-1], drawn)
    svg = save(page, "SVG", tmp_path / "drawing.svg").read_text()
    difference = np.abs(painted(page, svg).astype(int) - drawn)
    assert difference.mean() < 0.4 and (difference > 64).mean() < 0.001


def painted(page: Page, svg: str) -> np.ndarray:
    """An SVG as Chromium draws it, uint8 (256, 256, 3)."""
    data = page.evaluate(
        """async ([svg, size]) => {
            const image = new Image();
            image.src = "data:image/svg+xml," + encodeURIComponent(svg);
            await image.decode();
            const context = new OffscreenCanvas(size, size).getContext("2d");
            context.drawImage(image, 0, 0, size, size);
            return Array.from(context.getImageData(0, 0, size, size).data);
        }""",
        [svg, SIZE],
    )
    return np.array(data, np.uint8).reshape(SIZE, SIZE, 4)[:, :, :3]


def test_all_drawings_go_into_one_file_and_come_back(page: Page, address: str, tmp_path: Path) -> None:
    ready(page, address)
    first = draw(page)
    shelf(page)
    page.click("text=New drawing")
    stroke(page, [(20, 20), (240, 20)])
    second = pixels(page, "input")
    shelf(page)
    with page.expect_download() as download:
        page.click("text=Export all")
    assert download.value.suggested_filename == "nurie-drawings.json"
    file = tmp_path / "all.json"
    download.value.save_as(file)
    for _ in range(2):
        page.locator("button:text('Delete')").first.click()
        page.wait_for_timeout(200)
    page.keyboard.press("Escape")
    kept(page, 0)
    shelf(page)
    with page.expect_file_chooser() as chooser:
        page.click("text=Import")
    chooser.value.set_files(file)
    page.wait_for_function("document.querySelectorAll('.shelf .drawing').length === 2")
    assert page.inner_text("#word") == "Drawings imported: 2."
    page.locator(".shelf .drawing").nth(0).click()
    assert shows(page, second)
    shelf(page)
    page.locator(".shelf .drawing").nth(1).click()
    assert shows(page, first)


def test_a_dropped_file_never_takes_the_pages_place(page: Page, address: str) -> None:
    ready(page, address)
    line = {"title": {"en": "Line"}, "size": 128, "strokes": [{"width": 4, "points": [10, 20, 100, 110]}]}
    before = pixels(page, "input")
    drop(page, {"cat.png": b"\x89PNG\r\n\x1a\n"})
    page.wait_for_selector("#word:visible")
    assert page.inner_text("#word").startswith("cat.png is no drawing")
    drop(page, {"bad.json": json.dumps(line | {"size": -1}).encode()})
    page.wait_for_function("document.getElementById('word').textContent.includes('$.size')")
    drop(page, {"large.json": (16 << 20) + 1})
    page.wait_for_function("document.getElementById('word').textContent.includes('too large')")
    assert page.url == address and np.array_equal(pixels(page, "input"), before)
    drop(page, {"line.json": json.dumps(line).encode()})
    page.wait_for_function("document.getElementById('word').textContent === 'Drawings imported: 1.'")
    page.wait_for_function("!document.getElementById('undo').disabled")
    page.wait_for_timeout(300)
    drawn = pixels(page, "input")
    assert (drawn[40, 20] == [0, 0, 0, 255]).all() and (drawn < 128).any(2).mean() < 0.05
    shelf(page)
    assert "Line" in page.inner_text(".shelf")


def test_label_maps_come_back_with_their_sample(page: Page, tmp_path: Path) -> None:
    plan, weights = small_unet()
    labels = [{"colour": "#0030ff", "title": "wall"}, {"colour": "#ff0000", "title": "door"}]
    cv2.imwrite(str(tmp_path / "preset.png"), np.full((128, 128, 3), (0, 0, 255), np.uint8))
    model = write_model(
        tmp_path / "walls", 128, plan, weights, title="Walls", labels=labels, presets=[{"image": "preset.png"}]
    )
    (model / "preset.png").write_bytes((tmp_path / "preset.png").read_bytes())
    with served(publish(Publish(model, tmp_path / "site"))) as address:
        page.goto(address)
        opened(page)
        stroke(page, [(40, 40), (200, 100)])
        page.click("#fill")
        page.click("#colours [data-colour='#0030ff']")
        stroke(page, [(20, 20), (20, 20)])
        drawn = page.evaluate("Array.from(nurie.pixels())")
        assert drawn[:3] == [0, 0x30, 0xFF]
        assert [step["tool"] for step in kept(page)[0]["steps"]] == ["sheet", "box", "box"]
        page.reload()
        opened(page)
        assert page.evaluate("Array.from(nurie.pixels())") == drawn
        shelf(page)
        file = save(page, "JSON", tmp_path / "map.json")
        assert json.loads(file.read_text())["format"] == "nurie-drawings"
        page.keyboard.press("Escape")
        page.click("#clear")
        drop(page, {"map.json": file.read_bytes()})
        page.wait_for_function("document.getElementById('word').textContent === 'Drawings imported: 1.'")
        settled_pixels = "JSON.stringify(Array.from(nurie.pixels()))"
        page.wait_for_function(f"{settled_pixels}.length === {len(json.dumps(drawn, separators=(',', ':')))}")
        assert page.evaluate("Array.from(nurie.pixels())") == drawn


def test_a_label_map_is_drawn_by_python_to_the_byte(page: Page, tmp_path: Path) -> None:
    labels = [{"colour": "#0030ff", "title": "wall"}, {"colour": "#ff0000", "title": "door"}, {"colour": "#ffff00"}]
    model = write_model(tmp_path / "walls", 128, *small_unet(), title="Walls", labels=labels)
    with served(publish(Publish(model, tmp_path / "site"))) as address:
        page.goto(address)
        opened(page)
        stroke(page, [(40, 40), (90, 100)])
        page.keyboard.press("p")
        stroke(page, [(60, 150), (120, 130), (190, 160), (150, 210), (70, 200), (60, 150)])
        page.keyboard.press("e")
        stroke(page, [(50, 20), (80, 120)])
        page.click("#colours [data-colour='#ffff00']")
        page.keyboard.press("f")
        stroke(page, [(120, 170), (120, 170)])
        drawn = np.array(page.evaluate("Array.from(nurie.pixels())"), np.uint8).reshape(128, 128, 4)[:, :, :3]
        assert drawn[85, 60].tolist() == [255, 255, 0] and drawn[5, 5].tolist() == [0, 0x30, 255]
        shelf(page)
        file = save(page, "JSON", tmp_path / "map.json")
        assert np.array_equal(load_drawing(file, 128, 128, [label["colour"] for label in labels]), drawn)


def test_a_drawing_brings_its_model(page: Page, tmp_path: Path) -> None:
    folders = [write_model(tmp_path / name, 64, *small_styled(), title=name, presets=[]) for name in ("cats", "dogs")]
    with served(publish(Publish(folders[0], tmp_path / "site", more=(folders[1],)))) as address:
        page.goto(f"{address}?model=dogs")
        opened(page)
        stroke(page, [(40, 40), (200, 100)])
        drawn = page.evaluate("Array.from(nurie.pixels())")
        assert kept(page)[0]["model"] == "dogs"
        shelf(page)
        page.click("text=New drawing")
        page.click("#models label:has-text('cats')")
        page.wait_for_function("location.search.includes('cats')")
        shelf(page)
        page.locator(".shelf .drawing").first.click()
        page.wait_for_function("location.search.includes('dogs')")
        opened(page)
        page.wait_for_function("drawn => nurie.pixels().every((byte, i) => byte === drawn[i])", arg=drawn)
        # a visit that names no model begins with the last drawing's
        context: BrowserContext = page.context
        page.close()
        other = context.new_page()
        other.goto(address)
        opened(other)
        assert other.evaluate("document.querySelector('#models :checked').value") == "dogs"
        assert other.evaluate("Array.from(nurie.pixels())") == drawn


def test_with_live_off_the_old_picture_is_dimmed_and_not_saved(page: Page, address: str, tmp_path: Path) -> None:
    ready(page, address)
    settled(page)
    stop_live(page)
    page.wait_for_timeout(300)
    before = count(page)
    draw(page)
    assert count(page) == before
    assert page.evaluate("getComputedStyle(result).opacity") == "0.4"
    assert page.is_visible(".badge.old")
    with page.expect_download() as download:
        page.click("#download")
    download.value.save_as(tmp_path / "picture.png")
    assert count(page) == before + 1
    image = cv2.imread(str(tmp_path / "picture.png"))
    assert image is not None and np.array_equal(image[:, :, ::-1], settled(page))
    assert page.evaluate("getComputedStyle(result).opacity") == "1"
    assert page.is_hidden(".badge.old")


def test_other_colours_have_a_way_back(page: Page, address: str) -> None:
    ready(page, address)
    first = settled(page)
    assert page.is_hidden("#undice")
    page.click("#dice")
    second = settled(page)
    page.keyboard.press("d")
    settled(page)
    page.keyboard.press("Shift+D")
    assert np.array_equal(settled(page), second)
    page.click("#undice")
    assert np.array_equal(settled(page), first)
    assert page.is_hidden("#undice")
