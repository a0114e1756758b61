"""The drawings that a command was given, as the page would see them, one by one."""

import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from nurie.drawings.pixels import draw_map, draw_strokes
from nurie.drawings.strokes import read_strokes
from nurie.drawings.widths import keep_lines
from nurie.errors import NurieError
from nurie.files.ours import walk
from nurie.files.pictures import SUFFIXES, flattened, read_picture
from nurie.files.written import written_in
from nurie.size import Size

STROKES = ".json"
DRAWINGS = SUFFIXES | {STROKES}


def counted(task: str, drawings: Sequence[Path]) -> Iterator[Path]:
    """Say how far it is and how long it takes, on a terminal. By hand: rich comes with the training packages only."""
    start = time.perf_counter()
    for done, path in enumerate(drawings):
        if sys.stderr.isatty():
            left = f", {(time.perf_counter() - start) / done * (len(drawings) - done):.0f} s left" if done else ""
            print(f"{task} {done + 1}/{len(drawings)}{left}\033[K", end="\r", file=sys.stderr, flush=True)
        yield path
    if sys.stderr.isatty():
        print("\033[K", end="", file=sys.stderr, flush=True)


def find_drawings(images: tuple[Path, ...]) -> list[Path]:
    """Files as they are, and the pictures in folders (read recursively), but for what Nurie wrote.

    What is ignored is counted on standard error. Raises NurieError when there are none.
    """
    found: list[Path] = []
    ignored: Counter[str] = Counter()
    for path in images:
        if path.is_dir():
            inside = walk(path, DRAWINGS)
            found += inside.files
            ignored += inside.ignored
        elif path.exists():
            found.append(path)
        else:
            raise NurieError(f"There is no {path}. Expected a drawing or a folder of drawings.")
    results = {folder: set(written_in(folder)) for folder in {path.parent for path in found}}
    drawings = [path for path in found if path.name not in results[path.parent]]
    ignored["coloured by Nurie"] += len(found) - len(drawings)
    if ignored := +ignored:
        print(f"ignored: {', '.join(f'{n} {kind}' for kind, n in sorted(ignored.items()))}", file=sys.stderr)
    if not drawings:
        raise NurieError(f"There are no pictures in {', '.join(map(str, images)) or 'the list of images'}.")
    return drawings


def load_drawing(path: Path, height: int, width: int, labels: Sequence[str] = ()) -> np.ndarray:
    """A drawing as the page would see it: whole, centred in the model's size. uint8 (height, width, 3) RGB.

    It lies on white, a label map on the first of its `labels`. A drawing of the right size is taken as it is; strokes
    that name no size are in pixels of that one; thin lines on white, as scans have them, are kept wide enough to be
    seen. Raises NurieError when the file is no drawing.
    """
    if path.suffix.lower() == STROKES:
        drawing = read_strokes(path, Size(width, height))
        if labels or drawing.paper.covered:
            return draw_map(drawing.strokes, height, width, labels[0] if labels else drawing.paper.colour)
        return draw_strokes(drawing.strokes, height, width)
    whole = load_whole(path, labels)
    if not labels:
        whole = keep_lines(whole, min(width / whole.shape[1], height / whole.shape[0]))
    flat = Image.fromarray(whole)
    if flat.size != (width, height):
        flat = ImageOps.pad(flat, (width, height), Image.Resampling.BOX, color=ground_of(labels))
    return np.asarray(flat)


def load_whole(path: Path, labels: Sequence[str] = ()) -> np.ndarray:
    """A picture of a drawing in its own size, on its ground. uint8 (h, w, 3) RGB. Raises NurieError."""
    if not path.is_file():
        raise NurieError(f"{path} is no file. Expected a picture, or a drawing of strokes.")
    return flattened(*read_picture(path), ground_of(labels))


def ground_of(labels: Sequence[str]) -> str:
    """What a drawing lies on: white paper, or the first of the labels."""
    return labels[0] if labels else "white"


def seed_of(path: Path) -> int:
    """The colouring that a drawing asks for: strokes may, and the others get the first."""
    return max(0, read_strokes(path, Size(1, 1)).seed) if path.suffix.lower() == STROKES else 0


def padded(drawing: np.ndarray, multiple: int, ground: str = "white") -> np.ndarray:
    """With ground to the right and below, up to multiples of so many pixels: uint8 (h, w, 3) both."""
    height, width = drawing.shape[:2]
    whole = Image.new("RGB", (-(-width // multiple) * multiple, -(-height // multiple) * multiple), ground)
    whole.paste(Image.fromarray(drawing))
    return np.asarray(whole)
