"""
Runs and repositories in a notebook: what a run is called, how it went, its params and the ends of its curves.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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
from aim.storage.forms.state import SequenceFacts
from aim.storage.reading.reader import Points

HIDDEN_PREFIX = "__system"
PARAMS_MAX = 50
RUNS_SHOWN_MAX = 10
METRICS_A_ROW = 3


class ShownRun(Protocol):
    """What is asked of a run. `Run` is one."""

    hash: str

    @property
    def props(self) -> RunProps:
        """What people say of it."""

    @property
    def status(self) -> str:
        """How it is going, or has ended."""

    @property
    def error(self) -> str | None:
        """The class of the exception that ended it."""

    @property
    def duration(self) -> float:
        """The seconds that it took."""

    def __getitem__(self, key: Any) -> Any:
        """Return a param."""

    def stored_sequences(self) -> list[SequenceFacts]:
        """List what is known of each sequence."""

    def read_points_of_many(self, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Points]:
        """Return the points of several sequences."""


def is_hidden(name: str) -> bool:
    """Return whether a sequence or param is recorded by us, and shown last."""
    return name.startswith("__")


def run(one: ShownRun) -> Html:
    """Return a run: name, status, tags, params, and its metrics with their last values."""
    props, error = one.props, one.error
    about = [code(one.hash), f"created {moment(props.creation_time)}", f"took {span(one.duration)}"]
    if props.experiment:
        about.insert(0, joined([muted("experiment "), props.experiment]))
    if props.archived:
        about.append("archived")
    parts = [heading("run", props.name or "", status_sign(one.status)), element("div", joined(about, "  ·  "))]
    if error:
        parts.append(element("div", f"ended by {error}", style="color:var(--jp-error-color1, #d64545)"))
    if props.tags:
        parts.append(element("div", *(chip(tag) for tag in props.tags), style="margin:2px 0"))
    if props.description:
        parts.append(preformatted(props.description))
    return block(*parts, _params(one[...]), *_sequences(one))


def _params(tree: Mapping[str, Any]) -> Html:
    own = {key: value for key, value in tree.items() if not str(key).startswith(HIDDEN_PREFIX)}
    cells = flat_params(own)
    if not cells:
        return Html("")
    rows = [[name, short(value)] for name, value in list(cells.items())[:PARAMS_MAX]]
    is_open = len(cells) <= ROWS_MAX
    return folded(f"params ({len(cells):,})", table(["", ""], rows, len(cells) - len(rows)), is_open=is_open)


def _sequences(one: ShownRun) -> list[Html]:
    found = [facts for facts in one.stored_sequences() if facts.parts]
    numeric = sorted((facts for facts in found if facts.is_numeric), key=lambda facts: is_hidden(facts.name))
    own_count = sum(not is_hidden(facts.name) for facts in numeric) or len(numeric)
    drawn = []
    if numeric:
        shown = numeric[: min(own_count, ROWS_MAX)]
        body = metric_rows(one, shown)
        columns = ["metric", "context", "", "last", "step"]
        drawn.append(folded(f"metrics ({len(numeric):,})", table(columns, body, len(numeric) - len(shown))))
    rest = [facts for facts in found if not facts.is_numeric]
    if rest:
        rows = [[facts.name, context_text(facts.context), facts.kind] for facts in rest[:ROWS_MAX]]
        content = table(["name", "context", "holds"], rows, len(rest) - len(rows))
        drawn.append(folded(f"objects and logs ({len(rest):,})", content, is_open=len(rest) <= ROWS_MAX // 2))
    return drawn or [notice("nothing is tracked yet")]


def metric_rows(one: ShownRun, shown: Sequence[SequenceFacts]) -> list[list[str]]:
    """Return a row for each metric: name, context, curve, last value and step."""
    read = one.read_points_of_many([facts.key for facts in shown])
    rows = []
    for facts in shown:
        points = read.get(facts.key)
        ends = ["", "", ""] if points is None else last_of(points, is_numeric=True)
        rows.append([facts.name, muted(context_text(facts.context)), *ends])
    return rows


def runs_table(found: Sequence[ShownRun], more_count: int = 0) -> Html:
    """Return a row for each run, with the last values of a few metrics that most of them have."""
    all_facts = [(one, [facts for facts in one.stored_sequences() if facts.is_numeric]) for one in found]
    counts: dict[tuple[str, str], int] = {}
    for _, numeric in all_facts:
        for facts in numeric:
            if not is_hidden(facts.name):
                counts[facts.key] = counts.get(facts.key, 0) + 1
    keys = sorted(counts, key=lambda key: -counts[key])[:METRICS_A_ROW]
    contexts = {facts.key: facts.context for _, numeric in all_facts for facts in numeric}
    has_tags = any(one.props.tags for one in found)
    rows = []
    for one, numeric in all_facts:
        props, own = one.props, {facts.key for facts in numeric}
        read = one.read_points_of_many([key for key in keys if key in own]) if keys else {}
        values = [number(float(read[key].values[-1])) if key in read and len(read[key]) else "" for key in keys]
        name = "" if props.name == f"Run: {one.hash}" else props.name or ""
        about = [code(one.hash[:8]), name, status_sign(one.status), props.experiment or ""]
        tags = [joined([chip(tag) for tag in props.tags])] if has_tags else []
        times = [one_line(moment(props.creation_time)), one_line(span(one.duration))]
        rows.append([*about, *tags, *times, *values])
    names = [_metric_title(name, contexts[name, text]) for name, text in keys]
    about_columns = ["run", "name", "status", "experiment", *(["tags"] if has_tags else []), "created", "took"]
    return table([*about_columns, *names], rows, more_count)


def _metric_title(name: str, context: Mapping[str, Any]) -> Html:
    return joined([name, element("br"), muted(context_text(context))]) if context else joined([name])


def repository(path: str, run_count: int, active_count: int, newest: Sequence[ShownRun]) -> Html:
    """Return a repository: where it is, and its newest runs."""
    about = muted(f"{counted(run_count, 'run')}, {active_count:,} running")
    head = heading("repository", path, about)
    if not newest:
        return block(head, notice("no runs yet"))
    return block(head, runs_table(newest, run_count - len(newest)))
