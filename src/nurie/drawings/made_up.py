"""Drawings for a generator that comes without any: line art, or label maps. The same ones at each call."""

from collections.abc import Sequence

import numpy as np

from nurie.drawings.pixels import draw_strokes
from nurie.files.schema import Stroke

LINE = 2.0  # width, pixels of a sheet of 256
# Motifs as lines of x, y in parts of the sheet; an arc is a centre, radii, and where it begins and ends, in turns.
HOUSE = [
    [0.2, 0.85, 0.2, 0.45, 0.5, 0.18, 0.8, 0.45, 0.8, 0.85, 0.2, 0.85],
    [0.14, 0.5, 0.2, 0.45, 0.8, 0.45, 0.86, 0.5],
    [0.43, 0.85, 0.43, 0.6, 0.57, 0.6, 0.57, 0.85],
    [0.27, 0.52, 0.37, 0.52, 0.37, 0.64, 0.27, 0.64, 0.27, 0.52],
    [0.63, 0.52, 0.73, 0.52, 0.73, 0.64, 0.63, 0.64, 0.63, 0.52],
]
CAT = [
    [0.29, 0.42, 0.27, 0.16, 0.42, 0.28],
    [0.71, 0.42, 0.73, 0.16, 0.58, 0.28],
    [0.47, 0.6, 0.53, 0.6, 0.5, 0.64, 0.47, 0.6],
    [0.5, 0.64, 0.5, 0.69],
    [0.34, 0.6, 0.14, 0.56],
    [0.34, 0.64, 0.14, 0.66],
    [0.66, 0.6, 0.86, 0.56],
    [0.66, 0.64, 0.86, 0.66],
]
HEAD = [(0.5, 0.55, 0.27, 0.27, -0.14, 0.64), (0.4, 0.5, 0.045, 0.055, 0, 1), (0.6, 0.5, 0.045, 0.055, 0, 1)]
TAIL = [[0.74, 0.5, 0.9, 0.34, 0.87, 0.5, 0.9, 0.66, 0.74, 0.5], [0.42, 0.31, 0.52, 0.2, 0.6, 0.34]]
FISH = [(0.44, 0.5, 0.32, 0.2, 0, 1), (0.26, 0.46, 0.03, 0.03, 0, 1), (0.3, 0.5, 0.1, 0.16, -0.2, 0.2)]
TREE = [(0.5, 0.4, 0.24, 0.26, 0, 1), (0.4, 0.42, 0.07, 0.05, 0, 1), (0.58, 0.34, 0.08, 0.08, 0, 1)]
MOTIFS = ((HOUSE, []), (CAT, HEAD), (TAIL, FISH), ([[0.5, 0.9, 0.5, 0.62]], TREE))  # lines, arcs


def made_up(count: int, height: int, width: int, labels: Sequence[str] = ()) -> list[np.ndarray]:
    """uint8 (height, width, 3) each: line art, or where there are labels, their colours as "#rrggbb", maps of them."""
    if labels:
        return [label_map(height, width, labels, np.random.default_rng(i)) for i in range(count)]
    return [draw_strokes(motif(i, height, width), height, width) for i in range(count)]


def motif(number: int, height: int, width: int) -> list[Stroke]:
    """The next of the motifs, each time smaller and elsewhere."""
    lines, arcs = MOTIFS[number % len(MOTIFS)]
    random = np.random.default_rng(number)
    scale = 1.0 if number < len(MOTIFS) else random.uniform(0.5, 0.9)
    unit = scale * min(height, width)
    corner = random.uniform(0.3, 0.7, 2) if scale < 1 else np.array([0.5, 0.5])
    corner = corner * (width - unit, height - unit)
    points = [np.array(line).reshape(-1, 2) for line in lines] + [arc(*numbers) for numbers in arcs]
    widest = max(1.0, LINE * min(height, width) / 256)
    return [Stroke(widest, [round(float(at), 2) for at in (unit * line + corner).reshape(-1)]) for line in points]


def arc(x: float, y: float, across: float, down: float, begin: float, end: float) -> np.ndarray:
    """Points of a part of an ellipse, (n, 2)."""
    turns = 2 * np.pi * np.linspace(begin, end, 33)
    return np.stack([x + across * np.cos(turns), y + down * np.sin(turns)], 1)


def label_map(height: int, width: int, labels: Sequence[str], random: np.random.Generator) -> np.ndarray:
    """Boxes of all labels on the first one."""
    colours = np.array([[*bytes.fromhex(label[1:])] for label in labels], np.uint8)
    drawing = np.empty((height, width, 3), np.uint8)
    drawing[:] = colours[0]
    for colour in [*colours[1:], *colours[1:]]:
        h, w = (int(side * random.uniform(0.1, 0.45)) for side in (height, width))
        top, left = int(random.integers(0, height - h + 1)), int(random.integers(0, width - w + 1))
        drawing[top : top + max(h, 1), left : left + max(w, 1)] = colour
    return drawing
