"""Runs and models on val pairs: one table, the same as a line of JSON, and a sheet to look at.

L1 and robustness are of the 0-1 range. The numbers come from the bytes that the page shows.
"""

import json
import sys
import time
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from nurie.batches.hints import around, choose_strokes, paint_strokes, turn_hues
from nurie.config import Evaluate
from nurie.drawings import sheets
from nurie.drawings.areas import flat_areas, shades
from nurie.drawings.collection import Sketch, open_collection
from nurie.drawings.ink import is_line_drawing
from nurie.drawings.shift import overlap
from nurie.errors import NurieError
from nurie.limits import check_values
from nurie.painting.inputs import counted
from nurie.painting.metrics import Distance, PictureMetrics, load_networks
from nurie.painting.painter import Paint, Painter, open_painter
from nurie.painting.perturb import NAMES, perturb
from nurie.painting.seen import look
from nurie.pairs.check import leave_out_damaged
from nurie.pairs.folder import PairFolder, open_pairs
from nurie.pairs.inspect import LOOKED_AT, refuse_without_lines
from nurie.pairs.kinds import MODEL, RUN, refuse_other_kind
from nurie.size import Size

TIMED = 11  # pictures of which the median time is taken
HINTS = 4  # strokes on a drawing
Result = dict[str, Any]
ROWS = [  # key of a result, label, format
    ("l1", "L1", ".4f"),
    ("psnr", "PSNR, dB", ".2f"),
    ("ssim", "SSIM", ".4f"),
    ("fid", "FID", ".2f"),
    ("kid", "KID", ".5f"),
    ("lpips", "LPIPS", ".4f"),
    ("shades", "shades in flat areas", ".4f"),
    ("robustness", "robustness: mean change", ".4f"),
    *((f"perturbed.{name}", f"  {name}: change, L1 rise", "") for name in NAMES),
    ("hints.without", "colour error at hints: not given", ".4f"),
    ("hints.with", "  given", ".4f"),
    ("hints.other_without", "  in other hues: not given", ".4f"),
    ("hints.other_with", "  in other hues: given", ".4f"),
    ("drawings.lost", "drawings without pictures: strokes lost", ".4f"),
    ("drawings.lost_small", "  small strokes lost", ".4f"),
    ("drawings.contrast", "  contrast of strokes, L*", ".1f"),
    ("drawings.white_inside", "  white where lines enclose it", ".4f"),
    ("drawings.paint_outside", "  painted where the sheet is open", ".4f"),
    ("drawings.kid", "  KID to the targets", ".5f"),
    ("parameters", "parameters", ",d"),
    ("macs", "MACs, real", ",d"),
    ("paper_macs", "MACs, as papers count", ",d"),
    ("model_bytes", "model, bytes", ",d"),
    ("wasmtime_ms", "ms per picture (WebAssembly in wasmtime, one thread)", ".1f"),
]


def evaluate(config: Evaluate) -> list[Result]:
    """Print the table and the line of JSON, write the sheet, and return the results, one for each model."""
    check(config)
    sketches = sketches_of(config)
    if config.threads:
        torch.set_num_threads(config.threads)
    painters = {path: open_painter(path) for path in dict.fromkeys((config.model, *config.compare))}
    for painter in painters.values():
        painter.set_seed(painter.mean_seed)  # what the maker likes best is far from the mean of the targets
    size, direction = agreed(painters)
    folder = leave_out_damaged(open_pairs(config.pairs, "val", size, direction))
    if not folder.groups:
        raise NurieError(f"None of the val pairs in {config.pairs} can be used; the reasons are above.")
    if sketches:
        refuse_without_lines([folder.read(path)[0] for path in folder.spread(LOOKED_AT)], config.pairs)
    files = choose(folder, config.samples)
    networks = load_networks()
    for sentence in networks.missing:
        print(f"nurie: {sentence}", file=sys.stderr)
    metrics = PictureMetrics(networks, len(files), config.seed)
    names = short_names(painters)
    targets = [lambda path=group[0]: folder.read(path)[1] for group in folder.groups]
    drawn = Distance(networks, targets, len(sketches), config.seed)
    results = [
        {
            "name": name,
            "path": str(path),
            **measure(name, painter, folder, files, metrics, config.seed),
            "drawings": measure_drawings(painter, sketches, drawn) if sketches else None,
        }
        for name, (path, painter) in zip(names, painters.items(), strict=True)
    ]
    if config.sheet:
        write_sheet(config.sheet, list(painters.values()), names, folder, config.sheet_rows)
    about = {"pairs": str(config.pairs), "samples": len(files), "size": size.saved, "direction": direction}
    print(table(results, f"{len(files)} val pairs, {size.both}"))
    print(json.dumps({**about, "seed": config.seed, "results": results}, ensure_ascii=False, allow_nan=False))
    return results


