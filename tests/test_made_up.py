"""What training makes up in pairs: tails, faces, paws, legs and strokes."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from nurie.batches.faces import SHINE, Face, add_face
from nurie.batches.legs import add_legs
from nurie.batches.pair import add_body_parts, has_lines_and_subject, vary_pair
from nurie.batches.paws import add_paws
from nurie.batches.streams import Streams
from nurie.batches.tails import add_tail, longest_outline, path_around
from nurie.batches.vary import add_strokes
from nurie.config import Train
from nurie.drawings.ink import BLACK, blend, to_drawing, to_ink


def outlined_disc(size: int, radius: int) -> tuple[np.ndarray, np.ndarray]:
    """Ink, float32 (size, size), of a circle in the middle, and a picture of a red disc with a dark outline there."""
    middle = (size // 2, size // 2)
    drawing, picture = np.full((2, size, size, 3), 255, np.uint8)
    cv2.circle(picture, middle, radius, (240, 90, 70), -1)
    cv2.circle(picture, middle, radius, (90, 30, 20), 2)
    cv2.circle(drawing, middle, radius, (0, 0, 0), 2)
    return to_ink(drawing), picture


def test_a_tail_is_outside_the_subject_in_its_colours_and_between_its_lines() -> None:
    before, picture = outlined_disc(256, 60)
    body = cv2.circle(np.zeros((256, 256), np.uint8), (128, 128), 57, 1, -1).astype(bool)
    sizes, opened = [], 0
    for seed in range(20):
        ink, painted = add_tail(before, picture, np.random.default_rng(seed))
        assert np.array_equal(painted[body], picture[body])
        tail = (painted.min(2) < 200) & (picture.min(2) > 235)
        sizes.append(tail.sum())
        assert (painted[tail][:, 0] > painted[tail][:, 2]).all()  # of the body's and its lines' colours, no grey
        added = (ink > 0.5) & (before < 0.1)
        assert 20 < added.sum() < tail.sum()
        assert tail[added].mean() > 0.9
        opened += bool(((before > 0.5) & (ink < 0.5)).any())
    assert min(sizes) > 150 and max(sizes) > 2 * min(sizes)
    assert 3 <= opened <= 17
    white = np.full_like(picture, 255)
    ink, painted = add_tail(before, white, np.random.default_rng(0))
    assert ink is before and painted is white


def test_a_tail_around_the_subject_leaves_paper_between() -> None:
    inside = cv2.circle(np.zeros((256, 256), np.uint8), (128, 128), 60, 1, -1).astype(bool)
    gaps = []
    for seed in range(20):
        middle, radii = path_around(inside, longest_outline(inside), 1.0, np.random.default_rng(seed))
        away = np.linalg.norm(middle - 128, axis=1) - 60
        assert away[0] < 2 and len(middle) == len(radii) >= 25
        assert (np.diff(away)[:3] > 0).all()
        assert np.ptp(away[12:]) < 3  # then as far away everywhere
        gaps.append(away[12:].mean() - radii.max())
    assert 5 < min(gaps) < 10 and 18 < max(gaps) < 26


def test_a_face_has_eyes_in_the_subject_and_whiskers_that_are_lines_on_paper() -> None:
    before, picture = outlined_disc(256, 90)
    drawing = to_drawing(before)
    crossing = pupils = irises = 0
    for seed in range(20):
        faced, painted, near = add_face(drawing, picture, np.random.default_rng(seed))
        ink = to_ink(faced)
        changed, paper = (painted != picture).any(2), picture.min(2) > 235
        assert changed.any() and near[changed].all()
        assert (ink[paper & changed] > before[paper & changed]).all()
        crossing += (ink > before + 0.5)[paper].any()
        pupils += (painted.max(2)[~paper] < 30).sum() > 8  # the disc's outline is lighter
        irises += (painted[:, :, 1] > painted[:, :, 2].astype(int) + 60).sum() > 8  # amber to green, unlike the disc
    assert 6 <= crossing <= 18
    assert pupils >= 12 and irises >= 5  # some are tiny, or all pupil


def test_paws_are_lines_within_the_subject_whose_inside_stays_as_it_is() -> None:
    before, picture = outlined_disc(256, 90)
    drawing = to_drawing(before)
    inside, lower = picture.min(2) < 235, 0
    for seed in range(20):
        pawed, painted, near = add_paws(drawing, picture, np.random.default_rng(seed))
        ink, changed = to_ink(pawed), (painted != picture).any(2)
        assert near.any() and not near[~inside].any()
        assert changed.any() and inside[changed].all()
        assert (ink[changed] > 0).all()  # so what has no line is as before
        assert np.array_equal(ink[~inside], before[~inside])
        drawn = blend(picture, np.array((90, 30, 20)), ink)
        assert (np.abs(painted - drawn)[changed & (before == 0)].max(1) <= 1).all()
        lower += near[128:].sum() > near[:128].sum()
    assert lower >= 18


def test_between_legs_is_paper_where_it_is_open_to_the_paper() -> None:
    before, picture = outlined_disc(256, 90)
    drawing = to_drawing(before)
    paper, opened, closed = picture.min(2) > 235, 0, 0
    for seed in range(20):
        legged, painted = add_legs(drawing, picture, np.random.default_rng(seed))
        ink, bays, changed = to_ink(legged), (painted.min(2) > 235) & ~paper, (painted != picture).any(2)
        assert not changed[paper].any() and changed[128:].sum() >= changed[:128].sum()
        assert (ink[bays] < 0.2).all()  # no line in them
        assert cv2.connectedComponents((paper | bays).astype(np.uint8), connectivity=4)[0] == 2  # so they are open
        lines = (ink > 0.5) & (before < 0.5)
        assert lines.sum() > 20 or not changed.any()
        opened += bays.sum() > 40
        closed += lines.any() and not bays.any()
    assert opened >= 8 and closed >= 3


@pytest.mark.parametrize("missing", ["subject", "lines", "line drawing"])
def test_where_there_are_no_lines_and_subject_nothing_is_made_up(missing: str) -> None:
    before, picture = outlined_disc(256, 90)
    drawing, white = to_drawing(before), np.full_like(picture, 255)
    assert has_lines_and_subject(drawing, picture)
    drawing, picture = {"subject": (drawing, white), "lines": (white, picture), "line drawing": (picture, picture)}[
        missing
    ]
    same, painted, near = add_body_parts(drawing, picture, 1.0, Streams(0, 0))
    assert same is drawing and painted is picture and not np.any(near)


def test_eyes_that_are_beads_or_strokes_are_as_black_as_they_are_drawn() -> None:
    fur, one_eyed = np.full((128, 128, 3), 150.0), 0
    for seed in range(20):
        face = Face(np.array([64.0, 64.0]), 24, np.random.default_rng(seed))
        sides = [side in face.sides for side in (-1, 1)]
        ink, painted = face.draw_beads(np.zeros((128, 128)), fur)
        black, untouched = ink == 1, ink == 0
        assert [black[:, :64].any(), black[:, 64:].any()] == sides
        assert np.abs(painted - BLACK)[black].max() < 1
        light = (painted == SHINE).all(2)  # drawn as a hole in the ink
        assert np.array_equal(painted[untouched & ~light], fur[untouched & ~light])
        ink, painted = face.draw_lids(np.zeros((128, 128)), fur)
        assert [half.max() > 0.4 for half in (ink[:, :64], ink[:, 64:])] == sides  # some are a pixel wide, and soft
        assert np.abs(painted - blend(fur, BLACK, ink)).max() < 1
        one_eyed += len(face.sides) == 1
    assert 1 <= one_eyed <= 9


def test_added_strokes_are_in_the_subject_and_in_the_picture_as_its_own_lines_or_black() -> None:
    before, picture = outlined_disc(256, 96)
    found = np.zeros(2, int)
    for seed in range(20):
        ink, painted = add_strokes(before, picture, np.random.default_rng(seed))
        added = ink > before
        assert added.any()
        assert (ink >= before).all()
        assert (picture[added] < 255).any(axis=1).all()  # never on the paper
        assert np.array_equal(painted[ink == 0], picture[ink == 0])
        drawn = np.stack([blend(picture, colour, ink) for colour in (np.array((90, 30, 20)), BLACK)])
        near = np.abs(painted - drawn)[:, added & (before == 0)].max(axis=2) <= 1
        assert near.any(axis=0).mean() > 0.99  # else it is the soft edge of both
        found += near.sum(axis=1)
    assert (found > 1000).all()
    blank = np.full_like(picture, 255)
    for ink, image in ((before, blank), (np.zeros_like(before), picture)):
        same, painted = add_strokes(ink, image, np.random.default_rng(0))
        assert np.array_equal(same, ink)
        assert np.array_equal(painted, image)


def subjects(height: int, width: int) -> dict[str, np.ndarray]:
    """Where the subject is, bool (height, width): all of the sheet, nothing, and what there is between."""
    nothing = np.zeros((height, width), bool)
    found = {"nothing": nothing, "all": ~nothing}
    for name, place in {
        "a pixel": np.s_[height // 2, width // 2], "a corner": np.s_[0, 0], "a row": np.s_[height // 2],
        "the first row": np.s_[0], "a column": np.s_[:, -1], "a half": np.s_[:, : width // 2],
        "all but a pixel": np.s_[height // 2 + 1 :, :], "a few pixels": np.s_[3:6, 3:6],
    }.items():  # fmt: skip
        found[name] = nothing.copy()
        found[name][place] = True
    return found


@pytest.mark.parametrize("size", [(64, 64), (64, 96), (128, 64)], ids=str)
@pytest.mark.parametrize("name", subjects(64, 64))
def test_pairs_with_any_subject_and_any_lines_are_varied(name: str, size: tuple[int, int]) -> None:
    inside = subjects(*size)[name]
    rng = np.random.default_rng(0)
    picture = np.where(inside[:, :, None], rng.integers(0, 200, (*size, 3)), 255).astype(np.uint8)
    lines = {
        "none": np.zeros(size, bool), "one pixel": np.zeros(size, bool), "across": np.zeros(size, bool),
        "all": np.ones(size, bool), "hatched": rng.random(size) < 0.2,
    }  # fmt: skip
    lines["one pixel"][20, 20] = lines["across"][30] = True
    options = Train(Path(), Path(), tails=1.0, body_parts=1.0, hints=1.0)
    for ink in lines.values():
        drawing = np.repeat(np.where(ink, 0, 255).astype(np.uint8)[:, :, None], 3, axis=2)
        for position in range(12):
            varied = vary_pair(drawing, picture, options, Streams(0, position))
            assert varied.drawing.shape == varied.picture.shape == (*size, 3)
