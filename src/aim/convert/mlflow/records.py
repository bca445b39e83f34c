"""
A run of MLflow as every store of it has it, and what becomes of it.

    params            `params.<name>`, texts; with `--parse` numbers and lists, and the texts as `params_text`
    tags              `mlflow.tags.<name>`; the note is the description, the run's name its name
    status            FINISHED, FAILED, KILLED, RUNNING  ->  finished, failed, failed (killed), lost
    `system/...`      metrics of the machine
    a metric all of whose points are at step 0 was logged without a step: it is numbered
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from aim.convert import steps
from aim.convert.events import Ended, Event, ParamValue, PointBatch, Renumbered, RunFound, TagName
from aim.convert.formats import ImportOptions
from aim.core.reserved import SYSTEM_PREFIX

NAME_TAG, NOTE_TAG, PARENT_TAG = "mlflow.runName", "mlflow.note.content", "mlflow.parentRunId"
OUR_TAGS = "aim.tags"  # of our own export
OWN_TAGS = frozenset({NAME_TAG, NOTE_TAG, PARENT_TAG, OUR_TAGS})
ENDINGS = {"FINISHED": ("finished", None), "FAILED": ("failed", None), "KILLED": ("failed", "killed")}
NUMBERS = {1: "RUNNING", 2: "SCHEDULED", 3: "FINISHED", 4: "FAILED", 5: "KILLED"}
SYSTEM = "system/"
GPU = re.compile(r"gpu_(\d+)_(.+)")
SYSTEM_NAMES = {
    "cpu_utilization_percentage": "cpu",
    "system_memory_usage_percentage": "memory_percent",
    "utilization_percentage": "gpu",
    "memory_usage_percentage": "gpu_memory_percent",
    "power_usage_watts": "gpu_power_watts",
}


@dataclass
class MlflowRun:
    """
    A run as MLflow has it.

    Attributes:
        start_ms, end_ms: Unix milliseconds.
        datasets, models: what it used and made, as JSON.
    """

    id: str
    name: str = ""
    experiment: str = ""
    status: str = ""
    start_ms: float | None = None
    end_ms: float | None = None
    is_deleted: bool = False
    artifact_uri: str = ""
    params: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    datasets: list[dict[str, Any]] = field(default_factory=list)
    models: list[dict[str, Any]] = field(default_factory=list)


class MetricRows(NamedTuple):
    """Some values of one metric in the order in which they were logged; shape (n,) each."""

    name: str
    times_ms: npt.NDArray[np.int64]
    values: npt.NDArray[np.float64]
    steps: npt.NDArray[np.int64]


def infinite_limits(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """
    Return *values*, with infinity where a database of MLflow has the largest double.

    >>> infinite_limits(np.array([1.5, -sys.float_info.max])).tolist()
    [1.5, -inf]
    """
    values[values >= sys.float_info.max] = np.inf
    values[values <= -sys.float_info.max] = -np.inf
    return values


def described(run: MlflowRun, options: ImportOptions) -> Iterator[Event]:
    """Go through the events of a run that are not its metrics, its end left out."""
    yield RunFound(
        name=run.tags.get(NAME_TAG) or run.name or None,
        experiment=run.experiment or None,
        description=run.tags.get(NOTE_TAG) or None,
        created_at_s=None if run.start_ms is None else run.start_ms / 1e3,
        is_archived=run.is_deleted,
        parent=run.tags.get(PARENT_TAG) or None,
    )
    yield from _params(run, parses=bool(options.choices.get("parse")))
    yield from _tags(run, is_tagged=bool(options.choices.get("tags")))
    for name, entries in (("datasets", run.datasets), ("models", run.models)):
        if entries:
            yield ParamValue(("mlflow", name), entries)


def _params(run: MlflowRun, *, parses: bool) -> Iterator[Event]:
    for name, text in run.params.items():
        value = _literal(text) if parses else text
        yield ParamValue(("params", name), value)
        if value is not text:
            yield ParamValue(("params_text", name), text)


def _tags(run: MlflowRun, *, is_tagged: bool) -> Iterator[Event]:
    for name, text in run.tags.items():
        if name not in OWN_TAGS:
            yield ParamValue(("mlflow", "tags", name), text)
            if is_tagged and not name.startswith("mlflow."):
                yield TagName(f"{name}:{text}" if text else name)
    yield from (TagName(str(tag)) for tag in _our_tags(run.tags.get(OUR_TAGS)))


def ended(run: MlflowRun) -> Ended:
    """Return the end of a run."""
    status, error = ENDINGS.get(run.status, ("lost", None))
    return Ended(status, None if run.end_ms is None else run.end_ms / 1e3, error)


def metric_events(rows: Iterable[MetricRows], *, is_numbered: bool) -> Iterator[Event]:
    """
    Go through the points of one metric.

    Args:
        is_numbered: whether its points are numbered by time; then *rows* is one.
    """
    for name, times_ms, values, logged_steps in rows:
        series, context, is_system = _series(name)
        if is_numbered:
            numbered = steps.numbered_by_time(times_ms)
            times_ms, values, logged_steps = times_ms[numbered.order], values[numbered.order], numbered.steps
            yield Renumbered(steps.WITHOUT_STEP, len(logged_steps))
        yield PointBatch(series, context, logged_steps, values, times_ms / 1e3, is_system=is_system)


def _series(name: str) -> tuple[str, Mapping[str, Any], bool]:
    if not name.startswith(SYSTEM):
        return name, {}, False
    label = name[len(SYSTEM) :]
    match = GPU.fullmatch(label)
    context = {"gpu": int(match[1])} if match else {}
    plain = match[2] if match else label
    return SYSTEM_PREFIX + SYSTEM_NAMES.get(plain, label), context, True


def _literal(text: str) -> Any:
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text
    is_plain = isinstance(value, (bool, int, float, list, tuple, dict, type(None)))
    return value if is_plain else text


def _our_tags(text: str | None) -> list[Any]:
    value = _literal(text) if text else None
    return value if isinstance(value, list) else []
