"""What an importer is made of: containers, which are kinds of files, and systems, which are kinds of generators.

A container opens files and gives arrays by name, whoever wrote them. A system knows its generators by those names and
shapes, in whatever container they come. A new one is one module, and one line in registry.py; the table in
docs/importing.md is made from what they say of themselves.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nurie.importers.builder import Imported


@dataclass(frozen=True)
class Contents:
    """What a checkpoint holds: `arrays` by name, as it has them, and `attributes`, whatever else it says, by name.

    `files`: all that were read. An array may be read when it is asked for, and raise NurieError where it is damaged:
    tell by names first, and leave its type out of annotations, as the tests would read it to check it.
    """

    files: tuple[Path, ...]
    arrays: Mapping  # of str to np.ndarray
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Container:
    """A kind of file, such as "a safetensors file".

    sniff: whether this is such a file, by its first bytes, with False for all that is not, and no error. open: what it
    holds, with what lies in files beside it and belongs to it; raises NurieError for a damaged or hostile one. Nothing
    that a file holds is run, and no more is allocated than what lies in it.
    """

    name: str
    sniff: Callable[[Path], bool]
    open: Callable[[Path], Contents]


@dataclass(frozen=True)
class System:
    """A program that trained generators, such as "pytorch-CycleGAN-and-pix2pix".

    recognise: what says that the contents are its generator's, as words for the user ("a U-Net of 8 levels with batch
    norm"); empty where they are not; no error for whatever contents. build: the generator; raises NurieError. files,
    reads, checked: for the docs' table, in words: what its files are called, which of its generators are read, and what
    they were compared with.
    """

    name: str
    files: str
    reads: str
    checked: str
    recognise: Callable[[Contents], str]
    build: Callable[[Contents], Imported]
