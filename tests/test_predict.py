"""Results are never taken for drawings, and no file that somebody else made is replaced."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nurie import predict as module
from nurie.config import Predict
from nurie.convert.lower import lower
from nurie.engine.wasm import Engine
from nurie.errors import NurieError
from nurie.nets.generators import build_generator
from nurie.predict import predict
from nurie.size import Size
from pages import write_model
from plans import small_unet
from test_lower import trained

LINE = {"title": {"en": "Line"}, "strokes": [{"width": 3, "points": [5, 5, 60, 40]}]}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_model(tmp_path / "model", 64, *small_unet())


def draw(path: Path, level: int = 255) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (64, 64), (level, level, level)).save(path)
    return path


def visible(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file() and path.name[0] != "."}


def test_drawings_are_never_replaced_and_results_never_coloured(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    drawings = {path.name: path.read_bytes() for path in (draw(tmp_path / "cat.png"), draw(tmp_path / "dog.PNG", 0))}
    (tmp_path / "line.json").write_text(json.dumps(LINE))
    for _ in range(3):
        predict(Predict(model, (Path("."),), Path("."), Path("sheet.png")))
        found = visible(tmp_path)
        assert found.keys() == {*drawings, "line.json", "cat-2.png", "dog.png", "line.png", "sheet.png"}
        assert found.items() >= drawings.items()
    drawn = json.loads((tmp_path / ".nurie.json").read_text())
    assert (drawn["format"], drawn["version"], drawn["by"]) == ("nurie-files", 1, "predict")
    assert drawn["files"] == ["cat-2.png", "dog.png", "line.png", "sheet.png"]


def test_the_usual_folder_is_no_drawing_either(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    draw(tmp_path / "cat.png")
    for _ in range(2):
        predict(Predict(model, (Path("."),)))
        assert visible(tmp_path / "predicted").keys() == {"cat.png"}
    draw(tmp_path / "predicted" / "mine.png")
    predict(Predict(model, (Path("."),)))
    assert visible(tmp_path / "predicted").keys() == {"cat.png", "mine.png", "mine-2.png"}
    capsys.readouterr()
    predict(Predict(model, tuple(sorted((tmp_path / "predicted").glob("*.png"))), tmp_path / "more"))
    assert visible(tmp_path / "more").keys() == {"mine.png"}
    assert "ignored: 2 coloured by Nurie" in capsys.readouterr().err
    with pytest.raises(NurieError, match="There are no pictures in"):
        predict(Predict(model, (tmp_path / "predicted" / "cat.png",), tmp_path / "more"))


def test_results_of_other_drawings_stay(model: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    drawings = [draw(tmp_path / "a" / "cat.png", 0), draw(tmp_path / "b" / "cat.png", 255)]
    for drawing in drawings:
        predict(Predict(model, (drawing,), out))
    first = visible(out)
    assert first.keys() == {"cat.png", "cat-2.png"} and first["cat.png"] != first["cat-2.png"]
    for drawing in reversed(drawings):
        predict(Predict(model, (drawing,), out))
    predict(Predict(model, tuple(reversed(drawings)), out))
    assert visible(out) == first


@pytest.mark.parametrize("name", ["mine.png", "cat.png"])
def test_a_sheet_replaces_only_a_sheet(model: Path, tmp_path: Path, name: str) -> None:
    drawing, out = draw(tmp_path / "cat.png"), tmp_path / "out"
    draw(out / "mine.png", 7)
    if name == "cat.png":
        predict(Predict(model, (drawing,), out))
    before = visible(out)
    with pytest.raises(NurieError, match=rf"{name} is there already, and no earlier --sheet made it"):
        predict(Predict(model, (drawing,), out, out / name))
    assert visible(out) == before
    for _ in range(2):
        predict(Predict(model, (drawing,), out / "new", out / "new" / "cat.png"))
        assert visible(out / "new").keys() == {"cat-2.png", "cat.png"}  # the sheet has the name that it was given
    with pytest.raises(NurieError, match="expects a name in UTF-8"):
        predict(Predict(model, (drawing,), out, out / os.fsdecode(b"\xff.png")))


def test_names_are_text_that_fits_and_differ_in_more_than_case(model: Path, tmp_path: Path) -> None:
    drawings = [draw(tmp_path / name) for name in (os.fsdecode(b"\xe9.png"), "a" * 250 + ".png", "Cat.png", "cat.jpg")]
    for _ in range(2):
        predict(Predict(model, tuple(drawings), tmp_path / "out"))
        names = visible(tmp_path / "out").keys()
        assert len(names) == 4 and {"Cat.png", "cat-2.png"} < names
        assert all(len(name.encode()) <= 255 for name in names)
    draw(tmp_path / "strange" / "a:b\\c.png")
    for _ in range(2):
        predict(Predict(model, (tmp_path / "strange",), tmp_path / "out 2"))
        assert visible(tmp_path / "out 2").keys() == {"a:b\\c.png"}


def test_what_can_not_be_coloured_is_left_out_and_named(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    folder = tmp_path / "in"
    draw(folder / "fine.png")
    wrong = {
        "none.png": b"", "cut.png": (folder / "fine.png").read_bytes()[:60], "text.jpg": b"text",
        "zero.json": json.dumps(LINE | {"strokes": [{"width": 0, "points": [1, 2]}]}).encode(),
        "nan.json": json.dumps(LINE | {"strokes": [{"width": float("nan"), "points": [1, 2]}]}).encode(),
        "deep.json": b"[" * 100_000,
    }  # fmt: skip
    for name, data in wrong.items():
        (folder / name).write_bytes(data)
    os.mkfifo(folder / "pipe.png")
    predict(Predict(model, (folder, folder / "pipe.png"), tmp_path / "out"))
    said = capsys.readouterr().err
    assert all(f"left out: {folder / name} " in said for name in [*wrong, "pipe.png"])
    assert "ignored: 1 that is a pipe or device" in said
    assert visible(tmp_path / "out").keys() == {"fine.png"}

    def broken(path: Path, *_: object) -> np.ndarray:
        raise RuntimeError("of a kind that nobody thought of") if path.name == "odd.png" else NurieError("no")

    draw(folder / "odd.png")
    monkeypatch.setattr(module, "load_drawing", broken)
    with pytest.raises(NurieError, match="None of the 8 drawings could be read"):
        predict(Predict(model, (folder,), tmp_path / "none"))
    assert "odd.png can not be coloured (RuntimeError('of a kind" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()


def test_a_result_is_on_the_list_before_it_is_there(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace, steps = os.replace, []

    def seen(old: Path, new: Path) -> None:
        replace(old, new)
        steps.append(Path(new).name)

    monkeypatch.setattr(os, "replace", seen)
    drawings = tuple(draw(tmp_path / name) for name in ("a.png", "b.png"))
    for _ in range(2):
        predict(Predict(model, drawings, tmp_path / "out"))
    assert steps == [".nurie.json", "a.png", ".nurie.json", "b.png", "a.png", "b.png"]


def test_a_name_whose_result_was_deleted_is_free_for_others(model: Path, tmp_path: Path) -> None:
    out, drawing = tmp_path / "out", draw(tmp_path / "cat.png")
    predict(Predict(model, (drawing, draw(tmp_path / "dog.png")), out))
    (out / "cat.png").unlink()
    predict(Predict(model, (tmp_path / "dog.png",), out, out / "sheet.png"))
    mine = draw(out / "cat.png", 9).read_bytes()
    predict(Predict(model, (drawing,), out))
    assert visible(out).keys() == {"cat.png", "cat-2.png", "dog.png", "sheet.png"}
    assert (out / "cat.png").read_bytes() == mine


@pytest.mark.parametrize("text", ["{", '{"format": "other", "version": 1}', '{"format": "nurie-files", "version": 1}'])
def test_a_list_that_is_none_is_a_sentence(model: Path, tmp_path: Path, text: str) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / ".nurie.json").write_text(text)
    with pytest.raises(NurieError, match=r"\.nurie\.json (is no list of files that Nurie wrote|has a format that)"):
        predict(Predict(model, (draw(tmp_path / "cat.png"),), tmp_path / "out"))
    assert visible(tmp_path / "out") == {}


def test_a_drawing_may_keep_its_size(tmp_path: Path) -> None:
    """It is padded with paper to a multiple, coloured, and cropped."""
    net, size = trained(build_generator("fast", 8)), Size(64, 64)
    plan, weights = lower(net, size)
    model = write_model(tmp_path / "model", 64, plan, weights, input={"width": 64, "height": 64, "multiple": 32})
    drawing = np.random.default_rng(0).integers(0, 256, (70, 45, 3), np.uint8)
    Image.fromarray(drawing).save(tmp_path / "big.png")
    (tmp_path / "line.json").write_text(json.dumps(LINE))
    out, drawn = tmp_path / "out", (tmp_path / "big.png", tmp_path / "line.json")
    predict(Predict(model, drawn, out, sheet=tmp_path / "sheet.png", size="drawing"))
    whole = np.full((96, 64, 3), 255, np.uint8)
    whole[:70, :45] = drawing
    with Image.open(out / "big.png") as picture, Image.open(out / "line.png") as line:
        assert np.array_equal(np.asarray(picture), Engine(plan, weights=weights).run(whole)[:70, :45])
        assert line.size == (64, 64)
