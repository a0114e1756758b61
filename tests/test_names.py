"""Names of pairs: every photo has its own, and every file system takes it."""

import os
from pathlib import PurePosixPath as Path

import pytest

from nurie.pairs.names import LONGEST, name_of, picture_name, picture_names, split_of, splits_of


def names(*paths: str, taken: tuple[str, ...] = ()) -> list[str]:
    return picture_names([Path(path) for path in paths], taken)


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        (["2020/01.jpg", "2020-01.jpg"], ["2020-01", "2020-01-2"]),
        (["a-b.jpg", "a--b.jpg"], ["a-b", "a-b-2"]),
        (["d.JPG", "d.jpg"], ["d-jpg", "d-jpg-2"]),
        (["A.jpg", "a.jpg"], ["A", "a-2"]),
        (["A.jpg", "a-2.jpg", "a.jpg"], ["A", "a-2", "a-3"]),  # never another photo's own name
        (["a.jpg", "a.png", "a-png.jpg"], ["a-jpg", "a-png", "a-png-2"]),
        (["\u00e9.jpg", "e\u0301.jpg"], ["\u00e9", "e\u0301-2"]),  # composed and decomposed
        (["Straße.jpg", "STRASSE.jpg"], ["Straße", "STRASSE-2"]),
        (["x/a b.png", "y.webp"], ["x-a b", "y"]),
    ],
)
def test_names_that_collide_are_numbered_and_others_stay(paths: list[str], expected: list[str]) -> None:
    assert names(*paths) == expected


def test_names_that_are_taken_are_numbered() -> None:
    assert names("a.png", "a-2.png", "b.png", taken=("A", "c")) == ["a-3", "a-2", "b"]


def test_many_collisions_are_all_apart() -> None:
    letters = ["".join(c.upper() if i >> n & 1 else c for n, c in enumerate("abcdefgh")) for i in range(256)]
    found = names(*(f"{name}.jpg" for name in letters), "abcdefgh-7.jpg")
    assert len({name.casefold() for name in found}) == 257 and found[-1] == "abcdefgh-7"


@pytest.mark.parametrize(
    "path", ["x" * 255 + ".jpg", "猫" * 80 + "/" + "犬" * 80 + ".jpg", os.fsdecode(b"caf\xe9.jpg")]
)
def test_names_that_do_not_fit_are_shortened_and_stay_apart(path: str) -> None:
    one, two = names(path, path.replace(".", "y."))
    (numbered,) = names(path, taken=(one,))
    assert len({one, two, numbered}) == 3
    for name in (one, two, numbered):
        assert len(name.encode()) <= LONGEST and "\ufffd" not in name
    assert picture_name(Path(path)) == one


def test_the_longest_name_that_fits_stays() -> None:
    assert names("x" * LONGEST + ".jpg") == ["x" * LONGEST]


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("cat--few.png", "cat"),
        ("cat--some.png", "cat"),
        ("cat--many.webp", "cat"),
        ("cat--1.png", "cat--1"),
        ("a--b--few.png", "a--b"),
        ("cat.png", "cat"),
        ("cat--few-2.png", "cat--few-2"),
    ],
)
def test_only_details_make_a_group(file: str, name: str) -> None:
    assert name_of(Path(file)) == name


def test_few_val_pictures_of_many_become_four_by_the_same_hash() -> None:
    everything = [f"cat {i}" for i in range(1000)]
    poor = [name for name in everything if split_of(name, 10) == "train"][:24]
    splits = splits_of(poor, 10)
    assert splits.count("val") == 4
    assert splits_of(poor[::-1], 10) == splits[::-1]
    assert splits_of(poor, 0).count("val") == 0 and splits_of(poor[:19], 10).count("val") == 0
    one = [*poor, next(name for name in everything if split_of(name, 10) == "val")]
    assert splits_of(one, 10).count("val") == 4 and splits_of(one, 10)[-1] == "val"
    assert splits_of(everything, 10) == [split_of(name, 10) for name in everything]


def test_a_group_lies_on_one_side_by_the_hash_of_its_own_name() -> None:
    names = [f"cat {i}" for i in range(300)]
    groups = {name: f"group {i % 60}" for i, name in enumerate(names) if i < 240}
    splits = splits_of(names, 10, groups)
    assert splits == [split_of(groups.get(name, name), 10) for name in names] != splits_of(names, 10)
    few = {name: f"group {i // 10}" for i, name in enumerate(names[:30])}
    sides = splits_of(names[:30], 1, few)
    assert sides.count("val") == 10 and all(len(set(sides[i : i + 10])) == 1 for i in (0, 10, 20))
    assert set(splits_of(names[:30], 1, dict.fromkeys(names, "one"))) == {"train"}
