"""A run that is resumed with other pictures or classes, or that is finished, says so."""

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import pytest

from conftest import TINY, circle_pair, forget_accelerate, write_pairs
from nurie.config import Train
from nurie.errors import NurieError
from nurie.nets import checkpoint
from nurie.pairs.folder import PairFolder
from nurie.train import train


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]):
    """Train, and return what it said on standard error."""

    def run(config: Train) -> str:
        forget_accelerate()
        capsys.readouterr()
        train(config)
        return capsys.readouterr().err

    return run


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """Pairs that a test may change."""
    return write_pairs(tmp_path / "pairs")


def add(pairs: Path, name: str, seed: int = 50, side: str = "train") -> None:
    cv2.imwrite(str(pairs / side / f"{name}.png"), circle_pair(seed))


def test_pictures_that_came_went_or_changed_are_told_once(mine: Path, tmp_path: Path, told) -> None:
    config = Train(mine, tmp_path / "run", steps=1, **TINY)
    assert "no longer" not in told(config)
    shutil.copytree(mine, tmp_path / "moved")
    assert "no longer" not in told(replace(config, pairs=tmp_path / "moved", steps=2))
    add(mine, "q1")
    add(mine, "q2", 51)
    for detail in ("few", "many"):
        (mine / "train" / f"p0--{detail}.png").unlink()
    add(mine, "p1--few", 60)
    (mine / "train" / "p2--few.png").unlink()
    config = replace(config, steps=3)
    sentence = "no longer those of step 2: 2 new (q1, q2), 1 gone (p0), 2 changed (p1, p2)."
    said = told(config)
    assert f"Warning: The pictures to train on are {sentence}\n" in said and "7 pictures with 11 drawings" in said
    assert "validation have changed" not in said
    assert "no longer" not in told(replace(config, steps=4))


def test_other_pictures_for_validation_begin_the_scores_anew(mine: Path, tmp_path: Path, told) -> None:
    config = Train(mine, tmp_path / "run", steps=1, save_every=1, **TINY)
    told(config)
    groups, meta = checkpoint.load(tmp_path / "run" / checkpoint.FILE)
    checkpoint.save(tmp_path / "run" / checkpoint.FILE, groups, meta | {"best": 1e-9})
    told(replace(config, steps=2))
    assert checkpoint.load_generator(tmp_path / "run")[1]["step"] == 1  # nothing is as good as that
    add(mine, "p9", side="val")
    assert "The pictures for validation have changed" in told(replace(config, steps=3))
    assert checkpoint.load_generator(tmp_path / "run")[1]["step"] == 3


def test_a_run_of_an_older_nurie_goes_on_without_a_word_about_its_pictures(mine: Path, tmp_path: Path, told) -> None:
    (tmp_path / "list.csv").write_text("id,class\n" + "".join(f"p{i},{i > 1}\n" for i in range(6)))
    config = Train(mine, tmp_path / "run", steps=1, classes=tmp_path / "list.csv", **TINY)
    path = train(config)
    groups, meta = checkpoint.load(path)
    for key in ("pairs", "val_pairs", "classes"):
        del meta[key]
    checkpoint.save(path, groups, meta)
    (tmp_path / "list.csv").write_text("id,class\n" + "".join(f"p{i},{i > 2}\n" for i in range(6)))
    assert "Warning" not in told(replace(config, steps=2))


def test_classes_resume_wherever_their_file_lies_and_other_ones_are_named(mine: Path, tmp_path: Path, told) -> None:
    rows = [f"p{i},{'Tabby' if i > 1 else 'Persian'}\n" for i in range(6)]
    (tmp_path / "list.csv").write_text("id,class\n" + "".join(rows))
    config = Train(mine, tmp_path / "run", steps=1, classes=tmp_path / "list.csv", **TINY)
    told(config)
    other = (tmp_path / "list.csv").rename(tmp_path / "other.csv")
    other.write_text("id,breed\n" + "".join(reversed(rows)) + "q1,Tabby\n")
    add(mine, "q1")
    assert "1 new (q1)" in told(replace(config, steps=2, classes=other))
    other.write_text("id,breed\n" + "".join(rows).replace("p5,Tabby", "p5,Sphynx") + "q1,Tabby\n")
    with pytest.raises(NurieError, match=r"other classes \(p5 was Tabby, now Sphynx\)\. Use the same ones to resume"):
        told(replace(config, steps=3, classes=other))
    with pytest.raises(NurieError, match=r"other classes \(classes was .*other\.csv, now None\)"):
        told(replace(config, steps=3, classes=None))


