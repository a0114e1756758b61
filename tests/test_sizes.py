"""Pictures of other sizes than 256: larger ones, and such that are no squares, from photos to the page."""

import dataclasses
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import TINY, circle_pair, forget_accelerate, square, write_pairs
from nurie import cli
from nurie.batches.sampler import Sampler
from nurie.check import check as look
from nurie.config import Check, Evaluate, Export, Make, Predict, Prepare, Publish, Train
from nurie.convert.lower import lower
from nurie.convert.restore import restore
from nurie.drawings.ink import unit_of
from nurie.engine.modelfile import read_manifest
from nurie.engine.wasm import Engine
from nurie.errors import NurieError
from nurie.evaluate import evaluate
from nurie.export import export
from nurie.make import make
from nurie.nets import checkpoint
from nurie.nets.generators import build_generator
from nurie.nets.tensors import to_images, to_tensor
from nurie.pairs.folder import PairFolder, open_pairs
from nurie.pairs.kinds import PAIRS, holds_pairs, kind_of
from nurie.photos.subject import window
from nurie.predict import predict
from nurie.prepare import prepare
from nurie.publish import publish
from nurie.size import Size
from nurie.train import open_dataset, train
from nurie.training.options import check, generator_options, saved_config
from nurie.training.plan import half_of, planned

ANY = Train(Path("pairs"), Path("run"))
WIDE = Size(96, 64)
SIDE = st.integers(1, 4096)


def tiny(**options: Any) -> dict[str, Any]:
    return TINY | {"size": WIDE} | options


def wide_pair(seed: int, size: Size = WIDE) -> np.ndarray:
    """A|B pair of a circle in the left half of a wider sheet, uint8 (h, 2 w, 3)."""
    pair = circle_pair(seed, size.height)
    halves = (np.full((size.height, size.width, 3), 255, np.uint8) for _ in range(2))
    drawing, picture = halves
    drawing[:, : size.height], picture[:, : size.height] = pair[:, : size.height], pair[:, size.height :]
    return np.hstack([drawing, picture])


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pairs folder of 96x64 pixels: 6 train and 3 val pictures."""
    folder = tmp_path_factory.mktemp("wide")
    for split, offset, count in (("train", 0, 6), ("val", 50, 3)):
        (folder / split).mkdir()
        for i in range(count):
            cv2.imwrite(str(folder / split / f"p{i}.png"), wide_pair(offset + i))
    return folder


@pytest.fixture(scope="module")
def run(wide: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A run of two steps."""
    folder = tmp_path_factory.mktemp("run")
    train(Train(wide, folder, steps=2, **tiny()))
    forget_accelerate()
    yield folder


