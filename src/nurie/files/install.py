"""Folders that a command writes into: what it wrote before is replaced, and what is the maker's stays.

A folder has a list of what is in it (a site's site.json, a model's manifest.json). At every moment the one that stands
names files that are there and whole: new files are added first, under names of their own, then the list is replaced,
then what only the old one named is removed. A file of its own keeps what was begun, so that the next call can end it.
"""

import os
import sys
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from pathlib import Path, PurePosixPath

from msgspec import Struct

from nurie.errors import NurieError
from nurie.files.lock import LOCK
from nurie.files.ours import BEGUN
from nurie.files.schema import Files, read_json, to_json
from nurie.files.write import TEMPORARY, sync_folder, tidy, write_file

FORMAT, VERSION = "nurie-files", 1
TOLD = 5  # names of kept files


class FileList(Struct, frozen=True, kw_only=True):
    """Files that Nurie wrote to a folder, by their paths below it."""

    format: str = FORMAT
    version: int = VERSION
    files: Files


def install(files: Mapping[str, bytes], folder: Path, standing: Collection[str], kept: Collection[str] = ()) -> None:
    """Replace the `standing` files of a folder by these; both are named by their paths below it, the list comes last.

    Files that the others refer to have names that change with their content. Standing files that are `kept` stay beside
    the new ones. What else the folder holds stays, too, and is named on standard error. Raises NurieError, before
    anything is written, where such a file has the name of a new one; OSError, and then the old files stand, or the new
    ones, which the next call tidies up.
    """
    folder = folder.resolve()
    new_folder = not folder.is_dir()
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(exist_ok=True)
    earlier = begun(folder)
    ours = {*standing, *earlier}
    refuse_in_the_way(files, folder, ours)
    for place in {folder, *(folder / name for name in parents([*files, *ours]))}:
        tidy(place)
    old = ours - files.keys() - {*kept}
    try:
        write_file(folder / BEGUN, to_json(FileList(files=sorted(ours | files.keys()))))
        put(files, folder, [] if earlier else [BEGUN])
    finally:
        with suppress(OSError):
            if new_folder:
                folder.rmdir()
    remove(old, folder)
    (folder / BEGUN).unlink()
    tell_kept(foreign(folder, [*files, *kept]))


def put(files: Mapping[str, bytes], folder: Path, more: Collection[str]) -> None:
    """Write the files that are not there as they should be: those that replace others, and may name new ones, last.

    Where that fails before anything was replaced, all that was added is removed again, and `more`.
    """
    wrong = [name for name, data in files.items() if not holds(folder / name, data)]
    replaced = [name for name in wrong if os.path.lexists(folder / name)]
    added = [name for name in wrong if name not in replaced]
    tried, written = [], []
    try:
        for name in [*added, *replaced]:
            if replaced and name == replaced[0]:
                sync_folders(added, folder)
            tried.append(name)
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            write_file(folder / name, files[name])
            written.append(name)
    except BaseException as error:
        # An error of the system is none of a rename that took place; Ctrl-C may have come just after it.
        if not set(replaced) & set(written if isinstance(error, OSError) else tried):
            with suppress(OSError):
                remove([*added, *more], folder)
        raise
    sync_folders(wrong, folder)


def remove(names: Iterable[str], folder: Path) -> None:
    """Remove files, and the folders that held nothing else."""
    names = list(names)
    for name in names:
        if not (folder / name).is_dir():
            (folder / name).unlink(missing_ok=True)
    for name in sorted(parents(names), key=len, reverse=True):
        with suppress(OSError):  # it holds more, or is a link
            (folder / name).rmdir()


def begun(folder: Path) -> list[str]:
    """What is ours in a folder where an earlier call was killed. Raises NurieError."""
    if not (folder / BEGUN).is_file():
        return []
    verdict, mend = "is no list of files that Nurie wrote", "Choose another folder, or remove this file."
    return read_json(folder / BEGUN, FileList, verdict, mend, known=(FORMAT, VERSION)).files


def refuse_in_the_way(files: Mapping[str, bytes], folder: Path, ours: Collection[str]) -> None:
    """Raises NurieError where something that is not ours has the name of a file or folder to be."""
    wrong = [name for name in parents(files) if os.path.lexists(folder / name) and not (folder / name).is_dir()]
    for name, data in files.items():
        path = folder / name
        if os.path.lexists(path) and (path.is_dir() or (name not in ours and not holds(path, data))):
            wrong.append(name)
    if wrong:
        raise NurieError(
            f"{folder / wrong[0]} is in the way, and was not made by this command. Nothing was written: "
            "move it, or choose another folder."
        )


def refuse_foreign(folder: Path, marker: str, fault: str) -> None:
    """Only folders with the list that a command writes are taken for its own. Raises NurieError for others."""
    if folder.exists() and not folder.is_dir():
        raise NurieError(f"{folder} is a file. Expected the name of a folder to write to.")
    if not folder.is_dir() or (folder / marker).is_file() or (folder / BEGUN).is_file():
        return
    if any(name != LOCK and not TEMPORARY.fullmatch(name) for name in os.listdir(folder)):
        raise NurieError(
            f"{folder} is not empty and {fault} (it has no {marker}). Choose another folder, or empty this one."
        )


def foreign(folder: Path, ours: Iterable[str]) -> list[str]:
    """What a folder holds that is not ours: the outermost paths below it."""
    ours = {*ours, LOCK}
    around = parents(ours)
    paths = [f"{place}/{name}".removeprefix("./") for place in (".", *around) for name in os.listdir(folder / place)]
    return sorted(path for path in paths if path not in ours | around and not TEMPORARY.search(path))


def tell_kept(names: list[str]) -> None:
    more = f" and {len(names) - TOLD} more" if len(names) > TOLD else ""
    if names:
        print(f"kept: {', '.join(names[:TOLD])}{more} (not made by this command)", file=sys.stderr)


def parents(names: Iterable[str]) -> set[str]:
    """The folders that paths lie in, but for the outermost."""
    return {str(place) for name in names for place in PurePosixPath(name).parents} - {"."}


def sync_folders(names: Iterable[str], folder: Path) -> None:
    for place in {(folder / name).parent for name in names}:
        sync_folder(place)


def holds(path: Path, data: bytes) -> bool:
    return path.is_file() and path.stat().st_size == len(data) and path.read_bytes() == data
