"""The colours of a palette as classes: a generator says how likely each is at every pixel, and learns it by
cross-entropy. So it means a colour where a mean of those that may be right would be brown (Zhang et al. 2016,
"Colorful image colorization"; theirs are 313 colours of photos, ours the few of flat pictures).
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from nurie.drawings.palette import nearest_colours, to_bytes
from nurie.nets.tensors import to_tensor

FLOOR = 0.02  # added to the square roots of shares: what is rarer than 0.04 % counts hardly more
BORDER = 0.1  # how much a pixel counts that touches another class: between two colours pixels have a third one
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

    def likeliest(self, logits: Float[Tensor, "n colours h w"]) -> Float[Tensor, "n 3 h w"]:
        """The picture in which each pixel has its most probable colour, in [-1, 1]."""
        return self.levels[logits.argmax(1)].permute(0, 3, 1, 2)

    def cross_entropy(
        self, logits: Float[Tensor, "n colours h w"], pictures: Float[Tensor, "n 3 h w"]
    ) -> Float[Tensor, "n 1 h w"]:
        """Of each pixel, times its weight."""
        classes = self.classes(pictures)
        rows = logits.float().permute(0, 2, 3, 1).reshape(-1, logits.shape[1])  # two thirds of the time as they are
        loss = F.cross_entropy(rows, classes.flatten(), reduction="none").view(classes.shape)
        return (loss * self.weights[classes] * borders(classes))[:, None]


def borders(classes: Int[Tensor, "n h w"]) -> Float[Tensor, "n h w"]:
    """1 on paper, and where all of the 3x3 pixels about one are of its class, else BORDER."""
    numbers = F.pad(classes[:, None].float(), (1, 1, 1, 1), mode="replicate")
    even = F.max_pool2d(numbers, 3, 1) == -F.max_pool2d(-numbers, 3, 1)
    return torch.where(even[:, 0] | (classes == PAPER), 1.0, BORDER)
