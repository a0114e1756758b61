"""Label maps are told from line drawings and photos, and their colours found."""

import io

import cv2
import numpy as np
import PIL.Image
import pytest

from nurie.drawings.ink import Image
from nurie.drawings.labels import label_colours

GROUND, WINDOW, DOOR = (0, 48, 255), (255, 160, 0), (120, 120, 120)


def label_map(seed: int, size: int = 128) -> Image:
    """Windows and a door on a wall, as a JPEG file would have them."""
    rng = np.random.default_rng(seed)
    image = np.full((size, size, 3), GROUND, np.uint8)
    for colour, count in ((WINDOW, 6), (DOOR, 2)):
        for x, y in rng.integers(0, size - 24, (count, 2)):
            image[y : y + 20, x : x + 14] = colour
    file = io.BytesIO()
    PIL.Image.fromarray(image).save(file, "JPEG", quality=90)
    return np.asarray(PIL.Image.open(file))


def photo(seed: int, white: float, size: int = 128) -> Image:
    """Soft blobs of all colours, a share of the picture white paper."""
    noise = np.random.default_rng(seed).uniform(0, 255, (6, 6, 3)).astype(np.float32)
    image = cv2.resize(noise, (size, size), interpolation=cv2.INTER_CUBIC).clip(0, 255).astype(np.uint8)
    image[: round(white * size)] = 255
    return image


def test_label_colours_are_found_the_most_common_first() -> None:
    found = label_colours([label_map(seed) for seed in range(4)])
    assert len(found) == 3
    levels = np.array([[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in found])
    assert np.abs(levels - (GROUND, WINDOW, DOOR)).max() <= 3


@pytest.mark.parametrize(
    "image",
    [
        photo(0, 0),
        photo(1, 0.7),
        np.repeat(cv2.cvtColor(photo(2, 0.3), cv2.COLOR_RGB2GRAY)[:, :, None], 3, 2),
        np.full((64, 64, 3), (0, 48, 255), np.uint8),  # one colour says nothing
        np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8),  # nothing is flat
        cv2.circle(np.full((128, 128, 3), 255, np.uint8), (64, 64), 40, (0, 0, 0), 5),
    ],
    ids=["photo", "photo on paper", "grey photo", "one colour", "noise", "lines"],
)
def test_others_are_no_label_maps(image: Image) -> None:
    assert label_colours([image]) == []


def test_line_drawings_of_which_some_are_filled_in_are_no_label_maps() -> None:
    drawings = [np.full((64, 64, 3), 255, np.uint8) for _ in range(8)]
    for drawing in drawings:
        cv2.circle(drawing, (32, 32), 20, (0, 0, 0), 2)
    for drawing in drawings[:3]:
        cv2.rectangle(drawing, (4, 4), (60, 56), (0, 0, 0), -1)
    assert label_colours(drawings) == []
    assert label_colours(drawings[:4]) == ["#000000", "#ffffff"]
