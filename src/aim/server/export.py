"""
Export of runs and points as CSV, JSON and Parquet. Specified in docs/formats/wire.md, section 10.

A file is written one curve at a time, so that it needs no more memory than its largest curve. Nothing is sampled. In
JSON and CSV a number that is not finite is `NaN`, `Infinity` or `-Infinity`, and a missing value is null, or empty.
"""

from __future__ import annotations

import csv
import io
import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from aim.core import params
from aim.engine.csv_cells import plain_cell
from aim.engine.curves import CurvePoints, points_in_view
from aim.engine.listing import Field, ParamField, SummaryField, cells, sort_rows
from aim.engine.matching import ask, hashes_of, newest_first, runs_asked
from aim.server.answers import json_bytes, missing, wire_cell, wire_number
from aim.server.bodies import Body, zone_of
from aim.server.files import CHUNK_BYTES, attachment, chunks
from aim.server.open_repository import OpenRepository
from aim.server.requests import RunsRequest, SeriesRequest
from aim.server.runs import selected_rows
from aim.server.selection import select
from aim.server.server_state import in_long_thread, in_thread, repo_of, server_of
from aim.storage.catalogue.run_table import RunTable

if TYPE_CHECKING:
    import pyarrow

TYPES = {"csv": "text/csv; charset=utf-8", "json": "application/json", "parquet": "application/vnd.apache.parquet"}
SERIES_COLUMNS = ("run", "name", "context", "step", "epoch", "time", "value")
EXACT_COLUMN = "exact"  # of Parquet: a value that is an integer beyond 2**53, which no double holds
COLUMN_AXES = ("step", "epoch", "time")  # axes of charts that are columns of their own
LIMIT_NONE = 1 << 62


@dataclass(frozen=True)
class ExportTable:
    """A table that is made in pieces; a piece is one list of cells a column."""

    names: Sequence[str]
    pieces: Iterable[Sequence[Sequence[Any]]]


UNFIT = (OverflowError, UnicodeEncodeError)  # an integer of over 64 bits; half of a character


async def export(request: Request) -> Response:
    """Answer `GET …/export/<subject>.<format>`."""
    subject, format_name = request.path_params["subject"], request.path_params["format"]
    if subject == "runs" and format_name in server_of(request).settings.writers:
        return await _written_runs(request, format_name)
    if format_name not in TYPES or subject not in ("runs", "series"):
        raise missing(f"There is no export {subject}.{format_name}. Export runs or series, as csv, json or parquet.")
    body = Body.from_json(request.query_params.get("request", "{}"), zone_of(request))
    repo = repo_of(request)
    rows: ExportTable
    if subject == "runs":
        rows = await in_thread(request, _runs, repo, RunsRequest.read(body))
    else:
        rows = await in_thread(request, _series, repo, SeriesRequest.read(body))
    headers = {**attachment(f"{repo.id}-{subject}.{format_name}"), "Cache-Control": "no-store"}
    if format_name == "parquet":
        file = await in_thread(request, _parquet, rows, subject == "runs")
        return StreamingResponse(chunks(file), media_type=TYPES[format_name], headers=headers)
    written: Callable[[ExportTable], Iterator[str]] = _csv if format_name == "csv" else _json
    return StreamingResponse(_joined(written(rows)), media_type=TYPES[format_name], headers=headers)


async def _written_runs(request: Request, format_name: str) -> Response:
    """Answer with one file that holds the runs as a whole: an archive, or a page."""
    repo = repo_of(request)
    asked = RunsRequest.read(Body.from_json(request.query_params.get("request", "{}"), zone_of(request)))
    write = server_of(request).settings.writers[format_name]

    def written() -> IO[bytes]:
        question = ask(asked.query, zone=asked.zone)
        hashes = repo.ask_all(
            lambda table: hashes_of(table, selected_rows(table, question, asked.runs)),
            about=runs_asked(question, asked.runs),
        )
        with tempfile.TemporaryDirectory(prefix="aim-export-") as folder:
            path = Path(folder) / f"{repo.id}-runs.{format_name}"
            write(repo.folder().root, path, hashes, asked.query)
            return open(path, "rb")

    file = await in_long_thread(request, written)
    headers = {**attachment(f"{repo.id}-runs.{format_name}"), "Cache-Control": "no-store"}
    return StreamingResponse(chunks(file), media_type="application/octet-stream", headers=headers)


def column_name(field: Field) -> str:
    """
    Return the name of a field's column.

    >>> column_name(ParamField(("hparams", "lr"))), column_name(SummaryField("loss", '{"subset":"val"}', "last"))
    ('hparams.lr', 'loss{"subset":"val"}.last')
    """
    if isinstance(field, ParamField):
        return params.dotted(field.path)
    if isinstance(field, SummaryField):
        return f"{field.metric}{'' if field.context_text == '{}' else field.context_text}.{field.summary}"
    return f"run.{field.name}"


