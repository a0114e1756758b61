"""Filled areas in NumPy, slow and obvious: one function for each rule of docs/formats.md, "Filled areas" and "Classes".

A mask is bool (h, w). The names of the numbers are those of engine/areas.h, areas.c and fill.c.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from nurie.engine.reference_noise import hash_of

Array = np.ndarray

DARK = 128  # a grey pixel is of a line where all its channels are below
COLOURED = 32  # a pixel is grey where its channels differ by less
GAP = 6  # pixels of 256: gaps in lines of up to as many are closed
GREY = 192  # a pixel is of a coloured stroke where it is not grey, or where all channels are below this
SOLID = 7  # eighths of the strongest pixel beside it that a stroke's own pixel has, and its soft edge has not
PALE = 24  # open paper becomes white where all channels of the output are nearer to white
APART = 96  # colours of an output that are nearer are shades of one
STROKES_APART = 48  # the same for strokes
FEW = 256  # pixels of 256x256: a colour of open paper has as many at least
BINS = 512  # 8 of each channel
MOST_AREAS = 4096  # any more have no number
NAT = 16  # how finely a pixel's logits are compared
MOST_COST = 256  # more than 16 nats are no more
FREE = 1024  # 256ths of a nat that chance may add to each class: 4 nats
ALIKE = 512  # 256ths of a nat that it costs to have a neighbour's class


@dataclass
class Sheet:
    """A picture on the way to its new colours."""

    drawing: Array  # uint8 (h, w, 3)
    output: Array  # the network's, uint8 (h, w, 3)
    lines: Array  # mask
    core: Array  # mask: pixels that touch no line
    solid: Array  # mask: those of them that are of a coloured stroke
    made: Array  # int (h, w, 3): the new colours
    known: Array  # mask: where they are

    def colour(self, where: Array, colours: Array) -> None:
        """Give the pixels of a mask colours, (n, 3) or (3,)."""
        self.made[where], self.known = colours, self.known | where


def filled(drawing: Array, picture: Array) -> Array:
    """uint8 (h, w, 3) each: one colour for what dark grey lines enclose, a few for the rest."""
    return coloured(drawing, picture, means_of, shades_of)


def filled_classes(drawing: Array, logits: Array, palette: Array, seed: int = 0) -> Array:
    """The same of a class for each pixel: one class for what dark grey lines enclose, by the seed.

    drawing: uint8 (h, w, 3). logits: float32 (h / step, w / step, classes), each for step x step pixels. palette: uint8
    (classes, 3), the first one paper.
    """
    step = len(drawing) // len(logits)
    logits = logits.repeat(step, axis=0).repeat(step, axis=1)
    costs = costs_of(logits)

    def choose(sheet: Sheet, areas: list[Array], strokes: list[list[Array]]) -> list[list[Array]]:
        return [[palette[c]] if c else [] for c in chosen_classes(sheet, areas, strokes, costs, seed)]

    def choose_held(_: Sheet, area: Array) -> list[Array]:
        return [palette[chosen_class(costs[area], seed, set())]] if area.sum() >= few_of(area) else []

    return coloured(drawing, palette[logits.argmax(2)], choose, choose_held, dark=True)


def coloured(
    drawing: Array,
    picture: Array,
    choose: Callable[..., list[list[Array]]],
    choose_held: Callable[[Sheet, Array], list[Array]],
    dark: bool = False,
) -> Array:
    """A picture with its areas filled. `choose`: the colours of those without strokes; `choose_held`: of an open one
    that lines hold. `dark`: so is what lies at lines even where it has no new colour."""
    lines, areas, paper = find_areas(drawing)
    areas += closed_gaps(lines, paper, MOST_AREAS - 1 - len(areas))
    sheet = Sheet(drawing, picture, lines, *choosing(drawing, lines), picture.astype(int), np.zeros_like(lines))
    strokes = [main_colours(drawing[area & sheet.solid], STROKES_APART, 1) for area in areas]
    colours = [own or other for own, other in zip(strokes, choose(sheet, areas, strokes), strict=True)]
    colour_areas(sheet, areas, colours)
    colour_open_paper(sheet, areas, choose_held)
    colour_at_lines(sheet, areas, colours)
    anew = sheet.known | dark
    return np.where(anew[:, :, None], sheet.made, picture).astype(np.uint8)


def find_areas(drawing: Array) -> tuple[Array, list[Array], Array]:
    """Rule 1: the lines, the areas that hang together between them, and the paper, masks."""
    light = drawing.max(2).astype(int)
    lines = is_grey(drawing) & (light < DARK)
    return lines, *separate(~lines, MOST_AREAS - 1)


def closed_gaps(lines: Array, paper: Array, most: int) -> list[Array]:
    """Rule 2: the areas of the paper that lines enclose but for small gaps, so many at most."""
    reach = max(1, GAP * lines.shape[1] // 256 // 2)
    near = lines
    for _ in range(reach):
        near = spread(near)
    closed, rest = separate(paper & ~near, most)
    for _ in range(reach + 1):
        free, grown = paper & ~rest & ~sum(closed, np.zeros_like(lines)), []
        taken = free & spread(rest)
        rest = rest | taken
        for area in closed:
            more = free & spread(area) & ~taken
            taken |= more
            grown.append(area | more)
        closed = grown
    return closed


def choosing(drawing: Array, lines: Array) -> tuple[Array, Array]:
    """Rule 3: the pixels that choose colours, and those of them that are solid, masks."""
    core = around(lines) == 0
    dark, grey = drawing.max(2) < GREY, is_grey(drawing)
    coloured = core & (~grey | dark)
    solid = coloured & (8 * strength(drawing) >= SOLID * around(strength(drawing) * coloured, np.max))
    return core, solid & (~grey | (around(dark) == 9))


def colour_areas(sheet: Sheet, areas: list[Array], colours: list[list[Array]]) -> None:
    """Rule 4: colours each area's pixels off the lines."""
    for area, own in zip(areas, colours, strict=True):
        if (pixels := area & sheet.core).any():
            sheet.colour(pixels, nearest(sheet.output[pixels], own))


