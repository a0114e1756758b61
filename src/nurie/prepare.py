"""Photos -> pairs/. Parallel over cores; run the same command again to resume."""

import dataclasses
import json
import multiprocessing
import os
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import cv2
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from nurie.config import Prepare
from nurie.errors import NurieError, changed_options, refuse_below
from nurie.files.ours import walk
from nurie.pairs.files import write_pair, write_sheet
from nurie.pairs.names import picture_names, splits_of
from nurie.photos.compose import Sources, compose
from nurie.photos.read import HINTS, SUFFIXES

OPTIONS_FILE = "prepare.json"
NOT_IN_RESULT = {"photos", "pairs", "workers", "masks", "inputs"}  # options that may change between two calls


@dataclasses.dataclass(frozen=True)
class Job:
    """One picture to turn into pairs."""

    sources: Sources
    outputs: tuple[Path, ...]  # one file per detail, or one


def prepare(config: Prepare) -> Path:
    """Write train/, val/ and sheet.png. Returns the pairs folder.

    Files that can not be used are named at the end and left out. Raises NurieError when no pair could be made or
    when the folder holds pairs made with other options.
    """
    check(config)
    console = Console(stderr=True)
    jobs = plan_jobs(config, console)
    config.pairs.mkdir(parents=True, exist_ok=True)
    remember_options(config)
    todo = [job for job in jobs if not all(path.exists() for path in job.outputs)]
    console.print(f"{len(jobs)} pictures, {len(jobs) - len(todo)} of them done already")
    problems = run_jobs(config, todo, console)
    for problem in problems:
        say(console, f"left out: {problem}", "yellow")
    done = [list(job.outputs) for job in jobs if all(path.exists() for path in job.outputs)]
    if not done:
        raise NurieError(
            f"No pair could be made from the {len(jobs)} pictures in {config.photos}; the reasons are above."
        )
    write_sheet(config.pairs / "sheet.png", done, config.direction)
    counts = Counter(files[0].parent.name for files in done)
    console.print(
        f"{counts['train']} pictures to train on, {counts['val']} to validate; "
        f"{len(problems)} left out. Look at {config.pairs / 'sheet.png'}",
        soft_wrap=True,
    )
    return config.pairs


def check(config: Prepare) -> None:
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
    if config.size < 16 or config.size % 2:
        raise NurieError(f"--size must be an even number of at least 16 pixels, but it is {config.size}.")
    refuse_below(config, 0, "margin", "workers")
    if not 0 <= config.val_percent <= 90:
        raise NurieError(f"--val-percent must be between 0 and 90, but it is {config.val_percent}.")
    if not config.details:
        raise NurieError("--details needs at least one of few, some, many.")


def refuse_overlap(config: Prepare) -> None:
    """Raises NurieError where pairs would be written among the pictures that they are made from."""
    written = [config.pairs.resolve() / name for name in ("", "train", "val")]
    for folder in (config.photos, config.masks, config.inputs):
        if folder is not None and folder.resolve() in written:
            raise NurieError(f"{config.pairs} would be written among the pictures in {folder}. Choose another folder.")


def plan_jobs(config: Prepare, console: Console) -> list[Job]:
    found = walk(config.photos, SUFFIXES, without=(config.pairs, config.masks, config.inputs))
    photos = found.files
    if found.ignored:
        say(console, f"ignored: {', '.join(kinds_of(found.ignored))}")
    if not photos:
        raise NurieError(f"There are no JPEG, PNG or WebP pictures in {config.photos}.")
    names = picture_names([photo.relative_to(config.photos) for photo in photos])
    splits = splits_of(names, config.val_percent)
    masks, inputs = by_stem(config.masks), by_stem(config.inputs)
    jobs = []
    for photo, name, split in zip(photos, names, splits, strict=True):
        stem = str(photo.relative_to(config.photos).with_suffix(""))
        suffixes = [f"--{detail}" for detail in config.details] if config.mode == "lines" else [""]
        folder = config.pairs / split
        outputs = tuple(folder / f"{name}{suffix}.png" for suffix in suffixes)
        jobs.append(Job(Sources(photo, masks.get(stem), inputs.get(stem)), outputs))
    return jobs


def kinds_of(ignored: Counter[str]) -> list[str]:
    """What was ignored, by kind: "5 .heic (pip install pillow-heif)"."""
    hints = {kind: f" ({HINTS[kind]})" for kind in ignored if kind in HINTS}
    return [f"{count} {kind}{hints.get(kind, '')}" for kind, count in sorted(ignored.items())]


def say(console: Console, text: str, style: str = "") -> None:
    console.print(text, style=style, markup=False, highlight=False, soft_wrap=True)


def by_stem(folder: Path | None) -> dict[str, Path]:
    if folder is None:
        return {}
    return {str(path.relative_to(folder).with_suffix("")): path for path in walk(folder, SUFFIXES).files}


def remember_options(config: Prepare) -> None:
    """Save the options beside the result, or refuse to mix pairs made with different ones."""
    path = config.pairs / OPTIONS_FILE
    options: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(config), default=str))
    if path.exists():
        changed = changed_options(config, options, json.loads(path.read_text()), NOT_IN_RESULT)
        if changed:
            raise NurieError(
                f"{config.pairs} holds pairs made with other options ({changed}). "
                "Use the same options, another folder, or delete it."
            )
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(options, indent=2) + "\n")
    os.replace(temporary, path)


def run_jobs(config: Prepare, jobs: list[Job], console: Console) -> list[str]:
    """Run all jobs on all cores with a progress bar. Returns a sentence for each picture that was left out."""
    columns = (TextColumn("prepare"), BarColumn(), MofNCompleteColumn(), TextColumn("left"), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress:
        results = progress.track(results_of(config, jobs), total=len(jobs))
        return [problem for problem in results if problem]


def results_of(config: Prepare, jobs: list[Job]) -> Iterable[str | None]:
    workers = min(config.workers or os.cpu_count() or 1, len(jobs))
    if workers <= 1:
        yield from (make_pair(config, job) for job in jobs)
        return
    # spawn: forking a process that has threads (a progress bar, PyTorch) may hang
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, initializer=cv2.setNumThreads, initargs=(1,)) as pool:
        yield from pool.map(make_pair, [config] * len(jobs), jobs, chunksize=2)


def make_pair(config: Prepare, job: Job) -> str | None:
    """Write one picture's pairs. Returns None, or a sentence that says why it was left out."""
    try:
        drawings, picture = compose(config, job.sources)
    except NurieError as error:
        text = str(error)
        return text if str(job.sources.photo) in text else f"{job.sources.photo}: {text}"
    for path, drawing in zip(job.outputs, drawings, strict=True):
        write_pair(path, drawing, picture, config.direction)
    return None
