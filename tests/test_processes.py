"""One bad photo never ends a folder's work, whatever it does; a bad disk does, with a sentence."""

import errno
import math
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import psutil
import pytest
from PIL import Image

from conftest import square
from nurie.config import Prepare
from nurie.photos.processes import KILLED, run_all, workers_for
from nurie.prepare import prepare


def odd_jobs(job: int) -> str | None:
    if job % 10 == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    if job == 100:
        raise OSError(errno.ENOSPC, "No space left on device", "pair.png")
    return "odd" if job % 2 else None


def test_jobs_that_kill_their_process_are_named_and_the_others_are_done() -> None:
    results = dict(run_all(odd_jobs, list(range(15)), 2))
    assert results == {i: KILLED if i in (3, 13) else "odd" if i % 2 else None for i in range(15)}


def test_processes_never_see_an_interrupt() -> None:
    """Ctrl-C goes to all processes of a terminal: one that is being started would show where it was."""
    (result,) = (result for _, result in run_all(interrupts, [0, 1], 2) if result != "0")
    assert result == "blocked"


def test_processes_end_with_the_first_one_when_that_is_killed(tmp_path: Path) -> None:
    words = ["prepare", photos(tmp_path, 30), tmp_path / "pairs", "--size=512", "--workers=2"]
    first = subprocess.Popen([sys.executable, "-m", "nurie", *words], stderr=subprocess.DEVNULL)
    children: list[psutil.Process] = []
    while not list((tmp_path / "pairs").glob("*/*.png")):
        assert first.poll() is None
        children = psutil.Process(first.pid).children(recursive=True)
        time.sleep(0.01)
    first.kill()
    first.wait()
    assert len(children) >= 2 and psutil.wait_procs(children, timeout=100)[1] == []


def interrupts(job: int) -> str | None:
    return ("blocked" if signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ()) else "seen") if job else "0"


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_of_the_output_ends_all(workers: int) -> None:
    with pytest.raises(OSError, match="No space left"):
        list(run_all(odd_jobs, [0, 100, 2], workers))


def test_there_are_as_many_workers_as_cores_and_memory_allow(monkeypatch: pytest.MonkeyPatch) -> None:
    def computer(cores: int, gigabytes: float, group: float = math.inf) -> None:
        monkeypatch.setattr("nurie.photos.processes.cores", lambda: cores)
        memory = SimpleNamespace(available=int(gigabytes * (1 << 30)))
        monkeypatch.setattr("nurie.photos.processes.psutil.virtual_memory", lambda: memory)
        monkeypatch.setattr("nurie.photos.processes.memory_left", lambda: group)

    computer(16, 2.5)
    assert [workers_for(100, 0), workers_for(1, 0), workers_for(100, 5), workers_for(0, 0)] == [2, 1, 5, 0]
    computer(2, 64)
    assert workers_for(100, 0) == 2
    computer(16, 64, 3.5 * (1 << 30))
    assert workers_for(100, 0) == 3
    computer(2, 0.1)
    assert workers_for(100, 0) == 1


def photos(tmp_path: Path, count: int = 3) -> Path:
    rng = np.random.default_rng(0)
    (tmp_path / "photos").mkdir()
    for i in range(count):
        Image.fromarray(rng.integers(0, 256, (64, 64, 3), np.uint8)).save(tmp_path / "photos" / f"p{i}.png")
    return tmp_path / "photos"


@pytest.mark.parametrize(
    "error",
    [cv2.error("x.cpp:1: error"), OSError("odd"), ValueError(), MemoryError(), RecursionError("deep"), KeyError("x")],
    ids=lambda error: type(error).__name__,
)
def test_whatever_is_wrong_with_one_photo_the_others_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture, error: Exception
) -> None:
    from nurie.photos.compose import compose

    def fail(config: Prepare, sources: object) -> object:
        if sources.photo.name == "p1.png":  # pyright: ignore[reportAttributeAccessIssue]
            raise error
        return compose(config, sources)  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr("nurie.prepare.compose", fail)
    prepare(Prepare(photos(tmp_path), tmp_path / "pairs", size=square(32), workers=1, val_percent=0, details=("few",)))
    said = capsys.readouterr().err
    assert "2 new, 0 made anew, 0 unchanged, 0 removed, 1 left out" in said
    assert any(line.startswith("left out: ") and "p1.png: " in line for line in said.splitlines())
    assert sorted(path.name[:2] for path in (tmp_path / "pairs" / "train").iterdir()) == ["p0", "p2"]


@pytest.mark.parametrize("workers", [1, 2])
def test_a_disk_that_takes_no_more_ends_prepare_with_a_sentence(tmp_path: Path, workers: int) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4000, 4000))  # bytes in a file

    command = [
        sys.executable,
        "-m",
        "nurie",
        "prepare",
        photos(tmp_path),
        tmp_path / "pairs",
        "--workers",
        str(workers),
    ]
    done = subprocess.run(command, preexec_fn=limit, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "File too large" in done.stderr and "Traceback" not in done.stderr
    assert "left out" not in done.stderr
    files = sorted(path.name for path in (tmp_path / "pairs").rglob("*") if path.is_file())
    assert files == ["prepare.json"]


def test_a_file_in_the_place_of_a_folder_ends_prepare(tmp_path: Path) -> None:
    (tmp_path / "pairs").mkdir()
    (tmp_path / "pairs" / "train").write_text("mine")
    with pytest.raises(OSError, match="File exists"):
        prepare(Prepare(photos(tmp_path), tmp_path / "pairs", size=square(32), workers=1, val_percent=0))
    assert (tmp_path / "pairs" / "train").read_text() == "mine"


def test_pipes_among_the_pairs_are_not_opened(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    (tmp_path / "pairs" / "train").mkdir(parents=True)
    os.mkfifo(tmp_path / "pairs" / "train" / "pipe.png")
    prepare(Prepare(photos(tmp_path), tmp_path / "pairs", size=square(32), workers=1, val_percent=0))
    assert "3 pictures to train on" in capsys.readouterr().err
