"""Drawings without pictures, as people make them: folders and files of strokes, or of pictures of line drawings."""

import codecs
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

import cv2
import msgspec
import numpy as np
from msgspec import Meta, Struct
from msgspec.structs import replace

from nurie.drawings.ink import Image, brightest, darkest, is_line_drawing
from nurie.drawings.labels import label_colours
from nurie.drawings.pixels import draw_strokes
from nurie.drawings.strokes import Paper
from nurie.drawings.widths import INK, widened
from nurie.errors import NurieError
from nurie.files.ours import walk
from nurie.files.pictures import SUFFIXES, flattened, read_picture
from nurie.files.schema import Stroke, fault, read_json
from nurie.size import Size

LINES, JSON = ".ndjson", ".json"
KINDS = SUFFIXES | {LINES, JSON}
MOST_BYTES = 1 << 20  # of a line
MOST = 1_000_000  # drawings of a file
QUICK_DRAW = "Drawings without pictures: Quick, Draw! data set, made available by Google, Inc.; CC BY 4.0"
EXPECTED = (
    "Expected drawings of strokes (.json of the page, or .ndjson of Quick, Draw!), pictures of line drawings, or a "
    "folder of them."
)
# Why a drawing is left out.
EMPTY, UNRECOGNISED, ON_PICTURE, MAP = "without lines", "not recognised", "on a sample picture", "of label maps"
LOOKED_AT = Size(256, 256)  # whether an eraser has left something
COLOURED = 24  # a pixel whose channels differ by as much has a colour
MOST_PIXELS = 1024  # a side of a picture's ink: a few hundred scans would not fit into memory
HINTS = 0.1  # the largest share of a line drawing's pixels that may have: coloured strokes

Axis = Annotated[list[float], Meta(max_length=100_000)]


class QuickDrawing(Struct, frozen=True):
    """A line of a file of Quick, Draw!: strokes as [[x, ...], [y, ...]], perhaps with times behind them."""

    drawing: Annotated[list[list[Axis]], Meta(max_length=10_000)]
    recognized: bool = True
    key_id: str | int = ""  # the data set has one for each

    def __post_init__(self) -> None:
        if any(len(stroke) < 2 or len(stroke[0]) != len(stroke[1]) for stroke in self.drawing):
            raise ValueError("expected strokes as [[x, ...], [y, ...]], as many x as y")

    def strokes(self) -> list[Stroke]:
        """Raises msgspec.ValidationError where a coordinate is too large."""
        lines = ([v for at in zip(*axes[:2], strict=True) for v in at] for axes in self.drawing)
        return msgspec.convert([{"width": 3.0, "points": points} for points in lines if points], list[Stroke])


class Sheet(Struct, frozen=True):
    """A drawing of the page, of which some strokes may be left, or none."""

    strokes: Annotated[list[Stroke], Meta(max_length=10_000)]
    paper: Paper = Paper()
    picture: str = ""  # a sample's, under it


class Shelf(Struct, frozen=True):
    """What the page exports of several drawings."""

    drawings: list[Sheet] | None = None
    version: Literal[1] = 1


