"""Clients that are slow, many or hostile: nothing escapes, and the server has afterwards what it had before."""

import gc
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from nurie.serve import make_server
from nurie.site import connections
from servers import SCRIPT, WEIGHTS, connect, exchange, get, made_up_site, running

PATIENCE = 60  # seconds that a test waits for what should happen at once
LINUX = pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="counts descriptors in Linux's /proc")
HOST = b"Host: localhost\r\n\r\n"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    site = made_up_site(tmp_path)
    (site / SCRIPT).write_text("let a = 1;\n" * 1000)
    (site / WEIGHTS).write_bytes(os.urandom(300_000))
    return site


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


def descriptors(process: int | str = "self") -> int:
    return len(os.listdir(f"/proc/{process}/fd"))


@contextmanager
def flat() -> Iterator[None]:
    """Afterwards there are no more threads and descriptors than before."""
    threads, files = threading.active_count(), descriptors()
    yield
    wait_for(lambda: threading.active_count() <= threads and descriptors() <= files)


MIX = [
    ("/", {}, 200), ("/" + SCRIPT, {"Accept_Encoding": "gzip"}, 200), ("/" + WEIGHTS, {"Range": "bytes=9-299"}, 206),
    ("/" + SCRIPT, {"If_None_Match": "*"}, 304), ("/" + WEIGHTS, {}, 200), ("/nothing", {}, 404),
    ("/" + WEIGHTS, {"Range": "bytes=999999-"}, 416), ("/", {"Host": "evil.example"}, 421), ("/%ff", {}, 400),
    ("/../secret.txt", {}, 404),
]  # fmt: skip


@LINUX
def test_a_thousand_requests_leave_nothing_behind(site: Path) -> None:
    with running(make_server(site, 0)) as server:
        threads = threading.active_count()

        def objects_after(times: int) -> int:
            for _ in range(times):
                for path, headers, status in MIX:
                    assert get(server, path, **headers)[0] == status
            wait_for(lambda: threading.active_count() <= threads)
            gc.collect()
            return len(gc.get_objects())

        before = objects_after(10)
        with flat():
            after = objects_after(100)
        assert after - before < 50  # of each kind of request there were a hundred


