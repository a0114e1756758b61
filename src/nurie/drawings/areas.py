"""Areas of one colour in a picture, and how much of it is lost in another: the shades within them."""

import cv2
import numpy as np

from nurie.drawings.ink import Image, brightest, subject, unit_of

SAME = 4  # levels that colours of one flat area differ by at most: less than those of fur
LEAST = 8  # of 256 pixels: areas are at least as large as a square of this width


def flat_areas(picture: Image) -> np.ndarray:
    """The subject's areas of one colour by number, from 1; 0 for all else: int32 (h, w). `picture`: uint8 (h, w, 3).

    Within 3x3 pixels no channel of an area differs by more than SAME levels, so areas keep a pixel off their borders.
    """
    square = np.ones((3, 3), np.uint8)
    spread = brightest(cv2.subtract(cv2.dilate(picture, square), cv2.erode(picture, square)))
    even = (spread <= SAME) & subject(picture)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(even.astype(np.uint8), connectivity=4)
    large = stats[:, cv2.CC_STAT_AREA] >= (LEAST * unit_of(picture.shape)) ** 2
    large[0] = False  # what is not even
    numbers = np.where(large, np.cumsum(large), 0).astype(np.int32)
    return numbers[np.asarray(labels, np.int32)]


def shades(picture: Image, areas: np.ndarray) -> np.ndarray:
    """How far each of these pixels is from its area's mean colour, mean over the channels, 0-1: float (pixels,)."""
    inside = areas > 0
    colours, numbers = picture[inside] / 255, areas[inside]
    counts = np.bincount(numbers).clip(min=1)
    means = np.stack([np.bincount(numbers, channel) for channel in colours.T], axis=1) / counts[:, None]
    return np.abs(colours - means[numbers]).mean(axis=1)
