"""
Collections: the runs and sequences that a query gives, or all sequences of one run.

    SequenceCollection
    ├── SingleRunSequenceCollection     of one run
    ├── QuerySequenceCollection         sequences that match, of the newest run first
    └── QueryRunSequenceCollection      runs that match, newest first; iterated, all their sequences

The query is understood when the collection is made, so that a wrong one is an error at once; what matches is looked
up when the collection is gone through, each time anew.
"""

from __future__ import annotations

import itertools
import logging
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from aim.core.kinds import subject_of
from aim.engine.door import MatchingSequence
from aim.engine.repository import Repository
from aim.engine.scan import Scan
from aim.sdk.metric import Metric, points_columns
from aim.sdk.param_columns import need_pandas
from aim.sdk.progress import progress_bar, reading_bar
from aim.sdk.sequence import Sequence, SequenceOwner
from aim.sdk.sequence_types import KINDS
from aim.sdk.types import QueryReportMode
from aim.storage.context import Context
from aim.storage.forms.state import SequenceState
from aim.storage.recording import encoding

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

Item = TypeVar("Item")
log = logging.getLogger("aim")


class CollectionRun(SequenceOwner, Protocol):
    """What a collection asks of a run. `Run` is one, and is what users get."""

    @property
    def repo(self) -> CollectionRepo:
        """The repository that holds the run."""

    def stored_sequences(self) -> list[SequenceState]:
        """List what is known of each sequence of the run, in order."""

    def row(self, include_props: bool = True, include_params: bool = True) -> dict[str, Any]:
        """Return the run's cells in a table."""

    def __getitem__(self, key: Any) -> Any:
        """Return a param."""


class CollectionRepo(Protocol):
    """What a collection asks of its repository. `Repo` is one."""

    def get_run(self, run_hash: str) -> Any:
        """Return a run for reading, or None: it was deleted."""

    path: str
    root_path: str
    read_only: bool | None

    @property
    def repository(self) -> Repository:
        """The engine's side of the repository."""


class SequenceCollection(ABC):
    """Tracked series, of one run or of many."""

    @abstractmethod
    def iter(self) -> Iterator[Any]:
        """Go through the sequences."""

    @abstractmethod
    def iter_runs(self) -> Iterator[Any]:
        """Go through the collections of each run."""

    def __iter__(self) -> Iterator[Any]:
        return self.iter()

    @abstractmethod
    def dataframe(
        self,
        only_last: bool = False,
        include_run: bool = True,
        include_name: bool = True,
        include_context: bool = True,
        include_props: bool = True,
        include_params: bool = True,
    ) -> pd.DataFrame | None:
        """Return the collection as one pandas DataFrame; None when it is empty."""


class SingleRunSequenceCollection(SequenceCollection):
    """
    The sequences of one run.

    Args:
        run: whose.
        seq_cls: only sequences that such a class may hold.
        query: only sequences that match.
        found: the sequences, when they are known already.
    """

    def __init__(
        self, run: Any, seq_cls: type[Sequence] = Sequence, query: str = "", found: list[Sequence] | None = None
    ) -> None:
        self.run: CollectionRun = run
        self.seq_cls = seq_cls
        self.query = query
        self._found = found

    def __repr__(self) -> str:
        return f"<{self.seq_cls.__name__} sequences of run {self.run.hash}>"

    def _repr_html_(self) -> str:
        from aim.sdk.html import listings, parts

        def draw() -> str:
            found: list[Sequence] = list(self.iter())
            shown = [(self.run, one) for one in found[: parts.ROWS_MAX]]
            return listings.sequences(f"of run {self.run.hash}", shown, len(found) - len(shown), has_runs=False)

        return parts.or_notice(draw)

    def iter(self) -> Iterator[Any]:
        """Go through the sequences, ordered by context, then name."""
        if self._found is not None:
            return iter(self._found)
        if self.query:
            return iter(self._matching())
        return iter(_sequences(self.run, self.seq_cls))

    def _matching(self) -> list[Sequence]:
        subject = self.seq_cls.sequence_name()
        scan = self.run.repo.repository.questions()
        matches = scan.sequences(self.query, subject if subject in KINDS else "metric")
        return [
            self.seq_cls(found.name, Context(found.context), self.run)
            for found in matches
            if found.run_hash == self.run.hash
        ]

    def iter_runs(self) -> Iterator[Any]:
        """There is only one run: raises StopIteration, with a warning."""
        log.warning("A collection of a single run has no other runs to go through.")
        raise StopIteration

    def dataframe(
        self,
        only_last: bool = False,
        include_run: bool = True,
        include_name: bool = True,
        include_context: bool = True,
        include_props: bool = True,
        include_params: bool = True,
    ) -> pd.DataFrame | None:
        """Return the metrics' points as one DataFrame, as `Metric.dataframe`; None when there are none."""
        return _points_frame(self, only_last, include_run, include_name, include_context)


