"""
What a person should look at now: runs that failed, were lost, stand still, diverge, or compute no numbers any more.

    failed, lost   the run's status                                                         columns
    stalled        a promised check-in is overdue (check_ins.py)                            a column, and the time
                   or its metrics are silent for longer than is usual for it                points of one that runs
    nan            the last value of a metric is NaN or infinite                            columns; points: since when
    diverged       a metric that should fall has risen for good (anomalies.py)              columns; points of suspects

Only runs that run or ended in the last days count: of a thousand runs of last year nobody wants to be told. Whether a
run is a suspect the catalogue's summaries say, for all runs of a metric by one look at two columns; points are read of
suspects only, and once for each state of them. So ten thousand ended runs that are well cost no reading.

Rule 1: metrics of the machine (`__system__…`) are none of the training's.
Rule 2: of a run and kind there is one alert, of the metric that went wrong first; `others` counts the rest.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from aim.core.reserved import SYSTEM_PREFIX
from aim.core.statuses import FAILED, LOST, RUNNING
from aim.engine.anomalies import BoolArray, divergence, first_bad, may_have_diverged, should_fall, usual_pause_s
from aim.engine.listing import cells
from aim.engine.points import Curve, PointStore
from aim.storage.catalogue.columns import Column
from aim.storage.catalogue.run_table import HashColumn, RunTable
from aim.storage.forms.records import FloatArray, IntArray

FAILED_KIND, LOST_KIND, STALLED, NAN, DIVERGED = KINDS = ("failed", "lost", "stalled", "nan", "diverged")
ENDED_WITHIN_S = 7 * 86_400.0
RUNS_MAX = 200  # newest first; of more nobody reads
CURVES_MAX = 6  # of a run that went wrong are looked at, to find the first
KEPT_MAX = 5_000  # findings
WORSE = 4.0  # times as bad: one level more
LEVEL_MAX = 30
OVERDUE_S = 60.0  # an overdue check-in gets worse in these
SUMMARIES = ("first", "last", "min", "count", "last_step")
AROUND = 0.1  # of the curve, on each side of what is shown

Key = tuple[str, str]
"""Name of a metric, and the text of its context."""


@dataclass(frozen=True)
class Alert:
    """
    One thing to look at.

    Attributes:
        id: the same as long as it is the same thing: another failure of a run that was resumed has another.
        kind: one of `KINDS`.
        time_s: since when it is so, in Unix seconds; None: nobody knows.
        level: 0 or more; grows when it gets worse.
        metric: name and context; None: it is about the run.
        step: where in the metric; *window*: the steps around it.
        value: the last value, or the level of the end.
        best: of a divergence the best level.
        limit_s: of a standstill by silence: so long a pause would have been usual.
        error: of a failure the class of the exception.
        others: so many more metrics of the run have the same.
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


@dataclass
class _Suspect:
    """
    A metric of a run whose points have to be looked at.

    Attributes:
        state: what its summary says: while that is the same, so is the finding.
    """

    key: Key
    context: Mapping[str, Any]
    state: tuple[float | str, ...]


@dataclass
class _Metric:
    """A metric of the runs that count, in columns: the rows of the runs that have it, increasing, and what is known."""

    key: Key
    context: Mapping[str, Any]
    rows: IntArray
    count: IntArray
    last_step: IntArray
    last: FloatArray

    def suspect(self, at: int) -> _Suspect:
        """Return the metric of one run."""
        last = float(self.last[at])
        state = (float(self.count[at]), float(self.last_step[at]), last if math.isfinite(last) else repr(last))
        return _Suspect(self.key, self.context, state)


class _Suspects:
    """Metrics of runs to be looked at: many are kept as columns, and few are ever made."""

    def __init__(self) -> None:
        self._metrics: list[_Metric] = []
        self._found: list[IntArray] = []  # of each metric: places in its columns
        self._sorted: tuple[IntArray, IntArray, IntArray] | None = None  # rows, metrics, places

    def add(self, metric: _Metric, chosen: BoolArray) -> None:
        """Suspect a metric in the runs that *chosen* names."""
        if chosen.any():
            self._metrics.append(metric)
            self._found.append(np.flatnonzero(chosen))

    def of(self, row: int) -> list[_Suspect]:
        """Return those of one run."""
        if not self._metrics:
            return []
        if self._sorted is None:
            rows = np.concatenate([metric.rows[at] for metric, at in zip(self._metrics, self._found, strict=True)])
            owners = np.repeat(np.arange(len(self._metrics)), [len(at) for at in self._found])
            order = np.argsort(rows, kind="stable")
            self._sorted = rows[order], owners[order], np.concatenate(self._found)[order]
        rows, owners, places = self._sorted
        first, end = np.searchsorted(rows, [row, row + 1]).tolist()
        pairs = zip(owners[first:end].tolist(), places[first:end].tolist(), strict=True)
        return [self._metrics[owner].suspect(at) for owner, at in pairs]


