"""What a site's server answers: versions, parts, packing, connections and names."""

import gzip
import os
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from nurie.serve import make_server
from nurie.site import connections
from nurie.site.server import Server
from servers import SCRIPT, WEIGHTS, connect, exchange, get, made_up_site, running


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return made_up_site(tmp_path)


@pytest.fixture
def server(site: Path) -> Iterator[Server]:
    with running(make_server(site, 0)) as server:
        yield server


# Versions, parts, packing


def test_a_version_that_the_client_has_is_not_sent_again(server: Server, site: Path):
    _, first, _ = get(server, "/" + SCRIPT)
    for condition in (
        {"If_None_Match": first["ETag"]},
        {"If_None_Match": f'"other", W/{first["ETag"]}'},
        {"If_Modified_Since": first["Last-Modified"]},
        {"If_None_Match": first["ETag"], "Range": "bytes=0-1"},
    ):
        status, headers, body = get(server, "/" + SCRIPT, **condition)
        assert (status, body) == (304, b"")
        for name in ("ETag", "Cache-Control", "Last-Modified"):
            assert headers[name] == first[name]
    before = (site / SCRIPT).stat()
    (site / SCRIPT).write_text("x" * before.st_size)
    os.utime(site / SCRIPT, ns=(0, before.st_mtime_ns + 1))  # within the same second, of the same size
    status, headers, body = get(server, "/" + SCRIPT, If_None_Match=first["ETag"])
    assert (status, body) == (200, b"x" * before.st_size)
    assert headers["ETag"] != first["ETag"]


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [("0-0", 0, 0), ("5-999", 5, 999), ("70000-", 70000, 199999), ("-3", 199997, 199999), ("-999999", 0, 199999)],
)
def test_parts(server: Server, site: Path, asked: str, first: int, last: int):
    data = os.urandom(200_000)  # more than one piece
    (site / WEIGHTS).write_bytes(data)
    tag = get(server, "/" + WEIGHTS, "HEAD")[1]["ETag"]
    for condition in ({}, {"If_Range": tag}):
        status, headers, body = get(server, "/" + WEIGHTS, Range=f"bytes={asked}", **condition)
        assert status == 206 and body == data[first : last + 1]
        assert headers["Content-Range"] == f"bytes {first}-{last}/200000"
    status, headers, body = get(server, "/" + WEIGHTS, Range=f"bytes={asked}", If_Range='"older"')
    assert (status, body) == (200, data) and "Content-Range" not in headers


def test_a_part_outside_the_file(server: Server, site: Path):
    (site / "empty.txt").write_bytes(b"")
    for path, asked, size in (("/index.html", "10-", 10), ("/index.html", "-0", 10), ("/empty.txt", "0-", 0)):
        status, headers, body = get(server, path, Range=f"bytes={asked}")
        assert (status, headers["Content-Range"], body) == (416, f"bytes */{size}", b"")
    assert get(server, "/index.html", Range="bytes=0-1,3-4")[0::2] == (200, b"index.html")
    assert get(server, "/empty.txt")[0::2] == (200, b"")
    status, headers, body = get(server, "/index.html", "HEAD", Range="bytes=0-1")  # ranges are for GET
    assert (status, headers["Content-Length"]) == (200, "10")


