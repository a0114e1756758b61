"""A discriminator that begins from nothing. The one that sees through a trained network is in projected.py."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class PatchDiscriminator(nn.Module):
    """PatchGAN with a 70x70 receptive field (Isola et al. 2017) on the drawing and the picture together.

    Takes what `embed` makes of them; returns the logits (n, 1, h/8-2, w/8-2) and the activations before them, for
    feature matching. With a `scale` it sees everything that many times smaller: it judges shapes and colours, and
    leaves single pixels to the L1 loss.
    """

    def __init__(self, width: int = 64, scale: int = 1, unpaired: bool = False) -> None:
        """unpaired: with last layers that see pictures alone, too."""
        super().__init__()
        self.scale = scale
        c = [6, width, 2 * width, 4 * width, 8 * width]
        self.layers = nn.ModuleList()
        for i in range(4):
            layers: list[nn.Module] = [nn.Conv2d(c[i], c[i + 1], 4, 2 if i < 3 else 1, 1, bias=i == 0)]
            if i:
                layers.append(nn.BatchNorm2d(c[i + 1]))
            self.layers.append(nn.Sequential(*layers, nn.LeakyReLU(0.2)))
        self.logits = nn.Conv2d(c[4], 1, 4, 1, 1)
        self.unpaired = nn.Conv2d(c[4], 1, 4, 1, 1) if unpaired else None

    def embed(self, drawing: Tensor, *pictures: Tensor) -> list[list[Tensor]]:
        """For each batch of pictures of these drawings, what `forward` takes."""
        both = [torch.cat([drawing, picture], 1) for picture in pictures]
        return [[F.avg_pool2d(x, self.scale) if self.scale > 1 else x] for x in both]

    def features(self, x: Tensor) -> list[Tensor]:
        """What feature matching compares."""
        features = []
        for layer in self.layers:
            x = layer(x)
            features.append(x)
        return features

    def alone(self, x: Tensor) -> list[Tensor]:
        """What `embed` gave, without the drawings: white ones."""
        return [torch.cat([torch.ones_like(x[:, :3]), x[:, 3:]], 1)]

    def forward(self, x: Tensor, unpaired: bool = False) -> tuple[list[Tensor], list[Tensor]]:
        """Logits, and the features. unpaired: judge pictures alone, by what `alone` gave."""
        features = self.features(x)
        last = self.unpaired if unpaired else self.logits
        assert last
        return [last(features[-1])], features
