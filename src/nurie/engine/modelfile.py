"""A model folder: manifest.json and the weights. Format and limits: docs/formats.md."""

import gzip
import json
import zlib
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from nurie.engine.plan import MAX_LABELS, Plan, parse_plan
from nurie.errors import NurieError
from nurie.files.hashed import sha256_of
from nurie.files.ours import MANIFEST
from nurie.files.packed import packed, unpacked
from nurie.files.schema import (
    Colour,
    Count,
    FileName,
    FilePath,
    Files,
    Seed,
    Side,
    Strokes,
    Text,
    Title,
    Width,
    one_of,
    read_json,
)

WEIGHTS = "weights.bin"
GZIP, CODED = "gzip", "rans"  # how they are compressed
ONNX = "model.onnx"
FORMAT, VERSIONS = "nurie-model", (1, 2)

Three = Annotated[int, Meta(ge=3, le=3)]
Bytes = Annotated[int, Meta(ge=1, le=2**29)]  # unet256 of width 96, larger than any that was trained, has 490 MB
Difference = Annotated[float, Meta(ge=0, le=1)]  # of the 0-1 range
Part = Annotated[float, Meta(ge=0, le=1)]
Level = Annotated[float, Meta(ge=-1, le=1)]
Range = tuple[Level, Level]
Style = Annotated[list[Level], Meta(min_length=3, max_length=3)]  # RGB


class Input(Struct, frozen=True, kw_only=True):
    width: Side
    height: Side
    channels: Three = 3
    range: Range = (-1, 1)
    multiple: Side = 1
    meaning: Text = ""


class Output(Struct, frozen=True, kw_only=True):
    channels: Three = 3
    range: Range = (-1, 1)
    meaning: Text = ""


class Label(Struct, frozen=True, omit_defaults=True):
    colour: Colour
    title: Title = ""


class Generator(Struct, frozen=True, kw_only=True):
    """What made the model: the arguments of `build_generator`, how large it is, and how long it was trained."""

    kind: Text = ""
    width: Count = 0
    styles: bool = False
    enclosed: bool = False
    colours: Count = 0
    parameters: Count = 0
    macs: Count = 0
    steps: Count = 0


class Weights(Struct, frozen=True, kw_only=True):
    file: FileName
    encoding: Annotated[str, one_of(GZIP, CODED)] = GZIP
    bytes: Bytes
    raw_bytes: Bytes
    sha256: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]


class Preset(Struct, frozen=True, omit_defaults=True, kw_only=True):
    title: Title = ""
    strokes: Strokes = []
    image: FileName = ""
    seed: Seed = -1  # none: that of the first

    def __post_init__(self) -> None:
        if bool(self.strokes) == bool(self.image):
            raise ValueError("expected either strokes or an image")


class Parity(Struct, frozen=True):
    """How far the engine's pictures are from PyTorch's."""

    samples: Count
    mean_difference: Difference
    max_difference: Difference
    tolerance: Annotated[float, Meta(ge=0, le=1e6)]


class Manifest(Struct, frozen=True, kw_only=True):
    format: str = FORMAT
    version: int = VERSIONS[-1]
    title: Title = ""
    input: Input
    labels: Annotated[list[Label], Meta(max_length=256)] = []
    output: Output = Output()
    norm: Annotated[str, one_of("fixed", "picture")] = "fixed"
    direction: Annotated[str, one_of("AtoB", "BtoA")] = "AtoB"
    generator: Generator = Generator()
    pencil: Width = 2.0
    lines: Part = 0  # how much of the drawing's lines lies over the picture
    hints: bool = False
    weights: Weights
    styles: Annotated[list[Style], Meta(max_length=1024)] = []
    mean_style: Count = 0  # the number of the one that is nearest to all pictures that it learnt from
    palette: Annotated[list[Colour], Meta(max_length=MAX_LABELS)] = []
    files: Files = []  # all of the folder; older models do not say
    tensors: list[int]
    ops: list[dict[str, Any]]  # engine/plan.py checks these two
    presets: Annotated[list[Preset], Meta(max_length=256)] = []
    credits: Annotated[list[Text], Meta(max_length=256)] = []
    parity: Parity | None = None


