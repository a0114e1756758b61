"""All that is wrong with a folder of pairs, as `nurie check` finds it: each kind once, with the pairs it is of."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from nurie.errors import NurieError
from nurie.files.pictures import profile_of
from nurie.pairs.check import Tracked, check_pairs
from nurie.pairs.classes import classes_of
from nurie.pairs.files import WrongShape, read_pair
from nurie.pairs.folder import PairFolder, open_pairs
from nurie.pairs.inspect import LOOKED_AT, Look, look_at, look_warnings, misplaced, set_warnings
from nurie.pairs.similar import SAME, Print, nearest, print_of
from nurie.size import Size

Severity = Literal["error", "warning"]

# What is wrong with single pairs, the kinds by which docs/formats.md knows it.
EACH: dict[str, tuple[Severity, str]] = {
    "unreadable": ("error", "Not readable, and left out of training"),
    "shape": ("error", "Not two squares, or not in the proportion of --size, and left out of training"),
    "direction": ("error", "Sides that are swapped, other than most"),
    "blank drawings": ("warning", "Drawings of one colour"),
    "blank pictures": ("warning", "Pictures of one colour"),
    "misaligned": ("error", "Halves that do not lie on each other"),
    "unrelated": ("warning", "Halves without common edges, other than most"),
    "size": ("warning", "Smaller than in training, or of two sizes"),
    "profile": ("warning", "With a colour profile other than sRGB, which Nurie converts and others may not"),
}


@dataclass(frozen=True)
class Where:
    """A pair, what is wrong with it, and the other one that it is like."""

    path: Path
    note: str
    like: Path | None = None


@dataclass(frozen=True)
class Finding:
    kind: str
    severity: Severity
    text: str
    where: list[Where] = field(default_factory=list)  # the worst first


@dataclass(frozen=True)
class Examined:
    """Both sides of a folder of pairs, without what can not be used, and what is wrong with them."""

    folders: tuple[PairFolder, ...]  # train and val; none where there are no pairs
    findings: list[Finding]  # errors first


class Seen:
    """What is seen of pairs while they are opened, by several threads."""

    def __init__(self, sampled: Iterable[Path]) -> None:
        self.sampled = set(sampled)
        self.looks: dict[Path, Look] = {}
        self.prints: dict[Path, Print] = {}
        self.profiles: dict[Path, str] = {}

    def look(self, folder: PairFolder, path: Path) -> None:
        """Raises NurieError when that is no pair."""
        drawing, picture = read_pair(path, folder.size, folder.direction, folder.others[path])
        profiles = [profile_of(file) for file in folder.files(path)]
        self.prints[path] = print_of(picture)
        self.profiles[path] = ", ".join(dict.fromkeys(filter(None, profiles)))
        self.looks[path] = look_at(drawing, picture, keep=path in self.sampled)


def examine(pairs: Path, size: Size, direction: str, classes: Path | None, tracked: Tracked) -> Examined:
    """Look at all pairs, which training resizes to `size`.

    classes: a list of the pictures' classes. tracked: as in check_pairs.
    """
    try:
        train, val = open_pairs(pairs, "train", size, direction), PairFolder(pairs / "val", size, direction)
    except NurieError as error:
        return Examined((), [Finding("no pairs", "error", str(error))])
    seen = Seen(train.spread(LOOKED_AT))
    problems = check_pairs([train, val], None, tracked, seen.look).problems
    found = [
        *of_each(notes_of_damaged(problems)),
        *of_looks(seen.looks, size, direction),
        *of_each({"profile": {path: told for path, told in sorted(seen.profiles.items()) if told}}),
        *of_duplicates(train, val, seen),
        *of_counts(train, val, classes),
    ]
    return Examined((train, val), sorted(found, key=lambda finding: finding.severity))


def of_each(notes: Mapping[str, Mapping[Path, str]]) -> Iterator[Finding]:
    """kind -> pairs and what is wrong with them."""
    for kind, told in notes.items():
        if told:
            severity, text = EACH[kind]
            yield Finding(kind, severity, f"{text}: {pairs_in(len(told))}.", [Where(*item) for item in told.items()])


def notes_of_damaged(problems: Mapping[Path, NurieError]) -> dict[str, dict[Path, str]]:
    notes: dict[str, dict[Path, str]] = {"unreadable": {}, "shape": {}}
    for path, error in problems.items():
        kind = "shape" if isinstance(error, WrongShape) else "unreadable"
        notes[kind][path] = str(error).removeprefix(str(path)).lstrip(": ").split("; ")[0].split(". ")[0]
    return notes


def of_looks(looks: Mapping[Path, Look], size: Size, direction: str) -> Iterator[Finding]:
    """What the pictures show: a sentence on all together, or else on those that are unlike the others."""
    if not looks:
        return
    typical = float(np.median([look.agreement.best for look in looks.values()]))
    notes: dict[str, dict[Path, str]] = {}
    for path, look in sorted(looks.items(), key=lambda item: (item[1].agreement.here, item[0])):
        for kind, note in notes_of(look, size, typical).items():
            notes.setdefault(kind, {})[path] = note
    together = look_warnings(list(looks.values()), direction)
    for kind, text in together.items():
        severity = "warning" if kind == "unrelated" else "error"
        yield Finding(kind, severity, text, [Where(*item) for item in notes.get(kind, {}).items()])
    yield from of_each({kind: told for kind, told in notes.items() if kind not in together})


def notes_of(look: Look, size: Size, typical: float) -> dict[str, str]:
    """What is wrong with one pair, kind -> note. typical: as for misplaced."""
    (drawing, picture), place = look.sizes, misplaced(look, typical)
    notes = {
        "direction": "the picture is line art, the drawing is not" if look.swapped else "",
        "blank drawings": f"brightness {look.brightness[0]:.0f} of 255" if look.blank[0] else "",
        "blank pictures": f"brightness {look.brightness[1]:.0f} of 255" if look.blank[1] else "",
        "misaligned": f"the picture lies {look.agreement.told(picture)}" if place == "misaligned" else "",
        "unrelated": "no common edges" if place == "unrelated" else "",
        "size": f"{picture} pixels, enlarged to {size}" if picture.height < size.height else "",
    }
    if drawing != picture:
        notes["size"] = f"the drawing has {drawing} pixels, the picture {picture}"
    return {kind: note for kind, note in notes.items() if note}


def of_duplicates(train: PairFolder, val: PairFolder, seen: Seen) -> Iterator[Finding]:
    """Pictures that are nearly the same, on both sides of the split or on one. One pair speaks for its picture."""
    sides = [[group[0] for group in folder.groups if not seen.looks[group[0]].blank[1]] for folder in (train, val)]
    prints = [[seen.prints[path] for path in side] for side in sides]
    leaked = likes(sides[1], sides[0], nearest(prints[1], prints[0]))
    if leaked:
        severity = "error" if leaked[0].note.startswith("the same") else "warning"
        text = f"Pictures for validation that are nearly the same as some to train on: {len(leaked)} of {len(val)}."
        yield Finding("leakage", severity, text, leaked)
    if more := [like for side, small in zip(sides, prints, strict=True) for like in likes(side, side, nearest(small))]:
        text = f"Pictures that are nearly the same as others on their side: {len(more)} of {len(train) + len(val)}."
        yield Finding("duplicates", "warning", text, more)


def likes(paths: list[Path], others: list[Path], found: Mapping[int, tuple[int, float]]) -> list[Where]:
    """The nearest first."""
    order = sorted(found.items(), key=lambda item: (item[1][1], paths[item[0]]))
    words = {i: "the same as" if difference <= SAME else "like" for i, (_, difference) in order}
    return [Where(paths[i], f"{words[i]} {others[j].name}", others[j]) for i, (j, _) in order]


def of_counts(train: PairFolder, val: PairFolder, path: Path | None) -> Iterator[Finding]:
    """Whether there are enough pictures, and of each class."""
    classes = None
    if path:
        try:
            classes = classes_of(path, train.names)
        except NurieError as error:
            yield Finding("classes", "error", str(error))
    for kind, text in set_warnings(len(train), len(val), classes).items():
        yield Finding(kind, "warning", text)


def pairs_in(number: int) -> str:
    return f"{number:,} {'pair' if number == 1 else 'pairs'}"
