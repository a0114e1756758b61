"""A real server on a real port, asked over plain HTTP/1.1: a client library would tidy the paths up."""

import http.client
import os
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from nurie import serve as module
from nurie.config import Serve
from nurie.errors import NurieError
from nurie.serve import Server, make_server


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "site"
    for name in ("assets", "model"):
        (folder / name).mkdir(parents=True)
    files = ["index.html", "site.json", "assets/main.0123456789ab.js", "assets/nurie.0123456789ab.wasm"]
    files += ["assets/style.0123456789ab.css", "model/weights.0123456789ab.bin", "model/preset-1.0123456789ab.png"]
    for name in files:
        (folder / name).write_text(name)
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "site-secret").mkdir()  # a sibling whose name begins with the folder's
    (tmp_path / "site-secret" / "index.html").write_text("secret")
    return folder


@pytest.fixture
def server(site: Path) -> Iterator[Server]:
    with make_server(site, 0) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def get(server: Server, path: str, method: str = "GET") -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=5)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("path", "mime", "cache"),
    [
        ("/", "text/html; charset=utf-8", "no-cache"),
        ("/index.html?x=1", "text/html; charset=utf-8", "no-cache"),
        ("/site.json", "application/json", "no-cache"),
        ("/assets/main.0123456789ab.js", "text/javascript; charset=utf-8", "immutable"),
        ("/assets/nurie.0123456789ab.wasm", "application/wasm", "immutable"),
        ("/assets/style.0123456789ab.css", "text/css; charset=utf-8", "immutable"),
        ("/model/weights.0123456789ab.bin", "application/octet-stream", "immutable"),
        ("/model/preset-1.0123456789ab.png", "image/png", "immutable"),
    ],
)
def test_files_and_headers(server: Server, path: str, mime: str, cache: str):
    status, headers, body = get(server, path)
    assert status == 200
    assert body.decode() == (path.strip("/").partition("?")[0] or "index.html")
    assert headers["Content-Type"] == mime
    assert cache in headers["Cache-Control"]
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Embedder-Policy"] == "require-corp"
    assert get(server, path, "HEAD")[2] == b""


@pytest.mark.parametrize(
    "path",
    [
        "/assets/", "/assets", "/nothing.js", "/../secret.txt", "/%2e%2e/secret.txt", "/assets/../../secret.txt",
        "/..%2fsecret.txt", "/..%5csecret.txt", "//etc/passwd", "/%2fetc/passwd", "/../site-secret/index.html",
        "/index.html%00.png", "/C:/Windows/win.ini", "/" + "a" * 5000,
    ],
)  # fmt: skip
def test_nothing_else_is_served(server: Server, path: str):
    status, headers, body = get(server, path)
    assert status == 404
    assert b"secret" not in body.replace(b"/secret", b"") and b"root:" not in body
    assert headers["Cross-Origin-Embedder-Policy"] == "require-corp"


@pytest.mark.skipif(os.name == "nt", reason="symbolic links need a privilege on Windows")
def test_links_lead_nowhere_outside(server: Server, site: Path):
    (site / "link.txt").symlink_to(site.parent / "secret.txt")
    (site / "out").symlink_to(site.parent)
    (site / "inside.html").symlink_to(site / "index.html")
    assert get(server, "/link.txt")[0] == 404
    assert get(server, "/out/secret.txt")[0] == 404
    assert get(server, "/inside.html")[0] == 200


def test_only_reading(server: Server):
    assert get(server, "/", "POST")[0] == 501
    assert get(server, "/index.html", "DELETE")[0] == 501


def test_the_next_port_is_taken_and_only_this_computer_is_served(server: Server, site: Path):
    port = server.server_address[1]
    with make_server(site, port) as second:
        assert second.server_address[0] == "127.0.0.1"
        assert second.server_address[1] > port
    with pytest.raises(NurieError, match=r"No port from \d+ to \d+ is free"):
        make_server(site, port, tries=1)


def test_sentences(tmp_path: Path, site: Path):
    with pytest.raises(NurieError, match=r"no index.html in .*nurie publish"):
        make_server(tmp_path, 0)
    with pytest.raises(NurieError, match="between 0 and 65535"):
        make_server(site, 70000)


def test_without_a_site_every_built_in_model_is_served_cats_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name in ("zebras", "cats", "apples"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "manifest.json").write_bytes((module.BUILT_IN / "manifest.json").read_bytes())
        (tmp_path / name / "weights.bin.gz").write_bytes((module.BUILT_IN / "weights.bin.gz").read_bytes())
    (tmp_path / "notes").mkdir()
    pages: list[str] = []
    monkeypatch.setattr(module, "MODELS", tmp_path)
    monkeypatch.setattr(module, "BUILT_IN", tmp_path / "cats")
    monkeypatch.setattr(module, "_serve_folder", lambda folder, _: pages.append((folder / "index.html").read_text()))
    module.serve(Serve())
    assert re.findall(r'data-name="(\w+)"', pages[0]) == ["cats", "apples", "zebras"]
