"""
The file of a catalogue: a `RunTable` and the stamps of its runs, written to a snapshot and loaded from it.

A file that is damaged, or that another version of Aim has written, is removed; the catalogue is then made again from
the runs. Specified in docs/formats/catalogue.md.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from aim.core import params
from aim.storage.catalogue import pair_blocks, snapshot
from aim.storage.catalogue.catalogue_row import FIELD_NAMES, CatalogueRow, KindNumbers, from_json, to_json
from aim.storage.catalogue.columns import Column, ColumnBase
from aim.storage.catalogue.point_lookups import OpenReader
from aim.storage.catalogue.run_table import RunTable
from aim.storage.catalogue.snapshot import DamagedSnapshot, Snapshot, SnapshotWriter
from aim.storage.catalogue.table_filler import TableFiller

NOT_A_SNAPSHOT = (DamagedSnapshot, ValueError, KeyError, TypeError, IndexError)


class LoadedTable(NamedTuple):
    """What a file holds: the table, and the time of the folder of each run."""

    filler: TableFiller
    stamps: dict[str, int]


class CatalogueFile:
    """
    The newest file of a cache folder, and the runs that are still to be added to it.

    Args:
        folder: of the cache.
        open_reader: for the tables that are loaded.
    """

    def __init__(self, repository: Path, folder: Path, open_reader: OpenReader) -> None:
        self._repository = repository
        self._folder = folder
        self._open_reader = open_reader
        self._snapshot: Snapshot | None = None
        self._unsaved: dict[str, tuple[int, CatalogueRow]] = {}

    @property
    def is_open(self) -> bool:
        """Whether the table comes from a file, to which changes can be added."""
        return self._snapshot is not None

    @property
    def unsaved_count(self) -> int:
        """How many runs have changed since the file was written."""
        return len(self._unsaved)

    def load(self, kinds: KindNumbers) -> LoadedTable | None:
        """Return what the newest file that is whole holds, or None. *kinds*: as in `read_table`."""
        path = snapshot.newest(self._folder)
        while path is not None:
            file = None
            try:
                file = Snapshot(path)
                return self._go_on_with(file, kinds)
            except NOT_A_SNAPSHOT:
                if file is not None:
                    file.close()
                snapshot.discard(path)
                newest = snapshot.newest(self._folder)
                path = None if newest == path else newest
        return None

    def _go_on_with(self, file: Snapshot, kinds: KindNumbers) -> LoadedTable:
        loaded = read_table(file, self._open_reader, kinds)
        self._snapshot = file
        return loaded

    def save(self, table: RunTable, stamp: Callable[[str], int]) -> LoadedTable | None:
        """
        Write a table to a new file and return what was loaded from that; None when the disk refused.

        Raises:
            DamagedSnapshot, ValueError, KeyError, TypeError, IndexError: the file could not be read back.
        """
        try:
            file = Snapshot(write_table(self._folder, str(self._repository), table, stamp))
        except (OSError, sqlite3.Error, DamagedSnapshot):
            return None
        before, self._unsaved = self._snapshot, {}
        loaded = self._go_on_with(file, table.kinds)
        if before is not None and not table.is_read:
            before.close()  # else columns may still be read from it; it is closed with the last of them
        return loaded

    def note(self, row: CatalogueRow, stamp: int) -> None:
        """Add a run that was read again to the file at the next `add_changes`."""
        if self._snapshot is not None:
            self._unsaved[row.run_hash] = (stamp, row)

    def forget(self, run_hash: str) -> None:
        """Do not add a run that is gone."""
        self._unsaved.pop(run_hash, None)

    def add_changes(self, kinds: KindNumbers) -> int:
        """Add the noted runs to the file; return how many changes it has now, 0 when the disk refused."""
        if self._snapshot is None or not self._unsaved:
            return 0
        unsaved, self._unsaved = self._unsaved, {}
        count = self._snapshot.add_changes(
            (run_hash, stamp, to_json(row, kinds)) for run_hash, (stamp, row) in unsaved.items()
        )
        return count or 0

    def discard(self) -> None:
        """Remove the file."""
        if self._snapshot is not None:
            snapshot.discard(self._snapshot.path)
        self.close()

    def close(self) -> None:
        """Close the file."""
        if self._snapshot is not None:
            self._snapshot.close()
        self._snapshot, self._unsaved = None, {}


def read_table(file: Snapshot, open_reader: OpenReader, kinds: KindNumbers) -> LoadedTable:
    """
    Return the table of a file. Columns are read when they are first asked for, so the file must stay open.

    Args:
        kinds: the table has this object if the file has the same kinds, as watches go on with its numbers.

    Raises:
        DamagedSnapshot, ValueError, KeyError, TypeError, IndexError: the file is not what was written.
    """
    directory = file.directory
    hashes = file.blob(*directory["hashes"]).decode().split("\n") if directory["run_count"] else []
    stamps = file.array(directory["stamps"]).tolist()
    if not len(hashes) == len(stamps) == directory["run_count"]:
        raise DamagedSnapshot(f"{file.path}: {len(hashes)} runs")
    kinds = kinds if kinds.names == directory["kinds"] else KindNumbers(directory["kinds"])
    table = RunTable(open_reader, hashes, kinds)
    filler = TableFiller(table)
    for name, entry in directory["fields"].items():
        table.fields[name] = _column(table, file, entry)
    for path, entry in directory["params"]:
        filler.add_param(tuple(path), _column(table, file, entry))
    for key, context, load, count in pair_blocks.read(file):
        filler.add_pair(key, context, load, count)
    stamp_of = dict(zip(hashes, stamps, strict=True))
    for stamp, form in file.changes():
        row = from_json(form, kinds)
        filler.put(row)
        stamp_of[row.run_hash] = stamp
    return LoadedTable(filler, stamp_of)


def write_table(folder: Path, repository: str, table: RunTable, stamp: Callable[[str], int]) -> Path:
    """
    Write a table, and the stamp of each of its runs, to a new file in *folder*, and remove the older ones; return the
    new one.

    Raises:
        OSError, sqlite3.Error: the disk refused.
        DamagedSnapshot: the file that columns of the table come from can't be read any more.
    """
    with SnapshotWriter(folder) as writer:
        hashes = table.hashes()
        directory: dict[str, Any] = {
            "repository": repository,
            "run_count": len(hashes),
            "hashes": writer.blob("\n".join(hashes).encode()),
            "stamps": writer.array(np.array([stamp(run_hash) for run_hash in hashes], np.int64)),
            "kinds": table.kinds.names,
            "fields": {name: _written(writer, table.fields[name]) for name in FIELD_NAMES if name != "hash"},
            "params": [
                (list(path), _written(writer, column)) for path, column in table.params.items() if not column.is_empty()
            ],
            **pair_blocks.write(writer, table.pairs),
        }
        return writer.finish(directory)


def _column(table: RunTable, file: Snapshot, entry: dict[str, Any]) -> Column:
    def load() -> ColumnBase:
        codes = file.array(entry["codes"]).astype(np.int32)
        if entry["kind"] != "json":
            return codes, file.array(entry["values"])
        values: list[object] = [params.decode(value) for value in file.json(entry["values"])]
        return codes, values

    return Column(table.runs.slots, load, entry["filled"])


def _written(writer: SnapshotWriter, column: Column) -> dict[str, Any]:
    codes, values = column.compact()
    entry = {"codes": writer.array(codes), "filled": int((codes >= 0).sum())}
    if isinstance(values, list):
        return {**entry, "kind": "json", "values": writer.json([params.encode(value) for value in values])}
    # as they are: a small type would not show that all are ints of 64 bits
    return {**entry, "kind": values.dtype.kind, "values": writer.array(values, shrink=False)}
