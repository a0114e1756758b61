"""A real server on a real port, asked over plain HTTP/1.1: a client library would tidy the paths up."""

import errno
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from conftest import hear_signals
from nurie import serve as module
from nurie.config import Publish, Serve
from nurie.engine.modelfile import read_manifest
from nurie.errors import NurieError
from nurie.publish import write_site
from nurie.serve import BUILT_IN, make_server, network_address, warning
from nurie.site.headers import headers_text
from nurie.site.server import Server
from servers import get, made_up_site, running

if TYPE_CHECKING:
    from playwright.sync_api import Page


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return made_up_site(tmp_path)


@pytest.fixture
def server(site: Path) -> Iterator[Server]:
    with running(make_server(site, 0)) as server:
        yield server


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
    assert headers["Cross-Origin-Resource-Policy"] == "cross-origin"  # a page that is isolated, too, may show it
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


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "BREW"])
def test_only_reading(server: Server, method: str):
    status, headers, body = get(server, "/index.html", method)
    assert (status, headers["Allow"]) == (405, "GET, HEAD")
    assert body == b"405 Files can only be read\n"


# Addresses


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
    with pytest.raises(NurieError, match=r"192\.0\.2\.1 is no address of this computer"):
        make_server(site, 0, "192.0.2.1")
    for host in ("a" * 70, "a..b", "nul\0"):
        with pytest.raises(NurieError, match="is no address: expected one of this computer's"):
            make_server(site, 0, host)


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (PermissionError(errno.EACCES, "Permission denied"), "Port 80 is for administrators only"),
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "is no address: expected one"),
        (OSError(errno.ENOBUFS, "No buffer space available"), "Cannot listen on .*: No buffer space available"),
    ],
)
def test_what_the_system_refuses_is_a_sentence(monkeypatch, site: Path, error: OSError, sentence: str):
    def refuse(*_: object) -> None:
        raise error

    monkeypatch.setattr(module, "Server", refuse)
    monkeypatch.setattr(module.os, "name", "posix")
    with pytest.raises(NurieError, match=sentence):
        make_server(site, 80)


def test_an_empty_host_is_refused(site: Path):
    with pytest.raises(NurieError, match="is no address"):
        make_server(site, 0, "")


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_a_network_may_call_the_server_as_it_likes(site: Path, host: str):
    try:
        server = make_server(site, 0, host)
    except NurieError:
        pytest.skip("This computer has no IPv6.")
    with running(server) as served:
        assert get(served, "/", Host="my-computer.local:8000")[0] == 200
        assert "Everyone in this network can see the page" in warning(served)
        own = network_address(served)
        assert own is None or own in warning(served)
        assert own not in ("0.0.0.0", "::")


@pytest.mark.browser
def test_on_another_device_the_page_colours_with_one_thread(tmp_path: Path, page: "Page"):
    """Such a browser gives no shared memory and no crypto.subtle: as this one at the computer's network address."""
    server = make_server(write_site(Publish(BUILT_IN, tmp_path / "site")), 0, "0.0.0.0")
    with running(server) as served:
        own = network_address(served)
        if own is None or own.startswith("127."):
            pytest.skip("This computer is in no network.")
        page.goto(f"http://{own}:{served.server_address[1]}/")
        assert page.evaluate("[isSecureContext, crossOriginIsolated]") == [False, False]
        page.wait_for_function("Number(document.querySelector('#result')?.dataset.pictures) > 0")


# The command


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_it_says_its_address_and_ends_at_a_signal_with_nothing_left(tmp_path: Path, number: str):
    command = [sys.executable, "-m", "nurie", "serve", "--port", "0", "--no-open"]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with ExitStack() as stack:
        process = subprocess.Popen(command, env=environment, preexec_fn=hear_signals, **pipes)
        stack.enter_context(process)  # waits for its end
        stack.callback(process.kill)
        assert process.stdout and process.stderr
        line = process.stdout.readline()
        match = re.fullmatch(r"The page is at http://127\.0\.0\.1:(\d+)/ \(Ctrl-C ends\)\n", line)
        assert match and int(match[1]) > 0
        assert len(list(tmp_path.iterdir())) == 1
        idle = socket.create_connection(("127.0.0.1", int(match[1])))  # does not keep the server
        process.send_signal(getattr(signal, number))
        out, err = process.communicate(timeout=60)
        idle.close()
    assert (process.returncode, out, err) == (0, "\n", "")
    assert list(tmp_path.iterdir()) == []


def test_without_a_site_every_built_in_model_is_served_cats_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name in ("zebras", "cats", "apples"):
        (tmp_path / name).mkdir()
        for file in ("manifest.json", read_manifest(module.BUILT_IN).weights.file):
            (tmp_path / name / file).write_bytes((module.BUILT_IN / file).read_bytes())
    (tmp_path / "notes").mkdir()
    pages: list[str] = []
    monkeypatch.setattr(module, "MODELS", tmp_path)
    monkeypatch.setattr(module, "BUILT_IN", tmp_path / "cats")
    monkeypatch.setattr(module, "_serve_folder", lambda folder, _: pages.append((folder / "index.html").read_text()))
    module.serve(Serve())
    assert re.findall(r'data-name="(\w+)"', pages[0]) == ["cats", "apples", "zebras"]


# Other hosts


def rules() -> dict[str, dict[str, str]]:
    """The file _headers, read as its hosts do: a path with * at its end, then its headers, indented."""
    found: dict[str, dict[str, str]] = {}
    for line in headers_text().splitlines():
        if line.startswith(" "):
            name, value = line.strip().split(": ", 1)
            found[next(reversed(found))][name] = value
        else:
            found[line] = {}
    return found


def test_other_hosts_send_the_same_headers(tmp_path: Path):
    """Every file of a real site: each header that _headers says is sent by `nurie serve`, once, and no other policy."""
    site = write_site(Publish(BUILT_IN, tmp_path / "site"))
    assert (site / "_headers").read_text() == headers_text()
    names = [path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()]
    assert len(names) > 20
    with running(make_server(site, 0)) as server:
        for path in ["/", *(f"/{name}" for name in names if name != "_headers")]:
            expected: dict[str, str] = {}
            for pattern, headers in rules().items():
                if path == pattern or (pattern.endswith("*") and path.startswith(pattern[:-1])):
                    assert not expected.keys() & headers.keys(), "hosts would send both values"
                    expected |= headers
            sent = get(server, path, "HEAD")[1]
            wanted = ("Cross-Origin-", "X-Content-", "Cache-Control")
            assert {name: value for name, value in sent.items() if name.startswith(wanted)} == expected, path
