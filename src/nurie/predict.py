"""Colour a folder of drawings, with an exported model in the engine or with a training run in PyTorch."""

import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from nurie.config import Predict
from nurie.errors import NurieError, refuse_below
from nurie.painter import open_painter
from nurie.report import save_png, sheet
from nurie.strokes import draw_strokes, read_strokes

STROKES = ".json"
SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", STROKES}
SHEET_COLUMNS = 8  # four drawings, each beside its picture


def predict(config: Predict) -> Path:
    """Write one PNG per drawing, and a sheet of them all when asked to. Returns the output folder.

    Drawings that can not be read are named and left out. Raises NurieError when none can be read.
    """
    if config.seed is not None:
        refuse_below(config, 0, "seed")
    painter = open_painter(config.model)
    drawings = find_drawings(config.images)
    config.output.mkdir(parents=True, exist_ok=True)
    taken: set[str] = set()
    done, shown = 0, []  # drawing, picture, drawing, ...
    for path in counted("predict", drawings):
        try:
            drawing = load_drawing(path, painter.height, painter.width, painter.labels)
        except NurieError as error:
            print(f"left out: {error}", file=sys.stderr)
            continue
        painter.set_seed(seed_of(path) if config.seed is None else config.seed)
        picture = painter.paint(drawing)
        save_png(config.output / free_name(path, taken), picture)
        done += 1
        shown += [drawing, picture] if config.sheet else []
    if not done:
        raise NurieError(f"None of the {len(drawings)} drawings could be read; the reasons are above.")
    if config.sheet:
        config.sheet.parent.mkdir(parents=True, exist_ok=True)
        save_png(config.sheet, sheet([shown[i : i + SHEET_COLUMNS] for i in range(0, len(shown), SHEET_COLUMNS)]))
    print(f"{done} pictures in {config.output}", file=sys.stderr)
    return config.output


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
    """Files as they are, and the pictures in folders (read recursively). Raises NurieError when there are none."""
    found: list[Path] = []
    for path in images:
        if path.is_dir():
            found += sorted(p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES)
        elif path.exists():
            found.append(path)
        else:
            raise NurieError(f"There is no {path}. Expected a drawing or a folder of drawings.")
    if not found:
        raise NurieError(f"There are no pictures in {', '.join(map(str, images)) or 'the list of images'}.")
    return found


def load_drawing(path: Path, height: int, width: int, labels: Sequence[str] = ()) -> np.ndarray:
    """A drawing as the page would see it: whole, centred in the model's size. uint8 (height, width, 3) RGB.

    It lies on white, a label map on the first of its `labels`. A drawing of the right size is taken as it is; strokes
    that name no size are in pixels of that one. Raises NurieError when the file is no drawing.
    """
    if path.suffix.lower() == STROKES:
        if labels:
            raise NurieError(
                f"{path} is a drawing of strokes, but this model takes label maps: expected a .png picture."
            )
        return draw_strokes(read_strokes(path, width)["strokes"], height, width)
    try:
        with Image.open(path) as file:
            image = ImageOps.exif_transpose(file).convert("RGBA")
    except (OSError, UnidentifiedImageError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise NurieError(f"{path} can not be read as a picture ({error})") from error
    ground = labels[0] if labels else "white"
    flat = Image.alpha_composite(Image.new("RGBA", image.size, ground), image).convert("RGB")
    if flat.size != (width, height):
        flat = ImageOps.pad(flat, (width, height), Image.Resampling.BOX, color=ground)
    return np.asarray(flat)


def seed_of(path: Path) -> int:
    """The colouring that a drawing asks for: strokes may, and the others get the first."""
    return read_strokes(path, 1).get("seed", 0) if path.suffix.lower() == STROKES else 0


def free_name(path: Path, taken: set[str]) -> str:
    """NAME.png, or NAME-2.png when another drawing of this call has that name."""
    name, number = path.stem, 2
    while name in taken:
        name, number = f"{path.stem}-{number}", number + 1
    taken.add(name)
    return f"{name}.png"
