"""Made-up paws in pairs of drawing and picture: ovals with toes, which are neither eyes nor holes.

Extractors find few whole paws in fur, people draw them closed; and made-up faces (faces.py) say that ovals are eyes.
"""

import numpy as np
from numpy.random import Generator

from nurie.batches.tails import heading_outwards, longest_outline
from nurie.drawings.ink import (
    Image,
    blend,
    circle,
    draw_curves,
    fill,
    on_circle,
    rotation,
    subject,
    to_drawing,
    to_ink,
    unit_of,
)


def add_paws(drawing: Image, picture: Image, rng: Generator) -> tuple[Image, Image, np.ndarray]:
    """One to four ovals with half axes of 4 to 27 pixels in 256, most with toes, in the subject's lower half.

    Seven of ten lie on its outline. In the picture their lines have the colour that it has under its lines, and
    nothing else changes. Needs a line drawing with lines, and a subject. Returns a new drawing and its picture, and
    what is in the ovals, bool (h, w).
    """
    inside, ink = subject(picture), to_ink(drawing)
    near, lines, outline = np.zeros(inside.shape, bool), ink > 0.5, longest_outline(inside)
    unit = unit_of(ink.shape)
    low = np.flatnonzero(outline[:, 1] >= np.median(outline[:, 1]))
    within = np.argwhere(inside)
    within = within[within[:, 0] >= np.median(within[:, 0])][:, ::-1]
    size = 7 * 3 ** rng.random() * unit
    pen = rng.uniform(0.6, 2.4) * min(unit, size / 12)
    share = np.zeros_like(ink)
    for _ in range(int(rng.integers(1, 5))):
        radii = size * rng.uniform(0.6, 1.3, 2)
        if rng.random() < 0.7:
            start = int(rng.choice(low))
            heading = heading_outwards(outline, start, unit)
            middle = outline[start] - rng.uniform(0, 1) * radii[1] * on_circle(heading)
        else:
            heading, middle = rng.uniform(0, 2 * np.pi), rng.choice(within)
        turn = rotation(heading - np.pi / 2 + rng.normal(0, 0.3))
        rim, *toes = (middle + curve * radii @ turn for curve in paw(rng))
        oval = fill(middle + circle(48) * radii @ turn, ink.shape) * inside
        if rng.random() < 0.5:  # instead of lines in it
            keep = 1 - fill(middle + circle(48) * (radii - 2 * unit).clip(min=0) @ turn, ink.shape)
            ink, share = ink * keep, share * keep
        share = np.maximum(share, draw_curves([rim, *toes], pen, ink.shape) * inside)
        near |= oval > 0.5
    painted = np.rint(blend(picture, np.median(picture[lines], axis=0), share)).astype(np.uint8)
    return to_drawing(np.maximum(ink, share)), painted, near


def paw(rng: Generator) -> list[np.ndarray]:
    """The curves (n, 2) of a paw in a circle of radius 1, toes towards y: its rim, half of them open, and its toes."""
    degrees = 360 if rng.random() < 0.5 else rng.uniform(180, 340)
    angles = np.pi / 2 + np.radians(rng.normal(0, 30) + np.linspace(-degrees / 2, degrees / 2, 48))
    rim = on_circle(angles)
    count = int(rng.choice(5, p=(0.15, 0.15, 0.3, 0.3, 0.1)))
    across = (np.arange(count) - (count - 1) / 2) * rng.uniform(0.25, 0.5)
    ends = np.array([rng.uniform(-0.7, 0.4), rng.uniform(0.5, 0.9)])
    toes = np.stack([across[:, None] * [1, rng.uniform(0.8, 1.2)], ends + rng.normal(0, 0.08, (count, 2))], 2)
    return [rim, *toes]