class _QueriedCollection(SequenceCollection):
    """What the two collections of a query share: they are gone through run by run."""

    report_mode: QueryReportMode
    _scan: Scan

    @abstractmethod
    def _by_run(self) -> Iterator[SingleRunSequenceCollection]:
        """Look the matches up, and go through them run by run."""

    def iter(self) -> Iterator[Any]:
        """Go through the sequences: of the newest run first; within a run by context, then name."""
        for collection in self._by_run():
            yield from collection.iter()

    def iter_runs(self) -> Iterator[Any]:
        """
        Go through the collections of the runs that match, or that have a sequence that matches, newest first.

        With `PROGRESS_TUPLE`: through (collection, (i, total)), the collection None for a run without a match.
        """
        if self.report_mode is QueryReportMode.PROGRESS_TUPLE:
            return _with_progress(self._by_run(), self._scan.runs("run.archived in (True, False)"))
        return self._by_run()


class QuerySequenceCollection(_QueriedCollection):
    """
    The sequences of a repository that match a query.

    Args:
        repo: the repository.
        seq_cls: the class of the sequences.
        query: see docs/query-language.md.
        report_mode: how progress is shown.
        timezone_offset: minutes that the query's times are behind UTC, as a browser tells it.

    Raises:
        InvalidQuery: the query can't be understood.
    """

    def __init__(
        self,
        repo: CollectionRepo,
        seq_cls: type[Sequence] = Sequence,
        query: str = "",
        report_mode: QueryReportMode = QueryReportMode.PROGRESS_BAR,
        runs_proxy_cache: object = None,
        timezone_offset: int = 0,
    ) -> None:
        self.repo = repo
        self.seq_cls = seq_cls
        self.query = query
        self.report_mode = report_mode
        self._timezone_offset = timezone_offset
        self._subject = seq_cls.sequence_name()
        self._scan: Scan = repo.repository.questions()
        self._scan.check(query, self._subject, timezone_offset_minutes=timezone_offset)

    def __repr__(self) -> str:
        return f"<{self.seq_cls.__name__} sequences of {self.repo.path} that match {self.query!r}>"

    def _repr_html_(self) -> str:
        from aim.sdk.html import listings, parts

        def draw() -> str:
            matches = self._scan.sequences(self.query, self._subject, timezone_offset_minutes=self._timezone_offset)
            shown = [
                (sequence.run, sequence)
                for collection in self._collections(matches[: parts.ROWS_MAX])
                for sequence in collection.iter()
            ]
            return listings.sequences(self.query or "all", shown, len(matches) - len(shown), has_runs=True)

        return parts.or_notice(draw)

    def _by_run(self) -> Iterator[SingleRunSequenceCollection]:
        encoding.wait_until_encoded()
        with reading_bar(self.report_mode) as progress:
            matches = self._scan.sequences(
                self.query, self._subject, timezone_offset_minutes=self._timezone_offset, progress=progress
            )
        if not matches:
            _say_hints(self._scan, self.query, self._subject)
        return self._collections(matches)

    def _collections(self, matches: Iterable[MatchingSequence]) -> Iterator[SingleRunSequenceCollection]:
        for run_hash, of_run in itertools.groupby(matches, key=lambda found: found.run_hash):
            run = self.repo.get_run(run_hash)
            if run is not None:  # not deleted since it was found
                sequences = [self.seq_cls(found.name, Context(found.context), run) for found in of_run]
                yield SingleRunSequenceCollection(run, self.seq_cls, self.query, sequences)

    def dataframe(
        self,
        only_last: bool = False,
        include_run: bool = True,
        include_name: bool = True,
        include_context: bool = True,
        include_props: bool = True,
        include_params: bool = True,
    ) -> pd.DataFrame | None:
        """Return the metrics' points as one DataFrame, as `Metric.dataframe`; None when nothing matches."""
        sequences = progress_bar(list(self.iter()), self.report_mode, "sequences")
        return _points_frame(sequences, only_last, include_run, include_name, include_context)

    def arrow(self) -> pa.Table:
        """
        Return all points of all metrics as one Arrow table: run, name, context, step, time, value, epoch.

        Cost: reading the points, no pandas and no Python object a point.
        """
        return self._scan.points_table(self.query, timezone_offset_minutes=self._timezone_offset)

    def polars(self) -> pl.DataFrame:
        """Return `arrow` as a Polars DataFrame; needs the package polars."""
        import polars

        frame = polars.from_arrow(self.arrow())
        assert isinstance(frame, polars.DataFrame)
        return frame


