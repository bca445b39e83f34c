"""
Reading a run: `RunView` is a run as anybody sees it, `RunBefore` the same as it stood before one of its rewinds.

    RunView            reads: params, properties, sequences, tables
    ├── RunBefore      reads the points as they stood before a rewind
    └── EditableRun    changes what anybody may change            run_edits.py
        └── LoggingRun       log records and check-ins            logging_run.py
            └── FamiliarRun  calls that other trackers have       familiar_run.py
                └── Run      records                              run.py

A view reads through a `RunSource`, from the files: what `track()` or `run[key] = value` returned for is seen at once,
by this and any other process.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from aim.core import contexts, params
from aim.core.errors import UsageError
from aim.core.kinds import LINES_NAME, METRIC, RECORDS_NAME
from aim.core.statuses import RUNNING
from aim.sdk import sequence_infos
from aim.sdk.param_columns import flat_params, need_pandas, text_cell
from aim.sdk.run_properties import RunProps, props_of
from aim.sdk.run_source import RunSource, restore
from aim.sdk.sequence_infos import CollectedSequences
from aim.sdk.sequence_types import KINDS
from aim.storage.context import Context
from aim.storage.forms.check_ins import CheckIn
from aim.storage.forms.history import ForkedFrom, Rewind
from aim.storage.forms.run_alerts import RunAlert
from aim.storage.forms.state import RunState, SequenceState

if TYPE_CHECKING:
    from datetime import datetime

    import pandas as pd

    from aim.engine.door import RunDoor
    from aim.sdk.metric import Metric
    from aim.sdk.object_sequences import Audios, Distributions, Figures, Images, Objects3D, Tables, Texts, Videos
    from aim.sdk.run_health import RunHealth
    from aim.sdk.sequence import Sequence
    from aim.sdk.sequence_collection import SingleRunSequenceCollection
    from aim.sdk.sequences.log_sequences import LogRecords, Logs
    from aim.storage.reading.asked_points import AskedPoints
    from aim.storage.reading.points import Points

    SequenceT = TypeVar("SequenceT", bound=Sequence)

ContextLike = Context | Mapping[str, Any] | None


class RunView:
    """
    A run, for reading.

    Attributes:
        hash: its name in the repository.
    """

    def __init__(self, source: RunSource) -> None:
        self.hash = source.run_hash
        self._source = source

    def _state(self) -> RunState:
        return self._source.state()

    def _settled(self) -> RunDoor:
        return self._source.settled()

    def _repr_html_(self) -> str:
        from aim.sdk.html import parts, runs

        return parts.or_notice(lambda: runs.run(self))

    # params

    def __getitem__(self, key: Any) -> Any:
        """
        Return a param, or a dict of all below *key*, as a copy.

        Args:
            key: a name, a path such as `("hparams", "lr")`, or `...` for all params.

        Raises:
            KeyError: there is none.
        """
        return self._source.param(params.as_path(key))

    def __contains__(self, key: object) -> bool:
        try:
            self[key]
        except KeyError:
            return False
        return True

    def get(self, key: Any, default: Any = None, strict: bool = True, resolve_objects: bool = False) -> Any:
        """
        Return a param, or *default* when there is none.

        Args:
            strict: False returns, in place of a dict, the tree of the types of its values.
            resolve_objects: return objects as dicts of what describes them.
        """
        try:
            value = self[key]
        except KeyError:
            return default
        if resolve_objects:
            value = _resolved(value)
        return value if strict or not isinstance(value, dict) else _example_types(value)

    # properties

    @property
    def props(self) -> RunProps:
        """All properties at once, as they are now."""
        return props_of(self._state())

    def _read_properties(self) -> Mapping[str, Any]:
        """Return the properties by their stored names (docs/formats/events.md)."""
        return self._state().properties

    @property
    def tags(self) -> list[str]:
        """The names of the tags, in the order they were added."""
        return list(self._state().tags)

    @property
    def creation_time(self) -> float:
        """When the run was made, in Unix seconds."""
        return self._state().created_at_s

    @property
    def created_at(self) -> datetime:
        """When the run was made, in UTC, without a zone."""
        from aim.core.zones import utc_without_zone

        return utc_without_zone(self._state().created_at_s)

    @property
    def end_time(self) -> float | None:
        """When the run ended, in Unix seconds; None: it has not ended."""
        return self._state().status()[1]

    @property
    def finalized_at(self) -> datetime | None:
        """When the run ended, in UTC, without a zone; None: it has not ended."""
        from aim.core.zones import utc_without_zone

        end_s = self.end_time
        return None if end_s is None else utc_without_zone(end_s)

    @property
    def duration(self) -> float:
        """The seconds from the beginning of the run to its end, or to now."""
        state = self._state()
        end_s = state.status()[1]
        return max(0.0, (time.time() if end_s is None else end_s) - state.created_at_s)

    @property
    def active(self) -> bool:
        """Whether some process still records into the run."""
        return self.status == RUNNING

    @property
    def status(self) -> str:
        """`running`, `finished`, `failed` (an exception ended it) or `lost` (its process died without ending it)."""
        return self._state().status()[0]

    @property
    def error(self) -> str | None:
        """The class of the exception that ended a failed run."""
        return self._state().error()

    @property
    def check_in(self) -> CheckIn | None:
        """The latest check-in; None when there was none."""
        return self._state().check_in

    @property
    def alerts(self) -> tuple[RunAlert, ...]:
        """What the training said by `alert`: each with `title`, `text`, `level` and `at_s` (Unix seconds)."""
        return self._state().alerts

    @property
    def forked_from(self) -> ForkedFrom | None:
        """The run that this one was forked from: its hash, the last step that was copied, and when; or None."""
        return self._state().forked_from

    def health(self) -> RunHealth:
        """
        Return what was lost because a disk refused it.

        A process that records writes its losses within a second, where there is room for a line.

        >>> import tempfile
        >>> from aim import Run
        >>> run = Run(repo=tempfile.mkdtemp())
        >>> run.health().is_whole
        True
        >>> run.close()
        """
        from aim.sdk.run_health import RunHealth

        return RunHealth(self._state().gaps)

    @property
    def rewinds(self) -> list[Rewind]:
        """The rewinds of the run, oldest first: to which step, and when."""
        return list(self._state().rewinds)

    def before(self, rewind: Rewind) -> RunBefore:
        """
        Return the run as it stood just before one of its `rewinds`, for reading its sequences.

        Raises:
            UsageError: it is no rewind of this run.
        """
        if rewind not in self.rewinds:
            raise UsageError(f"{rewind!r} is no rewind of run {self.hash}; they are in `run.rewinds`.")
        return RunBefore(self, rewind)

    # sequences

    def metrics(self) -> SingleRunSequenceCollection[Metric]:
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

        return SingleRunSequenceCollection(self, Metric)

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

    def get_object3d_sequence(self, name: str, context: ContextLike = None) -> Objects3D | None:
        """Return the 3D objects of that name and context; None when there are none."""
        from aim.sdk.object_sequences import Objects3D

        return self._sequence_of(Objects3D, name, context)

    def get_terminal_logs(self) -> Logs | None:
        """
        Return what the run printed, a sequence of `LogLine`; None when nothing was captured.

        When several processes record into the run at once, these are the lines of the first. Those of the others have
        a context `{"writer": ...}`; `iter_sequence_info_by_type("logs")` goes through all of them.
        """
        from aim.sdk.sequences.log_sequences import Logs

        self._settled()
        contexts_of_lines = [info.context for info in self._state().sequences.values() if info.name == LINES_NAME]
        for context in sorted(contexts_of_lines, key=lambda context: (bool(context), contexts.text(context))):
            logs = self._sequence_of(Logs, LINES_NAME, context)
            if logs is not None:
                return logs
        return None

    def get_log_records(self) -> LogRecords | None:
        """Return what was logged, a sequence of `LogRecord`; None when nothing was logged."""
        from aim.sdk.sequences.log_sequences import LogRecords

        return self._sequence_of(LogRecords, RECORDS_NAME, None)

    def _sequence_of(self, kind: type[SequenceT], name: str, context: ContextLike) -> SequenceT | None:
        context = context if isinstance(context, Context) else Context(context)
        info = self._state().sequences.get((name, context.text))
        if info is None or not info.parts or not kind._holds(info.kind):
            return None
        sequence = kind(name, context, self)
        return sequence if len(sequence) else None

    def idx_to_ctx(self, idx: int) -> Context:
        """
        Return the context whose `Context.idx` is *idx*.

        Raises:
            KeyError: no sequence of the run has it.
        """
        for info in self._state().sequences.values():
            if contexts.identity(info.context) == idx:
                return Context(info.context)
        raise KeyError(f"No sequence of run {self.hash} has a context with the number {idx}.")

    def _stored_sequences(self) -> list[SequenceState]:
        """List the name, context and kind of each sequence of the run, ordered by context, then name."""
        infos = self._settled().sequences().values()
        return sorted(infos, key=lambda info: (contexts.identity(info.context), info.name))

    def iter_metrics_info(self) -> Iterator[tuple[str, Context, Any]]:
        """Go through (name, context, run) of the metrics."""
        yield from self.iter_sequence_info_by_type(KINDS[METRIC])

    def iter_sequence_info_by_type(self, dtypes: str | Iterable[str]) -> Iterator[tuple[str, Context, Any]]:
        """
        Go through (name, context, run) of the sequences that hold one of the types of values *dtypes*.

        Args:
            dtypes: such as `float`, `aim.image`, `list(aim.image)`; `*` means all; the types of sequences
                (`metric`, `images` ...) are understood too.

        Raises:
            ValueError: a type that does not exist.
        """
        kinds = sequence_infos.kinds_of(dtypes)
        for info in self._stored_sequences():
            if kinds is None or info.kind in kinds:
                yield info.name, Context(info.context), self

    def collect_sequence_info(
        self, sequence_types: str | Iterable[str] = METRIC, skip_last_value: bool = False
    ) -> CollectedSequences:
        """
        Return which sequences there are and, unless *skip_last_value*, what is in them.

        Args:
            sequence_types: one of `metric`, `images`, `audios`, `texts`, `distributions`, `figures` ..., or several.
            skip_last_value: leave out `values`; then no points are read.

        Returns:
            type -> list of `{"context", "name", "values"}`, where `values` has dtype, first_step, last_step, first,
            last, and for metrics min, max. `.triplets()` returns the form of the early reference.
        Raises:
            ValueError: a type that does not exist.
        """
        run = None if skip_last_value else self._settled()
        return sequence_infos.collect(self._stored_sequences(), sequence_types, run, self._read_objects)

    # points, as sequences and tables read them

    def _read_points(self, name: str, context_text: str) -> Points | None:
        """Return the points of a sequence as they are now."""
        return self._settled().points((name, context_text))

    def _read_asked_points(self, name: str, context_text: str, missing: Exception) -> Points | AskedPoints:
        """Return the points of a sequence as they are now, or when they are needed; see `RunDoor.asked_points`."""
        return self._settled().asked_points((name, context_text), missing)

    def _read_points_of_many(self, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Points]:
        """Return the points of several sequences, by name and text of the context, as they are now."""
        return self._settled().points_of_many(keys)

    def _read_last_points_of_many(self, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], tuple[Points, int]]:
        """Return the last point of several sequences, perhaps with those before it, and how many points there are."""
        return self._settled().last_points_of_many(keys)

    def _read_objects(self, points: Points, position: int) -> Any:
        """Return the object, or the list of objects, of one point."""
        objects = self._settled().objects(points, position, restore)
        if hasattr(objects, "at"):  # a log record: its moment is that of its point
            objects.at(float(points.times_s[position]))
        return objects

    def _read_kind(self, name: str, context_text: str) -> str:
        """Return the stored kind of a sequence. Raises KeyError when there is no such sequence."""
        return self._state().sequences[(name, context_text)].kind

    def delete_points(self, *args: Any, **options: Any) -> int:
        """Raise UsageError: a view only reads. `Run.delete_points` hides points."""
        raise UsageError(f"{self!r} is only read; delete points of the run itself, as it is now.")

    # tables

    def dataframe(self, include_props: bool = True, include_params: bool = True) -> pd.DataFrame:
        """
        Return the run as a pandas DataFrame of one row.

        Columns: hash, name, description, archived, creation_time, end_time, active, experiment, tags (JSON), then the
        params flattened to three levels (`hparams.lr`, `layers[3]`); lists and deeper dicts as JSON.

        Args:
            include_props: have the columns from name to tags.
            include_params: have the columns of params; a param whose name is taken by another column is left out.
        """
        need_pandas()
        import pandas as pd

        return pd.DataFrame([self._row(include_props, include_params)], index=[0])

    def _row(self, include_props: bool = True, include_params: bool = True) -> dict[str, Any]:
        """Return the cells of `dataframe` by column."""
        cells: dict[str, Any] = {"hash": self.hash}
        state = self._state()
        if include_props:
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
            for column, value in flat_params(state.params).items():
                cells.setdefault(column, value)
        return cells


class RunBefore(RunView):
    """
    A run as it stood just before a rewind, for reading its sequences. `Run.before` makes it.

    Params and properties are those of now: rewinds leave them alone.

    Attributes:
        run: the run, as it is now.
        rewind: the rewind.
    """

    def __init__(self, run: RunView, rewind: Rewind) -> None:
        super().__init__(run._source)
        self.run = run
        self.rewind = rewind

    def __repr__(self) -> str:
        return f"<Run#{self.hash} before its rewind to step {self.rewind.step}>"

    def _repr_html_(self) -> str:
        import html

        return html.escape(repr(self))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RunBefore) and (self.run, self.rewind) == (other.run, other.rewind)

    def __hash__(self) -> int:
        return hash((self.hash, self.rewind))

    @property
    def rewinds(self) -> list[Rewind]:
        """The rewinds before this one."""
        return [rewind for rewind in super().rewinds if rewind.time_s < self.rewind.time_s]

    def before(self, rewind: Rewind) -> RunBefore:
        """Return the run as it stood just before another rewind."""
        return self.run.before(rewind)

    def _settled(self) -> RunDoor:
        return self._source.settled().before(self.rewind)

    def _read_objects(self, points: Points, position: int) -> Any:
        """Return the object, or the list of objects, of one point."""
        return self.run._read_objects(points, position)


def _resolved(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _resolved(below) for key, below in value.items()}
    if isinstance(value, list):
        return [_resolved(element) for element in value]
    return value.json() if hasattr(value, "json") else value


def _example_types(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _example_types(below) for key, below in value.items()}
    tree: dict[Any, Any] = {"__example_type__": str(type(value))}
    if isinstance(value, list):
        tree |= {index: _example_types(element) for index, element in enumerate(value)}
    return tree
