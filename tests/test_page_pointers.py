"""Mouse, pen, fingers and keys on the page's sheet, in a real Chromium."""

import base64
import time
from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from browsers import served
from nurie.config import Publish
from nurie.publish import publish
from pages import PIXELS, SIZE, pixels, ready, stop_live, stroke, write_model
from plans import small_styled

pytestmark = pytest.mark.browser


class Device:
    """Fingers, a pen and a mouse with clocks of their own, in pixels of the model: however slow this machine is."""

    def __init__(self, page: Page) -> None:
        self.cdp = page.context.new_cdp_session(page)
        box = page.locator("#drawing").bounding_box()
        assert box is not None
        self.left, self.top, self.scale = box["x"], box["y"], box["width"] / SIZE
        self.now = time.time()
        self.fingers: dict[int, tuple[float, float]] = {}

    def wait(self, seconds: float) -> None:
        self.now += seconds

    def _at(self, x: float, y: float) -> dict[str, float]:
        return {"x": self.left + x * self.scale, "y": self.top + y * self.scale}

    def _touch(self, kind: str) -> None:
        self.now += 0.008
        points = [{**self._at(*at), "id": number, "radiusX": 8, "radiusY": 8} for number, at in self.fingers.items()]
        self.cdp.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points, "timestamp": self.now})

    def finger(self, *fingers: tuple[int, float, float]) -> None:
        """Fingers of these numbers come down, or move, to (x, y)."""
        comes = any(number not in self.fingers for number, _, _ in fingers)
        self.fingers |= {number: (x, y) for number, x, y in fingers}
        self._touch("touchStart" if comes else "touchMove")

    def lift(self, *numbers: int) -> None:
        for number in numbers:
            del self.fingers[number]
        self._touch("touchEnd")

    def point(self, kind: str, x: float, y: float, pointer: str = "pen", **more: object) -> None:
        """A pen or mouse: kind is Pressed, Moved or Released."""
        self.now += 0.008
        button = {"Moved": "none"}.get(kind, "left")
        buttons = {"Pressed": 1, "Moved": 1, "Released": 0}[kind]
        self.cdp.send(
            "Input.dispatchMouseEvent",
            {
                "type": f"mouse{kind}", "pointerType": pointer, "button": button, "buttons": buttons, "clickCount": 1,
                "force": 0.4 if buttons else 0, "timestamp": self.now, **self._at(x, y), **more,
            },
        )  # fmt: skip

    def line(self, points: list[tuple[float, float]], pointer: str = "pen", **more: object) -> None:
        self.point("Pressed", *points[0], pointer, **more)
        for at in points[1:]:
            self.point("Moved", *at, pointer, **more)
        self.point("Released", *points[-1], pointer)


@pytest.fixture
def tablet(browser: Browser, address: str) -> Iterator[Page]:
    """The page on a tablet, its sheet empty."""
    context = browser.new_context(viewport={"width": 1024, "height": 768}, has_touch=True)
    page = context.new_page()
    page.set_default_timeout(60_000)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    ready(page, address)
    page.evaluate("for (const button of ['live', 'clear']) document.getElementById(button).click()")
    yield page
    context.close()
    assert errors == []


def ink(page: Page) -> np.ndarray:
    """Where the drawing that the engine gets is dark, bool (256, 256)."""
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    return pixels(page, "input")[:, :, 0] < 140


def test_the_pen_draws_although_the_palm_is_there_first_which_leaves_nothing(tablet: Page) -> None:
    device = Device(tablet)
    device.finger((1, 200, 200))
    device.wait(0.4)
    device.finger((1, 202, 201))
    device.line([(40, 40), (80, 40), (120, 40)])
    device.finger((1, 220, 215))
    device.lift(1)
    drawn = ink(tablet)
    assert drawn[38:43, 60].any() and drawn[38:43, 119].any()
    assert not drawn[100:].any()


def test_where_a_pen_was_seen_fingers_draw_once_they_are_let(tablet: Page) -> None:
    device = Device(tablet)
    device.line([(40, 40), (120, 40)])
    device.wait(2)
    before = ink(tablet)
    device.finger((1, 40, 100))
    device.finger((1, 120, 100))
    device.lift(1)
    assert np.array_equal(ink(tablet), before)
    tablet.click("#let")
    device.wait(2)
    device.finger((1, 40, 100))
    device.finger((1, 120, 100))
    device.lift(1)
    assert ink(tablet)[98:103, 80].any()


def test_a_resting_hand_locks_out_no_finger(tablet: Page) -> None:
    device = Device(tablet)
    device.finger((1, 200, 200))
    device.wait(0.6)
    device.finger((2, 40, 60))
    for x in range(50, 130, 10):
        device.finger((2, x, 60))
    device.lift(2)
    device.lift(1)
    drawn = ink(tablet)
    assert drawn[58:63, 80].any() and not drawn[100:].any()


