"""Flat colouring by classes: a palette's colour for each area between lines."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nurie.engine.plan import CLASSES, FILL, SHUFFLES
from nurie.engine.reference import run_reference
from nurie.engine.reference_fill import filled_classes
from nurie.engine.wasm import Engine
from plans import Builder, Model, scribble

PALETTE = np.array([(255, 255, 255), (0, 0, 0), (200, 40, 40), (40, 60, 200), (250, 220, 60)], np.uint8)
PAPER, INK, RED, BLUE, YELLOW = range(len(PALETTE))
Colour = tuple[int, ...]


def rooms() -> np.ndarray:
    """Three areas side by side, and one far from them."""
    drawing = np.full((48, 96, 3), 255, np.uint8)
    for left in (4, 22, 40):
        cv2.rectangle(drawing, (left, 8), (left + 18, 40), (0, 0, 0), 1)
    cv2.rectangle(drawing, (74, 8), (90, 40), (0, 0, 0), 1)
    return drawing


PLACES = {"left": (24, 13), "middle": (24, 31), "right": (24, 49), "apart": (24, 82)}


def logits_of(*likely: tuple[int, float], noise: float = 0.5, seed: int = 0) -> np.ndarray:
    """Everywhere the same but for noise: classes and their logits, 0 for the others."""
    logits = np.random.default_rng(seed).normal(0, noise, (48, 96, len(PALETTE)))
    for number, value in likely:
        logits[:, :, number] += value
    return logits.astype(np.float32)


def classes_at(picture: np.ndarray) -> dict[str, int]:
    """The class of each place."""
    return {name: [*map(tuple, PALETTE)].index(tuple(picture[at])) for name, at in PLACES.items()}


def test_an_area_takes_the_class_of_most_evidence_and_is_never_paper() -> None:
    drawing, logits = rooms(), logits_of((PAPER, 9), (BLUE, 2), (RED, 1))
    logits[:, 23:40, RED] += 1.5
    picture = filled_classes(drawing, logits, PALETTE)
    assert classes_at(picture) == {"left": BLUE, "middle": RED, "right": BLUE, "apart": BLUE}
    assert (picture[2] == 255).all()  # but open paper is
    inside = picture[10:39, 6:21].reshape(-1, 3)
    assert len(np.unique(inside, axis=0)) == 1


def test_one_stray_pixel_does_not_choose_for_all() -> None:
    logits = logits_of((BLUE, 1))
    logits[24, 13, RED] = 1e6
    assert classes_at(filled_classes(rooms(), logits, PALETTE))["left"] == BLUE


def test_strokes_decide_before_classes() -> None:
    drawing = rooms()
    drawing[20:28, 10:16] = (30, 160, 60)
    picture = filled_classes(drawing, logits_of((BLUE, 3)), PALETTE, seed=5)
    assert (picture[12:36, 8:20] == (30, 160, 60)).all()


def test_the_same_seed_gives_the_same_and_others_what_is_likely() -> None:
    drawing, logits = rooms(), logits_of((RED, 6), (BLUE, 5), (YELLOW, 5))
    pictures = [filled_classes(drawing, logits, PALETTE, seed) for seed in range(40)]
    assert np.array_equal(pictures[7], filled_classes(drawing, logits, PALETTE, 7))
    found = [classes_at(picture) for picture in pictures]
    assert set(found[0].values()) == {RED}
    assert {classes["left"] for classes in found} == {RED, BLUE, YELLOW}  # ink is 6 nats less likely
    changed = sum(classes["left"] != RED for classes in found[1:])
    assert 10 < changed < 35


def test_neighbours_differ_and_what_was_alike_stays_alike() -> None:
    drawing, logits = rooms(), logits_of((RED, 6), (BLUE, 5.8), (YELLOW, 5.8), noise=0.05)
    found = [classes_at(filled_classes(drawing, logits, PALETTE, seed)) for seed in range(1, 60)]
    differ = [c["left"] != c["middle"] and c["middle"] != c["right"] for c in found]
    assert np.mean(differ) > 0.6
    assert np.mean([c["left"] == c["apart"] for c in found]) > 0.9


def test_an_open_area_that_lines_hold_has_one_class_too() -> None:
    drawing = np.full((48, 96, 3), 255, np.uint8)
    cv2.polylines(drawing, [np.array([(30, 6), (30, 40), (60, 40), (60, 6)])], False, (0, 0, 0), 1)
    logits = logits_of((PAPER, 9))
    inside = logits[12:40, 31:60]
    inside[:, :, PAPER] -= 18
    inside[:, :18, BLUE] += 6
    inside[:, 18:, RED] += 6

    def found(seed: int, dot: bool = False) -> set[tuple[int, ...]]:
        shown = drawing.copy()
        shown[20:28, 40:46] = (30, 160, 60) if dot else (255, 255, 255)
        picture = filled_classes(shown, logits, PALETTE, seed)
        assert (picture[:6] == 255).all() and (picture[:, 64:] == 255).all()
        return {*map(tuple, picture[14:38, 33:58].reshape(-1, 3))}

    assert found(0) == {tuple(PALETTE[BLUE])}
    assert found(0, dot=True) == {(30, 160, 60)}
    seen = set.union(*(found(seed) for seed in range(1, 20)))
    assert all(len(found(seed)) == 1 for seed in range(1, 20)) and {tuple(PALETTE[BLUE]), tuple(PALETTE[RED])} <= seen


@pytest.mark.parametrize("likely", [PAPER, RED])
def test_wide_lines_are_as_dark_as_they_are_drawn(likely: int) -> None:
    drawing = np.full((48, 96, 3), 255, np.uint8)
    cv2.line(drawing, (10, 10), (80, 36), (0, 0, 0), 9)
    picture = filled_classes(drawing, logits_of((likely, 9)), PALETTE)
    assert (picture[drawing[:, :, 0] == 0] == 0).all()


def test_an_area_too_small_to_choose_has_one_class_of_all_its_pixels() -> None:
    drawing = rooms()
    drawing[20:24, 10:14] = 0
    drawing[21:23, 11:13] = 255  # all of it touches lines
    logits = logits_of((BLUE, 3))
    logits[21:23, 11:13, YELLOW] += (2, 5)
    assert (filled_classes(drawing, logits, PALETTE)[21:23, 11:13] == PALETTE[YELLOW]).all()


def test_logits_for_squares_are_those_of_all_their_pixels() -> None:
    logits = logits_of((BLUE, 1), noise=2)[::4, ::4]
    whole = np.stack([[logits[y // 4, x // 4] for x in range(96)] for y in range(48)])
    assert np.array_equal(filled_classes(rooms(), logits, PALETTE, 3), filled_classes(rooms(), whole, PALETTE, 3))


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
def test_areas_without_strokes_have_colours_of_the_palette(seed: int, dice: int) -> None:
    logits = np.rint(16 * logits_of(noise=3, seed=seed)) / np.float32(16)
    picture = filled_classes(rooms(), logits, PALETTE, dice)
    classes_at(picture)  # raises where one is of none
    more = np.random.default_rng(seed).integers(-99, 99, (48, 96, 1)).astype(np.float32)
    assert np.array_equal(filled_classes(rooms(), logits + more, PALETTE, dice), picture)  # only differences count


def painted(colours: int, seed: int = 0, strength: float = 1, step: int = 1) -> tuple[Model, np.ndarray]:
    """A net that gives logits for the colours of a random palette, the same for `step` x `step` pixels."""
    b = Builder(seed)
    logits = b.conv(b.image(step), 3 * step**2, colours, kernel=5)
    b.parts = [(strength * np.frombuffer(part, "<f4")).astype("<f4").tobytes() for part in b.parts]
    palette = b.rng.integers(0, 256, (colours, 3), dtype=np.uint8)
    palette[0] = 255
    at = b.data(palette)
    output = {"mode": CLASSES, "activation": FILL, "in_channels": colours, "weight": at, "shuffle": step}
    return b.finish(logits, **output), palette


def tiles(height: int, width: int, seed: int) -> np.ndarray:
    """Areas side by side, between lines of several widths, some of which have holes."""
    rng = np.random.default_rng(seed)
    drawing = np.full((height, width, 3), 255, np.uint8)
    for axis in (0, 1):
        for at in np.cumsum(rng.integers(2, 14, 20)):
            drawing.swapaxes(0, axis)[at : at + rng.integers(1, 4)] = 0
    holes = rng.random((height, width)) < rng.choice([0, 0.02])
    drawing[holes] = 255
    return drawing


@settings(deadline=None, max_examples=80)
@given(
    st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(1, 40), st.integers(3, 64), st.sampled_from(SHUFFLES),
    st.booleans(),
)  # fmt: skip
def test_it_is_the_reference_to_the_byte(
    seed: int, height: int, width: int, colours: int, step: int, relaxed: bool
) -> None:
    height, width = (step * -(-side // step) for side in (height, width))
    drawing = tiles(height, width, seed) if seed % 2 else scribble(height, width, seed)
    (plan, weights), palette = painted(colours, seed % 1000, (0.1, 1, 30)[seed % 3], step)
    engine = Engine(plan, weights=weights, relaxed=relaxed)
    for dice in (0, 1, seed):
        engine.set_style(dice)
        picture = engine.run(drawing)
        assert np.array_equal(picture, filled_classes(drawing, engine.tensor(1), palette, dice))


@pytest.mark.parametrize("step", SHUFFLES)
@pytest.mark.parametrize("dice", [0, 1, 77])
def test_the_reference_runs_such_plans(dice: int, step: int) -> None:
    drawing = scribble(24, 32, 5)
    (plan, weights), _ = painted(7, step=step)
    engine = Engine(plan, weights=weights)
    engine.set_style(dice)
    assert (engine.run(drawing) == run_reference(plan, weights, drawing, dice)[0]).all(2).mean() > 0.99


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 3e38])
def test_logits_that_are_no_numbers_give_colours_of_the_palette(value: float) -> None:
    drawing = np.pad(np.full((20, 20, 3), 255, np.uint8), ((2, 2), (2, 2), (0, 0)))
    (plan, weights), palette = painted(5)
    bias = plan.ops[1].bias
    weights = weights[:bias] + np.full(5, value, "<f4").tobytes() + weights[bias + 20 :]
    for dice in (0, 1):
        engine = Engine(plan, weights=weights)
        engine.set_style(dice)
        picture = engine.run(drawing)
        assert {*map(tuple, picture[4:-4, 4:-4].reshape(-1, 3))} <= {*map(tuple, palette)}
