"""Each operation, activation and field of the document does what the reference says; test_webgpu.py: on WebGPU, too."""

from dataclasses import astuple

import numpy as np
import pytest

from cases import COLOUR, PLANS, SEED, lines, weights_file
from conftest import BUILDS
from nurie.engine.plan import Plan
from nurie.engine.reference import run_reference
from nurie.engine.wasm import Engine
from sources import numbered, table


def test_all_names_of_the_document_have_a_case() -> None:
    fields = table("The plan: `tensors` and `ops`", "field")
    kinds = {"operation": numbered(fields["op"][1]), "activation": numbered(fields["activation"][1]), "field": fields}
    assert list(PLANS) == [f"{kind} {name}" for kind, names in kinds.items() for name in names]


@BUILDS
@pytest.mark.parametrize("name", PLANS)
def test_the_engine_does_what_the_reference_says(name: str, relaxed: bool) -> None:
    for plan in PLANS[name]():
        expected, _ = run_reference(plan, weights_file(), lines(), SEED, COLOUR)
        engine = Engine(plan, weights=weights_file(), relaxed=relaxed)
        engine.set_style(SEED, COLOUR)
        made = engine.run(lines())
        assert made.shape == expected.shape
        assert np.abs(made.astype(int) - expected).max() <= 1


@pytest.mark.parametrize("field", [name for name in PLANS if name.startswith("field ")])
def test_a_field_alone_changes_the_picture(field: str) -> None:
    one, other = PLANS[field]()
    assert differing(one, other) == {field.removeprefix("field ")}
    pictures = [run_reference(plan, weights_file(), lines(), SEED, COLOUR)[0].astype(int) for plan in (one, other)]
    assert pictures[0].shape != pictures[1].shape or np.abs(pictures[0] - pictures[1]).max() > 8


def test_activations_give_different_pictures() -> None:
    plans = [case()[0] for name, case in PLANS.items() if name.startswith("activation ")]
    pictures = {run_reference(plan, weights_file(), lines(), SEED, COLOUR)[0].tobytes() for plan in plans}
    assert len(pictures) == len(plans)


def differing(one: Plan, other: Plan) -> set[str]:
    """The fields in which the operations differ."""
    names = list(one.ops[0].__dataclass_fields__)
    pairs = zip(one.ops, other.ops, strict=True)
    return {name for a, b in pairs for name, x, y in zip(names, astuple(a), astuple(b), strict=True) if x != y}
