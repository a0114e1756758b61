"""What varies a pair: each choice by draws of its own, which follow from the seed and the pair's position alone."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from conftest import square
from nurie.batches import pair, vary
from nurie.batches.pair import VariedPair, vary_pair
from nurie.batches.sampler import Batch, Sampler
from nurie.batches.streams import Choice, Streams
from nurie.config import Train
from nurie.pairs.folder import PairFolder, open_pairs

ALL = Train(Path("pairs"), Path("run"), size=square(64), batch=4, tails=0.5, body_parts=0.5)
# each option that varies pairs: its value when it is off, and the functions that then draw nothing
OFF: dict[str, tuple[Any, set[str]]] = {
    "jitter": (False, {"jitter"}),
    "augment_drawing": (False, {"drop_strokes", "add_strokes", "add_tail", "wobble_field", "redraw"}),
    "plain": (1.0, {"drop_strokes", "add_strokes", "add_tail", "wobble_field", "redraw"}),
    "tails": (0.0, {"add_tail"}),
    "body_parts": (0.0, {"add_legs", "add_paws", "add_face"}),
    "consistency": (0.0, {"redraw"}),  # once instead of twice
    "hints": (0.0, {"random_hints", "recolour"}),
    "hint_recolour": (0.0, set()),  # recolouring is begun anyway
    "flip": (False, {"flipped"}),
}
DRAWING = {name for _, names in OFF.values() for name in names}
Begun = tuple[int, str, str]  # position of a pair, function that drew, state of its stream before


def begun(options: Train, pairs: Path, monkeypatch: pytest.MonkeyPatch) -> set[Begun]:
    """All that is drawn for 40 pairs."""
    found: set[Begun] = set()
    position = 0

    def noted(name: str, function: Callable) -> Callable:
        def note(*arguments: Any) -> Any:
            streams = [x for x in arguments if isinstance(x, np.random.Generator)]
            found.add((position, name, str([rng.bit_generator.state for rng in streams])))
            return function(*arguments)

        return note

    folder = open_pairs(pairs, "train", square(64), "AtoB")
    with monkeypatch.context() as patch:
        for owner in (pair, vary, VariedPair):
            for name in DRAWING & vars(owner).keys() - (set() if owner is pair else {"jitter", "redraw"}):
                patch.setattr(owner, name, noted(name, getattr(owner, name)))
        for position in range(40):
            vary_pair(*folder.read(folder.groups[position % 6][0]), options, Streams(0, position))
    return found


@pytest.mark.parametrize("option", OFF)
def test_an_option_that_is_turned_on_or_off_changes_no_other_draws(
    option: str, pairs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    value, names = OFF[option]
    on, off = (begun(options, pairs, monkeypatch) for options in (ALL, replace(ALL, **{option: value})))
    assert off <= on
    assert {name for _, name, _ in on - off} == names
    assert {name for _, name, _ in on} == DRAWING


def test_no_two_functions_draw_from_one_stream(pairs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: dict[tuple[int, str], set[str]] = {}
    for position, name, state in begun(ALL, pairs, monkeypatch):
        if stream := re.search(r"'counter': array\(\[[\d ,]+, (\d+)\]", re.sub(r"\s+", " ", state)):
            drawn.setdefault((position, stream[1]), set()).add(name)
    assert set.union(*drawn.values()) == DRAWING - {"flipped"}
    assert all(len(names) == 1 for names in drawn.values())


def test_these_are_all_options_that_vary_a_pair(pairs: Path) -> None:
    read = set()

    class Noted(Train):
        def __getattribute__(self, name: str) -> Any:
            read.add(name)
            return super().__getattribute__(name)

    folder = open_pairs(pairs, "train", square(64), "AtoB")
    everything: dict[str, Any] = vars(replace(ALL, hints=1.0))
    options = Noted(**everything)
    read.clear()
    vary_pair(*folder.read(folder.groups[0][0]), options, Streams(0, 0))
    assert {name for name in read if not name.startswith("__")} == OFF.keys()


@pytest.mark.parametrize("option", OFF)
def test_an_option_changes_neither_which_pairs_come_nor_how_far_they_are_moved(
    option: str, pairs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = PairFolder.read
    seen: list[Any] = []
    monkeypatch.setattr(PairFolder, "read", lambda folder, path: seen.append(path) or read(folder, path))
    runs = []
    for options in (ALL, replace(ALL, **{option: OFF[option][0]})):
        seen.clear()
        sampler = Sampler(open_pairs(pairs, "train", square(64), "AtoB"), options)
        shifts = [sampler(step).shift for step in range(3)]
        runs.append((*seen, *shifts))
    assert len(set(runs[0])) > 6
    assert runs[0] == runs[1]


@pytest.mark.parametrize("classes", [(), ((0,), (1, 2), (3, 4, 5))], ids=["all", "classes"])
def test_a_step_sees_the_same_pairs_with_any_number_of_processes(
    classes: tuple[tuple[int, ...], ...], pairs: Path
) -> None:
    folder = open_pairs(pairs, "train", square(64), "AtoB")

    def batches(step: int, processes: int) -> list[Batch]:
        options = replace(ALL, batch=4 // processes)
        return [Sampler(folder, options, classes, process, processes)(step) for process in range(processes)]

    shifts = set()
    for step in range(4):
        (whole,) = batches(step, 1)
        shifts.add(whole.shift)
        for processes in (2, 4):
            parts = batches(step, processes)
            assert {part.shift for part in parts} == {whole.shift}
            for name in ("drawing", "picture", "near_hints", "near_parts", "style", "redrawn"):
                joined = torch.cat([getattr(part, name) for part in parts])
                assert torch.equal(joined, getattr(whole, name)), name
    assert len(shifts) > 1


def test_a_choice_keeps_its_number_and_its_draws() -> None:
    """Written down at version 3 of the draws."""
    numbers = {choice.name: choice.value for choice in Choice}
    assert len(set(numbers.values())) == len(Choice.__members__)
    first = [
        "DETAIL", "JITTER", "DROP", "STROKES", "TAIL", "WOBBLE", "LEGS", "PAWS", "FACE", "PEN", "OTHER_PEN", "HINTS",
        "RECOLOUR", "FLIP", "SHIFT", "PLACE", "UNPAIRED_PEN",
    ]  # fmt: skip
    assert list(numbers.items())[: len(first)] == [(name, i) for i, name in enumerate(first)]
    keys = ((0, 0, Choice.DETAIL), (0, 0, Choice.SHIFT), (0, 1, Choice.DETAIL), (1, 0, Choice.DETAIL))
    draws = [Streams(seed, position)(choice).bit_generator.random_raw() for seed, position, choice in keys]
    assert draws == [213000021201967259, 5216318674762367428, 15003734204198539638, 5599841837815857887]
