"""Contact sheets, and PNG files."""

import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, PngImagePlugin

from nurie.files.write import write_file

HEADING = 20  # height of the headings above a sheet, pixels


def to_png(image: np.ndarray | Image.Image, text: Mapping[str, str] | None = None) -> bytes:
    """A PNG file. Arrays are uint8 (h, w, 3) RGB. `text`: its text chunks, keyword -> Latin-1 text."""
    picture = image if isinstance(image, Image.Image) else Image.fromarray(image)
    file = io.BytesIO()
    chunks = PngImagePlugin.PngInfo()
    for keyword, value in (text or {}).items():
        chunks.add_text(keyword, value)
    picture.save(file, "PNG", pnginfo=chunks)
    return file.getvalue()


def save_png(path: Path, image: np.ndarray | Image.Image, text: Mapping[str, str] | None = None) -> None:
    """Write a PNG, as to_png, at once: nothing is left of one that could not be written."""
    write_file(path, to_png(image, text))


def sheet(rows: list[list[np.ndarray]], gap: int = 4) -> np.ndarray:
    """Equal-sized pictures, uint8 (h, w, 3), laid out in rows with white gaps. Returns uint8 (H, W, 3)."""
    h, w = rows[0][0].shape[:2]
    columns = max(len(row) for row in rows)
    canvas = np.full((len(rows) * (h + gap) + gap, columns * (w + gap) + gap, 3), 255, np.uint8)
    for y, row in enumerate(rows):
        for x, picture in enumerate(row):
            top, left = gap + y * (h + gap), gap + x * (w + gap)
            canvas[top : top + h, left : left + w] = picture
    return canvas


def headed(picture: np.ndarray, headings: list[str]) -> Image.Image:
    """A sheet, uint8 (h, w, 3), with one heading above each of its equally wide columns."""
    column = picture.shape[1] / len(headings)
    image = Image.new("RGB", (picture.shape[1], picture.shape[0] + HEADING), "white")
    image.paste(Image.fromarray(picture), (0, HEADING))
    draw = ImageDraw.Draw(image)
    for i, heading in enumerate(headings):
        while draw.textlength(heading) > column - 4 and len(heading) > 1:
            heading = heading[:-1]  # the next column must stay readable
        draw.text((i * column + 4, 4), heading, fill="#222222")
    return image
