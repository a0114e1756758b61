"""Normalisation in the engine against float64, and label maps and Lab pictures against the reference."""

from typing import Any

import numpy as np
import pytest
import torch

from conftest import BUILDS
from nurie.engine.plan import CHANNEL, COMPUTED, FIXED_ROW, LAB, LEAKY_RELU, RGBA, ROW, Op, Plan, make_plan
from nurie.engine.reference import read_floats, run_reference
from nurie.engine.wasm import Engine
from nurie.nets.layers import DrawingInput, Normalisation, PictureOutput
from plans import Builder, drawing, scribble
from test_engine_ops import activated, run_one

SIZES = [(1, 1), (1, 9), (3, 2), (16, 70), (40, 33)]
WIDTHS = [1, 3, 4, 6, 16, 37]


def expected(op: Op, weights: bytes, x: np.ndarray, added: np.ndarray) -> np.ndarray:
    """By the module that old generators are made of, in float64: (h, w, channels) -> the same."""
    by_rows = op.statistics != CHANNEL
    module = Normalisation(op.out_channels, op.epsilon, True, by_rows, by_rows, op.statistics == FIXED_ROW).double()
    assert module.weight is not None and module.bias is not None
    module.weight.data = torch.from_numpy(read_floats(weights, op.scale, op.out_channels))
    module.bias.data = torch.from_numpy(read_floats(weights, op.bias, op.out_channels))
    given = torch.from_numpy(x.astype(np.float64)).permute(2, 0, 1)[None]
    y = module(given) + torch.from_numpy(added.astype(np.float64)).permute(2, 0, 1)[None]
    return activated(op, y)[0].permute(1, 2, 0).detach().numpy()


def normalising(channels: int, **fields: Any) -> tuple[Plan, bytes]:
    """Of channels in the middle of a tensor, with a residual; the picture is another's."""
    b = Builder(3)
    image = b.image()
    source, added = (b.conv(image, 3, 5 + channels, kernel=1) for _ in range(2))
    b.norm(source, channels, input_channel=4, residual=added, residual_channel=4, **fields)
    return b.finish(image)


@BUILDS
@pytest.mark.parametrize("statistics", [CHANNEL, ROW, FIXED_ROW])
def test_normalisation_is_that_of_old_generators(statistics: int, relaxed: bool) -> None:
    rng = np.random.default_rng(0)
    for case, (h, w) in enumerate(SIZES):
        for channels in WIDTHS:
            rows = 0 if statistics == CHANNEL else h
            # 0 would be added to the running variance, 1
            fields = {"statistics": statistics, "epsilon": 0.0 if statistics == FIXED_ROW else 1e-3}
            activation = COMPUTED[(case + channels) % 5]
            plan, weights = normalising(channels, rows=rows, activation=activation, slope=0.3, **fields)
            x, added = (rng.normal(rng.normal(), 1, (h, w, 5 + channels)).astype(np.float32) for _ in range(2))
            got = run_one(plan, weights, {1: x, 2: added}, (h, w), relaxed)
            wanted = expected(plan.ops[-2], weights, x[:, :, 4:-1], added[:, :, 4:-1])
            assert np.abs(got - wanted).max() < 1e-5, (h, w, channels)


@BUILDS
@pytest.mark.parametrize("statistics", [CHANNEL, ROW])
@pytest.mark.parametrize("mean", [-300.0, 0.0, 20000.0])
def test_a_large_mean_costs_no_accuracy(mean: float, statistics: int, relaxed: bool) -> None:
    rng = np.random.default_rng(1)
    h, w, channels = 64, 300, 12
    plan, weights = normalising(channels, rows=0 if statistics == CHANNEL else h, statistics=statistics)
    x = (mean + rng.normal(0, 1, (h, w, 5 + channels))).astype(np.float32)
    x[:, :200] = np.float32(mean + 0.7)  # flat, as drawings are
    x[0, 0] += 50  # the first pixel is far from the mean
    added = np.zeros_like(x)
    got = run_one(plan, weights, {1: x, 2: added}, (h, w), relaxed)
    wanted = expected(plan.ops[-2], weights, x[:, :, 4:-1], added[:, :, 4:-1])
    # the inputs themselves are rounded to 2e-3 of a deviation at 20,000, which both see
    assert (np.abs(got - wanted) / np.maximum(1, np.abs(wanted))).max() < 1e-5


