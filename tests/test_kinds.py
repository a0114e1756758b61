"""The wrong folder is one sentence with the right command; pairs are found in each usual layout; a page has a title."""

import json
from pathlib import Path
from shlex import split

import cv2
import numpy as np
import pytest

from conftest import TINY, circle_pair, square, write_pairs
from nurie import cli
from nurie.config import Export, Train
from nurie.errors import NurieError
from nurie.export import export
from nurie.files.titles import title_from
from nurie.pairs.folder import PairFolder, open_pairs
from nurie.pairs.kinds import kind_of
from nurie.pairs.layouts import find_pairs
from nurie.train import train


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One folder of each kind, which is where commands run."""
    write_pairs(tmp_path / "pairs", train=2, val=1)
    for folder, name, text in (
        ("run", "checkpoint.safetensors", ""),
        ("model", "manifest.json", json.dumps({"format": "nurie-model"})),
        ("site", "site.json", json.dumps({"format": "nurie-site"})),
    ):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / name).write_text(text)
    for folder, picture in (("photos/2020", circle_pair(1)[:, :100]), ("flat", circle_pair(1))):
        (tmp_path / folder).mkdir(parents=True)
        for i in range(3):
            cv2.imwrite(str(tmp_path / folder / f"{i}.png"), picture)
    (tmp_path / "data/facades").mkdir(parents=True)
    (tmp_path / "pairs").joinpath("train").rename(tmp_path / "data/facades/train")
    write_pairs(tmp_path / "pairs", train=2, val=1)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_each_kind_is_known(home: Path) -> None:
    for name in ("photos", "pairs", "run", "model", "site"):
        assert kind_of(home / name) == name
    assert [kind_of(home / name) for name in ("flat", "run/checkpoint.safetensors", "data")] == [
        "photos",
        "run",
        "photos",
    ]
    assert [kind_of(home / name) for name in ("nowhere", "model/manifest.json")] == ["", ""]
    (home / "photos/2020").rename(home / "photos/train")  # of trains
    assert kind_of(home / "photos") == "photos"


MISTAKES = [  # what was called, and what is said
    ("train pairs/train new", "There are no pairs in pairs/train/train. Did you mean {home}/pairs?"),
    ("train data new", "Did you mean data/facades?"),
    ("train flat new", "Its pictures are pairs: move most into flat/train, and some into flat/val"),
    ("train photos new", "`nurie prepare photos PAIRS` makes pairs of them"),
    ("train run new", "run is a run; `nurie train` expects a folder of pairs"),
    ("train model new", "What reads it is `nurie publish model SITE`."),
    ("train nowhere new", "make them with `nurie prepare PHOTOS nowhere`"),
    ("train new pairs", "did you mean `nurie train pairs new`?"),
    ("train run pairs", "did you mean `nurie train pairs run`?"),
    ("prepare pairs new", "pairs is a folder of pairs; `nurie prepare` expects a folder of pictures. What reads it is "
                          "`nurie train pairs RUN`."),
    ("prepare run new", "`nurie export run MODEL`"),
    ("prepare new photos", "did you mean `nurie prepare photos new`?"),
    ("prepare model new", "`nurie publish model SITE`"),
    ("export model new", "`nurie publish model SITE`"),
    ("export pairs new", "`nurie train pairs RUN`"),
    ("export new run", "did you mean `nurie export run new`?"),
    ("export model run", "did you mean `nurie export run model`?"),
    ("publish run new", "run is a run; `nurie publish` expects a model. What reads it is `nurie export run MODEL`."),
    ("publish site new", "`nurie serve site`"),
    ("publish site model", "did you mean `nurie publish model site`?"),
    ("publish model new --more run", "`nurie export run MODEL`"),
    ("predict site photos", "`nurie serve site`"),
    ("predict pairs photos", "`nurie train pairs RUN`"),
    ("predict photos model", "did you mean `nurie predict model photos`?"),
    ("evaluate site pairs", "expects a model or a run. What reads it is `nurie serve site`."),
    ("evaluate pairs run", "did you mean `nurie evaluate run pairs`?"),
    ("serve model --no-open", "What reads it is `nurie publish model SITE`."),
    ("serve run --no-open", "`nurie export run MODEL`"),
    ("make site new", "`nurie serve site`"),
]  # fmt: skip


@pytest.mark.parametrize(("called", "said"), MISTAKES, ids=[called for called, _ in MISTAKES])
def test_a_wrong_folder_is_one_sentence_with_the_right_command(
    called: str, said: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(home.rglob("*"))
    with pytest.raises(SystemExit) as stop:
        cli.main(split(called))
    told = capsys.readouterr().err
    assert stop.value.code == 1 and told.startswith("nurie: ") and told.count("\n") == 1
    assert said.format(home=home) in told
    assert sorted(home.rglob("*")) == before


def half(path: Path, picture: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), picture)


LAYOUTS = {
    "one folder": ("{split}/{name}_A.png", "{split}/{name}_B.png"),
    "cyclegan": ("{split}A/{name}.png", "{split}B/{name}.png"),
    "cyclegan, names with sides": ("{split}A/{name}_A.png", "{split}B/{name}_B.jpg"),
    "pix2pix": ("A/{split}/{name}.png", "B/{split}/{name}.png"),
}


@pytest.mark.parametrize("val", ["val", "test"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_pairs_in_other_layouts_are_those_of_one_file(layout: str, val: str, tmp_path: Path) -> None:
    for split_name, count in (("train", 4), (val, 2)):
        for i in range(count):
            pair = circle_pair(i, 64)
            for file, picture in zip(LAYOUTS[layout], (pair[:, :64], pair[:, 64:]), strict=True):
                half(tmp_path / "apart" / file.format(split=split_name, name=f"p{i}"), picture)
            half(tmp_path / "pairs" / split_name / f"p{i}.png", pair)
    for split_name, count in (("train", 4), ("val", 2)):
        for direction in ("AtoB", "BtoA"):
            apart = open_pairs(tmp_path / "apart", split_name, square(32), direction)
            whole = open_pairs(tmp_path / "pairs", split_name, square(32), direction)
            assert len(apart) == count and apart.names == whole.names
            for (mine,), (theirs,) in zip(apart.groups, whole.groups, strict=True):
                difference = np.abs(np.subtract(apart.read(mine), whole.read(theirs), dtype=int))
                assert difference.mean() < 4  # JPEG
    assert kind_of(tmp_path / "apart") == "pairs"


def test_a_run_learns_from_two_folders(tmp_path: Path) -> None:
    for split_name in ("train", "test"):
        for i in range(2):
            pair = circle_pair(i, 64)
            half(tmp_path / "facades" / f"{split_name}A/{i}.png", pair[:, :64])
            half(tmp_path / "facades" / f"{split_name}B/{i}.png", pair[:, 64:])
    run = train(Train(tmp_path / "facades", tmp_path / "run", steps=1, **TINY)).parent
    model = export(Export(run, tmp_path / "model", samples=1, tolerance=1.0))
    assert json.loads((model / "manifest.json").read_text())["title"] == "facades"


def test_pictures_without_the_other_half_are_named(tmp_path: Path) -> None:
    for file in ("trainA/a.png", "trainA/b.png", "trainB/a.png", "trainB/c.png"):
        half(tmp_path / file, circle_pair(1)[:, :64])
    with pytest.raises(NurieError, match=r"2 pictures in .*trainA and .*trainB, such as b, have no other half"):
        open_pairs(tmp_path, "train", square(64), "AtoB")


def test_halves_that_are_no_squares_are_a_sentence_with_the_command(tmp_path: Path) -> None:
    half(tmp_path / "trainA/a.png", circle_pair(1)[:, :64])
    half(tmp_path / "trainB/a.png", circle_pair(1)[:, :100])
    folder = PairFolder(tmp_path / "train", square(64))
    with pytest.raises(NurieError, match=r"trainB/a\.png is 100x64 pixels; .* nurie prepare|--inputs"):
        folder.read(folder.groups[0][0])


def test_names_that_only_end_like_halves_are_pairs(tmp_path: Path) -> None:
    for name in ("vitamin_A", "vitamin_B", "vitamin_C"):
        half(tmp_path / "train" / f"{name}.png", circle_pair(1))
    assert len(find_pairs(tmp_path / "train")) == 3 and not any(find_pairs(tmp_path / "train").values())


@pytest.mark.parametrize(
    ("places", "title"),
    [
        (["cats/run"], "cats"),
        (["cats/run-2", "dogs/pairs"], "cats"),
        (["cats"], "cats"),
        (["run", "facades"], "facades"),
        (["models/best", "data/pairs"], "Nurie"),
        (["x/Model 3"], "x"),
        (["run/run", "train"], "Nurie"),
        (["caf\udce9"], "caf?"),
    ],
)
def test_a_title_is_a_name_that_says_something(places: list[str], title: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/anna")
    assert title_from(*(Path("/home/anna") / place for place in places)) == title
