"""
Gaps: what a run has lost because a disk refused it. Specified in docs/formats/events.md.

    {"gap": {"points": 4620, "lines": 0, "from": 1795380950.2, "until": 1795380960.7, "why": "No space left on device"}}

Each loss is in one line only, so the losses of a run are the sum of its gaps.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from aim.core.tuples import NamedTuple
from aim.core.words import counted


class Gap(NamedTuple):
    """
    What one writer has lost in one stretch of time.

    Attributes:
        point_count: points of sequences, numbers and objects alike.
        line_count: params, tags and other event lines.
        from_s, until_s: when the first and the last of them was recorded, in Unix seconds.
        reason: what the disk said.
    """

    point_count: int
    line_count: int
    from_s: float
    until_s: float
    reason: str

    @classmethod
    def from_event(cls, event: Mapping[str, Any]) -> Gap:
        """
        Return the gap of an event line.

        >>> Gap.from_event({"points": 2, "lines": 0, "from": 1.0, "until": 3.0, "why": "No space left on device"})
        Gap(point_count=2, line_count=0, from_s=1.0, until_s=3.0, reason='No space left on device')
        """
        counts = int(event["points"]), int(event["lines"])
        return cls(*counts, float(event["from"]), float(event["until"]), str(event["why"]))

    def to_event(self) -> dict[str, Any]:
        """Return the value of the key `gap` of an event line."""
        return {
            "points": self.point_count,
            "lines": self.line_count,
            "from": self.from_s,
            "until": self.until_s,
            "why": self.reason,
        }


def sentence(gaps: Iterable[Gap]) -> str:
    """
    Say in a sentence what is lost; "" if nothing is.

    >>> sentence([Gap(2, 0, 1.0, 3.0, "No space left on device"), Gap(1, 1, 4.0, 4.0, "No space left on device")])
    '3 points and 1 event line are lost: No space left on device.'
    """
    lost = list(gaps)
    points, lines = sum(gap.point_count for gap in lost), sum(gap.line_count for gap in lost)
    counts = [counted(count, name) for count, name in ((points, "point"), (lines, "event line")) if count]
    if not counts:
        return ""
    verb = "is" if points + lines == 1 else "are"
    reasons = ", ".join(dict.fromkeys(gap.reason for gap in lost))
    return f"{' and '.join(counts)} {verb} lost: {reasons}."
