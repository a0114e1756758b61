"""A model folder becomes a generator again, for training to go on from."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from conftest import TINY, square
from nurie.config import Export, Train
from nurie.convert.parity import pictures_of
from nurie.convert.restore import restore
from nurie.engine.modelfile import MANIFEST, Manifest, read_manifest, read_model
from nurie.errors import NurieError
from nurie.export import export
from nurie.nets import checkpoint
from nurie.nets.generators import StyleInput, build_generator
from nurie.nets.tensors import to_tensor
from nurie.painting.painter import open_painter
from nurie.pairs.folder import open_pairs
from nurie.train import train
from nurie.training.options import metadata

STYLES = [[0.25, 0.0, -0.5]]
KINDS = [("fast", 8, True, True), ("fast", 8, False, False), ("unet128", 4, False, False)]


def trained(kind: str, width: int, styles: bool, enclosed: bool) -> nn.Module:
    """A generator whose BatchNorms have seen something."""
    torch.manual_seed(1)
    generator = build_generator(kind, width, styles=styles, enclosed=enclosed)
    for module in generator.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.kaiming_normal_(module.weight)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.bias, 0.0, 0.2)
    with torch.no_grad():
        for _ in range(30):
            generator(torch.rand(2, 3, 128, 128) * 2 - 1)
    return generator.eval()


def model_of(generator: nn.Module, options: tuple, pairs: Path, folder: Path, **more: object) -> Path:
    kind, width, styles, enclosed = options
    config = Train(pairs, folder, generator=kind, width=width, size=square(128), styles=styles, enclosed=enclosed)
    meta = metadata(config, 7) | {"styles": STYLES if styles else []}
    folder.mkdir(exist_ok=True)
    checkpoint.save(folder / checkpoint.FILE, {"ema": generator.state_dict()}, meta)
    return export(Export(folder, folder / "model", tolerance=1.0, **more))  # type: ignore[arg-type]


def drawings(pairs: Path, size: int = 128) -> list[np.ndarray]:
    folder = open_pairs(pairs, "train", square(size), "AtoB")
    return [folder.read(path)[0] for path in folder.spread(5)]


def reopened(model: Path, x: Tensor) -> tuple[nn.Module, Manifest]:
    made_by = read_manifest(model).generator
    options = {name: getattr(made_by, name) for name in ("kind", "width", "styles", "enclosed")}
    return restore(model, options, lambda: x)


@pytest.mark.parametrize("options", KINDS)
def test_it_computes_what_the_model_does(options: tuple, pairs: Path, tmp_path: Path) -> None:
    model = model_of(trained(*options), options, pairs, tmp_path)
    shown = drawings(pairs)
    generator, manifest = reopened(model, to_tensor(shown))
    assert manifest.generator.kind == options[0] and not generator.training
    assert any(op.compand > 0 for op in read_model(model)[1].ops)
    for drawing in shown:
        expected = open_painter(model).paint(drawing).astype(int)
        assert np.ptp(expected) > 50
        assert np.abs(pictures_of(generator, [drawing])[0] - expected).max() <= 1


@pytest.mark.parametrize("options", KINDS)
def test_from_float_weights_it_is_the_same_generator(options: tuple, pairs: Path, tmp_path: Path) -> None:
    before = trained(*options)
    if options[2]:
        style = before.get_submodule("style")
        assert isinstance(style, StyleInput)
        style.set_style(0, STYLES[0])
    model = model_of(before, options, pairs, tmp_path, weights="float32")
    x = to_tensor(drawings(pairs))
    after = reopened(model, x)[0]
    with torch.no_grad():
        assert torch.allclose(after(x), before(x), atol=1e-4)


def test_its_batchnorms_have_the_statistics_of_the_drawings(pairs: Path, tmp_path: Path) -> None:
    model = model_of(trained(*KINDS[1]), KINDS[1], pairs, tmp_path)
    x = to_tensor(drawings(pairs))
    generator = reopened(model, x)[0]
    outputs: list[Tensor] = []
    norms = [module for module in generator.modules() if isinstance(module, nn.BatchNorm2d)]

    def note(norm: nn.Module, _: object, output: Tensor) -> None:
        assert isinstance(norm, nn.BatchNorm2d)
        outputs.append((output - norm.bias[:, None, None]) / norm.weight[:, None, None])

    for norm in norms:
        norm.register_forward_hook(note)
    with torch.no_grad():
        generator(x)
    assert len(outputs) == len(norms) > 10
    for normalised in outputs:
        assert normalised.mean((0, 2, 3)).abs().max() < 1e-2
        variance = normalised.var((0, 2, 3), correction=0)
        assert ((variance - 1).abs() < 1e-2).float().mean() > 0.8  # all but channels that never change


def test_training_goes_on_from_a_model_and_keeps_its_credits(pairs: Path, tmp_path: Path) -> None:
    options = ("fast", TINY["width"], True, True)
    model = model_of(trained(*options), options, pairs, tmp_path / "a", credits=("Circles by us",))
    config = Train(pairs, tmp_path / "b", steps=1, init=model, **{**TINY, "lr": 0.0})
    train(config)
    (groups, meta), expected = checkpoint.load(tmp_path / "b"), reopened(model, to_tensor(drawings(pairs, 64)))[0]
    assert torch.equal(groups["generator"]["head.weight"], expected.state_dict()["head.weight"])
    assert meta["credits"] == ["Circles by us"]
    again = export(Export(tmp_path / "b", tmp_path / "c", tolerance=1.0, credits=("More", "Circles by us")))
    assert read_manifest(again).credits == ["More", "Circles by us"]
    train(replace(config, run=tmp_path / "d", init=tmp_path / "b"))  # and from that run on
    assert checkpoint.load(tmp_path / "d")[1]["credits"] == ["Circles by us"]


def test_a_generator_of_another_kind_is_refused(pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = model_of(trained(*KINDS[1]), KINDS[1], pairs, tmp_path / "a")
    monkeypatch.setattr("nurie.convert.restore.give_back_statistics", None)  # and before anything is worked out
    expected = "styles False, enclosed False, but this run's has styles True, enclosed True"
    with pytest.raises(NurieError, match=expected):
        train(Train(pairs, tmp_path / "b", steps=1, init=model, **{**TINY, "width": 8}))
    assert not (tmp_path / "b" / checkpoint.FILE).exists()


def test_a_model_that_would_be_built_otherwise_is_refused(pairs: Path, tmp_path: Path) -> None:
    model = model_of(trained(*KINDS[1]), KINDS[1], pairs, tmp_path)
    manifest = json.loads((model / MANIFEST).read_text())
    manifest["ops"][1]["activation"] = 2
    (model / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(NurieError, match="builds otherwise"):
        reopened(model, to_tensor(drawings(pairs)))
    del manifest["generator"]
    (model / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(NurieError, match="does not say which generator"):
        reopened(model, to_tensor(drawings(pairs)))
