"""What an importer is made of: containers, which are kinds of files, and systems, which are kinds of generators.

A container opens files and gives arrays by name, whoever wrote them. A system knows its generators by the names and
shapes, in whatever container they come. A new one is one module here, and one line in registry.py. docs/importing.md
has its table from them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from nurie.importers.builder import Imported

MOST_FILE = 8 << 30  # bytes


@dataclass(frozen=True)
class Contents:
    """What a file holds: `arrays` by name, as it has them, and `attributes`, whatever else it says (JSON, text), by
    name."""

    container: str  # its name
    arrays: Mapping[str, np.ndarray]
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Container:
    """sniff: whether this is such a file, from its first bytes, cheaply, without an error for whatever file. open: its
    contents, of several files together where they belong together; raises NurieError for a damaged one, and neither
    runs anything that the file holds nor allocates more than what lies in it."""

    name: str  # "PyTorch's zip"
    sniff: Callable[[Path], bool]
    open: Callable[[Path], Contents]


@dataclass(frozen=True)
class System:
    """recognise: what in the contents says that this is the system's generator, as words for the user ("a U-Net of 8
    levels with batch norm"), or nothing. build: the generator; raises NurieError. `files`, `read`, `checked`: for the
    docs' table, in words."""

    name: str  # "pytorch-CycleGAN-and-pix2pix"
    files: str
    read: str
    checked: str
    recognise: Callable[[Contents], str]
    build: Callable[[Contents], Imported]
