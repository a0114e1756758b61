"""Convolutions as the engine has them, in float64: transposed ones of any kernel, folded normalisations, mixed
inputs."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from nurie.engine.plan import Op
from nurie.errors import NurieError
from nurie.nets.layers import Convolution, Normalisation, Transposed

ENGINES = (4, 2, (1, 1))  # kernel, stride and crop of the engine's transposed convolution


@dataclass(frozen=True)
class Kernel:
    """weight: (out, in, ky, kx), of a transposed convolution (in, out, ky, kx); depthwise (out, 1, ky, kx)."""

    weight: Tensor
    bias: Tensor | None
    transposed: bool = False

    @property
    def outputs(self) -> int:
        return self.weight.shape[1 if self.transposed else 0]

    def scaled(self, factor: float, shift: float) -> "Kernel":
        """factor y + shift"""
        bias = torch.zeros(self.outputs, dtype=torch.float64) if self.bias is None else self.bias
        return replace(self, weight=self.weight * factor, bias=bias * factor + shift)

    def repeated(self, times: int) -> "Kernel":
        """All output channels, so often."""
        repeats = (1, times, 1, 1) if self.transposed else (times, 1, 1, 1)
        return replace(
            self, weight=self.weight.repeat(repeats), bias=None if self.bias is None else self.bias.repeat(times)
        )

    def folded(self, norm: nn.Module) -> "Kernel":
        """With a normalisation by fixed statistics after it."""
        mean, var, epsilon, gamma, beta = statistics_of(norm)
        made: Any = fuse_conv_bn_weights(self.weight, self.bias, mean, var, epsilon, gamma, beta, self.transposed)  # type: ignore[arg-type]
        return replace(self, weight=made[0].detach(), bias=made[1].detach())

    def reading(self, matrix: Tensor) -> "Kernel":
        """Of inputs that are themselves sums of others: (in, others)."""
        order = "iokl,ij->jokl" if self.transposed else "oikl,ij->ojkl"
        return replace(self, weight=torch.einsum(order, self.weight, matrix))


def kernel_of(module: nn.Conv2d | nn.ConvTranspose2d) -> Kernel:
    bias = None if module.bias is None else module.bias.detach().double()
    return Kernel(module.weight.detach().double(), bias, isinstance(module, nn.ConvTranspose2d))


def is_fixed(module: nn.Module | None) -> bool:
    """Whether it normalises channels by running statistics."""
    return isinstance(module, nn.BatchNorm2d) or (
        isinstance(module, Normalisation) and module.fixed and not module.rows
    )


def statistics_of(norm: nn.Module) -> tuple[Tensor, Tensor, float, Tensor | None, Tensor | None]:
    """Mean, variance, epsilon, scale and shift."""
    parts = [norm.running_mean, norm.running_var, norm.weight, norm.bias]
    if parts[0] is None:
        raise NurieError("A BatchNorm keeps no running statistics, so that it can not be folded.")
    mean, var, gamma, beta = (None if p is None else p.detach().double() for p in parts)  # type: ignore[union-attr]
    assert mean is not None and var is not None
    epsilon: Any = norm.eps if isinstance(norm, nn.BatchNorm2d) else norm.epsilon
    return mean, var, float(epsilon), gamma, beta


def geometry_of(name: str, module: nn.Conv2d | nn.ConvTranspose2d) -> Op:
    """Kind, kernel, stride and padding of what a convolution becomes. Raises NurieError where the engine has none."""
    check_convolution(name, module)
    if isinstance(module, nn.ConvTranspose2d):
        return transposed_geometry(name, module)
    before, after = module.pad if isinstance(module, Convolution) else (int(module.padding[0]),) * 2
    mirrors = isinstance(module, Convolution) and module.reflect and max(before, after) > 0
    kind, end = "conv" if module.groups == 1 else "depthwise", -1 if after == before else after
    window = {"kernel": module.kernel_size[0], "stride": module.stride[0], "pad": before, "pad_end": end}
    return Op(kind, **window, reflect=int(mirrors))


def crop_of(module: nn.ConvTranspose2d) -> tuple[int, int]:
    padding = int(module.padding[0])
    return module.crop if isinstance(module, Transposed) else (padding, padding - module.output_padding[0])


def transposed_geometry(name: str, module: nn.ConvTranspose2d) -> Op:
    """The engine's own, or a convolution whose result is shuffled. Kernel row t of the input's row i adds to row
    stride * i + t - crop."""
    kernel, stride, (before, after) = module.kernel_size[0], module.stride[0], crop_of(module)
    if stride == 2 and kernel - before - after == 2 and kernel > 2 and 0 <= 1 - before <= 4 - kernel:
        return Op("conv_transpose", kernel=4, stride=2, pad=1)
    reach = reach_of(kernel, stride, before)
    size, pad = reach[-1] - reach[0] + 1, -reach[0]
    whole, rest = divmod(kernel - before - after - stride, stride)  # computed pixels more than the input has
    if rest or not 0 <= pad < size or not 0 <= (end := whole - pad + size - 1) < size or stride not in (1, 2):
        raise NurieError(f"{name} is a transposed convolution that the engine can not compute ({module}).")
    return Op("conv", kernel=size, pad=pad, pad_end=-1 if end == pad else end, shuffle=stride)


def reach_of(kernel: int, stride: int, before: int) -> Sequence[int]:
    """The input's rows that computed row 0 reads, in all its phases."""
    return range((before - kernel + 1 + stride - 1) // stride, (stride - 1 + before) // stride + 1)


def as_engine_has_it(kernel: Kernel, op: Op, module: nn.Conv2d | nn.ConvTranspose2d) -> tuple[Tensor, Tensor | None]:
    """Weights (out, ky, kx, in) and biases; of a shuffled one for each channel all its phases."""
    if not kernel.transposed:
        return kernel.weight.permute(0, 2, 3, 1), kernel.bias
    assert isinstance(module, nn.ConvTranspose2d)
    weight, before = kernel.weight.permute(1, 2, 3, 0), crop_of(module)[0]
    if op.op == "conv_transpose":
        first = 1 - before
        made = weight.new_zeros(weight.shape[0], 4, 4, weight.shape[3])
        made[:, first : first + weight.shape[1], first : first + weight.shape[2]] = weight
        return made, kernel.bias
    stride, taps = module.stride[0], range(weight.shape[1])
    start = reach_of(len(taps), stride, before)[0]
    made = weight.new_zeros(weight.shape[0], stride, stride, op.kernel, op.kernel, weight.shape[3])
    for y in range(stride):
        for x in range(stride):
            rows, columns = (
                {t: (phase + before - t) // stride - start for t in taps if (phase + before - t) % stride == 0}
                for phase in (y, x)
            )
            for ty, u in rows.items():
                for tx, v in columns.items():
                    made[:, y, x, u, v] = weight[:, ty, tx]
    bias = None if kernel.bias is None else kernel.bias.repeat_interleave(stride**2)
    return made.flatten(0, 2), bias


def check_convolution(name: str, module: nn.Conv2d | nn.ConvTranspose2d) -> None:
    """The engine's convolutions are square, and dense or depthwise."""
    depthwise = isinstance(module, nn.Conv2d) and module.groups == module.in_channels == module.out_channels
    square = all(
        len(set(pair)) == 1 for pair in (module.kernel_size, module.stride, module.padding, module.output_padding)
    )
    plain = (module.groups == 1 or depthwise) and set(module.dilation) == {1} and module.padding_mode == "zeros"
    if not square or not plain or isinstance(module.padding, str):
        raise NurieError(
            f"{name} is a convolution with groups (other than one per channel), dilation, another padding mode than "
            f"zeros or a kernel that is not square ({module}); the engine has none of these."
        )
