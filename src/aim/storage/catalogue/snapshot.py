"""
The catalogue on disk: a cache of one repository on one machine. Specified in docs/formats/catalogue.md.

    <user cache>/aim/<key>/<number>-<random>.sqlite        key: of the repository's real path, device and inode
        directory   one row: JSON that names all columns and pairs, and where their arrays lie
        blobs       id, content: an array
        changes     run, row: runs that were read again since the arrays were written

A file is written whole under a scratch name and then renamed; after that only rows of `changes` are added. The file
with the highest number is the current one, and the others are removed. So a process that has an old file open goes on
reading it, and a process that dies half-way leaves a scratch file at worst. Everything has a CRC: a file that fails
one is removed and made again.

Nothing here loads numpy before an array of it is asked for: a process that asks one question reads the file without
(stored_runs.py).

Rule 1: what the file has of a run does not count when the run's folder has another time than the file says.
Rule 2: a failure to write or to read the file is never an error for the caller of a query.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import sys
import time
import weakref
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from aim.core.hashing import blake2b
from aim.storage.disk.caches import cache_folder
from aim.storage.disk.files import SCRATCH_AGE_S

if TYPE_CHECKING:
    import numpy.typing as npt

FORMAT_NUMBER = 8
SQLITE_PAGE_BYTES = 65_536  # arrays are long: few pages, few seeks
BUSY_S = 0.2  # how long to wait while another process adds its changes; then ours are added the next time
SCHEMA = """
create table directory (content blob not null, crc integer not null);
create table blobs (id integer primary key, content blob not null);
create table changes (run text primary key, stamp integer not null, content blob not null, crc integer not null);
"""

_FORMATS: dict[str, Any] = {
    "b1": "?",
    "i1": "b",
    "i2": "h",
    "i4": "i",
    "i8": "q",
    "f8": "d",
}  # of `memoryview`, by numpy's names

Reference = list[Any]
"""Where an array lies: blob id and CRC, dtype as numpy writes it, length, and whether one value stands for all."""


class DamagedSnapshot(Exception):
    """The file is not what was written. The catalogue is then made again; users never see this."""


def folder_of(repository: Path) -> Path:
    """Return the cache folder of a repository; a new repository at an old path has another one."""
    real = repository.resolve()
    stat = real.stat()
    text = f"{real}\0{stat.st_dev}\0{stat.st_ino}"
    return cache_folder() / blake2b(text.encode("utf-8", "surrogateescape"), digest_size=12).hexdigest()


class Snapshot:
    """
    One file, open for reading, and for adding changes.

    Attributes:
        directory: what `SnapshotWriter.finish` was given.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._process = os.getpid()
        with contextlib.ExitStack() as undo:
            try:
                self._connection = _connect(path)
                undo.callback(self._connection.close)
                row = self._connection.execute("select content, crc from directory").fetchone()
                if row is None or zlib.crc32(row[0]) != row[1]:
                    raise DamagedSnapshot(f"{path}: the directory")
                self.directory: dict[str, Any] = json.loads(row[0])
                if self.directory["format"] != FORMAT_NUMBER or self.directory["byteorder"] != sys.byteorder:
                    raise DamagedSnapshot(f"{path}: another format")
            except (sqlite3.Error, ValueError, KeyError, TypeError) as error:
                raise DamagedSnapshot(f"{path}: {error}") from None
            undo.pop_all()
        self._close_when_gone()

    def blob(self, number: int, crc: int) -> bytes:
        """
        Return the content of a blob.

        Raises:
            DamagedSnapshot: it fails its CRC.
        """
        if self._process != os.getpid():  # a connection of SQLite must not be used after a fork
            self._process = os.getpid()
            self._connection = _connect(self.path)
            self._close_when_gone()
        try:
            row = self._connection.execute("select content from blobs where id = ?", (number,)).fetchone()
        except sqlite3.Error as error:
            raise DamagedSnapshot(f"{self.path}: {error}") from None
        if row is None or not isinstance(row[0], bytes) or zlib.crc32(row[0]) != crc:
            raise DamagedSnapshot(f"{self.path}: blob {number}")
        return row[0]

    def array(self, reference: Reference) -> npt.NDArray[Any]:
        """Return an array, which the caller may change. Raises DamagedSnapshot."""
        import numpy as np

        number, crc, dtype, count, constant = reference
        content = self.blob(number, crc)
        array = np.frombuffer(content, np.dtype(dtype))
        if constant:
            return np.full(count, array[0]) if count else array[:0].copy()
        if len(array) != count:
            raise DamagedSnapshot(f"{self.path}: blob {number} has {len(array)} of {count} items")
        return array.copy()

    def numbers(self, reference: Reference) -> list[Any]:
        """
        Return an array as Python numbers, without numpy.

        Raises:
            DamagedSnapshot: it fails its CRC.
            KeyError: its type is none that the catalogue writes.
        """
        number, crc, dtype, count, constant = reference
        numbers: list[Any] = memoryview(self.blob(number, crc)).cast(_FORMATS[dtype[1:]]).tolist()
        if constant:
            repeated: list[Any] = numbers[:1] * count
            return repeated
        if len(numbers) != count:
            raise DamagedSnapshot(f"{self.path}: blob {number} has {len(numbers)} of {count} items")
        return numbers

    def json(self, reference: Reference) -> Any:
        """Return a JSON value. Raises DamagedSnapshot."""
        content = self.blob(reference[0], reference[1])
        try:
            return json.loads(content)
        except (ValueError, RecursionError):
            raise DamagedSnapshot(f"{self.path}: blob {reference[0]}") from None

    def changes(self) -> Iterator[tuple[int, Any]]:
        """Go through the runs that were read again since, as (stamp, row). Raises DamagedSnapshot."""
        try:
            for _, stamp, content, crc in self._connection.execute("select run, stamp, content, crc from changes"):
                if zlib.crc32(b"%d %s" % (stamp, content)) != crc:
                    raise DamagedSnapshot(f"{self.path}: a change")
                yield stamp, json.loads(content)
        except (sqlite3.Error, ValueError, TypeError) as error:
            raise DamagedSnapshot(f"{self.path}: {error}") from None

    def add_changes(self, changed: Iterable[tuple[str, int, Any]]) -> int | None:
        """
        Add runs that were read again, each as (hash, stamp, row). Return how many there are now; None if that failed.
        """
        rows = []
        for run_hash, stamp, row in changed:
            content = json.dumps(row, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")
            rows.append((run_hash, stamp, content, zlib.crc32(b"%d %s" % (stamp, content))))
        try:
            with self._connection:
                self._connection.executemany("insert or replace into changes values (?, ?, ?, ?)", rows)
            count: int = self._connection.execute("select count(*) from changes").fetchone()[0]
        except sqlite3.Error:
            return None
        return count

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _close_when_gone(self) -> None:
        # since Python 3.13 a connection that was not closed is a warning; `__del__` would come too late for one that is
        # collected together with its owner
        weakref.finalize(self, self._connection.close).atexit = False


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=BUSY_S, check_same_thread=False
    )
    with contextlib.ExitStack() as undo:
        undo.callback(connection.close)  # whatever is raised: a message about a damaged schema may be no UTF-8
        # no sync for a cache: after a power cut the CRCs show what is missing
        connection.executescript("pragma synchronous = off; pragma temp_store = memory;")
        undo.pop_all()
    return connection


