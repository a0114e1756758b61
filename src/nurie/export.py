"""run/ -> model/: fold, lower, quantise, compress, and compare with PyTorch before anything is handed over."""

import gc
import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from nurie.config import Export
from nurie.convert.allocate import allocate, picture_of, probabilities
from nurie.convert.bundle import About, Bundle, filling, make_bundle, refuse_other, styles_of, write
from nurie.convert.lower import lower
from nurie.convert.onnx import to_onnx
from nurie.convert.parity import compare, pictures_of, probabilities_of
from nurie.drawings.ink import is_line_drawing
from nurie.drawings.labels import label_colours
from nurie.drawings.made_up import made_up
from nurie.drawings.palette import to_bytes
from nurie.drawings.sheets import to_png
from nurie.drawings.strokes import read_strokes
from nurie.engine.modelfile import ONNX, Label, Preset
from nurie.errors import NurieError
from nurie.files.hashed import hashed
from nurie.files.lock import locked
from nurie.files.titles import readable, title_from
from nurie.limits import check_values
from nurie.nets.checkpoint import load_generator
from nurie.nets.tensors import to_tensor
from nurie.painting.inputs import DRAWINGS, STROKES, load_drawing
from nurie.painting.lines import refuse_on_maps
from nurie.pairs.check import leave_out_damaged
from nurie.pairs.folder import PairFolder
from nurie.pairs.kinds import RUN, refuse_other_kind
from nurie.photos.lineart import line_width
from nurie.size import Size

DEFAULT_PRESETS = 6  # val drawings for the preset button when no presets are given
MOST_LABELS = 256  # as the manifest
ALLOCATED = 8  # drawings on whose pictures the rounding of weights is judged
MOST_ALLOCATED = 8_000_000  # weights; larger nets keep 8 bits for each channel
LOOKED_AT = 32  # val drawings in which labels are looked for
Pictures = dict[str, bytes]  # files beside the manifest


def export(config: Export) -> Path:
    """Write the model folder and return it. Raises NurieError, and then leaves an older model as it was."""
    check_values(config)
    labels, styles = named_labels(config.labels), named_styles(config.styles)
    refuse_other_kind(config.run, [RUN], "export", config.model)
    refuse_other(config.model)
    with locked(config.model):
        bundle = make_model(config, labels, styles)
        write(bundle, config.model)
    Console(stderr=True).print(summary(config.model, bundle), soft_wrap=True)
    return config.model


def make_model(config: Export, labels: list[Label], styles: list[list[float]]) -> Bundle:
    """A model of the run, compared with it. Without labels, those of its drawings; `styles` to begin with. Raises
    NurieError."""
    generator, meta = load_generator(config.run)
    count = max(config.samples, DEFAULT_PRESETS)
    if config.pairs is None and "imported" in meta:
        labels = labels or palette_of(meta)
        size = Size.parse(meta["train"]["size"])
        drawings = made_up(count, size.height, size.width, [label.colour for label in labels])
    else:
        pairs = val_pairs(config, meta)
        drawings = some_drawings(pairs, count)
        labels = labels or palette_of(meta) or found_labels(some_drawings(pairs, LOOKED_AT))
    about, pictures = about_model(config, meta, labels, styles, drawings)
    palette = to_bytes(meta.get("palette", []))
    compared, parameters = drawings[: config.samples], sum(p.numel() for p in generator.parameters())
    int8, steps = config.weights == "int8", meta.get("steps", {})
    if int8 and not steps and "imported" not in meta and parameters <= MOST_ALLOCATED:
        shows = probabilities if len(palette) else picture_of
        steps = allocate(generator, to_tensor(drawings[:ALLOCATED]), config.rounding, shows)
    plan, weights = lower(generator, Size.parse(meta["train"]["size"]), int8, palette, steps)
    gives = "logits" if len(palette) else "picture"
    more = {ONNX: to_onnx(generator, drawings[0], gives)} if "onnx" in config.format else {}
    expected = (probabilities_of if len(palette) else pictures_of)(generator, compared)
    del generator
    gc.collect()  # the graph refers to it, and the engine needs the memory
    parity = compare(plan, weights, styles_of(meta, plan), compared, expected, config.tolerance)
    bundle = make_bundle(parameters, meta, filling(plan) if config.fill else plan, weights, about, parity)
    return replace(bundle, files=bundle.files | pictures | more)


def summary(model: Path, bundle: Bundle) -> str:
    made, weights, parity = bundle.manifest.generator, bundle.manifest.weights, bundle.manifest.parity
    assert parity
    return (
        f"{model}: step {made.steps}, {weights.bytes / 1e6:.2f} MB, {made.macs / 1e9:.2f} GMAC; "
        f"engine against PyTorch on {parity.samples} drawings: mean difference {parity.mean_difference:.4f}, "
        f"largest {parity.max_difference:.3f} of 1"
    )


def val_pairs(config: Export, meta: dict[str, Any]) -> PairFolder:
    """The val pairs, else the train pairs. Raises NurieError when there are none."""
    options = meta["train"]
    pairs = config.pairs or Path(options["pairs"])
    size = Size.parse(options["size"])
    folders = (PairFolder(pairs / split, size, options["direction"]) for split in ("val", "train"))
    if found := next((folder for folder in map(leave_out_damaged, folders) if len(folder)), None):
        return found
    raise NurieError(f"There are no pairs in {pairs} to check the export with. Name the pairs folder with --pairs.")


