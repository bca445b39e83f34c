"""
Collections: the runs and sequences that match a query, or all sequences of one run.

    SequenceCollection
    ├── SingleRunSequenceCollection     the sequences of one run
    ├── QuerySequenceCollection         sequences that match, of the newest run first
    └── QueryRunSequenceCollection      runs that match, newest first; iterating goes through all their sequences

A query is compiled when its collection is made, so that a wrong one is an error at once. The matches are looked up
each time the collection is iterated.
"""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from aim.core.kinds import QUERY_SUBJECTS, subject_of
from aim.core.logs import log
from aim.core.zones import ZoneName, read_zone
from aim.engine.door import MatchingSequence, Questions
from aim.sdk.metric import Metric
from aim.sdk.param_columns import need_pandas
from aim.sdk.progress import progress_bar, reading_bar
from aim.sdk.sequence import Sequence
from aim.sdk.sequence_types import KINDS
from aim.sdk.sequences.sequence_type_map import SEQUENCE_TYPE_MAP
from aim.sdk.types import QueryReportMode
from aim.storage.context import Context
from aim.storage.recording import encoding

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

    from aim.sdk.repo import Repo
    from aim.sdk.run import Run
    from aim.sdk.run_view import RunView

SequenceT = TypeVar("SequenceT", bound=Sequence)
RUN = "run"
ALL_RUNS = "run.archived in (True, False)"


class SequenceCollection(ABC, Generic[SequenceT]):
    """Tracked series, of one run or of many."""

    @abstractmethod
    def iter(self) -> Iterator[SequenceT]:
        """Go through the sequences."""

    @abstractmethod
    def iter_runs(self) -> Iterator[SingleRunSequenceCollection[SequenceT]]:
        """Go through the collections of each run."""

    def __iter__(self) -> Iterator[SequenceT]:
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


class SingleRunSequenceCollection(SequenceCollection[SequenceT]):
    """
    The sequences of one run.

    Attributes:
        run: the run. A collection of `run.before(...)` has that earlier run here.

    Args:
        run: the run.
        seq_cls: only sequences that this class may hold.
        query: only sequences that match. A query that names only `run` matches all sequences of a run that matches.
        runs_proxy_cache: Ignored; accepted for Aim 3 callers.
        timezone_offset: on whose clock the times in the query are: minutes of UTC minus local time, as in Aim 3, or a
            name such as `Europe/Berlin`, or a tzinfo; None means the time zone of this process.
        matches: the sequences, when they were looked up already.
    """

    def __init__(
        self,
        run: RunView,
        seq_cls: type[SequenceT] = Sequence,  # type: ignore[assignment]  # without a class: any sequences
        query: str = "",
        runs_proxy_cache: object = None,
        timezone_offset: ZoneName = None,
        *,
        matches: list[SequenceT] | None = None,
    ) -> None:
        self.run = cast("Run", run)
        self.seq_cls = seq_cls
        self.query = query
        self._zone = read_zone(timezone_offset)
        self._matches = matches

    def __repr__(self) -> str:
        return f"<{self.seq_cls.__name__} sequences of run {self.run.hash}>"

    def _repr_html_(self) -> str:
        from aim.sdk.html import listings, parts

        def draw() -> str:
            sequences = list(self.iter())
            rows = [(self.run, sequence) for sequence in sequences[: parts.ROWS_MAX]]
            return listings.sequences(f"of run {self.run.hash}", rows, len(sequences) - len(rows), has_runs=False)

        return parts.or_notice(draw)

    def iter(self) -> Iterator[SequenceT]:
        """Go through the sequences, ordered by context, then name."""
        if self._matches is not None:
            return iter(self._matches)
        return self._queried() if self.query else self._stored()

    def _queried(self) -> Iterator[SequenceT]:
        questions = self.run.repo.door.questions()
        subject = _subject_of(questions, self.seq_cls, self.query)
        if subject == RUN:
            if self.run.hash in questions.runs(self.query, zone=self._zone):
                yield from self._stored()
            return
        for match in questions.sequences(self.query, subject, zone=self._zone):
            if match.run_hash == self.run.hash:
                yield _sequence(self.seq_cls, match.name, match.context, match.stored_kind, self.run)

    def _stored(self) -> Iterator[SequenceT]:
        for info in self.run._stored_sequences():
            if self.seq_cls._holds(info.kind):
                yield _sequence(self.seq_cls, info.name, info.context, info.kind, self.run)

    def iter_runs(self) -> Iterator[SingleRunSequenceCollection[SequenceT]]:
        """Raise StopIteration, with a warning: the collection has one run only."""
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
        from aim.sdk import point_frames

        return point_frames.frame_of(_metrics(self), only_last, include_run, include_name, include_context)


