"""A folder's files over HTTP, for one's own computer or network: nothing outside the folder, nothing hidden in it."""

import gzip
import io
import ipaddress
import os
import re
from email.utils import formatdate
from http import HTTPStatus
from pathlib import Path
from urllib.parse import unquote, urlsplit

from nurie.site import conditions
from nurie.site.connections import Connections, PatientHandler
from nurie.site.headers import ASK, EVERYWHERE, cache_control
from nurie.site.sitefile import INDEX

# Not from `mimetypes`: it reads the system's tables, and a Windows registry may call .js text/plain.
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".wasm": "application/wasm",
    ".bin": "application/octet-stream",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".svg": "image/svg+xml",
    ".ico": "image/x-icon",
    ".webp": "image/webp",
    ".txt": "text/plain; charset=utf-8",
}
PACKED = (".html", ".js", ".css", ".json", ".wasm", ".svg", ".ico", ".txt")  # weights and pictures are small already
PACKED_BYTES = range(1000, 1 << 20)  # less gets no smaller by gzip; more would have to be held in memory
GZIP_LEVEL = 1  # 6 takes 3 times as long, for 11 % less
CHUNK = 1 << 16
READING = ("GET", "HEAD")


class Server(Connections):
    """Serves the files of a folder; not yet running. Raises OSError."""

    def __init__(self, folder: Path, host: str, port: int):
        self.folder = folder.resolve()
        super().__init__(host, port, Handler)
        address = str(self.server_address[0])
        self.local = ipaddress.ip_address(address.partition("%")[0]).is_loopback
        self.names = {"localhost", "127.0.0.1", "::1", address}

    def answers_to(self, host: str) -> bool:
        """Whether a request may call this server so.

        A page elsewhere can make its own name lead to this computer, to read what is served here (DNS rebinding).
        """
        name = re.sub(r":[0-9]*$", "", host.strip().lower()).removeprefix("[").removesuffix("]")
        return not self.local or name in self.names

    def find(self, parts: list[str]) -> Path | None:
        """The file, or the folder with a page of its own, that these names lead to from the folder.

        A symbolic link leads nowhere outside, and nothing leads to hidden files: no one means to publish a .git.
        """
        if any(part.startswith(".") for part in parts):
            return None
        try:
            path = self.folder.joinpath(*parts).resolve()
            inside = path.relative_to(self.folder).parts  # ValueError where it is not
            usable = path.is_file() or (path / INDEX).is_file()
        except (OSError, RuntimeError, ValueError):
            return None
        return path if usable and not any(part.startswith(".") for part in inside) else None


