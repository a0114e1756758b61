"""All containers and systems, and the way from a path to a generator."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nurie.errors import NurieError
from nurie.importers.builder import Imported
from nurie.importers.containers.hdf5 import HDF5
from nurie.importers.containers.npz import NPZ
from nurie.importers.containers.onnx_graph import ONNX
from nurie.importers.containers.pict import PICT
from nurie.importers.containers.safetensorsfile import SAFETENSORS
from nurie.importers.containers.tensorflow import TENSORFLOW
from nurie.importers.containers.torchfile import TORCH
from nurie.importers.frame import Container, Contents, System
from nurie.importers.systems.affinelayer import AFFINELAYER
from nurie.importers.systems.bolts import BOLTS
from nurie.importers.systems.chainer import KNOK, PFNET
from nurie.importers.systems.cyclegan import CYCLEGAN
from nurie.importers.systems.discriminators import discriminator, optimizer
from nurie.importers.systems.keras_tensorflow import TUTORIAL
from nurie.importers.systems.keras_tutorial import KERAS_TUTORIAL
from nurie.importers.systems.onnx_graph import ONNX_GRAPH
from nurie.importers.systems.persson import PERSSON
from nurie.importers.systems.pix2pixhd import PIX2PIXHD
from nurie.importers.systems.pytorchgan import PYTORCHGAN
from nurie.importers.systems.tdeboissiere import TDEBOISSIERE
from nurie.importers.systems.vess2ret import VESS2RET

# In the order in which they are tried.
CONTAINERS: tuple[Container, ...] = (TENSORFLOW, TORCH, SAFETENSORS, NPZ, HDF5, ONNX, PICT)
SYSTEMS: tuple[System, ...] = (
    CYCLEGAN, PIX2PIXHD, PYTORCHGAN, PERSSON, BOLTS, PFNET, KNOK, AFFINELAYER, TUTORIAL, KERAS_TUTORIAL, VESS2RET,
    TDEBOISSIERE, ONNX_GRAPH,
)  # fmt: skip


@dataclass(frozen=True)
class Found:
    """A checkpoint that was recognised: as whose, by what evidence, and what is in it."""

    system: System
    evidence: str
    contents: Contents


def import_files(paths: Sequence[Path]) -> tuple[Found, Imported]:
    """The generator in a checkpoint of another system. Raises NurieError for what is none, and names what it is."""
    found = find(paths)
    try:
        imported = found.system.build(found.contents)
        if bad := next((name for name, array in imported.tensors.items() if not np.isfinite(array).all()), ""):
            raise NurieError(f"{bad} holds weights that are no numbers.")
        return found, imported
    except NurieError as error:
        raise NurieError(f"{paths[0]} looks like {found.evidence} of {found.system.name}, but: {error}") from error


def find(paths: Sequence[Path]) -> Found:
    """The system whose checkpoint these files are. Raises NurieError."""
    path = paths[0]
    container = container_of(path)
    contents = container.open(path)
    if others := [other for other in paths if other not in contents.files]:
        raise NurieError(f"{others[0]} does not belong to {path}: import one checkpoint at a time.")
    for system in SYSTEMS:
        if evidence := system.recognise(contents):
            return Found(system, evidence, contents)
    if wanted := discriminator(contents):
        raise NurieError(f"{path} is a discriminator, which only training needs: {wanted}.")
    if wanted := optimizer(contents):
        raise NurieError(f"{path} holds numbers of an optimizer, which only training needs: {wanted}.")
    names = ", ".join(list(contents.arrays)[:4])
    raise NurieError(
        f"{path} is {container.name}, but of no generator that Nurie knows: it has {len(contents.arrays)} arrays"
        f"{f' ({names[:200]}, ...)' if names else ''}. docs/importing.md lists what is read."
    )


def container_of(path: Path) -> Container:
    """The kind of a file. Raises NurieError where there is none, or it is none that is read."""
    for container in CONTAINERS:
        if container.sniff(path):
            return container
    if not path.exists():
        raise NurieError(f"There is no file {path}.")
    known = ", ".join(container.name for container in CONTAINERS)
    raise NurieError(f"{path} is no checkpoint that Nurie knows. Expected {known}; docs/importing.md lists them.")


def table(columns: Sequence[str] = ("system", "its files", "what is read", "compared with")) -> str:
    """What the docs say of the systems, a row of Markdown each."""
    cells = [
        {"system": each.name, "its files": each.files, "what is read": each.reads, "compared with": each.checked}
        for each in SYSTEMS
    ]
    rows = [list(columns), ["---"] * len(columns), *([cell[column] for column in columns] for cell in cells)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)
