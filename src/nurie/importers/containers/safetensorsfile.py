"""Safetensors files: a header in JSON, and the numbers."""

from pathlib import Path

from safetensors import safe_open

from nurie.errors import NurieError
from nurie.importers.containers.torchfile import as_array
from nurie.importers.containers.zipped import refused
from nurie.importers.frame import Container, Contents

MOST_HEADER = 100_000_000  # bytes, the format's own limit


def sniff(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            head = file.read(9)
    except OSError:
        return False
    return len(head) == 9 and head[8:] == b"{" and int.from_bytes(head[:8], "little") <= MOST_HEADER


def open_safetensors(path: Path) -> Contents:
    with refused(path), safe_open(path, framework="pt") as file:
        about = file.metadata() or {}
        if "nurie" in about:
            raise NurieError(f"{path} is Nurie's own checkpoint: nothing is to be imported, every command reads it.")
        arrays = {name: as_array(file.get_tensor(name)) for name in file.keys()}  # noqa: SIM118 (not a dict)
    return Contents((path,), {name: array for name, array in arrays.items() if array is not None}, about)


SAFETENSORS = Container("a safetensors file", sniff, open_safetensors)