def test_gzip_of_what_becomes_smaller(server: Server, site: Path):
    text = "let a = 1;\n" * 1000
    for name in (SCRIPT, WEIGHTS, "model/preset-1.0123456789ab.png"):
        (site / name).write_text(text)
    _, plain, body = get(server, "/" + SCRIPT)
    assert "Content-Encoding" not in plain and body.decode() == text
    status, packed, body = get(server, "/" + SCRIPT, Accept_Encoding="gzip, br")
    assert (status, packed["Content-Encoding"]) == (200, "gzip")
    assert gzip.decompress(body).decode() == text and len(body) < 1000
    assert plain["ETag"] != packed["ETag"] and plain["Vary"] == packed["Vary"] == "Accept-Encoding"
    assert get(server, "/" + SCRIPT, "HEAD", Accept_Encoding="gzip")[1]["Content-Length"] == str(len(body))
    # a version is one of both
    status, headers, _ = get(server, "/" + SCRIPT, Accept_Encoding="gzip", If_None_Match=packed["ETag"])
    assert (status, headers["ETag"], headers["Vary"]) == (304, packed["ETag"], "Accept-Encoding")
    assert get(server, "/" + SCRIPT, Accept_Encoding="gzip", If_None_Match=plain["ETag"])[0] == 200
    # parts are of the plain one
    status, headers, body = get(server, "/" + SCRIPT, Accept_Encoding="gzip", Range="bytes=0-9")
    assert (status, headers["ETag"], body.decode()) == (206, plain["ETag"], text[:10])
    assert "Content-Encoding" not in headers
    status, _, body = get(server, "/" + SCRIPT, Accept_Encoding="gzip", Range="bytes=0-9", If_Range=packed["ETag"])
    assert (status, body.decode()) == (200, text)
    for name in (WEIGHTS, "model/preset-1.0123456789ab.png", "index.html"):  # the last is too small
        headers = get(server, "/" + name, Accept_Encoding="gzip")[1]
        assert "Content-Encoding" not in headers and "Vary" not in headers


def test_large_files_are_not_held_in_memory_for_gzip(server: Server, site: Path):
    (site / "large.json").write_bytes(b" " * (1 << 20))
    status, headers, body = get(server, "/large.json", Accept_Encoding="gzip")
    assert (status, len(body)) == (200, 1 << 20) and "Content-Encoding" not in headers


