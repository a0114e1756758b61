"""Generators and the discriminator.

Generators are made only of what folds into convolutions at inference: BatchNorm uses running
statistics there, and dropout is the identity. All map (n, 3, h, w) in [-1, 1] to (n, 3, h, w) in [-1, 1].
"""

import torch
from torch import Tensor, nn

from nurie.errors import NurieError

DEFAULT_WIDTH = {"fast": 24, "unet256": 64, "unet128": 64}


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


class FastGenerator(nn.Module):
    """The small generator of the page: a U-Net of dense 3x3 convolutions on the pixel-unshuffled drawing.

    Width 24: 1.57 M parameters, 0.79 GMAC at 256x256. Height and width must be multiples of 32. The other arguments
    are the variants of bench/search.py; docs/LOG.md has their times and scores.

    `channels`: of each level, finest first. `residuals`: residual blocks of each level, the coarsest is the middle.
    `unshuffle`: pixels that the finest level is coarser than the drawing. `down`: kernel of the strided convolutions.
    `shuffle`: see UpBlock.
    """

    def __init__(
        self,
        width: int = 24,
        *,
        channels: tuple[int, ...] = (),
        residuals: tuple[int, ...] = (0, 0, 1, 1, 1),
        unshuffle: int = 2,
        down: int = 3,
        shuffle: bool = False,
    ) -> None:
        super().__init__()
        # 128, 64, 32, 16, 8 pixels for a 256-pixel drawing
        wide = (width, width * 2, width * 4, width * 16 // 3, width * 20 // 3)
        c = channels or tuple(-(-n // 8) * 8 for n in wide)
        self.unshuffle = nn.PixelUnshuffle(unshuffle)
        self.stem = ConvBlock(3 * unshuffle**2, c[0])
        levels = range(len(c) - 1)
        self.downs = nn.ModuleList(ConvBlock(c[i], c[i + 1], down, stride=2) for i in levels)
        self.ups = nn.ModuleList(UpBlock(c[i + 1], c[i], shuffle) for i in levels)
        self.residuals = nn.ModuleList(
            nn.Sequential(*(ResidualBlock(n) for _ in range(blocks))) for n, blocks in zip(c, residuals, strict=True)
        )
        self.head = nn.Conv2d(c[0], 3 * unshuffle**2, 3, padding=1)
        self.shuffle = nn.PixelShuffle(unshuffle)
        self.tanh = nn.Tanh()

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(self.unshuffle(x))
        skips = []
        for down in self.downs:
            skips.append(x)
            x = down(x)
        x = self.residuals[-1](x)
        for i in reversed(range(len(skips))):
            x = self.residuals[i](self.ups[i](x, skips[i]))
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


class PatchDiscriminator(nn.Module):
    """PatchGAN with a 70x70 receptive field (Isola et al. 2017) on the drawing and the picture together.

    Returns the logits (n, 1, h/8-2, w/8-2) and the activations before them, for feature matching.
    """

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        c = [6, width, 2 * width, 4 * width, 8 * width]
        self.layers = nn.ModuleList()
        for i in range(4):
            layers: list[nn.Module] = [nn.Conv2d(c[i], c[i + 1], 4, 2 if i < 3 else 1, 1, bias=i == 0)]
            if i:
                layers.append(nn.BatchNorm2d(c[i + 1]))
            self.layers.append(nn.Sequential(*layers, nn.LeakyReLU(0.2)))
        self.logits = nn.Conv2d(c[4], 1, 4, 1, 1)

    def forward(self, drawing: Tensor, picture: Tensor) -> tuple[Tensor, list[Tensor]]:
        x = torch.cat([drawing, picture], 1)
        features = []
        for layer in self.layers:
            x = layer(x)
            features.append(x)
        return self.logits(x), features


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


def build_generator(kind: str, width: int = 0) -> nn.Module:
    """A freshly initialised generator. `width` 0 takes the kind's default; an unknown kind raises NurieError."""
    if kind not in DEFAULT_WIDTH:
        raise NurieError(f"There is no generator {kind!r}; choose one of {', '.join(DEFAULT_WIDTH)}.")
    width = width or DEFAULT_WIDTH[kind]
    if width % 4:
        raise NurieError(f"The generator's width must be a multiple of 4, but it is {width}.")
    net = FastGenerator(width) if kind == "fast" else UNetGenerator(8 if kind == "unet256" else 7, width)
    initialise(net)
    if isinstance(net, FastGenerator):
        initialise_shuffled(net.head)
    return net


def multiple_of(kind: str) -> int:
    """Height and width of a drawing must be multiples of this many pixels."""
    return {"fast": 32, "unet256": 256, "unet128": 128}[kind]
