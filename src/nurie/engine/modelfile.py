"""Read a model folder: manifest.json and the weights, checked. Format: docs/formats.md."""

import gzip
import hashlib
import json
import zlib
from pathlib import Path
from typing import Any

from nurie.engine.plan import Plan, parse_plan
from nurie.errors import NurieError

MANIFEST = "manifest.json"
FORMAT, VERSION = "nurie-model", 1


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
