"""Downloads that go on where they stopped, and are what they should be."""

import http.client
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from nurie import __version__
from nurie.datasets.sources import Archive
from nurie.errors import NurieError
from nurie.files.hashed import sha256_of

TIMEOUT = 60  # seconds without a byte
TRIES = 5  # connections in a row that bring nothing more
BLOCK = 1 << 18
MOST_UNKNOWN = 4 << 30  # bytes of a file of unknown size
PART = ".part"


def download(archive: Archive, url: str, path: Path, told: Callable[[int, int], None]) -> str:
    """The file at a URL, which `archive` describes, to `path`; returns its SHA-256.

    What is there of it already, in PATH.part, is not downloaded again. told: is given the bytes so far and in all, 0
    where nobody knows. Raises NurieError; what has come is kept then, but for a file that is another one.
    """
    part = path.with_name(path.name + PART)
    if not path.exists():
        fetch(archive, url, part, told)
    digest = sha256_of(path if path.exists() else part)
    if archive.sha256 and digest != archive.sha256:
        part.unlink(missing_ok=True)
        path.unlink(missing_ok=True)
        raise NurieError(
            f"{url} is not the file that is known: its SHA-256 is {digest} instead of {archive.sha256}. It was "
            "removed. Run the command again; if that does not help, the data set has changed there, or somebody "
            "changed it on the way."
        )
    if not path.exists():
        part.rename(path)
    return digest


def fetch(archive: Archive, url: str, part: Path, told: Callable[[int, int], None]) -> None:
    """All of the file to `part`, in as many connections as it takes."""
    fruitless = 0
    while True:
        before = size(part)
        try:
            if transfer(archive, url, part, told):
                return
            reason = "the connection ended early"
        except urllib.error.HTTPError as error:
            if error.code < 500 and error.code not in (408, 429):
                raise NurieError(
                    f"{url} answers {error.code} {error.reason}: the file is no longer there. Find another place that "
                    "has it, and name its folder by --mirror."
                ) from error
            reason = f"{error.code} {error.reason}"
        except (OSError, http.client.HTTPException) as error:
            if isinstance(error, OSError) and error.filename:
                raise  # of the disk
            reason = str(getattr(error, "reason", error)) or type(error).__name__
        fruitless = 0 if size(part) > before else fruitless + 1
        if fruitless == TRIES:
            raise NurieError(
                f"{url} can not be downloaded ({reason}). What has come, {size(part):,} bytes, is kept: run the "
                "command again when the network is there, and it goes on. --mirror names another place."
            )
        time.sleep(min(2**fruitless, 16) / 4)


def transfer(archive: Archive, url: str, part: Path, told: Callable[[int, int], None]) -> bool:
    """Add what one connection brings to `part`. Returns whether it is whole. Raises NurieError, OSError."""
    begin = size(part)
    if archive.size and begin >= archive.size:
        if begin == archive.size:
            return True
        part.unlink()
        begin = 0
    headers = {"User-Agent": f"nurie/{__version__}", "Accept-Encoding": "identity"}
    if begin:
        headers["Range"] = f"bytes={begin}-"
    try:
        answer = urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        if error.code != 416 or not begin:
            raise
        part.unlink()  # there is no such part: all of it again
        return False
    with answer:
        goes_on = answer.status == 206 and answer.headers.get("Content-Range", "").startswith(f"bytes {begin}-")
        begin = begin if goes_on else 0
        length = answer.headers.get("Content-Length", "")
        total = begin + int(length) if length.isdigit() else archive.size
        if archive.size and total != archive.size:
            raise NurieError(
                f"{url} has {total:,} bytes, but the file that is known has {archive.size:,}: it is another one. Find "
                "another place that has it, and name its folder by --mirror."
            )
        most = total or MOST_UNKNOWN
        with part.open("ab" if goes_on else "wb") as file:
            done = begin
            while block := answer.read(BLOCK):
                done += len(block)
                if done > most:
                    raise NurieError(f"{url} sends more than the {most:,} bytes that were to come.")
                file.write(block)
                told(done, total)
    return done == total or not total


def size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
