"""site/ -> http://127.0.0.1:8000, for this computer only."""

import errno
import http.server
import os
import re
import socketserver
import sys
import tempfile
import threading
import webbrowser
from http import HTTPStatus
from pathlib import Path
from urllib.parse import unquote, urlsplit

from nurie.config import Publish, Serve
from nurie.errors import NurieError

HOST = "127.0.0.1"
MODELS = Path(__file__).parent / "models"
BUILT_IN = MODELS / "cats"  # the default one

# Not from `mimetypes`: it reads the system's tables, and a Windows registry may call .js text/plain.
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".wasm": "application/wasm",
    ".bin": "application/octet-stream",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".svg": "image/svg+xml",
    ".ico": "image/x-icon",
    ".webp": "image/webp",
    ".txt": "text/plain; charset=utf-8",
}
HASHED = re.compile(r"\.[0-9a-f]{8,64}\.\w+$")


def serve(config: Serve) -> None:
    """Serve until Ctrl-C. Raises NurieError when there is no page to serve or no free port."""
    if config.site is not None:
        _serve_folder(config.site, config)
        return
    from nurie.engine.modelfile import is_model

    if not is_model(BUILT_IN):
        raise NurieError(
            f"The built-in model is missing from {BUILT_IN}. "
            "Name a site to serve: `nurie publish model/ site/`, then `nurie serve site/`."
        )
    from nurie.publish import write_site

    with tempfile.TemporaryDirectory(prefix="nurie-") as temporary:
        _serve_folder(write_site(Publish(BUILT_IN, Path(temporary) / "site", more=other_built_in())), config)


def other_built_in() -> tuple[Path, ...]:
    """The built-in models that are not the default one, by name."""
    from nurie.engine.modelfile import is_model

    return tuple(folder for folder in sorted(MODELS.iterdir()) if is_model(folder) and folder != BUILT_IN)


def _serve_folder(folder: Path, config: Serve) -> None:
    server = make_server(folder, config.port)
    port = server.server_address[1]
    url = f"http://{HOST}:{port}/"
    if port != config.port:
        print(f"Port {config.port} is taken, so this is port {port}.", flush=True)
    print(f"The page is at {url} (Ctrl-C ends)", flush=True)
    if config.open:
        # In a thread: some browsers' launchers return only when the window is closed.
        threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()
    with server:
        try:
            server.serve_forever(poll_interval=0.2)
        except KeyboardInterrupt:
            print()


class Server(http.server.ThreadingHTTPServer):
    """Remembers its folder. A port counts as taken when anyone listens on it."""

    daemon_threads = True
    allow_reuse_address = os.name != "nt"  # on Windows, reuse would let two servers share one port

    def __init__(self, folder: Path, port: int):
        self.folder = folder.resolve()
        super().__init__((HOST, port), Handler)

    def server_bind(self) -> None:
        """Without HTTPServer's look-up of the host's full name, which takes seconds on some computers."""
        socketserver.TCPServer.server_bind(self)

    def handle_error(self, request: object, client_address: object) -> None:
        """A browser that closes a connection early is no error."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # pyright: ignore[reportArgumentType]


def make_server(folder: Path, port: int, tries: int = 100) -> Server:
    """A server on `port` or the next free one (0: any), not yet running. Raises NurieError."""
    if not (folder / "index.html").is_file():
        raise NurieError(f"There is no index.html in {folder}. Expected a site: `nurie publish model/ {folder}`.")
    if not 0 <= port <= 65535:
        raise NurieError(f"--port must be between 0 and 65535, but it is {port}.")
    last = min(port + tries, 65536)
    for candidate in range(port, last):
        try:
            return Server(folder, candidate)
        except OSError as error:
            # EACCES: Windows' reserved ranges, and ports below 1024 elsewhere
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise NurieError(f"Cannot listen on {HOST}:{candidate}: {error.strerror}.") from error
    raise NurieError(f"No port from {port} to {last - 1} is free. Choose another with --port.")


class Handler(http.server.BaseHTTPRequestHandler):
    """GET and HEAD of files inside the folder."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else a file's body waits 40 ms for the browser to acknowledge its header
    server_version = "nurie"
    sys_version = ""
    server: Server  # pyright: ignore[reportIncompatibleVariableOverride]

    def do_GET(self) -> None:
        self._send(body=True)

    def do_HEAD(self) -> None:
        self._send(body=False)

    def _send(self, body: bool) -> None:
        path = self._find()
        if path is None:
            self.send_error(HTTPStatus.NOT_FOUND, "There is no such file")
            return
        data = path.read_bytes()
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", TYPES.get(path.suffix.lower(), "application/octet-stream"))
        self.send_header("Content-Length", str(len(data)))
        immutable = HASHED.search(path.name) is not None
        self.send_header("Cache-Control", "public, max-age=31536000, immutable" if immutable else "no-cache")
        self.end_headers()
        if body:
            self.wfile.write(data)

    def _find(self) -> Path | None:
        """The file that the URL names, or None. Symbolic links are followed only inside the folder."""
        name = unquote(urlsplit(self.path).path)
        if "\0" in name or "\\" in name or ":" in name:
            return None
        parts = [part for part in name.split("/") if part]
        if any(part.startswith(".") for part in parts):
            return None
        if name.endswith("/"):
            parts.append("index.html")
        try:
            path = self.server.folder.joinpath(*parts).resolve()
            inside = path.is_relative_to(self.server.folder) and path.is_file()
        except (OSError, RuntimeError):
            return None
        return path if inside else None

    def end_headers(self) -> None:
        """Every answer, errors too, keeps the page in its own process: the engine may then use threads."""
        self.send_header("Cross-Origin-Opener-Policy", "same-origin")
        self.send_header("Cross-Origin-Embedder-Policy", "require-corp")
        self.send_header("X-Content-Type-Options", "nosniff")
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Quiet: only failures are worth a line, and the page shows those itself."""
