"""The whole chain: first with made-up stages, then for real on tiny pictures."""

import dataclasses
import json
import sys
import types
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from conftest import TINY, circle_pair, forget_accelerate, square, write_pairs
from nurie.batches.sampler import Batch
from nurie.config import Make, Train
from nurie.engine.modelfile import is_model, read_model
from nurie.engine.plan import CLASSES, FILL
from nurie.errors import NurieError
from nurie.files.ours import SITE
from nurie.make import beginning, make
from nurie.nets import checkpoint
from nurie.serve import BUILT_IN
from nurie.train import open_dataset
from nurie.training.options import with_colours
from nurie.training.plan import seconds_a_step
from nurie.training.step import Step

OWN = ("size", "batch")  # options that `make` has, too


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list:
    """Stages that only write their configuration down."""
    calls: list = []
    for name in ("prepare", "export"):
        stage = types.SimpleNamespace(**{name: calls.append})
        monkeypatch.setitem(sys.modules, f"nurie.{name}", stage)
    import nurie.publish

    monkeypatch.setattr("nurie.make.learn", lambda options, init, saved: calls.append(options) or options.run)
    monkeypatch.setattr(nurie.publish, "publish", lambda config: calls.append(config) or config.site)
    return calls


def test_each_stage_reads_what_the_one_before_wrote(tmp_path: Path, calls: list, capsys):
    config = Make(tmp_path / "photos", tmp_path / "cats", masks=tmp_path / "masks", size=square(64), steps=3, batch=2,
                  credits=("thanks",))  # fmt: skip
    assert make(config) == tmp_path / "cats"
    prepare, train, export, publish = calls
    work = tmp_path / "cats-work"
    assert (prepare.photos, prepare.pairs, prepare.masks, prepare.size) == (
        config.photos,
        work / "pairs",
        config.masks,
        square(64),
    )
    assert (train.pairs, train.run, train.size, train.steps, train.batch) == (
        prepare.pairs,
        work / "run",
        square(64),
        3,
        2,
    )
    assert train.minutes == 0
    assert (export.run, export.model, export.title, export.credits) == (train.run, work / "model", "cats", ("thanks",))
    assert (publish.model, publish.site, publish.title) == (export.model, config.site, "cats")
    printed = capsys.readouterr().out
    assert [heading in printed for heading in ("1/4 prepare", "3/4 export", "4/4 publish")] == [True] * 3


def test_a_foreign_site_is_refused_before_hours_of_work(tmp_path: Path, calls: list):
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "mine.txt").write_text("mine")
    with pytest.raises(NurieError, match="not made by `nurie publish`"):
        make(Make(tmp_path / "photos", tmp_path / "site"))
    assert calls == []


@pytest.mark.parametrize(
    ("site", "work"), [("site", "site"), ("site", "site/work"), ("w/model", "w"), ("w/run", "w"), ("w/run.2", "w")]
)
def test_a_site_among_the_other_results_is_refused_before_anything(
    tmp_path: Path, calls: list, site: str, work: str
) -> None:
    with pytest.raises(NurieError, match=r"in each other's way\. Choose another folder for --work"):
        make(Make(tmp_path / "photos", tmp_path / site, work=tmp_path / work))
    assert calls == [] and not list(tmp_path.iterdir())


def test_options_that_no_training_can_have_are_refused_before_anything(tmp_path: Path, calls: list):
    with pytest.raises(NurieError, match="--size must be a multiple of 32 for fast, but it is 100"):
        make(Make(tmp_path / "photos", tmp_path / "site", size=square(100)))
    assert calls == [] and not list(tmp_path.iterdir())


DOODLE = json.dumps({"drawing": [[[20, 230, 230, 20, 20], [20, 20, 230, 230, 25]], [[90, 100], [90, 120]]]}) + "\n"


@pytest.fixture
def doodles(tmp_path: Path) -> Path:
    path = tmp_path / "doodles.ndjson"
    path.write_text(3 * DOODLE)
    return path