@dataclass(frozen=True)
class Sketch:
    """A drawing that can be drawn anew in any size: strokes, or the ink of a picture."""

    strokes: tuple[Stroke, ...] = ()
    picture: Image | None = None  # uint8 (h, w, 3), cropped to its ink
    credit: str = ""  # that a model which learnt from it must carry

    @cached_property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom of its points, without those of an eraser, or of its ink."""
        if self.picture is not None:
            return 0.0, 0.0, float(self.picture.shape[1]), float(self.picture.shape[0])
        points = np.concatenate([points_of(stroke) for stroke in self.strokes if stroke.tool != "eraser"])
        return (*points.min(0).tolist(), *points.max(0).tolist())

    def scale(self, side: float) -> float:
        """What makes its longer side as many pixels."""
        left, top, right, bottom = self.box
        return side / max(right - left, bottom - top, 1e-3)

    def placed(self, scale: float, left: float, top: float, width: float, mirrored: bool = False) -> tuple[Stroke, ...]:
        """Its strokes with their box scaled and moved so that its corner lies there, all of a width, in pixels; those
        of an eraser keep theirs."""
        x0, y0, x1, _ = self.box
        made = []
        for stroke in self.strokes:
            points = points_of(stroke)
            if mirrored:
                points = np.stack([x0 + x1 - points[:, 0], points[:, 1]], 1)
            moved = (points - (x0, y0)) * scale + (left, top)
            wide = max(0.5, stroke.width * scale) if stroke.tool == "eraser" else width
            made.append(replace(stroke, points=moved.ravel().tolist(), width=wide, pressures=[]))
        return tuple(made)

    def draw(self, size: Size, scale: float, left: float, top: float, width: float, mirrored: bool = False) -> Image:
        """On white paper, uint8 (height, width, 3), placed as `placed` says. Pictures keep their lines, unless they
        would be too thin to be seen."""
        if self.picture is None:
            return draw_strokes(self.placed(scale, left, top, width, mirrored), size.height, size.width)
        picture = self.picture[:, ::-1] if mirrored else self.picture
        resized = scaled(picture, scale)
        move = np.array([[1, 0, round(left)], [0, 1, round(top)]], np.float32)
        return cv2.warpAffine(resized, move, (size.width, size.height), borderValue=(255, 255, 255))


@dataclass(frozen=True)
class Collection:
    sketches: Sequence[Sketch]
    digest: str  # of the files that they are from
    left_out: Counter[str] = field(default_factory=Counter)  # reason -> how many drawings, or files of a folder

    @property
    def credits(self) -> list[str]:
        return sorted({sketch.credit for sketch in self.sketches} - {""})

    def told(self) -> str:
        """What is left out: "43 not recognised, 2 without lines", or nothing."""
        return ", ".join(f"{count:,} {reason}" for reason, count in sorted(self.left_out.items()))


def open_collection(path: Path) -> Collection:
    """All drawings of a file, or below a folder. Raises NurieError where there are none, or where one is damaged.

    Of Quick, Draw! those that were recognised count. Coloured strokes, which are hints, are left out, and so is what
    the page keeps besides line drawings: empty sheets, label maps, strokes on a sample that is a picture.
    """
    left_out: Counter[str] = Counter()
    if path.is_dir():
        inside = walk(path, KINDS)
        files, left_out = inside.files, inside.ignored
    elif path.is_file():
        files = [path]
    else:
        raise NurieError(f"There is no {path}. {EXPECTED}")
    found = [each for file in files for each in read_file(file)]
    sketches = [each for each in found if isinstance(each, Sketch)]
    digests = (hashlib.sha256(file.read_bytes()).digest() for file in files)
    digest = hashlib.sha256(b"".join(digests)).hexdigest()[:16]
    collection = Collection(sketches, digest, left_out + Counter(each for each in found if isinstance(each, str)))
    if not sketches:
        only = f", only {told}" if (told := collection.told()) else ""
        raise NurieError(f"There are no line drawings in {path}{only}. {EXPECTED}")
    return collection


def read_file(path: Path) -> Iterator[Sketch | str]:
    """The drawings of a file by its ending, or for each why it is left out. Raises NurieError."""
    suffix = path.suffix.lower()
    if suffix == LINES:
        yield from read_lines(path)
    elif suffix == JSON:
        yield from map(sketch_on, read_page(path))
    elif suffix in SUFFIXES:
        yield picture_of(path)
    else:
        raise NurieError(f"{path} is no drawing. {EXPECTED}")


def read_page(path: Path) -> list[Sheet]:
    """What the page exports, one drawing or several. Raises NurieError."""
    verdict = "holds no drawings of strokes"
    sheets = read_json(path, Shelf, verdict, EXPECTED).drawings
    return [read_json(path, Sheet, verdict, EXPECTED)] if sheets is None else sheets


def read_lines(path: Path) -> Iterator[Sketch | str]:
    """Quick, Draw!'s drawings, a line each. Raises NurieError, which names the line."""
    decode = msgspec.json.Decoder(QuickDrawing).decode
    with path.open("rb") as file:
        for number, line in enumerate(iter(lambda: file.readline(MOST_BYTES + 1), b""), 1):
            line = line.removeprefix(codecs.BOM_UTF8) if number == 1 else line
            if not line.strip():
                continue
            try:
                if len(line) > MOST_BYTES or number > MOST:
                    raise ValueError(f"more than {MOST_BYTES >> 20} MiB" if number <= MOST else f"more than {MOST:,}")
                found = decode(line)
                strokes = found.strokes()
            except (ValueError, RecursionError) as error:
                raise NurieError(f"Line {number} of {path} is no drawing: {fault(error)}. {EXPECTED}") from error
            yield sketch_of(strokes, QUICK_DRAW if found.key_id else "") if found.recognized else UNRECOGNISED


