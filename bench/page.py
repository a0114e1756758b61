"""A page in a headless Chromium for measurements, served from memory."""

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

# Cross-origin isolation gives the page threads, and a clock of 5 microseconds instead of 100.
HEADERS = {"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp"}
TYPES = {".html": "text/html", ".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm"}


@contextmanager
def chromium() -> Iterator:
    """Playwright's own Chromium, or the system's."""
    with sync_playwright() as playwright:
        bundled = Path(playwright.chromium.executable_path)
        browser = playwright.chromium.launch(executable_path=None if bundled.exists() else shutil.which("chromium"))
        yield browser
        browser.close()


@contextmanager
def open_page(files: dict[str, bytes | Path], requested: set[str] | None = None, html: bytes = b"") -> Iterator[Page]:
    """A page, empty but for `html`, from which scripts can load `files` by their addresses, such as "/measure.js".

    The addresses that the browser asked for are added to `requested`.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = files.get(self.path, b"<!doctype html>" + html if self.path == "/" else None)
            body = found.read_bytes() if isinstance(found, Path) else found or b""
            if requested is not None:
                requested.add(self.path)
            self.send_response(404 if found is None else 200)
            kind = TYPES.get(Path(self.path).suffix, "text/html" if self.path == "/" else "application/octet-stream")
            for name, value in {**HEADERS, "Content-Type": kind, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with chromium() as browser:
        page = browser.new_page()
        page.goto(f"http://127.0.0.1:{server.server_port}/")
        yield page
    server.shutdown()
