"""
Curves for a picture: read, put over the x that was asked for, smoothed, cut to a window, and reduced.

    points of a run  ->  x of step, epoch, time or another metric  ->  smooth over all  ->  window, reduce  ->  `Piece`
    of a group       ->  the same, but not reduced                 ->  aggregate        ->  line, low, high

Curves over equal x are reduced together: with hundreds of runs of the same length this is most of the speed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from aim.engine.aggregate import aggregate
from aim.engine.points import Curve, PointStore
from aim.engine.sampling import Reduced, Window, reduce_curves, reduce_path, smoothed
from aim.storage.forms.history import Rewind
from aim.storage.forms.state import SequenceKey

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
XArray = npt.NDArray[Any]
AXES = ("step", "epoch", "time", "relative")
LINE, SMOOTH, LOW, HIGH = "line", "smooth", "low", "high"


@dataclass(frozen=True)
class CurveRequest:
    """
    One curve that is asked for: its run, the run's time of creation, and its key.

    Attributes:
        before: as it stood just before this rewind of the run; None: now.
    """

    run_hash: str
    created_at_s: float
    key: SequenceKey
    before: Rewind | None = None


@dataclass(frozen=True)
class View:
    """
    How curves are shown.

    Attributes:
        x: one of `AXES`, or a metric: its name and the text of its context, None for that of the curve.
        window: in units of x; None: all.
        buckets: how fine; see `sampling`.
        smooth: the weight of the past in the exponential mean; 0: none.
    """

    x: str | tuple[str, str | None] = "step"
    window: Window | None = None
    buckets: int = 300
    smooth: float = 0.0


@dataclass(frozen=True)
class Piece:
    """
    One drawn part of one curve or group.

    Attributes:
        source: the place of the curve, or of the group, in what was asked for.
        part: `line`, `smooth`, `low` or `high`.
        x, y: of equal length.
        points, nan, inf: how many points there are in the window before reduction, and how many of these are odd.
        begins_at: None, or an x: this is the rest of the curve from there on.
    """

    source: int
    part: str
    x: XArray
    y: FloatArray
    point_count: int
    nan_count: int
    inf_count: int
    begins_at: float | None = None


@dataclass
class _Line:
    """One curve over its x, before reduction."""

    source: int
    x: XArray
    y: FloatArray
    places: IntArray | None = None  # of its points in the curve; None: all, in their order
    first: int = 0  # from which point on it is asked for
    smooth: FloatArray | None = None
    sorted_x: bool = True


@dataclass(frozen=True)
class ClientState:
    """What the browser has: the state in which it asked the last time; and the state now, to be remembered."""

    since: int | None = None
    now: int = 0
    live: frozenset[str] = field(default_factory=frozenset)


def draw(
    store: PointStore, wanted: Sequence[CurveRequest], view: View, known: ClientState | None = None
) -> list[Piece]:
    """
    Return the pieces of the curves that are asked for, each curve's `line` first; empty curves are left out.

    Cost: reading, and then some 20 us a curve of 1,000 points.
    """
    lines = _lines(store, wanted, view, known or ClientState())
    if view.smooth:
        _smooth(lines, view.smooth)
    pieces: list[Piece] = []
    for line, reduced in zip(lines, _reduced(lines, view), strict=True):
        kept = reduced.point_indices
        x, y = (line.x, line.y) if len(kept) == len(line.x) else (line.x[kept], line.y[kept])
        counts = (reduced.point_count, reduced.nan_count, reduced.inf_count)
        begins_at = float(line.x[0]) if line.first and len(line.x) else None
        pieces.append(Piece(line.source, LINE, x, y, *counts, begins_at))
        if line.smooth is not None:
            pieces.append(Piece(line.source, SMOOTH, x, line.smooth[kept], *counts, begins_at))
    return pieces


def draw_groups(
    store: PointStore, groups: Sequence[Sequence[CurveRequest]], view: View, value: str, band: str
) -> list[Piece]:
    """Return a line, and with a band its edges, for each group of curves; *source* is the group's place."""
    flat = [one for group in groups for one in group]
    group_of = [place for place, group in enumerate(groups) for _ in group]
    lines = [line for line in _lines(store, flat, view, ClientState()) if len(line.x)]
    if view.smooth:
        _smooth(lines, view.smooth)
    members: dict[int, list[_Line]] = {}
    for line in lines:
        members.setdefault(group_of[line.source], []).append(line)
    pieces: list[Piece] = []
    for place, own in sorted(members.items()):
        curves = [(line.x, line.y if line.smooth is None else line.smooth) for line in own]
        result = aggregate(curves, view.buckets, view.window, value, band)
        raw = np.concatenate([_in_window(line, view.window) for line in own])
        counts = (len(raw), int(np.isnan(raw).sum()), int(np.isinf(raw).sum()))
        pieces.append(Piece(place, LINE, result.x, result.y, *counts))
        if result.low is not None and result.high is not None:
            pieces.append(Piece(place, LOW, result.x, result.low, *counts))
            pieces.append(Piece(place, HIGH, result.x, result.high, *counts))
    return pieces