def test_drawings_or_colours_are_passed_on_to_training(tmp_path: Path, calls: list, doodles: Path) -> None:
    config = Make(tmp_path / "photos", tmp_path / "site", drawings=doodles)
    make(config)
    assert (calls[1].drawings, calls[1].colours, calls[1].gan) == (doodles, 0, Train.gan)
    make(dataclasses.replace(config, drawings=None, colours=12))
    train = calls[5]
    assert (train.drawings, train.colours, train.gan, train.l1, train.styles) == (None, 12, 0, 0, False)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            {"colours": 8, "drawings": "doodles.ndjson"},
            "--colours does not go with --drawings, whose losses",
        ),
        ({"colours": 2}, "--colours must be at least 3"),
        ({"drawings": "nowhere"}, "There is no .*nowhere. Expected drawings of strokes"),
        ({"drawings": "broken.ndjson"}, "Line 1 of .*broken.ndjson is no drawing"),
        (
            {"colours": 8, "init": str(BUILT_IN)},
            "paints in any colour, but this run in 8 colours",
        ),
        ({"init": "nowhere"}, r"There is no nowhere to begin with\. --init takes a run, a model, auto or none"),
    ],
)
def test_what_training_would_refuse_is_refused_before_anything(
    tmp_path: Path, calls: list, doodles: Path, options: dict, said: str
) -> None:
    (tmp_path / "broken.ndjson").write_text("{}")
    if "drawings" in options:
        options = options | {"drawings": tmp_path / options["drawings"]}
    before = sorted(tmp_path.iterdir())
    with pytest.raises(NurieError, match=said):
        make(Make(tmp_path / "photos", tmp_path / "site", **options))
    assert calls == [] and sorted(tmp_path.iterdir()) == before


def test_a_checkpoint_learns_nothing_more(tmp_path: Path, calls: list, doodles: Path) -> None:
    (tmp_path / "latest_net_G.pth").write_bytes(b"")
    with pytest.raises(NurieError, match="is a checkpoint and stays as it is: leave out --drawings and --colours"):
        make(Make(tmp_path / "latest_net_G.pth", tmp_path / "site", drawings=doodles))


def write_photos(folder: Path) -> None:
    """Four pictures; the hash of the name photo16 puts it into val."""
    folder.mkdir()
    for i in range(4):
        photo = np.full((96, 96, 3), 255, np.uint8)
        cv2.circle(photo, (48, 40 + i), 22 + i, (40 * (i % 5), 90, 220 - 15 * i), -1, cv2.LINE_AA)
        cv2.rectangle(photo, (30, 30), (45, 60), (10, 20 * i, 60), -1)
        cv2.imwrite(str(folder / f"photo{i + 14}.png"), photo)


def test_photos_to_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys):
    pytest.importorskip("nurie.export")
    from nurie.site import assets

    if not (assets.PAGE / "index.html").is_file():
        pytest.skip("the page is not built")
    write_photos(tmp_path / "photos")
    config = Make(
        tmp_path / "photos",
        tmp_path / "site",
        size=square(64),
        steps=1,
        batch=2,
        title="Circles & squares",
        init="none",
    )
    site = make(config)
    assert "Circles &amp; squares" in (site / "index.html").read_text(encoding="utf-8")
    checkpoint = tmp_path / "site-work" / "run" / "checkpoint.safetensors"
    before = checkpoint.read_bytes()
    capsys.readouterr()
    monkeypatch.setattr("nurie.export.export", lambda config: None)  # once is enough
    make(config)
    assert "is finished already" in capsys.readouterr().out
    assert checkpoint.read_bytes() == before
    with pytest.raises(NurieError, match=r"gan was 1\.0, now 0\.0"):
        make(dataclasses.replace(config, fill=True))


# Pictures that come and go


class Work:
    """`make` with tiny nets, on pairs that are there, without the other stages; `runs` are what was exported."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("nurie.make.Train", partial(Train, **{k: v for k, v in TINY.items() if k not in OWN}))
        monkeypatch.setattr("nurie.prepare.prepare", lambda config: None)
        monkeypatch.setattr("nurie.export.export", lambda config: self.runs.append(config.run.name))
        monkeypatch.setattr("nurie.publish.publish", lambda config: config.site)
        self.runs: list[str] = []
        self.folder = folder / "site-work"
        self.config = Make(folder / "photos", folder / "site", size=square(64), steps=4, batch=2, init="none")
        write_pairs(self.folder / "pairs", train=4)

    def __call__(self, **options: Any) -> str:
        """The folder of the run that is exported."""
        forget_accelerate()
        make(dataclasses.replace(self.config, **options))
        return self.runs[-1]

    def add(self, name: str) -> None:
        cv2.imwrite(str(self.folder / "pairs" / "train" / f"{name}.png"), circle_pair(sum(name.encode())))

    def steps(self) -> dict[str, int]:
        """Of each run's last save."""
        paths = sorted(self.folder.glob(f"run*/{checkpoint.FILE}"))
        return {path.parent.name: checkpoint.load(path, ("none",))[1]["step"] for path in paths}


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Work:
    return Work(tmp_path, monkeypatch)


