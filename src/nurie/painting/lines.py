"""The drawing's lines over the picture: docs/formats.md, "Lines over the picture". The page computes the same bytes."""

from collections.abc import Sequence

import numpy as np

from nurie.errors import NurieError

DARK = 128  # a pixel is of a line where all its channels are below this,
GREY = 32  # and differ by less than this


def refuse_on_maps(lines: float | None, labels: Sequence[object]) -> None:
    """Raises NurieError where lines are asked for of a model that has labels."""
    if lines and labels:
        raise NurieError("The drawings of this model are label maps, without lines to show: leave out --lines.")


def with_lines(picture: np.ndarray, drawing: np.ndarray, lines: float) -> np.ndarray:
    """A picture, uint8 (h, w, 3), times the lines of its drawing, uint8 (h', w', 3). lines: 0 none, 1 all their ink."""
    if not lines:
        return picture
    ink = ink_of(drawing)
    rows, columns = (np.arange(side) * own // side for side, own in zip(picture.shape, ink.shape, strict=False))
    light = 255 - lines * ink[rows][:, columns, None].astype(np.float64)
    return np.floor(picture * light / 255 + 0.5).astype(np.uint8)


def ink_of(drawing: np.ndarray) -> np.ndarray:
    """How dark a drawing is where there is a line, or one in the 8 pixels around; elsewhere 0: uint8 (h, w)."""
    most = drawing.max(axis=2)
    line = np.pad((most < DARK) & (most - drawing.min(axis=2) < GREY), 1)
    height, width = most.shape
    near = np.any([line[y : y + height, x : x + width] for y in range(3) for x in range(3)], axis=0)
    return np.where(near, 255 - most, 0).astype(np.uint8)
