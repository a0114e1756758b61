"""Generators of other systems in the engine: PyTorch's numbers, in both readings of their normalisations."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from msgspec.structs import replace

from conftest import square
from importing import generator_of
from nurie.convert.lower import lower
from nurie.engine.reference import run_reference
from nurie.engine.wasm import Engine
from nurie.importers.builder import DRAWING, Builder, Imported, Value
from nurie.nets.tensors import to_images

RANDOM = np.random.default_rng(3)
SIDE = 16


def weights(*shape: int) -> np.ndarray:
    return RANDOM.normal(0, 1.5 / np.sqrt(np.prod(shape[1:])), shape)


def norm(b: Builder, x: Value, channels: int, rows: bool = False) -> Value:
    scale, shift, mean = (
        RANDOM.normal(1, 0.3, channels),
        RANDOM.normal(0, 0.3, channels),
        RANDOM.normal(0, 0.3, channels),
    )
    variance = RANDOM.uniform(0.3, 2, channels)
    return b.norm(x, channels, 1e-5, scale=scale, shift=shift, mean=mean, variance=variance, rows=rows)


def conv(b: Builder, x: Value, inputs: int, outputs: int, kernel: int = 3, bias: bool = True, **options: Any) -> Value:
    options.setdefault("pad", kernel // 2)
    return b.conv(x, weights(outputs, inputs, kernel, kernel), weights(outputs, 1) if bias else None, **options)


def up(b: Builder, x: Value, inputs: int, outputs: int, kernel: int, crop: tuple[int, int], stride: int = 2) -> Value:
    return b.conv_transpose(x, weights(inputs, outputs, kernel, kernel), weights(outputs, 1), crop=crop, stride=stride)


def unet(b: Builder, widths: tuple[int, ...] = (3, 5, 6)) -> Value:
    """LeakyReLU before the convolutions down, ReLU before those up; skips before the activation."""
    skips, x, last = [], DRAWING, b.channels
    for width in widths:
        x = conv(b, b.leaky_relu(x, 0.3) if skips else x, last, width, 4, bias=False, stride=2, pad=1)
        x, last = norm(b, x, width), width
        skips.append(x)
    for width, skip in zip(widths[-2::-1], skips[-2::-1], strict=True):
        x = norm(b, up(b, b.relu(x), last, width, 4, (1, 1)), width)
        x, last = b.concat(b.dropout(x), skip), 2 * width
    return b.tanh(up(b, b.relu(x), last, 3, 4, (1, 1)))


def resnet(b: Builder) -> Value:
    x = b.relu(norm(b, conv(b, DRAWING, 3, 6, 7, reflect=True), 6))
    x = b.relu(norm(b, conv(b, x, 6, 8, stride=2, pad=1), 8))
    for _ in range(2):
        y = b.relu(norm(b, conv(b, x, 8, 8, reflect=True), 8))
        x = b.add(x, norm(b, conv(b, y, 8, 8, reflect=True), 8))
    x = b.relu(norm(b, up(b, x, 8, 6, 3, (1, 0)), 6))
    return b.tanh(conv(b, x, 6, 3, 7, reflect=True))


def separable(b: Builder) -> Value:
    x = conv(b, b.conv(DRAWING, weights(3, 1, 4, 4), stride=2, pad=1, depthwise=True), 3, 6, 1, pad=0)
    x = b.upsample(b.relu(norm(b, x, 6)))
    x = b.conv(x, weights(6, 1, 4, 4), pad=(1, 2), depthwise=True)
    return b.sigmoid(conv(b, x, 6, 3, 1, pad=0))


def one_sided(b: Builder) -> Value:
    """Padding below and to the right only, and a value that is read raw, activated, and twice concatenated."""
    x = norm(b, conv(b, DRAWING, 3, 5, stride=2, pad=(0, 1)), 5)
    y = b.leaky_relu(x, 0.1)
    z = b.concat(b.concat(y, x), y)
    z = b.concat(conv(b, z, 15, 6), y)
    return b.tanh(up(b, norm(b, z, 11), 11, 3, 3, (0, 1)))


def rows(b: Builder) -> Value:
    x = norm(b, conv(b, DRAWING, 3, 5, stride=2, pad=1), SIDE // 2, rows=True)
    x = conv(b, b.leaky_relu(x), 5, 6, 2, stride=1, pad=0)  # one pixel less, and back by a transposed one of stride 1
    x = norm(b, up(b, x, 6, 4, 2, (0, 0), stride=1), SIDE // 2, rows=True)
    return b.tanh(up(b, b.relu(x), 4, 3, 2, (0, 0)))


def bottleneck(b: Builder) -> Value:
    """Down to one pixel, where the picture's own statistics leave the shift alone."""
    return unet(b, (4, 6, 8, 10))


