"""
Entries of a chunk that are taken apart by the thousand are the same as those that are read one by one.
"""

from __future__ import annotations

import itertools
import random
import struct
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from aim.convert.aim3.chunk_reading import Entry, entries_of, packed
from aim.convert.aim3.entry_batches import ROWS_MIN, EntryBatch
from aim.convert.aim3.series import NumberSeries, SeriesReader
from aim.convert.aim3.values import int_part, text_part

RUN_HASH = "a" * 24
STEM = b"seqs\xfev2\xfechunks\xfe" + text_part(RUN_HASH)
COUNT = 500


class StoredChunk:
    """A chunk whose entries are in memory, sent in batches of some size."""

    def __init__(self, entries: list[Entry], batch_size: int) -> None:
        self._entries = sorted(entries)
        self._batch_size = batch_size

    def batches(self, prefix: bytes) -> Iterator[EntryBatch]:
        """Go through the entries, many at once."""
        for begin in range(0, len(self._entries), self._batch_size):
            yield EntryBatch(packed(list(itertools.chain(*self._entries[begin : begin + self._batch_size]))))


def stored(value: Any) -> bytes:
    """Return the bytes of None, an int, a float or a text, as Aim 3 keeps them."""
    if value is None:
        return b"\x00"
    if isinstance(value, int):
        return b"\x02" + struct.pack("<q", value)
    return b"\x03" + struct.pack("<d", value) if isinstance(value, float) else b"\x04" + str(value).encode()


def column(name: str, column_name: str, values: dict[int, Any]) -> list[Entry]:
    """Return the entries of one column of a sequence."""
    begin = STEM + int_part(7) + text_part(name) + text_part(column_name)
    return [(begin + int_part(key), stored(value)) for key, value in values.items()]


def read(entries: list[Entry], batch_size: int) -> list[Any]:
    """Return what is read of entries."""
    reader = SeriesReader(StoredChunk(entries, batch_size), RUN_HASH, 2)  # type: ignore[arg-type]
    return [
        item._replace(**{name: getattr(item, name).tolist() for name in ("steps", "numbers", "times_s", "epochs")})
        if isinstance(item, NumberSeries)
        else item
        for item in reader.read()
    ]


def sequence(name: str, chance: random.Random) -> list[Entry]:
    """Return the entries of a sequence: values of several types, with holes that a kill leaves."""
    keys = [chance.randrange(-(2**62), 2**62) for _ in range(COUNT)]
    odd = set(chance.sample(keys, COUNT // 10))
    columns: dict[str, dict[int, Any]] = {
        "val": {key: chance.choice((7, 1.5)) if key in odd else 0.25 for key in keys},
        "step": {key: float(step) if key in odd else step for step, key in enumerate(keys)},
        "epoch": {key: chance.choice(("late", 7)) if key in odd else None for key in keys},
        "time": {key: 1.7e9 + step for step, key in enumerate(keys[: chance.randint(0, COUNT)])},
    }
    return [entry for column_name, values in columns.items() for entry in column(name, column_name, values)]


@pytest.mark.parametrize("batch_size", [ROWS_MIN, 100, 10_000])
def test_batches_of_any_size_give_the_same_sequences(batch_size: int) -> None:
    """
    Whether entries come many at once or one by one, each sequence has the same points and counts.
    """
    chance = random.Random(batch_size)
    entries = [entry for name in ("accuracy", "loss", "lossy") for entry in sequence(name, chance)]
    one_by_one = read(entries, ROWS_MIN - 1)

    assert repr(one_by_one) == repr(read(entries, batch_size))  # as texts: NaN is equal to NaN
    assert ["accuracy", "loss", "lossy"] == sorted(series.name for series in one_by_one)
    assert [list(range(COUNT))] * 3 == [series.steps for series in one_by_one]


def test_damaged_entries_are_read_the_same_by_the_thousand() -> None:
    """
    Bytes of keys and values that were changed at random lead to the same points, counts and bad values.
    """
    for seed in range(30):
        chance = random.Random(seed)
        entries = sequence("loss", chance)
        for _ in range(40):
            number = chance.randrange(len(entries))
            pieces = [bytearray(piece) for piece in entries[number]]
            changed = chance.choice(pieces)
            place = chance.randrange(len(changed))
            if chance.random() < 0.3:
                del changed[place:]
            else:
                changed[place] ^= 1 << chance.randrange(8)
            if pieces[1]:
                entries[number] = (bytes(pieces[0]), bytes(pieces[1]))

        assert repr(read(entries, ROWS_MIN - 1)) == repr(read(entries, 1000)), seed


def test_numbers_end_where_another_column_begins() -> None:
    """
    Keys of one length that differ before their index are of two columns, and no row is of both.
    """
    entries = column("loss", "val", dict.fromkeys(range(20), 0.5)) + column("lr__", "val", {0: 0.25, 1: 0.5})
    batch = EntryBatch(packed(list(itertools.chain(*entries))))
    rows = batch.number_rows(0, STEM + int_part(7) + text_part("loss") + text_part("val"))

    assert rows is not None
    assert (20, [0.5] * 20) == (rows.row_count, rows.numbers)
    assert list(range(20)) == np.frombuffer(rows.indexes, np.int64).tolist()
    assert entries[21] == batch.entry(21)
    assert batch.number_rows(20, STEM + int_part(7) + text_part("lr__") + text_part("val")) is None


def test_an_empty_batch_has_no_entries() -> None:
    """
    A batch of nothing is a batch.
    """
    assert 0 == EntryBatch(packed([])).count
    assert [] == list(entries_of(packed([])))
