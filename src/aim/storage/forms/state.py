"""
What is known of a run without its points: params, properties, tags, sequences, writers and status.

`fold.py` makes it of event lines and edits, `run_log.py` reads these. Specified in docs/formats/repository.md and
events.md.
"""

from __future__ import annotations

import copy
import time
from typing import Any

from aim.core import clock, params
from aim.core.kinds import NUMBERS, is_numeric_sequence
from aim.core.plain_objects import PlainObject
from aim.core.statuses import FAILED, FINISHED, LOST, RUNNING
from aim.core.tuples import NamedTuple
from aim.storage.forms import history
from aim.storage.forms.artifact_records import ArtifactRecord
from aim.storage.forms.check_ins import CheckIn
from aim.storage.forms.events import Event
from aim.storage.forms.gaps import Gap
from aim.storage.forms.history import Deletion, ForkedFrom, Rewind
from aim.storage.forms.run_alerts import RunAlert

HEARTBEAT_FRESH_S = 60.0  # a writer on another host whose event file was touched within this is alive
SILENT_S = 24 * 3600.0  # a writer without a sign of life for this long has ended
SPOOL_SILENT_S = 30 * 24 * 3600.0  # the same for one that ships from a spool: its network may be away for weeks
BEGUN_S_MIN = 1e-3  # an earlier begin is of a clock that was not believed
DEFAULT_EXPERIMENT = "default"

SequenceKey = tuple[str, str]
"""Name, and the text of the context."""


class Damage(NamedTuple):
    """
    A part of a file that is not what was written.

    Attributes:
        file: its name.
        location: where in the file: "byte 4,096", "the footer" ...
        problem: what is wrong there.
    """

    file: str
    location: str
    problem: str


class SequencePart(NamedTuple):
    """One writer's share of a sequence, of one kind."""

    writer: str
    number: int
    kind: str


class ExactPoint(NamedTuple):
    """A point whose value a double can't hold; it is recorded as an event line."""

    step: int
    time_s: float
    epoch: float | None
    value: int
    writer: str


class SequenceState(PlainObject):
    """One sequence of the run, of all writers."""

    def __init__(
        self,
        name: str,
        context: dict[str, Any],
        text: str,
        parts: list[SequencePart] | None = None,
        exact_points: list[ExactPoint] | None = None,
        dropped_at_s: float = 0.0,
        deletions: list[Deletion] | None = None,
    ) -> None:
        self.name = name
        self.context = context
        self.text = text
        self.parts: list[SequencePart] = [] if parts is None else parts
        self.exact_points: list[ExactPoint] = [] if exact_points is None else exact_points
        self.dropped_at_s = dropped_at_s
        self.deletions: list[Deletion] = [] if deletions is None else deletions

    @property
    def key(self) -> SequenceKey:
        """Name and the text of the context."""
        return (self.name, self.text)

    @property
    def kind(self) -> str:
        """`int`, `float`, `number` for both, or its objects' type, such as `list(aim.image)`; "" without parts."""
        if len(self.parts) == 1:
            return self.parts[0].kind
        kinds = {part.kind for part in self.parts}
        if kinds == NUMBERS:
            return "number"
        if len(kinds) > 1:
            kinds.discard("list")
        return min(kinds, default="")

    @property
    def is_numeric(self) -> bool:
        """Whether its values are numbers."""
        return is_numeric_sequence(self.kind)

    @property
    def is_rewound(self) -> bool:
        """Whether rewinds hide points of it."""
        return history.is_rewound(self.name, self.kind)

    def copy(self) -> SequenceState:
        """Return a copy whose lists are its own."""
        return self.replaced(
            parts=list(self.parts),
            exact_points=list(self.exact_points),
            deletions=list(self.deletions),
        )


