"""
Runs that arrive: of which all that is new is received by a server, from trainings on other hosts.

A server touches the event file of a writer after it wrote what came of it, and the folder of the run when the writer is
not alive (storage/shipping/intake.py). So the times of these tell whether a run has to be read again, which costs a
hundredth of reading it. A training of this host may be read from where it records, which changes no times.

Rule 1: times are taken before what they stand for is read.
Rule 2: a young time (freshness.py) stands for nothing: the run is read again.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

from aim.storage.catalogue.run_watch import RunWatch
from aim.storage.disk import layout
from aim.storage.disk.freshness import folder_time
from aim.storage.forms.state import HEARTBEAT_FRESH_S

RECHECK_S = 10.0  # a run is read again after that without a sign of a change

Times = tuple[int, ...]
"""The stamps of a folder and of some files in it."""


@dataclass
class _Arriving:
    """
    One run.

    Attributes:
        paths: its folder, and the event files of the writers that may still record.
        times: of *paths*, before the run was read; None: it has to be read again.
        due_s: when it has to be read again in any case, by the system's clock.
    """

    paths: tuple[str, ...]
    times: Times | None
    due_s: float


class ArrivingRuns:
    """Those among the followed runs that arrive, with what tells of a change."""

    def __init__(self) -> None:
        self._runs: dict[str, _Arriving] = {}

    def __len__(self) -> int:
        return len(self._runs)

    def __contains__(self, run_hash: object) -> bool:
        return run_hash in self._runs

    def changed(self) -> list[str]:
        """Return the runs that have to be read again. Cost: 5 us a run."""
        now_s = time.time()
        return [
            run_hash
            for run_hash, run in self._runs.items()
            if run.times is None or now_s >= run.due_s or _times(run.paths) != run.times
        ]

    def before_reading(self, run_hash: str) -> Times | None:
        """Return the times of a run, which is read next; None when they stand for nothing."""
        run = self._runs.get(run_hash)
        return None if run is None else _times(run.paths)

    def after_reading(self, run_hash: str, watch: RunWatch, times: Times | None) -> None:
        """Take in a run that was read; *times* were taken before."""
        writers = watch.arriving_writers()
        if not writers:
            self.discard(run_hash)
            return
        folder = watch.folder
        paths = (str(folder), *(str(layout.events_file(folder, writer.id)) for writer in writers))
        before = self._runs.get(run_hash)
        now_s = time.time()
        silent_at_s = (writer.heard_at_s + HEARTBEAT_FRESH_S for writer in writers)
        due_s = min([now_s + RECHECK_S, *(at_s for at_s in silent_at_s if at_s > now_s)])
        is_same = before is not None and before.paths == paths
        self._runs[run_hash] = _Arriving(paths, times if is_same else None, due_s)

    def discard(self, run_hash: str) -> None:
        """Forget a run: it is gone, has ended, or does not arrive."""
        self._runs.pop(run_hash, None)


def _times(paths: Iterable[str]) -> Times | None:
    try:
        times = [folder_time(path) for path in paths]
    except OSError:  # a file is gone: reading tells why
        return None
    return None if any(at.is_young for at in times) else tuple(at.stamp for at in times)