class _QueriedCollection(SequenceCollection[SequenceT]):
    """What the two collections of a query share: they are looked up and iterated run by run."""

    def __init__(
        self, repo: Repo, query: str, subject: str, report_mode: QueryReportMode, timezone_offset: ZoneName
    ) -> None:
        self.repo = repo
        self.query = query
        self.report_mode = report_mode
        self._subject = subject
        self._zone = read_zone(timezone_offset)
        repo.door.check_query(query, subject)

    @property
    def _questions(self) -> Questions:
        return self.repo.door.questions()

    @abstractmethod
    def _by_run(self) -> Iterator[SingleRunSequenceCollection[SequenceT]]:
        """Look the matches up, and go through them run by run."""

    def iter(self) -> Iterator[SequenceT]:
        """Go through the sequences: of the newest run first; within a run by context, then name."""
        for collection in self._by_run():
            yield from collection.iter()

    def iter_runs(self) -> Iterator[SingleRunSequenceCollection[SequenceT]]:
        """
        Go through the collections of the runs that match, or that have a sequence that matches, newest first.

        With `PROGRESS_TUPLE`: through (collection, (index, total)); the collection is None for a run without a match.
        """
        if self.report_mode is QueryReportMode.PROGRESS_TUPLE:
            progress: Iterator[Any] = _with_progress(self._by_run(), self._questions.runs(ALL_RUNS))
            return progress
        return self._by_run()

    def _log_hints(self) -> None:
        for hint in self._questions.hints(self.query, self._subject):
            log.warning("%s", hint.text)


class QuerySequenceCollection(_QueriedCollection[SequenceT]):
    """
    The sequences of a repository that match a query.

    Args:
        repo: the repository.
        seq_cls: the class of the sequences; with `Sequence` they are of every class, and those that a query leaves are
            of the kind that it names.
        query: see docs/query-language.md. One that names only `run` matches all sequences of the runs that match.
        report_mode: how progress is shown.
        timezone_offset: on whose clock the times in the query are: minutes of UTC minus local time, as in Aim 3, or a
            name such as `Europe/Berlin`, or a tzinfo; None means the time zone of this process.
        runs_proxy_cache: Ignored; accepted for Aim 3 callers.

    Raises:
        InvalidQuery: the query can't be understood.
    """

    def __init__(
        self,
        repo: Repo,
        seq_cls: type[SequenceT] = Sequence,  # type: ignore[assignment]  # without a class: any sequences
        query: str = "",
        report_mode: QueryReportMode = QueryReportMode.PROGRESS_BAR,
        timezone_offset: ZoneName = None,
        *,
        runs_proxy_cache: object = None,
    ) -> None:
        subject = _subject_of(repo.door.questions(), seq_cls, query)
        super().__init__(repo, query, subject, report_mode, timezone_offset)
        self.seq_cls = seq_cls

    def __repr__(self) -> str:
        return f"<{self.seq_cls.__name__} sequences of {self.repo.path} that match {self.query!r}>"

    def _repr_html_(self) -> str:
        from aim.sdk.html import listings, parts

        def draw() -> str:
            rows, left_count = self._first_rows(parts.ROWS_MAX)
            return listings.sequences(self.query or "all", rows, left_count, has_runs=True)

        return parts.or_notice(draw)

    def _first_rows(self, count: int) -> tuple[list[tuple[RunView, Sequence]], int]:
        # the first sequences with their runs, and how many more there are
        if self._subject == RUN:
            rows = [(sequence.run, sequence) for collection in self._by_run() for sequence in collection.iter()]
            return list(rows[:count]), max(0, len(rows) - count)
        matches = self._questions.sequences(self.query, self._subject, zone=self._zone)
        collections = self._collections(matches[:count])
        rows = [(sequence.run, sequence) for collection in collections for sequence in collection.iter()]
        return list(rows), len(matches) - len(rows)

    def _by_run(self) -> Iterator[SingleRunSequenceCollection[SequenceT]]:
        encoding.wait_until_encoded()
        if self._subject == RUN:
            return self._whole_runs()
        with reading_bar(self.report_mode) as progress:
            matches = self._questions.sequences(self.query, self._subject, zone=self._zone, progress=progress)
        if not matches:
            self._log_hints()
        return self._collections(matches)

    def _whole_runs(self) -> Iterator[SingleRunSequenceCollection[SequenceT]]:
        with reading_bar(self.report_mode) as progress:
            hashes = self._questions.runs(self.query, zone=self._zone, progress=progress)
        if not hashes:
            self._log_hints()
        for run in map(self.repo.run_of_answer, hashes):
            if run is not None:
                collection = SingleRunSequenceCollection(run, self.seq_cls)
                sequences = list(collection.iter())
                if sequences:
                    yield SingleRunSequenceCollection(run, self.seq_cls, self.query, matches=sequences)

    def _collections(self, matches: Iterable[MatchingSequence]) -> Iterator[SingleRunSequenceCollection[SequenceT]]:
        for run_hash, matches_of_run in itertools.groupby(matches, key=lambda match: match.run_hash):
            run = self.repo.run_of_answer(run_hash)
            if run is not None:  # not deleted since the query
                sequences = [
                    _sequence(self.seq_cls, match.name, match.context, match.stored_kind, run)
                    for match in matches_of_run
                ]
                yield SingleRunSequenceCollection(run, self.seq_cls, self.query, matches=sequences)

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
        from aim.sdk import point_frames

        return point_frames.frame_of(_metrics(sequences), only_last, include_run, include_name, include_context)

    def arrow(self) -> pa.Table:
        """
        Return all points of all metrics as one Arrow table: run, name, context, step, time, value, epoch.

        Cost: reading the points, without pandas and without a Python object for each point.
        """
        return self._questions.points_table(self.query, zone=self._zone)

    def polars(self) -> pl.DataFrame:
        """Return `arrow` as a Polars DataFrame; needs the package polars."""
        import polars

        frame = polars.from_arrow(self.arrow())
        assert isinstance(frame, polars.DataFrame)
        return frame


