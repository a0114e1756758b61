"""Class-balanced batches, and what a user gets told about a list."""

from collections import Counter
from pathlib import Path

import pytest
import torch

from conftest import UNVARIED, square
from nurie.batches.sampler import Sampler
from nurie.config import Train
from nurie.errors import NurieError
from nurie.pairs.classes import classes_of, members_of_classes, read_classes
from nurie.pairs.folder import open_pairs

NAMES = [f"p{i}" for i in range(6)]
UNEVEN = "id,breed,width\np0,Tabby,3\n" + "".join(f"p{i},Persian,3\n" for i in range(1, 6)) + "other,Sphynx,4\n"


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def sampler(pairs: Path, seed: int = 1, **options) -> Sampler:
    config = Train(pairs, Path("run"), batch=3, seed=seed, **UNVARIED)
    return Sampler(open_pairs(pairs, "train", square(64), "AtoB"), config, **options)


def balanced(pairs: Path, tmp_path: Path, **options) -> Sampler:
    return sampler(
        pairs, classes=members_of_classes(classes_of(write(tmp_path / "list.csv", UNEVEN), NAMES)), **options
    )


def test_a_list_gives_the_pictures_of_each_class(tmp_path: Path) -> None:
    assert members_of_classes(classes_of(write(tmp_path / "list.csv", UNEVEN), NAMES)) == ((1, 2, 3, 4, 5), (0,))


def test_a_byte_order_mark_and_empty_lines_do_no_harm(tmp_path: Path) -> None:
    path = write(tmp_path / "list.csv", '\ufeffid,class\n\n"a, b",x\n')
    assert read_classes(path) == {"a, b": "x"}


def test_every_class_comes_equally_often_and_every_picture_of_it_too(pairs: Path, tmp_path: Path) -> None:
    balanced_sampler = balanced(pairs, tmp_path)
    drawn = [balanced_sampler._of_class(position) for position in range(20)]  # 10 turns: 2 epochs of the larger class
    assert Counter(drawn) == {0: 10, 1: 2, 2: 2, 3: 2, 4: 2, 5: 2}
    assert all(0 in drawn[turn : turn + 2] for turn in range(0, 20, 2))
    assert drawn[0:10] != drawn[10:20]


def test_balanced_batch_depends_on_seed_step_and_process_alone(pairs: Path, tmp_path: Path) -> None:
    first, again = (balanced(pairs, tmp_path)(7) for _ in range(2))
    assert torch.equal(first.drawing, again.drawing)
    for other in ({"seed": 2}, {"process": 1, "processes": 2}):
        assert not torch.equal(first.drawing, balanced(pairs, tmp_path, **other)(7).drawing)


def test_without_classes_the_order_is_the_old_one(pairs: Path) -> None:
    # written down before there were classes
    assert [sampler(pairs)._of_all(position) for position in range(12)] == [1, 5, 3, 2, 0, 4, 5, 0, 1, 2, 4, 3]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", r"lists no pictures\. Expected a CSV file with a header"),
        ("id,breed\n", "lists no pictures"),
        ("id\np0\n", r"Row 2 of .*list\.csv has no name and class: 'p0'"),
        ("id;breed\np0;Tabby\n", "Row 2 of .* has no name and class: 'p0;Tabby'"),
        ("id,breed\np0,\n", "Row 2 of .* has no name and class"),
        ('id,breed\n"p0,x\n', "can not be read as a list of classes"),
        ("id,breed\np0,x\np0,y\n", "puts p0 into two classes, x and y"),
        ("id,breed\np0,x\np1,x\n", "lists no class for 4 of 6 pictures, such as p2, p3, p4"),
    ],
)
def test_a_wrong_list_gives_a_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(NurieError, match=sentence):
        classes_of(write(tmp_path / "list.csv", text), NAMES)


def test_a_missing_or_binary_list_gives_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(NurieError, match="There is no list of classes at"):
        read_classes(tmp_path / "nothing.csv")
    (tmp_path / "list.csv").write_bytes(b"id,class\n\xff\xfe\x00,x\n")
    with pytest.raises(NurieError, match="can not be read as a list of classes"):
        read_classes(tmp_path / "list.csv")
