"""
Threads that watch: one for a repository, and one that begins and ends them for the folders of a server, which may come
and go while it runs, as channels do.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from pathlib import Path

from aim.core.errors import AimError
from aim.core.shield import shielded
from aim.engine.alerting.channels import AlertChannels
from aim.engine.alerting.findings import finder
from aim.engine.alerting.state import watched_address
from aim.engine.alerting.watcher import AlertWatcher
from aim.engine.door import Door
from aim.engine.repository import Repository

STOP_S_MAX = 5.0

Report = Callable[[str], object]


def watcher_of(door: Door) -> AlertWatcher:
    """Return what watches a repository; of a folder also what `engine.alerts` finds there."""
    return AlertWatcher(door, found_alerts=finder(door) if isinstance(door, Repository) else None)


class _RepeatedWork:
    """Work that is done every *every_s* seconds until it is stopped; what goes wrong is reported when it changes."""

    def __init__(self, every_s: float, report: Report) -> None:
        self._every_s = every_s
        self._report = report
        self._end = threading.Event()
        self._thread = threading.Thread(target=self.run, name="aim-alerts", daemon=True)
        self._error_text = ""

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._end.set()
        if self._thread.is_alive():
            self._thread.join(timeout=STOP_S_MAX)

    def run(self) -> None:
        """Work until `stop` is called."""
        while not self._end.is_set():
            if shielded(self._work, self._say):
                self._error_text = ""
            self._end.wait(self._every_s)

    def _say(self, error: Exception) -> None:
        text = str(error) if isinstance(error, (AimError, OSError)) else f"{type(error).__name__}: {error}"
        if text != self._error_text:
            self._report(f"Alerts: {text}")
        self._error_text = text

    def _work(self) -> None:
        raise NotImplementedError


class WatchThread(_RepeatedWork):
    """Looks at one repository."""

    def __init__(self, watcher: AlertWatcher, every_s: float, report: Report) -> None:
        super().__init__(every_s, report)
        self._watcher = watcher

    def _work(self) -> None:
        self._watcher.look()

    def stop(self) -> None:
        """End, and let another process watch."""
        super().stop()
        self._watcher.file.unlock()


class FoldersWatch(_RepeatedWork):
    """
    Watches the repositories in folders, each in a thread of its own, as long as there is a channel for its alerts.

    Args:
        roots: returns the folders that hold a repository now.
    """

    def __init__(self, roots: Callable[[], Iterable[Path]], every_s: float, report: Report) -> None:
        super().__init__(every_s, report)
        self._roots = roots
        self._threads: dict[Path, WatchThread] = {}

    def _work(self) -> None:
        channels = AlertChannels()
        watched = {root for root in self._roots() if channels.of(watched_address(str(root.absolute())))}
        for root in self._threads.keys() - watched:
            self._threads.pop(root).stop()
        for root in watched - self._threads.keys():
            self._threads[root] = WatchThread(watcher_of(Repository(root)), self._every_s, self._report)
            self._threads[root].start()

    def stop(self) -> None:
        """End all threads."""
        super().stop()
        for thread in self._threads.values():
            thread.stop()
