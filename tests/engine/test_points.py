"""
The points of curves: read once for each change of a run, and how far a client has them.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from aim.engine.points import Curve, PointStore, growing_memory
from aim.engine.repository import Repository
from aim.engine.tail import Watch
from aim.storage.forms.records import FloatArray, IntArray
from aim.storage.reading.points import Points
from aim.storage.recording.writer import Writer

LOSS, LONG, NONE = ("loss", "{}"), ("seen", "{}"), ("none", "{}")


def _points(steps: IntArray, values: FloatArray) -> Points:
    return Points(steps, values, lambda: pytest.fail("nobody asked for times"), ("a",), kind="float")


class Setup:
    """A run that records, and the store of its points."""

    def __init__(self, folder: Path) -> None:
        self.repository = Repository(folder, create=True)
        self.writer: Writer = self.repository.new_run("example")
        self.watch = Watch(self.repository.questions().catalogue)
        self.store = PointStore(self.repository, self.watch)

    def track(self, *steps: int) -> None:
        """Record a point at each step, and tell the store that the run has changed."""
        for step in steps:
            self.writer.sequence("loss").track(step / 2, step=step)
        self.watch.look()

    def curve(self) -> Curve:
        """Return the curve as it is now."""
        return self.store.read("example", [LOSS])[LOSS]


@pytest.fixture(name="setup")
def _setup(tmp_path: Path) -> Setup:
    """
    A run that has recorded the steps 0, 1 and 4.
    """
    setup = Setup(tmp_path)
    setup.track(0, 1, 4)
    return setup


def test_a_curve_has_the_points_of_its_sequence(setup: Setup) -> None:
    """
    Steps, values as floats, times and epochs are of the same points.
    """
    curve = setup.curve()

    assert ([0, 1, 4], [0.0, 0.5, 2.0]) == (curve.steps.tolist(), curve.values.tolist())
    assert (3, np.dtype(np.float64)) == (len(curve), curve.values.dtype)
    assert np.isnan(curve.epochs).all()
    assert sorted(curve.times_s.tolist()) == curve.times_s.tolist()
    setup.writer.close()


def test_a_curve_is_read_once_for_each_change(setup: Setup) -> None:
    """
    The same curve is returned until the run changes; then it has the new points.
    """
    first = setup.curve()
    assert first is setup.curve()

    setup.track(7)
    assert [0, 1, 4, 7] == setup.curve().steps.tolist()
    assert [0, 1, 4] == first.steps.tolist()
    setup.writer.close()


def test_keys_that_a_run_does_not_have_are_left_out(setup: Setup) -> None:
    """
    So are sequences of objects or none, and everything of a run that is not there.
    """
    setup.writer.sequence("seen").track(2**60, step=0)
    setup.watch.look()
    curves = setup.store.read("example", [LOSS, NONE, LONG])

    assert {LOSS, LONG} == set(curves)
    assert [float(2**60)] == curves[LONG].values.tolist()
    assert {} == setup.store.read("gone", [LOSS])
    assert {} == setup.store.read("example", [])
    setup.writer.close()


def test_a_curve_from_before_a_rewind_has_its_points(setup: Setup) -> None:
    """
    What a rewind hides is in the curve that stood before it, and not in the curve now.
    """
    setup.writer.close()
    setup.repository.edit("example", {"rewind": 1}, by="test")
    setup.watch.look()
    (rewind,) = setup.store.rewinds("example")

    assert [0, 1] == setup.curve().steps.tolist()
    before = setup.store.read("example", [LOSS], rewind)[LOSS]
    assert [0, 1, 4] == before.steps.tolist()
    assert before is setup.store.read("example", [LOSS], rewind)[LOSS]
    assert () == setup.store.rewinds("gone")


@pytest.mark.parametrize(("asked", "expected"), [(0, None), (1, 3), (2, 4), (3, 4), (9, 4)])
def test_a_client_has_what_its_latest_state_had(setup: Setup, asked: int, expected: int | None) -> None:
    """
    Of the states that are remembered the latest one that is not after the client's counts.
    """
    setup.store.mark("example", LOSS, 1, setup.curve())
    setup.track(7)
    setup.store.mark("example", LOSS, 2, setup.curve())
    setup.track(8)

    assert expected == setup.store.shared_length("example", LOSS, asked, setup.curve())
    assert None is setup.store.shared_length("example", NONE, asked, setup.curve())
    setup.writer.close()


def test_of_several_readings_in_one_state_the_shortest_counts(setup: Setup) -> None:
    """
    A point that only the second reading had may not have been sent.
    """
    setup.store.mark("example", LOSS, 1, setup.curve())
    setup.track(7)
    setup.store.mark("example", LOSS, 1, setup.curve())

    assert 3 == setup.store.shared_length("example", LOSS, 1, setup.curve())
    setup.writer.close()


def test_a_curve_that_goes_another_way_has_nothing_in_common(tmp_path: Path, setup: Setup) -> None:
    """
    A client that has other points, or more of them, needs the whole curve.
    """
    longer = setup.curve()
    setup.store.mark("example", LOSS, 1, longer)
    other = Setup(tmp_path / "other")
    other.track(0, 1)
    assert None is setup.store.shared_length("example", LOSS, 1, other.curve())
    other.track(5, 6)
    assert None is setup.store.shared_length("example", LOSS, 1, other.curve())
    setup.writer.close()
    other.writer.close()


def test_points_without_growing_memory_are_compared_by_their_digest(setup: Setup) -> None:
    """
    Curves that were copied are the beginning of each other when their points are equal.
    """
    live = setup.curve()

    def curve(count: int, last: float = 2.0) -> Curve:
        values = np.array([0.0, 0.5, last, 9.0])[:count]
        return Curve(_points(np.array([0, 1, 4, 9])[:count], values))

    assert growing_memory(live) is not None
    assert None is growing_memory(curve(3))
    setup.store.mark("example", LOSS, 1, curve(3))
    assert 3 == setup.store.shared_length("example", LOSS, 1, curve(4))
    assert 3 == setup.store.shared_length("example", LOSS, 1, curve(3))
    assert None is setup.store.shared_length("example", LOSS, 1, curve(4, last=2.5))
    assert None is setup.store.shared_length("example", LOSS, 1, curve(2))
    setup.writer.close()


def test_a_pyramid_grows_with_its_curve(setup: Setup) -> None:
    """
    The pyramid of a curve that has grown goes on; that of another curve begins anew.
    """
    curve = setup.curve()
    pyramid = setup.store.pyramid("example", LOSS, None, curve)
    assert pyramid is setup.store.pyramid("example", LOSS, None, curve)
    setup.track(7)
    assert pyramid is setup.store.pyramid("example", LOSS, None, setup.curve())
    other = Curve(_points(curve.steps, np.array([5.0, 6.0, 7.0])))
    assert pyramid is not setup.store.pyramid("example", LOSS, None, other)
    setup.writer.close()
