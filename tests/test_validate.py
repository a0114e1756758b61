"""The score that chooses a run's best generator, on made-up pictures."""

from pathlib import Path

import cv2
import pytest
import torch
import torch.nn.functional as F

from conftest import square
from nurie.batches.sampler import Batch
from nurie.pairs.folder import PairFolder
from nurie.training.validate import edge_difference, scores, val_tensors, write_samples


@pytest.fixture
def real() -> torch.Tensor:
    """(4, 3, 64, 64) in [-1, 1]: blotches of several sizes, with clear edges."""
    generator = torch.Generator().manual_seed(0)
    noise = sum(
        F.interpolate(torch.randn(4, 3, n, n, generator=generator), size=64, mode="nearest") for n in (4, 8, 16, 32)
    )
    assert isinstance(noise, torch.Tensor)
    return noise.div(3).clamp(-1, 1)


def test_a_perfect_picture_scores_nothing(real: torch.Tensor) -> None:
    assert scores(real, real) == {"val_l1": 0, "val_score": 0, "val_variety": 1}


def test_l1_is_of_the_0_1_range() -> None:
    black, white = torch.full((1, 3, 32, 32), -1.0), torch.ones(1, 3, 32, 32)
    assert scores(black, white) == {"val_l1": 1, "val_score": 1, "val_variety": 1}  # both without edges


def test_edges_may_lie_elsewhere(real: torch.Tensor) -> None:
    assert edge_difference(real.flip(3).roll(16, 2), real) < 0.1 * edge_difference(torch.zeros_like(real), real)


def test_of_equal_l1_a_tint_is_better_than_blur_and_lattice(real: torch.Tensor) -> None:
    blurred = F.avg_pool2d(F.pad(real, (2, 2, 2, 2), mode="replicate"), 5, 1)
    difference = (blurred - real).abs().mean()
    sign = (torch.arange(64) // 2 % 2 * 2 - 1).float()
    lattice = real + difference * sign * sign[:, None]
    tint, blur, squares = (scores(fake, real) for fake in (real + difference, blurred, lattice))
    assert tint["val_l1"] == pytest.approx(blur["val_l1"]) == pytest.approx(squares["val_l1"])
    assert tint["val_score"] < min(blur["val_score"], squares["val_score"]) - 0.05


def test_val_pairs_are_evenly_spread_and_details_take_turns(pairs: Path) -> None:
    val = val_tensors(PairFolder(pairs / "val", square(64)), 2)
    assert val.drawing.shape == val.picture.shape == (2, 3, 64, 64)


def test_sheet_has_two_pictures_to_a_row(tmp_path: Path) -> None:
    images = torch.zeros(4, 3, 32, 32)
    batch = Batch(images, images, images[:, :1], images[:, :1], torch.zeros(4, 3))
    write_samples(batch, lambda drawing: drawing, tmp_path / "sheet.png")
    sheet = cv2.imread(str(tmp_path / "sheet.png"))
    assert sheet is not None and sheet.shape == (2 * 36 + 4, 6 * 36 + 4, 3)