def test_a_file_that_becomes_shorter_is_not_taken_for_whole(server: Server, site: Path, monkeypatch):
    monkeypatch.setattr(connections, "HEAD_SECONDS", 1000)  # not the time until the next request ends it
    (site / WEIGHTS).write_bytes(b"")
    os.truncate(site / WEIGHTS, 64 << 20)  # more than sockets hold
    with connect(server) as client, client.makefile("rb") as answer:
        client.sendall(f"GET /{WEIGHTS} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        assert answer.readline() == b"HTTP/1.1 200 OK\r\n"
        os.truncate(site / WEIGHTS, 1000)
        assert len(answer.read()) < 64 << 20  # and the connection has ended


def test_a_folder_with_a_page_has_one_address(server: Server, site: Path):
    (site / "a b").mkdir()
    (site / "a b" / "index.html").write_text("inner")
    status, headers, _ = get(server, "/a%20b?x=1")
    assert (status, headers["Location"], headers["Cache-Control"]) == (301, "/a%20b/?x=1", "no-cache")
    assert get(server, "/a%20b/")[2] == b"inner"
    for path in ("//evil.example/..", "///a%20b", "/%2fevil.example", "http://evil.example/a%20b"):
        assert not re.match(r"(\w+:)?//", get(server, path)[1].get("Location", ""))


@pytest.mark.skipif(os.name == "nt", reason="Windows cannot make such files")
def test_names_that_mean_something_else_on_windows_are_no_files(server: Server, site: Path):
    for name in ("a\\b.txt", "a:b.txt"):
        (site / name).write_text("own")
        assert get(server, f"/{quote(name)}")[0] == 404


# One connection


def test_one_connection_for_several_requests(server: Server):
    request = b"GET /site.json HTTP/1.1\r\nHost: localhost\r\n\r\n"
    assert exchange(server, 3 * request).count(b"HTTP/1.1 200 OK") == 3
    assert exchange(server, b"GET /site.json HTTP/1.0\r\n\r\n" + request).count(b"200 OK") == 1
    assert exchange(server, b"GET /site.json\r\n\r\n").startswith(b"HTTP/1.1 200 OK")


def test_an_answer_has_no_more_than_it_says(server: Server):
    """A client library would not show more."""
    head = b"Host: localhost\r\nConnection: close\r\n"
    assert exchange(server, b"HEAD /site.json HTTP/1.1\r\n" + head + b"\r\n").endswith(b"\r\n\r\n")
    answer = exchange(server, b"GET /site.json HTTP/1.1\r\nRange: bytes=0-3\r\n" + head + b"\r\n")
    assert answer.endswith(b"\r\n\r\nsite")


def test_nothing_is_answered_after_a_wrong_request(server: Server):
    good = b"GET /site.json HTTP/1.1\r\nHost: localhost\r\n\r\n"
    answer = exchange(server, b"GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n" + good)
    assert answer.count(b"HTTP/1.1 ") == answer.count(b"Connection: close") == 1


def test_a_body_is_no_next_request(server: Server, monkeypatch: pytest.MonkeyPatch):
    inner = b"GET /site.json HTTP/1.1\r\nHost: localhost\r\n\r\n"
    for header in (b"Content-Length: %d" % len(inner), b"Transfer-Encoding: chunked"):
        answer = exchange(server, b"GET / HTTP/1.1\r\nHost: localhost\r\n" + header + b"\r\n\r\n" + inner)
        assert answer.count(b"HTTP/1.1 ") == 1 and b"Connection: close" in answer
    monkeypatch.setattr(connections, "LINGER_SECONDS", 60)
    monkeypatch.setattr(connections, "LINGER_BYTES", 1 << 30)
    size = 32 << 20  # more than sockets hold: were the rest not read, sending would fail, and the answer be lost
    answer = exchange(server, b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % size + size * b"x")
    assert answer.startswith(b"HTTP/1.1 405 ") and answer.endswith(b"\r\n405 Files can only be read\n")


@pytest.mark.parametrize(
    ("head", "status"),
    [
        ("GET / HTTP/1.1\r\n", 400),  # no Host
        ("GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n", 400),
        ("GET /%ff HTTP/1.1\r\nHost: localhost\r\n", 400),
        ("GET * HTTP/1.1\r\nHost: localhost\r\n", 400),
        ("GET index.html HTTP/1.1\r\nHost: localhost\r\n", 400),
        ("GET file:///etc/passwd HTTP/1.1\r\nHost: localhost\r\n", 400),
        ("GET http://[/ HTTP/1.1\r\nHost: localhost\r\n", 400),
        ("GET / / HTTP/1.1\r\nHost: localhost\r\n", 400),
        ("GET / HTTP/x\r\nHost: localhost\r\n", 400),
        ("GET / HTTP/2.0\r\nHost: localhost\r\n", 505),
        (f"GET /{'a' * 70000} HTTP/1.1\r\n", 414),
        (f"GET / HTTP/1.1\r\nX: {'a' * 70000}\r\n", 431),
        ("GET / HTTP/1.1\r\n" + 3 * f"X: {'a' * 60000}\r\n", 431),
        ("GET / HTTP/1.1\r\n" + 200 * "X: a\r\n", 431),
        ("GET http://localhost/site.json HTTP/1.1\r\nHost: localhost\r\n", 200),
        ("GET http://localhost HTTP/1.1\r\nHost: localhost\r\n", 200),
    ],
)
def test_odd_requests(server: Server, head: str, status: int):
    assert exchange(server, f"{head}\r\n".encode()).startswith(f"HTTP/1.1 {status} ".encode())


@pytest.mark.parametrize(
    ("host", "answered"),
    [
        ("localhost", True), ("LOCALHOST:1234", True), ("127.0.0.1:8000", True), ("[::1]:8000", True), ("[::1]", True),
        ("evil.example", False), ("evil.example:8000", False), ("localhost.evil.example", False), ("192.0.2.1", False),
        ("localhost@evil.example", False), ("127.0.0.1.evil.example", False), ("", False),
        ("localhost,evil.example", False),
    ],
)  # fmt: skip
def test_other_names_for_this_computer_get_nothing(server: Server, host: str, answered: bool):
    """Else any page on the web could read what is served here, by leading its own name to 127.0.0.1."""
    assert get(server, "/", Host=host)[0] == (200 if answered else 421)
    absolute = f"GET http://{host}/ HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    assert (b" 200 OK" in exchange(server, absolute)) == (answered or not host)


def test_own_files_beside_the_sites_are_asked_for_each_time(server: Server, site: Path):
    for name in ("notes.202401011200.html", "assets/logo.png", "my.0123456789ab.js"):
        (site / name).write_text("own")
        assert get(server, "/" + name)[1]["Cache-Control"] == "no-cache"
    (site / "below" / "model").mkdir(parents=True)
    (site / "below" / WEIGHTS).write_text("a site in a folder of the host")
    assert "immutable" in get(server, "/below/" + WEIGHTS)[1]["Cache-Control"]
