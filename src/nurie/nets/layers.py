"""Layers of other systems that PyTorch has not, or not in this form. All map (n, c, h, w) to (n, c', h', w')."""

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

LUMA = (0.299, 0.587, 0.114)  # of red, green, blue: ITU-R BT.601
WHITE_POINT = (0.95047, 1.0, 1.08883)  # D65
XYZ = (  # of linear sRGB
    (0.412453, 0.357580, 0.180423),
    (0.212671, 0.715160, 0.072169),
    (0.019334, 0.119193, 0.950227),
)
CUBE, LINEAR = (6 / 29) ** 3, 3 * (6 / 29) ** 2


class Convolution(nn.Conv2d):
    """nn.Conv2d whose padding may differ: `pad` pixels above and left, and below and right, mirrored or zeros."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, pad: tuple[int, int], reflect: bool,
                 groups: int, bias: bool) -> None:  # fmt: skip
        super().__init__(inputs, outputs, kernel, stride, groups=groups, bias=bias)
        self.pad, self.reflect = pad, reflect

    def forward(self, input: Tensor) -> Tensor:
        before, after = self.pad
        if before or after:
            input = F.pad(input, (before, after, before, after), "reflect" if self.reflect else "constant")
        return super().forward(input)


class Transposed(nn.ConvTranspose2d):
    """nn.ConvTranspose2d without padding, of whose result `crop` pixels are cut off above and left, below and right."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, crop: tuple[int, int], bias: bool) -> None:
        super().__init__(inputs, outputs, kernel, stride, bias=bias)
        self.crop = crop

    def forward(self, input: Tensor, output_size: list[int] | None = None) -> Tensor:
        before, after = self.crop
        x = super().forward(input, output_size)
        return x[:, :, before : x.shape[2] - after, before : x.shape[3] - after]


class Normalisation(nn.Module):
    """Of each channel, or with `rows` of each row of pixels, of which there are `channels` then.

    By the running statistics where `fixed`, else by those of each picture itself, of all its pixels (biased variance):
    Ulyanov et al. 2016.
    """

    running_mean: Tensor | None
    running_var: Tensor | None

    def __init__(self, channels: int, epsilon: float, scaled: bool, statistics: bool, rows: bool, fixed: bool) -> None:
        super().__init__()
        self.channels, self.epsilon, self.rows, self.fixed = channels, epsilon, rows, fixed and statistics
        self.weight = nn.Parameter(torch.ones(channels)) if scaled else None
        self.bias = nn.Parameter(torch.zeros(channels)) if scaled else None
        self.register_buffer("running_mean", torch.zeros(channels) if statistics else None)
        self.register_buffer("running_var", torch.ones(channels) if statistics else None)

    def forward(self, x: Tensor) -> Tensor:
        shape = (1, 1, -1, 1) if self.rows else (1, -1, 1, 1)
        if self.fixed:
            assert self.running_mean is not None and self.running_var is not None
            mean, variance = self.running_mean.view(shape), self.running_var.view(shape)
        else:
            over = (1, 3) if self.rows else (2, 3)
            mean = x.mean(over, keepdim=True)
            variance = (x - mean).square().mean(over, keepdim=True)
        x = (x - mean) * (variance + self.epsilon).rsqrt()
        if self.weight is None or self.bias is None:
            return x
        return x * self.weight.view(shape) + self.bias.view(shape)


class DrawingInput(nn.Module):
    """The drawing as a generator takes it: (n, 3, h, w) in [-1, 1] -> (n, channels, h, w); see Architecture.

    palette: uint8 (labels, 3), of labels.
    """

    palette: Tensor

    def __init__(self, reads: str, takes: tuple[float, float], palette: np.ndarray) -> None:
        super().__init__()
        self.reads, self.takes = reads, takes
        self.register_buffer("palette", torch.from_numpy(palette).float(), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        if self.reads == "labels":
            distances = ((to_unit(x)[:, None] * 255 - self.palette[None, :, :, None, None]) ** 2).sum(2)
            return F.one_hot(distances.argmin(1), len(self.palette)).permute(0, 3, 1, 2).to(x.dtype)
        if self.reads == "lightness":
            return lightness(to_unit(x)) / 50 - 1
        if self.reads == "grey":
            x = (x * x.new_tensor(LUMA)[None, :, None, None]).sum(1, keepdim=True)
        low, high = self.takes
        return x if (low, high) == (-1, 1) else to_unit(x) * (high - low) + low


class PictureOutput(nn.Module):
    """A generator's output as a picture: (n, channels, h, w) -> (n, 3, h, w) in [-1, 1], on white where it has alpha.

    Lab takes the lightness of the drawing, (n, 3, h, w) in [-1, 1]; see Architecture.
    """

    def __init__(self, gives: str, shows: tuple[float, float]) -> None:
        super().__init__()
        self.gives, self.shows = gives, shows

    def forward(self, x: Tensor, drawing: Tensor) -> Tensor:
        if self.gives == "ab":
            return from_lab(torch.cat([lightness(to_unit(drawing)), 110 * x], 1)) * 2 - 1
        low, high = self.shows
        if (low, high) != (-1, 1):
            x = (x - low) * (2 / (high - low)) - 1
        x = x.clamp(-1, 1)
        if self.gives == "rgba":
            alpha = to_unit(x[:, 3:])
            x = x[:, :3] * alpha + (1 - alpha)
        return x.expand(-1, 3, -1, -1)


def to_unit(x: Tensor) -> Tensor:
    """[-1, 1] -> [0, 1]"""
    return (x + 1) / 2


def lightness(rgb: Tensor) -> Tensor:
    """CIE L*, 0 to 100, of sRGB in [0, 1]: (n, 3, h, w) -> (n, 1, h, w)."""
    y = (linear(rgb) * rgb.new_tensor(XYZ[1])[None, :, None, None]).sum(1, keepdim=True)
    return 116 * root(y) - 16


def from_lab(lab: Tensor) -> Tensor:
    """CIE L*a*b* with the white of D65 -> sRGB in [0, 1], what is beyond is cut: (n, 3, h, w) both."""
    level, a, b = lab.split(1, 1)
    fy = (level + 16) / 116
    f = torch.cat([fy + a / 500, fy, fy - b / 200], 1)
    xyz = torch.where(f > 6 / 29, f**3, LINEAR * (f - 4 / 29)) * per_channel(lab, WHITE_POINT)
    inverse = torch.linalg.inv(torch.tensor(XYZ, dtype=torch.float64)).to(lab)
    rgb = torch.einsum("ij,njhw->nihw", inverse, xyz).clamp(0, 1)
    return torch.where(rgb <= 0.0031308, 12.92 * rgb, 1.055 * rgb.clamp(min=1e-8) ** (1 / 2.4) - 0.055)


def linear(rgb: Tensor) -> Tensor:
    """sRGB in [0, 1] without its gamma."""
    return torch.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def root(t: Tensor) -> Tensor:
    """The function f of L*a*b*."""
    return torch.where(t > CUBE, t.clamp(min=1e-8) ** (1 / 3), t / LINEAR + 4 / 29)


def per_channel(like: Tensor, values: Sequence[float]) -> Tensor:
    return like.new_tensor(values)[None, :, None, None]
