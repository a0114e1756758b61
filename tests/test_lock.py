"""One command at a time in a folder: who comes second is told who is there, and who was killed keeps nobody out."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from conftest import TINY
from nurie import cli
from nurie.config import Publish, Train
from nurie.drawings.sheets import save_png
from nurie.errors import NurieError
from nurie.files.lock import LOCK, locked
from nurie.publish import publish
from nurie.train import train
from pages import write_model
from plans import small_unet

HOLD = """
import sys
from pathlib import Path
from nurie.errors import NurieError
from nurie.files.lock import locked
try:
    with locked(Path(sys.argv[1])):
        print("locked", flush=True)
        sys.stdin.read()
except NurieError as error:
    print(error, flush=True)
"""
# Whoever has the folder is alone in it.
CONTEND = """
import os, sys, time
from pathlib import Path
from nurie.errors import NurieError
from nurie.files.lock import locked
folder, won = Path(sys.argv[1]), 0
while won < 25:
    try:
        with locked(folder):
            os.close(os.open(folder / "alone", os.O_CREAT | os.O_EXCL))
            time.sleep(0.001)
            os.unlink(folder / "alone")
            won += 1
    except NurieError:
        time.sleep(0.0005)
"""


def python(script: str, folder: Path, *under: str) -> subprocess.Popen[str]:
    command = [*under, sys.executable, "-c", script, str(folder)]
    return subprocess.Popen(command, stdin=-1, stdout=-1, text=True, env=os.environ | {"PYTHONHASHSEED": "0"})


def under_strace(fault: str) -> tuple[str, ...]:
    return ("strace", "-qq", "-o", "/dev/null", "-e", "trace=flock", "-e", f"inject={fault}")


@contextmanager
def holding(folder: Path, *under: str) -> Iterator[subprocess.Popen[str]]:
    """Another process that has locked a folder."""
    process = python(HOLD, folder, *under)
    assert process.stdout and process.stdout.readline() == "locked\n"
    yield process
    process.communicate("")


def tree(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_second_is_told_who_is_there_and_nothing_is_left(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "run"
    with holding(folder) as first:
        before = tree(tmp_path)
        with pytest.raises(NurieError) as told, locked(folder):
            pass
        assert str(told.value) == (
            f"{folder} is being written to by process {first.pid}. "
            "Wait until that ends or stop it, or name another folder."
        )
        assert tree(tmp_path) == before
    assert list(tmp_path.iterdir()) == []
    with locked(folder), locked(folder, tmp_path), locked(tmp_path / "deep" / ".." / "deep" / "run"):
        assert (folder / LOCK).is_file()
    with pytest.raises(KeyboardInterrupt), locked(folder):
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["killed", "another's number", "", "{", "\0\0\0"])
def test_a_lock_that_nobody_holds_keeps_nobody_out(tmp_path: Path, text: str) -> None:
    if text == "killed":
        with holding(tmp_path) as process:
            process.kill()
            process.wait()
        assert json.loads((tmp_path / LOCK).read_bytes())["process"] == process.pid
    elif text == "another's number":
        owner = {"format": "nurie-lock", "version": 1, "process": os.getppid(), "host": socket.gethostname()}
        (tmp_path / LOCK).write_text(json.dumps(owner))
    else:
        (tmp_path / LOCK).write_text(text)
    with locked(tmp_path):
        assert json.loads((tmp_path / LOCK).read_bytes())["process"] == os.getpid()
    assert list(tmp_path.iterdir()) == []


def test_one_of_another_computer_stays_until_somebody_removes_it(tmp_path: Path) -> None:
    path = tmp_path / LOCK
    path.write_text('{"format": "nurie-lock", "version": 1, "process": 7, "host": "elsewhere"}')
    with pytest.raises(NurieError, match=rf"by process 7 of the computer elsewhere\..* remove {path}\.$"):
        locked(tmp_path).__enter__()
    assert '"elsewhere"' in path.read_text()


@pytest.mark.parametrize("slow", [False, True])
def test_of_many_that_come_and_go_one_at_a_time_is_in_the_folder(tmp_path: Path, slow: bool) -> None:
    """slow: between opening the file and locking it, so that often its owner removes it meanwhile."""
    if slow and not shutil.which("strace"):
        pytest.skip("strace is not installed")
    under = under_strace("flock:delay_enter=1000") if slow else ()
    processes = [python(CONTEND, tmp_path / "run", *under) for _ in range(4)]
    told = [process.communicate()[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * 4, told
    assert tree(tmp_path) == {}


def test_a_lock_that_was_removed_by_hand_leaves_the_next_one_its_own(tmp_path: Path) -> None:
    ours = locked(tmp_path)
    ours.__enter__()
    (tmp_path / LOCK).unlink()
    with holding(tmp_path) as other:
        ours.__exit__(None, None, None)
        assert json.loads((tmp_path / LOCK).read_bytes())["process"] == other.pid


@pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")
def test_where_a_file_system_has_no_locks_the_number_counts(tmp_path: Path) -> None:
    under = under_strace("flock:error=ENOLCK")
    with holding(tmp_path, *under) as first:
        pid = json.loads((tmp_path / LOCK).read_bytes())["process"]
        assert f"by process {pid}. " in python(HOLD, tmp_path, *under).communicate("")[0]
    assert first.returncode == 0 and list(tmp_path.iterdir()) == []
    (tmp_path / LOCK).write_text(f'{{"process": 999999999, "host": "{socket.gethostname()}"}}')
    assert python(HOLD, tmp_path, *under).communicate("")[0] == "locked\n"


def test_a_disk_that_takes_no_lock_is_a_sentence(tmp_path: Path) -> None:
    command = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)); from nurie.cli import main; main()"
    model = write_model(tmp_path / "model", 64, *small_unet())
    done = subprocess.run(
        [sys.executable, "-c", command, "publish", str(model), str(tmp_path / "site")], capture_output=True, text=True
    )
    path = tmp_path / "site" / LOCK
    assert done.returncode == 1 and done.stderr.startswith(f"nurie: {path}: File too large. ")
    assert len(done.stderr.splitlines()) == 1 and not path.parent.exists()


def test_a_lock_is_never_named_or_in_the_way(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    model = write_model(tmp_path / "model", 64, *small_unet())
    (tmp_path / "site").mkdir()
    for _ in range(2):
        (tmp_path / "site" / LOCK).write_text("")
        publish(Publish(model, tmp_path / "site"))
        assert capsys.readouterr().err == ""


@pytest.fixture(scope="module")
def home(pairs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the commands read: photos, pairs, a run and a model."""
    home = tmp_path_factory.mktemp("home")
    (home / "photos").mkdir()
    for i in range(4):
        save_png(home / "photos" / f"{i}.png", np.full((40, 40, 3), 60 * i, np.uint8))
    shutil.copytree(pairs, home / "pairs")
    train(Train(home / "pairs", home / "run", steps=1, **TINY))
    write_model(home / "model", 64, *small_unet())
    return home


