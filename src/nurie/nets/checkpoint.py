"""checkpoint.safetensors: the weights, and everything else that training needs to go on.

One file: tensors under a prefix (`ema/`, `generator/`, ...) and the configuration as JSON in the metadata
key `nurie`. Format: docs/formats.md.
"""

import hashlib
import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from nurie.errors import NurieError
from nurie.files.ours import BEST, CHECKPOINT
from nurie.files.write import in_place_of
from nurie.nets.generators import build_generator

FILE = CHECKPOINT  # of the last save: a run resumes from it; BEST, of the best val score, has what inference needs
BEFORE = "checkpoint-before.safetensors"  # of the save before, for when that one is damaged
VERSION = 1

Groups = dict[str, dict[str, Tensor]]


class Damaged(NurieError):
    """A checkpoint that is not what was saved."""


def save(path: Path, groups: Groups, meta: dict[str, Any]) -> None:
    """Write a checkpoint atomically: a reader, or a crash, sees the old file or the new one, never a part.

    Each group has a checksum. What `path` held becomes BEFORE beside it, if `path` is a run's FILE.
    """
    groups = {g: {n: x.detach().cpu().contiguous() for n, x in members.items()} for g, members in groups.items()}
    tensors = {f"{group}/{name}": tensor for group, members in groups.items() for name, tensor in members.items()}
    checksums = {group: checksum(members) for group, members in groups.items()}
    about = json.dumps({"version": VERSION, **meta, "checksums": checksums})
    with in_place_of(path) as temporary:
        try:
            save_file(tensors, temporary, {"format": "pt", "nurie": about})
        except SafetensorError as error:  # of the system, in words
            number = re.search(r"os error (\d+)", str(error))
            raise OSError(int(number[1]) if number else 0, str(error)) from error
        if path.name == FILE and path.exists():
            keep_before(path)


def keep_before(path: Path) -> None:
    """Where the file system has no links, a copy."""
    with in_place_of(path.with_name(BEFORE)) as temporary:
        try:
            os.link(path, temporary)
        except OSError:
            shutil.copyfile(path, temporary)


def checksum(tensors: dict[str, Tensor]) -> str:
    """Of a group's names, shapes and values."""
    digest = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {tensor.dtype} {list(tensor.shape)}\n".encode())
        digest.update(tensor.contiguous().flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()


def load(path: Path, groups: tuple[str, ...] = ()) -> tuple[Groups, dict[str, Any]]:
    """Read the named groups (all when none is named) and the metadata. Raises NurieError with a sentence."""
    path = find(path)
    try:
        with safe_open(path, framework="pt") as file:
            meta = json.loads((file.metadata() or {}).get("nurie", "null"))
            if not isinstance(meta, dict):
                raise NurieError(f"{path} is a safetensors file, but not a checkpoint written by `nurie train`.")
            if meta.get("version") != VERSION:
                raise NurieError(
                    f"{path} has checkpoint version {meta.get('version')}, but this Nurie reads {VERSION}. "
                    "Update Nurie, or train again."
                )
            found: Groups = {}
            for key in file.keys():  # noqa: SIM118 (not a dict)
                group, name = key.split("/", 1)
                if not groups or group in groups:
                    found.setdefault(group, {})[name] = file.get_tensor(key)
        sums = meta.get("checksums", {})  # older checkpoints have none
        damaged = [group for group in found if group in sums and checksum(found[group]) != sums[group]]
        if damaged:
            raise Damaged(f"{path} is damaged: the checksum of {damaged[0]} differs. Train again or use a copy.")
    except (SafetensorError, json.JSONDecodeError) as error:
        raise Damaged(f"{path} is damaged or not a safetensors file ({error}). Train again or use a copy.") from error
    return found, meta


def load_run(path: Path) -> tuple[Groups, dict[str, Any], str]:
    """A run's FILE with all groups; BEFORE where that is damaged, and then a sentence that says so."""
    try:
        return *load(path), ""
    except Damaged as error:
        before = path.with_name(BEFORE)
        if not before.is_file():
            raise
        groups, meta = load(before)
        return groups, meta, f"{error} The save before it is whole: going on from step {meta['step']}."


def find(path: Path) -> Path:
    """The checkpoint file that a user means by a run folder or a file."""
    file = path / FILE if path.is_dir() else path
    if not file.is_file():
        raise NurieError(
            f"There is no checkpoint at {file}. Expected a folder written by `nurie train`, or its {FILE}."
        )
    return file


def load_generator(path: Path) -> tuple[nn.Module, dict[str, Any]]:
    """The generator with its averaged weights, in eval mode on the CPU, and the checkpoint's metadata.

    Of a run folder, the best by its val score; the last one where no best was kept. A file is taken as it is.
    """
    path = path / BEST if (path / BEST).is_file() else path
    groups, meta = load(path, ("ema",))
    generator = build_generator(**meta["generator"])
    load_weights(generator, groups.get("ema", {}), find(path))
    return generator.eval(), meta


def load_weights(net: nn.Module, weights: dict[str, Tensor], source: Path) -> None:
    """Fill a net, or say which weights do not fit it."""
    try:
        net.load_state_dict(weights)
    except RuntimeError as error:
        lines = str(error).splitlines()
        raise NurieError(
            f"The weights in {source} do not fit the net: {lines[min(1, len(lines) - 1)].strip()}"
        ) from error
