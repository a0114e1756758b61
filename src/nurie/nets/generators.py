"""Generators and the discriminator.

Generators are made only of what folds into convolutions at inference: BatchNorm uses running
statistics there, and dropout is the identity. All map (n, 3, h, w) in [-1, 1] to (n, 3, h, w) in [-1, 1], but for those
that paint in the colours of a palette: they give logits, (n, colours, h / COARSE, w / COARSE).
"""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import torch
from torch import Tensor, nn

from nurie.drawings.enclosed import enclosed
from nurie.errors import NurieError
from nurie.nets.architecture import Architecture
from nurie.nets.described import DescribedGenerator
from nurie.nets.tensors import to_images

DEFAULT_WIDTH = {"fast": 24, "unet256": 64, "unet128": 64}
WIDTHS = 4  # all widths are multiples of this
COARSE = 4  # pixels, across and down, that have the same logits: areas get one colour, and bring their own edges
DESCRIBED = "described"  # the kind of a generator that its architecture describes


class ConvBlock(nn.Sequential):
    """Convolution -> BatchNorm -> ReLU; `relu=False` where an addition comes first."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 3, stride: int = 1, relu: bool = True) -> None:
        layers: list[nn.Module] = [
            nn.Conv2d(inputs, outputs, kernel, stride, padding=(kernel - 1) // 2, bias=False),
            nn.BatchNorm2d(outputs),
        ]
        super().__init__(*layers, *([nn.ReLU()] if relu else []))


class ResidualBlock(nn.Module):
    """relu(x + conv(conv(x))), He et al. 2016."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = ConvBlock(channels, channels)
        self.second = ConvBlock(channels, channels, relu=False)
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        return self.relu(self.second(self.first(x)) + x)


class UpBlock(nn.Module):
    """Doubles the resolution: 1x1 convolution, nearest upsampling, skip added, 3x3 convolution.

    Adding the skip costs the engine nothing and halves the 3x3 convolution that a concatenation would need.
    `shuffle` upsamples by a pixel shuffle instead, which left a lattice in flat fur (docs/LOG.md).
    """

    def __init__(self, inputs: int, outputs: int, shuffle: bool = False) -> None:
        super().__init__()
        self.reduce = ConvBlock(inputs, 4 * outputs if shuffle else outputs, kernel=1, relu=False)
        self.upsample = nn.PixelShuffle(2) if shuffle else nn.Upsample(scale_factor=2, mode="nearest")
        self.relu = nn.ReLU()
        self.refine = ConvBlock(outputs, outputs)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        return self.refine(self.relu(self.upsample(self.reduce(x)) + skip))


class StyleInput(nn.Module):
    """What the drawing does not say: noise, from which texture can grow, and the subject's mean colour (styles.py).

    (n, _, h, w) -> (n, 4, h, w): channel 0 is noise in [-1, 1), channels 1 to 3 are `style` (n, 3), or else the default
    `colour`, the same at every pixel. In training the noise is random; afterwards it is `hash_noise`, as in the
    engine, so that the same seed gives the same picture.
    """

    colour: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("colour", torch.zeros(3))
        self.seed = 0

    def set_style(self, seed: int, colour: Sequence[float]) -> None:
        """Seed of the noise, and default colour, RGB in [-1, 1]: as `Engine.set_style`."""
        self.seed = seed
        self.colour.copy_(torch.tensor(colour))

    def forward(self, x: Tensor, style: Tensor | None = None) -> Tensor:
        n, _, h, w = x.shape
        if self.training:
            noise = torch.rand(n, 1, h, w, device=x.device, dtype=x.dtype) * 2 - 1
        else:
            noise = torch.from_numpy(hash_noise(int(h), int(w), self.seed)).to(x).expand(n, 1, h, w)
        colour = (self.colour.expand(n, 3) if style is None else style).to(x)
        return torch.cat([noise, colour[:, :, None, None].expand(n, 3, h, w)], 1)


def hash_noise(height: int, width: int, seed: int) -> np.ndarray:
    """Uniform float32 (height, width) in [-1, 1): PCG's output function of each pixel's number (O'Neill 2014)."""
    number = np.arange(height * width, dtype=np.uint32) + np.uint32(seed * 0x9E3779B9 & 0xFFFFFFFF)
    state = number * np.uint32(747796405) + np.uint32(2891336453)
    word = ((state >> ((state >> np.uint32(28)) + np.uint32(4))) ^ state) * np.uint32(277803737)
    word = (word >> np.uint32(22)) ^ word
    return (word.view(np.int32).astype(np.float32) / np.float32(2**31)).reshape(height, width)


