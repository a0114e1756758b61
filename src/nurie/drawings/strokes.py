"""Drawings as strokes: the JSON files of presets and hand drawings."""

from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct, ValidationError
from msgspec.structs import replace

from nurie.errors import NurieError
from nurie.files.schema import Colour, Seed, Strokes, Title, check, fault, read_json
from nurie.size import Size

FORM = (
    "Every stroke needs x, y pairs, a colour is like #ff8800, a seed is at least 0, and a size more. "
    "docs/formats.md shows the form."
)


class Paper(Struct, frozen=True):
    """What it is drawn on. covered: a label map, in which each stroke covers what is there."""

    colour: Colour = "#ffffff"
    covered: bool = False


class Drawing(Struct, frozen=True, omit_defaults=True):
    """A drawing of docs/formats.md. Widths and points are in pixels of a square sheet as wide as `size`, where it has
    one."""

    title: Title
    strokes: Strokes
    seed: Seed = -1  # none: that of the first colouring
    size: Annotated[float, Meta(ge=1, le=65536)] = 0
    paper: Paper = Paper()


def read_strokes(path: Path, size: Size) -> Drawing:
    """The drawing in a file, in pixels of a sheet of this size; one of another sheet, which was a square, lies whole in
    its middle. Raises NurieError when it is no such drawing."""
    verdict = "is no drawing of strokes"
    drawing = read_json(path, Drawing, verdict, FORM)
    if not drawing.size:
        return drawing
    unit, corner = size.least / drawing.size, ((size.width - size.least) / 2, (size.height - size.least) / 2)
    strokes = [
        replace(
            stroke, width=unit * stroke.width, points=[unit * at + corner[i % 2] for i, at in enumerate(stroke.points)]
        )
        for stroke in drawing.strokes
    ]
    resized = Drawing(drawing.title, strokes, drawing.seed, paper=drawing.paper)
    try:
        check(resized)
    except ValidationError as error:
        raise NurieError(f"{path} {verdict} for a sheet of {size} pixels: {fault(error)}. {FORM}") from error
    return resized
