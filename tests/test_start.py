"""start.py's decisions; the installation itself is what every test run begins with."""

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).resolve().parent.parent / "start.py"


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """start.py as a module, in a made-up repository."""
    spec = importlib.util.spec_from_file_location("start", SCRIPT)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    engine = "src/nurie/page/engine/nurie.wasm"
    for name in ("engine/api.c", engine, ".venv/bin/python", "pyproject.toml", "hatch_build.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(module, "PYTHON", tmp_path / ".venv" / "bin" / "python")
    return module


@pytest.mark.parametrize("changed", ["engine/api.c", "pyproject.toml", "hatch_build.py"])
def test_the_stamp_expires_with_what_was_installed(start: ModuleType, tmp_path: Path, changed: str):
    assert not start.stamped("base")
    start.stamp("base")
    assert start.stamped("base") and not start.stamped("test")
    (tmp_path / changed).write_text("changed")
    assert not start.stamped("base")


def test_the_stamp_expires_without_the_engine(start: ModuleType, tmp_path: Path):
    start.stamp("base")
    (tmp_path / "src/nurie/page/engine/nurie.wasm").unlink()
    assert not start.stamped("base")


def test_an_old_python_is_a_sentence(start: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys):
    monkeypatch.setattr(start.sys, "version_info", (3, 9, 2))
    assert start.main([]) == 1
    assert "needs Python 3.11 or newer, but this is Python 3.9" in capsys.readouterr().err


def test_a_python_without_venv_is_a_sentence(start: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys):
    def run(command, quiet=False, kept=None):
        if kept is not None:
            kept.append("The virtual environment was not created: ensurepip is not available.")
        return 1

    shutil.rmtree(start.VENV)
    monkeypatch.setattr(start, "run", run)
    monkeypatch.setattr(start.shutil, "which", lambda name: None)
    assert start.main(["--no-open"]) == 1
    assert "python3-venv" in capsys.readouterr().err


def test_torch_falls_back_to_the_cpu_index_on_linux(start: ModuleType, monkeypatch: pytest.MonkeyPatch):
    calls: list[list[str]] = []

    def run(command, quiet=False, kept=None):
        calls.append([str(part) for part in command])
        return 1 if "install" not in calls[-1] or start.TORCH in calls[-1] else 0

    monkeypatch.setattr(start, "run", run)
    monkeypatch.setattr(start.sys, "platform", "linux")
    start.install_torch()
    assert calls[-1][-3:] == ["torch", "--index-url", start.TORCH_CPU]


def test_without_node_js_tests_are_skipped_and_fail_on_a_build_machine(
    start: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys
):
    start.stamp("test")
    monkeypatch.setattr(start, "run", lambda command, quiet=False: 0)
    monkeypatch.setattr(start.shutil, "which", lambda name: None)
    monkeypatch.delenv("CI", raising=False)
    assert start.main(["test"]) == 0
    assert "tests/js is skipped" in capsys.readouterr().out
    monkeypatch.setenv("CI", "true")
    assert start.main(["test"]) == 1
    assert "tests/js needs Node 20" in capsys.readouterr().err
    assert start.main(["test", "tests/test_start.py"]) == 0  # someone is looking at one test


@pytest.mark.parametrize(
    ("arguments", "root", "packages"),
    [
        (["test"], True, []),
        (["test", "--system"], True, ["chromium", "firefox-esr", "webkit2gtk-driver xvfb"]),
        (["test", "--system"], False, []),
    ],
)
def test_system_packages_only_when_asked_for(
    start: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys, arguments: list[str], root: bool, packages: list[str]
):
    calls: list[list[str]] = []
    said: list[str] = []

    def run(command, quiet=False, kept=None):
        calls.append([str(part) for part in command])
        if calls[-1][0] == "/apt-get":
            said.append(capsys.readouterr().out)
        return int("playwright" in " ".join(calls[-1]))

    start.stamp("test")
    monkeypatch.setattr(start, "run", run)
    monkeypatch.setattr(start.shutil, "which", lambda name: "/apt-get" if name == "apt-get" else None)
    monkeypatch.setattr(start.os, "geteuid", lambda: 0 if root else 1000, raising=False)
    monkeypatch.delenv("CI", raising=False)
    assert start.main(arguments) == 0
    installed = [call for call in calls if call[:2] == ["/apt-get", "install"]]
    assert [" ".join(call[call.index("--no-install-recommends") + 1 :]) for call in installed] == packages
    assert bool(packages) == any("Installing with apt-get: chromium" in text for text in said[:1])
    assert ("--system needs apt-get and root" in capsys.readouterr().out) == ("--system" in arguments and not root)
    assert not any("--system" in call for call in calls)


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (
            "ERROR: Could not install packages: [Errno 28] No space left on device",
            "The disk is full.",
        ),
        (
            "ERROR: Could not install packages: [Errno 13] Permission denied: '/x'",
            "cannot be written",
        ),
        ("WARNING: Retrying after connection broken by 'NewConnectionError(...)'", "is there a network?"),
        ("ERROR: ResolutionImpossible", "the lines above say why"),
    ],
)
def test_why_installing_failed(start: ModuleType, said: str, sentence: str):
    assert sentence in start.reason(said)


def test_what_the_system_refuses_is_a_sentence(start: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys):
    def refuse(*_, **__):
        raise OSError(28, "No space left on device", "/somewhere/.venv")

    monkeypatch.setattr(start, "make_venv", refuse)
    assert start.main([]) == 1
    assert capsys.readouterr().err.startswith("/somewhere/.venv: No space left on device. start.py writes to ")


def test_help():
    done = subprocess.run([sys.executable, SCRIPT, "--help"], capture_output=True, text=True, timeout=20)
    assert done.returncode == 0
    assert "start.py test" in done.stdout and "--no-open" in done.stdout
