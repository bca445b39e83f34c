"""
The log of a run, read: its event lines and edits, and what is new among them, folded into a `RunState`.

    LineSource   where lines come from. `FolderLines` reads the files of a run's folder
    RunLog       folds the lines of a source. Lines that are later than all before them are folded onto the last state;
                 if one is earlier, all are folded anew

Specified in docs/formats/repository.md and events.md.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from aim.core import params
from aim.core.params import Path as ParamPath
from aim.core.params import Restore
from aim.core.words import counted
from aim.storage.disk import layout, unreadable
from aim.storage.forms import events, fold
from aim.storage.forms.events import Event, ParsedLines
from aim.storage.forms.fold import Line
from aim.storage.forms.state import BEGUN_S_MIN, Damage, RunState, WriterInfo, in_order

UNREADABLE = -1  # stands for the offset in a file that can't be read
SEQUENCE_KEYS = frozenset({"sequence", "point", "drop", "delete", "undelete"})  # of lines that change sequences


class LineSource(Protocol):
    """Where the lines of one run come from."""

    @property
    def writers(self) -> dict[str, WriterInfo]:
        """The writers of the run, by id; brought up to date by `read`."""

    @property
    def damage(self) -> Mapping[tuple[str, int], Damage]:
        """What could not be read, by file and offset."""

    @property
    def line_count(self) -> int:
        """How many lines were read."""

    def read(self) -> list[Line] | None:
        """
        Return the lines that are new since the last time, in any order; None when another run has taken the place of
        the one that was read: the next call then begins with its first line.

        Raises:
            FileNotFoundError: the run is gone.
        """

    def created_at_s(self) -> float:
        """Return when the run was created, for a run without a readable begin."""


class LineCollection:
    """
    The lines of one run that were read, wherever they come from: what they say of its writers, and their damage.

    Attributes:
        writers, damage, line_count: as of `LineSource`.
    """

    def __init__(self) -> None:
        self._forget()

    def _forget(self) -> None:
        self.writers: dict[str, WriterInfo] = {}
        self.damage: dict[tuple[str, int], Damage] = {}
        self.line_count = 0

    def take_events(self, writer: WriterInfo, lines: ParsedLines, file_name: str) -> list[Line]:
        """Take the lines that were added to the event file of *writer*."""
        writer.offset = lines.end_offset
        for offset, length in lines.bad_spans:
            problem = f"{counted(length, 'byte is', 'bytes are')} no event line"
            self.damage[file_name, offset] = Damage(file_name, f"byte {offset:,}", problem)
        fresh: list[Line] = []
        for event in lines.events:
            line = self._line(writer.id, event, writer.line_at_s)
            writer.take(line[0], event)
            fresh.append(line)
        return fresh

    def take_edit(self, content: bytes, file_name: str) -> list[Line]:
        """Take the content of an edit."""
        self.damage.pop((file_name, UNREADABLE), None)
        lines = events.parse(content)
        if len(lines.events) != 1 or lines.bad_spans or lines.end_offset != len(content):
            self.damage[file_name, 0] = Damage(file_name, "byte 0", "not a whole edit")
        return [self._line("edit", event) for event in lines.events]

    def _line(self, writer: str, event: Event, before_s: float = 0.0) -> Line:
        self.line_count += 1
        return events.seconds(event.get("at"), before_s), writer, self.line_count, event


class FolderLines(LineCollection):
    """The lines of the run in *folder*: the event files of its writers, and its edits. It is a `LineSource`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        super().__init__()

    def _forget(self) -> None:
        super()._forget()
        self._edits: set[str] = set()
        self._sizes: dict[str, int] = {}

    def read(self) -> list[Line] | None:
        """Return the new lines; see `LineSource`. Cost: one listing of the folder, and reading what was added."""
        event_files: set[str] = set()
        fresh: list[Line] = []
        with os.scandir(self._folder) as entries:
            for entry in entries:
                match = layout.WRITER_FILE.fullmatch(entry.name)
                if match:
                    # a writer whose event file is gone still has points
                    writer = self.writers.setdefault(match[1], WriterInfo(match[1]))
                    if match[2] == "events.jsonl":
                        event_files.add(entry.name)
                        self._read_events(Path(entry.path), writer, entry.stat(), fresh)
                elif layout.EDIT_FILE.fullmatch(entry.name):
                    if entry.name not in self._edits:
                        self._read_edit(Path(entry.path), fresh)
                elif complete := layout.COMPLETE_FILE.fullmatch(entry.name):
                    self.writers.setdefault(complete[1], WriterInfo(complete[1])).is_complete = True
        if not event_files.issuperset(self._sizes):
            self._forget()
            return None
        return fresh

    def created_at_s(self) -> float:
        """Return the time of the folder."""
        return self._folder.stat().st_mtime

    def _cannot_read(self, path: Path, error: OSError) -> None:
        self.damage[path.name, UNREADABLE] = Damage(path.name, "byte 0", unreadable.note(path, error))

    def _read_events(self, path: Path, writer: WriterInfo, stat: os.stat_result, fresh: list[Line]) -> None:
        writer.heard_at_s = stat.st_mtime
        if self._sizes.get(path.name) == stat.st_size:
            return
        try:
            lines = events.read(path, writer.offset)
        except FileNotFoundError:
            return
        except OSError as error:
            self._cannot_read(path, error)
            writer.unreadable = error
            return
        if writer.unreadable is not None:
            writer.unreadable = None
            self.damage.pop((path.name, UNREADABLE), None)
        self._sizes[path.name] = stat.st_size
        fresh += self.take_events(writer, lines, path.name)

    def _read_edit(self, path: Path, fresh: list[Line]) -> None:
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return
        except OSError as error:
            self._cannot_read(path, error)
            return
        self._edits.add(path.name)
        fresh += self.take_edit(content, path.name)


