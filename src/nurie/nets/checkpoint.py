"""checkpoint.safetensors: the weights, and everything else that training needs to go on.

One file: tensors under a prefix (`ema/`, `generator/`, ...) and the configuration as JSON in the metadata
key `nurie`. Format: docs/formats.md.
"""

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from nurie.errors import NurieError
from nurie.files.ours import BEST, CHECKPOINT
from nurie.files.write import in_place_of
from nurie.nets.generators import build_generator
from nurie.nets.metadata import VERSION, read_metadata

FILE = CHECKPOINT  # of the last save: a run resumes from it; BEST, of the best val score, has what inference needs
BEFORE = "checkpoint-before.safetensors"  # of the save before, for when that one is damaged
OF_GENERATOR = ("ema", "generator")  # groups with the weights of the generator that the metadata describes
DTYPES = {  # safetensors' names
    torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16",
    torch.int64: "I64", torch.int32: "I32", torch.int16: "I16", torch.int8: "I8", torch.uint8: "U8", torch.bool: "BOOL",
}  # fmt: skip

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
        write_safetensors(temporary, tensors, {"format": "pt", "nurie": about})
        if path.name == FILE and path.exists():
            keep_before(path)


def write_safetensors(path: Path, tensors: dict[str, Tensor], metadata: dict[str, str]) -> None:
    """A file as safetensors' own writer makes it. That leaves one under another name where it is killed, and its errors
    of the system are text. tensors: contiguous, on the CPU. Raises OSError."""
    header: dict[str, Any] = {"__metadata__": metadata}
    ordered = sorted(tensors.items(), key=lambda item: -item[1].element_size())  # readers need each aligned to its size
    end = 0
    for name, tensor in ordered:
        begin, end = end, end + tensor.nbytes
        header[name] = {"dtype": DTYPES[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [begin, end]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for _, tensor in ordered:
            file.write(data_of(tensor))


def data_of(tensor: Tensor) -> memoryview:
    """The bytes of a tensor on the CPU."""
    return tensor.contiguous().flatten().view(torch.uint8).numpy().data


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
        digest.update(data_of(tensor))
    return digest.hexdigest()


def load(path: Path, groups: tuple[str, ...] = ()) -> tuple[Groups, dict[str, Any]]:
    """Read the named groups (all when none is named) and the metadata. Raises NurieError with a sentence.

    No weights are read before the header says that they are those of the generator that the metadata describes.
    """
    path = find(path)
    try:
        with safe_open(path, framework="pt") as file:
            meta = read_metadata((file.metadata() or {}).get("nurie", "null"), str(path))
            names: dict[str, list[str]] = {}
            for key in file.keys():  # noqa: SIM118 (not a dict)
                group, _, name = key.partition("/")
                if not groups or group in groups:
                    names.setdefault(group, []).append(name)
            for group in names.keys() & OF_GENERATOR:
                slices = {name: file.get_slice(f"{group}/{name}") for name in names[group]}
                refuse_misfit({name: (x.get_dtype(), tuple(x.get_shape())) for name, x in slices.items()}, meta, path)
            found = {group: {n: file.get_tensor(f"{group}/{n}") for n in members} for group, members in names.items()}
    except SafetensorError as error:
        raise Damaged(f"{path} is damaged or not a safetensors file ({error}). Train again or use a copy.") from error
    sums = meta.get("checksums", {})  # older checkpoints have none
    for group, members in found.items():
        if group in sums and checksum(members) != sums[group]:
            raise Damaged(f"{path} is damaged: the checksum of {group} differs. Train again or use a copy.")
        if group in OF_GENERATOR and not all(bool(torch.isfinite(tensor).all()) for tensor in members.values()):
            raise Damaged(f"{path} holds weights that are no numbers. Train again or use a copy.")
    return found, meta


def about(path: Path) -> dict[str, Any]:
    """The metadata alone. Raises NurieError."""
    return load(path, ("",))[1]


def refuse_misfit(found: dict[str, tuple[str, tuple[int, ...]]], meta: dict[str, Any], path: Path) -> None:
    """Raises Damaged where weights, name -> kind and shape, are not those of the generator that the metadata says."""
    try:
        with torch.device("meta"):  # shapes only
            net = build_generator(**meta["generator"])
    except NurieError as error:
        raise Damaged(f"{path} is damaged: {error} Train again or use a copy.") from error
    wanted = {name: (DTYPES[x.dtype], tuple(x.shape)) for name, x in net.state_dict().items()}
    wrong = sorted(name for name in found.keys() | wanted.keys() if found.get(name) != wanted.get(name))
    if wrong:
        name = wrong[0]
        came, expected = (spelt(of.get(name)) for of in (found, wanted))
        raise Damaged(
            f"{path} is damaged: {name[:100]} is {came}, but of {meta['generator']['kind']} with width "
            f"{meta['generator']['width']} it is {expected}. Train again or use a copy."
        )


def spelt(tensor: tuple[str, tuple[int, ...]] | None) -> str:
    return f"{tensor[0]} {list(tensor[1])}" if tensor else "absent"


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
