"""
What Aim 3 keeps of runs in SQLite: names, experiments, tags, notes, times.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from aim.convert.sqlite_source import opened

FILE_NAME = "run_metadata.sqlite"


@dataclass
class RunRow:
    """
    What is said of one run; None: nothing.

    Attributes:
        tags: pairs of a name and a colour.
        about_experiment: `description` and `notes` of the experiment, where it has them.
        created_at_s: Unix seconds.
    """

    run_hash: str
    name: str | None = None
    description: str | None = None
    experiment: str | None = None
    is_archived: bool = False
    created_at_s: float | None = None
    tags: list[tuple[str, str | None]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    about_experiment: dict[str, Any] = field(default_factory=dict)


def read_rows(folder: Path) -> dict[str, RunRow]:
    """
    Return the rows of all runs, by hash; nothing when there is no file.

    Raises:
        sqlite3.Error: the file is damaged.
    """
    path = folder / FILE_NAME
    if not path.is_file():
        return {}
    with opened(path) as database:
        return _rows(database)


def _rows(connection: sqlite3.Connection) -> dict[str, RunRow]:
    experiments = {row["id"]: row["name"] for row in _table(connection, "experiment")}
    about = _about_experiments(connection)
    tags = {row["id"]: (row["name"], row.get("color")) for row in _table(connection, "tag")}
    rows: dict[str, RunRow] = {}
    by_id: dict[Any, RunRow] = {}
    for row in _table(connection, "run"):
        run_hash = str(row["hash"])
        name = row.get("name")
        run = RunRow(
            run_hash,
            None if name == f"Run: {run_hash}" else name,
            row.get("description"),
            experiments.get(row.get("experiment_id")),
            bool(row.get("is_archived")),
            _seconds(row.get("created_at")),
            about_experiment=about.get(row.get("experiment_id"), {}),
        )
        rows[run_hash] = by_id[row["id"]] = run
    for row in _table(connection, "run_tag"):
        if row["run_id"] in by_id and row["tag_id"] in tags:
            by_id[row["run_id"]].tags.append(tags[row["tag_id"]])
    for row in _table(connection, "note"):
        if row.get("run_id") in by_id and row.get("content"):
            by_id[row["run_id"]].notes.append(str(row["content"]))
    return rows


def _about_experiments(connection: sqlite3.Connection) -> dict[Any, dict[str, Any]]:
    about: dict[Any, dict[str, Any]] = {}
    for row in _table(connection, "experiment"):
        if row.get("description"):
            about.setdefault(row["id"], {})["description"] = str(row["description"])
    for row in _table(connection, "note"):
        if row.get("experiment_id") is not None and row.get("content"):
            about.setdefault(row["experiment_id"], {}).setdefault("notes", []).append(str(row["content"]))
    return about


def _table(connection: sqlite3.Connection, name: str) -> Iterator[dict[str, Any]]:
    """Go through the rows of a table as dicts; none when there is no such table."""
    if not connection.execute("select 1 from sqlite_master where type='table' and name=?", (name,)).fetchone():
        return
    cursor = connection.execute(f'select * from "{name}" order by rowid')
    columns = [column[0] for column in cursor.description]
    for row in cursor:
        yield dict(zip(columns, row))


def _seconds(text: object) -> float | None:
    try:
        return datetime.fromisoformat(str(text)).replace(tzinfo=timezone.utc).timestamp()
    except ValueError:
        return None
