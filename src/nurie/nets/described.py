"""A generator from its description, such as that of another system's checkpoint."""

import numpy as np
import torch
from torch import Tensor, nn

from nurie.errors import NurieError
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
    Shuffle,
    Upsample,
    shapes,
)
from nurie.nets.layers import Convolution, DrawingInput, Normalisation, PictureOutput, Transposed


class DescribedGenerator(nn.Module):
    """(n, 3, h, w) in [-1, 1] to the same, as all generators; `compute` is the net without its input and its output.

    Height and width must be multiples of the architecture's `multiple`. Raises NurieError for a description that can
    not be.
    """

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        side = architecture.multiple
        made = shapes(architecture.layers, architecture.channels, side, side)[-1]
        if made != (wanted := (OUTPUTS[architecture.gives], side, side)):
            raise NurieError(f"The generator makes {made} (channels, height, width), but {wanted} were expected.")
        self.architecture = architecture
        palette = np.array([[*bytes.fromhex(colour[1:])] for colour in architecture.palette], np.uint8).reshape(-1, 3)
        self.read = DrawingInput(architecture.reads, architecture.takes, palette)
        fixed = architecture.norm == "fixed"
        self.layers = nn.ModuleList(module_of(layer, fixed) for layer in architecture.layers)
        self.show = PictureOutput(architecture.gives, architecture.shows)

    def compute(self, x: Tensor) -> Tensor:
        """(n, channels, h, w) -> (n, channels, h, w), both as the system that made it has them."""
        layers = self.architecture.layers
        last = {value: i for i, layer in enumerate(layers) for value in layer.reads}
        values = {0: x}
        for i, (layer, module) in enumerate(zip(layers, self.layers, strict=True)):
            values[i + 1] = module(*(values[value] for value in layer.reads))
            for value in {value for value in layer.reads if last[value] == i}:
                del values[value]  # so that its memory is used again
        return values[len(layers)]

    def forward(self, x: Tensor) -> Tensor:
        return self.show(self.compute(self.read(x)), x)


class Concatenation(nn.Module):
    def forward(self, *x: Tensor) -> Tensor:
        return torch.cat(x, 1)


class Addition(nn.Module):
    def forward(self, *x: Tensor) -> Tensor:
        total = x[0]
        for other in x[1:]:
            total = total + other
        return total


def module_of(layer: Layers, fixed: bool) -> nn.Module:
    """fixed: whether normalisations are by running statistics."""
    match layer:
        case Conv(inputs=inputs, outputs=outputs):
            groups = inputs if layer.depthwise else 1
            return Convolution(
                inputs, outputs, layer.kernel, layer.stride, layer.pad, layer.reflect, groups, layer.bias
            )
        case ConvTranspose(inputs=inputs, outputs=outputs):
            return Transposed(inputs, outputs, layer.kernel, layer.stride, layer.crop, layer.bias)
        case Norm(scaled=True, statistics=True, rows=False) if fixed:
            return nn.BatchNorm2d(layer.channels, layer.epsilon)
        case Norm():
            return Normalisation(layer.channels, layer.epsilon, layer.scaled, layer.statistics, layer.rows, fixed)
        case Activation(kind="leaky_relu"):
            return nn.LeakyReLU(layer.slope)
        case Activation():
            return {"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid}[layer.kind]()
        case Upsample():
            return nn.Upsample(scale_factor=2, mode="nearest")
        case Shuffle():
            return nn.PixelShuffle(layer.factor)
        case Dropout():
            return nn.Dropout(layer.share)
        case Concat():
            return Concatenation()
        case Add():
            return Addition()