def test_fingers_undo_and_redo_and_zoom_and_lines_are_where_they_are_seen(tablet: Page) -> None:
    device = Device(tablet)
    device.line([(40, 40), (120, 40)], "mouse")
    drawn = ink(tablet)
    assert drawn.any()
    device.finger((1, 100, 100), (2, 140, 100))
    device.lift(1, 2)
    assert not ink(tablet).any()
    device.finger((1, 100, 100), (2, 140, 100), (3, 180, 100))
    device.lift(1, 2, 3)
    assert np.array_equal(ink(tablet), drawn)
    device.finger((1, 108, 128), (2, 148, 128))
    device.finger((1, 98, 128), (2, 158, 128))
    device.finger((1, 88, 128), (2, 168, 128))
    device.lift(1, 2)
    assert np.array_equal(ink(tablet), drawn), "the engine gets the same"
    assert tablet.evaluate("Math.round(10 * nurie.view.zoom)") == 20
    device.wait(1)
    device.line([(128, 128), (168, 128)], "mouse")  # 20 pixels from the middle, twice as large
    new = ink(tablet) & ~drawn
    assert new[127:130, 140].any() and np.flatnonzero(new.any(0)).max() <= 150
    tablet.click("#whole")
    assert tablet.evaluate("nurie.view.zoom") == 1 and not tablet.is_visible("#whole")


def test_control_and_the_wheel_zoom_around_the_pointer_and_space_moves_the_sheet(page: Page, address: str) -> None:
    ready(page, address)
    box = page.locator("#drawing").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 4, box["y"] + box["height"] / 4)
    page.keyboard.down("Control")
    page.mouse.wheel(0, -100)
    page.mouse.wheel(0, -100)
    page.keyboard.up("Control")
    page.wait_for_function("nurie.view.zoom > 1.6")
    view = page.evaluate("nurie.view")
    assert abs(view["left"] + SIZE / 4 / view["zoom"] - SIZE / 4) < 0.6, view  # the same point is under the pointer
    drawing = pixels(page, "input")
    page.focus("#drawing")
    page.keyboard.down(" ")
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 4 - 30, box["y"] + box["height"] / 4)
    page.mouse.up()
    page.keyboard.up(" ")
    moved = page.evaluate("nurie.view")
    assert abs(moved["left"] - view["left"] - 30 / box["width"] * SIZE / view["zoom"]) < 0.1
    assert np.array_equal(pixels(page, "input"), drawing)


# Roots that each task of the page computes: strokes take them, and nothing else of the sheet. By its clock two strokes
# end a slice, and after three tasks the next ones wait until they are let go.
WORK = """() => {
    const { sqrt } = Math;
    const { setTimeout } = window;
    let time = 0;
    let roots = 0;
    const kept = [];
    window.tasks = [];
    const task = (act) => {
        roots = 0;
        act();
        tasks.push(roots);
    };
    let most = 3;
    Math.sqrt = (x) => (roots++, sqrt(x));
    performance.now = () => (time += 10);
    window.setTimeout = (act, ms) =>
        setTimeout(() => (tasks.length < most ? task(act) : kept.push(act)), ms);
    window.letGo = () => {
        most = Infinity;
        kept.splice(0).forEach(task);
    };
    window.turn = () => task(() => {
        const { left, top, width, height } = drawing.getBoundingClientRect();
        const [clientX, clientY] = [left + width / 4, top + height / 4];
        const init = { deltaY: -100, ctrlKey: true, clientX, clientY, bubbles: true, cancelable: true };
        drawing.dispatchEvent(new WheelEvent("wheel", init));
    });
    window.bytes = () => drawing.getContext("2d").getImageData(0, 0, drawing.width, drawing.height).data.join();
    window.rests = () => window.before === (window.before = bytes());
}"""


@pytest.mark.parametrize("meanwhile", [False, True])
def test_zooming_draws_many_strokes_in_slices_and_all_at_once_where_a_line_begins(
    meanwhile: bool, page: Page, address: str
) -> None:
    ready(page, address)
    stop_live(page)
    page.click("#clear")
    for i in range(40):
        stroke(page, [(3 + SIZE / 45 * i, 3), (20, SIZE - 4)])
    page.evaluate(WORK)
    page.evaluate("turn()")
    assert page.evaluate("tasks") == [0]  # what is there is moved
    page.wait_for_function("tasks.length === 3")
    moved = page.evaluate("bytes()")
    if meanwhile:
        stroke(page, [(5, 5), (30, 30)])
        assert page.evaluate("bytes()") != moved
    page.evaluate("letGo()")
    page.wait_for_function("rests()", polling=700)
    drawn = page.evaluate("before")
    assert drawn != moved
    if not meanwhile:
        tasks = page.evaluate("tasks")
        assert max(tasks) < sum(tasks) / 8, tasks
    page.click("#undo")
    assert not page.evaluate("rests()")
    page.click("#redo")
    assert page.evaluate("bytes()") == drawn
    page.reload()  # the drawing comes back, and is drawn at once
    page.evaluate(WORK)
    page.evaluate("letGo(), turn()")
    page.wait_for_function("drawn => drawn === bytes()", arg=drawn)


