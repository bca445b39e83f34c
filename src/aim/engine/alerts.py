"""
What a person should look at now: runs that failed, were lost, stand still, diverge, or compute no numbers any more.

    failed, lost   the run's status                                              a column
    stalled        a promised check-in is overdue (check_ins.py)                 a column, and the time
                   or its metrics are silent for longer than is normal           points of runs that record
    nan            the last value of a metric is NaN or infinite                 columns; points: since when
    losses         the disk refused some of it                                   columns
    diverged       a metric that should fall has risen for good (anomalies.py)   columns; points of suspects

Only runs count that record or ended in the last days. `suspects` finds suspects in the columns of summaries; points are
read of suspects only, and once for each state of a metric. So ten thousand ended runs without a problem cost no
reading.

Rule: a run has at most one alert of a kind, about the metric that went wrong first; `others` counts the other metrics.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from aim.core.recent import Recent
from aim.core.statuses import FAILED, LOST, RUNNING
from aim.engine.anomalies import divergence, first_bad, should_fall, usual_pause_s
from aim.engine.listing import PropertyField, cells
from aim.engine.points import Curve, PointStore
from aim.engine.suspects import MetricKey, Survey, Suspect, relevant_rows, survey_of
from aim.storage.catalogue.run_table import RunTable
from aim.storage.forms.records import IntArray

FAILED_KIND, LOST_KIND, STALLED, NAN, DIVERGED, LOSSES = KINDS = (
    "failed",
    "lost",
    "stalled",
    "nan",
    "diverged",
    "losses",
)
RUNS_MAX = 200  # newest first: a longer list is not read
CURVES_MAX = 6  # of one run, of which the points are read to find the first that went wrong
MEMO_MAX = 5_000  # metrics of which something is remembered
WORSE = 4.0  # times as bad: one level more
LEVEL_MAX = 30
OVERDUE_S = 60.0  # the unit in which an overdue check-in gets worse
WINDOW_SHARE = 0.1  # of the length of the curve, on each side of the step in question
WINDOW_STEPS_MIN = 5

Value = TypeVar("Value")


@dataclass(frozen=True)
class Alert:
    """
    One thing to look at.

    Attributes:
        id: stays while the cause is the same; another failure of a run that was resumed has another id.
        kind: one of `KINDS`.
        time_s: since when, in Unix seconds; None: unknown.
        level: 0 or more; grows when it gets worse.
        metric: name and context; None: the alert is about the run.
        step: the step of the metric where it began; *window*: the steps around it.
        value: the last value; of a divergence the level at the end.
        best: of a divergence the best level.
        limit_s: of a silent run the longest pause that is normal for this metric.
        error: of a failure the class of the exception; of losses what is lost, and why.
        others: how many other metrics of the run have the same problem.
    """

    id: str
    run_hash: str
    run_name: str
    kind: str
    time_s: float | None
    level: int = 0
    metric: tuple[str, Mapping[str, Any]] | None = None
    step: int | None = None
    window: tuple[int, int] | None = None
    value: float | None = None
    best: float | None = None
    limit_s: float | None = None
    error: str | None = None
    others: int = 0


@dataclass(frozen=True)
class _RunRow:
    """What columns say of one run; *row* is its row in the table."""

    row: int
    run_hash: str
    name: str
    status: str
    ended_at_s: float | None
    error: str | None
    due_at_s: float | None
    losses: str | None
    lost_count: int
    lost_at_s: float | None


@dataclass
class _Finding:
    """What is wrong in the points of a metric, in the words of `Alert`."""

    step: int
    window: tuple[int, int]
    time_s: float
    value: float
    best: float | None = None
    level: int = 0


class _Memo(Generic[Value]):
    """What *compute* returns for the points of metrics, each computed once for a state of the metric."""

    def __init__(self, points: PointStore, compute: Callable[[Curve], Value]) -> None:
        self._points = points
        self._compute = compute
        self._values: Recent[tuple[str, MetricKey], tuple[Value]] = Recent(MEMO_MAX)

    def value(self, run_hash: str, suspect: Suspect) -> Value | None:
        """Return the value of one metric of a run; None when the run has no such metric any more."""
        stamp = (suspect.state, self._points.taken_back_at(run_hash))
        key = (run_hash, suspect.key)
        cached = self._values.lookup(key, stamp)
        if cached is None:
            curve = self._points.read(run_hash, [suspect.key]).get(suspect.key)
            if curve is None:
                return None
            cached = self._values.put(key, stamp, (self._compute(curve),))
        return cached[0]


class Alerts:
    """
    The alerts of one repository. Any thread may ask.

    Args:
        points: reads the points of suspects.
        now: returns Unix seconds.
    """

    def __init__(self, points: PointStore, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._findings = {NAN: _Memo(points, _bad_values), DIVERGED: _Memo(points, _divergence)}
        self._last_times_s = _Memo(points, lambda curve: float(curve.times_s.max()))
        self._usual_pauses_s = _Memo(points, lambda curve: usual_pause_s(curve.times_s))
        self._growth: Recent[str, tuple[int, float]] = Recent(MEMO_MAX)  # of a run: its points, and since when
        self._lock = threading.Lock()

    def ask(self, table: RunTable) -> list[Alert]:
        """
        List what there is to look at, of the newest run first, at most one alert of a kind for a run.

        Cost: 10 us a metric and 20 ns a run that has it; and reading the points of suspects, once for each state.
        """
        with self._lock:
            now_s = self._now()
            rows = relevant_rows(table, now_s)
            survey = survey_of(table, rows)
            alerts: list[Alert] = []
            run_count = 0
            for run in _runs(table, rows):
                alerts_of_run = self._alerts_of(run, survey, now_s)
                alerts += alerts_of_run
                run_count += bool(alerts_of_run)
                if run_count >= RUNS_MAX:
                    break
            return alerts

    def _alerts_of(self, run: _RunRow, survey: Survey, now_s: float) -> list[Alert]:
        alerts: list[Alert | None] = []
        if run.status in (FAILED, LOST):
            kind = FAILED_KIND if run.status == FAILED else LOST_KIND
            error = run.error if kind == FAILED_KIND else None
            alert_id = f"{run.run_hash} {kind} {run.ended_at_s}"
            alerts.append(Alert(alert_id, run.run_hash, run.name, kind, run.ended_at_s, error=error))
        elif run.status == RUNNING and run.due_at_s is not None:
            alerts.append(_overdue(run, run.due_at_s, now_s))
        elif run.status == RUNNING:
            alerts.append(self._silent(run, survey, now_s))
        alerts.append(_losses(run))
        alerts.append(self._of_metrics(run, NAN, survey.nan.of_run(run.row)))
        alerts.append(self._of_metrics(run, DIVERGED, survey.diverged.of_run(run.row)))
        return [alert for alert in alerts if alert is not None]

    def _of_metrics(self, run: _RunRow, kind: str, suspects: list[Suspect]) -> Alert | None:
        """Return the alert about the metric that went wrong first."""
        ordered = sorted(suspects, key=lambda suspect: (not should_fall(suspect.key[0]), suspect.key))
        findings: list[tuple[_Finding, Suspect]] = []
        for suspect in ordered[:CURVES_MAX]:
            finding = self._findings[kind].value(run.run_hash, suspect)
            if finding is not None:
                findings.append((finding, suspect))
        if not findings:
            return None
        first, metric = min(findings, key=lambda pair: pair[0].time_s)
        # all suspects of NaN count, also those of which no points were read: their last value is NaN or infinite
        count = len(suspects) if kind == NAN else len(findings)
        level = count if kind == NAN else max(finding.level for finding, _ in findings)
        since = f" {first.step}" if kind == NAN else ""
        return Alert(
            f"{run.run_hash} {kind}{since}",
            run.run_hash,
            run.name,
            kind,
            first.time_s,
            min(level, LEVEL_MAX),
            (metric.key[0], metric.context),
            first.step,
            first.window,
            first.value,
            first.best,
            others=count - 1,
        )

    def _silent(self, run: _RunRow, survey: Survey, now_s: float) -> Alert | None:
        grown_at_s = self._grown_at_s(run.run_hash, int(survey.point_counts[run.row]), now_s)
        if grown_at_s is None:
            return None
        last_s, limit_s, metric = grown_at_s, math.inf, None
        for suspect in survey.longest(run.row, CURVES_MAX):
            last_time_s = self._last_times_s.value(run.run_hash, suspect)
            pause_s = self._usual_pauses_s.value(run.run_hash, suspect)
            last_s = last_s if last_time_s is None else max(last_s, last_time_s)
            if pause_s is not None and pause_s < limit_s:  # the metric with the shortest pauses decides
                limit_s, metric = pause_s, suspect
        if metric is None or now_s - last_s < limit_s:
            return None
        return Alert(
            f"{run.run_hash} {STALLED} {last_s}",
            run.run_hash,
            run.name,
            STALLED,
            last_s,
            min(LEVEL_MAX, int(math.log((now_s - last_s) / limit_s, WORSE))),
            (metric.key[0], metric.context),
            metric.last_step,
            limit_s=limit_s,
        )

    def _grown_at_s(self, run_hash: str, point_count: int, now_s: float) -> float | None:
        """Return when the points of all metrics together last became more, -inf: unknown; None when it is just now."""
        growth = self._growth.lookup(run_hash)
        if growth is None:
            return self._growth.put(run_hash, None, (point_count, -math.inf))[1]
        if growth[0] == point_count:
            return growth[1]
        self._growth.put(run_hash, None, (point_count, now_s))
        return None


def _overdue(run: _RunRow, due_at_s: float, now_s: float) -> Alert | None:
    if now_s <= due_at_s:
        return None
    level = min(LEVEL_MAX, int(math.log(1 + (now_s - due_at_s) / OVERDUE_S, WORSE)))
    return Alert(f"{run.run_hash} {STALLED} {due_at_s}", run.run_hash, run.name, STALLED, due_at_s, level)


def _losses(run: _RunRow) -> Alert | None:
    if not run.losses:
        return None
    level = min(LEVEL_MAX, int(math.log(max(1, run.lost_count), WORSE)))
    alert_id = f"{run.run_hash} {LOSSES} {run.lost_at_s}"
    return Alert(alert_id, run.run_hash, run.name, LOSSES, run.lost_at_s, level, error=run.losses)


def _runs(table: RunTable, rows: IntArray) -> list[_RunRow]:
    names = ("hash", "name", "status", "end_time", "error", "due_at", "losses", "lost_count", "lost_at")
    columns = [cells(table, PropertyField(name), rows).objects() for name in names]
    return [
        _RunRow(
            row,
            run_hash,
            str(name or ""),
            status,
            ended_at_s,
            error,
            _time_or_none(due_s),
            losses,
            int(lost_count or 0),
            _time_or_none(lost_at_s),
        )
        for row, run_hash, name, status, ended_at_s, error, due_s, losses, lost_count, lost_at_s in zip(
            rows.tolist(), *columns, strict=True
        )
    ]


def _time_or_none(value: Any) -> float | None:
    return value if isinstance(value, float) else None


def _window(curve: Curve, step: int) -> tuple[int, int]:
    reach = max(WINDOW_STEPS_MIN, int(WINDOW_SHARE * (int(curve.steps[-1]) - int(curve.steps[0]))))
    return step - reach, step + reach


def _bad_values(curve: Curve) -> _Finding | None:
    index = first_bad(curve.values)
    if index is None:
        return None
    step = int(curve.steps[index])
    return _Finding(step, _window(curve, step), float(curve.times_s[index]), float(curve.values[-1]))


def _divergence(curve: Curve) -> _Finding | None:
    diverged = divergence(curve.steps, curve.values)
    if diverged is None:
        return None
    level = LEVEL_MAX if math.isinf(diverged.times) else int(math.log(diverged.times, WORSE))
    window, time_s = _window(curve, diverged.step), float(curve.times_s[diverged.index])
    return _Finding(diverged.step, window, time_s, diverged.now, diverged.best, level)
