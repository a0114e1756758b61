"""Coded weights: what docs/formats.md, "Coded weights", says in numbers, and a slow, obvious reader for the tests."""

import struct
from collections.abc import Iterator

from nurie.errors import NurieError

BYTES, TABLES, CODES = range(3)  # kinds of sections
HEAD = struct.Struct("<BH")  # a section's kind, and the bytes that follow
ROWS = struct.Struct("<HHH")  # of BYTES and CODES: rows, their length, and how often each is written
SHAPE = struct.Struct("<HH")  # of a table
LANES = 4  # states
SLOTS = 4096  # of a table: what all its frequencies are together
LEAST = 1 << 16  # of a state between two codes
MOST_TABLES = 16
MOST_CODES = 16384  # of a section
MOST_SECTION = 65535  # bytes after the head
MOST_TIMES = 65535  # that a row is written

Table = list[tuple[int, int, int]]


def frequencies(most: int, steepness: int, curvature: int) -> list[int]:
    """Of the codes -most to most: at least 1 each, SLOTS together. steepness, curvature: 0 to 65,535.

    A code's share falls with its size k as r^k q^(k (k - 1) / 2), r and q being 1 less that part of 65,536: between the
    laws of Laplace and of Gauss. Every reader computes it in float64, operation by operation as here.
    """
    shares, factor, bend = [1.0], 1 - steepness / 65536, 1 - curvature / 65536
    for _ in range(most):
        shares.append(shares[-1] * factor)
        factor *= bend
    total = 1.0
    for share in shares[1:]:
        total += 2 * share
    spare = SLOTS - (2 * most + 1)
    sides = [1 + int(share / total * spare) for share in shares[1:]]
    return [*sides[::-1], SLOTS - 2 * sum(sides), *sides]


def decoded(data: bytes) -> bytes:
    """The bytes that were coded. Raises NurieError where they are damaged."""
    made = bytearray()
    tables: list[Table] = []
    try:
        for kind, section in sections(data):
            if kind == TABLES:
                tables = read_tables(section)
            elif kind == BYTES:
                made += read_bytes(section)
            elif kind == CODES:
                made += read_codes(section, tables)
            else:
                raise ValueError
    except (ValueError, struct.error, IndexError) as error:
        raise NurieError("The coded weights are damaged. Export the model again.") from error
    return bytes(made)


def sections(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(data):
        kind, size = HEAD.unpack_from(data, at)
        at += HEAD.size
        if at + size > len(data):
            raise ValueError
        yield kind, data[at : at + size]
        at += size


def read_tables(section: bytes) -> list[Table]:
    """Of each table, for each slot: the code, how many slots it has, and how many of them come before this one."""
    most, shapes = section[0], list(SHAPE.iter_unpack(section[1:]))
    if most > 127 or not 1 <= len(shapes) <= MOST_TABLES:
        raise ValueError
    return [
        [
            (code, spans, before)
            for code, spans in enumerate(frequencies(most, *shape), -most)
            for before in range(spans)
        ]
        for shape in shapes
    ]


def read_rows(section: bytes) -> tuple[int, int, int]:
    rows, length, times = ROWS.unpack_from(section)
    if not rows or not length or not times:
        raise ValueError
    return rows, length, times


def read_bytes(section: bytes) -> bytes:
    rows, length, times = read_rows(section)
    if len(section) != ROWS.size + rows * length:
        raise ValueError
    starts = range(ROWS.size, len(section), length)
    return b"".join(section[start : start + length] * times for start in starts)


def read_codes(section: bytes, tables: list[Table]) -> bytes:
    """Asymmetric numeral systems (Duda 2013), with LANES states in turn, each row from the first on."""
    rows, length, times = read_rows(section)
    chosen = ROWS.size + (rows + 1) // 2
    words = iter(struct.unpack_from(f"<{(len(section) - chosen) // 2}H", section, chosen))
    if rows * length > MOST_CODES or (len(section) - chosen) % 2:
        raise ValueError
    made = bytearray()
    try:
        states = [next(words) + (next(words) << 16) for _ in range(LANES)]
        for row in range(rows):
            table = tables[section[ROWS.size + row // 2] >> 4 * (row % 2) & 15]
            codes = bytearray()
            for i in range(length):
                high, slot = divmod(states[i % LANES], SLOTS)
                code, spans, before = table[slot]
                state = spans * high + before
                states[i % LANES] = state if state >= LEAST else (state << 16) + next(words)
                codes.append(code % 256)
            made += codes * times
    except StopIteration as error:
        raise ValueError from error
    if states != [LEAST] * LANES or any(True for _ in words):
        raise ValueError
    return bytes(made)
