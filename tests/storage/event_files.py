"""
Event files as tests write them: single lines of writers that never ran.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from aim.core import clock
from aim.storage.forms import events

ONE, OTHER = "0a1b2c3d", "ffffffff"


def lines_of(folder: Path, writer: str, *line_events: dict[str, Any]) -> Path:
    """Append lines to a writer's event file."""
    path = folder / f"{writer}.events.jsonl"
    with open(path, "ab") as file:
        file.write(b"".join(events.encode(event) for event in line_events))
    return path


def begin(at_s: float, **changed: Any) -> dict[str, Any]:
    """Return a `begin` line of this process."""
    process = clock.this_process()
    who = {
        "host": process.host,
        "pid": process.pid,
        "boot": process.boot,
        "process": process.start,
        "pids": process.namespace,
    }
    return {"at": at_s, "begin": {"format": 1, **who, **changed}}


def end(at_s: float, how: str = "finished", error: str | None = None) -> dict[str, Any]:
    """Return an `end` line."""
    return {"at": at_s, "end": {"state": how, "error": error}}