def test_photos_that_came_or_went_are_learnt_by_another_run_with_the_same_weights(work: Work, capsys) -> None:
    assert [work(), work()] == ["run", "run"]
    assert "run is finished already: 4 steps" in capsys.readouterr().out
    before = {path: path.read_bytes() for path in (work.folder / "run").iterdir()}
    work.add("q1")
    assert work() == "run.2"
    told = capsys.readouterr().out
    assert "no longer those that" in told and "1 new (q1)" in told and "Plan: 4 steps from " in told
    after = {path: path.read_bytes() for path in (work.folder / "run").iterdir() if path.name != ".pairs.json"}
    assert after.items() <= before.items()
    meta = checkpoint.load(work.folder / "run.2", ("none",))[1]
    assert meta["train"]["init"] == str(work.folder / "run") and "q1" in meta["pairs"]
    assert [work(), work()] == ["run.2", "run.2"] and work.steps() == {"run": 4, "run.2": 4}
    (work.folder / "pairs" / "train" / "p0--few.png").unlink()
    assert work(steps=2) == "run.3"
    assert "1 changed (p0)" in capsys.readouterr().out
    assert work.steps() == {"run": 4, "run.2": 4, "run.3": 2}


@pytest.mark.parametrize("killed_after", [0, 2])
def test_a_killed_run_on_new_photos_goes_on(work: Work, killed_after: int, monkeypatch: pytest.MonkeyPatch) -> None:
    assert work() == "run"
    work.add("q1")
    monkeypatch.setattr("nurie.train.SAVE_SECONDS", 0)
    step = Step.__call__
    with monkeypatch.context() as patched:
        patched.setattr(
            Step, "__call__", lambda self, batch: step(self, batch) if self.state.step < killed_after else {"l1": 1 / 0}
        )
        with pytest.raises(ZeroDivisionError):
            work()
    assert work.steps() == {"run": 4} | ({"run.2": killed_after} if killed_after else {})
    assert [work(), work()] == ["run.2", "run.2"] and work.steps() == {"run": 4, "run.2": 4}


def test_a_run_that_is_not_past_the_middle_learns_new_photos_as_it_goes_on(work: Work) -> None:
    assert work(steps=2) == "run"
    work.add("q1")
    assert [work(), work()] == ["run", "run"] and work.steps() == {"run": 4}
    assert "q1" in checkpoint.load(work.folder / "run", ("none",))[1]["pairs"]


# Drawings without pictures, and colours as classes


def test_drawings_that_came_later_are_learnt_by_another_run(work: Work, doodles: Path, capsys) -> None:
    assert work(steps=8) == "run"
    assert work(steps=8, drawings=doodles) == "run.2"
    assert "learnt from: other drawings without pictures." in capsys.readouterr().out
    meta = checkpoint.load(work.folder / "run.2", ("none",))[1]
    assert meta["train"]["init"] == str(work.folder / "run") and meta["train"]["drawings"] == str(doodles)
    losses = [json.loads(line) for line in (work.folder / "run.2" / "losses.jsonl").read_text().splitlines()]
    assert losses and all("ink_contrast" in loss for loss in losses)
    moved = doodles.rename(doodles.with_name("moved.ndjson"))
    assert work(steps=8, drawings=moved) == "run.2" and work.steps() == {"run": 8, "run.2": 8}
    moved.write_text(4 * DOODLE)
    work.add("q1")
    assert work(steps=8, drawings=moved) == "run.3"
    assert "learnt from: 1 new (q1), other drawings without pictures." in capsys.readouterr().out
    with pytest.raises(NurieError, match=r"drawings was .*moved\.ndjson, now None"):
        work(steps=8)


def test_a_run_that_is_not_past_the_middle_goes_on_with_other_drawings_but_not_with_first_ones(
    work: Work, doodles: Path
) -> None:
    assert work(steps=2) == "run"
    assert work(steps=8, drawings=doodles) == "run.2"  # a discriminator more
    doodles.write_text(4 * DOODLE)
    assert work(steps=20, drawings=doodles) == "run.2" and work.steps() == {"run": 2, "run.2": 20}


