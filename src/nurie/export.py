"""run/ -> model/: fold, lower, quantise, compress, and compare with PyTorch before anything is handed over."""

import gzip
import hashlib
import json
import re
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from torch import nn

from nurie.config import Export
from nurie.convert.lower import lower
from nurie.convert.onnx import write_onnx
from nurie.drawings.ink import is_line_drawing
from nurie.drawings.labels import label_colours
from nurie.drawings.sheets import save_png
from nurie.drawings.strokes import read_strokes
from nurie.engine.modelfile import FORMAT, MANIFEST, VERSION, is_model
from nurie.engine.plan import FILL, Plan, make_plan
from nurie.engine.wasm import Engine
from nurie.errors import NurieError, refuse_below
from nurie.nets.checkpoint import load_generator
from nurie.nets.generators import multiple_of
from nurie.nets.tensors import to_images, to_tensor
from nurie.pairs.folder import PairFolder
from nurie.photos.lineart import line_width

WEIGHTS = "weights.bin.gz"
DEFAULT_PRESETS = 6  # val drawings for the preset button when no presets are given
LOOKED_AT = 32  # val drawings in which labels are looked for


def export(config: Export) -> Path:
    """Write the model folder and return it. Raises NurieError, and then leaves an older model as it was."""
    refuse_below(config, 1, "samples")  # an export is not handed over unchecked
    generator, meta = load_generator(config.run)
    refuse_foreign(config.model)
    size = meta["train"]["size"]
    pairs = val_pairs(config, meta)
    drawings = some_drawings(pairs, max(config.samples, DEFAULT_PRESETS))
    labels = named_labels(config.labels) or [
        {"colour": colour} for colour in label_colours(some_drawings(pairs, LOOKED_AT))
    ]
    plan, weights = lower(generator, size, config.weights == "int8")
    styles = meta.get("styles", []) if any(op.op == "style" for op in plan.ops) else []
    parity = compare(generator, plan, weights, styles, drawings[: config.samples], config.tolerance)
    if config.fill:
        plan = filling(plan)
    config.model.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{config.model.name}-", dir=config.model.parent))
    try:
        temporary.chmod(0o755)
        presets = write_presets(config.presets, drawings, temporary)
        if labels and any("strokes" in preset for preset in presets):
            raise NurieError("The drawings of this model are label maps: expected presets that are .png pictures.")
        credits = list(dict.fromkeys([*config.credits, *meta.get("credits", [])]))
        packed = gzip.compress(weights, 9, mtime=0)
        (temporary / WEIGHTS).write_bytes(packed)
        manifest = describe(config, meta, generator, plan, labels) | {
            "pencil": pencil_width(drawings),
            "hints": bool(meta["train"].get("hints")) and any(map(is_line_drawing, drawings)),
            "weights": {
                "file": WEIGHTS, "encoding": "gzip", "bytes": len(packed), "raw_bytes": len(weights),
                "sha256": hashlib.sha256(packed).hexdigest(),
            },
            "styles": styles, **plan.to_json(), "presets": presets, "credits": credits, "parity": parity,
        }  # fmt: skip
        (temporary / MANIFEST).write_text(json.dumps(manifest, ensure_ascii=False) + "\n", encoding="utf-8")
        if "onnx" in config.format:
            write_onnx(generator, drawings[0], temporary / "model.onnx")
        shutil.rmtree(config.model, ignore_errors=True)
        temporary.rename(config.model)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    Console(stderr=True).print(
        f"{config.model}: step {meta['step']}, {len(packed) / 1e6:.2f} MB, {plan.macs(size, size) / 1e9:.2f} GMAC; "
        f"engine against PyTorch on {parity['samples']} drawings: mean difference {parity['mean_difference']:.4f}, "
        f"largest {parity['max_difference']:.3f} of 1",
        soft_wrap=True,
    )
    return config.model


def refuse_foreign(model: Path) -> None:
    """Export replaces models, and nothing else."""
    if model.is_file() or (model.is_dir() and any(model.iterdir()) and not is_model(model)):
        raise NurieError(f"{model} exists and is no model folder. Choose another folder, or empty this one.")


def val_pairs(config: Export, meta: dict[str, Any]) -> PairFolder:
    """The val pairs, else the train pairs. Raises NurieError when there are none."""
    options = meta["train"]
    pairs = config.pairs or Path(options["pairs"])
    folder = PairFolder(pairs / "val", options["size"], options["direction"])
    if not len(folder):
        folder = PairFolder(pairs / "train", options["size"], options["direction"])
    if not len(folder):
        raise NurieError(f"There are no pairs in {pairs} to check the export with. Name the pairs folder with --pairs.")
    return folder


