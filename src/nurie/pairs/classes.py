"""Lists of pictures: the class of each, so that training can draw small classes as often as large ones, or the group of
each, which lies on one side of the split."""

import csv
import io
from pathlib import Path
from typing import Literal

from nurie.errors import NurieError
from nurie.files.schema import read_bytes
from nurie.pairs.names import some

FORM = "Expected a CSV file with a header, then a picture's name and its {} in the first two columns."
PLURALS = {"class": "classes", "group": "groups"}


def read_classes(path: Path, kind: Literal["class", "group"] = "class") -> dict[str, str]:
    """Name of each picture -> its class, or group. Raises NurieError with a sentence."""
    form, kinds = FORM.format(kind), PLURALS[kind]
    if not path.is_file():
        raise NurieError(f"There is no list of {kinds} at {path}. {form}")
    try:
        rows = list(csv.reader(io.StringIO(read_bytes(path).decode("utf-8-sig"), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise NurieError(f"{path} can not be read as a list of {kinds} ({error}). {form}") from error
    if len(rows) < 2:
        raise NurieError(f"{path} lists no pictures. {form}")
    classes: dict[str, str] = {}
    for number, row in enumerate(rows[1:], 2):
        if not row:
            continue
        if len(row) < 2 or not row[0].strip() or not row[1].strip():
            raise NurieError(f"Row {number} of {path} has no name and {kind}: {','.join(row)!r}. {form}")
        name, label = row[0].strip(), row[1].strip()
        if classes.setdefault(name, label) != label:
            raise NurieError(f"{path} puts {name} into two {kinds}, {classes[name]} and {label}. Keep one of them.")
    return classes


def classes_of(path: Path, names: list[str]) -> dict[str, str]:
    """The class of each of these pictures. Raises NurieError when the list lacks one."""
    classes = read_classes(path)
    missing = [name for name in names if name not in classes]
    if missing:
        raise NurieError(
            f"{path} lists no class for {len(missing)} of {len(names)} pictures, such as {', '.join(missing[:3])}. "
            "The first column must hold the pictures' names without --few, --some or --many, and without a suffix."
        )
    return {name: classes[name] for name in names}


def groups_of(path: Path, names: list[str]) -> dict[str, str]:
    """The group of each picture that has one. Raises NurieError where none of these pictures has."""
    groups = read_classes(path, "group")
    if not groups.keys() & set(names):
        raise NurieError(
            f"{path} lists none of the {len(names)} pictures, such as {some(names)}. The first column must hold their "
            "paths below the photos' folder in one word (2020-a for 2020/a.jpg), without a suffix."
        )
    return groups


def members_of_classes(classes: dict[str, str]) -> tuple[tuple[int, ...], ...]:
    """For each class the places of its pictures among all."""
    members: dict[str, list[int]] = {}
    for i, label in enumerate(classes.values()):
        members.setdefault(label, []).append(i)
    return tuple(tuple(members[label]) for label in sorted(members))
