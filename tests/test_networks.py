"""Generators and discriminator against their published figures."""

import pytest
import torch

from nurie.errors import NurieError
from nurie.nets.discriminators import PatchDiscriminator
from nurie.nets.generators import build_generator, multiple_of
from nurie.nets.losses import (
    diffaugment,
    discriminator_loss,
    feature_matching_loss,
    generator_gan_loss,
    lattice_loss,
    mean_near,
)


def parameters(net: torch.nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


@pytest.mark.parametrize(("kind", "millions"), [("unet256", 54.41), ("unet128", 41.83), ("fast", 1.57)])
def test_generator_has_the_published_number_of_parameters(kind: str, millions: float) -> None:
    assert parameters(build_generator(kind)) / 1e6 == pytest.approx(millions, abs=0.01)


@pytest.mark.parametrize("kind", ["fast", "unet128", "unet256"])
def test_generator_keeps_the_shape_and_range(kind: str) -> None:
    size = multiple_of(kind)
    generator = build_generator(kind, 8).eval()
    output = generator(torch.randn(2, 3, size, 2 * size))
    assert output.shape == (2, 3, size, 2 * size)
    assert output.abs().max() <= 1
    assert output.std() > 0


def test_fresh_fast_generator_draws_no_checkerboard() -> None:
    output = build_generator("fast", 8)(torch.randn(1, 3, 64, 64))
    blocks = output.unfold(2, 2, 2).unfold(3, 2, 2)
    assert torch.allclose(blocks.amax((4, 5)), blocks.amin((4, 5)), atol=1e-6)


def test_unknown_generator_lists_the_choices() -> None:
    with pytest.raises(NurieError, match="no generator 'resnet'; choose one of fast, unet256, unet128"):
        build_generator("resnet")


def test_patchgan_sees_70_pixels_and_has_the_published_size() -> None:
    net = PatchDiscriminator(64).eval()
    assert parameters(net) / 1e6 == pytest.approx(2.77, abs=0.01)
    drawing = torch.zeros(1, 3, 256, 256, requires_grad=True)
    (logits,), features = net(*net.embed(drawing, torch.zeros(1, 3, 256, 256))[0])
    assert logits.shape == (1, 1, 30, 30)
    assert len(features) == 4
    (gradient,) = torch.autograd.grad(logits[0, 0, 15, 15], drawing)
    rows = gradient.abs().sum((0, 1, 3)).nonzero()
    assert rows.max() - rows.min() + 1 == 70


def test_gan_losses_at_known_logits() -> None:
    zero = torch.zeros(1, 1, 3, 3)
    log2 = 0.6931
    assert generator_gan_loss([zero]).item() == pytest.approx(log2, abs=1e-4)
    assert generator_gan_loss([zero - 9, zero + 9]).item() == pytest.approx(4.5, abs=1e-3)
    assert discriminator_loss([zero], [zero]).item() == pytest.approx(log2, abs=1e-4)
    assert discriminator_loss([zero + 9], [zero - 9]).item() < 1e-3
    assert feature_matching_loss([zero, zero], [zero + 1, zero + 3]).item() == 2


def test_error_near_something_counts_each_pair_alike() -> None:
    error, mask = torch.zeros(3, 3, 64, 64), torch.zeros(3, 1, 64, 64)
    mask[0, :, :32], mask[1, :, :8, :8] = 1, 1  # none in the last
    error[0], error[1, :, :8, :8], error[1, :, 9:], error[2] = 1, 4, 7, 9
    assert mean_near(error, mask).item() == pytest.approx(2.5)
    mask[1] = 0
    mask[1, :, 0, 0] = 1  # less than a thousandth, 4.1 pixels
    assert mean_near(error, mask).item() == pytest.approx((1 + 4 / 4.096) / 2)
    assert mean_near(error, torch.zeros_like(mask)).item() == 0


def test_lattice_loss_is_the_height_of_rows_or_columns_in_turns() -> None:
    flat = torch.zeros(1, 3, 64, 64)
    rows = flat.clone()
    rows[..., ::2, :] = 0.2
    for lattice in (rows, rows.mT):  # 0.1 above and below their mean, and nothing in the other direction
        assert lattice_loss(flat, lattice).item() == pytest.approx(0.1 / 2, rel=1e-5)
    assert lattice_loss(rows, rows).item() == 0


def test_lattice_loss_does_not_mind_slopes_and_moved_edges() -> None:
    flat = torch.zeros(1, 3, 64, 64)
    slope = torch.linspace(-1, 1, 64).expand(1, 3, 64, 64)
    assert lattice_loss(flat, slope).item() < 1e-6
    edge, moved = flat.clone(), flat.clone()
    edge[..., 20:], moved[..., 21:] = 1, 1
    assert lattice_loss(edge, moved).item() < 0.1 * (edge - moved).abs().max()


def test_diffaugment_moves_all_alike_and_keeps_gradients() -> None:
    torch.manual_seed(0)
    picture = torch.rand(4, 3, 32, 32, requires_grad=True)
    drawing, real, fake = diffaugment(picture.detach(), picture, picture)
    assert torch.equal(real, fake)
    assert not torch.equal(real, picture)
    assert drawing.shape == picture.shape
    # the drawing is moved but not recoloured: each value is one of the original ones, or the hole's
    assert set(drawing[0, 0].flatten().tolist()) <= set(picture[0, 0].flatten().tolist()) | {0.0}
    real.sum().backward()
    assert picture.grad is not None and picture.grad.abs().sum() > 0
