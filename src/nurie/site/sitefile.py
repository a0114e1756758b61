"""site.json: says that a folder is a site, and what is in it. Format: docs/formats.md."""

from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct

from nurie.files.schema import read_json

MARKER = "site.json"
FORMAT, VERSION = "nurie-site", 1

ManifestPath = Annotated[str, Meta(pattern=r"^model/manifest\.[0-9a-f]{12}\.json\Z")]


class Site(Struct, frozen=True, kw_only=True):
    format: str = FORMAT
    version: int = VERSION
    title: str
    models: Annotated[list[ManifestPath], Meta(min_length=1, max_length=1000)]


def read_site(folder: Path) -> Site:
    """What a site's folder says of itself. Raises NurieError."""
    verdict, mend = "is not the list of a site from `nurie publish`", "Choose another folder, or empty this one."
    return read_json(folder / MARKER, Site, verdict, mend, known=(FORMAT, VERSION))
