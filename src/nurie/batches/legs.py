"""Made-up legs in pairs of drawing and picture: what is between two lines is paper where it is open to the paper.

In few photos of sitting and lying animals paper shows between legs; people draw four of them.
"""

import numpy as np
from numpy.random import Generator

from nurie.batches.tails import band, heading_outwards, longest_outline
from nurie.drawings.ink import Image, blend, draw_curves, on_circle, subject, to_drawing, to_ink, unit_of


def add_legs(drawing: Image, picture: Image, rng: Generator) -> tuple[Image, Image]:
    """One to three bays of paper from the subject's lower outline upwards, up to 32 pixels wide of 256 below.

    Instead of four of ten there are the two lines alone, and below them the outline as it was: what is between these is
    no paper. Needs a line drawing with lines, and a subject. Returns a new drawing and its picture.
    """
    inside, ink = subject(picture), to_ink(drawing)
    lines, outline = ink > 0.5, longest_outline(inside)
    unit = unit_of(ink.shape)
    line, pen = np.median(picture[lines], axis=0), rng.uniform(1.2, 3) * unit
    low = np.flatnonzero(outline[:, 1] >= np.quantile(outline[:, 1], 0.6))
    for start in rng.choice(low, int(rng.integers(1, 4))):
        heading = heading_outwards(outline, start, unit)
        if np.sin(heading) < 0.6:  # that side does not look down
            continue
        middle, radii = bay(inside, outline[start], heading + rng.normal(0, 0.2), unit, rng)
        if rng.random() < 0.6:
            outer, paper = (band(middle, radii + side * pen / 2, ink.shape) for side in (1, -1))
            share = (outer - paper).clip(min=0) * inside
            ink, picture = ink * (1 - paper), blend(picture, np.full(3, 255), paper)
            inside = inside & (paper < 0.5)
        else:
            bounds = [middle + side * radii[:, None] * normals(middle) for side in (-1, 1)]
            share = draw_curves(bounds, pen, ink.shape) * inside
        ink, picture = np.maximum(ink, share), blend(picture, line, share)
    return to_drawing(ink), np.rint(picture).astype(np.uint8)


def bay(
    inside: np.ndarray, start: np.ndarray, heading: float, unit: float, rng: Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Points (n, 2) of a curve from just outside a subject (h, w) into it, in pixels, and half the bay's width at each.

    It ends well within the subject: at most after six tenths of the way through.
    """
    h, w = inside.shape
    steps = np.arange(-3, 200) * unit
    through = start - steps[:, None] * on_circle(heading)
    x, y = np.rint(through).astype(int).T
    here = (x >= 0) & (x < w) & (y >= 0) & (y < h)
    here[here] = inside[y[here], x[here]]
    entered = int(here.argmax())
    left = np.flatnonzero(~here[entered:])
    depth = int(left[0]) if len(left) else len(here) - entered
    count = 4 + round(min(rng.uniform(8, 70), 0.6 * depth))
    bend = np.cumsum(np.cumsum(np.full(count, rng.normal(0, 0.0015))))
    middle = through[:count] + bend[:, None] * on_circle(heading + np.pi / 2) * unit
    mouth = min(4 * 4 ** rng.random(), 0.4 * count) * unit
    return middle, np.linspace(mouth, mouth * rng.uniform(0.4, 1), count)


def normals(middle: np.ndarray) -> np.ndarray:
    """Of length 1, across a curve (n, 2)."""
    along = np.gradient(middle, axis=0)
    return along[:, ::-1] * (-1, 1) / np.hypot(*along.T)[:, None]
