"""Files of Keras against the outputs of the programs that wrote them, and against the same sums in PyTorch."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch
import torch.nn.functional as F

from importing import computed, damaged_apart, imported, old
from nurie.errors import NurieError
from nurie.files.hdf5 import opened
from nurie.importers.containers.hdf5 import open_hdf5
from nurie.importers.registry import import_files

Layers = dict[str, dict[str, np.ndarray]]  # a layer's arrays by their Keras 2 names, in the order of the layers
OUTPUTS = {"fixed": "output_fixed", "picture": "output_per_image"}
READINGS = pytest.mark.parametrize("reading", ["fixed", "picture"])


def planes(x: np.ndarray) -> np.ndarray:
    """(1, h, w, channels), (h, w, channels) or (h, w) -> (1, channels, h, w)"""
    return np.atleast_3d(x.squeeze()).transpose(2, 0, 1)[None]


def from_bytes(x: np.ndarray) -> np.ndarray:
    return planes(x) / 127.5 - 1


@READINGS
def test_vess2ret(reading: str) -> None:
    folder = old("keras2_vess2ret")
    found = imported(folder / "atob_weights.h5")
    assert (found.size, found.readings, found.architecture.takes) == (512, ("fixed", "picture"), (0, 1))
    assert "pictures of one channel" in found.notes[0]
    wanted = np.load(folder / f"{OUTPUTS[reading]}_step3.npy")
    y = computed(found, np.load(folder / "input.npy").reshape(1, 1, 512, 512), reading)[0, :, ::3, ::3]
    # In training mode its float32 sums are 1.3e-3 from exact ones, which two other programs computed.
    assert np.abs(y - wanted.reshape(y.shape)).max() < {"fixed": 1e-5, "picture": 1.3e-3}[reading]


@READINGS
def test_tdeboissiere(reading: str) -> None:
    folder = old("keras2_tdeboissiere_upsampling")
    found = imported(folder / "gen_weights_epoch0.h5")
    assert (found.size, found.readings) == (64, ("fixed", "picture"))
    wanted = planes(np.load(folder / f"{OUTPUTS[reading]}.npy"))
    assert np.abs(computed(found, planes(np.load(folder / "input.npy")), reading) - wanted).max() < 1e-5


def test_the_tutorial_of_machinelearningmastery() -> None:
    folder = old("keras_mlm_model")
    found = imported(folder / "model_000012.h5")
    assert (found.readings, found.architecture.reads) == (("picture",), "grey")
    y = computed(found, from_bytes(np.load(folder / "input.npy")))[..., ::3, ::3]
    assert np.abs(y - planes(np.load(folder / "output_per_image_step3.npy"))).max() < 1e-5


@READINGS
def test_the_tutorial_of_tensorflow(reading: str) -> None:
    folder = old("tf2_tutorial")
    found = imported(folder / "generator.h5")
    wanted = planes(np.load(folder / f"{OUTPUTS[reading]}_step3.npy"))
    y = computed(found, from_bytes(np.load(folder / "input.npy")), reading)[..., ::3, ::3]
    assert np.abs(y - wanted).max() < 1e-4


def layers_in(path: Path) -> Layers:
    """Of a file whose layers all have names of their own."""
    found: Layers = {}
    for name, array in open_hdf5(path).arrays.items():
        layer, _, role = name.rpartition("/")
        found.setdefault(layer.split("/")[0], {})[role.removesuffix(":0")] = array
    return found


def write_keras(path: Path, layers: Layers, backend: str = "", end: str = "") -> Path:
    """Weights as Keras 2 writes them, or Keras 1 where no backend is named. end: of the names."""
    keras1 = {"kernel": "W", "bias": "b", "moving_mean": "running_mean", "moving_variance": "running_std"}
    with h5py.File(path, "w") as file:
        if backend:
            file.attrs.update({"backend": backend.encode(), "keras_version": b"2.0.8"})
        file.attrs["layer_names"] = [name.encode() for name in layers]
        for name, arrays in layers.items():
            inner = {
                role: f"{name}/{role}:0" if backend else f"{name}_{keras1.get(role, role)}{end}" for role in arrays
            }
            file.create_group(name).attrs["weight_names"] = [each.encode() for each in inner.values()]
            for role, array in arrays.items():
                file[f"{name}/{inner[role]}"] = array
    return path


def theano(layers: Layers, flip: bool = True) -> Layers:
    """The kernels in the order of Theano with channels first, mirrored for its true convolution."""

    def kernel(name: str, array: np.ndarray) -> np.ndarray:
        array = array.transpose(2, 3, 0, 1) if "transpose" in name else array.transpose(3, 2, 0, 1)
        return array[:, :, ::-1, ::-1] if flip else array

    return {name.replace("conv2d_transpose", "deconvolution2d"):
            {role: kernel(name, array) if role == "kernel" else array for role, array in arrays.items()}
            for name, arrays in layers.items()}  # fmt: skip


class Reference:
    """The layers of a file as PyTorch computes them, float64."""

    def __init__(self, layers: Layers, reading: str, every_side: bool = False, rows: bool = False) -> None:
        self.layers, self.reading, self.rows = layers, reading, rows
        self.pad = (1, 1) if every_side else (0, 1)
        self.norms: Iterator[dict[str, np.ndarray]] = (a for a in layers.values() if "gamma" in a or "moving_mean" in a)

    def kernel(self, name: str) -> tuple[torch.Tensor, torch.Tensor]:
        arrays = self.layers[name]
        return torch.from_numpy(arrays["kernel"]).double().permute(3, 2, 0, 1), torch.from_numpy(
            arrays["bias"]
        ).double()

    def down(self, x: torch.Tensor, name: str) -> torch.Tensor:
        return F.conv2d(F.pad(x, self.pad * 2), *self.kernel(name), stride=2)

    def up(self, x: torch.Tensor, name: str) -> torch.Tensor:
        """3x3: twice the size, of which one row and column is cut off."""
        y = F.conv_transpose2d(x, *self.kernel(name), stride=2)
        return y[..., 1:, 1:] if self.pad == (1, 1) else y[..., :-1, :-1]

    def norm(self, x: torch.Tensor) -> torch.Tensor:
        arrays = {role: torch.from_numpy(array).double() for role, array in next(self.norms).items()}
        sides, shape = ((0, 1, 3), (1, 1, -1, 1)) if self.rows else ((0, 2, 3), (1, -1, 1, 1))
        mean, variance = (arrays[role].reshape(shape) for role in ("moving_mean", "moving_variance"))
        if self.reading == "picture":
            mean, variance = x.mean(sides, keepdim=True), x.var(sides, keepdim=True, correction=0)
        gamma, beta = arrays["gamma"].reshape(shape), arrays["beta"].reshape(shape)
        return (x - mean) / (variance + 1e-3).sqrt() * gamma + beta

    def tdeboissiere(self, x: torch.Tensor) -> torch.Tensor:
        down = [name for name in self.layers if name.startswith("unet_conv2D")]
        up = [name for name in self.layers if name.startswith(("unet_upconv2D", "conv2d_transpose", "last"))]
        y, skips = x, []
        for level, name in enumerate(down):
            y = self.down(F.leaky_relu(y, 0.2) if level else y, name)
            y = self.norm(y) if level else y
            skips.append(y)
        for level, name in enumerate(up):
            y = F.relu(y)
            if "transpose" in name:
                y = self.up(y, name)
            else:
                y = F.conv2d(F.interpolate(y, scale_factor=2), *self.kernel(name), padding=1)
            if level < len(up) - 1:
                y = torch.cat([self.norm(y), skips[-2 - level]], 1)
        return torch.tanh(y)

    def vess2ret(self, x: torch.Tensor) -> torch.Tensor:
        y, skips = x, []
        for level in range(9):
            y = F.leaky_relu(y, 0.2) if level else y
            name = f"conv2d_{level + 1}"
            y = self.norm(self.down(y, name) if level < 8 else F.conv2d(y, *self.kernel(name)))
            skips.append(y)
        for level in range(9):
            y = F.leaky_relu(y, 0.2)
            y = F.conv_transpose2d(y, *self.kernel(f"conv2d_transpose_{level + 1}"), stride=2 if level else 1)
            if level < 8:
                y = torch.cat([self.norm(y), skips[7 - level]], 1)
        return torch.tanh(y)


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(1).uniform(-1, 1, shape)


def transposed_layers() -> Layers:
    """A generator of tdeboissiere's with transposed convolutions, 3 levels."""
    rng = np.random.default_rng(2)
    layers: Layers = {}

    def add(name: str, inputs: int, outputs: int, normed: bool) -> None:
        shape = (3, 3, outputs, inputs) if "transpose" in name else (3, 3, inputs, outputs)
        layers[name] = {
            "kernel": rng.normal(0, 0.3, shape).astype("f"),
            "bias": rng.normal(0, 0.1, outputs).astype("f"),
        }
        if normed:
            roles = ("gamma", "beta", "moving_mean", "moving_variance")
            layers[f"batch_{len(layers)}"] = {role: rng.uniform(0.5, 1.5, outputs).astype("f") for role in roles}

    for level, (inputs, outputs) in enumerate([(3, 2), (2, 4), (4, 8)]):
        add(f"unet_conv2D_{level + 1}", inputs, outputs, level > 0)
    for level, (inputs, outputs) in enumerate([(8, 4), (8, 2), (4, 3)]):
        add(f"conv2d_transpose_{level + 1}", inputs, outputs, level < 2)
    return layers


