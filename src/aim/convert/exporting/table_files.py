"""
Runs and points as tables, in a folder: CSV, JSON Lines, Parquet.

    runs.<format>      a row a run: its properties, and its params, flattened by dots
    points.<format>    a row a point: run, name, context, step, epoch, time, value; times are Unix seconds
    objects.jsonl      JSON Lines only: a row an object, its bytes in base64

JSON Lines is lossless: params keep their types (their form of docs/formats/events.md), integers all their digits, and a
number that is not finite is the text NaN, Infinity or -Infinity. `aim import` reads the folder back.

Cost: about 1 s for a million points; memory for the longest curve.
"""

from __future__ import annotations

import base64
import contextlib
import csv
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from aim.core import params
from aim.core.kinds import element_of
from aim.core.reserved import SYSTEM_PARAMS
from aim.engine import point_tables
from aim.engine.csv_cells import plain_cell
from aim.storage.reading.points import Points

if TYPE_CHECKING:
    import pyarrow as pa

    from aim.convert.exporting.export_report import ExportReport
    from aim.convert.exporting.exported_run import ExportedObject, ExportedRun, ExportedRuns
    from aim.storage.forms.state import SequenceState

ROW_GROUP_POINTS = 1 << 20
PROPERTIES = ("name", "experiment", "status", "created_at", "end_time", "archived", "tags", "description", "notes")
POINT_COLUMNS = ("run", "name", "context", "step", "epoch", "time", "value")
ALIKE = ({bool}, {int, float}, {str})  # types that go into one column
PARAM_PREFIX = "params."  # so that a param called `name` is no property


@dataclass(frozen=True)
class CurveLabels:
    """What a curve is called in a table of points."""

    run_hash: str
    name: str
    context: Any


@dataclass(frozen=True)
class LabelledCurve:
    """A curve with its labels, as `point_tables` takes it."""

    sequence: CurveLabels
    points: Points


def write_csv(runs: ExportedRuns, folder: Path, report: ExportReport) -> None:
    """Write `runs.csv` and `points.csv` into *folder*."""
    names = _param_names(runs)
    with (
        open(folder / "runs.csv", "w", encoding="utf-8", errors="replace", newline="") as run_file,
        open(folder / "points.csv", "w", encoding="utf-8", errors="replace", newline="") as point_file,
    ):
        run_rows, point_rows = csv.writer(run_file), csv.writer(point_file)
        run_rows.writerow(map(plain_cell, ["hash", *PROPERTIES, *names]))
        point_rows.writerow(POINT_COLUMNS)
        for run in runs:
            cells = _run_cells(run)
            run_rows.writerow([plain_cell(_text_cell(cells.get(name))) for name in ("hash", *PROPERTIES, *names)])
            for sequence, points in run.curves():
                labels = [plain_cell(text) for text in (run.run_hash, sequence.name, sequence.text)]
                epochs = ["" if math.isnan(epoch) else repr(epoch) for epoch in points.epochs.tolist()]
                values = map(number_text, points.values.tolist())
                columns = zip(points.steps.tolist(), epochs, points.times_s.tolist(), values)
                point_rows.writerows([*labels, *row] for row in columns)
                report.points += len(points)
            _count_left_out(run, report)
            report.runs += 1


def write_parquet(runs: ExportedRuns, folder: Path, report: ExportReport) -> None:
    """Write `runs.parquet` and `points.parquet` into *folder*; a row group has points of one run."""
    import pyarrow
    import pyarrow.parquet

    names = ["hash", *PROPERTIES, *_param_names(runs)]
    rows: list[dict[str, Any]] = []
    with pyarrow.parquet.ParquetWriter(folder / "points.parquet", point_tables.schema(), compression="zstd") as writer:
        for run in runs:
            rows.append(_run_cells(run))
            for curves in _row_groups(run):
                writer.write_batch(point_tables.batch(curves))
                report.points += sum(len(curve.points) for curve in curves)
            _count_left_out(run, report)
            report.runs += 1
    columns = {name: _arrow([row.get(name) for row in rows]) for name in names}
    pyarrow.parquet.write_table(pyarrow.table(columns), folder / "runs.parquet", compression="zstd")


def write_points_parquet(runs: ExportedRuns, path: Path) -> None:
    """Write all points of *runs* to one Parquet file."""
    import pyarrow.parquet

    with pyarrow.parquet.ParquetWriter(path, point_tables.schema(), compression="zstd") as writer:
        for run in runs:
            for curves in _row_groups(run):
                writer.write_batch(point_tables.batch(curves))


def write_jsonl(runs: ExportedRuns, folder: Path, report: ExportReport) -> None:
    """Write `runs.jsonl`, `points.jsonl` and `objects.jsonl` into *folder*."""
    with (
        open(folder / "runs.jsonl", "w", encoding="utf-8", errors="surrogatepass") as run_file,
        open(folder / "points.jsonl", "w", encoding="utf-8", errors="surrogatepass") as point_file,
        open(folder / "objects.jsonl", "w", encoding="utf-8", errors="surrogatepass") as object_file,
    ):
        for run in runs:
            run_file.write(json_text(run.record) + "\n")
            for sequence, points in run.curves():
                _write_points(point_file, run.run_hash, sequence, points)
                report.points += len(points)
            for item in run.objects():
                object_file.write(json_text(object_record(run.run_hash, item)) + "\n")
                report.objects += 1
            _count_files(run, report)
            report.runs += 1


