"""From another system's arrays to a description and its weights, layer by layer: what a layer is follows from their
shapes."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from msgspec import ValidationError

from nurie.errors import NurieError
from nurie.files.schema import Title, check, fault
from nurie.nets.architecture import (
    OUTPUTS,
    Activation,
    Add,
    Architecture,
    Concat,
    Conv,
    ConvTranspose,
    Dropout,
    Layers,
    Norm,
    Pictured,
    Shuffle,
    Upsample,
    multiple_for,
    shapes,
)

Array = np.ndarray
Value = int  # of the description: 0 is the drawing
DRAWING: Value = 0


@dataclass(frozen=True)
class Imported:
    """A generator of another system.

    tensors: its weights by the names of DescribedGenerator, float32. `readings`: those of its normalisations that make
    sense ("fixed", "picture"), the one that was taken first; `why` says in a sentence why it was. `notes`: what else a
    user should know, a sentence each. `size`: of a drawing, pixels of a side. `labels`: titles of the
    palette's colours, where they are known.
    """

    architecture: Architecture
    tensors: dict[str, Array]
    size: int
    readings: tuple[str, ...] = ("fixed",)
    why: str = ""
    notes: tuple[str, ...] = ()
    labels: tuple[Title, ...] = ()


@dataclass
class Builder:
    """Collects layers. Each method takes the values that it reads and returns the one that it makes. Arrays are in
    PyTorch's order and may be of any float type. Methods raise NurieError where an array is not what the layer needs.
    """

    channels: int  # of the drawing
    layers: list[Layers] = field(default_factory=list)
    tensors: dict[str, Array] = field(default_factory=dict)

    def conv(self, x: Value, weight: Array, bias: Array | None = None, *, stride: int = 1,
             pad: int | tuple[int, int] = 0, reflect: bool = False, depthwise: bool = False) -> Value:  # fmt: skip
        """weight: (out, in, k, k), depthwise (channels, 1, k, k). pad: on all sides, or (before, after)."""
        outputs, inputs, kernel = square(weight, "a convolution")
        layer = Conv(
            reads=(x,), inputs=outputs if depthwise else inputs, outputs=outputs, kernel=kernel, stride=stride,
            pad=both(pad), reflect=reflect, depthwise=depthwise, bias=bias is not None,
        )  # fmt: skip
        return self._add(layer, weight=weight, bias=of_length(bias, outputs))

    def conv_transpose(self, x: Value, weight: Array, bias: Array | None = None, *, stride: int = 2,
                       crop: int | tuple[int, int] = 0) -> Value:  # fmt: skip
        """weight: (in, out, k, k). crop: pixels of the full result that are cut off, PyTorch's (padding, padding -
        output_padding)."""
        inputs, outputs, kernel = square(weight, "a transposed convolution")
        layer = ConvTranspose(
            reads=(x,), inputs=inputs, outputs=outputs, kernel=kernel, stride=stride, crop=both(crop),
            bias=bias is not None,
        )  # fmt: skip
        return self._add(layer, weight=weight, bias=of_length(bias, outputs))

    def norm(self, x: Value, channels: int, epsilon: float, *, scale: Array | None = None, shift: Array | None = None,
             mean: Array | None = None, variance: Array | None = None, rows: bool = False) -> Value:  # fmt: skip
        """Scale and shift of `channels` numbers, or neither, and so for the running statistics; see Normalisation."""
        scaled, statistics = scale is not None or shift is not None, mean is not None
        if scaled:
            scale = np.ones(channels) if scale is None else scale
            shift = np.zeros(channels) if shift is None else shift
        layer = Norm(reads=(x,), channels=channels, epsilon=epsilon, scaled=scaled, statistics=statistics, rows=rows)
        parts = {"weight": scale, "bias": shift, "running_mean": mean, "running_var": variance}
        return self._add(layer, **{name: of_length(part, channels) for name, part in parts.items()})

    def relu(self, x: Value) -> Value:
        return self._add(Activation(reads=(x,), kind="relu"))

    def leaky_relu(self, x: Value, slope: float = 0.2) -> Value:
        return self._add(Activation(reads=(x,), kind="leaky_relu", slope=slope))

    def tanh(self, x: Value) -> Value:
        return self._add(Activation(reads=(x,), kind="tanh"))

    def sigmoid(self, x: Value) -> Value:
        return self._add(Activation(reads=(x,), kind="sigmoid"))

    def upsample(self, x: Value) -> Value:
        return self._add(Upsample(reads=(x,)))

    def shuffle(self, x: Value, factor: int) -> Value:
        return self._add(Shuffle(reads=(x,), factor=factor))

    def dropout(self, x: Value, share: float = 0.5) -> Value:
        return self._add(Dropout(reads=(x,), share=share))

    def concat(self, *values: Value) -> Value:
        return self._add(Concat(reads=values))

    def add(self, a: Value, b: Value) -> Value:
        return self._add(Add(reads=(a, b)))

    def finish(self, *, size: int | None = None, readings: Sequence[str] = ("fixed",), why: str = "",
               notes: Sequence[str] = (), labels: Sequence[Title] = (), **about: Any) -> Imported:  # fmt: skip
        """The last layer made the picture. size: of drawings, the usual one of 256 pixels or the least that fits.
        about: the other fields of Architecture. Raises NurieError where the layers do not fit together."""
        multiple = multiple_for(self.layers, self.channels)
        outputs = shapes(self.layers, self.channels, multiple, multiple)[-1][0]
        gives = about.pop("gives", None) or next((name for name, n in OUTPUTS.items() if n == outputs), "rgb")
        try:
            architecture = Architecture(
                layers=tuple(self.layers), channels=self.channels, multiple=multiple, norm=readings[0], gives=gives,
                **{"reads": {1: "grey", 3: "rgb"}.get(self.channels, "labels"), **about},
            )  # fmt: skip
            check(architecture)
        except (ValueError, ValidationError) as error:
            raise NurieError(f"Nurie can not run this generator: {fault(error)}.") from error
        if OUTPUTS[gives] != outputs:
            raise NurieError(f"The generator makes {outputs} channels, but {OUTPUTS[gives]} were expected.")
        size = size or max(multiple, 256 // multiple * multiple)
        return Imported(architecture, self.tensors, size, tuple(readings), why, tuple(notes), tuple(labels))

    def shape(self, x: Value, side: int = 256) -> Pictured:
        """(channels, height, width) of a value for a square drawing."""
        return shapes(self.layers, self.channels, side, side)[x]

    def _add(self, layer: Layers, **arrays: Array | None) -> Value:
        for name, array in arrays.items():
            if array is not None:
                with np.errstate(over="ignore"):  # becomes infinite, which is refused in the end
                    array = np.require(array, np.float32, ["C_CONTIGUOUS", "WRITEABLE"])
                self.tensors[f"layers.{len(self.layers)}.{name}"] = array
        self.layers.append(layer)
        return len(self.layers)


def both(pad: int | tuple[int, int]) -> tuple[int, int]:
    return (pad, pad) if isinstance(pad, int) else pad


def from_tensorflow(kernel: Array) -> Array:
    """PyTorch's order of a kernel (h, w, in, out), or a transposed convolution's (h, w, out, in)."""
    if kernel.ndim != 4:
        raise NurieError(f"Expected the weights of a convolution, but their shape is {kernel.shape}.")
    return kernel.transpose(3, 2, 0, 1)


def square(weight: Array, what: str) -> tuple[int, int, int]:
    """The first two sides of a convolution's weights, and the kernel's."""
    if weight.ndim != 4 or weight.shape[2] != weight.shape[3] or 0 in weight.shape:
        raise NurieError(f"Expected the weights of {what} with a square kernel, but their shape is {weight.shape}.")
    return weight.shape[0], weight.shape[1], weight.shape[2]


def of_length(array: Array | None, count: int) -> Array | None:
    if array is None:
        return None
    if array.size != count:
        raise NurieError(f"Expected {count} numbers, one for each channel, but the shape is {array.shape}.")
    return array.reshape(-1)
