"""A sheet of the worst pairs of each kind of fault, each with what is wrong with it."""

from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8
from PIL import Image

from nurie.drawings.sheets import captioned
from nurie.errors import NurieError
from nurie.pairs.files import read_pair
from nurie.pairs.findings import Finding, Where
from nurie.pairs.folder import PairFolder
from nurie.size import Size

EACH = 6  # pairs of a kind
SIDE = 160  # pixels of a half, the longer side
RED, GREY = (224, 32, 32), 200

Half = UInt8[np.ndarray, "h w 3"]
Both = UInt8[np.ndarray, "h two_w 3"]


def worst_sheet(findings: list[Finding], folders: tuple[PairFolder, ...], names: Mapping[Path, str]) -> Image.Image:
    """A row or more for each finding that names pairs. names: what the captions call them."""
    owners = {path: folder for folder in folders for path in folder.others}
    groups = []
    for finding in findings:
        cells = [(halves(finding.kind, where, owners), caption(where, names)) for where in finding.where[:EACH]]
        groups.append((f"{finding.severity}: {finding.text}", cells))
    return captioned(groups or [("Nothing wrong was found.", [])])


def caption(where: Where, names: Mapping[Path, str]) -> str:
    return f"{names[where.path]}\n{where.note}"


def halves(kind: str, where: Where, owners: Mapping[Path, PairFolder]) -> Both:
    """Both halves, the second with the first's edges where these do not agree; or both pictures that are alike."""
    first, second = thumbnails(where.path, owners[where.path])
    if where.like:
        first, second = second, thumbnails(where.like, owners[where.like])[1]
    if kind in ("misaligned", "unrelated"):
        second = second.copy()
        second[cv2.Canny(first, 50, 150) > 0] = RED
    return np.hstack([first, second])


def thumbnails(path: Path, folder: PairFolder) -> tuple[Half, Half]:
    """Grey where the file can not be read, or is no pair."""
    small = shown_as(folder.size)
    try:
        drawing, picture = read_pair(path, folder.size, folder.direction, folder.others[path])
    except (NurieError, OSError):
        grey = np.full((small.height, small.width, 3), GREY, np.uint8)
        return grey, grey
    shape = small.width, small.height
    drawing, picture = (cv2.resize(half, shape, interpolation=cv2.INTER_AREA) for half in (drawing, picture))
    return drawing, picture


def shown_as(size: Size) -> Size:
    """The size of a half on the sheet."""
    longer = max(size.width, size.height)
    return Size(max(1, round(SIDE * size.width / longer)), max(1, round(SIDE * size.height / longer)))