def json_text(value: Any) -> str:
    """
    Return JSON on one line; a number that is not finite becomes a text.

    >>> json_text({"loss": float("nan"), "steps": [1, 2]})
    '{"loss":"NaN","steps":[1,2]}'
    """
    return json.dumps(_finite(value), separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def number_text(value: float) -> str:
    """
    Return a number as the text that reads back to it.

    >>> [number_text(value) for value in (0.1, 2**53 + 1, float("nan"), float("-inf"), -0.0)]
    ['0.1', '9007199254740993', 'NaN', '-Infinity', '-0.0']
    """
    if math.isfinite(value):
        return repr(value)
    return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"


def object_record(run_hash: str, item: ExportedObject) -> dict[str, Any]:
    """Return an object as a row of `objects.jsonl`."""
    return {
        "run": run_hash,
        "name": item.sequence.name,
        "context": item.sequence.context,
        "kind": item.kind,
        "is_list": item.sequence.kind.startswith("list("),
        "step": item.step,
        "epoch": None if math.isnan(item.epoch) else item.epoch,
        "time": item.time_s,
        "index": item.index,
        "fields": dict(item.fields),
        "data": None if item.data is None else base64.b64encode(item.data).decode("ascii"),
    }


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else number_text(value)
    if isinstance(value, dict):
        return {key: _finite(member) for key, member in value.items()}
    return [_finite(member) for member in value] if isinstance(value, list) else value


def _write_points(file: IO[str], run_hash: str, sequence: SequenceState, points: Points) -> None:
    labels = json_text({"run": run_hash, "name": sequence.name, "context": sequence.context, "kind": points.kind})
    begin = labels[:-1]
    columns = zip(points.steps.tolist(), points.epochs.tolist(), points.times_s.tolist(), points.values.tolist())
    for step, epoch, time_s, value in columns:
        epoch_text = "null" if epoch != epoch else repr(epoch)
        value_text = repr(value) if math.isfinite(value) else f'"{number_text(value)}"'
        file.write(f'{begin},"step":{step},"epoch":{epoch_text},"time":{time_s!r},"value":{value_text}}}\n')


def _row_groups(run: ExportedRun) -> Iterator[Sequence[LabelledCurve]]:
    pending: list[LabelledCurve] = []
    for sequence, points in run.curves():
        pending.append(LabelledCurve(CurveLabels(run.run_hash, sequence.name, sequence.context), points))
        if sum(len(curve.points) for curve in pending) >= ROW_GROUP_POINTS:
            yield pending
            pending = []
    if pending:
        yield pending


def _param_names(runs: ExportedRuns) -> list[str]:
    names: dict[str, None] = {}
    for run in runs:
        names |= dict.fromkeys(_flat_params(run))
    return list(names)


def _flat_params(run: ExportedRun) -> dict[str, Any]:
    tree: dict[params.Key, Any] = {key: value for key, value in run.params.items() if key != SYSTEM_PARAMS}
    return {PARAM_PREFIX + params.dotted(path): value for path, value in params.flatten(tree)}


def _run_cells(run: ExportedRun) -> dict[str, Any]:
    return {**{name: run.record[name] for name in ("hash", *PROPERTIES)}, **_flat_params(run)}


def _text_cell(value: Any) -> Any:
    if value is None or isinstance(value, (str, bool)):
        return value
    if isinstance(value, (int, float)):
        return number_text(value)
    return json_text(params.encode(value, strict=False))


def _arrow(column: Sequence[Any]) -> pa.Array:
    """Return a column as an array: of texts if its values have several types, or are containers."""
    import pyarrow

    kinds = {type(value) for value in column if value is not None}
    if any(kinds <= alike for alike in ALIKE):
        with contextlib.suppress(pyarrow.ArrowInvalid, OverflowError, UnicodeEncodeError):
            is_mixed = kinds == {int, float}
            return pyarrow.array([float(value) if is_mixed and value is not None else value for value in column])
    texts = [None if value is None else str(_text_cell(value)) for value in column]
    return pyarrow.array([None if text is None else text.encode("utf-8", "replace").decode() for text in texts])


def _count_left_out(run: ExportedRun, report: ExportReport) -> None:
    for sequence in run.sequences():
        if not sequence.is_numeric:
            points = run.points(sequence.key)
            kind = element_of(sequence.kind)
            report.leave_out(f"{kind}: a table of numbers has no objects", 0 if points is None else len(points))
    report.leave_out("the environment of a run (jsonl and zip have it)", int(SYSTEM_PARAMS in run.params))
    _count_files(run, report)


def _count_files(run: ExportedRun, report: ExportReport) -> None:
    report.leave_out("an artifact (zip and mlflow have it)", len(run.files()))
    report.leave_out("a rewind: the points that it hides (zip has them)", len(run.state.rewinds))
