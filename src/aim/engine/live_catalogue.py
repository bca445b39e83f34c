"""
The catalogue of a repository, kept in memory and up to date: what `Scan`, `Watch` and the server ask.

Any number of threads may ask at once:

    under the lock    bring the catalogue up to date, and take its table for reading
    without it        evaluate the question. A refresh that finds the table being read changes a copy

So a slow question delays no other one, and sees one state of the repository throughout.

The first reading of a large repository takes seconds. `ask` waits for it; `ask_now` is answered from the runs that were
read so far, the newest ones, while a thread reads the others, and `indexing` says how many it has read.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from aim.core.errors import AimError, UsageError
from aim.engine.arrivals import ArrivalsReader
from aim.engine.background import BackgroundThread
from aim.engine.door import Progress
from aim.query.query import Query
from aim.query.sql import sql, superset
from aim.storage.backend import ArrivingTable, PartialTable
from aim.storage.catalogue.catalogue_update import CatalogueChanges
from aim.storage.catalogue.run_table import RunTable
from aim.storage.catalogue.snapshot import DamagedSnapshot

if TYPE_CHECKING:
    from aim.engine.run_readers import RunReaders

Answer = TypeVar("Answer")

log = logging.getLogger("aim")

PASS_S = 0.25  # many runs are read in passes of this length; other threads may ask in between
YIELD_S = 0.001
TRIES_MAX = 3


class LiveCatalogue:
    """
    The catalogue of the runs that *readers* read.

    Every question first brings it up to date, so an answer includes whatever any process recorded before the question;
    but see `ask_now`.

    Attributes:
        readers: see above.

    Args:
        cache: the folder of the catalogue's file; None: the usual one.
    """

    def __init__(self, readers: RunReaders, *, cache: Path | None = None) -> None:
        self.readers = readers
        self._cache = cache
        self._listeners = ChangeListeners()
        self._begin()

    def _begin(self) -> None:
        self._process = os.getpid()
        self._process_lock = threading.RLock()
        self._catalogue = self.readers.backend.catalogue(self.readers.reader, cache=self._cache)
        self._indexer = _Indexer(self)
        self._arrivals = ArrivalsReader(self, self._listeners.tell)

    @property
    def lock(self) -> threading.RLock:
        """The lock that a refresh needs. In the child of a fork everything begins anew: a thread may have held it."""
        if self._process != os.getpid():
            self._begin()
        return self._process_lock

    def sole_writer(self, run_hash: str) -> tuple[str, int] | None:
        """Return the writer that sealed all points of a run, and the time of its folder then; None: unknown."""
        if self._process != os.getpid():
            return None
        try:
            return self._catalogue.sole_writer(run_hash)
        except DamagedSnapshot:  # the next question makes the catalogue again
            return None

    # asking

    def ask(
        self,
        question: Callable[[RunTable], Answer],
        progress: Progress | None = None,
        within_s: float | None = None,
        *,
        about: Query | Sequence[str] | None = None,
    ) -> Answer:
        """
        Bring the catalogue up to date, and return what *question* returns for its table, which does not change
        meanwhile. Other threads may ask at the same time.

        Arrays of the table may change after that: copy what is to be used later.

        Args:
            progress: is called while many runs are read.
            within_s: read runs for so many seconds only, and leave the others to a thread; None: read all.
            about: what the question asks for: the runs that may match a query, or runs by their hashes. It matters
                where a repository has too many runs for memory.

        Raises:
            UsageError: it has too many, and too many of them may match.
        """
        return self._ask(
            question,
            lambda: self.refresh(progress=progress, within_s=within_s),
            lambda: _narrow(self._catalogue.partial, about, address=self.address),
        )

    def _ask(
        self,
        question: Callable[[RunTable], Answer],
        refresh: Callable[[], CatalogueChanges],
        narrow: Callable[[], None],
        known: Callable[[RunTable], Answer | None] | None = None,
    ) -> Answer:
        for _ in range(TRIES_MAX):
            with contextlib.ExitStack() as reading:
                with self.lock:
                    try:
                        changes = refresh()
                    except DamagedSnapshot:
                        self._catalogue.rebuild()
                        changes = refresh()
                    if changes.unread_count:
                        self._indexer.start()
                    answer = None if known is None else known(self._catalogue.table)
                    if answer is not None:
                        return answer
                    narrow()
                    table = self._catalogue.table
                    reading.enter_context(table.reading())
                try:
                    return question(table)
                except DamagedSnapshot:  # met while a column was read: make the catalogue again
                    with self.lock:
                        if table is self._catalogue.table:
                            self._catalogue.rebuild()
        with self.lock:  # something damages the file again and again: nobody else may read it meanwhile
            self._catalogue.rebuild()
            refresh()
            narrow()
            return question(self._catalogue.table)

    def ask_now(
        self,
        question: Callable[[RunTable], Answer],
        *,
        about: Query | Sequence[str] | None = None,
        known: Callable[[RunTable], Answer | None] | None = None,
    ) -> Answer:
        """
        Return what *question* returns; while many runs have to be read, for those that were read so far, the newest.

        `indexing` says whether there are more. A thread reads them; it ends with the last one, or by `close`. Of a
        repository with too many runs for memory, also when too many may match, it is answered from the newest. While
        many trainings on other hosts record through a server, what they record is seen up to some seconds later.

        Args:
            about: see `ask`.
            known: returns the answer when it is known for this table already; None: it is not. It must be quick, as
                nobody else is answered meanwhile.
        """
        table = self._indexer.partial_table
        if table is not None:
            try:
                return question(table)
            except DamagedSnapshot:  # met while a column was read: the next refresh begins anew
                pass
        return self._ask(question, self.refresh_for_now, lambda: _narrow(self._catalogue.partial, about), known)

    @property
    def indexing(self) -> tuple[int, int] | None:
        """
        How many runs were read, and how many there are to read; None when all were read.

        A repository with too many runs for memory is never read whole.
        """
        partial = self._catalogue.partial
        if self._indexer.progress is None and partial is not None and partial.total is not None:
            return self._catalogue.table.run_count, max(partial.total, self._catalogue.table.run_count)
        return self._indexer.progress

    @property
    def address(self) -> str:
        """The address of the repository, for messages."""
        return self.readers.backend.address

    @property
    def version(self) -> int:
        """Grows when a refresh finds a change; `RunTable.version` is the version of the table that was asked."""
        return self._catalogue.version

    def unread_table(self) -> RunTable | None:
        """Return a copy of the table while it lacks runs that are still to be read, else None."""
        return self._catalogue.table.copied() if self._catalogue.unread_count else None

    # keeping it up to date

    def refresh(
        self,
        *,
        full: bool = False,
        progress: Progress | None = None,
        within_s: float | None = None,
        arrivals: bool = True,
    ) -> CatalogueChanges:
        """
        Bring the catalogue up to date, and return what changed.

        Args:
            full: look at the folders of all runs, not only where a change is likely.
            progress, within_s: see `ask`; nothing reads the other runs then.
            arrivals: look also for what has arrived of runs from other hosts.
        """
        with self.lock:
            indexer = self._indexer

            def report(done: int, total: int) -> None:
                indexer.progress = (done, total)
                if progress is not None:
                    progress(done, total)

            try:
                changes = self._catalogue.refresh(full=full, progress=report, within_s=within_s, arrivals=arrivals)
            finally:
                if not self._catalogue.unread_count:
                    indexer.progress = None
            self._listeners.tell(changes)
            return changes

    def refresh_for_now(self) -> CatalogueChanges:
        """As `refresh`; of many runs only the newest are read now, the others by a thread: see `ask_now`."""
        with self.lock:
            changes = self.refresh(within_s=PASS_S, arrivals=not self._arrivals.is_reading())
            self._arrivals.start_for(self.arriving)
            if changes.unread_count:
                self._indexer.start()
            return changes

    @property
    def arriving(self) -> ArrivingTable | None:
        """The runs that arrive from other hosts; a thread reads them when they are many. Ask it under `lock`."""
        return self._catalogue.arriving

    def rebuild(self, *, progress: Progress | None = None) -> int:
        """Discard the catalogue and read all runs again; return how many there are. It is never necessary."""
        with self.lock:
            self.refresh()  # only a file that is open is discarded
            self._catalogue.rebuild()
            self.refresh(full=True, progress=progress)
            return self._catalogue.table.run_count

    def listen(self, listener: Callable[[CatalogueChanges], None]) -> None:
        """Call *listener* with the changes that each refresh finds, in whichever thread; it must not ask in turn."""
        with self.lock:
            self._listeners.add(listener)

    def close(self) -> None:
        """Forget everything; the next question begins anew."""
        self._indexer.stop()
        self._arrivals.stop()
        with self.lock:
            self._catalogue.close()


def _narrow(partial: PartialTable | None, about: Query | Sequence[str] | None, *, address: str = "") -> None:
    """
    Bring the runs that a question is about into a table that has only some.

    Args:
        address: of the repository, when the table must have all of them then.
    """
    if partial is None:
        return
    has_all = False
    if isinstance(about, Query):
        condition = superset(about)
        has_all = condition is not None and partial.narrow(sql(condition))
    elif about is not None:
        partial.include(about)
        has_all = True
    if address and not has_all:
        raise UsageError(
            f"{address} has {partial.total:,} runs, and too many of them may match to be read for one question: "
            "compare a param, a tag, a name or `run.created_at` with a constant "
            "(docs/guide/cluster.md#large-projects)."
        )


class ChangeListeners:
    """Who is told of the changes that refreshes find, in whichever thread; nobody of them may ask in turn."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[CatalogueChanges], None]] = []

    def add(self, listener: Callable[[CatalogueChanges], None]) -> None:
        """Tell one more."""
        self._listeners.append(listener)

    def tell(self, changes: CatalogueChanges) -> None:
        """Tell all, when there are changes."""
        if changes.changed or changes.removed:
            for listener in self._listeners:
                listener(changes)


