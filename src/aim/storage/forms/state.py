"""
A run without its points: params, properties, tags, sequences and status, folded from event lines and edits.

    state = fold of  set, del, property, tags, sequence, point, rewind, drop ...  in the order of (at, writer, line)

The fold is the same for lines of writers and for edits. `RunLog` reads what is new since the last time; lines that come
in order are folded on top, a late one leads to a new fold. Specified in docs/formats/repository.md and events.md.
"""

from __future__ import annotations

import copy
import os
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from aim.core import clock, contexts, params
from aim.core.params import Path as ParamPath
from aim.core.params import Restore
from aim.core.statuses import FAILED, FINISHED, LOST, RUNNING
from aim.core.words import counted
from aim.storage.disk import layout, unreadable
from aim.storage.forms import events, history
from aim.storage.forms.artifact_records import ArtifactRecord
from aim.storage.forms.check_ins import CheckIn
from aim.storage.forms.events import Event
from aim.storage.forms.history import Deletion, ForkedFrom, Rewind

HEARTBEAT_FRESH_S = 60.0  # a writer on another host whose event file was touched within this is alive
SILENT_S = 24 * 3600.0  # a writer that was not heard of for this long has ended
SECONDS_MAX = 1e12  # in the year 33,658; beyond it a time is damage
DEFAULT_EXPERIMENT = "default"
SEQUENCE_KEYS = frozenset({"sequence", "point", "drop", "delete", "undelete"})  # of lines that change sequences
UNREADABLE = -1  # in the place of an offset: of a file that can't be read
RETRACTION_KEYS = frozenset({"rewind", "drop", "delete", "undelete"})

SequenceKey = tuple[str, str]
"""Name, and the text of the context."""


@dataclass(frozen=True)
class Damage:
    """Something in a file that is not what was written."""

    file: str
    location: str
    problem: str


@dataclass(frozen=True)
class SequencePart:
    """One writer's share of a sequence, of one kind."""

    writer: str
    number: int
    kind: str


@dataclass(frozen=True)
class ExactPoint:
    """A point whose value a double can't hold; it is recorded as an event line."""

    step: int
    time_s: float
    epoch: float | None
    value: int
    writer: str


@dataclass
class SequenceState:
    """One sequence of the run, of all writers."""

    name: str
    context: dict[str, Any]
    text: str
    parts: list[SequencePart] = field(default_factory=list)
    exact_points: list[ExactPoint] = field(default_factory=list)
    dropped_at_s: float = 0.0
    deletions: list[Deletion] = field(default_factory=list)

    @property
    def key(self) -> SequenceKey:
        """Name and the text of the context."""
        return (self.name, self.text)

    @property
    def kind(self) -> str:
        """`int`, `float`, `number` for both, or its objects' type, such as `list(aim.image)`; "" without parts."""
        kinds = {part.kind for part in self.parts}
        if kinds == {"int", "float"}:
            return "number"
        if len(kinds) > 1:
            kinds.discard("list")
        return min(kinds, default="")

    @property
    def is_numeric(self) -> bool:
        """Whether its values are numbers."""
        return self.kind in ("int", "float", "number")

    @property
    def is_rewound(self) -> bool:
        """Whether rewinds hide points of it."""
        return history.is_rewound(self.name, self.kind)


@dataclass
class WriterInfo:
    """
    One writer of the run.

    Attributes:
        unreadable: why its event file can't be read, if so: then nothing is known of it but that it is there.
    """

    id: str
    begin: Event | None = None
    begun_at_s: float | None = None
    end: Event | None = None
    ended_at_s: float | None = None
    heard_at_s: float = 0.0
    offset: int = 0
    unreadable: OSError | None = None

    def process(self) -> clock.Process | None:
        """The process that is or was this writer; None when its first line is damaged."""
        if self.begin is None:
            return None
        begin = self.begin
        pid = begin.get("pid")
        return clock.Process(
            begin.get("host", ""),
            begin.get("boot"),
            pid if isinstance(pid, int) else 0,
            begin.get("process"),
            begin.get("pids"),
        )

    def is_alive(self, now_s: float) -> bool:
        """Whether the writer still records (events.md, Status)."""
        if self.end is not None:
            return False
        process = self.process()
        alive = clock.is_alive(process) if process else None
        return now_s - self.heard_at_s < HEARTBEAT_FRESH_S if alive is None else alive

    def has_ended(self, now_s: float) -> bool:
        """Whether the writer will record no more, so that it may be sealed."""
        if self.end is not None:
            return True
        process = self.process()
        alive = clock.is_alive(process) if process else None
        return now_s - self.heard_at_s > SILENT_S if alive is None else not alive


