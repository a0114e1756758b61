"""`prepare` into a folder that has pairs already: what stays, what is made anew, what goes."""

import dataclasses
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from conftest import square
from nurie.config import Prepare
from nurie.errors import NurieError
from nurie.files.ours import PREPARED
from nurie.pairs.record import read_record
from nurie.prepare import prepare
from photos import config, photo, save


def paths(tmp_path: Path) -> list[str]:
    return sorted(path.relative_to(tmp_path / "pairs").as_posix() for path in (tmp_path / "pairs").glob("*/*"))


def bytes_of(tmp_path: Path) -> dict[str, bytes]:
    return {path: (tmp_path / "pairs" / path).read_bytes() for path in paths(tmp_path)}


def say(capsys: pytest.CaptureFixture, **options) -> str:
    """What prepare says, on one line."""
    capsys.readouterr()
    prepare(**options)
    return " ".join(capsys.readouterr().err.split())


def four_photos(tmp_path: Path) -> Prepare:
    for i in range(4):
        save(tmp_path / "photos" / f"p{i}.png", photo(seed=i))
    options = config(tmp_path, details=("few", "many"))
    prepare(options)
    return options


def test_same_command_resumes_and_keeps_what_is_done(tmp_path: Path) -> None:
    for i in range(2):
        save(tmp_path / "photos" / f"p{i}.png", photo(seed=i))
    prepare(config(tmp_path, details=("few",)))
    kept, lost = (tmp_path / "pairs" / "train" / f"p{i}--few.png" for i in range(2))
    kept.write_bytes(kept.read_bytes() + b"kept")
    lost.unlink()
    prepare(config(tmp_path, details=("few",)))
    assert kept.read_bytes().endswith(b"kept") and lost.exists()


def test_other_options_are_not_mixed(tmp_path: Path) -> None:
    save(tmp_path / "photos" / "a.png", photo())
    prepare(config(tmp_path))
    with pytest.raises(NurieError, match=r"made with other options \(size was 32, now 64\)"):
        prepare(config(tmp_path, size=square(64)))


def test_pairs_of_an_older_nurie_had_the_defaults_of_newer_options(tmp_path: Path) -> None:
    save(tmp_path / "photos" / "a.png", photo())
    options = prepare(config(tmp_path)) / PREPARED
    options.write_text(json.dumps({k: v for k, v in json.loads(options.read_text()).items() if k != "margin"}))
    with pytest.raises(NurieError, match=r"margin was 0.06, now 0.1"):
        prepare(config(tmp_path, margin=0.1))
    prepare(config(tmp_path))


def test_damaged_options_are_named_and_the_pairs_stay(tmp_path: Path) -> None:
    save(tmp_path / "photos" / "a.png", photo())
    options = prepare(config(tmp_path)) / PREPARED
    before = sorted(options.parent.rglob("*"))
    options.write_text('{"size": 3')
    with pytest.raises(NurieError, match=r"prepare\.json does not say how the pairs .* truncated. Use another folder"):
        prepare(config(tmp_path))
    assert sorted(options.parent.rglob("*")) == before and options.read_text() == '{"size": 3'


