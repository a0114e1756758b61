"""Debian's Firefox and WebKitGTK, which Playwright cannot drive: by the WebDriver protocol that they bring along.

Firefox speaks it over a socket of its own (Marionette), WebKitWebDriver over HTTP. Commands have Marionette's names.
"""

import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BufferedRWPair
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

PATIENCE_S = 120
ROUTES = {
    "Navigate": "url", "Refresh": "refresh", "ExecuteScript": "execute/sync", "PerformActions": "actions",
    "SetWindowRect": "window/rect",
}  # fmt: skip
USUAL = {
    "marionette.port": 0,  # any free one; it is written to the profile
    "app.update.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "toolkit.telemetry.enabled": False,
}

Command = Callable[[str, dict[str, Any]], Any]


class Tab:
    """A page of a browser. Lengths are CSS pixels of the window."""

    def __init__(self, command: Command) -> None:
        self.command = command
        self.command("SetWindowRect", {"x": 0, "y": 0, "width": 1200, "height": 900})

    def open(self, address: str) -> None:
        self.command("Navigate", {"url": address})

    def reload(self) -> None:
        self.command("Refresh", {})

    def run(self, script: str) -> Any:
        """What a function with this body returns in the page."""
        answer = self.command("ExecuteScript", {"script": script, "args": [], "sandbox": None})
        return answer["value"] if isinstance(answer, dict) and "value" in answer else answer

    def wait(self, condition: str) -> None:
        """Until an expression is true."""
        until(lambda: self.run(f"return Boolean({condition})"), condition)

    def drag(self, selector: str, points: list[tuple[float, float]]) -> None:
        """Press the mouse at the first point of an element, in parts of its size, and move it to the others."""
        left, top, width, height = self.run(
            f"""const element = document.querySelector({json.dumps(selector)});
            element.scrollIntoView({{ block: "nearest" }});
            const {{ left, top, width, height }} = element.getBoundingClientRect();
            return [left, top, width, height];"""
        )
        moves = [
            {"type": "pointerMove", "duration": 0, "x": round(left + x * width), "y": round(top + y * height)}
            for x, y in points
        ]
        button = {"button": 0}
        steps = [moves[0], {"type": "pointerDown", **button}, *moves[1:], {"type": "pointerUp", **button}]
        mouse = {"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": steps}
        self.command("PerformActions", {"actions": [mouse]})

    def click(self, selector: str) -> None:
        self.drag(selector, [(0.5, 0.5)])


def until(happens: Callable[[], Any], what: str) -> Any:
    """The first true value, within PATIENCE_S."""
    end = time.monotonic() + PATIENCE_S
    while not (value := happens()):
        assert time.monotonic() < end, f"{PATIENCE_S} s have passed without: {what}"
        time.sleep(0.05)
    return value


def program(name: str, package: str) -> str:
    path = shutil.which(name)
    return path or pytest.skip(f"There is no {name} on this machine: apt-get install {package}")


@contextmanager
def process(
    arguments: list[str], home: Path, variables: dict[str, str] | None = None, pass_fds: tuple[int, ...] = ()
) -> Iterator[subprocess.Popen[bytes]]:
    """A program with a home of its own; its end is waited for."""
    with (home / "output").open("ab") as output:
        started = subprocess.Popen(
            arguments, env=os.environ | {"HOME": str(home)} | (variables or {}), pass_fds=pass_fds,
            stdin=subprocess.DEVNULL, stdout=output, stderr=output,
        )  # fmt: skip
    try:
        yield started
    finally:
        started.terminate()
        try:
            started.wait(30)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()


@contextmanager
def firefox(preferences: dict[str, bool] | None = None) -> Iterator[Tab]:
    """A new headless Firefox with an empty profile. Without one on this machine the test is skipped."""
    path = program("firefox-esr", "firefox-esr")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        home, profile = Path(folder), Path(folder) / "profile"
        profile.mkdir()
        lines = [f"user_pref({json.dumps(k)}, {json.dumps(v)});\n" for k, v in (USUAL | (preferences or {})).items()]
        (profile / "user.js").write_text("".join(lines))
        arguments = [path, "--headless", "--no-remote", "--marionette", "--profile", str(profile)]
        with process(arguments, home) as started:
            port = until(lambda: port_of(started, profile / "MarionetteActivePort", home), "Firefox's port")
            connection = socket.create_connection(("127.0.0.1", port), PATIENCE_S)
            with connection, connection.makefile("rwb") as stream:
                yield Tab(marionette(stream))


def port_of(started: subprocess.Popen[bytes], file: Path, home: Path) -> int:
    """That it has written down, else 0."""
    alive(started, home)
    return int(file.read_text() or 0) if file.exists() else 0


def alive(started: subprocess.Popen[bytes], home: Path) -> None:
    assert started.poll() is None, (home / "output").read_text(errors="replace")


def marionette(stream: BufferedRWPair) -> Command:
    """Messages are LENGTH:JSON; a question [0, id, name, parameters], an answer [1, id, error, value]."""

    def read() -> Any:
        digits = b""
        while (digit := stream.read(1)) != b":":
            assert digit, "Firefox has closed the connection"
            digits += digit
        return json.loads(stream.read(int(digits)))

    def command(name: str, parameters: dict[str, Any]) -> Any:
        message = json.dumps([0, 1, f"WebDriver:{name}", parameters]).encode()
        stream.write(b"%d:%s" % (len(message), message))
        stream.flush()
        _, _, error, value = read()
        assert error is None, f"{name}: {error}"
        return value

    read()  # its greeting
    command("NewSession", {"capabilities": {}})
    return command


@contextmanager
def webkit() -> Iterator[Tab]:
    """A new WebKitGTK MiniBrowser on a screen of its own. Without it on this machine the test is skipped."""
    driver, xvfb = program("WebKitWebDriver", "webkit2gtk-driver"), program("Xvfb", "xvfb")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        read, write = os.pipe()
        with process([xvfb, "-screen", "0", "1280x1024x24", "-displayfd", str(write)], home, pass_fds=(write,)):
            os.close(write)
            with os.fdopen(read) as pipe:
                display = pipe.readline().strip()
            assert display, (home / "output").read_text(errors="replace")
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                port = free.getsockname()[1]
            screen = {"DISPLAY": f":{display}", "GDK_BACKEND": "x11", "WAYLAND_DISPLAY": ""}
            with process([driver, "--host=127.0.0.1", f"--port={port}"], home, screen) as started:
                session = f"http://127.0.0.1:{port}/session"
                until(lambda: alive(started, home) or listens(port), "WebKitWebDriver's answer")
                session += "/" + ask("POST", session, {"capabilities": {}})["sessionId"]
                try:
                    yield Tab(lambda name, parameters: ask("POST", f"{session}/{ROUTES[name]}", parameters))
                finally:
                    ask("DELETE", session)  # closes the browser


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def ask(method: str, address: str, parameters: dict[str, Any] | None = None) -> Any:
    body = None if parameters is None else json.dumps(parameters).encode()
    request = Request(address, body, {"Content-Type": "application/json"}, method=method)
    try:
        with urlopen(request, timeout=PATIENCE_S) as response:
            return json.load(response)["value"]
    except HTTPError as error:
        raise AssertionError(f"{address}: {error.read().decode(errors='replace')}") from None
