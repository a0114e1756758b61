"""The published page in Firefox and in WebKit: what differs between browsers is drawing, canvas, storage and files."""

import base64
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from browsers import served
from nurie.config import Publish
from nurie.drawings.pixels import draw_strokes
from nurie.engine.modelfile import read_manifest
from nurie.painting.painter import Painter
from nurie.publish import publish
from nurie.serve import BUILT_IN
from pages import SIZE
from webdrivers import Tab, firefox, until, webkit

pytestmark = pytest.mark.browser

LINE = [(0.3, 0.7), (0.5, 0.8), (0.7, 0.7)]
TEXT = """
    let text = "";
    for (let i = 0; i < data.length; i += 8192) text += String.fromCharCode(...data.subarray(i, i + 8192));
"""
PIXELS = f"const data = nurie.pixels(); {TEXT} return btoa(text);"
# The page offers its files as blobs.
SAVE = f"""
    const usual = URL.createObjectURL;
    delete window.saved;
    URL.createObjectURL = (blob) => {{
        URL.createObjectURL = usual;
        blob.arrayBuffer().then((buffer) => {{
            const data = new Uint8Array(buffer);
            {TEXT}
            window.saved = btoa(text);
        }});
        return usual.call(URL, blob);
    }};
"""
# A canvas of one colour, as scripts may read it.
READ_BACK = """
    const context = document.createElement("canvas").getContext("2d");
    context.fillStyle = "#204060";
    context.fillRect(0, 0, 64, 64);
    return [...context.getImageData(0, 0, 64, 64).data];
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("host") / "site"
    publish(Publish(BUILT_IN, folder))
    return folder


@pytest.fixture
def address(site: Path) -> Iterator[str]:
    """Another host for each test: browsers keep what they store apart."""
    with served(site) as host:
        yield host


@pytest.fixture(scope="module", params=[firefox, webkit])
def tab(request: pytest.FixtureRequest) -> Iterator[Tab]:
    with request.param() as tab:
        yield tab


def opened(tab: Tab, address: str) -> None:
    tab.open(address)
    settled(tab)


def settled(tab: Tab) -> None:
    """The picture is that of the drawing as it is now, and nothing has gone wrong."""
    tab.wait("document.documentElement.dataset.state === 'ready' && Number(result.dataset.shown) >= 1")
    tab.wait("Number(result.dataset.shown) >= Number(result.dataset.asked)")
    assert tab.run("return notice.hidden")


def drawing(tab: Tab) -> np.ndarray:
    """As the engine gets it: uint8 (256, 256, 4)."""
    return np.frombuffer(base64.b64decode(tab.run(PIXELS)), np.uint8).reshape(SIZE, SIZE, 4)


def draw_line(tab: Tab, before: np.ndarray) -> None:
    """All of it is on the sheet at the end: a busy browser draws it a frame or more after its button came up."""
    tab.drag("#drawing", LINE)
    until(lambda: (drawing(tab) != before).any(axis=2).sum() > 20, "a line on the sheet")


def save(tab: Tab) -> bytes:
    """The PNG that the page offers."""
    tab.run(SAVE)
    tab.click("#download")
    tab.wait("window.saved")
    return base64.b64decode(tab.run("return window.saved"))


def decoded(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(BytesIO(png)))


def first_sample() -> np.ndarray:
    return draw_strokes(read_manifest(BUILT_IN).presets[0].strokes, SIZE, SIZE)


def test_the_first_drawing_and_its_picture_equal_pythons(tab: Tab, address: str, built_in: Painter) -> None:
    opened(tab, address)
    seen, picture = drawing(tab), decoded(save(tab))
    assert np.array_equal(seen[:, :, :3], first_sample())
    assert picture.shape == (SIZE, SIZE, 3)
    assert np.abs(picture.astype(int) - built_in.paint(seen)).max() <= 2


def test_a_line_changes_drawing_and_picture_until_it_is_undone(tab: Tab, address: str) -> None:
    opened(tab, address)
    before, picture = drawing(tab), save(tab)
    draw_line(tab, before)
    settled(tab)
    after = drawing(tab)
    assert 20 < (after != before).any(axis=2).sum() < 5000
    assert not np.array_equal(decoded(save(tab)), decoded(picture))
    tab.click("#undo")
    settled(tab)
    assert np.array_equal(drawing(tab), before)
    assert save(tab) == picture
    tab.click("#redo")
    assert np.array_equal(drawing(tab), after)


def test_a_reload_brings_the_drawing_back_with_its_undo(tab: Tab, address: str) -> None:
    opened(tab, address)
    sample = drawing(tab)
    draw_line(tab, sample)
    drawn = drawing(tab)
    assert not np.array_equal(drawn, sample)
    tab.reload()  # before the database knows
    settled(tab)
    assert np.array_equal(drawing(tab), drawn)
    tab.click("#undo")
    assert np.array_equal(drawing(tab), sample)


def test_a_firefox_that_resists_fingerprinting_draws_and_saves_the_same(address: str) -> None:
    seen = []
    for resists in (False, True):
        with firefox({"privacy.resistFingerprinting": resists}) as tab:
            opened(tab, address)
            honest = tab.run(READ_BACK) == [0x20, 0x40, 0x60, 0xFF] * 64 * 64
            assert honest != resists
            sample, sample_png = drawing(tab), save(tab)
            draw_line(tab, sample)
            settled(tab)
            seen.append((sample.tobytes(), sample_png, save(tab)))
    assert np.array_equal(sample[:, :, :3], first_sample())
    assert seen[0] == seen[1]
