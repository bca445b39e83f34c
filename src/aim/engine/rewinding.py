"""
Taking a run back to a step, and deleting points of a sequence.

    rewind          a line of the writer that records: hides what was recorded before it at later steps
    delete points   an edit, by anybody: hides single steps of a sequence, or objects of their lists; can be undone

Both hide; storage/forms/history.py says what, and nothing is erased.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from aim.core import contexts, params
from aim.core.errors import UsageError
from aim.core.tuples import NamedTuple
from aim.core.values import step_number
from aim.storage.forms.history import Deletion, Rewind
from aim.storage.recording.writer import Writer

if TYPE_CHECKING:
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
        entries: of the edit that deletes them; empty when the run has none of them.
        point_count: how many points it touches.
        recorded_at_s: the latest time of these points, by the recorder's clock; the edit has to be later.
    """

    entries: list[dict[str, Any]]
    point_count: int
    recorded_at_s: float


def rewind(state: RunState, writer: Writer, step: object) -> Rewind:
    """
    Take the run that *writer* records back to *step*.

    Args:
        state: what is known of the run here: the rewind is later than all of it, however wrong the clocks are.

    Raises:
        UntrackableValue: *step* is no integer.
        RunClosed: the run has ended.
    """
    last_step = step_number(step)
    writer.lifecycle.check_open()
    return writer.sequences.rewind(last_step, state.latest_at_s)


def check_steps(steps: object) -> list[int]:
    """
    Return the steps of a deletion, given as a number or several, in order.

    Raises:
        UsageError: there are no steps, or too many.

    >>> check_steps(7), check_steps([9, 7, 7])
    ([7], [7, 9])
    """
    several = steps if isinstance(steps, Iterable) and not isinstance(steps, (str, bytes)) else (steps,)
    ordered = sorted({step_number(step) for step in several})
    if not 0 < len(ordered) <= STEPS_MAX:
        raise UsageError(f"A deletion names 1 to {STEPS_MAX:,} steps, not {len(ordered):,}.")
    return ordered


def deletion_of(
    run: PointSource, key: SequenceKey, steps: Iterable[int], items: Iterable[int] | None = None
) -> PointDeletion:
    """
    Return the deletion of some points of a sequence.

    Args:
        items: only these objects of the list that was tracked at each step, counted from 0. A step of which no object
            is left is deleted as a whole.

    Raises:
        UsageError: *items* of a sequence that holds no lists.
    """
    sequence = run.state().sequences.get(key)
    points = run.points(key)
    if sequence is None or points is None:
        return PointDeletion([], 0, 0.0)
    chosen_steps = frozenset(steps)
    index_of = {step: index for index, step in enumerate(points.steps.tolist()) if step in chosen_steps}
    if items is None:
        deletions = [Deletion(0.0, frozenset(index_of))] if index_of else []
    else:
        if not sequence.kind.startswith("list"):
            raise UsageError(
                f"{sequence.name!r} holds {sequence.kind}, not lists: delete whole points of it, by their steps."
            )
        deletions = _item_deletions(run, points, index_of, frozenset(items))
    deleted_steps = [step for deletion in deletions for step in deletion.steps]
    recorded_at_s = max((float(points.times_s[index_of[step]]) for step in deleted_steps), default=0.0)
    entries = [deletion.entry(sequence.name, sequence.context) for deletion in deletions]
    return PointDeletion(entries, len(deleted_steps), recorded_at_s)


def _item_deletions(
    run: PointSource, points: Points, index_of: Mapping[int, int], item_indices: frozenset[int]
) -> list[Deletion]:
    """Return the deletion of whole points, and of objects of the others, at the steps of *index_of*."""
    whole_steps: list[int] = []
    partial_steps: list[int] = []
    for step, index in index_of.items():
        stored = {item_index for item_index, _ in run.items(points, index)}
        if stored <= item_indices:
            whole_steps.append(step)
        elif stored & item_indices:
            partial_steps.append(step)
    deletions = [Deletion(0.0, frozenset(whole_steps))] if whole_steps else []
    return deletions + ([Deletion(0.0, frozenset(partial_steps), item_indices)] if partial_steps else [])


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


def undeletion_of(sequence: SequenceState) -> list[dict[str, Any]]:
    """Return the entries of an edit that shows again what was deleted of a sequence by its steps."""
    return [
        {**deletion.entry(sequence.name, sequence.context), "at": deletion.time_s} for deletion in sequence.deletions
    ]
