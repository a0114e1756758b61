"""A made-up site, and a server that runs, asked over plain HTTP/1.1: a client library would tidy the paths up."""

import http.client
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nurie.site.server import Server

SCRIPT, WEIGHTS = "assets/main.0123456789ab.js", "model/weights.0123456789ab.bin"
FILES = [
    "index.html", "site.json", SCRIPT, "assets/nurie.0123456789ab.wasm", "assets/style.0123456789ab.css", WEIGHTS,
    "model/preset-1.0123456789ab.png",
]  # fmt: skip


def made_up_site(parent: Path) -> Path:
    """A site whose files hold their names, beside secrets."""
    folder = parent / "site"
    for name in FILES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    (parent / "secret.txt").write_text("secret")
    (parent / "site-secret").mkdir()  # a sibling whose name begins with the folder's
    (parent / "site-secret" / "index.html").write_text("secret")
    return folder


@contextmanager
def running(server: Server) -> Iterator[Server]:
    with server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def connect(server: Server) -> socket.socket:
    return socket.create_connection((str(server.server_address[0]), server.server_address[1]), timeout=60)


def get(server: Server, path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body; If_None_Match=... is the header If-None-Match."""
    host = str(server.server_address[0])
    connection = http.client.HTTPConnection(host, server.server_address[1], timeout=30)
    try:
        connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


def exchange(server: Server, request: bytes) -> bytes:
    """All that comes back for these bytes until the server ends the connection."""
    with connect(server) as client:
        client.sendall(request)
        client.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: client.recv(1 << 16), b""))
