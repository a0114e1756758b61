"""What a command finds in a folder that it was given: never what Nurie wrote itself, nor what is hidden."""

import json
import os
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nurie.files.schema import MOST_BYTES

LIST = ".nurie.json"  # of the files that a command wrote into a folder that holds others too
BEGUN = ".nurie-new.json"  # while a model or a site is written: all that is ours in it, of the old and the new
# The files by which folders that commands wrote are known; docs/formats.md has all of them.
CHECKPOINT, BEST, LOSSES = "checkpoint.safetensors", "best.safetensors", "losses.jsonl"
REPORT = "report.html"
PREPARED, MANIFEST, SITE = "prepare.json", "manifest.json", "site.json"
PAIRS_KEYS = {"photos", "pairs", "mode", "size"}  # some of those of prepare.json

# kinds of what is ignored, beside the endings of files
OURS, NOWHERE, SPECIAL, CLOSED = (
    "of Nurie's folders",
    "linked to nothing",
    "that is a pipe or device",
    "unreadable folder",
)


@dataclass
class Found:
    """Files of a folder, sorted, and how many were ignored: by ending, such as ".mov", or by one of the kinds above."""

    files: list[Path] = field(default_factory=list)
    ignored: Counter[str] = field(default_factory=Counter)


def is_ours(folder: Path) -> bool:
    """Whether a command wrote this folder: pairs, a run, a model or a site."""
    if any(os.path.isfile(folder / name) for name in (CHECKPOINT, BEST, LOSSES, BEGUN)):
        return True
    if read_object(folder / PREPARED).keys() >= PAIRS_KEYS:
        return True
    formats = (read_object(folder / name).get("format") for name in (SITE, MANIFEST))
    return any(str(name).startswith("nurie-") for name in formats)


def walk(folder: Path, suffixes: Collection[str], without: Collection[Path | None] = ()) -> Found:
    """The files below a folder that have one of these endings, ".png" or ".PNG" alike.

    Left out are hidden files and folders, folders that Nurie wrote below this one, files that a folder's own list says
    it wrote, and the folders `without`. A folder is read once, however many links lead to it.
    """
    found = Found()
    seen = {real(path) for path in without if path is not None}
    if real(folder) in seen:
        return found
    folders, links = [folder], []
    while folders or links:
        # links last: what lies in the folder itself keeps its own path
        here = folders.pop() if folders else links.pop(0)
        if real(here) in seen:
            continue
        seen.add(real(here))
        if here != folder and is_ours(here):
            found.ignored[OURS] += 1
            continue
        for path in listed(here, found.ignored):
            if not os.path.isdir(path):
                take(path, suffixes, found)
            elif not path.is_symlink():
                folders.append(path)
            elif not folder.resolve().is_relative_to(path.resolve()):  # the folder again, and all that is around it
                links.append(path)
    found.files.sort()
    return found


def listed(folder: Path, ignored: Counter[str]) -> list[Path]:
    """What lies in a folder and is neither hidden nor on its list of what Nurie wrote, by name."""
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        ignored[CLOSED] += 1
        return []
    written = read_object(folder / LIST).get("files")
    written = written if isinstance(written, list) else []
    return [folder / name for name in names if not name.startswith(".") and name not in written]


def take(path: Path, suffixes: Collection[str], found: Found) -> None:
    ending = path.suffix.lower()
    if os.path.isfile(path):
        if ending in suffixes:
            found.files.append(path)
        else:
            found.ignored[ending or "without an ending"] += 1
    else:
        found.ignored[SPECIAL if os.path.exists(path) else NOWHERE] += 1


def real(path: Path) -> str:
    return os.path.realpath(path)


def read_object(path: Path) -> dict[str, Any]:
    """A small JSON file's object; empty when there is none, or it is anything else."""
    try:
        if not os.path.isfile(path) or path.stat().st_size > MOST_BYTES:
            return {}
        value = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
