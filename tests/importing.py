"""Old checkpoints, made by the real systems, with the outputs of those systems; and what Nurie makes of them."""

import io
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import strategies as st
from msgspec.structs import replace

from mutations import Format, changed_bytes
from nurie.errors import NurieError
from nurie.importers.builder import Imported
from nurie.importers.registry import import_files
from nurie.nets.described import DescribedGenerator

ROOT = Path(__file__).parents[1]
PLACES = (ROOT / "tests" / "data" / "checkpoints", ROOT.parent / "shared" / "fixtures")


def old(name: str, file: str = "") -> Path:
    """The folder of an old checkpoint, with this file of it; the test is skipped where it is absent."""
    for place in PLACES:
        if (place / name / file).exists():
            return place / name
    pytest.skip(f"the checkpoint {name} is not here")


def imported(*paths: Path) -> Imported:
    return import_files(paths)[1]


def generator_of(imported: Imported, norm: str = "") -> DescribedGenerator:
    """In eval mode, in float64. norm: another reading than the one that the importer took."""
    architecture = replace(imported.architecture, norm=norm or imported.architecture.norm)
    generator = DescribedGenerator(architecture).eval()
    tensors = {name: torch.from_numpy(array) for name, array in imported.tensors.items()}
    missing, unexpected = generator.load_state_dict(tensors, strict=False)
    assert not unexpected and all(name.endswith("num_batches_tracked") for name in missing)
    return generator.double()


@torch.no_grad()
def computed(imported: Imported, x: np.ndarray, norm: str = "") -> np.ndarray:
    """The net's own numbers: (n, channels, h, w) -> (n, channels, h, w), float64."""
    return generator_of(imported, norm).compute(torch.from_numpy(x).double()).numpy()


def signed(picture: np.ndarray) -> np.ndarray:
    """uint8 (h, w, channels) -> (1, channels, h, w) in [-1, 1]; other numbers are as they were fed."""
    return unit(picture) * 2 - 1 if picture.dtype == np.uint8 else picture


def unit(picture: np.ndarray) -> np.ndarray:
    """The same, in [0, 1]."""
    return picture.transpose(2, 0, 1)[None] / 255 if picture.dtype == np.uint8 else picture


def difference(imported: Imported, folder: Path, x: np.ndarray, norm: str) -> float:
    """The largest between the net's own numbers for x, (1, channels, h, w), and those of the system itself, of which
    the folder has all, or every third row and column."""
    y = computed(imported, x, norm)
    theirs, step = output_of(folder, norm)
    assert theirs.shape == y[..., ::step, ::step].shape
    return float(abs(theirs - y[..., ::step, ::step]).max())


def output_of(folder: Path, norm: str) -> tuple[np.ndarray, int]:
    """What the system computed, and of which rows and columns: every n-th."""
    for name in ({"fixed": "output_fixed", "picture": "output_per_image"}[norm], "output"):
        for file in (*folder.glob(f"{name}.npy"), *folder.glob(f"{name}_step*.npy")):
            return np.load(file), int(file.stem.partition("_step")[2] or 1)
    raise AssertionError(f"{folder} has no output for {norm}")


def refusal(*paths: Path) -> str:
    """The sentence that is said of a file that is not read."""
    with pytest.raises(NurieError) as error:
        import_files(paths)
    not_ours(error.value)
    said = str(error.value)
    assert "\n" not in said and len(said) < 1000
    return said


@contextmanager
def little_memory() -> Iterator[None]:
    """Whatever asks for 1 GB more fails, where the system can be told so."""
    resource = pytest.importorskip("resource")
    limits = resource.getrlimit(resource.RLIMIT_AS)
    with open("/proc/self/statm") as file:
        now = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + (1 << 30), limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, limits)


def damaged(name: str, file: Path, mutations: Callable[[bytes], st.SearchStrategy[bytes]]) -> Format:
    """200 mutations of a checkpoint are read, or refused for a fault of theirs, with little memory."""

    def read() -> None:
        try:
            import_files([file])
        except NurieError as error:
            not_ours(error)
            raise

    tried = Format(name, file, file.read_bytes(), mutations, read)
    with little_memory():
        tried.try_all(200)
    return tried


def damaged_apart(file: Path) -> tuple[int, int]:
    """The same in another process, which has to end well; how many were refused, how many were read."""
    command = [sys.executable, str(ROOT / "tests" / "damaged_checkpoint.py"), str(file)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, f"{done.returncode}: {done.stderr[-3000:]}"
    refused, read = map(int, done.stdout.split()[-2:])
    return refused, read


def not_ours(error: BaseException | None) -> None:
    """An importer takes every error of a library for a damaged file: none may be of a function called wrongly."""
    while error:
        assert type(error).__name__ != "TypeCheckError", error
        error = error.__cause__


@st.composite
def zip_of(draw: st.DrawFn, valid: bytes) -> bytes:
    """A zip file with changed bytes, or one of its files with changed bytes and the right checksum."""
    if draw(st.booleans()):
        return draw(changed_bytes(valid))
    changed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(valid)) as old, zipfile.ZipFile(changed, "w") as new:
        name = draw(st.sampled_from(old.namelist()))
        for entry in old.infolist():
            data = old.read(entry)
            entry.compress_type = zipfile.ZIP_STORED
            new.writestr(entry, draw(changed_bytes(data)) if entry.filename == name else data)
    return changed.getvalue()
