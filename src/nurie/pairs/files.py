"""A|B pairs on disk, and contact sheets of them. Format: docs/formats.md."""

import os
from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np

from nurie.drawings.sheets import save_png, sheet
from nurie.errors import NurieError
from nurie.files.pictures import SUFFIXES, flattened, read_picture


def pair_files(folder: Path) -> list[Path]:
    """The A|B pictures in one side of a folder of pairs, sorted; none where there is no folder."""
    if not folder.is_dir():
        return []
    pictures = (path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES and path.name[0] != ".")
    return sorted(path for path in pictures if os.path.isfile(path))


def write_pair(
    path: Path, drawing: np.ndarray, picture: np.ndarray, direction: str = "AtoB", text: Mapping[str, str] | None = None
) -> None:
    """One PNG, drawing left and picture right (the other way round for BtoA), written atomically. `text`: its text
    chunks, keyword -> Latin-1 text."""
    halves = [drawing, picture] if direction == "AtoB" else [picture, drawing]
    path.parent.mkdir(parents=True, exist_ok=True)
    save_png(path, np.hstack(halves), text)


def read_pair(path: Path, direction: str = "AtoB") -> tuple[np.ndarray, np.ndarray]:
    """Drawing and picture, uint8 (h, h, 3) RGB each, on white where they are transparent. Raises NurieError when the
    file is no A|B pair."""
    try:
        both = flattened(*read_picture(path))
    except NurieError as error:
        raise NurieError(f"{error}. Delete it or make the pairs again.") from error
    h, w = both.shape[:2]
    if w != 2 * h:
        raise NurieError(f"{path} is {w}x{h} pixels; a pair is two squares side by side, such as {2 * h}x{h}.")
    return (both[:, :h], both[:, h:]) if direction == "AtoB" else (both[:, h:], both[:, :h])


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
