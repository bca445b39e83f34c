"""
Which points are shown: the arrays say what a look at each point says.
"""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from aim.storage.forms.history import Deletion, Rewind
from aim.storage.forms.records import IntArray
from aim.storage.forms.visible import Visibility, not_rewound

SECONDS = st.integers(0, 12)
STEPS = st.integers(-3, 6)
POINTS = st.lists(st.tuples(STEPS, SECONDS), max_size=12)
REWINDS = st.lists(st.tuples(STEPS, SECONDS), max_size=4).map(
    lambda found: tuple(Rewind(step, float(at)) for step, at in sorted(found, key=lambda one: one[1]))
)
DELETIONS = st.lists(
    st.builds(
        Deletion,
        SECONDS.map(float),
        st.frozensets(STEPS, max_size=3),
        st.none() | st.frozensets(st.integers(0, 2), min_size=1),
    ),
    max_size=3,
).map(tuple)


def arrays(points: list[tuple[int, int]]) -> tuple[IntArray, IntArray]:
    """Return steps and times in microseconds."""
    steps = np.array([step for step, _ in points], np.int64)
    return steps, np.array([second * 1_000_000 for _, second in points], np.int64)


@given(POINTS, REWINDS)
def test_a_rewind_hides_later_steps_recorded_before_it(
    points: list[tuple[int, int]], rewinds: tuple[Rewind, ...]
) -> None:
    """
    A point is hidden by any rewind that is later in time and earlier in steps.
    """
    expected = [not any(second < rewind.time_s and step > rewind.step for rewind in rewinds) for step, second in points]

    assert expected == not_rewound(*arrays(points), rewinds).tolist()


@given(POINTS, REWINDS, st.just(0.0) | SECONDS.map(float), DELETIONS, st.none() | SECONDS.map(float))
def test_everything_that_hides_is_put_together(
    points: list[tuple[int, int]],
    rewinds: tuple[Rewind, ...],
    dropped_at_s: float,
    deletions: tuple[Deletion, ...],
    before_s: float | None,
) -> None:
    """
    Shown is what no rewind, drop or deletion of whole points hides, and what was there before the moment of looking.
    """
    visibility = Visibility(rewinds, dropped_at_s, deletions, before_s)
    expected = [
        not any(second < rewind.time_s and step > rewind.step for rewind in rewinds)
        and not (dropped_at_s and second <= dropped_at_s)
        and (before_s is None or second < before_s)
        and not any(
            deletion.items is None and step in deletion.steps and second <= deletion.time_s for deletion in deletions
        )
        for step, second in points
    ]

    assert expected == visibility.visible_mask(*arrays(points)).tolist()
    if visibility.hides_nothing:
        assert all(expected)


def test_deleted_items_are_told_by_step() -> None:
    """
    Items deleted at a step are put together; one tracked after the deletion has all its items.
    """
    deletions = (Deletion(5.0, frozenset({1, 2}), frozenset({0})), Deletion(7.0, frozenset({1}), frozenset({2})))
    visibility = Visibility(deletions=deletions)

    assert {1: frozenset({0, 2})} == visibility.hidden_items(*arrays([(1, 5), (2, 6), (3, 0)]))
