"""A generator's weights as its model will have them, for training that knows the rounding and for what it changes.

Steps are those of `in_steps`, {name of a convolution in the generator: step}; convolutions without one have 8 bits for
each channel.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from nurie.convert.graph import module_of, traced
from nurie.convert.kernels import is_fixed, kernel_of, statistics_of
from nurie.convert.quantise import codes_with, dequantised

Steps = Mapping[str, float]


@dataclass(frozen=True)
class Layer:
    """A convolution, and the fixed normalisation behind it, which lower.py folds into it."""

    name: str
    conv: nn.Conv2d
    norm: nn.Module | None

    def factor(self) -> Tensor:
        """What the normalisation multiplies each channel by: float64 (out, 1, 1, 1)."""
        if self.norm is None:
            return torch.ones(self.conv.out_channels, 1, 1, 1, dtype=torch.float64)
        _, variance, epsilon, gamma, _ = statistics_of(self.norm)
        factor = (variance + epsilon).rsqrt() * (1 if gamma is None else gamma)
        return factor[:, None, None, None]

    def folded(self) -> Tensor:
        """The weights that a model has, before they are rounded: float32 (out, ky, kx, in)."""
        kernel = kernel_of(self.conv)
        folded = kernel if self.norm is None else kernel.folded(self.norm)
        return folded.weight.permute(0, 2, 3, 1).float()

    def unfolded(self, weights: Tensor) -> Tensor:
        """Weights of the convolution, (out, in, ky, kx), that give these folded ones."""
        factor = self.factor()
        exact = weights.permute(0, 3, 1, 2).double() / torch.where(factor == 0, 1, factor)
        return exact.to(self.conv.weight.dtype)


def layers_of(generator: nn.Module) -> list[Layer]:
    """The convolutions that can have a step: all but transposed and depthwise ones, in the order of the model."""
    graph, names = traced(generator), {module: name for name, module in generator.named_modules()}
    found = []
    for node in graph.graph.nodes:
        conv = module_of(graph, node)
        if isinstance(conv, nn.Conv2d) and conv.groups == 1:
            after = module_of(graph, next(iter(node.users))) if len(node.users) == 1 else None
            found.append(Layer(names[conv], conv, after if is_fixed(after) else None))
    return found


def rounded(weights: Tensor, step: float | None) -> Tensor:
    """Folded weights (out, ky, kx, in) as the engine reads them: with one step, or with 8 bits for each channel."""
    values = weights.detach().float().cpu().contiguous().numpy()
    codes, scales, compand = codes_with(values, step)
    return torch.from_numpy(dequantised(codes, scales, compand)).to(weights.device)


def rounded_weights(generator: nn.Module, steps: Steps) -> dict[str, Tensor]:
    """For each convolution, by name, weights of its own shape with which the generator in eval mode computes what the
    model will, as far as its normalisations stay as they are."""
    return {
        layer.name: layer.unfolded(rounded(layer.folded(), steps.get(layer.name))) for layer in layers_of(generator)
    }


@contextmanager
def replaced(conv: nn.Conv2d, weights: Tensor) -> Iterator[None]:
    """The convolution has other weights meanwhile."""
    before = conv.weight.data
    conv.weight.data = weights
    try:
        yield
    finally:
        conv.weight.data = before
