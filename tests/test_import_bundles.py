"""TensorFlow's checkpoints and the web format: which of their files can be given, and that damaged ones are refused."""

import shutil
import struct
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import strategies as st

from bundles import table, write_checkpoint
from importing import damaged, imported, little_memory, old, refusal
from mutations import changed_bytes
from nurie.importers.containers.crc32c import crc32c, masked_crc32c
from nurie.importers.containers.objects import ENTRY
from nurie.importers.containers.table import read_table
from nurie.importers.registry import container_of, find
from test_import_tensorflow import affinelayer_arrays

DATA = "model-20.data-00000-of-00001"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_checkpoint(tmp_path / "model-20", affinelayer_arrays("", 3, 2, 3, 3))
    (tmp_path / "model-20.meta").write_bytes(b"\x0a\x00")
    (tmp_path / "checkpoint").write_text('model_checkpoint_path: "/home/somebody/run/model-20"\nall_model_...')
    return tmp_path


def test_checksums_are_those_of_rfc_3720() -> None:
    assert [crc32c(data) for data in (b"", b"a", b"123456789", bytes(32), b"\xff" * 32, bytes(range(32)))] == [
        0, 0xC1D04330, 0xE3069283, 0x8A9136AA, 0x62A8AB43, 0x46DD794E
    ]  # fmt: skip
    data = np.random.default_rng(0).bytes(1_000_001)  # more than is done at once
    assert crc32c(data) != crc32c(data[:-1] + bytes([data[-1] ^ 1])) and crc32c(bytes(9)) != crc32c(bytes(8))


@pytest.mark.parametrize("name", ["", "checkpoint", "model-20", "model-20.index", "model-20.meta", DATA])
def test_any_file_of_a_checkpoint_gives_it(folder: Path, name: str) -> None:
    found = find([folder / name, *folder.iterdir()])
    assert found.evidence == "a U-Net of 3 levels" and folder / DATA in found.contents.files


def test_of_several_checkpoints_the_newest_is_taken_or_the_one_that_is_given(folder: Path) -> None:
    write_checkpoint(folder / "model-40", affinelayer_arrays("", 4, 2, 3, 3))
    assert find([folder]).evidence == "a U-Net of 3 levels"
    assert find([folder / "model-40.index"]).evidence == "a U-Net of 4 levels"
    (folder / "checkpoint").write_text('model_checkpoint_path: "C:\\\\run\\\\model-40"')
    assert find([folder]).evidence == "a U-Net of 4 levels"
    (folder / "checkpoint").write_text('model_checkpoint_path: "model-60"')
    assert "names model-60 as the newest, but" in refusal(folder)
    (folder / "checkpoint").unlink()
    assert "has 2 checkpoints (model-20.index, model-40.index), and no file that says" in refusal(folder)
    (folder / "model-40.index").unlink()
    assert find([folder]).evidence == "a U-Net of 3 levels"


def test_weights_may_lie_in_several_files_all_of_which_must_be_there(tmp_path: Path) -> None:
    arrays = affinelayer_arrays("", 3, 2, 3, 3)
    one, three = (write_checkpoint(tmp_path / f"model-{shards}", arrays, shards=shards) for shards in (1, 3))
    first, other = imported(one).tensors, imported(three.with_name("model-3.data-00001-of-00003")).tensors
    assert all(np.array_equal(first[name], other[name]) for name in first)
    (tmp_path / "model-3.data-00002-of-00003").unlink()
    assert "in model-3.data-00002-of-00003, which must lie beside it but does not" in refusal(three)


def test_only_arrays_that_are_asked_for_are_read(folder: Path) -> None:
    contents = find([folder]).contents
    assert "global_step" in contents.arrays and len(contents.arrays) > 20
    (folder / DATA).write_bytes(bytes((folder / DATA).stat().st_size))
    assert "damaged: the checksum of generator/encoder_1/conv2d/kernel is wrong" in refusal(folder)


def test_files_that_are_taken_for_a_checkpoint_are_named(folder: Path) -> None:
    wanted = "NAME.index with NAME.data-00000-of-00001"
    shutil.copy(folder / "model-20.meta", folder / "frozen.pb")
    said = refusal(folder / "frozen.pb")
    assert "looks like a frozen graph of TensorFlow, a program with its weights" in said and wanted in said
    (folder / "saved").mkdir()
    shutil.copy(folder / "model-20.meta", folder / "saved" / "saved_model.pb")
    for path in (folder / "saved", folder / "saved" / "saved_model.pb"):
        assert "looks like a SavedModel" in refusal(path) and wanted in refusal(path)
    shutil.copy(folder / "model-20.index", folder / "model.ckpt")
    assert "looks like a checkpoint of TensorFlow before 0.12, or a renamed index" in refusal(folder / "model.ckpt")
    (folder / "model-20.index").unlink()
    assert "the graph, without weights, of a TensorFlow checkpoint: model-20.index must" in refusal(
        folder / "model-20.meta"
    )
    assert "looks like the weights of a TensorFlow checkpoint: model-20.index must lie" in refusal(folder / DATA)


