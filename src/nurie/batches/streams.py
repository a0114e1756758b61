"""The random streams that pairs are varied by, one for each choice.

A stream follows from the run's seed, from the pair's position in the run and from the choice, and from nothing else. So
an option that is turned on or off, or is new, leaves what other choices draw as it was; a run can resume anywhere; and
processes, which share a run's positions, see the same pairs however many they are.
"""

from enum import IntEnum

import numpy as np
from numpy.random import Generator, Philox
from numpy.random.bit_generator import ISeedSequence
from numpy.typing import DTypeLike

# Version of what is drawn and how, which a checkpoint names: 1 drew all of a batch from one stream, 2 no wide gaps.
DRAWS = 3


class Choice(IntEnum):
    """What is drawn for a pair. A new choice gets the next number, and no number is used for another choice again."""

    DETAIL = 0
    JITTER = 1
    DROP = 2
    STROKES = 3
    TAIL = 4
    WOBBLE = 5
    LEGS = 6
    PAWS = 7
    FACE = 8
    PEN = 9
    OTHER_PEN = 10
    HINTS = 11
    RECOLOUR = 12
    FLIP = 13
    SHIFT = 14  # of all pairs of a step, by the position of the first
    PLACE = 15  # of a drawing without a picture, at its own position
    UNPAIRED_PEN = 16
    PLAIN = 17


class Streams(ISeedSequence):
    """The streams of the pair at a position in a run, counted over all processes.

    Each is a part of its own of what Philox, a generator that counts (Salmon et al. 2011, "Parallel random numbers: as
    easy as 1, 2, 3"), makes of the key (seed, position): the choice is the highest word of the counter.
    """

    def __init__(self, seed: int, position: int) -> None:
        self.key = np.array([seed, position], np.uint64)

    def __call__(self, choice: Choice) -> Generator:
        """A choice's stream from its beginning."""
        return Generator(Philox(self, counter=[0, 0, 0, choice]))  # pyright: ignore[reportArgumentType] (a stub's gap)

    def when(self, choice: Choice, chance: float) -> Generator | None:
        """A choice's stream after its first draw, with this chance; else None."""
        rng = self(choice)
        return rng if rng.random() < chance else None

    def generate_state(self, n_words: int, dtype: DTypeLike = np.uint64) -> np.ndarray:
        """The key, for which Philox asks. To hand it over takes five times as long: then it asks the system, too."""
        return self.key
