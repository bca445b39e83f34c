"""
MLflow's database, as SQLite. Newer versions have more tables and columns; those that are read here are in all of them.

    runs, experiments, params, tags          what a run is
    metrics                                  every logged value, in the order of rows; `is_nan`, and the largest double
                                             for infinity
    inputs, datasets, logged_models          where there are such tables
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Any

import numpy as np

from aim.convert.events import Event
from aim.convert.mlflow.records import MetricRows, MlflowRun, infinite_limits, metric_events
from aim.convert.sqlite_source import readable_rows

NEEDED = frozenset({"experiments", "runs", "metrics", "params", "tags"})
BATCH_POINTS = 1 << 16
MODEL_PARAMS = "SELECT param_key, param_value FROM logged_model_params WHERE model_id = ?"
MODEL_METRICS = (
    "SELECT metric_name, metric_value FROM logged_model_metrics WHERE model_id = ? ORDER BY metric_timestamp_ms"
)


def run_ids(database: sqlite3.Connection) -> list[tuple[str, str, str]]:
    """List the runs, oldest first: id, and name and id of the experiment."""
    rows = database.execute(
        "SELECT r.run_uuid, e.name, r.experiment_id FROM runs r "
        "LEFT JOIN experiments e ON e.experiment_id = r.experiment_id ORDER BY r.start_time, r.run_uuid"
    ).fetchall()
    return [(str(run_id), str(name or ""), str(experiment_id)) for run_id, name, experiment_id in rows]


def read_run(database: sqlite3.Connection, run_id: str, problems: list[str]) -> MlflowRun:
    """
    Return a run without its metrics.

    Args:
        problems: what can't be read of its params, tags, datasets and models is added.

    Raises:
        sqlite3.DatabaseError: its own row can't be read.
    """
    row = database.execute(
        "SELECT r.name, e.name, r.status, r.start_time, r.end_time, r.lifecycle_stage, r.artifact_uri, "
        "e.lifecycle_stage FROM runs r LEFT JOIN experiments e ON e.experiment_id = r.experiment_id "
        "WHERE r.run_uuid = ?",
        (run_id,),
    ).fetchone()
    name, experiment, status, start_ms, end_ms, stage, artifact_uri, experiment_stage = row
    is_deleted = "deleted" in (stage, experiment_stage)
    return MlflowRun(
        run_id,
        str(name or ""),
        str(experiment or ""),
        str(status or ""),
        start_ms,
        end_ms,
        is_deleted,
        str(artifact_uri or ""),
        _pairs(database, "params", run_id, problems),
        _pairs(database, "tags", run_id, problems),
        _datasets(database, run_id, problems),
        _models(database, run_id, problems),
    )


def _pairs(database: sqlite3.Connection, table: str, run_id: str, problems: list[str]) -> dict[str, str]:
    query = {
        "params": "SELECT key, value FROM params WHERE run_uuid = ? ORDER BY rowid",
        "tags": "SELECT key, value FROM tags WHERE run_uuid = ? ORDER BY rowid",
    }[table]
    rows = readable_rows(database, query, (run_id,), problems)
    return {str(key): "" if value is None else str(value) for key, value in rows}


def _tables(database: sqlite3.Connection) -> frozenset[str]:
    rows = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    return frozenset(str(row[0]) for row in rows)


def _datasets(database: sqlite3.Connection, run_id: str, problems: list[str]) -> list[dict[str, Any]]:
    if not {"inputs", "datasets"} <= _tables(database):
        return []
    rows = readable_rows(
        database,
        "SELECT d.name, d.digest, d.dataset_source_type, d.dataset_source, d.dataset_schema, d.dataset_profile "
        "FROM inputs i JOIN datasets d ON d.dataset_uuid = i.source_id "
        "WHERE i.source_type = 'DATASET' AND i.destination_type = 'RUN' AND i.destination_id = ?",
        (run_id,),
        problems,
    )
    names = ("name", "digest", "source_type", "source", "schema", "profile")
    return [{name: cell for name, cell in zip(names, row) if cell is not None} for row in rows]


def _models(database: sqlite3.Connection, run_id: str, problems: list[str]) -> list[dict[str, Any]]:
    if "logged_models" not in _tables(database):
        return []
    models = []
    query = "SELECT model_id, name FROM logged_models WHERE source_run_id = ?"
    for model_id, name in list(readable_rows(database, query, (run_id,), problems)):
        params = dict(readable_rows(database, MODEL_PARAMS, (model_id,), problems))
        values = dict(readable_rows(database, MODEL_METRICS, (model_id,), problems))
        models.append({"id": model_id, "name": name, "params": params, "metrics": values})
    return models


def metrics(database: sqlite3.Connection, run_id: str, *, keeps_steps: bool) -> Iterator[Event]:
    """Go through the points of all metrics of a run, one metric after the other."""
    query = "SELECT key, COUNT(*), MIN(step), MAX(step) FROM metrics WHERE run_uuid = ? GROUP BY key ORDER BY key"
    for name, count, least, greatest in database.execute(query, (run_id,)).fetchall():
        is_numbered = not keeps_steps and count > 1 and least == greatest == 0
        cursor = database.execute(
            "SELECT timestamp, value, step, is_nan FROM metrics WHERE run_uuid = ? AND key = ? ORDER BY rowid",
            (run_id, name),
        )
        while rows := cursor.fetchmany(count if is_numbered else BATCH_POINTS):
            yield from metric_events([_rows(str(name), rows)], is_numbered=is_numbered)


def _rows(name: str, rows: list[tuple[int, float | None, int, int | None]]) -> MetricRows:
    times_ms, values, own_steps, is_nan = zip(*rows)
    numbers = np.array([np.nan if value is None else value for value in values], np.float64)
    numbers[np.array([bool(mark) for mark in is_nan])] = np.nan
    numbers = infinite_limits(numbers)
    return MetricRows(name, np.array(times_ms, np.int64), numbers, np.array(own_steps, np.int64))
