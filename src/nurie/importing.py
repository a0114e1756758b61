"""Old checkpoints of other programs -> run/."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import torch
from msgspec.structs import replace
from rich.console import Console

from nurie.config import Import
from nurie.convert.parity import pictures_of
from nurie.drawings.made_up import made_up
from nurie.drawings.sheets import headed, sheet, to_png
from nurie.errors import NurieError
from nurie.files.lock import locked
from nurie.files.ours import CHECKPOINT, LOSSES
from nurie.files.schema import Title
from nurie.files.write import write_file
from nurie.importers.builder import Imported
from nurie.importers.registry import Found, import_files
from nurie.limits import check_values
from nurie.nets import checkpoint
from nurie.nets.architecture import Architecture, Norm
from nurie.nets.described import DescribedGenerator
from nurie.nets.generators import DESCRIBED
from nurie.nets.metadata import LEAST, MOST
from nurie.size import Size

SHEET = "sheet.png"
SHOWN = 4  # made-up drawings on the sheet
READINGS = {"fixed": "running statistics", "picture": "statistics of each picture"}


def import_checkpoint(config: Import) -> Path:
    """Write the run folder and return it. Raises NurieError, and then leaves what was there as it was."""
    check_values(config)
    if len(config.files) < 2:
        raise NurieError("Expected the files of a checkpoint, and the folder to write: nurie import FILES... RUN")
    *files, run = config.files
    refuse_other_run(run)
    found, imported = import_files(files)
    norm = choose_norm(config.norm, imported, files[0])
    generator = filled(imported, norm)
    size = choose_size(config.size, imported)
    with locked(run):
        meta = metadata(config, found, imported.labels, generator, size)
        checkpoint.save(run / CHECKPOINT, {"ema": generator.state_dict()}, meta)
        write_file(run / SHEET, sheet_of(imported, norm, size))
    for line in summary(run, found, imported, generator, size):
        Console(stderr=True).print(line, soft_wrap=True, markup=False, highlight=False)
    return run


def refuse_other_run(run: Path) -> None:
    """Raises NurieError where the folder has another checkpoint or sheet: only an earlier import is replaced."""
    taken = (run / LOSSES).exists() or (run.exists() and not run.is_dir())
    if not taken and (run / CHECKPOINT).exists():
        taken = "imported" not in checkpoint.about(run)
    elif (run / SHEET).exists():  # a picture of the user's
        taken = True
    if taken:
        raise NurieError(f"{run} is not a folder that `nurie import` wrote. Choose another one; this one is untouched.")


def choose_norm(asked: str, imported: Imported, path: Path) -> str:
    """The reading of the normalisations. Raises NurieError where the one that is asked for makes no sense."""
    if asked == "auto":
        return imported.readings[0]
    if asked not in imported.readings:
        raise NurieError(
            f"--norm {asked} makes no sense for {path}: it has only the reading {' or '.join(imported.readings)}. "
            f"{imported.why}"
        )
    return asked


def choose_size(asked: Size | None, imported: Imported) -> Size:
    """Of the drawings. Raises NurieError where the generator does not take it."""
    multiple = imported.architecture.multiple
    size = asked or Size(imported.size, imported.size)
    if not size.is_multiple_of(multiple):
        raise NurieError(
            f"This generator takes multiples of {multiple} pixels, but --size is {size}. Use {size.near(multiple)}."
        )
    if size.least < LEAST or max(size.width, size.height) > MOST:
        raise NurieError(f"This generator takes drawings of {size} pixels; expected {LEAST} to {MOST}.")
    return size


def filled(imported: Imported, norm: str) -> DescribedGenerator:
    """The generator with its weights, in eval mode."""
    with torch.device("meta"):  # the weights are those that were read, not copied
        generator = DescribedGenerator(replace(imported.architecture, norm=norm)).eval()
    wanted = generator.state_dict()
    tensors = {name: torch.from_numpy(array) for name, array in imported.tensors.items()}
    made = {name: tensors.get(name, torch.zeros(x.shape, dtype=x.dtype)) for name, x in wanted.items()}
    generator.load_state_dict(made, assign=True)
    return generator


def metadata(
    config: Import, found: Found, labels: Sequence[Title], generator: DescribedGenerator, size: Size
) -> dict[str, Any]:
    architecture: Architecture = generator.architecture
    return {
        "step": 0,
        "train": {"size": size.saved, "direction": config.direction, "pairs": ""},
        "generator": {"kind": DESCRIBED, "architecture": msgspec.to_builtins(architecture)},
        "credits": list(config.credits),
        "imported": {
            "system": found.system.name,
            "files": [path.name for path in found.contents.files],
            **({"labels": labels} if labels else {}),
        },
    }


@torch.no_grad()
def sheet_of(imported: Imported, norm: str, size: Size) -> bytes:
    """A PNG file: made-up drawings, and what the generator makes of them in each reading, that of `norm` first."""
    drawings = made_up(SHOWN, size.height, size.width, imported.architecture.palette)
    readings = [norm, *(reading for reading in imported.readings if reading != norm)]
    pictures = [drawings, *(pictures_of(filled(imported, reading), drawings) for reading in readings)]
    rows = [list(row) for row in zip(*pictures, strict=True)]
    headings = ["drawing", *(READINGS[reading] for reading in readings)]
    return to_png(headed(sheet(rows), headings))


def summary(run: Path, found: Found, imported: Imported, generator: DescribedGenerator, size: Size) -> list[str]:
    """What a user should know of an import, a sentence each."""
    architecture = generator.architecture
    parameters = sum(parameter.numel() for parameter in generator.parameters())
    lines = [
        f"{run}: {found.evidence} of {found.system.name}, {parameters:,} parameters, drawings of {size} pixels in "
        f"multiples of {architecture.multiple}."
    ]
    if any(isinstance(layer, Norm) for layer in architecture.layers):
        other = [reading for reading in imported.readings if reading != architecture.norm]
        choice = f" (--norm {other[0]} for {READINGS[other[0]]})" if other else ""
        lines.append(f"Normalised by {READINGS[architecture.norm]}{choice}. {imported.why}".rstrip())
    return [*lines, *imported.notes, f"Look at {run / SHEET}, then: nurie export {run} MODEL"]
