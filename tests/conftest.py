"""Made-up pairs that several tests train on, a browser with the built-in model's page, and Node.js."""

import os
import shutil
import signal
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

import checker  # noqa: F401 (before anything of Nurie)
from nurie.config import Publish
from nurie.engine.modelfile import read_manifest
from nurie.painting.lines import with_lines
from nurie.painting.painter import Painter, open_painter
from nurie.publish import publish
from nurie.serve import BUILT_IN
from nurie.size import Size

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

# train options of a run that takes a second
TINY: dict[str, Any] = {
    "width": 8,
    "size": Size(64, 64),
    "batch": 2,
    "discriminator": "patch",
    "discriminator_width": 8,
    "precision": "fp32",
    "threads": 1,
}

# train options of pairs as they are
UNVARIED: dict[str, Any] = {
    "augment_drawing": False,
    "consistency": 0.0,
    "flip": False,
    "hint_recolour": 0.0,
    "hints": 0.0,
    "jitter": False,
}

# both builds of the engine
BUILDS = pytest.mark.parametrize("relaxed", [False, True], ids=["plain", "relaxed"])


def circle_pair(seed: int, size: int = 64) -> np.ndarray:
    """A|B pair, uint8 (size, 2 size, 3): the outline of a circle, and the circle filled with a colour."""
    rng = np.random.default_rng(seed)
    centre = tuple(int(v) for v in rng.integers(size // 4, 3 * size // 4, 2))
    radius = int(rng.integers(size // 8, size // 4))
    colour = tuple(int(v) for v in rng.integers(0, 200, 3))
    drawing = np.full((size, size, 3), 255, np.uint8)
    picture = drawing.copy()
    cv2.circle(drawing, centre, radius, (0, 0, 0), 2, cv2.LINE_AA)
    cv2.circle(picture, centre, radius, colour, -1, cv2.LINE_AA)
    return np.hstack([drawing, picture])


def write_pairs(folder: Path, size: int = 64, train: int = 6, val: int = 3) -> Path:
    for split, count, offset in (("train", train, 0), ("val", val, 1000)):
        (folder / split).mkdir(parents=True, exist_ok=True)
        for i in range(count):
            for j, detail in enumerate(("few", "many")):
                cv2.imwrite(str(folder / split / f"p{i}--{detail}.png"), circle_pair(offset + i + 100 * j, size))
    return folder


@pytest.fixture(scope="session")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pairs folder of 64-pixel circles: 6 train and 3 val pictures, two details each."""
    return write_pairs(tmp_path_factory.mktemp("pairs"))


def forget_accelerate() -> None:
    """Accelerate keeps the precision of the first run in a process; a test that trains twice begins anew."""
    if "accelerate" in sys.modules:
        from accelerate.state import AcceleratorState

        AcceleratorState._reset_state(reset_partial_state=True)


def square(side: int) -> Size:
    return Size(side, side)


def hear_signals() -> None:
    """In a new process: its signals end it, whatever the tests' own process ignores (nohup, the background)."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        signal.signal(getattr(signal, name), signal.SIG_DFL)


@pytest.fixture(autouse=True)
def fresh_process() -> Iterator[None]:
    """What training sets for the whole process, as it was before."""
    threads = sys.modules["torch"].get_num_threads() if "torch" in sys.modules else 0
    yield
    forget_accelerate()
    if threads:
        sys.modules["torch"].set_num_threads(threads)


@pytest.fixture(scope="session")
def node() -> str:
    """The program that runs the page's scripts without a browser."""
    path = shutil.which("node")
    if not path:
        give_up = pytest.fail if os.environ.get("CI") else pytest.skip
        give_up("The page's scripts need Node.js here.")
    return path


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    from browsers import launched

    with launched() as browser:
        yield browser


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of the built-in model's site, published under a sub-path of a host."""
    from browsers import served

    folder = tmp_path_factory.mktemp("host")
    (folder / "index.html").write_text("another page")
    publish(Publish(BUILT_IN, folder / "some" / "where"))
    with served(folder) as host:
        yield host + "some/where/"


@pytest.fixture
def page(browser: "Browser") -> Iterator["Page"]:
    """An empty tab whose script errors fail the test."""
    context = browser.new_context(locale="en-US", viewport={"width": 1200, "height": 900})
    page = context.new_page()
    page.set_default_timeout(60_000)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    context.close()
    assert errors == []


@pytest.fixture
def built_in() -> Painter:
    """As the page asks for it at first: in the first sample's colouring, with its maker's lines. Takes RGBA, too."""
    painter = open_painter(BUILT_IN)
    painter.set_seed(read_manifest(BUILT_IN).presets[0].seed)
    return replace(painter, paint=lambda seen: with_lines(painter.paint(seen), seen[:, :, :3], painter.lines))
