"""Colour hints: strokes in the target picture's own colours on a line drawing, as a person would paint them with a
coloured pencil (the idea of Zhang et al. 2017, "Real-time user-guided image colorization", without extra channels).

A generator trained with them colours the region around a coloured stroke in its colour. So that it learns to, although
its style says most of the colour already, some strokes contradict the style: the picture around them is recoloured.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.random import Generator

from nurie.drawings.areas import SAME
from nurie.drawings.ink import Image, blend, darkest, is_line_drawing, subject, unit_of

PAPER = 200  # a pixel of a drawing whose darkest channel is darker is of a line
REACH = 6  # pixels of 256 around a stroke that it should colour too


@dataclass(frozen=True)
class Stroke:
    cover: np.ndarray  # float32 (h, w) in 0-1: how much of each pixel it paints; nothing outside the subject
    between: np.ndarray  # bool (h, w): the pixels that it covers between the lines
    colour: np.ndarray  # float (3,), RGB in 0-255
    over_lines: bool  # else the lines remain visible under it

    @property
    def covered(self) -> np.ndarray:
        return self.cover > 0.5


def random_hints(drawing: Image, picture: Image, rng: Generator) -> list[Stroke]:
    """1 to 8 strokes; none where it is no line drawing or the picture is blank. Both are uint8 (h, w, 3)."""
    return choose_strokes(drawing, picture, int(rng.integers(1, 9)), rng) if is_line_drawing(drawing) else []


def choose_strokes(drawing: Image, picture: Image, count: int, rng: Generator) -> list[Stroke]:
    """Up to `count` strokes in the subject of a line drawing, each in about the median colour of the picture under it.

    They begin between the lines and take the colour from there: nobody colours an outline.
    """
    inside, paper = subject(picture), darkest(drawing) > PAPER
    places = np.argwhere(inside & paper)
    strokes = []
    for _ in range(count if len(places) else 0):
        y, x = places[rng.integers(len(places))]
        cover = bent_line(drawing.shape, x, y, rng) * inside
        between = (cover > 0.5) & paper
        if between.any():
            colour = np.median(picture[between], axis=0) + rng.uniform(-10, 10, 3)
            strokes.append(Stroke(cover, between, colour, over_lines=rng.random() >= 0.5))
    return strokes


def recolour(
    drawing: Image, picture: Image, strokes: list[Stroke], share: float, rng: Generator
) -> tuple[Image, list[Stroke]]:
    """A new picture with another colour around a `share` of the strokes, and the strokes in its colours.

    Flat areas change as a whole; elsewhere what lies near by between the lines, in its own texture.
    """
    if share == 0 or not strokes:
        return picture, strokes
    painted, parts = picture.astype(np.float32), parts_between_lines(drawing, picture)
    for stroke in strokes:
        if rng.random() < share:
            change = any_colour(rng) - np.median(painted[stroke.between], axis=0)
            where = spoken_for(stroke, parts, picture, rng)
            painted = (painted + cv2.merge([where * part for part in change.astype(np.float32)])).clip(0, 255)
    painted = np.rint(painted).astype(np.uint8)
    moved = [np.median(painted[s.between], axis=0) - np.median(picture[s.between], axis=0) for s in strokes]
    return painted, [replace(s, colour=s.colour + change) for s, change in zip(strokes, moved, strict=True)]


def any_colour(rng: Generator) -> np.ndarray:
    """Of any hue, grey to pure, not as bright as paper: RGB in 0-255, (3,)."""
    hsv = np.array([[[rng.uniform(0, 360), rng.uniform(0, 1), rng.uniform(0.1, 0.9)]]], np.float32)
    return 255 * cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)[0, 0]


def parts_between_lines(drawing: Image, picture: Image) -> np.ndarray:
    """Numbers of the parts of the subject that lines divide it into, int32 (h, w); 0 for lines and what is around."""
    between = subject(picture) & (darkest(drawing) > PAPER)
    return np.asarray(cv2.connectedComponents(between.astype(np.uint8), connectivity=4)[1], np.int32)


def spoken_for(stroke: Stroke, parts: np.ndarray, picture: Image, rng: Generator) -> np.ndarray:
    """Where a stroke says the colour, float32 (h, w) in 0-1: all over its flat area, or up to 75 pixels of 256 away.

    `parts`: numbers of the parts between the lines; it stays in those that it touches.
    """
    flat, near = area(stroke.between, picture), around(stroke.covered, picture)
    if 2 * (flat & near).sum() > near.sum():
        return flat.astype(np.float32)
    unit = unit_of(parts.shape)
    hanging = np.isin(parts, np.unique(parts[stroke.between]))
    distance = cv2.distanceTransform((~stroke.between).astype(np.uint8), cv2.DIST_L2, 3)
    reach = rng.uniform(10, 50) * unit
    share = (1.5 - distance / reach).clip(0, 1) * cv2.dilate(hanging.astype(np.float32), np.ones((3, 3), np.uint8))
    return cv2.GaussianBlur(share, (0, 0), unit) * subject(picture)


def turn_hues(picture: Image, rng: Generator) -> Image:
    """All hues turned by one random angle, and up to twice as saturated: white, grey and black stay what they are."""
    hsv = cv2.cvtColor(picture, cv2.COLOR_RGB2HSV).astype(np.float32)
    hsv[:, :, 0] = (hsv[:, :, 0] + rng.uniform(0, 180)) % 180  # OpenCV counts 180 hues
    hsv[:, :, 1] = (hsv[:, :, 1] * rng.uniform(1, 2)).clip(max=255)
    return cv2.cvtColor(hsv.astype(np.uint8), cv2.COLOR_HSV2RGB)


def paint_strokes(drawing: Image, strokes: list[Stroke]) -> Image:
    """A new drawing with these strokes on it."""
    painted = drawing.copy()
    for stroke in strokes:
        x, y, w, h = cv2.boundingRect((stroke.cover > 0).astype(np.uint8))
        box = np.s_[y : y + h, x : x + w]
        colour = stroke.colour if stroke.over_lines else stroke.colour * drawing[box].astype(np.float32) / 255
        painted[box] = np.rint(blend(painted[box], colour, stroke.cover[box]).clip(0, 255))
    return painted


def told(strokes: list[Stroke], picture: Image) -> np.ndarray:
    """Where strokes say the colour, bool (h, w): near by, and all over the flat areas that they lie in."""
    if not strokes:
        return np.zeros(picture.shape[:2], bool)
    near = around(np.any([stroke.covered for stroke in strokes], axis=0), picture)
    return np.any([near, *(area(stroke.between, picture) for stroke in strokes)], axis=0)


def around(cover: np.ndarray, picture: Image) -> np.ndarray:
    """What strokes should colour, bool (h, w): the pixels that they cover, and those near by inside the subject."""
    reach = max(1, round(REACH * unit_of(cover.shape)))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    return cv2.dilate(cover.astype(np.uint8), disc).astype(bool) & subject(picture)


def area(between: np.ndarray, picture: Image) -> np.ndarray:
    """The whole flat area that a stroke lies in, bool (h, w): the pixels of one colour that hang together.

    `between`: the pixels that it covers between the lines.
    """
    colour = np.median(picture[between], axis=0)
    count, found = cv2.connectedComponents(cv2.inRange(picture, colour - SAME, colour + SAME), connectivity=4)
    labels = found.astype(np.intp)
    touched = np.zeros(count, bool)
    touched[labels[between]] = True
    touched[0] = False  # other colours
    return touched[labels]


def bent_line(shape: tuple[int, ...], x: float, y: float, rng: Generator) -> np.ndarray:
    """A short bent line from (x, y), 2 to 9 wide and up to 60 long in 256 pixels: its cover, float32 (h, w)."""
    unit = unit_of(shape)
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
