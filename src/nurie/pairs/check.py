"""Every A|B picture is opened once before it is used: what is no pair is named and left out.

What was whole is remembered by size and time, so that the next call opens only what is new.
"""

import hashlib
import json
import os
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nurie.errors import NurieError
from nurie.files.hashed import sha256_of
from nurie.files.ours import read_object
from nurie.files.write import write_file
from nurie.pairs.folder import PairFolder
from nurie.resources import cores
from nurie.size import Size

DIGITS = 16  # of a digest, in hex: enough to tell a folder's files apart

Tracked = Callable[[Iterable[None], int], Iterable[None]]
Seen = dict[str, list[Any]]  # path below the pairs -> size, time of change, digest


def leave_out_damaged(folder: PairFolder) -> PairFolder:
    """The folder, without the pairs that can not be used, which standard error names."""
    for problem in check_pairs([folder], None, lambda results, _: results).problems.values():
        print(f"left out: {problem}", file=sys.stderr)
    return folder


@dataclass(frozen=True)
class Checked:
    """What was found when pairs were opened."""

    digests: list[dict[str, str]]  # for each folder picture -> digest of its files
    problems: dict[Path, NurieError]  # pair that was left out -> why, by path
    contents: dict[Path, tuple[str, ...]]  # pair -> digest of each of its files, without their names

    def copies(self, folder: PairFolder, other: PairFolder) -> list[str]:
        """The pictures of `other` of which a pair is in `folder`, too, byte for byte."""
        known = {self.contents[path] for group in folder.groups for path in group}
        groups = zip(other.names, other.groups, strict=True)
        return [name for name, group in groups if any(self.contents[path] in known for path in group)]


def check_pairs(
    folders: list[PairFolder],
    memory: Path | None,
    tracked: Tracked,
    read: Callable[[PairFolder, Path], object] = lambda folder, path: folder.read(path),
) -> Checked:
    """Open the files of these folders, in parallel, but for those that `memory` knows as they are; leave out of the
    folders what can not be used.

    tracked: passes through what it is given, so many, to show how far it is. read: opens a pair, and raises OSError or
    NurieError where that can not be used; it is called by several threads.
    """
    size = folders[0].size
    seen = {} if memory is None else known(memory, size)
    pairs = [(folder, path) for folder in folders for group in folder.groups for path in group]
    now: Seen = {}
    problems: dict[Path, NurieError] = {}
    contents: dict[Path, tuple[str, ...]] = {}

    def look(pair: tuple[PairFolder, Path]) -> None:
        folder, path = pair
        try:
            entries = {key_of(folder, file): entry_of(file) for file in folder.files(path)}
            if any(seen.get(key, [])[:2] != entry for key, entry in entries.items()):
                read(folder, path)
                digests = {key_of(folder, file): sha256_of(file)[:DIGITS] for file in folder.files(path)}
            else:
                digests = {key: seen[key][2] for key in entries}
            now.update({key: [*entry, digests[key]] for key, entry in entries.items()})
            contents[path] = tuple(digests.values())
        except OSError as error:
            problems[path] = NurieError(f"{path}: {error.strerror}")
        except NurieError as error:
            problems[path] = error

    pool = ThreadPoolExecutor(cores())
    try:
        for _ in tracked(pool.map(look, pairs), len(pairs)):
            pass
    finally:
        pool.shutdown(cancel_futures=True)
    for folder in folders:
        folder.leave_out(problems)
    if memory is not None and now != seen:
        memory.parent.mkdir(parents=True, exist_ok=True)
        write_file(
            memory, json.dumps({"format": "nurie-pairs", "version": 1, "size": size.saved, "files": now}).encode()
        )
    return Checked([digests_of(folder, now) for folder in folders], dict(sorted(problems.items())), contents)


def key_of(folder: PairFolder, file: Path) -> str:
    return Path(os.path.relpath(file, folder.folder.parent)).as_posix()


def entry_of(file: Path) -> list[int]:
    """Size, and time of the last change in ns."""
    about = file.stat()
    return [about.st_size, about.st_mtime_ns]


def known(memory: Path, size: Size) -> Seen:
    """What an earlier call remembered; nothing where that is damaged, or of pairs in another proportion."""
    found = read_object(memory)
    files = found.get("files")
    try:
        if not Size.parse(found.get("size", 1)).fits(size):  # an older Nurie knew squares only
            return {}
    except NurieError:
        return {}
    return files if isinstance(files, dict) and all(is_entry(value) for value in files.values()) else {}


def is_entry(value: object) -> bool:
    return isinstance(value, list) and [type(part) for part in value] == [int, int, str]


def digests_of(folder: PairFolder, seen: Seen) -> dict[str, str]:
    """For each picture a digest of its files, names and contents."""
    digests: dict[str, str] = {}
    for name, group in zip(folder.names, folder.groups, strict=True):
        files = (file for path in group for file in folder.files(path))
        parts = [f"{file.name} {seen[key_of(folder, file)][2]}" for file in files]
        digests[name] = hashlib.sha256("\n".join(parts).encode("utf-8", "surrogateescape")).hexdigest()[:8]
    return digests
