"""
Snapshots of the catalogue of a project in the object store, so that a server which starts decodes few facts.

    c/<project>/<format>-<seen>-<sha256>      a file of storage/catalogue/snapshot.py, written by any server
        its runs                              with the `seen` of the facts that each was made from

A snapshot is a cache of a cache, and is never believed: of its runs only those count that the table `facts` has with
the very same `seen`, and whose mark is that of `heads`. So one that is old, or of a database that was restored from a
backup, or of another cluster, costs time and shows nothing wrong. Its bytes are those that the key names, or it is not
read. Two servers may write one at a time: the later one removes the earlier one, and whoever reads looks again.

A server writes one when 1 % of the runs have changed since the last one, and when something has changed and there is
none. A run that is removed for good takes along the snapshots that may have it.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from aim.core.clock import MICROSECONDS
from aim.storage.catalogue import snapshot
from aim.storage.catalogue.catalogue_file import NOT_A_SNAPSHOT, LoadedTable, read_table, write_table
from aim.storage.catalogue.catalogue_row import KindNumbers
from aim.storage.catalogue.point_lookups import OpenReader
from aim.storage.catalogue.run_table import RunTable
from aim.storage.catalogue.snapshot import Snapshot
from aim.storage.cluster.cluster_project import ClusterProject
from aim.storage.cluster.object_store import ObjectsUnavailable
from aim.storage.disk.caches import cache_folder
from aim.storage.disk.digests import digest_of

RUNS_MIN = 256  # the facts of fewer are read in a moment
LOOK_S = 60.0  # between two looks whether there is one
LOOKS_MAX = 3  # while other servers exchange them
FAILED = (OSError, sqlite3.Error, ObjectsUnavailable, *NOT_A_SNAPSHOT)

log = logging.getLogger("aim.server")


class SnapshotKey(NamedTuple):
    """
    What the key of a snapshot says.

    Attributes:
        number: of the format.
        seen_us: when the table was taken, by the clock of the server.
        sha256: of the bytes.
    """

    number: int
    seen_us: int
    sha256: str

    def text(self, project: str) -> str:
        """
        Return the key.

        >>> SnapshotKey(8, 1, "ab").text("vision")
        'c/vision/8-1-ab'
        """
        return f"{snapshots_prefix(project)}/{self.number}-{self.seen_us}-{self.sha256}"


def snapshots_prefix(project: str) -> str:
    """Return what the keys of the snapshots of a project begin with."""
    return f"c/{project}"


def snapshot_keys(project: ClusterProject) -> list[SnapshotKey]:
    """List the snapshots of a project, the oldest first. Raises ObjectsUnavailable."""
    keys = []
    for key in project.objects.keys(snapshots_prefix(project.name)):
        number, _, rest = key.rpartition("/")[2].partition("-")
        seen_us, _, sha256 = rest.partition("-")
        if number.isdigit() and seen_us.isdigit():
            keys.append(SnapshotKey(int(number), int(seen_us), sha256))
    return sorted(keys, key=lambda key: (key.seen_us, key.sha256))


def remove_snapshots(project: ClusterProject, before_us: int) -> None:
    """Remove the snapshots that were taken before a moment. Raises ObjectsUnavailable."""
    project.objects.delete(key.text(project.name) for key in snapshot_keys(project) if key.seen_us < before_us)


class ClusterSnapshots:
    """
    Reads the snapshots of *project*, and writes them beside the questions.

    Args:
        folder: for the file of a snapshot while it is read or written.
        runs_min: a smaller project has none.
        look_s: the time between two looks whether there is one.
    """

    def __init__(
        self, project: ClusterProject, *, folder: Path | None = None, runs_min: int = RUNS_MIN, look_s: float = LOOK_S
    ) -> None:
        self._project = project
        self._folder = folder or _folder(project)
        self._runs_min = runs_min
        self._changed_count = self._kept_count = 0
        self._look_s = look_s
        self._looked_s = -look_s
        self._is_refused = False
        self._thread: threading.Thread | None = None

    # reading

    def load(self, kinds: KindNumbers, open_reader: OpenReader, run_count: int) -> LoadedTable | None:
        """
        Return the table of the newest snapshot that is whole, with the `seen` of the facts of each run as its stamp, or
        None: so for a project of few runs. It may have runs that are gone and lack others.

        Cost: reading the object, and 5 us a run; columns are read when they are asked for.
        """
        if run_count < self._runs_min or self._is_refused:
            return None
        refused: set[str] = set()
        with contextlib.suppress(ObjectsUnavailable):
            for _ in range(LOOKS_MAX):
                keys = [key for key in snapshot_keys(self._project) if key.number == snapshot.FORMAT_NUMBER]
                keys = [key for key in keys if key.sha256 not in refused]
                if not keys:
                    break
                loaded = self._loaded(keys[-1], kinds, open_reader)
                if loaded is not None:
                    return loaded
                refused.add(keys[-1].sha256)
        return None

    def _loaded(self, key: SnapshotKey, kinds: KindNumbers, open_reader: OpenReader) -> LoadedTable | None:
        file = None
        try:
            file = Snapshot(self._downloaded(key))
            return read_table(file, open_reader, kinds)
        except FAILED as error:
            if file is not None:
                file.close()
            log.info("A snapshot of %s was not used: %s", self._project.address, error)
            return None

    def _downloaded(self, key: SnapshotKey) -> Path:
        """Return the file of a snapshot, which this machine may have. Raises FAILED."""
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{key.seen_us}-{key.sha256}.sqlite"
        if path.exists() and digest_of(path).sha256 == key.sha256:
            return path
        content = self._project.objects.read_whole(key.text(self._project.name))
        if hashlib.sha256(content).hexdigest() != key.sha256:
            raise snapshot.DamagedSnapshot(f"{key.text(self._project.name)}: other bytes than its name says")
        scratch = self._folder / f".{secrets.token_hex(4)}.scratch"
        scratch.write_bytes(content)
        os.replace(scratch, path)
        for earlier in self._folder.glob("*.sqlite"):
            if earlier != path:
                snapshot.discard(earlier)  # whoever has it open goes on reading it
        return path

    # writing

    def refuse(self) -> None:
        """Read none any more: what came from one was damaged."""
        self._is_refused = True

    def note(self, count: int) -> None:
        """Count runs that have changed, or that a snapshot lacks."""
        self._changed_count += count

    def keep(self, table: RunTable, stamps: Callable[[], Mapping[str, int]], *, unread_count: int = 0) -> None:
        """
        Write a snapshot of *table* when it is time, in a thread: a failure is noted, and tried again later.

        Args:
            stamps: returns the `seen` of the facts of each run; a run without one is not believed.
            unread_count: how many runs the table lacks still: then it is not time.
        """
        count, moment_s = table.run_count, time.monotonic()
        unsaved_count = self._changed_count - self._kept_count
        is_busy = self._thread is not None and self._thread.is_alive()
        if count < self._runs_min or not unsaved_count or unread_count or is_busy:
            return
        is_much = unsaved_count > self._runs_min + count // 100
        if moment_s - self._looked_s < (self._look_s / 10 if is_much else self._look_s):
            return
        self._looked_s = moment_s
        reading = contextlib.ExitStack()
        reading.enter_context(table.reading())
        words = (table, stamps(), reading, is_much)
        self._thread = threading.Thread(target=self._keep, args=words, name="aim-snapshot", daemon=True)
        self._thread.start()

    def _keep(self, table: RunTable, stamps: Mapping[str, int], reading: contextlib.ExitStack, is_much: bool) -> None:
        changed_count, seen_us = self._changed_count, round(time.time() * MICROSECONDS)
        with reading:
            try:
                others = [key for key in snapshot_keys(self._project) if key.number == snapshot.FORMAT_NUMBER]
                is_kept = bool(others) and (not is_much or seen_us - others[-1].seen_us < self._look_s * MICROSECONDS)
                if not is_kept:
                    self.write(table, stamps, seen_us)
                if is_much or not is_kept:
                    self._kept_count = changed_count
            except FAILED as error:
                log.info("No snapshot of %s could be written: %s", self._project.address, error)

    def write(self, table: RunTable, stamps: Mapping[str, int], seen_us: int) -> SnapshotKey:
        """
        Write a snapshot now, and remove the earlier ones; return its key. Raises FAILED.

        Cost: 1 us a run and 0.1 us a sequence, and writing the object.
        """
        scratch = self._folder / "written"
        path = write_table(scratch, self._project.address, table, lambda run_hash: stamps.get(run_hash, 0))
        try:
            key = SnapshotKey(snapshot.FORMAT_NUMBER, seen_us, digest_of(path).sha256)
            self._project.objects.put(key.text(self._project.name), path)
        finally:
            snapshot.discard(path)
        remove_snapshots(self._project, seen_us)
        return key

    def wait(self) -> None:
        """Wait until the thread has written, if one does."""
        if self._thread is not None:
            self._thread.join()


def _folder(project: ClusterProject) -> Path:
    text = f"{project.address}\0{project.database.name}\0{project.name}"
    return cache_folder() / f"cluster-{hashlib.blake2b(text.encode(), digest_size=12).hexdigest()}"
