"""The picture that a link to a published page shows: the model's first sample, and what the model makes of it."""

import io
from pathlib import Path

import numpy as np
from PIL import Image

from nurie.drawings.pixels import draw_strokes
from nurie.engine.modelfile import read_manifest
from nurie.painting.inputs import load_drawing
from nurie.painting.lines import with_lines
from nurie.painting.painter import open_painter

SIZE = 1200, 630  # pixels, as such pictures are shown
SIDE = 530  # of each of the two, where they are square
PAPER = "#efe6d6"  # the page's ground
QUALITY = 85


def preview(model: Path) -> bytes | None:
    """A JPEG; None where the model has no sample, or nothing can be made of it: the site needs no preview."""
    try:
        preset = read_manifest(model).presets[0]
        painter = open_painter(model)
        if preset.image:
            drawing = load_drawing(model / preset.image, painter.height, painter.width, painter.labels)
        else:
            drawing = draw_strokes(preset.strokes, painter.height, painter.width)
        painter.set_seed(max(0, preset.seed))
        return side_by_side(drawing, with_lines(painter.paint(drawing), drawing, painter.lines))
    except Exception:  # whatever it is, publishing itself says it
        return None


def side_by_side(*pictures: np.ndarray) -> bytes:
    """Two pictures, uint8 (h, w, 3), on the page's ground, as a JPEG."""
    canvas = Image.new("RGB", SIZE, PAPER)
    gap = (SIZE[0] - 2 * SIDE) // 3
    for i, picture in enumerate(pictures):
        image = Image.fromarray(picture)
        scale = SIDE / max(image.size)
        image = image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.LANCZOS)
        left = gap + i * (SIDE + gap) + (SIDE - image.width) // 2
        canvas.paste(image, (left, (SIZE[1] - image.height) // 2))
    file = io.BytesIO()
    canvas.save(file, "JPEG", quality=QUALITY)
    return file.getvalue()
