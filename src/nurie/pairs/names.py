"""The names of pairs: one for each picture, which file systems take, and which side of the split it is on."""

import hashlib
import os
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import PurePath
from typing import get_args

from nurie.config import Detail

DETAILS = tuple(f"--{detail}" for detail in get_args(Detail))
# Bytes of a file's name that file systems take, less the longest detail, the suffix, and that of a file being written.
LONGEST = 255 - len("--some.png.tmp")
NAMED = 3  # pictures that a sentence names
FEW_VAL, ENOUGH = 4, 20  # of so many pictures or more, at least so many are for validation


def picture_name(relative: PurePath, siblings: Collection[str] = ()) -> str:
    """The name of a picture's pairs: its path below the photos' folder in one word. `--` is kept for details, and two
    files that differ in their ending only (those in `siblings`, by stem) carry it."""
    parts = [*relative.parts[:-1], relative.stem]
    if str(relative.with_suffix("")) in siblings:
        parts.append(relative.suffix[1:].lower())
    name = "-".join(parts)
    while "--" in name:
        name = name.replace("--", "-")
    return fitted(name)


def picture_names(relatives: Sequence[PurePath], taken: Iterable[str] = ()) -> list[str]:
    """A name for each picture. Where several would have the same one, or one that is `taken` already or that differs in
    case only, all but the first are numbered, and none gets another one's own name."""
    stems = Counter(str(path.with_suffix("")) for path in relatives)
    own = [picture_name(path, {stem for stem in [str(path.with_suffix(""))] if stems[stem] > 1}) for path in relatives]
    used = {folded(name) for name in taken}
    free = used | {folded(name) for name in own}  # what a numbered name must not be
    names = []
    for name in own:
        chosen, number = name, 2
        if folded(name) in used:
            while folded(chosen) in free:
                chosen, number = fitted(f"{name}-{number}"), number + 1
        used.add(folded(chosen))
        free.add(folded(chosen))
        names.append(chosen)
    return names


def name_of(path: PurePath) -> str:
    """The picture that a pair shows: all before the detail. Others' `cat--1.png` and `cat--2.png` are two."""
    stem = path.stem
    return next((stem.removesuffix(detail) for detail in DETAILS if stem.endswith(detail)), stem)


def folded(name: str) -> str:
    """The same for names that some file systems take for one: they differ in case, or in how accents are written."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def fitted(name: str) -> str:
    """A name that is UTF-8 and not too long: as it is, or with a hash in the place of what does not fit."""
    raw = os.fsencode(name)
    text = raw.decode("utf-8", "replace").replace("\ufffd", "_") if not is_text(name) else name
    if text == name and len(raw) <= LONGEST:
        return name
    short = text.encode()[: LONGEST - 9].decode("utf-8", "ignore")
    return f"{short}-{hashlib.sha256(raw).hexdigest()[:8]}"


def is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def place_of(name: str) -> int:
    """Which percent of all names this one is in, 0 to 99, by a hash."""
    return int(hashlib.sha256(name.encode()).hexdigest()[:8], 16) % 100


def split_of(name: str, val_percent: int) -> str:
    """train or val by a hash of the picture's name: stable when pictures come and go."""
    return "val" if place_of(name) < val_percent else "train"


def splits_of(names: Sequence[str], val_percent: int, groups: Mapping[str, str] | None = None) -> list[str]:
    """train or val for each name. Where the hash gives few of many pictures for validation, more of the first ones by
    that hash are taken, unless none is wanted.

    groups: name -> its group, whose name is hashed in the place of its own.
    """
    keys = [(groups or {}).get(name, name) for name in names]
    splits = [split_of(key, val_percent) for key in keys]
    if val_percent and len(names) >= ENOUGH and splits.count("val") < FEW_VAL:
        first = set(sorted(keys, key=lambda key: (place_of(key), key))[:FEW_VAL])
        if first != set(keys):  # else nothing is left to train on
            splits = ["val" if key in first else "train" for key in keys]
    return splits


def some(names: Sequence[str], separator: str = ", ") -> str:
    """The first of these names: "a, b, c, ..."."""
    return separator.join([*names[:NAMED], *(["..."] if len(names) > NAMED else [])])
