"""Strokes as Python draws them, and as the page does."""

import base64
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from msgspec import convert, to_builtins
from PIL import Image

from conftest import square
from nurie.drawings.pixels import draw_map, draw_strokes, outline
from nurie.drawings.strokes import read_strokes
from nurie.errors import NurieError
from nurie.files.schema import Stroke
from nurie.painting.inputs import load_drawing
from nurie.size import Size

DRAWINGS = Path(__file__).parent.parent / "examples"
SCRIPT = Path(__file__).parent / "js" / "draw.js"


def ink(*strokes: Stroke) -> np.ndarray:
    """How black each pixel is, (64, 80) in [0, 1]."""
    drawn = draw_strokes(strokes, 64, 80)
    assert drawn.shape == (64, 80, 3) and drawn.dtype == np.uint8
    return 1 - drawn[:, :, 0] / 255


def test_a_line_covers_its_length_and_its_round_ends() -> None:
    black = ink(Stroke(4, [10, 20, 50, 20]))
    assert black.sum() == pytest.approx(4 * 40 + np.pi * 2**2, rel=0.05)
    assert black[20, 30] == 1 and black[20, 7] == 0 and black[24, 30] == 0


def test_one_point_is_a_dot() -> None:
    black = ink(Stroke(10, [30, 30]))
    assert black.sum() == pytest.approx(np.pi * 5**2, rel=0.05)


@pytest.mark.parametrize("width", [1e-9, 0.05, 0.125, 4096])
def test_lines_of_any_width_are_drawn(width: float) -> None:
    black = ink(Stroke(width, [10, 20, 50, 20, 60, 30]), Stroke(width, [30, 30], "#ff8800"))
    assert (black == 1).all() if width > 1000 else black.sum() == pytest.approx(54 * width, rel=0.1, abs=0.1)


def test_on_large_sheets_lines_are_as_wide_as_on_small_ones() -> None:
    small = 255 - draw_strokes([Stroke(4, [20, 30, 100, 90, 60, 110])], 128, 128)
    large = 255 - draw_strokes([Stroke(64, [320, 480, 1600, 1440, 960, 1760])], 2048, 2048)
    assert large.sum() / 16**2 == pytest.approx(small.sum(), rel=0.06)


