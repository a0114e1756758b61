"""The engine against PyTorch, operation by operation."""

import itertools
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from conftest import BUILDS
from nurie.engine.plan import ACTIVATIONS, COMPUTED, SIGMOID, TANH, Op, Plan, make_plan
from nurie.engine.reference import read_floats, read_weights, run_reference, styled
from nurie.engine.wasm import Engine
from nurie.nets.generators import hash_noise
from plans import Builder, drawing

SIZES = [(1, 1), (1, 6), (2, 3), (4, 4), (5, 9), (7, 4), (13, 11)]
CHANNELS = [1, 3, 4, 5, 8, 12, 24, 33]


def run_one(plan: Plan, weights: bytes, inputs: dict[int, np.ndarray], size: tuple[int, int], relaxed: bool):
    """Run the operation before `output` on the given tensors (h, w, channels) and return what it wrote."""
    engine = Engine(plan, weights=weights, relaxed=relaxed)
    engine.resize(*size)
    index = len(plan.ops) - 2
    engine.run_ops(0, index)
    for tensor, values in inputs.items():
        engine.set_tensor(tensor, values)
    engine.run_ops(index, index + 1)
    op = plan.ops[index]
    return engine.tensor(op.output)[:, :, op.output_channel : op.output_channel + op.channels_written].copy()


def torch_conv(op: Op, weights: bytes, x: np.ndarray, residual: np.ndarray | None) -> np.ndarray:
    """The operation in PyTorch, float64: (h, w, in) -> (h', w', out)."""
    kernel = torch.from_numpy(read_weights(op, weights))  # (out, ky, kx, in)
    bias = torch.from_numpy(read_floats(weights, op.bias, op.out_channels))
    nchw = torch.from_numpy(x.astype(np.float64)).permute(2, 0, 1)[None]
    if op.op != "conv_transpose":
        groups = op.in_channels if op.op == "depthwise" else 1
        padded = F.pad(nchw, 2 * op.pads, "reflect" if op.reflect else "constant")
        y = F.conv2d(padded, kernel.permute(0, 3, 1, 2), bias, op.stride, groups=groups)
        y = F.pixel_shuffle(y, op.shuffle)
    else:
        y = F.conv_transpose2d(nchw, kernel.permute(3, 0, 1, 2), bias, stride=2, padding=1)
    if residual is not None:
        y = y + torch.from_numpy(residual.astype(np.float64)).permute(2, 0, 1)[None]
    return activated(op, y)[0].permute(1, 2, 0).numpy()


def activated(op: Op, x: torch.Tensor) -> torch.Tensor:
    return {
        "none": lambda: x,
        "relu": lambda: F.relu(x),
        "leaky_relu": lambda: F.leaky_relu(x, op.slope),
        "tanh": lambda: torch.tanh(x),
        "sigmoid": lambda: torch.sigmoid(x),
    }[ACTIVATIONS[op.activation]]()


def conv_cases(count: int) -> list[tuple[Any, ...]]:
    """A sample of the table of shapes, the same in every run; every value of every column appears many times."""
    rng = np.random.default_rng(7)
    columns: list[Sequence[Any]] = [
        SIZES,
        CHANNELS,
        CHANNELS,
        [1, 2, 3, 3, 4, 5, 7],
        [1, 2],
        COMPUTED,
        [1, 2, 4],
        [False, True],
        [False, True],
        [-1, -1, 0, 1, 5],
        [False, False, True],
    ]
    cases = [tuple(column[int(rng.integers(len(column)))] for column in columns) for _ in range(4 * count)]
    return [case for case in cases if conv_sides(case) is not None][:count]