def sums(b: Builder) -> Value:
    """Additions and normalisations that no convolution can absorb."""
    x = conv(b, DRAWING, 3, 6)
    y = b.sigmoid(x)
    z = norm(b, b.add(b.relu(x), y), 6)
    return conv(b, b.relu(b.add(z, b.concat(conv(b, x, 6, 6)))), 6, 3)


NETS: tuple[Callable[[Builder], Value], ...] = (unet, resnet, separable, one_sided, rows, bottleneck, sums)


def pictures(imported: Imported, side: int) -> tuple[torch.Tensor, np.ndarray, np.ndarray, np.ndarray]:
    """PyTorch's numbers and picture, and the engine's and the reference's."""
    generator = generator_of(imported)
    drawing = np.random.default_rng(1).integers(0, 256, (side, side, 3), np.uint8)
    x = torch.from_numpy(drawing).permute(2, 0, 1)[None].double() / 127.5 - 1
    with torch.no_grad():
        numbers, picture = generator.compute(generator.read(x))[0], to_images(generator(x))[0]
    plan, data = lower(generator.float(), square(side), int8=False)
    engine = Engine(plan, weights=data)
    shown, last = engine.run(drawing), plan.ops[-1]
    reference, tensors = run_reference(plan, data, drawing)
    got = engine.tensor(last.input).copy(), tensors[last.input]
    for found in (shown, reference):
        assert np.abs(found.astype(int) - picture).max() <= 1
    return numbers, *got, picture


@pytest.mark.parametrize("reading", ["fixed", "picture"])
@pytest.mark.parametrize("net", NETS)
def test_the_engine_has_pytorchs_numbers(net: Callable[[Builder], Value], reading: str) -> None:
    b = Builder(3)
    net(b)
    numbers, *found, _ = pictures(b.finish(readings=(reading,), size=SIDE), SIDE)
    expected = numbers.permute(1, 2, 0).numpy()
    for got in found:
        assert np.abs(got[:, :, :3] - expected).max() < (1e-5 if reading == "fixed" else 1e-4)


@pytest.mark.parametrize(
    ("inputs", "outputs", "about"),
    [
        (1, 3, {"reads": "grey"}),
        (1, 1, {"reads": "grey", "takes": (0, 1), "shows": (0, 1)}),
        (3, 3, {"takes": (0, 255), "shows": (0, 255)}),
        (3, 3, {"takes": (-0.5, 0.5), "shows": (-1, 0.9921875)}),
        (3, 4, {}),
        (3, 4, {"shows": (0, 1)}),
        (1, 2, {"reads": "lightness"}),
        (4, 3, {"reads": "labels", "palette": ("#000000", "#ff0000", "#00ff00", "#0000ff")}),
    ],
)
def test_drawings_and_pictures_of_other_channels_and_ranges(inputs: int, outputs: int, about: dict) -> None:
    b = Builder(inputs)
    x = b.relu(conv(b, DRAWING, inputs, 6, stride=2, pad=1))
    up(b, x, 6, outputs, 4, (1, 1))
    pictures(b.finish(size=SIDE, **about), SIDE)


def test_a_drawing_of_another_range_can_be_read_by_more_than_convolutions() -> None:
    b = Builder(1)
    x = b.concat(b.relu(DRAWING), DRAWING)
    conv(b, x, 2, 3)
    imported = b.finish(size=SIDE)
    pictures(replace_takes(imported, (0, 2)), SIDE)


def replace_takes(imported: Imported, takes: tuple[float, float]) -> Imported:
    from dataclasses import replace as changed

    return changed(imported, architecture=replace(imported.architecture, takes=takes))


@pytest.mark.parametrize(
    ("kernel", "crop"), [(5, (2, 1)), (6, (2, 2)), (4, (0, 2)), (4, (0, 0)), (2, (0, 0)), (3, (0, 1))]
)
def test_transposed_convolutions_of_other_kernels(kernel: int, crop: tuple[int, int]) -> None:
    b = Builder(3)
    x = up(b, b.relu(conv(b, DRAWING, 3, 6)), 6, 5, kernel, crop)
    more = b.shape(x, SIDE)[1] - 2 * SIDE
    x = conv(b, x, 5, 6, 3, stride=2, pad=(0, 1)) if more == 0 else conv(b, x, 5, 6, 4, stride=2, pad=0)
    conv(b, x, 6, 3)
    numbers, *found, _ = pictures(b.finish(size=SIDE), SIDE)
    for got in found:
        assert np.abs(got[:, :, :3] - numbers.permute(1, 2, 0).numpy()).max() < 1e-5
