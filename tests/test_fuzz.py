"""The plans that the fuzzer of engine/fuzz/ made up, in WebAssembly: none traps or takes for ever, and Python, the
engine and the page refuse the same."""

import json
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import wasmtime

from inputs import Input, kept, read_input, repeated
from nurie.engine.plan import FILL, Op, Plan, checked, make_plan
from nurie.engine.wasm import WASM_FOLDER, EngineError, Machine
from nurie.errors import NurieError

SCRIPT = Path(__file__).parent / "js" / "answers.js"
MOST = 1 << 23  # bytes; larger plans and drawings are checked and laid out, but not run
FUEL = 1_000_000_000  # instructions, a second or so
INPUTS = {name: read_input(data) for name, data in kept().items()}


@cache
def fuelled(relaxed: bool) -> tuple[wasmtime.Engine, wasmtime.Module]:
    config = wasmtime.Config()
    config.wasm_relaxed_simd = True
    config.consume_fuel = True
    engine = wasmtime.Engine(config)
    return engine, wasmtime.Module.from_file(engine, str(WASM_FOLDER / f"nurie{'-relaxed' * relaxed}.wasm"))


class Fuelled(Machine):
    """Traps after so many instructions, however fast the computer is."""

    def __init__(self, relaxed: bool) -> None:
        engine, module = fuelled(relaxed)
        self._store = wasmtime.Store(engine)
        self._store.set_fuel(FUEL)
        self._exports = wasmtime.Instance(self._store, module, []).exports(self._store)
        self._memory = self._exports["memory"]

    @property
    def used(self) -> int:
        """Instructions so far."""
        return FUEL - self._store.get_fuel()


def code_of(call: str, *arguments: int, machine: Machine) -> int:
    """The result, or the error."""
    try:
        return machine.call(call, *arguments)
    except EngineError as error:
        return error.code


def answers(given: Input, relaxed: bool = False) -> list[int]:
    """The engine's codes, 0 for success: of the plan, and if it has one of each drawing's size. Runs what it can."""
    machine = Fuelled(relaxed)
    at = code_of("plan", given.tensors, given.ops, machine=machine)
    if at < 0:
        return [at]
    machine.write(at, given.table.tobytes())
    at = code_of("weights", given.weights_bytes, machine=machine)
    if at < 0 or given.weights_bytes > MOST:
        return [min(at, 0)]
    machine.write(at, repeated(given.weights, given.weights_bytes))
    machine.call("load", given.weights_bytes)
    return [0, *(coloured(machine, given, *size) for size in given.sizes)]


def coloured(machine: Machine, given: Input, height: int, width: int) -> int:
    code = code_of("resize", height, width, machine=machine)
    if code == 0 and machine.call("peak") <= MOST:
        machine.write(machine.call("input"), repeated(given.drawing, 4 * height * width))
        machine.call("run", 0, given.ops)
    return code


@pytest.mark.parametrize("relaxed", [False, True], ids=["plain", "relaxed"])
@pytest.mark.parametrize("name", INPUTS)
def test_ends_with_a_picture_or_an_error(name: str, relaxed: bool) -> None:
    given = INPUTS[name]
    code, *sizes = answers(given, relaxed)
    assert code in (0, -1, -2, -3)
    assert {*sizes} <= {0, -2, -4}
    if given.table.size == 0:
        return
    try:
        plan = checked(given.plan)
    except NurieError:
        assert code == (-1 if given.weights_bytes >= 0 else -3)
        return
    assert code != -1
    for found, size in zip(sizes, given.sizes, strict=False):
        assert (found != -4) == fits(plan, size)


def fits(plan: Plan, size: tuple[int, int]) -> bool:
    try:
        plan.sizes(*size)
    except NurieError:
        return False
    return True


def test_the_page_says_the_same(node: str) -> None:
    tasks, expected = [], {}
    for name, given in INPUTS.items():
        if given.table.size == 0 or not 0 <= given.weights_bytes <= MOST:
            continue
        plan = {"tensors": given.plan.tensors, "ops": [vars(op) for op in given.plan.ops]}
        if not np.isfinite([(op.slope, op.epsilon, op.compand) for op in given.plan.ops]).all():
            continue  # JSON has no such numbers
        code, *sizes = answers(given)
        for i, size in enumerate(given.sizes):
            tasks.append({"plan": plan, "bytes": given.weights_bytes, "size": size})
            expected[f"{name}, {i}: {size}"] = code or sizes[i]
    done = subprocess.run([node, SCRIPT], input=json.dumps(tasks), capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert dict(zip(expected, (code for code, _ in json.loads(done.stdout)), strict=True)) == expected


def maze(size: int) -> np.ndarray:
    """Grey, uint8: one way, 3 pixels wide, that goes up and down all along; `size` is 8 n + 1."""
    drawing = np.full((size, size), 255, np.uint8)
    drawing[::8] = 0
    for y in range(0, size - 1, 8):
        drawing[y : y + 8, ::4] = 0
        drawing[y + 1 : y + 4, 4:-1:8] = 255  # open above
        drawing[y + 5 : y + 8, 8:-1:8] = 255  # open below
        door = 1 if y // 8 % 2 == 0 else size - 4
        drawing[y, door : door + 3] = 255
    return drawing


def dots(size: int) -> np.ndarray:
    """Grey, uint8: dots, and among them a box with a gap."""
    drawing = np.full((size, size), 255, np.uint8)
    step, box = size // 48, slice(size // 2, size // 2 + size // 8)
    drawing[::step, ::step] = 0
    drawing[box, box] = 0
    drawing[box, box][1:-1, 1:-1] = 255
    drawing[box, box][0, size // 16 : size // 16 + size // 90] = 255
    return drawing


ENCLOSED = make_plan([3, 1], [Op("input"), Op("enclosed", output=1), Op("output")])
FILLED = make_plan([3], [Op("input"), Op("output", activation=FILL)])


@pytest.mark.parametrize(
    ("plan", "draw", "most"),
    [
        (ENCLOSED, maze, 24),
        (FILLED, dots, 16),
    ],
    ids=["maze", "dots"],
)
def test_work_grows_with_the_pixels_only(plan: Plan, draw: Callable[[int], np.ndarray], most: int) -> None:
    """16 times as many are not much more than 16 times the work, whatever is drawn."""
    used = []
    for size in (129, 513):
        machine = Fuelled(relaxed=False)
        machine.load(plan.tensors, plan.rows(), b"")
        machine.call("resize", size, size)
        machine.write(machine.call("input"), np.repeat(draw(size), 4).tobytes())
        before = machine.used
        machine.call("run", 0, len(plan.ops))
        used.append(machine.used - before)
    assert used[1] <= most * used[0]
