"""`nurie import` and what comes after it, with a made-up system whose checkpoints are a few arrays."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from conftest import TINY, UNVARIED
from importing import old as checkpoint_of
from nurie.config import Export, Import, Make, Predict, Train
from nurie.engine.modelfile import read_manifest
from nurie.errors import NurieError
from nurie.export import export
from nurie.importers import registry
from nurie.importers.builder import DRAWING, Builder, Imported
from nurie.importers.frame import Container, Contents, System
from nurie.importing import import_checkpoint
from nurie.make import make
from nurie.nets import checkpoint
from nurie.predict import predict
from nurie.size import Size
from nurie.train import train

READINGS = ("picture", "fixed")


def build(contents: Contents) -> Imported:
    """A net of two layers: 2x2 pixels to one and back."""
    arrays = contents.arrays
    b = Builder(int(arrays["down"].shape[1]))
    x = b.conv(DRAWING, arrays["down"], stride=2, pad=1)
    x = b.leaky_relu(b.norm(x, 8, 1e-5, scale=np.ones(8), shift=np.zeros(8), mean=np.zeros(8), variance=np.ones(8)))
    b.tanh(b.conv_transpose(x, arrays["up"], np.zeros(3), crop=1))
    labels = {} if b.channels == 3 else {"reads": "labels", "palette": ("#000000", "#ff0000", "#00ff00", "#0000ff")}
    return b.finish(readings=READINGS, why="The toy did.", **labels)


def open_toy(path: Path) -> Contents:
    with np.load(path, allow_pickle=False) as file:
        return Contents((path,), dict(file))


TOY = Container("a toy's arrays", lambda path: path.suffix == ".toy" and path.is_file(), open_toy)
SYSTEM = System("Toy", "*.toy", "all", "itself", lambda found: "a net" if "down" in found.arrays else "", build)


@pytest.fixture
def old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(registry, "CONTAINERS", (TOY,))
    monkeypatch.setattr(registry, "SYSTEMS", (SYSTEM,))
    return write(tmp_path / "net.toy")


def write(path: Path, channels: int = 3, **more: np.ndarray) -> Path:
    random = np.random.default_rng(0)
    arrays = {"down": random.normal(0, 0.3, (8, channels, 4, 4)), "up": random.normal(0, 0.3, (8, 3, 4, 4)), **more}
    with path.open("wb") as file:
        np.savez(file, **arrays)
    return path


def test_an_import_is_a_run_that_says_where_it_is_from(old: Path, tmp_path: Path, capsys) -> None:
    run = import_checkpoint(Import((old, tmp_path / "run"), credits=("by Ann",)))
    meta = checkpoint.about(run)
    assert meta["imported"] == {"system": "Toy", "files": ["net.toy"]}
    assert (meta["generator"]["architecture"]["norm"], meta["credits"]) == ("picture", ["by Ann"])
    said = capsys.readouterr().err
    assert "a net of Toy" in said and "statistics of each picture (--norm fixed" in said and "The toy did." in said
    with Image.open(run / "sheet.png") as sheet:
        assert sheet.width == 3 * 256 + 4 * 4  # the drawing, and both readings


def test_norm_chooses_the_other_reading_and_the_manifest_says_it(old: Path, tmp_path: Path) -> None:
    for norm in READINGS:
        run = import_checkpoint(Import((old, tmp_path / f"run-{norm}"), norm=norm))
        assert read_manifest(export(Export(run, tmp_path / norm))).norm == norm


def test_an_import_exports_and_predicts_without_pairs(old: Path, tmp_path: Path) -> None:
    run = import_checkpoint(Import((old, tmp_path / "run"), norm="fixed"))
    manifest = read_manifest(export(Export(run, tmp_path / "model")))
    assert manifest.parity and manifest.parity.mean_difference < 0.005
    assert len(manifest.presets) == 6 and manifest.input.multiple == 2
    Image.new("RGB", (256, 256), "white").save(tmp_path / "drawing.png")
    pictures = []
    for model in (run, tmp_path / "model"):
        out = predict(Predict(model, (tmp_path / "drawing.png",), tmp_path / f"out-{model.name}"))
        with Image.open(out / "drawing.png") as picture:
            pictures.append(np.asarray(picture, np.int16))
    assert np.abs(pictures[0] - pictures[1]).max() <= 5


def test_a_generator_of_label_maps_brings_its_palette(old: Path, tmp_path: Path) -> None:
    run = import_checkpoint(Import((write(old, 4), tmp_path / "run"), norm="fixed"))
    manifest = read_manifest(export(Export(run, tmp_path / "model")))
    assert [label.colour for label in manifest.labels] == ["#000000", "#ff0000", "#00ff00", "#0000ff"]


def test_an_old_checkpoint_becomes_a_page_in_one_command(old: Path, tmp_path: Path) -> None:
    site = make(Make(old, tmp_path / "site", title="Old cats"))
    assert "Old cats" in (site / "index.html").read_text()
    assert checkpoint.about(tmp_path / "site-work" / "run")["imported"]["system"] == "Toy"
    make(Make(old, tmp_path / "site", title="New cats"))  # anew
    assert "New cats" in (site / "index.html").read_text()


def test_a_checkpoint_that_is_a_folder_becomes_a_page_too(tmp_path: Path) -> None:
    folder = checkpoint_of("tf2_tutorial", "checkpoint")
    for number, place in enumerate((folder, folder / "ckpt-1")):  # a name without an ending, as TensorFlow has it
        assert (make(Make(place, tmp_path / f"site{number}")) / "index.html").exists()


def going_on(pairs: Path, run: Path, init: Path | None) -> Train:
    tiny: dict[str, Any] = TINY | UNVARIED
    return replace(Train(pairs, run, init=init, **tiny), generator="init", width=0, steps=2)


@pytest.mark.parametrize("norm", READINGS)
def test_training_goes_on_from_an_import_and_resumes(old: Path, tmp_path: Path, pairs: Path, norm: Any) -> None:
    run = import_checkpoint(Import((old, tmp_path / "old"), norm=norm))
    config = going_on(pairs, tmp_path / "run", init=run)
    train(config)
    meta = checkpoint.about(tmp_path / "run")
    assert meta["generator"] == checkpoint.about(run)["generator"] and meta["step"] == 2
    train(replace(config, init=None, steps=3))
    assert checkpoint.about(tmp_path / "run")["step"] == 3
    export(Export(tmp_path / "run", tmp_path / "model"))


def test_training_says_how_to_go_on_from_an_import(old: Path, tmp_path: Path, pairs: Path) -> None:
    run = import_checkpoint(Import((old, tmp_path / "old")))
    with pytest.raises(NurieError, match="--generator init"):
        train(Train(pairs, tmp_path / "run", init=run, **TINY, steps=1))
    with pytest.raises(NurieError, match="--generator init takes the generator of --init"):
        train(going_on(pairs, tmp_path / "run", None))


def test_an_import_is_no_training_to_go_on_with(old: Path, tmp_path: Path, pairs: Path) -> None:
    site = make(Make(old, tmp_path / "site"))
    run = tmp_path / "site-work" / "run"
    before = {path: path.read_bytes() for path in run.iterdir()}
    for attempt in (
        lambda: make(Make(pairs, site, size=Size(64, 64), batch=2, steps=1)),
        lambda: train(Train(pairs, run, **TINY, steps=1)),
    ):
        with pytest.raises(NurieError, match=r"holds an imported generator, .* --generator init"):
            attempt()
    assert {path: path.read_bytes() for path in before} == before


def test_what_stands_in_the_folder_is_not_touched(old: Path, tmp_path: Path, pairs: Path) -> None:
    train(Train(pairs, tmp_path / "run", **TINY, **UNVARIED, steps=1))
    before = {path: path.read_bytes() for path in (tmp_path / "run").iterdir()}
    with pytest.raises(NurieError, match="not a folder that `nurie import` wrote"):
        import_checkpoint(Import((old, tmp_path / "run")))
    assert {path: path.read_bytes() for path in (tmp_path / "run").iterdir()} == before


def test_a_sheet_that_is_the_users_own_is_not_touched(old: Path, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "sheet.png").write_bytes(b"mine")
    with pytest.raises(NurieError, match="not a folder that `nurie import` wrote"):
        import_checkpoint(Import((old, tmp_path / "run")))
    assert [path.read_bytes() for path in (tmp_path / "run").iterdir()] == [b"mine"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"norm": "fixed"}, "--norm fixed makes no sense"),
        ({"files": (Path("x.toy"),)}, "nurie import FILES... RUN"),
        ({"files": (Path("nowhere.toy"), Path("run"))}, "There is no file nowhere.toy"),
        ({"files": (Path(__file__), Path("run"))}, "is no checkpoint that Nurie knows. Expected a toy's arrays"),
    ],
)
def test_bad_input_is_a_sentence(old: Path, tmp_path: Path, monkeypatch, options: dict, message: str) -> None:
    monkeypatch.setattr(registry, "SYSTEMS", (replace(SYSTEM, build=lambda found: replace_readings(build(found))),))
    with pytest.raises(NurieError, match=message):
        import_checkpoint(replace(Import((old, tmp_path / "run")), **options))
    assert not (tmp_path / "run").exists()


def replace_readings(imported: Imported) -> Imported:
    return replace(imported, readings=("picture",))


def test_weights_that_are_no_numbers_or_do_not_fit_are_refused(old: Path, tmp_path: Path) -> None:
    write(old, up=np.full((8, 3, 4, 4), np.nan))
    with pytest.raises(NurieError, match="no numbers"):
        import_checkpoint(Import((old, tmp_path / "run")))
    write(old, up=np.zeros((4, 3, 4, 4)))
    with pytest.raises(NurieError, match=r"looks like a net of Toy, but: Layer 3 .* takes 4 channels, but reads 8"):
        import_checkpoint(Import((old, tmp_path / "run")))
    write(old, up=np.zeros((8, 3, 4, 3)))
    with pytest.raises(NurieError, match="square kernel"):
        import_checkpoint(Import((old, tmp_path / "run")))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("size", ["250x100", "63"])
def test_a_size_that_the_generator_does_not_take_is_refused(old: Path, tmp_path: Path, size: str) -> None:
    config = Import((old, tmp_path / "run"), size=Size.parse(size))
    if size == "63":
        with pytest.raises(NurieError, match=r"multiples of 2 pixels, but --size is 63. Use 64"):
            import_checkpoint(config)
    else:
        assert checkpoint.about(import_checkpoint(config))["train"]["size"] == "250x100"
