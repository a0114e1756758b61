"""Scores of runs and models, and the changes to drawings behind the robustness score."""

import importlib
import json
import sys
import types
import urllib.error
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from conftest import circle_pair, square, write_pairs
from nurie import cli
from nurie import evaluate as module
from nurie.config import Evaluate, Export, Train
from nurie.drawings.shift import overlap
from nurie.engine.plan import make_plan
from nurie.errors import NurieError
from nurie.evaluate import choose, effects_of, evaluate, hint_errors, hint_summary, short_names, summary
from nurie.export import export
from nurie.nets import checkpoint
from nurie.nets.generators import build_generator
from nurie.painting import metrics
from nurie.painting.metrics import Distance, Networks, PictureMetrics, load_networks
from nurie.painting.perturb import NAMES, perturb
from nurie.pairs.folder import PairFolder
from nurie.training.options import metadata


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test downloads networks, whatever is installed."""

    def fail():
        raise urllib.error.URLError("Name or service not known")

    monkeypatch.setattr(metrics, "load_inception", fail)
    monkeypatch.setattr(metrics, "load_lpips", fail)


def write_run(
    folder: Path, pairs: Path, seed: int = 0, size: int = 64, direction: Literal["AtoB", "BtoA"] = "AtoB"
) -> Path:
    """A checkpoint of an untrained generator."""
    folder.mkdir(parents=True)
    torch.manual_seed(seed)
    generator = build_generator("fast", 8, styles=True, enclosed=True)
    nn.init.normal_(generator.get_parameter("head.weight"), 0.0, 0.5)  # pictures of more than grey
    options = Train(pairs, folder, size=square(size), width=8, direction=direction)
    checkpoint.save(folder / checkpoint.FILE, {"ema": generator.state_dict()}, metadata(options, 7))
    return folder


@pytest.fixture(scope="module")
def run(pairs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(tmp_path_factory.mktemp("evaluate") / "circles", pairs)


@pytest.fixture(scope="module")
def model(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export(Export(run, tmp_path_factory.mktemp("evaluate") / "model"))


@pytest.fixture
def drawing(pairs: Path) -> np.ndarray:
    return PairFolder(pairs / "val", square(128)).read(pairs / "val" / "p0--few.png")[0]


def scores(pictures: np.ndarray, targets: np.ndarray, networks: Networks | None = None) -> dict[str, float | None]:
    measured = PictureMetrics(networks or Networks(), len(pictures))
    for picture, target in zip(pictures, targets, strict=True):
        measured.add(picture, target)
    return measured.finish()


def test_identical_pictures() -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), np.uint8)
    got = scores(pictures, pictures)
    assert got["l1"] == 0 and got["ssim"] == pytest.approx(1)
    assert got["psnr"] is None  # infinite, which JSON has no word for


def test_known_difference() -> None:
    targets = np.random.default_rng(0).integers(0, 200, (3, 32, 32, 3), np.uint8)
    got = scores(targets + 51, targets)
    assert got["l1"] == pytest.approx(0.2)
    assert got["psnr"] == pytest.approx(20 * np.log10(5), abs=1e-4)
    assert got["fid"] is got["kid"] is got["lpips"] is None


class TinyInception(nn.Module):
    """Three features of a picture: its mean colour. Counts what it is asked."""

    num_features = 3
    calls = 0

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        assert images.dtype == torch.uint8 and images.shape[1] == 3
        return images.float().mean((2, 3)) / 255


def test_fid_and_kid_ask_the_network_once_for_each_picture() -> None:
    rng = np.random.default_rng(0)
    targets = rng.integers(0, 256, (6, 1, 1, 3), np.uint8).repeat(32, 1).repeat(32, 2)
    inception = TinyInception()
    measured = PictureMetrics(Networks(inception), len(targets))
    for shift, calls in ((0, 12), (128, 6)):  # the second model's targets are known already
        inception.calls = 0
        for target in targets:
            measured.add(target + np.uint8(shift), target)
        got = measured.finish()
        assert inception.calls == calls
        if shift == 0:
            assert got["fid"] == pytest.approx(0, abs=1e-5)
        else:
            means = ((targets + np.uint8(128)) / 255).mean((1, 2)), (targets / 255).mean((1, 2))
            assert got["fid"] is not None and got["fid"] >= ((means[0].mean(0) - means[1].mean(0)) ** 2).sum() - 1e-6
        assert got["kid"] is not None


def test_kid_to_other_targets_reads_them_once_for_all_models() -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (10, 32, 32, 3), np.uint8)
    inception, read = TinyInception(), []
    targets = [lambda i=i: read.append(i) or pictures[i] for i in range(6)]
    distance = Distance(Networks(inception), targets, 4, 0)
    near, far, again = (distance.to(list(made)) for made in (pictures[6:], pictures[6:] // 8, pictures[6:]))
    assert near is not None and near == again and far is not None and far > near
    assert read == list(range(6)) and inception.calls == 6 + 3 * 4
    assert Distance(Networks(), targets, 4, 0).to(list(pictures[6:])) is None and len(read) == 6


def test_one_picture_has_no_fid() -> None:
    picture = np.zeros((1, 32, 32, 3), np.uint8)
    got = scores(picture, picture, Networks(TinyInception()))
    assert got["fid"] is got["kid"] is None


def test_many_pictures_are_averaged_over_subsets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "KID_SUBSET", 4)
    pictures = np.random.default_rng(0).integers(0, 256, (2, 6, 32, 32, 3), np.uint8)
    first, second = (scores(pictures[0], pictures[1], Networks(TinyInception()))["kid"] for _ in range(2))
    assert first == second is not None


def test_networks_that_can_not_be_had_give_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    networks = load_networks()
    assert networks.inception is networks.lpips is None
    assert len(networks.missing) == 1  # one reason, one sentence
    assert networks.missing[0].startswith("FID, KID and LPIPS are left out: the weights of the network could not be")
    assert "Name or service not known" in networks.missing[0]

    def missing():
        raise ModuleNotFoundError("LPIPS metric requires that torchvision is installed.")

    monkeypatch.setattr(metrics, "load_lpips", missing)
    sentences = load_networks().missing
    assert sentences[0].startswith("FID and KID are left out: the weights")
    assert sentences[1].startswith("LPIPS is left out: torch-fidelity and torchvision are needed, pip install")


def test_a_torchvision_of_another_torch_gives_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(types.ModuleType):
        def __getattr__(self, name: str):
            raise RuntimeError("operator torchvision::nms does not exist")

    monkeypatch.setitem(sys.modules, "torchmetrics", Broken("torchmetrics"))
    monkeypatch.delitem(sys.modules, "nurie.painting.metrics")
    with pytest.raises(NurieError, match="torchvision does not fit the installed torch"):
        importlib.import_module("nurie.painting.metrics")


def test_perturbations_are_fixed_and_change_the_drawing(drawing: np.ndarray) -> None:
    before = drawing.copy()
    versions, again, other = (perturb(drawing, [seed, 5]) for seed in (0, 0, 1))
    assert np.array_equal(drawing, before)
    assert tuple(versions) == NAMES and len(NAMES) == 7
    for name, version in versions.items():
        assert version.drawing.shape == drawing.shape and version.drawing.dtype == np.uint8
        assert np.array_equal(version.drawing, again[name].drawing) and version.shift == again[name].shift
        assert (version.drawing != drawing).any(), name
        assert np.abs(version.drawing.astype(int) - drawing).mean() < 64, name
    assert not np.array_equal(versions["wobbled"].drawing, other["wobbled"].drawing)


def test_perturbations_do_what_their_names_say(drawing: np.ndarray) -> None:
    versions = perturb(drawing, [0])
    ink = {name: (255 - version.drawing.astype(int)).sum() for name, version in versions.items()}
    original = (255 - drawing.astype(int)).sum()
    assert ink["thicker"] > 1.05 * original and original > ink["thinner"] > 0.3 * original
    assert ink["gaps"] < original and ink["antialiased"] == pytest.approx(original, rel=0.02)
    assert set(np.unique(versions["binarised"].drawing)) == {0, 255}
    assert all(1 <= abs(by) <= 3 for by in versions["shifted"].shift)


@pytest.mark.parametrize("seed", range(4))
def test_a_shift_is_shifted_back(drawing: np.ndarray, seed: int) -> None:
    version = perturb(drawing, [seed])["shifted"]
    moved, still = overlap(drawing.shape, version.shift)
    assert np.array_equal(version.drawing[moved], drawing[still])
    assert np.array_equal(drawing, drawing[overlap(drawing.shape, (0, 0))[0]])


def test_a_constant_generator_is_perfectly_robust(drawing: np.ndarray) -> None:
    grey = np.full_like(drawing, 128)
    result = summary([effects_of(lambda _: grey, drawing, grey, np.zeros_like(drawing), [0])])
    assert result["robustness"] == 0
    assert all(effect == {"change": 0, "l1_rise": 0} for effect in result["perturbed"].values())


def test_a_copying_generator_changes_as_its_drawing_does(drawing: np.ndarray) -> None:
    effects = summary([effects_of(lambda x: x, drawing, drawing, drawing, [0])])["perturbed"]
    assert effects["shifted"] == {"change": 0, "l1_rise": 0}  # compared after shifting back
    for name in set(NAMES) - {"shifted"}:
        assert effects[name]["change"] == effects[name]["l1_rise"] > 0


def test_a_generator_that_follows_hints_is_told_from_one_that_does_not() -> None:
    both = circle_pair(3, 96)
    drawing, target = both[:, :96], both[:, 96:].copy()
    inside = (target < 235).any(axis=2)
    target[inside] = (220, 40, 30)

    def obedient(x: np.ndarray) -> np.ndarray:
        """The circle in the colour of the strokes in it."""
        strokes = x[(x != drawing).any(axis=2)]
        picture = np.full_like(x, 255)
        picture[inside] = np.median(strokes, axis=0) if len(strokes) else 128
        return picture

    blind = np.full_like(target, 128)
    obeyed = hint_errors(obedient, drawing, obedient(drawing), target, [0])
    ignored = hint_errors(lambda _: blind, drawing, blind, target, [0])
    assert all(given < 0.5 * without for without, given in obeyed)
    assert all(given == without > 0.05 for without, given in ignored)
    summed = hint_summary(obeyed, ignored)
    assert summed and summed["with"] < 0.5 * summed["without"]
    assert summed["other_with"] == summed["other_without"]


def test_a_white_target_has_no_hints(drawing: np.ndarray) -> None:
    white = np.full_like(drawing, 255)
    errors = hint_errors(lambda x: x, drawing, drawing, white, [0])
    assert hint_summary(errors, errors) is None


def test_run_and_model_side_by_side(
    run: Path, model: Path, pairs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sheet = tmp_path / "new" / "sheet.png"
    cli.main(["evaluate", str(run), str(pairs), "--compare", str(model), "--sheet", str(sheet), "--sheet-rows", "2",
              "--threads", "1", "--samples", "4"])  # fmt: skip
    out, err = capsys.readouterr()
    *rows, line = out.splitlines()
    told = json.loads(line)
    assert (told["samples"], told["size"], told["direction"], told["seed"]) == (4, 64, "AtoB", 0)
    first, second = told["results"]
    assert (first["name"], first["kind"], second["name"], second["kind"]) == ("circles", "run", "model", "model")
    assert first["l1"] == pytest.approx(second["l1"], abs=0.003)
    assert first["robustness"] == pytest.approx(second["robustness"], abs=0.003)
    assert first["shades"] == pytest.approx(second["shades"], abs=0.003)
    assert first["shades"] > 0
    assert set(first["perturbed"]) == set(NAMES)
    for key in ("parameters", "macs", "paper_macs"):
        assert first[key] == second[key] > 0
    assert first["model_bytes"] is first["wasmtime_ms"] is None
    assert second["model_bytes"] == next(model.glob("weights.*.bin*")).stat().st_size and second["wasmtime_ms"] > 0
    assert first["fid"] is second["lpips"] is None and err.count("left out") == 1
    assert len({len(row) for row in rows}) == 1  # aligned
    assert rows[0].split()[-2:] == ["circles", "model"]
    with Image.open(sheet) as image:
        assert image.size == (4 + 4 * 68, 20 + 4 + 2 * 68)  # drawing, two models, target; headings above


def test_checkpoint_file_and_all_pairs(run: Path, pairs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    by_folder, by_file = (evaluate(Evaluate(path, pairs))[0] for path in (run, run / checkpoint.FILE))
    assert by_folder["name"] == by_file["name"] == "circles"
    assert by_folder["l1"] == by_file["l1"]
    assert by_folder["robustness"] == by_file["robustness"]
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["samples"] == 6


def test_a_damaged_val_pair_is_named_and_left_out(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pairs = write_pairs(tmp_path / "pairs", train=1)
    (pairs / "val" / "p0--few.png").write_bytes(b"no picture")
    assert evaluate(Evaluate(run, pairs))[0]["l1"] > 0
    said = capsys.readouterr()
    assert "5 val pairs" in said.out and "left out: " in said.err and "p0--few.png" in said.err
    export(Export(run, tmp_path / "model", pairs=pairs, tolerance=1.0))
    assert capsys.readouterr().err.count("left out: ") == 1
    for path in (pairs / "val").iterdir():
        path.write_bytes(b"")
    with pytest.raises(NurieError, match="None of the val pairs in"):
        evaluate(Evaluate(run, pairs))


def test_direction_comes_from_the_run_and_the_model(tmp_path: Path) -> None:
    pairs = write_pairs(tmp_path / "pairs", val=2)
    run = write_run(tmp_path / "run", pairs, direction="BtoA")
    model = export(Export(run, tmp_path / "model"))
    for path in (pairs / "val").iterdir():  # the drawing is on the right
        with Image.open(path) as image:
            pixels = np.asarray(image)
        Image.fromarray(np.hstack([pixels[:, 64:], pixels[:, :64]])).save(path)
    straight = write_pairs(tmp_path / "straight", val=2)
    flipped = [evaluate(Evaluate(path, pairs))[0] for path in (run, model)]
    same = evaluate(Evaluate(write_run(tmp_path / "other", pairs), straight))[0]
    assert flipped[0]["l1"] == same["l1"]
    assert flipped[1]["l1"] == pytest.approx(same["l1"], abs=0.003)


def test_coloured_input_has_no_robustness(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "val").mkdir()
    Image.new("RGB", (128, 64), "navy").save(tmp_path / "val" / "map.png")
    result = evaluate(Evaluate(run, tmp_path))[0]
    assert result["robustness"] is result["perturbed"] is result["hints"] is None
    assert result["l1"] > 0


def test_samples_are_spread(pairs: Path) -> None:
    folder = PairFolder(pairs / "val", square(64))
    names = [[path.name for path in choose(folder, samples)] for samples in (0, 2, 5, 99)]
    assert len(names[0]) == len(names[3]) == 6 and len(set(names[2])) == 5
    assert names[1] == ["p0--few.png", "p2--many.png"]


def test_same_names_become_whole_paths() -> None:
    assert short_names([Path("a/model"), Path("b/run")]) == ["model", "run"]
    assert short_names([Path("a/model"), Path("b/model")]) == ["a/model", "b/model"]


def test_papers_count_transposed_convolutions_at_their_output() -> None:
    ops = [
        {"op": "input"},
        {"op": "conv_transpose", "output": 1, "in_channels": 3, "out_channels": 3, "kernel": 4, "stride": 2, "pad": 1},
        {"op": "output", "input": 1},
    ]
    plan = make_plan([3, 3], ops)
    assert plan.macs(8, 4) == 8 * 4 * 9 * 16
    assert plan.paper_macs(8, 4) == 16 * 8 * 9 * 16


def test_bad_inputs_give_sentences(run: Path, model: Path, pairs: Path, tmp_path: Path) -> None:
    large = write_run(tmp_path / "large", pairs, size=96)
    turned = write_run(tmp_path / "turned", pairs, direction="BtoA")
    (tmp_path / "empty").mkdir()
    cases = [
        (Evaluate(tmp_path / "nowhere", pairs), "Expected a model folder, a run folder or a checkpoint file"),
        (Evaluate(tmp_path / "empty", pairs), "There is no checkpoint at"),
        (Evaluate(run, tmp_path / "empty"), "There are no pairs in .*val"),
        (Evaluate(run, pairs, samples=-1), "--samples must be from 0 to 1000000, but it is -1"),
        (Evaluate(run, pairs, sheet_rows=0), "--sheet-rows must be from 1 to 200"),
        (Evaluate(run, pairs, sheet=tmp_path), "is a folder"),
        (Evaluate(run, pairs, compare=(large,)), "has width 96, but .*circles has 64"),
        (Evaluate(model, pairs, compare=(turned,)), "has direction BtoA, but .*model has AtoB"),
    ]
    for config, sentence in cases:
        with pytest.raises(NurieError, match=sentence):
            evaluate(config)


def test_table_shows_a_dash_for_what_is_not_known() -> None:
    keys = ("l1", "psnr", "ssim", "fid", "kid", "lpips", "shades", "robustness", "perturbed", "hints", "parameters",
            "macs", "paper_macs", "model_bytes", "wasmtime_ms", "drawings")  # fmt: skip
    text = module.table([{"name": "a", **dict.fromkeys(keys)}], "nothing").splitlines()
    assert all(line.endswith("  -") for line in text[1:])
