"""JSON files and what is wrong with them: the types and limits that formats share, and how a file is read.

The formats themselves are where they are used: the manifest in engine/modelfile.py, drawings of strokes in
drawings/strokes.py, a site's list in site/sitefile.py. docs/formats.md has the limits.
"""

import codecs
import json
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta, Struct

from nurie.errors import NurieError

MOST_BYTES = 16 << 20  # of a JSON file

Text = Annotated[str, Meta(max_length=2000)]
Title = Text | Annotated[dict[Text, Text], Meta(max_length=100)]  # one for each language, or one for all
Colour = Annotated[str, Meta(pattern=r"^#[0-9a-f]{6}\Z")]
FileName = Annotated[str, Meta(min_length=1, max_length=60)]  # at most 240 bytes, which file systems take
# A file below a folder: no way out of it, on any system.
FilePath = Annotated[str, Meta(pattern=r"(?s)^(?!.:)(?!(?:.*/)?\.{0,2}(?:/|\Z))[^\\\0]+\Z", max_length=400)]
Files = Annotated[list[FilePath], Meta(max_length=100_000)]
Side = Annotated[int, Meta(ge=1, le=4096)]  # pixels
Width = Annotated[float, Meta(gt=0, le=4096)]  # of a line, pixels
Coordinate = Annotated[float, Meta(ge=-65536, le=65536)]  # pixels
Count = Annotated[int, Meta(ge=0, lt=2**53)]  # JavaScript's whole numbers
Seed = Count


def one_of(*words: str) -> Meta:
    """The annotation of a string that is one of these."""
    return Meta(pattern=rf"^({'|'.join(words)})\Z")


class Stroke(Struct, frozen=True, omit_defaults=True):
    """A line of a drawing, or boxes: each has two points, its corners."""

    width: Width
    points: Annotated[list[Coordinate], Meta(min_length=2, max_length=200_000)]  # x, y, x, y, ...
    colour: Colour = ""  # of a coloured pencil; none: black
    tool: Annotated[str, one_of("pencil", "box", "eraser")] = "pencil"
    # one for each point, parts of the width; none: the whole width everywhere
    pressures: Annotated[list[Annotated[float, Meta(ge=0, le=1)]], Meta(max_length=100_000)] = []

    def __post_init__(self) -> None:
        if len(self.points) % 2:
            raise ValueError(f"expected x, y pairs as points, got {len(self.points)} numbers")
        if self.tool == "box" and len(self.points) % 4:
            raise ValueError(f"expected two corners for each box, got {len(self.points) // 2} points")
        if self.pressures and 2 * len(self.pressures) != len(self.points):
            raise ValueError(
                f"expected a pressure for each of {len(self.points) // 2} points, got {len(self.pressures)}"
            )


Strokes = Annotated[list[Stroke], Meta(min_length=1, max_length=10_000)]


class Version(Struct):
    """What tells whether the rest of a file can be understood."""

    format: str
    version: int


T = TypeVar("T")


def read_json(
    path: Path,
    schema: type[T],
    verdict: str,
    mend: str,
    known: tuple[str, *tuple[int, ...]] | None = None,
    unpack: Callable[[Any], Any] = lambda value: value,
) -> T:
    """What a JSON file holds; fields that the schema does not know are left out.

    known: the format that the file must say, and the versions of which it must say one. unpack: gives what the schema
    is for. Raises NurieError, "PATH VERDICT: FAULT. MEND", which names a wrong field by its path, such as
    `$.weights.bytes`.
    """
    try:
        value = parsed(read_bytes(path), schema)
        if known:
            found = msgspec.convert(value, Version)  # before all else, which another version may have otherwise
            if found.format != known[0] or found.version not in known[1:]:
                raise NurieError(f"{path} has a format that this version of Nurie does not know. {mend}")
        return msgspec.convert(unpack(value), schema)
    except (msgspec.DecodeError, RecursionError) as error:
        raise NurieError(f"{path} {verdict}: {fault(error)}. {mend}") from error


def read_bytes(path: Path) -> bytes:
    """A file of reasonable size. Raises NurieError."""
    if not path.is_file():
        raise NurieError(f"There is no file {path}.")
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise NurieError(f"{path} can not be read: {error.strerror}.") from error
    if len(data) > MOST_BYTES:
        raise NurieError(f"{path} is larger than {MOST_BYTES >> 20} MiB.")
    return data


def parsed(data: bytes, schema: type) -> Any:
    """The JSON value in UTF-8, perhaps with a byte order mark, as some editors write it. A field that is NaN or
    infinite, which Python writes but JSON has not, is named."""
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        return msgspec.json.decode(data)
    except msgspec.DecodeError:
        value = None
        with suppress(ValueError, RecursionError):
            value = json.loads(data.decode())
        if value is not None:
            msgspec.convert(value, schema)
        raise


def to_json(value: Struct, indent: int | None = None) -> bytes:
    """A JSON file with what a struct holds."""
    fields = msgspec.to_builtins(value)
    return (json.dumps(fields, indent=indent, ensure_ascii=False, allow_nan=False) + "\n").encode()


def check(value: Struct) -> None:
    """Compare a value that was made, not read, with its schema. Raises msgspec.ValidationError."""
    msgspec.convert(msgspec.to_builtins(value), type(value))


def fault(error: Exception) -> str:
    """What msgspec says, with the field's path first: "`$.weights.bytes`: expected `int`, got `str`"."""
    if isinstance(error, RecursionError):
        return "its values are nested too deeply"
    if not isinstance(error, msgspec.ValidationError):
        return str(error).rstrip(".")
    said, _, at = str(error).partition(" - at ")
    path = re.findall("`(.*?)`", at)[-1] if at else "$"
    if missing := re.fullmatch("Object missing required field `(.*)`", said):
        return f"`{path}.{missing[1]}` is missing"
    return f"`{path}`: {said[:1].lower()}{said[1:]}"
