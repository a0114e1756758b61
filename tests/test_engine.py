"""The engine against PyTorch, operation by operation, and against the NumPy reference on whole plans."""

import base64
import gzip
import itertools
import json
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
import wasmtime
from hypothesis import given, settings
from hypothesis import strategies as st

from nurie.engine import PAGE, Engine, EngineError, Machine
from nurie.errors import NurieError
from nurie.modelfile import read_model
from nurie.networks import hash_noise
from nurie.plan import Op, Plan, make_plan
from nurie.reference import read_floats, read_weights, run_reference, styled
from nurie.serve import BUILT_IN
from plans import RELU, TANH, Builder, drawing, random_plan, small_unet
from threaded import ThreadedMachine

BUILDS = pytest.mark.parametrize("relaxed", [False, True], ids=["plain", "relaxed"])
FIXTURE = Path(__file__).parent / "js" / "small.json"
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
        y = F.conv2d(nchw, kernel.permute(0, 3, 1, 2), bias, op.stride, op.pad, groups=groups)
        y = F.pixel_shuffle(y, op.shuffle)
    else:
        y = F.conv_transpose2d(nchw, kernel.permute(3, 0, 1, 2), bias, stride=2, padding=1)
    if residual is not None:
        y = y + torch.from_numpy(residual.astype(np.float64)).permute(2, 0, 1)[None]
    y = [lambda: y, lambda: F.relu(y), lambda: F.leaky_relu(y, 0.2), lambda: torch.tanh(y)][op.activation]()
    return y[0].permute(1, 2, 0).numpy()