class _Indexer:
    """
    The thread that reads the runs of a large repository while others ask.

    Attributes:
        partial_table: the runs that were read so far; None while no thread reads.
        progress: see `LiveCatalogue.indexing`.
    """

    def __init__(self, catalogue: LiveCatalogue) -> None:
        self.partial_table: RunTable | None = None
        self.progress: tuple[int, int] | None = None
        self._catalogue = catalogue
        self._thread = BackgroundThread("aim-index", self._run)

    def start(self) -> None:
        """Read on, unless a thread does already. The lock is held."""
        if self._thread.can_start():
            self.partial_table = self._catalogue.unread_table()
            self._thread.start()

    def stop(self) -> None:
        """End the thread, and wait for it. The lock is not held."""
        self._thread.stop()

    def _run(self) -> None:
        catalogue = self._catalogue
        try:
            while not self._thread.is_stopped(YIELD_S):  # so that another thread gets the lock in between
                with catalogue.lock:
                    unread_count = catalogue.refresh(within_s=PASS_S).unread_count
                    self.partial_table = catalogue.unread_table()
                    if not unread_count:
                        return
        except (AimError, OSError, DamagedSnapshot) as error:  # the next question meets it too, and raises it
            log.warning("Aim stopped reading the runs of %s: %s", catalogue.address, error)
        finally:
            with catalogue.lock:
                self.partial_table = None
                self._thread.ended()
