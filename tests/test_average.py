"""examples/cats/average.py: the mean of checkpoints."""

import runpy
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from conftest import TINY, UNVARIED, square
from nurie.batches.sampler import Sampler
from nurie.config import Train
from nurie.errors import NurieError
from nurie.nets.checkpoint import load, load_generator, save
from nurie.nets.generators import build_generator
from nurie.pairs.folder import open_pairs
from nurie.saved import saved_options

SCRIPT = runpy.run_path(str(Path(__file__).parents[1] / "examples/cats/average.py"))
NET = {"kind": "fast", "width": 8, "styles": True, "enclosed": False}


def write(path: Path, seed: int, **options) -> dict[str, torch.Tensor]:
    torch.manual_seed(seed)
    weights = build_generator(**(NET | options)).state_dict()
    weights["style.colour"] = torch.full_like(weights["style.colour"], seed / 10)
    train = saved_options(Train(Path("pairs"), Path("run"), **TINY))
    groups = {"ema": weights, "discriminator": {"seed": torch.tensor([seed])}}
    about = {"step": 1, "generator": NET | options, "styles": [[seed / 10, 0, 0]]}
    save(path, groups, about | {"train": train | {"pairs": "", "run": ""}})
    return weights


def channels(values: torch.Tensor) -> torch.Tensor:
    return values[:, None, None]


def test_the_mean_by_shares_has_the_styles_of_the_first_and_the_discriminator_of_the_last(
    pairs: Path, tmp_path: Path
) -> None:
    one, two, out = (tmp_path / f"{i}.safetensors" for i in range(3))
    first, second = write(one, 1), write(two, 2)
    SCRIPT["average"]([(one, 0.25), (two, 0.75)], pairs, out, batches=20)
    mean, meta = load_generator(out)
    assert meta["styles"] == [[0.1, 0, 0]]
    measured = ("running_mean", "running_var", "num_batches_tracked")
    for name, weight in mean.state_dict().items():
        if not name.endswith(measured):
            expected = first[name] if name == "style.colour" else 0.25 * first[name] + 0.75 * second[name]
            assert torch.allclose(weight, expected, atol=1e-7), name
    with safe_open(out, "pt") as file:
        assert file.get_tensor("discriminator/seed").tolist() == [2]


def test_batchnorm_of_the_mean_is_measured_on_train_pairs(pairs: Path, tmp_path: Path) -> None:
    one, two, out = (tmp_path / f"{i}.safetensors" for i in range(3))
    write(one, 1)
    write(two, 2)
    SCRIPT["average"]([(one, 0.5), (two, 0.5)], pairs, out, batches=20)
    mean, _ = load_generator(out)
    normalised: dict[torch.nn.Module, torch.Tensor] = {}
    layers = [module for module in mean.modules() if isinstance(module, torch.nn.BatchNorm2d)]

    def note(layer: torch.nn.Module, _: tuple, y: torch.Tensor) -> None:
        """What it makes of its input, before its own scale and offset."""
        weight, bias = (channels(layer.get_parameter(name)) for name in ("weight", "bias"))
        normalised[layer] = (y - bias) / weight

    for layer in layers:
        layer.register_forward_hook(note)
    config = Train(pairs, Path("run"), **UNVARIED | {"batch": 64, "seed": 7, "augment_drawing": True, "flip": True})
    batch = Sampler(open_pairs(pairs, "train", square(64), "AtoB"), config)(0)
    with torch.no_grad():
        mean(batch.drawing, batch.style)
    assert len(normalised) == len(layers) > 0
    for layer, y in normalised.items():
        assert y.mean((0, 2, 3)).abs().max() < 0.5, layer
        assert 0.5 < y.var((0, 2, 3)).median() < 2, layer


def test_shares_that_do_not_add_up_and_other_nets_are_refused(pairs: Path, tmp_path: Path) -> None:
    one, two, out = (tmp_path / f"{i}.safetensors" for i in range(3))
    write(one, 1)
    write(two, 2, width=16)
    with pytest.raises(NurieError, match=r"add up to 1, got 0\.5, 0\.6"):
        SCRIPT["average"]([(one, 0.5), (one, 0.6)], pairs, out)
    with pytest.raises(NurieError, match="another net"):
        SCRIPT["average"]([(one, 0.5), (two, 0.5)], pairs, out)
    groups, meta = load(one)
    save(two, groups, meta | {"train": meta["train"] | {"faces": 0.5}})
    with pytest.raises(NurieError, match=r"1\.safetensors has options"):
        SCRIPT["average"]([(one, 0.5), (two, 0.5)], pairs, out)
    assert not out.exists()
