"""Made-up faces in pairs of drawing and picture: extractors find few eyes in fur, people draw them first.

Lengths are in pixels, and a face is described in units of half the distance of its eyes.
"""

import cv2
import numpy as np
from numpy.random import Generator

from nurie.batches.tails import heading_outwards, longest_outline
from nurie.drawings.ink import (
    BLACK,
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

SHINE = np.array([248, 246, 240])


def add_face(drawing: Image, picture: Image, rng: Generator) -> tuple[Image, Image, np.ndarray]:
    """Two eyes, most often a nose, a mouth and whiskers, anywhere in the subject where there are few lines.

    Some whiskers start at the subject's outline and cross it: on paper they are lines, and no fur. Needs a line drawing
    with lines, and a subject. Returns a new drawing and its picture, and what is near the face, bool (h, w).
    """
    inside, ink = subject(picture), to_ink(drawing)
    lines = ink > 0.5
    line = np.median(picture[lines], axis=0)
    unit = unit_of(ink.shape)
    painted, whiskers = picture.astype(np.float32), []
    half = 7 * 6 ** rng.random() * unit
    if (middle := free_place(inside, lines, half, rng)) is not None:
        left, top = np.maximum(0, middle.astype(int) - int(2.5 * half))
        near = np.s_[top : top + int(5 * half), left : left + int(5 * half)]
        face = Face(middle - (left, top), half, rng)
        ink[near], painted[near] = face.draw_eyes(ink[near], painted[near], 0.5 * line)
        ink[near], painted[near] = face.draw_muzzle(ink[near], painted[near], 0.8 * line)
        whiskers += [curve + np.array([left, top]) for curve in face.whiskers()]
    whiskers += rim_whiskers(inside, unit, rng)
    share = draw_curves(whiskers, rng.uniform(0.5, 1.7) * unit, ink.shape)
    painted = np.rint(blend(painted, line, share)).astype(np.uint8)
    changed = (painted != picture).any(2).astype(np.uint8)
    return to_drawing(np.maximum(ink, share)), painted, cv2.dilate(changed, np.ones((7, 7), np.uint8)).astype(bool)


def free_place(inside: np.ndarray, lines: np.ndarray, half: float, rng: Generator) -> np.ndarray | None:
    """The one (x, y) of eight random places with room for eyes and muzzle that has the fewest lines about it."""
    depth = cv2.distanceTransform(np.pad(inside, 1).astype(np.uint8), cv2.DIST_L2, 3)[1:-1, 1:-1]
    shifts = [np.array([[1, 0, x], [0, 1, y]]) * 1.0 for x, y in ((-half, 0), (half, 0), (0, -half))]
    room = np.minimum.reduce([cv2.warpAffine(depth, shift, depth.shape[::-1]) for shift in shifts])
    places = np.argwhere(room > 0.8 * half)
    if not len(places):
        return None
    side = 4 * int(half) + 1
    crowded = cv2.blur(lines.astype(np.float32), (side, side))
    chosen = places[rng.integers(0, len(places), 8)]
    return min(chosen, key=lambda at: crowded[*at])[::-1].astype(float)


class Face:
    """Where a face is, and its parts' shapes: all that both eyes have in common."""

    def __init__(self, middle: np.ndarray, half: float, rng: Generator) -> None:
        self.middle, self.half, self.rng = middle, half, rng
        self.turn = rotation(rng.normal(0, 0.2))
        self.pen = rng.uniform(0.6, 3) * max(1, half / 16)
        self.sides = (-1, 1) if rng.random() < 0.8 else (rng.choice((-1, 1)),)  # seen from the side there is one eye

    def place(self, points: np.ndarray) -> np.ndarray:
        """(n, 2) in the face's units, x to the right and y down from between the eyes -> pixels."""
        return self.middle + self.half * points @ self.turn

    def draw_eyes(self, ink: np.ndarray, painted: np.ndarray, line: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Eyes with irises, beads, or strokes: ticks and the bows of closed eyes. What is black is so in both."""
        kind = self.rng.choice(3, p=(0.5, 0.2, 0.3))
        if kind == 0:
            return self.draw_open_eyes(ink, painted, line)
        return self.draw_beads(ink, painted) if kind == 1 else self.draw_lids(ink, painted)

    def draw_open_eyes(self, ink: np.ndarray, painted: np.ndarray, line: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Almonds or ovals with or without pupils. The iris is amber to green, and always has a pupil."""
        rng = self.rng
        almond = rng.random() < 0.5
        width = rng.uniform(0.3, 0.75)
        height = width * rng.uniform(0.6, 1.15)
        slant = rng.uniform(-0.15, 0.5) if almond else 0.0
        pupil = np.array([rng.uniform(0.15, 0.7), rng.uniform(0.7, 0.95)]) * (width, height)
        if rng.random() < 0.5:  # round
            pupil[:] = min(width, height) * rng.uniform(0.35, 0.75)
        drawn = rng.random() < 0.8  # else the drawing has none
        shine, shine_drawn = rng.uniform(0.2, 0.35) * max(pupil), rng.random() < 0.4
        look = rng.uniform(-0.2, 0.2, 2) * (width, height) * (1 - pupil / (width, height))
        iris = hsv(rng.uniform(28, 75), rng.uniform(0.45, 0.8), rng.uniform(0.7, 0.95))
        for side in self.sides:
            at = np.array([side, 0.0])
            shape = (almond_shape() if almond else circle(32)) * (width, height)
            lean = np.array([[1, -side * slant], [0, 1]])  # outer corners up
            shape = self.place(at + shape @ lean.T)
            eye, edge = fill(shape, ink.shape), draw_curves([closed(shape)], self.pen, ink.shape)
            black = fill(self.place(at + look + circle(32) * pupil), ink.shape) * eye
            ink = np.maximum(ink * (1 - eye), np.maximum(edge, black if drawn else 0))
            painted = blend(painted, self.shade(iris, at, height, ink.shape), eye)
            painted = blend(blend(painted, BLACK, black), line, edge)
            white = self.place(at + look + circle(32) * shine + (0, -0.4 * pupil[1]))
            light = fill(white, ink.shape) * black
            ink, painted = ink * (1 - light) if shine_drawn else ink, blend(painted, SHINE, light)
        return ink, painted

    def draw_beads(self, ink: np.ndarray, painted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Small or large black ovals, some with a shine."""
        rng = self.rng
        width = rng.uniform(0.12, 0.3) if rng.random() < 0.7 else rng.uniform(0.3, 0.6)
        size = width * np.array([1, rng.uniform(0.9, 1.6)])
        shine, shines = rng.uniform(0.2, 0.35) * size[1], rng.random() < 0.5
        for side in self.sides:
            at = np.array([side, 0.0])
            black = fill(self.place(at + circle(32) * size), ink.shape)
            white = self.place(at + circle(32) * shine + (0, -0.4 * size[1]))
            light = black * (fill(white, ink.shape) if shines else 0)
            ink = np.maximum(ink, black) * (1 - light)
            painted = blend(blend(painted, BLACK, black), SHINE, light)
        return ink, painted

    def draw_lids(self, ink: np.ndarray, painted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """A stroke for each eye: upright, or a bow up or down."""
        rng, along = self.rng, np.linspace(-1, 1, 12)
        if rng.random() < 0.5:
            curve = np.column_stack([0.1 * rng.normal() * along, along]) * rng.uniform(0.12, 0.4)
        else:
            sag = rng.uniform(0.1, 0.5) * rng.choice([-1, 1])
            curve = np.column_stack([along, sag * along**2]) * rng.uniform(0.25, 0.6)
        strokes = [self.place(curve * (side, 1) + (side, 0)) for side in self.sides]
        share = draw_curves(strokes, self.pen, ink.shape)
        return np.maximum(ink, share), blend(painted, BLACK, share)

    def draw_muzzle(self, ink: np.ndarray, painted: np.ndarray, line: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """A nose, a triangle, and a mouth of two bows below it; each may be missing."""
        rng = self.rng
        wide, down = rng.uniform(0.12, 0.32), rng.uniform(0.6, 1.2)
        low = down + wide * rng.uniform(0.8, 1.4)
        if rng.random() < 0.8:
            shape = self.place(np.array([(-wide, down), (wide, down), (0, low)]))
            nose, edge = fill(shape, ink.shape), draw_curves([closed(shape)], self.pen, ink.shape)
            black = rng.random() < 0.4
            ink = np.maximum(ink * (1 - nose), np.maximum(edge, nose if black else 0))
            colour = BLACK if black else hsv(rng.uniform(5, 20), 0.4, rng.uniform(0.55, 0.8))
            painted = blend(blend(painted, colour, nose), line, edge)
        if rng.random() < 0.8:
            reach, sag = rng.uniform(0.3, 0.6), rng.uniform(0.1, 0.3)
            angles = np.linspace(0, np.pi, 12)
            bow = np.column_stack([reach * (1 - np.cos(angles)) / 2, low + 0.15 + sag * np.sin(angles)])
            curves = bow, bow * (-1, 1), np.array([(0, low), (0, low + 0.15)])
            share = draw_curves([self.place(curve) for curve in curves], self.pen, ink.shape)
            ink, painted = np.maximum(ink, share), blend(painted, line, share)
        return ink, painted

    def whiskers(self) -> list[np.ndarray]:
        """Both sides' curves (n, 2), or none."""
        rng = self.rng
        if rng.random() < 0.4:
            return []
        fan = rng.uniform(1, 2.5) * whisker_fan(rng) + (rng.uniform(0.4, 0.9), rng.uniform(0.9, 1.4))
        return [self.place(curve * (side, 1)) for side in (-1, 1) for curve in fan]

    def shade(self, colour: np.ndarray, at: np.ndarray, radius: float, shape: tuple[int, ...]) -> np.ndarray:
        """The iris around `at`, float (h, w, 3): darker at its edge and below the upper lid."""
        ys, xs = np.mgrid[: shape[0], : shape[1]]
        x, y = np.moveaxis((np.stack([xs, ys], 2) - self.place(at)) / (radius * self.half), 2, 0)
        dark = 0.3 * np.clip(x * x + y * y, 0, 1) + 0.25 * np.clip(-y, 0, 1)
        return colour * (1 - dark)[:, :, None]


def rim_whiskers(inside: np.ndarray, unit: float, rng: Generator) -> list[np.ndarray]:
    """None to two fans of whiskers, (n, 2) each, that start within the subject and cross its outline."""
    outline, whiskers = longest_outline(inside), []
    for start in rng.integers(0, len(outline), int(rng.integers(0, 3))):
        heading = heading_outwards(outline, start, unit) + rng.uniform(-0.8, 0.8)
        fan = whisker_fan(rng) - (rng.uniform(0.1, 0.8), 0)
        whiskers += [outline[start] + rng.uniform(15, 55) * unit * curve @ rotation(heading) for curve in fan]
    return whiskers


def whisker_fan(rng: Generator) -> np.ndarray:
    """1 to 4 slightly bent lines to the right, (count, n, 2), about 1 long, that spread from near each other."""
    count, along = int(rng.integers(1, 5)), np.linspace(0, 1, 80)
    spread = np.linspace(-1, 1, count) * rng.uniform(0.15, 0.5) if count > 1 else np.zeros(1)
    headings = spread[:, None] + rng.normal(0, 0.05, (count, 1)) + rng.uniform(-0.4, 0.4) * along
    steps = on_circle(headings) / len(along)
    apart = np.stack([np.zeros(count), spread * rng.uniform(0.2, 0.6)], 1)
    return apart[:, None] + np.cumsum(steps, 1) * rng.uniform(0.7, 1, (count, 1, 1))


def almond_shape() -> np.ndarray:
    """A closed curve (n, 2) between -1 and 1 with pointed corners to the left and right."""
    x = np.linspace(-1, 1, 17)
    arch = 1 - x * x
    return np.concatenate([np.column_stack([x, -arch]), np.column_stack([x, 0.8 * arch])[-2:0:-1]])


def closed(curve: np.ndarray) -> np.ndarray:
    return np.concatenate([curve, curve[:1]])


def hsv(hue: float, saturation: float, value: float) -> np.ndarray:
    """Degrees and two shares -> RGB, 0 to 255."""
    pixel = np.array([[[hue, saturation, value]]], np.float32)
    return cv2.cvtColor(pixel, cv2.COLOR_HSV2RGB)[0, 0] * 255
