"""
How many steps a sequence has, when it does not fit into memory.

A sequence has one point for each step, however many writers recorded that step, so its length is the size of a union.
The steps of each part (what one writer recorded) are read when they are needed and then forgotten:

    parts whose steps increase, and no two overlap      their lengths are added
    parts that overlap, few steps                       they are joined and counted
    parts that overlap, many steps                      the range of steps is cut into pieces; each piece by itself

Cost: each part is read once; one of many steps that overlaps others once more for each piece that it reaches into.
Memory: the largest part, and `JOINED_MAX` steps.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from aim.storage.forms.records import IntArray
from aim.storage.reading.points import is_increasing

JOINED_MAX = 1 << 22  # 32 MiB, and three times as much while they are sorted
PIECES_MAX = 64

ReadSteps = Callable[[], IntArray]
"""Reads the steps of a part: shape (n,), int64, in any order."""


class _Span(NamedTuple):
    read: ReadSteps
    first: int
    last: int
    step_count: int
    is_increasing: bool


def distinct_count(parts: Sequence[ReadSteps], *, joined_max: int = JOINED_MAX) -> int:
    """
    Return how many different steps there are in some parts.

    Args:
        joined_max: how many steps are held in memory at once, besides those of one part.

    >>> distinct_count([lambda: np.array([0, 1, 2]), lambda: np.array([2, 3])])
    4
    """
    spans = [span for span in map(_span, parts) if span.step_count]
    spans.sort(key=lambda span: span.first)
    total = 0
    overlapping: list[_Span] = []
    last = 0
    for span in spans:
        if overlapping and span.first > last:
            total += _count(overlapping, overlapping[0].first, last, joined_max)
            overlapping = []
        last = max(last, span.last) if overlapping else span.last
        overlapping.append(span)
    if overlapping:
        total += _count(overlapping, overlapping[0].first, last, joined_max)
    return total


def _span(read: ReadSteps) -> _Span:
    steps = read()
    if not len(steps):
        return _Span(read, 0, 0, 0, True)
    return _Span(read, int(steps.min()), int(steps.max()), len(steps), is_increasing(steps))


def _count(spans: Sequence[_Span], first: int, last: int, joined_max: int) -> int:
    """Count the steps from *first* to *last* of parts that all reach into that range."""
    if len(spans) == 1 and spans[0].is_increasing and first <= spans[0].first and spans[0].last <= last:
        return spans[0].step_count
    joined: list[IntArray] = []
    step_count = 0
    for span in spans:
        steps = span.read()
        joined.append(np.unique(steps[(steps >= first) & (steps <= last)]))
        step_count += len(joined[-1])
        if step_count > joined_max and first < last and len(spans) > 1:
            return _count_pieces(spans, first, last, joined_max)
    return len(np.unique(np.concatenate(joined)))


def _count_pieces(spans: Sequence[_Span], first: int, last: int, joined_max: int) -> int:
    most = sum(span.step_count for span in spans)
    piece_count = min(PIECES_MAX, max(2, -(-most // joined_max)), last - first + 1)
    edges = [first + (last - first + 1) * index // piece_count for index in range(piece_count + 1)]
    total = 0
    for low, high in pairwise(edges):
        inside = [span for span in spans if span.first < high and span.last >= low]
        if inside:
            total += _count(inside, low, high - 1, joined_max)
    return total
