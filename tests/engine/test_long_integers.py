"""
Integers beyond 2^53: which they are, and that curves keep all their digits.
"""

from __future__ import annotations

import numpy as np
import pytest

from aim.core.values import EXACT_INT_MAX
from aim.engine import long_integers
from aim.engine.curves import Axis, ClientState, CurveRequest, View, draw, points_in_view
from aim.engine.points import Curve, PointStore
from aim.engine.repository import Repository
from aim.engine.tail import Watch
from aim.storage.reading.points import Points

LONG = EXACT_INT_MAX + 1
COUNT = 40


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([0, EXACT_INT_MAX, -EXACT_INT_MAX]), [0, 0, 0]),
        (np.array([LONG, -LONG]), [LONG, -LONG]),
        (np.array([0.5, float(LONG), LONG, -LONG], object), [0, 0, LONG, -LONG]),
        (np.array([], np.int64), []),
    ],
)
def test_long_integers_are_those_that_no_double_holds(values: np.ndarray, expected: list[int]) -> None:
    """
    Integers up to 2^53 on both sides are exact in a double; floats are no integers, however large.
    """
    assert expected == long_integers.long_integers(values).tolist()
    assert any(expected) is long_integers.has_long(values)
    assert False is long_integers.has_long(values.astype(np.float64))


@pytest.fixture(name="store", scope="module")
def _store(tmp_path_factory: pytest.TempPathFactory) -> PointStore:
    """
    A run whose `tokens` are small integers up to step 10 and then long ones, and whose `mixed` has floats among them.
    """
    repository = Repository(tmp_path_factory.mktemp("long"), create=True)
    writer = repository.new_run("run")
    for step in range(COUNT):
        writer.sequence("tokens").track(tokens(step), step=step, epoch=COUNT - step)
        writer.sequence("mixed").track(tokens(step) if step % 2 else 0.5, step=step)
        writer.sequence("loss").track(float(2**60), step=step)
    writer.close()
    return PointStore(repository, Watch(repository.questions().catalogue))


def tokens(step: int) -> int:
    """Return the value of `tokens`."""
    return step if step < 10 else 2**60 + step


def request_of(name: str) -> CurveRequest:
    """Return a request for one curve."""
    return CurveRequest("run", 0.0, (name, "{}"))


@pytest.mark.parametrize(
    ("view", "steps"),
    [
        (View(), list(range(COUNT))),
        (View(window=(12, 14)), [11, 12, 13, 14, 15]),
        (View(window=(12, 14), smooth=0.5), [11, 12, 13, 14, 15]),
        (View(x="epoch"), list(range(COUNT))[::-1]),
        (View(x=("loss", None)), list(range(COUNT))),
    ],
)
def test_each_drawn_integer_has_all_its_digits(store: PointStore, view: View, steps: list[int]) -> None:
    """
    Over each axis and in a window the long integers of a line are known by the index of their point.
    """
    line, *_ = draw(store, [request_of("tokens")], view)

    assert {index: tokens(step) for index, step in enumerate(steps) if step >= 10} == line.exact
    assert [float(tokens(step)) for step in steps] == line.y.tolist()


def _beginning(curve: Curve, count: int) -> Curve:
    values = curve._points.values[:count]
    return Curve(Points(curve.steps[:count], values, lambda: pytest.fail("nobody asked for times"), ("a",), kind="int"))


def test_the_end_of_a_line_has_the_digits_of_its_own_points(store: PointStore) -> None:
    """
    What is sent of a line that has grown counts from its own first point.
    """
    request = request_of("tokens")
    points = store.read("run", [request.key])[request.key]
    store.mark("run", request.key, 1, _beginning(points, 36))
    (end,) = draw(store, [request], View(), ClientState(1, 2, frozenset(["run"])))

    assert 36.0 == end.begins_at
    assert {step - 36: tokens(step) for step in range(36, COUNT)} == end.exact


def test_floats_are_no_long_integers(store: PointStore) -> None:
    """
    A float has all its digits in a double, and in a metric of both only the integers are named.
    """
    mixed, loss = draw(store, [request_of("mixed"), request_of("loss")], View())

    assert {step: tokens(step) for step in range(11, COUNT, 2)} == mixed.exact
    assert {} == loss.exact


@pytest.mark.parametrize("x", ["step", "epoch"])
def test_exported_points_have_all_their_digits(store: PointStore, x: Axis) -> None:
    """
    The points of a view name their long integers as a line does.
    """
    points = points_in_view(store, request_of("tokens"), View(x=x))

    assert points is not None
    assert {tokens(step) for step in range(10, COUNT)} == set(points.exact.values())
    assert all(float(value) == points.values[index] for index, value in points.exact.items())