@dataclass
class _Survey:
    """
    What the columns say of the runs that count; rows are those of the table.

    Attributes:
        points: of each row that runs: how many all its metrics have.
        metrics: those that runs that run have.
    """

    points: IntArray
    nan: _Suspects = field(default_factory=_Suspects)
    diverged: _Suspects = field(default_factory=_Suspects)
    metrics: list[_Metric] = field(default_factory=list)

    def longest(self, row: int) -> list[_Suspect]:
        """Return the metrics of a run that have the most points, the longest first."""
        found = []
        for metric in self.metrics:
            at = int(np.searchsorted(metric.rows, row))
            if at < len(metric.rows) and metric.rows[at] == row:
                found.append((-int(metric.count[at]), metric, at))
        found.sort(key=lambda one: (one[0], one[1].key))
        return [metric.suspect(at) for _, metric, at in found[:CURVES_MAX]]


@dataclass
class _Place:
    """What was found in the points of a metric, in the words of `Alert`."""

    step: int
    window: tuple[int, int]
    time_s: float
    value: float
    best: float | None = None
    level: int = 0


class Alerts:
    """
    Says what there is to look at in one repository. Any thread may ask.

    Args:
        points: gives the points of suspects.
        now: gives Unix seconds.
    """

    def __init__(self, points: PointStore, now: Callable[[], float] = time.time) -> None:
        self._points = points
        self._now = now
        self._found: dict[tuple[Any, ...], _Place | float | None] = {}
        self._moved: dict[str, tuple[int, float]] = {}  # of runs that run: how many points, and since when so many
        self._lock = threading.Lock()

    def ask(self, table: RunTable) -> list[Alert]:
        """
        List what there is to look at, of the newest run first, at most one of a kind for a run.

        Cost: 10 us a metric and 20 ns a run that has it; and reading the points of suspects, once for each state.
        """
        with self._lock:
            if len(self._found) > KEPT_MAX:
                self._found.clear()
            if len(self._moved) > KEPT_MAX:
                self._moved.clear()
            return self._ask(table, self._now())

    def _ask(self, table: RunTable, now_s: float) -> list[Alert]:
        rows = _rows_that_count(table, now_s)
        survey = _survey(table, rows)
        facts = {name: cells(table, ("run", name), rows).tolist() for name in ("hash", "name", "status", "error")}
        ended = cells(table, ("run", "end_time"), rows).tolist()
        due = table.field("due_at")
        found: list[Alert] = []
        told = 0
        for place, row in enumerate(rows.tolist()):
            run_hash, name = facts["hash"][place], str(facts["name"][place] or "")
            status = facts["status"][place]
            before = len(found)
            if status in (FAILED, LOST):
                kind = FAILED_KIND if status == FAILED else LOST_KIND
                since_s = ended[place]
                error = facts["error"][place] if kind == FAILED_KIND else None
                found.append(Alert(f"{run_hash} {kind} {since_s}", run_hash, name, kind, since_s, error=error))
            if status == RUNNING:
                due_at_s = due.values[due.codes[row]] if due.codes[row] >= 0 else None
                if isinstance(due_at_s, float):  # the training itself has said what is usual
                    stalled = self._overdue(run_hash, name, due_at_s, now_s)
                else:
                    stalled = self._silent(run_hash, name, survey, row, now_s)
                found += [stalled] if stalled is not None else []
            for kind, suspects in ((NAN, survey.nan.of(row)), (DIVERGED, survey.diverged.of(row))):
                alert = self._of_metrics(run_hash, name, kind, suspects) if suspects else None
                found += [alert] if alert is not None else []
            told += len(found) > before
            if told >= RUNS_MAX:
                break
        return found

    # of metrics

    def _of_metrics(self, run_hash: str, run_name: str, kind: str, suspects: list[_Suspect]) -> Alert | None:
        ordered = sorted(suspects, key=lambda one: (not should_fall(one.key[0]), one.key))[:CURVES_MAX]
        places = [(self._place(run_hash, kind, one), one) for one in ordered]
        known = [(place, one) for place, one in places if isinstance(place, _Place)]
        if not known:
            return None
        place, first = min(known, key=lambda pair: pair[0].time_s)
        # of those that were not looked at the last value is known to be none
        count = len(suspects) if kind == NAN else len(known)
        level = count if kind == NAN else max(one.level for one, _ in known)
        since = f" {place.step}" if kind == NAN else ""
        return Alert(
            f"{run_hash} {kind}{since}",
            run_hash,
            run_name,
            kind,
            place.time_s,
            min(level, LEVEL_MAX),
            (first.key[0], first.context),
            place.step,
            place.window,
            place.value,
            place.best,
            others=count - 1,
        )

    def _place(self, run_hash: str, kind: str, suspect: _Suspect) -> _Place | float | None:
        def look(curve: Curve) -> _Place | None:
            return _nan_in(curve) if kind == NAN else _divergence_in(curve)

        return self._look(run_hash, kind, suspect, look)

    def _look(
        self, run_hash: str, kind: str, suspect: _Suspect, look: Callable[[Curve], _Place | float | None]
    ) -> _Place | float | None:
        name = (run_hash, kind, suspect.key, suspect.state, self._points.taken_back_at(run_hash))
        if name not in self._found:
            curve = self._points.read(run_hash, [suspect.key]).get(suspect.key)
            if curve is None:
                return None
            self._found[name] = look(curve)
        return self._found[name]

    # of runs that stand still

    def _overdue(self, run_hash: str, run_name: str, due_at_s: float, now_s: float) -> Alert | None:
        if now_s <= due_at_s:
            return None
        level = min(LEVEL_MAX, int(math.log(1 + (now_s - due_at_s) / OVERDUE_S, WORSE)))
        return Alert(f"{run_hash} {STALLED} {due_at_s}", run_hash, run_name, STALLED, due_at_s, level)

    def _silent(self, run_hash: str, run_name: str, survey: _Survey, row: int, now_s: float) -> Alert | None:
        points = int(survey.points[row])
        before = self._moved.get(run_hash)
        if before is None or before[0] != points:  # of any metric, were it one that is not looked at below
            self._moved[run_hash] = (points, -math.inf if before is None else now_s)
        if before is not None and before[0] != points:
            return None
        last_s, limit_s, longest = self._moved[run_hash][1], math.inf, None
        for one in survey.longest(row):
            heard_s = self._look(run_hash, "last", one, lambda curve: float(curve.times_s.max()))
            pause_s = self._look(run_hash, "pause", one, lambda curve: usual_pause_s(curve.times_s))
            last_s = max(last_s, heard_s if isinstance(heard_s, float) else -math.inf)
            if isinstance(pause_s, float) and pause_s < limit_s:  # who is told most often says what is usual
                limit_s, longest = pause_s, one
        if longest is None or now_s - last_s < limit_s:
            return None
        return Alert(
            f"{run_hash} {STALLED} {last_s}",
            run_hash,
            run_name,
            STALLED,
            last_s,
            min(LEVEL_MAX, int(math.log((now_s - last_s) / limit_s, WORSE))),
            (longest.key[0], longest.context),
            int(longest.state[1]),
            limit_s=limit_s,
        )


