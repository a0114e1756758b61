"""The drawing's lines over the picture, in Python and on the page."""

import base64
import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nurie.config import Predict
from nurie.drawings.pixels import draw_strokes
from nurie.errors import NurieError
from nurie.files.schema import Stroke
from nurie.painting.lines import with_lines
from nurie.predict import predict
from pages import write_model
from plans import small_unet

SCRIPT = Path(__file__).parent / "js" / "overlay.js"
WHITE = np.full((8, 8, 3), 255, np.uint8)


def told(picture: np.ndarray) -> tuple[int, int, str]:
    height, width, _ = picture.shape
    alpha = np.full((height, width, 1), 255, np.uint8)
    return height, width, base64.b64encode(np.concatenate([picture, alpha], axis=2).tobytes()).decode()


def drawing(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Lines of ink and of colour, or noise about the limits of what is a line."""
    if rng.random() < 0.3:
        return rng.integers(90, 160, (height, width, 3), np.uint8)
    strokes = [
        Stroke(float(rng.uniform(0.3, 4)), list(rng.uniform(-4, 40, 8)), colour)
        for colour in ("#8d8d8d", "", "#dc5044", "", "#7b4b2d", "")
    ]
    return draw_strokes(strokes, height, width)


def test_page_and_python_agree_to_the_byte(node: str) -> None:
    rng = np.random.default_rng(0)
    tasks, expected = [], []
    for i in range(60):
        height, width, times = int(rng.integers(1, 40)), int(rng.integers(1, 40)), int(rng.integers(1, 4))
        drawn = drawing(rng, height, width)
        picture = rng.integers(0, 256, (times * height, times * width, 3), np.uint8)
        lines = (0, 0.5, 1, float(rng.random()))[i % 4]
        tasks.append((told(picture), told(drawn), lines))
        expected.append(with_lines(picture, drawn, lines))
    done = subprocess.run([node, str(SCRIPT)], input=json.dumps(tasks), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for text, picture in zip(json.loads(done.stdout), expected, strict=True):
        laid = np.frombuffer(base64.b64decode(text), np.uint8).reshape(*picture.shape[:2], 4)
        assert np.array_equal(laid[:, :, :3], picture) and (laid[:, :, 3] == 255).all()


def test_all_ink_on_white_is_the_drawing_and_half_of_it_half_as_dark() -> None:
    drawn = draw_strokes([Stroke(2, [1, 1, 6, 4, 3, 7])], 8, 8)
    assert np.array_equal(with_lines(WHITE, drawn, 1), drawn) and (drawn == 0).any()
    soft = with_lines(WHITE, drawn, 0.5).astype(int)
    assert np.abs(soft - (255 - (255 - drawn.astype(int)) / 2)).max() <= 0.5
    assert with_lines(WHITE, drawn, 0) is WHITE


@pytest.mark.parametrize("colour", ["#dc5044", "#7b4b2d", "#8d8d8d", "#ead7b3", "#6ea3d8", "#1a2f60"])
def test_colours_say_what_to_paint_and_are_no_lines(colour: str) -> None:
    assert np.array_equal(with_lines(WHITE, draw_strokes([Stroke(3, [1, 1, 6, 6], colour)], 8, 8), 1), WHITE)


def test_a_stroke_of_a_thin_pencil_is_a_line_everywhere() -> None:
    for shift in np.arange(0, 1, 0.125):
        drawn = draw_strokes([Stroke(1, [4, 8 + shift, 28, 8 + shift])], 32, 32)
        paper = np.full((32, 32, 3), 255, np.uint8)
        assert (with_lines(paper, drawn, 1)[:, 6:26] == drawn[:, 6:26]).all(), shift


def test_predict_lays_the_makers_lines_or_those_that_are_asked_for(tmp_path: Path) -> None:
    draw_stroke = {"title": "Line", "strokes": [{"width": 3, "points": [5, 5, 60, 40]}]}
    (tmp_path / "line.json").write_text(json.dumps(draw_stroke))
    plain = write_model(tmp_path / "plain", 64, *small_unet())
    soft = write_model(tmp_path / "soft", 64, *small_unet(), lines=0.5)

    def painted(model: Path, lines: float | None) -> np.ndarray:
        predict(Predict(model, (tmp_path / "line.json",), tmp_path / "out", lines=lines))
        return np.asarray(Image.open(tmp_path / "out" / "line.png"))

    without = painted(plain, None)
    drawn = draw_strokes([Stroke(3, [5, 5, 60, 40])], 64, 64)
    assert np.array_equal(painted(soft, 0), without)
    assert np.array_equal(painted(soft, None), with_lines(without, drawn, 0.5))
    assert (painted(soft, None) < without).any()
    assert np.array_equal(painted(plain, 1), with_lines(without, drawn, 1))
    with pytest.raises(NurieError, match=r"--lines must be from 0 to 1, but it is 1\.5"):
        painted(plain, 1.5)


def test_label_maps_have_no_lines(tmp_path: Path) -> None:
    labels = [{"colour": "#ffffff"}, {"colour": "#000000"}]
    model = write_model(tmp_path / "map", 64, *small_unet(), labels=labels, lines=1)
    Image.fromarray(np.zeros((64, 64, 3), np.uint8)).save(tmp_path / "map.png")
    with pytest.raises(NurieError, match="label maps, without lines to show: leave out --lines"):
        predict(Predict(model, (tmp_path / "map.png",), tmp_path / "out", lines=0.5))
    predict(Predict(model, (tmp_path / "map.png",), tmp_path / "out"))
    predict(Predict(model, (tmp_path / "map.png",), tmp_path / "out2", lines=0))
    one, other = (np.asarray(Image.open(tmp_path / out / "map.png")) for out in ("out", "out2"))
    assert np.array_equal(one, other)
