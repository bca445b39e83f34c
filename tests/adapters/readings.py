"""
What a run has, in forms that tests compare.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from aim import Run
from tests.adapters.conftest import runs_of

QUIET: dict[str, Any] = {"system_tracking_interval": None, "capture_terminal_logs": False, "log_system_params": False}
"""Options of an adapter that records nothing beside the training."""


def the_run(repo: Path) -> Run:
    """Return the only run of a repository."""
    (run,) = runs_of(repo)
    return run


def points(run: Run, name: str, **context: Any) -> list[tuple[int, float]]:
    """Return the steps and values of a metric; none when there is no such metric."""
    metric = run.get_metric(name, context)
    return [] if metric is None else list(zip(metric.indices, metric.values.tolist()))


def steps(run: Run, name: str, **context: Any) -> list[int]:
    """Return the steps of a metric."""
    return [step for step, _ in points(run, name, **context)]


def metrics(run: Run) -> set[tuple[str, tuple[tuple[str, Any], ...]]]:
    """Return the names of the metrics with their contexts; none of those that the system has."""
    return {
        (metric.name, tuple(sorted(metric.context.to_dict().items())))
        for metric in run.metrics()
        if not metric.name.startswith("__")
    }
