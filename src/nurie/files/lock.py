"""One command at a time in a folder.

A hidden file in it is locked by the operating system, which frees it when the process ends, however it ends: a process
that has a dead one's number keeps nobody out, and of two that begin together exactly one gets it. The file says who
holds it. One that another computer left counts as held, since not every file system shares locks between computers.
"""

import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from nurie.errors import NurieError
from nurie.files.schema import Count, to_json
from nurie.files.write import runs

LOCK = ".nurie.lock"
OPEN = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
ATTEMPTS, PAUSE = 100, 0.01  # seconds between two: in which one that has just locked the file says who it is
held: set[str] = set()  # folders that this process has locked: a command that calls others locks them once


class Owner(Struct, frozen=True, kw_only=True):
    """What a lock file says."""

    format: Literal["nurie-lock"] = "nurie-lock"
    version: Literal[1] = 1
    process: Count
    host: str


@contextmanager
def locked(*folders: Path) -> Iterator[None]:
    """Inside, no other command writes to these folders. Missing ones are made, and go again where nothing came in.

    Raises NurieError, which names the process that a folder is locked by; OSError.
    """
    with ExitStack() as stack:
        for folder in folders:
            stack.enter_context(one_locked(folder))
        yield


@contextmanager
def one_locked(folder: Path) -> Iterator[None]:
    place = os.path.realpath(folder)
    if place in held:
        yield
        return
    path = Path(place, LOCK)
    made = [parent for parent in path.parents if not os.path.lexists(parent)]
    try:
        handle = take(path, folder)
        held.add(place)
        try:
            yield
        finally:
            held.remove(place)
            release(path, handle)
    finally:
        with suppress(OSError):
            for parent in made:
                parent.rmdir()


def take(path: Path, folder: Path) -> int:
    """Lock a file, which is made where there is none. Returns its handle. Raises NurieError, OSError."""
    owner = error = None
    for _ in range(ATTEMPTS):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(path, OPEN, 0o666)
        except (FileExistsError, FileNotFoundError) as failure:
            if os.path.lexists(path.parent) and not path.parent.is_dir():
                raise
            error = failure  # its owner, who had made the folder, removes it just now
            continue
        error = None
        with ExitStack() as stack:
            stack.callback(os.close, handle)
            free = try_lock(handle)
            if is_at(path, handle):  # else its owner removes it just now
                owner = read_owner(handle)
                if owner and (elsewhere(owner) or (not free and (os.name == "nt" or runs(owner.process)))):
                    break
                if free is not False:
                    write_owner(path, handle)
                    stack.pop_all()
                    return handle
        time.sleep(PAUSE)
    raise error or refusal(path, folder, owner)


def release(path: Path, handle: int) -> None:
    with suppress(OSError):
        if os.name == "nt":  # where no open file can be removed
            os.close(handle)
            path.unlink()
        else:
            if is_at(path, handle):
                path.unlink()
            os.close(handle)


if sys.platform == "win32":
    import msvcrt

    def try_lock(handle: int) -> bool | None:
        """Whether the file is locked by us now; None where the file system has no locks."""
        try:
            os.lseek(handle, 1 << 30, os.SEEK_SET)  # nobody can read what is locked
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def try_lock(handle: int) -> bool | None:
        """Whether the file is locked by us now; None where the file system has no locks."""
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            return None
        return True


def is_at(path: Path, handle: int) -> bool:
    """Whether an open file is the one that has this name now."""
    try:
        return os.path.samestat(os.fstat(handle), path.lstat())
    except FileNotFoundError:
        return False


def read_owner(handle: int) -> Owner | None:
    """None where the file does not say it: it is new, or was written while the computer went down."""
    os.lseek(handle, 0, os.SEEK_SET)
    try:
        return msgspec.json.decode(os.read(handle, 4096), type=Owner)
    except msgspec.DecodeError:
        return None


def write_owner(path: Path, handle: int) -> None:
    """Where that fails, the file goes. Raises OSError."""
    try:
        os.lseek(handle, 0, os.SEEK_SET)
        os.ftruncate(handle, 0)
        os.write(handle, to_json(Owner(process=os.getpid(), host=socket.gethostname())))
    except OSError as error:
        with suppress(OSError):
            path.unlink()
        error.filename = os.fspath(path)
        raise


def elsewhere(owner: Owner) -> bool:
    return owner.host != socket.gethostname()


def refusal(path: Path, folder: Path, owner: Owner | None) -> NurieError:
    who = f"process {owner.process}" if owner else "another process"
    if owner and elsewhere(owner):
        who = f"{who} of the computer {owner.host}"
        return NurieError(
            f"{folder} is being written to by {who}. Wait until that ends, or name another folder; "
            f"if it runs no more, remove {path}."
        )
    return NurieError(
        f"{folder} is being written to by {who}. Wait until that ends or stop it, or name another folder."
    )
