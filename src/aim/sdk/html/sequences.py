"""
Sequences in a notebook: a metric as its curve, objects as those of the last steps, logs as their last lines.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from aim.core.errors import DamagedFile
from aim.core.words import counted
from aim.sdk.html import media
from aim.sdk.html.charts import WIDTH_PX, bounds, curves
from aim.sdk.html.parts import (
    Html,
    and_more,
    block,
    code,
    element,
    heading,
    joined,
    moment,
    muted,
    notice,
    number,
    preformatted,
    short,
    table,
)
from aim.sdk.objects.damaged import DamagedObject, or_damaged
from aim.storage.reading.points import Points

STEPS_SHOWN_MAX = 3
LINES_SHOWN_MAX = 20
SGR = re.compile(r"\x1b\[[0-9;:]*m")


class SequenceRun(Protocol):
    """The run of a sequence."""

    hash: str

    def _read_objects(self, points: Points, position: int) -> Any:
        """Return the objects of one point."""


def context_text(context: Mapping[str, Any]) -> str:
    """
    Return a context as people write it.

    >>> context_text({"subset": "train", "rank": 0})
    'subset=train, rank=0'
    """
    return ", ".join(f"{key}={short(value, 40)}" for key, value in context.items())


def _head(kind: str, name: str, context: Mapping[str, Any], run: SequenceRun, detail: str) -> Html:
    between = f"{context_text(context)}  " if context else ""
    return heading(kind, name, muted(between, "run "), joined([code(run.hash[:8]), muted(f"  {detail}")]))


def metric(name: str, context: Mapping[str, Any], run: SequenceRun, points: Points) -> Html:
    """Return a metric as curve, with its last, lowest and highest value."""
    values = np.asarray(points.values, np.float64)
    head = _head("metric", name, context, run, counted(len(values), "point"))
    if not len(values):
        return block(head, notice("nothing is tracked"))
    steps = points.steps
    extremes = [("last", number(points.last()[1]), f"step {int(steps[-1]):,}")]
    if bounds(values) is not None:
        # integers are compared as they are: doubles of large ones are alike
        exact = points.values if points.values.dtype.kind == "i" else np.where(np.isfinite(values), values, np.nan)
        for label, index in (("min", int(np.nanargmin(exact))), ("max", int(np.nanargmax(exact)))):
            value = points.values[index : index + 1].tolist()[0]
            extremes.append((label, number(value), f"step {int(steps[index]):,}"))
    gap_count = int(np.count_nonzero(~np.isfinite(values)))
    summary = [
        joined([muted(f"{label} "), element("b", value), muted(f" at {where}")]) for label, value, where in extremes
    ]
    if gap_count:
        summary.append(muted(f"{gap_count:,} NaN or infinite"))
    line = element("div", joined(summary, "  ·  "))
    drawn = curves([(name, steps.astype(np.float64), values)])
    x_label = element(
        "div", "step", style=f"width:{WIDTH_PX}px;max-width:100%;text-align:right;opacity:.65;font-size:11px"
    )
    return block(head, drawn, x_label if drawn else "", line)


def objects(kind: str, name: str, context: Mapping[str, Any], run: SequenceRun, points: Points) -> Html:
    """Return the objects of the last three steps, the latest first."""
    head = _head(kind, name, context, run, counted(len(points), "step"))
    rows = []
    for position in range(len(points) - 1, max(len(points) - 1 - STEPS_SHOWN_MAX, -1), -1):
        rows.append([number(int(points.steps[position])), _objects_at(run, points, position)])
    return block(head, table(["step", ""], rows), and_more(len(points) - len(rows)))


def _objects_at(run: SequenceRun, points: Points, position: int) -> Html:
    try:
        content = run._read_objects(points, position)
    except DamagedFile as error:
        return notice(str(error))
    return media.several(content) if isinstance(content, (list, tuple)) else media.part(content)


def lines(name: str, context: Mapping[str, Any], run: SequenceRun, points: Points) -> Html:
    """Return the last lines that a run printed."""
    first = max(0, len(points) - LINES_SHOWN_MAX)
    entries = [or_damaged(run._read_objects, points, position) for position in range(first, len(points))]
    texts = [repr(line) if isinstance(line, DamagedObject) else SGR.sub("", str(line.data)) for line in entries]
    above = muted(counted(first, "line before", "lines before")) if first else ""
    return block(
        _head("output", name, context, run, counted(len(points), "line")),
        above,
        preformatted("\n".join(texts), "monospace"),
    )


def records(name: str, context: Mapping[str, Any], run: SequenceRun, points: Points) -> Html:
    """Return the last messages that a run logged, the latest first."""
    rows = []
    for position in range(len(points) - 1, max(len(points) - 1 - LINES_SHOWN_MAX, -1), -1):
        record = or_damaged(run._read_objects, points, position)
        if isinstance(record, DamagedObject):
            rows.append([moment(float(points.times_s[position])), "", short(repr(record), 400), ""])
            continue
        arguments = ", ".join(f"{key}={short(value, 40)}" for key, value in record.args.items())
        rows.append(
            [moment(float(points.times_s[position])), record.level_name, short(record.message, 400), muted(arguments)]
        )
    head = _head("log", name, context, run, counted(len(points), "message"))
    return block(head, table(["time", "level", "message", ""], rows, len(points) - len(rows)))


def other(kind: str, name: str, context: Mapping[str, Any], run: SequenceRun, points: Points) -> Html:
    """Return a sequence of a kind that has no look of its own."""
    return block(_head(kind, name, context, run, counted(len(points), "point")))


def draw(kind: str, name: str, context: Mapping[str, Any], run: SequenceRun, points: Points) -> Html:
    """
    Return the sequence as its kind is shown.

    Args:
        kind: the name of the type of sequences, such as `metric` or `images`.
    """
    if kind == "metric":
        return metric(name, context, run, points)
    if kind == "logs":
        return lines(name, context, run, points)
    if kind == "log_records":
        return records(name, context, run, points)
    if kind == "sequence":
        return other(kind, name, context, run, points)
    return objects(kind, name, context, run, points)


def last_of(points: Points, is_numeric: bool) -> Sequence[str]:
    """Return three cells of a row: the curve in small, the last value, and the last step."""
    from aim.sdk.html.charts import sparkline

    last_step = number(int(points.steps[-1])) if len(points) else ""
    if not is_numeric:
        return ["", "", last_step]
    values = np.asarray(points.values, np.float64)
    last = number(points.last()[1]) if len(values) else ""
    return [sparkline(values), last, last_step]
