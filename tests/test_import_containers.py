"""PyTorch's and safetensors' files: damaged, foreign and hostile ones are refused in a sentence, and cost little."""

import argparse
import io
import pickle
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
import torch
from safetensors.torch import save_file

from importing import damaged, little_memory, refusal, zip_of
from mutations import changed_bytes
from nurie.importers.containers.torchfile import TORCH
from test_import_torch import same, tiny_unet


def new(path: Path, value: Any) -> Path:
    torch.save(value, path)
    return path


def before(path: Path, value: Any) -> Path:
    """As PyTorch before 1.6 wrote it."""
    torch.save(value, path, _use_new_zipfile_serialization=False)
    return path


def tensors(path: Path, value: Any) -> Path:
    save_file(value, path)
    return path


WRITERS: dict[str, tuple[Callable[[Path, Any], Path], Callable]] = {
    "zip": (new, zip_of),
    "pickles": (before, changed_bytes),
    "safetensors": (tensors, changed_bytes),
}
EACH = pytest.mark.parametrize("kind", WRITERS)


def test_all_kinds_of_files_give_one_generator(tmp_path: Path) -> None:
    weights = tiny_unet()
    files = [write(tmp_path / kind, weights) for kind, (write, _) in WRITERS.items()]
    assert same(files[0], files[1]) and same(files[0], files[2])


@EACH
@pytest.mark.parametrize("part", [0.05, 0.2, 0.5, 0.9, 0.999])
def test_a_file_that_is_cut_off_is_refused(tmp_path: Path, kind: str, part: float) -> None:
    file = WRITERS[kind][0](tmp_path / "a", tiny_unet())
    data = file.read_bytes()
    file.write_bytes(data[: int(len(data) * part)])
    assert "is damaged" in refusal(file)


@EACH
def test_damaged_files_are_refused_in_a_sentence(tmp_path: Path, kind: str) -> None:
    write, mutations = WRITERS[kind]
    file = write(tmp_path / "a", tiny_unet())
    assert damaged(kind, file, mutations).counts["refused"] > 50


@pytest.mark.parametrize("content", [b"", b"PK", b"PK\x03\x04", b"\x80\x02", b"{}", b"<html>", b"\0" * 100, b"\x89PNG"])
def test_a_file_of_another_kind_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.pth").write_bytes(content)
    assert "is no checkpoint that Nurie knows. Expected " in refusal(tmp_path / "a.pth")
    assert "There is no file" in refusal(tmp_path / "b.pth")


def test_a_folder_is_refused(tmp_path: Path) -> None:
    assert "is no checkpoint" in refusal(tmp_path)


@pytest.mark.parametrize("write", [new, before])
def test_python_objects_are_not_run(tmp_path: Path, write: Callable[[Path, Any], Path]) -> None:
    whole = write(tmp_path / "a.pth", torch.nn.Conv2d(1, 1, 1))
    assert "holds Python objects (torch.nn.modules.conv.Conv2d), and Nurie runs none" in refusal(whole)
    options = write(tmp_path / "b.pth", {"state_dict": tiny_unet(), "args": argparse.Namespace(lr=1)})
    assert "(argparse.Namespace)" in refusal(options)


HEAD = b"\x80\x02"
HOSTILE = {
    "memory of bytearray": HEAD + b"cbuiltins\nbytearray\n\x8a\x06\0\0\0\0\0\x10\x85R.",
    "memory of the memo": HEAD + b"Nr\xff\xff\xff\x7f.",
    "memory of a text": HEAD + b"X\xff\xff\xff\x7fabc.",
    "a name that is deep in itself": HEAD + b"}(" + b")" + b"\x85" * 200_000 + b"Nu.",
    "a name by one": HEAD + b"})" + b"\x85" * 200_000 + b"Ns.",
    "an operation that is unknown": HEAD + b"\x96\xff\xff\xff\xff\xff\xff\xff\x0f.",
    "names without values": HEAD + b"}(NNNu.",
    "a call": HEAD + b"cos\nsystem\nX\x04\0\0\0true\x85R.",
}


def in_zip(path: Path, data: bytes, **files: bytes) -> Path:
    with ZipFile(path, "w") as file:
        file.writestr("archive/data.pkl", data)
        file.writestr("archive/version", b"3\n")
        for name, content in files.items():
            file.writestr(f"archive/data/{name}", content)
    return path


def in_pickles(path: Path, data: bytes, names: bytes = pickle.dumps([], 2)) -> Path:
    first = [pickle.dumps(value, 2) for value in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True})]
    path.write_bytes(b"".join([*first, data, names]))
    return path


