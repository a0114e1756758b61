"""Folders are replaced whole, or stay as they were."""

from pathlib import Path

import pytest

from nurie.errors import NurieError
from nurie.files.install import install, refuse_foreign


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_folder_is_replaced_whole_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "site"
    for files in ({"a": b"1", "b/c.js": b"2"}, {"b/d.js": b"3"}):
        install(files, folder)
        assert contents(folder) == files
        assert list(folder.parent.iterdir()) == [folder]


@pytest.mark.parametrize("moment", ["write", "rename"])
def test_the_old_folder_stays_when_the_new_one_cannot_be_put_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    install({"a": b"1"}, tmp_path / "model")
    rename = Path.rename

    def full(path: Path, *arguments: object) -> Path:
        if path.name == "new" or moment == "write":
            raise OSError("No space left on device")
        return rename(path, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Path, "write_bytes" if moment == "write" else "rename", full)
    with pytest.raises(OSError, match="No space left"):
        install({"b": b"2"}, tmp_path / "model")
    assert contents(tmp_path) == {"model/a": b"1"}
    assert list(tmp_path.iterdir()) == [tmp_path / "model"]


def test_a_link_to_a_folder_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "site").symlink_to(tmp_path / "disk", target_is_directory=True)
    install({"a": b"1"}, tmp_path / "site")
    assert (tmp_path / "site").is_symlink() and contents(tmp_path / "disk") == {"a": b"1"}


def test_only_what_has_the_marker_is_ours(tmp_path: Path) -> None:
    for free in ("nowhere", "empty"):
        (tmp_path / "empty").mkdir(exist_ok=True)
        refuse_foreign(tmp_path / free, "site.json", "was not made by us")
    install({"site.json": b"{}", "mine": b""}, tmp_path / "site")
    refuse_foreign(tmp_path / "site", "site.json", "was not made by us")
    with pytest.raises(NurieError, match=r"is not empty and was not made by us \(it has no list\.json\)"):
        refuse_foreign(tmp_path / "site", "list.json", "was not made by us")
    with pytest.raises(NurieError, match="is a file"):
        refuse_foreign(tmp_path / "site" / "mine", "site.json", "was not made by us")
