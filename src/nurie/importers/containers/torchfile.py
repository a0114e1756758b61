"""What torch.save wrote: .pth, .pt, .bin, .ckpt; a zip file since PyTorch 1.6, before that a row of pickles."""

import io
from pathlib import Path
from pickle import UnpicklingError
from typing import Any
from zipfile import ZIP_STORED

import numpy as np
import torch
from torch import Tensor

from nurie.importers.containers.pickles import Scan
from nurie.importers.containers.zipped import check, first_entry, opened, refused
from nurie.importers.frame import Container, Contents

OLD = bytes.fromhex("80028a0a6cfc9c46f9206aa850192e")  # a pickle of the number that such files begin with
MOST_PICKLED = 1 << 20  # bytes of names and shapes: each may become 100 in memory, and takes 10 us
DEEPEST = 8  # of dictionaries in dictionaries
TOO_MANY = f"its names and shapes have more than {MOST_PICKLED >> 20} MiB, which is no checkpoint's"
NUMBERS = (
    torch.float32, torch.float16, torch.bfloat16, torch.float64, torch.int64, torch.int32, torch.int16, torch.int8,
    torch.uint8, torch.bool,
)  # fmt: skip


def sniff(path: Path) -> bool:
    return first_entry(path).endswith("/data.pkl") or is_old(path)


def is_old(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(OLD)) == OLD
    except OSError:
        return False


def open_torch(path: Path) -> Contents:
    """Dictionaries in dictionaries become names with a slash: `generator/model.1.weight`."""
    old = is_old(path)
    with refused(path):
        (scan_pickles if old else scan_zip)(path)
        loaded = torch.load(str(path), map_location="cpu", weights_only=True, mmap=not old)
        arrays: dict[str, np.ndarray] = {}
        attributes: dict[str, Any] = {}
        collect(loaded, "", arrays, attributes, set())
    return Contents((path,), arrays, attributes)


def scan_zip(path: Path) -> None:
    """Raises NurieError for what torch.load had better not see, and any error for a damaged file."""
    with opened(path) as file:
        if any(entry.compress_type != ZIP_STORED for entry in file.infolist()):
            raise ValueError("its weights are compressed, which PyTorch does not do")
        root = file.namelist()[0].partition("/")[0]
        pickled = file.getinfo(f"{root}/data.pkl")
        if pickled.file_size > MOST_PICKLED:
            raise ValueError(TOO_MANY)
        scan = Scan(io.BytesIO(file.read(pickled)), path)
        scan.load()
        for key, size in scan.storages.items():
            if file.getinfo(f"{root}/data/{key}").file_size != size:
                raise ValueError(f"the weights {key[:40]} are not as many as it says")
        check(file)


def scan_pickles(path: Path) -> None:
    """As scan_zip. They are a magic number, a version, sizes of types, what was saved, and names of weights, which
    follow."""
    with path.open("rb") as file:
        data = io.BytesIO(file.read(MOST_PICKLED))
    scans = [Scan(data, path) for _ in range(5)]
    try:
        for scan in scans:
            scan.load()
    except (EOFError, UnpicklingError) as error:
        raise ValueError(TOO_MANY if path.stat().st_size > MOST_PICKLED else "it is cut off") from error
    if sum(sum(scan.storages.values()) for scan in scans) > path.stat().st_size - data.tell():
        raise ValueError("it is cut off, or says that it has more weights than lie in it")


def collect(value: Any, name: str, arrays: dict[str, np.ndarray], attributes: dict[str, Any], seen: set[int]) -> None:
    """Tensors, and plain values, of nested dictionaries by their names."""
    if isinstance(value, Tensor):
        if (array := as_array(value)) is not None:
            arrays[name] = array
    elif isinstance(value, dict):
        if id(value) in seen or name.count("/") > DEEPEST:
            return
        seen.add(id(value))
        for key, inner in value.items():
            collect(inner, f"{name}/{key}" if name else str(key), arrays, attributes, seen)
    elif isinstance(value, str | int | float | bool):
        attributes[name] = value


def as_array(tensor: Tensor) -> np.ndarray | None:
    """None where it is no plain numbers, or repeats those that lie in the file."""
    if tensor.layout != torch.strided or tensor.device.type != "cpu" or tensor.dtype not in NUMBERS:
        return None
    if tensor.nbytes > tensor.untyped_storage().nbytes():
        return None
    tensor = tensor.detach()
    return (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy()


TORCH = Container("a PyTorch file (.pth, .pt, .bin, .ckpt)", sniff, open_torch)
