"""A photo, and what belongs to it, -> both halves of its pairs."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from nurie.config import Prepare
from nurie.drawings.widths import keep_lines
from nurie.errors import NurieError
from nurie.files.pictures import flattened, orientation_of, read_picture
from nurie.photos.lineart import draw_lines
from nurie.photos.subject import cut, mend, place, window
from nurie.size import Size


@dataclass(frozen=True)
class Sources:
    """The files that a picture's pairs are made from."""

    photo: Path
    mask: Path | None = None
    drawing: Path | None = None  # mode folders


def compose(config: Prepare, sources: Sources) -> tuple[list[np.ndarray], np.ndarray]:
    """The drawings of a photo, one for each pair, and its picture, uint8 (h, w, 3) each. Raises NurieError."""
    return MODES[config.mode](config, sources)


def read_subject(config: Prepare, sources: Sources) -> tuple[np.ndarray, np.ndarray | None]:
    """The photo and its mask, float32 (h, w) in [0, 1], 1 on the subject; None where all is."""
    picture, mask = read_picture(sources.photo)
    if config.masks is not None:
        if sources.mask is None:
            raise NurieError(f"there is no mask of the same name in {config.masks}")
        mask = read_mask(sources.mask, sources.photo, picture)
    return picture, None if mask is None or (mask > 0.5).all() else mask


def read_mask(path: Path, photo: Path, picture: np.ndarray) -> np.ndarray:
    """The mask file of a photo, uint8 (h, w, 3), as float32 (h, w) in [0, 1]; 1 (white) is the subject."""
    file, alpha = read_beside(path, photo, picture)
    mask = file.max(axis=2).astype(np.float32) / 255.0 if alpha is None else alpha
    height, width = picture.shape[:2]
    return mend(cv2.resize(mask, (width, height), interpolation=cv2.INTER_LINEAR), picture)


def read_beside(path: Path, photo: Path, picture: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """A photo's mask or drawing, as read_picture; turned as the photo is where only then it has the photo's shape.

    Raises NurieError when it has another shape.
    """
    found = read_picture(path)
    if same_shape(found[0], picture):
        return found
    orientation = orientation_of(photo)
    turned = read_picture(path, orientation) if orientation > 4 else found  # 5 to 8 swap width and height
    if same_shape(turned[0], picture):
        return turned
    (h, w), (height, width) = found[0].shape[:2], picture.shape[:2]
    raise NurieError(f"{path} has {w}x{h} pixels and {photo} {width}x{height}: expected both to have the same shape")


def same_shape(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether one is the other made smaller or larger, but for a pixel that was rounded."""
    (h, w), (height, width) = one.shape[:2], other.shape[:2]
    return abs(w * height / h - width) <= 1 or abs(width * h / height - w) <= 1


def from_lines(config: Prepare, sources: Sources) -> tuple[list[np.ndarray], np.ndarray]:
    photo, mask = read_subject(config, sources)
    size = config.size.times(2)
    picture, placed = place(photo, mask, size, config.fit, config.margin)
    drawn, area = picture, None
    if mask is None:  # what is drawn goes on beyond the photo, so that its border is no line
        height, width = photo.shape[:2]
        part = window(height, width, None, config.fit, config.margin, size)
        drawn = cut(photo, part, size, None)
        area = cut(np.ones((height, width), np.float32), part, size, 0.0)
    drawings = draw_lines(drawn, placed, config.details, area)
    return [drawings[detail] for detail in config.details], shrink(picture, config.size)


def from_folders(config: Prepare, sources: Sources) -> tuple[list[np.ndarray], np.ndarray]:
    if sources.drawing is None:
        raise NurieError(f"there is no input of the same name in {config.inputs}")
    fit = "pad" if config.fit == "subject" else config.fit
    photo, mask = read_subject(config, sources)
    drawing = flattened(*read_beside(sources.drawing, sources.photo, photo))
    high = window(drawing.shape[0], drawing.shape[1], None, fit, 0.0, config.size)[2]
    drawing = keep_lines(drawing, config.size.height / high)
    halves = (place(drawing, None, config.size, fit, 0.0), place(photo, mask, config.size, fit, config.margin))
    return [halves[0][0]], halves[1][0]


def from_gray(config: Prepare, sources: Sources) -> tuple[list[np.ndarray], np.ndarray]:
    picture, _ = place(*read_subject(config, sources), config.size, config.fit, config.margin)
    gray = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    return [np.repeat(gray[:, :, None], 3, axis=2)], picture


MODES = {"lines": from_lines, "folders": from_folders, "gray": from_gray}


def shrink(picture: np.ndarray, size: Size) -> np.ndarray:
    return cv2.resize(picture, (size.width, size.height), interpolation=cv2.INTER_AREA)