@LINUX
def test_a_real_process_stays_as_large_as_it_was(site: Path) -> None:
    command = [sys.executable, "-m", "nurie", "serve", str(site), "--port", "0", "--no-open"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process, ExitStack() as stack:
        stack.callback(process.terminate)
        assert process.stdout
        port = int(process.stdout.readline().split(":")[2].partition("/")[0])

        def state() -> tuple[int, int, int]:
            lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
            values = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
            return int(values["VmRSS"].split()[0]), int(values["Threads"]), descriptors(process.pid)

        def ask(times: int) -> None:
            for _ in range(times):
                with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as client:
                    client.sendall(
                        f"GET /{WEIGHTS} HTTP/1.1\r\nHost: localhost\r\n".encode() + b"Connection: close\r\n\r\n"
                    )
                    assert sum(len(part) for part in iter(lambda: client.recv(1 << 16), b"")) > 300_000

        resting = state()[1]
        ask(100)
        wait_for(lambda: state()[1] <= resting)
        memory, threads, files = state()
        ask(1000)
        wait_for(
            lambda: state()[1] <= threads and state()[2] <= files
        )  # one may just have ended when they were counted
        assert state()[0] - memory < 5_000  # kB: 300 MB were sent


@LINUX
def test_a_hundred_clients_that_send_a_byte_at_a_time_are_cut_off(
    site: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS", 2)
    with running(make_server(site, 0)) as server, flat(), ExitStack() as stack:
        heads = [b"GET / HTTP/1.1\r\nX: ", b"G", b"GET /" + SCRIPT.encode(), b"GET / HTTP/1.1\r\n" + HOST + b"GET / "]
        slow = []
        for number in range(100):
            client = stack.enter_context(connect(server))
            client.sendall(heads[number % len(heads)])
            client.setblocking(False)
            slow.append(client)
        wait_for(lambda: threading.active_count() > 100)
        assert get(server, "/")[0] == 200  # others are served meanwhile

        def send(client: socket.socket) -> bool:
            """One more byte, if the server still wants it."""
            try:
                client.send(b"a")
                return client.recv(1 << 16) != b""
            except BlockingIOError:
                return True
            except ConnectionError:
                return False

        def all_cut_off() -> bool:
            slow[:] = filter(send, slow)
            return not slow

        wait_for(all_cut_off)
    assert capsys.readouterr().err == ""


@LINUX
def test_clients_that_do_not_take_their_file_are_cut_off(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[object] = []
    end = connections.Connections.shutdown_request

    def note(server: connections.Connections, request: socket.socket) -> None:
        end(server, request)
        ended.append(request)

    monkeypatch.setattr(connections.Connections, "shutdown_request", note)
    monkeypatch.setattr(connections, "SEND_SECONDS", 0.5)
    os.truncate(site / WEIGHTS, 64 << 20)  # more than sockets hold
    with running(make_server(site, 0)) as server, flat(), ExitStack() as stack:
        for _ in range(20):
            client = stack.enter_context(connect(server))
            client.sendall(f"GET /{WEIGHTS} HTTP/1.1\r\n".encode() + HOST)
        assert get(server, "/")[0] == 200
        wait_for(lambda: len(ended) == 21)  # though none of the 20 has closed its end


@LINUX
def test_a_request_without_its_body_does_not_wait_for_it(site: Path) -> None:
    with running(make_server(site, 0)) as server, flat():
        for method in ("POST", "GET"):
            head = f"{method} / HTTP/1.1\r\nContent-Length: 1000000\r\n".encode()
            with connect(server) as client:
                client.sendall(head + HOST)
                assert b"\r\nConnection: close\r\n" in b"".join(iter(lambda: client.recv(1 << 16), b""))


@LINUX
def test_more_clients_than_allowed_wait_for_their_turn(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "CONNECTIONS", 4)
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.5)
    monkeypatch.setattr(connections, "LINGER_SECONDS", 0.1)
    threads = threading.active_count()
    most: list[int] = []
    handler_setup = connections.PatientHandler.setup

    def setup(handler: connections.PatientHandler) -> None:
        most.append(threading.active_count())
        handler_setup(handler)

    monkeypatch.setattr(connections.PatientHandler, "setup", setup)
    with running(make_server(site, 0)) as server, flat(), ExitStack() as stack:
        for _ in range(20):
            stack.enter_context(connect(server))
        assert get(server, "/")[0] == 200
    assert len(most) == 21 and max(most) <= threads + 1 + 4


HOSTILE = [
    "/../secret.txt", "/../../../../../../etc/passwd", "/%2e%2e/secret.txt", "/%2E%2E%2Fsecret.txt", "/..%2fsecret.txt",
    "/%252e%252e/secret.txt", "/.%2e/secret.txt", "/%2e./secret.txt", "/assets/../../secret.txt",
    "/assets/%2e%2e/%2e%2e/secret.txt", "/..%5csecret.txt", "/..\\secret.txt", "/assets\\..\\..\\secret.txt",
    "/%5c..%5csecret.txt", "/..%c0%afsecret.txt", "/%c0%ae%c0%ae/secret.txt", "/..%e0%80%afsecret.txt",
    "/%uff0e%uff0e/secret.txt", "/．．/secret.txt", "//etc/passwd", "/%2fetc/passwd", "///../secret.txt",
    "/../site-secret/index.html", "/..;/secret.txt", "/index.html%00.png", "/%00", "/index.html%0d%0aX:%20y",
    "/C:/Windows/win.ini", "/c:%5cwindows%5cwin.ini", "/index.html::$DATA", "/assets/..", "/.", "/.git/config",
    "/.env", "/assets/.hidden.js", "/%2egit/config", "/link.txt", "/out/secret.txt", "/loop", "/hidden.txt", "/pipe",
    "/git/config", "/assets/", "/assets", "/index.html/", "/index.html/../../secret.txt", "/~root/", "/NUL", "/con",
    "/proc/self/environ", "file:///etc/passwd", "http://localhost/../secret.txt", "*",
    "/" + "../" * 2000 + "etc/passwd", "/" + "a" * 60000, "/" + "a/" * 30000, "/%", "/%zz", "\x00", "/\xff",
]  # fmt: skip


@pytest.fixture
def trap(site: Path) -> Path:
    """A site with hidden files, and with links and a pipe that lead to no good."""
    for name in (".git/config", ".env", "assets/.hidden.js"):
        (site / name).parent.mkdir(exist_ok=True)
        (site / name).write_text("secret")
    (site / "link.txt").symlink_to(site.parent / "secret.txt")
    (site / "out").symlink_to(site.parent)
    (site / "loop").symlink_to("loop")
    (site / "hidden.txt").symlink_to(".env")
    (site / "git").symlink_to(".git")
    os.mkfifo(site / "pipe")
    return site


@LINUX
def test_hostile_paths_lead_to_nothing(trap: Path) -> None:
    assert len(HOSTILE) >= 35
    with running(make_server(trap, 0)) as server, flat():
        for path in HOSTILE:
            for method in ("GET", "HEAD"):
                answer = exchange(server, f"{method} {path} HTTP/1.1\r\n".encode() + HOST)
                status = answer.split(b" ", 2)[1]
                assert status in (b"400", b"404", b"405"), path
                assert b"secret" not in answer and b"root:" not in answer, path
                assert answer.count(b"HTTP/1.1 ") == 1 and b"\r\nX: y" not in answer, path
            assert get(server, "/")[0] == 200, f"after {path}"
