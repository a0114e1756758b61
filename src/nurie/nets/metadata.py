"""What a checkpoint says of itself: the JSON in its metadata, with its limits. Format: docs/formats.md."""

import json
import math
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from nurie.errors import NurieError
from nurie.files.schema import Colour, Count, Text, fault, one_of
from nurie.nets.architecture import Architecture
from nurie.nets.generators import DEFAULT_WIDTH, DESCRIBED, WIDTHS, multiple_of
from nurie.size import Size

VERSION = 1
LEAST, MOST = 16, 4096  # pixels of a side
MOST_COLOURS = 64  # of a palette

Level = Annotated[float, Meta(ge=-1, le=1)]
Style = Annotated[list[Level], Meta(min_length=3, max_length=3)]  # RGB


class Made(Struct, kw_only=True):
    """The arguments of `build_generator`."""

    kind: Annotated[str, one_of(*DEFAULT_WIDTH, DESCRIBED)]
    width: Annotated[int, Meta(ge=0, le=1024, multiple_of=WIDTHS)] = 0
    styles: bool = False
    enclosed: bool = False
    colours: Annotated[int, Meta(ge=0, le=MOST_COLOURS)] = 0
    architecture: Architecture | None = None  # of a described one

    def __post_init__(self) -> None:
        if (self.kind == DESCRIBED) != (self.architecture is not None):
            raise ValueError(f"expected an architecture of a generator of kind {DESCRIBED}, and of no other")


class Trained(Struct, kw_only=True):
    """What all commands need of the options of `nurie train`; a resumed run compares all of them."""

    size: int | str
    direction: Annotated[str, one_of("AtoB", "BtoA")]
    pairs: str = ""
    classes: str | None = None


class Metadata(Struct, kw_only=True):
    """All of it that is used, but for the other options."""

    step: Count
    train: Trained
    generator: Made
    styles: Annotated[list[Style], Meta(max_length=1024)] = []
    palette: Annotated[list[Colour], Meta(max_length=MOST_COLOURS)] = []  # white paper, black ink, then the others
    shares: Annotated[list[Annotated[float, Meta(ge=0, le=1)]], Meta(max_length=MOST_COLOURS)] = []
    best: Annotated[float, Meta(ge=0)] = math.inf
    credits: Annotated[list[Text], Meta(max_length=256)] = []
    draws: Count = 1
    seconds: Annotated[float, Meta(ge=0)] = 0.0
    averaged: Count = 0
    batchnorm: Count = 0
    teacher: str | None = None
    pairs: dict[str, str] = {}  # what it learnt from, see training/dataset.py
    val_pairs: str = ""
    classes: dict[str, str] = {}
    drawings: str = ""  # a digest of those without pictures
    steps: dict[str, Annotated[float, Meta(gt=0)]] = {}  # of its weights, where training knew their rounding
    checksums: dict[str, str] = {}  # older checkpoints have none

    def __post_init__(self) -> None:
        if len(self.palette) != self.generator.colours:
            raise ValueError(f"expected a palette of {self.generator.colours} colours, got {len(self.palette)}")
        if len(self.shares) not in (0, len(self.palette)):
            raise ValueError(f"expected a share for each of {len(self.palette)} colours, got {len(self.shares)}")


def read_metadata(text: str, name: str) -> dict[str, Any]:
    """The metadata in a safetensors file's text. Raises NurieError, which names the file and the wrong field."""
    try:
        meta = json.loads(text)
        if not isinstance(meta, dict):
            raise NurieError(f"{name} is a safetensors file, but not a checkpoint written by `nurie train`.")
        if meta.get("version") != VERSION:
            raise NurieError(
                f"{name} has checkpoint version {str(meta.get('version'))[:20]}, but this Nurie reads {VERSION}. "
                "Update Nurie, or train again."
            )
        found = msgspec.convert(meta, Metadata)
    except (ValueError, RecursionError) as error:  # no JSON, or not as it must be
        raise NurieError(f"{name} is damaged: {fault(error)}. Train again or use a copy.") from error
    made = msgspec.to_builtins(found.generator)
    for field in ("architecture", "colours"):
        if not made[field]:  # as it was written before there was one
            del made[field]
    multiple = multiple_of(**made)
    if wrong := wrong_size(found.train.size, multiple):
        raise NurieError(f"{name} is damaged: `$.train.size`: {wrong}. Train again or use a copy.")
    return meta | {"generator": made}  # without what a newer Nurie may have added


def wrong_size(saved: int | str, multiple: int) -> str:
    """What is wrong with a saved size, or nothing."""
    try:
        size = Size.parse(saved)
    except NurieError as error:
        return str(error).rstrip(".")
    if size.least >= LEAST and max(size.width, size.height) <= MOST and size.is_multiple_of(multiple):
        return ""
    return f"expected {LEAST} to {MOST} pixels, in multiples of {multiple}; got {size}"
