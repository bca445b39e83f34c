"""
Taking a run back to a step, and deleting points of a sequence.

    rewind          a line of the writer that records: hides what was recorded before it at later steps
    delete points   an edit, by anybody: hides single steps of a sequence, or objects of their lists; can be undone

Both hide; storage/forms/history.py says what, and nothing is erased.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from aim.core import contexts, params
from aim.core.errors import UsageError
from aim.core.values import step_number
from aim.storage.forms.history import Deletion, Rewind
from aim.storage.recording.writer import Writer

if TYPE_CHECKING:
    from aim.engine.door import RunDoor
    from aim.storage.forms.state import RunState, SequenceKey, SequenceState
    from aim.storage.reading.points import Points

STEPS_MAX = 100_000  # of one deletion: 1 MB of JSON


class PointSource(Protocol):
    """Where the points that are to be deleted are read: a `RunDoor`, or the reader of a run's folder."""

    def state(self) -> RunState: ...
    def points(self, key: SequenceKey) -> Points | None: ...
    def items(self, points: Points, index: int) -> list[tuple[int, dict[str, Any]]]: ...


class PointDeletion(NamedTuple):
    """
    Points that are to be deleted.

    Attributes:
        entries: of the edit that deletes them; none when none of them is there.
        point_count: how many points it touches.
        recorded_at_s: the latest time of these, by the clock of who recorded them; the edit has to be later.
    """

    entries: list[dict[str, Any]]
    point_count: int
    recorded_at_s: float


def rewind(run: RunDoor, writer: Writer, step: object) -> Rewind:
    """
    Take the run that *writer* records back to *step*.

    Raises:
        UntrackableValue: *step* is no integer.
        RunClosed: the run has ended.
    """
    kept = step_number(step)
    writer.lifecycle.check_open()
    return writer.sequences.rewind(kept, run.state().latest_at_s)


def check_steps(steps: object) -> list[int]:
    """
    Return the steps that somebody names, a number or several, in order.

    Raises:
        UsageError: there is none, or there are too many.

    >>> check_steps(7), check_steps([9, 7, 7])
    ([7], [7, 9])
    """
    several = steps if isinstance(steps, Iterable) and not isinstance(steps, (str, bytes)) else (steps,)
    found = sorted({step_number(step) for step in several})
    if not 0 < len(found) <= STEPS_MAX:
        raise UsageError(f"A deletion names 1 to {STEPS_MAX:,} steps, not {len(found):,}.")
    return found


def deletion_of(
    run: PointSource, key: SequenceKey, steps: Iterable[int], items: Iterable[int] | None = None
) -> PointDeletion:
    """
    Find the points that are to be deleted.

    Args:
        items: only these of the list of objects tracked at each step, counted from 0; a step of which that leaves
            nothing is deleted as a whole.

    Raises:
        UsageError: *items* of what holds no lists.
    """
    facts = run.state().sequences.get(key)
    points = run.points(key)
    if facts is None or points is None:
        return PointDeletion([], 0, 0.0)
    chosen = frozenset(steps)
    whole = {step: place for place, step in enumerate(points.steps.tolist()) if step in chosen}
    part: dict[int, int] = {}
    wanted = frozenset(() if items is None else items)
    if items is not None:
        if not facts.kind.startswith("list"):
            raise UsageError(f"{facts.name!r} holds {facts.kind}, no lists: delete whole points of it, by their steps.")
        for step, place in list(whole.items()):
            there = {index for index, _ in run.items(points, place)}
            if not there <= wanted:
                del whole[step]
                if there & wanted:
                    part[step] = place
    found = [Deletion(0.0, frozenset(whole))] if whole else []
    found += [Deletion(0.0, frozenset(part), wanted)] if part else []
    recorded_at_s = max((float(points.times_s[place]) for place in (*whole.values(), *part.values())), default=0.0)
    entries = [one.entry(facts.name, facts.context) for one in found]
    return PointDeletion(entries, len(whole) + len(part), recorded_at_s)


def deletion_of_all(run: PointSource, key: SequenceKey) -> PointDeletion:
    """Return what hides all points of a sequence; its entries are those of an edit that drops sequences."""
    sequence = run.state().sequences.get(key)
    if sequence is None or not sequence.parts:
        return PointDeletion([], 0, 0.0)
    points = run.points(key)
    point_count = 0 if points is None else len(points)
    recorded_at_s = float(points.times_s.max()) if points is not None and point_count else 0.0
    entry = {"name": sequence.name, "context": params.encode(contexts.plain(sequence.context))}
    return PointDeletion([entry], point_count, recorded_at_s)


def undeletion_of(facts: SequenceState) -> list[dict[str, Any]]:
    """Return the entries of an edit that shows again what was deleted of a sequence by its steps."""
    return [{**one.entry(facts.name, facts.context), "at": one.time_s} for one in facts.deletions]
