"""Curves of recorded losses, as a picture."""

import numpy as np
from PIL import Image, ImageDraw

COLOURS = ["#c8553d", "#3d6cc8", "#3f9a5b", "#8a5bb0", "#b08a2e", "#555555"]


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
