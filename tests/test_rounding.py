"""Weights that are rounded layer by layer: training sees those of the model, and each layer gets what it needs."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from conftest import circle_pair, square
from nurie.convert.allocate import allocate, change_by, picture_of
from nurie.convert.coder import encode
from nurie.convert.lower import lower
from nurie.convert.parity import compare, pictures_of
from nurie.convert.restore import weights_of
from nurie.convert.rounding import layers_of, rounded_weights
from nurie.errors import NurieError
from nurie.nets.generators import build_generator
from nurie.nets.tensors import to_tensor

SIZE = square(64)
DRAWINGS = [circle_pair(seed)[:, :64] for seed in range(6)]


def trained() -> nn.Module:
    """A generator whose normalisations have the statistics of drawings."""
    torch.manual_seed(0)
    generator = build_generator("fast", 8, styles=True, enclosed=True).train()
    for module in generator.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None
            nn.init.uniform_(module.weight, 0.5, 2)
            nn.init.normal_(module.bias, 0, 0.2)
    with torch.no_grad():
        generator(seen())
    return generator.eval()


def seen() -> Tensor:
    return to_tensor(DRAWINGS)


def some_steps(generator: nn.Module) -> dict[str, float]:
    """For all layers but the first and the last."""
    return {
        layer.name: float(layer.folded().std()) * (0.2 + 0.1 * (i % 3))
        for i, layer in enumerate(layers_of(generator)[1:-1])
    }


def with_weights(generator: nn.Module, weights: dict[str, Tensor]) -> nn.Module:
    for name, each in weights.items():
        generator.get_submodule(name).weight.data = each
    return generator


def test_all_of_our_convolutions_are_layers() -> None:
    generator = trained()
    convolutions = [name for name, module in generator.named_modules() if isinstance(module, nn.Conv2d)]
    assert sorted(layer.name for layer in layers_of(generator)) == sorted(convolutions)
    assert sum(layer.norm is not None for layer in layers_of(generator)) > 10


def test_training_sees_the_weights_of_the_model() -> None:
    """To the last code: the model of a generator with rounded weights is the model itself."""
    generator = trained()
    steps = some_steps(generator)
    plan, weights = lower(generator, SIZE, steps=steps)
    other = with_weights(trained(), rounded_weights(generator, steps))
    convolutions = [op for op in plan.ops if op.is_conv]
    for layer, op in zip(layers_of(other), convolutions, strict=True):
        stored = weights_of(op, weights)[0][:: op.out_channels // layer.conv.out_channels]
        folded = layer.folded().permute(0, 3, 1, 2)
        assert torch.allclose(stored, folded, rtol=1e-5, atol=1e-7), layer.name
        step = steps.get(layer.name)
        scales = np.frombuffer(weights, "<f4", op.out_channels, op.scale)
        assert (step is not None) == bool((scales == scales[0]).all() and scales[0] == np.float32(step or 0))
    parity = compare(plan, weights, [], DRAWINGS, pictures_of(other, DRAWINGS), 0.0005)
    assert parity.mean_difference <= 0.0005


def test_where_8_bits_change_pictures_more_than_is_allowed_all_layers_have_8() -> None:
    generator = trained()
    with torch.no_grad():
        before = picture_of(generator(seen()))
        assert change_by(generator, layers_of(generator), {}, seen(), before, picture_of) > 0.003
    assert allocate(generator, seen(), 0.003) == {}


@pytest.mark.parametrize("change", [0.008, 0.02])
def test_pictures_change_by_what_is_allowed(change: float) -> None:
    generator = trained()
    with torch.no_grad():
        before = picture_of(generator(seen()))
        steps = allocate(generator, seen(), change)
        came = change_by(generator, layers_of(generator), steps, seen(), before, picture_of)
        assert torch.equal(picture_of(generator(seen())), before)  # the generator is as it was
    assert steps and 0.5 * change < came < 1.3 * change


def test_layers_that_count_little_are_rounded_more_and_all_take_less() -> None:
    generator = trained()
    sizes = []
    found = {change: allocate(generator, seen(), change) for change in (0.005, 0.01, 0.02)}
    for steps in found.values():
        plan, weights = lower(generator, SIZE, steps=steps)
        sizes.append(len(encode(plan, weights)))
    whole = len(encode(*lower(generator, SIZE)))
    assert sizes == sorted(sizes, reverse=True) and sizes[-1] < 0.7 * whole
    assert all(found[0.005].get(layer, 0) <= step for layer, step in found[0.02].items())
    folded = {layer.name: layer.folded() for layer in layers_of(generator)}
    assert all(step <= 1.0001 * folded[layer].square().mean().sqrt() for layer, step in found[0.02].items())
    assert allocate(generator, seen(), 0.01) == found[0.01]  # always the same


def test_steps_of_another_generator_are_refused() -> None:
    with pytest.raises(NurieError, match=r"There are steps for downs\.9, but the generator has no such convolution"):
        lower(trained(), SIZE, steps={"downs.9": 0.1})
