"""The files of a TensorFlow checkpoint, of which users name any; and those that they take for one."""

import re
from pathlib import Path

from nurie.errors import NurieError
from nurie.importers.containers.table import MAGIC

DATA = re.compile(r"(.+)\.data-\d{5}-of-\d{5}")
NEWEST = re.compile(rb'model_checkpoint_path:\s*"([^"\n]{1,1000})"')  # the first line of the file `checkpoint`
BACKSLASH = "\\"
LISTED = 4096  # bytes of that file that are read
WANTED = "Nurie reads training checkpoints: NAME.index with NAME.data-00000-of-00001 beside it"


def is_checkpoint(path: Path) -> bool:
    """Whether it is of a checkpoint of TensorFlow, or looks like one: index_of says which."""
    if path.is_dir():
        return bool((path / "checkpoint").is_file() or (path / "saved_model.pb").is_file() or indices(path))
    if path.suffix in (".pb", ".meta") and start(path, 1) in (b"\x0a", b"\x08"):
        return True
    if not path.exists():
        return with_ending(path, ".index").is_file()
    return ends_as_table(path) or bool(DATA.fullmatch(path.name)) or bool(newest(path))


def index_of(path: Path) -> Path:
    """The index of the checkpoint that a file, a folder, or a name without an ending is of. Raises NurieError."""
    if path.is_dir():
        return index_in(path)
    if path.suffix == ".pb":
        graph = "a SavedModel" if path.stem == "saved_model" else "a frozen graph"
        raise NurieError(f"{path} looks like {graph} of TensorFlow, a program with its weights. {WANTED}.")
    if not path.exists():
        return with_ending(path, ".index")
    if name := newest(path):
        return named(path, name)
    if ends_as_table(path):
        if path.suffix != ".index":
            raise NurieError(f"{path} looks like a checkpoint of TensorFlow before 0.12, or a renamed index. {WANTED}.")
        return path
    data = DATA.fullmatch(path.name)
    index = path.with_name(f"{data[1] if data else path.stem}.index")
    if not index.is_file():
        what = "the weights" if data else "the graph, without weights,"
        raise NurieError(f"{path} looks like {what} of a TensorFlow checkpoint: {index.name} must lie beside it.")
    return index


def index_in(folder: Path) -> Path:
    """Of the newest checkpoint in a folder, or of its only one."""
    if (folder / "checkpoint").is_file() and (name := newest(folder / "checkpoint")):
        return named(folder / "checkpoint", name)
    if (folder / "saved_model.pb").is_file():
        raise NurieError(f"{folder} looks like a SavedModel of TensorFlow, a program with its weights. {WANTED}.")
    found = indices(folder)
    if len(found) != 1:
        names = ", ".join(path.name for path in found[:4])
        raise NurieError(f"{folder} has {len(found)} checkpoints ({names}), and no file that says which is the newest.")
    return found[0]


def named(listing: Path, name: str) -> Path:
    """name: what a file `checkpoint` says, which may be a path on another computer."""
    index = listing.parent / f"{name.replace(BACKSLASH, '/').split('/')[-1][:100]}.index"
    if not index.is_file():
        raise NurieError(f"{listing} names {index.stem} as the newest, but {index} is not there. Give another .index.")
    return index


def newest(path: Path) -> str:
    """What a file `checkpoint` names, or nothing for all other files."""
    found = NEWEST.match(start(path, LISTED))
    return found[1].decode(errors="ignore") if found else ""


def indices(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.index") if ends_as_table(path))


def ends_as_table(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            file.seek(-len(MAGIC), 2)
            return file.read() == MAGIC
    except OSError:
        return False


def start(path: Path, count: int) -> bytes:
    """The first bytes of a file, or nothing where it can not be read."""
    try:
        with path.open("rb") as file:
            return file.read(count)
    except OSError:
        return b""


def with_ending(path: Path, ending: str) -> Path:
    return path.with_name(path.name + ending)
