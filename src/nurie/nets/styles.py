"""What a drawing does not say: the colour of the subject. One drawing has many right colourings; a generator that is
told the colour learns each of them instead of their brown average, and shows another when it is asked for one.

A style is the mean colour of a picture's subject, RGB in [-1, 1] (a code that needs no encoder; compare BicycleGAN,
Zhu et al. 2017). Colourful pixels count more: else black outlines and grey parts make it muddy.
"""

import cv2
import numpy as np
import torch
from torch import Tensor

from nurie.drawings.ink import WHITE

PAPER = (WHITE - 0.5) / 127.5 - 1  # the same limit of [-1, 1], between two levels, so that no rounding matters
COUNT = 12  # styles that a model offers
GREY = 0.05  # how much a grey pixel counts, where one of a pure colour counts 2


def style_of(pictures: Tensor) -> Tensor:
    """(n, 3, h, w) in [-1, 1] -> (n, 3): the mean colour of what is not white paper; white where nothing else is."""
    low, high = pictures.amin(1, keepdim=True), pictures.amax(1, keepdim=True)
    weight = (low < PAPER) * (high - low + GREY)
    total = weight.sum((2, 3))  # (n, 1)
    colour = (pictures * weight).sum((2, 3)) / total.clamp(min=GREY)
    return torch.where(total > 0, colour, torch.ones_like(colour))


def common_styles(colours: np.ndarray, count: int = COUNT) -> list[list[float]]:
    """The centres of the pictures' styles (n, 3) (k-means, the same in every run), `count` at most.

    First the one that is nearest to all pictures on average, which suits most as the default; then the most common.
    """
    count = min(count, len(np.unique(colours, axis=0)))
    criteria = (cv2.TERM_CRITERIA_MAX_ITER | cv2.TERM_CRITERIA_EPS, 100, 1e-4)
    cv2.setRNGSeed(0)
    _, labels, centres = cv2.kmeans(colours.astype(np.float32), count, None, criteria, 5, cv2.KMEANS_PP_CENTERS)  # type: ignore[call-overload]
    pictures = np.bincount(labels.ravel(), minlength=count)
    nearest = np.abs(centres[:, None] - colours).mean((1, 2)).argmin()
    order = sorted(range(count), key=lambda i: (i != nearest, -pictures[i]))
    return [[round(float(v), 3) for v in centres[i]] for i in order]
