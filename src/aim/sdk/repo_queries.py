"""
`RepoQueries`: what a repository is asked, the half of `Repo` that finds runs and sequences.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from aim.sdk.types import QueryReportMode

if TYPE_CHECKING:
    from aim.engine.door import Door
    from aim.sdk.metric import Metric
    from aim.sdk.object_sequences import Audios, Distributions, Figures, Images, Objects3D, Tables, Texts, Videos
    from aim.sdk.repo import Repo
    from aim.sdk.run import Run
    from aim.sdk.sequence import Sequence
    from aim.sdk.sequence_collection import QueryRunSequenceCollection, QuerySequenceCollection

    SequenceT = TypeVar("SequenceT", bound=Sequence)


class RepoQueries(ABC):
    """The queries of a repository; see `Repo`."""

    @property
    @abstractmethod
    def door(self) -> Door:
        """What this repository is asked by; see `aim.engine.door`."""

    @abstractmethod
    def get_run(self, run_hash: str | None) -> Run | None:
        """Return the run of that hash, for reading."""

    def runs(self, query: str = "", *, sort: str = "-created_at", limit: int | None = None) -> list[Run]:
        """
        Return the runs that match *query*, sorted, for reading.

        Args:
            query: see docs/query-language.md; empty: all runs that are not archived.
            sort: a column, as of `aim runs ls`: `name`, `hparams.lr`, `loss.min`, `loss[subset=val].last`. With `-` in
                front the largest comes first. NaN and runs without such a value come last.
            limit: the largest number of runs.

        Raises:
            InvalidQuery: the query can't be understood; it is a SyntaxError.
            UsageError: no run has such a column.

        Cost: some milliseconds for thousands of runs, by columns; no points are read.

        >>> import tempfile
        >>> from aim import Repo, Run
        >>> repo = Repo(tempfile.mkdtemp(), init=True)
        >>> for lr in (0.1, 0.01):
        ...     with Run(repo=repo, name=f"lr {lr}", system_tracking_interval=None) as run:
        ...         run.track({"loss": lr * 2})
        >>> [run.name for run in repo.runs("run.active == False", sort="loss.min", limit=1)]
        ['lr 0.01']
        """
        rows = self.door.questions().table(["hash"], query, sort=sort, limit=limit).rows
        return [run for row in rows if (run := self.get_run(row["hash"])) is not None]

    def query_runs(
        self,
        query: str = "",
        paginated: bool = False,
        offset: str | None = None,
        report_mode: QueryReportMode = QueryReportMode.PROGRESS_BAR,
        *,
        limit: int | None = None,
    ) -> QueryRunSequenceCollection[Sequence]:
        """
        Return the runs that match *query*, newest first.

        Args:
            query: see docs/query-language.md; empty: all runs that are not archived. A query about sequences, such as
                `metric.name == 'loss' and metric.last < 0.1`, finds the runs that have such a sequence.
            paginated: Ignored; accepted for Aim 3 callers. Use *offset* and *limit*.
            offset: the hash of a run; only the runs after it are returned.
            report_mode: whether and how progress is shown.
            limit: the largest number of runs.

        Raises:
            InvalidQuery: at once; it is a SyntaxError.
        """
        from aim.sdk.sequence import Sequence
        from aim.sdk.sequence_collection import QueryRunSequenceCollection

        return QueryRunSequenceCollection(
            _repo(self), Sequence, query=query, paginated=paginated, offset=offset, report_mode=report_mode, limit=limit
        )

    def query_metrics(
        self, query: str = "", report_mode: QueryReportMode = QueryReportMode.PROGRESS_BAR
    ) -> QuerySequenceCollection[Metric]:
        """
        Return the metrics that match *query*: of the newest run first.

        Args:
            query: see docs/query-language.md; empty: all metrics of the runs that are not archived.
            report_mode: whether and how progress is shown.

        Returns:
            A collection of `Metric`s, which looks them up each time it is iterated.
        Raises:
            InvalidQuery: at once; it is a SyntaxError.

        >>> import tempfile
        >>> from aim import Repo, Run
        >>> repo = Repo(tempfile.mkdtemp(), init=True)
        >>> with Run(repo=repo, system_tracking_interval=None) as run:
        ...     run["hparams"] = {"lr": 0.01}
        ...     run.track(0.5, name="loss")
        >>> [metric.values.tolist() for metric in repo.query_metrics("run.hparams.lr < 0.1 and metric.name == 'loss'")]
        [[0.5]]
        """
        from aim.sdk.metric import Metric

        return self._query_sequences(Metric, query, report_mode)

    def query_images(
        self, query: str = "", report_mode: QueryReportMode = QueryReportMode.PROGRESS_BAR
    ) -> QuerySequenceCollection[Images]:
        """Return the sequences of images that match *query*, which calls them `images`; see `query_metrics`."""
        from aim.sdk.object_sequences import Images

        return self._query_sequences(Images, query, report_mode)

    def query_texts(
        self, query: str = "", report_mode: QueryReportMode = QueryReportMode.PROGRESS_BAR
    ) -> QuerySequenceCollection[Texts]:
        """Return the sequences of texts that match *query*, which calls them `texts`; see `query_metrics`."""
        from aim.sdk.object_sequences import Texts

        return self._query_sequences(Texts, query, report_mode)

    def query_audios(
        self, query: str = "", report_mode: QueryReportMode = QueryReportMode.PROGRESS_BAR
    ) -> QuerySequenceCollection[Audios]:
        """Return the sequences of audio clips that match *query*, which calls them `audios`; see `query_metrics`."""
        from aim.sdk.object_sequences import Audios

        return self._query_sequences(Audios, query, report_mode)

    def query_distributions(
        self, query: str = "", report_mode: QueryReportMode = QueryReportMode.PROGRESS_BAR
    ) -> QuerySequenceCollection[Distributions]:
        """Return the sequences of distributions that match *query*, which calls them `distributions`."""
        from aim.sdk.object_sequences import Distributions

        return self._query_sequences(Distributions, query, report_mode)

    def query_figure_objects(
        self, query: str = "", report_mode: QueryReportMode = QueryReportMode.PROGRESS_BAR
    ) -> QuerySequenceCollection[Figures]:
        """Return the sequences of figures that match *query*, which calls them `figures`; see `query_metrics`."""
        from aim.sdk.object_sequences import Figures

        return self._query_sequences(Figures, query, report_mode)

    def query_videos(
        self, query: str = "", report_mode: QueryReportMode = QueryReportMode.PROGRESS_BAR
    ) -> QuerySequenceCollection[Videos]:
        """Return the sequences of videos that match *query*, which calls them `videos`; see `query_metrics`."""
        from aim.sdk.object_sequences import Videos

        return self._query_sequences(Videos, query, report_mode)

    def query_tables(
        self, query: str = "", report_mode: QueryReportMode = QueryReportMode.PROGRESS_BAR
    ) -> QuerySequenceCollection[Tables]:
        """Return the sequences of tables that match *query*, which calls them `tables`; see `query_metrics`."""
        from aim.sdk.object_sequences import Tables

        return self._query_sequences(Tables, query, report_mode)

    def query_objects3d(
        self, query: str = "", report_mode: QueryReportMode = QueryReportMode.PROGRESS_BAR
    ) -> QuerySequenceCollection[Objects3D]:
        """Return the sequences of 3D objects that match *query*, which calls them `objects3d`; see `query_metrics`."""
        from aim.sdk.object_sequences import Objects3D

        return self._query_sequences(Objects3D, query, report_mode)

    def last_values(self, name: str, context: Mapping[str, Any] | None = None) -> dict[str, float]:
        """
        Return the last value of one metric in each run that has it, by the hash of the run, newest run first.

        The values come from the catalogue, without the points; integers beyond 2**53 are rounded.

        Args:
            name, context: as the metric was tracked; None is the empty context.

        Cost: 2 us a run in a process that asked this repository before.

        >>> import tempfile
        >>> from aim import Repo, Run
        >>> repo = Repo(tempfile.mkdtemp(), init=True)
        >>> with Run(repo=repo, system_tracking_interval=None) as run:
        ...     for loss in (0.5, 0.25):
        ...         run.track(loss, name="loss", context={"subset": "val"})
        >>> list(repo.last_values("loss", {"subset": "val"}).values())
        [0.25]
        """
        return self.door.last_values(name, context)

    def _query_sequences(
        self, seq_cls: type[SequenceT], query: str, report_mode: QueryReportMode
    ) -> QuerySequenceCollection[SequenceT]:
        from aim.sdk.sequence_collection import QuerySequenceCollection

        return QuerySequenceCollection(_repo(self), seq_cls, query, report_mode)


def _repo(queries: RepoQueries) -> Repo:
    return cast("Repo", queries)
