"""From a picture and its mask to a square picture with its subject on white."""

import cv2
import numpy as np

from nurie.errors import NurieError
from nurie.files.pictures import flattened

LARGEST_SIDE = 8192  # of a square that is cut out, pixels; what is larger is made smaller before
# Masks made by networks have faults.
SPECK = 0.015  # of the subject: what is smaller in a mask, black or white, is one
RING, SAME = 15, 15.0  # so is a hole whose mean colour is not this far (CIELAB) from that of 7 pixels around it


def window(height: int, width: int, mask: np.ndarray | None, fit: str, margin: float) -> tuple[int, int, int]:
    """The square to cut out: its top, left and side in pixels; it may reach beyond the picture.

    subject: the mask's box with a margin on each side; pad: the whole picture; crop: the largest centred square.
    Raises NurieError when the mask is empty.
    """
    top, left, bottom, right = 0, 0, height, width
    side = min(height, width) if fit == "crop" else max(height, width)
    if fit == "subject" and mask is not None:
        ys, xs = np.nonzero(mask > 0.5)
        if len(ys) == 0:
            raise NurieError("its mask is empty: nothing in it is white (or opaque)")
        top, bottom, left, right = int(ys.min()), int(ys.max()) + 1, int(xs.min()), int(xs.max()) + 1
        side = max(1, round(max(bottom - top, right - left) * (1 + 2 * margin)))
    return (top + bottom - side) // 2, (left + right - side) // 2, side


def cut(image: np.ndarray, square: tuple[int, int, int], size: int, fill: float | None) -> np.ndarray:
    """Cut a (top, left, side) square out and resize it by area to (size, size); outside is `fill`, or the border's
    colour when it is None."""
    if (factor := -(-square[2] // LARGEST_SIDE)) > 1:
        shape = max(1, image.shape[1] // factor), max(1, image.shape[0] // factor)
        image = cv2.resize(image, shape, interpolation=cv2.INTER_AREA)
        square = square[0] // factor, square[1] // factor, square[2] // factor
    top, left, side = square
    h, w = image.shape[:2]
    above, below, before, after = max(0, -top), max(0, top + side - h), max(0, -left), max(0, left + side - w)
    kind = cv2.BORDER_REPLICATE if fill is None else cv2.BORDER_CONSTANT
    colour = [fill or 0.0] * 3
    image = cv2.copyMakeBorder(image, above, below, before, after, kind, value=colour)
    top, left = top + above, left + before
    part = np.ascontiguousarray(image[top : top + side, left : left + side])
    method = cv2.INTER_AREA if side > size else cv2.INTER_CUBIC if image.dtype == np.uint8 else cv2.INTER_LINEAR
    return cv2.resize(part, (size, size), interpolation=method)


def mend(mask: np.ndarray, picture: np.ndarray) -> np.ndarray:
    """Turn specks in a mask, float32 (h, w), and fill the holes in which its picture goes on as it is around them.

    A hole is black that does not touch the border of the mask. Between legs it shows what is behind; where it shows
    the same fur, the mask is wrong.
    """
    subject = max(1, int((mask > 0.5).sum()))
    mended = mask.copy()
    for white, fill in ((False, 1.0), (True, 0.0)):
        parts = ((mended > 0.5) == white).astype(np.uint8)
        _, labels, stats, _ = cv2.connectedComponentsWithStats(parts, connectivity=4)
        turned = stats[:, cv2.CC_STAT_AREA] < SPECK * subject
        turned[0] = False
        mended[turned[labels]] = fill
    holes = holes_of(mended > 0.5)
    if not holes:
        return mended  # as most are: there are no colours to compare
    colours = cv2.cvtColor(picture.astype(np.float32) / 255.0, cv2.COLOR_RGB2LAB)
    for hole in holes:
        around = cv2.dilate(hole.astype(np.uint8), np.ones((RING, RING))).astype(bool) & ~hole
        if np.linalg.norm(colours[hole].mean(0) - colours[around].mean(0)) < SAME:
            mended[hole] = 1.0
    return mended


def holes_of(solid: np.ndarray) -> list[np.ndarray]:
    """Each part of a bool (h, w) that is False and does not touch the border, as a bool (h, w)."""
    count, labels = cv2.connectedComponents((~solid).astype(np.uint8), connectivity=4)
    outer = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    return [labels == i for i in set(range(1, count)).difference(outer.tolist())]


def soften(mask: np.ndarray) -> np.ndarray:
    """Smooth a mask's staircase and draw its edge in a little, so that no background shines through."""
    blurred = cv2.GaussianBlur(mask, (0, 0), 1.2)
    return np.clip((blurred - 0.35) / 0.4, 0, 1)


def place(
    picture: np.ndarray, mask: np.ndarray | None, size: int, fit: str, margin: float
) -> tuple[np.ndarray, np.ndarray | None]:
    """Square picture, uint8 (size, size, 3), with white where the mask is 0, and its mask, float32 (size, size)."""
    square = window(picture.shape[0], picture.shape[1], mask, fit, margin)
    if mask is None:
        return cut(picture, square, size, 255.0), None
    mask = soften(cut(mask, square, size, 0.0))
    return flattened(cut(picture, square, size, None), mask), mask
