"""
Alerts that a training recorded by `run.alert(...)`: the key `alert` of event lines (docs/formats/events.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aim.core.levels import LEVELS, WARNING
from aim.core.tuples import NamedTuple


class RunAlert(NamedTuple):
    """
    One alert.

    Attributes:
        at_s: when it was recorded, in Unix seconds.
        level: `info`, `warning` or `error`.
    """

    at_s: float
    title: str
    text: str
    level: str

    @classmethod
    def from_event(cls, at_s: float, event: Mapping[str, Any]) -> RunAlert:
        """
        Return the alert of an event line.

        >>> RunAlert.from_event(5.0, {"title": "NaN", "text": "", "level": "error"})
        RunAlert(at_s=5.0, title='NaN', text='', level='error')
        """
        level = str(event.get("level", WARNING))
        text = str(event.get("text", ""))
        return cls(at_s, str(event["title"]), text, level if level in LEVELS else WARNING)

    def as_json(self) -> dict[str, Any]:
        """Return the alert as queries and tables have it."""
        return {"title": self.title, "text": self.text, "level": self.level, "at": self.at_s}
