"""
The importer of Trackio's databases.

    metrics    a row with one value or many, as JSON; numbers that JSON has not are texts
    configs    the config of a run; keys that begin with `_` are Trackio's own, and become `trackio.*`
    media/<project>/<run>/<step>/<file>    images, named by the values that speak of them
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from aim.convert.events import (
    Ended,
    Event,
    ObjectStep,
    ParamValue,
    PointBatch,
    Refused,
    RunFound,
    SourceDamage,
)
from aim.convert.files import is_below
from aim.convert.formats import Importer, ImportOptions, Source, SourceRun
from aim.convert.media import ImageFile, PlainText, SoundFile, TableRows, VideoFile
from aim.convert.sqlite_source import answer_of, files_of, opened, tables_of
from aim.core.reserved import SYSTEM_PREFIX

NEEDED = frozenset({"metrics", "configs"})
SPECIAL = {"Infinity": float("inf"), "-Infinity": float("-inf"), "NaN": float("nan")}
BATCH_ROWS = 1 << 14
MEDIA = {"trackio.image": ImageFile, "trackio.audio": SoundFile, "trackio.video": VideoFile}
MEDIA_BYTES_MAX = 1 << 30


class TrackioImporter(Importer):
    """The importer of Trackio."""

    name = "trackio"
    title = "Trackio"
    looked_for = "databases of SQLite (*.db) with the tables metrics and configs"
    owns_below = True

    def is_here(self, folder: Path, folders: Sequence[str], files: Sequence[str]) -> bool:
        """Return whether there is a project in *folder*."""
        return any(_is_project(folder / name) for name in files)

    def runs(self, source: Source, options: ImportOptions) -> Iterator[SourceRun]:
        """List the runs. Raises SourceNotRecognised."""
        for path in source.files():
            if _is_project(path):
                for run_id, name in answer_of(path, _runs, self):
                    locator = (path, run_id, name)
                    yield SourceRun(f"{path.stem}/{run_id}", name, files_of(path), path.stem, locator=locator)

    def read(self, source: Source, run: SourceRun, options: ImportOptions) -> Iterator[Event]:
        """Read a run."""
        path, run_id, name = run.locator
        try:
            with opened(path) as database:
                yield from _Reading(database, path, run_id, name).read()
        except sqlite3.DatabaseError as error:
            yield SourceDamage(str(path), None, f"SQLite: {error}")
        yield Ended("finished")


def _is_project(path: Path) -> bool:
    return path.suffix == ".db" and path.is_file() and tables_of(path) >= NEEDED


def _key(database: sqlite3.Connection) -> str:
    """Return the column that names runs: older versions have no id."""
    names = {row[1] for row in database.execute("PRAGMA table_info(metrics)")}
    return "run_id" if "run_id" in names else "run_name"


def _runs(database: sqlite3.Connection) -> list[tuple[str, str]]:
    key = _key(database)
    query = f"SELECT {key}, MIN(run_name), MIN(rowid) FROM {{}} GROUP BY {key} ORDER BY 3"
    rows = [row for table in ("configs", "metrics") for row in database.execute(query.format(table))]
    return list({str(row[0]): (str(row[0]), str(row[1])) for row in reversed(rows) if row[0] is not None}.values())[
        ::-1
    ]


class _Reading:
    """One run of a project."""

    def __init__(self, database: sqlite3.Connection, path: Path, run_id: str, name: str) -> None:
        self._database = database
        self._path = path
        self._run_id = run_id
        self._name = name
        self._key = _key(database)

    def read(self) -> Iterator[Event]:
        """Go through the events of the run."""
        config = self._config()
        created_at_s = _moment(config.get("_Created"))
        first = next(iter(self._rows("SELECT MIN(timestamp) FROM metrics WHERE {key} = ?")), (None,))[0]
        yield RunFound(name=self._name, created_at_s=_or_none(created_at_s) or _or_none(_moment(first)))
        for key, value in config.items():
            is_of_trackio = key.startswith("_")
            if not is_of_trackio or value is not None:
                yield ParamValue(("trackio", key[1:]) if is_of_trackio else (key,), value)
        yield from self._metrics()
        yield from self._system()
        yield from self._alerts()

    def _rows(self, query: str) -> Iterator[tuple[Any, ...]]:
        cursor = self._database.execute(query.format(key=self._key), (self._run_id,))
        while rows := cursor.fetchmany(BATCH_ROWS):
            yield from rows

    def _config(self) -> dict[str, Any]:
        config: dict[str, Any] = {}
        for (text,) in self._rows("SELECT config FROM configs WHERE {key} = ? ORDER BY rowid"):
            config |= _json_object(text)
        return config

    def _metrics(self) -> Iterator[Event]:
        points: dict[str, list[tuple[int, float, float]]] = {}
        count = 0
        for at, step, text in self._rows("SELECT timestamp, step, metrics FROM metrics WHERE {key} = ? ORDER BY rowid"):
            time_s = _moment(at)
            for name, value in _json_object(text).items():
                number = _number(value)
                if number is None:
                    yield from self._object(name, int(step or 0), time_s, value)
                    continue
                points.setdefault(name, []).append((int(step or 0), time_s, number))
                count += 1
            if count >= BATCH_ROWS:
                yield from _batches(points)
                points, count = {}, 0
        yield from _batches(points)

    def _object(self, name: str, step: int, time_s: float, value: Any) -> Iterator[Event]:
        if isinstance(value, str):
            yield ObjectStep(name, {}, step, [PlainText(value)], time_s)
            return
        kind = _kind(value)
        if kind == "trackio.table" and isinstance(value.get("_value"), list):
            rows = [row for row in value["_value"] if isinstance(row, dict)]
            columns = list(dict.fromkeys(key for row in rows for key in row))
            yield ObjectStep(
                name, {}, step, [TableRows(columns, [[row.get(key) for key in columns] for row in rows])], time_s
            )
        elif kind in MEDIA:
            yield self._medium(name, step, time_s, value, kind)
        else:
            yield Refused(f"a value that is neither a number nor a medium ({kind})")

    def _medium(self, name: str, step: int, time_s: float, value: dict[str, Any], kind: str) -> Event:
        root = self._path.parent
        path = root / "media" / str(value.get("file_path") or "")
        if not is_below(path, root) or not path.is_file() or path.stat().st_size > MEDIA_BYTES_MAX:
            return Refused("media: the file is missing, too large, or not below the source")
        return ObjectStep(name, {}, step, [MEDIA[kind](path.read_bytes(), str(value.get("caption") or ""))], time_s)

    def _system(self) -> Iterator[Event]:
        if "system_metrics" not in tables_of(self._path):
            return
        points: dict[str, list[tuple[int, float, float]]] = {}
        rows = self._rows("SELECT timestamp, metrics FROM system_metrics WHERE {key} = ? ORDER BY rowid")
        for step, (at, text) in enumerate(rows):
            for name, value in _json_object(text).items():
                number = _number(value)
                if number is not None:
                    points.setdefault(SYSTEM_PREFIX + name, []).append((step, _moment(at), number))
        yield from _batches(points, is_system=True)

    def _alerts(self) -> Iterator[Event]:
        if "alerts" not in tables_of(self._path):
            return
        query = "SELECT timestamp, title, text, level, step FROM alerts WHERE {key} = ? ORDER BY rowid"
        for at, title, text, level, step in self._rows(query):
            words = f"{level}: {title}\n{text}" if text else f"{level}: {title}"
            yield ObjectStep("alerts", {}, int(step or 0), [PlainText(words)], _moment(at))


def _batches(points: dict[str, list[tuple[int, float, float]]], *, is_system: bool = False) -> Iterator[Event]:
    for name, rows in points.items():
        own_steps, times_s, values = zip(*rows)
        array = np.empty(len(values), np.int64 if all(type(value) is int for value in values) else np.float64)
        array[:] = values
        yield PointBatch(name, {}, np.array(own_steps, np.int64), array, np.array(times_s), is_system=is_system)


def _kind(value: Any) -> str:
    return str(value.get("_type")) if isinstance(value, dict) else type(value).__name__


def _table(cells: list[Any]) -> TableRows:
    rows = [row for row in cells if isinstance(row, dict)]
    columns = list(dict.fromkeys(key for row in rows for key in row))
    return TableRows(columns, [[row.get(key) for key in columns] for row in rows])


def _json_object(text: Any) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (TypeError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _number(value: Any) -> Any:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, (int, float)):
        return value
    return SPECIAL.get(value) if isinstance(value, str) else None


def _moment(text: Any) -> float:
    try:
        return datetime.fromisoformat(str(text).replace("Z", "+00:00")).timestamp()
    except (ValueError, OverflowError):
        return float("nan")


def _or_none(time_s: float) -> float | None:
    return None if time_s != time_s else time_s
