"""Pairs in one HDF5 file become pairs in a folder."""

from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import Image

from importing import old
from nurie.config import Prepare
from nurie.errors import NurieError
from nurie.pairs.files import read_pair
from nurie.pairs.hdf5 import pairs_in
from nurie.prepare import prepare
from nurie.size import Size


def written(path: Path, counts: dict[str, int], channels: int = 3, side: int = 8) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    found = {}
    with h5py.File(path, "w") as file:
        for split, count in counts.items():
            for half in ("full", "sketch"):
                name = f"{split}_data_{half}"
                found[name] = rng.integers(0, 256, (count, channels, side, side)).astype(np.uint8)
                file[name] = found[name]
    return found


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.png"))


def test_the_programs_own_file_becomes_pairs_with_its_split(tmp_path: Path) -> None:
    folder = old("hdf5_tdeboissiere")
    pairs = prepare(Prepare(folder / "facademini_data.h5", tmp_path / "pairs"))
    assert names(pairs) == ["sheet.png", "test/00000.png", "train/00000.png", "train/00001.png", "val/00000.png"]
    full, sketch = np.load(folder / "train_full.npy"), np.load(folder / "train_sketch.npy")
    for place in range(2):
        drawing, picture = read_pair(pairs / "train" / f"{place:05d}.png", Size(8, 8))
        assert np.array_equal(drawing, sketch[place].transpose(1, 2, 0))
        assert np.array_equal(picture, full[place].transpose(1, 2, 0))


def test_the_same_command_writes_what_is_new_or_changed(tmp_path: Path) -> None:
    file, pairs = tmp_path / "a.h5", tmp_path / "pairs"
    written(file, {"train": 3, "val": 1})
    prepare(Prepare(file, pairs))
    kept, gone = pairs / "train" / "00001.png", pairs / "train" / "00002.png"
    before = kept.stat().st_mtime_ns
    gone.unlink()
    prepare(Prepare(file, pairs))
    assert gone.exists() and kept.stat().st_mtime_ns == before
    with h5py.File(file, "a") as data:
        full = data["train_data_full"]
        assert isinstance(full, h5py.Dataset)
        full[1] = 7
    prepare(Prepare(file, pairs))
    assert (read_pair(kept, Size(8, 8))[1] == 7).all()
    with pytest.raises(NurieError, match="made with other options"):
        prepare(Prepare(file, pairs, direction="BtoA"))


def test_grey_pictures_and_the_other_direction(tmp_path: Path) -> None:
    arrays = written(tmp_path / "a.h5", {"train": 1}, channels=1)
    pairs = prepare(Prepare(tmp_path / "a.h5", tmp_path / "pairs", direction="BtoA"))
    both = np.asarray(Image.open(pairs / "train" / "00000.png"))
    assert np.array_equal(both[:, :8, 1], arrays["train_data_full"][0, 0])
    assert np.array_equal(both[:, 8:, 2], arrays["train_data_sketch"][0, 0])


def broken(kind: str, path: Path) -> None:
    written(path, {"train": 2})
    with h5py.File(path, "a") as file:
        for half in ("full", "sketch"):
            name = f"train_data_{half}"
            match kind:
                case "absent":
                    if half == "sketch":
                        del file[name]
                    continue
                case "empty":
                    shape, dtype = (0, 3, 8, 8), "u1"
                case "floats":
                    shape, dtype = (2, 3, 8, 8), "f4"
                case "channels last":
                    shape, dtype = (2, 8, 8, 3), "u1"
                case "wide":
                    shape, dtype = (1, 1, 1, 5000), "u1"
                case "uneven":
                    shape, dtype = (2 if half == "full" else 1, 3, 8, 8), "u1"
                case _:
                    shape, dtype = (10**9, 3, 4096, 4096), "u1"
            del file[name]
            if kind == "large":
                file.create_dataset(name, shape, dtype)
            else:
                file[name] = np.zeros(shape, dtype)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("absent", "has train_data_full, but no train_data_sketch"),
        ("empty", "holds no pairs"),
        ("floats", r"uint8 .* in float32"),
        ("channels last", r"but it is \(2, 8, 8, 3\)"),
        ("wide", "sides up to 4096 pixels"),
        ("uneven", "expected as many"),
        ("large", "the file is too small"),
    ],
)
def test_a_file_that_holds_something_else_is_refused(kind: str, words: str, tmp_path: Path) -> None:
    broken(kind, tmp_path / "a.h5")
    with pytest.raises(NurieError, match=words):
        list(pairs_in(tmp_path / "a.h5"))
    with pytest.raises(NurieError, match=words):
        prepare(Prepare(tmp_path / "a.h5", tmp_path / "pairs"))
    assert names(tmp_path) == []


def test_options_for_photos_do_not_go_with_a_file_of_pairs(tmp_path: Path) -> None:
    written(tmp_path / "a.h5", {"train": 1})
    with pytest.raises(NurieError, match=r"--masks .* photos, and .*a\.h5 holds pairs"):
        prepare(Prepare(tmp_path / "a.h5", tmp_path / "pairs", inputs=tmp_path, masks=tmp_path))
    (tmp_path / "b.h5").write_bytes(b"text")
    with pytest.raises(NurieError, match=r"There is no folder .*b\.h5"):
        prepare(Prepare(tmp_path / "b.h5", tmp_path / "pairs"))
