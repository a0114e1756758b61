"""Folders that a command writes: whole, or not at all."""

import tempfile
from collections.abc import Mapping
from pathlib import Path

from nurie.errors import NurieError


def install(files: Mapping[str, bytes], folder: Path) -> None:
    """Write a folder of these files, named by their paths below it, in the place of an older one.

    The old one stays, or comes back, when anything fails. A link to a folder stays a link.
    """
    folder = folder.resolve()
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Beside the folder, so that the swap is a rename within one file system.
    beside = tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent, ignore_cleanup_errors=True)
    with beside as temporary:
        new, old = Path(temporary) / "new", Path(temporary) / "old"
        for name, data in files.items():
            (new / name).parent.mkdir(parents=True, exist_ok=True)
            (new / name).write_bytes(data)
        try:
            if folder.exists():
                folder.rename(old)
            new.rename(folder)
        except BaseException:
            if old.exists() and not folder.exists():
                old.rename(folder)
            raise


def refuse_foreign(folder: Path, marker: str, fault: str) -> None:
    """Only folders with the marker of the command that writes them are replaced. Raises NurieError for others."""
    if folder.exists() and not folder.is_dir():
        raise NurieError(f"{folder} is a file. Expected the name of a folder to write to.")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / marker).is_file():
        raise NurieError(
            f"{folder} is not empty and {fault} (it has no {marker}). Choose another folder, or empty this one."
        )
