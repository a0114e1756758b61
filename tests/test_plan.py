"""Plans as the manifest stores them: parsing, checking, shapes and costs."""

import tracemalloc
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from nurie.engine.plan import Op, Plan, checked, make_plan, parse_plan
from nurie.engine.reference import conv2d, conv_transpose2d, padded, shuffled, unshuffled
from nurie.errors import NurieError
from plans import Builder, small_unet


def manifest() -> dict[str, Any]:
    return small_unet()[0].to_json()


def test_json_round_trip_stores_no_defaults() -> None:
    plan, _ = small_unet()
    stored = plan.to_json()
    assert stored["ops"][0] == {"op": "input", "shuffle": 2}
    assert parse_plan(stored) == plan


def test_rows_are_the_documented_integers() -> None:
    op = Op("copy", 1, 4, 2, 8, 12, 0, 0, 1, 0, 3, 2, -1, 0, 5, -1, 6, -1, 0, 0.5, 1.0, 2, 1, 0.25)
    rows = Plan((3,), (op, Op("output"))).rows()
    assert rows.dtype == np.dtype("<i4")
    assert rows.tolist() == [
        [3, 1, 4, 2, 8, 12, 0, 0, 1, 0, 3, 2, -1, 0, 5, -1, 6, -1, 0, 0x3F000000, 0x3F800000, 2, 1, 0x3E800000],
        [4, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1, -1, 0, 0, -1, -1, -1, 0, 0x3E4CCCCD, 0, 0, 0, 0],
    ]


def test_sizes_follow_from_the_input() -> None:
    plan, _ = small_unet()
    assert plan.sizes(24, 20) == [(12, 10), (12, 10), (6, 5), (6, 5), (6, 5), (12, 10), (24, 20), (24, 20)]


@pytest.mark.parametrize(
    ("height", "width", "why"),
    [(23, 20, "multiples of 2"), (24, 22, "writes 12x12 pixels into a tensor of 11x12"), (0, 4, "nothing left")],
)
def test_sizes_that_do_not_fit_say_why(height: int, width: int, why: str) -> None:
    with pytest.raises(NurieError, match=f"cannot take a picture of {width}x{height} pixels: .*{why}"):
        small_unet()[0].sizes(height, width)


def test_residual_of_another_size() -> None:
    b = Builder()
    image = b.image()
    down = b.conv(image, 3, 3, stride=2)
    plan, _ = b.finish(b.conv(down, 3, 3, residual=image))
    with pytest.raises(NurieError, match="adds a tensor of 8x8 pixels to one of 4x4"):
        plan.sizes(8, 8)
    assert plan.sizes(1, 1)[-1] == (1, 1)


