"""One job for each photo, on all cores. A photo that kills its process ends that process only."""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import TypeVar

import cv2
import psutil

from nurie.resources import cores, memory_left

Job = TypeVar("Job")
BYTES = 1 << 30  # of memory that one process may need: a picture of ENOUGH pixels (see read.py) with its mask
KILLED = "its process was killed, which happens when there is not enough memory"


def workers_for(jobs: int, asked: int) -> int:
    """How many processes to start: one for each core, as far as the memory goes, or as many as asked for."""
    memory = min(psutil.virtual_memory().available, memory_left())
    return min(asked or min(cores(), max(1, int(memory // BYTES))), jobs)


def run_all(
    function: Callable[[Job], str | None], jobs: Sequence[Job], workers: int
) -> Iterator[tuple[Job, str | None]]:
    """Each job with what the function says of it: None, or what is wrong. KILLED when its process died.

    One worker is this process. What the function raises ends all.
    """
    if workers <= 1:
        yield from ((job, function(job)) for job in jobs)
        return
    waiting = deque(jobs)
    while waiting:
        lost: list[Job] = []  # were under way when a process died: one of them is to blame
        yield from until_death(function, waiting, workers, lost)
        for job in lost:
            alone = deque([job])
            blamed: list[Job] = []
            yield from until_death(function, alone, 1, blamed)
            yield from ((job, KILLED) for job in blamed)


def until_death(
    function: Callable[[Job], str | None], waiting: deque[Job], workers: int, lost: list[Job]
) -> Iterator[tuple[Job, str | None]]:
    """Results until all jobs are done, or a process dies; then the jobs that were under way are `lost`."""
    under_way: dict[Future[str | None], Job] = {}
    # spawn: forking a process that has threads (a progress bar, PyTorch) may hang
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, initializer=begin) as pool:
        try:
            while waiting or under_way:
                while waiting and len(under_way) < 2 * workers:
                    with no_interrupts():  # that a process which is being started would see
                        under_way[pool.submit(function, waiting[0])] = waiting[0]
                    waiting.popleft()
                for future in wait(under_way, return_when=FIRST_COMPLETED).done:
                    result = future.result()
                    yield under_way.pop(future), result
        except BrokenProcessPool:
            lost += under_way.values()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


@contextmanager
def no_interrupts() -> Iterator[None]:
    """Ctrl-C comes afterwards. Processes that are started meanwhile never get it."""
    if not hasattr(signal, "pthread_sigmask"):  # on Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def begin() -> None:
    """In each process: one thread, Ctrl-C is the first process's business, and the end comes with that process's."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    cv2.setNumThreads(1)
    threading.Thread(target=end_with_parent, daemon=True).start()


def end_with_parent() -> None:
    """Where the first process is killed, the others would wait for jobs for ever."""
    parent = multiprocessing.parent_process()
    assert parent
    parent.join()
    os._exit(1)
