"""
The values of a metric whose ends and length are told without reading its points.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aim import Repo, Run
from aim.engine.sealing import seal_run
from aim.sdk.number_view import NumberView
from aim.storage.arrayview import ArrayView
from aim.storage.reading.points import Points
from aim.storage.sealing.sealed import Sealed


def view_of(steps: list[int], values: Any) -> NumberView:
    """Return the view over points."""
    array = np.asarray(values)
    times_us, epochs = np.zeros(len(array), np.int64), np.zeros(len(array), np.float32)
    return NumberView(Points(np.array(steps, np.int64), array, lambda: (times_us, epochs), (), kind="float"))


@pytest.mark.parametrize("values", [[0.5], [0.5, -1.0, 3.0], [1, 2, 3]])
def test_the_ends_are_those_of_the_points(values: list[Any]) -> None:
    """Each has its step, its value and both; the whole view reads the same."""
    steps = [10 * index for index in range(len(values))]
    view = view_of(steps, values)
    first, last = (steps[0], values[0]), (steps[-1], values[-1])
    assert (first, *first) == (view.first(), view.first_idx(), view.first_value())
    assert (last, *last) == (view.last(), view.last_idx(), view.last_value())
    assert (len(values), True) == (len(view), bool(view))
    assert (steps, values) == (list(view.keys()), list(view.values()))
    assert list(zip(steps, values, strict=True)) == list(view.items())
    assert isinstance(view, ArrayView)


@pytest.mark.parametrize("ask", ["first", "first_idx", "first_value", "last", "last_idx", "last_value"])
def test_a_view_without_points_has_no_ends(ask: str) -> None:
    """It is false, has no length, and raises IndexError for an end, as an empty list does."""
    view = view_of([], np.empty(0))
    assert (0, False, []) == (len(view), bool(view), list(view))
    with pytest.raises(IndexError):
        getattr(view, ask)()


def test_a_value_that_is_no_number_is_nan_at_the_ends_too() -> None:
    """The last value of a diverged training is NaN, not the last finite one."""
    view = view_of([0, 1], [0.5, float("nan")])
    assert math.isnan(view.last_value())
    assert (0.5, 1) == (view.first_value(), view.last_idx())


@pytest.mark.parametrize("count", [0, 1, 2, 5])
def test_the_last_points_are_those_of_the_whole_view(count: int) -> None:
    """Of fewer points all are returned, as arrays of the caller's own."""
    view = view_of([0, 5, 7], [0.5, -1.0, 3.0])
    steps, values = view.tail(count)
    first = max(0, 3 - count)
    assert ([0, 5, 7][first:], [0.5, -1.0, 3.0][first:]) == (steps.tolist(), values.tolist())
    values[:] = 9
    assert [0.5, -1.0, 3.0] == view.tolist()


def test_the_number_of_last_points_is_a_whole_number() -> None:
    """Another one is refused, with what was asked for."""
    with pytest.raises(ValueError, match="can't be negative"):
        view_of([0], [0.5]).tail(-1)
    with pytest.raises(TypeError, match="float"):
        view_of([0], [0.5]).tail(1.5)  # type: ignore[arg-type]


def test_of_an_ended_run_the_last_points_are_read_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is before them is not read: their page is, and no other."""
    run = Run("run", repo=tmp_path, create=True, system_tracking_interval=None, capture_terminal_logs=False)
    for step in range(50_000):
        run.track(step * 0.5, name="loss", step=step)
    run.close()
    seal_run(tmp_path / ".aim" / "runs" / "run")
    metric = Repo(tmp_path).get_run("run").get_metric("loss")
    monkeypatch.setattr(Sealed, "steps_values", lambda *_: pytest.fail("all points are read"))
    steps, values = metric.values.tail(3)
    assert ([49_997, 49_998, 49_999], [24_998.5, 24_999.0, 24_999.5]) == (steps.tolist(), values.tolist())