def test_a_line_ends_with_its_button_whatever_was_not_told(page: Page, address: str) -> None:
    ready(page, address)
    page.click("#clear")
    device = Device(page)
    for end in [{"buttons": 0}, {"buttons": 2}]:
        device.point("Pressed", 40, 40, "mouse")
        device.point("Moved", 80, 40, "mouse")
        device.point("Moved", 120, 40, "mouse", **end)
        device.point("Moved", 200, 40, "mouse", **end)
        drawn = ink(page)
        assert drawn[38:43, 60].any() and not drawn[:, 90:].any(), end
        device.point("Released", 200, 40, "mouse")
        page.keyboard.press("Control+z")
        assert not ink(page).any()
    device.point("Pressed", 40, 40, "mouse")
    device.point("Moved", 50, 40, "mouse")
    page.evaluate("dispatchEvent(new Event('blur'))")
    device.point("Moved", 120, 40, "mouse")
    device.point("Released", 120, 40, "mouse")
    assert ink(page)[40, 45] and not ink(page)[:, 60:].any()
    device.line([(40, 60), (40, -30), (120, -30), (120, 60)], "mouse")  # it leaves the sheet and comes back
    assert ink(page)[40, 38:43].any() and ink(page)[40, 118:123].any()


def test_a_pointer_that_cannot_be_captured_draws_and_the_page_lives(page: Page, address: str) -> None:
    page.add_init_script(
        "Element.prototype.setPointerCapture = () => { throw new DOMException('gone', 'NotFoundError') }"
    )
    ready(page, address)
    page.click("#clear")
    device = Device(page)
    device.line([(40, 40), (80, 40)], "mouse")
    device.point("Pressed", 200, 100, "mouse")
    device.point("Moved", 200, -30, "mouse")
    device.point("Released", 200, -30, "mouse")
    device.point("Moved", 60, 200, "mouse", buttons=0)
    drawn = ink(page)
    assert drawn[38:43, 60].any() and drawn[50, 198:203].any() and not drawn[150:].any()


def test_pressure_is_a_pens_and_can_be_switched_off(tablet: Page) -> None:
    device = Device(tablet)

    def width(row: int, force: float, pointer: str = "pen") -> float:
        device.line([(40, row), (80, row), (120, row), (160, row)], pointer, force=force)
        return float((1 - pixels(tablet, "input")[row - 12 : row + 12, 120, 0] / 255).sum())

    light, easy, hard = width(30, 0.1), width(60, 0.45), width(90, 1.0)
    mouse = width(120, 1.0, "mouse")
    assert light < 0.75 * mouse and abs(easy - mouse) < 0.2 and hard > 1.4 * mouse
    assert abs(width(150, 0.5) - mouse) < 0.1, "a pen that knows no pressure"
    tablet.evaluate("document.getElementById('pressure').click()")
    assert abs(width(180, 1.0) - mouse) < 0.1


def test_keys_draw_and_erase(page: Page, address: str) -> None:
    ready(page, address)
    page.click("#clear")
    page.focus("#drawing")
    assert page.get_attribute("#drawing", "role") == "application"
    assert "Arrow keys" in page.inner_text("#by-keys")
    page.keyboard.press("Shift+ArrowLeft")
    assert page.is_visible(".cursor b") and not ink(page).any()
    page.keyboard.press(" ")
    assert page.inner_text("#said") == "Pen down, 44 percent from the left, 50 from the top"
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    page.keyboard.press(" ")
    drawn = ink(page)
    columns = np.flatnonzero(drawn.any(0))
    assert (columns.min(), columns.max()) == (111, 132) and drawn[127:134, 131].any()
    page.keyboard.press(" ")
    page.keyboard.press("Shift+ArrowDown")
    assert not np.array_equal(ink(page), drawn)
    page.keyboard.press("Escape")
    assert np.array_equal(ink(page), drawn)
    page.keyboard.press("Shift+ArrowUp")
    page.keyboard.press("e")
    page.keyboard.press(" ")
    page.keyboard.press(" ")
    assert ink(page).sum() < drawn.sum()
    page.keyboard.press("Control+z")
    assert np.array_equal(ink(page), drawn)
    page.keyboard.press(" ")
    page.click("#help")  # whatever takes the keys away lifts the pen
    page.keyboard.press("Escape")
    assert not page.is_visible(".cursor b") and ink(page).sum() < drawn.sum()


