"""Seven small changes to a drawing that other hands, pens and tools make, to see what a generator makes of them.

augment.py varies drawings for training, at random; this set is fixed, so that scores can be compared.
All work on ink, float32 (h, w), 0 paper and 1 black, and lengths are pixels of a drawing of 256.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator

from nurie.batches.vary import make_gaps, warp, wobble_field
from nurie.drawings.ink import to_drawing, to_ink, unit_of
from nurie.drawings.shift import Shift, draw_shift, move

FINE = 4  # lines are widened on a grid this many times finer


@dataclass(frozen=True)
class Perturbed:
    drawing: np.ndarray  # uint8 (h, w, 3)
    shift: Shift = (0, 0)  # how far it was moved


def perturb(drawing: np.ndarray, seed: Sequence[int]) -> dict[str, Perturbed]:
    """All seven versions of a line drawing, uint8 (h, w, 3), by name. The same seed gives the same versions."""
    ink = to_ink(drawing)
    rngs = {name: np.random.default_rng([*seed, i]) for i, name in enumerate(NAMES)}
    versions = {name: Perturbed(to_drawing(change(ink, rngs[name]))) for name, change in CHANGES.items()}
    shift = draw_shift(rngs["shifted"])
    return {**versions, "shifted": Perturbed(move(drawing, shift), shift)}


def thicker(ink: np.ndarray, rng: Generator) -> np.ndarray:
    """Lines 1 pixel wider."""
    return on_fine_grid(ink, cv2.dilate, 2)


def thinner(ink: np.ndarray, rng: Generator) -> np.ndarray:
    """Lines half a pixel narrower: by a whole one the finest would be gone."""
    return on_fine_grid(ink, cv2.erode, 1)


def on_fine_grid(ink: np.ndarray, change: Callable[..., np.ndarray], radius: int) -> np.ndarray:
    """Dilate or erode by `radius` pixels of the fine grid."""
    h, w = ink.shape
    radius = max(1, round(radius * unit_of(ink.shape)))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    fine = cv2.resize(ink, (w * FINE, h * FINE), interpolation=cv2.INTER_LINEAR)
    return cv2.resize(change(fine, disc), (w, h), interpolation=cv2.INTER_AREA)


def wobbled(ink: np.ndarray, rng: Generator) -> np.ndarray:
    """Lines of a shaky hand."""
    return warp(ink, wobble_field(ink.shape, rng))


def antialiased(ink: np.ndarray, rng: Generator) -> np.ndarray:
    """Softer edges."""
    return cv2.GaussianBlur(ink, (0, 0), 0.6 * unit_of(ink.shape))


def binarised(ink: np.ndarray, rng: Generator) -> np.ndarray:
    """Black or white, nothing between."""
    return (ink > 0.5).astype(np.float32)


CHANGES: dict[str, Callable[[np.ndarray, Generator], np.ndarray]] = {
    "thicker": thicker,
    "thinner": thinner,
    "wobbled": wobbled,
    "gaps": make_gaps,
    "antialiased": antialiased,
    "binarised": binarised,
}
NAMES = (*CHANGES, "shifted")
