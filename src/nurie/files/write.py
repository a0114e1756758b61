"""Files that appear whole: a reader, or a crash, sees the old one or the new one, never a part."""

import functools
import itertools
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

# Of a file that is being written: its process, what tells that from an earlier one of the same number, and a count.
TEMPORARY = re.compile(r"\.nurie-(\d+)-([0-9a-f]{8})-\d+\.tmp")
OURS = secrets.token_hex(4)
numbers = itertools.count()


def write_file(path: Path, data: bytes) -> None:
    """Put a file in its place at once. Raises OSError, which names the path; an older file then stays."""
    with in_place_of(path) as temporary:
        temporary.write_bytes(data)


def append(path: Path, text: str) -> None:
    """Add to a file. Raises OSError, which names the path."""
    try:
        with path.open("a") as file:
            file.write(text)
    except OSError as error:
        error.filename = os.fspath(path)
        raise


@contextmanager
def in_place_of(path: Path) -> Iterator[Path]:
    """A hidden file beside `path` to write to, which takes its place in the end. Where anything fails it goes away.

    The disk has it all before the rename, and its mode follows the umask. Raises OSError, which names the path.
    """
    tidy_once(path.parent)
    temporary = path.with_name(f".nurie-{os.getpid()}-{OURS}-{next(numbers)}.tmp")
    try:
        yield temporary
        sync(temporary)
        os.replace(temporary, path)
    except OSError as error:
        error.filename, error.filename2 = os.fspath(path), None
        raise
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def sync(file: Path) -> None:
    with open(file, "rb+") as opened:
        os.fsync(opened.fileno())


def sync_folder(folder: Path) -> None:
    """What was renamed in a folder is on the disk before what comes next. Some file systems have no such thing."""
    if os.name != "nt":
        with suppress(OSError):
            handle = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)


def tidy(folder: Path) -> None:
    """Remove what calls that were killed left half-written in a folder."""
    with suppress(OSError):
        for name in os.listdir(folder):
            if (found := TEMPORARY.fullmatch(name)) and found[2] != OURS and not runs(int(found[1])):
                with suppress(OSError):
                    (folder / name).unlink()


@functools.cache
def tidy_once(folder: Path) -> None:
    tidy(folder)


def runs(process: int) -> bool:
    """Whether a process other than this one has this number. Windows is not asked: it removes no file that is open."""
    if process == os.getpid() or os.name == "nt":
        return False
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass  # somebody else's
    return True
