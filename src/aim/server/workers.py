"""
The reading processes of `aim up --workers N`: N - 1 forks that answer on the port of the first process.

    first process     forks the keeper before it has threads, then serves
    keeper            forks the reading processes, and again each that ends; has no threads, so it may fork at any time
    reading process   serves until the pipe to the first process ends, which the system closes with that process

The kernel gives a connection to whichever process asks for one first, which is one that has time.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from aim.server.forwarding import Inside

SOCKET_NAME = "first.sock"
RESTART_S = 1.0  # so that a process that can't start is not started all the time
STOP_S_MAX = 10.0


class ReadingProcesses:
    """
    The reading processes, as the first process has them.

    Args:
        count: how many; 1 or more.
        serve: serves in a reading process, given the descriptor that can be read when the first process has ended.
    """

    def __init__(self, count: int, serve: Callable[[Inside, int], None]) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="aim-up-"))  # only its owner may enter
        self.inside = Inside(self._folder / SOCKET_NAME)
        ends, self._lives = os.pipe()
        self._keeper = os.fork()
        if self._keeper == 0:
            os.close(self._lives)
            _keep(count, lambda: serve(self.inside, ends), ends)
        os.close(ends)

    def stop(self) -> None:
        """Let them end, and wait for it."""
        os.close(self._lives)
        until_s = time.monotonic() + STOP_S_MAX
        while os.waitpid(self._keeper, os.WNOHANG)[0] == 0:
            if time.monotonic() > until_s:
                os.kill(self._keeper, signal.SIGKILL)
            time.sleep(0.02)
        shutil.rmtree(self._folder, ignore_errors=True)


def can_fork() -> bool:
    """Return whether this system has what several processes need."""
    return hasattr(os, "fork")


def _keep(count: int, serve: Callable[[], None], ends: int) -> None:
    """Keep *count* processes that serve, until *ends* can be read; does not return."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # the first process says when it is time
    alive: dict[int, float] = {}
    while True:
        has_ended = bool(select.select([ends], [], [], 0)[0])
        if has_ended and not alive:
            os._exit(0)
        while not has_ended and len(alive) < count:
            child = os.fork()
            if child == 0:
                for number in (signal.SIGINT, signal.SIGTERM):
                    signal.signal(number, signal.SIG_DFL)
                _serve(serve)
            alive[child] = time.monotonic()
        child, _ = os.wait()
        begun_s = alive.pop(child, 0.0)
        select.select([ends], [], [], max(0.0, begun_s + RESTART_S - time.monotonic()))


def _serve(serve: Callable[[], None]) -> None:
    code = 1
    try:
        serve()
        code = 0
    except KeyboardInterrupt:
        code = 0
    finally:
        os._exit(code)
