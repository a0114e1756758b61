"""LevelDB's table, https://github.com/google/leveldb/blob/main/doc/table_format.md: the index of a TensorFlow
checkpoint."""

from collections.abc import Iterator

from nurie.errors import NurieError
from nurie.importers.containers.crc32c import masked_crc32c
from nurie.importers.containers.wire import Message, varint

MAGIC = bytes.fromhex("57fb808b247547db")
FOOTER = 48
TRAILER = 5  # of a block: its compression, and a checksum
MOST = 1 << 24  # bytes of all keys


def read_table(data: bytes) -> dict[bytes, Message]:
    """Values by key. Keys must ascend, as they do, so that no block is read twice. Raises NurieError."""
    view = memoryview(data)
    if len(data) < FOOTER or not data.endswith(MAGIC):
        raise NurieError("it does not end as an index does")
    footer = view[-FOOTER:]
    _, at = handle(footer, 0)  # of the block about filters
    (start, size), _ = handle(footer, at)
    found: dict[bytes, Message] = {}
    last, length = None, 0
    for _, value in entries(block(view, start, size)):
        for key, message in entries(block(view, *handle(value, 0)[0])):
            length += len(key)
            if (last is not None and key <= last) or length > MOST:
                raise NurieError("its names are out of order")
            found[key], last = message, key
    return found


def handle(data: Message, at: int) -> tuple[tuple[int, int], int]:
    """Where a block lies, and its size; and where the handle ends."""
    start, at = varint(data, at)
    size, at = varint(data, at)
    return (start, size), at


def block(view: Message, start: int, size: int) -> Message:
    if start + size + TRAILER > len(view):
        raise NurieError("it ends too early")
    stored = view[start : start + size + 1]
    if masked_crc32c(stored) != int.from_bytes(view[start + size + 1 : start + size + TRAILER], "little"):
        raise NurieError("a checksum is wrong")
    if stored[-1]:
        raise NurieError("it is compressed, which TensorFlow's are not")
    return stored[:-1]


def entries(stored: Message) -> Iterator[tuple[bytes, Message]]:
    """A key says how much of the one before it shares. The end has places to start at, which are not needed."""
    if len(stored) < 4:
        raise NurieError("a block ends too early")
    end = len(stored) - 4 - 4 * int.from_bytes(stored[-4:], "little")
    at, key = 0, b""
    while at < end:
        shared, at = varint(stored, at)
        more, at = varint(stored, at)
        length, at = varint(stored, at)
        if shared > len(key) or at + more + length > end:
            raise NurieError("an entry does not end")
        key = key[:shared] + bytes(stored[at : at + more])
        yield key, stored[at + more : at + more + length]
        at += more + length
