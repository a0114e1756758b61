"""A model folder: manifest.json and the weights. Format and limits: docs/formats.md."""

import gzip
import hashlib
import json
import zlib
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from nurie.engine.plan import Plan, parse_plan
from nurie.errors import NurieError
from nurie.files.schema import Colour, Count, FileName, Seed, Side, Stroke, Text, Title, Width

MANIFEST = "manifest.json"
WEIGHTS = "weights.bin.gz"
FORMAT, VERSION = "nurie-model", 1


class Input(Struct, frozen=True, kw_only=True):
    width: Side
    height: Side
    channels: Literal[3] = 3
    range: tuple[float, float] = (-1, 1)
    multiple: Side = 1
    meaning: Text = ""


class Output(Struct, frozen=True, kw_only=True):
    channels: Literal[3] = 3
    range: tuple[float, float] = (-1, 1)
    meaning: Text = ""


class Label(Struct, frozen=True, omit_defaults=True):
    colour: Colour
    title: Title = ""


class Generator(Struct, frozen=True, kw_only=True):
    """What made the model: the arguments of `build_generator`, and how large it is."""

    kind: Text
    width: Count
    styles: bool = False
    enclosed: bool = False
    parameters: Count = 0
    macs: Count = 0
    steps: Count = 0


class Weights(Struct, frozen=True, kw_only=True):
    file: FileName
    encoding: Literal["gzip"] = "gzip"
    bytes: Annotated[int, Meta(ge=1, le=2**31)]
    raw_bytes: Annotated[int, Meta(ge=1, le=2**31)]
    sha256: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]


class Preset(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Strokes, or a picture."""

    title: Title = ""
    strokes: list[Stroke] = []
    image: str = ""
    seed: Seed = -1  # none: the first


class Parity(Struct, frozen=True):
    """How far the engine's pictures are from PyTorch's, of the 0-1 range."""

    samples: Count
    mean_difference: float
    max_difference: float
    tolerance: float


class Manifest(Struct, frozen=True, kw_only=True):
    format: str
    version: int
    title: Title = ""
    input: Input
    labels: list[Label] = []
    output: Output = Output()
    norm: Literal["fixed"] = "fixed"
    direction: Literal["AtoB", "BtoA"] = "AtoB"
    generator: Generator | None = None
    pencil: Width = 2.0
    hints: bool = False
    weights: Weights
    styles: list[list[float]] = []
    tensors: list[int]
    ops: list[dict[str, Any]]
    presets: list[Preset] = []
    credits: list[str] = []
    parity: Parity | None = None


def manifest_bytes(manifest: Manifest) -> bytes:
    """manifest.json, as export writes it."""
    fields = msgspec.to_builtins(manifest)
    return (json.dumps(fields, ensure_ascii=False, allow_nan=False) + "\n").encode()


def is_model(folder: Path) -> bool:
    return (folder / MANIFEST).is_file()


def read_manifest(model: Path) -> dict[str, Any]:
    """The manifest of a model folder, with the weights file compared with its checksum. Raises NurieError."""
    path = model / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        known = manifest["format"] == FORMAT and manifest["version"] == VERSION
        name, digest = manifest["weights"]["file"], manifest["weights"]["sha256"]
    except OSError as error:
        raise NurieError(f"There is no {MANIFEST} in {model}. Expected a model folder from `nurie export`.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise NurieError(f"{path} is not the manifest of a model. Export it again with `nurie export`.") from error
    if not known:
        raise NurieError(f"{path} has a format that this version of Nurie does not know. Export the model again.")
    if hashlib.sha256(member(model, name).read_bytes()).hexdigest() != digest:
        raise NurieError(
            f"{model / name} is damaged: its checksum differs from the manifest's. Export the model again."
        )
    return manifest


def member(model: Path, name: str) -> Path:
    """A file that the manifest names, which must lie in the model folder itself."""
    if Path(name).name != name or not (model / name).is_file():
        raise NurieError(f"{model / MANIFEST} names the file {name!r}, which is not in {model}.")
    return model / name


def read_model(model: Path) -> tuple[dict[str, Any], Plan, bytes]:
    """Manifest, plan and raw weights of a model folder, ready for the engine. Raises NurieError."""
    manifest = read_manifest(model)
    path = member(model, manifest["weights"]["file"])
    try:
        weights = gzip.decompress(path.read_bytes())
    except (OSError, EOFError, zlib.error) as error:
        raise NurieError(f"{path} is no complete gzip file ({error}). Export the model again.") from error
    if len(weights) != manifest["weights"]["raw_bytes"]:
        raise NurieError(
            f"{path} holds {len(weights)} bytes of weights, but the manifest says "
            f"{manifest['weights']['raw_bytes']}. Export the model again."
        )
    return manifest, parse_plan(manifest), weights