@pytest.mark.parametrize("options", [{"drawings": True}, {"colours": 5}, {}])
def test_the_plan_measures_steps_as_they_will_be(
    work: Work, doodles: Path, options: dict, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps, step = [], Step.__call__

    def note(self: Step, batch: Batch) -> dict[str, float]:
        steps.append((batch.unpaired is not None, self.state.colours is not None))
        return step(self, batch)

    monkeypatch.setattr(Step, "__call__", note)
    more: dict[str, Any] = {"drawings": doodles} if "drawings" in options else options
    config = with_colours(Train(work.folder / "pairs", work.folder / "run", **TINY, **more))
    pairs, _, dataset = open_dataset(config)
    assert seconds_a_step(config, pairs, dataset) > 0
    assert len(steps) > 2 and set(steps) == {("drawings" in options, "colours" in options)}


def test_colours_as_classes_are_published_and_handed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nurie.make.Train", partial(Train, **{k: v for k, v in TINY.items() if k not in OWN}))
    pairs = write_pairs(tmp_path / "pairs")
    config = Make(pairs, tmp_path / "site", size=square(64), steps=4, batch=2, colours=4)
    site = make(config)
    (name,) = json.loads((site / SITE).read_text())["models"]
    published = json.loads((site / name).read_text())
    manifest, plan, _ = read_model(tmp_path / "site-work" / "model")
    assert published["palette"] == manifest.palette and published["generator"]["colours"] == 4
    assert len(manifest.palette) == 4 and manifest.styles == [] and manifest.generator.colours == 4
    assert (plan.ops[-1].mode, plan.ops[-1].activation) == (CLASSES, FILL)
    cv2.imwrite(str(pairs / "train" / "q1.png"), circle_pair(77))
    forget_accelerate()
    make(config)
    first, second = (checkpoint.load(tmp_path / "site-work" / run, ("none",))[1] for run in ("run", "run.2"))
    assert second["palette"] == first["palette"] == manifest.palette
    forget_accelerate()
    with pytest.raises(NurieError, match="colours was 4, now 5"):
        make(dataclasses.replace(config, colours=5))


def test_make_is_for_one_process(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "0")
    with pytest.raises(NurieError, match="is for one process"):
        work()


# How long, and from what


def test_the_page_is_there_after_the_first_minutes(work: Work, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.setattr("nurie.training.schedule.FIRST_SAVE", 0.01)
    monkeypatch.setattr("nurie.training.schedule.OTHER_SAVES", 3600)
    assert work(steps=0, minutes=0.1) == "run"
    assert work.runs == ["run", "run"]  # once early, once at the end
    assert "Plan: 0.1 minutes from nothing, at 64 pixels, 2 pictures a step" in capsys.readouterr().out
    meta = checkpoint.load(work.folder / "run", ("none",))[1]
    assert meta["train"]["minutes"] == 0.1 and meta["seconds"] >= 6
    assert work(steps=0, minutes=0.1) == "run" and len(work.runs) == 3
    assert "is finished already" in capsys.readouterr().out


def test_line_art_begins_with_the_built_in_models(work: Work, tmp_path: Path) -> None:
    options = Train(work.folder / "pairs", tmp_path, size=square(64))
    init = beginning(options, "auto")
    assert init is not None and is_model(init) and init.name == "cats"
    flat = beginning(dataclasses.replace(options, gan=0.0), "auto")
    assert flat is not None and is_model(flat) and flat.name == "openmoji"
    assert beginning(options, "none") is None and beginning(options, str(tmp_path)) == tmp_path
    assert beginning(dataclasses.replace(options, colours=8), "auto") is None  # those paint in any colour
    assert beginning(dataclasses.replace(options, direction="BtoA"), "auto") is None  # those are no line art


def test_pairs_that_are_there_are_not_prepared(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nurie.prepare.prepare", lambda config: pytest.fail("prepared"))
    assert work(photos=work.folder / "pairs") == "run"
    assert checkpoint.load(work.folder / "run", ("none",))[1]["train"]["pairs"] == str(work.folder / "pairs")


def test_drawings_beside_photos_are_taken(tmp_path: Path, calls: list) -> None:
    make(Make(tmp_path / "b", tmp_path / "site", inputs=tmp_path / "a"))
    assert (calls[0].mode, calls[0].inputs) == ("folders", tmp_path / "a")
