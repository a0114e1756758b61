"""Download the data set of a recipe from its official place, checked, unpacked and with its credit."""

import shutil
from pathlib import Path
from urllib.parse import urlsplit

from msgspec import Struct
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from nurie.config import Get
from nurie.datasets.download import download
from nurie.datasets.sources import DATA_SETS, Archive, DataSet
from nurie.datasets.unpack import unpack
from nurie.errors import NurieError
from nurie.files.install import refuse_foreign
from nurie.files.lock import locked
from nurie.files.schema import read_json, to_json
from nurie.files.write import write_file

SOURCES = "sources.json"  # beside the pictures: where they are from
CREDITS = "CREDITS.txt"
DOWNLOADS = ".nurie-downloads"  # archives until they are unpacked
FORMAT, VERSION = "nurie-sources", 1


class Downloaded(Struct, frozen=True):
    """A file as it was when it was downloaded first."""

    url: str
    bytes: int
    sha256: str
    known: bool  # whether this SHA-256 was known before
    files: int  # that came out of it


class Sources(Struct, frozen=True, kw_only=True):
    format: str = FORMAT
    version: int = VERSION
    name: str
    licence: str
    credit: str
    archives: list[Downloaded] = []
    whole: bool = False


def get(config: Get) -> Path:
    """Download a data set into a folder, and return that. Goes on where it stopped. Raises NurieError."""
    data_set = DATA_SETS[config.name]
    folder = config.folder
    refuse_foreign(folder, SOURCES, "is no data set that `nurie get` downloads")
    before = read_sources(folder, config.name)
    console = Console(highlight=False)
    if before and before.whole:
        say(console, f"{folder} has all of it already.")
    else:
        refuse_full(data_set, folder)
        with locked(folder):
            fetch_all(config, data_set, before, console)
    say(console, f"Licence: {data_set.licence}. Credit: {data_set.credit}. ({folder / CREDITS})")
    say(console, f"Next: {data_set.next.replace('FOLDER', str(folder))}")
    return folder


def fetch_all(config: Get, data_set: DataSet, before: Sources | None, console: Console) -> None:
    """Download and unpack each archive that is not unpacked yet; sources.json always says which are."""
    folder = config.folder
    done = list(before.archives) if before else []
    note(config, data_set, done)
    write_file(folder / CREDITS, f"{data_set.credit}\n\nLicence: {data_set.licence}\n".encode())
    downloads = folder / DOWNLOADS
    downloads.mkdir(exist_ok=True)
    for archive in data_set.archives[len(done) :]:
        url = f"{config.mirror.rstrip('/')}/{archive.name}" if config.mirror else archive.url
        refuse_other_scheme(url)
        path = downloads / archive.name
        digest = with_progress(archive, url, path)
        if not archive.sha256:
            say(console, f"{archive.name}: nobody has published its checksum. It is {digest}, noted in {SOURCES}.")
        count = unpack(archive, path, folder)
        done.append(Downloaded(url, path.stat().st_size, digest, bool(archive.sha256), count))
        note(config, data_set, done)
        path.unlink()
    data_set.finish(folder)
    note(config, data_set, done, whole=True)
    shutil.rmtree(downloads, ignore_errors=True)


def note(config: Get, data_set: DataSet, archives: list[Downloaded], whole: bool = False) -> None:
    found = Sources(name=config.name, licence=data_set.licence, credit=data_set.credit, archives=archives, whole=whole)
    write_file(config.folder / SOURCES, to_json(found, indent=2))


def with_progress(archive: Archive, url: str, path: Path) -> str:
    columns = BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn()
    with Progress(TextColumn("{task.description}"), *columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(archive.name, total=archive.size or None)
        return download(
            archive, url, path, lambda now, total: progress.update(task, completed=now, total=total or None)
        )


def read_sources(folder: Path, name: str) -> Sources | None:
    """What an earlier call noted. Raises NurieError where it is of another data set."""
    if not (folder / SOURCES).is_file():
        return None
    mend = "Choose another folder."
    found = read_json(folder / SOURCES, Sources, "is no list of a data set's sources", mend, known=(FORMAT, VERSION))
    if found.name != name:
        raise NurieError(f"{folder} holds the data set {found.name}, not {name}. {mend}")
    return found


def refuse_full(data_set: DataSet, folder: Path) -> None:
    """Raises NurieError where the disk has no room for the largest archive and its files."""
    needed = 2 * max(archive.size for archive in data_set.archives)
    place = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    free = shutil.disk_usage(place).free
    if free < needed:
        raise NurieError(
            f"{folder} needs {needed >> 20} MiB, but its disk has {free >> 20} MiB left. Free some space, or choose a "
            "folder on another disk."
        )


def refuse_other_scheme(url: str) -> None:
    if urlsplit(url).scheme not in ("http", "https"):
        raise NurieError(f"--mirror must be an address that begins with http:// or https://, but {url} does not.")


def say(console: Console, text: str) -> None:
    console.print(text, markup=False, soft_wrap=True)
