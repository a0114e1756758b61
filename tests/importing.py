"""Old checkpoints, made by the real systems, with the outputs of those systems; and what Nurie makes of them."""

from pathlib import Path

import numpy as np
import pytest
import torch
from msgspec.structs import replace

from nurie.importers.builder import Imported
from nurie.importers.registry import import_files
from nurie.nets.described import DescribedGenerator

ROOT = Path(__file__).parents[1]
PLACES = (ROOT / "tests" / "data" / "checkpoints", ROOT.parent / "shared" / "fixtures")


def old(name: str) -> Path:
    """The folder of an old checkpoint; the test is skipped where it is absent."""
    for place in PLACES:
        if (place / name).is_dir():
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
