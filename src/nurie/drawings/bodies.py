"""Bodies in drawings of few strokes: what an outline surrounds that was left open here and there."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from nurie.drawings.ink import sixteenths

GAPS = 0.2  # share of an outline that may be missing
LEAST = 12.0  # pixels: shorter strokes are no part of an outline
MOST = 40  # strokes that are looked at, the longest


@dataclass(frozen=True)
class Chain:
    """Strokes one behind the other."""

    points: np.ndarray  # (n, 2), pixels
    missing: float = 0.0  # length of the gaps between them

    @property
    def length(self) -> float:
        """With the gaps."""
        return float(np.linalg.norm(np.diff(self.points, axis=0), axis=1).sum())

    def has_few_gaps(self, more: float = 0.0) -> bool:
        return self.missing + more <= GAPS * (self.length + more)

    @property
    def is_outline(self) -> bool:
        return self.has_few_gaps(distance(self.points[0], self.points[-1]))


def bodies(strokes: Sequence[np.ndarray], shape: tuple[int, int]) -> np.ndarray:
    """What outlines surround of which at most a fifth is missing, bool (h, w).

    strokes: the points of each, (n, 2) in pixels. An outline is a stroke, or several with their nearest ends put
    together, the smallest gap first.
    """
    chains = sorted((Chain(points) for points in strokes), key=lambda chain: -chain.length)[:MOST]
    chains = [chain for chain in chains if chain.length >= LEAST]
    outlines = []
    while chains:
        outlines += [chain.points for chain in chains if chain.is_outline]
        chains = [chain for chain in chains if not chain.is_outline]
        pairs = [joined(a, b) for i, a in enumerate(chains) for b in chains[:i]]
        best = min(pairs, key=lambda pair: pair[0], default=None)
        if best is None or not best[1].has_few_gaps():
            break
        chains = [chain for chain in chains if chain is not best[2] and chain is not best[3]] + [best[1]]
    cover = np.zeros(shape, np.uint8)
    for points in outlines:
        cv2.fillPoly(cover, [sixteenths(points)], 1, shift=4)
    return cover.astype(bool)


def joined(a: Chain, b: Chain) -> tuple[float, Chain, Chain, Chain]:
    """The gap between the nearest ends of two chains, both as one, and the two."""
    ways = [(one, other) for one in (a.points, a.points[::-1]) for other in (b.points, b.points[::-1])]
    one, other = min(ways, key=lambda way: distance(way[0][-1], way[1][0]))
    gap = distance(one[-1], other[0])
    return gap, Chain(np.concatenate([one, other]), a.missing + b.missing + gap), a, b


def distance(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.hypot(*(a - b)))