class RunLog:
    """
    Reads the state of the run in *folder*, and later what has changed. Several threads may share one.

    Args:
        restore: makes the objects among the params; without it they are dicts.
        source: where the lines come from; None: from the files of the folder.
    """

    def __init__(self, folder: Path, restore: Restore | None = None, source: LineSource | None = None) -> None:
        self.folder = folder
        self.run_hash = folder.name
        self._restore = restore
        self._source = source or FolderLines(folder)
        self._lock = (os.getpid(), threading.Lock())
        self._forget()

    def _forget(self) -> None:
        self._lines: list[Line] = []
        self._malformed: dict[tuple[str, int], Damage] = {}
        self._state = RunState(self.run_hash, writers=self._source.writers)

    def refresh(self) -> RunState:
        """
        Return the state as it is now. States that were returned before do not change, but for the heartbeats of their
        writers.

        Raises:
            FileNotFoundError: the run's folder is gone.

        Cost: one listing of the folder, and reading what was added.
        """
        if self._lock[0] != os.getpid():  # in the child of a fork: a thread of the parent may have held the lock
            self._lock = (os.getpid(), threading.Lock())
        with self._lock[1]:
            fresh = self._source.read()
            while fresh is None:
                self._forget()
                fresh = self._source.read()
            if fresh:
                self._add(fresh)
            return self._brought_up_to_date()

    def _add(self, fresh: list[Line]) -> None:
        fresh.sort(key=lambda line: line[:3])
        is_in_order = not self._lines or fresh[0][:2] >= self._lines[-1][:2]
        self._lines += fresh
        if is_in_order:
            self._state = _own_copy(self._state, fresh)
            self._fold(fresh)
        else:
            self._lines.sort(key=lambda line: line[:3])
            self._state = RunState(self.run_hash, writers=self._source.writers)
            self._fold(self._lines)

    def _fold(self, lines: list[Line]) -> None:
        state = self._state
        for line in lines:
            at_s, writer = line[:2]
            try:
                fold.apply(state, line, self._restore)
            except fold.MALFORMED as error:
                location = f"the event of {at_s:.6f}"
                self._malformed[writer, int(at_s * 1e6)] = Damage(writer, location, f"can't be understood: {error}")
            state.latest_at_s = max(state.latest_at_s, at_s)

    def _brought_up_to_date(self) -> RunState:
        state = self._state
        begins = [writer.begun_at_s or 0.0 for writer in state.writers.values()]
        begun = [begin_s for begin_s in begins if begin_s >= BEGUN_S_MIN]
        state.created_at_s = min(begun) if begun else self._source.created_at_s()
        damage = [*self._source.damage.values(), *self._malformed.values()]
        if damage != state.damage:
            state.damage = damage
        return state

    @property
    def lacks_files(self) -> bool:
        """Whether a file of lines could not be read at the last `refresh`; the next one tries it again."""
        return any(offset == UNREADABLE for _, offset in self._source.damage)

    @property
    def line_count(self) -> int:
        """How many event lines and edits were folded; it grows with each new one."""
        return self._source.line_count

    @property
    def params(self) -> Any:
        """A copy of the params of the last `refresh`, keys in order."""
        return self._state.params

    def params_with(self, restore: Restore) -> Any:
        """Return the params of the last `refresh`, with objects that *restore* makes. Cost: that of their lines."""
        state = RunState(self.run_hash)
        with self._lock[1]:
            lines = [line for line in self._lines if "set" in line[3] or "del" in line[3]]
        for line in lines:
            with contextlib.suppress(*fold.MALFORMED):  # `refresh` has told of it
                fold.apply(state, line, restore)
        return state.params

    def param(self, path: ParamPath) -> Any:
        """Return a copy of the param at *path*. Raises KeyError."""
        return in_order(params.get_at(self._state.tree, path))


def _own_copy(state: RunState, fresh: list[Line]) -> RunState:
    # a caller may still go through the state that it got: what the fresh lines change is copied
    changes_tree = any("set" in event or "del" in event for *_, event in fresh)
    changes_sequences = any(not SEQUENCE_KEYS.isdisjoint(event) for *_, event in fresh)
    copied = state.replaced(
        tree=in_order(state.tree) if changes_tree else state.tree,
        properties=dict(state.properties),
        tags=dict(state.tags),
        artifacts=dict(state.artifacts),
    )
    if changes_sequences:
        sequences = {key: sequence.copy() for key, sequence in state.sequences.items()}
        by_number = state.sequences_by_number.items()
        copied.sequences = sequences
        copied.sequences_by_number = {number: sequences[sequence.key] for number, sequence in by_number}
    return copied
