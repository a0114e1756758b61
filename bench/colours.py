"""Do flat areas get the right colours? Models and runs on val pairs, and on people's drawings.

    python bench/colours.py pairs/ model/ run/ ... [--drawings doodles.ndjson --sheet doodles.png]

An area is what dark lines of a drawing enclose, in the size of the model, from 8x8 pixels of 256 on; its pixels are
those that touch no line. A colour is the nearest of 18, those of OpenMoji: of an area, that of most of its pixels. By
area, by pixel: how often the colour is that of the target. Paper: areas left white whose target is not, and the areas
whose target is white. Of drawings without pictures, as `nurie train` reads them, 48 are painted, each in the colouring
of seed 0; there small gaps count as closed.
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from nurie.drawings.collection import Sketch, open_collection
from nurie.drawings.ink import Image, brightest, darkest, unit_of
from nurie.drawings.palette import bins_of, nearest_colours, to_lab
from nurie.drawings.sheets import save_png, sheet
from nurie.painting.painter import Painter, open_painter
from nurie.pairs.folder import PairFolder
from nurie.size import Size

# white, black, and 16 by k-means in Lab of 60,000 coloured pixels of OpenMoji's train pictures
PALETTE = (
    "#ffffff", "#000000", "#ea5a47", "#dec19f", "#6a462f", "#b1cc33", "#61b2e4", "#9b9b9a", "#fcea2b",
    "#3f3f3f", "#a57939", "#d0cfce", "#b399c8", "#c19a65", "#f4aa41", "#5c9e31", "#ffa7c0", "#92d3f5",
)  # fmt: skip
NEAREST = nearest_colours(PALETTE)
WHITE = 0  # its number
LEAST = 8  # of 256 pixels: the side of the smallest area
GAP = 6  # pixels of 256: the widest gap that counts as closed
DARK, COLOURED = 128, 32  # a line's pixels are darker, and grey: their channels differ by less
DRAWINGS, COLUMNS = 48, 6


class Area(NamedTuple):
    target: int  # colour
    picture: int
    right: int  # pixels with the target's colour
    pixels: int
    chroma: tuple[float, float]  # of the target, of the picture


def areas_of(drawing: Image, gaps: bool = False) -> list[np.ndarray]:
    """Masks, bool (h, w), of what a drawing's lines enclose; with `gaps` also of what they do but for small ones."""
    lines = ((brightest(drawing) < DARK) & (brightest(drawing) - darkest(drawing) < COLOURED)).astype(np.uint8)
    found = enclosed(lines == 0)
    if gaps:
        reach = max(1, GAP * lines.shape[1] // 256 // 2)
        near = cv2.dilate(lines, cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3)), iterations=reach)
        found += enclosed((near == 0) & ~np.any([lines > 0, *found], axis=0))
    core = cv2.dilate(lines, np.ones((3, 3), np.uint8)) == 0
    least = (LEAST * unit_of(drawing.shape)) ** 2
    return [mask for mask in (mask & core for mask in found) if mask.sum() >= least]


def enclosed(places: np.ndarray) -> list[np.ndarray]:
    """Masks of what hangs together and does not reach the border."""
    count, labels = cv2.connectedComponents(places.astype(np.uint8), connectivity=4)
    reaching = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    return [labels == number for number in range(1, count) if number not in reaching]


def colours_of(pixels: np.ndarray) -> np.ndarray:
    """Of pixels, uint8 (n, 3), the nearest colours by number."""
    return NEAREST[bins_of(pixels)]


def compared(target: np.ndarray, picture: np.ndarray) -> Area:
    """The pixels of an area, uint8 (n, 3) each."""
    theirs, ours = colours_of(target), colours_of(picture)
    common = [int(np.bincount(numbers).argmax()) for numbers in (theirs, ours)]
    chroma = [float(np.hypot(*to_lab(pixels)[:, 1:].T).mean()) for pixels in (target, picture)]
    return Area(common[0], common[1], int((theirs == ours).sum()), len(target), (chroma[0], chroma[1]))


def measure(painter: Painter, pairs: Path) -> dict[str, float]:
    folder = PairFolder(pairs / "val", Size(painter.width, painter.height), painter.direction)
    found: list[Area] = []
    for group in folder.groups:
        drawing, target = folder.read(group[0])
        picture = painter.paint(drawing)
        found += [compared(target[area], picture[area]) for area in areas_of(drawing)]
    target, picture, right, pixels = (np.array(column) for column in list(zip(*found, strict=True))[:4])
    chroma = np.array([area.chroma for area in found]).mean(0)
    return {
        "areas": len(found),
        "right_by_area": float((target == picture).mean()),
        "right_by_pixel": right.sum() / pixels.sum(),
        "chroma": chroma[1],
        "chroma_target": chroma[0],
        "white_target": float((target == WHITE).mean()),
        "left_white": float(((picture == WHITE) & (target != WHITE)).sum() / (target != WHITE).sum()),
        "white_found": float(((picture == WHITE) & (target == WHITE)).sum() / max(1, (target == WHITE).sum())),
    }  # fmt: skip


def drawn(sketches: Sequence[Sketch], size: Size) -> Iterator[Image]:
    """48 of them, evenly spread, as the page would draw them in the size of a model."""
    pencil = max(1.0, size.width / 256 * 2)
    for i in np.linspace(0, len(sketches) - 1, DRAWINGS).astype(int):
        scale = sketches[i].scale(0.86 * size.least)
        yield sketches[i].draw(size, scale, 0.07 * size.width, 0.07 * size.height, pencil)


def painted(painter: Painter, drawings: list[Image]) -> tuple[dict[str, float], list[Image]]:
    """What colours the enclosed areas of drawings get, and the pictures."""
    pictures, counts = [], np.zeros(len(PALETTE))
    for drawing in drawings:
        picture = painter.paint(drawing)
        for area in areas_of(drawing, gaps=True):
            numbers = np.bincount(colours_of(picture[area]), minlength=len(PALETTE))
            counts[numbers.argmax()] += 1
        pictures.append(picture)
    shares = counts / max(1, counts.sum())
    return {
        "areas": counts.sum(),
        "colours": float((shares > 0).sum()),
        "most_common": shares.max(),
        "white": shares[WHITE],
    }, pictures


def told(scores: dict[str, float]) -> str:
    return "  ".join(
        f"{name} {value:.4g}" if value != int(value) else f"{name} {value:.0f}" for name, value in scores.items()
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("pairs", type=Path)
    parser.add_argument("models", type=Path, nargs="+")
    parser.add_argument("--drawings", type=Path, help="drawings without pictures")
    parser.add_argument("--sheet", type=Path, help="PNG to write: drawing, picture of each model")
    args = parser.parse_args()
    rows: list[list[Image]] = []
    for path in args.models:
        painter = open_painter(path)
        painter.set_seed(0)
        print(f"{path}: {told(measure(painter, args.pairs))}", flush=True)
        if args.drawings:
            sketches = open_collection(args.drawings).sketches
            drawings = list(drawn(sketches, Size(painter.width, painter.height)))
            scores, pictures = painted(painter, drawings)
            print(f"  drawings: {told(scores)}", flush=True)
            rows = rows or [[drawing] for drawing in drawings]
            for row, picture in zip(rows, pictures, strict=True):
                row.append(cv2.resize(picture, row[0].shape[1::-1], interpolation=cv2.INTER_AREA))
    if args.sheet and rows:
        wide = [[image for row in rows[i : i + COLUMNS] for image in row] for i in range(0, len(rows), COLUMNS)]
        save_png(args.sheet, sheet(wide))


if __name__ == "__main__":
    main()
