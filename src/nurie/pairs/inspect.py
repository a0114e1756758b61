"""What is wrong with a folder of pairs, seen in its pictures. Pure functions.

Each check returns the warnings it has, kind -> sentence. The limits are meant to let ordinary pairs pass in silence;
what they were tried on stands in the tests.
"""

import numpy as np
from jaxtyping import UInt8

from nurie.drawings.ink import is_line_drawing

Warnings = dict[str, str]

Image = UInt8[np.ndarray, "h w 3"]
MOST = 0.5  # share of the pairs that decides what a folder holds
SHADES = 0.15  # share of pixels between paper and ink; 57 of 72 grey photos on white have more, 370 line drawings less
SOME = 0.1  # share of useless pictures that is no accident


def data_warnings(pairs: list[tuple[Image, Image]], direction: str) -> Warnings:
    """What is wrong with these drawings and pictures."""
    drawings, pictures = zip(*pairs, strict=True)
    swapped = np.mean([is_line_art(p) and not is_line_art(d) and not is_blank(d) for d, p in pairs])
    found: Warnings = {}
    if swapped > MOST:
        other = "AtoB" if direction == "BtoA" else "BtoA"
        found["direction"] = (
            f"{swapped:.0%} of the pictures look like line art and their drawings do not: the sides seem to be "
            f"swapped. To colour line art, train with --direction {other}."
        )
    if np.mean([is_line_art(255 - d) for d in drawings]) > MOST:
        found["inverted"] = (
            "The drawings are light lines on black. People draw dark lines on white: invert the drawings of the pairs."
        )
    for name, images in (("drawings", drawings), ("pictures", pictures)):
        blank = [image for image in images if is_blank(image)]
        if len(blank) > SOME * len(images):
            found[f"blank {name}"] = (
                f"{len(blank)} of {len(images)} {name} looked at are of one colour, brightness {np.mean(blank):.0f} of "
                "255. Values must be 0 to 255, and lines must not lie in the alpha channel: look at the pairs."
            )
    return found


def is_line_art(image: Image) -> bool:
    """A line drawing that shows something and has hardly any shades: a grey photo on white is none."""
    grey = image[:, :, 0]
    shades = float(((grey >= 55) & (grey <= 200)).mean())
    return is_line_drawing(image) and shades < SHADES and not is_blank(image)


def is_blank(image: Image) -> bool:
    """One colour, as far as an eye can tell."""
    return int(image.max()) - int(image.min()) < 32 or float(image.std()) < 3
