"""The engine on whole plans against the NumPy reference; its memory, sizes and files. test_engine_ops.py: its parts."""

import base64
import gzip
import itertools
import json
from pathlib import Path

import numpy as np
import pytest
import wasmtime
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import BUILDS
from nurie.convert.coder import encode
from nurie.engine.modelfile import read_model
from nurie.engine.plan import RELU, TANH, Plan
from nurie.engine.reference import run_reference
from nurie.engine.wasm import WASM_FOLDER, Engine, EngineError, Machine
from nurie.errors import NurieError
from nurie.serve import BUILT_IN
from plans import Builder, classic_unet, drawing, random_plan, small_unet
from threaded import ThreadedMachine

FIXTURE = Path(__file__).parent / "js" / "small.json"


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


@BUILDS
@pytest.mark.parametrize("quantised", [False, True])
def test_classic_unet_equals_reference(quantised: bool, relaxed: bool) -> None:
    assert_equals_reference(*classic_unet(quantised=quantised), drawing(128, 256), relaxed)


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


@pytest.mark.parametrize("quantised", [False, True])
def test_transformed_weights_take_half_as_much_again_at_most(quantised: bool) -> None:
    """As float32 weights as they are, beside the tensors and the scratch memory of a block of tiles."""
    plan, weights = classic_unet(40, 8, quantised)
    engine = Engine(plan, weights=weights)
    engine.resize(256, 256)
    floats = sum(op.kernel**2 * op.in_channels * op.out_channels for op in plan.ops if op.is_conv)
    tensors = most_alive(plan, 256, 256) + 8 * 256 * 256
    assert 4 * floats + tensors < engine.peak < 1.5 * (4 * floats + tensors)


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
    data = (WASM_FOLDER / name).read_bytes()
    module = wasmtime.Module(wasmtime.Engine(), data)
    assert not module.imports
    exports = sorted(export.name for export in module.exports)
    assert (
        " ".join(exports) == "coded decode input load memory output peak plan resize run style tensor threads weights"
    )
    assert len(gzip.compress(data, 9)) < 30_000


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
        "coded": text(encode(plan, weights)),
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
