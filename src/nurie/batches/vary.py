"""Vary pairs, and drawings as people's hands do, so that a generator works on more than extracted edges.

Drawings with colour (label maps, photos) are only jittered: nothing else makes sense for them.
"""

import cv2
import numpy as np
from numpy.random import Generator

from nurie.batches.streams import Choice, Streams
from nurie.batches.tails import add_tail
from nurie.drawings.ink import (
    BLACK,
    WHITE,
    Image,
    blend,
    darkest,
    draw_curves,
    fill,
    is_line_drawing,
    on_circle,
    rotation,
    subject,
    to_drawing,
    to_ink,
    unit_of,
)


def jitter(drawing: Image, picture: Image, rng: Generator) -> tuple[Image, Image]:
    """Three of four pairs are made up to 12 % larger and cropped to their size at random (Isola et al. 2017, 6.2).

    On white paper one of four is made smaller instead, down to a quarter, and moved about on it: people draw large and
    small, anywhere, and begin with a few lines on empty paper.
    """
    h, w = drawing.shape[:2]
    factor = rng.uniform(1, 286 / 256) if rng.random() < 0.75 else 1.0
    if rng.random() < 0.25 and on_paper(drawing) and on_paper(picture):
        factor = rng.uniform(0.25, 1)
    room = w - round(w * factor), h - round(h * factor)  # less than none where it is larger
    if room == (0, 0):
        return drawing, picture
    left, top = (int(rng.integers(min(pixels, 0), max(pixels, 0) + 1)) for pixels in room)
    move = np.array([[1, 0, left], [0, 1, top]], np.float32)
    method = cv2.INTER_LINEAR if factor > 1 else cv2.INTER_AREA
    resized = (cv2.resize(image, (w - room[0], h - room[1]), interpolation=method) for image in (drawing, picture))
    drawing, picture = (cv2.warpAffine(image, move, (w, h), borderValue=(255, 255, 255)) for image in resized)
    return drawing, picture


def on_paper(image: Image) -> bool:
    """True where all of the border is white."""
    border = darkest(image) >= WHITE
    return bool(border[[0, -1]].all() and border[:, [0, -1]].all())


def vary(drawing: Image, picture: Image, streams: Streams, tails: float = 0.0) -> tuple[Image, Image]:
    """Drop strokes, add strokes to both, and wobble both alike, so that a picture follows its lines: each with its own
    chance. A share of `tails` gets a tail.

    `drawing`: uint8 (h, w, 3), dark lines on white. Returns new ones.
    """
    if not is_line_drawing(drawing):
        return drawing, picture
    ink = to_ink(drawing)
    if rng := streams.when(Choice.DROP, 0.5):
        ink = drop_strokes(ink, rng)
    if rng := streams.when(Choice.STROKES, 0.5):
        ink, picture = add_strokes(ink, picture, rng)
    if rng := streams.when(Choice.TAIL, tails):
        ink, picture = add_tail(ink, picture, rng)
    if rng := streams.when(Choice.WOBBLE, 0.5):
        field = wobble_field(ink.shape, rng)
        ink, picture = warp(ink, field), warp(picture, field)
    return to_drawing(ink), picture


def redraw(drawing: Image, rng: Generator) -> Image:
    """A new drawing, the same lines by another pen: with gaps, wider, softer or fainter, each with its own chance."""
    if not is_line_drawing(drawing):
        return drawing
    ink = to_ink(drawing)
    if rng.random() < 0.5:
        ink = make_gaps(ink, rng)
    ink = change_width(ink, rng)
    if rng.random() < 0.5:
        ink = soften(ink, rng)
    return to_drawing(ink)


def drop_strokes(ink: np.ndarray, rng: Generator) -> np.ndarray:
    """Remove each small connected stroke with one chance, drawn for the whole picture (0 to 0.6).

    Strokes with more than 15 % of the ink stay: they are the outline.
    """
    count, labels, stats, _ = cv2.connectedComponentsWithStats((ink > 0.2).astype(np.uint8), connectivity=8)
    area = stats[:, cv2.CC_STAT_AREA].astype(np.float32)
    small = area < 0.15 * max(area[1:].sum(), 1.0)
    drop = small & (rng.random(count) < rng.uniform(0.0, 0.6))
    drop[0] = False
    gone = cv2.dilate(drop[labels].astype(np.uint8), np.ones((3, 3), np.uint8))
    return ink * (1 - gone)


def add_strokes(ink: np.ndarray, picture: Image, rng: Generator) -> tuple[np.ndarray, Image]:
    """1 to 3 marks in the subject, as people draw them: bows, hatching, blots.

    Half of the bows, smaller ones, lie on its outline. In the picture lines have the colour that it has under its
    lines, and what is solid is black.
    """
    inside, lines = subject(picture), ink > 0.5
    if not lines.any() or not inside.any():
        return ink, picture
    rim = inside & (cv2.erode(inside.astype(np.uint8), np.ones((3, 3), np.uint8)) == 0)
    rim = rim if rim.any() else inside  # a subject that fills the sheet has no outline on it
    unit = unit_of(ink.shape)
    strokes, solid = np.zeros_like(ink), np.zeros_like(ink)

    def place(places: np.ndarray, curves: np.ndarray) -> np.ndarray:
        return rng.choice(np.argwhere(places))[::-1] + unit * curves

    for _ in range(int(rng.integers(1, 4))):
        kind, width = rng.random(), rng.uniform(0.5, 2.5) * unit
        if kind < 0.2:
            solid = np.maximum(solid, fill(place(inside, bow(rng, 3, 20, 360)), ink.shape))
        elif kind < 0.4:
            strokes = np.maximum(strokes, draw_curves(place(inside, hatching(rng)), width, ink.shape))
        else:
            curve = place(rim, bow(rng, 5, 28)) if rng.random() < 0.5 else place(inside, bow(rng, 10, 48))
            strokes = np.maximum(strokes, draw_curves([curve], width, ink.shape))
    line = np.median(picture[lines], axis=0)
    painted = blend(blend(picture, line, strokes * inside), BLACK, solid * inside)
    return np.maximum(ink, np.maximum(strokes, solid) * inside), np.rint(painted).astype(np.uint8)


