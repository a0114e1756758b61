"""The engine refuses lists, weights, sizes and calls that are wrong, and never traps. Invalid plans: test_rules.py."""

from dataclasses import replace

import numpy as np
import pytest
import wasmtime
from hypothesis import given, settings
from hypothesis import strategies as st

from inputs import op_of
from nurie.engine.plan import Op, Plan, checked, make_plan
from nurie.engine.wasm import Engine, EngineError, Machine
from nurie.errors import NurieError
from plans import Builder, drawing, small_unet


def chain() -> tuple[Plan, bytes]:
    """input -> conv -> conv_transpose -> copy -> output, each with 3 channels; tensor 1 has 2."""
    b = Builder()
    x = b.conv(b.image(), 3, 2)
    return b.finish(b.copy(b.conv_transpose(x, 2, 3), 3))


def test_bad_lists_give_an_error() -> None:
    plan, weights = chain()
    rows = plan.rows()
    no_output, two_outputs = rows[:-1], np.concatenate([rows, rows[-1:]])
    unknown = rows.copy()
    unknown[1, 0] = 5
    lists = [no_output, two_outputs, unknown, rows[1:], rows[[0, 2, 1, 3, 4]], rows[[0, 1, 1, 2, 3, 4]]]
    for bad in lists:
        with pytest.raises(EngineError, match="plan is invalid"):
            Machine().load(plan.tensors, bad, weights)
    for tensors in [(0, 2, 3, 3), (3, 2, 3, 2**31 - 1), (3, -2, 3, 3)]:
        with pytest.raises(EngineError, match="plan is invalid"):
            Machine().load(tensors, rows, weights)
    for counts in [(0, 1), (1, 0), (-1, 5), (5, 2**31 - 1), (2**31 - 1, 5)]:
        with pytest.raises(EngineError, match="plan is invalid"):
            Machine().call("plan", *counts)


@pytest.mark.parametrize("missing", [1, 40, 10_000])
def test_short_weights_give_an_error(missing: int) -> None:
    plan, weights = chain()
    with pytest.raises(EngineError, match="too short") as caught:
        Engine(plan, weights=weights[: max(0, len(weights) - missing)])
    assert caught.value.code == -3


def test_offsets_past_any_file_give_an_error() -> None:
    plan, weights = chain()
    for field in ("weight", "bias", "scale"):
        bad = [replace(op, **{field: 2**31 - 4}) if i == 1 else op for i, op in enumerate(plan.ops)]
        with pytest.raises(EngineError, match="too short"):
            Engine(Plan(plan.tensors, tuple(bad)), weights=weights)


@pytest.mark.parametrize("size", [(0, 8), (8, 0), (-1, 8), (7, 8), (8, 7), (32769, 2), (2**31 - 1, 2**31 - 1)])
def test_sizes_that_do_not_fit(size: tuple[int, int]) -> None:
    engine = Engine(*small_unet()[:1], weights=small_unet()[1])
    with pytest.raises(EngineError) as caught:
        engine.resize(*size)
    assert caught.value.code == -4
    with pytest.raises(EngineError, match="out of order"):
        engine.run_ops(0, 1)
    assert engine.run(drawing(8, 8)).shape == (8, 8, 3)  # and it still works


def test_a_kernel_larger_than_the_picture() -> None:
    b = Builder()
    plan, weights = b.finish(b.conv(b.image(), 3, 3, kernel=5, pad=1))
    engine = Engine(plan, weights=weights)
    assert engine.run(drawing(3, 4)).shape == (1, 2, 3)
    with pytest.raises(EngineError) as caught:
        engine.resize(2, 9)
    assert caught.value.code == -4


def test_too_large_for_memory() -> None:
    engine = Engine(make_plan([3], [Op("input"), Op("output")]))
    with pytest.raises(EngineError, match="memory") as caught:
        engine.resize(32768, 32768)
    assert caught.value.code == -2
    assert engine.run(drawing(4, 4)).shape == (4, 4, 3)


def test_calls_out_of_order() -> None:
    machine = Machine()
    for name, arguments in [("weights", (4,)), ("load", (4,)), ("resize", (8, 8)), ("input", ()), ("output", ())]:
        with pytest.raises(EngineError) as caught:
            machine.call(name, *arguments)
        assert caught.value.code == -5
    plan, weights = chain()
    machine.load(plan.tensors, plan.rows(), weights)
    for name, arguments in [("load", (4,)), ("weights", (4,)), ("run", (0, 1)), ("tensor", (0,)), ("peak", ())]:
        with pytest.raises(EngineError, match="out of order"):
            machine.call(name, *arguments)
    machine.call("resize", 4, 4)
    for arguments in [(-1, 1), (2, 1), (0, 6), (6, 6), (0, -1)]:
        with pytest.raises(EngineError):
            machine.call("run", *arguments)
    for index in (-1, 4, 2**31 - 1):
        with pytest.raises(EngineError):
            machine.call("tensor", index)
    machine.load(plan.tensors, plan.rows(), weights)  # a new model in the same engine
    machine.call("resize", 2, 2)
    assert machine.call("run", 0, 5) == 0


@settings(max_examples=300, deadline=None, derandomize=True)
@given(data=st.data())
def test_damaged_plans_never_trap(data: st.DataObject) -> None:
    plan, weights = small_unet()
    rows = plan.rows()
    small = st.integers(-5, 30)
    for _ in range(data.draw(st.integers(1, 3))):
        column = data.draw(st.integers(1, rows.shape[1] - 1))
        value = data.draw(st.one_of(small, small, st.integers(-(2**31), 2**31 - 1)))
        rows[data.draw(st.integers(0, len(rows) - 1)), column] = value
    names = [op.op for op in plan.ops]
    damaged = Plan(plan.tensors, tuple(op_of(name, row[1:]) for name, row in zip(names, rows, strict=True)))
    machine = Machine()
    try:
        machine.load(plan.tensors, rows, weights)
    except wasmtime.Trap:
        raise AssertionError("the engine trapped") from None
    except EngineError as error:
        code = error.code
    else:
        code = 0
    try:
        checked(damaged)
    except NurieError:
        assert code == -1
        return
    assert code in (0, -3)
    if code == 0:
        compare_sizes(machine, damaged)


def compare_sizes(machine: Machine, plan: Plan) -> None:
    """The engine takes a size exactly when plan.sizes() does, and then runs."""
    try:
        plan.sizes(12, 8)
    except NurieError:
        with pytest.raises(EngineError) as caught:
            machine.call("resize", 12, 8)
        assert caught.value.code == -4
    else:
        machine.call("resize", 12, 8)
        machine.call("run", 0, len(plan.ops))


def test_wrong_pictures_are_refused() -> None:
    engine = Engine(make_plan([3], [Op("input"), Op("output")]))
    for bad in (np.zeros((4, 4, 4), np.float32), np.zeros((4, 4), np.uint8), np.zeros((4, 4, 2), np.uint8)):
        with pytest.raises(NurieError, match="takes uint8 pictures"):
            engine.run(bad)
