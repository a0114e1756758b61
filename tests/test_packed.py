"""The strokes of manifests as texts: what is read is what was written, to a quarter of a pixel; all else is refused."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nurie.engine.modelfile import read_manifest, to_json
from nurie.errors import NurieError
from nurie.files.packed import packed, to_points, to_text, unpacked
from pages import write_model
from plans import small_unet

POINTS = st.lists(st.floats(-65536, 65536), min_size=2, max_size=60)


@given(POINTS)
def test_points_are_what_they_were_to_a_quarter(points: list[float]) -> None:
    found = to_points(to_text(points))
    assert isinstance(found, list) and np.abs(np.subtract(found, points)).max() <= 0.125
    assert to_points(to_text(found)) == found and to_text(found) == to_text(points)


def test_a_line_of_small_steps_takes_a_letter_for_each_number() -> None:
    points = np.cumsum(np.random.default_rng(0).integers(-15, 16, (500, 2)), 0) / 4
    assert len(to_text(points.ravel().tolist())) <= 1000 + 4


@pytest.mark.parametrize("text", ["!", "w", "wCg\u3042", "gggggggggA", "A" * 200_002])
def test_what_is_no_such_text_stays(text: str) -> None:
    assert to_points(text) == text


@given(
    st.recursive(
        st.none() | st.text(max_size=3) | st.integers(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["presets", "strokes", "points", "x"]), inner, max_size=3)
        ),
    )
)
def test_any_json_is_left_for_the_schema(value: Any) -> None:
    unpacked(value)


def manifest_of(folder: Path, presets: list[dict[str, Any]], version: int = 2) -> Path:
    return write_model(folder / f"v{version}", 64, *small_unet(), version=version, presets=presets)


PRESETS = [
    {"title": "Line", "strokes": [{"width": 2, "points": [1, 2.25, 3.5, 60], "pressures": [0.5, 1]}], "seed": 3},
    {
        "title": {"en": "Two"},
        "strokes": [{"width": 1, "points": [0, 0], "colour": "#ff8800"}, {"width": 4, "points": [9, 9]}],
    },
]


def test_both_versions_say_the_same(tmp_path: Path) -> None:
    older = read_manifest(manifest_of(tmp_path, PRESETS, 1))
    newer = read_manifest(manifest_of(tmp_path, packed({"presets": PRESETS})["presets"]))
    assert newer.presets == older.presets and older.presets[0].strokes[0].points == [1, 2.25, 3.5, 60]
    data = to_json(newer)
    assert b'"points":"' in data and b": " not in data.replace(b'": "', b"")
    folder = tmp_path / "v2"
    (folder / "manifest.json").write_bytes(data)
    assert read_manifest(folder) == newer


@pytest.mark.parametrize(("points", "words"), [("A!", "expected `array`"), ("A", "array"), ("", "length >= 2")])
def test_wrong_texts_are_named(tmp_path: Path, points: str, words: str) -> None:
    folder = manifest_of(tmp_path, [{"title": "Line", "strokes": [{"width": 2, "points": points}]}])
    with pytest.raises(NurieError, match=r"`\$\.presets\[0\]\.strokes\[0\]") as caught:
        read_manifest(folder)
    assert words in str(caught.value) or "x, y pairs" in str(caught.value)


def test_points_far_away_are_refused(tmp_path: Path) -> None:
    text = to_text([0, 0, 70000, 0])
    folder = manifest_of(tmp_path, [{"title": "Line", "strokes": [{"width": 2, "points": text}]}])
    with pytest.raises(NurieError, match=r"`\$\.presets\[0\]\.strokes\[0\]\.points\[2\]`: expected `float` <= 65536"):
        read_manifest(folder)
    assert json.loads((folder / "manifest.json").read_text())["presets"][0]["strokes"][0]["points"] == text