def test_macs_count_what_is_multiplied() -> None:
    b = Builder()
    x = b.conv(b.image(), 3, 8, kernel=3, stride=2)  # 8x8 pixels from 16x16
    x = b.conv(x, 8, 5, kernel=1, shuffle=2)  # 20 channels on 8x8
    plan, _ = b.finish(b.conv_transpose(x, 5, 3))  # 16 taps for each of 16x16 input pixels
    assert plan.macs(16, 16) == 64 * 8 * 27 + 64 * 8 * 20 + 256 * 5 * 3 * 16


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: m.pop("tensors"), 'needs "tensors"'),
        (lambda m: m.update(tensors=[3, "4"]), 'needs "tensors"'),
        (lambda m: m.update(tensors=[True] * 8), 'needs "tensors"'),
        (lambda m: m["tensors"].__setitem__(0, 0), "Tensor 0 has 0 channels"),
        (lambda m: m.pop("ops"), 'needs "ops"'),
        (lambda m: m.update(ops=[1]), 'needs "ops"'),
        (lambda m: m["ops"][1].update(op="pool"), "Operation 1 of the plan is 'pool'; known are input, conv,"),
        (lambda m: m["ops"][1].update(dilation=2), "unknown field 'dilation'. Update Nurie"),
        (lambda m: m["ops"][1].update(kernel="3"), "kernel must be an integer, but it is '3'"),
        (lambda m: m["ops"][1].update(kernel=2**31), "kernel must be an integer"),
        (lambda m: m["ops"][1].update(kernel=9), r"Operation 1 \(conv\) of the plan has kernel 9"),
        (lambda m: m["ops"][1].update(pad=3), "pads smaller than the kernel"),
        (lambda m: m["ops"][1].update(shuffle=3), "shuffle 3; it must be 1, 2 or 4"),
        (lambda m: m["ops"][-1].update(shuffle=2), "fields that it cannot have"),
        (lambda m: m["ops"][1].update(activation=4), "has activation 4; known are 0, 1, 2, 3, 5"),
        (lambda m: m["ops"][1].update(out_channels=18, shuffle=2), "cannot shuffle 18 channels by 2"),
        (lambda m: m["ops"][1].update(input=8), "uses tensor 8, but there are 8"),
        (lambda m: m["ops"][1].update(output_channel=16), "uses channels 16 to 31 of tensor 1, which has 28"),
        (lambda m: m["ops"][1].update(output_channel=2), "uses channels 2 to 17"),
        (lambda m: m["ops"][5].update(kernel=3), "only 4, 2, 1 is supported"),
        (lambda m: m["ops"][6].update(residual=1), "fields that it cannot have"),
        (lambda m: m["ops"][6].update(output_channel=4), "writes channels of tensor 1 a second time"),
        (lambda m: m["ops"].pop(2), "reads channels of tensor 2 that nothing has written"),
        (lambda m: m["ops"].pop(), 'exactly one "output"'),
        (lambda m: m["ops"].append({"op": "output"}), 'exactly one "output"'),
    ],
)
def test_bad_manifests_are_refused_with_a_sentence(change: Any, message: str) -> None:
    bad = manifest()
    change(bad)
    with pytest.raises(NurieError, match=message):
        parse_plan(bad)


def test_make_plan_takes_dictionaries_and_operations() -> None:
    assert make_plan([3], [{"op": "input"}, Op("output")]) == Plan((3,), (Op("input"), Op("output")))


def test_checking_a_plan_takes_little_memory() -> None:
    """All 4,096 operations with 16,384 channels each took 142 seconds."""
    copies = [Op("copy", input=i, output=i + 1, in_channels=16384) for i in range(1, 64)]
    made = Op("conv", output=1, in_channels=3, out_channels=16384, kernel=1)
    plan = Plan((3, *[16384] * 64), (Op("input"), made, *copies, Op("output")))
    tracemalloc.start()
    assert checked(plan) is plan
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000  # 42 MB, when each quad of channels was a tuple


def test_operations_are_frozen_values() -> None:
    assert replace(Op("input"), shuffle=2) == Op("input", shuffle=2)


def nchw(x: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(x).permute(2, 0, 1)[None]


def nhwc(x: torch.Tensor) -> np.ndarray:
    return x[0].permute(1, 2, 0).numpy()


@pytest.mark.parametrize(
    ("kernel", "stride", "pad"), [(1, 1, 0), (3, 1, 1), (3, 2, 1), (4, 2, 1), (5, 1, 0), (7, 2, 3)]
)
def test_reference_conv_is_torch(kernel: int, stride: int, pad: int) -> None:
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(9, 7, 5)), rng.normal(size=(6, kernel, kernel, 5))
    expected = torch.nn.functional.conv2d(nchw(x), torch.from_numpy(w).permute(0, 3, 1, 2), None, stride, pad)
    given = padded(Op("conv", kernel=kernel, pad=pad), x)
    assert np.allclose(conv2d(given, w, stride), nhwc(expected))


def test_reference_transposed_conv_is_torch() -> None:
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(3, 5, 4)), rng.normal(size=(6, 4, 4, 4))
    expected = torch.nn.functional.conv_transpose2d(nchw(x), torch.from_numpy(w).permute(3, 0, 1, 2), None, 2, 1)
    assert np.allclose(conv_transpose2d(x, w), nhwc(expected))


def test_reference_shuffles_are_torch() -> None:
    x = np.random.default_rng(0).normal(size=(4, 6, 8))
    assert np.array_equal(shuffled(x, 2), nhwc(torch.nn.functional.pixel_shuffle(nchw(x), 2)))
    assert np.array_equal(unshuffled(x, 2), nhwc(torch.nn.functional.pixel_unshuffle(nchw(x), 2)))
