"""Photos -> pairs/. Parallel over cores; run the same command again to resume, or after photos were changed."""

import dataclasses
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from nurie.config import Prepare
from nurie.errors import NurieError
from nurie.files.lock import locked
from nurie.files.ours import PREPARED, walk
from nurie.files.pictures import HINTS, SUFFIXES
from nurie.files.schema import read_json
from nurie.files.write import write_file
from nurie.limits import check_values
from nurie.pairs.classes import groups_of
from nurie.pairs.files import write_pair, write_sheet
from nurie.pairs.hdf5 import is_pair_file, pairs_in, write_pairs
from nurie.pairs.kinds import PHOTOS, refuse_other_kind
from nurie.pairs.layouts import pair_files
from nurie.pairs.names import name_of, picture_names, splits_of
from nurie.pairs.record import Record, digest_of, place_hash, read_record
from nurie.photos.compose import Sources, compose
from nurie.photos.processes import KILLED, run_all, workers_for
from nurie.saved import changed_options, plain, saved_options
from nurie.size import Size

NOT_IN_RESULT = {"photos", "pairs", "workers", "masks", "inputs"}  # options that may change between two calls
SIDES = ("train", "val")
Records = dict[Path, Record | None]
T = TypeVar("T")


@dataclasses.dataclass(frozen=True)
class Job:
    """One picture, its pairs, and those of them that are to be written."""

    sources: Sources
    record: Record
    outputs: tuple[Path, ...]  # one file per detail, or one
    stale: tuple[Path, ...] = ()


def prepare(config: Prepare) -> Path:
    """Write train/, val/ and sheet.png. Returns the pairs folder.

    Pairs whose photo, mask or input has changed are made anew, those whose photo is gone are removed, and those that
    are not known to come from these photos are kept. Files that can not be used are named and left out. Raises
    NurieError when no pair could be made or when the folder holds pairs made with other options. Pairs in an HDF5 file
    are written as they are.
    """
    if is_pair_file(config.photos):
        unpack(config, Console(stderr=True))
        return config.pairs
    check(config)
    with locked(config.pairs):
        make_pairs(config, Console(stderr=True))
    return config.pairs


def make_pairs(config: Prepare, console: Console) -> None:
    """All of prepare, in a folder that no other command writes to."""
    sources = find_sources(config, console)
    records = {path: read_record(path) for side in SIDES for path in pair_files(config.pairs / side)}
    jobs = plan_jobs(config, sources, note(config, sources, console), records)
    remember_options(config)
    removed = remove_orphans(config, jobs, records, console)
    todo = [job for job in jobs if job.stale]
    problems = run_jobs(config, todo, console)
    left_out = [job for job, problem in zip(todo, problems, strict=True) if problem]
    for path in (path for job in left_out for path in job.stale):
        path.unlink(missing_ok=True)  # of the photo as it was
    done = [list(job.outputs) for job in jobs if all(path.exists() for path in job.outputs)]
    if not done:
        raise NurieError(
            f"No pair could be made from the {len(jobs)} pictures in {config.photos}; the reasons are above."
        )
    write_sheet(config.pairs / "sheet.png", done, config.size, config.direction)
    made = [job for job, problem in zip(todo, problems, strict=True) if not problem]
    anew = sum(any(path in records for path in job.stale) for job in made)
    say(
        console,
        f"{len(made) - anew} new, {anew} made anew, {len(jobs) - len(todo)} unchanged, {removed} removed, "
        f"{len(left_out)} left out",
    )
    report(config, jobs, records, console)


def unpack(config: Prepare, console: Console) -> None:
    """Pairs in an HDF5 file, on the side of the split and in the size that they have there."""
    check_values(config)
    if config.inputs or config.masks or config.groups:
        raise NurieError(f"--inputs, --masks and --groups are for photos, and {config.photos} holds pairs.")
    pairs = pairs_in(config.photos)
    first = next(pairs)
    height, width = first.picture.shape[:2]
    config = dataclasses.replace(config, size=Size(width, height))
    with locked(config.pairs):
        remember_options(config)
        paths, new = write_pairs(config.photos, config.pairs, chain([first], pairs), config.direction)
        write_sheet(config.pairs / "sheet.png", [[path] for path in paths], config.size, config.direction)
    say(console, f"{new} new, {len(paths) - new} unchanged. Look at {config.pairs / 'sheet.png'}")


