"""Generators in the engine give PyTorch's pictures."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from conftest import square
from nurie.convert.lower import lower
from nurie.engine.wasm import Engine
from nurie.errors import NurieError
from nurie.nets.generators import FastGenerator, build_generator
from nurie.nets.tensors import to_images, to_tensor


def trained(generator: nn.Module, seed: int = 0) -> nn.Module:
    """A generator with the statistics and the spread of weights of a trained one, in eval mode."""
    torch.manual_seed(seed)
    for module in generator.modules():
        if isinstance(module, nn.BatchNorm2d):
            assert module.running_mean is not None and module.running_var is not None
            module.running_mean.normal_(0, 0.3)
            module.running_var.uniform_(0.3, 2.0)
            nn.init.normal_(module.weight, 1.0, 0.2)
            nn.init.normal_(module.bias, 0.0, 0.2)
        elif isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.kaiming_normal_(module.weight)
    return generator.eval()


def drawing(size: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (size, size, 3), np.uint8)


@torch.no_grad()
def compare(generator: nn.Module, size: int, int8: bool = False) -> tuple[float, np.ndarray]:
    """Largest difference of the last tensor, and the differences of the bytes in levels."""
    image = drawing(size)
    x = torch.from_numpy(image).permute(2, 0, 1)[None].float() / 127.5 - 1
    expected = generator(x)
    plan, weights = lower(generator, square(size), int8)
    engine = Engine(plan, weights=weights)
    got = engine.run(image)
    tensor = engine.tensor(plan.ops[-1].input)[:, :, :3]
    difference = np.abs(tensor - expected[0].permute(1, 2, 0).numpy()).max()
    return float(difference), np.abs(got.astype(int) - to_images(expected)[0])


@pytest.mark.parametrize(("kind", "width", "size"), [("fast", 8, 64), ("fast", 24, 96), ("unet128", 4, 128)])
def test_engine_equals_pytorch_in_float_weights(kind: str, width: int, size: int) -> None:
    difference, levels = compare(trained(build_generator(kind, width)), size)
    assert difference < 1e-4
    assert levels.max() <= 1


@pytest.mark.parametrize(
    "options",
    [
        {"channels": (16, 24), "residuals": (1, 1), "unshuffle": 4},
        {"channels": (8, 12, 16), "residuals": (0, 1, 2), "shuffle": True, "down": 2},
    ],
)
def test_variants_of_the_fast_generator_are_lowered(options: dict) -> None:
    difference, levels = compare(trained(FastGenerator(**options)), 64)
    assert difference < 1e-4
    assert levels.max() <= 1


@pytest.mark.parametrize("options", [{}, {"styles": True}, {"unshuffle": 4}])
def test_how_enclosed_places_are_is_lowered(options: dict) -> None:
    net = trained(FastGenerator(8, enclosed=True, **options))
    plan, weights = lower(net, square(64), False)
    [op] = [op for op in plan.ops if op.op == "enclosed"]
    assert op.shuffle == options.get("unshuffle", 2)
    image = np.full((64, 64, 3), 255, np.uint8)
    image[10:50, [10, 11, 40, 41]] = image[[10, 11, 48, 49], 10:42] = 0
    with torch.no_grad():
        expected = to_images(net(to_tensor([image])))[0].astype(int)
    assert np.abs(Engine(plan, weights=weights).run(image) - expected).max() <= 1


def test_a_style_is_lowered_and_chosen_by_the_host() -> None:
    net = trained(FastGenerator(8, styles=True))
    assert isinstance(net, FastGenerator)
    assert net.style is not None
    colour = [0.25, -0.5, 0.125]
    net.style.seed = 3
    plan, weights = lower(net, square(64), False)
    engine, image = Engine(plan, weights=weights), drawing(64)
    engine.set_style(3, colour)
    with torch.no_grad():
        expected = to_images(net(to_tensor([image]), torch.tensor([colour])))[0].astype(int)
    assert np.abs(engine.run(image) - expected).max() <= 1
    engine.set_style(4, colour)
    assert np.abs(engine.run(image) - expected).max() > 1
    engine.set_style(3, [0.25, -0.5, 0.5])
    assert np.abs(engine.run(image) - expected).max() > 1


def test_inverted_residuals_are_lowered() -> None:
    class InvertedResidual(nn.Module):
        """Sandler et al. 2018."""

        def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
            super().__init__()
            self.expand = nn.Sequential(nn.Conv2d(inputs, 4 * inputs, 1), nn.BatchNorm2d(4 * inputs), nn.ReLU())
            depthwise = nn.Conv2d(4 * inputs, 4 * inputs, 3, stride, 1, groups=4 * inputs, bias=False)
            self.depthwise = nn.Sequential(depthwise, nn.BatchNorm2d(4 * inputs), nn.ReLU())
            self.project = nn.Sequential(nn.Conv2d(4 * inputs, outputs, 1), nn.BatchNorm2d(outputs))
            self.adds = inputs == outputs and stride == 1

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            y = self.project(self.depthwise(self.expand(x)))
            return x + y if self.adds else y

    blocks = [InvertedResidual(3, 8, 2), InvertedResidual(8, 8), InvertedResidual(8, 12)]
    net = nn.Sequential(*blocks, nn.PixelShuffle(2), nn.Tanh())
    difference, levels = compare(trained(net), 30)
    assert difference < 1e-4
    assert levels.max() <= 1
    assert compare(net, 30, int8=True)[1].mean() < 3


def test_8_bit_weights_stay_close() -> None:
    _, levels = compare(trained(build_generator("fast", 8)), 64, int8=True)
    assert 0 < levels.mean() < 6


def test_other_nets_of_the_same_modules_are_lowered() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a = nn.Conv2d(3, 8, 7, padding=3)
            self.up = nn.Upsample(scale_factor=2)
            self.b = nn.Conv2d(8, 16, 4, 2, 1)
            self.norm = nn.BatchNorm2d(16)
            self.drop = nn.Dropout(0.5)
            self.tanh = nn.Tanh()
            self.c = nn.Conv2d(24, 3, 1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            x = self.a(x)
            y = self.drop(self.norm(self.b(self.up(x))))
            return self.tanh(self.c(torch.cat([self.tanh(x), y], 1)))

    difference, levels = compare(trained(Net()), 10)
    assert difference < 1e-4 and levels.max() <= 1


def test_functional_forms_are_lowered_too() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Conv2d(12, 16, 3, padding=1), nn.Conv2d(8, 3, 1)
            self.c = nn.Conv2d(4, 8, 1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            x = F.leaky_relu(F.pixel_shuffle(self.a(F.pixel_unshuffle(x, 2)), 2), negative_slope=0.2)
            return self.b(F.relu(self.c(x), inplace=True)).tanh()

    difference, levels = compare(trained(Net()), 12)
    assert difference < 1e-4 and levels.max() <= 1


def test_unknown_module_is_named() -> None:
    with pytest.raises(NurieError, match=r"no operation for _1 \(InstanceNorm2d\)"):
        lower(nn.Sequential(nn.Conv2d(3, 3, 3, padding=1), nn.InstanceNorm2d(3)), square(8))
    with pytest.raises(NurieError, match="with groups"):
        lower(nn.Sequential(nn.Conv2d(3, 4, 1), nn.Conv2d(4, 4, 3, padding=1, groups=2)), square(8))
    with pytest.raises(NurieError, match="has 4 channels; the engine shows 3"):
        lower(nn.Sequential(nn.Conv2d(3, 4, 1)), square(8))
