"""Options that can not work are refused with a sentence, before anything is computed or written."""

import math
from dataclasses import replace
from itertools import product
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import pytest
import torch

from conftest import square
from nurie import cli
from nurie.config import Publish, Train
from nurie.errors import NurieError, flag
from nurie.export import named_labels
from nurie.limits import Length, Limit, Range, Sides, check_values, notes
from nurie.nets.generators import build_generator
from nurie.size import Size
from nurie.training.options import check, generator_options
from nurie.training.state import build_discriminator

COMMANDS = {name: command.options for name, command in cli.COMMANDS.items()}
HOSTILE = [math.nan, math.inf, -1, 0, 10**9]


def parts(kind: Any) -> set[Any]:
    """The plain types that a type is made of."""
    if get_origin(kind) in (Annotated, Union, UnionType, tuple):
        return set().union(*(parts(part) for part in get_args(kind) if part is not ...))
    return {kind}


def options_of(*kinds: type) -> list[tuple[str, str]]:
    """Command and name of each option that takes a value of these types."""
    return [
        (command, name)
        for command, options in COMMANDS.items()
        for name, kind in get_type_hints(options).items()
        if parts(kind) & set(kinds)
    ]


def arguments(command: str, folder: Path) -> list[str]:
    """A command's required ones: photos, drawings or a model that are not there, and a folder that could be written."""
    first = "cats" if command == "get" else str(folder / "nothing")
    places = {"serve": [], "check": [first]}
    return [command, *places.get(command, [first, str(folder / "out" / "new")])]


NUMBERS = options_of(int, float)
ADDRESSES = [("serve", "host"), ("get", "mirror")]  # stand on no page
TEXTS = [option for option in options_of(str) if option not in ADDRESSES]


def test_every_number_has_a_range_and_each_free_text_of_a_page_a_length() -> None:
    assert len(NUMBERS) >= 40
    assert [option for option in NUMBERS if option[1] not in notes(COMMANDS[option[0]], Range)] == []
    assert [option for option in TEXTS if option[1] not in notes(COMMANDS[option[0]], Length)] == []


@pytest.mark.parametrize(("command", "name"), NUMBERS, ids=map(str, NUMBERS))
def test_hostile_numbers_are_a_sentence_and_nothing_is_written(
    command: str, name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Those within the range get as far as the folder that is not there."""
    whole = float not in parts(get_type_hints(COMMANDS[command])[name])
    limit = notes(COMMANDS[command], Limit)[name]
    assert limit.fault(math.inf) and limit.fault(-1) and limit.fault(math.nan)
    for value in HOSTILE:
        fault = limit.fault(value if whole else float(value))
        if command == "serve" and not fault:
            continue
        with pytest.raises(SystemExit) as stop:
            cli.main([*arguments(command, tmp_path), flag(name), str(value)])
        told = capsys.readouterr().err
        if isinstance(value, float) and whole:  # the command line says that this is no whole number
            assert stop.value.code == 2 and "Traceback" not in told
        else:
            assert stop.value.code == 1 and told.count("\n") == 1 and told.startswith("nurie: ")
            assert not fault or told == f"nurie: {flag(name)} {fault}.\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", COMMANDS)
def test_the_default_of_each_option_is_within_its_limits(command: str) -> None:
    check_values(cli.parse(arguments(command, Path("nowhere")))[1])


@pytest.mark.parametrize(("command", "name"), TEXTS, ids=map(str, TEXTS))
def test_texts_that_no_file_can_hold_are_refused(
    command: str, name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for value in ("x" * 2001, "caf\udce9"):
        with pytest.raises(SystemExit) as stop:
            cli.main([*arguments(command, tmp_path), flag(name), value])
        told = capsys.readouterr().err
        assert stop.value.code == 1 and told.count("\n") == 1 and told.startswith(f"nurie: {flag(name)} must ")
    assert list(tmp_path.iterdir()) == []
    check_values(Publish(Path("model"), Path("site"), title="猫 🐱"))


def works(config: Train) -> bool:
    """Whether nets of these options take a batch in training."""
    drawing = torch.zeros(config.batch, 3, config.size.height, config.size.width)
    try:
        build_generator(**generator_options(config)).train()(drawing)
        net = build_discriminator(config).train()
        for seen in net.embed(drawing, drawing):
            logits, _ = net(*seen)
            assert logits and all(logit.numel() for logit in logits)
    except (RuntimeError, ValueError, AssertionError, ZeroDivisionError):
        return False
    return True


def accepted(config: Train) -> bool:
    try:
        check(config)
    except NurieError:
        return False
    return True


@pytest.mark.parametrize("discriminator", ["patch", "projected"])
def test_sizes_batches_and_scales_are_accepted_if_and_only_if_the_nets_take_them(discriminator: Any) -> None:
    small = Train(Path("pairs"), Path("run"), width=8, discriminator_width=8, discriminator=discriminator)
    tried = {
        config: accepted(config)
        for size, batch, scale in product((32, 64, 96), (1, 2), (1, 2, 3, 4, 5, 8, 12, 13, 16))
        for config in [replace(small, size=square(size), batch=batch, discriminator_scale=scale)]
    }
    assert {config: works(config) for config in tried} == tried
    assert 10 < sum(tried.values()) < len(tried) - 10


@pytest.mark.parametrize("generator", ["unet256", "unet128"])
def test_the_unets_take_one_picture_of_their_smallest_size(generator: Any) -> None:
    config = Train(
        Path("pairs"), Path("run"), generator, width=4, size=square(int(generator[4:])), batch=1, discriminator="patch"
    )
    assert accepted(config) and works(config)


@pytest.mark.parametrize("width", [1, 2, 3, 30])
def test_a_width_that_the_engine_does_not_take_is_refused_before_training(width: int) -> None:
    with pytest.raises(NurieError, match=rf"--width must be a multiple of 4, but it is {width}\."):
        check(Train(Path("pairs"), Path("run"), width=width))


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (["wall"], "expects NAME=COLOUR"),
        (["=#0030ff", "b=#000000"], "expects NAME=COLOUR"),
        (["wall=#0030f", "b=#000000"], "expects NAME=COLOUR"),
        (["wall=blue", "b=#000000"], "expects NAME=COLOUR"),
        (["wall=#0030ff\n", "b=#000000"], "expects NAME=COLOUR"),
        (["wall=#0030ff"], "at least two labels"),
        (["wall=#0030ff", "door=#0030FF"], "wall and door the same colour"),
        ([f"{i}=#{i:06x}" for i in range(257)], "at most 256"),
    ],
)
def test_labels_that_are_none_are_a_sentence(labels: list[str], words: str) -> None:
    with pytest.raises(NurieError, match=words):
        named_labels(labels)


def test_each_option_that_is_a_size_has_limits() -> None:
    found = []
    for name, command in COMMANDS.items():
        kinds = get_type_hints(command)
        found += [(name, option) for option, kind in kinds.items() if Size in (kind, *get_args(kind))]
        assert {option for each, option in found if each == name} == set(notes(command, Sides))
    assert found == [(name, "size") for name in ("prepare", "check", "import", "train", "make")]
