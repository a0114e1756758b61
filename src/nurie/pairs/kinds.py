"""What a path holds that was given to a command: the wrong thing is one sentence with the command that it is for."""

from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from shlex import quote

from nurie.errors import NurieError
from nurie.files.ours import BEST, CHECKPOINT, LOSSES, MANIFEST, PAIRS_KEYS, PREPARED, SITE, read_object
from nurie.files.pictures import SUFFIXES, opened
from nurie.pairs.layouts import find_pairs, is_pair_of, pair_files
from nurie.size import Size

# What there is, what it is called, and the command that reads it.
PHOTOS, PAIRS, RUN, MODEL, WEBSITE = "photos", "pairs", "run", "model", "site"
NEXT = {
    PHOTOS: ("a folder of pictures", "nurie prepare {} PAIRS"),
    PAIRS: ("a folder of pairs", "nurie train {} RUN"),
    RUN: ("a run", "nurie export {} MODEL"),
    MODEL: ("a model", "nurie publish {} SITE"),
    WEBSITE: ("a site", "nurie serve {}"),
}
LOOKED_AT = 10_000  # files
SQUARE = Size(1, 1)
SIDES = {"A", "B"} | {f"{split}{side}" for split in ("train", "val", "test") for side in ("", "A", "B")}  # of pairs


def kind_of(path: Path) -> str:
    """One of the above, or nothing where it is none of them for certain."""
    if path.is_file():
        return RUN if path.suffix == ".safetensors" else ""
    if any((path / name).is_file() for name in (CHECKPOINT, BEST, LOSSES)):
        return RUN
    for kind, name in ((MODEL, MANIFEST), (WEBSITE, SITE)):
        if (path / name).is_file():
            return kind if str(read_object(path / name).get("format")).startswith("nurie-") else ""
    if read_object(path / PREPARED).keys() >= PAIRS_KEYS or holds_pairs(path):
        return PAIRS
    return PHOTOS if holds_pictures(path) else ""


def holds_pictures(folder: Path) -> bool:
    """Whether most files in a folder are pictures."""
    try:
        found = islice(folder.rglob("*"), LOOKED_AT) if folder.is_dir() else ()
        pictures = [path.suffix.lower() in SUFFIXES for path in found if not path.is_dir()]
    except OSError:
        return False
    return 2 * sum(pictures) > len(pictures)


def holds_pairs(folder: Path, size: Size = SQUARE) -> bool:
    """Whether a folder has pairs in the proportion of `size` to train on: not photos, which may lie in a folder train,
    too."""
    try:
        found = find_pairs(folder / "train")
        apart = bool(found) and next(iter(found.values())) is not None
        return apart or (bool(found) and all(is_pair(path, size) for path in islice(found, 3)))
    except (NurieError, OSError):
        return False


def is_pair(path: Path, size: Size = SQUARE) -> bool:
    """Whether a picture is two in the proportion of `size` side by side."""
    with opened(path) as image:
        return is_pair_of(image.width, image.height, size)


def refuse_other_kind(path: Path, wanted: Sequence[str], command: str, second: Path | None = None) -> None:
    """Raises NurieError where a path is known to hold something else than `wanted`, or `second` holds that.

    second: what the command writes, or reads beside it.
    """
    kind = kind_of(path)
    if kind in wanted:
        return
    if second is not None and kind_of(second) in wanted:
        raise NurieError(
            f"{second} is {NEXT[kind_of(second)][0]}, and {path} is not: did you mean "
            f"`nurie {command} {quote(str(second))} {quote(str(path))}`?"
        )
    if kind:
        what, use = NEXT[kind]
        expected = " or ".join(NEXT[name][0] for name in wanted)
        raise NurieError(
            f"{path} is {what}; `nurie {command}` expects {expected}. "
            f"What reads it is `{use.format(quote(str(path)))}`."
        )


def no_pairs(pairs: Path, split: str) -> NurieError:
    """A folder that has no pairs of this side: where they are, or how they are made."""
    return NurieError(f"There are no pairs in {pairs / split}. {nearby(pairs) or how_to_make(pairs)}")


def nearby(pairs: Path) -> str:
    """Where pairs lie instead."""
    inside = sorted(pairs.iterdir()) if pairs.is_dir() else []
    around = [pairs.resolve().parent, pairs.resolve().parent.parent]
    found = [folder for folder in (*around, *inside) if folder.is_dir() and holds_pairs(folder)]
    if pairs.resolve().name not in SIDES:
        found = [folder for folder in found if folder in inside]
    return f"Did you mean {found[0]}?" if found else ""


def how_to_make(pairs: Path) -> str:
    kind, path = kind_of(pairs), quote(str(pairs))
    if kind == PAIRS:
        return "Move some of those in train there."
    if kind == PHOTOS and (flat := pair_files(pairs)) and all(map(is_pair, flat[:3])):
        return (
            f"Its pictures are pairs: move most into {pairs / 'train'}, and some into {pairs / 'val'} for validation."
        )
    if kind == PHOTOS:
        return (
            f"It is a folder of pictures: `nurie prepare {path} PAIRS` makes pairs of them, which `nurie train` reads."
        )
    return f"Expected A|B pictures such as PNG, JPEG or WebP; make them with `nurie prepare PHOTOS {path}`."
