"""Files out of archives. No path of an archive is ever written to: each file's own follows from a table."""

import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from nurie.datasets.sources import Archive
from nurie.errors import NurieError
from nurie.files.write import write_file

MOST_FILE = 64 << 20  # bytes of one file
LONGEST = 200  # of a file's name
FORBIDDEN = set('\\/:*?"<>|')  # in names on one system or another


def unpack(archive: Archive, path: Path, folder: Path) -> int:
    """Write the files that `archive.place` wants below a folder; returns how many. Raises NurieError.

    Folders, links and devices in the archive, and what nobody asked for, are left out.
    """
    written: set[str] = set()
    total = 0
    try:
        for name, length, file in members(path):
            place = archive.place(name)
            if place is None or not plain(name.name):
                continue
            total += length
            if length > MOST_FILE or total > archive.most:
                raise NurieError(f"{archive.name} would fill more than {archive.most >> 20} MiB: it was not unpacked.")
            if place in written:
                continue
            data = file.read(length + 1)
            if len(data) != length:
                raise NurieError(f"{archive.name} is damaged: {name} is not as long as it says.")
            target = folder / place
            target.parent.mkdir(parents=True, exist_ok=True)
            write_file(target, archive.convert(data))
            written.add(place)
    except (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise NurieError(f"{archive.name} is no archive that can be read: {error}.") from error
    if len(written) < archive.least:
        raise NurieError(
            f"{archive.name} has {len(written)} of the files that were expected in it, but at least {archive.least} "
            "should be there: it is another file, or its folders have other names now."
        )
    return len(written)


def members(path: Path) -> Iterator[tuple[PurePosixPath, int, IO[bytes]]]:
    """Name, length in bytes and content of each regular file in an archive, in its order."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                if not member.is_dir():
                    with archive.open(member) as file:
                        yield PurePosixPath(member.filename), member.file_size, file
        return
    with tarfile.open(path, "r|gz") as archive:
        for member in archive:
            if member.isreg() and (file := archive.extractfile(member)):
                yield PurePosixPath(member.name), member.size, file


def plain(name: str) -> bool:
    """Whether a file can have this name on all systems, and is not hidden."""
    return name.isprintable() and not name.startswith(".") and len(name) <= LONGEST and not FORBIDDEN & set(name)