class Named(Struct):
    """An entry of a manifest that names a file."""

    file: FilePath = ""
    image: FilePath = ""


class Listed(Struct):
    """What a manifest says of the files beside it, whatever else it holds."""

    weights: Named
    presets: list[Named] = []
    files: Files = []


def to_json(manifest: Manifest) -> bytes:
    """The file, without spaces and with short strokes."""
    fields = packed(msgspec.to_builtins(manifest))
    return (json.dumps(fields, separators=(",", ":"), ensure_ascii=False, allow_nan=False) + "\n").encode()


def is_model(folder: Path) -> bool:
    return (folder / MANIFEST).is_file()


def standing(model: Path) -> set[str]:
    """The files of the model in a folder, by name; none where there is no model. Raises NurieError."""
    if not is_model(model):
        return set()
    verdict, mend = "is not the manifest of a model", "Choose another folder, or remove this file."
    listed = read_json(model / MANIFEST, Listed, verdict, mend, known=(FORMAT, *VERSIONS))
    older = [ONNX, listed.weights.file, *(preset.image for preset in listed.presets if preset.image)]
    return {MANIFEST, *(listed.files or older)}


def read_manifest(model: Path) -> Manifest:
    """The manifest of a model folder, with the weights file compared with its checksum. Raises NurieError."""
    path = model / MANIFEST
    if not is_model(model):
        raise NurieError(f"There is no {MANIFEST} in {model}. Expected a model folder from `nurie export`.")
    verdict, mend = "is not the manifest of a model", "Export it again with `nurie export`."
    manifest = read_json(path, Manifest, verdict, mend, known=(FORMAT, *VERSIONS), unpack=unpacked)
    if sha256_of(member(model, manifest.weights.file, "$.weights.file")) != manifest.weights.sha256:
        raise NurieError(
            f"{model / manifest.weights.file} is damaged: its checksum differs from the manifest's. "
            "Export the model again."
        )
    return manifest


def member(model: Path, name: str, field: str) -> Path:
    """A file that a field of the manifest names, which must lie in the model folder itself."""
    if Path(name).name != name or not (model / name).is_file():
        raise NurieError(f"{model / MANIFEST} names the file {name!r} at `{field}`, which is not in {model}.")
    return model / name


def read_model(model: Path) -> tuple[Manifest, Plan, bytes]:
    """Manifest, plan and raw weights of a model folder, ready for the engine. Raises NurieError."""
    manifest = read_manifest(model)
    try:
        plan = parse_plan({"tensors": manifest.tensors, "ops": manifest.ops})
    except NurieError as error:
        raise NurieError(f"{model / MANIFEST}: {error}") from error
    path, size = model / manifest.weights.file, manifest.weights.raw_bytes
    return manifest, plan, (decoded if manifest.weights.encoding == CODED else unzipped)(path, size)


def decoded(path: Path, size: int) -> bytes:
    """The bytes of a file of coded weights, which must be `size`. Raises NurieError."""
    from nurie.engine.wasm import EngineError, Machine

    try:
        return Machine().decoded(path.read_bytes(), size)
    except EngineError as error:
        raise NurieError(
            f"{path} is damaged: expected {size} bytes of coded weights (`$.weights.raw_bytes`). "
            "Export the model again."
        ) from error


def unzipped(path: Path, size: int) -> bytes:
    """The bytes of a gzip file, which must be `size`. Reads one more at most. Raises NurieError."""
    try:
        with gzip.open(path) as file:
            data = file.read(size + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise NurieError(f"{path} is no complete gzip file ({error}). Export the model again.") from error
    if len(data) != size:
        found = f"{len(data)} bytes" if len(data) < size else f"more than {size} bytes"
        raise NurieError(
            f"{path} holds {found} of weights, but the manifest says {size} (`$.weights.raw_bytes`). "
            "Export the model again."
        )
    return data
