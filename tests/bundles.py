"""A writer of TensorFlow's checkpoints, for layouts of which there is no real file here."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from nurie.importers.containers.crc32c import masked_crc32c
from nurie.importers.containers.objects import ENTRY
from nurie.importers.containers.table import MAGIC

CODES = {"float32": 1, "float64": 2, "int32": 3, "int64": 9, "float16": 19}


def varint(number: int) -> bytes:
    more = number >> 7
    return bytes([number & 127 | 128]) + varint(more) if more else bytes([number])


def number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value)


def message(field: int, value: bytes) -> bytes:
    return varint(field << 3 | 2) + varint(len(value)) + value


def short(field: int, value: int) -> bytes:
    return varint(field << 3 | 5) + value.to_bytes(4, "little")


def write_checkpoint(prefix: Path, arrays: Mapping[str, np.ndarray], owners: Mapping[str, str] | None = None,
                     shards: int = 1, compressed: bool = False) -> Path:  # fmt: skip
    """prefix.index and its data. owners: names of arrays by the paths of the objects that own them. Returns prefix."""
    values, data = {b"": number(1, shards)}, [bytearray() for _ in range(shards)]
    for place, (name, array) in enumerate(sorted(arrays.items())):
        sides = b"".join(message(2, number(1, side)) for side in array.shape)
        values[name.encode()] = put(data, place % shards, CODES[array.dtype.name], sides, array.tobytes())
    if owners is not None:
        graph = objects(owners)
        length = varint(len(graph)) + masked_crc32c(len(graph).to_bytes(4, "little")).to_bytes(4, "little")
        values[ENTRY.encode()] = put(data, 0, 7, b"", length + graph, masked_crc32c(
            len(graph).to_bytes(4, "little") + length[-4:] + graph))  # fmt: skip
    for shard, stored in enumerate(data):
        prefix.with_name(f"{prefix.name}.data-{shard:05d}-of-{shards:05d}").write_bytes(stored)
    prefix.with_name(f"{prefix.name}.index").write_bytes(table(values, compressed))
    return prefix


def put(data: list[bytearray], shard: int, code: int, sides: bytes, stored: bytes, checksum: int = 0) -> bytes:
    """Append an array to a file of data. Returns its entry."""
    offset = len(data[shard])
    data[shard] += stored
    return (
        number(1, code) + message(2, sides) + number(3, shard) + number(4, offset) + number(5, len(stored))
        + short(6, checksum or masked_crc32c(stored))
    )  # fmt: skip


def objects(owners: Mapping[str, str]) -> bytes:
    """A TrackableObjectGraph."""
    places = {"": 0}
    parts: list[list[bytes]] = [[]]
    for path in owners:
        names = path.split("/")
        for depth in range(1, len(names) + 1):
            here = "/".join(names[:depth])
            if here not in places:
                places[here] = len(places)
                parts.append([])
                child = number(1, places[here]) + message(2, names[depth - 1].encode())
                parts[places["/".join(names[: depth - 1])]].append(message(1, child))
    for path, name in owners.items():
        value = message(1, b"VARIABLE_VALUE") + message(2, b"whatever") + message(3, name.encode())
        parts[places[path]].append(message(2, value))
    return b"".join(message(1, b"".join(part)) for part in parts)


def table(values: Mapping[bytes, bytes], compressed: bool = False) -> bytes:
    """LevelDB's: blocks of 16 entries, of which every fourth has its whole key."""
    items, data, handles = sorted(values.items()), bytearray(), {}
    for first in range(0, len(items), 16):
        some = items[first : first + 16]
        handles[some[-1][0]] = put_block(data, block(dict(some)), compressed)
    meta = put_block(data, block({}))
    footer = meta + put_block(data, block(handles))
    return bytes(data) + footer.ljust(40, b"\0") + MAGIC


def block(items: Mapping[bytes, bytes]) -> bytes:
    stored, restarts, last = bytearray(), [0], b""
    for place, (key, value) in enumerate(items.items()):
        shared = 0
        if place % 4:
            while shared < min(len(key), len(last)) and key[shared] == last[shared]:
                shared += 1
        elif place:
            restarts.append(len(stored))
        stored += varint(shared) + varint(len(key) - shared) + varint(len(value)) + key[shared:] + value
        last = key
    return bytes(stored) + b"".join(each.to_bytes(4, "little") for each in [*restarts, len(restarts)])


def put_block(data: bytearray, stored: bytes, compressed: bool = False) -> bytes:
    """Append a block. Returns its handle."""
    start, stored = len(data), stored + bytes([compressed])
    data += stored + masked_crc32c(stored).to_bytes(4, "little")
    return varint(start) + varint(len(stored) - 1)
