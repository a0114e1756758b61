"""CIE L*a*b* with the white of D65, as the engine computes it (docs/formats.md, "Lab pictures"). For the tests only."""

import numpy as np

Array = np.ndarray

WHITE = np.array([0.95047, 1.0, 1.08883])
XYZ = np.array([[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]])
EDGE = 6 / 29


def lightness(rgb: Array) -> Array:
    """L*, 0 to 100, of sRGB bytes: (h, w, 3) -> (h, w, 1)."""
    x = rgb / 255
    linear = np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)
    y = linear @ XYZ[1]
    return (116 * np.where(y > EDGE**3, np.cbrt(y), y / (3 * EDGE**2) + 4 / 29) - 16)[:, :, None]


def from_lab(lab: Array) -> Array:
    """L*, a* and b* -> sRGB in [0, 1]: (h, w, 3) both."""
    level = (lab[:, :, 0] + 16) / 116
    f = np.stack([level + lab[:, :, 1] / 500, level, level - lab[:, :, 2] / 200], axis=2)
    xyz = np.where(f > EDGE, f**3, 3 * EDGE**2 * (f - 4 / 29)) * WHITE
    linear = np.clip(xyz @ np.linalg.inv(XYZ).T, 0, 1)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