@dataclass
class RunState:
    """
    What is known of a run without its points.

    Attributes:
        tree: params as plain nested values; use `RunLog.params` for a copy in order.
        properties: name, description, experiment, archived ... as far as they were set.
        tags: names, in the order they were added.
        sequences: by name and text of context.
        sequences_by_number: by writer, and the number that it gave the sequence.
        damage: lines and edits that failed their check.
        check_in: the latest one.
        artifacts: what is stored, by name.
        rewinds: in the order of time.
        forked_from: the run that this one goes on from.
        retraction_count: how often points were hidden or shown again: rewinds, drops, deletions and what undid them.
    """

    run_hash: str
    tree: Any = field(default_factory=dict)
    properties: dict[str, Any] = field(default_factory=dict)
    tags: dict[str, float] = field(default_factory=dict)
    sequences: dict[SequenceKey, SequenceState] = field(default_factory=dict)
    writers: dict[str, WriterInfo] = field(default_factory=dict)
    sequences_by_number: dict[tuple[str, int], SequenceState] = field(default_factory=dict)
    damage: list[Damage] = field(default_factory=list)
    latest_at_s: float = 0.0
    created_at_s: float = 0.0
    check_in: CheckIn | None = None
    artifacts: dict[str, ArtifactRecord] = field(default_factory=dict)
    rewinds: tuple[Rewind, ...] = ()
    forked_from: ForkedFrom | None = None
    retraction_count: int = 0

    @property
    def name(self) -> Any:
        """The name a user gave, or `Run: <hash>`."""
        return self.properties.get("name", f"Run: {self.run_hash}")

    @property
    def experiment(self) -> str | None:
        """The experiment; `default` when none was given."""
        experiment: str | None = self.properties.get("experiment", DEFAULT_EXPERIMENT)
        return experiment

    def status(self, now_s: float | None = None) -> tuple[str, float | None]:
        """
        Return `running`, `finished`, `failed` or `lost`, and when the run ended.
        """
        moment = time.time() if now_s is None else now_s
        if any(writer.is_alive(moment) for writer in self.writers.values()):
            return RUNNING, None
        if not self.writers:
            return LOST, self.created_at_s
        last = max(self.writers.values(), key=lambda writer: (writer.ended_at_s or writer.heard_at_s, writer.id))
        if last.end is None:
            return LOST, last.heard_at_s
        return (FAILED if last.end.get("state") == "failed" else FINISHED), last.ended_at_s

    def error(self) -> str | None:
        """The class of the exception that ended the run, if one did."""
        ended = [writer for writer in self.writers.values() if writer.end is not None]
        if not ended:
            return None
        last = max(ended, key=lambda writer: writer.ended_at_s or 0.0)
        error: str | None = (last.end or {}).get("error")
        return error


