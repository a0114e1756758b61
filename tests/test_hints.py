"""Colour hints: in the right place, in the right colour, and only on line drawings."""

import cv2
import numpy as np

from conftest import circle_pair
from nurie.batches.hints import Stroke, around, choose_strokes, paint_strokes, random_hints, recolour, told
from nurie.drawings.ink import subject


def pair(seed: int = 0, size: int = 96) -> tuple[np.ndarray, np.ndarray]:
    """A circle: its outline, and filled with a colour on white."""
    both = circle_pair(seed, size)
    return both[:, :size], both[:, size:]


def hint(drawing: np.ndarray, picture: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The drawing with random hints, and where they say the colour."""
    strokes = random_hints(drawing, picture, np.random.default_rng(seed))
    return paint_strokes(drawing, strokes), told(strokes, picture)


def test_strokes_have_the_pictures_colour_and_stay_inside() -> None:
    drawing, picture = pair()
    hinted, near = hint(drawing, picture, 1)
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
    first, second, other = (hint(drawing, picture, seed) for seed in (5, 5, 6))
    assert (first[0] == second[0]).all()
    assert (first[1] == second[1]).all()
    assert (first[0] != other[0]).any()


def test_the_drawing_that_was_given_stays() -> None:
    drawing, picture = pair()
    before = drawing.copy()
    hint(drawing, picture, 0)
    assert (drawing == before).all()


def test_a_blank_picture_and_a_coloured_drawing_get_none() -> None:
    drawing, picture = pair()
    blank = np.full_like(picture, 255)
    for seed in range(5):
        for image, target in ((drawing, blank), (picture, drawing)):
            hinted, near = hint(image, target, seed)
            assert (hinted == image).all()
            assert not near.any()


def test_a_stroke_takes_its_colour_from_between_the_lines() -> None:
    """Black outlines in drawing and picture: no hint says black."""
    drawing, picture = np.full((64, 64, 3), 255, np.uint8), np.full((64, 64, 3), 255, np.uint8)
    picture[8:56, 8:56] = (240, 90, 70)
    for image in (drawing, picture):
        image[8:56:6, 8:56] = image[9:56:6, 8:56] = image[10:56:6, 8:56] = 0
    for seed in range(20):
        hinted, _ = hint(drawing, picture, seed)
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
        hinted, says = hint(drawing, picture, seed)
        touched = (hinted != drawing).any(axis=2)
        for side in (np.s_[4:60, 4:30], np.s_[4:60, 33:60]):
            assert touched[side].any() == says[side].all() == says[side].any()


def test_in_fur_a_stroke_speaks_for_what_is_near_it() -> None:
    rng = np.random.default_rng(0)
    fur = rng.normal((120, 90, 70), 8, (128, 128, 3)).clip(0, 234).astype(np.uint8)
    drawing = np.full_like(fur, 255)
    for seed in range(10):
        (stroke,) = choose_strokes(drawing, fur, 1, np.random.default_rng(seed))
        beyond = told([stroke], fur) & ~around(stroke.covered, fur)
        assert beyond.sum() < stroke.covered.sum() / 2


def test_a_stroke_across_a_line_speaks_for_the_area_beside_it_not_for_the_line() -> None:
    picture = np.full((64, 64, 3), 255, np.uint8)
    picture[4:60, 4:60] = (240, 90, 70)
    picture[:, 20:44] = 0  # wider than most strokes are long
    drawing = np.where(picture == 0, 0, 255).astype(np.uint8)
    crossed = 0
    for seed in range(60):
        (stroke,) = choose_strokes(drawing, picture, 1, np.random.default_rng(seed)) or [None]
        if stroke is None or stroke.between.sum() >= stroke.covered.sum() / 2:
            continue
        crossed += 1
        says = told([stroke], picture)
        assert not says[4:60, 30:34].all()
        assert says[4:60, 4:19].all() or says[4:60, 45:60].all()
    assert crossed


def test_the_same_strokes_on_the_same_lines_by_another_pen() -> None:
    drawing, picture = pair()
    strokes = random_hints(drawing, picture, np.random.default_rng(2))
    thick = cv2.erode(drawing, np.ones((3, 3), np.uint8))
    first, second = paint_strokes(drawing, strokes), paint_strokes(thick, strokes)
    painted = np.any([stroke.between for stroke in strokes], axis=0) & (thick[:, :, 0] == 255)
    assert painted.any()
    assert np.array_equal(first[painted], second[painted])
    for lines, hinted in ((drawing, first), (thick, second)):
        untouched = ~np.any([stroke.cover > 0 for stroke in strokes], axis=0)
        assert np.array_equal(hinted[untouched], lines[untouched])


def line(where: tuple[slice, slice], picture: np.ndarray) -> Stroke:
    cover = np.zeros(picture.shape[:2], np.float32)
    cover[where] = 1
    return Stroke(cover, cover > 0, np.median(picture[where].reshape(-1, 3), axis=0), over_lines=True)


def test_recolouring_changes_the_whole_flat_area_and_nothing_else() -> None:
    picture = np.full((64, 64, 3), 255, np.uint8)
    picture[4:60, 4:30] = picture[4:60, 33:60] = (240, 90, 70)
    drawing, stroke = np.full_like(picture, 255), line(np.s_[20:24, 10:20], picture)
    before = picture.copy()
    for seed in range(10):
        painted, (told_stroke,) = recolour(drawing, picture, [stroke], 1.0, np.random.default_rng(seed))
        assert (picture == before).all()
        left = painted[4:60, 4:30].reshape(-1, 3)
        assert (left == left[0]).all()
        assert np.abs(left[0] - picture[4, 4].astype(int)).max() > 20
        assert np.abs(left[0] - told_stroke.colour).max() <= 11
        changed = (painted != picture).any(axis=2)
        changed[4:60, 4:30] = False
        assert not changed.any()


def test_recolouring_fur_keeps_its_texture_and_stays_between_the_lines() -> None:
    rng = np.random.default_rng(0)
    fur = np.full((256, 256, 3), 255, np.uint8)
    fur[40:216, 40:216] = rng.normal((120, 90, 70), 12, (176, 176, 3)).clip(0, 234)
    drawing = np.full_like(fur, 255)
    drawing[:, 100:103] = 0
    stroke = line(np.s_[120:126, 130:150], fur)
    for seed in range(10):
        painted, (told_stroke,) = recolour(drawing, fur, [stroke], 1.0, np.random.default_rng(seed))
        moved = painted.astype(int) - fur
        assert (moved[:, :98] == 0).all()  # beyond the line
        assert (painted[fur.min(axis=2) == 255] == 255).all()
        near = moved[120:126, 130:150].reshape(-1, 3)
        clipped = ((painted == 0) | (painted == 255))[120:126, 130:150].reshape(-1, 3)
        assert np.ptp(np.where(clipped, np.median(near, axis=0), near), axis=0).max() <= 1
        assert np.abs(np.median(painted[120:126, 130:150], axis=(0, 1)) - told_stroke.colour).max() <= 11


def test_only_a_share_of_the_strokes_recolours() -> None:
    drawing, picture = pair()
    changed = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        strokes = choose_strokes(drawing, picture, 1, rng)
        painted, told_strokes = recolour(drawing, picture, strokes, 0.5, rng)
        changed += (painted != picture).any()
        middle = [np.median(painted[s.between], axis=0) for s in told_strokes]
        assert all(np.abs(s.colour - m).max() <= 10 for s, m in zip(told_strokes, middle, strict=True))
    assert 10 <= changed <= 30
    assert (recolour(drawing, picture, strokes, 0.0, rng)[0] == picture).all()
