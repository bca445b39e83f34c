"""
MLflow's file store: `<experiment>/meta.yaml`, `<experiment>/<run>/{meta.yaml, params/, tags/, metrics/, artifacts/}`.

A metric is a file with a line for each value: time in milliseconds, value, step. Older versions wrote no step, newer
ones may write more columns. Names nest as folders. `models/` and `.trash/` are beside the runs: logged models, and
deleted experiments.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from aim.convert.events import Event, Refused, SourceDamage
from aim.convert.mlflow.records import NUMBERS, MetricRows, MlflowRun, metric_events
from aim.convert.yaml_files import read_yaml

EXPERIMENT = re.compile(r"\d+")
PURPOSE = "Reading MLflow's files"
META, TRASH, MODELS = "meta.yaml", ".trash", "models"
BESIDE_RUNS = frozenset({MODELS, "datasets", "tags", "traces"})
LINES_BYTES = 4 << 20  # of a metric that are read at once
TEXT_BYTES_MAX = 1 << 20  # of a param or a tag


class StoredRun(NamedTuple):
    """The folder of a run, and the name of its experiment."""

    folder: Path
    experiment: str
    is_deleted: bool


def is_experiment(folder: Path) -> bool:
    """Return whether a folder is an experiment of a file store."""
    return EXPERIMENT.fullmatch(folder.name) is not None and (folder / META).is_file()


def stored_runs(root: Path) -> Iterator[StoredRun]:
    """Go through the runs of a file store, those of deleted experiments too."""
    for base, is_trash in ((root, False), (root / TRASH, True)):
        for experiment in sorted(base.iterdir()) if base.is_dir() else ():
            if is_experiment(experiment):
                meta = read_yaml(experiment / META, PURPOSE) or {}
                is_deleted = is_trash or meta.get("lifecycle_stage") == "deleted"
                for folder in sorted(experiment.iterdir()):
                    if folder.name not in BESIDE_RUNS and (folder / META).is_file():
                        yield StoredRun(folder, str(meta.get("name", experiment.name)), is_deleted)


def files_of(run: StoredRun) -> tuple[Path, ...]:
    """Return the files that hold a run."""
    return tuple(sorted(path for path in run.folder.rglob("*") if path.is_file()))


def read_run(stored: StoredRun) -> MlflowRun | None:
    """Return a run without its metrics; None when its `meta.yaml` can't be read."""
    meta = read_yaml(stored.folder / META, PURPOSE)
    if meta is None:
        return None
    status = meta.get("status")
    return MlflowRun(
        str(meta.get("run_uuid") or meta.get("run_id") or stored.folder.name),
        str(meta.get("run_name") or ""),
        stored.experiment,
        NUMBERS.get(status, "") if isinstance(status, int) else str(status or ""),
        _number(meta.get("start_time")),
        _number(meta.get("end_time")),
        stored.is_deleted or meta.get("lifecycle_stage") == "deleted",
        str(meta.get("artifact_uri") or ""),
        _texts(stored.folder / "params"),
        _texts(stored.folder / "tags"),
        _datasets(stored.folder),
        _models(stored),
    )


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
        if path.is_file() and not path.is_symlink():
            yield path.relative_to(folder).as_posix(), path


def _texts(folder: Path) -> dict[str, str]:
    texts = {}
    for name, path in _files(folder):
        with open(path, "rb") as file:
            texts[name] = file.read(TEXT_BYTES_MAX).decode("utf-8", "replace")
    return texts


def _datasets(folder: Path) -> list[dict[str, Any]]:
    datasets = []
    for path in sorted((folder / "inputs").glob("*/meta.yaml")):
        link = read_yaml(path, PURPOSE) or {}
        if link.get("source_type") == "DATASET":
            dataset = read_yaml(folder.parent / "datasets" / str(link.get("source_id")) / META, PURPOSE) or {}
            names = ("name", "digest", "source_type", "source", "schema", "profile")
            datasets.append({name: str(dataset[name]) for name in names if dataset.get(name) is not None})
    return datasets


def _models(stored: StoredRun) -> list[dict[str, Any]]:
    models = []
    for path in sorted((stored.folder.parent / MODELS).glob("m-*/meta.yaml")):
        meta = read_yaml(path, PURPOSE) or {}
        if str(meta.get("source_run_id")) == stored.folder.name:
            metrics = {name: _last_value(file) for name, file in _files(path.parent / "metrics")}
            model = {"id": str(meta.get("model_id")), "name": str(meta.get("name"))}
            models.append({**model, "params": _texts(path.parent / "params"), "metrics": metrics})
    return models


def _last_value(path: Path) -> float | None:
    lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
    cells = [line.split() for line in lines if line.strip()]
    try:
        return float(cells[-1][1])
    except (IndexError, ValueError):
        return None


def metrics(stored: StoredRun, *, keeps_steps: bool) -> Iterator[Event]:
    """Go through the points of all metrics of a run."""
    for name, path in _files(stored.folder / "metrics"):
        is_numbered = not keeps_steps and _is_without_steps(path)
        rows: list[MetricRows] = []
        for item in _metric_rows(name, path, is_whole=is_numbered):
            if isinstance(item, MetricRows):
                rows.append(item)
                yield from metric_events(rows, is_numbered=is_numbered)
                rows.clear()
            else:
                yield item


def _is_without_steps(path: Path) -> bool:
    """Return whether there are several values, and all at step 0."""
    count = 0
    with open(path, "rb") as file:
        for line in file:
            cells = line.split()
            if len(cells) > 2 and cells[2] != b"0":
                return False
            count += bool(cells)
    return count > 1


def _metric_rows(name: str, path: Path, *, is_whole: bool) -> Iterator[MetricRows | Event]:
    offset = 0
    with open(path, "rb") as file:
        while lines := file.readlines(-1 if is_whole else LINES_BYTES):
            yield from _rows(name, path, lines, offset)
            offset += sum(map(len, lines))


def _rows(name: str, path: Path, lines: list[bytes], offset: int) -> Iterator[MetricRows | Event]:
    tokens = b"".join(lines).split()
    try:
        if len(tokens) != 3 * len(lines):
            raise ValueError
        times = np.array(tokens[0::3]).astype(np.int64)
        yield MetricRows(name, times, np.array(tokens[1::3]).astype(np.float64), _whole(tokens[2::3]))
    except (ValueError, OverflowError):
        yield from _rows_one_by_one(name, path, lines, offset)


def _whole(tokens: list[bytes]) -> Any:
    return np.array([int(token) for token in tokens], np.int64)


def _rows_one_by_one(name: str, path: Path, lines: list[bytes], offset: int) -> Iterator[MetricRows | Event]:
    rows: list[tuple[int, float, int]] = []
    extra_count = 0
    for line in lines:
        cells = line.split()
        try:
            if cells:
                rows.append((int(cells[0]), float(cells[1]), _step(cells)))
                extra_count += len(cells) > 3
        except (ValueError, IndexError, OverflowError):
            yield SourceDamage(str(path), offset, "this line is no time, value and step")
        offset += len(line)
    if extra_count:
        yield Refused("more columns than time, value and step: ignored", extra_count)
    if rows:
        times, values, own_steps = zip(*rows)
        yield MetricRows(name, np.array(times, np.int64), np.array(values, np.float64), np.array(own_steps, np.int64))


def _step(cells: list[bytes]) -> int:
    step = int(cells[2]) if len(cells) > 2 else 0
    if not -(2**63) <= step < 2**63:
        raise OverflowError
    return step
