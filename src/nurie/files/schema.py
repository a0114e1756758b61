"""What the JSON formats of docs/formats.md share: types with their limits.

The formats themselves are where they are used: the manifest in engine/modelfile.py, drawings of strokes in
drawings/strokes.py, a site's list in site/sitefile.py.
"""

from typing import Annotated

from msgspec import Meta, Struct

Text = Annotated[str, Meta(max_length=1000)]
Title = Text | Annotated[dict[Text, Text], Meta(max_length=100)]  # one for each language, or one for all
Colour = Annotated[str, Meta(pattern=r"^#[0-9a-f]{6}\Z")]
FileName = Annotated[str, Meta(min_length=1, max_length=60)]  # at most 240 bytes, which file systems take
Side = Annotated[int, Meta(ge=1, le=4096)]  # pixels
Width = Annotated[float, Meta(gt=0, le=4096)]  # of a line, pixels
Coordinate = Annotated[float, Meta(ge=-65536, le=65536)]  # pixels
Seed = Annotated[int, Meta(ge=0, lt=2**53)]  # JavaScript's whole numbers
Count = Annotated[int, Meta(ge=0, lt=2**53)]


class Stroke(Struct, frozen=True, omit_defaults=True):
    """A line of a drawing."""

    width: Width
    points: Annotated[
        list[Annotated[float, Meta(ge=-65536, le=65536)]], Meta(min_length=2, max_length=200_000)
    ]  # x, y, ...
    colour: Colour = ""  # of a coloured pencil; none: black

    def __post_init__(self) -> None:
        if len(self.points) % 2:
            raise ValueError("expected x, y pairs as points, got an odd number")


Strokes = Annotated[list[Stroke], Meta(min_length=1, max_length=10_000)]
