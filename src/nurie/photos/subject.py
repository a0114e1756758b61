"""From a picture and its mask to a picture of one size with its subject on white."""

import cv2
import numpy as np

from nurie.errors import NurieError
from nurie.files.pictures import flattened
from nurie.size import Size

LARGEST_SIDE = 8192  # of what is cut out, pixels; what is larger is made smaller before
Window = tuple[int, int, int, int]  # top, left, height and width, pixels; it may reach beyond the picture
# Masks made by networks have faults.
SPECK = 0.015  # of the subject: what is smaller in a mask, black or white, is one
RING, SAME = 15, 15.0  # so is a hole whose mean colour is not this far (CIELAB) from that of 7 pixels around it


def window(height: int, width: int, mask: np.ndarray | None, fit: str, margin: float, size: Size) -> Window:
    """What to cut out of a picture, in the proportion of `size`.

    subject: around the mask's box with a margin on each side, a share of the box's longer side; pad: around the whole
    picture; crop: the largest part, centred. Raises NurieError when the mask is empty.
    """
    top, left, bottom, right = 0, 0, height, width
    larger = 1.0
    if fit == "subject" and mask is not None:
        ys, xs = np.nonzero(mask > 0.5)
        if len(ys) == 0:
            raise NurieError("its mask is empty: nothing in it is white (or opaque)")
        top, bottom, left, right = int(ys.min()), int(ys.max()) + 1, int(xs.min()), int(xs.max()) + 1
        larger += 2 * margin
    high, wide = bottom - top, right - left
    longer = max(high, wide)
    high, wide = (side - longer + longer * larger for side in (high, wide))
    by_width = wide * size.height > high * size.width  # of a box that is wider than `size`
    if by_width != (fit == "crop"):
        wide = max(1, round(wide))
        high = max(1, round(wide * size.height / size.width))
    else:
        high = max(1, round(high))
        wide = max(1, round(high * size.width / size.height))
    return (top + bottom - high) // 2, (left + right - wide) // 2, high, wide


def cut(image: np.ndarray, part: Window, size: Size, fill: float | None) -> np.ndarray:
    """Cut a part out and resize it by area; outside is `fill`, or the border's colour when it is None."""
    if (factor := -(-max(part[2:]) // LARGEST_SIDE)) > 1:
        shape = max(1, image.shape[1] // factor), max(1, image.shape[0] // factor)
        image = cv2.resize(image, shape, interpolation=cv2.INTER_AREA)
        part = part[0] // factor, part[1] // factor, max(1, part[2] // factor), max(1, part[3] // factor)
    top, left, high, wide = part
    h, w = image.shape[:2]
    above, below, before, after = max(0, -top), max(0, top + high - h), max(0, -left), max(0, left + wide - w)
    kind = cv2.BORDER_REPLICATE if fill is None else cv2.BORDER_CONSTANT
    colour = [fill or 0.0] * 3
    image = cv2.copyMakeBorder(image, above, below, before, after, kind, value=colour)
    top, left = top + above, left + before
    cropped = np.ascontiguousarray(image[top : top + high, left : left + wide])
    shrinks = high > size.height
    method = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC if image.dtype == np.uint8 else cv2.INTER_LINEAR
    return cv2.resize(cropped, (size.width, size.height), interpolation=method)


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
    picture: np.ndarray, mask: np.ndarray | None, size: Size, fit: str, margin: float
) -> tuple[np.ndarray, np.ndarray | None]:
    """A picture of this size, uint8 (h, w, 3), with white where the mask is 0, and its mask, float32 (h, w)."""
    part = window(picture.shape[0], picture.shape[1], mask, fit, margin, size)
    if mask is None:
        return cut(picture, part, size, 255.0), None
    mask = soften(cut(mask, part, size, 0.0))
    return flattened(cut(picture, part, size, None), mask), mask