class WriterInfo(PlainObject):
    """
    One writer of the run.

    Attributes:
        heard_at_s: when it last showed that it was alive.
        line_at_s: the time of its last line in the file.
        unreadable: why its event file can't be read; None: it can. Without it only the id is known.
        is_complete: whether whoever ships it has said that it records no more and that all of it is here.
    """

    def __init__(
        self,
        id: str,
        begin: Event | None = None,
        begun_at_s: float | None = None,
        end: Event | None = None,
        ended_at_s: float | None = None,
        heard_at_s: float = 0.0,
        line_at_s: float = 0.0,
    ) -> None:
        self.id = id
        self.begin = begin
        self.begun_at_s = begun_at_s
        self.end = end
        self.ended_at_s = ended_at_s
        self.heard_at_s = heard_at_s
        self.line_at_s = line_at_s
        self.offset = 0
        self.unreadable: OSError | None = None
        self.is_complete = False

    def take(self, at_s: float, event: Event) -> None:
        """Take the begin or the end of the writer from one of its lines, of the time *at_s*."""
        self.line_at_s = at_s
        if "begin" in event and isinstance(event["begin"], dict):
            self.begin, self.begun_at_s = event["begin"], at_s
        elif "end" in event and isinstance(event["end"], dict):
            self.end, self.ended_at_s = event["end"], at_s

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

    @property
    def ships(self) -> bool:
        """Whether it records into a spool, from where its files are shipped to a server."""
        return self.begin is not None and self.begin.get("spool") is True

    @property
    def arrives(self) -> bool:
        """Whether it ships from another host: what there is of it here came through a server."""
        process = self.process()
        return self.ships and process is not None and process.boot != clock.boot_id()

    def _is_process_alive(self) -> bool | None:
        """Whether the process still runs; None when that can't be seen from here."""
        process = self.process()
        if process is None or self.arrives:
            return None  # many hosts of a cluster may have one name
        return clock.is_alive(process)

    def is_alive(self, now_s: float) -> bool:
        """Whether the writer still records (events.md, Status)."""
        if self.end is not None:
            return False
        alive = self._is_process_alive()
        return now_s - self.heard_at_s < HEARTBEAT_FRESH_S if alive is None else alive

    def has_ended(self, now_s: float) -> bool:
        """
        Whether the writer will record no more, so that it may be sealed.

        Of a writer that ships, the dead process says nothing: a part of the journal may still be in its spool.
        """
        if self.end is not None:
            return True
        if self.ships:
            return self.is_complete or now_s - self.heard_at_s > SPOOL_SILENT_S
        alive = self._is_process_alive()
        return now_s - self.heard_at_s > SILENT_S if alive is None else not alive


class RunState(PlainObject):
    """
    A run without its points.

    Attributes:
        tree: params as plain nested values; `params` is a copy in order.
        properties: name, description, experiment, archived ..., those that were set.
        tags: names, in the order they were added.
        sequences: by name and text of context.
        sequences_by_number: by writer, and the number that it gave the sequence.
        damage: lines and edits that failed their check.
        check_in: the latest one.
        alerts: those that the training recorded, in the order of time.
        artifacts: the latest of each name.
        rewinds: ordered by time.
        forked_from: the run that this one continues.
        gaps: what was lost because a disk refused it.
        retraction_count: how often points were hidden or shown again: rewinds, drops, deletions and what undid them.
    """

    def __init__(self, run_hash: str, **others: Any) -> None:
        self.run_hash = run_hash
        self.tree: Any = {}
        self.properties: dict[str, Any] = {}
        self.tags: dict[str, float] = {}
        self.sequences: dict[SequenceKey, SequenceState] = {}
        self.writers: dict[str, WriterInfo] = {}
        self.sequences_by_number: dict[tuple[str, int], SequenceState] = {}
        self.damage: list[Damage] = []
        self.latest_at_s = 0.0
        self.created_at_s = 0.0
        self.check_in: CheckIn | None = None
        self.alerts: tuple[RunAlert, ...] = ()
        self.artifacts: dict[str, ArtifactRecord] = {}
        self.rewinds: tuple[Rewind, ...] = ()
        self.forked_from: ForkedFrom | None = None
        self.gaps: tuple[Gap, ...] = ()
        self.retraction_count = 0
        if not others.keys() <= vars(self).keys():
            raise TypeError(f"A RunState has none of {sorted(others.keys() - vars(self).keys())}.")
        vars(self).update(others)

    @property
    def params(self) -> Any:
        """A copy of the params, keys in order."""
        return in_order(self.tree)

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
        state = last.end.get("state")
        return (state if state in (FAILED, LOST) else FINISHED), last.ended_at_s

    def error(self) -> str | None:
        """The class of the exception that ended the run, if one did."""
        ended = [writer for writer in self.writers.values() if writer.end is not None]
        if not ended:
            return None
        last = max(ended, key=lambda writer: writer.ended_at_s or 0.0)
        error: str | None = (last.end or {}).get("error")
        return error


def in_order(value: Any) -> Any:
    """Return a copy of params, with the keys of dicts in the stored order."""
    if isinstance(value, dict):
        return params.ordered({key: in_order(member) for key, member in value.items()})
    if isinstance(value, list):
        return [in_order(member) for member in value]
    return copy.copy(value) if isinstance(value, bytearray) else value
