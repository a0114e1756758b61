"""Do eyes become eyes, however they are drawn? A contact sheet of 24 faces: six of cats, each with four kinds of eyes.

    python bench/eyes.py model/ eyes.webp

Dots, ticks, ovals and loops, a row each kind; each drawing lies beside its picture, in the next of the model's styles.
"""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

from nurie.drawings.pixels import draw_strokes
from nurie.drawings.sheets import sheet
from nurie.files.schema import Stroke
from nurie.painting.painter import open_painter

SIDE = 256  # pixels
WIDTH = 3.0  # of the pencil, pixels
# of each face: half its width and height, how far its eyes are apart and above its middle, how high its ears are
FACES = (
    (80, 72, 30, 12, 60),
    (64, 80, 24, 20, 70),
    (92, 64, 40, 8, 50),
    (50, 48, 18, 8, 40),
    (76, 84, 34, 16, 34),
    (88, 80, 26, 26, 66),
)
KINDS = ("dots", "ticks", "ovals", "loops")
MIDDLE = np.array([128.0, 148.0])


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("sheet", type=Path)
    options = parser.parse_args()
    painter = open_painter(options.model)
    rows = []
    for kind in KINDS:
        row = []
        for number, face in enumerate(FACES):
            drawing = draw_strokes([Stroke(WIDTH, line.ravel().tolist()) for line in lines(face, kind)], SIDE, SIDE)
            painter.set_seed(number)
            row += [drawing, painter.paint(drawing)]
        rows.append(row)
    picture = Image.fromarray(sheet(rows))
    picture.resize((picture.width // 2, picture.height // 2), Image.Resampling.LANCZOS).save(options.sheet, quality=85)


def lines(face: tuple[int, ...], kind: str) -> list[np.ndarray]:
    """Outline, ears, nose and mouth, and two eyes: points (n, 2) each."""
    across, down, apart, above, ears = face
    strokes = [oval(MIDDLE, across, down)]
    for side in (-1, 1):
        ear = np.array(
            [[0.9 * across, -0.45 * down], [0.75 * across, -0.7 * down - ears], [0.3 * across, -0.95 * down]]
        )
        strokes.append(MIDDLE + ear * (side, 1))
        strokes.append(eye(MIDDLE + np.array([side * apart, -above]), kind, across / 12))
    nose = MIDDLE + np.array([0, 0.3 * down])
    strokes.append(nose + np.array([[-5, -4], [5, -4], [0, 2], [-5, -4]]))
    strokes.append(nose + np.array([[-12, 12], [-5, 14], [0, 2], [5, 14], [12, 12]]))
    return strokes


def eye(middle: np.ndarray, kind: str, size: float) -> np.ndarray:
    """Points (n, 2) of an eye of about twice this size, pixels."""
    if kind == "dots":
        return middle[None]
    if kind == "ticks":
        return middle + np.array([[-0.2, -0.8], [0.2, 0.8]]) * size
    if kind == "ovals":
        return oval(middle, size, 0.7 * size)
    turns = np.linspace(0, 4 * np.pi, 33)[:, None]  # a spiral
    return middle + np.hstack([np.cos(turns), np.sin(turns)]) * size * np.linspace(1, 0.3, 33)[:, None]


def oval(middle: np.ndarray, across: float, down: float) -> np.ndarray:
    turns = np.linspace(0, 2 * np.pi, 41)[:, None]
    return middle + np.hstack([across * np.cos(turns), down * np.sin(turns)])


if __name__ == "__main__":
    main()
