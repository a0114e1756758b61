"""The page with an old generator: what a visitor draws is coloured as `nurie predict` colours it."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import ConsoleMessage, Page

from browsers import served
from importing import old
from nurie.config import Make, Predict
from nurie.make import make
from nurie.predict import predict
from pages import pixels, ready, settled, stroke

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a generator of Chainer's, which takes 256x256 pixels. Its model lies in site-work/model."""
    return make(Make(old("chainer_knok") / "enc_iter_40.npz", tmp_path_factory.mktemp("knok") / "site"))


@pytest.fixture
def told(page: Page) -> Iterator[list[str]]:
    """What the page says in the console, which may be no error."""
    messages: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if message.type == "error":
            messages.append(message.text)

    page.on("console", listen)
    yield messages
    assert messages == []


def test_a_stroke_is_coloured_as_predict_colours_it(page: Page, told: list[str], site: Path, tmp_path: Path) -> None:
    with served(site) as address:
        ready(page, address)
        before = settled(page).astype(int)
        stroke(page, [(40, 60), (200, 90), (120, 210)])
        picture, drawing = settled(page).astype(int), pixels(page, "input")[:, :, :3]
    assert np.abs(picture - before).max() > 20
    Image.fromarray(drawing).save(tmp_path / "drawing.png")
    predict(Predict(site.with_name("site-work") / "model", (tmp_path / "drawing.png",), tmp_path / "out"))
    with Image.open(tmp_path / "out" / "drawing.png") as found:
        assert np.abs(picture - np.asarray(found.convert("RGB"), int)).max() <= 2