def _runs(repo: OpenRepository, request: RunsRequest) -> ExportTable:
    question = ask(request.query, zone=request.zone)

    def read(table: RunTable) -> ExportTable:
        rows = sort_rows(table, newest_first(table, selected_rows(table, question, request.runs)), request.sort)
        columns = [hashes_of(table, rows), *(cells(table, field, rows).objects() for field in request.fields)]
        return ExportTable(["hash", *map(column_name, request.fields)], [columns])

    return repo.ask_all(read, about=runs_asked(question, request.runs))


def _series(repo: OpenRepository, request: SeriesRequest) -> ExportTable:
    whole = replace(request, aggregation=None, since=None, limit=LIMIT_NONE, branches=0)
    selection = repo.ask_all(
        lambda table: select(repo, table, whole), about=runs_asked(ask(request.query, zone=request.zone), request.runs)
    )
    has_x = request.view.x not in COLUMN_AXES

    def pieces() -> Iterator[Sequence[Sequence[Any]]]:
        for curve in selection.curves:
            points = points_in_view(repo.points, curve.request, request.view)
            if points is not None:
                yield _points([curve.request.run_hash, *curve.request.key], points, has_x)

    return ExportTable((*SERIES_COLUMNS, "x") if has_x else SERIES_COLUMNS, pieces())


def _points(labels: Sequence[str], points: CurvePoints, has_x: bool) -> Sequence[Sequence[Any]]:
    count = len(points.steps)
    epochs = [None if epoch != epoch else epoch for epoch in points.epochs.tolist()]
    values = points.values.tolist()
    for index, exact in points.exact.items():
        values[index] = exact
    columns = [points.steps.tolist(), epochs, points.times_s.tolist(), values]
    return [*([label] * count for label in labels), *columns, *([points.x.tolist()] if has_x else [])]


def _cell(value: Any) -> Any:
    if isinstance(value, float):
        return wire_number(value)
    return value if value is None or isinstance(value, (str, int)) else json.dumps(wire_cell(value), ensure_ascii=False)


def _csv(rows: ExportTable) -> Iterator[str]:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(map(plain_cell, rows.names))
    for piece in rows.pieces:
        writer.writerows([plain_cell(_cell(value)) for value in row] for row in zip(*piece, strict=True))
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
    yield buffer.getvalue()


def _json(rows: ExportTable) -> Iterator[str]:
    separator = "[\n"
    for piece in rows.pieces:
        for row in zip(*piece, strict=True):
            yield separator + json_bytes(dict(zip(rows.names, map(wire_cell, row), strict=True))).decode()
            separator = ",\n"
    yield "\n]\n" if separator != "[\n" else "[]\n"


def _joined(texts: Iterator[str]) -> Iterator[bytes]:
    """Join texts into chunks that are worth a packet."""
    pending: list[str] = []
    size_chars = 0
    for text in texts:
        pending.append(text)
        size_chars += len(text)
        if size_chars >= CHUNK_BYTES:
            yield "".join(pending).encode("utf-8", "replace")
            pending, size_chars = [], 0
    yield "".join(pending).encode("utf-8", "replace")


def _parquet(rows: ExportTable, is_runs: bool) -> IO[bytes]:
    import pyarrow
    import pyarrow.parquet

    file = tempfile.TemporaryFile()  # noqa: SIM115 - `chunks` closes it, when all is sent
    if is_runs:
        columns = [_arrow(column) for column in next(iter(rows.pieces))]
        pyarrow.parquet.write_table(
            pyarrow.table(dict(zip(rows.names, columns, strict=True))), file, compression="zstd"
        )
    else:
        text, whole, real = pyarrow.string(), pyarrow.int64(), pyarrow.float64()
        kinds = (text, text, text, whole, real, real, real, real)
        fields = list(zip(rows.names, kinds, strict=False))  # x is left out where an axis is a column
        schema = pyarrow.schema([*fields, (EXACT_COLUMN, whole)])
        value_index = rows.names.index("value")
        with pyarrow.parquet.ParquetWriter(file, schema, compression="zstd") as writer:
            for piece in rows.pieces:
                exact = [value if isinstance(value, int) else None for value in piece[value_index]]
                arrays = [
                    pyarrow.array(_whole_texts(column), text)
                    if kind == text
                    else pyarrow.array(map(float, column) if index == value_index else column, kind)
                    for index, (column, (_, kind)) in enumerate(zip(piece, fields, strict=True))
                ]
                arrays.append(pyarrow.array(exact, whole))
                writer.write_table(pyarrow.Table.from_arrays(arrays, schema=schema))
    file.seek(0)
    return file


def _arrow(column: Sequence[Any]) -> pyarrow.Array:
    """Return a column as an array: of texts if its values have several types."""
    import pyarrow

    try:
        return pyarrow.array(column)
    except (pyarrow.ArrowInvalid, pyarrow.ArrowTypeError, pyarrow.ArrowNotImplementedError, *UNFIT):
        return pyarrow.array(_whole_texts([None if value is None else str(_cell(value)) for value in column]))


def _whole_texts(texts: Sequence[str | None]) -> list[str | None]:
    """Return texts with `?` in place of halves of characters, which UTF-8 does not have."""
    return [None if text is None else text.encode("utf-8", "replace").decode() for text in texts]
