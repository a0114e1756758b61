"""What a generator of another system takes as its drawing, by its channels."""

from itertools import product
from typing import Any

from nurie.errors import NurieError

MOST = 64  # colours


def drawing(channels: int) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Fields of Architecture for so many channels of input, and notes for the user. Raises NurieError for too many."""
    if channels > MOST:
        raise NurieError(f"It takes {channels} channels, but drawings have at most {MOST} colours.")
    if channels in (1, 3):
        return {"reads": {1: "grey", 3: "rgb"}[channels], "takes": (-1, 1)}, ()
    note = (
        f"It takes {channels} channels: they are read as labels, one channel for each colour of a palette that Nurie "
        "chose, as the file names none."
    )
    return {"reads": "labels", "palette": distinct(channels)}, (note,)


def distinct(count: int) -> tuple[str, ...]:
    """So many colours, up to MOST, white first; each is as far as can be from those before, and 85 or more."""
    left = list(product((255, 170, 85, 0), repeat=3))
    chosen = [left.pop(0)]
    while len(chosen) < count:
        far = max(left, key=lambda colour: min(distance(colour, other) for other in chosen))
        chosen.append(far)
        left.remove(far)
    return tuple(f"#{bytes(colour).hex()}" for colour in chosen)


def distance(a: tuple[int, ...], b: tuple[int, ...]) -> int:
    return sum((x - y) ** 2 for x, y in zip(a, b, strict=True))
