"""What is wrong with a folder of pairs, seen in its pictures. Pure functions.

A pair is looked at once. Each check then returns the warnings it has, kind -> sentence. The limits are meant to let
ordinary pairs pass in silence; what they were tried on stands in the tests.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import UInt8

from nurie.drawings.ink import is_line_drawing
from nurie.errors import NurieError
from nurie.pairs.agreement import (
    GAIN,
    GAIN_OF_ALL,
    MATCH,
    OWN,
    STRANGE,
    Agreement,
    Outline,
    agreement_of,
    agreement_of_all,
    outline,
    surface,
)
from nurie.pairs.names import FEW_VAL, some
from nurie.size import Size

Warnings = dict[str, str]

Image = UInt8[np.ndarray, "h w 3"]
LOOKED_AT = 64  # train pairs, evenly spread, that speak for all where all would take long
MOST = 0.5  # share of the pairs that decides what a folder holds
SHADES = 0.15  # share of pixels between paper and ink; 57 of 72 grey photos on white have more, 370 line drawings less
SOME = 0.1  # share of useless pictures that is no accident
PALE = 3  # of 255: standard deviation of what an eye takes for one colour
FEW = 40  # pictures to train on; 44 photos, from the built-in cats, gave dogs with coats, noses and tongues
UNEVEN = 10  # times as many pictures of one class as of another: the same few come again and again
MEASURED = 4  # pairs, at least, that what is said of all together is measured on


@dataclass(frozen=True)
class Look:
    """What is seen of one pair: first of its drawing, then of its picture."""

    sizes: tuple[Size, Size]
    line_art: tuple[bool, bool]
    inverted: bool  # the drawing
    blank: tuple[bool, bool]
    brightness: tuple[float, float]  # 0 to 255
    agreement: Agreement
    outlines: tuple[Outline, Outline] | None = None  # 0.2 MB

    @property
    def swapped(self) -> bool:
        return self.line_art[1] and not self.line_art[0] and not self.blank[0]


def look_at(drawing: Image, picture: UInt8[np.ndarray, "h2 w2 3"], keep: bool = False) -> Look:
    """Look at a pair, whose halves may have two sizes. keep: the outlines, by which all together are judged."""
    outlines = outline(drawing), outline(picture)
    return Look(
        sizes=(size_of(drawing), size_of(picture)),
        line_art=(is_line_art(drawing), is_line_art(picture)),
        inverted=is_line_art(255 - drawing),
        blank=(is_blank(drawing), is_blank(picture)),
        brightness=(float(drawing.mean()), float(picture.mean())),
        agreement=agreement_of(surface(*outlines)),
        outlines=outlines if keep else None,
    )


def size_of(image: Image) -> Size:
    return Size(image.shape[1], image.shape[0])


def data_warnings(pairs: list[tuple[Image, Image]], direction: str) -> Warnings:
    """What is wrong with these drawings and pictures."""
    return look_warnings([look_at(drawing, picture, keep=True) for drawing, picture in pairs], direction)


def look_warnings(looks: Sequence[Look], direction: str) -> Warnings:
    """What is wrong with all these pairs together. Those whose outlines were kept tell how the halves lie."""
    found: Warnings = {}
    swapped = np.mean([look.swapped for look in looks])
    if swapped > MOST:
        other = "AtoB" if direction == "BtoA" else "BtoA"
        found["direction"] = (
            f"{swapped:.0%} of the pictures look like line art and their drawings do not: the sides seem to be "
            f"swapped. To colour line art, train with --direction {other}."
        )
    if np.mean([look.inverted for look in looks]) > MOST:
        found["inverted"] = (
            "The drawings are light lines on black. People draw dark lines on white: invert the drawings of the pairs."
        )
    for i, name in enumerate(("drawings", "pictures")):
        blank = [look.brightness[i] for look in looks if look.blank[i]]
        if len(blank) > SOME * len(looks):
            found[f"blank {name}"] = (
                f"{len(blank)} of {len(looks)} {name} looked at are of one colour, brightness {np.mean(blank):.0f} of "
                "255. Values must be 0 to 255, and lines must not lie in the alpha channel: look at the pairs."
            )
    return found | halves_warnings([look for look in looks if not any(look.blank)])


def halves_warnings(looks: Sequence[Look]) -> Warnings:
    """Whether the halves of these pairs, which are not blank, show the same at the same place."""
    outlines = [look.outlines for look in looks if look.outlines]
    if len(outlines) < MEASURED:
        return {}
    own, other = agreement_of_all(outlines)
    if own.gain >= GAIN_OF_ALL and own.best - other >= OWN:
        return {
            "misaligned": f"The pictures do not lie where their drawings do, but {own.told(looks[0].sizes[1])}. Crop "
            "and resize both in the same way."
        }
    if own.here - other < OWN:
        return {
            "unrelated": "The drawings have no more edges in common with their own pictures than with others: the "
            "names of drawings or pictures may be mixed up."
        }
    return {}


def misplaced(look: Look, typical: float) -> str:
    """Which kind of fault the halves of a pair have, or nothing. typical: how well they agree, at best, in most pairs;
    where that is not much, single ones are not judged."""
    found = look.agreement
    if typical < MATCH or any(look.blank):
        return ""
    if found.best < STRANGE:
        return "unrelated"
    return "misaligned" if found.gain >= GAIN and found.best >= MATCH else ""


def set_warnings(train: int, val: int, classes: Mapping[str, str] | None = None) -> Warnings:
    """What is wrong with so many pictures to train on and for validation, and with the class of each of the former."""
    found: Warnings = {}
    if train < FEW:
        found["few"] = (
            f"{train} {'picture is' if train == 1 else 'pictures are'} few to train on: {FEW} or more are better, and "
            "--init MODEL, a model of something alike, helps."
        )
    if val < FEW_VAL:
        found["val"] = (
            "There are no pictures for validation: all scores are of pictures that are trained on."
            if val == 0
            else f"{val} for validation are few: the scores say little. {FEW_VAL} or more are better."
        )
    sizes = Counter((classes or {}).values()).most_common()
    if sizes and sizes[0][1] >= UNEVEN * sizes[-1][1]:
        (most, many), (least, few) = sizes[0], sizes[-1]
        found["classes"] = (
            f"The classes are uneven: {most} has {many} pictures, {least} {few}. Each of the latter is seen "
            f"{many // few} times as often, and may be learnt by heart."
        )
    return found


def copy_warnings(copies: Sequence[str], val: int) -> Warnings:
    """What it means that these of so many pictures for validation are among those to train on, too."""
    if not copies:
        return {}
    return {
        "leakage": f"{len(copies)} of {val} pictures for validation are to train on, too ({some(copies)}): scores on "
        "them say nothing. `nurie check` finds those that are nearly the same as well."
    }


def refuse_without_lines(drawings: Sequence[Image], pairs: object) -> None:
    """Raises NurieError where the drawings of pairs are label maps or photos: line drawings of people's do not go with
    them."""
    if np.mean([is_line_drawing(drawing) for drawing in drawings]) < MOST:
        raise NurieError(
            f"--drawings takes line drawings, but those of the pairs in {pairs} are label maps, photos or the like. "
            "Leave it out, or choose --direction so that lines are the drawings."
        )


def is_line_art(image: Image) -> bool:
    """A line drawing that shows something and has hardly any shades: a grey photo on white is none."""
    grey = image[:, :, 0]
    shades = float(((grey >= 55) & (grey <= 200)).mean())
    return is_line_drawing(image) and shades < SHADES and not is_blank(image)


def is_blank(image: Image) -> bool:
    """One colour, as far as an eye can tell."""
    if int(image.max()) - int(image.min()) < 32:
        return True
    means, deviations = cv2.meanStdDev(image)  # of the channels; together many times faster than image.std()
    return float(np.sqrt((deviations**2).mean() + means.var())) < PALE