class RunLog:
    """
    Reads the state of the run in *folder*, and what is new since. Several threads may share one.

    Args:
        restore: makes the objects among the params; without it they are dicts.
    """

    def __init__(self, folder: Path, restore: Restore | None = None) -> None:
        self.folder = folder
        self.run_hash = folder.name
        self._restore = restore
        self._lock = (os.getpid(), threading.Lock())
        self._forget()

    def _forget(self) -> None:
        self._lines: list[tuple[float, str, int, Event]] = []
        self._edits: set[str] = set()
        self._state = RunState(self.run_hash)
        self._damage: dict[tuple[str, int], Damage] = {}
        self._sizes: dict[str, int] = {}
        self._count = 0

    def refresh(self) -> RunState:
        """
        Return the state as it is now. A state that was given before is not changed, but for its writers' heartbeats.

        Raises:
            FileNotFoundError: the run's folder is gone.

        Cost: one listing of the folder, and reading what was added.
        """
        if self._lock[0] != os.getpid():  # the child of a fork may have got the lock of a thread that it has not
            self._lock = (os.getpid(), threading.Lock())
        with self._lock[1]:
            return self._refresh()

    def _refresh(self) -> RunState:
        seen: set[str] = set()
        fresh: list[tuple[float, str, int, Event]] = []
        with os.scandir(self.folder) as entries:
            for entry in entries:
                match = layout.WRITER_FILE.fullmatch(entry.name)
                if match:
                    # a writer whose event file is gone still has points
                    facts = self._state.writers.setdefault(match[1], WriterInfo(match[1]))
                    if match[2] == "events.jsonl":
                        seen.add(entry.name)
                        self._read_events(Path(entry.path), facts, entry.stat(), fresh)
                elif layout.EDIT_FILE.fullmatch(entry.name) and entry.name not in self._edits:
                    self._read_edit(Path(entry.path), fresh)
        if not seen.issuperset(self._sizes):  # another run under the same name: begin anew
            self._forget()
            return self._refresh()
        if fresh:
            fresh.sort(key=lambda line: line[:3])
            in_order = not self._lines or fresh[0][:2] >= self._lines[-1][:2]
            self._lines += fresh
            if in_order:
                self._state = _own_copy(self._state, fresh)
                self._fold(fresh)
            else:
                self._lines.sort(key=lambda line: line[:3])
                self._state = RunState(self.run_hash, writers=self._state.writers)
                self._fold(self._lines)
        begun = [writer.begun_at_s for writer in self._state.writers.values() if writer.begun_at_s is not None]
        self._state.created_at_s = min(begun) if begun else self.folder.stat().st_mtime
        damage = list(self._damage.values())
        if damage != self._state.damage:
            self._state.damage = damage
        return self._state

    @property
    def lacks_files(self) -> bool:
        """Whether a file of lines could not be read at the last `refresh`; the next one asks for it again."""
        return any(place == UNREADABLE for _, place in self._damage)

    def _cannot_read(self, path: Path, error: OSError) -> None:
        self._damage[(path.name, UNREADABLE)] = Damage(path.name, "byte 0", unreadable.note(path, error))

    def _read_events(self, path: Path, facts: WriterInfo, stat: os.stat_result, fresh: list[Any]) -> None:
        facts.heard_at_s = stat.st_mtime
        if self._sizes.get(path.name) == stat.st_size:
            return
        try:
            lines = events.read(path, facts.offset)
        except FileNotFoundError:
            return
        except OSError as error:
            self._cannot_read(path, error)
            facts.unreadable = error
            return
        if facts.unreadable is not None:
            facts.unreadable = None
            self._damage.pop((path.name, UNREADABLE), None)
        self._sizes[path.name] = stat.st_size
        facts.offset = lines.end_offset
        for offset, length in lines.bad_spans:
            found = f"{counted(length, 'byte is', 'bytes are')} no event line"
            self._damage[(path.name, offset)] = Damage(path.name, f"byte {offset:,}", found)
        for event in lines.events:
            self._count += 1
            at_s = _seconds(event.get("at"))
            if "begin" in event and isinstance(event["begin"], dict):
                facts.begin, facts.begun_at_s = event["begin"], at_s
            elif "end" in event and isinstance(event["end"], dict):
                facts.end, facts.ended_at_s = event["end"], at_s
            fresh.append((at_s, facts.id, self._count, event))

    def _read_edit(self, path: Path, fresh: list[Any]) -> None:
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return
        except OSError as error:
            self._cannot_read(path, error)
            return
        self._edits.add(path.name)
        self._damage.pop((path.name, UNREADABLE), None)
        lines = events.parse(data)
        if len(lines.events) != 1 or lines.bad_spans or lines.end_offset != len(data):
            self._damage[(path.name, 0)] = Damage(path.name, "byte 0", "not a whole edit")
        for event in lines.events:
            self._count += 1
            fresh.append((_seconds(event.get("at")), "edit", self._count, event))

    def _fold(self, lines: list[tuple[float, str, int, Event]]) -> None:
        for at_s, writer, _, event in lines:
            try:
                _apply(self._state, at_s, writer, event, self._restore)
            except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError, RecursionError) as error:
                place = f"the event of {at_s:.6f}"
                self._damage[(writer, int(at_s * 1e6))] = Damage(writer, place, f"can't be understood: {error}")
            self._state.latest_at_s = max(self._state.latest_at_s, at_s)

    @property
    def line_count(self) -> int:
        """How many event lines and edits were folded; grows when there is something new."""
        return self._count

    @property
    def params(self) -> Any:
        """A copy of the params of the last `refresh`, keys in order."""
        return _in_order(self._state.tree)

    def param(self, path: ParamPath) -> Any:
        """Return a copy of what is at *path* in `params`. Raises KeyError."""
        return _in_order(params.get_at(self._state.tree, path))


