"""
`ArrayView`: a column by step.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aim.core.errors import ReadOnly
from aim.storage.arrayview import ArrayView

STEPS = st.lists(st.integers(-50, 50), unique=True).map(sorted)


def view_of(steps: list[int]) -> ArrayView[float]:
    """Return a view whose value at each step is half the step."""
    return ArrayView(np.array(steps, np.int64), np.array(steps, np.float64) / 2)


@given(STEPS)
def test_a_view_is_a_dict_in_the_order_of_steps(steps: list[int]) -> None:
    """
    A view has the contents of a dict from step to value, ascending.
    """
    view, expected = view_of(steps), {step: step / 2 for step in steps}

    assert list(expected.items()) == list(view.items())
    assert list(expected) == list(view.keys()) == list(view.indices()) == view.indices_list()
    assert list(expected.values()) == list(view) == list(view.values()) == view.values_list() == view.tolist()
    assert (list(expected), list(expected.values())) == view.sparse_list()
    assert (len(expected), bool(expected)) == (len(view), bool(view))
    assert expected == {step: view[step] for step in steps}
    assert [step in expected for step in range(-60, 60)] == [step in view for step in range(-60, 60)]


@given(STEPS, st.none() | st.integers(-60, 60), st.none() | st.integers(-60, 60), st.none() | st.integers(1, 7))
def test_a_slice_goes_by_steps(steps: list[int], start: int | None, stop: int | None, stride: int | None) -> None:
    """
    `view[start:stop:stride]` gives the values of the steps in that range of integers.
    """
    first = start if start is not None else (steps[0] if steps else 0)
    wanted = range(first, 1000 if stop is None else stop, stride or 1)

    assert [step / 2 for step in steps if step in wanted] == view_of(steps)[start:stop:stride]


def test_arrays_are_copies() -> None:
    """
    Changing an array that a view gave does not change the view.
    """
    view = view_of([0, 2])
    steps, values = view.sparse_numpy()
    steps[0] = values[0] = 9

    assert ([0, 2], [0.0, 1.0]) == view.sparse_list()
    assert ([0, 2], [0.0, 1.0]) == (view.indices_numpy().tolist(), view.values_numpy().tolist())


def test_first_and_last() -> None:
    """
    `first` and `last` give (step, value), of an empty view an IndexError.
    """
    view = view_of([3, 8])

    assert ((3, 1.5), (8, 4.0)) == (view.first(), view.last())
    assert (3, 1.5, 8, 4.0) == (view.first_idx(), view.first_value(), view.last_idx(), view.last_value())
    with pytest.raises(IndexError):
        view_of([]).last()


@pytest.mark.parametrize("step", [1, "a", 2.5, None])
def test_a_step_without_a_value_is_a_key_error(step: object) -> None:
    """
    Asking for what was not tracked is a KeyError.
    """
    with pytest.raises(KeyError, match="Nothing is tracked"):
        view_of([0, 2])[step]


def test_a_view_is_read_only() -> None:
    """
    Points are recorded by a run, not through a view.
    """
    with pytest.raises(ReadOnly, match="track"):
        view_of([0])[0] = 1
    with pytest.raises(ValueError, match="stride"):
        view_of([0])[::-1]


def test_epochs_that_were_not_given_are_none_in_lists_and_nan_in_arrays() -> None:
    """
    With `nan_is_none` NaN is None in lists, and NaN in arrays.
    """
    view: ArrayView[float | None] = ArrayView(np.array([0, 1]), np.array([math.nan, 2.0]), nan_is_none=True)

    assert [None, 2.0] == view.tolist() == list(view) == [view[0], view[1]]
    assert math.isnan(view.values_numpy()[0])


def test_objects_are_restored_when_they_are_reached() -> None:
    """
    With `restore` nothing is made before it is asked for.
    """
    made: list[int] = []

    def restore(position: int) -> str:
        made.append(position)
        return "abc"[position]

    view = ArrayView(np.array([5, 6, 7]), np.array([0, 0, 0]), restore=restore)

    assert ("c", [2]) == (view[7], made)
    assert ["b"] == view[6:7]
    assert ["a", "b", "c"] == view.tolist() == view.values_numpy().tolist()
