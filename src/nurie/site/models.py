"""A model as the site has it: its files under names with a hash of their content."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nurie.engine.modelfile import MANIFEST, member
from nurie.files.hashed import hashed


@dataclass(frozen=True)
class SiteModel:
    """A model in the site's folder model/."""

    name: str  # of its folder; the page's address says it: ?model=NAME
    title: str | dict[str, str]  # a text, or one for each language
    manifest: str  # file name
    weights: str  # file name
    layout: dict[str, Any]  # what of the manifest the page's layout needs before it has come
    ops: frozenset[str]  # the operations of its plan
    files: dict[str, bytes]  # these two and the presets' pictures: hashed names leave room for other models


def site_model(name: str, folder: Path) -> SiteModel:
    """Of a model folder that `read_manifest` accepts. Raises NurieError when a preset's picture is not there."""
    manifest = json.loads((folder / MANIFEST).read_bytes())
    manifest.pop("files", None)  # the site's own list has them
    files: dict[str, bytes] = {}

    def add(file: str, data: bytes) -> str:
        # The page unpacks the weights itself; without .gz no web host adds a Content-Encoding.
        new = hashed(file.removesuffix(".gz"), data)
        files[new] = data
        return new

    weights = manifest["weights"]
    weights["file"] = add(weights["file"], member(folder, weights["file"], "$.weights.file").read_bytes())
    for i, preset in enumerate(manifest.setdefault("presets", [])):
        if "image" in preset:
            picture = member(folder, preset["image"], f"$.presets[{i}].image")
            preset["image"] = add(preset["image"], picture.read_bytes())
    data = json.dumps(manifest, ensure_ascii=False, separators=(",", ":")).encode()
    title = manifest.get("title") or "Nurie"
    ops = frozenset(op["op"] for op in manifest["ops"])
    return SiteModel(name, title, add(MANIFEST, data), weights["file"], layout(manifest), ops, files)


def layout(manifest: dict[str, Any]) -> dict[str, Any]:
    """What decides where things are on the page: the sheets' shape, the colours, whether there are others."""
    size = {side: manifest["input"][side] for side in ("width", "height")}
    choice = bool(manifest.get("styles") or manifest.get("palette"))
    found = {name: manifest.get(name) for name in ("labels", "hints")} | {"styles": choice}
    return {"input": size, **{name: value for name, value in found.items() if value}}
