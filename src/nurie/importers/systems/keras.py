"""What files of Keras have in common: which arrays are a layer's, and in which order a backend kept kernels.

Keras 1 with Theano convolves truly: its kernels are mirrored in both axes. It pads by 1 pixel on every side where
TensorFlow pads below and right only, and it may have channels first.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nurie.importers.builder import Builder, Value, from_tensorflow
from nurie.importers.frame import Contents

ROLES = {
    "kernel": "kernel", "W": "kernel", "bias": "bias", "b": "bias", "gamma": "gamma", "beta": "beta",
    "moving_mean": "mean", "running_mean": "mean", "moving_variance": "variance", "running_std": "variance",
}  # fmt: skip
NORM = ("gamma", "beta", "mean", "variance")
EPSILON = 1e-3  # of a batch normalisation, in all versions


@dataclass(frozen=True)
class KerasLayer:
    """A layer with weights: `name` is its path in the file, `arrays` are by role (kernel, bias, gamma, beta, mean,
    variance) as the file has them."""

    name: str
    arrays: Mapping[str, np.ndarray]

    @property
    def kernel(self) -> np.ndarray:
        return self.arrays["kernel"]

    @property
    def transposed(self) -> bool:
        last = self.name.rpartition("/")[2].lower()
        return "transpose" in last or "deconv" in last


@dataclass(frozen=True)
class KerasNetwork:
    """The layers of a file by kind, each in the order in which they are computed.

    theano: by that backend. channels_first: whether kernels are (out, in, h, w), both kinds of convolutions.
    keras: the version, 1 to 3.
    """

    convs: tuple[KerasLayer, ...]
    transposed: tuple[KerasLayer, ...]
    norms: tuple[KerasLayer, ...]
    theano: bool
    channels_first: bool
    keras: int
    config: Any = None

    def weight(self, layer: KerasLayer) -> np.ndarray:
        """In PyTorch's order: (out, in, k, k), transposed (in, out, k, k)."""
        kernel = layer.kernel
        if not self.channels_first:
            kernel = from_tensorflow(kernel)
        elif layer.transposed:
            kernel = kernel.transpose(1, 0, 2, 3)
        return kernel[:, :, ::-1, ::-1] if self.theano else kernel

    def norm(self, b: Builder, x: Value, layer: KerasLayer, rows: bool = False) -> Value:
        scale, shift, mean, variance = (layer.arrays.get(role) for role in NORM)
        count = next(iter(layer.arrays.values())).size
        return b.norm(x, count, EPSILON, scale=scale, shift=shift, mean=mean, variance=variance, rows=rows)

    @property
    def learnt_statistics(self) -> bool:
        """Whether the running statistics are other than those that a new layer has."""
        return any(
            np.any(layer.arrays["mean"] != 0) or np.any(layer.arrays["variance"] != 1)
            for layer in self.norms
            if {"mean", "variance"} <= layer.arrays.keys()
        )


def network_of(contents: Contents) -> KerasNetwork | None:
    """None where the arrays are not those of a Keras file, or not only of 2D convolutions and normalisations."""
    found: dict[str, dict[str, np.ndarray]] = {}
    numbered: dict[str, list[np.ndarray]] = {}
    for path, array in contents.arrays.items():
        if array.dtype.kind != "f" or path.startswith("optimizer"):
            continue
        if match := re.fullmatch(r"(.+)/vars/(\d+)", path):
            numbered.setdefault(match[1], []).append(array)
        elif role := role_of(path):
            found.setdefault(path[: -len(role[1])], {})[role[0]] = array
    found |= {name: by_place(arrays) for name, arrays in numbered.items()}
    layers = [KerasLayer(name.rstrip("/_"), arrays) for name, arrays in found.items()]
    convs = [layer for layer in layers if layer.arrays.keys() - {"bias"} == {"kernel"} and layer.kernel.ndim == 4]
    norms = [layer for layer in layers if layer.arrays and layer.arrays.keys() <= set(NORM)]
    orders = [order for order, sides in (("last", slice(0, 2)), ("first", slice(2, 4)))
              if all(square(layer.kernel.shape[sides]) for layer in convs)]  # fmt: skip
    if not convs or not orders or len(convs) + len(norms) != len(layers):
        return None
    attributes = contents.attributes
    keras = 3 if numbered else int(attributes["keras_version"][0]) if known(attributes.get("keras_version")) else 1
    named_by_tensorflow = any(path.endswith(":0") for path in contents.arrays)
    theano = attributes.get("backend", "tensorflow" if numbered or named_by_tensorflow else "theano") == "theano"
    return KerasNetwork(
        tuple(layer for layer in convs if not layer.transposed),
        tuple(layer for layer in convs if layer.transposed),
        tuple(norms), theano, "last" not in orders, keras, attributes.get("model_config"),
    )  # fmt: skip


def readings_of(net: KerasNetwork) -> tuple[tuple[str, ...], str]:
    """The readings of normalisations that make sense, and why the first one is taken, for programs that do not say."""
    if not net.learnt_statistics:
        return ("picture",), "Its file holds no running statistics that were learnt."
    if net.keras == 1:
        return ("picture", "fixed"), "Keras 1 normalises by the statistics of the picture."
    return ("fixed", "picture"), "Keras 2 normalises by the running statistics when it predicts."


def theano_note(net: KerasNetwork) -> tuple[str, ...]:
    """What a user should know of how the backend was told, where the file does not name it."""
    if not net.theano or net.keras > 1:
        return ()
    return (
        "Its file does not name the backend; by the names of its weights it was Theano. Keras 2 on TensorFlow also "
        "opens it, but makes quite other pictures of it.",
    )


def role_of(path: str) -> tuple[str, str] | None:
    """A weight's role and the end of its path that says so: ("kernel", "/kernel:0"), in Keras 1 ("kernel", "_W")."""
    match = re.search(rf"[/_]({'|'.join(sorted(ROLES, key=len, reverse=True))})(:0)?\Z", path)
    return (ROLES[match[1]], match[0]) if match else None


def by_place(arrays: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
    """Keras 3 numbers a layer's weights: those of a convolution, or of a normalisation."""
    names = ("kernel", "bias") if arrays[0].ndim > 1 else NORM
    return dict(zip(names, arrays, strict=False)) if len(arrays) <= len(names) else {}


def square(sides: Sequence[int]) -> bool:
    return sides[0] == sides[1] and 1 <= sides[0] <= 7


def known(version: Any) -> bool:
    return isinstance(version, str) and version[:1] in ("1", "2", "3")
