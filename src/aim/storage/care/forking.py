"""
Forking a run: a new run whose curves up to a step are copies of those of another run.

    the parent, as it is visible now, steps <= s    ->  one ended writer in a scratch folder: event lines,
    params, name, experiment, description, tags         a sealed file, blob files      ->  rename into runs/

Copied, not referenced: a run stays a folder that can be moved, copied and deleted alone; docs/decisions/fork.md weighs
it. The one rename makes the child: before it there is only scratch, after it a whole run.

What describes the parent's own processes, or the parent alone, is not copied: terminal lines, log records, system
metrics, params of the system, artifacts, notes, whether it is archived.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from aim.core import params
from aim.core.errors import DamagedFile, RunNotFound
from aim.core.reserved import SYSTEM_PARAMS
from aim.core.values import Loader, Stored
from aim.storage.care.ended_writer import EndedWriter, int_rows
from aim.storage.disk import changes, layout
from aim.storage.disk.files import DISK, Disk
from aim.storage.forms import blobs, history
from aim.storage.forms.records import FloatArray, IntArray
from aim.storage.forms.run_log import RunLog
from aim.storage.forms.state import RunState, SequenceState
from aim.storage.reading.folder_source import open_run
from aim.storage.reading.points import Points
from aim.storage.reading.reader import RunReader
from aim.storage.recording.event_lines import about_this_process
from aim.storage.store import Store

NOT_COPIED = frozenset({"archived", "notes"})  # properties that describe the parent alone

log = logging.getLogger("aim")


class _CopiedObject:
    """An object among the params that is copied from run to run."""

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
    Make a new run from what is visible of *parent* now up to *step*; return its hash.

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
        fork.writer.abandon()
        disk.remove_folder(scratch)
    changes.touch(store.runs / child, disk)
    return child


class _Fork:
    """The one writer of the child, being written."""

    def __init__(self, folder: Path, scratch: Path, child: str, step: int, disk: Disk) -> None:
        self._folder = folder
        self._step = step
        writer_id = layout.new_writer_id()
        begin = about_this_process(child, writer_id)
        self.writer = EndedWriter(scratch, writer_id, begin, run_hash=child, disk=disk)

    def write(self, name: str | None) -> None:
        """Write everything into the scratch folder, and wait until it is on the disk."""
        log = RunLog(self._folder, _CopiedObject)
        reader = open_run(self._folder)
        state = reader.state()
        self.writer.say({"forked_from": {"run": state.run_hash, "step": self._step}})
        self._copy_state(log.refresh(), log.params, name)
        keys = [key for key, sequence in reader.sequences().items() if sequence.is_rewound]
        for key, points in reader.points_of_many(keys).items():
            sequence = state.sequences.get(key)
            if sequence is not None:  # else its declaration was lost, and its kind with it
                self._copy_points(reader, sequence, points)
        self.writer.write()

    def _copy_state(self, state: RunState, tree: Any, name: str | None) -> None:
        if isinstance(tree, dict):
            tree.pop(SYSTEM_PARAMS, None)
        if tree:
            self.writer.say({"set": [], "value": params.encode(tree, strict=False)})
        properties = {key: value for key, value in state.properties.items() if key not in NOT_COPIED}
        properties |= {} if name is None else {"name": name}
        if properties:
            self.writer.say({"property": properties})
        if state.tags:
            self.writer.say({"tags": {"add": list(state.tags), "remove": []}})

    # points

    def _copy_points(self, reader: RunReader, sequence: SequenceState, points: Points) -> None:
        stop = int(np.searchsorted(points.steps, self._step, "right"))
        rows = np.arange(stop)
        if not sequence.is_numeric:
            self._copy_objects(reader, sequence, points, stop)
            return
        values = points.values[:stop]
        if values.dtype == np.float64:
            self._add(sequence, "float", points, rows, values)
            return
        is_int = np.ones(stop, bool)
        if values.dtype == object:
            is_int = int_rows(values.tolist())
            self._add(sequence, "float", points, rows[~is_int], values[~is_int].astype(np.float64))
        self._copy_ints(sequence, points, rows[is_int], values[is_int].astype(np.int64))

    def _copy_ints(self, sequence: SequenceState, points: Points, rows: IntArray, ints: IntArray) -> None:
        if len(rows):
            number = self._declare(sequence, "int", points)
            self.writer.add_ints(number, points.steps[rows], ints, points.times_s[rows], points.epochs[rows])

    def _copy_objects(self, reader: RunReader, sequence: SequenceState, points: Points, stop: int) -> None:
        copies: dict[str, list[tuple[int, int]]] = {}  # by kind: row, position of the copy
        for row in range(stop):
            step = int(points.steps[row])
            try:
                kind, items = self._items(reader, points, row)
                position = self.writer.append_objects(sequence.name, (step,), items, kind)
            except DamagedFile as error:
                log.warning("Aim: %s at step %d was not copied: %s", sequence.name, step, error)
                continue
            copies.setdefault(kind, []).append((row, position))
        for kind, pairs in copies.items():
            table = np.array(pairs, np.int64)
            self._add(sequence, kind, points, table[:, 0], table[:, 1].astype(np.float64))

    def _items(self, reader: RunReader, points: Points, row: int) -> tuple[str, list[Stored]]:
        writer = points.writer_ids[int(points.writers[row])]
        path = layout.blob_file(self._folder, writer, blobs.split_position(int(points.values[row]))[0])
        record = reader.record(points, row)
        items = [blobs.read_item(path, record["kind"], item) for item in record["items"]]
        # a list of several kinds has the kind of its first object, which may be another object now
        is_mixed = any(params.OWN_KIND in item for item in record["items"])
        return f"list({items[0].kind})" if is_mixed else record["kind"], items

    def _declare(self, sequence: SequenceState, kind: str, points: Points) -> int:
        number = self.writer.declare(sequence.name, sequence.context, kind)
        self.writer.expect_step(number, history.next_step(int(points.steps[-1]) + 1, [history.Rewind(self._step, 0.0)]))
        return number

    def _add(self, sequence: SequenceState, kind: str, points: Points, rows: IntArray, values: FloatArray) -> None:
        if len(rows):
            number = self._declare(sequence, kind, points)
            self.writer.add(number, points.steps[rows], values, points.times_s[rows], points.epochs[rows])