@READINGS
@pytest.mark.parametrize("kind", ["upsampling", "transposed"])
@pytest.mark.parametrize("written", ["keras 2", "keras 1, Theano", "keras 1, TensorFlow, channels first"])
def test_the_backend_tells_how_kernels_and_pads_are(kind: str, written: str, reading: str, tmp_path: Path) -> None:
    fixture = old("keras2_tdeboissiere_upsampling") / "gen_weights_epoch0.h5"
    layers = layers_in(fixture) if kind == "upsampling" else transposed_layers()
    path = tmp_path / "gen_weights_epoch9.h5"
    match written:
        case "keras 2":
            write_keras(path, layers, "tensorflow")
        case "keras 1, Theano":
            write_keras(path, theano(layers))
        case _:
            write_keras(path, theano(layers, flip=False), end=":0")
    found = imported(path)
    assert found.readings == (("fixed", "picture") if written == "keras 2" else ("picture", "fixed"))
    assert bool(found.notes) == ("Theano" in written)
    x = noise(1, 3, 64, 64)
    wanted = Reference(layers, reading, every_side="Theano" in written).tdeboissiere(torch.from_numpy(x))
    assert np.abs(computed(found, x, reading) - wanted.numpy()).max() < 1e-9


def test_statistics_that_were_never_learnt_are_not_used(tmp_path: Path) -> None:
    layers = transposed_layers()
    for arrays in layers.values():
        if "gamma" in arrays:
            arrays |= {"moving_mean": arrays["gamma"] * 0, "moving_variance": arrays["gamma"] * 0 + 1}
    found = imported(write_keras(tmp_path / "weights.h5", layers, "tensorflow"))
    assert found.readings == ("picture",) and "no running statistics" in found.why


