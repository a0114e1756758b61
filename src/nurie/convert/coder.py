"""Raw weights -> coded weights (docs/formats.md, "Coded weights"): 8-bit codes take what they are worth in bits.

Codes are written by asymmetric numeral systems (Duda 2013, "Asymmetric numeral systems: entropy coding combining speed
of Huffman coding with compression rate of arithmetic coding"), with tables that follow from two numbers each. Channels
whose codes spread alike share a table.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from nurie.engine.coded import (
    BYTES,
    CODES,
    HEAD,
    LANES,
    LEAST,
    MOST_CODES,
    MOST_SECTION,
    MOST_TABLES,
    MOST_TIMES,
    ROWS,
    SHAPE,
    SLOTS,
    TABLES,
    frequencies,
)
from nurie.engine.plan import Op, Plan

AT_ONCE = 128  # sections that are coded side by side
PER_OCTAVE = 2  # classes of channels, by the mean size of their codes
BENDS = np.linspace(0, 1, 21)  # shares of a table's fall that bend it, of which the best is taken
FALLS = np.geomspace(0.25, 4, 33)  # how much a table falls within the mean size of its codes, likewise


@dataclass(frozen=True)
class Block:
    """Rows of codes before they are coded: the section's beginning; uint16 (steps, LANES), how many slots each code has
    and the first of them."""

    head: bytes
    spans: np.ndarray
    firsts: np.ndarray


def encode(plan: Plan, weights: bytes) -> bytes:
    """The weights file of a plan, coded."""
    made: list[bytes] = []
    waiting: dict[int, Block] = {}  # by their place in `made`
    for part in parts_of(plan, weights):
        if isinstance(part, Block):
            waiting[len(made)] = part
        made.append(part if isinstance(part, bytes) else b"")
        if len(waiting) == AT_ONCE:
            finish(made, waiting)
    finish(made, waiting)
    return b"".join(made)


def finish(made: list[bytes], waiting: dict[int, Block]) -> None:
    for (i, block), stream in zip(waiting.items(), written(list(waiting.values())), strict=True):
        made[i] = section(CODES, block.head + stream)
    waiting.clear()


def parts_of(plan: Plan, weights: bytes) -> Iterator[bytes | Block]:
    """In the order of the file: numbers and codes of the operations, and what lies between."""
    ops = [op for op in plan.ops if op.is_conv or op.op == "norm"]
    found = [(op.bias, op, False) for op in ops] + [(op.scale, op, False) for op in ops]
    found += [(op.weight, op, True) for op in ops if op.is_conv and op.scale != -1]
    at = 0
    for offset, op, is_codes in sorted(found, key=lambda one: one[0]):
        if offset < at:  # absent, or another operation has it, too
            continue
        yield from plain(weights[at:offset])
        if is_codes:
            codes = codes_of(op, weights)
            yield from coded(codes, repeats(codes, op.shuffle**2))
            at = offset + codes.size
        else:
            at = offset + 4 * op.out_channels
            yield from numbers(np.frombuffer(weights, "<u4", op.out_channels, offset)[:, None], op.shuffle**2)
    yield from plain(weights[at:])


def codes_of(op: Op, weights: bytes) -> np.ndarray:
    """int8 (out, weights of one)."""
    length = op.kernel**2 * op.weight_depth
    return np.frombuffer(weights, np.int8, op.out_channels * length, op.weight).reshape(-1, length)


def repeats(rows: np.ndarray, times: int) -> int:
    """Whether each row stands there so often in turn: `times`, else 1."""
    groups = rows.reshape(-1, times, rows.shape[1])
    return times if (groups == groups[:, :1]).all() else 1


def numbers(rows: np.ndarray, phases: int) -> Iterator[bytes]:
    """Float32 (n, 1): all the same, such as one scale of all channels, or the same in all phases of an upsampling."""
    for times in (min(len(rows), MOST_TIMES), phases, 1):
        if len(rows) % times == 0 and repeats(rows, times) == times:
            yield from plain(rows[::times].tobytes(), 4, times)
            return


def plain(data: bytes, length: int = 1, times: int = 1) -> Iterator[bytes]:
    """As they are, each row of bytes so often."""
    size = min(MOST_SECTION - ROWS.size, 65535 * length) // length * length
    for start in range(0, len(data), size):
        part = data[start : start + size]
        yield section(BYTES, ROWS.pack(len(part) // length, length, times) + part)


def section(kind: int, data: bytes) -> bytes:
    return HEAD.pack(kind, len(data)) + data


def coded(codes: np.ndarray, times: int) -> Iterator[bytes | Block]:
    """Tables for codes int8 (rows, length), and the rows, each of which stands there `times` times."""
    pieces = -(-codes.shape[1] // MOST_CODES)  # of a long row
    times = 1 if pieces > 1 else times
    rows = codes[::times]
    most = int(np.abs(rows.astype(np.int16)).max(initial=0))
    shapes, chosen = tables_of(rows, most)
    yield section(TABLES, bytes([most]) + b"".join(SHAPE.pack(*shape) for shape in shapes))
    table = np.array([frequencies(most, *shape) for shape in shapes], np.uint16)
    count = max(1, MOST_CODES // rows.shape[1])
    for first in range(0, len(rows), count):
        for piece in range(pieces):
            part = rows[first : first + count, piece * MOST_CODES : (piece + 1) * MOST_CODES]
            yield block_of(part.astype(np.int16) + most, chosen[first : first + count], table, times)


def tables_of(rows: np.ndarray, most: int) -> tuple[list[tuple[int, int]], np.ndarray]:
    """The shapes of some tables, and which of them each row takes."""
    counts = np.stack([np.bincount(np.abs(row.astype(np.int16)), minlength=most + 1) for row in rows])
    sizes = counts @ np.arange(most + 1) / rows.shape[1]
    classes = np.rint(PER_OCTAVE * np.log2(np.maximum(sizes, 1 / 64)))
    classes = np.maximum(classes, classes.max() - MOST_TABLES + 1)
    kinds, chosen = np.unique(classes, return_inverse=True)
    shapes = [fitted(counts[chosen == i].sum(0), most) for i in range(len(kinds))]
    bits = -np.log2(np.array([frequencies(most, *shape)[most:] for shape in shapes]) / SLOTS)
    chosen = (counts @ bits.T).argmin(1)
    used, chosen = np.unique(chosen, return_inverse=True)
    return [shapes[i] for i in used], chosen


def fitted(counts: np.ndarray, most: int) -> tuple[int, int]:
    """Steepness and curvature of the table that takes the fewest bits. counts: of codes by their size, 0 to most."""
    mean = max(0.05, float(counts @ np.arange(most + 1)) / counts.sum())
    falls, bends = (values.ravel() for values in np.meshgrid(FALLS, BENDS))
    steepness = np.rint(65536 * (1 - np.exp(-falls * (1 - bends) / mean))).clip(0, 65535)
    curvature = np.rint(65536 * (1 - np.exp(-falls * bends / mean**2))).clip(0, 65535)
    sizes = np.arange(most + 1)[:, None]
    logs = sizes * np.log1p(-steepness / 65536) + sizes * (sizes - 1) / 2 * np.log1p(-curvature / 65536)
    shares = np.exp(logs)
    shares /= shares[0] + 2 * shares[1:].sum(0)
    best = int((counts @ np.log2(1 + shares * (SLOTS - 2 * most - 1))).argmax())
    return int(steepness[best]), int(curvature[best])


def block_of(index: np.ndarray, chosen: np.ndarray, table: np.ndarray, times: int) -> Block:
    """index: of codes in their tables, (rows, length). table: uint16 (tables, codes). chosen: a table for each row."""
    rows, length = index.shape
    begins = np.cumsum(table, axis=1, dtype=np.uint16) - table
    # what fills up whole steps has all slots: it leaves a state as it is
    filling = ((0, 0), (0, -length % LANES))
    spans = np.pad(table[chosen[:, None], index], filling, constant_values=SLOTS).reshape(-1, LANES)
    firsts = np.pad(begins[chosen[:, None], index], filling).reshape(-1, LANES)
    pairs = np.pad(chosen, (0, rows % 2)).reshape(-1, 2)
    head = ROWS.pack(rows, length, times) + (pairs[:, 0] | pairs[:, 1] << 4).astype(np.uint8).tobytes()
    return Block(head, spans, firsts)


def written(blocks: list[Block]) -> Iterator[bytes]:
    """Of each its last states, and the words that they left behind, in the order of reading."""
    if not blocks:
        return
    longest = max(len(block.spans) for block in blocks)
    filling = [((0, longest - len(block.spans)), (0, 0)) for block in blocks]
    pairs = list(zip(blocks, filling, strict=True))
    spans = np.stack([np.pad(block.spans, fill, constant_values=SLOTS) for block, fill in pairs], 1)
    firsts = np.stack([np.pad(block.firsts, fill) for block, fill in pairs], 1)
    states = np.full(spans.shape[1:], LEAST, np.uint64)  # (blocks, LANES); the others (steps, blocks, LANES)
    words, left = np.zeros(spans.shape, np.uint16), np.zeros(spans.shape, bool)
    for step in range(longest - 1, -1, -1):
        span = spans[step].astype(np.uint64)
        full = states >> 20 >= span
        words[step], left[step] = states & 0xFFFF, full
        states >>= 16 * full.astype(np.uint64)
        high = states // span
        states += high * (SLOTS - span) + firsts[step]
    for i in range(len(blocks)):
        yield states[i].astype("<u4").tobytes() + words[:, i][left[:, i]].astype("<u2").tobytes()
