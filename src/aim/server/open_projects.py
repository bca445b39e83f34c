"""
The projects of a server that are open at this moment, wherever their runs are: closed again when nobody asks for them.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator

from aim.core.errors import AimError
from aim.server.open_repository import OpenRepository

IDLE_S = 1_800.0

log = logging.getLogger("aim.server")


class OpenProjects:
    """The open projects of a server by name, and when each was last asked for. Any thread may use it."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._open: dict[str, OpenRepository] = {}
        self._used_at_s: dict[str, float] = {}

    def __iter__(self) -> Iterator[OpenRepository]:
        """Yield the projects that are open."""
        with self._lock:
            return iter(list(self._open.values()))

    def close_idle(self, is_followed: Callable[[OpenRepository], bool], idle_s: float = IDLE_S) -> list[str]:
        """Close the projects that nobody has asked for *idle_s*, but those that pages follow; return their names."""
        with self._lock:
            now_s = time.monotonic()
            idle = [
                name
                for name, repo in self._open.items()
                if now_s - self._used_at_s.get(name, 0.0) >= idle_s and not is_followed(repo)
            ]
            for name in idle:
                self._close(name)
            return idle

    def _close(self, name: str) -> None:
        repo = self._open.pop(name, None)
        if repo is None:
            return
        try:
            repo.close()
        except (AimError, OSError) as error:  # its folder may be gone
            log.warning("The project %r was closed, but: %s", name, error)

    def sweep(self) -> None:
        """Do nothing: what a deletion has left of a folder is removed by `aim storage prune`."""

    def warm(self) -> None:
        """Do nothing: a project is read when it is first asked for."""

    def close(self) -> None:
        """Close all that are open."""
        with self._lock:
            for name in list(self._open):
                self._close(name)
