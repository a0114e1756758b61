"""The web format of pix2pix-tensorflow, .pict or .bin: three blocks, each a length and its bytes.

They are the names and shapes as JSON, a codebook of 256 numbers, and for each weight its place in the codebook.
"""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta, Struct

from nurie.errors import NurieError
from nurie.files.schema import fault
from nurie.importers.frame import Container, Contents

CODES = 256
MOST = 1 << 27  # bytes; a U-Net has 54,000,000
MOST_OF_NAMES = 1 << 20  # bytes; a U-Net has 7,000
Side = Annotated[int, Meta(ge=1, le=1 << 31)]


class Named(Struct):
    """An array, of which the bytes follow those of the one before."""

    name: Annotated[str, Meta(max_length=1000)]
    shape: Annotated[tuple[Side, ...], Meta(max_length=8)]


def is_pict(path: Path) -> bool:
    """Whether its first block lies within it and begins as a list of objects."""
    try:
        with path.open("rb") as file:
            first = file.read(6)
        return first[4:6] == b"[{" and int.from_bytes(first[:4], "big") < path.stat().st_size
    except OSError:
        return False


def open_pict(path: Path) -> Contents:
    try:
        if path.stat().st_size > MOST:
            raise NurieError(f"{path} has {path.stat().st_size} bytes, and at most {MOST} were expected.")
        with path.open("rb") as file:
            data = memoryview(file.read(MOST))
    except OSError as error:
        raise NurieError(f"{path} can not be read: {error.strerror}.") from error
    try:
        named, codebook, codes = blocks(data)
        arrays = dict(arrays_of(msgspec.json.decode(named, type=list[Named]), codebook, codes))
    except (NurieError, msgspec.DecodeError, ValueError, RecursionError) as error:
        raise NurieError(f"{path} is damaged: {fault(error)}. Download it again.") from error
    return Contents((path,), arrays)


def blocks(data: memoryview) -> list[memoryview]:
    """Raises NurieError unless there are three and nothing else."""
    found, at = [], 0
    while at < len(data) and len(found) < 4:
        end = at + 4 + int.from_bytes(data[at : at + 4], "big")
        if end > len(data):
            raise NurieError("it ends too early")
        found.append(data[at + 4 : end])
        at = end
    if len(found) != 3 or len(found[1]) != 4 * CODES:
        raise NurieError(f"expected names, a codebook of {CODES} numbers and weights, in three blocks")
    if len(found[0]) > MOST_OF_NAMES:
        raise NurieError(f"its names have {len(found[0])} bytes, and at most {MOST_OF_NAMES} were expected")
    return found


def arrays_of(named: list[Named], codebook: memoryview, codes: memoryview) -> Iterator[tuple[str, np.ndarray]]:
    numbers, places, at = np.frombuffer(codebook, "<f4"), np.frombuffer(codes, np.uint8), 0
    if (count := sum(math.prod(each.shape) for each in named)) != len(places):
        raise NurieError(f"its names are of {count} weights, but it has {len(places)}")
    for each in named:
        end = at + math.prod(each.shape)
        yield each.name, numbers[places[at:end]].reshape(each.shape)
        at = end


PICT = Container("the web format of pix2pix-tensorflow", is_pict, open_pict)
