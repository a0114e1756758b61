"""Flat areas: which ones there are, the shades within them, and the loss and the batches made of them."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from nurie.areas import flat_areas, shades
from nurie.data import PairFolder, Sampler, number_areas, to_images, to_tensor
from nurie.losses import flat_loss


def two_squares() -> np.ndarray:
    """A red and a green square on white, side by side with a black line between them."""
    picture = np.full((64, 64, 3), 255, np.uint8)
    picture[10:40, 5:30] = 200, 30, 30
    picture[10:40, 30:32] = 0
    picture[10:40, 32:60] = 30, 200, 30
    return picture


def test_areas_of_different_colours_have_different_numbers_and_keep_off_their_borders() -> None:
    areas = flat_areas(two_squares())
    assert areas.dtype == np.int32 and areas.max() == 2
    first, second = areas[20, 15], areas[20, 45]
    assert {first, second} == {1, 2}
    assert (areas[11:39, 6:29] == first).all() and (areas[11:39, 33:59] == second).all()
    assert (areas > 0).sum() == 28 * 23 + 28 * 26


def test_paper_texture_and_specks_are_no_areas() -> None:
    picture = np.full((64, 64, 3), 255, np.uint8)
    picture[8:56, 8:56] = np.random.default_rng(0).integers(60, 120, (48, 48, 3))  # fur
    picture[60:63, 60:63] = 0  # of one colour, but smaller than 2x2 where nothing else is near
    assert not flat_areas(picture).any()


def test_shades_are_the_distance_to_the_areas_mean_and_other_colours_have_none() -> None:
    target = two_squares()
    areas = flat_areas(target)
    other = target[:, :, ::-1].copy()
    assert shades(other, areas) == pytest.approx(0)
    other[:, ::2] = cv2.add(other[:, ::2], (20, 20, 20, 0))
    striped = shades(other, areas)
    assert striped.shape == ((areas > 0).sum(),)
    assert striped.mean() == pytest.approx(10 / 255, abs=1e-3)  # 10 above and below
    assert shades(other, np.zeros_like(areas)).shape == (0,)


def test_the_loss_equals_the_shades_and_pulls_towards_each_areas_mean() -> None:
    targets = [two_squares(), two_squares()[:, ::-1]]
    areas = number_areas(targets)
    assert areas.shape == (2, 1, 64, 64) and set(areas.unique().tolist()) == {0, 1, 2, 3, 4}
    pictures = list(np.random.default_rng(1).integers(0, 256, (2, 64, 64, 3)).astype(np.uint8))
    by_hand = np.concatenate([shades(p, flat_areas(t)) for p, t in zip(pictures, targets, strict=True)])
    fake = to_tensor(pictures).requires_grad_(True)
    loss = flat_loss(fake, areas)
    assert loss.item() == pytest.approx(2 * by_hand.mean(), rel=1e-4)  # of a range twice as large
    loss.backward()
    assert fake.grad is not None
    outside = (areas == 0).expand_as(fake)
    assert (fake.grad[outside] == 0).all() and (fake.grad[~outside] != 0).any()
    with torch.no_grad():
        assert flat_loss(fake - 2000 * fake.grad, areas) < loss


def test_no_areas_no_loss() -> None:
    assert flat_loss(torch.rand(1, 3, 8, 8), torch.zeros(1, 1, 8, 8, dtype=torch.long)).item() == 0


def test_batches_have_areas_only_where_they_are_asked_for(pairs: Path) -> None:
    folder = PairFolder(pairs / "train", 64)
    batch = Sampler(folder, 4, 0, augment=True, flip=True, areas=True)(3)
    assert batch.areas is not None
    expected = [flat_areas(picture) for picture in to_images(batch.picture)]
    assert [int(a.max()) for a in expected] == [len(a.unique()) - 1 for a in batch.areas]
    assert all(np.array_equal(a[0].numpy() > 0, e > 0) for a, e in zip(batch.areas, expected, strict=True))
    assert batch.areas.max() == sum(int(a.max()) for a in expected) > 0
    assert Sampler(folder, 4, 0, augment=True, flip=True)(3).areas is None
