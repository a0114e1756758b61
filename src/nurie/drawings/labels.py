"""Label maps: drawings of a few flat colours, each of which stands for something (Isola et al. 2017, figure 1)."""

from collections.abc import Sequence

import cv2
import numpy as np

from nurie.drawings.ink import Image, brightest, is_line_drawing

FLAT = 16  # largest range of a channel in the 3x3 pixels about a flat one
NEAR = 16  # largest difference of a channel to the label's colour: JPEG leaves some noise
CLOSE = 6  # and of most of a label's pixels
MOSTLY = 0.85  # their least share; CMP Facades has 0.98, its photos 0.35
RARE = 0.001  # a colour of a smaller share of the flat pixels is no label
MOST = 24  # labels


def label_colours(drawings: Sequence[Image]) -> list[str]:
    """The labels' colours as "#rrggbb", the most common first; empty when the drawings are no label maps.

    `drawings`: uint8 (h, w, 3). Where half of them are line drawings, the others are, too, but filled in. Labels that
    they do not show are not found. Only flat pixels count, since resizing and JPEG mix the colours at edges; and the
    most common colour says nothing: photos may lie on white paper.
    """
    if 2 * sum(map(is_line_drawing, drawings)) >= len(drawings):
        return []
    flat = np.concatenate([drawing[is_flat(drawing)] for drawing in drawings]).astype(np.int16)
    found, left = [], flat
    while len(left) > RARE * len(flat) and len(found) < MOST:
        colour, difference = commonest(left)
        near = difference <= NEAR
        found.append((int(near.sum()), int((difference <= CLOSE).sum()), colour))
        left = left[~near]
    found.sort(reverse=True)
    labels = [label for label in found if label[0] > RARE * len(flat)]
    if len(labels) < 2 or sum(close for _, close, _ in labels[1:]) < MOSTLY * (len(flat) - labels[0][0]):
        return []
    return [f"#{red:02x}{green:02x}{blue:02x}" for _, _, (red, green, blue) in labels]


def is_flat(drawing: Image) -> np.ndarray:
    """Where all of the 3x3 pixels about one have nearly its colour, bool (h, w)."""
    around = np.ones((3, 3), np.uint8)
    return brightest(cv2.dilate(drawing, around) - cv2.erode(drawing, around)) <= FLAT


def commonest(pixels: np.ndarray) -> tuple[tuple[int, int, int], np.ndarray]:
    """The most common colour of pixels (n, 3), and how far each is from it in its farthest channel, (n,)."""
    bins = (pixels >> 4) @ np.array([256, 16, 1])  # 16 levels of each channel
    first = np.median(pixels[bins == np.bincount(bins).argmax()], axis=0)
    near = np.abs(pixels - first).max(axis=1) <= NEAR
    red, green, blue = (int(level) for level in np.median(pixels[near], axis=0))
    return (red, green, blue), np.abs(pixels - (red, green, blue)).max(axis=1)