def some_drawings(pairs: PairFolder, count: int) -> list[np.ndarray]:
    """Up to `count` drawings, evenly spread: uint8 (h, w, 3) each."""
    return [pairs.read(path)[0] for path in pairs.spread(count)]


def about_model(
    config: Export, meta: dict[str, Any], labels: list[Label], styles: list[list[float]], drawings: list[np.ndarray]
) -> tuple[About, Pictures]:
    """What the options, the run and its drawings say of the model, and the presets' pictures."""
    title = config.title or default_title(config, meta)
    presets, pictures = presets_of(config.presets, drawings, [label.colour for label in labels])
    refuse_on_maps(config.lines, labels)
    if labels and any(preset.strokes for preset in presets):
        raise NurieError("The drawings of this model are label maps: expected presets that are pictures.")
    about = About(
        title={"en": title, "ja": config.title_ja} if config.title_ja else title,
        labels=labels,
        pencil=pencil_width(drawings),
        lines=config.lines,
        hints=bool(meta["train"].get("hints")) and any(map(is_line_drawing, drawings)),
        styles=styles,
        presets=presets,
        credits=list(dict.fromkeys([*config.credits, *meta.get("credits", [])])),
    )
    return about, pictures


def default_title(config: Export, meta: dict[str, Any]) -> str:
    """The name of the run's folder, or of its pairs', or of one around them, that says something."""
    run = config.run.parent if config.run.is_file() else config.run
    return title_from(run, config.pairs or Path(meta["train"]["pairs"]))


def named_labels(labels: Sequence[str]) -> list[Label]:
    """Labels from NAME=#rrggbb each. Raises NurieError when one is not that, or two have the same colour."""
    found = []
    for label in labels:
        title, _, colour = label.rpartition("=")
        if not title or not re.fullmatch("#[0-9a-fA-F]{6}", colour):
            raise NurieError(f"--labels expects NAME=COLOUR for each, such as wall=#0030ff; {label!r} is not that.")
        found.append(Label(colour.lower(), title))
    if len(found) == 1 or len(found) > MOST_LABELS:
        raise NurieError(
            f"--labels expects at least two labels, the ground first, at most {MOST_LABELS}; got {len(found)}."
        )
    titles = {label.colour: label.title for label in reversed(found)}
    if same := next((label for label in found if titles[label.colour] != label.title), None):
        raise NurieError(f"--labels gives {titles[same.colour]} and {same.title} the same colour {same.colour}.")
    return found


def named_styles(colours: Sequence[str]) -> list[list[float]]:
    """Colours like #c8843c as styles, RGB in [-1, 1]. Raises NurieError when one is not that."""
    if wrong := next((colour for colour in colours if not re.fullmatch("#[0-9a-fA-F]{6}", colour)), None):
        raise NurieError(f"--styles expects colours such as #c8843c; {wrong!r} is not that.")
    return [[round(level / 127.5 - 1, 3) for level in bytes.fromhex(colour[1:])] for colour in colours]


def palette_of(meta: dict[str, Any]) -> list[Label]:
    """Of a generator that was imported, and takes label maps."""
    architecture = meta["generator"].get("architecture") or {}
    names = meta.get("imported", {}).get("labels", [])
    return [Label(colour, title) for colour, title in zip_longest(architecture.get("palette", []), names, fillvalue="")]


def found_labels(drawings: list[np.ndarray]) -> list[Label]:
    return [Label(colour) for colour in label_colours(drawings)]


def pencil_width(drawings: list[np.ndarray]) -> float:
    """The width of line that the model knows, pixels to a half: the median of the line drawings, else a thin one."""
    widths = [line_width(drawing) for drawing in drawings if is_line_drawing(drawing)]
    return max(1.0, round(2 * float(np.median(widths))) / 2) if widths else 2.0


def presets_of(
    folder: Path | None, drawings: list[np.ndarray], labels: Sequence[str] = ()
) -> tuple[list[Preset], Pictures]:
    """Presets and their pictures: a folder's .json strokes and pictures, else the first val drawings.

    Pictures are opened, laid on white, or on the first of the `labels`, and written anew in the drawings' size. Raises
    NurieError where one is no drawing.
    """
    if folder is None:
        pictures = [picture(i, to_png(drawing)) for i, drawing in enumerate(drawings[:DEFAULT_PRESETS], 1)]
        presets = [Preset(title={"en": f"Preset {i}"}, image=name) for i, (name, _) in enumerate(pictures, 1)]
        return presets, dict(pictures)
    paths = preset_files(folder)
    if not paths:
        raise NurieError(f"There are no presets in {folder}. Expected .json files of strokes, or pictures.")
    height, width = drawings[0].shape[:2]
    presets, files = [], {}
    for i, path in enumerate(paths, 1):
        if path.suffix.lower() == STROKES:
            drawing = read_strokes(path, Size(width, height))
            presets.append(Preset(title=drawing.title, strokes=drawing.strokes, seed=drawing.seed))
        else:
            name, data = picture(i, to_png(load_drawing(path, height, width, labels)))
            files[name] = data
            presets.append(Preset(title={"en": readable(path.stem)}, image=name))
    return presets, files


def preset_files(folder: Path) -> list[Path]:
    paths = folder.iterdir() if folder.is_dir() else ()
    return sorted(path for path in paths if path.suffix.lower() in DRAWINGS and path.name[0] != ".")


def picture(number: int, data: bytes) -> tuple[str, bytes]:
    """A preset's picture: the name of its file, and the file."""
    return hashed(f"preset-{number}.png", data), data