@pytest.mark.parametrize("write", [in_zip, in_pickles])
@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_pickles_are_refused(tmp_path: Path, what: str, write: Callable[[Path, bytes], Path]) -> None:
    file = write(tmp_path / "a.pth", HOSTILE[what])
    with little_memory():
        refusal(file)


def test_the_last_pickle_is_looked_through_too(tmp_path: Path) -> None:
    with little_memory():
        file = in_pickles(tmp_path / "a.pth", pickle.dumps({}, 2), HOSTILE["memory of bytearray"])
        assert "(builtins.bytearray)" in refusal(file)


@pytest.mark.parametrize("write", [in_zip, in_pickles])
def test_pickles_that_are_far_too_long_are_refused(tmp_path: Path, write: Callable[[Path, bytes], Path]) -> None:
    """An empty list is a byte in the file, and 64 in memory."""
    file = write(tmp_path / "a.pth", HEAD + b"]X" + struct.pack("<I", 2 << 20) + b"a" * (2 << 20) + b"a.")
    with little_memory():
        assert "names and shapes have more than 1 MiB" in refusal(file)


def pickled_tensor(count: int, size: int, stride: int) -> bytes:
    """A tensor of `size` numbers whose weights, called 0, are `count`."""

    def number(value: int) -> bytes:
        return b"\x8a\x08" + struct.pack("<q", value)

    storage = b"(X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpu" + number(count)
    return (
        HEAD + b"}X\x01\0\0\0actorch._utils\n_rebuild_tensor_v2\n(" + storage + b"tQ" + number(0)
        + number(size) + b"\x85" + number(stride) + b"\x85\x89ccollections\nOrderedDict\n)RtRs."
    )  # fmt: skip


def test_weights_that_do_not_lie_in_the_file_are_not_allocated(tmp_path: Path) -> None:
    fits = in_zip(tmp_path / "a.pth", pickled_tensor(4, 4, 1), **{"0": bytes(16)})
    assert TORCH.open(fits).arrays["a"].shape == (4,)
    with little_memory():
        repeated = in_zip(tmp_path / "a.pth", pickled_tensor(4, 1 << 40, 0), **{"0": bytes(16)})
        assert TORCH.open(repeated).arrays == {}
        more = in_zip(tmp_path / "a.pth", pickled_tensor(1 << 40, 4, 1), **{"0": bytes(16)})
        assert "not as many as it says" in refusal(more)
        more = before_with(tmp_path / "b.pth", pickled_tensor(1 << 40, 4, 1))
        assert "more weights than lie in it" in refusal(more)


def before_with(path: Path, data: bytes) -> Path:
    """The old kind of file, in which a storage has one more field."""
    return in_pickles(path, data.replace(b"tQ", b"NtQ"))


def test_a_dictionary_in_itself_ends(tmp_path: Path) -> None:
    endless: dict[str, Any] = {"a": torch.ones(3)}
    endless |= {str(i): endless for i in range(50)}
    assert list(TORCH.open(new(tmp_path / "a.pth", endless)).arrays) == ["a"]


def test_two_files_of_one_name_in_a_zip_are_refused(tmp_path: Path) -> None:
    file = new(tmp_path / "a.pth", tiny_unet())
    with ZipFile(file, "a") as again:
        again.writestr("A/DATA.pkl", HOSTILE["a call"])
    assert "two of its files have one name" in refusal(file)


def test_compressed_weights_are_refused(tmp_path: Path) -> None:
    content = io.BytesIO(new(tmp_path / "a.pth", tiny_unet()).read_bytes())
    with ZipFile(content) as old, ZipFile(tmp_path / "b.pth", "w", ZIP_DEFLATED) as file:
        for name in old.namelist():
            file.writestr(name, old.read(name))
    assert "compressed, which PyTorch does not do" in refusal(tmp_path / "b.pth")


def test_a_flipped_bit_of_the_weights_is_seen(tmp_path: Path) -> None:
    file = new(tmp_path / "a.pth", {"weights": torch.full((1000,), 3.0)})
    data = bytearray(file.read_bytes())
    data[data.index(struct.pack("<2f", 3, 3)) + 400] ^= 4
    file.write_bytes(data)
    assert "Bad CRC-32" in refusal(file)


def test_nuries_own_checkpoint_is_not_imported(tmp_path: Path) -> None:
    save_file(tiny_unet(), tmp_path / "checkpoint.safetensors", {"nurie": "{}"})
    assert "is Nurie's own checkpoint" in refusal(tmp_path / "checkpoint.safetensors")
