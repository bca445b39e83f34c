"""
A database of SQLite as a source: read without a lock, and without a byte of it changed.

A database that nobody writes to is opened as immutable. With a write-ahead log or a journal beside it, the three files
are copied first: SQLite replays the log into the copy.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, TypeVar

from aim.convert.errors import SourceNotRecognised
from aim.convert.formats import Importer

Answer = TypeVar("Answer")

MAGIC = b"SQLite format 3\0"
BESIDE = ("-wal", "-journal")


def tables_of(path: Path) -> frozenset[str]:
    """Return the names of the tables of a database; none when the file is no database, or can't be read."""
    try:
        with open(path, "rb") as file:
            if file.read(len(MAGIC)) != MAGIC:
                return frozenset()
        with opened(path) as database:
            rows = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    except (OSError, sqlite3.DatabaseError):
        return frozenset()
    return frozenset(str(row[0]) for row in rows)


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """
    Open a database for reading; rows are tuples.

    Raises:
        sqlite3.DatabaseError: it is damaged; also where SQLite's message about it is no UTF-8.
        OSError: it can't be read.
    """
    try:
        with _connection(path) as database:
            yield database
    except UnicodeDecodeError as error:
        raise sqlite3.DatabaseError(f"a name is no UTF-8: {error.object!r}") from error


@contextmanager
def _connection(path: Path) -> Iterator[sqlite3.Connection]:
    if not any(_has_content(path.with_name(path.name + suffix)) for suffix in BESIDE):
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as database:
            yield database
        return
    with tempfile.TemporaryDirectory(prefix="aim-import-") as folder:
        copy = Path(folder) / "source.db"
        for suffix in ("", *BESIDE):
            beside = path.with_name(path.name + suffix)
            if suffix == "" or beside.exists():
                shutil.copyfile(beside, copy.with_name(copy.name + suffix))
        with closing(sqlite3.connect(copy)) as database:
            yield database


def readable_rows(
    database: sqlite3.Connection, query: str, values: Sequence[object], problems: list[str]
) -> Iterator[tuple[Any, ...]]:
    """Go through the rows that a query gives; what is wrong with the next one is added to *problems*, and ends it."""
    try:
        yield from database.execute(query, tuple(values))
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        problems.append(f"SQLite: {error}")


def answer_of(path: Path, ask: Callable[[sqlite3.Connection], Answer], importer: Importer) -> Answer:
    """Open a database for one question. Raises SourceNotRecognised: it is damaged, or not what *importer* reads."""
    try:
        with opened(path) as database:
            return ask(database)
    except sqlite3.DatabaseError:
        raise SourceNotRecognised(path, [f"{importer.title}: {importer.looked_for}"]) from None


def files_of(path: Path) -> tuple[Path, Path]:
    """Return the files whose sizes and times tell whether a database changed: itself, and its write-ahead log."""
    return path, path.with_name(path.name + BESIDE[0])


def _has_content(path: Path) -> bool:
    try:
        return path.stat().st_size > 0
    except OSError:
        return False
