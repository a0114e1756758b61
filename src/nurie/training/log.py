"""What a training run tells while it goes on: losses.jsonl, report.html, warnings.txt, progress bar."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from accelerate import Accelerator
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from nurie.config import Train
from nurie.files.ours import LOSSES
from nurie.files.write import append, write_file
from nurie.training.report import is_report_of, write_report


class Log:
    """losses.jsonl (one line per step), report.html and warnings.txt of a run, which goes on after `step` steps.

    about: what is trained on what.
    """

    def __init__(self, config: Train, step: int, about: str) -> None:
        self.config, self.about, self.path = config, about, config.run / LOSSES
        text = self.path.read_text() if self.path.exists() else ""
        # the run was killed after the checkpoint: those steps come again
        self.records = [r for r in map(parse_line, text.splitlines()) if r and r["step"] <= step]
        kept = "".join(json.dumps(r) + "\n" for r in self.records)
        if kept != text:
            write_file(self.path, kept.encode())
        self.warnings = config.run / "warnings.txt"
        lines = self.warnings.read_text().splitlines() if self.warnings.exists() else []
        self.warned = {line.split(" at step ")[0] for line in lines}

    def add(self, record: dict[str, float]) -> None:
        self.records.append(record)
        append(self.path, json.dumps(record) + "\n")

    def amend(self, scores: dict[str, float], told: str) -> None:
        """The scores of the last step are these now, for a reason that the report tells."""
        self.records[-1] |= scores
        self.about += f" {told}"
        write_file(self.path, "".join(json.dumps(r) + "\n" for r in self.records).encode())

    def warn(self, found: dict[str, str], console: Console) -> None:
        """Each kind of warning once in a run: above the progress bar, and in warnings.txt."""
        step = int(self.records[-1]["step"]) if self.records else 0
        for kind, sentence in found.items():
            if kind in self.warned:
                continue
            self.warned.add(kind)
            console.print(f"Warning: {sentence}", markup=False, highlight=False, soft_wrap=True)
            append(self.warnings, f"{kind} at step {step}: {sentence}\n")

    def report(self, steps: int, seconds: float | None) -> None:
        """steps: of the whole run. seconds: of a step; None where that is not known."""
        warnings = self.warnings.read_text().splitlines() if self.warnings.exists() else []
        write_report(self.config, steps, self.about, self.records, warnings, seconds)

    def lacks_report(self) -> bool:
        """Whether the run was killed between its last save and the report of it."""
        saved = bool(self.records) and "val_score" in self.records[-1]
        return saved and not is_report_of(self.config.run, int(self.records[-1]["step"]))


def parse_line(line: str) -> dict[str, float] | None:
    try:
        return json.loads(line)
    except json.JSONDecodeError:  # the last line of a killed run may be cut off
        return None


@contextmanager
def tracking(accelerator: Accelerator, config: Train) -> Iterator[None]:
    """Inside, what is given to `accelerator.log` goes to the trackers that the options name."""
    if config.track:
        accelerator.init_trackers("nurie", init_kwargs={"trackio": {"name": config.run.absolute().name}})
    try:
        yield
    finally:
        for tracker in accelerator.trackers:
            tracker.finish()


def progress_bar(shown: bool) -> Progress:
    return Progress(
        TextColumn("train"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[status]}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        speed_estimate_period=1800,  # seconds; steps may take minutes
        disable=not shown,
    )


def looking(results: Iterable[None], total: int) -> Iterator[None]:
    """A bar that goes away, while pictures are opened."""
    columns = (TextColumn("look"), BarColumn(), MofNCompleteColumn(), TextColumn("left"), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        yield from progress.track(results, total=total)
