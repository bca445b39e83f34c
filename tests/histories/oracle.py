"""
The tracker of dicts and lists: what a repository should hold after any history of calls, obviously.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any

SequenceName = tuple[str, tuple[tuple[str, Any], ...]]


@dataclass
class OracleSequence:
    """One sequence: the latest point of each step, and per writer the next automatic step."""

    points: dict[int, tuple[Any, float | None]] = field(default_factory=dict)
    next_step: dict[int, int] = field(default_factory=dict)

    def track(self, writer: int, value: Any, step: int | None, epoch: float | None) -> None:
        """Record as `SequenceWriter.track` does."""
        upcoming = self.next_step[writer]
        at = upcoming if step is None else step
        self.next_step[writer] = max(upcoming, at + 1)
        self.points[at] = (value, epoch)

    def contents(self) -> list[tuple[int, Any, float | None]]:
        """Return (step, value, epoch), ascending."""
        return [(step, *self.points[step]) for step in sorted(self.points)]


@dataclass
class OracleRun:
    """One run."""

    params: dict[str, Any] = field(default_factory=dict)
    name: str | None = None
    archived: bool = False
    tags: list[str] = field(default_factory=list)
    sequences: dict[SequenceName, OracleSequence] = field(default_factory=dict)

    seen_by: set[int] = field(default_factory=set)

    def sequence(self, writer: int, name: SequenceName) -> OracleSequence:
        """
        Return a sequence as *writer* sees it: its automatic steps go on from what there was when it first tracked.
        """
        if writer not in self.seen_by:
            self.seen_by.add(writer)
            for known in self.sequences.values():
                known.next_step[writer] = max((0, *(step + 1 for step in known.points)))
        found = self.sequences.setdefault(name, OracleSequence())
        found.next_step.setdefault(writer, 0)
        return found

    def copied(self) -> OracleRun:
        """Return a run of its own with the same contents."""
        return copy.deepcopy(self)

    def contents(self) -> dict[str, Any]:
        """Return all that a reader should see."""
        return {
            "params": self.params,
            "name": self.name,
            "archived": self.archived,
            "tags": list(self.tags),
            "sequences": {name: found.contents() for name, found in self.sequences.items() if found.points},
        }
