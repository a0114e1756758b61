"""NumPy's zip files of arrays, which Chainer saves: one for the encoder and one for the decoder, or a trainer's
snapshot of all."""

from math import prod
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
from numpy.lib import format as npy

from nurie.errors import NurieError
from nurie.importers.containers.zipped import first_entry, opened, refused
from nurie.importers.frame import Container, Contents

GROWTH = 16  # times what is compressed: weights hardly shrink, but a net that was not trained has many zeros
SNAPSHOT = "updater/model:"
OTHER = {"enc": "dec", "dec": "enc"}
WORDS = {"enc": "the encoder", "dec": "the decoder"}

Arrays = dict[str, np.ndarray]


def sniff(path: Path) -> bool:
    return first_entry(path).endswith(".npy")


def open_npz(path: Path) -> Contents:
    """An encoder's arrays are `enc/c0/W` and so on, and those of the decoder, from the file beside it, `dec/c0/c/W`."""
    arrays = read(path)
    half = half_of(arrays)
    if not half:
        return Contents((path,), arrays)
    beside = beside_of(path, half)
    other = read(beside)
    if half_of(other) != OTHER[half]:
        raise NurieError(f"{path} is {WORDS[half]}, but {beside.name} beside it is not {WORDS[OTHER[half]]}.")
    named = {**prefixed(arrays, half), **prefixed(other, OTHER[half])}
    return Contents((path, beside), named)


def prefixed(arrays: Arrays, half: str) -> Arrays:
    return {f"{half}/{name}": array for name, array in arrays.items()}


def half_of(arrays: Arrays) -> str:
    """Of a generator of chainer-pix2pix; nothing for what is not one."""
    if "c0/W" in arrays and "c1/c/W" in arrays:
        return "enc"
    return "dec" if "c0/c/W" in arrays and "c1/c/W" in arrays else ""


def beside_of(path: Path, half: str) -> Path:
    """The file with the other half. Raises NurieError where there is none."""
    before, found, after = path.name.rpartition(half)
    if not found:
        raise NurieError(
            f"{path} is {WORDS[half]} of a generator. To find the other half beside it, expected the names "
            "enc_iter_N.npz and dec_iter_N.npz."
        )
    beside = path.with_name(before + OTHER[half] + after)
    if not beside.is_file():
        raise NurieError(f"{path} is {WORDS[half]} alone: expected {WORDS[OTHER[half]]} beside it, {beside.name}.")
    return beside


def read(path: Path) -> Arrays:
    """Of a trainer's snapshot only its networks, as `enc/...`, `dec/...` and `dis/...`. Raises NurieError."""
    with refused(path), opened(path, GROWTH) as file:
        names = [name for name in file.namelist() if name.endswith(".npy")]
        if networks := [name for name in names if name.startswith(SNAPSHOT)]:
            names = networks
        arrays = {name.removeprefix(SNAPSHOT).removesuffix(".npy"): array_of(file, name) for name in names}
    return {name: array for name, array in arrays.items() if array is not None}


def array_of(file: ZipFile, name: str) -> np.ndarray | None:
    """None where it is no plain numbers. Raises ValueError where its shape is not that of what follows."""
    with file.open(name) as data:
        shape, by_columns, kind = header(data)
        if kind.kind not in "fiub":
            return None
        content = bytearray(data.read())  # arrays that can be written are not copied again
    if prod(shape) * kind.itemsize != len(content):
        raise ValueError(f"{name[:100]} has {len(content)} bytes, which is not what its shape {shape} needs")
    return np.frombuffer(content, kind).reshape(shape, order="F" if by_columns else "C")


def header(data: Any) -> tuple[tuple[int, ...], bool, np.dtype]:
    version = npy.read_magic(data)
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f"its arrays are of version {version}, but 1.0 and 2.0 are known")
    return (npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0)(data)


NPZ = Container("an .npz file", sniff, open_npz)
