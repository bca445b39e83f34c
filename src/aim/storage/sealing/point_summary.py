"""
The summary of points that are all at hand, in memory or in a file that is read in pieces.

A sequence of more than `PIECE_POINTS` is summed up piece by piece, wherever its points are, so that the same points
have the same summary to the last digit. Its median is exact all the same: its leading bits are found by counting, 16 at
a time, until the numbers that begin with these bits fit into a piece.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator

import numpy as np
import numpy.typing as npt

from aim.core.summaries import NAN, Summary

PIECE_POINTS = 1 << 18
DIGIT_BITS = 16
SIGN = np.uint64(1 << 63)

Steps = npt.NDArray[np.int64]
Values = npt.NDArray[np.float64]
Pieces = Callable[[], Iterable[tuple[Steps, Values]]]
"""Reads the points again, in the order of steps, in pieces of `PIECE_POINTS`; the last one may be shorter."""


def summarize(steps: Steps, values: Values) -> Summary:
    """
    Sum up the points of a sequence of numbers, one or more, ordered by step.

    >>> summary = summarize(np.array([1, 2, 2, 4]), np.array([0.5, 9.0, 0.25, 3.0]))
    >>> summary.point_count, summary.mean, round(summary.std, 6), summary.median, summary.argmin
    (3, 1.25, 1.241639, 0.5, 2)
    """
    if len(steps) > PIECE_POINTS:
        starts = range(0, len(steps), PIECE_POINTS)
        return summarize_pieces(
            lambda: ((steps[start : start + PIECE_POINTS], values[start : start + PIECE_POINTS]) for start in starts)
        )
    if len(steps) > 1 and not bool((steps[1:] > steps[:-1]).all()):
        is_latest = np.append(steps[1:] != steps[:-1], True)
        steps, values = steps[is_latest], values[is_latest]
    is_nan = np.isnan(values)
    has_nan = bool(is_nan.any())
    number_steps, numbers = (steps[~is_nan], values[~is_nan]) if has_nan else (steps, values)
    low = high = mean = std = median = NAN
    argmin = argmax = int(steps[0])
    if len(numbers):
        low_index, high_index = int(numbers.argmin()), int(numbers.argmax())
        low, high = float(numbers[low_index]), float(numbers[high_index])
        argmin, argmax = int(number_steps[low_index]), int(number_steps[high_index])
        with np.errstate(all="ignore"):
            mean, median = float(numbers.mean()), float(np.median(numbers))
            std = float(numbers.std())
        if low == high and np.isfinite(low):
            std = 0.0  # equal values may differ from their mean by rounding
    return Summary(
        first=float(values[0]),
        last=float(values[-1]),
        min=low,
        max=high,
        mean=mean,
        std=std,
        median=median,
        point_count=len(steps),
        first_step=int(steps[0]),
        last_step=int(steps[-1]),
        argmin=argmin,
        argmax=argmax,
        has_nan=has_nan,
        record_max_length=0,
    )


def summarize_pieces(pieces: Pieces) -> Summary:
    """Sum up the points of a sequence of numbers, one or more. Cost: reads them three to five times."""
    whole: Summary | None = None
    number_count, sums, squares = 0, [], []
    means: list[tuple[int, float]] = []
    for steps, values in _latest(pieces()):
        part = summarize(steps, values)
        count = int(np.count_nonzero(~np.isnan(values)))
        if count:
            number_count += count
            means.append((count, part.mean))
            sums.append(count * part.mean)
            squares.append(count * part.std * part.std)
        whole = part if whole is None else _joined(whole, part)
    assert whole is not None
    if not number_count:
        return whole
    mean = _sum(sums) / number_count
    spread = _sum([*squares, *(count * (of_piece - mean) ** 2 for count, of_piece in means)])
    std = 0.0 if whole.min == whole.max and math.isfinite(whole.min) else math.sqrt(spread / number_count)
    return whole._replace(mean=mean, std=std, median=_median(pieces, number_count))


def _sum(terms: list[float]) -> float:
    return math.fsum(terms) if all(map(math.isfinite, terms)) else sum(terms)


def _latest(pieces: Iterable[tuple[Steps, Values]]) -> Iterator[tuple[Steps, Values]]:
    # of several points at one step the latest, also when the next one is in the next piece
    held: tuple[Steps, Values] | None = None
    for piece in _ended(pieces):
        if held is not None:
            steps, values = held
            is_latest = np.append(steps[1:] != steps[:-1], piece is None or piece[0][0] != steps[-1])
            if bool(is_latest.any()):
                yield (steps, values) if bool(is_latest.all()) else (steps[is_latest], values[is_latest])
        held = piece


def _ended(pieces: Iterable[tuple[Steps, Values]]) -> Iterator[tuple[Steps, Values] | None]:
    yield from pieces
    yield None


def _joined(before: Summary, after: Summary) -> Summary:
    """Return the summary of two parts, the second behind the first, but for mean, std and median."""
    is_lower = after.min < before.min or math.isnan(before.min)
    is_higher = after.max > before.max or math.isnan(before.max)
    return before._replace(
        last=after.last,
        last_step=after.last_step,
        point_count=before.point_count + after.point_count,
        has_nan=before.has_nan or after.has_nan,
        min=after.min if is_lower else before.min,
        argmin=after.argmin if is_lower and not math.isnan(after.min) else before.argmin,
        max=after.max if is_higher else before.max,
        argmax=after.argmax if is_higher and not math.isnan(after.max) else before.argmax,
    )


def _median(pieces: Pieces, number_count: int) -> float:
    rank = (number_count - 1) // 2
    low, high = _ranked(pieces, rank)
    if number_count % 2:
        high = low
    elif high is None:
        high, _ = _ranked(pieces, rank + 1)
    with np.errstate(all="ignore"):
        return float(np.mean([low, high]))


def _ranked(pieces: Pieces, rank: int) -> tuple[float, float | None]:
    """
    Return the number of a rank, from 0, in the order of size, without NaN; and the next one.

    The next one is None when it begins with other bits than those that were looked at.
    """
    prefix, bits = 0, 0
    while True:
        counts = np.zeros(1 << DIGIT_BITS, np.int64)
        for keys in _keys(pieces, prefix, bits):
            digits = (keys >> np.uint64(64 - bits - DIGIT_BITS)).astype(np.uint16)
            counts += np.bincount(digits, minlength=1 << DIGIT_BITS)
        ends = np.cumsum(counts)
        digit = int(np.searchsorted(ends, rank, side="right"))
        rank -= int(ends[digit - 1]) if digit else 0
        prefix, bits = prefix << DIGIT_BITS | digit, bits + DIGIT_BITS
        if bits == 64:
            return _number(prefix), _number(prefix) if rank + 1 < counts[digit] else None
        if counts[digit] <= PIECE_POINTS:
            keys = np.sort(np.concatenate(list(_keys(pieces, prefix, bits))))
            return _number(int(keys[rank])), _number(int(keys[rank + 1])) if rank + 1 < len(keys) else None


def _keys(pieces: Pieces, prefix: int, bits: int) -> Iterator[npt.NDArray[np.uint64]]:
    # whole numbers in the order of the numbers, of those that begin with some bits
    for _, values in _latest(pieces()):
        words = np.ascontiguousarray(values[~np.isnan(values)]).view(np.uint64)
        keys = np.where(words & SIGN, ~words, words | SIGN)
        yield keys if not bits else keys[keys >> np.uint64(64 - bits) == np.uint64(prefix)]


def _number(key: int) -> float:
    word = key ^ (1 << 63) if key >> 63 else ~key & (1 << 64) - 1
    return float(np.array([word], np.uint64).view(np.float64)[0])
