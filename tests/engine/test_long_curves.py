"""
Pictures of long curves, of runs that record too: beside the reduction of all points, and by what they touch.
"""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from aim.engine.curves import ClientState, CurveRequest, Piece, View, draw
from aim.engine.points import PointStore
from aim.engine.repository import Repository
from aim.engine.sampling import reduce_curves
from aim.engine.tail import Watch

KEY = ("loss", "{}")
POINTS = 70_000


class Page:
    """What draws the curve of a run that records, and asks for its end."""

    def __init__(self, root: Path) -> None:
        repository = Repository(root)
        self.watch = Watch(repository.questions().catalogue)
        self.store = PointStore(repository, self.watch)
        self.since: int | None = None

    def look(self, view: View) -> Piece:
        """Return what is drawn now; from the second time on only what is new."""
        current = self.watch.number_of(self.watch.look()) or 0
        client = ClientState(self.since, current, frozenset({"example"}))
        (piece,) = draw(self.store, [CurveRequest("example", 0.0, KEY)], view, client)
        self.since = current
        return piece


def _value(chance: random.Random) -> float:
    return chance.choice((chance.random(), chance.random(), 0.5, float("nan"), float("inf")))


@pytest.mark.parametrize("seed", range(3))
def test_a_long_curve_that_grows_is_drawn_as_its_points_are(tmp_path: Path, seed: int) -> None:
    """
    Whatever is recorded between two looks, a window shows what the reduction of all points shows.
    """
    chance = random.Random(seed)
    writer = Repository(tmp_path, create=True).new_run("example")
    loss = writer.sequence("loss")
    page = Page(tmp_path)
    values: list[float] = []
    for count in (POINTS, *(chance.randrange(1, 900) for _ in range(8))):
        for _ in range(count):
            values.append(_value(chance))
            loss.track(values[-1], step=len(values) * 2)
        page.watch.look()
        low = chance.uniform(0, len(values))
        window = chance.choice((None, (low, low + chance.uniform(0, 2 * len(values)))))

        (piece,) = draw(page.store, [CurveRequest("example", 0.0, KEY)], View(window=window, buckets=50))

        steps = np.arange(1, len(values) + 1) * 2
        (expected,) = reduce_curves(steps, np.array(values)[np.newaxis], 50, window)
        assert steps[expected.point_indices].tolist() == piece.x.tolist()
        np.testing.assert_array_equal(np.array(values)[expected.point_indices], piece.y)
        assert (expected.point_count, expected.nan_count, expected.inf_count) == (
            piece.point_count,
            piece.nan_count,
            piece.inf_count,
        )
    writer.close()


@pytest.mark.parametrize("scale", [1 / 7, 7], ids=["floats", "integers"])
def test_a_tick_of_a_long_live_run_touches_its_new_points(tmp_path: Path, scale: float) -> None:
    """
    A page that has 70,000 points gets the ten new ones, and nothing looks at the others again, nor copies them.
    """
    writer = Repository(tmp_path, create=True).new_run("example")
    loss = writer.sequence("loss")
    for step in range(POINTS):
        loss.track(step * scale, step=step)
    page = Page(tmp_path)
    view = View(buckets=100)
    page.look(view)
    curve = page.store.read("example", [KEY])[KEY]
    before = page.store.pyramid("example", KEY, None, curve).touched_count

    for step in range(POINTS, POINTS + 10):
        loss.track(step * scale, step=step)
    piece = page.look(view)
    later = page.store.read("example", [KEY])[KEY]

    assert float(POINTS) == piece.begins_at
    assert (POINTS + 9, POINTS + 10) == (piece.x[-1], piece.point_count)
    assert 10 == page.store.pyramid("example", KEY, None, later).touched_count - before
    assert np.shares_memory(curve.values, later.values)
    writer.close()


def test_a_curve_that_changes_before_its_end_is_sent_anew(tmp_path: Path) -> None:
    """
    A value recorded again at an earlier step is in the whole curve that the page gets.
    """
    writer = Repository(tmp_path, create=True).new_run("example")
    loss = writer.sequence("loss")
    for step in range(POINTS):
        loss.track(0.5, step=step)
    page = Page(tmp_path)
    page.look(View(buckets=100))

    loss.track(99.0, step=3)
    piece = page.look(View(buckets=100))

    assert piece.begins_at is None
    assert 99.0 == piece.y.max()
    writer.close()