class EnclosedInput(nn.Module):
    """How enclosed each place is by lines (enclosed.py): (n, 3, h, w) in [-1, 1] -> (n, 1, h / factor, w / factor)."""

    def __init__(self, factor: int) -> None:
        super().__init__()
        self.factor = factor

    @torch.no_grad()
    def forward(self, x: Tensor) -> Tensor:
        maps = [enclosed(drawing, self.factor) for drawing in to_images(x)]
        return torch.from_numpy(np.stack(maps))[:, None].to(x)


class FastGenerator(nn.Module):
    """The small generator of the page: a U-Net of dense 3x3 convolutions on the pixel-unshuffled drawing.

    Width 24: 1.57 M parameters, 0.79 GMAC at 256x256. Height and width must be multiples of 32. The other arguments
    are the variants of bench/search.py; docs/LOG.md has their times and scores.

    `channels`: of each level, finest first. `residuals`: residual blocks of each level, the coarsest is the middle.
    `unshuffle`: pixels that the first convolution's input is coarser than the drawing; with a `stride` of that
    convolution, the finest level is coarser still. `ends`: the level at which the way up ends. `down`: kernel of the
    strided convolutions. `shuffle`: see UpBlock. `styles`, `enclosed`: with a StyleInput, an EnclosedInput, beside the
    drawing. `colours`: of a palette, a logit for each and for COARSE x COARSE pixels; 0: it gives pictures.
    """

    def __init__(
        self,
        width: int = 24,
        *,
        channels: tuple[int, ...] = (),
        residuals: tuple[int, ...] = (0, 0, 1, 1, 1),
        unshuffle: int = 2,
        stride: int = 1,
        ends: int = 0,
        down: int = 3,
        shuffle: bool = False,
        styles: bool = False,
        enclosed: bool = False,
        colours: int = 0,
    ) -> None:
        super().__init__()
        # 128, 64, 32, 16, 8 pixels for a 256-pixel drawing
        c = channels or in_eights(width, width * 2, width * 4, width * 16 // 3, width * 20 // 3)
        self.unshuffle = nn.PixelUnshuffle(unshuffle)
        self.style = StyleInput() if styles else None
        self.enclosed = EnclosedInput(unshuffle) if enclosed else None
        self.stem = ConvBlock(3 * unshuffle**2 + 4 * styles + enclosed, c[0], stride=stride)
        levels = range(len(c) - 1)
        self.downs = nn.ModuleList(ConvBlock(c[i], c[i + 1], down, stride=2) for i in levels)
        self.ups = nn.ModuleList(UpBlock(c[i + 1], c[i], shuffle) for i in levels[ends:])
        self.residuals = nn.ModuleList(
            nn.Sequential(*(ResidualBlock(n) for _ in range(blocks))) for n, blocks in zip(c, residuals, strict=True)
        )
        up = unshuffle * stride * 2**ends // (COARSE if colours else 1)
        self.head = nn.Conv2d(c[ends], (colours or 3) * up**2, 3, padding=1)
        self.shuffle = nn.PixelShuffle(up)
        self.tanh = nn.Identity() if colours else nn.Tanh()

    def forward(self, x: Tensor, style: Tensor | None = None, enclosed: Tensor | None = None) -> Tensor:
        """Without a `style` (n, 3), the default one; without `enclosed`, an EnclosedInput's output, it is computed."""
        small = self.unshuffle(x)
        inputs = [small]
        if self.style is not None:
            inputs.append(self.style(small, style))
        if self.enclosed is not None:
            inputs.append(self.enclosed(x) if enclosed is None else enclosed)
        x = self.stem(torch.cat(inputs, 1))
        skips = []
        for down in self.downs:
            skips.append(x)
            x = down(x)
        x = self.residuals[-1](x)
        first = len(skips) - len(self.ups)
        for i in reversed(range(first, len(skips))):
            x = self.residuals[i](self.ups[i - first](x, skips[i]))
        return self.tanh(self.shuffle(self.head(x)))


class UNetGenerator(nn.Module):
    """The U-Net of Isola et al. 2017: `depth` 4x4 convolutions down to 1x1 and back, with skips.

    depth 8 is unet256 (multiples of 256), depth 7 is unet128. No BatchNorm in the first and innermost
    layers; dropout 0.5 in the three layers after the innermost one.
    """

    def __init__(self, depth: int, width: int = 64) -> None:
        super().__init__()
        c = [width * min(2**i, 8) for i in range(depth)]
        self.downs = nn.ModuleList()
        for i in range(depth):
            layers: list[nn.Module] = [] if i == 0 else [nn.LeakyReLU(0.2)]
            normed = 0 < i < depth - 1
            layers.append(nn.Conv2d(c[i - 1] if i else 3, c[i], 4, 2, 1, bias=not normed))
            if normed:
                layers.append(nn.BatchNorm2d(c[i]))
            self.downs.append(nn.Sequential(*layers))
        self.ups = nn.ModuleList()
        for i in reversed(range(1, depth)):
            inputs = c[i] if i == depth - 1 else 2 * c[i]
            layers = [
                nn.ReLU(),
                nn.ConvTranspose2d(inputs, c[i - 1], 4, 2, 1, bias=False),
                nn.BatchNorm2d(c[i - 1]),
            ]
            if depth - 4 <= i < depth - 1:
                layers.append(nn.Dropout(0.5))
            self.ups.append(nn.Sequential(*layers))
        self.ups.append(nn.Sequential(nn.ReLU(), nn.ConvTranspose2d(2 * c[0], 3, 4, 2, 1), nn.Tanh()))

    def forward(self, x: Tensor) -> Tensor:
        skips = []
        for down in self.downs:
            x = down(x)
            skips.append(x)
        skips.pop()
        for up in self.ups[:-1]:
            x = torch.cat([up(x), skips.pop()], 1)
        return self.ups[-1](x)


def initialise(net: nn.Module) -> None:
    """Normal weights with deviation 0.02, as Isola et al. 2017; BatchNorm scales around 1."""
    for module in net.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(module.weight, 0.0, 0.02)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0, 0.02)
            nn.init.zeros_(module.bias)


