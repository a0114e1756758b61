"""Photos for the tests of `prepare`."""

from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from conftest import square
from nurie.config import Prepare


def photo(width: int = 60, height: int = 40, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    image = np.full((height, width, 3), 220, np.uint8)
    colour = tuple(int(v) for v in rng.integers(0, 150, 3))
    cv2.ellipse(image, (width // 2, height // 2), (width // 4, height // 4), 0, 0, 360, colour, -1)
    return image


def save(path: Path, image: np.ndarray, **options) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(path, **options)


def config(tmp_path: Path, **options) -> Prepare:
    return Prepare(
        tmp_path / "photos", tmp_path / "pairs", **{"size": square(32), "workers": 1, "val_percent": 0, **options}
    )
