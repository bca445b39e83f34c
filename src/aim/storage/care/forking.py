"""
Forking a run: a new one whose curves up to a step are copies of another one's.

    the parent, as it is shown now, steps <= s      ->  one ended writer in a scratch folder: event lines,
    params, name, experiment, description, tags         a sealed file, blob files      ->  rename into runs/

Copied, not referenced: a run stays a folder that can be moved, copied and deleted alone; docs/decisions/fork.md weighs
it. The one rename makes the child: before it there is only scratch, after it a whole run.

What is not copied tells of the parent's own processes: terminal lines, log records, system metrics and params of the
system, artifacts, notes, whether it is archived.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from aim.core import clock, params
from aim.core.errors import DamagedFile, RunNotFound
from aim.core.reserved import SYSTEM_PARAMS
from aim.core.values import EXACT_INT_MAX, Loader, Stored
from aim.storage.disk import changes, layout
from aim.storage.disk.files import DISK, Disk
from aim.storage.forms import blobs, events, history, records
from aim.storage.forms.blobs import BlobFile
from aim.storage.forms.records import Records
from aim.storage.forms.run_log import RunLog
from aim.storage.forms.state import RunState, SequenceState
from aim.storage.reading.folder_source import open_run
from aim.storage.reading.points import Points
from aim.storage.reading.reader import RunReader
from aim.storage.recording.writer_events import about_this_process
from aim.storage.sealing import seal
from aim.storage.store import Store

NOT_COPIED = frozenset({"archived", "notes"})  # properties that are said of the parent alone

log = logging.getLogger("aim")


class _Kept:
    """An object among the params, on its way from run to run."""

    def __init__(self, kind: str, fields: Mapping[str, Any], load: Loader) -> None:
        self._kind = kind
        self._fields = dict(fields)
        self._load = load

    def stored(self) -> Stored:
        """Return it as it was stored."""
        fields = {key: value for key, value in self._fields.items() if key not in ("size", "extension")}
        return Stored(self._kind, fields, self._load() or None, str(self._fields.get("extension", "bin")))


def fork_run(store: Store, parent: str, step: int, *, name: str | None = None, disk: Disk = DISK) -> str:
    """
    Make a new run from what *parent* shows now up to *step*; give its hash.

    Args:
        name: of the new run; None: the parent's.

    Raises:
        RunNotFound: there is no such run.
        OSError: the disk refuses; there is no new run then.

    Cost: some 1 us a point and 0.5 ms an object; the first one of a process also loads pyarrow. Measured in
    docs/decisions/fork.md.
    """
    folder = store.run_folder(parent)
    child = layout.new_run_hash()
    scratch = store.path / f".fork-{child}-{os.urandom(4).hex()}"
    disk.make_folder(scratch)
    fork = _Fork(folder, scratch, child, step, disk)
    try:
        fork.write(name)
        disk.sync_folder(scratch)
        disk.rename(scratch, store.runs / child)
        disk.sync_folder(store.runs)
    except FileNotFoundError:
        if folder.is_dir():
            raise
        raise RunNotFound(f"Run {parent!r} was deleted by somebody else meanwhile.") from None
    finally:
        fork.blobs.abandon()
        disk.remove_folder(scratch)
    changes.touch(store.runs / child, disk)
    return child


class _Fork:
    """The one writer of the child, being written."""

    def __init__(self, folder: Path, scratch: Path, child: str, step: int, disk: Disk) -> None:
        self.folder = folder
        self.scratch = scratch
        self.child = child
        self.step = step
        self.disk = disk
        self.writer = layout.new_writer_id()
        self.blobs = BlobFile(scratch, self.writer, disk)
        self.declared: dict[int, seal.Declared] = {}
        self.lines: list[dict[str, Any]] = []
        self.next: list[int] = []
        self.tables: list[Records] = []

    def write(self, name: str | None) -> None:
        """Write everything into the scratch folder, and wait until it is on the disk."""
        kept = RunLog(self.folder, _Kept)
        reader = open_run(self.folder, may_seal=False)
        self._say({"begin": about_this_process(self.child, self.writer)})
        state = reader.state()
        self._say({"forked_from": {"run": state.run_hash, "step": self.step}})
        self._copy_facts(kept.refresh(), kept.params, name)
        points = reader.points_of_many(key for key, facts in reader.sequences().items() if facts.is_rewound)
        for key, found in points.items():
            facts = state.sequences.get(key)
            if facts is not None:  # else its declaration was lost: nobody knows what it is
                self._copy_points(reader, facts, found)
        table = np.concatenate(self.tables) if self.tables else np.empty(0, records.RECORD_DTYPE)
        self.blobs.close()
        self._say({"end": self._end(len(table))})
        self._write(table)

    def _say(self, event: dict[str, Any]) -> None:
        before_s = self.lines[-1]["at"] if self.lines else 0.0
        self.lines.append({"at": clock.after(before_s), **event})

    def _end(self, count: int) -> dict[str, Any]:
        about = {"state": "finished", "error": None, "segments": 0, "points": count}
        return {**about, "blobs": self.blobs.file_count, "next": self.next}

    def _copy_facts(self, state: RunState, tree: Any, name: str | None) -> None:
        if isinstance(tree, dict):
            tree.pop(SYSTEM_PARAMS, None)
        if tree:
            self._say({"set": [], "value": params.encode(tree, strict=False)})
        given = {key: value for key, value in state.properties.items() if key not in NOT_COPIED}
        given |= {} if name is None else {"name": name}
        if given:
            self._say({"property": given})
        if state.tags:
            self._say({"tags": {"add": list(state.tags), "remove": []}})

    # points

    def _copy_points(self, reader: RunReader, facts: SequenceState, points: Points) -> None:
        stop = int(np.searchsorted(points.steps, self.step, "right"))
        chosen = np.arange(stop)
        if not facts.is_numeric:
            self._copy_objects(reader, facts, points, stop)
            return
        values = points.values[:stop]
        if values.dtype == np.float64:
            self._add(facts, "float", points, chosen, values)
            return
        is_int = np.ones(stop, bool)
        if values.dtype == object:
            is_int = np.array([isinstance(value, int) for value in values.tolist()], bool)
            self._add(facts, "float", points, chosen[~is_int], values[~is_int].astype(np.float64))
        places, whole = chosen[is_int], values[is_int].astype(np.int64)
        fits = (whole >= -EXACT_INT_MAX) & (whole <= EXACT_INT_MAX)
        number = self._add(facts, "int", points, places[fits], whole[fits].astype(np.float64), always=len(whole) > 0)
        for place, value in zip(places[~fits].tolist(), whole[~fits].tolist()):
            epoch = float(points.epochs[place])
            about = {"point": number, "step": int(points.steps[place]), "epoch": None if epoch != epoch else epoch}
            self._say({**about, "value": value, "time": round(float(points.times_s[place]), 6)})

    def _copy_objects(self, reader: RunReader, facts: SequenceState, points: Points, stop: int) -> None:
        found: dict[str, list[tuple[int, int]]] = {}
        for place in range(stop):
            try:
                kind, items = self._items(reader, points, place)
                where = self.blobs.append(facts.name, (int(points.steps[place]),), items, kind)
            except DamagedFile as error:
                log.warning("Aim: %s at step %d was not copied: %s", facts.name, int(points.steps[place]), error)
                continue
            found.setdefault(kind, []).append((place, where))
        for kind, pairs in found.items():
            table = np.array(pairs, np.int64)
            self._add(facts, kind, points, table[:, 0], table[:, 1].astype(np.float64))

    def _items(self, reader: RunReader, points: Points, place: int) -> tuple[str, list[Stored]]:
        writer = points.writer_ids[int(points.writers[place])]
        path = layout.blob_file(self.folder, writer, blobs.split_position(int(points.values[place]))[0])
        record = reader.record(points, place)
        items = [blobs.read_item(path, record["kind"], item) for item in record["items"]]
        # of several kinds the first gives the list's, and it may be another one now
        is_mixed = any(params.OWN_KIND in item for item in record["items"])
        return f"list({items[0].kind})" if is_mixed else record["kind"], items

    def _add(
        self,
        facts: SequenceState,
        kind: str,
        points: Points,
        places: npt.NDArray[np.int64],
        values: npt.NDArray[np.float64],
        *,
        always: bool = False,
    ) -> int:
        """Add points of one kind, and declare them; give the sequence number, 0 when there was nothing to add."""
        if not len(places) and not always:
            return 0
        number = len(self.declared) + 1
        self.declared[number] = seal.Declared(facts.name, facts.context, kind)
        context = params.encode(dict(facts.context))
        self._say({"sequence": number, "name": facts.name, "context": context, "kind": kind})
        table = np.zeros(len(places), records.RECORD_DTYPE)
        table["value"], table["sequence"] = values, number
        table["step"], table["time"] = points.steps[places], points.times_s[places]
        table["epoch"] = points.epochs[places]
        self.tables.append(table)
        self.next.append(history.next_step(int(points.steps[-1]) + 1, [history.Rewind(self.step, 0.0)]))
        return number

    # files

    def _write(self, table: Records) -> None:
        content = b"".join(map(events.encode, self.lines))
        if len(table):
            about = {"run": self.child, "writer": self.writer, "segments": 0, "slots": len(table)}
            sealed = seal.encode(table, self.declared, {**about, "events_bytes": len(content)})
            self._create(layout.sealed_file(self.scratch, self.writer), sealed)
        self._create(layout.events_file(self.scratch, self.writer), content)

    def _create(self, path: Path, content: bytes) -> None:
        descriptor = self.disk.create(path)
        try:
            self.disk.write(descriptor, content)
            self.disk.sync(descriptor)
        finally:
            os.close(descriptor)