def test_edited_photos_are_made_anew_and_only_they(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    options = four_photos(tmp_path)
    before = bytes_of(tmp_path)
    assert "0 new, 0 made anew, 4 unchanged, 0 removed, 0 left out" in say(capsys, config=options)
    assert bytes_of(tmp_path) == before
    save(tmp_path / "photos" / "p2.png", photo(seed=9))
    assert "0 new, 1 made anew, 3 unchanged, 0 removed, 0 left out" in say(capsys, config=options)
    after = bytes_of(tmp_path)
    assert {path for path in after if after[path] != before[path]} == {"train/p2--few.png", "train/p2--many.png"}


def test_masks_that_come_change_and_go_have_an_effect(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    options = dataclasses.replace(four_photos(tmp_path), masks=tmp_path / "masks")
    mask = np.zeros((40, 60), np.uint8)
    mask[10:30, 20:40] = 255
    for i in range(3):
        save(tmp_path / "masks" / f"p{i}.png", mask)
    assert "0 new, 3 made anew, 0 unchanged, 0 removed, 1 left out" in say(capsys, config=options)
    assert not [path for path in paths(tmp_path) if "p3" in path], "its pairs knew of no mask"
    save(tmp_path / "masks" / "p1.png", cv2.bitwise_not(mask))
    assert "0 new, 1 made anew, 2 unchanged, 0 removed, 1 left out" in say(capsys, config=options)
    (tmp_path / "masks" / "p0.png").unlink()
    assert "2 unchanged, 0 removed, 2 left out" in say(capsys, config=options)
    assert len(paths(tmp_path)) == 4


def test_changed_inputs_have_an_effect(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    for folder in ("photos", "inputs"):
        save(tmp_path / folder / "a.png", photo())
    options = config(tmp_path, mode="folders", inputs=tmp_path / "inputs")
    prepare(options)
    save(tmp_path / "inputs" / "a.png", photo(seed=3))
    assert "1 made anew" in say(capsys, config=options)


def test_pairs_of_deleted_photos_are_removed_and_named(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    options = four_photos(tmp_path)
    (tmp_path / "photos" / "p1.png").unlink()
    save(tmp_path / "photos" / "new.png", photo(seed=8))
    said = say(capsys, config=options)
    assert "1 new, 0 made anew, 3 unchanged, 1 removed, 0 left out" in said
    assert f"removed: {tmp_path / 'pairs' / 'train' / 'p1'}, since p1.png is gone" in said
    assert {path.split("--")[0] for path in paths(tmp_path)} == {"train/p0", "train/p2", "train/p3", "train/new"}


def test_a_photo_that_breaks_takes_its_pairs_along(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    options = four_photos(tmp_path)
    (tmp_path / "photos" / "p1.png").write_bytes(b"\x89PNG")
    assert "3 unchanged, 0 removed, 1 left out 3 pictures to train on" in say(capsys, config=options).replace("(", "")
    assert len(paths(tmp_path)) == 6


def test_a_photo_that_is_there_and_not_read_now_keeps_its_pairs(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    options = four_photos(tmp_path)
    before = bytes_of(tmp_path)
    (tmp_path / "photos" / ".nurie.json").write_text('{"files": ["p1.png"]}')
    assert "3 unchanged, 0 removed" in say(capsys, config=options)
    assert bytes_of(tmp_path) == before


def test_another_folder_of_photos_is_added_and_the_first_is_kept(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    options = four_photos(tmp_path)
    before = bytes_of(tmp_path)
    for i in range(2):
        save(tmp_path / "more" / f"p{i}.png", photo(seed=i + 20))
    more = dataclasses.replace(options, photos=tmp_path / "more")
    for first in (True, False):
        said = say(capsys, config=more)
        assert ("2 new, 0 made anew, 0 unchanged" if first else "0 new, 0 made anew, 2 unchanged") in said
        assert "kept: 4 pictures of another folder of photos" in said and "6 pictures to train on" in said
    after = bytes_of(tmp_path)
    assert set(after) - set(before) == {f"train/p{i}-2--{d}.png" for i in range(2) for d in ("few", "many")}
    assert {path: after[path] for path in before} == before
    assert "0 new, 0 made anew, 4 unchanged, 0 removed" in say(capsys, config=options)


def test_a_folder_of_photos_that_moved_is_not_taken_twice(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    options = four_photos(tmp_path)
    before = paths(tmp_path)
    (tmp_path / "photos").rename(tmp_path / "moved")
    moved = dataclasses.replace(options, photos=tmp_path / "moved")
    assert "4 made anew" in say(capsys, config=moved)
    assert paths(tmp_path) == before
    assert "4 unchanged" in say(capsys, config=moved)


def test_pairs_without_a_record_are_kept_and_counted(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    options = four_photos(tmp_path)
    for path in (tmp_path / "pairs").glob("train/p[01]--*.png"):
        with Image.open(path) as file:
            plain = file.convert("RGB")
        plain.save(path)
    save(tmp_path / "pairs" / "train" / "theirs.png", np.zeros((32, 64, 3), np.uint8))
    before = bytes_of(tmp_path)
    save(tmp_path / "photos" / "p0.png", photo(seed=9))
    said = say(capsys, config=options)
    assert "4 unchanged" in said and "kept: 3 pictures whose pairs do not say what they were made of" in said
    assert "5 pictures to train on" in said and bytes_of(tmp_path) == before


def test_one_detail_changed_by_hand_is_kept_when_its_photo_changes(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    options = four_photos(tmp_path)
    save(tmp_path / "pairs" / "train" / "p0--few.png", np.zeros((32, 64, 3), np.uint8))
    before = bytes_of(tmp_path)
    save(tmp_path / "photos" / "p0.png", photo(seed=9))
    assert "1 made anew, 3 unchanged" in say(capsys, config=options)
    after = bytes_of(tmp_path)
    assert [path for path in after if after[path] != before[path]] == ["train/p0--many.png"]


def test_pairs_without_a_record_stay_on_their_side(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    options = dataclasses.replace(four_photos(tmp_path), val_percent=90)
    for path in (tmp_path / "pairs").glob("*/*.png"):
        with Image.open(path) as file:
            plain = file.convert("RGB")
        plain.save(path)
    before = bytes_of(tmp_path)
    (tmp_path / "pairs" / PREPARED).unlink()
    assert "4 unchanged" in say(capsys, config=options)
    assert bytes_of(tmp_path) == before


def test_a_photo_that_changes_sides_leaves_nothing_behind(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    options = dataclasses.replace(four_photos(tmp_path), val_percent=90)
    (tmp_path / "pairs" / PREPARED).unlink()
    assert "has its pairs elsewhere now" in say(capsys, config=options)
    sides = {s: {path.split("--")[0][-2:] for path in paths(tmp_path) if path.startswith(s)} for s in ("train", "val")}
    assert sides["val"] and not sides["train"] & sides["val"] and len(paths(tmp_path)) == 8


def test_a_pair_says_what_it_was_made_of_and_not_where(tmp_path: Path) -> None:
    save(tmp_path / "photos" / "sub" / "a.png", photo())
    prepare(config(tmp_path, details=("few",)))
    path = tmp_path / "pairs" / "train" / "sub-a--few.png"
    record = read_record(path)
    assert record and record.photo == "sub/a.png" and len(record.folder) == 8 and len(record.made_of) == 32
    assert str(tmp_path).encode() not in path.read_bytes()
