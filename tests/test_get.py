"""`nurie get` against a server on this computer that breaks off, lies, and sends hostile archives."""

import hashlib
import io
import json
import subprocess
import sys
import tarfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nurie.config import Get
from nurie.datasets import download as downloads
from nurie.datasets.sources import DATA_SETS, Archive, emoji_group
from nurie.errors import NurieError
from nurie.get import DOWNLOADS, SOURCES, get

JPEG = b"\xff\xd8 a photo"


class Server(ThreadingHTTPServer):
    """Files by name. `breaks`: after how many bytes each of the next connections ends; `log`: what was asked for."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {}
        self.breaks: list[int] = []
        self.status = 0  # of the answers, in place of the files
        self.ranges = True
        self.log: list[tuple[str, str | None]] = []
        self.url = f"http://127.0.0.1:{self.server_port}/some/where"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        name, asked = self.path.rpartition("/")[2], self.headers.get("Range")
        self.server.log.append((name, asked))
        data = self.server.files.get(name)
        if self.server.status or data is None:
            return self.send_error(self.server.status or 404)
        begin = int(asked.removeprefix("bytes=").rstrip("-")) if asked and self.server.ranges else 0
        if begin >= len(data):
            return self.send_error(416)
        self.send_response(206 if begin else 200)
        if begin:
            self.send_header("Content-Range", f"bytes {begin}-{len(data) - 1}/{len(data)}")
        self.send_header("Content-Length", str(len(data) - begin))
        self.end_headers()
        end = begin + self.server.breaks.pop(0) if self.server.breaks else len(data)
        self.wfile.write(data[begin:end])
        return None

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """With small data sets whose files have the official ones' names and folders."""
    monkeypatch.setattr(downloads.time, "sleep", lambda seconds: None)
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        trimap = np.full((20, 20), 2, np.uint8)
        trimap[8:12, 8:12] = 1
        photos = {"images/Bengal_1.jpg": JPEG, "images/Maine_Coon_2.jpg": JPEG, "images/pug_1.jpg": b"a dog"}
        masks = {f"annotations/trimaps/{name}.png": png(trimap) for name in ("Bengal_1", "Maine_Coon_2", "pug_1")}
        facades = {f"facades/{name}.jpg": JPEG for name in ("train/1", "val/1", "test/7")}
        server.files = {
            "images.tar.gz": tarred(photos | {"images/Bengal_1.mat": b"no photo"}),
            "annotations.tar.gz": tarred(masks | {"annotations/trimaps/._Bengal_1.png": b"of a Mac"}),
            "openmoji-618x618-black.zip": zipped({"1F600.png": b"black", "LICENSE.txt": b"-"}),
            "openmoji-618x618-color.zip": zipped({"1F600.png": b"colour"}),
            "facades.tar.gz": tarred(facades),
        }
        for name, data_set in DATA_SETS.items():
            archives = tuple(known(a, server.files[a.name]) for a in data_set.archives)
            monkeypatch.setitem(DATA_SETS, name, replace(data_set, archives=archives))
        yield server
        server.shutdown()
        thread.join()


def known(archive: Archive, data: bytes) -> Archive:
    """As much of it as is known of the official one."""
    digest = hashlib.sha256(data).hexdigest() if archive.sha256 else ""
    return replace(archive, least=1, size=len(data) if archive.size else 0, sha256=digest)


def png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def tarred(files: dict[str, bytes], *more: tarfile.TarInfo) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz", compresslevel=1) as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
        for member in more:
            archive.addfile(member)
    return file.getvalue()