def initialise_shuffled(conv: nn.Conv2d, factor: int = 2) -> None:
    """Give the channels of each block of a pixel shuffle the same weights, so that a fresh net draws
    no checkerboard (ICNR, Aitken et al. 2017)."""
    with torch.no_grad():
        conv.weight.copy_(conv.weight[:: factor**2].repeat_interleave(factor**2, 0))


def build_generator(
    kind: str, width: int = 0, styles: bool = False, enclosed: bool = False, colours: int = 0, architecture: Any = None
) -> nn.Module:
    """A freshly initialised generator. `width` 0 takes the kind's default; only "fast" has `styles`, `enclosed` and
    `colours`.

    architecture: of a "described" one only, an Architecture or what JSON has of it.

    An unknown kind raises NurieError.
    """
    if kind == DESCRIBED:
        net = DescribedGenerator(msgspec.convert(msgspec.to_builtins(architecture), Architecture))
        initialise(net)
        return net
    if kind not in DEFAULT_WIDTH:
        raise NurieError(f"There is no generator {kind!r}; choose one of {', '.join(DEFAULT_WIDTH)}.")
    width = width or DEFAULT_WIDTH[kind]
    if width % WIDTHS:
        raise NurieError(f"The generator's width must be a multiple of {WIDTHS}, but it is {width}.")
    if kind == "fast":
        shape = coarse_shape(width) if colours else {}
        net = FastGenerator(width, styles=styles, enclosed=enclosed, colours=colours, **shape)
    else:
        net = UNetGenerator(8 if kind == "unet256" else 7, width)
    initialise(net)
    if isinstance(net, FastGenerator):
        initialise_shuffled(net.head, net.shuffle.upscale_factor)
    return net


def coarse_shape(width: int) -> dict[str, Any]:
    """Of a FastGenerator that gives logits: an eighth of the others' resolution, and more channels for it.

    Width 24: 1.96 M parameters, 0.14 GMAC at 256x256 with 18 colours.
    """
    channels = in_eights(width * 4 // 3, width * 8 // 3, width * 16 // 3, width * 20 // 3)
    return {"channels": channels, "residuals": (0, 1, 1, 2), "unshuffle": 4, "stride": 2, "ends": 1}


def in_eights(*channels: int) -> tuple[int, ...]:
    """The next multiples of 8."""
    return tuple(-(-n // 8) * 8 for n in channels)


def multiple_of(kind: str, *, colours: int = 0, architecture: Any = None, **_: Any) -> int:
    """Height and width of a drawing must be multiples of this many pixels. Takes the arguments of `build_generator`."""
    if kind == DESCRIBED:
        return int(msgspec.to_builtins(architecture).get("multiple", 1))
    return {"fast": 64 if colours else 32, "unet256": 256, "unet128": 128}[kind]