def report(config: Prepare, jobs: list[Job], before: Records, console: Console) -> None:
    """What is in the folder now, and what of it was kept without knowing these photos."""
    written = {path for job in jobs for path in job.stale}
    kept = [(path, record) for path, record in before.items() if path not in written and path.exists()]
    unknown = {path.parent / name_of(path) for path, record in kept if record is None}
    others = {path.parent / name_of(path) for path, record in kept if record and record.folder != jobs[0].record.folder}
    if unknown:
        text = "do not say what they were made of (an older Nurie made them, or they were changed by hand)"
        say(console, f"kept: {len(unknown)} pictures whose pairs {text}; delete them to make them anew", "yellow")
    if others:
        say(console, f"kept: {len(others)} pictures of another folder of photos", "yellow")
    train, val = (len({name_of(path) for path in pair_files(config.pairs / side)}) for side in SIDES)
    say(console, f"{train} pictures to train on, {val} to validate. Look at {config.pairs / 'sheet.png'}")


def check(config: Prepare) -> None:
    check_values(config)
    refuse_other_kind(config.photos, [PHOTOS], "prepare", config.pairs)
    if not config.photos.is_dir():
        raise NurieError(f"There is no folder {config.photos}. Expected a folder of JPEG, PNG or WebP pictures.")
    refuse_overlap(config)
    if config.masks is not None and not config.masks.is_dir():
        raise NurieError(f"There is no folder {config.masks} for --masks.")
    if (config.mode == "folders") != (config.inputs is not None):
        raise NurieError(
            "--mode folders and --inputs FOLDER go together: the inputs have the same names as the photos."
        )
    if config.inputs is not None and not config.inputs.is_dir():
        raise NurieError(f"There is no folder {config.inputs} for --inputs.")
    if not config.size.is_multiple_of(2):
        raise NurieError(
            f"--size must be an even number of pixels, but it is {config.size}. Use {config.size.near(2)}."
        )
    if not config.details:
        raise NurieError("--details needs at least one of few, some, many.")


def refuse_overlap(config: Prepare) -> None:
    """Raises NurieError where pairs would be written among the pictures that they are made from."""
    written = [config.pairs.resolve() / name for name in ("", *SIDES)]
    for folder in (config.photos, config.masks, config.inputs):
        if folder is not None and folder.resolve() in written:
            raise NurieError(f"{config.pairs} would be written among the pictures in {folder}. Choose another folder.")


def find_sources(config: Prepare, console: Console) -> list[Sources]:
    """All photos with their masks and inputs. Says what was ignored. Raises NurieError when there are none."""
    found = walk(config.photos, SUFFIXES, without=(config.pairs, config.masks, config.inputs))
    if found.ignored:
        say(console, f"ignored: {', '.join(kinds_of(found.ignored))}")
    if not found.files:
        raise NurieError(f"There are no JPEG, PNG or WebP pictures in {config.photos}.")
    masks, inputs = by_stem(config.masks), by_stem(config.inputs)
    stems = [str(photo.relative_to(config.photos).with_suffix("")) for photo in found.files]
    return [Sources(photo, masks.get(stem), inputs.get(stem)) for photo, stem in zip(found.files, stems, strict=True)]


def note(config: Prepare, sources: list[Sources], console: Console) -> list[Record]:
    """The record of each photo's pairs."""
    here = place_hash(config.photos)
    with ThreadPoolExecutor() as pool:
        digests = list(tracked("look", pool.map(partial(made_of, config), sources), len(sources), console))
    relatives = [source.photo.relative_to(config.photos).as_posix() for source in sources]
    return [Record(path, here, digest) for path, digest in zip(relatives, digests, strict=True)]


def made_of(config: Prepare, sources: Sources) -> str:
    """A digest of all that a picture's pairs depend on; nothing where a file can not be read."""
    options = {name: plain(getattr(config, name)) for name in ("mode", "size", "fit", "margin", "direction")}
    files = (sources.photo, sources.mask, sources.drawing)
    try:
        return digest_of(files, {**options, "masks": config.masks is not None})
    except OSError:
        return ""


def plan_jobs(config: Prepare, sources: list[Sources], notes: list[Record], records: Records) -> list[Job]:
    """What is to be written for each photo, beside what is there."""
    moved = {(record.photo, record.made_of) for record in notes}  # the same photos, from wherever
    others = (path for path, record in records.items() if record and record.folder != notes[0].folder)
    taken = {name_of(path) for path in others if (kept := records[path]) and (kept.photo, kept.made_of) not in moved}
    names = picture_names([source.photo.relative_to(config.photos) for source in sources], taken)
    suffixes = [f"--{detail}" for detail in config.details] if config.mode == "lines" else [""]
    jobs = []
    splits = splits_of(names, config.val_percent, groups_of(config.groups, names) if config.groups else None)
    for source, record, name, split in zip(sources, notes, names, splits, strict=True):
        files = [f"{name}{suffix}.png" for suffix in suffixes]
        sides = [split, *SIDES]  # pairs without a record stay on the side where they are
        side = next((s for s in sides if any(records.get(config.pairs / s / f, record) is None for f in files)), split)
        outputs = tuple(config.pairs / side / file for file in files)
        stale = tuple(path for path in outputs if path not in records or records[path] not in (None, record))
        jobs.append(Job(source, record, outputs, stale))
    return jobs