def test_a_finished_run_says_so_and_what_can_be_done_with_it(mine: Path, tmp_path: Path, told) -> None:
    config = Train(mine, tmp_path / "run", steps=2, **TINY)
    told(config)
    before = {path: path.read_bytes() for path in (tmp_path / "run").iterdir()}
    said = told(config)
    assert said.count("\n") == 1
    for part in ("is finished: 2 steps", f"in {tmp_path / 'run' / 'best.safetensors'}", "--steps 4", "nurie export"):
        assert part in said
    assert {path: path.read_bytes() for path in (tmp_path / "run").iterdir()} == before
    add(mine, "q1")
    assert "1 new (q1)" in told(config)


def test_what_is_no_pair_is_left_out_before_training_and_named(mine: Path, tmp_path: Path, told) -> None:
    half = mine / "train" / "half.jpg"
    cv2.imwrite(str(half), circle_pair(3, 256))
    half.write_bytes(half.read_bytes()[: half.stat().st_size // 2])
    (mine / "train" / "p0--few.png").write_bytes(b"no picture")
    cv2.imwrite(str(mine / "val" / "square.png"), circle_pair(4)[:, :64])
    said = told(Train(mine, tmp_path / "run", steps=1, **TINY))
    named = [line for line in said.splitlines() if line.startswith("left out: ")]
    assert [Path(line.split()[2]).name for line in named] == ["half.jpg", "p0--few.png", "square.png"]
    assert "6 pictures with 11 drawings to train on, 3 pictures for validation" in said
    for path in (mine / "train").iterdir():
        path.write_bytes(b"")
    with pytest.raises(NurieError, match=r"None of the pairs in .*train can be used"):
        told(Train(mine, tmp_path / "other", steps=1, **TINY))


def test_pairs_are_opened_once(mine: Path, tmp_path: Path, told, monkeypatch: pytest.MonkeyPatch) -> None:
    config = Train(mine, tmp_path / "run", steps=1, **TINY)
    told(config)
    opened: list[str] = []
    read = PairFolder.read
    monkeypatch.setattr(PairFolder, "read", lambda folder, path: opened.append(path.name) or read(folder, path))
    monkeypatch.setattr("nurie.train.val_tensors", lambda *_: None)
    told(config)
    assert opened == []
    add(mine, "q1")
    os.utime(mine / "train" / "p3--few.png", ns=(1, 1))
    told(config)
    assert sorted(opened) == ["p3--few.png", "q1.png"]
    (tmp_path / "run" / ".pairs.json").write_text(json.dumps({"files": {"train/p0--few.png": ["x"]}}))
    told(config)
    assert len(opened) == 2 + 19


def test_pairs_in_two_folders_are_remembered_by_both_files(tmp_path: Path, told) -> None:
    for i in range(4):
        for side, half in zip("AB", (circle_pair(i)[:, :64], circle_pair(i)[:, 64:]), strict=True):
            (tmp_path / "pairs" / side / "train").mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(tmp_path / "pairs" / side / "train" / f"p{i}.png"), half)
    config = Train(tmp_path / "pairs", tmp_path / "run", steps=1, **TINY)
    assert "4 pictures with 4 drawings to train on, none for validation" in told(config)
    cv2.imwrite(str(tmp_path / "pairs" / "B" / "train" / "p2.png"), circle_pair(9)[:, 64:])
    (tmp_path / "pairs" / "B" / "train" / "p3.png").write_bytes(b"no picture")
    said = told(replace(config, steps=2))
    assert "1 gone (p3), 1 changed (p2)" in said and said.count("left out: ") == 1
