"""Train's options: the command line and what a run saves of them are as recorded, whatever declares them."""

import json
import re
from dataclasses import MISSING, fields, replace
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

from conftest import TINY
from nurie import cli
from nurie.config import LossWeight, Train
from nurie.errors import NurieError
from nurie.limits import notes
from nurie.nets import checkpoint
from nurie.size import Size
from nurie.train import train
from nurie.training.options import check, metadata, refuse_other_options, saved_config
from nurie.training.terms import ADVERSARIAL_TERMS, PICTURE_TERMS

RECORDED = json.loads((Path(__file__).parent / "data/train-options.json").read_text())


def flags(command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Each option as `--help` spells it -> its default, of those that have a text, too."""
    monkeypatch.setenv("COLUMNS", "1000")
    with pytest.raises(SystemExit):
        cli.main([command, "--help"])
    text = " ".join(line.strip("│╭╰─╮╯ ") for line in capsys.readouterr().out.splitlines()).partition("and exit")[2]
    entries = re.findall(r" (--[a-z0-9-]+(?:, --[a-z0-9-]+)?(?: \{\S+\}| [A-Z]+)?) +(\S.*?) \(default: (.*?)\)", text)
    return {option: default for option, _, default in entries}


def test_the_flags_are_the_recorded_ones(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert flags("train", capsys, monkeypatch) == RECORDED["flags"]


def test_a_run_saves_the_options_that_are_recorded(pairs: Path, tmp_path: Path) -> None:
    path = train(Train(pairs, tmp_path, steps=1, **TINY))
    saved = checkpoint.load(path, ("none",))[1]["train"]
    assert (saved["pairs"], saved["run"]) == (str(pairs), str(tmp_path))
    assert list((saved | {"pairs": "PAIRS", "run": "RUN"}).items()) == list(RECORDED["saved"].items())


@pytest.mark.parametrize(("name", "value", "sentence"), RECORDED["refused"])
def test_a_value_outside_an_options_range_is_refused_with_the_recorded_sentence(
    name: str, value: float, sentence: str
) -> None:
    options = Train(Path("pairs"), Path("run"))
    other: Any = Size(int(value), int(value)) if name == "size" else value
    with pytest.raises(NurieError, match=re.escape(sentence)):
        check(replace(options, **{name: other}))
    check(options)


def test_each_weight_is_of_a_loss_and_each_loss_has_a_weight() -> None:
    names = [term.name for term in (*PICTURE_TERMS, *ADVERSARIAL_TERMS)]
    assert sorted(names) == sorted(notes(Train, LossWeight))


def another(name: str) -> Any:
    """A value of an option that is not its default."""
    default, choices = getattr(Train(Path("pairs"), Path("run")), name), get_args(get_type_hints(Train)[name])
    if isinstance(default, Size):
        return Size(384, 256)
    if default == ():
        return ("tensorboard",) if name == "track" else ("128:1",)
    if isinstance(default, str):
        return next(choice for choice in choices if choice != default)
    return Path("other") if default is None or isinstance(default, Path) else type(default)(not default)


def test_a_resumed_run_may_change_the_recorded_options_only() -> None:
    config = Train(Path("pairs"), Path("run"))
    saved = metadata(config, 1)["train"]
    for name in saved:
        other = replace(config, **{name: another(name)})
        if name in RECORDED["free to change"]:
            refuse_other_options(other, saved)
        else:
            with pytest.raises(
                NurieError, match=rf"other options \({name} was .*, now {re.escape(str(another(name)))}\)"
            ):
                refuse_other_options(other, saved)


def test_runs_from_before_an_option_had_the_recorded_ones_or_its_default() -> None:
    defaults = {field.name: field.default for field in fields(Train) if field.default is not MISSING}
    old = Train(Path("pairs"), Path("run"), **defaults | RECORDED["before"])
    refuse_other_options(old, {})
    for name in RECORDED["before"]:
        with pytest.raises(NurieError, match=rf"other options \({name} was"):
            refuse_other_options(replace(old, **{name: defaults[name]}), {})


def test_a_run_of_a_newer_nurie_is_a_sentence() -> None:
    config = Train(Path("pairs"), Path("run"), stages=("128:1", "256:2"), classes=Path("list.csv"))
    saved = json.loads(json.dumps(metadata(config, 1)["train"]))
    assert saved_config(saved, Path("a run")) == config
    with pytest.raises(NurieError, match=r"a run has options that this Nurie does not know: magic, more\. Up"):
        saved_config(saved | {"more": 1, "magic": True}, Path("a run"))