def _own_copy(state: RunState, fresh: list[tuple[float, str, int, Event]]) -> RunState:
    # what somebody else may be going through stays as it is
    changes_tree = any("set" in event or "del" in event for *_, event in fresh)
    changes_sequences = any(not SEQUENCE_KEYS.isdisjoint(event) for *_, event in fresh)
    copied = replace(
        state,
        tree=_in_order(state.tree) if changes_tree else state.tree,
        properties=dict(state.properties),
        tags=dict(state.tags),
        artifacts=dict(state.artifacts),
    )
    if changes_sequences:
        moved = {
            key: replace(
                facts, parts=list(facts.parts), exact_points=list(facts.exact_points), deletions=list(facts.deletions)
            )
            for key, facts in state.sequences.items()
        }
        copied.sequences = moved
        copied.sequences_by_number = {number: moved[facts.key] for number, facts in state.sequences_by_number.items()}
    return copied


def _seconds(at: object) -> float:
    return float(at) if isinstance(at, (int, float)) and abs(at) < SECONDS_MAX else 0.0


def _apply(state: RunState, at_s: float, writer: str, event: Event, restore: Restore | None) -> None:
    if "set" in event:
        path = tuple(event["set"])
        state.tree = params.set_at(state.tree, path, params.decode(event["value"], restore))
    if "del" in event:
        state.tree = params.delete_at(state.tree, tuple(event["del"]))
    if "property" in event:
        state.properties.update(event["property"])
    if "tags" in event:
        for tag in event["tags"].get("remove", ()):
            state.tags.pop(tag, None)
        for tag in event["tags"].get("add", ()):
            state.tags.setdefault(tag, at_s)
    if "sequence" in event and "kind" in event:
        facts = _facts(state, event["name"], params.decode(event["context"]))
        part = SequencePart(writer, int(event["sequence"]), str(event["kind"]))
        if part not in facts.parts:
            facts.parts.append(part)
        state.sequences_by_number[(writer, part.number)] = facts
    if "check_in" in event:
        state.check_in = CheckIn.from_event(at_s, event["check_in"])
    if "artifact" in event:
        record = ArtifactRecord.from_event(at_s, event["artifact"])
        state.artifacts[record.name] = record
    if "point" in event:
        _add_exact(state, at_s, writer, event)
    if "forked_from" in event:
        state.forked_from = ForkedFrom.from_event(at_s, event["forked_from"])
    if not RETRACTION_KEYS.isdisjoint(event):
        _take_back(state, at_s, event)


def _take_back(state: RunState, at_s: float, event: Event) -> None:
    if "rewind" in event:
        state.rewinds += (Rewind(int(event["rewind"]), at_s),)
    for key in ("drop", "delete", "undelete"):
        for entry in event.get(key, ()):
            known = state.sequences.get(history.sequence_key(entry))
            if known is None:  # a sequence that comes later has no point from before
                continue
            if key == "drop":
                known.dropped_at_s = max(known.dropped_at_s, at_s)
            elif key == "delete":
                known.deletions.append(Deletion.from_entry(at_s, entry))
            else:
                undone = Deletion.from_entry(float(entry["at"]), entry)
                known.deletions = [deletion for deletion in known.deletions if deletion != undone]
    state.retraction_count += 1


def _facts(state: RunState, name: str, context: Mapping[str, Any]) -> SequenceState:
    key = (name, contexts.text(context))
    facts = state.sequences.get(key)
    if facts is None:
        facts = state.sequences[key] = SequenceState(name, dict(context), key[1])
    return facts


def _add_exact(state: RunState, at_s: float, writer: str, event: Event) -> None:
    number = int(event["point"])
    facts = state.sequences_by_number.get((writer, number))
    if facts is None:
        raise ValueError(f"no sequence has the number {number}")
    time_s = _seconds(event["time"]) if "time" in event else at_s
    facts.exact_points.append(ExactPoint(int(event["step"]), time_s, event["epoch"], int(event["value"]), writer))


def _in_order(value: Any) -> Any:
    if isinstance(value, dict):
        return params.ordered({key: _in_order(item) for key, item in value.items()})
    if isinstance(value, list):
        return [_in_order(item) for item in value]
    return copy.copy(value) if isinstance(value, (bytearray,)) else value
