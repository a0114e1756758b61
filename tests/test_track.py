"""Losses and scores for TensorBoard and Trackio, through Accelerate."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from conftest import TINY, forget_accelerate
from nurie.config import Train
from nurie.errors import NurieError
from nurie.train import train


def test_tensorboard_has_what_the_run_recorded(pairs: Path, tmp_path: Path) -> None:
    config = Train(pairs, tmp_path, steps=2, save_every=2, track=("tensorboard",), **TINY)
    train(config)
    forget_accelerate()
    train(replace(config, steps=3))  # goes on, and need not be tracked as before
    events = EventAccumulator(str(tmp_path / "nurie"))
    events.Reload()
    rows = [json.loads(line) for line in (tmp_path / "losses.jsonl").read_text().splitlines()]
    names = {name for row in rows for name in row if name != "step"}
    assert set(events.Tags()["scalars"]) == names > {"l1", "val_score"}
    for name in names:
        found = {event.step: event.value for event in events.Scalars(name)}
        assert found == pytest.approx({row["step"]: row[name] for row in rows if name in row})


@pytest.mark.parametrize("name", ["tensorboard", "trackio"])
def test_what_is_not_installed_is_a_sentence(name, pairs: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda module: None)
    with pytest.raises(NurieError, match=rf"--track {name} needs {name}, .* pip install \"nurie\[track\]\""):
        train(Train(pairs, tmp_path / "run", track=(name,), **TINY))
    assert not (tmp_path / "run").exists()
