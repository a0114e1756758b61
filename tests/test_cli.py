"""The command line as a user meets it: in a process of its own."""

import dataclasses
import errno
import subprocess
import sys
import types
from pathlib import Path

import pytest

from nurie import cli, config
from nurie.errors import NurieError
from nurie.serve import BUILT_IN

COMMANDS = {name: command.options for name, command in cli.COMMANDS.items()}


SOURCES = Path(config.__file__).parent


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, timeout=60)


def test_what_the_base_install_runs_loads_no_training_packages():
    code = "import sys, nurie.cli, nurie.serve, nurie.publish, nurie.predict, nurie.engine.wasm; print(*sys.modules)"
    loaded = set(python("-c", code).stdout.split())
    assert "nurie.cli" in loaded
    assert not loaded & (cli.TRAIN_EXTRA | cli.IMPORT_EXTRA)


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
        (ModuleNotFoundError("No module", name="h5py"), 1, 'pip install "nurie[import]"'),
        (KeyboardInterrupt(), 130, "The same command begins anew"),
        (cli.Terminated(), 143, "The same command begins anew"),
        (OSError(errno.ENOSPC, "No space left on device", "site/a"), 1, "nurie: site/a: No space left on device. Free"),
        (PermissionError(errno.EACCES, "Permission denied", b"b\xff"), 1, "Permission denied. Change its permissions"),
        (OSError(errno.EXDEV, "Invalid cross-device link", "a", None, "b"), 1, "nurie: a -> b: Invalid cross-device"),
        (OSError(errno.ENOSPC, "No space left on device"), 1, "nurie: No space left on device. Free some space"),
        (OSError("odd"), 1, "nurie: odd. Correct that"),
        (MemoryError(), 1, "not enough memory"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"), 1, "not enough"),
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


def test_debug_shows_the_traceback_too(monkeypatch, capsys):
    def stage(config):
        raise OSError(errno.ENOSPC, "No space left on device", "x")

    monkeypatch.setitem(sys.modules, "nurie.publish", types.SimpleNamespace(publish=stage))
    for arguments in (["--debug", "publish", "model", "site"], ["publish", "model", "site", "--debug"]):
        with pytest.raises(SystemExit):
            cli.main(arguments)
        told = capsys.readouterr().err
        assert "Traceback" in told and told.endswith("nurie: x: No space left on device. Free some space on that disk, "
                                                     "then run the command again.\n")  # fmt: skip


def test_a_mistake_of_ours_is_not_hidden(monkeypatch):
    def stage(config):
        raise ValueError("ours")

    monkeypatch.setitem(sys.modules, "nurie.publish", types.SimpleNamespace(publish=stage))
    with pytest.raises(ValueError, match="ours"):
        cli.main(["publish", "model", "site"])


@pytest.mark.parametrize(("name", "again"), [("train", "goes on where"), ("publish", "begins anew")])
def test_sigterm_stops_as_ctrl_c_does(name: str, again: str):
    code = (
        "import os, signal, sys, types; from nurie import cli\n"
        "def stage(config): os.kill(os.getpid(), signal.SIGTERM)\n"
        f"sys.modules['nurie.{name}'] = types.SimpleNamespace({name}=stage)\n"
        f"cli.main(['{name}', 'a', 'b'])"
    )
    done = python("-c", code)
    assert done.returncode == 143 and again in done.stderr
    assert done.stderr.startswith("\nStopped. The same command ") and done.stderr.count("\n") == 2


def test_names_that_are_no_text_are_told():
    code = (
        "import sys, types; from nurie import cli\n"
        "def stage(config): print(str(config.model)); raise cli.NurieError(f'{config.model} is odd.')\n"
        "sys.modules['nurie.publish'] = types.SimpleNamespace(publish=stage)\n"
        "cli.main(['publish', 'caf\\udce9', 'b'])"
    )
    done = python("-c", code)
    assert (done.returncode, done.stdout, done.stderr) == (1, "caf\\udce9\n", "nurie: caf\\udce9 is odd.\n")


def test_what_the_system_refuses_is_a_sentence(tmp_path: Path):
    (tmp_path / "file").write_text("mine")
    for site, words in (
        (tmp_path / "file" / "site", "site: Not a directory. A part of this path is a file"),
        (tmp_path / ("n" * 300), "name too long"),
    ):
        done = python("-m", "nurie", "publish", str(BUILT_IN), str(site))
        assert done.returncode == 1 and words in done.stderr
        assert done.stderr.startswith("nurie: ") and done.stderr.count("\n") == 1
        assert str(tmp_path) in done.stderr


def test_other_missing_modules_are_not_hidden(monkeypatch):
    def stage(config):
        raise ModuleNotFoundError("No module", name="surprise")

    monkeypatch.setitem(sys.modules, "nurie.publish", types.SimpleNamespace(publish=stage))
    with pytest.raises(ModuleNotFoundError):
        cli.main(["publish", "model", "site"])