def remove_orphans(config: Prepare, jobs: list[Job], records: Records, console: Console) -> int:
    """Remove pairs of photos in this folder that are gone, or whose pairs are elsewhere now. Returns how many
    pictures these are."""
    planned = {path for job in jobs for path in job.outputs}
    photos = {job.record.photo for job in jobs}
    removed: dict[Path, str] = {}
    for path, record in records.items():
        if record is None or record.folder != jobs[0].record.folder or path in planned:
            continue
        if record.photo in photos or is_gone(config.photos / record.photo):
            path.unlink(missing_ok=True)
            why = "has its pairs elsewhere now" if record.photo in photos else "is gone"
            removed[path.parent / name_of(path)] = f"{record.photo} {why}"
    for name, why in removed.items():
        say(console, f"removed: {name}, since {why}", "yellow")
    return len(removed)


def is_gone(path: Path) -> bool:
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except (OSError, ValueError):
        return False
    return False


def kinds_of(ignored: Counter[str]) -> list[str]:
    """What was ignored, by kind: "5 .heic (pip install pillow-heif)"."""
    hints = {kind: f" ({HINTS[kind]})" for kind in ignored if kind in HINTS}
    return [f"{count} {kind}{hints.get(kind, '')}" for kind, count in sorted(ignored.items())]


def by_stem(folder: Path | None) -> dict[str, Path]:
    if folder is None:
        return {}
    return {str(path.relative_to(folder).with_suffix("")): path for path in walk(folder, SUFFIXES).files}


def remember_options(config: Prepare) -> None:
    """Save the options beside the result, or refuse to mix pairs made with different ones."""
    path = config.pairs / PREPARED
    options: dict[str, Any] = json.loads(json.dumps(saved_options(config)))
    if path.exists():
        saved = read_json(path, dict, "does not say how the pairs beside it were made", "Use another folder.")
        changed = changed_options(config, options, saved, NOT_IN_RESULT)
        if changed:
            raise NurieError(
                f"{config.pairs} holds pairs made with other options ({changed}). "
                "Use the same options, another folder, or delete it."
            )
    write_file(path, (json.dumps(options, indent=2) + "\n").encode())


def run_jobs(config: Prepare, jobs: list[Job], console: Console) -> list[str | None]:
    """Write all pairs, on all cores. Returns for each job None, or a sentence that says why it was left out."""
    results = run_all(partial(make_pair, config), jobs, workers_for(len(jobs), config.workers))
    found = {job.record.photo: problem for job, problem in tracked("prepare", results, len(jobs), console)}
    for photo, problem in found.items():
        if problem:
            where = f"{config.photos / photo}: " if problem == KILLED else ""
            say(console, f"left out: {where}{problem}", "yellow")
    return [found[job.record.photo] for job in jobs]


def tracked(task: str, results: Iterable[T], total: int, console: Console) -> Iterator[T]:
    columns = (TextColumn(task), BarColumn(), MofNCompleteColumn(), TextColumn("left"), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=task == "look") as progress:
        yield from progress.track(results, total=total)


def make_pair(config: Prepare, job: Job) -> str | None:
    """Write one picture's pairs. Returns None, or a sentence that says why it was left out.

    Raises OSError when they can not be written, which is no photo's fault.
    """
    try:
        drawings, picture = compose(config, job.sources)
    except Exception as error:  # whatever is wrong with one photo, the others go on
        return blame(job.sources.photo, error)
    for path, drawing in zip(job.outputs, drawings, strict=True):
        if path in job.stale:
            write_pair(path, drawing, picture, config.direction, job.record.text())
    return None


def blame(photo: Path, error: Exception) -> str:
    """A sentence that names the photo and what is wrong with it."""
    reason = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, MemoryError) or "nsufficient memory" in reason:
        reason = "there is not enough memory for it"
    return reason if str(photo) in reason else f"{photo}: {reason}"


def say(console: Console, text: str, style: str = "") -> None:
    shown = text.encode("utf-8", "backslashreplace").decode()  # names of files need not be text
    console.print(shown, style=style, markup=False, highlight=False, soft_wrap=True)
