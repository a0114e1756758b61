"""Python's own HTTP server, with what it lacks against clients that are slow, many or send too much.

Each connection has a thread. There are at most CONNECTIONS; more wait in the system's queue. A client has HEAD_SECONDS
for a request's head, which may have HEAD_BYTES, and SEND_SECONDS to take each piece of an answer; then it is cut off.
"""

import contextlib
import http.server
import io
import os
import socket
import socketserver
import sys
import threading
import time
from http import HTTPStatus

CONNECTIONS = 110  # with a file each they stay below the 256 descriptors that macOS gives
HEAD_SECONDS = 15  # also the time until the next request on a connection
HEAD_BYTES = 1 << 17
SEND_SECONDS = 30
LINGER_SECONDS, LINGER_BYTES = 1, 1 << 20


class Connections(http.server.ThreadingHTTPServer):
    """Listens at an address. Raises OSError where it cannot: the port is taken, or the host is another computer."""

    daemon_threads = True
    allow_reuse_address = os.name != "nt"  # on Windows, reuse would let two servers share one port
    request_queue_size = 128

    def __init__(self, host: str, port: int, handler: type["PatientHandler"]):
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        self.address_family, _, _, _, address = found[0]
        self.free = threading.Semaphore(CONNECTIONS)
        super().__init__(address, handler)  # pyright: ignore[reportArgumentType]

    def server_bind(self) -> None:
        """Without HTTPServer's look-up of the host's full name, which takes seconds on some computers."""
        socketserver.TCPServer.server_bind(self)

    def get_request(self) -> tuple[socket.socket, object]:
        """The next connection. Where there are too many it stays in the queue, and the server looks again."""
        if not self.free.acquire(timeout=0.2):
            raise TimeoutError
        try:
            return super().get_request()
        except OSError:
            self.free.release()
            time.sleep(0.05)  # without descriptors the queue would be looked at without a pause
            raise

    def shutdown_request(self, request: socket.socket) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """End a connection. What the client still sends is dropped for a moment: else it would lose the answer."""
        end, left = time.monotonic() + LINGER_SECONDS, LINGER_BYTES
        with contextlib.suppress(OSError):
            request.shutdown(socket.SHUT_WR)
            while left > 0 and (seconds := end - time.monotonic()) > 0:
                request.settimeout(seconds)
                count = len(request.recv(1 << 16))
                left = left - count if count else 0
        self.close_request(request)
        self.free.release()

    def handle_error(self, request: object, client_address: object) -> None:
        """A browser that closes a connection early is no error; a disk that cannot be read is a sentence."""
        error = sys.exception()
        if isinstance(error, OSError):
            if not isinstance(error, ConnectionError):
                print(f"nurie: {error}", file=sys.stderr, flush=True)
        else:
            super().handle_error(request, client_address)  # pyright: ignore[reportArgumentType]


class HeadTooLarge(Exception):
    """A request's head has more than HEAD_BYTES."""


class Incoming(io.RawIOBase):
    """What a client sends, until it takes too long (TimeoutError) or is too much (HeadTooLarge)."""

    def __init__(self, connection: socket.socket):
        self.connection = connection
        self.expect()

    def expect(self) -> None:
        """A new request."""
        self.end, self.left = time.monotonic() + HEAD_SECONDS, HEAD_BYTES

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # pyright: ignore[reportIncompatibleMethodOverride]
        seconds = self.end - time.monotonic()
        if seconds <= 0:
            raise TimeoutError
        if self.left <= 0:
            raise HeadTooLarge
        self.connection.settimeout(seconds)
        count = self.connection.recv_into(buffer)
        self.left -= count
        return count


class PatientHandler(http.server.BaseHTTPRequestHandler):
    """Answers the requests of a connection, within the limits above, and says every error in one line of text."""

    protocol_version = "HTTP/1.1"
    default_request_version = "HTTP/1.0"  # of a request that names none: an answer in HTTP/0.9 would have no headers
    disable_nagle_algorithm = True  # else a file's body waits 40 ms for the browser to acknowledge its header
    server_version = "nurie"
    sys_version = ""
    command, requestline, request_version = "", "", "HTTP/1.0"  # until the first request has come

    def setup(self) -> None:
        super().setup()
        self.rfile.close()
        self.incoming = Incoming(self.connection)
        self.rfile = io.BufferedReader(self.incoming)

    def handle_one_request(self) -> None:
        self.incoming.expect()
        try:
            super().handle_one_request()  # a TimeoutError ends the connection there
        except HeadTooLarge:
            self.send_error(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def end_headers(self) -> None:
        if self.close_connection:
            self.send_header("Connection", "close")
        self.connection.settimeout(SEND_SECONDS)  # for each write, all of it
        super().end_headers()

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """The connection ends: nobody knows whether what follows a wrong request is the next one."""
        body = f"{int(code)} {message or HTTPStatus(code).phrase}\n".encode()
        self.close_connection = True
        self.send_response(code)
        if code == HTTPStatus.METHOD_NOT_ALLOWED:
            self.send_header("Allow", "GET, HEAD")
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet: only failures are worth a line, and the page shows those itself."""