def test_the_erasers_ring_is_as_large_as_what_it_takes_off(page: Page, address: str) -> None:
    ready(page, address)
    page.evaluate("document.getElementById('clear').click()")
    device = Device(page)
    for y in range(96, 160, 2):
        device.line([(60, y), (200, y)], "mouse")
    before = ink(page)
    page.keyboard.press("e")
    device.line([(128, 128), (128, 128)], "mouse")
    ring = page.locator(".cursor i").bounding_box()
    assert ring is not None
    erased = np.flatnonzero((before & ~ink(page)).any(0))
    assert abs(ring["width"] / device.scale - 14) < 1 and abs(erased.max() - erased.min() - 13) <= 2
    assert abs(ring["x"] + ring["width"] / 2 - device.left - 128 * device.scale) < 1


@pytest.fixture(scope="module")
def hinted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a page with a model of 64 pixels that heeds colours."""
    model = write_model(tmp_path_factory.mktemp("models") / "shapes", 64, *small_styled(), title="Shapes", hints=True)
    with served(publish(Publish(model, tmp_path_factory.mktemp("site")))) as address:
        yield address


def test_colours_are_hidden_come_back_with_the_next_one_and_are_taken_off(page: Page, hinted: str) -> None:
    ready(page, hinted)

    def colour(x: int, y: int) -> str:
        page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        drawn = np.frombuffer(base64.b64decode(page.evaluate(PIXELS, "input")), np.uint8).reshape(64, 64, 4)
        return bytes(drawn[y // 4, x // 4, :3]).hex()

    page.click("#colours [data-colour=blue]")
    stroke(page, [(60, 60), (190, 60)])
    assert colour(120, 60) == "6ea3d8"
    page.click("#pencil")
    page.click("#shown")
    assert page.get_attribute("#shown", "aria-checked") == "false" and colour(120, 60) == "ffffff"
    stroke(page, [(60, 120), (190, 120)])
    assert not page.is_visible("#brush")
    assert (colour(120, 60), colour(120, 120)) == ("6ea3d8", "6ea3d8")
    page.click("#pencil")
    page.click("#wash")
    assert page.is_visible("#brush"), "a button of it leaves it open"
    assert colour(120, 60) == "ffffff" and page.is_disabled("#wash")
    page.keyboard.press("Control+z")
    assert colour(120, 60) == "6ea3d8"
    page.fill("#own", "#123456")
    assert page.get_attribute("#colours [data-colour=own]", "aria-checked") == "true"
    page.locator("[name=size]").nth(3).check(force=True)
    page.keyboard.press("Escape")
    stroke(page, [(60, 200), (190, 200)])
    assert colour(120, 200) == "123456" and colour(120, 192) == "123456"


def test_a_second_press_of_a_tool_shows_its_sizes_and_keys_choose(page: Page, address: str) -> None:
    ready(page, address)
    page.click("#clear")
    page.keyboard.press("p")
    assert not page.is_visible("#brush"), "its key only takes it"
    page.focus("#pencil")
    page.keyboard.press("Enter")
    assert page.is_visible("#brush") and not page.is_visible("#pens")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Escape")
    assert not page.is_visible("#brush") and page.evaluate("document.activeElement.id") == "pencil"
    stroke(page, [(60, 60), (190, 60)])
    page.click("#eraser")
    assert not page.is_visible("#brush")
    page.click("#eraser")
    page.locator("[name=size]").nth(0).check(force=True)
    page.click("#pencil")
    page.keyboard.press("p")
    stroke(page, [(60, 120), (190, 120)])
    drawn = 1 - pixels(page, "input")[:, 120, 0] / 255
    pencil = page.evaluate("fetch(document.querySelector('meta[name=nurie-model]').content).then(r => r.json())")[
        "pencil"
    ]
    assert abs(drawn[50:70].sum() - 2.2 * pencil) < 0.5 and abs(drawn[110:130].sum() - 2.2 * pencil) < 0.5


def test_steadied_lines_end_where_the_pointer_does(page: Page, address: str) -> None:
    ready(page, address)
    page.click("#clear")
    page.click("#pencil")
    page.locator("[value=strong]").check(force=True)
    device = Device(page)
    device.line([(40 + 4 * i, 60 + 3 * (i % 2)) for i in range(21)], "mouse")
    drawn = ink(page)
    columns, rows = np.flatnonzero(drawn.any(0)), np.flatnonzero(drawn.any(1))
    assert columns.max() >= 119 and columns.min() <= 41
    assert drawn[:, 60:100].any(1).sum() < 6, "it trembles less"
    assert rows.min() >= 57
    page.reload()
    page.wait_for_function("document.documentElement.dataset.state === 'ready'")
    assert page.is_checked("[value=strong]")
