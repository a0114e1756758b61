"""Colour a folder of drawings, with an exported model in the engine or with a training run in PyTorch."""

import os
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from nurie.config import Predict
from nurie.drawings.sheets import sheet, to_png
from nurie.errors import NurieError
from nurie.files.lock import locked
from nurie.files.written import MANY, Written, refuse_taken
from nurie.limits import check_values
from nurie.painting.inputs import (
    STROKES,
    counted,
    find_drawings,
    ground_of,
    load_drawing,
    load_whole,
    padded,
    seed_of,
)
from nurie.painting.lines import refuse_on_maps, with_lines
from nurie.painting.painter import Painter, open_painter
from nurie.pairs.kinds import MODEL, RUN, refuse_other_kind
from nurie.pairs.names import fitted, folded

BY = "predict"
SHEET_COLUMNS = 8  # four drawings, each beside its picture


def predict(config: Predict) -> Path:
    """Write one PNG per drawing, and a sheet of them all when asked to. Returns the output folder.

    Only files that an earlier call wrote are replaced, and they are never taken for drawings. Drawings that can not be
    read are named and left out. Raises NurieError when none can be read.
    """
    check_values(config)
    if config.sheet:
        refuse_taken(config.sheet, BY, "--sheet")
    refuse_other_kind(config.model, [MODEL, RUN], "predict", config.images[0] if len(config.images) == 1 else None)
    with locked(config.output):
        colour(config)
    return config.output


def colour(config: Predict) -> None:
    """All of predict, in a folder that no other command writes to."""
    painter = open_painter(config.model)
    refuse_on_maps(config.lines, painter.labels)
    drawings = find_drawings(config.images)
    written = Written(config.output, BY)
    taken = {folded(config.sheet.name)} if config.sheet and same_folder(config.sheet.parent, config.output) else set()
    done, shown = 0, []  # drawing, picture, drawing, ...
    for path in counted("predict", drawings):
        try:
            drawing, picture = painted(painter, path, config)
        except Exception as error:  # whatever it is, it is of this drawing
            reason = str(error) if isinstance(error, NurieError) else f"{path} can not be coloured ({error!r})"
            print(f"left out: {reason}", file=sys.stderr)
            continue
        source = source_of(path, config.output)
        written.write(free_name(path.stem, source, taken, written), to_png(picture), source)
        done += 1
        shown += [on_sheet(image, painter) for image in (drawing, picture)] if config.sheet else []
    if not done:
        raise NurieError(f"None of the {len(drawings)} drawings could be read; the reasons are above.")
    if config.sheet:
        picture = sheet([shown[i : i + SHEET_COLUMNS] for i in range(0, len(shown), SHEET_COLUMNS)])
        Written(config.sheet.parent, BY).write(config.sheet.name, to_png(picture), MANY)
    print(f"{done} pictures in {config.output}", file=sys.stderr)


def painted(painter: Painter, path: Path, config: Predict) -> tuple[np.ndarray, np.ndarray]:
    """A drawing and its picture, uint8 (h, w, 3). Without a seed, in the colouring that the drawing asks for; with as
    much of its lines as the model's maker wants, unless `config` says otherwise."""
    own = config.size == "drawing" and path.suffix.lower() != STROKES
    labels = painter.labels
    drawing = load_whole(path, labels) if own else load_drawing(path, painter.height, painter.width, labels)
    painter.set_seed(seed_of(path) if config.seed is None else config.seed)
    height, width = drawing.shape[:2]
    whole = padded(drawing, painter.multiple, ground_of(labels))
    picture = with_lines(painter.paint(whole), whole, painter.lines if config.lines is None else config.lines)
    return drawing, picture[:height, :width]


def on_sheet(picture: np.ndarray, painter: Painter) -> np.ndarray:
    """In the model's size, whole, on white."""
    size = (painter.width, painter.height)
    return np.asarray(ImageOps.pad(Image.fromarray(picture), size, color="white"))


def free_name(stem: str, source: str, taken: set[str], written: Written) -> str:
    """NAME.png, or NAME-2.png when another drawing of this call, or another file of the folder, has that name."""
    name, number = fitted(stem), 2
    while folded(f"{name}.png") in taken or not written.may_write(f"{name}.png", source):
        name, number = fitted(f"{stem}-{number}"), number + 1
    taken.add(folded(f"{name}.png"))
    return f"{name}.png"


def source_of(path: Path, output: Path) -> str:
    """Where a drawing lies, seen from the folder of the results: both may move together."""
    path, output = path.resolve(), output.resolve()
    try:
        place = os.path.relpath(path, output)
    except ValueError:  # on another of Windows' drives
        place = str(path)
    return os.fsencode(place).decode("utf-8", "backslashreplace")


def same_folder(one: Path, other: Path) -> bool:
    return one.resolve() == other.resolve()
