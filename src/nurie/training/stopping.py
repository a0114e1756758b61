"""Stopping between two steps: what a step has made is saved before the run ends."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any


class Stop:
    """Whether Ctrl-C or SIGTERM came, and how the process ends then."""

    def __init__(self) -> None:
        self.signal: int | None = None
        self.before: dict[int, Any] = {}

    @property
    def asked(self) -> bool:
        return self.signal is not None

    def handle(self, number: int, frame: FrameType | None) -> None:
        """The first waits for the end of the step. A second Ctrl-C does not; SIGTERM after Ctrl-C does, which launchers
        of several processes send."""
        if self.signal == number:
            self.end(number, frame)
        self.signal = number

    def end(self, number: int | None = None, frame: FrameType | None = None) -> None:
        """As without this: by what was to handle the signal, which raises KeyboardInterrupt or ends the process."""
        number = number or self.signal or signal.SIGTERM  # without one, another process was told
        for kind, handler in self.before.items():
            signal.signal(kind, handler)
        signal.raise_signal(number)


@contextmanager
def stoppable() -> Iterator[Stop]:
    """Inside, the first Ctrl-C or SIGTERM is only noted. Other threads than the main one can not note them, and a
    signal that is ignored, as in the background of a script, stays so."""
    stop = Stop()
    if threading.current_thread() is threading.main_thread():
        heard = [kind for kind in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(kind) is not signal.SIG_IGN]
        stop.before = {kind: signal.signal(kind, stop.handle) for kind in heard}
    try:
        yield stop
    finally:
        for kind, handler in stop.before.items():
            signal.signal(kind, handler)
