"""
Which points of a sequence are shown: rewinds, deletions and an earlier moment, applied to arrays of steps and times.

    rewinds by time      t1 t2 t3           A point is visible if its step is at most the least step of the rewinds
    their steps          50 20 30           after its time. So between two rewinds the limit is the least of the steps
    limits            20 20 30 none         from there to the end.

Each point costs one look-up by bisection. Without rewinds, deletions and an earlier moment nothing is computed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aim.core.clock import MICROSECONDS
from aim.core.values import INT_MAX
from aim.storage.forms.history import Deletion, Rewind
from aim.storage.forms.records import IntArray, Records, time_us

BoolArray = npt.NDArray[np.bool_]


def microseconds(moment_s: float) -> int:
    """
    Return a time in the unit that points have.

    >>> microseconds(1.5)
    1500000
    """
    return round(moment_s * MICROSECONDS)


@dataclass(frozen=True)
class Visibility:
    """
    Which points of one sequence are visible.

    Attributes:
        rewinds: ordered by time.
        dropped_at_s: points recorded up to then are hidden; 0: the sequence was never dropped.
        deletions: of single points, or of objects in their lists.
        before_s: show the run as it was before this moment; None: as it is now.
    """

    rewinds: tuple[Rewind, ...] = ()
    dropped_at_s: float = 0.0
    deletions: tuple[Deletion, ...] = ()
    before_s: float | None = None

    @property
    def hides_nothing(self) -> bool:
        """Whether every point is visible."""
        return not self.rewinds and not self.dropped_at_s and not self.deletions and self.before_s is None

    def visible_mask(self, steps: IntArray, times_us: IntArray) -> BoolArray:
        """
        Return for each point whether it is visible.

        >>> visibility = Visibility((Rewind(1, 10.0),))
        >>> visibility.visible_mask(np.array([1, 2, 2]), np.array([9_000_000, 9_000_000, 10_000_000]))
        array([ True, False,  True])
        """
        keep = not_rewound(steps, times_us, self.rewinds)
        if self.dropped_at_s:
            keep &= times_us > microseconds(self.dropped_at_s)
        if self.before_s is not None:
            keep &= times_us < microseconds(self.before_s)
        for deletion in self.deletions:
            if deletion.items is None:
                deleted_steps = np.fromiter(deletion.steps, np.int64, len(deletion.steps))
                keep &= ~(np.isin(steps, deleted_steps) & (times_us <= microseconds(deletion.time_s)))
        return keep

    def hidden_items(self, steps: IntArray, times_us: IntArray) -> dict[int, frozenset[int]]:
        """
        Return, by step, the indices of the objects that are hidden in the list tracked at the step.

        Args:
            steps: increasing.
        """
        indices_by_step: dict[int, frozenset[int]] = {}
        for deletion in self.deletions:
            for step in deletion.steps if deletion.items is not None else ():
                position = int(np.searchsorted(steps, step))
                is_tracked = position < len(steps) and int(steps[position]) == step
                if is_tracked and int(times_us[position]) <= microseconds(deletion.time_s):
                    indices_by_step[step] = indices_by_step.get(step, frozenset()) | (deletion.items or frozenset())
        return indices_by_step


def not_rewound(steps: IntArray, times_us: IntArray, rewinds: Sequence[Rewind]) -> BoolArray:
    """
    Return for each point whether no rewind hides it.

    Args:
        rewinds: ordered by time.
    """
    if not rewinds:
        return np.ones(len(steps), np.bool_)
    moments = np.array([microseconds(rewind.time_s) for rewind in rewinds], np.int64)
    steps_kept = np.array([*(rewind.step for rewind in rewinds), INT_MAX], np.int64)
    limits = np.minimum.accumulate(steps_kept[::-1])[::-1]
    mask: BoolArray = steps <= limits[np.searchsorted(moments, times_us, "right")]
    return mask


def visible_records(records: Records, spared_numbers: Iterable[int], rewinds: Sequence[Rewind]) -> BoolArray:
    """
    Return for each record of a journal whether no rewind hides it.

    Args:
        spared_numbers: of the sequences that are not rewound.
    """
    mask: BoolArray = np.isin(records["sequence"], np.array(sorted(spared_numbers), np.int64))
    return mask | not_rewound(records["step"], time_us(records), rewinds)
