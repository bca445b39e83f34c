"""
Curves over any x, smoothed, cut to a window and in groups. The reduction itself is tested in test_sampling.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from aim.engine.curves import (
    HIGH,
    LINE,
    LOW,
    SMOOTH,
    Axis,
    CurveRequest,
    Piece,
    View,
    draw,
    draw_groups,
    points_in_view,
)
from aim.engine.points import PointStore
from aim.engine.repository import Repository
from aim.engine.tail import Watch

NAN = float("nan")
VAL = '{"subset":"val"}'
LOSS, LOSS_VAL, LEARNING_RATE = ("loss", "{}"), ("loss", VAL), ("lr", "{}")
# step, value, epoch
LOSS_POINTS = [(0, 8.0, 0.0), (1, 6.0, None), (2, NAN, 1.0), (3, 2.0, 0.5), (5, float("inf"), 2.0)]
LR_POINTS = [(0, 0.3), (2, 0.2), (3, NAN), (5, 0.1)]
CREATED_AT_S = 100.0


@pytest.fixture(name="store", scope="module")
def _store(tmp_path_factory: pytest.TempPathFactory) -> PointStore:
    """
    The points of two runs; the second one has only a loss.
    """
    repository = Repository(tmp_path_factory.mktemp("curves"), create=True)
    for run_hash in ("first", "second"):
        writer = repository.new_run(run_hash)
        for step, value, epoch in LOSS_POINTS:
            writer.sequence("loss").track(value, step=step, epoch=epoch)
        if run_hash == "first":
            for step, rate in LR_POINTS:
                writer.sequence("lr").track(rate, step=step)
            writer.sequence("loss", {"subset": "val"}).track(4.0, step=3)
        writer.close()
    return PointStore(repository, Watch(repository.questions().catalogue))


def request_of(key: tuple[str, str] = LOSS, run_hash: str = "first") -> CurveRequest:
    """Return a request for one curve."""
    return CurveRequest(run_hash, CREATED_AT_S, key)


def plain(numbers: Any) -> list[object]:
    """Return numbers as a list that can be compared, with a text for NaN."""
    return ["nan" if number != number else round(float(number), 6) for number in np.asarray(numbers).tolist()]


def only(pieces: Sequence[Piece]) -> Piece:
    """Return the only piece."""
    (piece,) = pieces
    return piece


@pytest.mark.parametrize(
    ("x", "key", "expected_x", "expected_y"),
    [
        ("step", LOSS, [0, 1, 2, 3, 5], [8.0, 6.0, "nan", 2.0, "inf"]),
        ("epoch", LOSS, [0.0, 0.5, 1.0, 2.0], [8.0, 2.0, "nan", "inf"]),
        (("lr", None), LOSS, [0.3, 0.2, 0.1], [8.0, "nan", "inf"]),
        (("lr", "{}"), LOSS, [0.3, 0.2, 0.1], [8.0, "nan", "inf"]),
        (("lr", None), LOSS_VAL, [], []),
        (("loss", None), LEARNING_RATE, [8.0, 2.0], [0.3, "nan"]),
        (("loss", VAL), LEARNING_RATE, [4.0], ["nan"]),
        (("acc", None), LOSS, [], []),
        (("lr", VAL), LOSS, [], []),
    ],
)
def test_a_curve_is_drawn_over_its_x(
    store: PointStore, x: Axis, key: tuple[str, str], expected_x: list[object], expected_y: list[object]
) -> None:
    """
    Points without an epoch are left out; over another metric a point stands where that is finite at the same step.
    """
    piece = only(draw(store, [request_of(key)], View(x=x)))

    assert expected_x == plain(piece.x)
    assert expected_y == [str(value) if value == float("inf") else value for value in plain(piece.y)]
    assert (0, LINE, None) == (piece.source, piece.part, piece.begins_at)


def test_times_are_absolute_or_from_the_creation_of_the_run(store: PointStore) -> None:
    """
    The relative time is the time without that of the run's creation.
    """
    times = only(draw(store, [request_of()], View(x="time")))
    relative = only(draw(store, [request_of()], View(x="relative")))

    assert plain(times.x - CREATED_AT_S) == plain(relative.x)
    assert plain(times.y) == plain(relative.y)
    assert sorted(times.x.tolist()) == times.x.tolist()


@pytest.mark.parametrize(
    ("window", "points", "counts"),
    [
        (None, [0, 1, 2, 3, 5], (5, 1, 1)),
        ((1, 2), [0, 1, 2, 3], (2, 1, 0)),
        ((4, 4.5), [3, 5], (0, 0, 0)),
        ((3, 9), [2, 3, 5], (2, 0, 1)),
        ((-3, -1), [0], (0, 0, 0)),
    ],
)
def test_a_window_has_a_point_beyond_each_edge(
    store: PointStore, window: tuple[float, float] | None, points: list[int], counts: tuple[int, int, int]
) -> None:
    """
    The line goes on to the next point at both sides, so that it meets the frame; only points inside are counted.
    """
    piece = only(draw(store, [request_of()], View(window=window)))

    assert points == piece.x.tolist()
    assert counts == (piece.point_count, piece.nan_count, piece.inf_count)


def test_curves_keep_their_places_in_the_request(store: PointStore) -> None:
    """
    Curves that no run has are left out, and each piece says which request it answers.
    """
    requests = [
        request_of(("none", "{}")),
        request_of(LOSS_VAL),
        request_of(run_hash="gone"),
        request_of(LOSS, "second"),
    ]
    pieces = draw(store, requests, View())

    assert [(1, [3]), (3, [0, 1, 2, 3, 5])] == [(piece.source, piece.x.tolist()) for piece in pieces]
    assert [] == draw(store, [], View())


def test_curves_over_equal_x_share_one_array(store: PointStore) -> None:
    """
    Runs with the same steps are reduced together, and a frame can hold their x once.
    """
    first, second = draw(store, [request_of(), request_of(run_hash="second")], View())

    assert first.x is second.x


def test_a_smooth_line_comes_after_its_line(store: PointStore) -> None:
    """
    The exponential mean of all values is a second piece over the same x.
    """
    line, smooth = draw(store, [request_of(LEARNING_RATE)], View(smooth=0.5))

    assert (LINE, SMOOTH) == (line.part, smooth.part)
    assert line.x.tolist() == smooth.x.tolist()
    assert [0.3, 0.3 * 0.5 / 1.5 + 0.2 / 1.5] == pytest.approx(smooth.y[:2].tolist())
    assert (line.point_count, line.nan_count) == (smooth.point_count, smooth.nan_count) == (4, 1)


def test_a_smooth_window_is_cut_from_the_smooth_whole(store: PointStore) -> None:
    """
    Zooming in changes no value of the smooth line.
    """
    _, whole = draw(store, [request_of(LEARNING_RATE)], View(smooth=0.5))
    _, part = draw(store, [request_of(LEARNING_RATE)], View(smooth=0.5, window=(2, 2)))

    assert plain(whole.y[:3]) == plain(part.y)


def test_a_group_is_a_line_and_its_band(store: PointStore) -> None:
    """
    The mean of a group's curves comes first, then the edges of the band; a group without points is left out.
    """
    groups = [[request_of(("none", "{}"))], [request_of(), request_of(LOSS_VAL)], [request_of(LEARNING_RATE)]]
    pieces = draw_groups(store, groups, View(), "mean", "minmax")
    of_losses = {piece.part: piece for piece in pieces if piece.source == 1}

    assert [1, 1, 1, 2, 2, 2] == [piece.source for piece in pieces]
    assert [LINE, LOW, HIGH] == [piece.part for piece in pieces][:3]
    at_three = of_losses[LINE].x.tolist().index(3)
    assert [3.0, 2.0, 4.0] == [of_losses[part].y[at_three] for part in (LINE, LOW, HIGH)]
    assert (6, 1, 1) == (of_losses[LINE].point_count, of_losses[LINE].nan_count, of_losses[LINE].inf_count)


def test_a_group_without_a_band_is_one_line(store: PointStore) -> None:
    """
    Without a band there are no edges, and a window counts only what lies in it.
    """
    piece = only(draw_groups(store, [[request_of()]], View(window=(0, 1)), "mean", "none"))

    assert (LINE, 2) == (piece.part, piece.point_count)


@pytest.mark.parametrize(
    ("view", "steps"),
    [
        (View(), [0, 1, 2, 3, 5]),
        (View(window=(1, 3)), [1, 2, 3]),
        (View(x="epoch"), [0, 3, 2, 5]),
        (View(x="epoch", window=(0.5, 1.0)), [3, 2]),
        (View(x=("lr", None), window=(0.15, 0.3)), [0, 2]),
    ],
)
def test_the_points_in_a_view_are_all_there(store: PointStore, view: View, steps: list[int]) -> None:
    """
    No point in the window is left out, and each has its step, epoch, time and value.
    """
    points = points_in_view(store, request_of(), view)
    values = {step: value for step, value, _ in LOSS_POINTS}
    epochs = {step: NAN if epoch is None else epoch for step, _, epoch in LOSS_POINTS}

    assert points is not None
    assert steps == points.steps.tolist()
    assert plain([values[step] for step in steps]) == plain(points.values)
    assert plain([epochs[step] for step in steps]) == plain(points.epochs)
    assert len(steps) == len(points.times_s) == len(points.x)


def test_a_curve_that_no_run_has_has_no_points(store: PointStore) -> None:
    """
    There is None for a curve that is not there.
    """
    assert None is points_in_view(store, request_of(("none", "{}")), View())
