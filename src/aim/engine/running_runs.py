"""
The runs that record now: how far they are, how fast, and what the machine does that they run on.

The speed is that of the longest metric over its latest points. What the training reported of its progress says more.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from aim.core.reserved import SYSTEM_PREFIX
from aim.engine.door import Door, MatchingSequence, Questions
from aim.engine.metric_choice import both, metric_label
from aim.storage.forms.check_ins import WorkProgress

RECENT_POINTS = 200
MACHINE = ("cpu", "host_cpu_percent", "memory_percent", "gpu", "gpu_memory_percent", "gpu_temp", "gpu_power_watts")
"""Metrics of the machine that are shown, without their prefix."""


@dataclass
class RunningRun:
    """
    A run that records.

    Attributes:
        step: the largest of its metrics; None: it has none yet.
        steps_per_s: None: unknown.
        values: the last value of each metric, by the name of its column.
        progress: what the training reported of it.
        machine: the last value of each metric of the machine, such as `gpu[gpu=0]`.
    """

    run_hash: str
    name: str
    experiment: str
    created_at_s: float
    step: int | None = None
    steps_per_s: float | None = None
    values: dict[str, float] = field(default_factory=dict)
    machine: dict[str, float] = field(default_factory=dict)
    progress: WorkProgress | None = None


def running_runs(door: Door, query: str = "", *, limit: int = 50) -> list[RunningRun]:
    """
    Return the runs that match and record now, newest first.

    Raises:
        InvalidQuery: the query can't be understood.
    """
    questions = door.questions()
    active = both(query, "run.active")
    page = questions.table(["hash", "name", "experiment", "created_at"], active, limit=limit)
    runs = {
        row["hash"]: RunningRun(row["hash"], str(row["name"]), str(row["experiment"]), row["created_at"] or time.time())
        for row in page.rows
    }
    if runs:
        _add_metrics(questions, runs)
        for state in door.states(list(runs)):
            if state.check_in is not None:
                runs[state.run_hash].progress = state.check_in.progress
    return list(runs.values())


def _add_metrics(questions: Questions, runs: dict[str, RunningRun]) -> None:
    sequences = questions.sequences(f"run.hash in {list(runs)!r}")
    rows = questions.summary_rows(sequences, ["last", "last_step", "count"])
    longest: dict[str, tuple[float, MatchingSequence]] = {}
    for sequence, row in zip(sequences, rows, strict=True):
        run, last = runs.get(sequence.run_hash), row.get("last")
        if run is None or last is None:
            continue
        label = metric_label(sequence.name, sequence.context)
        if sequence.name.startswith(SYSTEM_PREFIX):
            if sequence.name.removeprefix(SYSTEM_PREFIX) in MACHINE:
                run.machine[label.removeprefix(SYSTEM_PREFIX)] = float(last)
            continue
        run.values[label] = float(last)
        run.step = max(run.step or 0, int(row["last_step"] or 0))
        count = float(row["count"] or 0)
        if count > longest.get(sequence.run_hash, (1.0, sequence))[0]:
            longest[sequence.run_hash] = (count, sequence)
    _add_speeds(questions, runs, [sequence for _, sequence in longest.values()])


def _add_speeds(questions: Questions, runs: dict[str, RunningRun], sequences: Sequence[MatchingSequence]) -> None:
    for series in questions.series(sequences):
        runs[series.sequence.run_hash].steps_per_s = steps_per_s(series.points)


def steps_per_s(points: Any) -> float | None:
    """Return how many steps a second the latest of some `Points` took; None when there are too few."""
    steps, times_s = points.steps[-RECENT_POINTS:], points.times_s[-RECENT_POINTS:]
    if len(steps) < 2 or times_s[-1] <= times_s[0]:
        return None
    return float(steps[-1] - steps[0]) / float(times_s[-1] - times_s[0])
