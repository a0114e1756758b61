"""Drawings as strokes: the JSON files of presets and hand drawings, and their pixels, as the page draws them."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
from msgspec import Meta, Struct, ValidationError
from PIL import Image, ImageChops, ImageDraw

from nurie.errors import NurieError
from nurie.files.schema import Seed, Stroke, Strokes, Title, check, fault, read_json

FORM = (
    "Every stroke needs x, y pairs, a colour is like #ff8800, a seed is at least 0, and a size more. "
    "docs/formats.md shows the form."
)
FINE = 8  # lines are drawn on a grid this many times finer, then averaged
FINEST = 8192  # largest side of that grid
BAND = 1 << 24  # places of it that are drawn at once: 50 MB, and as much for a layer of colour
CORNER = math.cos(math.pi / 3)  # sharper turns stay corners, as in page/sheet/raster.js
PIECES = 8  # straight pieces of a rounded turn

Point = tuple[float, float]


class Drawing(Struct, frozen=True, omit_defaults=True):
    """A drawing of docs/formats.md. Widths and points are in pixels of a sheet as wide as `size`, where it has one."""

    title: Title
    strokes: Strokes
    seed: Seed = -1  # none: that of the first colouring
    size: Annotated[float, Meta(ge=1, le=65536)] = 0


def read_strokes(path: Path, size: int) -> Drawing:
    """The drawing in a file, in pixels of a sheet as wide as `size`. Raises NurieError when it is no such drawing."""
    verdict = "is no drawing of strokes"
    drawing = read_json(path, Drawing, verdict, FORM)
    if not drawing.size:
        return drawing
    unit = size / drawing.size
    strokes = [
        Stroke(unit * stroke.width, [unit * at for at in stroke.points], stroke.colour) for stroke in drawing.strokes
    ]
    resized = Drawing(drawing.title, strokes, drawing.seed)
    try:
        check(resized)
    except ValidationError as error:
        raise NurieError(f"{path} {verdict} for a sheet of {size} pixels: {fault(error)}. {FORM}") from error
    return resized


def draw_strokes(strokes: Sequence[Stroke], height: int, width: int) -> np.ndarray:
    """Lines with round ends on white, uint8 (height, width, 3). Points and widths are in these pixels.

    They are black; where one has a colour, what is darker under it remains.
    """
    fine = max(1, min(FINE, FINEST // max(height, width)))
    rows = max(1, BAND // (width * fine * fine))
    bands = [draw_band(strokes, range(top, min(top + rows, height)), width, fine) for top in range(0, height, rows)]
    return np.concatenate(bands)


def draw_band(strokes: Sequence[Stroke], rows: range, width: int, fine: int) -> np.ndarray:
    """Some rows of a sheet, uint8 (rows, width, 3), which is drawn on a grid `fine` times finer."""
    image = Image.new("RGB", (width * fine, len(rows) * fine), "white")
    for stroke in strokes:
        ys, reach = stroke.points[1::2], stroke.width + 1
        if max(ys) + reach < rows.start or min(ys) - reach > rows.stop:
            continue
        layer = Image.new("RGB", image.size, "white") if stroke.colour else image
        draw = ImageDraw.Draw(layer)
        fill = stroke.colour or "black"
        thick = max(0, stroke.width * fine - 1)  # Pillow's shapes include the pixels at both ends
        points = np.array(list(rounded(stroke.points))) * fine
        # whole numbers as Pillow makes them of a sheet in one piece, then seen from the band
        line, low, high = (
            (points + shift).astype(int) - (0, rows.start * fine) for shift in (0, -thick / 2, thick / 2)
        )
        if len(line) > 1:
            draw.line(line.ravel().tolist(), fill=fill, width=round(thick))
        for corners in np.hstack([low, high]).tolist():
            draw.ellipse(corners, fill=fill)
        image = ImageChops.darker(image, layer) if stroke.colour else image
    return np.asarray(image.resize((width, len(rows)), Image.Resampling.BOX))


def rounded(points: list[float]) -> Iterator[Point]:
    """The line through x, y pairs: round where the hand turned gently, pointed where it turned sharply."""
    line = list(zip(points[::2], points[1::2], strict=True))
    yield (start := line[0])
    for before, here, after in zip(line, line[1:], line[2:], strict=False):
        middle = ((here[0] + after[0]) / 2, (here[1] + after[1]) / 2)
        if turns_sharply(before, here, after):
            yield here
        else:
            yield from (bend(start, here, middle, i / PIECES) for i in range(1, PIECES))
        yield (start := middle)
    yield line[-1]


def turns_sharply(before: Point, here: Point, after: Point) -> bool:
    enter, leave = (here[0] - before[0], here[1] - before[1]), (after[0] - here[0], after[1] - here[1])
    return enter[0] * leave[0] + enter[1] * leave[1] < CORNER * math.hypot(*enter) * math.hypot(*leave)


def bend(start: Point, control: Point, end: Point, t: float) -> Point:
    """A point of the quadratic Bezier curve, 0 <= t <= 1."""
    a, b, c = (1 - t) ** 2, 2 * t * (1 - t), t**2
    return (a * start[0] + b * control[0] + c * end[0], a * start[1] + b * control[1] + c * end[1])
