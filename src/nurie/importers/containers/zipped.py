"""Zip files of arrays: what lies in them is known before any of it is unpacked."""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from nurie.errors import NurieError

FIRST = b"PK\x03\x04"
CHUNK = 1 << 20


def first_entry(path: Path) -> str:
    """The name of the first file in a zip file, also of one that is cut off; nothing for another file."""
    try:
        with path.open("rb") as file:
            head = file.read(30)
            if len(head) < 30 or head[:4] != FIRST:
                return ""
            return file.read(struct.unpack_from("<H", head, 26)[0]).decode("utf-8", "replace")
    except OSError:
        return ""


@contextmanager
def opened(path: Path, growth: float = 1) -> Iterator[ZipFile]:
    """A zip file whose names are all different, and whose files are together at most `growth` times as large as it.
    Raises NurieError where it is not, and for whatever goes wrong while it is open."""
    with refused(path), ZipFile(path) as file:
        names = {name.lower() for name in file.namelist()}
        if len(names) < len(file.namelist()):
            raise BadZipFile("two of its files have one name")
        unpacked = sum(entry.file_size for entry in file.infolist())
        if unpacked > growth * path.stat().st_size:
            raise BadZipFile(f"it would unpack to {unpacked} bytes, {unpacked // path.stat().st_size} times its own")
        yield file


@contextmanager
def refused(path: Path) -> Iterator[None]:
    """Whatever a damaged file makes Python's and PyTorch's readers raise becomes a sentence."""
    try:
        yield
    except NurieError:
        raise
    except Exception as error:  # many kinds, none of which is documented
        lines = str(error).strip().splitlines()
        said = lines[0][:200].rstrip(".") if lines else "it ends too early"
        if isinstance(error, AttributeError | LookupError | TypeError):
            said = "its parts do not belong together"
        raise NurieError(f"{path} is damaged: {said}. Copy it again from where it came.") from error


def check(file: ZipFile) -> None:
    """Read all once, and compare the checksums. Raises BadZipFile."""
    for entry in file.infolist():
        with file.open(entry) as data:
            while data.read(CHUNK):
                pass
