"""
What the footer of a sealed file says of the journal that it replaced.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class JournalOrigin(NamedTuple):
    """
    The journal that a sealed file replaced.

    Attributes:
        slot_count: slots of its segments up to the last one that was filled in each.
        events_bytes: how long the writer's event file was when it was sealed.
    """

    run_hash: str
    writer_id: str
    segment_count: int
    slot_count: int
    events_bytes: int

    def to_json(self) -> dict[str, object]:
        """Return the keys of the footer that say it."""
        return {
            "run": self.run_hash,
            "writer": self.writer_id,
            "segments": self.segment_count,
            "slots": self.slot_count,
            "events_bytes": self.events_bytes,
        }

    @classmethod
    def from_json(cls, footer: Mapping[str, Any]) -> JournalOrigin:
        """Return what a footer says, with 0 or nothing where it does not."""
        return cls(
            footer.get("run", ""),
            footer.get("writer", ""),
            footer.get("segments", 0),
            footer.get("slots", 0),
            footer.get("events_bytes", 0),
        )