@dataclass(frozen=True)
class CurvePoints:
    """
    The points of one curve that a picture shows, none left out.

    Attributes:
        x: of each, in the order of the picture.
        steps, epochs, times_s, values: of each.
    """

    x: XArray
    steps: IntArray
    epochs: FloatArray
    times_s: FloatArray
    values: FloatArray


def points_in_view(store: PointStore, one: CurveRequest, view: View) -> CurvePoints | None:
    """Return the points of a curve that have an x, and one in the window; None when the run has no such curve."""
    lines = _lines(store, [one], view, ClientState())
    curve = store.read(one.run_hash, [one.key]).get(one.key)
    if not lines or curve is None:
        return None
    line = lines[0]
    inside = slice(None) if view.window is None else (line.x >= view.window[0]) & (line.x <= view.window[1])
    places = (np.arange(len(curve)) if line.places is None else line.places)[inside]
    return CurvePoints(
        line.x[inside], curve.steps[places], curve.epochs[places], curve.times_s[places], curve.values[places]
    )


def _in_window(line: _Line, window: Window | None) -> FloatArray:
    return line.y if window is None else line.y[(line.x >= window[0]) & (line.x <= window[1])]


def _lines(store: PointStore, wanted: Sequence[CurveRequest], view: View, known: ClientState) -> list[_Line]:
    by_run: dict[tuple[str, Rewind | None], list[int]] = {}
    for place, one in enumerate(wanted):
        by_run.setdefault((one.run_hash, one.before), []).append(place)
    found: dict[int, _Line] = {}
    for (run_hash, before), places in by_run.items():
        keys = {wanted[place].key for place in places}
        curves = store.read(run_hash, keys | _partner_keys(keys, view.x), before)
        for place in places:
            one = wanted[place]
            curve = curves.get(one.key)
            if curve is None:
                continue
            line = _over_x(place, curve, curves, one, view.x)
            if before is None and (run_hash in known.live or known.since is not None):
                line.first = _first_new(store, one, curve, line, known)
            found[place] = line
    return [found[place] for place in sorted(found)]


def _first_new(store: PointStore, one: CurveRequest, curve: Curve, line: _Line, known: ClientState) -> int:
    """Return the first point of a line that the browser may not have; 0 when it needs the whole line."""
    length = None
    if known.since is not None and len(line.x) == len(curve) and line.sorted_x:
        length = store.shared_length(one.run_hash, one.key, known.since, curve)
    store.mark(one.run_hash, one.key, known.now, curve)
    if not length or length.bit_length() != len(curve).bit_length() or length == len(curve):
        # pieces of pieces get finer than was asked for; so at each doubling the whole line goes again
        return 0
    return int(np.searchsorted(line.x, line.x[length], "left"))


