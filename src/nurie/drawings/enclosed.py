"""How enclosed each place of a drawing is by its lines.

A convolution sees lines near by, but whether a white pixel is paper or within an outline hangs on lines far away. A
flood from the border tells, as in the colouring of comics. The engine computes the same (docs/formats.md, "Enclosed
places").
"""

import cv2
import numpy as np

from nurie.drawings.ink import darkest
from nurie.drawings.widths import INK

# Brushes that try to come in from the border: this many places to each side of their middle. A gap in a line lets no
# brush in that is wider.
BRUSHES = (1, 3, 6)


def enclosed(drawing: np.ndarray, factor: int = 1) -> np.ndarray:
    """The share of the BRUSHES that can not come to each place from the border without crossing a line.

    `drawing`: uint8 (h, w, 3), whose sides are multiples of `factor`: so many pixels to each side become one place.
    Returns float32 (h / factor, w / factor): 0 is open paper, 1 enclosed, or a line.
    """
    least = cv2.erode(darkest(drawing), np.ones((factor, factor)), anchor=(0, 0))[::factor, ::factor]
    lines = (least < INK).astype(np.uint8)
    closed = [1 - painted_from_the_border(lines, brush) for brush in BRUSHES]
    return np.asarray(np.mean(closed, axis=0, dtype=np.float32))


def painted_from_the_border(lines: np.ndarray, brush: int) -> np.ndarray:
    """What a square brush paints that goes everywhere it can without touching `lines`, uint8 (h, w) of 0 and 1."""
    square = np.ones((2 * brush + 1, 2 * brush + 1), np.uint8)
    free = 1 - cv2.dilate(lines, square)
    count, found = cv2.connectedComponents(free, connectivity=4)
    labels = found.astype(np.int32)
    reached = np.zeros(count, np.uint8)
    for side in (labels[0], labels[-1], labels[:, 0], labels[:, -1]):
        reached[side] = 1
    reached[0] = 0  # the label of what is not free
    return cv2.dilate(reached[labels], square)
