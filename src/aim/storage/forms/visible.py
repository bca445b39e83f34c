"""
Which points of a sequence are shown: rewinds, deletions and an earlier moment, applied to arrays of steps and times.

    rewinds by time      t1 t2 t3           a point of time τ is limited by the rewinds after τ: by the least of their
    their steps          50 20 30           steps. So the limits of the spaces between are the least from behind:
    limits            20 20 30 none

One look-up by bisection a point; without rewinds, deletions and an earlier moment nothing is asked at all.
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
    Return a time as points have it.

    >>> microseconds(1.5)
    1500000
    """
    return round(moment_s * MICROSECONDS)


@dataclass(frozen=True)
class Visibility:
    """
    What is shown of one sequence.

    Attributes:
        rewinds: in the order of time.
        dropped_at_s: nothing recorded up to then is shown; 0: nothing was dropped.
        deletions: what else was deleted.
        before_s: the moment before which the run is looked at; None: now.
    """

    rewinds: tuple[Rewind, ...] = ()
    dropped_at_s: float = 0.0
    deletions: tuple[Deletion, ...] = ()
    before_s: float | None = None

    @property
    def hides_nothing(self) -> bool:
        """Whether every point is shown."""
        return not self.rewinds and not self.dropped_at_s and not self.deletions and self.before_s is None

    def visible_mask(self, steps: IntArray, times_us: IntArray) -> BoolArray:
        """
        Say for each point whether it is shown.

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
                wanted = np.fromiter(deletion.steps, np.int64, len(deletion.steps))
                keep &= ~(np.isin(steps, wanted) & (times_us <= microseconds(deletion.time_s)))
        return keep

    def hidden_items(self, steps: IntArray, times_us: IntArray) -> dict[int, frozenset[int]]:
        """
        Return, by step, which objects of the lists tracked there are hidden.

        Args:
            steps: increasing.
        """
        found: dict[int, frozenset[int]] = {}
        for deletion in self.deletions:
            for step in deletion.steps if deletion.items is not None else ():
                place = int(np.searchsorted(steps, step))
                is_there = place < len(steps) and int(steps[place]) == step
                if is_there and int(times_us[place]) <= microseconds(deletion.time_s):
                    found[step] = found.get(step, frozenset()) | (deletion.items or frozenset())
        return found


def not_rewound(steps: IntArray, times_us: IntArray, rewinds: Sequence[Rewind]) -> BoolArray:
    """
    Say for each point whether no rewind hides it.

    Args:
        rewinds: in the order of time.
    """
    if not rewinds:
        return np.ones(len(steps), np.bool_)
    moments = np.array([microseconds(rewind.time_s) for rewind in rewinds], np.int64)
    kept = np.array([*(rewind.step for rewind in rewinds), INT_MAX], np.int64)
    limits = np.minimum.accumulate(kept[::-1])[::-1]
    mask: BoolArray = steps <= limits[np.searchsorted(moments, times_us, "right")]
    return mask


def visible_records(found: Records, spared: Iterable[int], rewinds: Sequence[Rewind]) -> BoolArray:
    """
    Say for each record of a journal whether no rewind hides it.

    Args:
        spared: the numbers of the sequences that are not rewound.
    """
    mask: BoolArray = np.isin(found["sequence"], np.array(sorted(spared), np.int64))
    return mask | not_rewound(found["step"], time_us(found), rewinds)