LARGE_SHEET = """
import resource
from nurie.drawings.pixels import draw_strokes
from nurie.files.schema import Stroke
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
draw_strokes([Stroke(2, [0, 0, 4096, 4096], "#ff8800"), Stroke(2, [0, 4096, 4096, 0])], 4096, 4096)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def test_a_sheet_of_4096_pixels_takes_less_than_400_mb() -> None:
    done = subprocess.run([sys.executable, "-c", LARGE_SHEET], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 400


def made_up(rng: np.random.Generator) -> dict[str, object]:
    """A stroke of any kind, partly outside a sheet of 64 to 80 pixels."""
    count = int(rng.integers(1, 24))
    points = rng.uniform(-10, 90, 2) + np.cumsum(rng.normal(0, rng.choice([0.0, 0.4, 3, 30]), (count, 2)), axis=0)
    if rng.random() < 0.2:
        corners = rng.choice([rng.uniform(-10, 90, 4 * count), rng.integers(0, 80, 4 * count)])
        return {"tool": "box", "width": 6.0, "points": corners.tolist(), "colour": "#" + rng.bytes(3).hex()}
    kind = rng.choice(["ink", "colour", "eraser"])
    pressures = {"pressures": (rng.integers(0, 65, count) / 64).tolist()} if rng.random() < 0.5 else {}
    return {
        "width": float(rng.choice([0.05, 0.6, 1, 2, 3.3, 14, 30])), "points": points.ravel().tolist(),
        **({"colour": "#" + rng.bytes(3).hex()} if kind == "colour" else {}),
        **({"tool": "eraser"} if kind == "eraser" else {}), **pressures,
    }  # fmt: skip


def test_python_and_the_page_draw_the_same_bytes(node: str) -> None:
    rng = np.random.default_rng(3)
    tasks = [(64, 80, [made_up(rng) for _ in range(int(rng.integers(1, 12)))], "") for _ in range(60)]
    tasks += [(64, 80, strokes, "#0030ff") for _, _, strokes, _ in tasks[:30]]  # label maps
    done = subprocess.run([node, SCRIPT], input=json.dumps(tasks), capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    seen = set()
    for (height, width, made, ground), text in zip(tasks, json.loads(done.stdout), strict=True):
        strokes = [convert(stroke, Stroke) for stroke in made]
        expected = draw_map(strokes, height, width, ground) if ground else draw_strokes(strokes, height, width)
        assert np.array_equal(np.frombuffer(base64.b64decode(text), np.uint8).reshape(expected.shape), expected)
        seen.add(expected.tobytes())
    assert len(seen) > 75


def test_lines_pass_through_their_points_and_turn_where_they_turn_sharply() -> None:
    gentle, sharp = [0.0, 0, 10, 0, 20, 5], [0.0, 0, 10, 0, 0, 1]
    for points in (gentle, sharp):
        ends = outline(Stroke(2, points))[:, 3:5].tolist()
        assert [10, 0] in ends and ends[-1] == points[-2:]
    assert np.abs(outline(Stroke(2, gentle))[:, 4]).max() > 0
    assert np.allclose(outline(Stroke(2, [*sharp[:4], 10.0, 9]))[:5, 4], 0)


def test_the_eraser_takes_off_ink_and_colour_and_pressure_makes_thin() -> None:
    ink, colour = Stroke(8, [10, 32, 70, 32]), Stroke(8, [10, 40, 70, 40], "#20c040")
    drawn = draw_strokes([ink, colour, Stroke(20, [40, 10, 40, 60], tool="eraser")], 64, 80)
    assert (drawn[20:50, 32:48] == 255).all() and (drawn[32, 20] == 0).all()
    thin = draw_strokes([Stroke(16, [10, 32, 70, 32], pressures=[0.25, 0.5])], 64, 80)
    assert [(thin[:, x, 0] < 128).sum() for x in (11, 69)] == [4, 8]


def test_predict_takes_strokes_like_pictures(tmp_path: Path) -> None:
    file = tmp_path / "line.json"
    file.write_text(json.dumps({"title": {"en": "Line"}, "strokes": [{"width": 3, "points": [5, 5, 60, 40]}]}))
    drawn = load_drawing(file, 64, 80)
    Image.fromarray(drawn).save(tmp_path / "line.png")
    assert np.array_equal(load_drawing(tmp_path / "line.png", 64, 80), drawn)
    file.write_text('{"strokes": []}')
    with pytest.raises(NurieError, match=r"line\.json is no drawing of strokes"):
        load_drawing(file, 64, 80)


def test_coloured_strokes_leave_what_is_darker() -> None:
    across = Stroke(8, [10, 32, 70, 32], "#20c040")
    down = Stroke(8, [40, 10, 40, 54])
    for strokes in ([across, down], [down, across]):
        drawn = draw_strokes(strokes, 64, 80)
        assert drawn[32, 20].tolist() == [0x20, 0xC0, 0x40]
        assert drawn[32, 40].tolist() == [0, 0, 0]
        assert drawn[20, 20].tolist() == [255, 255, 255]
    over = draw_strokes([across, Stroke(8, [40, 10, 40, 54], "#ff8800")], 64, 80)
    assert over[32, 40].tolist() == [0xFF, 0x88, 0]


@pytest.mark.parametrize("colour", ["red", "#12345", "#GG0000", 7])
def test_a_colour_that_is_none_is_refused(tmp_path: Path, colour: object) -> None:
    stroke = {"width": 3.0, "points": [5.0, 5.0], "colour": "#ff8800"}
    file = tmp_path / "line.json"
    file.write_text(json.dumps({"title": {"en": "Line"}, "strokes": [stroke]}))
    assert to_builtins(read_strokes(file, square(256)).strokes) == [stroke]
    file.write_text(json.dumps({"title": {"en": "Line"}, "strokes": [stroke | {"colour": colour}]}))
    with pytest.raises(NurieError, match="a colour is like #ff8800"):
        read_strokes(file, square(256))


def test_strokes_may_name_their_colouring(tmp_path: Path) -> None:
    file = tmp_path / "line.json"
    drawing = {"title": {"en": "Line"}, "strokes": [{"width": 3.0, "points": [5.0, 5.0]}]}
    for seed in ({}, {"seed": 0}, {"seed": 7}):
        file.write_text(json.dumps(drawing | seed))
        assert to_builtins(read_strokes(file, square(256))) == drawing | seed
    for seed in (-1, "red", None):
        file.write_text(json.dumps(drawing | {"seed": seed}))
        with pytest.raises(NurieError, match=r"line\.json is no drawing of strokes"):
            read_strokes(file, square(256))


def test_strokes_of_a_sheet_of_another_size_are_drawn_in_the_models(tmp_path: Path) -> None:
    file = tmp_path / "line.json"
    drawing = {"title": {"en": "Line"}, "strokes": [{"width": 6.0, "points": [10.0, 20.0, 130.0, 80.0]}]}
    file.write_text(json.dumps(drawing | {"size": 256}))
    smaller = [Stroke(3.0, [5.0, 10.0, 65.0, 40.0])]
    assert to_builtins(read_strokes(file, square(128))) == drawing | {"strokes": to_builtins(smaller)}
    assert np.array_equal(load_drawing(file, 128, 128), draw_strokes(smaller, 128, 128))
    assert read_strokes(file, Size(192, 128)).strokes == [Stroke(3.0, [37.0, 10.0, 97.0, 40.0])]  # in the middle
    for size in (0, -256, "large", None):
        file.write_text(json.dumps(drawing | {"size": size}))
        with pytest.raises(NurieError, match="is no drawing of strokes"):
            read_strokes(file, square(256))


@pytest.mark.parametrize("folder", ["cats/presets", "cats/drawings", "openmoji/presets"])
def test_the_drawings_of_the_examples_are_whole(folder: str) -> None:
    files = sorted((DRAWINGS / folder).glob("*.json"))
    assert len(files) >= 8
    for path in files:
        drawing = read_strokes(path, square(256))
        assert {"en", "ja"} <= set(drawing.title), path
        points = np.concatenate([stroke.points for stroke in drawing.strokes])
        assert points.min() >= 0 and points.max() <= 256, path
        black = draw_strokes(drawing.strokes, 256, 256) < 128
        assert 0.01 < black.mean() < 0.25, path


@pytest.mark.parametrize("times", [1, 2, 8])
def test_thin_lines_of_large_scans_are_not_pale(tmp_path: Path, times: int) -> None:
    sheet = np.full((64 * times, 64 * times, 3), 255, np.uint8)
    sheet[20 * times : 20 * times + 2] = 0
    sheet[:, 40 * times : 40 * times + 2] = (255, 120, 0)  # a coloured stroke: a hint
    Image.fromarray(sheet).save(tmp_path / "scan.png")
    drawing = load_drawing(tmp_path / "scan.png", 64, 64).astype(int)
    assert drawing[:, :30, 0].min() <= 60  # black, of 0 to 255
    assert drawing[40:, :, 2].min() <= 60 and drawing[40:, :, 0].min() >= 230  # as orange as it was
    assert (drawing.min(2) > 200).mean() > 0.9


def test_pictures_that_are_no_line_drawings_are_made_smaller_as_they_are(tmp_path: Path) -> None:
    dark = np.random.default_rng(0).integers(0, 150, (256, 256, 3), np.uint8)
    Image.fromarray(dark).save(tmp_path / "dark.png")
    smaller = dark.reshape(64, 4, 64, 4, 3).mean((1, 3))
    assert np.abs(load_drawing(tmp_path / "dark.png", 64, 64) - smaller).max() <= 1
