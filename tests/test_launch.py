"""Training in several processes: together, or not at all."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from conftest import TINY, hear_signals
from nurie import cli
from nurie.config import Train
from nurie.errors import NurieError
from nurie.nets import checkpoint
from nurie.train import train
from nurie.training.launch import announced
from nurie.training.log import progress_bar
from nurie.training.opening import Pace, duration
from nurie.training.schedule import Schedule

OPTIONS = [word for key, value in TINY.items() for word in (f"--{key.replace('_', '-')}", str(value))]
# Each process writes down its weights' checksum and what it saw.
SCRIPT = """
import os, sys
from pathlib import Path
from nurie import cli, train
from nurie.batches.sampler import Sampler
from nurie.nets.checkpoint import checksum

run_steps, draw = train.run_steps, Sampler.__call__
note = Path(sys.argv[3]).with_name(f"process-{os.environ['RANK']}")

def noted(state, *rest):
    try:
        run_steps(state, *rest)
    finally:
        note.write_text(checksum({name: x.detach() for name, x in state.bare(state.generator).named_parameters()}))

def drawn(sampler, step, size):
    batch = draw(sampler, step, size)
    note.with_suffix(f".step-{step}").write_text(str(batch.picture.sum().item()))
    return batch

train.run_steps, Sampler.__call__ = noted, drawn
cli.main(sys.argv[1:])
"""


def test_two_processes_on_the_cpu_train_one_run_together_and_stop_together(pairs: Path, tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)
    run = tmp_path / "run"
    arguments = [str(tmp_path / "script.py"), "train", str(pairs), str(run), "--steps=100000", *OPTIONS]
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", *arguments]
    pipes = {"stderr": subprocess.PIPE, "text": True}
    process = subprocess.Popen(command, start_new_session=True, preexec_fn=hear_signals, **pipes)
    log = run / "losses.jsonl"
    while not log.exists() or log.read_text().count("\n") < 12:
        assert process.poll() is None
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    _, told = process.communicate(timeout=600)
    assert told.count("Stopped. The same command goes on where this one stopped.") == 2
    (line,) = [line for line in told.splitlines() if "6 pictures with 12 drawings to train on, 3 pictures for" in line]
    assert "2 processes on CPU, 1 thread each, fp32. Steps 1 to 100,000, each of 4 pictures." in line
    assert told.count("pictures a second") == 1 and "FutureWarning" not in told
    steps = [json.loads(line)["step"] for line in log.read_text().splitlines()]
    assert steps == list(range(1, checkpoint.load(run, ("none",))[1]["step"] + 1))
    assert (tmp_path / "process-0").read_text() == (tmp_path / "process-1").read_text(), "they share their gradients"
    saw = [(tmp_path / f"process-{rank}.step-0").read_text() for rank in (0, 1)]
    assert saw[0] != saw[1]


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"WORLD_SIZE": "two"}, "WORLD_SIZE must be the number of processes, but it is 'two'"),
        ({"WORLD_SIZE": "0"}, "WORLD_SIZE must be the number of processes, but it is '0'"),
        ({"WORLD_SIZE": "2"}, "RANK must be a process's number, 0 to 1, but it is not set"),
        ({"WORLD_SIZE": "2", "RANK": "2"}, "RANK must be a process's number, 0 to 1, but it is '2'"),
        # all that `accelerate launch --num_processes 2` sets without GPUs
        ({"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29500", "ACCELERATE_MIXED_PRECISION": "no"}, "started only one"),
        ({"WORLD_SIZE": "2", "RANK": "0", "LOCAL_RANK": "x"}, r"The 2 processes can not be joined \("),
    ],
)
def test_processes_that_would_not_train_together_are_refused_before_anything(
    pairs: Path, tmp_path: Path, environment: dict[str, str], sentence: str, monkeypatch, capsys
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as ended:
        cli.main(["train", str(pairs), str(tmp_path / "run"), *OPTIONS])
    assert ended.value.code == 1 and not list(tmp_path.iterdir())
    told = capsys.readouterr().err
    assert sentence.replace("\\", "") in told and "torchrun" in told and told.count("\n") == 1


@pytest.mark.parametrize(
    ("environment", "processes"),
    [
        ({}, 1),
        ({"WORLD_SIZE": "1", "RANK": "0", "MASTER_ADDR": "localhost"}, 1),
        ({"ACCELERATE_MIXED_PRECISION": "no"}, 1),
        ({"WORLD_SIZE": "3", "RANK": "2"}, 3),
        ({"OMPI_COMM_WORLD_SIZE": "4", "OMPI_COMM_WORLD_RANK": "0"}, 4),
        ({"PMI_SIZE": "2", "PMI_RANK": "1"}, 2),
    ],
)
def test_what_launchers_announce(environment: dict[str, str], processes: int) -> None:
    assert announced(environment) == processes


def test_a_rank_of_another_launcher_does_not_count() -> None:
    with pytest.raises(NurieError, match="OMPI_COMM_WORLD_RANK must be"):
        announced({"OMPI_COMM_WORLD_SIZE": "2", "RANK": "0"})


def test_a_containers_limit_holds_for_pytorchs_threads(pairs: Path, tmp_path: Path, monkeypatch, capsys) -> None:
    torch.set_num_threads(2)
    monkeypatch.setattr("nurie.train.cores", lambda: 1)
    train(Train(pairs, tmp_path, steps=1, **{**TINY, "threads": 0}))
    assert "1 process on CPU, 1 thread, fp32" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(3.4, "3 s"), (99, "99 s"), (720, "12 min"), (5940, "99 min"), (14_700, "4 h 5 min"), (183_600, "2 days 3 h")],
)
def test_durations_are_read_at_a_glance(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_the_pace_is_told_once_without_the_first_step(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr("nurie.training.opening.time.perf_counter", lambda: clock[0])
    pace, told = Pace(Schedule(Train(Path("pairs"), Path("run"), steps=1000, batch=8)), processes=2), []
    for step in range(501, 530):  # of a resumed run
        clock[0] += 100.0 if step == 501 else 4.0
        told += [(step, sentence) for sentence in [pace.tick(step)] if sentence]
    assert told == [(509, "4 s a step, 4.0 pictures a second, about 33 min left.")]


def test_the_bar_knows_the_time_left_of_a_resumed_run_with_slow_steps() -> None:
    progress = progress_bar(False)
    clock = [0.0]
    progress.get_time = lambda: clock[0]
    task = progress.add_task("", total=1000, completed=900, status="")
    for step in range(901, 911):
        clock[0] += 60.0
        progress.update(task, completed=step)
    assert progress.tasks[0].time_remaining == pytest.approx(90 * 60)
