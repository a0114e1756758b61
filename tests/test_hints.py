"""Colour hints: in the right place, in the right colour, and only on line drawings."""

import numpy as np

from conftest import circle_pair
from nurie.hints import add_hints, subject


def pair(seed: int = 0, size: int = 96) -> tuple[np.ndarray, np.ndarray]:
    """A circle: its outline, and filled with a colour on white."""
    both = circle_pair(seed, size)
    return both[:, :size], both[:, size:]


def test_strokes_have_the_pictures_colour_and_stay_inside() -> None:
    drawing, picture = pair()
    hinted, near = add_hints(drawing, picture, np.random.default_rng(1))
    changed = (hinted != drawing).any(axis=2)
    assert changed.any()
    assert near.sum() > changed.sum()
    assert not (near & ~subject(picture)).any()
    assert not (changed & ~near).any()
    assert not (changed & ~subject(picture)).any()
    coloured = np.ptp(hinted.astype(int), axis=2) > 24
    assert np.median(np.abs(hinted[coloured].astype(int) - picture[coloured])) <= 10


def test_the_same_seed_gives_the_same_strokes() -> None:
    drawing, picture = pair()
    first, second, other = (add_hints(drawing, picture, np.random.default_rng(seed)) for seed in (5, 5, 6))
    assert (first[0] == second[0]).all()
    assert (first[1] == second[1]).all()
    assert (first[0] != other[0]).any()


def test_the_drawing_that_was_given_stays() -> None:
    drawing, picture = pair()
    before = drawing.copy()
    add_hints(drawing, picture, np.random.default_rng(0))
    assert (drawing == before).all()


def test_a_blank_picture_and_a_coloured_drawing_get_none() -> None:
    drawing, picture = pair()
    blank = np.full_like(picture, 255)
    for seed in range(5):
        for image, target in ((drawing, blank), (picture, drawing)):
            hinted, near = add_hints(image, target, np.random.default_rng(seed))
            assert (hinted == image).all()
            assert not near.any()


def test_a_stroke_takes_its_colour_from_between_the_lines() -> None:
    """Black outlines in drawing and picture: no hint says black."""
    drawing, picture = np.full((64, 64, 3), 255, np.uint8), np.full((64, 64, 3), 255, np.uint8)
    picture[8:56, 8:56] = (240, 90, 70)
    for image in (drawing, picture):
        image[8:56:6, 8:56] = image[9:56:6, 8:56] = image[10:56:6, 8:56] = 0
    for seed in range(20):
        hinted, _ = add_hints(drawing, picture, np.random.default_rng(seed))
        strokes = hinted[drawing[:, :, 0] > 200]
        darkest = strokes.min(axis=0)
        assert darkest[0] >= 230
        assert darkest[1] >= 80


def test_a_stroke_speaks_for_the_whole_flat_area_it_lies_in() -> None:
    picture = np.full((64, 64, 3), 255, np.uint8)
    picture[4:60, 4:30] = (240, 90, 70)
    picture[4:60, 33:60] = (240, 90, 70)  # of the same colour, but apart
    drawing = np.full_like(picture, 255)
    for seed in range(10):
        hinted, says = add_hints(drawing, picture, np.random.default_rng(seed))
        touched = (hinted != drawing).any(axis=2)
        for side in (np.s_[4:60, 4:30], np.s_[4:60, 33:60]):
            assert touched[side].any() == says[side].all() == says[side].any()
