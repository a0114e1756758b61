"""The colours of flat pictures: the few that stand for all, found in Lab, where distances are as they are seen.

A palette is a list of "#rrggbb": first paper, then ink, then the colours that were found, the most common first.
"""

from collections.abc import Iterable, Sequence

import cv2
import numpy as np

from nurie.drawings.ink import WHITE, Image, brightest, darkest
from nurie.drawings.labels import is_flat
from nurie.errors import NurieError

PAPER, INK = "#ffffff", "#000000"
DARK = 60  # a pixel whose brightest channel is at most this bright is ink
LOOKED_AT = 20_000  # pixels that colours are sought among
APART = 4  # pixels of a picture from one that is looked at to the next, across and down


def common_colours(pictures: Iterable[Image], count: int) -> list[str]:
    """A palette of `count` colours: k-means of the pixels that are neither paper nor ink, the same in every run.

    pictures: uint8 (h, w, 3) each. A colour is the median of its pixels, of each channel. Flat pixels are looked at,
    since borders mix colours; where there are none, all. A colour that is four times as common counts twice, else
    emoji, many of which are people, give six browns and no pink. Raises NurieError where there are fewer colours.
    """
    wanted = count - 2
    flat, others = [], []
    for picture in pictures:
        coloured = (darkest(picture) < WHITE) & (brightest(picture) > DARK)
        even = coloured & is_flat(picture)
        flat.append(picture[::APART, ::APART][even[::APART, ::APART]])
        others.append(picture[::APART, ::APART][coloured[::APART, ::APART]])
    pixels = next((found for found in map(np.concatenate, (flat, others)) if len(found)), np.empty((0, 3), np.uint8))
    some = balanced(pixels)
    distinct = len(np.unique(some, axis=0))
    if distinct < wanted:
        raise NurieError(
            f"--colours {count} are white, black and {wanted} others, but the pictures have {distinct} others. "
            + (f"Use at most --colours {distinct + 2}." if distinct else "They need colours.")
        )
    cv2.setRNGSeed(0)
    stop = (cv2.TERM_CRITERIA_MAX_ITER | cv2.TERM_CRITERIA_EPS, 60, 0.1)
    _, labels, _ = cv2.kmeans(to_lab(some), wanted, None, stop, 10, cv2.KMEANS_PP_CENTERS)  # type: ignore[call-overload]
    members = [some[labels.ravel() == i] for i in range(wanted)]
    found = [to_text(np.median(of, axis=0).astype(int).tolist()) for of in members]
    common = np.bincount(nearest_colours(found)[bins_of(pixels)], minlength=wanted)
    return [PAPER, INK, *(found[i] for i in np.argsort(-common, kind="stable"))]


def balanced(pixels: np.ndarray) -> np.ndarray:
    """LOOKED_AT of the pixels (n, 3), drawn by 1 / the root of how many are like each; the same in every run."""
    if not len(pixels):
        return pixels
    bins = bins_of(pixels)
    chance = np.bincount(bins)[bins] ** -0.5
    return pixels[np.random.default_rng(0).choice(len(pixels), LOOKED_AT, p=chance / chance.sum())]


def shares_of(pictures: Iterable[Image], palette: Sequence[str]) -> list[float]:
    """How much of the pictures, uint8 (h, w, 3) each, is nearest to each colour: shares whose sum is 1."""
    nearest = nearest_colours(palette)
    counts = np.zeros(len(palette))
    for picture in pictures:
        seen = picture[::APART, ::APART].reshape(-1, 3)
        counts += np.bincount(nearest[bins_of(seen)], minlength=len(palette))
    return [round(float(share), 6) for share in counts / counts.sum()]


def nearest_colours(palette: Sequence[str]) -> np.ndarray:
    """Of every colour the nearest of the palette in Lab, by number: uint8 (64**3,), 64 levels of each channel."""
    levels = np.arange(64) * 4 + 2
    colours = np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), 3).reshape(-1, 3)
    lab, known = to_lab(colours), to_lab(to_bytes(palette))
    nearest, least = np.zeros(len(lab), np.uint8), np.full(len(lab), np.inf, np.float32)
    for number, colour in enumerate(known):
        distance = np.square(lab - colour).sum(1)
        closer = distance < least
        nearest[closer], least[closer] = number, distance[closer]
    nearest[bins_of(to_bytes(palette))] = np.arange(len(palette))  # two colours may be nearer than levels are
    return nearest


def bins_of(colours: np.ndarray) -> np.ndarray:
    """The index of colours, uint8 (n, 3), in `nearest_colours`: (n,)."""
    return (colours >> 2).astype(np.intp) @ np.array([64 * 64, 64, 1])


def to_lab(colours: np.ndarray) -> np.ndarray:
    """RGB in 0-255, (n, 3), in CIELAB: float32 (n, 3)."""
    return cv2.cvtColor(colours[:, None].astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[:, 0]


def to_bytes(palette: Sequence[str]) -> np.ndarray:
    """uint8 (colours, 3), RGB."""
    return np.array([[*bytes.fromhex(colour[1:])] for colour in palette], np.uint8).reshape(-1, 3)


def to_text(colour: Sequence[int]) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)