def means_of(sheet: Sheet, areas: list[Array], _: list[list[Array]]) -> list[list[Array]]:
    """What areas without strokes get: the mean of their pixels off the lines, if there are any."""
    inside = [sheet.output[area & sheet.core] for area in areas]
    return [[mean_colour(pixels)] if len(pixels) else [] for pixels in inside]


def costs_of(logits: Array) -> Array:
    """Classes, rule 1: how much less probable than the best each class is, int (h, w, classes)."""
    behind = logits.max(2, keepdims=True) - logits
    return np.minimum(np.rint(NAT * behind), MOST_COST).astype(int)


def chosen_classes(sheet: Sheet, areas: list[Array], strokes: list[list[Array]], costs: Array, seed: int) -> list[int]:
    """Classes, rules 2 and 3: one for each area, in their order; 0 for those with strokes."""
    chosen: list[int] = []
    beside = neighbours(sheet, areas)
    for number, (area, own) in enumerate(zip(areas, strokes, strict=True)):
        core = area & sheet.core
        near = {chosen[other] for other in beside[number] if other < number}
        chosen.append(0 if own else chosen_class(costs[core if core.any() else area], seed, near))
    return chosen


def chosen_class(costs: Array, seed: int, near: set[int]) -> int:
    """Classes, rules 2 and 3: that of pixels, (n, classes); with a seed another likely one."""
    total = costs.sum(0)[1:]  # paper is none
    return drawn(total, len(costs), seed, near) if seed else 1 + int(total.argmin())


def drawn(total: Array, pixels: int, seed: int, near: set[int]) -> int:
    """Classes, rule 3: a likely class, from the total costs of classes 1, 2, ... in so many pixels.

    near: classes of neighbours.
    """
    best, mean = 1 + int(total.argmin()), rounded(16 * total, pixels)
    least, second = sorted(mean.tolist())[:2]
    free = FREE + 2 * (second - least)
    cost = [
        mean[c - 1] - ((hash_of(64 * best + c, seed) >> 16) * free >> 16) + ALIKE * (c in near)
        for c in range(1, len(total) + 1)
    ]
    return 1 + int(np.argmin(cost))


def neighbours(sheet: Sheet, areas: list[Array]) -> list[set[int]]:
    """Of each area the others that it meets: in some row or column nothing between them chooses colours."""
    numbers = np.full(sheet.lines.shape, -1)
    for number, area in enumerate(areas):
        numbers[area] = number
    beside: list[set[int]] = [set() for _ in areas]
    for inside, core in ((numbers, sheet.core), (numbers.T, sheet.core.T)):
        for row, choose in zip(inside, core, strict=True):
            met = row[choose]
            for a, b in zip(met[:-1].tolist(), met[1:].tolist(), strict=True):
                if a != b and min(a, b) >= 0:
                    beside[a].add(b)
                    beside[b].add(a)
    return beside


def shades_of(sheet: Sheet, area: Array) -> list[Array]:
    """What an open area without strokes gets that lines hold."""
    return [*main_colours(sheet.output[area], APART, few_of(area)), np.full(3, 255)]


def few_of(area: Array) -> int:
    """Pixels that a colour of open paper has at least."""
    return FEW * area.shape[1] ** 2 // 256**2


def colour_open_paper(sheet: Sheet, areas: list[Array], choose_held: Callable[[Sheet, Array], list[Array]]) -> None:
    """Rule 5: colours the pixels off the lines that are in none of the areas."""
    paper = sheet.core & ~np.any([sheet.lines, *areas], axis=0)
    pale = paper & (strength(sheet.output) < PALE)
    white = np.full(3, 255)
    sheet.colour(pale, white)
    for area in separate(paper & ~pale, MOST_AREAS - 1 - len(areas), paper=False)[0]:
        others = sheet.core & ~area
        at_lines, at_paper = (sum((area & moved).sum() for moved in moves(sides)) for sides in (~sheet.core, others))
        strokes = main_colours(sheet.drawing[area & sheet.solid], STROKES_APART, 1)
        held = strokes or choose_held(sheet, area) if at_lines >= at_paper else None
        sheet.colour(area, nearest(sheet.output[area], held or [*strokes, white]))


