"""Checkpoints of TensorFlow since 0.12: NAME.index, a table of what lies in NAME.data-00000-of-00001 and on.

The index's messages are those of TensorFlow's tensor_bundle.proto. Arrays are read when they are asked for, so that
the optimizer's, twice as many as the net's, are not.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nurie.errors import NurieError
from nurie.files.schema import read_bytes
from nurie.importers.containers.crc32c import masked_crc32c
from nurie.importers.containers.objects import ENTRY, read_objects
from nurie.importers.containers.table import read_table
from nurie.importers.containers.tensorflow_files import index_of, is_checkpoint
from nurie.importers.containers.wire import Message, messages, numbers, varint
from nurie.importers.frame import Container, Contents

MOST = 1 << 21  # bytes of the index, and of the objects; those of a U-Net with its optimizers have 20,000 and 140,000
SHARDS = 4096
SIDES = 8
DTYPES = {1: "<f4", 2: "<f8", 3: "<i4", 4: "u1", 5: "<i2", 6: "i1", 9: "<i8", 19: "<f2"}
TEXT = 7


@dataclass(frozen=True)
class Entry:
    """Where an array lies: in which file, at which byte; and its bytes, with their checksum."""

    dtype: int
    shape: tuple[int, ...]
    file: Path
    offset: int
    size: int
    checksum: int

    def stored(self) -> bytes:
        """Raises NurieError."""
        try:
            with self.file.open("rb") as file:
                file.seek(self.offset)
                return file.read(self.size)
        except OSError as error:
            raise NurieError(f"{self.file} can not be read: {error.strerror}") from error


@dataclass(frozen=True)
class Arrays(Mapping):
    """Of str to np.ndarray."""

    entries: Mapping[str, Entry]

    def __getitem__(self, name: str) -> np.ndarray:
        """Raises NurieError where it is damaged."""
        entry = self.entries[name]
        stored = entry.stored()
        if len(stored) != entry.size or masked_crc32c(stored) != entry.checksum:
            raise NurieError(f"{entry.file} is damaged: the checksum of {name[:100]} is wrong. Copy it again.")
        return np.frombuffer(stored, DTYPES[entry.dtype]).reshape(entry.shape)

    def __iter__(self) -> Iterator[str]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)


def open_checkpoint(path: Path) -> Contents:
    """path: any file of it, its name without an ending, or a folder with a file `checkpoint` that names the newest."""
    index = index_of(path)
    stored = read_bytes(index)
    try:
        if len(stored) > MOST:
            raise NurieError(f"it has {len(stored)} bytes, and at most {MOST} were expected")
        table = read_table(stored)
        shards = shards_of(index, table.pop(b"", memoryview(b"")))
        entries = {name_of(key): entry_of(message, shards) for key, message in table.items()}
        attributes: dict[str, Any] = {}
        if (graph := entries.get(ENTRY)) and graph.dtype == TEXT:
            attributes["objects"] = read_objects(string_of(graph))
    except NurieError as error:
        raise NurieError(f"{index} can not be read as a checkpoint of TensorFlow: {error}.") from error
    beside = [index.with_suffix(".meta"), index.with_name("checkpoint"), index.with_name("options.json")]
    files = (path, index, *shards, *(file for file in beside if file.is_file()))
    return Contents(
        files, Arrays({name: entry for name, entry in entries.items() if entry.dtype in DTYPES}), attributes
    )


def shards_of(index: Path, header: Message) -> tuple[Path, ...]:
    """Its files of data, all of which must be there."""
    about = numbers(header)
    count = about.get(1, 0)
    if not 1 <= count <= SHARDS:
        raise NurieError(f"expected it to say that it has 1 to {SHARDS} files of data, but it says {count}")
    if about.get(2, 0):
        raise NurieError("it was written by a computer with the opposite order of bytes")
    shards = tuple(index.with_name(f"{index.stem}.data-{shard:05d}-of-{count:05d}") for shard in range(count))
    if missing := [shard.name for shard in shards if not shard.is_file()]:
        raise NurieError(f"its weights are in {missing[0]}, which must lie beside it but does not")
    return shards


def name_of(key: bytes) -> str:
    try:
        return key.decode()
    except UnicodeDecodeError as error:
        raise NurieError("a name is no text") from error


def entry_of(message: Message, shards: tuple[Path, ...]) -> Entry:
    """Raises NurieError for what does not lie within its file."""
    about = numbers(message)
    shape = tuple(numbers(side).get(1, 0) for sides in messages(message, 2) for side in messages(sides, 2))
    dtype, shard, offset, size = (about.get(number, 0) for number in (1, 3, 4, 5))
    if shard >= len(shards) or offset + size > shards[shard].stat().st_size:
        raise NurieError("an array is not within its file of data, which was cut off or belongs to another index")
    if messages(message, 7) or 0 in shape or len(shape) > SIDES:
        dtype = 0  # nothing that a generator has; an array in slices has an entry for each
    elif dtype in DTYPES and math.prod(shape) * np.dtype(DTYPES[dtype]).itemsize != size:
        raise NurieError(f"an array has {size} bytes, but its shape is {shape[:8]}")
    return Entry(dtype, shape, shards[shard], offset, size, about.get(6, 0))


def string_of(entry: Entry) -> Message:
    """An array of one string: its length, a checksum of that, the string."""
    if entry.size > MOST:
        raise NurieError(f"a text has {entry.size} bytes, and at most {MOST} were expected")
    stored = memoryview(entry.stored())
    length, at = varint(stored, 0)
    if at + 4 + length != len(stored):
        raise NurieError("a text does not end")
    if masked_crc32c(length.to_bytes(4 if length < 1 << 32 else 8, "little") + stored[at:]) != entry.checksum:
        raise NurieError("the checksum of a text is wrong")
    return stored[at + 4 :]


TENSORFLOW = Container("a checkpoint of TensorFlow", is_checkpoint, open_checkpoint)
