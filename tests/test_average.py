"""examples/cats/average.py: the mean of checkpoints."""

import runpy
from pathlib import Path

import pytest
import torch

from nurie.checkpoint import load_generator, save
from nurie.errors import NurieError
from nurie.networks import build_generator

SCRIPT = Path(__file__).parents[1] / "examples/cats/average.py"
TINY = {"kind": "fast", "width": 8, "styles": True, "enclosed": False}


def write(path: Path, seed: int, **options) -> dict[str, torch.Tensor]:
    torch.manual_seed(seed)
    weights = build_generator(**(TINY | options)).state_dict()
    weights["style.colour"] = torch.full_like(weights["style.colour"], seed / 10)
    save(path, {"ema": weights}, {"generator": TINY | options, "styles": [[seed, 0, 0]]})
    return weights


def test_the_mean_of_checkpoints_by_shares_has_the_styles_of_the_first(tmp_path: Path) -> None:
    average = runpy.run_path(str(SCRIPT))["average"]
    one, two = tmp_path / "1.safetensors", tmp_path / "2.safetensors"
    first, second = write(one, 1), write(two, 2)
    average([(one, 0.25), (two, 0.75)], tmp_path / "mean.safetensors")
    mean, meta = load_generator(tmp_path / "mean.safetensors")
    assert meta["styles"] == [[1, 0, 0]]
    for name, weight in mean.state_dict().items():
        averaged = weight.is_floating_point() and name != "style.colour"
        expected = 0.25 * first[name] + 0.75 * second[name] if averaged else first[name]
        assert torch.allclose(weight, expected, atol=1e-7), name


def test_shares_that_do_not_add_up_and_other_nets_are_refused(tmp_path: Path) -> None:
    average = runpy.run_path(str(SCRIPT))["average"]
    one, two = tmp_path / "1.safetensors", tmp_path / "2.safetensors"
    write(one, 1)
    write(two, 2, width=16)
    with pytest.raises(NurieError, match=r"add up to 1, got 0\.5, 0\.6"):
        average([(one, 0.5), (one, 0.6)], tmp_path / "mean.safetensors")
    with pytest.raises(NurieError, match="another net"):
        average([(one, 0.5), (two, 0.5)], tmp_path / "mean.safetensors")
    assert not (tmp_path / "mean.safetensors").exists()
