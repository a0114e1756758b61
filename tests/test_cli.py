"""The command line as a user meets it: in a process of its own."""

import dataclasses
import subprocess
import sys
import types
from pathlib import Path

import pytest

from nurie import cli, config
from nurie.errors import NurieError

COMMANDS = {name: options for name, (options, _) in cli.COMMANDS.items()}


SOURCES = Path(config.__file__).parent


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, timeout=60)


def test_what_the_base_install_runs_loads_no_training_packages():
    code = "import sys, nurie.cli, nurie.serve, nurie.publish, nurie.predict, nurie.engine.wasm; print(*sys.modules)"
    loaded = set(python("-c", code).stdout.split())
    assert "nurie.cli" in loaded
    assert not loaded & cli.TRAIN_EXTRA


@pytest.mark.parametrize("command", COMMANDS)
def test_help_explains_every_option(command: str, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as stop:
        cli.main([command, "--help"])
    text = capsys.readouterr().out
    assert stop.value.code == 0
    for field in dataclasses.fields(COMMANDS[command]):
        assert field.name.replace("_", "-") in text.lower()


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_has_a_comment_that_tyro_finds(command: str):
    from tyro._docstrings import get_field_docstring  # private: nothing public says what tyro found

    for field in dataclasses.fields(COMMANDS[command]):
        assert len(get_field_docstring(COMMANDS[command], field.name, ()) or "") > 8, field.name


def test_help_shows_the_chain():
    text = python("-m", "nurie", "--help").stdout
    for word in ("photos/", "pairs/", "run/", "model/", "site/", *COMMANDS):
        assert word in text


def test_version(capsys: pytest.CaptureFixture[str]):
    cli.main(["--version"])
    assert capsys.readouterr().out == "nurie 0.1.0\n"


def test_an_error_is_one_sentence_and_status_1(tmp_path: Path):
    done = python("-m", "nurie", "serve", str(tmp_path), "--no-open")
    assert done.returncode == 1
    assert done.stderr.startswith("nurie: There is no index.html in ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("raised", "status", "words"),
    [
        (NurieError("That is wrong."), 1, "nurie: That is wrong."),
        (ModuleNotFoundError("No module", name="torch.nn"), 1, 'pip install "nurie[train]"'),
        (KeyboardInterrupt(), 130, "The same command goes on"),
    ],
)
def test_what_stops_a_stage(raised, status, words, monkeypatch, capsys):
    def stage(config):
        raise raised

    monkeypatch.setitem(sys.modules, "nurie.publish", types.SimpleNamespace(publish=stage))
    with pytest.raises(SystemExit) as stop:
        cli.main(["publish", "model", "site"])
    assert stop.value.code == status
    assert words in capsys.readouterr().err


def test_other_missing_modules_are_not_hidden(monkeypatch):
    def stage(config):
        raise ModuleNotFoundError("No module", name="surprise")

    monkeypatch.setitem(sys.modules, "nurie.publish", types.SimpleNamespace(publish=stage))
    with pytest.raises(ModuleNotFoundError):
        cli.main(["publish", "model", "site"])
