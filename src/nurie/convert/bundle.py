"""A model folder as a value: the manifest, and the files that lie beside it."""

import gzip
import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from msgspec import ValidationError

from nurie.convert.coder import encode
from nurie.engine.modelfile import (
    CODED,
    GZIP,
    MANIFEST,
    WEIGHTS,
    Generator,
    Input,
    Label,
    Manifest,
    Output,
    Parity,
    Preset,
    Weights,
    standing,
    to_json,
)
from nurie.engine.plan import FILL, Plan, make_plan
from nurie.errors import NurieError
from nurie.files.hashed import hashed
from nurie.files.install import install, refuse_foreign
from nurie.files.schema import Title, check, fault
from nurie.nets.generators import multiple_of
from nurie.size import Size

NEAR = 0.125  # two styles are nearly the same where no channel differs by more, of the range [-1, 1]


@dataclass(frozen=True)
class About:
    """What a model says of itself beside what it computes; docs/formats.md explains each."""

    title: Title
    labels: list[Label]
    pencil: float  # pixels
    lines: float  # how much of them lies over the picture, 0 to 1
    hints: bool
    styles: list[list[float]]  # to begin with, RGB in [-1, 1], before those of the run
    presets: list[Preset]
    credits: list[str]


@dataclass(frozen=True)
class Bundle:
    """All of a model folder. `files` are those beside the manifest, by name."""

    manifest: Manifest
    files: dict[str, bytes]


def make_bundle(
    parameters: int, meta: dict[str, Any], plan: Plan, weights: bytes, about: About, parity: Parity
) -> Bundle:
    """A model without its presets' pictures.

    parameters: how many the generator has. meta: of its checkpoint. plan, weights: what `lower` made of it. Raises
    NurieError where readers would refuse the manifest.
    """
    size = Size.parse(meta["train"]["size"])
    made = {name: value for name, value in meta["generator"].items() if name != "architecture"}
    architecture = meta["generator"].get("architecture")
    styles, mean_style = arranged(about.styles, styles_of(meta, plan))
    packed, encoding = compressed(plan, weights)
    manifest = Manifest(
        title=about.title,
        input=Input(
            width=size.width, height=size.height, multiple=multiple_of(**meta["generator"]),
            meaning="label map: flat colours, RGB" if about.labels else "drawing: dark lines on white, RGB",
        ),
        labels=about.labels,
        output=Output(meaning="picture, RGB"),
        norm=(architecture or {}).get("norm", "fixed"),
        direction=meta["train"]["direction"],
        generator=Generator(
            **made, parameters=parameters,
            macs=plan.macs(size.height, size.width), steps=meta["step"],
        ),
        pencil=about.pencil, lines=about.lines, hints=about.hints,
        weights=Weights(
            file=hashed(WEIGHTS, packed) + (".gz" if encoding == GZIP else ""), encoding=encoding,
            bytes=len(packed), raw_bytes=len(weights),
            sha256=hashlib.sha256(packed).hexdigest(),
        ),
        styles=styles, mean_style=mean_style, palette=meta.get("palette", []),
        **plan.to_json(),
        presets=about.presets, credits=about.credits, parity=parity,
    )  # fmt: skip
    try:
        check(manifest)
    except ValidationError as error:
        raise NurieError(f"No manifest can say this: {fault(error)}. docs/formats.md has the limits.") from error
    return Bundle(manifest, {manifest.weights.file: packed})


def compressed(plan: Plan, weights: bytes) -> tuple[bytes, str]:
    """The weights file and its encoding, of both the smaller one."""
    coded, zipped = encode(plan, weights), gzip.compress(weights, 9, mtime=0)
    return (coded, CODED) if len(coded) < len(zipped) else (zipped, GZIP)


def styles_of(meta: dict[str, Any], plan: Plan) -> list[list[float]]:
    """The styles that a model offers: a plan without the operation knows none."""
    return meta.get("styles", []) if any(op.op == "style" for op in plan.ops) else []


def arranged(wanted: list[list[float]], found: list[list[float]]) -> tuple[list[list[float]], int]:
    """The wanted styles, then those of the run that are not near one of them; its first one, the mean, comes last.
    Second the number of the mean, or of the wanted one that is near it.

    Raises NurieError where there are wanted ones, but the run has none.
    """
    if wanted and not found:
        raise NurieError("This run was trained without styles: leave out --styles, or train it with them.")
    if not wanted:
        return found, 0
    distances = np.abs(np.subtract.outer(found, wanted).diagonal(axis1=1, axis2=3)).max(axis=2)
    others = [style for style, near in zip(found, distances.min(axis=1) <= NEAR, strict=True) if not near]
    mean = [style for style in others if style == found[0]]
    styles = [*wanted, *(style for style in others if style not in mean), *mean]
    return styles, len(styles) - 1 if mean else int(distances[0].argmin())


def filling(plan: Plan) -> Plan:
    """The same, and each area that a drawing's lines enclose gets one colour."""
    ops = (replace(op, activation=FILL) if op.op == "output" else op for op in plan.ops)
    return make_plan(plan.tensors, ops)


def write(bundle: Bundle, folder: Path) -> None:
    """Put a model in the place of an older one, which stays when that fails. Raises NurieError, OSError."""
    manifest = msgspec.structs.replace(bundle.manifest, files=sorted([*bundle.files, MANIFEST]))
    install({**bundle.files, MANIFEST: to_json(manifest)}, folder, refuse_other(folder))


def refuse_other(model: Path) -> set[str]:
    """Export replaces what it made itself, and nothing else: the files of a model that stands. Raises NurieError."""
    refuse_foreign(model, MANIFEST, "is no model folder")
    return standing(model)