def some_drawings(pairs: PairFolder, count: int) -> list[np.ndarray]:
    """Up to `count` drawings, evenly spread: uint8 (size, size, 3) each."""
    return [pairs.read(path)[0] for path in pairs.spread(count)]


def named_labels(labels: Sequence[str]) -> list[dict[str, str]]:
    """The manifest's labels from NAME=#rrggbb each. Raises NurieError when one is not that, or there is only one."""
    found = []
    for label in labels:
        title, _, colour = label.rpartition("=")
        if not title or not re.fullmatch("#[0-9a-fA-F]{6}", colour):
            raise NurieError(f"--labels expects NAME=COLOUR for each, such as wall=#0030ff; {label} is not that.")
        found.append({"colour": colour.lower(), "title": title})
    if len(found) == 1:
        raise NurieError("--labels expects at least two labels, the ground first; there is one.")
    return found


@torch.no_grad()
def compare(
    generator: nn.Module,
    plan: Plan,
    weights: bytes,
    styles: list[list[float]],
    drawings: list[np.ndarray],
    tolerance: float,
) -> dict[str, Any]:
    """The manifest's parity record. Raises NurieError when the engine's pictures are not PyTorch's."""
    engine = Engine(plan, weights=weights)
    if styles:
        engine.set_style(0, styles[0])
    differences = []
    for drawing in drawings:
        expected = to_images(generator(to_tensor([drawing])))[0]
        differences.append(np.abs(engine.run(drawing).astype(np.float32) - expected) / 255.0)
    mean, largest = float(np.mean(differences)), float(np.max(differences))
    if mean > tolerance:
        raise NurieError(
            f"The engine's pictures differ from PyTorch's by {mean:.4f} of 1 on average, more than the {tolerance} "
            "that --tolerance allows. Export with --weights float32, or train longer; nothing was written."
        )
    return {
        "samples": len(drawings), "mean_difference": round(mean, 6), "max_difference": round(largest, 6),
        "tolerance": tolerance,
    }  # fmt: skip


def filling(plan: Plan) -> Plan:
    """The same, and each area that a drawing's lines enclose gets one colour."""
    ops = (replace(op, activation=FILL) if op.op == "output" else op for op in plan.ops)
    return make_plan(plan.tensors, ops)


def describe(
    config: Export, meta: dict[str, Any], generator: nn.Module, plan: Plan, labels: list[dict[str, str]]
) -> dict[str, Any]:
    """The manifest's first part."""
    size, kind = meta["train"]["size"], meta["generator"]["kind"]
    title = config.title or config.run.resolve().stem
    return {
        "format": FORMAT,
        "version": VERSION,
        "title": {"en": title, "ja": config.title_ja} if config.title_ja else title,
        "input": {
            "width": size, "height": size, "channels": 3, "range": [-1, 1], "multiple": multiple_of(kind),
            "meaning": "label map: flat colours, RGB" if labels else "drawing: dark lines on white, RGB",
        },
        "labels": labels,
        "output": {"channels": 3, "range": [-1, 1], "meaning": "picture, RGB"},
        "norm": "fixed",
        "direction": meta["train"]["direction"],
        "generator": {
            **meta["generator"], "parameters": sum(p.numel() for p in generator.parameters()),
            "macs": plan.macs(size, size), "steps": meta["step"],
        },
    }  # fmt: skip


def pencil_width(drawings: list[np.ndarray]) -> float:
    """The width of line that the model knows, pixels to a half: the median of the line drawings, else a thin one."""
    widths = [line_width(drawing) for drawing in drawings if is_line_drawing(drawing)]
    return max(1.0, round(2 * float(np.median(widths))) / 2) if widths else 2.0


def write_presets(presets: Path | None, drawings: list[np.ndarray], folder: Path) -> list[dict[str, Any]]:
    """The manifest's presets: from a folder of .json strokes and .png pictures, else the first val drawings."""
    if presets is None:
        for i, drawing in enumerate(drawings[:DEFAULT_PRESETS], 1):
            save_png(folder / f"preset-{i}.png", drawing)
        count = min(DEFAULT_PRESETS, len(drawings))
        return [{"title": {"en": f"Preset {i}"}, "image": f"preset-{i}.png"} for i in range(1, count + 1)]
    files = sorted(p for p in presets.glob("*") if p.suffix in (".json", ".png")) if presets.is_dir() else []
    if not files:
        raise NurieError(f"There are no presets in {presets}. Expected .json files of strokes or .png pictures.")
    entries = []
    for i, path in enumerate(files, 1):
        if path.suffix == ".json":
            entries.append(read_strokes(path, drawings[0].shape[1]))
        else:
            shutil.copyfile(path, folder / f"preset-{i}.png")
            entries.append({"title": {"en": path.stem}, "image": f"preset-{i}.png"})
    return entries
