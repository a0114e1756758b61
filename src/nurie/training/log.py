"""What a training run tells while it goes on: losses.jsonl, losses.png, warnings.txt, TensorBoard, progress bar."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from nurie.drawings import sheets
from nurie.files.ours import LOSSES
from nurie.files.write import append, write_file
from nurie.training import curves


class Log:
    """losses.jsonl (one line per step), losses.png, and TensorBoard where it is installed."""

    def __init__(self, run: Path, step: int) -> None:
        self.run, self.path = run, run / LOSSES
        lines = self.path.read_text().splitlines() if self.path.exists() else []
        # the run was killed after the checkpoint: those steps come again
        self.records = [r for r in map(parse_line, lines) if r and r["step"] <= step]
        write_file(self.path, "".join(json.dumps(r) + "\n" for r in self.records).encode())
        self.board = tensorboard(run)
        self.warnings = run / "warnings.txt"
        lines = self.warnings.read_text().splitlines() if self.warnings.exists() else []
        self.warned = {line.split(" at step ")[0] for line in lines}

    def add(self, record: dict[str, float]) -> None:
        self.records.append(record)
        append(self.path, json.dumps(record) + "\n")
        if self.board:
            for name, value in record.items():
                self.board.add_scalar(name, value, record["step"])

    def warn(self, found: dict[str, str], console: Console) -> None:
        """Each kind of warning once in a run: above the progress bar, and in warnings.txt."""
        step = int(self.records[-1]["step"]) if self.records else 0
        for kind, sentence in found.items():
            if kind in self.warned:
                continue
            self.warned.add(kind)
            console.print(f"Warning: {sentence}", markup=False, highlight=False, soft_wrap=True)
            append(self.warnings, f"{kind} at step {step}: {sentence}\n")

    def plot(self) -> None:
        names = dict.fromkeys(name for r in self.records for name in r if name not in ("step", "images_per_s"))
        lines = {}
        for name in names:
            rows = [r for r in self.records if name in r]
            lines[name] = ([r["step"] for r in rows], [r[name] for r in rows])
        sheets.save_png(self.run / "losses.png", curves.plot(lines))


def parse_line(line: str) -> dict[str, float] | None:
    try:
        return json.loads(line)
    except json.JSONDecodeError:  # the last line of a killed run may be cut off
        return None


def tensorboard(run: Path) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(str(run / "tensorboard"))


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
