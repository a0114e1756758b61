"""Pictures of a training run to look at: sample sheets and loss curves."""

import os
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

HEADING = 20  # height of the headings above a sheet, pixels
COLOURS = ["#c8553d", "#3d6cc8", "#3f9a5b", "#8a5bb0", "#b08a2e", "#555555"]


def save_png(path: Path, image: np.ndarray | Image.Image) -> None:
    """Write a PNG atomically. Arrays are uint8 (h, w, 3) RGB."""
    picture = image if isinstance(image, Image.Image) else Image.fromarray(image)
    temporary = path.with_name(path.name + ".tmp")
    picture.save(temporary, "PNG")
    os.replace(temporary, path)


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


def smooth(values: np.ndarray, window: int) -> np.ndarray:
    """Running mean over at most `window` values, same length."""
    sums = np.concatenate([[0.0], np.cumsum(values)])
    ends = np.arange(1, len(values) + 1)
    starts = np.maximum(ends - window, 0)
    return (sums[ends] - sums[starts]) / (ends - starts)


def plot(curves: dict[str, tuple[list[float], list[float]]], width: int = 900, height: int = 220) -> Image.Image:
    """One small chart per curve (name -> steps, values), each with its own scale, stacked in one picture."""
    image = Image.new("RGB", (width, height * max(1, len(curves))), "white")
    draw = ImageDraw.Draw(image)
    for i, (name, (steps, values)) in enumerate(curves.items()):
        box = (70, i * height + 30, width - 20, (i + 1) * height - 30)
        _chart(draw, box, name, np.asarray(steps, float), np.asarray(values, float), COLOURS[i % len(COLOURS)])
    return image


def _chart(
    draw: ImageDraw.ImageDraw,
    box: tuple[int, int, int, int],
    name: str,
    steps: np.ndarray,
    values: np.ndarray,
    colour: str,
) -> None:
    left, top, right, bottom = box
    draw.rectangle(box, outline="#cccccc")
    if len(values) == 0:
        return
    line = smooth(values, max(1, len(values) // 100))
    low, high = float(line.min()), float(line.max())
    span, reach = (high - low) or 1.0, (steps[-1] - steps[0]) or 1.0
    xs = left + (steps - steps[0]) / reach * (right - left)
    ys = bottom - (line - low) / span * (bottom - top)
    if len(xs) > 1:
        draw.line(list(zip(xs.tolist(), ys.tolist(), strict=True)), fill=colour, width=2)
    draw.text((left, top - 16), f"{name}: {values[-1]:.4g} at step {steps[-1]:.0f}", fill="#222222")
    draw.text((4, top), f"{high:.3g}", fill="#666666")
    draw.text((4, bottom - 12), f"{low:.3g}", fill="#666666")
