"""
Runs and repositories in a notebook: name, status, params, and metrics with their last values.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Protocol

from aim.core.words import counted
from aim.sdk.html.parts import (
    ROWS_MAX,
    Html,
    block,
    chip,
    code,
    element,
    folded,
    heading,
    joined,
    moment,
    muted,
    notice,
    number,
    one_line,
    preformatted,
    short,
    span,
    status_sign,
    table,
)
from aim.sdk.html.sequences import context_text, last_of
from aim.sdk.param_columns import flat_params
from aim.sdk.run_properties import RunProps
from aim.storage.forms.state import SequenceKey, SequenceState
from aim.storage.reading.points import Points

HIDDEN_PREFIX = "__system"
PARAMS_MAX = 50
RUNS_SHOWN_MAX = 10
METRICS_A_ROW = 3


class ShownRun(Protocol):
    """What the output of a run needs of it; `Run` is one."""

    hash: str

    @property
    def props(self) -> RunProps:
        """Its name, tags, notes and times."""

    @property
    def status(self) -> str:
        """Running, finished, failed or lost."""

    @property
    def error(self) -> str | None:
        """The class of the exception that ended it."""

    @property
    def duration(self) -> float:
        """How long it took, in seconds."""

    def __getitem__(self, key: Any) -> Any:
        """Return a param."""

    def _stored_sequences(self) -> list[SequenceState]:
        """Return the sequences, without their points."""

    def _read_points_of_many(self, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Points]:
        """Return the points of several sequences."""


def is_hidden(name: str) -> bool:
    """Return whether a sequence or param is recorded by Aim itself; such are listed last."""
    return name.startswith("__")


def run(view: ShownRun) -> Html:
    """Return a run: name, status, tags, params, and its metrics with their last values."""
    props, error = view.props, view.error
    details = [code(view.hash), f"created {moment(props.creation_time)}", f"took {span(view.duration)}"]
    if props.experiment:
        details.insert(0, joined([muted("experiment "), props.experiment]))
    if props.archived:
        details.append("archived")
    parts = [heading("run", props.name or "", status_sign(view.status)), element("div", joined(details, "  ·  "))]
    if error:
        parts.append(element("div", f"ended by {error}", style="color:var(--jp-error-color1, #d64545)"))
    if props.tags:
        parts.append(element("div", *(chip(tag) for tag in props.tags), style="margin:2px 0"))
    if props.description:
        parts.append(preformatted(props.description))
    return block(*parts, _params(view[...]), *_sequences(view))


def _params(tree: Mapping[str, Any]) -> Html:
    user_params = {key: value for key, value in tree.items() if not str(key).startswith(HIDDEN_PREFIX)}
    cells = flat_params(user_params)
    if not cells:
        return Html("")
    rows = [[name, short(value)] for name, value in list(cells.items())[:PARAMS_MAX]]
    is_open = len(cells) <= ROWS_MAX
    return folded(f"params ({len(cells):,})", table(["", ""], rows, len(cells) - len(rows)), is_open=is_open)


def _sequences(view: ShownRun) -> list[Html]:
    tracked = [info for info in view._stored_sequences() if info.parts]
    if not tracked:
        return [notice("nothing is tracked yet")]
    return [*_metrics(view, tracked), *_objects([info for info in tracked if not info.is_numeric])]


def _metrics(view: ShownRun, tracked: Sequence[SequenceState]) -> list[Html]:
    metrics = sorted((info for info in tracked if info.is_numeric), key=lambda info: is_hidden(info.name))
    if not metrics:
        return []
    people_count = sum(not is_hidden(info.name) for info in metrics) or len(metrics)
    rows = metric_rows(view, metrics[: min(people_count, ROWS_MAX)])
    columns = ["metric", "context", "", "last", "step"]
    return [folded(f"metrics ({len(metrics):,})", table(columns, rows, len(metrics) - len(rows)))]


def _objects(infos: Sequence[SequenceState]) -> list[Html]:
    if not infos:
        return []
    rows = [[info.name, context_text(info.context), info.kind] for info in infos[:ROWS_MAX]]
    content = table(["name", "context", "kind"], rows, len(infos) - len(rows))
    return [folded(f"objects and logs ({len(infos):,})", content, is_open=len(infos) <= ROWS_MAX // 2)]


def metric_rows(view: ShownRun, metrics: Sequence[SequenceState]) -> list[list[str]]:
    """Return a row for each metric: name, context, curve, last value and step."""
    points_by_key = view._read_points_of_many([info.key for info in metrics])
    rows = []
    for info in metrics:
        points = points_by_key.get(info.key)
        ends = ["", "", ""] if points is None else last_of(points, is_numeric=True)
        rows.append([info.name, muted(context_text(info.context)), *ends])
    return rows


def runs_table(runs: Sequence[ShownRun], more_count: int = 0) -> Html:
    """Return a row for each run, with the last values of the metrics that most of them have."""
    metrics = [[info for info in run._stored_sequences() if info.is_numeric] for run in runs]
    contexts = _common_metrics([info for of_run in metrics for info in of_run])
    has_tags = any(run.props.tags for run in runs)
    rows = [
        [*_description(run, has_tags), *_last_values(run, list(contexts), {info.key for info in of_run})]
        for run, of_run in zip(runs, metrics)
    ]
    columns = ["run", "name", "status", "experiment", *(["tags"] if has_tags else []), "created", "took"]
    titles = [_metric_title(name, context) for (name, _), context in contexts.items()]
    return table([*columns, *titles], rows, more_count)


def _common_metrics(infos: Iterable[SequenceState]) -> dict[SequenceKey, Mapping[str, Any]]:
    """Return the metrics of people, not ours, that most runs have, with their contexts."""
    people = [info for info in infos if not is_hidden(info.name)]
    run_counts = Counter(info.key for info in people)
    contexts = {info.key: info.context for info in people}
    return {key: contexts[key] for key, _ in run_counts.most_common(METRICS_A_ROW)}


def _description(run: ShownRun, has_tags: bool) -> list[str]:
    props = run.props
    name = "" if props.name == f"Run: {run.hash}" else props.name or ""
    tags = [joined([chip(tag) for tag in props.tags])] if has_tags else []
    times = [one_line(moment(props.creation_time)), one_line(span(run.duration))]
    return [code(run.hash[:8]), name, status_sign(run.status), props.experiment or "", *tags, *times]


def _last_values(run: ShownRun, keys: Sequence[SequenceKey], own_keys: Collection[SequenceKey]) -> list[str]:
    points = run._read_points_of_many([key for key in keys if key in own_keys]) if keys else {}
    return [number(points[key].last()[1]) if key in points and len(points[key]) else "" for key in keys]


def _metric_title(name: str, context: Mapping[str, Any]) -> Html:
    return joined([name, element("br"), muted(context_text(context))]) if context else joined([name])


def repository(path: str, run_count: int, active_count: int, newest: Sequence[ShownRun]) -> Html:
    """Return a repository: where it is, and its newest runs."""
    counts = muted(f"{counted(run_count, 'run')}, {active_count:,} running")
    head = heading("repository", path, counts)
    if not newest:
        return block(head, notice("no runs yet"))
    return block(head, runs_table(newest, run_count - len(newest)))