def _rows_that_count(table: RunTable, now_s: float) -> IntArray:
    """Return the rows of the runs that run or ended lately and are not archived, newest first."""
    rows = np.asarray(table.newest_first(), np.int64)
    ended = table.field("end_time")
    ended_s = np.array([value if isinstance(value, float) else 0.0 for value in [*ended.values, None]])[ended.codes]
    counts = _has(table.field("status"), RUNNING) | (ended_s > now_s - ENDED_WITHIN_S)
    counts &= ~_has(table.field("archived"), True)
    return np.asarray(rows[counts[rows]], np.int64)


def _survey(table: RunTable, rows: IntArray) -> _Survey:
    counts = np.zeros(table.run_count, np.bool_)
    counts[rows] = True
    survey = _Survey(np.zeros(table.run_count, np.int64))
    running = counts & _has(table.field("status"), RUNNING)
    for place, pair in enumerate(table.pairs):
        if pair.kind != "metric" or pair.name.startswith(SYSTEM_PREFIX):
            continue
        having = table.rows(place)
        chosen = np.flatnonzero(counts[having])
        columns = [table.summary(place, name) for name in SUMMARIES] if len(chosen) else []
        if not columns or any(column is None for column in columns):
            continue
        first, last, low, count, last_step = (np.asarray(column)[chosen] for column in columns)
        metric = _Metric((pair.name, pair.context_text), pair.context, having[chosen], count, last_step, last)
        bad = ~np.isfinite(last)
        survey.nan.add(metric, bad)
        if should_fall(pair.name):
            survey.diverged.add(metric, may_have_diverged(first, last, low) & ~bad)
        if running[metric.rows].any():
            survey.points[metric.rows] += count
            survey.metrics.append(metric)
    return survey


def _has(column: Column | HashColumn, wanted: object) -> BoolArray:
    """Say which rows of a column have a value."""
    places = [place for place, value in enumerate(column.values) if value == wanted]
    return np.asarray(np.isin(column.codes, places))


def _around(curve: Curve, step: int) -> tuple[int, int]:
    reach = max(5, int(AROUND * (int(curve.steps[-1]) - int(curve.steps[0]))))
    return step - reach, step + reach


def _nan_in(curve: Curve) -> _Place | None:
    at = first_bad(curve.values)
    if at is None:
        return None
    step = int(curve.steps[at])
    return _Place(step, _around(curve, step), float(curve.times_s[at]), float(curve.values[-1]))


def _divergence_in(curve: Curve) -> _Place | None:
    found = divergence(curve.steps, curve.values)
    if found is None:
        return None
    level = LEVEL_MAX if math.isinf(found.times) else int(math.log(found.times, WORSE))
    return _Place(
        found.step, _around(curve, found.step), float(curve.times_s[found.index]), found.now, found.best, level
    )
