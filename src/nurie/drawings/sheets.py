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
        draw.text((i * column + 4, 4), fitting(draw, heading, column - 4), fill="#222222")
    return image


def captioned(groups: list[tuple[str, list[tuple[np.ndarray, str]]]], columns: int = 3, gap: int = 8) -> Image.Image:
    """Groups of equal-sized pictures, uint8 (h, w, 3), each with a heading above and two lines of caption below."""
    h, w = next((picture.shape[:2] for _, cells in groups for picture, _ in cells), (0, 320))
    step = h + 2 * HEADING
    heights = [HEADING + gap + -(-len(cells) // columns) * step for _, cells in groups]
    image = Image.new("RGB", (columns * (w + gap) + gap, sum(heights) + gap), "white")
    draw = ImageDraw.Draw(image)
    top = gap
    for (heading, cells), height in zip(groups, heights, strict=True):
        draw.text((gap, top), fitting(draw, heading, image.width - 2 * gap), fill="#a01010")
        for i, (picture, caption) in enumerate(cells):
            x, y = gap + i % columns * (w + gap), top + HEADING + i // columns * step
            image.paste(Image.fromarray(picture), (x, y))
            lines = [fitting(draw, line, w) for line in caption.split("\n")[:2]]
            draw.multiline_text((x, y + h + 2), "\n".join(lines), fill="#222222")
        top += height
    return image


def fitting(draw: ImageDraw.ImageDraw, text: str, width: float) -> str:
    """As much of a line as there is room for."""
    while draw.textlength(text) > width and len(text) > 1:
        text = text[:-1]
    return text