def _partner_keys(keys: set[SequenceKey], x: str | tuple[str, str | None]) -> set[SequenceKey]:
    if isinstance(x, str):
        return set()
    name, context = x
    return {(name, context)} if context is not None else {(name, own) for _, own in keys} | {(name, "{}")}


def _over_x(
    place: int, curve: Curve, curves: Mapping[SequenceKey, Curve], one: CurveRequest, x: str | tuple[str, str | None]
) -> _Line:
    if not isinstance(x, str):
        return _over_metric(place, curve, curves, one, x)
    if x == "step":
        return _Line(place, curve.steps, curve.values)
    places: IntArray | None = None
    if x == "epoch":
        places = np.flatnonzero(~np.isnan(curve.epochs))
        values, own = curve.values[places], curve.epochs[places]
    else:
        values, own = curve.values, curve.times_s - (one.created_at_s if x == "relative" else 0.0)
    if len(own) > 1 and not bool((own[1:] >= own[:-1]).all()):
        order = np.argsort(own, kind="stable")
        return _Line(place, own[order], values[order], order if places is None else places[order], sorted_x=False)
    return _Line(place, own, values, places)


def _over_metric(
    place: int, curve: Curve, curves: Mapping[SequenceKey, Curve], one: CurveRequest, x: tuple[str, str | None]
) -> _Line:
    """Put a curve over another metric of the run: its value at the same step."""
    name, context = x
    partner = curves.get((name, one.key[1] if context is None else context))
    if partner is None and context is None:
        partner = curves.get((name, "{}")) or next((own for key, own in curves.items() if key[0] == name), None)
    if partner is None:
        return _Line(place, np.empty(0), np.empty(0), sorted_x=False)
    _, own, other = np.intersect1d(curve.steps, partner.steps, assume_unique=True, return_indices=True)
    finite = np.isfinite(partner.values[other])
    places = own[finite]
    return _Line(place, partner.values[other][finite], curve.values[places], places, sorted_x=False)


def _smooth(lines: Sequence[_Line], weight: float) -> None:
    """Smooth lines, those of equal length together."""
    by_length: dict[int, list[_Line]] = {}
    for line in lines:
        by_length.setdefault(len(line.y), []).append(line)
    for own in by_length.values():
        for line, row in zip(own, smoothed(np.stack([line.y for line in own]), weight), strict=True):
            line.smooth = row


def _reduced(lines: Sequence[_Line], view: View) -> list[Reduced]:
    """Reduce lines, those over equal x together; a line of which only the end is asked for is cut first."""
    found: dict[int, Reduced] = {}
    together: dict[tuple[str, bytes], list[int]] = {}
    is_path = not isinstance(view.x, str)
    for place, line in enumerate(lines):
        if is_path:
            found[place] = reduce_path(line.x, line.y, view.buckets)
        elif line.first:
            found[place] = _reduced_end(line, view)
        else:
            together.setdefault((line.x.dtype.str, line.x.tobytes()), []).append(place)
    for places in together.values():
        x = lines[places[0]].x
        rows = np.stack([lines[place].y for place in places])
        for place, reduced in zip(places, reduce_curves(x, rows, view.buckets, view.window), strict=True):
            lines[place].x = x  # one array for all, so that a frame holds it once
            found[place] = reduced
    return [found[place] for place in range(len(lines))]


def _reduced_end(line: _Line, view: View) -> Reduced:
    whole = reduce_counts(line, view.window)
    share = max(1, round(view.buckets * (len(line.x) - line.first) / len(line.x)))
    line.x, line.y = line.x[line.first :], line.y[line.first :]
    line.smooth = None if line.smooth is None else line.smooth[line.first :]
    end = reduce_curves(line.x, line.y[np.newaxis], share, view.window)[0]
    return Reduced(end.point_indices, *whole)


def reduce_counts(line: _Line, window: Window | None) -> tuple[int, int, int]:
    """Count the points of a line in the window, and those that are NaN and infinite."""
    inside = _in_window(line, window)
    return len(inside), int(np.isnan(inside).sum()), int(np.isinf(inside).sum())