def row_layers(layers: Layers) -> Layers:
    """The layers of a vess2ret with channels last, whose normalisations have a number for each row."""
    rng = np.random.default_rng(3)
    sides = iter([*(512 >> level for level in range(1, 10)), *(2**level for level in range(1, 9))])

    def of_rows(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        if "gamma" not in arrays:
            return arrays
        rows = next(sides)
        return {role: rng.uniform(0.5, 1.5, rows).astype("f") for role in arrays}

    return {name: of_rows(arrays) for name, arrays in layers.items()}


@READINGS
@pytest.mark.parametrize("written", ["rows", "Theano"])
def test_vess2ret_of_rows_and_of_theano(written: str, reading: str, tmp_path: Path) -> None:
    layers = layers_in(old("keras2_vess2ret") / "atob_weights.h5")
    path, rows = tmp_path / "atob_weights.h5", written == "rows"
    layers = row_layers(layers) if rows else layers
    found = imported(write_keras(path, layers, "tensorflow") if rows else write_keras(path, theano(layers)))
    x = noise(1, 1, 512, 512)
    wanted = Reference(layers, reading, every_side=not rows, rows=rows).vess2ret(torch.from_numpy(x))
    assert np.abs(computed(found, x, reading) - wanted.numpy()).max() < 1e-9


def test_normalisations_of_neither_rows_nor_channels_are_refused(tmp_path: Path) -> None:
    layers = layers_in(old("keras2_vess2ret") / "atob_weights.h5")
    layers["batch_normalization_3"] = {role: array[:7] for role, array in layers["batch_normalization_3"].items()}
    with pytest.raises(NurieError, match="Expected a number for each of"):
        imported(write_keras(tmp_path / "atob_weights.h5", layers, "tensorflow"))


@pytest.mark.parametrize("name", ["tf2_tutorial/generator.h5", "keras_mlm_model/model_000012.h5"])
def test_the_layout_of_keras_3_gives_the_same(name: str, tmp_path: Path) -> None:
    folder, _, file = name.partition("/")
    source = old(folder) / file
    path = tmp_path / "model.weights.h5"
    counts: dict[str, int] = {}
    places: dict[str, str] = {}

    def numbered(kind: str) -> str:
        counts[kind] = counts.get(kind, -1) + 1
        return f"{kind}_{counts[kind]}" if counts[kind] else kind

    with h5py.File(path, "w") as new:
        for full, array in open_hdf5(source).arrays.items():
            owner = full.rpartition("/")[0]
            parts = owner.split("/")
            kind = next(k for k in ("conv2d_transpose", "conv2d", "batch_normalization") if parts[-1].startswith(k))
            if parts[0].startswith("sequential"):
                block = places.setdefault(parts[0], f"layers/{numbered('sequential')}/layers")
                place = f"{block}/{kind}"
            else:
                place = places.setdefault(owner, f"layers/{numbered(kind)}")
            group = new.require_group(f"{place}/vars")
            group[str(len(group))] = array
        new["layers/dropout/seed_generator/vars/0"] = np.zeros(2, np.uint32)
        new["optimizer/vars/0"] = np.zeros(5, np.float32)
    one, two = imported(source), imported(path)
    assert one.architecture == two.architecture and one.readings == two.readings
    assert all(np.array_equal(array, two.tensors[key]) for key, array in one.tensors.items())


def test_layers_come_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        for name in ("conv_10", "conv_2", "conv", "conv_1", "a/vars/10", "a/vars/9"):
            file[name] = np.zeros(2)
    assert list(open_hdf5(tmp_path / "a.h5").arrays) == ["a/vars/9", "a/vars/10", "conv", "conv_1", "conv_2", "conv_10"]


def test_long_lists_of_names_are_put_together(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.attrs.update({"layer_names0": [b"a", b"b"], "layer_names1": [b"c"], "text": "unicode", "other": b"bytes"})
    with opened(tmp_path / "a.h5") as found:
        assert (found.names("", "layer_names"), found.text("", "text"), found.text("", "other")) == (
            ["a", "b", "c"], "unicode", "bytes",
        )  # fmt: skip
        assert (found.names("", "absent"), found.text("", "absent")) == ([], "")


def hostile(kind: str, path: Path) -> None:
    """A small file that leads elsewhere, or to much memory."""
    with h5py.File(path.with_name("secret.h5"), "w") as file:
        file["secret"] = np.ones(4)
    with h5py.File(path, "w") as file:
        match kind:
            case "external link":
                file["a"] = h5py.ExternalLink("secret.h5", "/secret")
            case "soft link":
                file["a"] = h5py.SoftLink("/b")
            case "virtual":
                layout = h5py.VirtualLayout((4,), "f8")
                layout[:] = h5py.VirtualSource("secret.h5", "secret", (4,))
                file.create_virtual_dataset("a", layout)
            case "external data":
                file.create_dataset("a", (4,), "f8", external=[("secret.h5", 0, 32)])
            case "unwritten":
                file.create_dataset("a", (2**40,), "f4")
            case "unwritten chunks":
                file.create_dataset("a", (2**20, 2**20), "f4", chunks=(8, 8))
            case "large chunks":
                file.create_dataset("a", (4,), "f4", chunks=(2**28,), maxshape=(None,))
            case "many datasets":
                for index in range(100):
                    file.create_dataset(f"a{index}", (1000,), "f8")
            case "compressed":
                file.create_dataset("a", (2**20,), "f4", compression="gzip")
            case "deep":
                file.create_group("/".join("a" * 30))


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("external link", "holds a link"),
        ("soft link", "holds a link"),
        ("virtual", "in another file"),
        ("external data", "in another file"),
        ("unwritten", "the file is too small"),
        ("unwritten chunks", "the file is too small"),
        ("large chunks", "the file is too small"),
        ("many datasets", "the file is too small"),
        ("compressed", "h5repack -f NONE"),
        ("deep", "more groups"),
    ],
)
def test_a_hostile_file_is_refused(kind: str, words: str, tmp_path: Path) -> None:
    hostile(kind, tmp_path / "a.h5")
    with pytest.raises(NurieError, match=words):
        open_hdf5(tmp_path / "a.h5")


