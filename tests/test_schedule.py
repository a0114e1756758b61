"""What size, lr and saves a run has where; in steps, and on a clock that the tests set."""

import json
import types
from dataclasses import replace
from pathlib import Path

import pytest

from conftest import TINY, UNVARIED, forget_accelerate, square
from nurie.batches.sampler import Sampler
from nurie.config import Train
from nurie.errors import NurieError
from nurie.nets import checkpoint
from nurie.pairs.folder import open_pairs
from nurie.train import train
from nurie.training.options import check, with_stages
from nurie.training.plan import FEW, FEWER, planned
from nurie.training.schedule import Schedule, stages_of

ANY = Train(Path("pairs"), Path("run"))
TIMED = replace(ANY, minutes=10.0)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def perf_counter(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("nurie.training.schedule.time", types.SimpleNamespace(perf_counter=clock.perf_counter))
    return clock


def test_lr_falls_over_the_last_share_of_the_steps() -> None:
    schedule = Schedule(replace(ANY, steps=1000, decay=0.4, lr=1.0))
    lrs = {step: schedule.lr(step) for step in (0, 500, 600, 800, 999)}
    assert lrs == {0: 1, 500: 1, 600: 1, 800: 0.5, 999: 0.0025}
    assert [Schedule(replace(ANY, steps=10, decay=0.0, lr=1.0)).lr(step) for step in (0, 9)] == [1, 1]
    assert [schedule.done(step) for step in (0, 999, 1000, 1001)] == [False, False, True, True]


def test_lr_falls_over_the_last_share_of_the_time(clock: Clock) -> None:
    schedule = Schedule(replace(TIMED, decay=0.5, lr=1.0))
    schedule.earlier = 60.0
    clock.now += 1e6  # opening pictures is no training
    schedule.begin()
    assert schedule.seconds() == 60 and schedule.lr(7) == 1
    clock.now += 390
    assert schedule.lr(7) == pytest.approx(0.5) and not schedule.done(7)
    clock.now += 149
    assert 0 < schedule.lr(7) < 0.01 and not schedule.done(7)
    clock.now += 2
    assert schedule.lr(7) == 0 and schedule.done(7)


def test_sizes_come_one_after_the_other(clock: Clock) -> None:
    config = with_stages(replace(ANY, stages=("64:3", "128:2", "256:5")))
    assert (config.size, config.steps) == (square(256), 10)
    sizes = [Schedule(config).size(step).saved for step in range(11)]
    assert sizes == [64] * 3 + [128] * 2 + [256] * 6
    timed = Schedule(replace(TIMED, stages=("64:1", "256:3")))
    timed.begin()
    sizes = []
    for _ in range(4):
        sizes.append(timed.size(1).saved)
        clock.now += 149
    assert sizes == [64, 64, 256, 256]


def test_the_steps_of_a_timed_run_follow_from_those_of_this_size(clock: Clock) -> None:
    schedule = Schedule(replace(TIMED, stages=("64:1", "256:1")))
    schedule.begin()
    assert schedule.steps(0) == 0
    clock.now += 100
    assert schedule.steps(50) == 50 + 250  # 2 s a step, 500 s left
    clock.now += 300
    assert schedule.steps(200) == 200  # pictures are larger from here on: nobody knows
    clock.now += 100
    assert schedule.steps(210) == 210 + 10


def test_a_timed_run_is_saved_after_two_minutes_then_every_five_or_ten_times(clock: Clock) -> None:
    for minutes, earlier, times in (
        (30.0, 0.0, [120, 420, 720, 1020, 1320, 1620]),
        (1.0, 0.0, [15]),
        (100.0, 0.0, [120, *range(720, 6000, 600)]),
        (30.0, 1000.0, [1300, 1600]),
    ):
        schedule = Schedule(replace(TIMED, minutes=minutes))
        schedule.earlier = earlier
        schedule.begin()
        begin, found = int(earlier), []
        for second in range(begin + 1, round(60 * minutes)):
            clock.now += 1
            if schedule.save_due(1):
                found.append(second)
        assert found == times
    assert [step for step in range(1, 1501) if Schedule(ANY).save_due(step)] == [500, 1000, 1500]


@pytest.mark.parametrize("text", ["128", "128:", ":3", "a:3", "128:0", "-128:3", "1.5:2", "128:3:4", "²:3"])
def test_a_stage_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(NurieError, match="--stages takes SIZE:STEPS, such as 128:1400 256:1000, but "):
        stages_of(replace(ANY, stages=("64:1", text)))


def test_each_size_must_fit_the_generator_and_the_discriminator() -> None:
    check(with_stages(replace(ANY, stages=("128:1", "256:1"))))
    for stages, options in (
        (("100:1", "256:1"), {}),
        (("128:1", "256:1"), {"generator": "unet256"}),
        (("32:1", "256:1"), {"discriminator_scale": 8}),
    ):
        with pytest.raises(NurieError):
            check(with_stages(replace(ANY, stages=stages, **options)))


def test_batches_are_of_the_size_that_is_asked_for(pairs: Path) -> None:
    sampler = Sampler(open_pairs(pairs, "train", square(64), "AtoB"), replace(ANY, batch=2, **UNVARIED))
    full, small = sampler(3), sampler(3, square(32))
    assert full.drawing.shape == (2, 3, 64, 64) and small.drawing.shape == small.picture.shape == (2, 3, 32, 32)
    assert (small.picture.mean() - full.picture.mean()).abs() < 0.01  # the same pairs


@pytest.mark.parametrize("discriminator", ["patch", "projected"])
def test_a_run_in_stages_goes_on_exactly(discriminator: str, pairs: Path, tmp_path: Path) -> None:
    options = {**TINY, "discriminator": discriminator, "stages": ("32:3", "64:3"), "save_every": 2}
    whole = Train(pairs, tmp_path / "whole", **options)
    train(whole)
    part = replace(whole, run=tmp_path / "part")
    forget_accelerate()
    with pytest.MonkeyPatch.context() as patch:  # killed after the save at step 4
        patch.setattr("nurie.train.write_samples", lambda val, predict, path: 1 / ("4" not in path.name))
        with pytest.raises(ZeroDivisionError):
            train(part)
    assert checkpoint.load(part.run / checkpoint.FILE, ("none",))[1]["step"] == 4
    forget_accelerate()
    train(part)
    a, b = (checkpoint.load(run / checkpoint.FILE, ("ema", "generator", "discriminator"))[0] for run in
            (whole.run, part.run))  # fmt: skip
    assert all(a[group][name].equal(b[group][name]) for group in a for name in a[group])
    rows = [json.loads(line) for line in (whole.run / "losses.jsonl").read_text().splitlines()]
    assert len(rows) == 6


def test_a_timed_run_ends_when_its_time_is_over_and_goes_on_with_more(pairs: Path, tmp_path: Path) -> None:
    config = Train(pairs, tmp_path, minutes=0.02, **TINY)
    train(config)
    _, meta = checkpoint.load(tmp_path / checkpoint.FILE, ("none",))
    assert meta["step"] >= 1 and meta["seconds"] >= 1.2
    forget_accelerate()
    train(config)  # it is finished
    assert checkpoint.load(tmp_path / checkpoint.FILE, ("none",))[1]["step"] == meta["step"]
    forget_accelerate()
    train(replace(config, minutes=config.minutes + meta["seconds"] / 60))
    later = checkpoint.load(tmp_path / checkpoint.FILE, ("none",))[1]
    assert later["step"] > meta["step"] and later["seconds"] > meta["seconds"] + 1


def test_the_plan_follows_from_how_many_steps_there_is_time_for() -> None:
    init = Path("cats")
    quick = planned(replace(TIMED, init=init), FEW)
    assert (quick.stages, quick.batch, quick.lr, quick.discriminator_scale) == ((), 8, 2e-4, 2)
    slow = planned(replace(TIMED, init=init), FEW - 1)
    assert (slow.stages, slow.batch) == (("128:1", "256:1"), 8)
    assert planned(replace(TIMED, init=init), FEWER - 1).batch == 4
    nothing = planned(TIMED, 5000)
    assert (nothing.stages, nothing.lr) == (("128:9", "256:11"), 4e-4)
    assert planned(replace(TIMED, size=square(128)), 5000).stages == ()
    steps = with_stages(planned(replace(ANY, steps=1000), 1000))
    assert (steps.stages, steps.steps, steps.size) == (("128:450", "256:550"), 1000, square(256))
    assert planned(replace(ANY, steps=1), 1).stages == ()
