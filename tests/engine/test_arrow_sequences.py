"""
Whole sequences as rows of Arrow and back.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from aim.engine import arrow_sequences
from aim.engine.arrow_sequences import SentSequence
from aim.storage.reading.points import Points


def points(values: Any, epochs: Any = None, writers: Any = None, **more: Any) -> Points:
    """Return points at steps 0, 2, 4 ..."""
    count = len(values)
    times_us = np.arange(count) + 1_795_380_950_250_001
    stored = np.full(count, np.nan, np.float32) if epochs is None else np.array(epochs, np.float32)
    ids = ("a",) if writers is None else ("a", "b")
    indices = None if writers is None else np.array(writers, np.int32)
    return Points(2 * np.arange(count), values, lambda: (times_us, stored), ids, indices, **more)


MIXED = np.array([1, 0.5, -(2**60), float("nan"), float("-inf")], object)


@pytest.mark.parametrize(
    "sent",
    [
        points(np.array([0.5, np.nan, np.inf]), kind="float"),
        points(np.array([0.5, 1.5]), epochs=[0.1, np.nan], kind="float"),
        points(np.array([1, 2**62]), writers=[1, 0], kind="int"),
        points(MIXED, kind="number"),
        points(np.array([7, 4096]), kind="list(aim.image)", hidden_items={2: frozenset({0, 3})}),
        points(np.empty(0), kind="float"),
    ],
    ids=["doubles", "epochs", "writers", "both", "objects", "none"],
)
def test_points_are_the_same_after_a_row(sent: Points) -> None:
    """
    Every array, with its type, and what was deleted of lists.
    """
    ((number, back, error, *_),) = arrow_sequences.sequences_of(arrow_sequences.rows([SentSequence(7, sent)]))

    assert (7, None) == (number, error)
    assert back is not None
    for name in ("steps", "values", "times_us", "epochs", "writers"):
        expected, actual = getattr(sent, name), getattr(back, name)
        assert (expected.dtype, repr(expected.tolist())) == (actual.dtype, repr(actual.tolist())), name
    assert (sent.kind, sent.writer_ids, sent.hidden_items) == (back.kind, back.writer_ids, back.hidden_items)


def test_an_error_takes_the_place_of_points() -> None:
    """
    It is in its row, in the form of an error of wire.md.
    """
    ((number, back, error, *_),) = arrow_sequences.sequences_of(
        arrow_sequences.rows([SentSequence(1, None, {"kind": "damaged"})])
    )

    assert (1, None, {"kind": "damaged"}) == (number, back, error)


def test_short_sequences_share_a_record_batch() -> None:
    """
    Each row has its own part of every list, whichever columns its neighbours use.
    """
    listed = [
        points(np.array([0.5, 1.5]), epochs=[0.1, 0.2], kind="float"),
        points(MIXED, kind="number"),
        None,
        points(np.array([3, 2**62]), writers=[1, 0], kind="int"),
        points(np.empty(0), kind="float"),
        points(np.array([2.5]), kind="float"),
    ]
    sent = [
        SentSequence(number, part, {"kind": "damaged"} if part is None else None) for number, part in enumerate(listed)
    ]
    back = list(arrow_sequences.sequences_of(arrow_sequences.rows(sent)))

    assert [(one.number, one.error) for one in sent] == [(one.number, one.error) for one in back]
    assert repr([_arrays(one) for one in listed]) == repr([_arrays(one.points) for one in back])


def _arrays(part: Points | None) -> list[Any]:
    if part is None:
        return []
    arrays = (part.steps, part.values, part.times_us, part.epochs, part.writers)
    return [(array.dtype, array.tolist()) for array in arrays]


def test_rows_of_a_server_of_an_earlier_version_are_read() -> None:
    """
    It sends neither `total` nor `first`: the points are all.
    """
    batch = arrow_sequences.rows([SentSequence(1, None, {"kind": "damaged"}, 9, (0, 0.5))])
    (now,) = arrow_sequences.sequences_of(batch)
    (earlier,) = arrow_sequences.sequences_of(batch.select(batch.schema.names[:-2]))

    assert [9, (0, 0.5), None, None] == [now.total, now.first, earlier.total, earlier.first]