TRAIN = [word for key, value in TINY.items() for word in (f"--{key.replace('_', '-')}", str(value))]
COMMANDS = {  # and what each leaves, if it is not stopped
    "prepare": (["photos", "OUT", "--size=32", "--workers=2"], "sheet.png"),
    "train": (["pairs", "OUT", "--steps=2", *TRAIN], "checkpoint.safetensors"),
    "export": (["run", "OUT", "--samples=1"], "manifest.json"),
    "publish": (["model", "OUT"], "site.json"),
    "predict": (["model", "photos", "--output=OUT"], "3.png"),
    "make": (["photos", "OUT", "--work=OUT-work", "--size=64"], ""),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_of_two_commands_in_one_folder_the_second_is_refused(
    name: str, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.chdir(home)
    out = tmp_path / "out"
    words, last = [name, *(word.replace("OUT", str(out)) for word in COMMANDS[name][0])], COMMANDS[name][1]
    first = subprocess.Popen([sys.executable, "-m", "nurie", *words], stdout=-1, stderr=-1, text=True)
    try:
        while not (out / LOCK).exists() or not (out / LOCK).read_bytes():
            assert first.poll() is None
            time.sleep(0.001)
        first.send_signal(signal.SIGSTOP)
        before = tree(tmp_path)
        with pytest.raises(SystemExit):
            cli.main(words)
        (said,) = capsys.readouterr().err.splitlines()
        assert said.startswith(f"nurie: {out}") and f" is being written to by process {first.pid}. " in said
        assert tree(tmp_path) == before
    finally:
        if not last:
            first.send_signal(signal.SIGTERM)
        first.send_signal(signal.SIGCONT)
        told = first.communicate()[1]
    assert first.returncode == (0 if last else 143), told
    assert not list(tmp_path.rglob(LOCK)) and not list(tmp_path.rglob("*.tmp"))
    assert (out / last).is_file() if last else not list(tmp_path.rglob("*"))
