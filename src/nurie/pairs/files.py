"""A|B pairs on disk, and contact sheets of them. Format: docs/formats.md."""

from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np

from nurie.drawings.sheets import save_png, sheet
from nurie.errors import NurieError
from nurie.files.pictures import flattened, read_picture
from nurie.pairs.layouts import is_pair_of
from nurie.size import Size


class WrongShape(NurieError):
    """A picture whose halves have another proportion than wanted, or one that has it itself where A and B lie apart."""


def write_pair(
    path: Path, drawing: np.ndarray, picture: np.ndarray, direction: str = "AtoB", text: Mapping[str, str] | None = None
) -> None:
    """One PNG, drawing left and picture right (the other way round for BtoA), written atomically. `text`: its text
    chunks, keyword -> Latin-1 text."""
    halves = [drawing, picture] if direction == "AtoB" else [picture, drawing]
    path.parent.mkdir(parents=True, exist_ok=True)
    save_png(path, np.hstack(halves), text)


def read_pair(
    path: Path, size: Size, direction: str = "AtoB", other: Path | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Drawing and picture, uint8 (h, w, 3) RGB each, on white where they are transparent; of one size where they are of
    one file. Raises NurieError when that is no A|B pair in the proportion of `size`, or when picture A and the `other`
    one do not have it."""
    if other is not None:
        halves = read_half(path, other, size), read_half(other, path, size)
    else:
        both = read(path)
        h, w = both.shape[:2]
        if not is_pair_of(w, h, size):
            hint = f" If {Size(w // 2, h).both} is what its halves are, say so by --size." if w % 2 == 0 else ""
            raise WrongShape(f"{path} is {w}x{h} pixels; a pair is {wanted_pair(h, size)}.{hint}")
        halves = both[:, : w // 2], both[:, w // 2 :]
    return halves if direction == "AtoB" else (halves[1], halves[0])


def wanted_pair(height: int, size: Size) -> str:
    """Of about this height: "two squares side by side, such as 512x256"."""
    what = "squares" if size.width == size.height else f"pictures in the proportion of {size}"
    return f"two {what} side by side, such as {2 * round(height * size.width / size.height)}x{height}"


def read(path: Path) -> np.ndarray:
    try:
        return flattened(*read_picture(path))
    except NurieError as error:
        raise NurieError(f"{error}. Delete it or make the pairs again.") from error


def read_half(path: Path, other: Path, size: Size) -> np.ndarray:
    picture = read(path)
    h, w = picture.shape[:2]
    if not Size(w, h).fits(size):
        square = size.width == size.height
        expected = "are squares" if square else f"have the proportion of {size}"
        raise WrongShape(
            f"{path} is {w}x{h} pixels; the halves of pairs {expected}. `nurie prepare {path.parent} PAIRS "
            f"--mode folders --inputs {other.parent}{'' if square else f' --size {size}'}` crops or pads them, if the "
            "names in both are the same."
        )
    return picture


def write_sheet(path: Path, groups: list[list[Path]], size: Size, direction: str, pictures: int = 12) -> None:
    """A contact sheet: evenly chosen pictures, each followed by its drawings, two pictures to a row. Pairs that people
    changed are shown in the others' size, or not at all."""
    chosen = [groups[i] for i in np.unique(np.linspace(0, len(groups) - 1, min(pictures, len(groups))).astype(int))]
    rows: list[list[np.ndarray]] = []
    for files in chosen:
        try:
            pairs = [read_pair(file, size, direction) for file in files]
        except NurieError:
            continue
        rows.append([pairs[0][1], *(drawing for drawing, _ in pairs)])
    if not rows:
        return
    height, width = rows[0][0].shape[:2]
    rows = [[cv2.resize(image, (width, height)) for image in row] for row in rows]
    wide = [a + b for a, b in zip(rows[::2], [*rows[1::2], []][: len(rows[::2])], strict=False)]
    save_png(path, sheet(wide))
