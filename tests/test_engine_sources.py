"""The engine's C files call each other one way."""

import re
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ENGINE = Path(__file__).resolve().parents[1] / "engine"
NOISE = re.compile(r"//.*|__attribute__\(\(.*?\)\) |^EXPORT.*\{", re.M)  # what only the host calls, too
DEFINITION = re.compile(r"^(?!static|typedef)\w[\w* ]*?\b(\w+)\([^;{]*\) \{", re.M)  # of what other files may call


def calls() -> dict[str, set[str]]:
    """For each C file the files whose functions it calls or hands on."""
    text = {path.name: NOISE.sub("", path.read_text(encoding="utf-8")) for path in ENGINE.glob("*.c")}
    home = {function: name for name, source in text.items() for function in DEFINITION.findall(source)}
    return {
        name: {home[word] for word in re.findall(r"\b(\w+)[(,);]", source) if word in home} - {name}
        for name, source in text.items()
    }


def test_no_two_files_need_each_other() -> None:
    found = calls()
    assert list(TopologicalSorter(found).static_order())[-1] == "api.c"
    assert found["api.c"] >= {"check.c", "layout.c", "pack.c", "winograd.c"}
    assert found["winograd.c"] >= {"weights.c", "gemm.c", "parallel.c", "transforms.c"}
    assert found["pixels.c"] == {"classes.c", "fill.c", "lab.c", "parallel.c"}


def test_a_circle_is_found() -> None:
    found = calls()
    found["weights.c"].add("pack.c")
    with pytest.raises(CycleError):
        TopologicalSorter(found).prepare()
