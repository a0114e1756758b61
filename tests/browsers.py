"""A Chromium and a server for tests that need a real page."""

import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
from playwright.sync_api import Browser, sync_playwright

from nurie.serve import make_server

ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-quic",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


@contextmanager
def launched(arguments: list[str] | None = None) -> Iterator[Browser]:
    """A headless Chromium: the system's, or Playwright's own. Without one the test is skipped, and fails in CI.

    Its pages do not keep their Content Security Policy, under which Playwright can not wait for a condition; those with
    `bypass_csp=False` do.
    """
    with sync_playwright() as playwright:
        found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
        if found is None and not Path(playwright.chromium.executable_path).exists():
            give_up = pytest.fail if os.environ.get("CI") else pytest.skip
            give_up("There is no Chromium on this machine: install it, or run `playwright install chromium`.")
        kept = [argument for argument in ARGUMENTS if not (arguments and argument == "--disable-gpu")]
        browser = playwright.chromium.launch(executable_path=found, args=kept + (arguments or []))
        for method in ("new_context", "new_page"):
            setattr(browser, method, partial(getattr(browser, method), bypass_csp=True))
        yield browser
        browser.close()


class PlainHandler(SimpleHTTPRequestHandler):
    """What a simple static host does: no headers of its own, but for those that a test names."""

    extra: ClassVar[dict[str, str]] = {}

    def end_headers(self) -> None:
        for name, value in self.extra.items():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def served(folder: Path, plainly: bool = False, headers: dict[str, str] | None = None) -> Iterator[str]:
    """The address of a folder on this machine, ending in a slash: by `nurie serve`, or as simple hosts do."""
    kind = type("Handler", (PlainHandler,), {"extra": headers or {}})
    handler = partial(kind, directory=str(folder))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler) if plainly else make_server(folder, 0)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    server.server_close()
    thread.join()
