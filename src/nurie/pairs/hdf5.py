"""Pairs in one HDF5 file, as tdeboissiere's pix2pix keeps them: {train,val,test}_data_{full,sketch}, uint8 pictures
(n, channels, h, w), RGB or grey. "full" is the left half of what it was made of, "sketch" the right one."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nurie.errors import NurieError
from nurie.files.hdf5 import Hdf5, is_hdf5, opened
from nurie.pairs.files import write_pair
from nurie.pairs.record import Record, place_hash, read_record

if TYPE_CHECKING:
    import h5py

SPLITS = ("train", "val", "test")
MOST_SIDE = 4096  # pixels
MOST_PAIRS = 10_000_000


@dataclass(frozen=True)
class HalfPair:
    """drawing, picture: uint8 (h, w, 3) RGB. place: in its split, from 0."""

    split: str
    place: int
    drawing: np.ndarray
    picture: np.ndarray


def is_pair_file(path: Path) -> bool:
    return path.is_file() and is_hdf5(path)


def pairs_in(path: Path) -> Iterator[HalfPair]:
    """All pairs of a file, one in memory at a time. Raises NurieError for a file that holds none, or a damaged one."""
    with opened(path) as file:
        found = {split: checked(file, split) for split in SPLITS if f"{split}_data_full" in file.datasets}
        if not any(len(full) for full, _ in found.values()):
            raise NurieError(
                f"{path} holds no pairs. Expected train_data_full and train_data_sketch, as tdeboissiere's "
                f"make_dataset.py writes them, but it has {', '.join(list(file.datasets)[:4]) or 'nothing'}."
            )
        for split, (full, sketch) in found.items():
            for place in range(len(full)):
                yield HalfPair(split, place, picture_of(sketch[place]), picture_of(full[place]))


def checked(file: Hdf5, split: str) -> tuple["h5py.Dataset", "h5py.Dataset"]:
    """Full and sketch of a split, whose shapes are such that reading one picture takes little memory."""
    full, sketch = (file.datasets.get(f"{split}_data_{half}") for half in ("full", "sketch"))
    if full is None or sketch is None:
        raise NurieError(f"{file.path} has {split}_data_full, but no {split}_data_sketch.")
    for name, data in (("full", full), ("sketch", sketch)):
        shape = data.shape
        ok = len(shape) == 4 and shape[1] in (1, 3) and max(shape[2:]) <= MOST_SIDE and shape[0] <= MOST_PAIRS
        if not ok or 0 in shape[1:] or data.dtype != np.uint8:
            raise NurieError(
                f"{file.path}: expected {split}_data_{name} to be pictures of 1 or 3 channels, (n, channels, h, w) in "
                f"uint8 with sides up to {MOST_SIDE} pixels, but it is {shape} in {data.dtype}."
            )
    if (len(full), full.shape[2:]) != (len(sketch), sketch.shape[2:]):
        raise NurieError(
            f"{file.path}: {split}_data_full is {full.shape}, but {split}_data_sketch is {sketch.shape}: "
            "expected as many, and of one size."
        )
    return full, sketch


def picture_of(planes: np.ndarray) -> np.ndarray:
    """uint8 (1 or 3, h, w) -> (h, w, 3)"""
    return np.ascontiguousarray(np.broadcast_to(planes.transpose(1, 2, 0), (*planes.shape[1:], 3)))


def write_pairs(file: Path, folder: Path, pairs: Iterator[HalfPair], direction: str) -> tuple[list[Path], int]:
    """Write FOLDER/SPLIT/NUMBER.png for each, those that are not there already. Returns all, and how many are new."""
    paths, new = [], 0
    here = place_hash(file)
    for pair in pairs:
        path = folder / pair.split / f"{pair.place:05d}.png"
        digest = hashlib.sha256(pair.drawing.tobytes() + pair.picture.tobytes()).hexdigest()[:32]
        record = Record(f"{pair.split}/{pair.place}", here, digest)
        if read_record(path) != record:
            write_pair(path, pair.drawing, pair.picture, direction, record.text())
            new += 1
        paths.append(path)
    return paths, new
