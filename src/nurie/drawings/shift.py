"""Pictures moved by a few pixels, and where they then show the same as before."""

import numpy as np
from numpy.random import Generator

MAX_SHIFT = 3  # pixels
Shift = tuple[int, int]  # down and right, pixels


def draw_shift(rng: Generator) -> Shift:
    """1 to MAX_SHIFT pixels in both directions."""
    down, right = rng.integers(1, MAX_SHIFT + 1, 2) * rng.choice([-1, 1], 2)
    return int(down), int(right)


def move(drawing: np.ndarray, shift: Shift) -> np.ndarray:
    """A new drawing, uint8 (h, w, 3): moved, with paper where it came from."""
    moved = np.full_like(drawing, 255)
    to, source = overlap(drawing.shape, shift)
    moved[to] = drawing[source]
    return moved


def overlap(shape: tuple[int, ...], shift: Shift) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Where a moved picture and the unmoved one show the same: the slices of the moved one, then of the other.

    `shape`: height, width, and maybe more.
    """
    moved, still = [], []
    for length, by in zip(shape[:2], shift, strict=True):
        moved.append(slice(max(by, 0), length + min(by, 0)))
        still.append(slice(max(-by, 0), length - max(by, 0)))
    return (moved[0], moved[1]), (still[0], still[1])
