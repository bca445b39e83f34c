"""
What a writer records as event lines: params, properties, tags, artifacts, check-ins, declarations and rewinds.

All of it is rare. A line that the disk refuses is reported, not raised, and written with the next one.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from aim.__about__ import __version__
from aim.core import clock, params
from aim.core.masking import masked_arguments
from aim.storage.disk import layout
from aim.storage.disk.refusals import Refusals
from aim.storage.forms.events import EventLog
from aim.storage.forms.history import Rewind
from aim.storage.recording.lifecycle import Lifecycle


def about_this_process(run_hash: str, writer: str, *, ships: bool = False) -> dict[str, Any]:
    """
    Return what a writer's first line says: docs/formats/events.md, `begin`.

    Args:
        ships: whether the files of the writer are shipped to a server.
    """
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
        **({"spool": True} if ships else {}),
    }


class EventLines:
    """
    The event lines of a writer.

    Attributes:
        log: the event file of this process.
    """

    def __init__(self, lifecycle: Lifecycle, refusals: Refusals, log: EventLog) -> None:
        self._lifecycle = lifecycle
        self._refusals = refusals
        self.log = log

    def append(self, event: Mapping[str, Any]) -> None:
        """Append a line; after the end of the process it is left out. Raises RunClosed."""
        self.append_all((event,))

    def append_all(self, events: Sequence[Mapping[str, Any]]) -> None:
        """Append lines in one write; after the end of the process they are left out. Raises RunClosed."""
        if self._lifecycle.is_left_out():
            return
        with self._lifecycle.lock:  # so that no line follows the end event
            if self._lifecycle.admits():
                try:
                    self.log.append_all(events)
                except OSError as error:
                    self._refusals.report(error)

    def seize(self) -> None:
        """Write what waits for an append that is interrupted, and not continued before the run ends."""
        try:
            self.log.seize()
        except OSError as error:
            self._refusals.report(error)

    def set_param(self, path: params.Path, value: object, *, strict: bool = True) -> None:
        """Set the param at *path*, in place of what it holds."""
        where = params.dotted(path) or "params"
        self.append({"set": list(path), "value": params.encode(value, where, strict=strict)})

    def delete_param(self, path: params.Path) -> None:
        """Delete a param and all below it."""
        self.append({"del": list(path)})

    def set_property(self, **properties: object) -> None:
        """Set name, description, experiment, archived ..."""
        self.append({"property": properties})

    def change_tags(self, add: Sequence[str] = (), remove: Sequence[str] = ()) -> None:
        """Add and remove tags, by name."""
        self.append({"tags": {"add": list(add), "remove": list(remove)}})

    def check_in(self, promise: Mapping[str, Any]) -> None:
        """Record that the work goes on, or is done (check_ins.py)."""
        self.append({"check_in": dict(promise)})

    def add_alert(self, title: str, text: str, level: str) -> None:
        """Record an alert (run_alerts.py)."""
        self.append({"alert": {"title": title, "text": text, "level": level}})

    def add_artifact(self, artifact: Mapping[str, Any]) -> None:
        """Record that a file is stored (artifact_records.py)."""
        self.append({"artifact": dict(artifact)})

    def add_exact_point(self, sequence: int, value: int, step: int, epoch: float, at_s: float | None = None) -> None:
        """Record an integer that a double can't hold; *at_s*: its time, by default that of the line."""
        stored_epoch = epoch if math.isfinite(epoch) else None
        moment = {} if at_s is None else {"time": round(at_s, 6)}
        self.append({"point": sequence, "step": step, "epoch": stored_epoch, "value": value, **moment})

    def declare(self, sequences: Sequence[tuple[int, str, Mapping[str, Any], str]]) -> None:
        """Announce sequences before their first points: of each the number, the name, the context and the kind."""
        self.append_all(
            [
                {"sequence": number, "name": name, "context": params.encode(dict(context)), "kind": kind}
                for number, name, context, kind in sequences
            ]
        )

    def rewind(self, step: int, recorded_at_s: float) -> Rewind:
        """Hide what was recorded until now at later steps than *step*; the line is later than *recorded_at_s*."""
        with self._lifecycle.lock:
            self.advance_clock(recorded_at_s)
            self.append({"rewind": step})
            return Rewind(step, self.log.at_s)

    def advance_clock(self, at_s: float) -> bool:
        """Give no line from now on an earlier time than *at_s*; return whether the last line is earlier."""
        is_later = at_s > self.log.at_s
        self.log.at_s = max(self.log.at_s, at_s)
        return is_later
