"""
Reading a run: its sequences, what there is of them, and its row in a table.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from aim.core import contexts, params
from aim.core.kinds import LINES_NAME, RECORDS_NAME, subject_of
from aim.core.statuses import RUNNING
from aim.sdk.param_columns import flat_params, need_pandas, text_cell
from aim.sdk.sequence_types import KINDS, InvalidSequenceType, check_types
from aim.storage.context import Context
from aim.storage.forms.state import RunState, SequenceState

if TYPE_CHECKING:
    import pandas as pd

    from aim.sdk.metric import Metric
    from aim.sdk.object_sequences import Audios, Distributions, Figures, Images, Tables, Texts, Videos
    from aim.sdk.run_history import RunBefore
    from aim.sdk.sequence import Sequence
    from aim.sdk.sequence_collection import SingleRunSequenceCollection
    from aim.sdk.sequences.log_sequences import LogRecords, Logs
    from aim.storage.forms.history import Rewind
    from aim.storage.reading.points import Points
    from aim.storage.reading.reader import RunReader

    AnySequence = TypeVar("AnySequence", bound=Sequence)

ContextLike = Context | Mapping[str, Any] | None


class CollectedSequences(dict[str, list[dict[str, Any]]]):
    """
    What `Run.collect_sequence_info` gives: type -> list of `{"context", "name", "values"}`, as Aim 3.29 does.

    `triplets()` gives the list of the early reference: (context, name, last value).
    """

    def triplets(self) -> list[tuple[dict[str, Any], str, Any]]:
        """Return (context, name, last value or None) of each sequence."""
        return [
            (info["context"], info["name"], (info.get("values") or {}).get("last"))
            for infos in self.values()
            for info in infos
        ]


class RunReadingMixin:
    """How a `Run` is read; see there."""

    hash: str

    @abstractmethod
    def _state(self) -> RunState:
        """Return the run's state as it is now."""

    @abstractmethod
    def _reader(self) -> RunReader:
        """Return the reader of the run's points."""

    @abstractmethod
    def __getitem__(self, key: Any) -> Any:
        """Return a param."""

    @abstractmethod
    def read_points(self, name: str, context_text: str) -> Points | None:
        """Return the points of a sequence as they are now."""

    @property
    @abstractmethod
    def rewinds(self) -> list[Rewind]:
        """The run's rewinds, oldest first."""

    @abstractmethod
    def before(self, rewind: Rewind) -> RunBefore:
        """Return the run as it stood just before a rewind."""

    @abstractmethod
    def delete_points(
        self,
        name: str,
        context: Mapping[str, Any] | None = None,
        *,
        steps: int | Iterable[int],
        items: int | Iterable[int] | None = None,
    ) -> int:
        """Hide points of a sequence; give how many."""

    def read_points_of_many(self, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Points]:
        """Return the points of several sequences, by name and text of the context, as they are now."""
        return self._reader().points_of_many(keys)

    @abstractmethod
    def read_objects(self, points: Points, position: int) -> Any:
        """Return the objects of one point."""

    # sequences

    def metrics(self) -> SingleRunSequenceCollection:
        """
        Return the metrics of the run.

        >>> import tempfile
        >>> from aim.sdk.run import Run
        >>> run = Run(repo=tempfile.mkdtemp(), system_tracking_interval=None)
        >>> run.track(1, name="loss")
        >>> [metric.name for metric in run.metrics()]
        ['loss']
        >>> run.close()
        """
        from aim.sdk.metric import Metric
        from aim.sdk.sequence_collection import SingleRunSequenceCollection

        return SingleRunSequenceCollection(self, seq_cls=Metric)

    def get_metric(self, name: str, context: ContextLike = None) -> Metric | None:
        """
        Return the metric of that name and context.

        Args:
            name: the name it was tracked under.
            context: a `Context` or a dict; None is the empty one.

        Returns:
            The `Metric`; None when there is none.

        >>> import tempfile
        >>> from aim.sdk.run import Run
        >>> run = Run(repo=tempfile.mkdtemp(), system_tracking_interval=None)
        >>> run.track(0.5, name="loss", context={"subset": "val"})
        >>> run.get_metric("loss", {"subset": "val"}).values.tolist(), run.get_metric("loss")
        ([0.5], None)
        >>> run.close()
        """
        from aim.sdk.metric import Metric

        return self._sequence_of(Metric, name, context)

    def get_image_sequence(self, name: str, context: ContextLike = None) -> Images | None:
        """
        Return the images of that name and context.

        Args:
            name, context: as for `get_metric`.

        Returns:
            The `Images`; None when there are none.
        """
        from aim.sdk.object_sequences import Images

        return self._sequence_of(Images, name, context)

    def get_audio_sequence(self, name: str, context: ContextLike = None) -> Audios | None:
        """Return the audio clips of that name and context; None when there are none."""
        from aim.sdk.object_sequences import Audios

        return self._sequence_of(Audios, name, context)

    def get_text_sequence(self, name: str, context: ContextLike = None) -> Texts | None:
        """Return the texts of that name and context; None when there are none."""
        from aim.sdk.object_sequences import Texts

        return self._sequence_of(Texts, name, context)

    def get_distribution_sequence(self, name: str, context: ContextLike = None) -> Distributions | None:
        """Return the distributions of that name and context; None when there are none."""
        from aim.sdk.object_sequences import Distributions

        return self._sequence_of(Distributions, name, context)

    def get_figure_sequence(self, name: str, context: ContextLike = None) -> Figures | None:
        """Return the figures of that name and context; None when there are none."""
        from aim.sdk.object_sequences import Figures

        return self._sequence_of(Figures, name, context)

    def get_video_sequence(self, name: str, context: ContextLike = None) -> Videos | None:
        """Return the videos of that name and context; None when there are none."""
        from aim.sdk.object_sequences import Videos

        return self._sequence_of(Videos, name, context)

    def get_table_sequence(self, name: str, context: ContextLike = None) -> Tables | None:
        """Return the tables of that name and context; None when there are none."""
        from aim.sdk.object_sequences import Tables

        return self._sequence_of(Tables, name, context)

    def get_terminal_logs(self) -> Logs | None:
        """
        Return what the run printed, a sequence of `LogLine`; None when nothing was captured.

        Of a run into which several processes record at once, the lines of the first; those of the others have a
        context `{"writer": ...}` and are given by `iter_sequence_info_by_type("logs")`.
        """
        from aim.sdk.sequences.log_sequences import Logs

        self._reader()
        found = [facts for facts in self._state().sequences.values() if facts.name == LINES_NAME]
        for facts in sorted(found, key=lambda facts: (bool(facts.context), facts.text)):
            logs = self._sequence_of(Logs, facts.name, facts.context)
            if logs is not None:
                return logs
        return None

    def get_log_records(self) -> LogRecords | None:
        """Return what was logged, a sequence of `LogRecord`; None when nothing was."""
        from aim.sdk.sequences.log_sequences import LogRecords

        return self._sequence_of(LogRecords, RECORDS_NAME, None)

    def _sequence_of(self, kind: type[AnySequence], name: str, context: ContextLike) -> AnySequence | None:
        wanted = context if isinstance(context, Context) else Context(context)
        facts = self._state().sequences.get((name, wanted.text))
        if facts is None or not facts.parts or not kind.holds(facts.kind):
            return None
        sequence = kind(name, wanted, self)
        return sequence if len(sequence) else None

    def idx_to_ctx(self, idx: int) -> Context:
        """
        Return the context whose `Context.idx` is *idx*.

        Raises:
            KeyError: no sequence of the run has it.
        """
        for facts in self._state().sequences.values():
            if contexts.identity(facts.context) == idx:
                return Context(facts.context)
        raise KeyError(f"No sequence of run {self.hash} has a context with the number {idx}.")

    def stored_sequences(self) -> list[SequenceState]:
        """List what is known of each sequence of the run, ordered by context, then name."""
        found = self._reader().sequences().values()
        return sorted(found, key=lambda facts: (contexts.identity(facts.context), facts.name))

    def iter_metrics_info(self) -> Iterator[tuple[str, Context, Any]]:
        """Go through (name, context, run) of the metrics."""
        yield from self.iter_sequence_info_by_type(KINDS["metric"])

    def iter_sequence_info_by_type(self, dtypes: str | Iterable[str]) -> Iterator[tuple[str, Context, Any]]:
        """
        Go through (name, context, run) of the sequences that hold one of the types of values *dtypes*.

        Args:
            dtypes: such as `float`, `aim.image`, `list(aim.image)`; `*` means all; the types of sequences
                (`metric`, `images` ...) are understood too.

        Raises:
            ValueError: a type that does not exist.
        """
        wanted: set[str] = set()
        known = {kind for kinds in KINDS.values() for kind in kinds}
        for dtype in (dtypes,) if isinstance(dtypes, str) else tuple(dtypes):
            if dtype not in known and dtype not in KINDS and dtype != "*":
                raise InvalidSequenceType(f"'{dtype}' is no type of values. Types are: *, {', '.join(sorted(known))}.")
            wanted.update(KINDS.get(dtype, (dtype,)))
        for facts in self.stored_sequences():
            if "*" in wanted or facts.kind in wanted:
                yield facts.name, Context(facts.context), self

    def collect_sequence_info(
        self, sequence_types: str | Iterable[str] = "metric", skip_last_value: bool = False
    ) -> CollectedSequences:
        """
        Say what sequences there are, and unless *skip_last_value*, what is in them.

        Args:
            sequence_types: one of `metric`, `images`, `audios`, `texts`, `distributions`, `figures` ..., or several.
            skip_last_value: leave out `values`, and with it the reading of points.

        Returns:
            type -> list of `{"context", "name", "values"}`, where `values` has dtype, first_step, last_step, first,
            last, and for metrics min, max. `.triplets()` gives the form of the early reference.
        Raises:
            ValueError: a type that does not exist.
        """
        found = CollectedSequences({name: [] for name in check_types(sequence_types)})
        read = {} if skip_last_value else self._reader().points_of_many()
        for facts in self.stored_sequences():
            sequence_type = subject_of(facts.kind)
            if sequence_type is not None and sequence_type in found:
                info: dict[str, Any] = {"context": dict(facts.context), "name": facts.name}
                if not skip_last_value:
                    info["values"] = self._trace(facts, read.get(facts.key))
                found[sequence_type].append(info)
        return found

    def _trace(self, facts: SequenceState, points: Points | None) -> dict[str, Any]:
        trace: dict[str, Any] = {"dtype": facts.kind, "version": 2}
        if points is None or not len(points):
            return trace
        trace |= {"first_step": int(points.steps[0]), "last_step": int(points.steps[-1])}
        if facts.is_numeric:
            values = points.values.tolist()
            comparable = [value for value in values if value == value]
            trace |= {"first": values[0], "last": values[-1]}
            trace |= {"min": min(comparable), "max": max(comparable)} if comparable else {}
            return trace
        trace |= {"version": 1, "first": self.read_objects(points, 0)}
        trace["last"] = self.read_objects(points, len(points) - 1)
        if facts.kind.startswith("list"):
            trace["record_max_length"] = max(
                len(self._reader().record(points, position)["items"]) for position in range(len(points))
            )
        return trace

    def _repr_html_(self) -> str:
        from aim.sdk.html import parts, runs

        return parts.or_notice(lambda: runs.run(self))  # type: ignore[arg-type]  # the whole `Run` is one

    # tables

    def dataframe(self, include_props: bool = True, include_params: bool = True) -> pd.DataFrame:
        """
        Return the run as a pandas DataFrame of one row.

        Columns: hash, name, description, archived, creation_time, end_time, active, experiment, tags (JSON), then the
        params flattened to three levels (`hparams.lr`, `layers[3]`); lists and deeper dicts as JSON.

        Args:
            include_props: have the columns from name to tags.
            include_params: have the columns of params; none has the name of another column.
        """
        need_pandas()
        import pandas as pd

        return pd.DataFrame([self.row(include_props, include_params)], index=[0])

    def row(self, include_props: bool = True, include_params: bool = True) -> dict[str, Any]:
        """Return the cells of `dataframe` by column."""
        cells: dict[str, Any] = {"hash": self.hash}
        if include_props:
            state = self._state()
            status, end_s = state.status()
            cells |= {
                "name": text_cell(state.name),
                "description": text_cell(state.properties.get("description")),
                "archived": bool(state.properties.get("archived", False)),
                "creation_time": state.created_at_s,
                "end_time": end_s,
                "active": status == RUNNING,
                "experiment": text_cell(state.experiment),
                "tags": params.json_text(list(state.tags)),
            }
        if include_params:
            for column, value in flat_params(self[...]).items():
                cells.setdefault(column, value)
        return cells
