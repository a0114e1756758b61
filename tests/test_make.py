"""The whole chain: first with made-up stages, then for real on tiny pictures."""

import dataclasses
import sys
import types
from pathlib import Path

import cv2
import numpy as np
import pytest

from nurie.config import Make
from nurie.errors import NurieError
from nurie.make import make


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list:
    """Stages that only write their configuration down."""
    calls: list = []
    for name in ("prepare", "export"):
        stage = types.SimpleNamespace(**{name: calls.append})
        monkeypatch.setitem(sys.modules, f"nurie.{name}", stage)
    import nurie.publish
    import nurie.train

    monkeypatch.setattr(nurie.train, "train", calls.append)
    monkeypatch.setattr(nurie.publish, "publish", lambda config: calls.append(config) or config.site)
    return calls


def test_each_stage_reads_what_the_one_before_wrote(tmp_path: Path, calls: list, capsys):
    config = Make(tmp_path / "photos", tmp_path / "cats", masks=tmp_path / "masks", size=64, steps=3, batch=2,
                  credits=("thanks",))  # fmt: skip
    assert make(config) == tmp_path / "cats"
    prepare, train, export, publish = calls
    work = tmp_path / "cats-work"
    assert (prepare.photos, prepare.pairs, prepare.masks, prepare.size) == (
        config.photos,
        work / "pairs",
        config.masks,
        64,
    )
    assert (train.pairs, train.run, train.size, train.steps, train.batch) == (prepare.pairs, work / "run", 64, 3, 2)
    assert (export.run, export.model, export.title, export.credits) == (train.run, work / "model", "cats", ("thanks",))
    assert (publish.model, publish.site, publish.title) == (export.model, config.site, "cats")
    printed = capsys.readouterr().out
    assert [heading in printed for heading in ("1/4 prepare", "2/4 train", "3/4 export", "4/4 publish")] == [True] * 4


def test_a_foreign_site_is_refused_before_hours_of_work(tmp_path: Path, calls: list):
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "mine.txt").write_text("mine")
    with pytest.raises(NurieError, match="not made by `nurie publish`"):
        make(Make(tmp_path / "photos", tmp_path / "site"))
    assert calls == []


@pytest.mark.parametrize(("site", "work"), [("site", "site"), ("site", "site/work"), ("w/model", "w"), ("w/run", "w")])
def test_a_site_among_the_other_results_is_refused_before_anything(
    tmp_path: Path, calls: list, site: str, work: str
) -> None:
    with pytest.raises(NurieError, match=r"in each other's way\. Choose another folder for --work"):
        make(Make(tmp_path / "photos", tmp_path / site, work=tmp_path / work))
    assert calls == [] and not list(tmp_path.iterdir())


def test_options_that_no_training_can_have_are_refused_before_anything(tmp_path: Path, calls: list):
    with pytest.raises(NurieError, match="--size must be a multiple of 32 for fast, but it is 100"):
        make(Make(tmp_path / "photos", tmp_path / "site", size=100))
    assert calls == [] and not list(tmp_path.iterdir())


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
    config = Make(tmp_path / "photos", tmp_path / "site", size=64, steps=1, batch=2, title="Circles & squares")
    site = make(config)
    assert "Circles &amp; squares" in (site / "index.html").read_text(encoding="utf-8")
    checkpoint = tmp_path / "site-work" / "run" / "checkpoint.safetensors"
    before = checkpoint.read_bytes()
    capsys.readouterr()
    monkeypatch.setattr("nurie.export.export", lambda config: None)  # once is enough
    make(config)
    assert "is finished already" in capsys.readouterr().out
    assert checkpoint.read_bytes() == before
    with pytest.raises(NurieError, match="batch was 2, now 3"):
        make(dataclasses.replace(config, batch=3))
