"""site.json: says that a folder is a site, and what is in it. Format: docs/formats.md."""

from collections.abc import Collection
from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct

from nurie.files.ours import SITE
from nurie.files.schema import Files, read_json
from nurie.site.headers import HASHED, HASHED_FOLDERS, HEADERS_FILE

INDEX = "index.html"
FORMAT, VERSION = "nurie-site", 1

ManifestPath = Annotated[str, Meta(pattern=r"^model/manifest\.[0-9a-f]{12}\.json\Z")]


class Site(Struct, frozen=True, kw_only=True):
    format: str = FORMAT
    version: int = VERSION
    title: str
    models: Annotated[list[ManifestPath], Meta(min_length=1, max_length=1000)]
    files: Files = []  # all of the site, by their paths below it; older sites do not say
    former: Files = []  # what only the version before had, for pages that are still open


def read_site(folder: Path) -> Site:
    """What a site's folder says of itself. Raises NurieError."""
    verdict, mend = "is not the list of a site from `nurie publish`", "Choose another folder, or empty this one."
    return read_json(folder / SITE, Site, verdict, mend, known=(FORMAT, VERSION))


def standing(folder: Path) -> set[str]:
    """The files of the site in a folder, by their paths below it; none where there is no site. Raises NurieError."""
    if not (folder / SITE).is_file():
        return set()
    site = read_site(folder)
    return {SITE, *(site.files or unlisted(folder)), *site.former}


def current(folder: Path) -> set[str]:
    """The files of the version that a folder shows, without those of the one before. Raises NurieError."""
    return standing(folder) - {*read_site(folder).former}


def left_by(folder: Path, files: Collection[str]) -> list[str]:
    """The files of a folder's site that a new version does not have, and that pages which are open may ask for.

    Those of the version before that one go, unless nothing changes. Raises NurieError.
    """
    if not (folder / SITE).is_file():
        return []
    left = {name for name in current(folder) - {*files} if HASHED.search(name)}
    left = left or {*read_site(folder).former} - {*files}
    return sorted(name for name in left if (folder / name).is_file())


def unlisted(folder: Path) -> list[str]:
    """What an older site does not list: all that has a name as publishing gives it."""
    found = [path for place in HASHED_FOLDERS for path in (folder / place).rglob("*")]
    named = [path.relative_to(folder).as_posix() for path in found if HASHED.search(path.name) and path.is_file()]
    return [INDEX, HEADERS_FILE, *named]
