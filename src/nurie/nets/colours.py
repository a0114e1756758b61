"""The colours of a palette as classes: a generator says how likely each is at every pixel, and learns it by
cross-entropy. So it means a colour where a mean of those that may be right would be brown (Zhang et al. 2016,
"Colorful image colorization"; theirs are 313 colours of photos, ours the few of flat pictures).
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from nurie.drawings.palette import nearest_colours, to_bytes
from nurie.nets.generators import COARSE
from nurie.nets.tensors import to_tensor

FLOOR = 0.02  # added to the square roots of shares: what is rarer than 0.04 % counts hardly more
BORDER = 0.1  # how much a block of several classes counts: between two colours pixels have a third one
PAPER = 0  # the class of the sheet, which no border makes


class Colours:
    """A palette on a device."""

    def __init__(self, palette: Sequence[str], shares: Sequence[float], device: torch.device) -> None:
        """shares: how common the colours are; rare ones count more, else all would become the most common one.

        By 1 / (sqrt(share) + FLOOR), and 1 on average over the pixels, as in section 2.2 of the paper, which mixes the
        shares with even ones instead of taking their root. Paper counts 1 at least: it is never a choice where lines
        enclose an area, and where they do not, doubt would be a halo of colour.
        """
        self.levels = to_tensor([to_bytes(palette)[None]])[0, :, 0].mT.contiguous().to(device)  # (colours, 3)
        self.nearest = torch.from_numpy(nearest_colours(palette)).to(device)
        share = torch.tensor(shares)
        weights = 1 / (share.sqrt() + FLOOR)
        weights /= (weights * share).sum()
        weights[PAPER] = weights[PAPER].clamp(min=1)
        self.weights = weights.to(device)

    def classes(self, pictures: Float[Tensor, "n 3 h w"]) -> Int[Tensor, "n h w"]:
        """The nearest colour of each pixel, by number."""
        red, green, blue = (pictures * 127.5 + 127.5).round().int().clamp(0, 255).bitwise_right_shift(2).unbind(1)
        return self.nearest[(red * 64 + green) * 64 + blue].long()

    def likeliest(self, logits: Float[Tensor, "n colours h2 w2"]) -> Float[Tensor, "n 3 h w"]:
        """The picture in which each pixel has its most probable colour, in [-1, 1]."""
        return spread(self.levels[logits.argmax(1)].permute(0, 3, 1, 2))

    def cross_entropy(
        self, logits: Float[Tensor, "n colours h2 w2"], pictures: Float[Tensor, "n 3 h w"]
    ) -> Float[Tensor, "n 1 h w"]:
        """Of each pixel, times its weight: the same for all of a block, whose class is that in its middle."""
        classes = self.classes(pictures)
        middle = classes[:, COARSE // 2 :: COARSE, COARSE // 2 :: COARSE]
        rows = logits.float().permute(0, 2, 3, 1).reshape(-1, logits.shape[1])  # two thirds of the time as they are
        loss = F.cross_entropy(rows, middle.flatten(), reduction="none").view(middle.shape)
        counts = torch.where(even(classes) | (middle == PAPER), 1.0, BORDER)
        return spread((loss * self.weights[middle] * counts)[:, None])


def spread(blocks: Float[Tensor, "n c h2 w2"]) -> Float[Tensor, "n c h w"]:
    """The pixels of blocks of COARSE x COARSE."""
    return F.interpolate(blocks, scale_factor=COARSE)


def even(classes: Int[Tensor, "n h w"]) -> Bool[Tensor, "n h2 w2"]:
    """Whether all pixels of a block are of one class."""
    numbers = classes[:, None].float()
    return (F.max_pool2d(numbers, COARSE) == -F.max_pool2d(-numbers, COARSE))[:, 0]