def test_an_index_with_compressed_blocks_is_refused(tmp_path: Path) -> None:
    prefix = write_checkpoint(tmp_path / "model-1", {"a": np.zeros(2)}, compressed=True)
    assert "it is compressed, which TensorFlow's are not" in refusal(prefix)


@pytest.mark.parametrize("file", ["model-20.index", DATA])
@pytest.mark.parametrize("part", [0, 0.5, 0.99])
def test_a_checkpoint_that_is_cut_off_is_refused(folder: Path, file: str, part: float) -> None:
    data = (folder / file).read_bytes()
    (folder / file).write_bytes(data[: int(len(data) * part)])
    said = refusal(folder / "model-20")
    assert ("does not end as an index does" if "index" in file else "was cut off or belongs to another") in said


@st.composite
def index_of(draw: st.DrawFn, valid: bytes, right: bool) -> bytes:
    """An index with changed bytes, or with the changed bytes of an entry and the right checksums."""
    if not right:
        return draw(changed_bytes(valid))
    values = {key: bytes(value) for key, value in read_table(valid).items()}
    key = draw(st.sampled_from(sorted(values)))
    values[key] = draw(changed_bytes(values[key]))
    if draw(st.booleans()):
        values[draw(st.binary(max_size=40))] = values.pop(key)
    return table(values)


@st.composite
def objects_of(draw: st.DrawFn, valid: bytes, start: int) -> bytes:
    """Data whose last array is a text, changed but of its length, with the right checksums; see rewritten."""
    changed = draw(changed_bytes(valid[start:]))[: len(valid) - start]
    return valid[:start] + changed.ljust(len(valid) - start, b"\0")


@pytest.mark.parametrize("right", [False, True])
def test_a_damaged_index_is_one_sentence_or_read(folder: Path, right: bool) -> None:
    tried = damaged("index", folder / "model-20.index", partial(index_of, right=right))
    assert tried.counts["refused"] > 100 and tried.counts.total() >= 200


def test_damaged_data_are_one_sentence_or_read(folder: Path) -> None:
    assert damaged("data", folder / DATA, changed_bytes).counts["refused"] > 50


def test_damaged_objects_are_one_sentence_or_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever their checksums are."""
    source = old("tf2_tutorial_keras3", "without_optimizers") / "without_optimizers"
    for name in ("ckpt-1.index", "ckpt-1.data-00000-of-00001"):
        (tmp_path / name).write_bytes((source / name).read_bytes())
    entry = read_table((tmp_path / "ckpt-1.index").read_bytes())[ENTRY.encode()]
    checksum = int.from_bytes(entry[-4:], "little")
    monkeypatch.setattr("nurie.importers.containers.tensorflow.masked_crc32c", Agreeing(checksum))
    size = len((tmp_path / "ckpt-1.data-00000-of-00001").read_bytes())
    tried = damaged("objects", tmp_path / "ckpt-1.data-00000-of-00001", partial(objects_of, start=size - 20_000))
    assert tried.counts["refused"] > 50


class Agreeing(int):
    """A checksum of whatever is asked for, and equal to all others."""

    def __call__(self, _: object) -> "Agreeing":
        return self

    def __eq__(self, _: object) -> bool:
        return True

    def __ne__(self, _: object) -> bool:
        return False

    __hash__ = int.__hash__


def test_a_damaged_file_of_the_web_is_one_sentence_or_read(tmp_path: Path) -> None:
    file = tmp_path / "model.pict"
    file.write_bytes((old("tf_affinelayer_dec2017", "model.pict") / "model.pict").read_bytes())
    assert container_of(file).name == "the web format of pix2pix-tensorflow"
    assert damaged("pict", file, pict_of).counts["refused"] > 100


@st.composite
def pict_of(draw: st.DrawFn, valid: bytes) -> bytes:
    """Changed bytes anywhere, or of the names, whose length is right."""
    if draw(st.booleans()):
        return draw(changed_bytes(valid))
    length = int.from_bytes(valid[:4], "big")
    names = draw(changed_bytes(valid[4 : 4 + length]))
    return struct.pack(">I", len(names)) + names + valid[4 + length :]


def test_shapes_that_are_larger_than_the_file_cost_nothing(tmp_path: Path) -> None:
    for shape in ([1 << 31] * 8, [1 << 31, 1 << 31, 0], [1] * 9, [-1]):
        names = f'[{{"name": "generator/encoder_1/conv2d/kernel", "shape": {shape}}}]'.encode()
        blocks = (names, bytes(1024), b"1234")
        file = tmp_path / "a.pict"
        file.write_bytes(b"".join(struct.pack(">I", len(block)) + block for block in blocks))
        with little_memory():
            assert "is damaged" in refusal(file)
    assert masked_crc32c(b"") == 0xA282EAD8
