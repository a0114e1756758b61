"""Pictures that are nearly the same: small versions of all against all, in matrix products, seconds for thousands."""

from collections.abc import Sequence

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from nurie.pairs.inspect import PALE

SIDE = 16  # pixels of the small versions
ROWS = 1024  # of pictures that are compared with all others at once: 80 MB for 20,000

# The difference of two pictures is the root of their squared difference, of their mean squared contrast: 0 the same,
# about 1.4 unrelated. Measured on dogs, facades and emoji: saved again as JPEG 0.01 to 0.06, halved and enlarged 0.01
# to 0.03, shifted by 2 of 256 pixels 0.08 to 0.3, another skin tone 0.02 to 0.15. The nearest two dogs are 0.50 apart,
# the nearest two facades 0.35.
SAME = 0.02
ALIKE = 0.15

Print = UInt8[np.ndarray, "16 16 3"]
Small = Float32[np.ndarray, "n 768"]


def print_of(picture: UInt8[np.ndarray, "h w 3"]) -> Print:
    """A small version, by which pictures are compared."""
    return cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_AREA)


def nearest(prints: Sequence[Print], others: Sequence[Print] | None = None) -> dict[int, tuple[int, float]]:
    """For each picture that is nearly the same as another, mirrored or not, which one that is most, and how different
    they are, 0 to ALIKE. Without `others`, pictures before it are meant. Pictures of one colour are like none."""
    if not prints or (others is not None and not others):
        return {}
    ones = np.stack(prints).astype(np.float32)
    twos = ones if others is None else np.stack(others).astype(np.float32)
    found: dict[int, tuple[int, float]] = {}
    for each in (twos, twos[:, :, ::-1]):
        for i, (j, difference) in nearest_of(ones.reshape(-1, 768), each.reshape(-1, 768), others is None).items():
            if difference <= found.get(i, (0, ALIKE))[1]:
                found[i] = j, difference
    return found


def nearest_of(
    ones: Float32[np.ndarray, "n 768"], twos: Float32[np.ndarray, "m 768"], earlier: bool
) -> dict[int, tuple[int, float]]:
    found: dict[int, tuple[int, float]] = {}
    contrast_of_twos, squares_of_twos = contrasts(twos), (twos**2).sum(axis=1)
    for start in range(0, len(ones), ROWS):
        part = ones[start : start + ROWS]
        differences = (part**2).sum(axis=1)[:, None] + squares_of_twos - 2 * (part @ twos.T)
        contrast = (contrasts(part)[:, None] + contrast_of_twos) / 2
        differences = np.where(np.isfinite(contrast), differences / contrast, np.float32(np.inf))
        if earlier:
            differences[np.arange(start, start + len(part))[:, None] <= np.arange(len(twos))] = np.inf
        for i, j in enumerate(differences.argmin(axis=1).tolist()):
            exact = float(np.sqrt(((part[i] - twos[j]) ** 2).sum() / contrast[i, j]))
            if exact <= ALIKE and np.isfinite(differences[i, j]):
                found[start + i] = j, exact
    return found


def contrasts(small: Small) -> Float32[np.ndarray, " n"]:
    """Squared distance of each picture from its mean colour; infinite where that is next to nothing."""
    flat = small.reshape(-1, SIDE * SIDE, 3)
    found = ((flat - flat.mean(axis=1, keepdims=True)) ** 2).sum(axis=(1, 2))
    return np.where(found < SIDE * SIDE * 3 * PALE**2, np.float32(np.inf), found)
