"""Drawings without pictures in a batch: people's own, placed on the sheet as they may come."""

from dataclasses import dataclass

import cv2
import numpy as np
from torch import Tensor

from nurie.batches.streams import Choice, Streams
from nurie.batches.vary import redraw
from nurie.drawings.bodies import bodies
from nurie.drawings.collection import Collection, Sketch, points_of
from nurie.drawings.enclosed import enclosed
from nurie.drawings.ink import Image, unit_of
from nurie.nets.tensors import to_mask, to_tensor
from nurie.size import Size

MARGIN = 8  # pixels of 256 that stay free around a drawing
SIDES = (0.35, 0.95)  # share of the sheet that its longer side takes
PEN = (1.6, 4.0)  # pixels of 256
INK = 128  # a pixel is of a line where it is darker
NEAR = np.ones((5, 5), np.uint8)  # pixels around ink that are neither paper nor filled


@dataclass(frozen=True)
class Unpaired:
    """Drawings (n, 3, h, w) in [-1, 1], and what is known of their pictures: masks (n, 1, h, w) of 0 and 1."""

    drawing: Tensor
    ink: Tensor
    inside: Tensor  # lines enclose it, or an outline with gaps does
    filled: Tensor  # that, off the ink
    paper: Tensor  # open, off the ink


def unpaired_at(positions: range, collection: Collection, seed: int, size: Size) -> Unpaired:
    """Those at some positions in a run, over all processes: shuffled epochs over a collection."""
    return unpaired([drawn(position, collection, seed, size) for position in positions])


def drawn(position: int, collection: Collection, seed: int, size: Size) -> tuple[Image, np.ndarray]:
    """A drawing, uint8 (h, w, 3), and where its bodies are, bool (h, w)."""
    epoch, index = divmod(position, len(collection.sketches))
    order = np.random.default_rng([seed, epoch, 5]).permutation(len(collection.sketches))
    streams = Streams(seed, position)
    drawing, body = placed(collection.sketches[int(order[index])], size, streams(Choice.PLACE))
    rng = streams.when(Choice.UNPAIRED_PEN, 0.5)
    return redraw(drawing, rng) if rng else drawing, body


def placed(sketch: Sketch, size: Size, rng: np.random.Generator) -> tuple[Image, np.ndarray]:
    """Anywhere on the sheet, larger or smaller, mirrored or not, by some pen."""
    unit = unit_of((size.height, size.width))
    left, top, right, bottom = sketch.box
    scale = sketch.scale(rng.uniform(*SIDES) * size.least)
    room = np.array([size.width, size.height]) - scale * np.array([right - left, bottom - top])
    margin = np.minimum(MARGIN * unit, room / 2)
    x, y = margin + rng.random(2) * (room - 2 * margin)
    width, mirrored = rng.uniform(*PEN) * unit, bool(rng.random() < 0.5)
    drawing = sketch.draw(size, scale, x, y, width, mirrored)
    strokes = sketch.placed(scale, x, y, width, mirrored)
    lines = [points_of(stroke) for stroke in strokes if stroke.tool == "pencil"]
    return drawing, bodies(lines, (size.height, size.width))


@dataclass(frozen=True)
class Places:
    """What is known of a drawing's picture: masks, bool (h, w), as Unpaired has them."""

    ink: np.ndarray
    inside: np.ndarray
    filled: np.ndarray
    paper: np.ndarray


def places_of(drawing: Image, body: np.ndarray) -> Places:
    """body: where its bodies are, bool (h, w)."""
    ink = drawing[:, :, 0] < INK
    off = cv2.dilate(ink.astype(np.uint8), NEAR) == 0
    closed = enclosed(drawing)
    inside = (closed > 0.5) | body
    return Places(ink, inside, inside & off, (closed == 0) & ~body & off)


def unpaired(drawn: list[tuple[Image, np.ndarray]]) -> Unpaired:
    """A batch of drawings and their bodies."""
    places = [places_of(drawing, body) for drawing, body in drawn]
    return Unpaired(
        drawing=to_tensor([drawing for drawing, _ in drawn]),
        ink=to_mask([each.ink for each in places]),
        inside=to_mask([each.inside for each in places]),
        filled=to_mask([each.filled for each in places]),
        paper=to_mask([each.paper for each in places]),
    )
