"""
The tables that a cluster has, and what they lack: made, extended and compared with `schema.TABLES`.

Columns are only ever added, so servers of two versions can use one cluster. A row of `documents` says which format the
tables have; a server refuses tables of a later format than its own.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from typing import NamedTuple

from aim.core.errors import UnsupportedFormat
from aim.storage.cluster import rows, schema
from aim.storage.cluster.database import ClusterUnavailable, Database

FORMAT_DOCUMENT = "FORMAT"  # of the project "", which no request can name
COLUMN = re.compile(r"(\w+) (.+?)(?: CODEC\(.*)?")
DOCUMENT_COLUMNS = ("project", "name", "revision", "body", "deleted")


class SchemaState(NamedTuple):
    """
    What a database has.

    Attributes:
        number: the format that its tables say they have; None: they say none.
        missing: tables, and columns as `table.column`.
        different: columns of another type.
        is_empty: it has none of the tables.
    """

    number: int | None
    missing: list[str]
    different: list[str]
    is_empty: bool

    @property
    def is_newer(self) -> bool:
        """Whether a later version of Aim made the tables."""
        return self.number is not None and self.number > schema.FORMAT_NUMBER


def columns_of(text: str) -> Iterator[tuple[str, str]]:
    """
    Yield the columns of a table with their types.

    >>> list(columns_of("rid FixedString(16), step Int64 CODEC(DoubleDelta, ZSTD(1)), INDEX recent slot TYPE minmax"))
    [('rid', 'FixedString(16)'), ('step', 'Int64')]
    """
    depth, start = 0, 0
    for end, character in enumerate(f"{text},"):
        depth += (character == "(") - (character == ")")
        if character == "," and depth == 0:
            match = COLUMN.fullmatch(text[start:end].strip())
            start = end + 1
            if match is not None and match[1] != "INDEX":
                yield match[1], match[2]


def compare(database: Database) -> SchemaState:
    """Return what a database has, compared with `schema.TABLES`. Raises ClusterUnavailable."""
    present = _columns(database)
    tables = {table for table, _ in present}
    missing: list[str] = []
    different: list[str] = []
    for name, table in schema.TABLES.items():
        if f"{name}_local" not in tables or (database.cluster and name not in tables):
            missing.append(name)
            continue
        for column, kind in columns_of(table.columns):
            kind_present = present.get((f"{name}_local", column))
            if kind_present is None:
                missing.append(f"{name}.{column}")
            elif _plain(kind_present) != _plain(kind):
                different.append(f"{name}.{column}")
    number = None if "documents" in missing else format_number(database)
    if number is None and not missing:
        missing.append(FORMAT_DOCUMENT)
    return SchemaState(number, missing, different, not tables)


def _columns(database: Database) -> dict[tuple[str, str], str]:
    """Return the types of the columns that there are, by table and name."""
    columns = database.rows(
        "SELECT table, name, type FROM system.columns WHERE database = {database:String}", {"database": database.name}
    )
    return {(str(table), str(column)): str(kind) for table, column, kind in columns}


def _plain(kind: str) -> str:
    return kind.replace(" ", "")


def format_number(database: Database) -> int | None:
    """Return the format that the tables have; None: they do not say. Raises ClusterUnavailable."""
    bodies = database.rows(
        f"SELECT body FROM {database.table('documents')} FINAL WHERE project = '' AND name = {{name:String}}",
        {"name": FORMAT_DOCUMENT},
    )
    return int(json.loads(bodies[0][0])["format"]) if bodies else None


def check_tables(database: Database) -> None:
    """
    Check that this version of Aim can use the tables; two small questions.

    Raises:
        ClusterUnavailable: ClickHouse does not answer, tables or columns are missing, or a later version made them. So
            trainings keep what they record until it is mended.
    """
    state = compare(database)
    if state.is_newer:
        raise ClusterUnavailable(newer(database, state.number))
    lacking = [name for name in state.missing if name != FORMAT_DOCUMENT]
    if lacking:
        more = f" and {len(lacking) - 3} more" if len(lacking) > 3 else ""
        raise ClusterUnavailable(
            f"The database {database.name!r} lacks {', '.join(lacking[:3])}{more}. Run aim cluster init with its "
            "cluster.toml."
        )


def make(database: Database) -> list[str]:
    """
    Make the database and its tables, or add what they lack; return the names of what was added.

    Raises:
        ClusterUnavailable: ClickHouse does not answer, or refuses; calling it again goes on.
        UnsupportedFormat: a later version of Aim made the tables.
    """
    state = compare(database)
    if state.is_newer:
        raise UnsupportedFormat(newer(database, state.number))
    for statement in schema.statements(database):
        database.execute(statement)
    on_cluster = f" ON CLUSTER '{database.cluster}'" if database.cluster else ""
    for name in state.missing:
        table, _, column = name.partition(".")
        if column:
            kind = dict(columns_of(schema.TABLES[table].columns))[column]
            for suffix in ("_local", "") if database.cluster else ("_local",):
                database.execute(
                    f"ALTER TABLE {database.name}.{table}{suffix}{on_cluster} ADD COLUMN IF NOT EXISTS {column} {kind}"
                )
    if state.number != schema.FORMAT_NUMBER:
        body = json.dumps({"format": schema.FORMAT_NUMBER}).encode()
        row = rows.text(b"") + rows.text(FORMAT_DOCUMENT.encode()) + rows.number(time.time_ns() // 1_000, 8)
        database.insert("documents", DOCUMENT_COLUMNS, row + rows.text(body) + rows.number(0, 1))
    return [name for name in state.missing if name != FORMAT_DOCUMENT]


def newer(database: Database, number: int | None) -> str:
    """Return what to say of tables that a later version of Aim made."""
    return (
        f"The tables of {database.name!r} have format {number}; this Aim reads and writes up to "
        f"{schema.FORMAT_NUMBER}. Upgrade Aim on this machine."
    )