def zipped(files: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return file.getvalue()


def tree(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def sources(folder: Path) -> list[dict]:
    return json.loads((folder / SOURCES).read_text())["archives"]


def test_cats_come_with_masks_breeds_and_their_credit(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = get(Get("cats", tmp_path / "cats", mirror=server.url))
    pictures = {f"{kind}/{name}" for kind in ("photos", "masks") for name in ("Bengal_1", "Maine_Coon_2")}
    assert {path.partition(".")[0] for path in tree(folder) if "/" in path} == pictures
    assert tree(folder) > {SOURCES, "CREDITS.txt", "list.csv"}
    assert (folder / "list.csv").read_text() == "id,breed\nBengal_1,Bengal\nMaine_Coon_2,Maine_Coon\n"
    mask = np.asarray(Image.open(folder / "masks" / "Bengal_1.png"))
    expected = np.zeros((20, 20), np.uint8)
    expected[6:14, 6:14] = 255  # two pixels wider than the subject
    assert np.array_equal(mask, expected)
    assert "Parkhi" in (folder / "CREDITS.txt").read_text() and "CC BY-SA 4.0" in capsys.readouterr().out
    assert [archive["known"] for archive in sources(folder)] == [True, True]
    assert not (folder / DOWNLOADS).exists()


@pytest.mark.parametrize(
    ("name", "files"),
    [
        ("openmoji", {"black/1F600.png", "color/1F600.png"}),
        ("facades", {"train/1.jpg", "val/1.jpg", "test/7.jpg"}),
    ],
)
def test_a_checksum_that_nobody_published_is_noted_and_said(
    name: str, files: set[str], server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = get(Get(name, tmp_path / name, mirror=server.url))  # pyright: ignore[reportArgumentType]
    assert {path for path in tree(folder) if "/" in path} == files
    said = capsys.readouterr().out
    for archive, found in zip(DATA_SETS[name].archives, sources(folder), strict=True):
        digest = hashlib.sha256(server.files[archive.name]).hexdigest()
        assert (found["sha256"], found["known"]) == (digest, False)
        assert f"nobody has published its checksum. It is {digest}" in said


def test_variants_of_an_emoji_are_of_one_group(server: Server, tmp_path: Path) -> None:
    folder = get(Get("openmoji", tmp_path / "o", mirror=server.url))
    assert (folder / "groups.csv").read_text() == "code,group\n1F600,1F600\n"
    for one, other in (
        ("1F468-1F3FC-200D-1F680", "1F9D1-200D-1F680"),  # a man and a person who are astronauts
        ("1F64B-1F3FF-200D-2642-FE0F", "1F64B"),
        ("1F469-1F3FB-200D-1F9B0", "1F9D1-1F3FF-200D-1F9B2"),
        ("1F469-1F3FB-200D-2764-FE0F-200D-1F48B-200D-1F468-1F3FC", "1F48F-1F3FD"),
        ("1F469-200D-1F91D-200D-1F469", "1F46D"),
    ):
        assert emoji_group(one) == emoji_group(other)
    for one, other in (("1F600", "1F601"), ("1F468-200D-1F680", "1F468-200D-1F692"), ("2640-FE0F", "2642-FE0F")):
        assert emoji_group(one) != emoji_group(other)
    assert emoji_group("1F3FB") == "1F3FB" and emoji_group("0031-FE0F-20E3") == "0031-20E3"


def test_a_second_call_downloads_nothing_and_says_so(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = get(Get("facades", tmp_path / "f", mirror=server.url))
    server.log.clear()
    before = tree(folder)
    assert get(Get("facades", tmp_path / "f", mirror=server.url)) == folder
    assert server.log == [] and tree(folder) == before
    assert "has all of it already" in capsys.readouterr().out


def test_a_download_goes_on_where_the_connection_broke(server: Server, tmp_path: Path) -> None:
    length = len(server.files["facades.tar.gz"])
    server.breaks = [40, 0, 0, 60]
    get(Get("facades", tmp_path / "f", mirror=server.url))
    ranges = [None, "bytes=40-", "bytes=40-", "bytes=40-", "bytes=100-"]
    assert server.log == [("facades.tar.gz", asked) for asked in ranges] and length > 100
    assert sources(tmp_path / "f")[0]["bytes"] == length


def test_it_goes_on_in_a_later_call_and_unpacks_no_archive_twice(server: Server, tmp_path: Path) -> None:
    color = server.files.pop("openmoji-618x618-color.zip")
    with pytest.raises(NurieError, match="answers 404 Not Found: the file is no longer there"):
        get(Get("openmoji", tmp_path / "o", mirror=server.url))
    server.files["openmoji-618x618-color.zip"] = color
    server.log.clear()
    server.breaks = [30, 0, 0, 0, 0, 0]
    with pytest.raises(NurieError, match=r"can not be downloaded .* 30 bytes, is kept: run the command again"):
        get(Get("openmoji", tmp_path / "o", mirror=server.url))
    server.breaks = []
    get(Get("openmoji", tmp_path / "o", mirror=server.url))
    assert {name for name, _ in server.log} == {"openmoji-618x618-color.zip"}
    assert server.log[-1][1] == "bytes=30-"
    assert tree(tmp_path / "o") > {"black/1F600.png", "color/1F600.png"}


def test_a_server_without_ranges_sends_all_of_it_again(server: Server, tmp_path: Path) -> None:
    server.ranges, server.breaks = False, [40]
    get(Get("facades", tmp_path / "f", mirror=server.url))
    assert len(server.log) == 2 and sources(tmp_path / "f")[0]["bytes"] == len(server.files["facades.tar.gz"])


@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_busy_server_is_asked_five_times(status: int, server: Server, tmp_path: Path) -> None:
    server.status = status
    with pytest.raises(NurieError, match=f"can not be downloaded \\({status} .*run the command again"):
        get(Get("facades", tmp_path / "f", mirror=server.url))
    assert len(server.log) == 5


def test_no_server_is_a_sentence(tmp_path: Path, server: Server) -> None:
    with pytest.raises(NurieError, match=r"can not be downloaded .*efused.* when the network is there"):
        get(Get("facades", tmp_path / "f", mirror="http://127.0.0.1:9/"))


@pytest.mark.parametrize("change", [lambda data: data[:-1] + b"?", lambda data: data + b"?", lambda data: data[:-9]])
def test_another_file_than_the_known_one_is_refused(
    change: Callable[[bytes], bytes], server: Server, tmp_path: Path
) -> None:
    good = server.files["images.tar.gz"]
    server.files["images.tar.gz"] = change(good)
    with pytest.raises(NurieError, match=r"another one|not the file that is known"):
        get(Get("cats", tmp_path / "cats", mirror=server.url))
    assert not any("photos" in path for path in tree(tmp_path / "cats"))
    server.files["images.tar.gz"] = good
    get(Get("cats", tmp_path / "cats", mirror=server.url))  # nothing of the wrong one is left


def test_a_part_of_another_length_is_begun_anew(server: Server, tmp_path: Path) -> None:
    part = tmp_path / "cats" / DOWNLOADS / "images.tar.gz.part"
    server.status = 500
    with pytest.raises(NurieError):
        get(Get("cats", tmp_path / "cats", mirror=server.url))
    server.status = 0
    part.write_bytes(bytes(len(server.files["images.tar.gz"]) + 5))
    get(Get("cats", tmp_path / "cats", mirror=server.url))
    assert len(tree(tmp_path / "cats" / "photos")) == 2


def link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member


HOSTILE = {
    "facades/train/../../../../out.jpg": JPEG,
    "/train/absolute.jpg": JPEG,
    "../train/above.jpg": JPEG,
    "facades/train/..\\..\\back.jpg": JPEG,
    "facades/train/C:evil.jpg": JPEG,
    "facades/train/.hidden.jpg": JPEG,
    "facades/train/a\nb.jpg": JPEG,
    "facades/train/" + "n" * 250 + ".jpg": JPEG,
    "train/good.jpg": JPEG,
}


def test_hostile_names_and_links_write_nothing_elsewhere(server: Server, tmp_path: Path) -> None:
    links = [
        link("facades/train/link.jpg", "/etc/passwd"),
        link("facades/val", "/"),
        link("facades/train/hard.jpg", "facades/train/good.jpg", tarfile.LNKTYPE),
        link("facades/train/pipe.jpg", "", tarfile.FIFOTYPE),
    ]
    server.files["facades.tar.gz"] = tarred(HOSTILE, *links)
    folder = get(Get("facades", tmp_path / "a" / "b" / "f", mirror=server.url))
    assert {path for path in tree(folder) if "/" in path} == {"train/good.jpg", "train/above.jpg", "train/absolute.jpg"}
    assert {path.name for path in tmp_path.iterdir()} == {"a"} and not any(p.is_symlink() for p in tmp_path.rglob("*"))


def test_bombs_and_damage_are_sentences(server: Server, tmp_path: Path) -> None:
    bomb = zipped({f"{i}.png": b"" for i in range(9)} | {"big.png": bytes(65 << 20)})
    for i, (data, match) in enumerate([
        (bomb, "would fill more than 1024 MiB"),
        (b"PK but no zip", "is no archive that can be read"),
        (zipped({"README.md": b"-"}), "has 0 of the files that were expected"),
        (server.files["openmoji-618x618-black.zip"][:-30], "is no archive that can be read"),
    ]):  # fmt: skip
        server.files["openmoji-618x618-black.zip"] = data
        with pytest.raises(NurieError, match=match):
            get(Get("openmoji", tmp_path / str(i), mirror=server.url))


def test_what_is_not_ours_is_never_touched(server: Server, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "photo.jpg").write_bytes(b"mine")
    with pytest.raises(NurieError, match="is not empty and is no data set that `nurie get` downloads"):
        get(Get("cats", tmp_path / "mine", mirror=server.url))
    get(Get("facades", tmp_path / "f", mirror=server.url))
    with pytest.raises(NurieError, match="holds the data set facades, not cats"):
        get(Get("cats", tmp_path / "f", mirror=server.url))
    with pytest.raises(NurieError, match=r"must be an address that begins with http:// or https://"):
        get(Get("cats", tmp_path / "g", mirror="file:///etc"))
    assert tree(tmp_path / "mine") == {"photo.jpg"}


def test_a_second_call_at_the_same_time_is_refused(server: Server, tmp_path: Path) -> None:
    hold = "import sys; from pathlib import Path; from nurie.files.lock import locked\n"
    hold += "with locked(Path(sys.argv[1])): print('in', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", hold, str(tmp_path / "f")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout and first.stdout.readline() == "in\n"
        with pytest.raises(NurieError, match=f"is being written to by process {first.pid}"):
            get(Get("facades", tmp_path / "f", mirror=server.url))
        assert server.log == []
        first.communicate()
    get(Get("facades", tmp_path / "f", mirror=server.url))
    assert not any("lock" in path for path in tree(tmp_path / "f"))


def test_the_official_data_sets_are_plausible() -> None:
    for data_set in DATA_SETS.values():
        assert data_set.licence and data_set.credit and "FOLDER" in data_set.next
        for archive in data_set.archives:
            assert archive.url.startswith("http") and archive.name.endswith((".tar.gz", ".zip"))
            assert archive.least > 100 and archive.size < archive.most
            assert len(archive.sha256) in (0, 64) and bool(archive.sha256) == bool(archive.size)