def sketch_on(sheet: Sheet) -> Sketch | str:
    if sheet.paper.covered:
        return MAP
    return ON_PICTURE if sheet.picture else sketch_of(sheet.strokes)


def sketch_of(strokes: Iterable[Stroke], credit: str = "") -> Sketch | str:
    """Of the strokes without colour, where the eraser has left some of them."""
    kept = tuple(stroke for stroke in strokes if not stroke.colour)
    tools = {stroke.tool for stroke in kept}
    if not tools - {"eraser"}:
        return EMPTY
    sketch = Sketch(kept, credit=credit)
    if "eraser" in tools:
        scale = sketch.scale(LOOKED_AT.least)
        if sketch.draw(LOOKED_AT, scale, 0, 0, 3.0).min() >= INK:
            return EMPTY
    return sketch


def picture_of(path: Path) -> Sketch | str:
    """Of a picture of a line drawing, without the white around it. Raises NurieError where it is none."""
    picture = without_hints(flattened(*read_picture(path), "white"))
    if not is_line_drawing(picture):
        raise NurieError(
            f"{path} is no line drawing: expected dark lines on white, without colour, but it {looks_like(picture)}"
        )
    ys, xs = np.nonzero(picture[:, :, 0] < INK)
    if not len(ys):
        return EMPTY
    picture = picture[ys.min() : ys.max() + 1, xs.min() : xs.max() + 1]
    return Sketch(picture=scaled(picture, min(1.0, MOST_PIXELS / max(picture.shape))))


def scaled(picture: Image, scale: float) -> Image:
    """Larger or smaller, but with lines that can still be seen."""
    h, w = (max(1, round(side * scale)) for side in picture.shape[:2])
    picture = np.ascontiguousarray(picture)
    if scale >= 1:
        return cv2.resize(picture, (w, h), interpolation=cv2.INTER_LINEAR)
    return cv2.resize(widened(picture, scale), (w, h), interpolation=cv2.INTER_AREA)


def without_hints(picture: Image) -> Image:
    """A line drawing without its coloured strokes; where more is coloured, the picture as it is."""
    coloured = brightest(picture) - darkest(picture) >= COLOURED
    if not 0 < coloured.mean() <= HINTS:
        return picture
    return np.where(coloured[:, :, None], np.uint8(255), picture)


def looks_like(picture: Image) -> str:
    """What a picture is that is no line drawing, and what to do."""
    middle = picture.shape[1] // 2
    if middle and shows(picture[:, :middle]) != shows(picture[:, middle:]):
        return "looks like two pictures side by side, as pairs have them. Give drawings alone."
    if is_line_drawing(255 - picture):
        return "has light lines on black. Invert it."
    if shows(picture) == MAP:
        return "looks like a label map, of flat colours. Only lines can be used; leave it out."
    return "has colours, or is dark. Leave it out, or give its lines alone."


def shows(picture: Image) -> str:
    """Whether a picture is of lines, or of label maps; white is like anything else."""
    if is_line_drawing(without_hints(picture)):
        return LINES if picture.min() < INK else ""
    return MAP if label_colours([picture]) else ""


def points_of(stroke: Stroke) -> np.ndarray:
    """(n, 2)"""
    return np.array(stroke.points, float).reshape(-1, 2)
