"""What a command wrote before is replaced, whole or not at all; what else a folder holds stays."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from nurie.errors import NurieError
from nurie.files import write
from nurie.files.install import BEGUN, install, refuse_foreign

OLD = {"a.1.js": b"1", "sub/b.1.js": b"2", "sub/same": b"s", "index": b"a.1", "list": b"old"}
NEW = {"a.2.js": b"3", "sub/same": b"s", "other/c.2.js": b"4", "index": b"a.2", "list": b"new"}


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def stop_at(monkeypatch: pytest.MonkeyPatch, moment: Callable[[str], bool], error: BaseException) -> None:
    """An error where a file of this name would take its place."""
    replace = os.replace

    def full(old: Path, new: Path) -> None:
        if moment(Path(new).name):
            raise error
        replace(old, new)

    monkeypatch.setattr(os, "replace", full)


def test_files_are_replaced_and_nothing_is_left(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "site"
    standing: dict[str, bytes] = {}
    for files in (OLD, NEW, OLD):
        install(files, folder, standing)
        standing = files
        assert contents(folder) == files
        assert list(folder.parent.iterdir()) == [folder]
        assert {path.name for path in folder.iterdir() if path.is_dir()} == {
            Path(n).parts[0] for n in files if "/" in n
        }


def test_what_the_list_does_not_name_stays_and_is_named(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    mine = {"CNAME": b"x", ".git/HEAD": b"y", "sub/mine": b"z", "own/deep/page": b"p", "e": b"", "f": b""}
    install(OLD, tmp_path, ())
    assert capsys.readouterr().err == ""
    for name, data in mine.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    install(NEW, tmp_path, OLD)
    assert contents(tmp_path) == NEW | mine
    assert capsys.readouterr().err == "kept: .git, CNAME, e, f, own and 1 more (not made by this command)\n"
    install({"list": b""}, tmp_path, NEW)
    assert contents(tmp_path) == mine | {"list": b""}


@pytest.mark.parametrize("name", ["index", "other", "other/c.2.js", "a.2.js/mine"])
def test_what_is_in_the_way_is_refused_before_anything_is_written(tmp_path: Path, name: str) -> None:
    standing = {n: d for n, d in OLD.items() if n != "index"}
    install(standing, tmp_path, ())
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_bytes(b"mine")
    with pytest.raises(NurieError, match=rf"{name.removesuffix('/mine')} is in the way.*Nothing was written"):
        install(NEW, tmp_path, standing)
    assert contents(tmp_path) == standing | {name: b"mine"}


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("name", [BEGUN, *NEW])
def test_an_error_at_any_file_leaves_the_old_or_the_new_and_the_next_call_ends_it(
    tmp_path: Path, name: str, error: BaseException
) -> None:
    install(OLD, tmp_path, ())
    (tmp_path / "mine").write_bytes(b"mine")
    with pytest.MonkeyPatch.context() as patch, pytest.raises(type(error)) as raised:
        stop_at(patch, lambda file: file == Path(name).name, error)
        install(NEW | {"sub/same": b"other"}, tmp_path, OLD)
    found = contents(tmp_path)
    where = getattr(raised.value, "filename", str(tmp_path / name))
    assert where == str(tmp_path / name)
    if isinstance(error, OSError) and name in (BEGUN, "a.2.js", "other/c.2.js", "sub/same"):
        assert found == OLD | {"mine": b"mine"}  # nothing was replaced yet
    assert found.items() >= {n: d for n, d in OLD.items() if n not in NEW}.items()
    assert found["list"] == b"old" and found["mine"] == b"mine"
    assert found["index"] == b"a.1" or found["a.2.js"] == b"3"
    install(NEW, tmp_path, OLD)
    assert contents(tmp_path) == NEW | {"mine": b"mine"}


def test_ctrl_c_just_after_a_file_was_replaced_removes_nothing_that_it_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(OLD, tmp_path, ())
    replace = os.replace

    def stopped(old: Path, new: Path) -> None:
        replace(old, new)
        if Path(new).name == "index":
            raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", stopped)
    with pytest.raises(KeyboardInterrupt):
        install(NEW, tmp_path, OLD)
    assert contents(tmp_path).items() >= (OLD | NEW | {"list": OLD["list"]}).items()


@pytest.mark.parametrize("name", [BEGUN, "sub/b.1.js", "list"])
def test_a_folder_that_is_new_goes_away_with_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    stop_at(monkeypatch, lambda file: file == Path(name).name, OSError(28, "No space left on device"))
    with pytest.raises(OSError, match="No space left"):
        install(OLD, tmp_path / "model", ())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")
def test_what_can_not_be_added_to_a_file_names_it() -> None:
    with pytest.raises(OSError, match="No space left") as error:
        write.append(Path("/dev/full"), "line\n")
    assert error.value.filename == "/dev/full"


def test_what_a_killed_call_began_is_removed_even_where_the_next_one_fails(tmp_path: Path) -> None:
    install(OLD, tmp_path, ())
    (tmp_path / "half.3.js").write_bytes(b"5")
    (tmp_path / BEGUN).write_text('{"format": "nurie-files", "version": 1, "files": ["half.3.js"]}')
    with pytest.MonkeyPatch.context() as patch, pytest.raises(OSError, match="No space"):
        stop_at(patch, lambda file: file == "a.2.js", OSError(28, "No space left on device"))
        install(NEW, tmp_path, OLD)
    install(NEW, tmp_path, OLD)
    assert contents(tmp_path) == NEW


@pytest.mark.parametrize("name", ["../mine", "/tmp/mine", "a/../../mine", "C:/mine", "a\\\\b", "a//b", "."])
def test_a_list_that_leads_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / BEGUN).write_text(f'{{"format": "nurie-files", "version": 1, "files": ["{name}"]}}')
    with pytest.raises(NurieError, match=r"is no list of files that Nurie wrote: `\$\.files"):
        install(NEW, tmp_path / "site", ())


def test_links_to_folders_stay_links(tmp_path: Path) -> None:
    for name in ("disk", "part"):
        (tmp_path / name).mkdir()
    (tmp_path / "site").symlink_to(tmp_path / "disk", target_is_directory=True)
    (tmp_path / "disk" / "sub").symlink_to(tmp_path / "part", target_is_directory=True)
    install(OLD, tmp_path / "site", ())
    install(NEW, tmp_path / "site", OLD)
    assert (tmp_path / "site").is_symlink() and (tmp_path / "disk" / "sub").is_symlink()
    assert contents(tmp_path / "part") == {"same": b"s"} and (tmp_path / "disk" / "list").read_bytes() == b"new"
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere", target_is_directory=True)
    install(OLD, tmp_path / "gone", ())
    assert contents(tmp_path / "nowhere") == OLD


def test_modes_follow_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        install(OLD, tmp_path / "site", ())
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "site" / "list").stat().st_mode) == 0o640
    assert stat.S_IMODE((tmp_path / "site" / "sub").stat().st_mode) == 0o750


def test_half_written_files_of_processes_that_are_gone_are_removed(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    gone = [
        ".nurie-999999999-01234567-0.tmp",
        f".nurie-{os.getpid()}-01234567-3.tmp",
        "sub/.nurie-999999999-01234567-0.tmp",
    ]
    stays = [
        f".nurie-{os.getppid()}-01234567-0.tmp",
        f".nurie-{os.getpid()}-{write.OURS}-9.tmp",
        ".nurie-1-tmp",
        "a.tmp",
    ]
    for name in gone + stays:
        (tmp_path / name).write_bytes(b"half")
    install(OLD, tmp_path, ())
    assert contents(tmp_path) == OLD | dict.fromkeys(stays, b"half")


def test_an_error_of_the_system_names_the_file_and_leaves_none(tmp_path: Path) -> None:
    def full(_: Path, data: bytes) -> int:
        raise OSError(28, "No space left on device")  # as of write(), which knows no path

    with pytest.MonkeyPatch.context() as patch, pytest.raises(OSError, match="No space") as raised:
        patch.setattr(Path, "write_bytes", full)
        write.write_file(tmp_path / "a", b"1")
    assert raised.value.filename == str(tmp_path / "a") and list(tmp_path.iterdir()) == []
    (tmp_path / "a").mkdir()
    with pytest.raises(OSError, match="directory") as raised:
        write.write_file(tmp_path / "a", b"1")
    assert (raised.value.filename, raised.value.filename2) == (str(tmp_path / "a"), None)
    assert contents(tmp_path) == {}


def test_only_what_has_the_marker_or_was_begun_is_ours(tmp_path: Path) -> None:
    for free in ("nowhere", "empty"):
        (tmp_path / "empty").mkdir(exist_ok=True)
        refuse_foreign(tmp_path / free, "site.json", "was not made by us")
    (tmp_path / "empty" / ".nurie-999999999-01234567-0.tmp").write_bytes(b"")
    refuse_foreign(tmp_path / "empty", "site.json", "was not made by us")
    install({"site.json": b"{}", "mine": b""}, tmp_path / "site", ())
    refuse_foreign(tmp_path / "site", "site.json", "was not made by us")
    with pytest.raises(NurieError, match=r"is not empty and was not made by us \(it has no list\.json\)"):
        refuse_foreign(tmp_path / "site", "list.json", "was not made by us")
    (tmp_path / "site" / BEGUN).write_text("{}")
    refuse_foreign(tmp_path / "site", "list.json", "was not made by us")
    with pytest.raises(NurieError, match="is a file"):
        refuse_foreign(tmp_path / "site" / "mine", "site.json", "was not made by us")
