"""What a pair was made of, in the pair itself: so that mended photos and masks have an effect."""

import dataclasses
import hashlib
import json
import os
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from PIL import Image

from nurie.files.hashed import sha256_of

KEY = "nurie"  # of the text chunk in the PNG
VERSION = 1  # of how pairs are drawn; with another one all are made anew


@dataclasses.dataclass(frozen=True)
class Record:
    """Where a pair comes from."""

    photo: str  # its path below the folder of photos, with /
    folder: str  # a short hash of that folder's place
    made_of: str  # digest of the files, the options that matter, and VERSION

    def text(self) -> dict[str, str]:
        """The text chunks of a PNG."""
        return {KEY: json.dumps(dataclasses.asdict(self))}


def read_record(path: Path) -> Record | None:
    """The record of a pair; None when it has none: an older Nurie made it, somebody else did, or changed it."""
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(path, formats=["PNG"]) as file:
            record = Record(**json.loads(file.info[KEY]))
    except Exception:  # no PNG, no chunk, another one
        return None
    return record if all(isinstance(value, str) for value in dataclasses.astuple(record)) else None


def place_hash(folder: Path) -> str:
    """A short hash of where a folder is: pairs tell folders of photos apart, and nobody where they are."""
    return hashlib.sha256(os.fsencode(os.path.realpath(folder))).hexdigest()[:8]


def digest_of(files: Iterable[Path | None], options: dict[str, Any]) -> str:
    """A digest of these files' bytes and of options. Raises OSError where a file can not be read."""
    parts = [json.dumps({"version": VERSION, **options}, sort_keys=True)]
    parts += ["" if path is None else sha256_of(path) for path in files]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]