@BUILDS
def test_one_pixel_gives_exactly_the_shift(relaxed: bool) -> None:
    for epsilon in (0.0, 1e-5):
        plan, weights = normalising(7, epsilon=epsilon)
        x = np.random.default_rng(2).normal(100, 30, (1, 1, 12)).astype(np.float32)
        got = run_one(plan, weights, {1: x, 2: np.zeros_like(x)}, (1, 1), relaxed)
        assert np.array_equal(got[0, 0], read_floats(weights, plan.ops[-2].bias, 7).astype(np.float32))


def test_padding_channels_stay_zero_and_the_scale_may_be_absent() -> None:
    b = Builder(5)
    source = b.conv(b.image(), 3, 6)
    out = b.norm(source, 6, scale=-1, bias=-1, activation=LEAKY_RELU)
    plan, weights = b.finish(out)
    engine = Engine(plan, weights=weights)
    engine.run(drawing(20, 30))
    whole = engine.tensor(out, padded=True)
    assert not whole[:, :, 6:].any()
    assert np.abs(whole[:, :, :6] - run_reference(plan, weights, drawing(20, 30))[1][out]).max() < 1e-5


@BUILDS
@pytest.mark.parametrize("count", [2, 3, 12, 64])
def test_labels_are_the_nearest_colours(count: int, relaxed: bool) -> None:
    palette = np.random.default_rng(count).integers(0, 256, (count, 3), dtype=np.uint8)
    palette[-1] = palette[0]  # the first of equals
    op = Op("labels", output=1, out_channels=count, weight=3)
    plan = make_plan([3, count], [Op("input"), op, Op("output")])
    picture = drawing(17, 21)
    picture[:2, :, :3] = palette[0]
    weights = bytes(3) + palette.tobytes()
    engine = Engine(plan, weights=weights, relaxed=relaxed)
    engine.run(picture)
    found = engine.tensor(1)
    assert found[:2, :, 0].all()
    assert np.array_equal(found, run_reference(plan, weights, picture)[1][1])
    distances = np.square(picture[:, :, None, :3].astype(int) - palette).sum(3)
    assert np.array_equal(found.argmax(2), distances.argmin(2))


@BUILDS
def test_lightness_is_the_nets_own(relaxed: bool) -> None:
    plan = make_plan([1, 3], [Op("input", mode=LAB), Op("input", output=1), Op("output", input=1)])
    picture = np.dstack([scribble(24, 31, 1), drawing(24, 31)[:, :, 3]])
    picture[:8] = drawing(8, 31)
    picture[0, :, :3] = np.arange(31, dtype=np.uint8)[:, None]  # the dark end
    engine = Engine(plan, relaxed=relaxed)
    engine.set_input(picture)
    engine.run_ops(0, 1)
    x = torch.from_numpy(picture[:, :, :3]).permute(2, 0, 1)[None].double() / 127.5 - 1
    wanted = DrawingInput("lightness", (-1, 1), np.zeros((0, 3), np.uint8))(x)[0].permute(1, 2, 0).numpy()
    assert np.abs(engine.tensor(0) - wanted).max() < 2e-6


@BUILDS
@pytest.mark.parametrize(("mode", "gives"), [(LAB, "ab"), (RGBA, "rgba")])
def test_pictures_of_other_modes_are_the_nets_own(mode: int, gives: str, relaxed: bool) -> None:
    plan = make_plan([4], [Op("labels", out_channels=4), Op("output", mode=mode)])
    engine, picture = Engine(plan, weights=bytes(12), relaxed=relaxed), drawing(40, 50)
    engine.set_input(picture)
    x = np.random.default_rng(4).uniform(-1.2, 1.2, (40, 50, 4)).astype(np.float32)
    engine.set_tensor(0, x)
    engine.run_ops(1, 2)
    given = torch.from_numpy(picture[:, :, :3]).permute(2, 0, 1)[None].double() / 127.5 - 1
    made = torch.from_numpy(x[:, :, : 2 if mode == LAB else 4]).permute(2, 0, 1)[None].double()
    wanted = (PictureOutput(gives, (-1, 1))(made, given)[0].permute(1, 2, 0).numpy() + 1) * 127.5
    assert np.abs(engine.get_output() - wanted).max() < 0.51