def conv_cases(count: int) -> list[tuple]:
    """A sample of the table of shapes, the same in every run; every value of every column appears many times."""
    rng = np.random.default_rng(7)
    columns = (
        SIZES,
        CHANNELS,
        CHANNELS,
        [1, 2, 3, 3, 4, 5, 7],
        [1, 2],
        range(4),
        [1, 2, 4],
        [False, True],
        [False, True],
    )
    cases = [tuple(column[rng.integers(len(column))] for column in columns) for _ in range(3 * count)]
    return [case for case in cases if min(case[0]) + 2 * (case[3] // 2) >= case[3]][:count]


@BUILDS
def test_conv_matches_torch(relaxed: bool) -> None:
    rng = np.random.default_rng(1)
    for case in conv_cases(250):
        (h, w), inputs, outputs, kernel, stride, activation, shuffle, residual, quantised = case
        b = Builder(3)
        image = b.image()
        source = b.conv(image, 3, 4 + inputs, kernel=1)
        fields = {"stride": stride, "activation": activation, "shuffle": shuffle, "input_channel": 4 * int(inputs < 12)}
        given_tensors = {source: rng.normal(size=(h, w, 4 + inputs)).astype(np.float32)}
        out_size = [((side + 2 * (kernel // 2) - kernel) // stride + 1) * shuffle for side in (h, w)]
        added = None
        if residual and out_size == [h, w]:  # one channel too many, which must not leak into the padding
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
        assert np.abs(got - expected).max() < 2e-5, case


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


@BUILDS
def test_depthwise_matches_torch(relaxed: bool) -> None:
    rng = np.random.default_rng(3)
    cases = itertools.product(SIZES[::2], [1, 5, 24], [1, 3, 4, 5], [1, 2], [False, True])
    for case, ((h, w), channels, kernel, stride, quantised) in enumerate(cases):
        if min(h, w) + 2 * (kernel // 2) < kernel:
            continue
        b = Builder(4)
        image = b.image()
        source = b.conv(image, 3, 4 + channels, kernel=1)
        x = {source: rng.normal(size=(h, w, 4 + channels)).astype(np.float32)}
        fields = {"stride": stride, "activation": case % 4, "input_channel": 4}
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
    for (h, w), channels, shuffle, activation in itertools.product(SIZES[:5], [3, 4, 7, 12], [1, 2, 4], range(4)):
        b = Builder(5)
        source = b.conv(b.image(), 3, 4 + channels, kernel=1)
        out = b.copy(source, channels, input_channel=4, shuffle=shuffle, activation=activation)
        plan, weights = b.finish(out)
        x = np.random.default_rng(3).normal(size=(h, w, 4 + channels)).astype(np.float32)
        got = run_one(plan, weights, {source: x}, (h, w), relaxed)
        y = torch.from_numpy(x[:, :, 4:]).repeat_interleave(shuffle, 0).repeat_interleave(shuffle, 1)
        y = [y, F.relu(y), F.leaky_relu(y, 0.2), torch.tanh(y)][activation]
        assert np.abs(got - y.numpy()).max() < 1e-6


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
def test_tanh_is_accurate(relaxed: bool) -> None:
    plan = make_plan([3, 3], [Op("input"), Op("copy", output=1, in_channels=3, activation=TANH), Op("output", input=1)])
    x = np.linspace(-12, 12, 96 * 100 * 3).astype(np.float32).reshape(96, 100, 3)
    x[0, :6, 0] = [0, -0.0, 1e-30, 1e30, -1e30, np.inf]
    got = run_one(plan, b"", {0: x}, (96, 100), relaxed)
    assert np.abs(got - np.tanh(x.astype(np.float64))).max() < 1e-6


@BUILDS
@pytest.mark.parametrize("inputs", [64, 512])
def test_winograd_stays_within_1e4_of_float64(inputs: int, relaxed: bool) -> None:
    b = Builder(6)
    source = b.conv(b.image(), 3, inputs, kernel=1)
    plan, weights = b.finish(b.conv(source, inputs, 16))
    x = np.random.default_rng(4).normal(size=(22, 17, inputs)).astype(np.float32)
    got = run_one(plan, weights, {source: x}, (22, 17), relaxed)
    expected = torch_conv(plan.ops[-2], weights, x, None)
    assert 1 < expected.std() < 2
    assert np.abs(got - expected).max() < 1e-4


def assert_equals_reference(plan: Plan, weights: bytes, picture: np.ndarray, relaxed: bool) -> None:
    """Every tensor right after the operation that wrote it, and the picture of an unbroken run."""
    expected, tensors = run_reference(plan, weights, picture)
    engine = Engine(plan, weights=weights, relaxed=relaxed)
    engine.set_input(picture)
    for i, op in enumerate(plan.ops[:-1]):
        engine.run_ops(i, i + 1)
        written = np.s_[:, :, op.output_channel : op.output_channel + op.channels_written]
        difference = np.abs(engine.tensor(op.output)[written] - tensors[op.output][written]).max()
        assert difference < 1e-4 * (1 + np.abs(tensors[op.output]).max()), (i, op)
        end = op.output_channel + op.channels_written
        assert not engine.tensor(op.output, padded=True)[:, :, end : -(-end // 4) * 4].any(), (i, op)
    assert np.abs(engine.run(picture).astype(int) - expected).max() <= 1


@BUILDS
@pytest.mark.parametrize("size", [(24, 20), (4, 4), (64, 36)])
def test_small_unet_equals_reference(size: tuple[int, int], relaxed: bool) -> None:
    assert_equals_reference(*small_unet(quantised=False), drawing(*size), relaxed)
    assert_equals_reference(*small_unet(quantised=True), drawing(*size), relaxed)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 2**32 - 1),
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    relaxed=st.booleans(),
    threads=st.integers(1, 4),
)
def test_random_plans_equal_reference(seed: int, height: int, width: int, relaxed: bool, threads: int) -> None:
    plan, weights = random_plan(seed)
    try:
        plan.sizes(height, width)
    except NurieError:
        with pytest.raises(EngineError) as caught:
            Engine(plan, weights=weights).resize(height, width)
        assert caught.value.code == -4
        height, width = 8 * -(-height // 8), 8 * -(-width // 8)
    picture = drawing(height, width, seed)
    assert_equals_reference(plan, weights, picture, relaxed)
    with ThreadedMachine(relaxed, threads) as machine:
        threaded = Engine(plan, weights=weights, machine=machine).run(picture)
    assert (threaded == Engine(plan, weights=weights, relaxed=relaxed).run(picture)).all()


@BUILDS
@pytest.mark.parametrize("size", [(1, 1), (1, 1024), (768, 1), (768, 1024)])
def test_from_one_pixel_to_a_large_picture(size: tuple[int, int], relaxed: bool) -> None:
    b = Builder(5)
    x = b.conv(b.image(), 3, 8, activation=RELU)
    plan, weights = b.finish(b.conv(x, 8, 3, activation=TANH, quantised=True))
    assert_equals_reference(plan, weights, drawing(*size), relaxed)


@BUILDS
def test_both_builds_agree_within_one_level(relaxed: bool) -> None:
    plan, weights = small_unet()
    other = Engine(plan, weights=weights, relaxed=not relaxed).run(drawing(40, 40)).astype(int)
    assert np.abs(Engine(plan, weights=weights, relaxed=relaxed).run(drawing(40, 40)) - other).max() <= 1


def test_sizes_change_back_and_forth() -> None:
    plan, weights = small_unet()
    engine = Engine(plan, weights=weights)
    first = {size: engine.run(drawing(*size)) for size in [(32, 32), (8, 4), (64, 20), (100, 100)]}
    for size, picture in reversed(first.items()):
        assert np.array_equal(engine.run(drawing(*size)), picture)
        assert np.array_equal(Engine(plan, weights=weights).run(drawing(*size)), picture)


def test_memory_does_not_grow() -> None:
    plan, weights = small_unet()
    engine = Engine(plan, weights=weights)
    first = engine.run(drawing(32, 32))
    memory, peak = engine.memory_bytes, engine.peak
    for seed in range(200):
        engine.run(drawing(32, 32, seed))
    for size in [(16, 16), (32, 32)] * 20:
        engine.run(drawing(*size))
    assert (engine.memory_bytes, engine.peak) == (memory, peak)
    assert np.array_equal(engine.run(drawing(32, 32)), first)


def test_places_are_used_again() -> None:
    b = Builder()
    x = b.image()
    for _ in range(20):
        x = b.conv(x, 3, 3)
    engine = Engine(*b.finish(x)[:1], weights=b"".join(b.parts))
    engine.resize(256, 256)
    one = 258 * 258 * 4 * 4
    assert engine.peak < 3 * one + 2 * 256 * 256 * 4 + 200_000  # two tensors live at a time


def most_alive(plan: Plan, height: int, width: int) -> int:
    """Bytes of the tensors that must be kept at the same time, at the worst moment: no engine needs fewer."""
    uses: dict[int, list[int]] = {}
    for i, op in enumerate(plan.ops):
        named = {op.output} if op.op != "output" else set()
        named |= {op.input} if op.op != "input" else set()
        for tensor in named | ({op.residual} if op.residual >= 0 else set()):
            uses.setdefault(tensor, []).append(i)
    sizes = plan.sizes(height, width)
    size = {t: 4 * sizes[t][0] * sizes[t][1] * (-(-plan.tensors[t] // 4) * 4) for t in uses}
    return max(sum(size[t] for t, at in uses.items() if at[0] <= i <= at[-1]) for i in range(len(plan.ops)))


@pytest.mark.parametrize("make", [small_unet, lambda: read_model(BUILT_IN)[1:]], ids=["small", "built-in"])
def test_memory_is_what_the_plan_needs(make) -> None:
    plan, weights = make()
    engine = Engine(plan, weights=weights)
    engine.resize(256, 256)
    small = engine.peak
    engine.resize(768, 512)
    needed = most_alive(plan, 768, 512) - most_alive(plan, 256, 256) + 8 * (768 * 512 - 256 * 256)  # RGBA in and out
    assert needed <= engine.peak - small <= 1.1 * needed


@pytest.mark.parametrize("parts", [1, 3, 50])
def test_weights_may_come_in_parts(parts: int) -> None:
    plan, weights = small_unet()
    machine = Machine()
    table = np.concatenate([np.array(plan.tensors, "<i4"), plan.rows().ravel()])
    machine.write(machine.call("plan", len(plan.tensors), len(plan.ops)), table.tobytes())
    start, left = machine.call("weights", len(weights)), []
    ends = np.linspace(0, len(weights), parts + 1).astype(int).tolist()
    for done, end in itertools.pairwise(ends):
        machine.write(start + done, weights[done:end])
        left.append(machine.call("load", end))
    assert left == sorted(left, reverse=True)
    assert left[-1] == 0
    assert machine.call("resize", 24, 20) == 0
    image = drawing(24, 20)
    machine.write(machine.call("input"), image.tobytes())
    machine.call("run", 0, len(plan.ops))
    got = machine.view(machine.call("output"), 24 * 20 * 4).reshape(24, 20, 4)[:, :, :3]
    assert (got == Engine(plan, weights=weights).run(image)).all()


@pytest.mark.parametrize("name", ["nurie.wasm", "nurie-relaxed.wasm"])
def test_wasm_files_import_nothing_and_are_small(name: str) -> None:
    data = (PAGE / name).read_bytes()
    module = wasmtime.Module(wasmtime.Engine(), data)
    assert not module.imports
    exports = sorted(export.name for export in module.exports)
    assert " ".join(exports) == "input load memory output peak plan resize run style tensor threads weights"
    assert len(gzip.compress(data, 9)) < 20_000


def make_fixture() -> dict:
    """A small model, a drawing and the picture that the plain build makes of it, bytes in base64."""
    plan, weights = small_unet()
    rgba = drawing(24, 20)

    def text(data: bytes) -> str:
        return base64.b64encode(data).decode()

    picture = Engine(plan, weights=weights).run(rgba)
    return {
        **plan.to_json(),
        "height": 24,
        "width": 20,
        "weights": text(weights),
        "drawing": text(rgba.tobytes()),
        "picture": text(picture.tobytes()),
    }


def test_javascript_fixture_is_what_python_computes() -> None:
    """tests/js/engine.test.js computes the same picture: so Python and the page agree to the byte.

    After a change of the arithmetic: `python tests/test_engine.py` writes the fixture anew.
    """
    assert json.loads(FIXTURE.read_text()) == make_fixture()


if __name__ == "__main__":
    FIXTURE.write_text(json.dumps(make_fixture(), indent=1) + "\n")
