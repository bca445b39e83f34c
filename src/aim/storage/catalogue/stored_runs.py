"""
The runs of a catalogue's file, read without numpy: for the first question of a process, which is often its only one.

    the newest file, and each folder has the time that it says   ->   StoredRuns
    anything else: no file, a new run, a change, an open run     ->   None: the `Catalogue` answers

Importing numpy takes more of such a process than everything else that the answer needs. A second question goes to the
`Catalogue`, which keeps what it has read.

Rule: an answer from here equals that of `Catalogue`; what can't be answered in the same way is left to it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from aim.core import contexts, params
from aim.core.params import Path as ParamPath
from aim.storage.catalogue import snapshot
from aim.storage.catalogue.catalogue_row import CatalogueRow, KindNumbers, PairKey, from_json
from aim.storage.catalogue.snapshot import DamagedSnapshot, Snapshot
from aim.storage.disk.freshness import Freshness

RUNS_MAX = 20_000  # arrays are faster than Python for more, by more than numpy's import takes
NOT_READABLE = (DamagedSnapshot, sqlite3.Error, OSError, ValueError, KeyError, TypeError, IndexError)


class StoredRuns:
    """
    The runs of one open file, with the changes that were added to it. `rows` are numbered from 0, new runs last.

    Attributes:
        hashes: of each row.

    Raises:
        DamagedSnapshot, ValueError, KeyError, TypeError, IndexError: by each method, when the file is not what was
            written.
    """

    def __init__(self, file: Snapshot) -> None:
        self._file = file
        directory = file.directory
        stored = file.blob(*directory["hashes"]).decode().split("\n") if directory["run_count"] else []
        stamps = dict(zip(stored, file.numbers(directory["stamps"]), strict=True))
        kinds = KindNumbers(directory["kinds"])
        self._changed: dict[str, CatalogueRow] = {}
        for stamp, form in file.changes():
            row = from_json(form, kinds)
            self._changed[row.run_hash] = row
            stamps[row.run_hash] = stamp
        self._stamps = stamps
        self._stored_count = len(stored)
        self.hashes = list(stamps)

    def is_current(self, repository: Path) -> bool:
        """Return whether the folder of each run has the time that the file says. Cost: 2.5 us a run."""
        due = Freshness(repository, self._stamps).changed_runs((), full=True)
        return not due.to_read and not due.gone

    def field(self, name: str) -> list[Any]:
        """Return a field of each row; None: the run has none."""
        if name == "hash":
            return list(self.hashes)
        values = self._column(self._file.directory["fields"][name])
        return self._with_changes(values, [(row.run_hash, row.fields.get(name)) for row in self._changed.values()])

    def param(self, path: ParamPath, missing: object) -> list[Any] | None:
        """
        Return the leaf at *path* of each row, *missing* where there is none; None when no run has such a leaf, or when
        some run has a dict there, or a leaf above it.
        """
        entry = None
        for leaf_path, candidate in self._param_entries():
            if leaf_path == path:
                entry = candidate
            elif leaf_path[: len(path)] == path or path[: len(leaf_path)] == leaf_path:
                return None
        if entry is None:
            return None
        values = [missing if value is _NONE else value for value in self._column(entry, _NONE)]
        changed = [(row.run_hash, row.params.get(path, missing)) for row in self._changed.values()]
        return self._with_changes(values, changed)

    def _param_entries(self) -> Iterable[tuple[ParamPath, dict[str, Any] | None]]:
        stored: dict[ParamPath, dict[str, Any]] = {tuple(path): entry for path, entry in self._file.directory["params"]}
        yield from stored.items()
        for row in self._changed.values():
            yield from ((path, None) for path in row.params if path not in stored)

    def newest_first(self) -> list[int]:
        """Return all rows, the newest run first; of runs of one moment, by hash."""
        times = [value if isinstance(value, float) else 0.0 for value in self.field("creation_time")]
        return sorted(range(len(times)), key=lambda row: (-times[row], self.hashes[row]))

    def last_values(self, name: str, context_text: str, kind: str) -> dict[str, float]:
        """Return the last value of a metric in each run that has it, by the hash of the run, newest run first."""
        key = (name, context_text, kind)
        values = {run_hash: value for run_hash, value in self._stored_last(key) if run_hash not in self._changed}
        for row in self._changed.values():
            if key in row.sequences:
                values[row.run_hash] = float(row.sequences[key].summary.last)
        if not values:
            return {}
        newest = (self.hashes[row] for row in self.newest_first())
        return {run_hash: values[run_hash] for run_hash in newest if run_hash in values}

    def _stored_last(self, key: PairKey) -> Iterable[tuple[str, float]]:
        directory = self._file.directory
        for entry in directory["pairs"]:
            if (entry["name"], entry["kind"]) != (key[0], key[2]):
                continue
            if contexts.text(params.decode_in_order(entry["context"])) == key[1]:
                block, start = directory["blocks"][entry["block"]], entry["start"]
                part = slice(start, start + entry["count"])
                rows = self._file.numbers(block["slots"])[part]
                return zip(map(self.hashes.__getitem__, rows), self._file.numbers(block["last"])[part], strict=True)
        return ()

    def _column(self, entry: dict[str, Any], missing: object = None) -> list[Any]:
        codes = self._file.numbers(entry["codes"])
        values: Sequence[Any]
        if entry["kind"] == "json":
            values = [params.decode(value) for value in self._file.json(entry["values"])]
        else:
            values = self._file.numbers(entry["values"])
        return [values[code] if code >= 0 else missing for code in codes]

    def _with_changes(self, values: list[Any], changed: Iterable[tuple[str, Any]]) -> list[Any]:
        """Return *values* of the stored rows with those of the changed runs in their rows."""
        changes = dict(changed)
        if not changes:
            return values
        by_hash = dict(zip(self.hashes[: self._stored_count], values, strict=True)) | changes
        return [by_hash[run_hash] for run_hash in self.hashes]


_NONE = object()


def open_stored_runs(repository: Path, cache: Path | None = None) -> StoredRuns | None:
    """
    Return the runs of the newest file when nothing has changed since it was written, else None.

    Args:
        repository: the `.aim`.
        cache: the folder of the file; None: the usual one.

    Cost: 3 us a run, and the directory of the file.
    """
    try:
        path = snapshot.newest(snapshot.folder_of(repository) if cache is None else cache)
        if path is None:
            return None
        runs = StoredRuns(Snapshot(path))
        return runs if len(runs.hashes) <= RUNS_MAX and runs.is_current(repository) else None
    except NOT_READABLE:
        return None