def main_colours(pixels: Array, apart: int, least: int) -> list[Array]:
    """Rule 6: the colours of pixels (n, 3), shades that lie at most `apart` from each other as one."""
    levels = round(BINS ** (1 / 3))
    bins = pixels.astype(int) * levels // 256 @ np.array([levels**2, levels, 1])
    left = {int(b): pixels[bins == b] for b in np.unique(bins)}
    found = []
    while left:
        fullest = max(left, key=lambda b: len(left[b]))  # the first of equals
        middle = mean_colour(left[fullest])
        near = [b for b in left if ((mean_colour(left[b]) - middle) ** 2).sum() <= apart**2]
        group = np.concatenate([left.pop(b) for b in near])
        if len(group) >= least and 10 * len(group) >= len(pixels):
            found.append(mean_colour(group))
    return found


def colour_at_lines(sheet: Sheet, areas: list[Array], colours: list[list[Array]]) -> None:
    """Rule 7: colours what touches a line, then the lines."""
    count, mean = mean_around(sheet.made, sheet.known)
    at_lines = ~sheet.lines & ~sheet.core
    several = at_lines & (count > 0)
    for area, own in zip(areas, colours, strict=True):
        first = at_lines & area & ((count == 0) | (len(own) == 1))
        if own:
            sheet.colour(first, own[0])
            several &= ~first
    sheet.colour(several, mean[several])
    count, mean = mean_around(sheet.made, sheet.known)
    under = sheet.lines & (count > 0)
    sheet.colour(under, mean[under])
    light = np.where(sheet.core, 255, sheet.drawing.max(2))[:, :, None]
    sheet.made = rounded(sheet.made * light, 255)


def rounded(total: Array, count: Array | int) -> Array:
    """Rule 8: a mean in whole levels, halves up."""
    return (2 * total + count) // (2 * count)


def mean_colour(pixels: Array) -> Array:
    """Of (n, 3): int (3,)."""
    return np.asarray(rounded(pixels.sum(0, dtype=int), len(pixels)))


def mean_around(rgb: Array, which: Array) -> tuple[Array, Array]:
    """Of 3x3 pixels how many are of the mask `which`, and the mean colour of these."""
    count = around(which)
    total = np.stack([around(channel * which) for channel in np.moveaxis(rgb, 2, 0)], 2)
    return count, rounded(total, count.clip(1)[:, :, None])


def is_grey(rgb: Array) -> Array:
    """Mask."""
    return np.ptp(rgb, axis=2) < COLOURED


def strength(rgb: Array) -> Array:
    """How far from white, in the channel that is farthest: int (h, w)."""
    return 255 - rgb.min(2).astype(int)


def nearest(pixels: Array, colours: list[Array]) -> Array:
    """For each of (n, 3) the nearest of the colours."""
    distances = ((pixels[:, None].astype(int) - np.array(colours)) ** 2).sum(2)
    return np.array(colours)[distances.argmin(1)]


def separate(inside: Array, most: int, paper: bool = True) -> tuple[list[Array], Array]:
    """Rule 9: what hangs together side by side, `most` areas from the top, and all others, masks.

    If that is `paper`, what reaches the border is no area.
    """
    areas, others, left = [], np.zeros_like(inside), inside.copy()
    while left.any():
        area = connected(inside, tuple(np.argwhere(left)[0]))
        left &= ~area
        if len(areas) == most or (paper and (area[[0, -1]].any() or area[:, [0, -1]].any())):
            others |= area
        else:
            areas.append(area)
    return areas, others


def connected(inside: Array, start: tuple[int, int]) -> Array:
    """What hangs together side by side with a pixel, mask."""
    found = np.zeros_like(inside)
    found[start] = True
    while not np.array_equal(found, grown := spread(found) & inside):
        found = grown
    return found


def spread(mask: Array) -> Array:
    """A step to the side, up and down: mask."""
    return np.any([mask, *moves(mask)], axis=0)


def moves(mask: Array) -> list[Array]:
    """Moved down, up, to the right and to the left by a pixel."""
    padded = np.pad(mask, 1)
    return [padded[:-2, 1:-1], padded[2:, 1:-1], padded[1:-1, :-2], padded[1:-1, 2:]]


def around(values: Array, reduce: Callable[..., Array] = np.sum) -> Array:
    """Sums, or another function, of 3x3 pixels; beyond the border there is nothing."""
    return reduce(np.lib.stride_tricks.sliding_window_view(np.pad(values.astype(int), 1), (3, 3)), axis=(2, 3))
