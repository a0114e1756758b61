"""Drawings as strokes: the JSON files of presets and hand drawings, and their pixels, as the page draws them."""

import json
import math
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageChops, ImageDraw

from nurie.errors import NurieError

FINE = 8  # lines are drawn on a grid this many times finer, then averaged
CORNER = math.cos(math.pi / 3)  # sharper turns stay corners, as in page/sheet/raster.js
PIECES = 8  # straight pieces of a rounded turn

Point = tuple[float, float]


def read_strokes(path: Path, size: int) -> dict[str, Any]:
    """A drawing of docs/formats.md: {"title": {language: text}, "strokes": [{"width", "points"}]} and maybe a "seed".

    A stroke may have a "colour". Widths and points are in pixels of a sheet as wide as the file's own "size", where it
    has one; they are returned in those of a sheet of `size`. Raises NurieError when it is no such drawing.
    """
    try:
        drawing = json.loads(path.read_text(encoding="utf-8"))
        unit = size / float(drawing.get("size", size))
        strokes = [
            {"width": unit * float(stroke["width"]), "points": [unit * float(v) for v in stroke["points"]]}
            | ({"colour": str(stroke["colour"])} if "colour" in stroke else {})
            for stroke in drawing["strokes"]
        ]
        title = {str(language): str(text) for language, text in drawing["title"].items()}
        seed = {"seed": int(drawing["seed"])} if "seed" in drawing else {}
        valid = bool(strokes) and all(len(s["points"]) >= 2 and len(s["points"]) % 2 == 0 for s in strokes)
        valid = valid and seed.get("seed", 0) >= 0 and unit > 0
        valid = valid and all(re.fullmatch("#[0-9a-f]{6}", s.get("colour", "#000000")) for s in strokes)
    except (ValueError, KeyError, TypeError, AttributeError, ZeroDivisionError) as error:
        raise NurieError(f"{path} is no drawing of strokes ({error!r}). docs/formats.md shows the form.") from error
    if not valid:
        raise NurieError(
            f"{path} is no drawing of strokes: every one needs x, y pairs, a colour is like #ff8800, a seed is at "
            "least 0, and a size more. docs/formats.md shows the form."
        )
    return {"title": title, "strokes": strokes, **seed}


def draw_strokes(strokes: list[dict[str, Any]], height: int, width: int) -> np.ndarray:
    """Lines with round ends on white, uint8 (height, width, 3). Points and widths are in these pixels.

    They are black; where one has a colour, what is darker under it remains.
    """
    size = width * FINE, height * FINE
    image = Image.new("RGB", size, "white")
    for stroke in strokes:
        colour = stroke.get("colour")
        layer = Image.new("RGB", size, "white") if colour else image
        draw = ImageDraw.Draw(layer)
        thick = stroke["width"] * FINE - 1  # Pillow's shapes include the pixels at both ends
        line = [(x * FINE, y * FINE) for x, y in rounded(stroke["points"])]
        for (x0, y0), (x1, y1) in pairwise(line):
            draw.line((x0, y0, x1, y1), fill=colour or "black", width=round(thick))
        for x, y in line:
            draw.ellipse((x - thick / 2, y - thick / 2, x + thick / 2, y + thick / 2), fill=colour or "black")
        image = ImageChops.darker(image, layer) if colour else image
    return np.asarray(image.resize((width, height), Image.Resampling.BOX))


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
