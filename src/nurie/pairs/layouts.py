"""Where pairs lie: A|B pictures, or A and B in files of their own, as CycleGAN and pix2pix keep them.

    train/NAME.png                          A|B, side by side
    train/NAME_A.png, train/NAME_B.png
    trainA/NAME.png, trainB/NAME.png        NAME may end in _A and _B here, too
    A/train/NAME.png, B/train/NAME.png

The same with val, and with test where there is no val.
"""

import os
import re
from pathlib import Path

from nurie.errors import NurieError
from nurie.files.pictures import SUFFIXES
from nurie.size import Size

SIDE = re.compile(r"_[AB]\Z", re.IGNORECASE)  # at the end of a name
Found = dict[Path, Path | None]  # an A|B picture -> None, or picture A -> picture B


def pair_files(folder: Path) -> list[Path]:
    """The pictures in one side of a folder of pairs, sorted; none where there is no folder."""
    if not folder.is_dir():
        return []
    pictures = (path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES and path.name[0] != ".")
    return sorted(path for path in pictures if os.path.isfile(path))


def find_pairs(folder: Path) -> Found:
    """The pairs of PAIRS/train or PAIRS/val, whether that is a folder or one of the other layouts means it.

    Raises NurieError where A and B have no pictures in common.
    """
    folders = [folder, folder.with_name("test")] if folder.name == "val" else [folder]
    for place in folders:
        found = in_one_folder(place) or in_two_folders(*apart(place)[0]) or in_two_folders(*apart(place)[1])
        if found:
            return found
    return {}


def apart(folder: Path) -> list[tuple[Path, Path]]:
    """Where A and B of PAIRS/train are when they lie in two folders."""
    pairs, split = folder.parent, folder.name
    return [(pairs / f"{split}A", pairs / f"{split}B"), (pairs / "A" / split, pairs / "B" / split)]


def in_one_folder(folder: Path) -> Found:
    files = pair_files(folder)
    a, b = ({stem(path): path for path in files if path.stem[-2:].upper() == side} for side in ("_A", "_B"))
    if files and len(a) + len(b) == len(files) and a.keys() == b.keys():
        return {a[name]: b[name] for name in a}
    return dict.fromkeys(files)


def in_two_folders(first: Path, second: Path) -> Found:
    a, b = ({stem(path): path for path in pair_files(folder)} for folder in (first, second))
    if not (a and b):
        return {}
    if alone := sorted(a.keys() ^ b.keys()):
        raise NurieError(
            f"{len(alone)} pictures in {first} and {second}, such as {alone[0]}, have no other half: expected the same "
            "names in both. Pictures that show different things, as CycleGAN takes them, are no pairs."
        )
    return {a[name]: b[name] for name in a}


def stem(path: Path) -> str:
    """A file's name without its ending and without _A or _B."""
    return SIDE.sub("", path.stem)


def is_pair_of(width: int, height: int, size: Size) -> bool:
    """Whether a picture can be two of this size side by side, made smaller or larger."""
    return width % 2 == 0 and Size(width // 2, height).fits(size)
