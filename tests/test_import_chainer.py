"""Generators of Chainer's pix2pix programs, and the files that they lie in."""

import io
from pathlib import Path
from shutil import copy
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np
import pytest

from importing import computed, damaged, difference, imported, little_memory, old, refusal, unit, zip_of
from nurie.config import Export, Import
from nurie.engine.modelfile import read_manifest
from nurie.export import export
from nurie.importers.containers.npz import NPZ
from nurie.importers.registry import import_files
from nurie.importers.systems.chainer import FACADES
from nurie.importing import filled, import_checkpoint
from nurie.size import Size

ENC, DEC = "enc_iter_40.npz", "dec_iter_40.npz"


@pytest.mark.parametrize(
    ("name", "evidence", "reads", "shows"),
    [
        ("chainer_knok", "a generator from drawings", "rgb", (0, 1)),
        ("chainer_pfnet", "a generator from 12 labels", "labels", (-1, 127 / 128)),
    ],
)
def test_the_picture_is_that_of_chainer(name: str, evidence: str, reads: str, shows: tuple[float, float]) -> None:
    folder = old(name)
    found, generator = import_files([folder / ENC])
    architecture = generator.architecture
    assert (found.evidence, architecture.reads, architecture.shows) == (evidence, reads, shows)
    assert generator.readings == ("fixed", "picture") and generator.why
    drawing = unit(np.load(folder / "input.npy"))
    assert difference(generator, folder, drawing, "fixed") < 1e-5
    assert difference(generator, folder, drawing, "picture") < 1e-4


def arrays_of(file: Path) -> dict[str, np.ndarray]:
    with np.load(file) as arrays:
        return dict(arrays)


def tiny(folder: Path, inputs: int = 3, levels: int = 3) -> Path:
    """An encoder and a decoder of few numbers."""
    rng = np.random.default_rng(0)

    def drawn(*shape: int) -> np.ndarray:
        return rng.normal(0, 0.3, shape).astype(np.float32)

    def normed(name: str, channels: int) -> dict[str, np.ndarray]:
        parts = {"gamma": drawn(channels) + 1, "beta": drawn(channels), "avg_mean": drawn(channels)}
        parts |= {"avg_var": np.exp(drawn(channels)), "N": np.array(3)}
        return {f"{name}/batchnorm/{part}": array for part, array in parts.items()}

    enc = {"c0/W": drawn(2, inputs, 3, 3), "c0/b": drawn(2)}
    dec = {f"c{levels - 1}/W": drawn(3, 4, 3, 3), f"c{levels - 1}/b": drawn(3)}
    for i in range(1, levels):
        enc |= {f"c{i}/c/W": drawn(2, 2, 4, 4), f"c{i}/c/b": drawn(2), **normed(f"c{i}", 2)}
        dec |= {f"c{i - 1}/c/W": drawn(4 if i > 1 else 2, 2, 4, 4), f"c{i - 1}/c/b": drawn(2), **normed(f"c{i - 1}", 2)}
    save(folder / DEC, dec)
    save(folder / ENC, enc)
    return folder / ENC


