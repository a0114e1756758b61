"""Nothing that training has reached is lost: signals, weights that are no numbers, damaged checkpoints."""

import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from conftest import TINY, forget_accelerate, hear_signals
from nurie import cli
from nurie.batches.sampler import Batch
from nurie.config import Train
from nurie.errors import NurieError
from nurie.nets import checkpoint
from nurie.train import train
from nurie.training.step import Step
from nurie.training.stopping import stoppable


@pytest.fixture(autouse=True)
def heard() -> Iterator[None]:
    """Ctrl-C is, even where the tests run in the background, which ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


OPTIONS = [word for key, value in TINY.items() for word in (f"--{key.replace('_', '-')}", str(value))]


def command(pairs: Path, run: Path, steps: int) -> list[str]:
    words = [sys.executable, "-m", "nurie", "train", str(pairs), str(run), f"--steps={steps}", "--save-every=100000"]
    return [*words, *OPTIONS]


def steps_done(run: Path) -> int:
    log = run / "losses.jsonl"
    return len(log.read_text().splitlines()) if log.exists() else 0


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stopped_run_keeps_every_step(pairs: Path, tmp_path: Path, number: int, status: int) -> None:
    run = tmp_path / "run"
    process = subprocess.Popen(command(pairs, run, 100_000), stderr=subprocess.PIPE, text=True, preexec_fn=hear_signals)
    while steps_done(run) < 5:
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(number)
    _, told = process.communicate(timeout=600)
    assert process.returncode == status
    assert told.endswith("Stopped. The same command goes on where this one stopped.\n") and "Traceback" not in told
    _, meta = checkpoint.load(run, ("none",))
    assert meta["step"] == steps_done(run) >= 5


def test_the_last_minutes_are_saved_too(pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nurie.train.SAVE_SECONDS", 0)
    monkeypatch.setattr("nurie.training.step.Step.__call__", stop_at(3))
    with pytest.raises(ZeroDivisionError):
        train(Train(pairs, tmp_path, steps=100, save_every=100, **TINY))
    assert checkpoint.load(tmp_path, ("none",))[1]["step"] == 3


def stop_at(last: int) -> Callable[[Step, Batch], dict[str, float]]:
    real = Step.__call__

    def step(self: Step, batch: Batch) -> dict[str, float]:
        return real(self, batch) if self.state.step < last else {"l1": 1 / 0}

    return step


@pytest.mark.parametrize("what", ["loss", "weights"])
def test_what_is_no_number_is_not_saved_and_the_sentence_goes_on(
    pairs: Path, tmp_path: Path, what: str, monkeypatch
) -> None:
    run = tmp_path / "run"
    train(Train(pairs, run, steps=2, save_every=1, **TINY))
    before = {path.name: path.read_bytes() for path in run.glob("*.safetensors")}
    real = Step.__call__

    def step(self: Step, batch: Batch) -> dict[str, float]:
        losses = real(self, batch)
        if what == "weights":
            next(self.state.ema.parameters()).data.fill_(float("nan"))
        return losses | ({"l1": float("inf")} if what == "loss" else {})

    monkeypatch.setattr("nurie.training.step.Step.__call__", step)
    with pytest.raises(NurieError, match=r"at step 3\. Nothing was written over") as error:
        train(Train(pairs, run, steps=4, save_every=1, **TINY))
    assert {path.name: path.read_bytes() for path in run.glob("*.safetensors")} == before
    monkeypatch.undo()
    [words] = re.findall(r"nurie (train .*?),", str(error.value))
    cli.main([*words.split(), "--steps=1", *OPTIONS])  # the command in the sentence works
    assert checkpoint.load(tmp_path / "run-2", ("none",))[1]["step"] == 1


@pytest.mark.parametrize("damage", ["flipped", "short", "empty"])
def test_a_damaged_checkpoint_is_noticed_and_the_one_before_goes_on(
    pairs: Path, tmp_path: Path, damage: str, capsys
) -> None:
    config = Train(pairs, tmp_path / "a", steps=3, save_every=1, **TINY)
    path = train(config)
    whole = path.read_bytes()
    data = bytearray(whole)
    data[-5] ^= 1
    path.write_bytes({"flipped": bytes(data), "short": whole[:-9], "empty": b""}[damage])
    with pytest.raises(NurieError, match="is damaged"):
        checkpoint.load(path)
    forget_accelerate()
    train(config)
    assert "going on from step 2" in " ".join(capsys.readouterr().err.split())
    again, meta = checkpoint.load(path)
    path.write_bytes(whole)
    first, _ = checkpoint.load(path)
    assert meta["step"] == 3
    assert all(again["ema"][name].equal(tensor) for name, tensor in first["ema"].items())


def test_a_run_that_was_killed_after_a_save_gets_the_pictures_of_it(pairs: Path, tmp_path: Path) -> None:
    config = Train(pairs, tmp_path, steps=2, **TINY)
    train(config)
    samples, report = tmp_path / "samples-000002.png", tmp_path / "report.html"
    before = samples.read_bytes()
    assert "step 2 of 2" in report.read_text()
    samples.unlink()
    report.unlink()
    forget_accelerate()
    train(config)
    assert samples.read_bytes() == before and "step 2 of 2" in report.read_text()


def test_both_damaged_is_a_sentence(pairs: Path, tmp_path: Path) -> None:
    config = Train(pairs, tmp_path, steps=2, save_every=1, **TINY)
    train(config)
    for name in (checkpoint.FILE, checkpoint.BEFORE):
        (tmp_path / name).write_bytes(b"")
    forget_accelerate()
    with pytest.raises(NurieError, match=r"checkpoint-before\.safetensors is damaged"):
        train(config)


def test_checkpoints_are_read_by_the_library_as_its_own(tmp_path: Path) -> None:
    kinds = [torch.uint8, torch.int64, torch.bfloat16, torch.float64, torch.bool, torch.float32]  # in no order of size
    tensors = {f"{kind} {count}": torch.arange(count).to(kind) for kind in kinds for count in (0, 1, 3)}
    tensors |= {"scalar": torch.tensor(3.0), "image": torch.randn(1, 2, 3)}
    checkpoint.write_safetensors(tmp_path / "a", tensors, {"nurie": "é"})
    found = load_file(tmp_path / "a")
    assert found.keys() == tensors.keys()
    assert all(found[name].dtype == tensor.dtype and found[name].equal(tensor) for name, tensor in tensors.items())
    with safe_open(tmp_path / "a", framework="pt") as file:
        assert file.metadata() == {"nurie": "é"}


def test_checkpoints_say_that_they_are_pytorchs(pairs: Path, tmp_path: Path) -> None:
    path = train(Train(pairs, tmp_path, steps=1, **TINY))
    with safe_open(path, framework="pt") as file:
        assert file.metadata()["format"] == "pt"


def test_the_first_signal_waits_and_the_second_does_not() -> None:
    with stoppable() as stop:
        assert not stop.asked
        signal.raise_signal(signal.SIGINT)
        assert stop.asked
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_the_run_ends_as_it_would_have() -> None:
    with stoppable() as stop:
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            stop.end()


def test_a_signal_that_is_ignored_stays_so() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with stoppable() as stop:
            signal.raise_signal(signal.SIGINT)
            assert not stop.asked
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_sigterm_after_ctrl_c_waits_too_which_launchers_send() -> None:
    with stoppable() as stop:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGTERM)
        assert stop.asked
