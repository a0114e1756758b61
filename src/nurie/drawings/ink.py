"""Line drawings and their pictures: ink, paper, subject; and to draw lines."""

import math
from collections.abc import Iterable

import cv2
import numpy as np

Image = np.ndarray  # uint8 (h, w, 3), RGB

WHITE = 235  # a pixel of a picture whose darkest channel is at least this bright is paper
BLACK = np.array([22, 18, 16])  # what is drawn solid, in pictures


def to_ink(drawing: Image) -> np.ndarray:
    """A grey drawing -> float32 (h, w): 0 is paper, 1 is black."""
    return 1.0 - drawing[:, :, 0].astype(np.float32) / 255.0


def to_drawing(ink: np.ndarray) -> Image:
    """float32 (h, w), 1 is black -> uint8 (h, w, 3)."""
    gray = np.rint((1.0 - np.clip(ink, 0, 1)) * 255).astype(np.uint8)
    return np.repeat(gray[:, :, None], 3, axis=2)


def is_line_drawing(drawing: Image) -> bool:
    """True for a grey picture that is mostly white."""
    spread = brightest(drawing) - darkest(drawing)
    return int(spread.max()) < 24 and int(np.count_nonzero(drawing[:, :, 0] > 200)) > spread.size // 2


def subject(picture: Image) -> np.ndarray:
    """Where the picture is not white paper, bool (h, w)."""
    return darkest(picture) < WHITE


def darkest(image: Image) -> np.ndarray:
    """The least of each pixel's three channels, (h, w); many times faster than `image.min(axis=2)`."""
    red, green, blue = cv2.split(image)
    return cv2.min(cv2.min(red, green), blue)


def brightest(image: Image) -> np.ndarray:
    """The greatest of each pixel's three channels, (h, w)."""
    red, green, blue = cv2.split(image)
    return cv2.max(cv2.max(red, green), blue)


def unit_of(shape: tuple[int, ...]) -> float:
    """Of a picture (h, w, ...), the pixels that are one in a square of 256 as large as it."""
    return math.sqrt(shape[0] * shape[1]) / 256


def blend(under: np.ndarray, over: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Two pictures, or colours, with a `share` float32 (h, w) in 0-1 of the upper one: float32 (h, w, 3)."""
    under, over = under.astype(np.float32), over.astype(np.float32)
    return under + (over - under) * cv2.merge([share] * 3)  # six times faster than `share[:, :, None]`


def fill(outline: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Pixels' shares, float32 (h, w), of what an outline (n, 2) encloses."""
    cover = np.zeros(shape, np.uint8)
    cv2.fillPoly(cover, [sixteenths(outline)], 255, cv2.LINE_AA, shift=4)
    return cover.astype(np.float32) / 255


def draw_curves(curves: Iterable[np.ndarray], width: float, shape: tuple[int, ...]) -> np.ndarray:
    """Pixels' shares, float32 (h, w), of lines along curves (n, 2)."""
    cover = np.zeros(shape, np.uint8)
    cv2.polylines(cover, [sixteenths(c) for c in curves], False, 255, max(1, round(width)), cv2.LINE_AA, shift=4)
    return cover.astype(np.float32) / 255


def circle(count: int) -> np.ndarray:
    """Points (count, 2) around a circle of radius 1."""
    return on_circle(np.linspace(0, 2 * np.pi, count, endpoint=False))


def on_circle(angles: np.ndarray | float) -> np.ndarray:
    """Points (..., 2) on a circle of radius 1 at angles in radians, from x towards y; so headings become steps, too."""
    return np.stack([np.cos(angles), np.sin(angles)], -1)


def sixteenths(points: np.ndarray) -> np.ndarray:
    return np.rint(points * 16).astype(np.int32)


def rotation(angle: float) -> np.ndarray:
    """The matrix on the right of points (n, 2) that turns them by an angle in radians, from x towards y."""
    return np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
