"""What comes at the end of a run: the mean of its last weights, and BatchNorm's statistics measured anew."""

import json
import types
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, update_bn

from conftest import TINY, forget_accelerate
from nurie.batches.sampler import Batch, Sampler
from nurie.config import Export, Train
from nurie.drawings.collection import open_collection
from nurie.errors import NurieError
from nurie.export import export
from nurie.nets import checkpoint
from nurie.nets.generators import build_generator
from nurie.pairs.folder import open_pairs
from nurie.train import train
from nurie.training import batchnorm
from nurie.training.dataset import Dataset
from nurie.training.launch import open_accelerator
from nurie.training.schedule import Schedule
from nurie.training.state import State
from nurie.training.step import Step

Weights = dict[str, torch.Tensor]
STATISTICS = ("running_mean", "running_var", "num_batches_tracked")


def weights_of(path: Path) -> Weights:
    return checkpoint.load(path, ("ema",))[0]["ema"]


def metadata_of(path: Path) -> dict:
    return checkpoint.load(path, ("ema",))[1]


def differing(one: Weights, other: Weights) -> set[str]:
    assert one.keys() == other.keys()
    return {name for name in one if not torch.equal(one[name], other[name])}


def run(config: Train) -> Path:
    forget_accelerate()
    return train(config)


