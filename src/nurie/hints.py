"""Colour hints: strokes in the target picture's own colours on a line drawing, as a person would paint them with a
coloured pencil (the idea of Zhang et al. 2017, "Real-time user-guided image colorization", without extra channels).

A generator trained with them colours the region around a coloured stroke in its colour.
"""

import cv2
import numpy as np
from numpy.random import Generator

from nurie.augment import Image, is_line_drawing

WHITE = 235  # a pixel of a picture whose darkest channel is brighter is paper
PAPER = 200  # the same of a drawing: what is darker is a line
REACH = 6  # pixels of 256 around a stroke that it should colour too
SAME = 16  # levels that colours of one flat area differ by at most


def add_hints(drawing: Image, picture: Image, rng: Generator) -> tuple[Image, np.ndarray]:
    """Draw 1 to 8 strokes inside the subject, each in the median colour of the picture under it, lines left out.

    Both are uint8 (h, w, 3). Returns a new drawing, and where the strokes say the colour, bool (h, w). No strokes where
    it is no line drawing or the picture is blank.
    """
    count = int(rng.integers(1, 9)) if is_line_drawing(drawing) else 0
    hinted, covers = add_strokes(drawing, picture, count, rng)
    if not covers:
        return hinted, np.zeros(drawing.shape[:2], bool)
    says = [around(np.any(covers, axis=0), picture), *(area(cover, picture) for cover in covers)]
    return hinted, np.any(says, axis=0)


def add_strokes(lines: Image, picture: Image, count: int, rng: Generator) -> tuple[Image, list[np.ndarray]]:
    """A drawing of these lines with up to `count` strokes, and the pixels that each covers in the subject, bool (h, w).

    They begin between the lines and take the colour from there: nobody colours an outline.
    """
    inside, paper = subject(picture), lines.min(axis=2) > PAPER
    places = np.argwhere(inside & paper)
    drawing, covers = lines, []
    for _ in range(count if len(places) else 0):
        y, x = places[rng.integers(len(places))]
        cover = stroke(lines.shape, x, y, rng) * inside
        covered = cover > 0.5
        between = covered & paper
        if not between.any():
            continue
        colour = np.median(picture[between], axis=0) + rng.uniform(-10, 10, 3)
        drawing = draw_stroke(drawing, lines, cover, colour, rng)
        covers.append(covered)
    return drawing, covers


def around(cover: np.ndarray, picture: Image) -> np.ndarray:
    """What strokes should colour, bool (h, w): the pixels that they cover, and those near by inside the subject."""
    reach = max(1, round(REACH * cover.shape[1] / 256))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    return cv2.dilate(cover.astype(np.uint8), disc).astype(bool) & subject(picture)


def area(cover: np.ndarray, picture: Image) -> np.ndarray:
    """The whole flat area that a stroke lies in, bool (h, w): the pixels of one colour that hang together."""
    colour = np.median(picture[cover], axis=0)
    count, found = cv2.connectedComponents(cv2.inRange(picture, colour - SAME, colour + SAME), connectivity=4)
    labels = found.astype(np.intp)
    touched = np.zeros(count, bool)
    touched[labels[cover]] = True
    touched[0] = False  # other colours
    return touched[labels]


def subject(picture: Image) -> np.ndarray:
    """Where the picture is not white paper, bool (h, w)."""
    return picture.min(axis=2) < WHITE


def stroke(shape: tuple[int, ...], x: float, y: float, rng: Generator) -> np.ndarray:
    """A short bent line from (x, y), 2 to 9 wide and up to 60 long in 256 pixels: its cover, float32 (h, w)."""
    unit = shape[1] / 256
    angle, points = rng.uniform(0, 2 * np.pi), [(x, y)]
    for _ in range(int(rng.integers(1, 5))):
        angle += rng.normal(0, 0.6)
        length = rng.uniform(3, 15) * unit
        x, y = x + length * np.cos(angle), y + length * np.sin(angle)
        points.append((x, y))
    cover = np.zeros(shape[:2], np.uint8)
    width = max(1, round(rng.uniform(2, 9) * unit))
    cv2.polylines(cover, [np.rint(points).astype(np.int32)], False, 255, width, cv2.LINE_AA)
    return cover.astype(np.float32) / 255


def draw_stroke(drawing: Image, lines: Image, cover: np.ndarray, colour: np.ndarray, rng: Generator) -> Image:
    """The drawing with one more stroke. The lines remain visible under half of the strokes."""
    x, y, w, h = cv2.boundingRect((cover > 0).astype(np.uint8))
    box = np.s_[y : y + h, x : x + w]
    painted = colour * lines[box].astype(np.float32) / 255 if rng.random() < 0.5 else colour
    before = drawing[box].astype(np.float32)
    mixed = before + (painted - before) * cover[box][:, :, None]
    drawing = drawing.copy()
    drawing[box] = np.rint(np.clip(mixed, 0, 255))
    return drawing
