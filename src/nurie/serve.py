"""site/ -> http://127.0.0.1:8000, for this computer, or for the network with --host."""

import contextlib
import errno
import os
import signal
import socket
import tempfile
import threading
import webbrowser
from collections.abc import Iterator
from pathlib import Path

from nurie.config import Publish, Serve
from nurie.errors import NurieError
from nurie.limits import check_values
from nurie.site.server import Server
from nurie.site.sitefile import INDEX

HOST = Serve.host
MODELS = Path(__file__).parent / "models"
BUILT_IN = MODELS / "cats"  # the default one


def serve(config: Serve) -> None:
    """Serve until Ctrl-C. Raises NurieError when there is no page to serve, no such address or no free port."""
    check_values(config)
    with _ended_by_signals():
        if config.site is not None:
            _serve_folder(config.site, config)
        else:
            _serve_built_in(config)


def _serve_built_in(config: Serve) -> None:
    from nurie.engine.modelfile import is_model
    from nurie.publish import write_site

    if not is_model(BUILT_IN):
        raise NurieError(
            f"The built-in model is missing from {BUILT_IN}. "
            "Name a site to serve: `nurie publish model/ site/`, then `nurie serve site/`."
        )
    # Windows keeps files that an answer still reads.
    with tempfile.TemporaryDirectory(prefix="nurie-", ignore_cleanup_errors=True) as temporary:
        _serve_folder(write_site(Publish(BUILT_IN, Path(temporary) / "site", more=other_built_in())), config)


def other_built_in() -> tuple[Path, ...]:
    """The built-in models that are not the default one, by name."""
    from nurie.engine.modelfile import is_model

    return tuple(folder for folder in sorted(MODELS.iterdir()) if is_model(folder) and folder != BUILT_IN)


def _serve_folder(folder: Path, config: Serve) -> None:
    with contextlib.suppress(KeyboardInterrupt), make_server(folder, config.port, config.host) as server:
        # In a thread of its own: else Ctrl-C would interrupt the server anywhere in its work.
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.2}, daemon=True)
        try:
            thread.start()
            _tell(server, config)
            while thread.is_alive():
                thread.join(0.2)  # Windows hears Ctrl-C only in between
        finally:
            if thread.is_alive():
                server.shutdown()
    print()


def _tell(server: Server, config: Serve) -> None:
    """Say where the page is, and show it."""
    port = server.server_address[1]
    if config.port not in (0, port):
        print(f"Port {config.port} is taken, so this is port {port}.", flush=True)
    url = page_address(own_address(server), port)
    print(f"The page is at {url} (Ctrl-C ends)", flush=True)
    if not server.local:
        print(warning(server), flush=True)
    if config.open:
        # In a thread: some browsers' launchers return only when the window is closed.
        threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()


def make_server(folder: Path, port: int, host: str = HOST, tries: int = 100) -> Server:
    """A server on `port` or the next free one (0: any), not yet running. Raises NurieError."""
    if not (folder / INDEX).is_file():
        from nurie.pairs.kinds import WEBSITE, refuse_other_kind  # which loads NumPy

        refuse_other_kind(folder, [WEBSITE], "serve")
        raise NurieError(f"There is no {INDEX} in {folder}. Expected a site: `nurie publish model/ {folder}`.")
    last = min(port + tries, 65536)
    for candidate in range(port, last):
        try:
            return Server(folder, host, candidate)
        except (OSError, ValueError) as error:
            _refuse_unless_taken(error, host, candidate)
    raise NurieError(f"No port from {port} to {last - 1} is free. Choose another with --port.")


def _refuse_unless_taken(error: OSError | ValueError, host: str, port: int) -> None:
    """Raises NurieError unless the next port may be free."""
    if isinstance(error, socket.gaierror | ValueError):
        raise NurieError(f"--host {host!r} is no address: expected one of this computer's, or 0.0.0.0.") from error
    if error.errno == errno.EADDRNOTAVAIL:
        raise NurieError(f"--host {host} is no address of this computer. 0.0.0.0 stands for all of them.") from error
    if error.errno == errno.EACCES and os.name != "nt" and 0 < port < 1024:
        raise NurieError(f"Port {port} is for administrators only. Choose one from 1024 with --port.") from error
    if error.errno not in (errno.EADDRINUSE, errno.EACCES):  # EACCES: Windows' reserved ranges
        raise NurieError(f"Cannot listen on {host}, port {port}: {error.strerror}.") from error


def page_address(host: str, port: int) -> str:
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def own_address(server: Server) -> str:
    """Where this computer's browser finds the server."""
    host = str(server.server_address[0])
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)


def network_address(server: Server) -> str | None:
    """Where other devices find the server, if there is a network. Nothing is sent to find it out."""
    host, port = str(server.server_address[0]), server.server_address[1]
    if host not in ("0.0.0.0", "::"):
        return host
    with contextlib.suppress(OSError), socket.socket(server.address_family, socket.SOCK_DGRAM) as probe:
        probe.connect(("2001:db8::1" if host == "::" else "192.0.2.1", port))  # documentation's addresses
        return str(probe.getsockname()[0])
    return None


def warning(server: Server) -> str:
    """What a maker should know who shows the page to a network."""
    host, port = network_address(server), server.server_address[1]
    where = page_address(host, port) if host else f"this computer's address, port {port}"
    return (
        f"On other devices: {where}\nEveryone in this network can see the page until you end this. "
        "Other devices colour on one thread: browsers give a page more only over https, or on its own computer."
    )


@contextlib.contextmanager
def _ended_by_signals() -> Iterator[None]:
    """`kill` and a closed terminal end the server as Ctrl-C does, so that nothing temporary is left."""

    def end(*_: object) -> None:
        raise KeyboardInterrupt

    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    usual = [number for number in numbers if signal.getsignal(number) is signal.SIG_DFL]  # nohup ignores SIGHUP
    for number in usual:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number in usual:
            signal.signal(number, signal.SIG_DFL)