def test_the_moving_average_turns_into_the_mean_of_the_last_steps(
    pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    live: list[nn.Module] = []
    average = State.average

    def noted(state: State) -> None:
        net = build_generator(**metadata_of(tmp_path / "first")["generator"])
        net.load_state_dict(state.bare(state.generator).state_dict())
        live.append(net)
        average(state)

    run(Train(pairs, tmp_path / "first", steps=1, **TINY))
    monkeypatch.setattr(State, "average", noted)
    path = run(Train(pairs, tmp_path / "run", steps=8, ema=0.0, average=0.5, **TINY))
    assert len(live) == 8
    reference = AveragedModel(live[4], use_buffers=True)  # its own copy, as of no model
    for net in live[4:]:
        reference.update_parameters(net)
    expected = reference.module.state_dict()
    for name, weight in weights_of(path).items():
        if weight.is_floating_point():
            assert torch.allclose(weight, expected[name], atol=1e-6), name
    assert metadata_of(path)["averaged"] == 4


def test_a_share_that_is_shorter_than_the_moving_average_changes_nothing(pairs: Path, tmp_path: Path) -> None:
    config = Train(pairs, tmp_path / "a", steps=12, ema=0.9, **TINY)
    plain, short = run(config), run(replace(config, run=tmp_path / "b", average=0.17))
    assert differing(weights_of(plain), weights_of(short)) == set()
    assert "averaged" not in metadata_of(plain) and metadata_of(short)["averaged"] == 2


def broken_off(monkeypatch: pytest.MonkeyPatch, where: type | types.ModuleType, name: str, call: int) -> None:
    """The call of this number raises KeyboardInterrupt, as in a process that dies."""
    whole: Callable = getattr(where, name)
    calls = iter(range(1, 1000))

    def dying(*given: object) -> object:
        if next(calls) == call:
            raise KeyboardInterrupt
        return whole(*given)

    monkeypatch.setattr(where, name, dying)


@pytest.mark.parametrize(("where", "name", "call"), [(Step, "__call__", 7), (batchnorm, "measure_net", 1)])
def test_a_run_that_died_resumes_with_the_same_mean_and_statistics(
    pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: type, name: str, call: int
) -> None:
    config = Train(pairs, tmp_path / "whole", steps=8, save_every=1, ema=0.5, average=0.5, batchnorm=5, **TINY)
    whole = run(config)
    config = replace(config, run=tmp_path / "broken")
    with monkeypatch.context() as patch:
        broken_off(patch, where, name, call)
        with pytest.raises(KeyboardInterrupt):
            run(config)
    path = config.run / checkpoint.FILE
    assert metadata_of(path)["step"] == (6 if where is Step else 8) and "batchnorm" not in metadata_of(path)
    if where is not Step:  # no step is made again
        monkeypatch.setattr(Step, "__call__", None)
    run(config)
    for kind in (checkpoint.FILE, checkpoint.BEST):
        (expected, meta), (groups, other) = (checkpoint.load(folder / kind) for folder in (whole.parent, config.run))
        assert expected.keys() == groups.keys()
        assert [group for group in expected if differing(expected[group], groups[group])] == []
        assert {key for key in meta if meta[key] != other[key]} == {"train"}  # the run's folder
    assert metadata_of(path)["averaged"] == 4 and metadata_of(path)["batchnorm"] == 5
    assert (whole.parent / "losses.jsonl").read_text() == (config.run / "losses.jsonl").read_text()


class Told(nn.Module):
    """A generator that takes a batch."""

    def __init__(self, generator: nn.Module) -> None:
        super().__init__()
        self.generator = generator

    def forward(self, batch: Batch) -> torch.Tensor:
        drawings = [batch.drawing, batch.unpaired.drawing] if batch.unpaired else [batch.drawing]
        return self.generator(torch.cat(drawings), torch.cat([batch.style] * 2)[: sum(map(len, drawings))])


@pytest.mark.parametrize("with_drawings", [False, True])
def test_the_statistics_are_those_of_torch_on_the_first_batches(
    pairs: Path, tmp_path: Path, with_drawings: bool
) -> None:
    file = tmp_path / "drawings.ndjson"
    file.write_text('{"drawing": [[[0, 90, 90, 0, 0], [0, 0, 90, 90, 0]], [[30, 60], [40, 40]]]}')
    drawings = file if with_drawings else None
    config = Train(pairs, tmp_path / "run", steps=2, seed=3, drawings=drawings, **TINY)
    before = weights_of(run(config))
    path = run(replace(config, batchnorm=6))
    reference = build_generator(**metadata_of(path)["generator"])
    reference.load_state_dict(before)
    folder, found = open_pairs(pairs, "train", config.size, config.direction), drawings and open_collection(drawings)
    sampler = Sampler(folder, replace(config, consistency=0.0), drawings=found)
    torch.manual_seed(config.seed)
    with torch.no_grad():
        update_bn((sampler(step) for step in range(6)), Told(reference))
    measured = weights_of(path)
    assert differing(measured, reference.state_dict()) == set()
    assert {name.rpartition(".")[2] for name in differing(before, measured)} == set(STATISTICS)
    assert torch.equal(measured["stem.1.num_batches_tracked"], torch.tensor(6))


def test_dropout_is_off_while_they_are_measured() -> None:
    net = nn.Sequential(nn.Dropout(0.5), nn.BatchNorm2d(3))
    batchnorm.measure_net(net, [(torch.ones(2, 3, 8, 8),)], 0)
    norm = net[1]
    assert isinstance(norm, nn.BatchNorm2d)
    assert torch.allclose(norm.get_buffer("running_var"), torch.zeros(3))
    assert not any(module.training for module in net.modules()) and norm.momentum == 0.1


def test_they_are_told_recorded_and_exported(pairs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = run(Train(pairs, tmp_path / "run", steps=2, batchnorm=4, **TINY))
    told = capsys.readouterr().err
    assert told.count("BatchNorm is measured anew on 4 batches: val score 0.") == 1
    records = [json.loads(line) for line in (path.parent / "losses.jsonl").read_text().splitlines()]
    assert [record["step"] for record in records] == [1, 2]
    assert f"-> {records[1]['val_score']:.4f}." in told
    assert "BatchNorm is measured anew on 4 batches" in (path.parent / "report.html").read_text()
    best = path.with_name(checkpoint.BEST)
    assert metadata_of(best)["best"] <= records[1]["val_score"]
    metadata = metadata_of(best)
    assert (metadata.get("batchnorm") == 4) == (records[1]["val_score"] <= 1.02 * metadata["best"])
    export(Export(path, tmp_path / "model", tolerance=1.0))


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """On how many batches it was measured, each time."""
    counts: list[int] = []
    measure = batchnorm.measure

    def noted(state: State, sampler: Sampler) -> None:
        counts.append(state.config.batchnorm)
        measure(state, sampler)

    monkeypatch.setattr(batchnorm, "measure", noted)
    yield counts


def test_they_are_measured_once_for_each_end(pairs: Path, tmp_path: Path, measured: list[int]) -> None:
    config = Train(pairs, tmp_path / "run", steps=2, save_every=2, **TINY)
    run(config)  # as of an older Nurie
    assert measured == []
    config = replace(config, batchnorm=3)
    run(config)
    before = (config.run / checkpoint.FILE).read_bytes()
    run(config)
    run(replace(config, batchnorm=0))
    assert measured == [3] and (config.run / checkpoint.FILE).read_bytes() == before
    run(replace(config, batchnorm=4))
    path = run(replace(config, batchnorm=4, steps=3))
    assert measured == [3, 4, 4] and metadata_of(path)["batchnorm"] == 4
    path = run(replace(config, batchnorm=0, steps=4))
    assert "batchnorm" not in metadata_of(path)
    path.with_name("losses.jsonl").unlink()
    assert metadata_of(run(replace(config, batchnorm=1, steps=4)))["batchnorm"] == 1


def test_they_take_a_part_of_the_minutes(
    pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, measured: list[int]
) -> None:
    schedule = Schedule(Train(pairs, tmp_path, minutes=10.0, batchnorm=1))
    assert schedule.position(1) == (0.0, 600.0)
    schedule.reserved = 60.0
    assert schedule.position(1) == (0.0, 540.0)
    schedule.reserved = 1e6
    assert schedule.position(1) == (0.0, 300.0)
    schedule.earlier = 540.0
    schedule.end()
    assert schedule.seconds() == 600 and schedule.done(1)

    monkeypatch.setattr(batchnorm, "seconds", lambda *_: 1.0)
    config = Train(pairs, tmp_path / "run", minutes=0.05, batchnorm=3, **TINY)
    path = run(config)
    metadata = metadata_of(path)
    assert metadata["seconds"] >= 3 and metadata["batchnorm"] == 3
    run(config)
    assert measured == [3] and metadata_of(path)["step"] == metadata["step"]


def test_the_time_that_they_take_is_measured_on_a_few_batches(pairs: Path, tmp_path: Path) -> None:
    config = Train(pairs, tmp_path / "run", minutes=1.0, batchnorm=100, **TINY)
    state = State(config, open_accelerator(config), Dataset({}, {}))
    weights = {name: weight.clone() for name, weight in state.ema.state_dict().items()}
    sampler = Sampler(open_pairs(pairs, "train", config.size, config.direction), config)
    assert 0 < batchnorm.seconds(state, sampler) < 1000
    assert differing(weights, state.ema.state_dict()) == set()


def test_a_share_of_the_weights_that_it_began_with_comes_back(pairs: Path, tmp_path: Path) -> None:
    first = run(Train(pairs, tmp_path / "first", steps=2, **TINY))
    config = Train(pairs, tmp_path / "plain", steps=4, init=first, batchnorm=2, **TINY)
    plain = weights_of(run(config))
    half = weights_of(run(replace(config, run=tmp_path / "half", init_share=0.5)))
    begun = weights_of(first)
    parameters = {name for name, _ in build_generator(**metadata_of(first)["generator"]).named_parameters()}
    for name in parameters:
        assert torch.allclose(half[name], (begun[name] + plain[name]) / 2, atol=1e-6), name
    assert any(not torch.equal(half[name], plain[name]) for name in parameters)


def test_the_share_comes_back_once_however_often_a_run_is_called(
    pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = run(Train(pairs, tmp_path / "first", steps=2, **TINY))
    config = Train(pairs, tmp_path / "whole", steps=3, init=first, init_share=0.5, batchnorm=2, **TINY)
    whole = weights_of(run(config))
    config = replace(config, run=tmp_path / "parts")
    with monkeypatch.context() as patch:
        broken_off(patch, batchnorm, "measure", 1)
        with pytest.raises(KeyboardInterrupt):
            run(config)
    assert differing(weights_of(run(config)), whole) == set()
    again = weights_of(run(replace(config, batchnorm=3)))  # other statistics, and the same weights
    assert differing(again, whole) and all(name.endswith(STATISTICS) for name in differing(again, whole))


def test_a_share_of_what_it_began_with_needs_that(pairs: Path, tmp_path: Path) -> None:
    for options in ({"batchnorm": 2}, {"init": tmp_path}):
        with pytest.raises(NurieError, match="--init-share takes a share of the weights of --init, and needs"):
            run(Train(pairs, tmp_path / "run", steps=1, init_share=0.5, **options, **TINY))