@pytest.fixture(scope="module")
def model(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export(Export(run, tmp_path_factory.mktemp("model") / "wide", format=("nurie", "onnx")))


@settings(deadline=None)
@given(width=SIDE, height=SIDE)
def test_a_size_is_read_as_it_is_written(width: int, height: int) -> None:
    size = Size(width, height)
    assert Size.parse(str(size)) == Size.parse(size.saved) == Size.parse(size.both) == size
    assert isinstance(size.saved, int) == (width == height) and size.times(3).fits(size)


@settings(deadline=None)
@given(st.text(alphabet="0123456789x-+. ×٣e", max_size=12) | st.text(max_size=5))
def test_any_other_text_is_one_sentence(text: str) -> None:
    if re.fullmatch(r"[0-9]{1,9}(x[0-9]{1,9})?", text):
        sides = list(map(int, text.split("x")))
        assert Size.parse(text) == Size(sides[0], sides[-1])
        return
    with pytest.raises(NurieError, match=r"\Aexpected WIDTHxHEIGHT in pixels, such as 384x256, or one number, .*\.\Z"):
        Size.parse(text)


@settings(deadline=None)
@given(width=SIDE, height=SIDE, multiple=st.sampled_from([2, 32, 128, 256]))
def test_the_nearest_size_and_the_half_are_multiples(width: int, height: int, multiple: int) -> None:
    near = Size(width, height).near(multiple)
    assert near.is_multiple_of(multiple) and near.near(multiple) == near
    assert all(abs(a - b) <= max(multiple // 2, multiple - b) for a, b in ((near.width, width), (near.height, height)))
    half = half_of(near, multiple)
    assert half.is_multiple_of(multiple) and half.fits(near, multiple)
    assert half.width * 2 in (near.width, near.width + multiple)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--size", "0x5"], "nurie: --size must be from 16 to 4096, but it is 0x5."),
        (["--size", "99999x256"], "nurie: --size must be from 16 to 4096, but it is 99999x256."),
        (["--size", "100"], "nurie: --size must be a multiple of 32 for fast, but it is 100. Use 96."),
        (["--size", "384x250"], "nurie: --size must be a multiple of 32 for fast, but it is 384x250. Use 384x256."),
        (["--size", "384x256", "--generator", "unet128"], ""),
        (["--stages", "128:5", "384x256:5"], "but 128x128 has another than 384x256, the last. Use 192x128."),
        (["--stages", "192x:5", "384x256:5"], "--stages takes SIZE:STEPS, such as 128:1400 256:1000, but '192x:5' is"),
        (["--size", "256x"], "got '256x'"),
        (["--size", "-1"], "got '-1'"),
        (["--size", "99999999999"], "got '99999999999'"),
        (["--size", "256×256"], "got '256×256'"),
    ],
)
def test_a_size_that_can_not_be_is_a_sentence(
    words: list[str], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    with pytest.raises(SystemExit) as stop:
        cli.main(["train", str(tmp_path / "none"), str(tmp_path / "run"), *words])
    told = capsys.readouterr()
    assert stop.value.code in (1, 2) and "Traceback" not in told.err + told.out
    assert sentence in told.err + told.out
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["384", "512", "384x256", "256x384"])
def test_sizes_that_the_nets_take_are_accepted(text: str) -> None:
    size = Size.parse(text)
    check(dataclasses.replace(ANY, size=size))
    stages = (f"{half_of(size, 32)}:1", f"{size}:1")
    check(dataclasses.replace(ANY, size=size, stages=stages))
    plan = planned(dataclasses.replace(ANY, size=size, minutes=10.0), 5000)
    assert plan.stages == (f"{half_of(size, 32)}:9", f"{size}:11")


@settings(deadline=None)
@given(
    height=st.integers(1, 500), width=st.integers(1, 500), side=st.integers(8, 2000), margin=st.floats(0, 4),
    fit=st.sampled_from(["subject", "pad", "crop"]), box=st.lists(st.integers(0, 499), min_size=4, max_size=4),
)  # fmt: skip
def test_what_is_cut_out_for_a_square_is_as_before_other_sizes_came(
    height: int, width: int, side: int, margin: float, fit: str, box: list[int]
) -> None:
    mask = np.zeros((height, width), np.float32)
    (top, bottom), (left, right) = sorted(v % height for v in box[:2]), sorted(v % width for v in box[2:])
    mask[top : bottom + 1, left : right + 1] = 1
    length = min(height, width) if fit == "crop" else max(height, width)
    middle = height, width
    if fit == "subject":
        length = max(1, round(max(bottom + 1 - top, right + 1 - left) * (1 + 2 * margin)))
        middle = top + bottom + 1, left + right + 1
    expected = ((middle[0] - length) // 2, (middle[1] - length) // 2, length, length)
    assert window(height, width, mask, fit, margin, square(side)) == expected


@settings(deadline=None)
@given(height=st.integers(40, 500), width=st.integers(40, 500), size=st.builds(Size, *[st.integers(16, 512)] * 2))
def test_what_is_cut_out_has_the_sizes_proportion_and_holds_the_subject(height: int, width: int, size: Size) -> None:
    mask = np.zeros((height, width), np.float32)
    mask[10:20, 15:35] = 1
    for fit in ("subject", "pad", "crop"):
        top, left, high, wide = window(height, width, mask, fit, 0.1, size)
        assert Size(wide, high).fits(size)
        if fit == "crop":
            assert top >= 0 and left >= 0 and top + high <= height and left + wide <= width
            assert high == height or wide == width
        elif fit == "pad":
            assert top <= 0 and left <= 0 and top + high >= height and left + wide >= width
        else:
            assert top <= 9 and left <= 14 and top + high >= 21 and left + wide >= 36


@settings(deadline=None)
@given(side=st.integers(1, 4096), share=st.floats(0.1, 100))
def test_lengths_on_a_square_are_as_before_other_sizes_came(side: int, share: float) -> None:
    assert share * unit_of((side, side, 3)) == share * side / 256


def write_wide_photos(folder: Path) -> None:
    for name in ("photos", "masks"):
        (folder / name).mkdir()
    for i in range(10):
        photo = np.full((80 + 5 * i, 120, 3), (i * 20, 120, 200), np.uint8)
        mask = np.zeros(photo.shape[:2], np.uint8)
        cv2.ellipse(mask, (60, 40), (40 - i, 20), 0, 0, 360, 255, -1)
        cv2.imwrite(str(folder / "photos" / f"{i}.png"), photo)
        cv2.imwrite(str(folder / "masks" / f"{i}.png"), mask)


@pytest.mark.parametrize("fit", ["subject", "pad", "crop"])
def test_photos_become_pairs_that_are_no_squares(fit: Any, tmp_path: Path) -> None:
    write_wide_photos(tmp_path)
    pairs = tmp_path / "pairs"
    config = Prepare(tmp_path / "photos", pairs, masks=tmp_path / "masks", size=WIDE, fit=fit, workers=1)
    prepare(config)
    assert {np.array(cv2.imread(str(path))).shape for path in pairs.glob("*/*.png")} == {(64, 192, 3)}
    assert json.loads((pairs / "prepare.json").read_text())["size"] == "96x64"
    drawing, picture = PairFolder(pairs / "train", WIDE).read(next((pairs / "train").glob("*.png")))
    assert drawing.shape == picture.shape == (64, 96, 3) and drawing.min() < 100
    subject = np.argwhere(picture.min(2) < 235)
    (top, left), (bottom, right) = subject.min(0), subject.max(0)
    assert (right - left) / (bottom - top) > 1.3  # ellipses stay flat
    before = {path: path.stat().st_mtime_ns for path in pairs.glob("*/*.png")}
    prepare(config)
    assert {path: path.stat().st_mtime_ns for path in pairs.glob("*/*.png")} == before
    with pytest.raises(NurieError, match=r"made with other options \(size was 96x64, now 96\)"):
        prepare(dataclasses.replace(config, size=square(96)))


def test_pairs_of_another_proportion_are_left_out_and_named(
    wide: Path, pairs: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    folder = PairFolder(wide / "train", square(64))
    with pytest.raises(
        NurieError, match=r"p0.png is 192x64 pixels; a pair is two squares .* 128x64\. If 96x64 is what"
    ):
        folder.read(wide / "train" / "p0.png")
    folder = PairFolder(pairs / "train", WIDE)
    with pytest.raises(
        NurieError, match=r"is 128x64 pixels; a pair is two pictures in the proportion of 96x64 .* 192x64"
    ):
        folder.read(pairs / "train" / "p0--few.png")
    config = Train(wide, tmp_path / "run", **tiny())
    assert len(open_dataset(config)[0]) == 6  # whose files are remembered
    with pytest.raises(NurieError, match=r"None of the pairs in .* can be used"):
        open_dataset(dataclasses.replace(config, size=square(64)))
    assert "left out: " in capsys.readouterr().err


def test_halves_in_two_files_may_be_no_squares(tmp_path: Path) -> None:
    for side in "AB":
        (tmp_path / f"train{side}").mkdir()
        cv2.imwrite(str(tmp_path / f"train{side}" / "p.png"), np.zeros((67, 100, 3), np.uint8))  # a pixel was rounded
    folder = open_pairs(tmp_path, "train", WIDE, "AtoB")
    assert [half.shape for half in folder.read(tmp_path / "trainA" / "p.png")] == [(64, 96, 3)] * 2
    with pytest.raises(NurieError, match="is 100x67 pixels; the halves of pairs have the proportion of 128x64"):
        open_pairs(tmp_path, "train", Size(128, 64), "AtoB").read(tmp_path / "trainA" / "p.png")


def test_a_check_of_pairs_that_are_no_squares_finds_their_faults(tmp_path: Path) -> None:
    for split in ("train", "val"):
        (tmp_path / "pairs" / split).mkdir(parents=True)
    for i in range(50):
        pair = wide_pair(i)
        if i < 45:
            pair[:, 96:] = np.roll(pair[:, 96:], 12, 1)
        split = "train" if i % 5 else "val"
        cv2.imwrite(str(tmp_path / "pairs" / split / f"p{i:02}.png"), pair)
    config = Check(tmp_path / "pairs", WIDE, sheet=tmp_path / "worst.png", json=tmp_path / "found.json")
    with pytest.raises(NurieError, match="error"):
        look(config)
    found = json.loads((tmp_path / "found.json").read_text())
    assert found["size"] == "96x64"
    assert "misaligned" in [finding["kind"] for finding in found["findings"]]
    assert any("12 pixels right" in finding["text"] for finding in found["findings"])
    assert (tmp_path / "worst.png").exists()


def test_batches_are_varied_in_every_way_on_a_sheet_that_is_no_square(wide: Path) -> None:
    options = Train(wide, Path("run"), size=WIDE, batch=4, tails=1.0, body_parts=1.0, hints=1.0)
    sampler = Sampler(open_pairs(wide, "train", WIDE, "AtoB"), options)
    for step in range(8):
        batch = sampler(step, Size(48, 32) if step % 2 else None)
        shape = (32, 48) if step % 2 else (64, 96)
        assert batch.drawing.shape == batch.picture.shape == (4, 3, *shape)
        assert batch.near_hints.shape == batch.near_parts.shape == (4, 1, *shape)
        assert batch.redrawn is not None and batch.redrawn.shape == (4, 3, *shape)


@pytest.mark.parametrize(
    ("discriminator", "stages"), [("patch", ("96x64:2", "192x128:2")), ("projected", ("64x32:2", "96x64:2"))]
)
def test_a_run_in_stages_of_no_squares_goes_on_exactly(
    discriminator: str, stages: tuple[str, str], wide: Path, tmp_path: Path
) -> None:
    whole = Train(wide, tmp_path / "whole", **tiny(discriminator=discriminator, stages=stages, save_every=1))
    train(whole)
    part = dataclasses.replace(whole, run=tmp_path / "part")
    forget_accelerate()
    with pytest.MonkeyPatch.context() as patch:  # killed after the save at step 3
        patch.setattr("nurie.train.write_samples", lambda val, predict, path: 1 / ("3" not in path.name))
        with pytest.raises(ZeroDivisionError):
            train(part)
    forget_accelerate()
    train(part)
    groups = ("ema", "generator", "discriminator")
    a, b = (checkpoint.load(run, groups)[0] for run in (whole.run, part.run))
    assert all(a[group][name].equal(b[group][name]) for group in groups for name in a[group])
    saved = checkpoint.load(part.run, ("none",))[1]["train"]
    assert saved["size"] == stages[-1].partition(":")[0]
    assert str(saved_config(saved, part.run).size) == saved["size"]


def test_a_run_of_a_square_says_its_size_as_older_versions_did(pairs: Path, tmp_path: Path) -> None:
    config = Train(pairs, tmp_path, steps=1, **TINY)
    meta = checkpoint.load(train(config), ("none",))[1]
    assert meta["train"]["size"] == 64
    assert saved_config(meta["train"], tmp_path) == config
    forget_accelerate()
    train(dataclasses.replace(config, steps=2, size=Size.parse("64x64")))
    assert checkpoint.load(tmp_path, ("none",))[1]["step"] == 2


@pytest.mark.parametrize("side", [384, 512])
def test_large_squares_are_trained_on(side: int, tmp_path: Path) -> None:
    pairs = write_pairs(tmp_path / "pairs", size=side)
    path = train(Train(pairs, tmp_path / "run", steps=1, **tiny(size=square(side), batch=1)))
    assert checkpoint.load(path, ("none",))[1]["train"]["size"] == side


@pytest.mark.parametrize(("kind", "size"), [("fast", Size(64, 96)), ("unet128", Size(256, 128))])
def test_the_engine_computes_what_pytorch_does_on_no_squares(kind: str, size: Size) -> None:
    torch.manual_seed(0)
    net = build_generator(kind, 4 if kind == "unet128" else 8).eval()
    plan, weights = lower(net, size, False)
    drawing = np.random.default_rng(0).integers(0, 256, (size.height, size.width, 3), np.uint8)
    with torch.no_grad():
        expected = to_images(net(to_tensor([drawing])))[0]
    found = Engine(plan, weights=weights).run(drawing)
    assert found.shape == drawing.shape and np.abs(found.astype(int) - expected).max() <= 1


def test_a_model_of_no_square_is_exported_predicted_and_published(run: Path, model: Path, tmp_path: Path) -> None:
    manifest = read_manifest(model)
    assert (manifest.input.width, manifest.input.height) == (96, 64)
    assert manifest.parity and manifest.parity.mean_difference < 0.01
    assert manifest.generator.macs == lower(checkpoint.load_generator(run)[0], WIDE)[0].macs(64, 96)
    assert (model / "model.onnx").exists()
    cv2.imwrite(str(tmp_path / "line.png"), wide_pair(9)[:, :96])
    cv2.imwrite(str(tmp_path / "tall.png"), np.full((90, 30, 3), 255, np.uint8))
    drawings = (tmp_path / "line.png", tmp_path / "tall.png")
    for number, source in enumerate((model, run)):
        predict(Predict(source, drawings, tmp_path / str(number), sheet=tmp_path / f"sheet{number}.png"))
    engine, other = (np.array(cv2.imread(str(tmp_path / name / "line.png")), int) for name in "01")
    assert engine.shape == (64, 96, 3) and np.abs(engine - other).mean() < 2
    site = publish(Publish(model, tmp_path / "site"))
    assert (site / "index.html").exists()


def test_models_of_no_square_are_evaluated_with_their_like(
    run: Path, model: Path, wide: Path, pairs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    evaluate(Evaluate(model, wide, compare=(run,), samples=1, sheet=tmp_path / "sheet.png"))
    said = capsys.readouterr().out
    assert "1 val pairs, 96x64" in said and json.loads(said.splitlines()[-1])["size"] == "96x64"
    other = tmp_path / "other"
    forget_accelerate()
    train(Train(pairs, other, steps=1, **tiny(size=square(96))))
    with pytest.raises(NurieError, match=r"has height 96, but .* has 64: they can not be compared"):
        evaluate(Evaluate(model, wide, compare=(other,)))


def test_a_run_begins_with_the_weights_of_a_run_or_a_model_of_another_size(
    run: Path, model: Path, pairs: Path, tmp_path: Path
) -> None:
    weights = checkpoint.load(run, ("ema",))[0]["ema"]
    train(Train(pairs, tmp_path / "a", steps=1, init=run, lr=0.0, **TINY))
    found = checkpoint.load(tmp_path / "a", ("generator",))[0]["generator"]
    assert all(found[name].equal(weights[name]) for name in weights if name.endswith("weight") and "1" not in name)
    drawings = lambda: torch.zeros(1, 3, 64, 64)  # noqa: E731
    generator, manifest = restore(model, generator_options(Train(pairs, run, **TINY)), drawings)
    assert manifest.input.width == 96 and generator


def test_make_goes_all_the_way_with_no_square(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_wide_photos(tmp_path)
    config = Make(
        tmp_path / "photos", tmp_path / "site", masks=tmp_path / "masks", size=Size(192, 128), steps=2, batch=2,
        init="none",
    )  # fmt: skip
    make(config)
    assert "at 96x64, then 192x128 pixels" in capsys.readouterr().out.replace("\n", " ")
    assert read_manifest(tmp_path / "site-work" / "model").input.height == 128
    forget_accelerate()
    with pytest.raises(NurieError, match=r"size was 192x128, now 128"):
        make(dataclasses.replace(config, size=square(128)))


def test_make_takes_pairs_of_no_square_as_they_are(wide: Path) -> None:
    assert holds_pairs(wide, WIDE) and not holds_pairs(wide) and kind_of(wide) != PAIRS