def test_a_group_in_itself_is_read_once(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["group/numbers"] = np.ones(3)
        file["group/again"] = file["group"]
        file["reference"] = np.array([file["group"].ref], h5py.ref_dtype)
        file["group/twice"] = file["group/numbers"]
    assert list(open_hdf5(tmp_path / "a.h5").arrays) == ["group/numbers"]


def small_generator(path: Path) -> Path:
    """A file that is mostly structure: what damages it seldom hits a weight."""
    return write_keras(path, transposed_layers(), "tensorflow")


def test_damaged_files_are_refused_in_a_sentence(tmp_path: Path) -> None:
    refused, read = damaged_apart(small_generator(tmp_path / "small.h5"))
    assert refused > 50 and read > 5


def test_what_is_no_generator_is_named(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["dense/kernel:0"] = np.zeros((3, 4), "f")
    with pytest.raises(NurieError, match=r"is an HDF5 file of Keras, but of no generator .* 1 arrays \(dense/kernel:0"):
        import_files([tmp_path / "a.h5"])


def test_numbers_that_do_not_fit_are_a_sentence(tmp_path: Path) -> None:
    layers: Any = transposed_layers()
    layers["unet_conv2D_2"]["bias"] = np.zeros(5, "f")
    with pytest.raises(
        NurieError, match=r"looks like a U-Net of 3 levels with transposed convolutions of tdebois.*Expected 4"
    ):
        imported(write_keras(tmp_path / "a.h5", layers, "tensorflow"))
