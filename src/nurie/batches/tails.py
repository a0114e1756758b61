"""Made-up tails in pairs of drawing and picture: most photos hide them, most people draw them."""

import cv2
import numpy as np
from numpy.random import Generator

from nurie.drawings.ink import Image, blend, on_circle, subject, unit_of


def add_tail(ink: np.ndarray, picture: Image, rng: Generator) -> tuple[np.ndarray, Image]:
    """A tail behind the subject, from a random place of its outline outwards: most photos hide it, most people draw it.

    In the picture it is a part of the subject moved there, and its lines have the colour of those of `add_strokes`.
    Without it a generator does not know what lies between a tail and a body. Half of the tails lie around the subject.
    """
    inside, lines = subject(picture), ink > 0.5
    outline = longest_outline(inside)
    unit = unit_of(ink.shape)
    if len(outline) < 64 * unit or not lines.any():
        return ink, picture
    if rng.random() < 0.5:
        middle, radii = path_away(outline, unit, rng)
    else:
        middle, radii = path_around(inside, outline, unit, rng)
    pen = rng.uniform(1.0, 2.0) * unit
    whole, inner = (band(middle, radii + side * pen / 2, ink.shape) for side in (1, -1))
    # without the subject's rim, where white shines through
    behind = cv2.erode(inside.astype(np.float32), np.ones((3, 3), np.uint8))
    whole, line = whole * (1 - behind), (whole - inner).clip(min=0) * (1 - inside)
    painted = blend(picture, moved_texture(picture, behind, middle[len(middle) // 2], rng), whole)
    painted = blend(painted, np.median(picture[lines], axis=0), line)
    if rng.random() < 0.5:  # grown on, instead of coming from behind
        ink = ink * (1 - band(middle[:3], radii[:3] - pen / 2, ink.shape))
    return np.maximum(ink, line), np.rint(painted).astype(np.uint8)


def path_away(outline: np.ndarray, unit: float, rng: Generator) -> tuple[np.ndarray, np.ndarray]:
    """Points (n, 2) of a curve that leaves an outline (m, 2), in pixels, and half the tail's width at each."""
    start = int(rng.integers(len(outline)))
    turns = rng.uniform(-0.07, 0.07) + rng.uniform(-0.0024, 0.0024) * np.arange(round(rng.uniform(15, 60)))
    headings = heading_outwards(outline, start, unit) + rng.uniform(-1.2, 1.2) + np.cumsum(turns)
    steps = 2 * unit * on_circle(headings)
    return outline[start] + np.cumsum(steps, 0), tail_radii(len(steps), unit, rng)


def path_around(inside: np.ndarray, outline: np.ndarray, unit: float, rng: Generator) -> tuple[np.ndarray, np.ndarray]:
    """The same for a tail that lies around the subject (h, w), with 6 to 24 pixels in 256 of paper between."""
    count = round(rng.uniform(25, 70))
    radii = tail_radii(count, unit, rng)
    start = outline[rng.integers(len(outline))]
    away = cv2.distanceTransform((~inside).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    around = longest_outline(away < radii.max() + rng.uniform(6, 24) * unit)
    first = np.square(around - start).sum(1).argmin()
    along = around[(first + rng.choice([-1, 1]) * np.arange(count) * max(1, round(2 * unit))) % len(around)]
    away_by = np.minimum(1, np.arange(count) / rng.uniform(4, 12))[:, None]
    return start + (along - start) * away_by, radii


def tail_radii(count: int, unit: float, rng: Generator) -> np.ndarray:
    """Half the width of a tail at each of its points, (count), in pixels."""
    return np.linspace(rng.uniform(4, 11), rng.uniform(3, 9), count) * unit


def longest_outline(inside: np.ndarray) -> np.ndarray:
    """Pixels (n, 2) around the largest part of a subject (h, w); none where there is none."""
    outlines, _ = cv2.findContours(inside.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return max(outlines, key=len, default=np.empty((0, 1, 2)))[:, 0]


def heading_outwards(outline: np.ndarray, start: int, unit: float) -> float:
    """The angle at which a pixel of an outline (n, 2) looks away from the subject."""
    near = max(2, round(6 * unit))
    along = outline[(start + near) % len(outline)] - outline[(start - near) % len(outline)]
    return np.arctan2(along[1], along[0]) - np.sign(cv2.contourArea(outline, oriented=True)) * np.pi / 2


def band(middle: np.ndarray, radii: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Discs along a curve, float32 (h, w) in 0-1. `middle` (n, 2) and `radii` (n) in pixels."""
    cover = np.zeros(shape, np.uint8)
    for at, radius in zip(np.rint(middle * 16).astype(int).tolist(), radii.clip(min=0), strict=True):
        cv2.circle(cover, at, round(radius * 16), 255, -1, cv2.LINE_AA, shift=4)
    return cover.astype(np.float32) / 255


def moved_texture(picture: Image, inside: np.ndarray, to: np.ndarray, rng: Generator) -> np.ndarray:
    """The picture with a random place of its subject moved to `to` (x, y), and around it the subject's mean colour.

    `inside` (h, w): 1 in the subject, else 0. Returns float32 (h, w, 3).
    """
    size, places = inside.shape[::-1], np.argwhere(inside)
    if not len(places):
        return picture.astype(np.float32)
    matrix = np.column_stack([np.eye(2), to - places[rng.integers(len(places))][::-1]])
    known = cv2.GaussianBlur(cv2.warpAffine(inside, matrix, size), (0, 0), 2 * unit_of(inside.shape)) ** 2
    return blend(picture[inside > 0].mean(0), cv2.warpAffine(picture, matrix, size), known)