def check(config: Evaluate) -> None:
    check_values(config)
    for path in (config.model, *config.compare):
        refuse_other_kind(path, [MODEL, RUN], "evaluate", config.pairs)
    if config.sheet and config.sheet.is_dir():
        raise NurieError(f"--sheet names the PNG file to write, but {config.sheet} is a folder.")


def sketches_of(config: Evaluate) -> Sequence[Sketch]:
    """The drawings without pictures. What is left out of them is said on standard error."""
    if config.drawings is None:
        return []
    collection = open_collection(config.drawings)
    if collection.left_out:
        print(f"left out of {config.drawings}: {collection.told()}", file=sys.stderr)
    return collection.sketches


def agreed(painters: dict[Path, Painter]) -> tuple[Size, str]:
    """Size and direction that all share: only then do they see the same pairs. Raises NurieError."""
    first, expected = next(iter(painters.items()))
    for path, painter in painters.items():
        for name in ("width", "height", "direction"):
            if getattr(painter, name) != getattr(expected, name):
                raise NurieError(
                    f"{path} has {name} {getattr(painter, name)}, but {first} has {getattr(expected, name)}: "
                    "they can not be compared on the same pairs. Evaluate them one by one."
                )
    return Size(expected.width, expected.height), expected.direction


def choose(folder: PairFolder, samples: int) -> list[Path]:
    """All pairs for 0; fewer evenly spread, one for each picture as long as that is enough."""
    files = [path for group in folder.groups for path in group]
    if samples == 0 or samples >= len(files):
        return files
    if samples <= len(folder):
        return folder.spread(samples)
    return [files[i] for i in np.linspace(0, len(files) - 1, samples).astype(int)]


def short_names(paths: Iterable[Path]) -> list[str]:
    """The folders' names, or the whole paths where two names are the same."""
    whole = list(paths)
    folders = [p.resolve().parent if p.is_file() else p.resolve() for p in whole]
    names = [folder.name for folder in folders]
    return names if len(set(names)) == len(names) else [str(path) for path in whole]


def measure(
    name: str, painter: Painter, folder: PairFolder, files: list[Path], metrics: PictureMetrics, seed: int
) -> Result:
    """Everything about one run or model, with the keys of docs/formats.md."""
    effects, hinted, turned, shaded = [], [], [], []
    for path in counted(f"evaluate {name}", files):
        drawing, target = folder.read(path)
        picture = painter.paint(drawing)
        metrics.add(picture, target)
        shaded.append(shades(picture, flat_areas(target)))
        if is_line_drawing(drawing):
            own = [seed, zlib.crc32(path.name.encode())]  # by the file's name: the same whatever --samples is
            effects.append(effects_of(painter.paint, drawing, picture, target, own))
            hinted += hint_errors(painter.paint, drawing, picture, target, own)
            other = turn_hues(target, np.random.default_rng([*own, len(NAMES) + 1]))
            turned += hint_errors(painter.paint, drawing, picture, other, own)
    scores = {key: value if value is None else round(value, 6) for key, value in metrics.finish().items()}
    plan, is_model = painter.plan(), painter.model_bytes is not None
    return {
        "kind": "model" if is_model else "run",
        **scores,
        "shades": mean_or_none(np.concatenate(shaded)),
        **summary(effects),
        "hints": hint_summary(hinted, turned),
        "parameters": painter.parameters,
        "macs": plan.macs(painter.height, painter.width),
        "paper_macs": plan.paper_macs(painter.height, painter.width),
        "model_bytes": painter.model_bytes,
        "wasmtime_ms": round(time_ms(painter.paint, folder.read(files[0])[0]), 2) if is_model else None,
    }


def measure_drawings(painter: Painter, sketches: Sequence[Sketch], targets: Distance) -> Result:
    """What is seen of drawings without pictures in a model's pictures, and how far these are from the val targets."""
    seen, pictures = look(painter, sketches)
    return seen.summary() | {"kid": targets.to(pictures)}


