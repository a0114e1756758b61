"""Losses of Isola et al. 2017, with the non-saturating form of the GAN loss, and differentiable augmentation."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from nurie.drawings.shift import Shift, overlap

Logits = Float[Tensor, "_ 1 _ _"]
Scalar = Float[Tensor, ""]
CONTRAST = 0.35  # of [-1, 1]: a line that is as much darker than what is around it is seen well


def generator_gan_loss(fake_logits: list[Logits]) -> Scalar:
    """-log sigmoid(D(fake)), averaged over the patches of each head, then over the heads."""
    return torch.stack([F.softplus(-logits).mean() for logits in fake_logits]).mean()


def discriminator_loss(real_logits: list[Logits], fake_logits: list[Logits]) -> Scalar:
    """Half of -log sigmoid(D(real)) - log(1 - sigmoid(D(fake))): the half slows the discriminator (section 3.3)."""
    negated = [-logits for logits in fake_logits]
    return 0.5 * (generator_gan_loss(real_logits) + generator_gan_loss(negated))


def feature_matching_loss(real: list[Tensor], fake: list[Tensor]) -> Scalar:
    """Mean L1 between the discriminator's activations for real and fake (Wang et al. 2018, equation 4)."""
    return torch.stack([F.l1_loss(f, r.detach()) for r, f in zip(real, fake, strict=True)]).mean()


def consistency_loss(fake: Float[Tensor, "n 3 h w"], again: Float[Tensor, "n 3 h w"], shift: Shift) -> Scalar:
    """Mean L1 between pictures and others of the same drawings moved by `shift`, where both show the same.

    Twice, since `again` is to have no gradient: that is the same on average, for both are drawn alike, and cheaper.
    """
    moved, still = overlap(fake.shape[2:], shift)
    return 2 * F.l1_loss(again[:, :, *moved], fake[:, :, *still])


def lattice_loss(real: Float[Tensor, "n 3 h w"], fake: Float[Tensor, "n 3 h w"]) -> Scalar:
    """Mean L1 between what alternates from row to row, or from column to column, over 16 pixels.

    A last layer that shuffles channels into pixels can make every other row or column brighter: teeth at outlines and
    hatching that a discriminator overlooks when it blurs its pictures.
    """
    difference = fake - real
    of_rows, of_columns = (alternation(length, difference.device) for length in difference.shape[2:])
    return torch.stack([(difference.mT @ of_rows).abs().mean(), (difference @ of_columns).abs().mean()]).mean()


def alternation(length: int, device: torch.device) -> Float[Tensor, "length _"]:
    """A matrix: of `length` pixels, half of how much brighter even ones are than odd ones, in windows of 17.

    Each is the mean of 8 pixels' differences from the middle of their neighbours, so that a slope counts nothing. One
    product takes half the time of slices, each of whose gradients is a picture.
    """
    window = torch.tensor([1.0] + [-2.0, 2.0] * 7 + [-2.0, 1.0], device=device) / 32
    return F.conv1d(torch.eye(length, device=device)[:, None], window[None, None], stride=8)[:, 0]


def mean_near(error: Float[Tensor, "n c h w"], mask: Float[Tensor, "n 1 h w"]) -> Scalar:
    """The mean of an error where a mask is 1, not 0, of each pair and then of those pairs, so that what is small counts
    as much as what is large (but for less than a thousandth of a picture); 0 where no mask has a 1.
    """
    sums, areas = (error * mask).sum((1, 2, 3)), mask.sum((1, 2, 3))
    channels = error.shape[1]
    each = sums / (channels * areas).clamp(min=channels * mask[0].numel() / 1000)
    return each.sum() / (areas > 0).sum().clamp(min=1)


