"""HDF5 files of others: only numbers that lie in the file itself, and no more of them than it has bytes.

Links to other files, virtual and external data are refused, not followed; so are filters, which can blow up a file and
may be code that the library loads. h5py, which not everybody has, is imported when a file is opened.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nurie.errors import NurieError

if TYPE_CHECKING:
    import h5py

SIGNATURE = b"\x89HDF\r\n\x1a\n"
MOST_OBJECTS = 20_000
DEEPEST = 20  # groups in groups
MOST_TEXT = 16 << 20  # bytes of an attribute


def is_hdf5(path: Path) -> bool:
    """Whether a file is HDF5, by its first bytes; False where it can not be read."""
    try:
        with path.open("rb") as file:
            return file.read(len(SIGNATURE)) == SIGNATURE
    except OSError:
        return False


@contextmanager
def opened(path: Path) -> Iterator["Hdf5"]:
    """An HDF5 file, while it is open. Raises NurieError for one that is damaged or hostile, also while it is used."""
    import h5py

    try:
        with h5py.File(path, "r", locking=False) as file:
            yield Hdf5(path, file)
    except (OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError, MemoryError) as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise NurieError(f"{path} is damaged or not an HDF5 file ({reason}). Copy or download it again.") from error


@dataclass
class Hdf5:
    """`datasets`: all of numbers by their path without the first slash, `groups` likewise, both in the order of their
    names, in which numbers count as such: "conv_10" comes after "conv_2"."""

    path: Path
    file: "h5py.File"
    datasets: dict[str, "h5py.Dataset"] = field(default_factory=dict)
    groups: dict[str, "h5py.Group"] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._left = self.path.stat().st_size  # bytes that can still be data
        self._seen: set[int] = set()
        self._find(self.file, "", 0)

    def text(self, group: str, name: str) -> str:
        """A text of a group's attributes; empty where it has none. Raises NurieError for one that is too long."""
        value = self._attribute(group, name)
        return value if isinstance(value, str) else value.decode("utf-8", "replace") if value else ""

    def names(self, group: str, name: str) -> list[str]:
        """A list of texts; a long one may be cut into NAME0, NAME1 and so on, as Keras does."""
        found = self._attribute(group, name)
        parts = [found] if found is not None else []
        while found is None and (part := self._attribute(group, f"{name}{len(parts)}")) is not None:
            parts.append(part)
        items = [item for part in parts for item in np.atleast_1d(part).reshape(-1).tolist()]
        return [item if isinstance(item, str) else bytes(item).decode("utf-8", "replace") for item in items]

    def _attribute(self, group: str, name: str) -> Any:
        import h5py

        owner = self.groups[group]
        if name not in owner.attrs:
            return None
        attribute = h5py.h5a.open(owner.id, name.encode())
        kind = attribute.dtype
        if not (kind.kind == "S" or h5py.check_string_dtype(kind)):
            return None
        if attribute.get_storage_size() > MOST_TEXT or np.prod(attribute.shape, dtype=float) > MOST_TEXT / 16:
            raise NurieError(f"{self.path} is damaged: the attribute {name} is too long.")
        return owner.attrs[name]

    def _find(self, group: "h5py.Group", path: str, depth: int) -> None:
        import h5py

        address = address_of(group)
        if address in self._seen:
            return
        self._seen.add(address)
        self.groups[path] = group
        if depth > DEEPEST or len(group) + len(self._seen) > MOST_OBJECTS:
            raise NurieError(f"{self.path} holds more groups than Nurie reads ({MOST_OBJECTS}, {DEEPEST} deep).")
        for name in sorted(group, key=by_numbers):
            inner = f"{path}/{name}" if path else name
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise NurieError(
                    f"{self.path} holds a link ({inner}), and links are not followed. Copy the data there."
                )
            found = group[name]
            if isinstance(found, h5py.Group):
                self._find(found, inner, depth + 1)
            elif isinstance(found, h5py.Dataset):
                self._keep(found, inner)

    def _keep(self, dataset: "h5py.Dataset", path: str) -> None:
        import h5py

        address = address_of(dataset)
        if address in self._seen or dataset.shape is None or dataset.dtype.kind not in "fiu":
            return
        self._seen.add(address)
        if len(self._seen) > MOST_OBJECTS:
            raise NurieError(f"{self.path} holds more than {MOST_OBJECTS} objects, which is more than Nurie reads.")
        properties = dataset.id.get_create_plist()
        if properties.get_nfilters():
            raise NurieError(
                f"{self.path} is compressed ({path}), which Nurie does not read: "
                f"`h5repack -f NONE {self.path.name} NEW.h5` writes it without compression."
            )
        if properties.get_layout() == h5py.h5d.VIRTUAL or properties.get_external_count():
            raise NurieError(f"{self.path} keeps {path} in another file, and no others are read.")
        self._left -= bytes_of(dataset.shape, dataset.dtype)
        chunk = bytes_of(dataset.chunks or (), dataset.dtype)
        if self._left < 0 or chunk > self.path.stat().st_size:
            raise NurieError(
                f"{self.path} is damaged: {path} is said to be {dataset.shape}, for which the file is too small."
            )
        self.datasets[path] = dataset


def address_of(found: "h5py.Group | h5py.Dataset") -> int:
    """Where it lies in the file: two names may be of one object."""
    from h5py import h5o  # pyright: ignore[reportAttributeAccessIssue]

    return h5o.get_info(found.id).addr


def bytes_of(shape: tuple[int, ...], kind: np.dtype) -> int:
    count = kind.itemsize
    for side in shape:
        count *= int(side)
    return count


def by_numbers(name: str) -> list[tuple[int, str]]:
    """A key for sorting: runs of digits by their value."""
    parts = re.split(r"(\d+)", name)
    return [(int(part) if part.isascii() and part.isdigit() else -1, part) for part in parts]
