"""How wide the lines of a picture are, and how they can still be seen when it is made smaller."""

import math

import numpy as np

Image = np.ndarray  # uint8 (h, w, 3), RGB

INK = 192  # a pixel is of a line where one of its channels is darker
PALE, SEEN = 1.0, 1.5  # pixels: lines of pictures that are made smaller would be grey below one, and get the other
WHITE = 200  # a pixel whose channels are all at least as bright is paper


def line_width(picture: Image) -> float:
    """About how wide the lines of a picture are, pixels: twice the area of their ink by the length of its edges."""
    ink = np.pad(least_channel(picture) < INK, 1)
    down, across = (np.count_nonzero(np.diff(ink, axis=axis)) for axis in (0, 1))
    return float(2 * np.count_nonzero(ink) / max(1.0, np.hypot(down, across)))  # right for straight ones


def keep_lines(picture: Image, scale: float) -> Image:
    """A picture that becomes `scale` as large: where that is smaller, and it is mostly white, as line art is, with
    lines that can still be seen; else as it is."""
    if scale >= 1 or 6 * np.count_nonzero(least_channel(picture) >= WHITE) <= picture.size:
        return picture
    return widened(picture, scale)


def widened(picture: Image, scale: float) -> Image:
    """With lines that are not too thin to be seen when the picture is made smaller, to `scale` of its size."""
    width = line_width(picture)
    if width * scale >= PALE:
        return picture
    missing = math.ceil(SEEN / scale - width)
    sides = ((missing + 1) // 2, missing // 2)
    least = least_below(np.pad(picture, (sides, sides, (0, 0)), mode="edge"), missing + 1)
    return least_below(least.swapaxes(0, 1), missing + 1).swapaxes(0, 1)


def least_below(picture: np.ndarray, count: int) -> np.ndarray:
    """Of each pixel and those below it, `count` in all, the least: as many rows as there are windows."""
    if count == 1:
        return picture
    half = least_below(picture, count - count // 2)
    return np.minimum(half[: -(count // 2)], half[count // 2 :])


def least_channel(picture: Image) -> np.ndarray:
    """(h, w)"""
    return np.minimum(np.minimum(picture[:, :, 0], picture[:, :, 1]), picture[:, :, 2])
