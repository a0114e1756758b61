"""A run as one static HTML file: how far it is, samples over time, curves, val scores, warnings, options, versions."""

import base64
import dataclasses
import io
import math
import platform
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import accelerate
import numpy as np
import torch
from jinja2 import Environment, PackageLoader
from PIL import Image

from nurie import __version__
from nurie.config import Train
from nurie.files.ours import REPORT
from nurie.files.titles import title_from
from nurie.files.write import write_file
from nurie.training.opening import duration

MOST_SAMPLES = 24  # sheets in a report, evenly spread over the run
SHEET_WIDTH = 1200  # pixels; WebP of quality 80, about 100 kB each
MOST_POINTS = 200  # of a curve
WIDTH, HEIGHT = 300, 90  # of a chart, its own units
VAL = "val_"  # begins the names of scores that only saves have


@dataclass(frozen=True)
class Chart:
    """A curve in a chart of WIDTH x HEIGHT, y down: the mean of each group of steps, and what these lie between."""

    name: str
    line: str  # SVG points
    band: str  # SVG points of an outline; empty where groups are of one step
    least: float
    most: float
    last: float


@dataclass(frozen=True)
class Sample:
    step: int
    picture: str  # a data: address


def write_report(
    config: Train,
    steps: int,
    about: str,
    records: list[dict[str, float]],
    warnings: list[str],
    seconds: float | None,
) -> None:
    """Write RUN/report.html anew.

    steps: of the whole run. about: what is trained on what. records: as in losses.jsonl, at least one. seconds: of a
    step, as now measured; None where that is not known.
    """
    step = int(records[-1]["step"])
    left = seconds * (steps - step) if seconds else 0.0
    page = Environment(loader=PackageLoader("nurie.training"), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    text = page.get_template("report.html").render(
        name=title_from(config.run, config.pairs),
        step=step,
        steps=steps,
        written=time.strftime("%Y-%m-%d %H:%M"),
        about=about,
        left=duration(left) if left else "",
        finished=step >= steps,
        end=time.strftime("%Y-%m-%d %H:%M", time.localtime(time.time() + left)),
        samples=samples(config.run, step),
        charts=[chart(name, *curve(records, name)) for name in names(records)],
        size=(WIDTH, HEIGHT),
        scores=[name for name in names(records) if name.startswith(VAL)],
        saves=[record for record in records if f"{VAL}score" in record][-MOST_SAMPLES:],
        best=min((record[f"{VAL}score"] for record in records if f"{VAL}score" in record), default=math.nan),
        warnings=warnings,
        options=options(config),
        versions=versions(),
    )
    write_file(config.run / REPORT, text.encode("utf-8", "replace"))


def is_report_of(run: Path, step: int) -> bool:
    """Whether a run's report is of this step."""
    if not (run / REPORT).is_file():
        return False
    with (run / REPORT).open(encoding="utf-8", errors="replace") as file:
        return f": step {step} of " in file.read(2000).partition("</title>")[0]


def names(records: list[dict[str, float]]) -> list[str]:
    """What was recorded; scores of the val pairs first."""
    found = dict.fromkeys(name for record in records for name in record if name != "step")
    return sorted(found, key=lambda name: not name.startswith(VAL))


def curve(records: list[dict[str, float]], name: str) -> tuple[np.ndarray, np.ndarray]:
    """Steps and values, float64 (n,) each."""
    rows = [(record["step"], record[name]) for record in records if name in record]
    steps, values = np.array(rows, float).T
    return steps, values


def chart(name: str, steps: np.ndarray, values: np.ndarray) -> Chart:
    groups = [group for group in np.array_split(np.arange(len(steps)), MOST_POINTS) if len(group)]
    at = np.array([steps[group].mean() for group in groups])
    mean = np.array([values[group].mean() for group in groups])
    low, high = (np.array([np.percentile(values[group], share) for group in groups]) for share in (10, 90))
    least, most = float(low.min()), float(high.max())
    x = (at - at[0]) / ((at[-1] - at[0]) or 1) * WIDTH

    def points(xs: np.ndarray, ys: np.ndarray) -> str:
        down = HEIGHT * (1 - (ys - least) / ((most - least) or 1))
        return " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(xs, down, strict=True))

    band = f"{points(x, high)} {points(x[::-1], low[::-1])}" if len(steps) > len(groups) else ""
    return Chart(name, points(x, mean), band, least, most, float(mean[-1]))


def samples(run: Path, step: int) -> list[Sample]:
    """The run's sample sheets up to a step, from first to last."""
    sheets = {int(path.stem.removeprefix("samples-")): path for path in run.glob("samples-[0-9]*.png")}
    steps = sorted(number for number in sheets if number <= step)
    chosen = np.unique(np.linspace(0, len(steps) - 1, min(MOST_SAMPLES, len(steps))).astype(int))
    return [Sample(steps[i], address(sheets[steps[i]])) for i in chosen]


@cache
def address(sheet: Path) -> str:
    """A PNG file as a data: address, in WebP and no wider than SHEET_WIDTH."""
    with Image.open(sheet) as image:
        image.thumbnail((SHEET_WIDTH, image.height), Image.Resampling.LANCZOS)
        file = io.BytesIO()
        image.convert("RGB").save(file, "WEBP", quality=80)
    return f"data:image/webp;base64,{base64.b64encode(file.getvalue()).decode()}"


def options(config: Train) -> list[tuple[str, str, bool]]:
    """Each option, its value, and whether that is not its default."""
    fields = dataclasses.fields(config)
    return [(f.name.replace("_", "-"), shown(v := getattr(config, f.name)), v != f.default) for f in fields]


def shown(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return "" if value is None else str(value)


def versions() -> dict[str, str]:
    return {
        "Nurie": __version__,
        "Python": platform.python_version(),
        "PyTorch": torch.__version__,
        "Accelerate": accelerate.__version__,
        "system": platform.platform(),
    }
