"""Which class each picture belongs to, from a list, so that training can draw small classes as often as large ones."""

import csv
import io
from pathlib import Path

from nurie.errors import NurieError
from nurie.files.schema import read_bytes

FORM = "Expected a CSV file with a header, then a picture's name and its class in the first two columns."


def read_classes(path: Path) -> dict[str, str]:
    """Name of each picture -> its class. Raises NurieError with a sentence."""
    if not path.is_file():
        raise NurieError(f"There is no list of classes at {path}. {FORM}")
    try:
        rows = list(csv.reader(io.StringIO(read_bytes(path).decode("utf-8-sig"), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise NurieError(f"{path} can not be read as a list of classes ({error}). {FORM}") from error
    if len(rows) < 2:
        raise NurieError(f"{path} lists no pictures. {FORM}")
    classes: dict[str, str] = {}
    for number, row in enumerate(rows[1:], 2):
        if not row:
            continue
        if len(row) < 2 or not row[0].strip() or not row[1].strip():
            raise NurieError(f"Row {number} of {path} has no name and class: {','.join(row)!r}. {FORM}")
        name, label = row[0].strip(), row[1].strip()
        if classes.setdefault(name, label) != label:
            raise NurieError(f"{path} puts {name} into two classes, {classes[name]} and {label}. Keep one of them.")
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


def members_of_classes(classes: dict[str, str]) -> tuple[tuple[int, ...], ...]:
    """For each class the places of its pictures among all."""
    members: dict[str, list[int]] = {}
    for i, label in enumerate(classes.values()):
        members.setdefault(label, []).append(i)
    return tuple(tuple(members[label]) for label in sorted(members))
