"""
The folders of a repository's runs: which have changed, and what their runs are now.

    freshness (names and times of folders)  ->  which to read  ->  EndedRuns, or RunWatch for any run  ->  CatalogueRow

A run is *followed*, that is read again at each refresh, while a writer may still record, and while its folder is so
young that its time may hide another change. Of those that arrive at a server only the ones that have changed are read.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from aim.storage.catalogue.arriving_runs import ArrivingRuns, Times
from aim.storage.catalogue.catalogue_row import CatalogueRow, KindNumbers
from aim.storage.catalogue.ended_runs import EndedRuns
from aim.storage.catalogue.run_watch import RunWatch, read_runs
from aim.storage.disk.freshness import FolderTime, Freshness, time_of

OPEN_STAMP = -1  # of a run that is open or young: no folder has this time, so the next process reads it

log = logging.getLogger("aim")


@dataclass
class _Followed:
    """A run that is read again at every refresh."""

    watch: RunWatch
    inode: int


@dataclass(frozen=True)
class ReadRun:
    """
    A run that was read.

    Attributes:
        stamp: the time of its folder before it was read.
        is_followed: whether it is read again at the next refresh.
    """

    row: CatalogueRow
    stamp: int
    is_followed: bool


class RunFolders:
    """
    What was read of the folders, and when.

    Attributes:
        arriving: the followed runs that arrive at a server.

    Args:
        repository: the `.aim`.
        stamps: the time of the folder of each run that a catalogue has, when it was read.
        kinds: the stored kinds that the catalogue has met.
    """

    def __init__(self, repository: Path, stamps: dict[str, int], kinds: KindNumbers) -> None:
        self._repository = repository
        self._prefix = f"{repository / 'runs'}{os.sep}"
        self._followed: dict[str, _Followed] = {}
        self._unreadable: set[str] = set()
        self.arriving = ArrivingRuns()
        self.restart(stamps, kinds)

    def restart(self, stamps: dict[str, int], kinds: KindNumbers) -> None:
        """Go on with other stamps and kinds, those of a file; followed runs stay followed."""
        self._stamps = stamps
        self._kinds = kinds
        self._freshness = Freshness(self._repository, stamps)
        self._ended_runs = EndedRuns(kinds)

    # which to read

    def look(self, *, full: bool, arrivals: bool = True) -> tuple[set[str], set[str]]:
        """
        Return the runs to read and the runs that are gone.

        Args:
            full: ask all folders.
            arrivals: read also what has arrived of runs; without it somebody else does (`ArrivingRuns.changed`).
        """
        open_runs = [run_hash for run_hash in self._followed if run_hash not in self.arriving]
        open_runs += self.arriving.changed() if arrivals else ()
        due = self._freshness.changed_runs(open_runs, full=full)
        return due.to_read, due.gone

    def followed(self) -> list[str]:
        """Return the runs that are read at each refresh."""
        return sorted(self._followed)

    def is_followed(self, run_hash: str) -> bool:
        """Return whether a run is read at each refresh."""
        return run_hash in self._followed

    def oldest_first(self, run_hashes: Iterable[str]) -> list[str]:
        """Return runs in the order in which their folders were changed."""

        def changed_s(run_hash: str) -> float:
            try:
                return os.stat(self._prefix + run_hash).st_mtime
            except OSError:
                return 0.0

        return sorted(sorted(run_hashes), key=changed_s)

    # stamps

    def stamp(self, run_hash: str) -> int:
        """Return the time of a run's folder when it was read; OPEN_STAMP when the run has to be read again."""
        return OPEN_STAMP if run_hash in self._followed else self._stamps.get(run_hash, OPEN_STAMP)

    def set_stamp(self, run_hash: str, stamp: int) -> None:
        """Note that the table has what the folder had at that time."""
        is_new = run_hash not in self._stamps
        self._stamps[run_hash] = stamp
        if is_new:
            self._freshness.added(run_hash)

    def forget(self, run_hash: str) -> None:
        """Forget a run that is gone."""
        self._stamps.pop(run_hash, None)
        self._unfollow(run_hash)
        self._freshness.removed(run_hash)

    def _unfollow(self, run_hash: str) -> None:
        self._followed.pop(run_hash, None)
        self.arriving.discard(run_hash)

    # reading

    def read(self, run_hashes: Iterable[str]) -> dict[str, ReadRun | None]:
        """Read runs at once; None stands for one that is gone, or that the system lets nobody read."""
        runs: dict[str, ReadRun | None] = {}
        times: dict[str, FolderTime] = {}
        inodes: dict[str, int] = {}
        watches: dict[str, RunWatch] = {}
        arrived = {run_hash: self.arriving.before_reading(run_hash) for run_hash in run_hashes}
        for run_hash in arrived:
            try:
                stat = os.stat(self._prefix + run_hash)
            except OSError:
                runs[run_hash] = None
                continue
            times[run_hash], inodes[run_hash] = time_of(stat), stat.st_ino
            followed = self._followed.get(run_hash)
            if followed is not None and followed.inode == stat.st_ino:  # not a new run under an old name
                watches[run_hash] = followed.watch
        rows = self._rows([run_hash for run_hash in times if run_hash not in watches], watches)
        for run_hash, time in times.items():
            row = rows.get(run_hash)
            if row is None:
                runs[run_hash] = None
                continue
            is_followed = row.is_open or time.is_young
            if is_followed:
                self._follow(run_hash, watches.get(run_hash), inodes[run_hash])
                self._note_arriving(run_hash, time, arrived[run_hash])
            else:
                self._unfollow(run_hash)
            runs[run_hash] = ReadRun(row, time.stamp, is_followed)
        return runs

    def _follow(self, run_hash: str, watch: RunWatch | None, inode: int) -> None:
        self._followed[run_hash] = _Followed(watch or self._watch(run_hash), inode)

    def _note_arriving(self, run_hash: str, time: FolderTime, before: Times | None) -> None:
        if time.is_young:  # it may be an edit, and hide another one: whoever edits sees it at once
            self.arriving.discard(run_hash)
        else:
            self.arriving.after_reading(run_hash, self._followed[run_hash].watch, before)

    def _rows(self, unwatched: list[str], watches: dict[str, RunWatch]) -> dict[str, CatalogueRow]:
        # followed runs go on from where they were read to; most of the others have ended
        rows = self._ended_runs.read(self._prefix + run_hash for run_hash in unwatched)
        for run_hash in unwatched:
            if run_hash not in rows:
                watches[run_hash] = self._watch(run_hash)
        return rows | read_runs(watches.values(), self._cannot_read)

    def _watch(self, run_hash: str) -> RunWatch:
        return RunWatch(Path(self._prefix + run_hash), self._kinds)

    def _cannot_read(self, run_hash: str, error: Exception) -> None:
        if run_hash not in self._unreadable:
            self._unreadable.add(run_hash)
            reason = (error.strerror or str(error)) if isinstance(error, OSError) else repr(error)
            log.warning("Aim can't read run %s and leaves it out: %s.", run_hash, reason)
