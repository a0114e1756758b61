"""Drawings without pictures, as people make them: folders and files of strokes, or of pictures of line drawings."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated

import cv2
import msgspec
import numpy as np
from msgspec import Meta, Struct
from msgspec.structs import replace

from nurie.drawings.enclosed import INK
from nurie.drawings.ink import Image, is_line_drawing
from nurie.drawings.pixels import draw_strokes
from nurie.drawings.strokes import Drawing
from nurie.errors import NurieError
from nurie.files.ours import walk
from nurie.files.pictures import SUFFIXES, flattened, read_picture
from nurie.files.schema import Coordinate, Stroke, fault, read_json
from nurie.size import Size

LINES, JSON = ".ndjson", ".json"
KINDS = SUFFIXES | {LINES, JSON}
MOST_BYTES = 1 << 20  # of a line
MOST = 1_000_000  # drawings of a file
EXPECTED = (
    "Expected drawings of strokes (.json of the page, or .ndjson of Quick, Draw!), pictures of line drawings, or a "
    "folder of them."
)

Axis = Annotated[list[Coordinate], Meta(max_length=100_000)]


class QuickDrawing(Struct, frozen=True):
    """A line of a file of Quick, Draw!: strokes as [[x, ...], [y, ...]], perhaps with times behind them."""

    drawing: Annotated[list[list[Axis]], Meta(min_length=1, max_length=10_000)]
    recognized: bool = True

    def __post_init__(self) -> None:
        if any(len(stroke) < 2 or not stroke[0] or len(stroke[0]) != len(stroke[1]) for stroke in self.drawing):
            raise ValueError("expected strokes as [[x, ...], [y, ...]], as many x as y")


class Shelf(Struct, frozen=True):
    """What the page exports of several drawings."""

    drawings: list[Drawing] = []


@dataclass(frozen=True)
class Sketch:
    """A drawing that can be drawn anew in any size: strokes, or the ink of a picture."""

    strokes: tuple[Stroke, ...] = ()
    picture: Image | None = None  # uint8 (h, w, 3), cropped to its ink

    @cached_property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom of its points, or of its ink."""
        if self.picture is not None:
            return 0.0, 0.0, float(self.picture.shape[1]), float(self.picture.shape[0])
        points = np.concatenate([points_of(stroke) for stroke in self.strokes])
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
        """On white paper, uint8 (height, width, 3), placed as `placed` says. Pictures keep the lines that they have."""
        if self.picture is None:
            return draw_strokes(self.placed(scale, left, top, width, mirrored), size.height, size.width)
        picture = self.picture[:, ::-1] if mirrored else self.picture
        method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        h, w = (max(1, round(side * scale)) for side in picture.shape[:2])
        resized = cv2.resize(np.ascontiguousarray(picture), (w, h), interpolation=method)
        move = np.array([[1, 0, round(left)], [0, 1, round(top)]], np.float32)
        return cv2.warpAffine(resized, move, (size.width, size.height), borderValue=(255, 255, 255))


@dataclass(frozen=True)
class Collection:
    sketches: Sequence[Sketch]
    digest: str  # of the files that they are from


def open_collection(path: Path) -> Collection:
    """All drawings of a file, or below a folder. Raises NurieError where there are none, or where one is damaged.

    Of Quick, Draw! those that were recognised count. Coloured strokes, which are hints, are left out.
    """
    if path.is_dir():
        files = walk(path, KINDS).files
    elif path.is_file():
        files = [path]
    else:
        raise NurieError(f"There is no {path}. {EXPECTED}")
    sketches = [sketch for file in files for sketch in read_file(file)]
    if not sketches:
        raise NurieError(f"There are no drawings in {path}. {EXPECTED}")
    digests = (hashlib.sha256(file.read_bytes()).digest() for file in files)
    return Collection(sketches, hashlib.sha256(b"".join(digests)).hexdigest()[:16])


def read_file(path: Path) -> Iterator[Sketch]:
    """The drawings of a file by its ending."""
    suffix = path.suffix.lower()
    if suffix == LINES:
        yield from read_lines(path)
    elif suffix == JSON:
        for drawing in read_page(path):
            yield from sketch_of(drawing.strokes)
    elif suffix in SUFFIXES:
        yield from picture_of(path)
    else:
        raise NurieError(f"{path} is no drawing. {EXPECTED}")


def read_page(path: Path) -> list[Drawing]:
    """What the page exports, one drawing or several. Raises NurieError."""
    verdict = "holds no drawings of strokes"
    return read_json(path, Shelf, verdict, EXPECTED).drawings or [read_json(path, Drawing, verdict, EXPECTED)]


def read_lines(path: Path) -> Iterator[Sketch]:
    """Quick, Draw!'s drawings, a line each. Raises NurieError, which names the line."""
    decode = msgspec.json.Decoder(QuickDrawing).decode
    with path.open("rb") as file:
        for number, line in enumerate(iter(lambda: file.readline(MOST_BYTES + 1), b""), 1):
            if not line.strip():
                continue
            try:
                if len(line) > MOST_BYTES or number > MOST:
                    raise ValueError(f"more than {MOST_BYTES >> 20} MiB" if number <= MOST else f"more than {MOST:,}")
                found = decode(line)
            except (ValueError, RecursionError) as error:
                raise NurieError(f"Line {number} of {path} is no drawing: {fault(error)}. {EXPECTED}") from error
            if found.recognized:
                pairs = ([v for at in zip(*axes[:2], strict=True) for v in at] for axes in found.drawing)
                yield from sketch_of(Stroke(3.0, points) for points in pairs)


def sketch_of(strokes: Iterable[Stroke]) -> Iterator[Sketch]:
    """Of the strokes without colour; nothing where only the eraser is left."""
    kept = tuple(stroke for stroke in strokes if not stroke.colour)
    if any(stroke.tool == "pencil" for stroke in kept):
        yield Sketch(kept)


def picture_of(path: Path) -> Iterator[Sketch]:
    """Of a picture of a line drawing, without the white around it. Raises NurieError where it is none."""
    picture = flattened(*read_picture(path), "white")
    if not is_line_drawing(picture):
        raise NurieError(f"{path} is no line drawing: expected dark lines on white, without colour.")
    ys, xs = np.nonzero(picture[:, :, 0] < INK)
    if len(ys):
        yield Sketch(picture=np.ascontiguousarray(picture[ys.min() : ys.max() + 1, xs.min() : xs.max() + 1]))


def points_of(stroke: Stroke) -> np.ndarray:
    """(n, 2)"""
    return np.array(stroke.points, float).reshape(-1, 2)
