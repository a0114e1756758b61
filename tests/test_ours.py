"""What a command finds in a folder: what people put there, and nothing that Nurie wrote."""

import json
import os
from pathlib import Path

import pytest

from nurie.files.ours import is_ours, walk


def touch(path: Path, text: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def names(folder: Path, *suffixes: str) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in walk(folder, suffixes or (".png",)).files]


OURS = {
    "pairs": ("prepare.json", json.dumps({"photos": "a", "pairs": "b", "mode": "lines", "size": 256})),
    "site": ("site.json", json.dumps({"format": "nurie-site", "version": 1})),
    "model": ("manifest.json", json.dumps({"format": "nurie-model", "version": 1})),
    "run": ("checkpoint.safetensors", ""),
    "best": ("best.safetensors", ""),
    "begun": ("losses.jsonl", ""),
    "half-written": (".nurie-new.json", ""),
}


@pytest.mark.parametrize("kind", OURS)
def test_what_nurie_wrote_is_not_found_but_where_it_is_named(tmp_path: Path, kind: str) -> None:
    name, text = OURS[kind]
    touch(tmp_path / "a.png")
    touch(tmp_path / "sub" / kind / "train" / "b.png")
    assert names(tmp_path) == ["a.png", f"sub/{kind}/train/b.png"]
    touch(tmp_path / "sub" / kind / name, text)
    assert is_ours(tmp_path / "sub" / kind) and not is_ours(tmp_path)
    found = walk(tmp_path, {".png"})
    assert found.files == [tmp_path / "a.png"] and found.ignored == {"of Nurie's folders": 1}
    assert names(tmp_path / "sub" / kind) == ["train/b.png"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("prepare.json", '{"photos": 3}'),
        ("prepare.json", "[" * 100_000),
        ("manifest.json", '{"format": "web"}'),
        ("site.json", "no JSON"),
        ("manifest.json", '["nurie-model"]'),
    ],
)
def test_folders_of_others_are_found(tmp_path: Path, name: str, text: str) -> None:
    touch(tmp_path / "sub" / "a.png")
    touch(tmp_path / "sub" / name, text)
    assert names(tmp_path) == ["sub/a.png"]


def test_files_on_a_folders_list_are_ours_and_those_beside_them_are_not(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "sub"):
        for name in ("mine.png", "coloured.png"):
            touch(folder / name)
        touch(folder / ".nurie.json", json.dumps({"format": "nurie-files", "by": "predict", "files": ["coloured.png"]}))
    assert names(tmp_path) == ["mine.png", "sub/mine.png"]


def test_a_list_that_is_none_hides_nothing(tmp_path: Path) -> None:
    touch(tmp_path / "a.png")
    touch(tmp_path / ".nurie.json", '{"files": 3}')
    assert names(tmp_path) == ["a.png"]


def test_hidden_files_are_not_found_and_others_are_counted_by_ending(tmp_path: Path) -> None:
    for name in ("a.PNG", "b.png", ".hidden.png", ".git/c.png", "d.MOV", "e.mov", "f.heic", "Makefile"):
        touch(tmp_path / name)
    found = walk(tmp_path, {".png"})
    assert [path.name for path in found.files] == ["a.PNG", "b.png"]
    assert found.ignored == {".mov": 2, ".heic": 1, "without an ending": 1}


def test_pipes_and_links_to_nothing_are_counted_and_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "gone.png").symlink_to("nowhere.png")
    (tmp_path / "self.png").symlink_to("self.png")
    touch(tmp_path / "a.png")
    (tmp_path / "linked.png").symlink_to("a.png")
    found = walk(tmp_path, {".png"})
    assert [path.name for path in found.files] == ["a.png", "linked.png"]
    assert found.ignored["that is a pipe or device"] == 1 and found.ignored["linked to nothing"] == 2


def test_linked_folders_are_read_once_and_loops_end(tmp_path: Path) -> None:
    root = tmp_path / "photos"
    touch(root / "z" / "a.png")
    touch(tmp_path / "outside" / "b.png")
    touch(tmp_path / "beside.png")
    (root / "a-link-to-z").symlink_to("z")
    (root / "more").symlink_to(tmp_path / "outside")
    (root / "again").symlink_to(tmp_path / "outside")
    (root / "z" / "loop").symlink_to("..")
    (root / "up").symlink_to(tmp_path)
    (tmp_path / "outside" / "back").symlink_to(root)
    assert names(root) == ["again/b.png", "z/a.png"]


def test_folders_named_as_not_wanted_are_left_out(tmp_path: Path) -> None:
    for name in ("a.png", "masks/a.png", "more/a.png"):
        touch(tmp_path / name)
    found = walk(tmp_path, {".png"}, without=[tmp_path / "masks", None])
    assert found.files == [tmp_path / "a.png", tmp_path / "more" / "a.png"] and not found.ignored


def test_a_folder_that_can_not_be_read_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path / "a.png")
    closed = touch(tmp_path / "closed" / "b.png").parent
    listing = os.listdir

    def refuse(path: Path) -> object:
        if path == closed:
            raise PermissionError(13, "Permission denied", str(path))
        return listing(path)

    monkeypatch.setattr("nurie.files.ours.os.listdir", refuse)  # root may read everything
    found = walk(tmp_path, {".png"})
    assert found.files == [tmp_path / "a.png"] and found.ignored == {"unreadable folder": 1}
