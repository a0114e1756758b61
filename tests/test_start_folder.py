"""start.py in folders of its own, as processes. A small package, which needs no network, stands for Nurie."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parent.parent / "start.py"
POSIX = pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals, links and permissions")

PYPROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "nurie"
version = "1"
"""
# All that pip asks of a build: one wheel, whose .pth file names src/.
BACKEND = r"""
import pathlib, time, zipfile

def build_editable(folder, settings=None, metadata=None):
    time.sleep(float(pathlib.Path("seconds").read_text()))
    with zipfile.ZipFile(pathlib.Path(folder, "nurie-1-py3-none-any.whl"), "w") as wheel:
        wheel.writestr("nurie.pth", str(pathlib.Path("src").resolve()) + "\n")
        wheel.writestr("nurie-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: nurie\nVersion: 1\n")
        wheel.writestr("nurie-1.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr("nurie-1.dist-info/RECORD", "")
    return "nurie-1-py3-none-any.whl"
"""
MAIN = "import sys; print('served', sys.argv[1:], sys.prefix)"


# uv is not there in tests: this makes .venv in a tenth of the time, and installs nothing.
UV = """#!{python}
import pathlib, pip, shutil, subprocess, sys
if sys.argv[1] != "venv":
    sys.exit(1)
subprocess.run([sys.executable, "-m", "venv", "--without-pip", sys.argv[-1]], check=True)
packages = next(pathlib.Path(sys.argv[-1]).glob("lib/*/site-packages"))
shutil.copytree(pathlib.Path(pip.__file__).parent, packages / "pip", dirs_exist_ok=True)
"""


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A folder with start.py and a small package."""
    folder = tmp_path / "a clone — 複製"
    files = {
        "pyproject.toml": PYPROJECT, "backend.py": BACKEND, "seconds": "0", "hatch_build.py": "", "engine/api.c": "",
        "src/nurie/page/engine/nurie.wasm": "", "src/nurie/__init__.py": "", "src/nurie/__main__.py": MAIN,
        "tools/uv": UV.format(python=sys.executable),
    }  # fmt: skip
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "tools" / "uv").chmod(0o755)
    shutil.copy(SCRIPT, folder)
    return folder


def begin(clone: Path, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    settings = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "PYTHON"))}
    path = f"{clone / 'tools'}{os.pathsep}{os.environ['PATH']}"
    settings |= {"PIP_NO_INDEX": "1", "PATH": path, "PYTHONIOENCODING": "utf-8"} | environment
    return subprocess.Popen(
        [sys.executable, str(clone / "start.py"), *arguments], env=settings, text=True, encoding="utf-8",
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip


def start(clone: Path, *arguments: str, **environment: str) -> tuple[int, str, str]:
    """Exit status, stdout, stderr."""
    with begin(clone, *arguments, **environment) as process:
        out, err = process.communicate(timeout=300)
    assert "Traceback" not in err
    return process.returncode, out, err


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def served(clone: Path, out: str, *arguments: str) -> bool:
    return f"served {['serve', *arguments]} {clone / '.venv'}" in out.splitlines()


@pytest.mark.parametrize("uv", [False, True])
def test_the_first_start_installs_and_the_second_only_serves(clone: Path, tmp_path: Path, uv: bool) -> None:
    if uv:
        (clone / ".venv").mkdir()  # an empty folder is nobody's
    else:
        shutil.rmtree(clone / "tools")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "pip.py").write_text("raise SystemExit('not this one')")
    elsewhere = {"PIP_TARGET": str(tmp_path / "target"), "PIP_USER": "1", "PYTHONPATH": str(tmp_path / "other")}
    status, out, err = start(clone, "--no-open", **elsewhere)
    assert (status, served(clone, out, "--no-open")) == (0, True), err
    assert ("Making .venv with uv" in out) == uv and not (tmp_path / "target").exists()
    assert start(clone, "--port", "0") == (0, f"served ['serve', '--port', '0'] {clone / '.venv'}\n", "")
    assert sorted(path.name for path in (clone / ".venv").glob("nurie-*")) == ["nurie-base.stamp", "nurie-start.txt"]


def foreign(clone: Path, kind: str) -> None:
    """A .venv that somebody else made."""
    venv = clone / ".venv"
    if kind == "a file":
        venv.write_text("mine")
    elif kind == "a link":
        (clone / "elsewhere").mkdir()
        (clone / "elsewhere" / "nurie-start.txt").write_text("mine")
        venv.symlink_to("elsewhere")
    elif kind == "a dead link":
        venv.symlink_to("nowhere")
    else:
        venv.mkdir()
        (venv / "pyvenv.cfg").write_text("home = /somewhere")
        (venv / "bin").mkdir()
        if kind == "working":
            (venv / "bin" / "python").symlink_to(sys.executable)


@POSIX
@pytest.mark.parametrize("kind", ["working", "broken", "a file", "a link", "a dead link"])
@pytest.mark.parametrize("command", [[], ["test"]], ids=["serve", "test"])
def test_a_venv_of_somebody_else_is_left_alone(clone: Path, kind: str, command: list[str]) -> None:
    foreign(clone, kind)
    before, link = contents(clone), os.path.islink(clone / ".venv")
    status, out, err = start(clone, *command)
    assert (status, out) == (1, "")
    assert err.startswith(f"{clone / '.venv'} was not made by start.py, so it is left alone. Move it away")
    assert (contents(clone), os.path.islink(clone / ".venv")) == (before, link)


@POSIX
@pytest.mark.parametrize("breakage", ["no python", "another computer's python", "another folder's", "no pip"])
def test_a_broken_venv_of_ours_is_made_anew(clone: Path, breakage: str) -> None:
    venv = clone / ".venv"
    links = {"no python": "/nowhere/python", "another computer's python": "/dev/null"}
    if breakage == "no pip":
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)
    else:
        (venv / "bin").mkdir(parents=True)
        (venv / "bin" / "python").symlink_to(links.get(breakage, sys.executable))
    (venv / "nurie-start.txt").write_text(str(clone.parent if breakage == "another folder's" else venv))
    (venv / "nurie-base.stamp").write_text("old")
    (venv / "old").write_text("of the broken one")
    status, out, err = start(clone)
    assert (status, served(clone, out)) == (0, True), err
    assert "making it anew" in out and not (venv / "old").exists()


@POSIX
@pytest.mark.parametrize("moment", ["", "pyvenv.cfg", "bin/python", "**/site-packages/pip", "building"])
def test_killed_while_it_installs_it_goes_on_at_the_next_start(clone: Path, moment: str) -> None:
    (clone / "seconds").write_text("600")
    process = begin(clone)
    assert process.stdout
    while moment == "building" and "Installing Nurie" not in process.stdout.readline():
        assert process.poll() is None
    while moment != "building" and not any(clone.glob(f".venv/{moment}")):
        assert process.poll() is None
        time.sleep(0.001)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    (clone / "seconds").write_text("0")
    status, out, err = start(clone)
    assert (status, served(clone, out)) == (0, True), err
    assert start(clone)[1].count("\n") == 1  # nothing is left to install


def test_what_is_interrupted_is_not_taken_for_whole(clone: Path) -> None:
    """Packages are replaced one by one: a stamp of before says nothing while they are."""
    assert start(clone)[0] == 0
    (clone / "pyproject.toml").write_text(PYPROJECT.replace("[]", '["no-such-package"]'))
    status, _, err = start(clone)
    assert (status, err.splitlines()[-1]) == (1, "Installing failed; the lines above say why.")
    (clone / "pyproject.toml").write_text(PYPROJECT)
    assert "Installing Nurie" in start(clone)[1]


def test_two_at_once_install_once(clone: Path) -> None:
    (clone / "seconds").write_text("2")
    both = [begin(clone) for _ in range(2)]
    outputs = [process.communicate(timeout=300)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert all(served(clone, out) for out in outputs)
    assert sorted("Installing Nurie" in out for out in outputs) == [False, True]


@POSIX
def test_a_signal_to_start_py_reaches_the_server(clone: Path) -> None:
    (clone / "src/nurie/__main__.py").write_text("import time; print('up', flush=True); time.sleep(600)")
    process = begin(clone, "--no-open")
    assert process.stdout
    while process.stdout.readline() != "up\n":
        assert process.poll() is None
    process.terminate()
    assert process.wait(60) == -signal.SIGTERM
    process.communicate(timeout=60)  # nobody else holds the pipes open


def test_without_a_network_it_says_so(clone: Path) -> None:
    (clone / "pyproject.toml").write_text(PYPROJECT.replace("requires = []", 'requires = ["hatchling"]'))
    # A port that nobody listens on, and no proxy or mirror that this computer has
    index = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "1", "PIP_CONFIG_FILE": os.devnull}
    status, _, err = start(clone, PIP_NO_INDEX="", no_proxy="*", **index)
    assert status == 1
    assert err.splitlines()[-1].startswith("The package index cannot be reached: is there a network?")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_a_sentence(clone: Path) -> None:
    clone.chmod(0o555)
    status, _, err = start(clone)
    clone.chmod(0o755)
    assert status == 1
    assert err.startswith(f"{clone / '.venv'}: Permission denied. start.py writes to ") and err.count("\n") == 1