def ink_contrast_loss(
    fake: Float[Tensor, "n 3 h w"], ink: Float[Tensor, "n 1 h w"], inside: Float[Tensor, "n 1 h w"]
) -> Scalar:
    """How far ink inside a subject lacks CONTRAST: by so much its pixels are to be darker than what is around them.

    A hinge on the mean luminance (Rec. 601) of a ring 3 to 7 pixels of 256 off, in [-1, 1]; ink, inside: masks of 0 and
    1. 0 where there is no such ink. Ours, for drawings that have no picture whose lines could be compared.
    """
    unit = (ink.shape[2] * ink.shape[3]) ** 0.5 / 256
    near = max(1, round(2 * unit))
    far = max(near + 1, round(7 * unit))
    luminance = (fake * fake.new_tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)).sum(1, keepdim=True)
    ring = dilated(ink, far) * (1 - dilated(ink, near))
    around = blurred(luminance * ring, far) / blurred(ring, far).clamp(min=1e-3)
    inner = ink * (blurred(inside, far) > 0.97)
    return (F.relu(CONTRAST - (around - luminance)) * inner).sum() / inner.sum().clamp(min=1)


def paper_loss(fake: Float[Tensor, "n 3 h w"], paper: Float[Tensor, "n 1 h w"]) -> Scalar:
    """Mean distance from white, in [-1, 1], of what is to stay paper; over all pixels, so that little counts little."""
    return ((1 - fake).abs() * paper).mean()


def subject_colour_loss(
    fake: Float[Tensor, "n 3 h w"], filled: Float[Tensor, "n 1 h w"], colour: Float[Tensor, "n 3"]
) -> Scalar:
    """Mean L1 between the mean colour of what is `filled` and the colour that was asked for; 0 where nothing is."""
    areas = filled.sum((2, 3))
    means = (fake * filled).sum((2, 3)) / areas.clamp(min=1)
    return ((means - colour).abs() * (areas > 0)).mean()


def blurred(x: Float[Tensor, "n 1 h w"], reach: int) -> Float[Tensor, "n 1 h w"]:
    """The mean of what is at most so many pixels off, sideways, up and down; beyond the border there is 0."""
    return F.avg_pool2d(x, 2 * reach + 1, 1, reach)


def dilated(mask: Float[Tensor, "n 1 h w"], reach: int) -> Float[Tensor, "n 1 h w"]:
    """What is at most so many pixels off, sideways, up and down."""
    return F.max_pool2d(mask, 2 * reach + 1, 1, reach)


def diffaugment(
    drawing: Float[Tensor, "n 3 h w"], *pictures: Float[Tensor, "n 3 h w"]
) -> tuple[Float[Tensor, "n 3 h w"], ...]:
    """Differentiable augmentation (Zhao et al. 2020): one shift and one cutout for all, no change of colour.

    Each is (n, 3, h, w) in [-1, 1]; real and fake get the same random choices, so that their features can be
    compared. Shift up to 1/8 of the size, a grey hole of 1/4. Their third part, random brightness, saturation and
    contrast, is left out: a discriminator that has to overlook colours can not tell a pale picture from a real one.
    """
    n, _, h, w = drawing.shape
    device = drawing.device

    def between(low: int, high: int) -> Tensor:
        return torch.randint(low, high + 1, (n, 1, 1), device=device)

    down, right = h // 8, w // 8
    tops, lefts = between(0, 2 * down).flatten().tolist(), between(0, 2 * right).flatten().tolist()
    ys = torch.arange(h, device=device).view(1, h, 1)
    xs = torch.arange(w, device=device).view(1, 1, w)
    hole = ((ys - between(0, h)).abs() < down) & ((xs - between(0, w)).abs() < right)

    def augmented(images: Tensor) -> Tensor:
        images = images.contiguous()  # channels last, to pad them takes several times as long
        padded = F.pad(images, (right, right, down, down), mode="replicate").unbind()
        moved = [x[:, top : top + h, left : left + w] for x, top, left in zip(padded, tops, lefts, strict=True)]
        return torch.stack(moved).masked_fill(hole.unsqueeze(1), 0.0)

    return augmented(drawing), *map(augmented, pictures)
