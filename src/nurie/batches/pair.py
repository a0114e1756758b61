"""A pair of drawing and picture as training sees it: varied in every way that the options say."""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from nurie.batches.faces import add_face
from nurie.batches.hints import paint_strokes, random_hints, recolour, told
from nurie.batches.legs import add_legs
from nurie.batches.paws import add_paws
from nurie.batches.streams import Choice, Streams
from nurie.batches.vary import jitter, redraw, vary
from nurie.config import Train
from nurie.drawings.ink import WHITE, Image, is_line_drawing


@dataclass(frozen=True)
class VariedPair:
    drawing: Image  # with hints on it
    redrawn: Image | None  # another rendering of it; None where that is not asked for, or the drawing is coloured
    picture: Image
    plain: Image  # the picture before hints gave parts of it other colours
    near_hints: np.ndarray  # bool (h, w): where hints say the colour
    near_parts: np.ndarray  # bool (h, w): at synthetic faces and paws

    def flipped(self) -> "VariedPair":
        return replace(self, **{name: flipped(image) for name, image in vars(self).items() if image is not None})


def vary_pair(drawing: Image, picture: Image, options: Train, streams: Streams) -> VariedPair:
    """The drawing and the picture, uint8 (h, w, 3), varied in every way that the options say; these stay as they are.

    Each choice draws from its own one of the pair's streams. Drawings with colour are only jittered and flipped.
    """
    if options.jitter:
        drawing, picture = jitter(drawing, picture, streams(Choice.JITTER))
    augmented = options.augment_drawing and not streams.when(Choice.PLAIN, options.plain)
    if augmented:
        drawing, picture = vary(drawing, picture, streams, options.tails)
    drawing, picture, near_parts = add_body_parts(drawing, picture, options.body_parts, streams)
    redrawn = None
    if options.augment_drawing:
        other = redraw(drawing, streams(Choice.OTHER_PEN)) if options.consistency > 0 else drawing
        redrawn = None if other is drawing else other  # one with colour stays as it is
    if augmented:
        drawing = redraw(drawing, streams(Choice.PEN))
    plain, strokes = picture, []
    if rng := streams.when(Choice.HINTS, options.hints):
        strokes = random_hints(drawing, picture, rng)
        picture, strokes = recolour(drawing, picture, strokes, options.hint_recolour, streams(Choice.RECOLOUR))
    redrawn = None if redrawn is None else paint_strokes(redrawn, strokes)
    drawing, near_hints = paint_strokes(drawing, strokes), told(strokes, picture)
    pair = VariedPair(drawing, redrawn, picture, plain, near_hints, near_parts)
    return pair.flipped() if streams.when(Choice.FLIP, 0.5 if options.flip else 0.0) else pair


def add_body_parts(drawing: Image, picture: Image, share: float, streams: Streams) -> tuple[Image, Image, np.ndarray]:
    """Legs, paws and a face, each with this chance. Returns also what is near paws and face, bool (h, w)."""
    near = np.zeros(drawing.shape[:2], bool)
    if (rng := streams.when(Choice.LEGS, share)) and has_lines_and_subject(drawing, picture):
        drawing, picture = add_legs(drawing, picture, rng)
    for choice, add in ((Choice.PAWS, add_paws), (Choice.FACE, add_face)):  # a face where paws left room
        if (rng := streams.when(choice, share)) and has_lines_and_subject(drawing, picture):
            drawing, picture, part = add(drawing, picture, rng)
            near |= part
    return drawing, picture, near


def has_lines_and_subject(drawing: Image, picture: Image) -> bool:
    """True for a line drawing with lines of a picture of something."""
    lines, something = drawing[:, :, 0].min() < 128, picture.min() < WHITE  # as in `to_ink` and `subject`, but fast
    return bool(lines and something and is_line_drawing(drawing))


def flipped(image: np.ndarray) -> np.ndarray:
    """A copy of (h, w) or (h, w, 3) bytes or bools: a view backwards takes 60 times as long to stack."""
    return cv2.flip(image.view(np.uint8), 1).view(image.dtype)