class Handler(PatientHandler):
    """GET and HEAD of the server's files."""

    server: Server  # pyright: ignore[reportIncompatibleVariableOverride]

    def parse_request(self) -> bool:
        if not super().parse_request():
            return False
        if "Content-Length" in self.headers or "Transfer-Encoding" in self.headers:
            self.close_connection = True  # the body that follows is no next request
        if wrong := self._wrong():
            self.send_error(*wrong)
        return wrong is None

    def _wrong(self) -> tuple[HTTPStatus, str] | None:
        """What is wrong with a request, before any file is looked for."""
        if self.command not in READING:
            return HTTPStatus.METHOD_NOT_ALLOWED, "Files can only be read"
        hosts = self.headers.get_all("Host", [])
        if len(hosts) > 1 or (not hosts and self.request_version >= "HTTP/1.1"):
            return HTTPStatus.BAD_REQUEST, "A request names one Host"
        if not self.path.startswith(("/", "http://")):
            return HTTPStatus.BAD_REQUEST, "A path begins with a slash"
        try:
            self.url = urlsplit(self.path)
            self.names = unquote(self.url.path, errors="strict").split("/")
        except ValueError:
            return HTTPStatus.BAD_REQUEST, "This is no address"
        if not all(map(self.server.answers_to, [*hosts, self.url.netloc] if self.url.netloc else hosts)):
            address = f"http://localhost:{self.server.server_address[1]}/"
            return HTTPStatus.MISDIRECTED_REQUEST, f"This server is {address} and goes by no other name"
        return None

    def do_GET(self) -> None:
        """The file that the path names, or the way to the folder's page."""
        parts = [name for name in self.names if name]
        folder = not self.names[-1]
        odd = any(character in part for part in parts for character in "\\:")  # no file of a site has these
        path = None if odd else self.server.find([*parts, INDEX] if folder else parts)
        if path and path.is_dir():
            self._redirect()
        elif path and (file := _opened(path)):
            with file:
                self._send(file, path)
        else:
            self.send_error(HTTPStatus.NOT_FOUND, "There is no such file")

    do_HEAD = do_GET

    def _redirect(self) -> None:
        """To the folder's address with a slash: from there its page's relative references are right."""
        query = f"?{self.url.query}" if self.url.query else ""
        location = f"/{self.url.path.strip('/')}/{query}"
        headers = {"Location": location, "Cache-Control": ASK, "Content-Length": "0"}
        self._begin(HTTPStatus.MOVED_PERMANENTLY, headers)

    def _send(self, file: io.BufferedIOBase, path: Path) -> None:
        """The open file, or that the client has this version already."""
        info = os.fstat(file.fileno())
        kind = path.suffix.lower()
        packs = kind in PACKED and info.st_size in PACKED_BYTES
        packed = packs and "Range" not in self.headers and conditions.accepts_gzip(self.headers)
        headers = {
            "ETag": f'"{info.st_mtime_ns:x}-{info.st_size:x}{"-gzip" if packed else ""}"',
            "Last-Modified": formatdate(int(info.st_mtime), usegmt=True),
            "Cache-Control": cache_control(path.relative_to(self.server.folder).as_posix()),
        } | ({"Vary": "Accept-Encoding"} if packs else {})
        if conditions.unchanged(self.headers, headers["ETag"], int(info.st_mtime)):
            self._begin(HTTPStatus.NOT_MODIFIED, headers)
            return
        headers |= {"Content-Type": TYPES.get(kind, "application/octet-stream"), "Accept-Ranges": "bytes"}
        if packed:
            self._send_packed(file, headers)
        else:
            self._send_part(file, headers, info.st_size)

    def _send_packed(self, file: io.BufferedIOBase, headers: dict[str, str]) -> None:
        data = gzip.compress(file.read(PACKED_BYTES.stop), GZIP_LEVEL, mtime=0)
        self._begin(HTTPStatus.OK, headers | {"Content-Encoding": "gzip", "Content-Length": str(len(data))})
        self._copy(io.BytesIO(data), len(data))

    def _send_part(self, file: io.BufferedIOBase, headers: dict[str, str], size: int) -> None:
        """What the request's Range asks for, or all."""
        part = None
        try:
            if self.command == "GET":
                part = conditions.wanted_range(self.headers, size, headers["ETag"], headers["Last-Modified"])
        except conditions.OutsideFile:
            headers |= {"Content-Range": f"bytes */{size}", "Content-Length": "0"}
            self._begin(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, headers)
            return
        first, count = part or (0, size)
        if part:
            headers["Content-Range"] = f"bytes {first}-{first + count - 1}/{size}"
        self._begin(HTTPStatus.PARTIAL_CONTENT if part else HTTPStatus.OK, headers | {"Content-Length": str(count)})
        file.seek(first)
        self._copy(file, count)

    def _begin(self, status: HTTPStatus, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def end_headers(self) -> None:
        """Every answer, errors too, keeps the page in its own process."""
        for name, value in EVERYWHERE.items():
            self.send_header(name, value)
        super().end_headers()

    def _copy(self, file: io.BufferedIOBase, count: int) -> None:
        """So many bytes, in pieces. A file that became shorter ends the connection: the client sees what is missing."""
        if self.command == "HEAD":
            return
        while count and (data := file.read(min(CHUNK, count))):
            self.wfile.write(data)
            count -= len(data)
        if count:
            self.close_connection = True


def _opened(path: Path) -> io.BufferedIOBase | None:
    try:
        return path.open("rb")
    except OSError:
        return None
