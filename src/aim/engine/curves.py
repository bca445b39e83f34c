"""
Curves for a picture: read, put over the x that was asked for, smoothed, cut to a window, and reduced.

    points of a run  ->  x of step, epoch, time or another metric  ->  smooth over all  ->  window, reduce  ->  `Piece`
    of a group       ->  the same, but not reduced                 ->  aggregate        ->  line, low, high

Curves over equal x are reduced together: with hundreds of runs of the same length this is most of the speed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from aim.engine.aggregate import aggregate
from aim.engine.points import Curve, PointStore
from aim.engine.pyramid import Pyramid
from aim.engine.sampling import Reduced, Window, inside, reduce_curves, reduce_path
from aim.engine.smoothing import EMA, smooth_rows
from aim.engine.stored_pictures import stored_picture
from aim.storage.forms.history import Rewind
from aim.storage.forms.state import SequenceKey

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
XArray = npt.NDArray[Any]
PYRAMID_POINTS_MIN = 65_536  # a shorter curve is reduced within some milliseconds
AXES = ("step", "epoch", "time", "relative")
LINE, SMOOTH, LOW, HIGH = "line", "smooth", "low", "high"
Axis = str | tuple[str, str | None]
"""One of `AXES`, or a metric: its name and the text of its context, None for the context of the curve."""


@dataclass(frozen=True)
class CurveRequest:
    """
    One curve that is asked for: its run, the run's time of creation, and its key.

    Attributes:
        before: the curve as it stood just before this rewind of the run; None: as it is now.
        point_count: how many points it has, about; 0: unknown, or few.
    """

    run_hash: str
    created_at_s: float
    key: SequenceKey
    before: Rewind | None = None
    point_count: int = 0


@dataclass(frozen=True)
class View:
    """
    How curves are drawn.

    Attributes:
        window: in units of x; None: everything.
        buckets: how fine; see `sampling`.
        smooth: how much the curves are smoothed; 0: not at all.
        smooth_kind: one of `smoothing.KINDS`, which says what *smooth* means.
    """

    x: Axis = "step"
    window: Window | None = None
    buckets: int = 300
    smooth: float = 0.0
    smooth_kind: str = EMA


@dataclass(frozen=True)
class Piece:
    """
    One drawn part of one curve or group.

    Attributes:
        source: the index of the curve, or of the group, in the request.
        part: `line`, `smooth`, `low` or `high`.
        x, y: of equal length.
        point_count, nan_count, inf_count: the points in the window before reduction, and those NaN and infinite.
        begins_at: the x from which on this replaces the curve that the client has; None: this is the whole curve.
        exact: by their index in *y*, the values that are integers beyond 2**53, with all their digits.
    """

    source: int
    part: str
    x: XArray
    y: FloatArray
    point_count: int
    nan_count: int
    inf_count: int
    begins_at: float | None = None
    exact: Mapping[int, int] = field(default_factory=dict)


@dataclass
class _Line:
    """One curve over its x, before reduction."""

    source: int
    x: XArray
    y: FloatArray
    curve: Curve
    point_indices: IntArray | None = None  # of its points in the curve; None: all, in their order
    begin: int = 0  # how many of these were cut off at the beginning
    first: int = 0  # the point from which on it is asked for
    smooth: FloatArray | None = None
    sorted_x: bool = True
    pyramid: Callable[[], Pyramid] | None = None  # of a long curve whose points are all there, in their order
    reduced: Reduced | None = None  # of a curve of which some points were read, for this picture only

    def inside(self, window: Window | None) -> FloatArray:
        """Return the values in a window."""
        return self.y if window is None else self.y[(self.x >= window[0]) & (self.x <= window[1])]

    def cut(self, part: slice, x: XArray) -> None:
        """Keep only a part of the line, whose x are *x*."""
        self.x, self.y = x, self.y[part]
        self.begin += part.start
        self.smooth = None if self.smooth is None else self.smooth[part]

    def keep_end(self) -> None:
        """Drop the points before `first`."""
        self.x, self.y = self.x[self.first :], self.y[self.first :]
        self.begin += self.first
        self.smooth = None if self.smooth is None else self.smooth[self.first :]

    def long_integers(self, indices: IntArray) -> dict[int, int]:
        """Return the integers beyond 2**53 among the points at *indices*, by their position there."""
        if self.reduced is not None:  # it has none
            return {}
        curve_indices = indices + self.begin
        return self.curve.long_integers(
            curve_indices if self.point_indices is None else self.point_indices[curve_indices]
        )


@dataclass(frozen=True)
class ClientState:
    """
    What the client has, so that it gets only the end of curves that have grown.

    Attributes:
        since: the number of the state in which the client asked the last time; None: it has nothing.
        current: the number of the state now.
        live: hashes of runs that record.
    """

    since: int | None = None
    current: int = 0
    live: frozenset[str] = field(default_factory=frozenset)


def draw(
    store: PointStore, requests: Sequence[CurveRequest], view: View, client: ClientState | None = None
) -> list[Piece]:
    """
    Return the pieces of the curves that are asked for, each curve's `line` first; empty curves are left out.

    Cost: reading, and then some 20 us a curve of 1,000 points.
    """
    client = client or ClientState()
    if view.smooth and view.smooth_kind != EMA:
        client = replace(client, since=None)  # points that were drawn change too
    pieces = _stored_pieces(store, requests, view)
    sources = {piece.source for piece in pieces}
    lines = _lines(store, requests, view, client, sources, is_reduced=view.x == "step" and not view.smooth)
    if view.smooth:
        _smooth(lines, view)
    for line, reduced in zip(lines, _reduced(lines, view), strict=True):
        pieces += _pieces_of(line, reduced)
    return sorted(pieces, key=lambda piece: piece.source) if sources else pieces


def _pieces_of(line: _Line, reduced: Reduced) -> Iterator[Piece]:
    indices = reduced.point_indices
    x, y = (line.x, line.y) if len(indices) == len(line.x) else (line.x[indices], line.y[indices])
    counts = (reduced.point_count, reduced.nan_count, reduced.inf_count)
    begins_at = float(line.x[0]) if line.first and len(line.x) else None
    yield Piece(line.source, LINE, x, y, *counts, begins_at, line.long_integers(indices))
    if line.smooth is not None:
        yield Piece(line.source, SMOOTH, x, line.smooth[indices], *counts, begins_at)


def _stored_pieces(store: PointStore, requests: Sequence[CurveRequest], view: View) -> list[Piece]:
    """Return the pieces of the curves that are too long to be read; there are none where points are in files."""
    if view.x != "step" or view.smooth:
        return []
    lengths = {(request.run_hash, request.key): request.point_count for request in requests if request.before is None}
    curves = store.long_curves(lengths, view.buckets, view.window)
    pieces = []
    for source, request in enumerate(requests):
        curve = curves.get((request.run_hash, request.key)) if request.before is None else None
        if curve is not None:
            counts = (curve.point_count, curve.nan_count, curve.inf_count)
            pieces.append(Piece(source, LINE, curve.steps, curve.values, *counts))
    return pieces


def draw_groups(
    store: PointStore, groups: Sequence[Sequence[CurveRequest]], view: View, value: str, band: str
) -> list[Piece]:
    """Return a line, and with a band its edges, for each group of curves; *source* is the index of the group."""
    requests = [request for group in groups for request in group]
    group_indices = [index for index, group in enumerate(groups) for _ in group]
    lines = [line for line in _lines(store, requests, view, ClientState()) if len(line.x)]
    if view.smooth:
        _smooth(lines, view)
    members: dict[int, list[_Line]] = {}
    for line in lines:
        members.setdefault(group_indices[line.source], []).append(line)
    return [
        piece
        for group_index, group_lines in sorted(members.items())
        for piece in _group_pieces(group_index, group_lines, view, value, band)
    ]


def _group_pieces(group_index: int, lines: Sequence[_Line], view: View, value: str, band: str) -> list[Piece]:
    curves = [(line.x, line.y if line.smooth is None else line.smooth) for line in lines]
    aggregated = aggregate(curves, view.buckets, view.window, value, band)
    counts = _counts(np.concatenate([line.inside(view.window) for line in lines]))
    pieces = [Piece(group_index, LINE, aggregated.x, aggregated.y, *counts)]
    if aggregated.low is not None and aggregated.high is not None:
        pieces.append(Piece(group_index, LOW, aggregated.x, aggregated.low, *counts))
        pieces.append(Piece(group_index, HIGH, aggregated.x, aggregated.high, *counts))
    return pieces


@dataclass(frozen=True)
class CurvePoints:
    """
    The points of one curve in a view, none left out.

    Attributes:
        x: in the order of the picture.
        steps, epochs, times_s, values: of the same points.
        exact: by their index, the values that are integers beyond 2**53.
    """

    x: XArray
    steps: IntArray
    epochs: FloatArray
    times_s: FloatArray
    values: FloatArray
    exact: Mapping[int, int]


def points_in_view(store: PointStore, request: CurveRequest, view: View) -> CurvePoints | None:
    """Return the points of a curve that have an x, and one in the window; None when the run has no such curve."""
    lines = _lines(store, [request], view, ClientState())
    curve = store.read(request.run_hash, [request.key]).get(request.key)
    if not lines or curve is None:
        return None
    line = lines[0]
    inside = slice(None) if view.window is None else (line.x >= view.window[0]) & (line.x <= view.window[1])
    indices = (np.arange(len(curve)) if line.point_indices is None else line.point_indices)[inside]
    return CurvePoints(
        line.x[inside],
        curve.steps[indices],
        curve.epochs[indices],
        curve.times_s[indices],
        curve.values[indices],
        curve.long_integers(indices),
    )


def _counts(values: FloatArray) -> tuple[int, int, int]:
    return len(values), int(np.isnan(values).sum()), int(np.isinf(values).sum())


# over which x


def _lines(
    store: PointStore,
    requests: Sequence[CurveRequest],
    view: View,
    client: ClientState,
    drawn: Collection[int] = frozenset(),
    *,
    is_reduced: bool = False,
) -> list[_Line]:
    """
    Return the curves over their x, without those that were *drawn*.

    Args:
        is_reduced: of curves that are not in memory, read what the picture shows.
    """
    by_run = _sources_by_run(requests, drawn)
    lines: dict[int, _Line] = {}
    curves_of_runs = _read_together(store, requests, by_run, view)
    for (run_hash, before), sources in by_run.items():
        curves = curves_of_runs[run_hash, before]
        for source in sources:
            curve = curves.get(requests[source].key)
            if curve is None:
                continue
            with suppress(FileNotFoundError):  # the run was deleted since it was read
                stored = _stored_line(source, curve, view) if is_reduced else None
                lines[source] = stored or _whole_line(store, source, curve, curves, requests[source], view, client)
    return [lines[source] for source in sorted(lines)]


def _whole_line(
    store: PointStore,
    source: int,
    curve: Curve,
    curves: Mapping[SequenceKey, Curve],
    request: CurveRequest,
    view: View,
    client: ClientState,
) -> _Line:
    line = _over_x(source, curve, curves, request, view.x)
    if _is_long(line, curve):
        line.pyramid = partial(store.pyramid, request.run_hash, request.key, request.before, curve)
    if request.before is None and (request.run_hash in client.live or client.since is not None):
        line.first = _first_new(store, request, curve, line, client)
    return line


def _stored_line(source: int, curve: Curve, view: View) -> _Line | None:
    picture = stored_picture(curve, view.buckets, view.window)
    if picture is None:
        return None
    return _Line(source, picture.x, picture.y, curve, picture.point_indices, reduced=picture.reduced)


def _read_together(
    store: PointStore,
    requests: Sequence[CurveRequest],
    by_run: Mapping[tuple[str, Rewind | None], Sequence[int]],
    view: View,
) -> dict[tuple[str, Rewind | None], dict[SequenceKey, Curve]]:
    keys_of_runs = {}
    for run, sources in by_run.items():
        keys = {requests[source].key for source in sources}
        keys_of_runs[run] = keys | _partner_keys(keys, view.x)
    with store.together(keys_of_runs):
        return {run: store.read(run[0], keys, run[1]) for run, keys in keys_of_runs.items()}


def _sources_by_run(
    requests: Sequence[CurveRequest], drawn: Collection[int]
) -> dict[tuple[str, Rewind | None], list[int]]:
    by_run: dict[tuple[str, Rewind | None], list[int]] = {}
    for source, request in enumerate(requests):
        if source not in drawn:
            by_run.setdefault((request.run_hash, request.before), []).append(source)
    return by_run


def _is_long(line: _Line, curve: Curve) -> bool:
    """Return whether a pyramid pays for a line, which has to have all points in the order of the curve."""
    return len(curve) >= PYRAMID_POINTS_MIN and line.sorted_x and line.y is curve.values


def _first_new(store: PointStore, request: CurveRequest, curve: Curve, line: _Line, client: ClientState) -> int:
    """Return the first point of a line that the client may not have; 0 when it needs the whole line."""
    length = None
    if client.since is not None and len(line.x) == len(curve) and line.sorted_x:
        length = store.shared_length(request.run_hash, request.key, client.since, curve)
    store.mark(request.run_hash, request.key, client.current, curve)
    if not length or length.bit_length() != len(curve).bit_length() or length == len(curve):
        # each end is reduced by itself, so a line of many ends gets too fine: at each doubling all of it is sent
        return 0
    return int(np.searchsorted(line.x, line.x[length], "left"))


def _partner_keys(keys: set[SequenceKey], x: Axis) -> set[SequenceKey]:
    if isinstance(x, str):
        return set()
    name, context_text = x
    if context_text is not None:
        return {(name, context_text)}
    return {(name, curve_context) for _, curve_context in keys} | {(name, "{}")}


def _over_x(source: int, curve: Curve, curves: Mapping[SequenceKey, Curve], request: CurveRequest, x: Axis) -> _Line:
    if not isinstance(x, str):
        return _over_metric(source, curve, curves, request, x)
    if x == "step":
        return _Line(source, curve.steps, curve.values, curve)
    point_indices: IntArray | None = None
    if x == "epoch":
        point_indices = np.flatnonzero(~np.isnan(curve.epochs))
        y, line_x = curve.values[point_indices], curve.epochs[point_indices]
    else:
        y, line_x = curve.values, curve.times_s - (request.created_at_s if x == "relative" else 0.0)
    if len(line_x) > 1 and not bool((line_x[1:] >= line_x[:-1]).all()):
        order = np.argsort(line_x, kind="stable")
        sorted_indices = order if point_indices is None else point_indices[order]
        return _Line(source, line_x[order], y[order], curve, sorted_indices, sorted_x=False)
    return _Line(source, line_x, y, curve, point_indices)


def _over_metric(
    source: int, curve: Curve, curves: Mapping[SequenceKey, Curve], request: CurveRequest, x: tuple[str, str | None]
) -> _Line:
    """Put a curve over another metric of the run: its value at the same step."""
    name, context_text = x
    partner = curves.get((name, request.key[1] if context_text is None else context_text))
    if partner is None and context_text is None:
        same_name = (other for key, other in curves.items() if key[0] == name)
        partner = curves.get((name, "{}")) or next(same_name, None)
    if partner is None:
        return _Line(source, np.empty(0), np.empty(0), curve, sorted_x=False)
    _, curve_indices, partner_indices = np.intersect1d(
        curve.steps, partner.steps, assume_unique=True, return_indices=True
    )
    partner_values = partner.values[partner_indices]
    finite = np.isfinite(partner_values)
    point_indices = curve_indices[finite]
    return _Line(source, partner_values[finite], curve.values[point_indices], curve, point_indices, sorted_x=False)


# smoothing and reduction


def _smooth(lines: Sequence[_Line], view: View) -> None:
    """Smooth lines, those of equal length together where their x do not count."""
    together: dict[int, list[_Line]] = {}
    for index, line in enumerate(lines):
        together.setdefault(len(line.y) if view.smooth_kind == EMA else -index - 1, []).append(line)
    for equal_lines in together.values():
        stacked = np.stack([line.y for line in equal_lines])
        rows = smooth_rows(equal_lines[0].x, stacked, view.smooth_kind, view.smooth)
        for line, row in zip(equal_lines, rows, strict=True):
            line.smooth = row


def _reduced(lines: Sequence[_Line], view: View) -> list[Reduced]:
    """Reduce lines, those over equal x together; a line of which only the end is asked for is cut first."""
    reduced_lines: dict[int, Reduced] = {}
    by_x: dict[tuple[str, bytes], list[int]] = {}
    cuts: dict[int, slice] = {}
    is_path = not isinstance(view.x, str)
    for index, line in enumerate(lines):
        if is_path:
            reduced_lines[index] = reduce_path(line.x, line.y, view.buckets)
        elif line.reduced is not None:
            reduced_lines[index] = line.reduced
        elif line.first:
            reduced_lines[index] = _reduced_end(line, view)
        elif line.pyramid is not None:
            reduced_lines[index] = line.pyramid().reduce(line.x, view.buckets, view.window)
        else:
            start, stop = inside(line.x, view.window)
            cut = cuts[index] = slice(max(start - 1, 0), min(stop + 1, len(line.x)))
            by_x.setdefault((line.x.dtype.str, line.x[cut].tobytes()), []).append(index)
    for indices in by_x.values():
        x = lines[indices[0]].x[cuts[indices[0]]]
        rows = np.stack([lines[index].y[cuts[index]] for index in indices])
        for index, reduced in zip(indices, reduce_curves(x, rows, view.buckets, view.window), strict=True):
            reduced_lines[index] = reduced
            lines[index].cut(cuts[index], x)  # one array for all, so that a frame holds it once
    return [reduced_lines[index] for index in range(len(lines))]


def _reduced_end(line: _Line, view: View) -> Reduced:
    counts = _counts_of(line, view.window)  # of the whole line
    buckets = max(1, round(view.buckets * (len(line.x) - line.first) / len(line.x)))
    line.keep_end()
    end = reduce_curves(line.x, line.y[np.newaxis], buckets, view.window)[0]
    return Reduced(end.point_indices, *counts)


def _counts_of(line: _Line, window: Window | None) -> tuple[int, int, int]:
    if line.pyramid is None:
        return _counts(line.inside(window))
    start, stop = inside(line.x, window)
    return (stop - start, *line.pyramid().odd_counts(start, stop))
