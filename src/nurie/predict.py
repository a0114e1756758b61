"""Colour a folder of drawings, with an exported model in the engine or with a training run in PyTorch."""

import sys
from pathlib import Path

from nurie.config import Predict
from nurie.drawings.sheets import save_png, sheet
from nurie.errors import NurieError, refuse_below
from nurie.painting.inputs import counted, find_drawings, load_drawing, seed_of
from nurie.painting.painter import open_painter

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


def free_name(path: Path, taken: set[str]) -> str:
    """NAME.png, or NAME-2.png when another drawing of this call has that name."""
    name, number = path.stem, 2
    while name in taken:
        name, number = f"{path.stem}-{number}", number + 1
    taken.add(name)
    return f"{name}.png"
