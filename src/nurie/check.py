"""What is wrong with a folder of pairs before one trains on it: in words, as JSON, and as a sheet to look at."""

import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from msgspec import Struct
from rich.console import Console
from rich.progress import track

from nurie.config import Check
from nurie.drawings.sheets import to_png
from nurie.errors import NurieError
from nurie.files.schema import to_json
from nurie.files.written import MANY, Written, refuse_taken
from nurie.limits import check_values
from nurie.pairs.findings import Examined, Finding, Severity, examine
from nurie.pairs.kinds import PAIRS, PHOTOS, refuse_other_kind
from nurie.pairs.names import some
from nurie.pairs.worst import worst_sheet

BY = "check"
FORMAT, VERSION = "nurie-check", 1
STANDARD_OUTPUT = Path("-")


class Place(Struct, frozen=True):
    """A pair, by the path of its A|B picture, or of A, below the folder; what is wrong with it; which it is like."""

    path: str
    note: str
    like: str | None = None


class Fault(Struct, frozen=True):
    kind: str
    severity: Severity
    text: str
    where: list[Place]


class Report(Struct, frozen=True, kw_only=True):
    format: str = FORMAT
    version: int = VERSION
    pairs: str
    size: int | str  # as on the command line
    direction: str
    train: int  # pictures
    val: int
    errors: int  # findings
    warnings: int
    findings: list[Fault]


def check(config: Check) -> Report:
    """Print what is wrong, write the files that were asked for, and return the report. Raises NurieError, last of all,
    where something is wrong that fails."""
    check_values(config)
    refuse_other_kind(config.pairs, [PAIRS, PHOTOS], "check")
    if config.sheet and config.sheet == config.json:
        raise NurieError(f"--sheet and --json expect two names, but both are {config.sheet}.")
    files = {"--sheet": config.sheet, "--json": None if config.json == STANDARD_OUTPUT else config.json}
    for option, path in files.items():
        if path:
            refuse_taken(path, BY, option)
    found = examine(config.pairs, config.size, config.direction, config.classes, looking)
    report = report_of(config, found)
    for fault in report.findings:
        tell(config, f"{fault.severity}: {line_of(fault)}")
    tell(config, summary(report))
    if config.json == STANDARD_OUTPUT:
        sys.stdout.write(to_json(report, indent=2).decode())
    elif config.json:
        write(config.json, to_json(report, indent=2))
    if config.sheet:
        write(config.sheet, sheet_of(config, found))
    if report.errors or (config.strict and report.warnings):
        raise NurieError(f"{wrong_in(report)} found in {config.pairs}. docs/training.md says what each means.")
    return report


def looking(results: Iterable[None], total: int) -> Iterator[None]:
    """A bar on standard error while pictures are opened."""
    console = Console(stderr=True)
    yield from track(results, "check", total, console=console, transient=True, disable=not console.is_terminal)


def report_of(config: Check, found: Examined) -> Report:
    faults = [Fault(f.kind, f.severity, f.text, places(config, f)) for f in found.findings]
    train, val = map(len, found.folders or ((), ()))
    return Report(
        pairs=text_of(config.pairs),
        size=config.size.saved,
        direction=config.direction,
        train=train,
        val=val,
        errors=sum(fault.severity == "error" for fault in faults),
        warnings=sum(fault.severity == "warning" for fault in faults),
        findings=faults,
    )


def places(config: Check, finding: Finding) -> list[Place]:
    return [
        Place(
            path=name_in(config.pairs, where.path),
            note=text_of(where.note.replace(f"{config.pairs}{os.sep}", "")),  # it may name the other half
            like=name_in(config.pairs, where.like) if where.like else None,
        )
        for where in finding.where
    ]


def name_in(pairs: Path, path: Path) -> str:
    return text_of(Path(os.path.relpath(path, pairs)).as_posix())


def text_of(name: str | Path) -> str:
    """Names of files need not be text."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def line_of(fault: Fault) -> str:
    names = some([f"{place.path}: {place.note}" for place in fault.where], "; ")
    return f"{fault.text} ({names})" if names else fault.text


def summary(report: Report) -> str:
    wrong = wrong_in(report) or "nothing wrong was found"
    return f"{report.train} pictures to train on, {report.val} for validation: {wrong}."


def wrong_in(report: Report) -> str:
    """ "2 errors, 1 warning", or nothing."""
    counts = [(report.errors, "error"), (report.warnings, "warning")]
    return ", ".join(f"{number} {kind}{'' if number == 1 else 's'}" for number, kind in counts if number)


def tell(config: Check, text: str) -> None:
    """On standard output, unless that is for JSON."""
    print(text, file=sys.stderr if config.json == STANDARD_OUTPUT else sys.stdout)


def sheet_of(config: Check, found: Examined) -> bytes:
    paths = [path for folder in found.folders for path in folder.others]
    return to_png(worst_sheet(found.findings, found.folders, {path: name_in(config.pairs, path) for path in paths}))


def write(path: Path, data: bytes) -> None:
    Written(path.parent, BY).write(path.name, data, MANY)
