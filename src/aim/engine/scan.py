"""
Asking a repository: the query of `query`, over the columns of `storage.catalogue`.

    text -> compile_query -> select over catalogue.table -> hashes and sequences, newest run first

One `Scan` for each repository is kept (`scan_of`), so that its columns stay in memory. Any number of threads may ask
it, at once:

    under a lock    bring the catalogue up to date; say that its table is read
    beside others   go through the table. Whoever finds it read and has something to change, changes a copy

So a slow query keeps nobody waiting, and sees one state of the repository throughout.

The first reading of a large repository takes seconds. `ask` waits for it; `ask_now` is answered from the runs that were
read so far, the newest ones, while a thread reads on, and `indexing` says how far it is.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt

from aim.core import contexts
from aim.core.errors import AimError, NotFound
from aim.engine import point_tables
from aim.engine.repository import Repository
from aim.query.query import Explanation, Hint, compile_query
from aim.storage.catalogue.catalogue import Catalogue, CatalogueChanges, Progress
from aim.storage.catalogue.run_table import RunTable
from aim.storage.catalogue.snapshot import DamagedSnapshot
from aim.storage.reading.reader import Points

if TYPE_CHECKING:
    import pyarrow as pa

RowArray = npt.NDArray[np.integer[Any]]
Result = TypeVar("Result")

log = logging.getLogger("aim")

PASS_S = 0.25  # so long at a time, while many runs are read; others may ask in between
YIELD_S = 0.001
TRIES_MAX = 3
BATCH_POINTS = 65_536  # of one Arrow record batch, about


@dataclass(frozen=True)
class MatchingSequence:
    """
    A sequence that matches.

    Attributes:
        kind: one of `aim.core.kinds.QUERY_SUBJECTS`, or the type of other objects.
        stored_kind: `int`, `float`, `number`, or the type of its objects, such as `list(aim.image)`.
    """

    run_hash: str
    name: str
    context: Mapping[str, Any]
    kind: str
    stored_kind: str


@dataclass(frozen=True)
class SequencePoints:
    """The points of one sequence."""

    sequence: MatchingSequence
    points: Points


class Scan:
    """
    Asks the repository *repository*; keeps its catalogue in memory.

    Every question first brings the catalogue up to date: it sees whatever any process recorded before it began.

    Args:
        cache: the folder of the catalogue's file; None: the usual one.
    """

    def __init__(self, repository: Repository, *, cache: Path | None = None) -> None:
        self._repository = weakref.ref(repository)
        self._cache = cache
        self._listeners: list[Callable[[CatalogueChanges], None]] = []
        self._begin()
        repository.sole_writer = self._sole_writer

    def _begin(self) -> None:
        self._process = os.getpid()
        self._own_lock = threading.RLock()
        self._catalogue = Catalogue(self.repository.path, self._reader, cache=self._cache)
        self._partial: RunTable | None = None  # what was read so far, while a thread reads on
        self._indexing: tuple[int, int] | None = None
        self._reading_on: threading.Thread | None = None
        self._closing = threading.Event()

    @property
    def _lock(self) -> threading.RLock:
        if self._process != os.getpid():  # the child of a fork: a thread that it has not may hold the lock
            self._begin()
        return self._own_lock

    def _reader(self, run_hash: str) -> Any:
        return self.repository.reader(run_hash)

    def _sole_writer(self, run_hash: str) -> tuple[str, int] | None:
        if self._process != os.getpid():
            return None
        try:
            return self._catalogue.sole_writer(run_hash)
        except DamagedSnapshot:  # whoever asks a question next makes the catalogue again
            return None

    @property
    def repository(self) -> Repository:
        """The repository that is asked."""
        found = self._repository()
        if found is None:
            raise NotFound("The repository of this scan is gone: keep the Repo as long as its collections.")
        return found

    # asking

    def check(self, query_text: str, subject: str = "run", *, timezone_offset_minutes: int = 0) -> None:
        """
        Compile a query and do nothing with it.

        Raises:
            InvalidQuery: it can't be understood.
        """
        compile_query(query_text, subject, timezone_offset_minutes=timezone_offset_minutes)

    def runs(
        self,
        query_text: str = "",
        *,
        limit: int | None = None,
        offset_hash: str | None = None,
        timezone_offset_minutes: int = 0,
        progress: Progress | None = None,
    ) -> list[str]:
        """
        Return the hashes of the runs that match, newest first.

        Args:
            limit: at most so many.
            offset_hash: only runs after this one; an unknown one: all.
            timezone_offset_minutes: UTC minus the client's time.
            progress: told how far reading is, when runs have to be read first.

        Raises:
            InvalidQuery: the query can't be understood, or asks for too much.
        """
        query = compile_query(query_text, "run", timezone_offset_minutes=timezone_offset_minutes)

        def ask(table: RunTable) -> list[str]:
            rows = _newest_first(table, query.select_runs(table))
            hashes = table.hashes()
            last_seen = None if offset_hash is None else table.row_of(offset_hash)
            if last_seen is not None:
                age = _age(table)
                rows = rows[age[rows] > age[last_seen]]
            return [hashes[row] for row in rows[:limit].tolist()]

        return self._ask(ask, progress)

    def sequences(
        self,
        query_text: str = "",
        subject: str = "metric",
        *,
        timezone_offset_minutes: int = 0,
        progress: Progress | None = None,
    ) -> list[MatchingSequence]:
        """
        Return the sequences that match: of the newest run first; within a run by context, then name.

        Args:
            subject: `metric`, `images`, `texts`, `audios`, `distributions` or `figures`.

        Raises:
            InvalidQuery: the query can't be understood, or asks for too much.
        """
        query = compile_query(query_text, subject, timezone_offset_minutes=timezone_offset_minutes)

        def ask(table: RunTable) -> list[MatchingSequence]:
            places, rows = query.select_sequences(table)
            return _found(table, *_sorted(table, places, rows))

        return self._ask(ask, progress)

    def explain(self, query_text: str, subject: str = "run", *, timezone_offset_minutes: int = 0) -> Explanation:
        """Say what each clause of a query leaves. Raises InvalidQuery."""
        query = compile_query(query_text, subject, timezone_offset_minutes=timezone_offset_minutes)
        return self._ask(query.explain)

    def hints(self, query_text: str, subject: str = "run") -> list[Hint]:
        """Return what a query speaks of that is not there. Raises InvalidQuery."""
        return self._ask(compile_query(query_text, subject).hints)

    def ask(self, question: Callable[[RunTable], Result], progress: Progress | None = None) -> Result:
        """
        Bring the catalogue up to date, then give what *question* finds in its table; the table does not change
        meanwhile, and others ask beside.

        Arrays of the table may change after that: copy what is to be kept.
        """
        return self._ask(question, progress)

    def ask_now(self, question: Callable[[RunTable], Result]) -> Result:
        """
        Return what *question* finds; while many runs have to be read, in those that were read so far, the newest.

        `indexing` says whether there are more. A thread reads them; it ends with the last one, or by `close`.
        """
        table = self._partial
        if table is not None:
            try:
                return question(table)
            except DamagedSnapshot:  # found while a column was read: the next refresh begins anew
                pass
        return self._ask(question, within_s=PASS_S)

    @property
    def indexing(self) -> tuple[int, int] | None:
        """How many runs were read, and how many there are to read; None: all are."""
        return self._indexing

    def _ask(
        self, question: Callable[[RunTable], Result], progress: Progress | None = None, within_s: float | None = None
    ) -> Result:
        for _ in range(TRIES_MAX):
            with contextlib.ExitStack() as reading:
                table = self._take(reading, progress, within_s)
                try:
                    return question(table)
                except DamagedSnapshot:  # found while a column was read: make the catalogue again
                    with self._lock:
                        if table is self._catalogue.table:
                            self._catalogue.rebuild()
        with self._lock:  # somebody damages the file again and again: keep others from it meanwhile
            self._catalogue.rebuild()
            self._refresh(progress=progress)
            return question(self._catalogue.table)

    def _take(self, reading: contextlib.ExitStack, progress: Progress | None, within_s: float | None) -> RunTable:
        """Return a table that is up to date, and stays as it is until *reading* is left."""
        with self._lock:
            try:
                found = self._refresh(progress=progress, within_s=within_s)
            except DamagedSnapshot:
                self._catalogue.rebuild()
                found = self._refresh(progress=progress, within_s=within_s)
            if found.unread_count:
                self._read_on()
            table = self._catalogue.table
            reading.enter_context(table.reading())
            return table

    # reading many runs beside those who ask

    def _read_on(self) -> None:
        if self._reading_on is None and not self._closing.is_set():
            self._publish()
            self._reading_on = threading.Thread(target=self._read_rest, name="aim-index", daemon=True)
            self._reading_on.start()

    def _publish(self) -> None:
        self._partial = self._catalogue.table.copied() if self._catalogue.unread_count else None

    def _read_rest(self) -> None:
        try:
            while not self._closing.wait(YIELD_S):  # a lock that is taken again at once is nobody else's
                with self._lock:
                    left = self._refresh(within_s=PASS_S).unread_count
                    self._publish()
                    if not left:
                        return
        except (AimError, OSError, DamagedSnapshot) as error:  # whoever asks next meets it too, and is told
            log.warning("Aim stopped reading the runs of %s: %s", self.repository.path, error)
        finally:
            with self._lock:
                self._partial = self._reading_on = None

    # the catalogue

    def refresh(self, *, full: bool = False, progress: Progress | None = None) -> CatalogueChanges:
        """Bring the catalogue up to date, and say which runs changed; *full*: ask all folders, whatever they cost."""
        with self._lock:
            return self._refresh(full=full, progress=progress)

    def rebuild(self, *, progress: Progress | None = None) -> int:
        """Throw the catalogue away and read all runs anew; give how many there are. Nobody ever has to."""
        with self._lock:
            self._refresh()  # of a file that is not open nothing is thrown away
            self._catalogue.rebuild()
            self._refresh(full=True, progress=progress)
            return self._catalogue.table.run_count

    def refresh_for_now(self) -> CatalogueChanges:
        """As `refresh`, but of many runs only the newest are read now, the others beside; see `ask_now`."""
        with self._lock:
            found = self._refresh(within_s=PASS_S)
            if found.unread_count:
                self._read_on()
            return found

    def _refresh(
        self, *, full: bool = False, progress: Progress | None = None, within_s: float | None = None
    ) -> CatalogueChanges:
        def tell(done: int, total: int) -> None:
            self._indexing = (done, total)
            if progress is not None:
                progress(done, total)

        try:
            found = self._catalogue.refresh(full=full, progress=tell, within_s=within_s)
        finally:
            if not self._catalogue.unread_count:
                self._indexing = None
        if found.changed or found.removed:
            for hear in self._listeners:
                hear(found)
        return found

    def listen(self, hear: Callable[[CatalogueChanges], None]) -> None:
        """Call *hear* from now on with what each refresh finds, whoever asked for it; it may not ask in turn."""
        with self._lock:
            self._listeners.append(hear)

    @property
    def version(self) -> int:
        """Grows when a refresh finds that something changed; `RunTable.version` is that of what was asked."""
        return self._catalogue.version

    def close(self) -> None:
        """Forget everything; the next question begins anew."""
        self._closing.set()
        thread = self._reading_on
        if thread is not None:
            thread.join()
        with self._lock:
            self._closing.clear()
            self._catalogue.close()

    # values from the columns

    def summaries(
        self, name: str, context: Mapping[str, Any] | None = None, value: str = "last", *, kind: str = "metric"
    ) -> tuple[list[str], npt.NDArray[Any]]:
        """
        Return one summary value of one sequence for all runs that have it: their hashes, newest first, and the values.

        Args:
            value: `first last min max mean count first_step last_step argmin argmax has_nan record_max_length`.
        """

        def ask(table: RunTable) -> tuple[list[str], npt.NDArray[Any]]:
            text = contexts.text(context)
            place = table.pair_index((name, text, kind))
            found = None if place is None else table.summary(place, value)
            if place is None or found is None:
                return [], np.empty(0)
            hashes, rows = table.hashes(), table.rows(place)
            newest = np.argsort(_age(table)[rows])
            return [hashes[row] for row in rows[newest].tolist()], found[newest]

        return self._ask(ask)

    def complete(self, prefix: str = "") -> dict[str, list[str]]:
        """
        Return the names that begin with *prefix*, for a query box, sorted: of params (`hparams.lr`), of sequences by
        kind, of context keys and of values in contexts.

        >>> from tempfile import mkdtemp
        >>> repository = Repository(Path(mkdtemp()), create=True)
        >>> writer = repository.new_run()
        >>> writer.set_param(("hparams", "lr"), 0.1)
        >>> writer.close()
        >>> scan_of(repository).complete("hp")["param"]
        ['hparams.lr']
        """

        def ask(table: RunTable) -> dict[str, list[str]]:
            found: dict[str, set[str]] = {"param": {_shown(path) for path in table.leaf_paths(())}}
            for pair in table.pairs:
                if not pair.is_empty():
                    found.setdefault(pair.kind, set()).add(pair.name)
                    found.setdefault("context", set()).update(pair.context)
                    found.setdefault("value", set()).update(str(value) for value in pair.context.values())
            return {kind: sorted(name for name in names if name.startswith(prefix)) for kind, names in found.items()}

        return self._ask(ask)

    # points

    def series(self, sequences: Iterable[MatchingSequence]) -> Iterator[SequencePoints]:
        """Read the points of many sequences, in their order; those deleted meanwhile are left out."""
        for sequence in sequences:
            try:
                points = self._reader(sequence.run_hash).points((sequence.name, contexts.text(sequence.context)))
            except (NotFound, FileNotFoundError):
                continue
            if points is not None:
                yield SequencePoints(sequence, points)

    def point_batches(
        self, query_text: str = "", *, timezone_offset_minutes: int = 0, batch_points: int = BATCH_POINTS
    ) -> Iterator[pa.RecordBatch]:
        """
        Go through all points of all metrics that match, as Arrow record batches: run, name, context (JSON), step,
        time (UTC), value, epoch (null: none).

        Cost: memory for one batch, or for the longest sequence.
        """
        found = self.sequences(query_text, timezone_offset_minutes=timezone_offset_minutes)
        held: list[SequencePoints] = []
        count = 0
        for series in self.series(found):
            held.append(series)
            count += len(series.points)
            if count >= batch_points:
                yield point_tables.batch(held)
                held, count = [], 0
        if held:
            yield point_tables.batch(held)

    def points_table(self, query_text: str = "", *, timezone_offset_minutes: int = 0) -> pa.Table:
        """Return all of `point_batches` as one Arrow table."""
        import pyarrow

        batches = self.point_batches(query_text, timezone_offset_minutes=timezone_offset_minutes)
        return pyarrow.Table.from_batches(batches, point_tables.schema())


def _shown(path: Sequence[str | int]) -> str:
    return ".".join(str(key) for key in path)


def _newest_first(table: RunTable, rows: RowArray) -> RowArray:
    order = table.newest_first()
    if len(rows) == table.run_count:
        return order
    matches = np.zeros(table.run_count, bool)
    matches[rows] = True
    return order[matches[order]]


def _age(table: RunTable) -> RowArray:
    age = np.empty(table.run_count, np.int64)
    age[table.newest_first()] = np.arange(table.run_count)
    return age


def _sorted(table: RunTable, places: RowArray, rows: RowArray) -> tuple[RowArray, RowArray]:
    # by the run's place in the order of age, then by the pair's place in the order of contexts and names
    order = np.argsort(_age(table)[rows] * len(table.pairs) + table.pair_ranks()[places], kind="stable")
    return places[order], rows[order]


def _found(table: RunTable, places: RowArray, rows: RowArray) -> list[MatchingSequence]:
    hashes, pairs = table.hashes(), table.pairs
    kinds = table.stored_kinds(places, rows)
    return [
        MatchingSequence(hashes[row], pairs[place].name, pairs[place].context, pairs[place].kind, kind)
        for place, row, kind in zip(places.tolist(), rows.tolist(), kinds, strict=True)
    ]


_scans: weakref.WeakKeyDictionary[Repository, Scan] = weakref.WeakKeyDictionary()
_scans_lock = threading.Lock()


def scan_of(repository: Repository) -> Scan:
    """Return the scan of a repository; always the same one while the repository is in use."""
    with _scans_lock:
        scan = _scans.get(repository)
        if scan is None:
            scan = _scans[repository] = Scan(repository)
        return scan
