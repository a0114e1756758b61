"""A|B pairs on disk, and contact sheets of them. Format: docs/formats.md."""

from pathlib import Path

import numpy as np
from PIL import Image

from nurie.drawings.sheets import save_png, sheet


def write_pair(path: Path, drawing: np.ndarray, picture: np.ndarray, direction: str = "AtoB") -> None:
    """One PNG, drawing left and picture right (the other way round for BtoA), written atomically."""
    halves = [drawing, picture] if direction == "AtoB" else [picture, drawing]
    path.parent.mkdir(parents=True, exist_ok=True)
    save_png(path, np.hstack(halves))


def read_pair(path: Path, direction: str = "AtoB") -> tuple[np.ndarray, np.ndarray]:
    """Drawing and picture of a pair that write_pair wrote, uint8 (h, w, 3) RGB each."""
    with Image.open(path) as file:
        left, right = np.hsplit(np.asarray(file.convert("RGB")), 2)
    return (left, right) if direction == "AtoB" else (right, left)


def write_sheet(path: Path, groups: list[list[Path]], direction: str, pictures: int = 12) -> None:
    """A contact sheet: evenly chosen pictures, each followed by its drawings, two pictures to a row."""
    chosen = [groups[i] for i in np.unique(np.linspace(0, len(groups) - 1, min(pictures, len(groups))).astype(int))]
    rows = []
    for files in chosen:
        pairs = [read_pair(file, direction) for file in files]
        rows.append([pairs[0][1], *(drawing for drawing, _ in pairs)])
    wide = [a + b for a, b in zip(rows[::2], [*rows[1::2], []][: len(rows[::2])], strict=False)]
    save_png(path, sheet(wide))