class QueryRunSequenceCollection(_QueriedCollection[SequenceT]):
    """
    The runs of a repository that match a query, newest first.

    Args:
        repo, seq_cls, query, report_mode, runs_proxy_cache, timezone_offset: as for `QuerySequenceCollection`.
        paginated: Ignored; accepted for Aim 3 callers.
        offset: the hash of a run; only the runs after it match.
        limit: the largest number of runs.

    Raises:
        InvalidQuery: the query can't be understood.
    """

    def __init__(
        self,
        repo: Repo,
        seq_cls: type[SequenceT] = Sequence,  # type: ignore[assignment]  # without a class: any sequences
        query: str = "",
        paginated: bool = False,
        offset: str | None = None,
        report_mode: QueryReportMode = QueryReportMode.PROGRESS_BAR,
        timezone_offset: ZoneName = None,
        *,
        runs_proxy_cache: object = None,
        limit: int | None = None,
    ) -> None:
        super().__init__(repo, query, RUN, report_mode, timezone_offset)
        self.seq_cls = seq_cls
        self.paginated = paginated
        self.offset = offset
        self.limit = limit

    def __repr__(self) -> str:
        return f"<runs of {self.repo.path} that match {self.query!r}>"

    def _repr_html_(self) -> str:
        from aim.sdk.html import listings, parts

        def draw() -> str:
            hashes = self.repo.door.matching_runs(
                self.query,
                limit=self.limit,
                offset_hash=self.offset,
                zone=self._zone,
            )
            runs = [run for run in map(self.repo.run_of_answer, hashes[: parts.ROWS_MAX]) if run is not None]
            return listings.runs(self.query or "all", runs, len(hashes) - len(runs))

        return parts.or_notice(draw)

    def _by_run(self) -> Iterator[SingleRunSequenceCollection[SequenceT]]:
        encoding.wait_until_encoded()
        with reading_bar(self.report_mode) as progress:
            hashes = self.repo.door.matching_runs(
                self.query,
                limit=self.limit,
                offset_hash=self.offset,
                zone=self._zone,
                progress=progress,
            )
        if not hashes:
            self._log_hints()
        for run_hash in hashes:
            run = self.repo.run_of_answer(run_hash)
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
        rows = [collection.run._row(include_props, include_params) for collection in collections]
        return pandas.DataFrame(rows, index=[0] * len(rows)) if rows else None


def _subject_of(questions: Questions, seq_cls: type[Sequence], query: str) -> str:
    """
    Return what *query* is about: the type of *seq_cls*; of any class what its names say.

    Raises:
        InvalidQuery: the query can't be understood.
    """
    subject = seq_cls.sequence_name()
    if subject in QUERY_SUBJECTS:
        return subject
    named = questions.check(query, RUN)
    return RUN if subject in KINDS else named


def _sequence(
    seq_cls: type[SequenceT], name: str, context: Mapping[str, Any], stored_kind: str, run: RunView
) -> SequenceT:
    # of the class that was asked for; of a plain `Sequence` the class of what is stored
    kind: type[Sequence] = seq_cls
    if kind is Sequence:
        kind = SEQUENCE_TYPE_MAP.get(subject_of(stored_kind) or "", Sequence)
    return cast("SequenceT", kind(name, Context(context), run))


def _metrics(sequences: Iterable[Sequence]) -> list[Metric]:
    return [sequence for sequence in sequences if isinstance(sequence, Metric)]


def _with_progress(
    collections: Iterator[SingleRunSequenceCollection[SequenceT]], run_hashes: Iterable[str]
) -> Iterator[tuple[SingleRunSequenceCollection[SequenceT] | None, tuple[int, int]]]:
    all_hashes = list(run_hashes)
    upcoming = next(collections, None)
    for index, run_hash in enumerate(all_hashes, start=1):
        if upcoming is not None and upcoming.run.hash == run_hash:
            yield upcoming, (index, len(all_hashes))
            upcoming = next(collections, None)
        else:
            yield None, (index, len(all_hashes))
