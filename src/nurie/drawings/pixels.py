"""Strokes -> pixels: the same bytes as the page's, for the same operations on 64-bit numbers in the same order.

page/sheet/curve.js is the line through the points, mask.js what it covers, layers.js ink and colours.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from nurie.files.schema import Stroke

CORNER = 0.2588190451025207  # cosine of 75 degrees: sharper turns stay corners
PIECE, MOST = 2, 32  # length of a straight piece, pixels; the most of them between two points
AT_ONCE = 1 << 18  # pixels that are computed at once

Array = NDArray[np.float64]
Bytes = NDArray[np.uint8]


def draw_map(strokes: Sequence[Stroke], height: int, width: int, ground: str) -> Bytes:
    """A label map on a ground such as "#0030ff", uint8 (height, width, 3): strokes have what they cover half of."""
    picture = np.full((height, width, 3), list(bytes.fromhex(ground[1:])), np.uint8)
    for stroke in strokes:
        colour = ground if stroke.tool == "eraser" else stroke.colour or "#000000"
        picture[coverage(stroke, height, width) >= 128] = list(bytes.fromhex(colour[1:]))
    return picture


def draw_strokes(strokes: Sequence[Stroke], height: int, width: int) -> Bytes:
    """Lines with round ends, and boxes, on white, uint8 (height, width, 3). Points and widths are in these pixels.

    They are black. Colours lie in a layer of their own, in which later ones cover earlier ones, and of both layers the
    darker is seen. The eraser takes off both.
    """
    ink = np.zeros((height, width), np.uint8)
    colours = np.full((height, width, 3), 255, np.uint8)
    for stroke in strokes:
        mask = coverage(stroke, height, width)
        if stroke.tool == "eraser":
            ink = np.minimum(ink, 255 - mask)
            blend(colours, (255, 255, 255), mask)
        elif stroke.colour:
            blend(colours, bytes.fromhex(stroke.colour[1:]), mask)
        else:
            ink = np.maximum(ink, mask)
    return np.minimum((255 - ink)[:, :, None], colours)


def blend(colours: Bytes, colour: Sequence[int], mask: Bytes) -> None:
    """Lay a colour over others, where the mask is not 0."""
    rows, columns = np.nonzero(mask)
    part = mask[rows, columns, None].astype(int)
    colours[rows, columns] = (colours[rows, columns] * (255 - part) + np.array(list(colour)) * part + 127) // 255


def coverage(stroke: Stroke, height: int, width: int) -> Bytes:
    """How much of each pixel a stroke covers, uint8 (height, width): 255 is all of it."""
    if stroke.tool == "box":
        return boxes(stroke, height, width)
    mask = np.zeros(height * width, np.uint8)
    pieces = outline(stroke)
    reach = np.maximum(np.maximum(pieces[:, 2], pieces[:, 5]), 0.5) + 0.5
    low = np.floor(np.minimum(pieces[:, :2], pieces[:, 3:5]) - reach[:, None]).clip(0)
    high = np.ceil(np.maximum(pieces[:, :2], pieces[:, 3:5]) + reach[:, None]).clip(max=(width, height))
    sides = (high - low).max(1)
    for rows in windows(np.where((high > low).all(1), sides, 0)):
        side = int(sides[rows].max())
        place = low[rows].astype(int)
        across = (place[:, :1] + np.arange(side))[:, None, :]  # (pieces, 1, side)
        down = (place[:, 1:] + np.arange(side))[:, :, None]
        value = covered(pieces[rows], across + 0.5, down + 0.5)
        inside = (across < width) & (down < height)
        np.maximum.at(mask, (down * width + across)[inside], value[inside])
    return mask.reshape(height, width)


def boxes(stroke: Stroke, height: int, width: int) -> Bytes:
    """The same of boxes, whose sides lie between pixels."""
    mask = np.zeros((height, width), np.uint8)
    corners = np.array(stroke.points).reshape(-1, 2, 2)
    for (left, top), (right, bottom) in np.floor(np.sort(corners, axis=1) + 0.5).clip(0, (width, height)).astype(int):
        mask[top:bottom, left:right] = 255
    return mask


def windows(sides: Array) -> Iterator[NDArray[np.intp]]:
    """Numbers of pieces that are drawn in squares of the same side, so many at once as memory allows. 0: not drawn."""
    kind = np.ceil(np.log2(np.maximum(sides, 1)))
    for exponent in np.unique(kind[sides > 0]):
        same = np.flatnonzero((kind == exponent) & (sides > 0))
        many = max(1, AT_ONCE >> int(2 * exponent))
        yield from (same[i : i + many] for i in range(0, len(same), many))


def covered(pieces: Array, x: NDArray[np.floating], y: NDArray[np.floating]) -> Bytes:
    """Of pixels with these middles, by their distance from the line: uint8 (pieces, side, side)."""
    x0, y0, r0, x1, y1, r1 = (pieces[:, i, None, None] for i in range(6))
    dx, dy, dr = x1 - x0, y1 - y0, r1 - r0
    squared = dx * dx + dy * dy
    along = ((x - x0) * dx + (y - y0) * dy) / np.where(squared > 0, squared, 1)
    t = np.where(squared > 0, along, 0).clip(0, 1)
    ex, ey = x - (x0 + t * dx), y - (y0 + t * dy)
    radius = r0 + t * dr
    # a line that is thinner than a pixel is one of that width, but paler
    inside = (np.maximum(radius, 0.5) + 0.5 - np.sqrt(ex * ex + ey * ey)).clip(0, 1)
    return np.floor(inside * np.minimum(1, 2 * radius) * 255 + 0.5).astype(np.uint8)


def outline(stroke: Stroke) -> Array:
    """The straight pieces of a stroke, (pieces, 6): x, y and half the width at both ends."""
    points = np.array(stroke.points, float).reshape(-1, 2)
    pressures = np.array(stroke.pressures or [1.0] * len(points), float)
    radius = stroke.width / 2
    if len(points) == 1:
        dot = [*points[0], radius * pressures[0]]
        return np.array([dot + dot])
    span, t, first = places(points)
    ends = bend(points)[span]
    u = 1 - t
    a, b, c, d = u * u * u, 3 * u * u * t, 3 * u * t * t, t * t * t
    line = sum_of([a, b, c, d], ends)
    slope = (pressures[1:] - pressures[:-1])[span]
    after = np.column_stack([line, radius * (pressures[:-1][span] + slope * t)])
    before = np.roll(after, 1, axis=0)
    before[first] = np.column_stack([points[:-1], radius * pressures[:-1]])
    return np.hstack([before, after])


def sum_of(parts: list[Array], ends: Array) -> Array:
    total = parts[0][:, None] * ends[:, 0]
    for i in (1, 2, 3):
        total = total + parts[i][:, None] * ends[:, i]
    return total


def places(points: Array) -> tuple[NDArray[np.intp], Array, NDArray[np.intp]]:
    """Of each piece the number of its span and t at its end; and of each span the number of its first piece."""
    counts = np.ceil(lengths(points[1:] - points[:-1]) / PIECE).clip(1, MOST).astype(int)
    first = np.cumsum(counts) - counts
    span = np.repeat(np.arange(len(counts)), counts)
    number = np.arange(counts.sum()) - first[span] + 1
    return span, number / counts[span], first


def lengths(steps: Array) -> Array:
    return np.sqrt(steps[:, 0] * steps[:, 0] + steps[:, 1] * steps[:, 1])


def bend(points: Array) -> Array:
    """The four control points of the cubic Bezier curve of each span, (spans, 4, 2).

    Together they are a centripetal Catmull-Rom spline (Yuksel, Schaefer and Keyser 2011), with corners at sharp turns.
    """
    steps = points[1:] - points[:-1]
    chords = lengths(steps)
    roots = np.sqrt(chords)
    product = chords[:-1] * chords[1:]
    turns = steps[:-1, 0] * steps[1:, 0] + steps[:-1, 1] * steps[1:, 1]
    smooth = np.flatnonzero((product > 0) & (turns >= CORNER * product))  # numbers of the points between, less 1
    out = points[:-1] + (points[1:] - points[:-1]) / 3
    into = points[1:] + (points[:-1] - points[1:]) / 3
    before, here, after = points[smooth], points[smooth + 1], points[smooth + 2]
    out[smooth + 1] = control(before, here, after, roots[smooth], roots[smooth + 1])
    into[smooth] = control(after, here, before, roots[smooth + 1], roots[smooth])
    return np.stack([points[:-1], out, into, points[1:]], axis=1)


def control(come: Array, here: Array, go: Array, before: Array, after: Array) -> Array:
    """The control point beside `here`, of a curve that comes and goes; roots of the distances."""
    first, second, mixed = ((a * b)[:, None] for a, b in ((before, before), (after, after), (before, after)))
    return (first * go - second * come + (2 * first + 3 * mixed + second) * here) / (3 * (first + mixed))