def newest(folder: Path) -> Path | None:
    """Return the current file, or None."""
    files = sorted((_number(path), path.name, path) for path in folder.glob("*.sqlite") if _number(path) >= 0)
    return files[-1][2] if files else None


def discard(path: Path) -> None:
    """Remove a file, so that it is not read again."""
    for name in (path.name, f"{path.name}-journal"):
        try:
            path.with_name(name).unlink(missing_ok=True)
        except OSError:
            pass


def _number(path: Path) -> int:
    head = path.name.partition("-")[0]
    return int(head) if head.isdigit() else -1


class SnapshotWriter:
    """
    Writes a new file: blobs one by one, then the directory. When the context is left early, nothing remains.

    Raises:
        OSError, sqlite3.Error: the disk refused.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        _sweep(folder)
        last = newest(folder)
        self.path = folder / f"{1 + (_number(last) if last else 0)}-{os.urandom(4).hex()}.sqlite"
        self._scratch = folder / f".{os.urandom(4).hex()}.scratch"
        self._connection = sqlite3.connect(self._scratch)
        self._next = 1
        try:
            self._connection.executescript(
                f"pragma page_size = {SQLITE_PAGE_BYTES}; pragma journal_mode = off; pragma synchronous = off;" + SCHEMA
            )
        except sqlite3.Error:
            self._connection.close()
            discard(self._scratch)
            raise

    def __enter__(self) -> SnapshotWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()
        discard(self._scratch)

    def blob(self, content: bytes) -> tuple[int, int]:
        """Add a blob; return its id and CRC."""
        self._connection.execute("insert into blobs values (?, ?)", (self._next, content))
        self._next += 1
        return self._next - 1, zlib.crc32(content)

    def array(self, array: npt.NDArray[Any], *, shrink: bool = True) -> Reference:
        """Add an array; integers take as few bytes as they need, and an array of one value only that."""
        import numpy as np

        small = smallest(array) if shrink else np.ascontiguousarray(array)
        constant = bool(len(small)) and bool(
            (small.view(f"V{small.itemsize}") == small.view(f"V{small.itemsize}")[0]).all()
        )
        return [*self.blob((small[:1] if constant else small).tobytes()), small.dtype.str, len(small), constant]

    def json(self, value: Any) -> Reference:
        """Add a JSON value."""
        return [
            *self.blob(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass"))
        ]

    def finish(self, directory: Mapping[str, Any]) -> Path:
        """Write the directory, rename the file and remove the older ones."""
        content = json.dumps(
            {"format": FORMAT_NUMBER, "byteorder": sys.byteorder, **directory},
            separators=(",", ":"),
            ensure_ascii=False,
        ).encode("utf-8", "surrogatepass")
        self._connection.execute("insert into directory values (?, ?)", (content, zlib.crc32(content)))
        self._connection.commit()
        self._connection.close()
        os.rename(self._scratch, self.path)
        for path in self.path.parent.glob("*.sqlite"):
            # two processes may finish at once with one number: the current file stays
            if (_number(path), path.name) < (_number(self.path), self.path.name):
                discard(path)
        return self.path


def smallest(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """
    Return an array of integers in the smallest type that holds them; others as they are.

    >>> import numpy as np
    >>> smallest(np.array([-1, 200])).dtype
    dtype('int16')
    """
    import numpy as np

    array = np.ascontiguousarray(array)
    if array.dtype.kind != "i" or not len(array):
        return array
    low, high = int(array.min()), int(array.max())
    for dtype in (np.int8, np.int16, np.int32):
        limits = np.iinfo(dtype)
        if limits.min <= low and high <= limits.max:
            return array.astype(dtype)
    return array


def _sweep(folder: Path) -> None:
    # scratch files of processes that were killed
    limit_s = time.time() - SCRATCH_AGE_S
    for path in folder.glob(".*.scratch*"):
        try:
            if path.stat().st_mtime < limit_s:
                path.unlink()
        except OSError:
            continue