def bow(rng: Generator, least: float, most: float, degrees: float | None = None) -> np.ndarray:
    """A part of an oval with half axes from `least` to `most`, (64, 2), 90 to 420 degrees long if not said.

    Thighs and paws are drawn so: not all that is closed, from 360 degrees on, is a hole.
    """
    angles = np.radians(rng.uniform(0, 360) + np.linspace(0, degrees or rng.uniform(90, 420), 64))
    oval = on_circle(angles) * rng.uniform(least, most, 2)
    return oval @ rotation(rng.uniform(0, np.pi))


def hatching(rng: Generator) -> np.ndarray:
    """3 to 7 strokes side by side, (count, 2, 2), like stripes and the hair in ears."""
    count, length = int(rng.integers(3, 8)), rng.uniform(6, 30)
    across = (np.arange(count) - (count - 1) / 2) * rng.uniform(2.5, 9)
    ends = np.array([-0.5, 0.5]) * length * rng.uniform(0.6, 1, (count, 1))
    xs = across[:, None] + rng.normal(0, 0.5, (count, 2))
    ys = rng.uniform(-0.5, 0.5) * across[:, None] + ends
    return np.stack([xs, ys], 2) @ rotation(rng.uniform(0, 2 * np.pi))


def wobble_field(shape: tuple[int, ...], rng: Generator) -> np.ndarray:
    """A shaky hand: smooth and random, up to about 2 pixels in 256 to the right and down: float32 (2, h, w)."""
    h, w = shape[:2]
    unit, cells = unit_of(shape), int(rng.integers(6, 20))
    rows, columns = (max(2, round(cells * side / (256 * unit))) for side in (h, w))
    reach = rng.uniform(0.5, 2.0) * unit
    field = rng.uniform(-reach, reach, (2, rows, columns)).astype(np.float32)
    return np.stack([cv2.resize(f, (w, h), interpolation=cv2.INTER_CUBIC) for f in field])


def warp(image: np.ndarray, field: np.ndarray) -> np.ndarray:
    """Each pixel from as far away as the field says; the border is continued."""
    h, w = image.shape[:2]
    ys, xs = np.mgrid[0:h, 0:w].astype(np.float32)
    return cv2.remap(image, xs + field[0], ys + field[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def make_gaps(ink: np.ndarray, rng: Generator) -> np.ndarray:
    """Lift the pen at up to 40 places on the lines, for 2 to 6 pixels in 256; with a chance of one in four at one more,
    for up to 48: an outline that was left open is one still."""
    ys, xs = np.nonzero(ink > 0.3)
    if len(ys) == 0:
        return ink
    keep = np.ones_like(ink)
    radii = rng.uniform(1.0, 3.0, int(rng.integers(1, 40)))
    if rng.random() < 0.25:
        radii[0] = rng.uniform(6.0, 24.0)
    for i, radius in zip(rng.integers(0, len(ys), len(radii)), radii, strict=True):
        radius = max(1, round(radius * unit_of(ink.shape)))
        cv2.circle(keep, (int(xs[i]), int(ys[i])), radius, 0.0, -1, cv2.LINE_AA)
    return ink * keep


def soften(ink: np.ndarray, rng: Generator) -> np.ndarray:
    """Edges as of other pens and programs, 0.3 to 1 pixels in 256 soft, and lines a little fainter or darker."""
    return cv2.GaussianBlur(ink, (0, 0), rng.uniform(0.3, 1.0) * unit_of(ink.shape)) * rng.uniform(0.8, 1.5)


def change_width(ink: np.ndarray, rng: Generator) -> np.ndarray:
    """Thinner or thicker lines: a blur followed by a gain, or a threshold; sometimes made binary."""
    kind = rng.random()
    if kind < 0.25:
        return ink
    if kind < 0.6:  # thicker: up to about 7 pixels in 256
        ink = cv2.GaussianBlur(ink, (0, 0), rng.uniform(0.5, 2.5) * unit_of(ink.shape))
        lines = ink[ink > 0.05]
        if lines.size:  # as dark as before, or darker
            ink *= rng.uniform(1.2, 2.5) / np.percentile(lines, 80)
    else:  # thinner or fainter
        ink = (ink - rng.uniform(0.0, 0.5)) * rng.uniform(1.0, 2.0)
    if rng.random() < 0.25:
        ink = (ink > rng.uniform(0.3, 0.6)).astype(np.float32)
    return np.clip(ink, 0, 1)
