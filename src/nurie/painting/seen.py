"""How much of drawings without pictures is seen in what a model makes of them, and where it paints."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import cv2
import numpy as np

from nurie.batches.unpaired import INK, places_of
from nurie.drawings.bodies import bodies
from nurie.drawings.collection import Sketch, points_of
from nurie.drawings.ink import Image, subject, unit_of
from nurie.drawings.pixels import draw_strokes
from nurie.painting.painter import Painter
from nurie.size import Size

MARGIN, PEN = 16, 3.0  # pixels of 256
LOST = 6.0  # of L*: a stroke of less contrast is lost
SMALL = 24  # pixels of 256: a stroke that is no longer on any side is small, as eyes and noses are
FILLED = 0.9  # share of the pixels around a stroke that have colour, where it is an inner one
# The ring around a stroke: how far from all lines it begins, how far from the stroke it ends, and how many pixels it
# has at least; where it has fewer, the second.
RINGS = ((4, 7, 20), (3, 9, 10))


@dataclass
class Seen:
    """What is found in pictures of drawings, one after the other."""

    contrasts: list[float] = field(default_factory=list)  # of inner strokes, L*
    small: list[float] = field(default_factory=list)  # of those that are small
    white_inside: list[float] = field(default_factory=list)  # of each drawing: share of what lines enclose
    paint_outside: list[float] = field(default_factory=list)  # share of the open sheet

    def add(self, picture: Image, strokes: list[np.ndarray], drawing: Image, body: np.ndarray) -> None:
        """strokes: the pixels of each, bool (h, w). body: bool (h, w), as `bodies` says."""
        light, painted = lightness(picture), subject(picture)
        places, unit = places_of(drawing, body), unit_of(drawing.shape)
        for stroke in strokes:
            contrast = contrast_of(stroke, places.ink, light, painted, unit)
            if contrast is None:
                continue
            self.contrasts.append(contrast)
            ys, xs = np.nonzero(stroke)
            if max(np.ptp(xs), np.ptp(ys)) < (SMALL + PEN) * unit:
                self.small.append(contrast)
        if places.filled.any():
            self.white_inside.append(float((~painted[places.filled]).mean()))
        if places.paper.any():
            self.paint_outside.append(float(painted[places.paper].mean()))

    def summary(self) -> dict[str, float | int | None]:
        """Shares of 1, None where there is nothing to count, and how many inner strokes there are."""
        return {
            "inner_strokes": len(self.contrasts),
            "lost": share_below(self.contrasts),
            "lost_small": share_below(self.small),
            "contrast": round(float(np.median(self.contrasts)), 2) if self.contrasts else None,
            "white_inside": mean(self.white_inside),
            "paint_outside": mean(self.paint_outside),
        }


def look(painter: Painter, sketches: Iterable[Sketch]) -> tuple[Seen, list[Image]]:
    """What is seen of drawings, and their pictures. They lie in the middle of the sheet, as large as fits."""
    seen, pictures = Seen(), []
    size = Size(painter.width, painter.height)
    for sketch in sketches:
        drawing, strokes, body = fitted(sketch, size)
        pictures.append(painter.paint(drawing))
        seen.add(pictures[-1], strokes, drawing, body)
    return seen, pictures


def fitted(sketch: Sketch, size: Size) -> tuple[Image, list[np.ndarray], np.ndarray]:
    """The drawing, the pixels of each stroke (of a picture, of what hangs together), and where its bodies are."""
    shape, unit = (size.height, size.width), unit_of((size.height, size.width))
    left, top, right, bottom = sketch.box
    scale = sketch.scale(size.least - 2 * MARGIN * unit)
    corner = (size.width - scale * (right - left)) / 2, (size.height - scale * (bottom - top)) / 2
    drawing = sketch.draw(size, scale, *corner, PEN * unit)
    if sketch.picture is not None:
        count, labels = cv2.connectedComponents((drawing[:, :, 0] < INK).astype(np.uint8), connectivity=8)
        return drawing, [labels == i for i in range(1, count)], bodies([], shape)
    strokes = [stroke for stroke in sketch.placed(scale, *corner, PEN * unit) if stroke.tool == "pencil"]
    drawn = [draw_strokes([stroke], size.height, size.width)[:, :, 0] < INK for stroke in strokes]
    return drawing, [pixels for pixels in drawn if pixels.any()], bodies([points_of(s) for s in strokes], shape)


def contrast_of(
    stroke: np.ndarray, ink: np.ndarray, light: np.ndarray, painted: np.ndarray, unit: float
) -> float | None:
    """How far a stroke's mean L* is from that of the ring around it; None where that is not inside of what is painted.

    All are (h, w): masks, but for `light`, L*.
    """
    for near, far, few in RINGS:
        ring = dilated(stroke, far * unit) & ~dilated(ink, near * unit)
        if ring.sum() >= few * unit**2:
            inside = painted[ring].mean() >= FILLED
            return abs(float(light[stroke].mean() - light[ring].mean())) if inside else None
    return None


def dilated(mask: np.ndarray, reach: float) -> np.ndarray:
    """What is at most so many pixels off, sideways, up and down."""
    side = 2 * max(1, round(reach)) + 1
    return cv2.dilate(mask.astype(np.uint8), np.ones((side, side), np.uint8)).astype(bool)


def lightness(picture: Image) -> np.ndarray:
    """CIE L* of sRGB, 0 to 100, (h, w)."""
    return cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_RGB2Lab)[:, :, 0]


def share_below(contrasts: list[float]) -> float | None:
    return mean([float(contrast < LOST) for contrast in contrasts])


def mean(values: list[float]) -> float | None:
    return round(float(np.mean(values)), 6) if values else None
