"""
A folder of JSON Lines: runs.jsonl, points.jsonl, objects.jsonl. Each run's lines follow each other in each file.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from aim.convert.aim_export import records
from aim.convert.aim_export.records import ObjectRow
from aim.convert.events import Event, SourceDamage
from aim.core.values import Stored

RUNS, POINTS, OBJECTS = "runs.jsonl", "points.jsonl", "objects.jsonl"
BATCH_POINTS = 1 << 16
LINE_BYTES_MAX = 1 << 30


class LineSpan(NamedTuple):
    """Where the lines of a run are in a file."""

    path: Path
    start: int
    stop: int


class LinesRun(NamedTuple):
    """A run: its record, and where its lines are."""

    record: Mapping[str, Any]
    points: tuple[LineSpan, ...]
    objects: tuple[LineSpan, ...]


def runs_of(folder: Path) -> list[LinesRun]:
    """List the runs of a folder; lines that are no record of a run are left out."""
    points, objects = _spans(folder / POINTS), _spans(folder / OBJECTS)
    listed = []
    for _, record in _lines(LineSpan(folder / RUNS, 0, (folder / RUNS).stat().st_size)):
        if isinstance(record, dict) and isinstance(record.get("hash"), str):
            run_hash = record["hash"]
            listed.append(LinesRun(record, tuple(points.get(run_hash, ())), tuple(objects.get(run_hash, ()))))
    return listed


def _spans(path: Path) -> dict[str, list[LineSpan]]:
    """Return where the lines of each run are, by one pass over the file; a line begins with its run."""
    spans: dict[str, list[LineSpan]] = {}
    if not path.exists():
        return spans
    offset, current, start = 0, b"", 0
    with open(path, "rb") as file:
        for line in file:
            name = line[: line.find(b'"', 8) + 1]  # {"run":"3df7"
            if name != current:
                _add_span(spans, path, current, start, offset)
                current, start = name, offset
            offset += len(line)
    _add_span(spans, path, current, start, offset)
    return spans


def _add_span(spans: dict[str, list[LineSpan]], path: Path, begin: bytes, start: int, stop: int) -> None:
    if begin and stop > start:
        run_hash = begin[8:-1].decode("utf-8", "replace")
        spans.setdefault(run_hash, []).append(LineSpan(path, start, stop))


def _lines(span: LineSpan) -> Iterator[tuple[int, Any]]:
    """Go through the values of the lines, each with its offset; of a damaged line the value is its error."""
    offset = span.start
    with open(span.path, "rb") as file:
        file.seek(span.start)
        while offset < span.stop and (line := file.readline(LINE_BYTES_MAX)):
            try:
                yield offset, json.loads(line)
            except (ValueError, RecursionError) as error:
                yield offset, error
            offset += len(line)


def read(run: LinesRun) -> Iterator[Event]:
    """Go through the events of a run."""
    yield from records.described(run.record)
    for span in run.points:
        yield from _points(span)
    damage: list[SourceDamage] = []
    for span in run.objects:
        yield from records.object_steps(_objects(span, damage))
    yield from damage
    yield records.ended(run.record)


def _points(span: LineSpan) -> Iterator[Event]:
    key: tuple[str, str] | None = None
    name = ""
    context: Mapping[str, Any] = {}
    rows: list[tuple[int, float, float, Any]] = []
    for offset, line in _lines(span):
        try:
            next_key = (line["name"], repr(line["context"]))
            row = (int(line["step"]), records.number(line["time"]), records.number(line["epoch"]), line["value"])
            row = (*row[:3], records.number(row[3]))
        except (KeyError, TypeError, ValueError):
            yield SourceDamage(str(span.path), offset, "this line is no point")
            continue
        if rows and (next_key != key or len(rows) >= BATCH_POINTS):
            yield records.batch(name, context, rows)
            rows = []
        key, name, context = next_key, line["name"], line["context"]
        rows.append(row)
    if rows:
        yield records.batch(name, context, rows)


def _objects(span: LineSpan, damage: list[SourceDamage]) -> Iterator[ObjectRow]:
    for offset, line in _lines(span):
        try:
            data = None if line["data"] is None else base64.b64decode(line["data"], validate=True)
            form = Stored(line["kind"], line["fields"], data, records.extension(line["kind"], line["fields"]))
            yield ObjectRow(
                line["name"],
                line["context"],
                bool(line["is_list"]),
                int(line["step"]),
                records.number(line["time"]),
                records.number(line["epoch"]),
                form,
            )
        except (KeyError, TypeError, ValueError, AttributeError, binascii.Error):
            damage.append(SourceDamage(str(span.path), offset, "this line is no object"))
