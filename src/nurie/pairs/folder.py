"""A folder of pairs, read and resized for training."""

from collections.abc import Collection
from pathlib import Path

import cv2
import numpy as np

from nurie.drawings.widths import keep_lines
from nurie.pairs.files import read_pair
from nurie.pairs.kinds import no_pairs
from nurie.pairs.layouts import find_pairs, stem
from nurie.pairs.names import name_of
from nurie.size import Size

CACHE_BYTES = 4 << 30  # decoded pairs kept in memory; beyond that they are read again


class PairFolder:
    """PAIRS/train or PAIRS/val in any of the layouts (layouts.py), grouped by picture: `NAME--few.png` and
    `NAME--many.png` are one group. A pair goes by the path of its A|B picture, or of A."""

    def __init__(self, folder: Path, size: Size, direction: str = "AtoB") -> None:
        self.folder, self.size, self.direction = folder, size, direction
        self.others = find_pairs(folder)
        groups: dict[str, list[Path]] = {}
        for path, other in self.others.items():
            groups.setdefault(name_of(path if other is None else path.with_stem(stem(path))), []).append(path)
        self.groups, self.names = list(groups.values()), list(groups)
        self._cache: dict[Path, tuple[np.ndarray, np.ndarray]] = {}

    def __len__(self) -> int:
        return len(self.groups)

    def read(self, path: Path) -> tuple[np.ndarray, np.ndarray]:
        """Drawing and picture, uint8 (h, w, 3) RGB each, of `size`. NurieError when the file is no A|B pair."""
        if path in self._cache:
            return self._cache[path]
        drawing, picture = resized_pair(*read_pair(path, self.size, self.direction, self.others.get(path)), self.size)
        if (len(self._cache) + 1) * 2 * drawing.nbytes < CACHE_BYTES:
            self._cache[path] = drawing, picture
        return drawing, picture

    def leave_out(self, files: Collection[Path]) -> None:
        """As if these files were not there, nor pictures that have no others."""
        groups = {
            name: [path for path in group if path not in files]
            for name, group in zip(self.names, self.groups, strict=True)
        }
        groups = {name: group for name, group in groups.items() if group}
        self.groups, self.names = list(groups.values()), list(groups)

    def files(self, path: Path) -> list[Path]:
        """The files of a pair: one, or A and B."""
        other = self.others[path]
        return [path] if other is None else [path, other]

    def spread(self, count: int) -> list[Path]:
        """Up to `count` files, at most one for each picture: evenly spread pictures, details in turn."""
        chosen = np.linspace(0, len(self) - 1, min(count, len(self))).astype(int)
        return [self.groups[g][i % len(self.groups[g])] for i, g in enumerate(chosen)]


def resized_pair(drawing: np.ndarray, picture: np.ndarray, size: Size) -> tuple[np.ndarray, np.ndarray]:
    """Both in this size; thin lines of a drawing on white stay dark."""
    return resized(keep_lines(drawing, size.height / drawing.shape[0]), size), resized(picture, size)


def resized(half: np.ndarray, size: Size) -> np.ndarray:
    """A picture, uint8 (h, w, 3), in this size: by area when smaller, cubic when larger."""
    h, w = half.shape[:2]
    if (w, h) == (size.width, size.height):
        return np.ascontiguousarray(half)
    method = cv2.INTER_AREA if h > size.height else cv2.INTER_CUBIC
    return cv2.resize(half, (size.width, size.height), interpolation=method)


def open_pairs(pairs: Path, split: str, size: Size, direction: str) -> PairFolder:
    """The train or val side of a pairs folder. NurieError when it holds no pictures."""
    folder = PairFolder(pairs / split, size, direction)
    if not folder.groups:
        raise no_pairs(pairs, split)
    return folder
