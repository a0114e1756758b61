"""Plans with weights and drawings that the fuzzer of engine/fuzz/ made up, kept in tests/data/engine-inputs.tar.xz."""

import tarfile
from collections.abc import Iterable
from dataclasses import Field, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from nurie.engine.plan import MAX_COUNT, OPS, Op, Plan

FILE = Path(__file__).parent / "data" / "engine-inputs.tar.xz"
HEADER, ROW = 9, len(fields(Op))  # int32
FIELDS = fields(Op)[1:]


@dataclass(frozen=True)
class Input:
    """As engine/fuzz/input.h says."""

    tensors: int
    ops: int
    weights_bytes: int
    sizes: list[tuple[int, int]]  # height and width of two drawings
    table: np.ndarray  # int32: what the host writes of the plan
    drawing: bytes  # repeated as often as it takes, like the weights
    weights: bytes

    @property
    def plan(self) -> Plan:
        """Not checked; what is no operation has an empty name."""
        names = dict(enumerate(OPS))
        rows = self.table[self.tensors :].reshape(self.ops, ROW).tolist()
        ops = [op_of(names.get(op, ""), row) for op, *row in rows]
        return Plan(tuple(self.table[: self.tensors].tolist()), tuple(ops))


def op_of(name: str, words: Iterable[int]) -> Op:
    """Of the fields after its name, as the engine reads them."""
    return Op(name, *map(value_of, FIELDS, map(int, words)))


def value_of(field: Field, word: int) -> Any:
    return float(np.int32(word).view("<f4")) if field.type is float else word


def read_input(data: bytes) -> Input:
    tensors, ops, weights_bytes, drawing_bytes, _threads, *sides = np.frombuffer(data, "<i4", HEADER).tolist()
    counts = (tensors, ops)
    words = tensors + ROW * ops if all(1 <= count <= MAX_COUNT for count in counts) else 0
    rest = data[4 * HEADER :]
    given = min(words, len(rest) // 4)
    table = np.zeros(words, "<i4")
    table[:given] = np.frombuffer(rest, "<i4", given)
    rest = rest[4 * given :]
    drawn = min(max(drawing_bytes, 0), len(rest))
    sizes = [(sides[0], sides[2]), (sides[1], sides[3])]
    return Input(tensors, ops, weights_bytes, sizes, table, rest[:drawn], rest[drawn:])


def repeated(pattern: bytes, size: int) -> bytes:
    return (pattern * (size // len(pattern) + 1))[:size] if pattern else bytes(size)


def kept() -> dict[str, bytes]:
    """By name."""
    with tarfile.open(FILE) as archive:
        files = {member.name: archive.extractfile(member) for member in archive}
        return {name: file.read() for name, file in files.items() if file}
