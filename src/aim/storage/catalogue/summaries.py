"""
Sequences in short: first, last, min, max, mean, count and at which steps, found for all sequences of many runs at once.

    records of many writers, each sequence with a number of its own
        -> sorted by number, one `reduceat` for each value         -> a `Part` a number
    parts of one sequence (of several writers, or of an int and a float kind), in the order of steps
        -> joined, if their steps do not overlap                   -> a `SequenceSummary`
        -> else the points themselves are read and merged

NaN is left out of min, max and mean, which are NaN when nothing is left; `last` is the value at the largest step;
`argmin` and `argmax` are the first steps that have the smallest and the largest value.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from aim.storage.reading.points import Points
from aim.storage.sealing.sealed import SealedSequence

NAN = float("nan")
UNKNOWN_LENGTH = -1  # of the longest list of objects: its records were not read yet; likewise all below it


class SequenceSummary(NamedTuple):
    """
    One sequence of one run in short.

    Attributes:
        record_max_length: of objects: the longest list tracked at one step; UNKNOWN_LENGTH while nobody asked.
        stored_kind: the number of its stored kind, such as `float` or `list(aim.image)`, in the catalogue's list.
    """

    first: float
    last: float
    min: float
    max: float
    mean: float
    count: int  # type: ignore[assignment]  # a tuple's method, which nobody calls here
    first_step: int
    last_step: int
    argmin: int
    argmax: int
    has_nan: bool
    record_max_length: int
    stored_kind: int


SUMMARY_NAMES = SequenceSummary._fields
DTYPES: dict[str, npt.DTypeLike] = {
    **dict.fromkeys(("first", "last", "min", "max", "mean"), np.float64),
    **dict.fromkeys(
        ("count", "first_step", "last_step", "argmin", "argmax", "record_max_length", "stored_kind"), np.int64
    ),
    "has_nan": np.bool_,
}


class Part(NamedTuple):
    """
    One writer's share of a sequence in short.

    Attributes:
        numbers: how many values are not NaN.
        total: the sum of these.
        is_regular: whether each step is larger than the one before; if not, nothing but `count` is to be relied on.
    """

    first: float
    last: float
    min: float
    max: float
    total: float
    count: int  # type: ignore[assignment]  # a tuple's method, which nobody calls here
    numbers: int
    first_step: int
    last_step: int
    argmin: int
    argmax: int
    is_regular: bool


def parts(numbers: npt.NDArray[np.integer[Any]], steps: npt.NDArray[Any], values: npt.NDArray[Any]) -> dict[int, Part]:
    """
    Reduce points, in the order of recording, to a part for each of *numbers*; all arrays of shape (n,).

    Cost: about 150 ns a record, and 3 us a part.
    """
    if not len(numbers):
        return {}
    order = np.argsort(numbers, kind="stable")
    ordered = numbers[order]
    starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
    counts = np.diff(np.append(starts, len(ordered)))
    steps, values = steps[order], values[order]
    lasts = starts + counts - 1
    grows = np.append(True, steps[1:] > steps[:-1])
    grows[starts] = True
    group = np.repeat(np.arange(len(starts)), counts)
    nan = np.isnan(values)
    with np.errstate(invalid="ignore", over="ignore"):
        lowest, highest = np.fmin.reduceat(values, starts), np.fmax.reduceat(values, starts)
        total = np.add.reduceat(np.where(nan, 0.0, values), starts)
    columns = (
        values[starts].tolist(),
        values[lasts].tolist(),
        lowest.tolist(),
        highest.tolist(),
        total.tolist(),
        counts.tolist(),
        (counts - np.add.reduceat(nan, starts)).tolist(),
        steps[starts].tolist(),
        steps[lasts].tolist(),
        _first_step(values, lowest, group, steps, starts),
        _first_step(values, highest, group, steps, starts),
        np.logical_and.reduceat(grows, starts).tolist(),
    )
    return dict(zip(ordered[starts].tolist(), map(Part._make, zip(*columns, strict=True)), strict=True))


def _first_step(values: Any, wanted: Any, group: Any, steps: Any, starts: Any) -> list[int]:
    found = np.flatnonzero(values == wanted[group])
    result = steps[starts].copy()
    # of several assignments to one place the last counts: so from behind, the first
    result[group[found][::-1]] = steps[found][::-1]
    answer: list[int] = result.tolist()
    return answer


def joined(earlier: Part, later: Part) -> Part:
    """Put two parts of one sequence together; not regular when their steps overlap."""
    low, high = _smaller(earlier, later), _larger(earlier, later)
    return Part(
        earlier.first,
        later.last,
        low.min,
        high.max,
        earlier.total + later.total,
        earlier.count + later.count,
        earlier.numbers + later.numbers,
        earlier.first_step,
        later.last_step,
        low.argmin,
        high.argmax,
        earlier.is_regular and later.is_regular and earlier.last_step < later.first_step,
    )


def _smaller(earlier: Part, later: Part) -> Part:
    return later if later.numbers and (not earlier.numbers or later.min < earlier.min) else earlier


def _larger(earlier: Part, later: Part) -> Part:
    return later if later.numbers and (not earlier.numbers or later.max > earlier.max) else earlier


def of_sealed(sequence: SealedSequence, *, is_numeric: bool, alone: bool) -> Part | None:
    """
    Return the part of a sealed sequence from its file's footer; None when that does not tell: then read the points.

    Args:
        alone: it is the sequence's only part, so that nobody asks how many values are NaN.
    """
    summary = sequence.summary
    if summary is None:
        if is_numeric or sequence.stride is None or not sequence.rows or (sequence.rows > 1 and sequence.stride <= 0):
            return None
        last_step = sequence.first_step + sequence.stride * (sequence.rows - 1)
        return Part(NAN, NAN, NAN, NAN, 0.0, sequence.rows, 0, sequence.first_step, last_step, 0, 0, True)
    if not summary.count or (summary.has_nan and not alone):
        return None
    numbers = 0 if summary.mean != summary.mean and summary.has_nan else summary.count - summary.has_nan
    return Part(
        summary.first,
        summary.last,
        summary.min,
        summary.max,
        summary.mean * numbers if numbers else 0.0,
        summary.count,
        numbers,
        summary.first_step,
        summary.last_step,
        summary.argmin,
        summary.argmax,
        True,
    )


def summary_of(found: Sequence[Part], stored_kind: int, *, is_numeric: bool, is_list: bool) -> SequenceSummary | None:
    """
    Return the summary of a sequence from its parts, or None when their steps overlap and the points have to be merged.
    """
    ordered = sorted(found, key=lambda part: part.first_step) if len(found) > 1 else found
    whole = ordered[0]
    for part in ordered[1:]:
        whole = joined(whole, part)
    if not whole.is_regular:
        return None
    if not is_numeric:
        return of_objects(whole.count, whole.first_step, whole.last_step, stored_kind, is_list=is_list)
    mean = whole.total / whole.numbers if whole.numbers else NAN
    return SequenceSummary(
        whole.first,
        whole.last,
        whole.min,
        whole.max,
        mean,
        whole.count,
        whole.first_step,
        whole.last_step,
        whole.argmin,
        whole.argmax,
        whole.numbers < whole.count,
        0,
        stored_kind,
    )


def of_objects(count: int, first_step: int, last_step: int, stored_kind: int, *, is_list: bool) -> SequenceSummary:
    """Return the summary of a sequence of objects, or of lists of them."""
    length = UNKNOWN_LENGTH if is_list else 1
    return SequenceSummary(
        NAN, NAN, NAN, NAN, NAN, count, first_step, last_step, first_step, first_step, False, length, stored_kind
    )


def of_points(points: Points, stored_kind: int, *, is_numeric: bool, is_list: bool) -> SequenceSummary | None:
    """Return the summary of merged points; None when there is none."""
    count = len(points)
    if not count:
        return None
    first_step, last_step = int(points.steps[0]), int(points.steps[-1])
    if not is_numeric:
        return of_objects(count, first_step, last_step, stored_kind, is_list=is_list)
    values = points.values.astype(np.float64)
    known = np.flatnonzero(~np.isnan(values))
    argmin, argmax, low, high, mean = first_step, first_step, NAN, NAN, NAN
    if len(known):
        lowest, highest = known[np.argmin(values[known])], known[np.argmax(values[known])]
        argmin, argmax = int(points.steps[lowest]), int(points.steps[highest])
        low, high = float(values[lowest]), float(values[highest])
        with np.errstate(invalid="ignore", over="ignore"):
            mean = float(values[known].sum()) / len(known)
    has_nan = len(known) < count
    return SequenceSummary(
        float(values[0]),
        float(values[-1]),
        low,
        high,
        mean,
        count,
        first_step,
        last_step,
        argmin,
        argmax,
        has_nan,
        0,
        stored_kind,
    )
