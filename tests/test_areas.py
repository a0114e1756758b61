"""Flat areas: which ones there are, and the shades within them."""

import cv2
import numpy as np
import pytest

from nurie.drawings.areas import flat_areas, shades


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
    other[:, ::2] = cv2.add(other[:, ::2], np.array([20.0, 20.0, 20.0, 0.0]))
    striped = shades(other, areas)
    assert striped.shape == ((areas > 0).sum(),)
    assert striped.mean() == pytest.approx(10 / 255, abs=1e-3)  # 10 above and below
    assert shades(other, np.zeros_like(areas)).shape == (0,)
