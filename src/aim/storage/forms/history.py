"""
What was taken back of a run, and where it came from: rewinds, deleted points, and the run it was forked from.

    rewind to step s at time t     hides points with step > s that were recorded before t, by whichever writer
    deletion at time t             hides the points of some steps, or some objects of their lists, recorded up to t
    the run before time t          points recorded before t, without those that rewinds before t hid

Nothing is erased, so each earlier state can be shown. Specified in docs/formats/events.md and edits.md; `visible.py`
applies it to arrays.

Terminal lines, log records and system metrics are not rewound: they show what a process did and when, not how far a
training got, and they are what explains why a run was taken back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from aim.core import contexts, kinds, params
from aim.core.reserved import SYSTEM_PREFIX
from aim.core.tuples import NamedTuple


class Rewind(NamedTuple):
    """
    The run was taken back to a step.

    Attributes:
        step: the last one that was kept.
        time_s: when, in Unix seconds.
    """

    step: int
    time_s: float


class ForkedFrom(NamedTuple):
    """
    The run that another one goes on from.

    Attributes:
        run_hash: of the parent; it may have been deleted since.
        step: the last one that was copied.
        time_s: when, in Unix seconds.
    """

    run_hash: str
    step: int
    time_s: float

    @classmethod
    def from_event(cls, at_s: float, event: Mapping[str, Any]) -> ForkedFrom:
        """
        Return what an event line holds.

        >>> ForkedFrom.from_event(10.0, {"run": "mine", "step": 7})
        ForkedFrom(run_hash='mine', step=7, time_s=10.0)
        """
        return cls(str(event["run"]), int(event["step"]), at_s)


class Deletion(NamedTuple):
    """
    A deletion: points of one sequence that are hidden.

    Attributes:
        time_s: points that were recorded up to then are hidden.
        steps: their steps.
        items: indices in the lists of objects tracked at these steps; None: the whole points are hidden.
    """

    time_s: float
    steps: frozenset[int]
    items: frozenset[int] | None = None

    @classmethod
    def from_entry(cls, at_s: float, entry: Mapping[str, Any]) -> Deletion:
        """
        Return what one entry of `delete` holds.

        >>> Deletion.from_entry(10.0, {"name": "loss", "context": {}, "steps": [7]})
        Deletion(time_s=10.0, steps=frozenset({7}), items=None)
        """
        items = entry.get("items")
        return cls(at_s, frozenset(map(int, entry["steps"])), None if items is None else frozenset(map(int, items)))

    def entry(self, name: str, context: Mapping[str, Any]) -> dict[str, Any]:
        """Return the entry of `delete`, or with its time of `undelete`, for a sequence."""
        entry_form: dict[str, Any] = {
            "name": name,
            "context": params.encode(dict(context)),
            "steps": sorted(self.steps),
        }
        return entry_form if self.items is None else {**entry_form, "items": sorted(self.items)}


def sequence_key(entry: Mapping[str, Any]) -> tuple[str, str]:
    """Return the key of the sequence that an entry of `drop`, `delete` or `undelete` names."""
    return entry["name"], contexts.text(params.decode(entry["context"]))


def is_rewound(name: str, kind: str = "") -> bool:
    """
    Return whether rewinds hide points of a sequence of this name and kind.

    >>> is_rewound("loss", "float"), is_rewound("__system__cpu", "float"), is_rewound("logs", "aim.log_line")
    (True, False, False)
    """
    return not name.startswith(SYSTEM_PREFIX) and kind not in kinds.LOG_KINDS


def next_step(upcoming: int, rewinds: Iterable[Rewind]) -> int:
    """
    Return the next automatic step of a sequence after *rewinds*.

    >>> next_step(100, [Rewind(50, 1.0)]), next_step(3, [Rewind(50, 1.0)]), next_step(3, [Rewind(-7, 1.0)])
    (51, 3, 0)
    """
    for rewind in rewinds:
        upcoming = min(upcoming, max(0, rewind.step + 1))
    return upcoming
