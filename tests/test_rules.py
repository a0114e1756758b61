"""What the document says of valid plans and of sizes, Python, the engine and the page's host check alike."""

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest

from nurie.engine.plan import OPS, Op, parse_plan
from nurie.engine.wasm import EngineError, Machine
from nurie.errors import NurieError
from rules import BAD_SIZES, GOOD_SIZES, INVALID, VALID, ZEROS, Json, rows
from sources import table

SCRIPT = Path(__file__).parent / "js" / "answers.js"
PLAN = "The plan: `tensors` and `ops`"
DEFAULTS = Op("").__dict__
FLOATS = [name for name, value in DEFAULTS.items() if isinstance(value, float)]
WRONG, RIGHT, MISFITS, FITS = (rows(found) for found in (INVALID, VALID, BAD_SIZES, GOOD_SIZES))


def test_every_rule_of_the_document_has_a_row() -> None:
    assert list(INVALID) == list(table(PLAN, "rule"))
    assert VALID.keys() <= INVALID.keys()
    assert list(BAD_SIZES) == list(table(PLAN, "rule of sizes"))
    assert GOOD_SIZES.keys() <= BAD_SIZES.keys()


def is_table(plan: Json) -> bool:
    """Whether it can be handed to the engine as integers at all."""
    given = [item for op in plan["ops"] for item in op.items() if item[0] != "op"]
    values = [*plan["tensors"], *(value for name, value in given if name not in FLOATS)]
    floats = [value for name, value in given if name in FLOATS]
    known = all(op.keys() <= DEFAULTS.keys() for op in plan["ops"])
    whole = all(type(value) is int and -(2**31) <= value < 2**31 for value in values)
    return known and whole and all(type(value) in (int, float) for value in floats)


def word(name: str, value: float) -> int:
    """A field as the engine reads it."""
    with np.errstate(over="ignore"):
        return int(np.float32(value).view("<i4")) if name in FLOATS else int(value)


def loaded(plan: Json) -> Machine:
    """The engine with a plan as it is, checked by nothing else."""
    numbers = {name: number for number, name in enumerate(OPS)}
    ops = [{**DEFAULTS, **op, "op": numbers.get(op.get("op", ""), len(OPS))} for op in plan["ops"]]
    table = [[word(name, value) for name, value in op.items()] for op in ops]
    machine = Machine()
    machine.load(plan["tensors"], np.array(table, np.int32).reshape(-1, len(DEFAULTS)), ZEROS)
    return machine


@pytest.mark.parametrize("row", WRONG)
def test_invalid_plans_are_refused(row: str) -> None:
    _, plan = WRONG[row]
    with pytest.raises(NurieError):
        parse_plan(plan)
    if is_table(plan):
        with pytest.raises(EngineError) as refused:
            loaded(plan)
        assert refused.value.code == -1


@pytest.mark.parametrize("row", RIGHT)
def test_valid_plans_are_taken(row: str) -> None:
    _, plan = RIGHT[row]
    parse_plan(plan)
    loaded(plan)


@pytest.mark.parametrize("row", MISFITS)
def test_sizes_that_do_not_fit_are_refused(row: str) -> None:
    (_, plan), size = MISFITS[row]
    with pytest.raises(NurieError, match="cannot take a picture"):
        parse_plan(plan).sizes(*size)
    with pytest.raises(EngineError) as refused:
        loaded(plan).call("resize", *size)
    assert refused.value.code == -4


@pytest.mark.parametrize("row", FITS)
def test_sizes_that_fit_are_taken(row: str) -> None:
    (_, plan), size = FITS[row]
    parse_plan(plan).sizes(*size)
    loaded(plan).call("resize", *size)


@pytest.fixture(scope="module")
def answers(node: str) -> dict[str, tuple[int, bool]]:
    """By row, of the page's hosts: an error code or 0, and whether `sizes` took the size."""
    plans = {name: plan for name, (_, plan) in (WRONG | RIGHT).items()}
    tasks = [{"plan": plan, "bytes": len(ZEROS)} for plan in plans.values()]
    sizes = MISFITS | FITS
    tasks += [{"plan": plan, "bytes": len(ZEROS), "size": size} for (_, plan), size in sizes.values()]
    done = subprocess.run([node, SCRIPT], input=json.dumps(tasks), capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return {name: tuple(answer) for name, answer in zip([*plans, *sizes], json.loads(done.stdout), strict=True)}


@pytest.mark.parametrize("row", [*WRONG, *RIGHT])
def test_the_page_says_the_same_of_plans(row: str, answers: dict[str, tuple[int, bool]]) -> None:
    assert answers[row][0] == (-1 if row in WRONG else 0)


@pytest.mark.parametrize("row", [*MISFITS, *FITS])
def test_the_page_says_the_same_of_sizes(row: str, answers: dict[str, tuple[int, bool]]) -> None:
    assert answers[row] == ((-4, False) if row in MISFITS else (0, True))
