"""A|B pairs on disk, and contact sheets of them. Format: docs/formats.md."""

from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np

from nurie.drawings.sheets import save_png, sheet
from nurie.errors import NurieError
from nurie.files.pictures import flattened, read_picture


class WrongShape(NurieError):
    """A picture that is not two squares, or not one where A and B lie apart."""


def write_pair(
    path: Path, drawing: np.ndarray, picture: np.ndarray, direction: str = "AtoB", text: Mapping[str, str] | None = None
) -> None:
    """One PNG, drawing left and picture right (the other way round for BtoA), written atomically. `text`: its text
    chunks, keyword -> Latin-1 text."""
    halves = [drawing, picture] if direction == "AtoB" else [picture, drawing]
    path.parent.mkdir(parents=True, exist_ok=True)
    save_png(path, np.hstack(halves), text)


def read_pair(path: Path, direction: str = "AtoB", other: Path | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Drawing and picture, uint8 (h, h, 3) RGB each, on white where they are transparent; of one size where they are of
    one file. Raises NurieError when that is no A|B pair, or when picture A and the `other` one are no squares."""
    if other is not None:
        halves = read_square(path, other), read_square(other, path)
    else:
        both = read_half(path)
        h, w = both.shape[:2]
        if w != 2 * h:
            raise WrongShape(f"{path} is {w}x{h} pixels; a pair is two squares side by side, such as {2 * h}x{h}.")
        halves = both[:, :h], both[:, h:]
    return halves if direction == "AtoB" else (halves[1], halves[0])


def read_half(path: Path) -> np.ndarray:
    try:
        return flattened(*read_picture(path))
    except NurieError as error:
        raise NurieError(f"{error}. Delete it or make the pairs again.") from error


def read_square(path: Path, other: Path) -> np.ndarray:
    picture = read_half(path)
    h, w = picture.shape[:2]
    if w != h:
        raise WrongShape(
            f"{path} is {w}x{h} pixels; the halves of pairs are squares. `nurie prepare {path.parent} PAIRS "
            f"--mode folders --inputs {other.parent}` crops or pads them, if the names in both are the same."
        )
    return picture


def write_sheet(path: Path, groups: list[list[Path]], direction: str, pictures: int = 12) -> None:
    """A contact sheet: evenly chosen pictures, each followed by its drawings, two pictures to a row. Pairs that people
    changed are shown in the others' size, or not at all."""
    chosen = [groups[i] for i in np.unique(np.linspace(0, len(groups) - 1, min(pictures, len(groups))).astype(int))]
    rows: list[list[np.ndarray]] = []
    for files in chosen:
        try:
            pairs = [read_pair(file, direction) for file in files]
        except NurieError:
            continue
        rows.append([pairs[0][1], *(drawing for drawing, _ in pairs)])
    if not rows:
        return
    height, width = rows[0][0].shape[:2]
    rows = [[cv2.resize(image, (width, height)) for image in row] for row in rows]
    wide = [a + b for a, b in zip(rows[::2], [*rows[1::2], []][: len(rows[::2])], strict=False)]
    save_png(path, sheet(wide))
