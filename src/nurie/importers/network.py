"""The arrays of one network of a checkpoint, without what a program puts before all its names: `module.`,
`_orig_mod.`, `state_dict/generator.`, ..."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count, takewhile

import numpy as np

from nurie.errors import NurieError
from nurie.importers.frame import Contents

Array = np.ndarray


@dataclass(frozen=True)
class Network:
    """prefix: what stood before its names."""

    prefix: str
    arrays: Mapping[str, Array]

    def has(self, *names: str) -> bool:
        return all(name in self.arrays for name in names)

    def find(self, name: str) -> Array | None:
        """Floating-point numbers, or None where there is no array of that name. Raises NurieError for other numbers."""
        array = self.arrays.get(name)
        if array is not None and array.dtype.kind != "f":
            raise NurieError(f"Expected floating-point numbers in {name[:100]}, but they are of type {array.dtype}.")
        return array

    def array(self, name: str) -> Array:
        """As find. Raises NurieError where there is none."""
        found = self.find(name)
        if found is None:
            raise NurieError(f"Expected an array {name}, but there is none.")
        return found

    def is_conv(self, name: str) -> bool:
        """Whether there are weights of a convolution by that name."""
        return name in self.arrays and self.arrays[name].ndim == 4

    def convs(self, names: str, first: int = 1) -> int:
        """How many there are by names such as "down{}.weight", from a number on without a gap."""
        return len(list(takewhile(lambda i: self.is_conv(names.format(i)), count(first))))

    def width(self, name: str, side: int) -> int:
        """Of a convolution's weights: `side` 0 or 1 of their shape. Raises NurieError where they are none."""
        array = self.array(name)
        if array.ndim != 4:
            raise NurieError(f"Expected {name} to be the weights of a convolution, but the shape is {array.shape}.")
        return array.shape[side]


def networks(contents: Contents, anchor: str, fits: Callable[[Network], bool]) -> list[Network]:
    """All that have an array of the name `anchor`, whatever stands before it, and fit."""
    prefixes = {
        name[: -len(anchor)]: None
        for name in contents.arrays
        if name == anchor or name.endswith((f".{anchor}", f"/{anchor}"))
    }
    found = [Network(prefix, below(contents, prefix)) for prefix in list(prefixes)[:100]]
    return [network for network in found if fits(network)]


def below(contents: Contents, prefix: str) -> dict[str, Array]:
    return {name[len(prefix) :]: array for name, array in contents.arrays.items() if name.startswith(prefix)}


def of_several(found: list[Network]) -> tuple[str, ...]:
    """A note for the user where there were more generators than the first, which is taken."""
    if len(found) < 2:
        return ()
    names = ", ".join(network.prefix.strip("./")[:60] or "(no name)" for network in found[:8])
    return (f"The file has {len(found)} such generators ({names}), and the first was taken.",)