def save(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """As Chainer does."""
    with path.open("wb") as file:
        np.savez_compressed(file, **arrays)  # pyright: ignore


def test_each_half_finds_the_other(tmp_path: Path) -> None:
    enc = tiny(tmp_path)
    dec = tmp_path / DEC
    a, b = import_files([enc]), import_files([dec, enc])
    assert a[1].architecture == b[1].architecture and set(a[0].contents.files) == {enc, dec}
    copy(enc, tmp_path / "encoder.npz")
    assert "is the encoder alone: expected the decoder beside it, decoder.npz" in refusal(tmp_path / "encoder.npz")
    copy(enc, tmp_path / "decoder.npz")
    assert "decoder.npz beside it is not the decoder" in refusal(tmp_path / "encoder.npz")
    copy(enc, tmp_path / "mine.npz")
    assert "expected the names enc_iter_N.npz and dec_iter_N.npz" in refusal(tmp_path / "mine.npz")


def test_a_snapshot_of_a_trainer_is_read(tmp_path: Path) -> None:
    enc = tiny(tmp_path)
    halves = {half: arrays_of(tmp_path / file) for half, file in (("enc", ENC), ("dec", DEC))}
    everything = {f"updater/model:{half}/{n}": a for half, arrays in halves.items() for n, a in arrays.items()}
    everything |= {"updater/optimizer:enc/c0/W/m": np.zeros(3), "updater/iteration": np.array(40)}
    save(tmp_path / "snapshot_iter_40", everything)
    snapshot, plain = imported(tmp_path / "snapshot_iter_40"), imported(enc)
    assert snapshot.architecture == plain.architecture
    assert all(np.array_equal(snapshot.tensors[name], array) for name, array in plain.tensors.items())


def test_channels_tell_whose_it_is(tmp_path: Path) -> None:
    knok, pfnet = imported(tiny(tmp_path, 1)), imported(tiny(tmp_path, 5))
    assert knok.architecture.reads == "grey" and "can not be told from it" in knok.notes[0]
    assert pfnet.architecture.reads == "labels" and "palette that Nurie chose" in pfnet.notes[0]
    assert "at most 64 colours" in refusal(tiny(tmp_path, 65))


def test_labels_of_facades_have_the_colours_of_that_data(tmp_path: Path) -> None:
    generator = imported(tiny(tmp_path, 12))
    assert generator.architecture.palette[0] == "#0000de" and "#0000de background" in generator.notes[0]
    assert len(set(generator.architecture.palette)) == 12
    assert generator.labels[2] == {"en": "window", "ja": "窓"} and len(generator.labels) == 12


def test_labels_of_facades_have_titles_on_the_page(tmp_path: Path) -> None:
    run = import_checkpoint(Import((tiny(tmp_path, 12), tmp_path / "run"), size=Size(64, 64)))
    labels = read_manifest(export(Export(run, tmp_path / "model"))).labels
    assert [label.colour for label in labels] == [colour for colour, _, _ in FACADES]
    assert [label.title for label in labels] == [{"en": name, "ja": title} for _, name, title in FACADES]


def test_the_last_layer_of_pfnet_has_no_tanh(tmp_path: Path) -> None:
    x = np.random.default_rng(0).random((1, 12, 16, 16))
    rows = {name: array * 50 for name, array in arrays_of(tiny(tmp_path, 12).with_name(DEC)).items()}
    save(tmp_path / DEC, rows)
    assert abs(computed(imported(tmp_path / ENC), x)).max() > 2


def test_a_discriminator_is_named() -> None:
    said = refusal(old("chainer_knok") / "dis_iter_40.npz")
    assert "is a discriminator" in said and "enc_iter_N.npz with dec_iter_N.npz" in said


def test_arrays_that_would_need_more_than_lies_in_the_file_are_refused(tmp_path: Path) -> None:
    enc = tiny(tmp_path)
    bomb = io.BytesIO()
    np.lib.format.write_array(bomb, np.zeros((16 << 20, 1), np.float32))
    with little_memory():
        with ZipFile(enc, "w", ZIP_DEFLATED) as file:
            file.writestr("c0/W.npy", bomb.getvalue())
        assert "it would unpack to" in refusal(enc)
        header = io.BytesIO()
        np.lib.format.write_array_header_1_0(header, {"descr": "<f4", "fortran_order": False, "shape": (1 << 40, 3)})
        with ZipFile(enc, "w") as file:
            file.writestr("c0/W.npy", header.getvalue() + b"1234")
        assert "which is not what its shape" in refusal(enc)


def test_objects_in_a_file_are_not_read(tmp_path: Path) -> None:
    """NumPy would run what is in them."""
    np.savez(tmp_path / "a.npz", a=np.array([{}], object), b=np.zeros(3))
    assert list(NPZ.open(tmp_path / "a.npz").arrays) == ["b"]


@pytest.mark.parametrize("part", [0.02, 0.3, 0.9, 0.999])
def test_a_file_that_is_cut_off_is_refused(tmp_path: Path, part: float) -> None:
    enc = tiny(tmp_path)
    data = enc.read_bytes()
    enc.write_bytes(data[: int(len(data) * part)])
    assert "is damaged" in refusal(enc)
    assert "is damaged" in refusal(tmp_path / DEC)


def test_damaged_files_are_refused_in_a_sentence(tmp_path: Path) -> None:
    enc = tiny(tmp_path)
    assert damaged("npz", enc, zip_of).counts["refused"] > 100


def test_a_generator_has_the_weights_that_were_read_and_no_copy_of_them(tmp_path: Path) -> None:
    read = imported(tiny(tmp_path))
    first, second = (filled(read, norm).state_dict() for norm in read.readings)
    for name, array in read.tensors.items():
        assert first[name].data_ptr() == second[name].data_ptr() == array.ctypes.data