def conv_sides(case: tuple[Any, ...]) -> list[int] | None:
    """Height and width of what it makes; None where its kernel or its mirror does not fit."""
    size, _, _, kernel, stride, _, shuffle, _, _, end, reflect = case
    pads = kernel // 2, kernel // 2 if end == -1 else end
    fits = pads[1] < kernel <= min(size) + sum(pads) and (not reflect or max(pads) < min(size))
    return [((side + sum(pads) - kernel) // stride + 1) * shuffle for side in size] if fits else None


@BUILDS
def test_conv_matches_torch(relaxed: bool) -> None:
    rng = np.random.default_rng(1)
    for case in conv_cases(300):
        (h, w), inputs, outputs, kernel, stride, activation, shuffle, residual, quantised, end, reflect = case
        b = Builder(3)
        image = b.image()
        source = b.conv(image, 3, 4 + inputs, kernel=1)
        fields = {"stride": stride, "activation": activation, "shuffle": shuffle, "input_channel": 4 * int(inputs < 12)}
        fields |= {"pad_end": end, "reflect": int(reflect), "slope": 0.2 if quantised else 0.01}
        given_tensors = {source: rng.normal(size=(h, w, 4 + inputs)).astype(np.float32)}
        added = None
        if residual and conv_sides(case) == [h, w]:  # one channel too many, which must not leak into the padding
            extra = b.conv(image, 3, 4 + outputs + 1, kernel=1)
            given_tensors[extra] = rng.normal(size=(h, w, outputs + 5)).astype(np.float32)
            added = given_tensors[extra][:, :, 4 : 4 + outputs]
            fields |= {"residual": extra, "residual_channel": 4}
        out = b.conv(source, inputs, outputs, kernel, quantised, **fields)
        plan, weights = finish_anywhere(b, out, outputs)
        op = plan.ops[-2]
        got = run_one(plan, weights, given_tensors, (h, w), relaxed)
        x = given_tensors[source][:, :, op.input_channel : op.input_channel + inputs]
        expected = torch_conv(op, weights, x, added)
        assert got.shape == expected.shape, case
        assert np.abs(got - expected).max() < 3e-5, case


def finish_anywhere(b: Builder, out: int, channels: int) -> tuple[Plan, bytes]:
    """Output needs 3 channels: widen the tensor's last operation when it has fewer by pointing output elsewhere."""
    return b.finish(out if channels >= 3 else 0)


@BUILDS
def test_transposed_conv_matches_torch(relaxed: bool) -> None:
    rng = np.random.default_rng(2)
    for (h, w), inputs, outputs in itertools.product(SIZES, [1, 4, 5, 24], [3, 8, 12, 20]):
        quantised, activation = bool(inputs % 2), (h + w) % 4
        b = Builder(4)
        image = b.image()
        source = b.conv(image, 3, inputs, kernel=1)
        added = b.conv_transpose(image, 3, outputs)
        out = b.conv_transpose(source, inputs, outputs, quantised, activation=activation, residual=added)
        plan, weights = b.finish(out)
        x = rng.normal(size=(h, w, inputs)).astype(np.float32)
        residual = rng.normal(size=(2 * h, 2 * w, outputs)).astype(np.float32)
        got = run_one(plan, weights, {source: x, added: residual}, (h, w), relaxed)
        expected = torch_conv(plan.ops[-2], weights, x, residual)
        assert np.abs(got - expected).max() < 2e-5, (h, w, inputs, outputs)


def deep(b: Builder, levels: int, channels: int) -> int:
    """A tensor a power of 2 smaller than the drawing: how small a layer's map is says how it is computed."""
    x = b.image()
    for _ in range(levels):
        x = b.conv(x, b.tensors[x], 3, kernel=1, stride=2)
    return b.conv(x, 3, channels, kernel=1)


def square(b: Builder, layer: str, source: int, inputs: int) -> int:
    if layer == "3x3":
        return b.conv(source, inputs, 64)
    return b.conv(source, inputs, 64, 4, stride=2, pad=1) if layer == "4x4" else b.conv_transpose(source, inputs, 64)


@BUILDS
@pytest.mark.parametrize("levels", [1, 4, 5, 6])  # at a drawing of 256 pixels: F(4x4, 2x2), F(2x2, 2x2), few pixels
def test_4x4_layers_match_torch_on_every_path(levels: int, relaxed: bool) -> None:
    rng = np.random.default_rng(8)
    sizes = [(2, 3), (5, 9), (8, 8), (13, 11), (18, 17)]
    for case, ((h, w), inputs, transposed) in enumerate(itertools.product(sizes, [16, 21, 64], [False, True])):
        outputs, shuffle = int(rng.choice([18, 20, 67])), 1 if transposed or case % 3 else 2
        b = Builder(case)
        source = deep(b, levels, 4 + inputs)
        out = b.tensor(outputs + 9)
        fields: dict[str, Any] = {"input_channel": 4, "output": out, "output_channel": 4, "activation": case % 4}
        size = (2 * h, 2 * w) if transposed else (h // 2 * shuffle, w // 2 * shuffle)
        values = {source: rng.normal(size=(h, w, 4 + inputs)).astype(np.float32)}

        if transposed:
            layer = partial(b.conv_transpose, source, outputs=outputs)
        else:
            layer = partial(b.conv, source, outputs=outputs, kernel=4, stride=2, pad=1, shuffle=shuffle)
        added = None
        if case % 3 != 1:
            fields["residual"] = layer(4)
            added = values[fields["residual"]] = rng.normal(size=(*size, outputs)).astype(np.float32)
        layer(inputs, quantised=bool(case % 2), **fields)
        plan, weights = b.finish(out, input_channel=4)
        got = run_one(plan, weights, values, (h << levels, w << levels), relaxed)
        expected = torch_conv(plan.ops[-2], weights, values[source][:, :, 4:], added)
        assert got.shape == expected.shape
        assert np.abs(got - expected).max() < 6e-5, (h, w, inputs, outputs, transposed)


@pytest.mark.parametrize("layer", ["3x3", "4x4", "transposed 4x4"])
def test_tiles_beyond_the_right_edge_see_zeros(layer: str) -> None:
    """Not the next row's first pixels: where these are huge, the sums that cancel them out again would be wrong."""
    b = Builder(9)
    source = deep(b, 0, 16)
    plan, weights = b.finish(square(b, layer, source, 16))
    width, first = {"3x3": (5, 4), "4x4": (11, 4), "transposed 4x4": (5, 8)}[layer]  # of the second tile
    x = np.random.default_rng(4).normal(size=(9, width, 16)).astype(np.float32)
    x[:, :2] = 1e6
    got = run_one(plan, weights, {source: x}, (9, width), False)
    assert np.abs(got - torch_conv(plan.ops[-2], weights, x, None))[:, first:].max() < 2e-5


@BUILDS
def test_depthwise_matches_torch(relaxed: bool) -> None:
    rng = np.random.default_rng(3)
    cases = itertools.product(SIZES[::2], [1, 5, 24], [1, 3, 4, 5], [1, 2], [False, True])
    for case, ((h, w), channels, kernel, stride, quantised) in enumerate(cases):
        if min(h, w) + 2 * (kernel // 2) < kernel:
            continue
        reflect = case % 3 == 0 and min(h, w) > kernel // 2
        b = Builder(4)
        image = b.image()
        source = b.conv(image, 3, 4 + channels, kernel=1)
        x = {source: rng.normal(size=(h, w, 4 + channels)).astype(np.float32)}
        fields = {"stride": stride, "activation": COMPUTED[case % 5], "input_channel": 4, "reflect": int(reflect)}
        fields |= {"slope": 0.3, "pad_end": -1 if kernel % 2 else case % 2 + 1}
        added = None
        if kernel % 2 and stride == 1:
            extra = b.conv(image, 3, channels, kernel=1)
            x[extra] = added = rng.normal(size=(h, w, channels)).astype(np.float32)
            fields["residual"] = extra
        out = b.depthwise(source, channels, kernel, quantised, **fields)
        plan, weights = finish_anywhere(b, out, channels)
        got = run_one(plan, weights, x, (h, w), relaxed)
        expected = torch_conv(plan.ops[-2], weights, x[source][:, :, 4:], added)
        assert got.shape == expected.shape
        assert np.abs(got - expected).max() < 2e-5, (h, w, channels, kernel, stride)


@BUILDS
@pytest.mark.parametrize("seed", [0, 1, 2**31 + 5])
def test_style_is_the_documented_noise_and_the_colour(seed: int, relaxed: bool) -> None:
    b = Builder()
    image = b.image()
    joined = b.tensor(12)
    b.conv(image, 3, 8, output=joined)
    b.style(image, output=joined, output_channel=8)
    plan, weights = b.finish(joined)
    engine = Engine(plan, weights=weights, relaxed=relaxed)
    engine.set_style(seed, (0.5, -0.25, 1.0))
    engine.run(drawing(9, 14))
    got = engine.tensor(joined)[:, :, 8:]
    assert np.array_equal(got, styled(9, 14, seed, (0.5, -0.25, 1.0)).astype(np.float32))
    assert np.array_equal(got[:, :, 0], hash_noise(9, 14, seed))
    assert got[:, :, 0].min() < -0.8 < 0.8 < got[:, :, 0].max()
    assert abs(got[:, :, 0].mean()) < 0.2
    engine.set_style(seed + 1)
    engine.run_ops(0, len(plan.ops))
    assert (engine.tensor(joined)[:, :, 8] != hash_noise(9, 14, seed)).mean() > 0.9
    assert not engine.tensor(joined)[:, :, 9:].any()


@BUILDS
def test_copy_matches_torch(relaxed: bool) -> None:
    for (h, w), channels, shuffle, activation in itertools.product(SIZES[:5], [3, 4, 7, 12], [1, 2, 4], COMPUTED):
        b = Builder(5)
        source = b.conv(b.image(), 3, 4 + channels, kernel=1)
        out = b.copy(source, channels, input_channel=4, shuffle=shuffle, activation=activation)
        plan, weights = b.finish(out)
        x = np.random.default_rng(3).normal(size=(h, w, 4 + channels)).astype(np.float32)
        got = run_one(plan, weights, {source: x}, (h, w), relaxed)
        y = torch.from_numpy(x[:, :, 4:]).repeat_interleave(shuffle, 0).repeat_interleave(shuffle, 1)
        assert np.abs(got - activated(plan.ops[-2], y).numpy()).max() < 1e-6


@pytest.mark.parametrize("scale", [-1, 1])
@pytest.mark.parametrize("shuffle", [1, 2, 4])
def test_input_matches_pixel_unshuffle(shuffle: int, scale: int) -> None:
    plan = make_plan([3 * shuffle**2], [Op("input", shuffle=shuffle, scale=scale), Op("output")])
    picture = drawing(8, 12)
    engine = Engine(plan)
    engine.set_input(picture)
    engine.run_ops(0, 1)
    rgb = torch.from_numpy(picture[:, :, :3].astype(np.float32)).permute(2, 0, 1)
    values = rgb / 255 if scale == 1 else rgb / 127.5 - 1
    assert np.array_equal(engine.tensor(0), F.pixel_unshuffle(values, shuffle).permute(1, 2, 0).numpy())


@pytest.mark.parametrize("scale", [-1, 1])
def test_every_byte_comes_back(scale: int) -> None:
    plan = make_plan([3], [Op("input", scale=scale), Op("output", scale=scale)])
    picture = np.arange(256, dtype=np.uint8).reshape(16, 16, 1).repeat(3, axis=2)
    assert np.array_equal(Engine(plan).run(picture), picture)


@pytest.mark.parametrize("scale", [-1, 1])
def test_output_clamps_and_rounds_halves_to_even(scale: int) -> None:
    engine = Engine(make_plan([3], [Op("input"), Op("output", scale=scale)]))
    engine.resize(1, 8)
    wanted = [-1e9, -1, 0.5, 1.5, 2.5, 254.5, 256, 1e30]
    values = np.array(wanted) / 255 if scale == 1 else np.array(wanted) / 127.5 - 1
    engine.set_tensor(0, values.astype(np.float32)[None, :, None])
    engine.run_ops(1, 2)
    # the float32 numbers nearest to halves do not all scale to halves exactly: compare with the same arithmetic
    x = values.astype(np.float32)
    scaled = x * np.float32(255) if scale == 1 else (x + np.float32(1)) * np.float32(127.5)
    assert np.array_equal(engine.get_output()[0, :, 0], np.clip(np.rint(scaled), 0, 255))


@BUILDS
@pytest.mark.parametrize("activation", [TANH, SIGMOID])
def test_curves_are_accurate(activation: int, relaxed: bool) -> None:
    copy = Op("copy", output=1, in_channels=3, activation=activation)
    plan = make_plan([3, 3], [Op("input"), copy, Op("output", input=1)])
    x = np.linspace(-12, 12, 96 * 100 * 3).astype(np.float32).reshape(96, 100, 3)
    x[0, :6, 0] = [0, -0.0, 1e-30, 1e30, -1e30, np.inf]
    got = run_one(plan, b"", {0: x}, (96, 100), relaxed)
    expected = activated(copy, torch.from_numpy(x).double()).numpy()
    assert np.abs(got - expected).max() < 1e-6


@BUILDS
@pytest.mark.parametrize("channels", [6, 64])
def test_readers_that_mirror_and_readers_that_do_not_share_a_tensor(channels: int, relaxed: bool) -> None:
    """Each finds the border that it needs, on either side of the other, and in a second picture too."""
    b = Builder(8)
    source = b.conv(b.image(), 3, channels, kernel=1)
    joined = b.tensor(20)
    readers: list[dict[str, Any]] = [
        {"kernel": 7, "reflect": 1},
        {"kernel": 3},
        {"kernel": 3, "reflect": 1},
        {"kernel": 3, "pad": 0, "pad_end": 2},
        {"kernel": 5, "reflect": 1},
    ]
    for i, fields in enumerate(readers):
        b.conv(source, channels, 4, output=joined, output_channel=4 * i, **fields)
    plan, weights = b.finish(joined)
    engine = Engine(plan, weights=weights, relaxed=relaxed)
    for seed in range(2):
        picture = drawing(19, 23, seed)
        _, expected = run_reference(plan, weights, picture)
        engine.run(picture)
        assert np.abs(engine.tensor(joined) - expected[joined]).max() < 1e-4


@BUILDS
@pytest.mark.parametrize("layer", ["3x3", "4x4", "transposed 4x4"])
@pytest.mark.parametrize(("inputs", "levels"), [(64, 0), (512, 0), (512, 4), (512, 5)])
def test_winograd_stays_within_1e4_of_float64(inputs: int, levels: int, layer: str, relaxed: bool) -> None:
    b = Builder(6)
    source = deep(b, levels, inputs)
    plan, weights = b.finish(square(b, layer, source, inputs))
    x = np.random.default_rng(4).normal(size=(22, 17, inputs)).astype(np.float32)
    got = run_one(plan, weights, {source: x}, (22 << levels, 17 << levels), relaxed)
    expected = torch_conv(plan.ops[-2], weights, x, None)
    assert 0.6 < expected.std() < 2
    assert np.abs(got - expected).max() < 1e-4