def effects_of(
    paint: Paint, drawing: np.ndarray, picture: np.ndarray, target: np.ndarray, seed: list[int]
) -> list[tuple[float, float]]:
    """For each perturbation: how much the picture changes, and how much farther from the target it is (L1)."""
    effects = []
    for version in perturb(drawing, seed).values():
        moved, still = overlap(drawing.shape, version.shift)
        changed = paint(version.drawing)[moved]
        rise = difference(changed, target[still]) - difference(picture[still], target[still])
        effects.append((difference(changed, picture[still]), rise))
    return effects


def hint_errors(
    paint: Paint, drawing: np.ndarray, picture: np.ndarray, target: np.ndarray, seed: list[int]
) -> list[tuple[float, float]]:
    """How far the mean colour around each stroke of the target's colour is from the target's: without and with it.

    The same pixels count in both: the stroke and what lies close to it inside the subject. Of the 0-1 range.
    """
    strokes = choose_strokes(drawing, target, HINTS, np.random.default_rng([*seed, len(NAMES)]))
    painted = paint(paint_strokes(drawing, strokes))
    regions = [around(stroke.covered, target) for stroke in strokes]
    return [(colour_error(picture, target, region), colour_error(painted, target, region)) for region in regions]


def colour_error(picture: np.ndarray, target: np.ndarray, region: np.ndarray) -> float:
    return float(np.abs(picture[region].mean(0) - target[region].mean(0)).mean() / 255)


def hint_summary(own: list[tuple[float, float]], other: list[tuple[float, float]]) -> dict[str, float] | None:
    """Means over all strokes in the targets' own hues and in other ones. None without line drawings."""
    if not own or not other:
        return None
    means = (*np.mean(own, axis=0), *np.mean(other, axis=0))
    keys = ("without", "with", "other_without", "other_with")
    return {key: round(float(mean), 6) for key, mean in zip(keys, means, strict=True)}


def mean_or_none(values: np.ndarray) -> float | None:
    return round(float(values.mean()), 6) if len(values) else None


def difference(a: np.ndarray, b: np.ndarray) -> float:
    """Mean absolute difference of two uint8 pictures, of the 0-1 range."""
    return float(np.abs(a.astype(np.int16) - b).mean() / 255)


def summary(effects: list[list[tuple[float, float]]]) -> Result:
    """Means over the drawings; the score is the mean change over all perturbations. None without line drawings."""
    if not effects:
        return {"robustness": None, "perturbed": None}
    means = np.mean(effects, axis=0)  # (drawings, perturbations, 2) -> (perturbations, 2)
    perturbed = {
        name: {"change": round(float(change), 6), "l1_rise": round(float(rise), 6)}
        for name, (change, rise) in zip(NAMES, means, strict=True)
    }
    return {"robustness": round(float(means[:, 0].mean()), 6), "perturbed": perturbed}


def time_ms(paint: Paint, drawing: np.ndarray) -> float:
    """Median time of a picture, after one to warm up."""
    paint(drawing)
    times = []
    for _ in range(TIMED):
        start = time.perf_counter()
        paint(drawing)
        times.append(time.perf_counter() - start)
    return float(np.median(times)) * 1000


def table(results: list[Result], corner: str) -> str:
    """Aligned plain text: one row for each value, one column for each model."""
    lines = [[corner, *(result["name"] for result in results)]]
    lines += [[label, *(cell(result, key, form) for result in results)] for key, label, form in ROWS]
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    return "\n".join(
        "  ".join([line[0].ljust(widths[0]), *(text.rjust(w) for text, w in zip(line[1:], widths[1:], strict=True))])
        for line in lines
    )


def cell(result: Result, key: str, form: str) -> str:
    """A value as text; a dash for what is not known."""
    key, _, name = key.partition(".")
    value = result[key]
    if value is not None and name:
        value = value[name]
    if value is None:
        return "-"
    return f"{value['change']:.4f}, {value['l1_rise']:+.4f}" if isinstance(value, dict) else f"{value:{form}}"


def write_sheet(path: Path, painters: list[Painter], names: list[str], folder: PairFolder, count: int) -> None:
    """Rows of drawing, each model's picture, target."""
    rows = []
    for file in folder.spread(count):
        drawing, target = folder.read(file)
        rows.append([drawing, *(painter.paint(drawing) for painter in painters), target])
    path.parent.mkdir(parents=True, exist_ok=True)
    sheets.save_png(path, sheets.headed(sheets.sheet(rows), ["drawing", *names, "target"]))
    print(f"{path}: {len(rows)} drawings", file=sys.stderr)
