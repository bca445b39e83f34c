"""
What a writer records as event lines: params, properties, tags, artifacts, check-ins, and rewinds.

All of it is rare, and goes through `_append`, which never raises what the disk says: see writer.py.
"""

from __future__ import annotations

import sys
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from aim.__about__ import __version__
from aim.core import clock, kinds, params
from aim.core.masking import masked_arguments
from aim.storage.disk import layout
from aim.storage.forms import history
from aim.storage.forms.events import EventLog
from aim.storage.forms.history import Rewind
from aim.storage.forms.journal import Segment
from aim.storage.recording.encoding import EncodingQueue
from aim.storage.recording.sequence_writer import EarlierWriters, SequenceWriter


def about_this_process(run_hash: str, writer: str) -> dict[str, Any]:
    """Return what a writer's first line says: docs/formats/events.md, `begin`."""
    process = clock.this_process()
    return {
        "format": layout.FORMAT_NUMBER,
        "run": run_hash,
        "writer": writer,
        "host": process.host,
        "pid": process.pid,
        "boot": process.boot,
        "process": process.start,
        "pids": process.namespace,
        "python": sys.version.split()[0],
        "aim": __version__,
        "command": masked_arguments(getattr(sys, "argv", ())),
    }


class WriterEvents:
    """
    The event lines of a `Writer`; see there.

    Attributes:
        earliest_at_s: no point that comes from now on has an earlier time.
    """

    lock: Any
    events: EventLog
    encoding: EncodingQueue
    earliest_at_s: float = 0.0
    _retired_at_s: float = 0.0  # the latest time of a point in a segment that is done with
    _segments: list[Segment]
    _sequences: dict[tuple[str, str], SequenceWriter]
    _past: Mapping[tuple[str, str], EarlierWriters] | None

    @abstractmethod
    def _append(self, event: Mapping[str, Any]) -> None:
        """Append an event line."""

    @abstractmethod
    def check_open(self) -> None:
        """Raise `RunClosed` after the end."""

    def set_param(self, path: params.Path, value: object, *, strict: bool = True) -> None:
        """Put a param at *path*, in place of what is there."""
        where = params.dotted(path) or "params"
        self._append({"set": list(path), "value": params.encode(value, where, strict=strict)})

    def delete_param(self, path: params.Path) -> None:
        """Take away a param and all below it."""
        self._append({"del": list(path)})

    def set_property(self, **properties: object) -> None:
        """Set name, description, experiment, archived ..."""
        self._append({"property": properties})

    def change_tags(self, add: Sequence[str] = (), remove: Sequence[str] = ()) -> None:
        """Add and remove tags, by name."""
        self._append({"tags": {"add": list(add), "remove": list(remove)}})

    def check_in(self, said: Mapping[str, Any]) -> None:
        """Say that the work goes on, or is done (check_ins.py)."""
        self._append({"check_in": dict(said)})

    def add_artifact(self, artifact: Mapping[str, Any]) -> None:
        """Say that a file is stored (artifact_records.py)."""
        self._append({"artifact": dict(artifact)})

    def rewind(self, step: int, seen_at_s: float = 0.0) -> Rewind:
        """
        Hide what was recorded until now at later steps than *step*; values without a step go on after it.

        Args:
            seen_at_s: the newest time that is known of the run; the rewind is later, however wrong the clocks are.

        Cost: waits for objects that are being encoded; else some 20 us, and 1 ms for 50,000 points of this process.
        """
        self.encoding.wait_until_done()  # they carry the time of their `track`
        with self.lock:
            self.check_open()
            recorded_at_s = max((one.latest_at_s() for one in self._segments), default=0.0)
            self.events.at_s = max(self.events.at_s, seen_at_s, recorded_at_s, self._retired_at_s)
            self._append({"rewind": step})
            rewind = Rewind(step, self.events.at_s)
            self.set_earliest_time(rewind.time_s)
            for sequence in tuple(self._sequences.values()):
                if history.is_rewound(sequence.name) and not sequence.kinds & kinds.LOG_KINDS:
                    sequence.rewind(step)
            for key, past in (self._past or {}).items():
                if history.is_rewound(key[0]) and not past.kinds & kinds.LOG_KINDS:
                    upcoming = history.next_step(past.next_step, [rewind])
                    self._past = {**(self._past or {}), key: replace(past, next_step=upcoming)}
            return rewind

    def advance_clock(self, seen_at_s: float) -> None:
        """
        Record nothing from now on as earlier than *seen_at_s*, the newest time that others have recorded: what is
        written later counts, also when the clock of this host is behind theirs.
        """
        with self.lock:
            if seen_at_s > self.events.at_s:
                self.events.at_s = seen_at_s
                self.set_earliest_time(seen_at_s)

    def set_earliest_time(self, moment_s: float) -> None:
        """
        Return no point from now on a time before *moment_s*: while the clock is behind, points have that time.

        It is for whoever hides what was recorded up to a moment: what this process records next must not be hidden
        because the clock was set back, or stands still for a moment.
        """
        with self.lock:
            self.earliest_at_s = max(self.earliest_at_s, moment_s)
            for sequence in tuple(self._sequences.values()):
                sequence.recheck_clock()