class QueryRunSequenceCollection(_QueriedCollection):
    """
    The runs of a repository that match a query, newest first.

    Args:
        repo, query, report_mode, timezone_offset: as for `QuerySequenceCollection`.
        paginated: without meaning.
        offset: the hash of the last run seen; the runs after it are given.
        limit: the largest number of runs.

    Raises:
        InvalidQuery: the query can't be understood.
    """

    def __init__(
        self,
        repo: CollectionRepo,
        seq_cls: type[Sequence] = Sequence,
        query: str = "",
        paginated: bool = False,
        offset: str | None = None,
        report_mode: QueryReportMode = QueryReportMode.PROGRESS_BAR,
        runs_proxy_cache: object = None,
        timezone_offset: int = 0,
        limit: int | None = None,
    ) -> None:
        self.repo = repo
        self.seq_cls = seq_cls
        self.query = query
        self.paginated = paginated
        self.offset = offset
        self.limit = limit
        self.report_mode = report_mode
        self._timezone_offset = timezone_offset
        self._scan: Scan = repo.repository.questions()
        self._scan.check(query, "run", timezone_offset_minutes=timezone_offset)

    def __repr__(self) -> str:
        return f"<runs of {self.repo.path} that match {self.query!r}>"

    def _repr_html_(self) -> str:
        from aim.sdk.html import listings, parts

        def draw() -> str:
            hashes = self._scan.runs(
                self.query,
                limit=self.limit,
                offset_hash=self.offset,
                timezone_offset_minutes=self._timezone_offset,
            )
            shown = [run for run in map(self.repo.get_run, hashes[: parts.ROWS_MAX]) if run is not None]
            return listings.runs(self.query or "all", shown, len(hashes) - len(shown))

        return parts.or_notice(draw)

    def _by_run(self) -> Iterator[SingleRunSequenceCollection]:
        encoding.wait_until_encoded()
        with reading_bar(self.report_mode) as progress:
            hashes = self._scan.runs(
                self.query,
                limit=self.limit,
                offset_hash=self.offset,
                timezone_offset_minutes=self._timezone_offset,
                progress=progress,
            )
        if not hashes:
            _say_hints(self._scan, self.query, "run")
        for run_hash in hashes:
            run = self.repo.get_run(run_hash)
            if run is not None:
                yield SingleRunSequenceCollection(run, self.seq_cls)

    def dataframe(
        self,
        only_last: bool = False,
        include_run: bool = True,
        include_name: bool = True,
        include_context: bool = True,
        include_props: bool = True,
        include_params: bool = True,
    ) -> pd.DataFrame | None:
        """Return a row for each run, as `Run.dataframe`; None when no run matches."""
        need_pandas()
        import pandas

        collections = progress_bar(list(self._by_run()), self.report_mode, "runs")
        rows = [collection.run.row(include_props, include_params) for collection in collections]
        return pandas.DataFrame(rows, index=[0] * len(rows)) if rows else None


def _sequences(run: CollectionRun, seq_cls: type[Sequence]) -> list[Sequence]:
    found = []
    for facts in run.stored_sequences():
        if seq_cls.holds(facts.kind):
            chosen = seq_cls
            if seq_cls is Sequence:
                chosen = Sequence.registry.get(subject_of(facts.kind) or "", Sequence)
            found.append(chosen(facts.name, Context(facts.context), run))
    return found


def _say_hints(scan: Scan, query: str, subject: str) -> None:
    for hint in scan.hints(query, subject):
        log.warning("%s", hint.text)


def _with_progress(
    collections: Iterator[SingleRunSequenceCollection], run_hashes: Iterable[str]
) -> Iterator[tuple[SingleRunSequenceCollection | None, tuple[int, int]]]:
    everything = list(run_hashes)
    upcoming = next(collections, None)
    for place, run_hash in enumerate(everything, start=1):
        if upcoming is not None and upcoming.run.hash == run_hash:
            yield upcoming, (place, len(everything))
            upcoming = next(collections, None)
        else:
            yield None, (place, len(everything))


def _points_frame(
    sequences: Iterable[Any], only_last: bool, include_run: bool, include_name: bool, include_context: bool
) -> pd.DataFrame | None:
    need_pandas()
    import pandas

    metrics = [sequence for sequence in sequences if isinstance(sequence, Metric)]
    if not metrics:
        return None
    columns = points_columns(metrics, include_name, include_context, include_run, only_last)
    return pandas.DataFrame(columns, index=columns["idx"] * (not only_last))
