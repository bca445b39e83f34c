"""
Columns of a live journal that grow: beside the records themselves, in random histories.
"""

from __future__ import annotations

import random
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from aim.storage.forms import records
from aim.storage.forms.records import RECORD_DTYPE, Records
from aim.storage.reading.followed_journal import FollowedJournal
from aim.storage.reading.growing import GrowingPoints, split_by_sequence
from aim.storage.recording.writer import Writer

COLUMNS = ("step", "value", "time", "epoch")


def _records(numbers: list[int]) -> Records:
    made = np.zeros(len(numbers), RECORD_DTYPE)
    made["sequence"] = numbers
    made["value"] = made["step"] = made["time"] = np.arange(len(numbers))
    return made


@pytest.mark.parametrize("largest", [3, 1 << 17])
def test_records_are_split_by_sequence_in_their_order(largest: int) -> None:
    """
    Each sequence has its records, in the order of recording.
    """
    chance = random.Random(largest)
    made = _records([chance.randrange(1, largest) for _ in range(500)])

    parts = split_by_sequence(made)

    assert {number: made[made["sequence"] == number].tolist() for number in set(made["sequence"].tolist())} == {
        number: part.tolist() for number, part in parts.items()
    }


@pytest.mark.parametrize("seed", range(30))
def test_the_columns_of_a_journal_that_fills_anywhere_are_its_records(seed: int) -> None:
    """
    Pages become full, and records come in between in those behind; what was returned before stays as it was.
    """
    chance = random.Random(seed)
    points = GrowingPoints()
    settled: list[tuple[int, float]] = []
    behind: list[tuple[int, float]] = []
    returned: list[tuple[np.ndarray, list[int]]] = []
    step = 0
    for _ in range(60):
        for _ in range(chance.randrange(5)):
            step += chance.choice((1, 1, 1, -1)) if seed % 3 == 0 else 1
            place = len(behind) if chance.random() < 0.8 else chance.randrange(len(behind) + 1)
            behind.insert(place, (step, chance.random()))
        full_count = chance.randrange(len(behind) + 1) if chance.random() < 0.3 else 0
        full, behind = behind[:full_count], behind[full_count:]
        settled += full
        points = points.continued(_of(full), _of(behind))
        expected = settled + behind
        steps = [row[0] for row in expected]
        assert steps == points.column("step").tolist()
        assert [row[1] for row in expected] == points.column("value").tolist()
        assert [int(row[1]) for row in expected] == points.integers().tolist()
        assert all(first < second for first, second in pairwise(steps)) == points.is_increasing
        returned.append((points.column("step"), steps))

    assert [steps for _, steps in returned] == [view.tolist() for view, _ in returned]


def _of(rows: list[tuple[int, float]]) -> Records:
    made = np.zeros(len(rows), RECORD_DTYPE)
    for index, (step, value) in enumerate(rows):
        made[index] = (value, step, float(step), 0.0, 1)
    return made


def test_a_look_at_a_live_journal_splits_what_is_new_only(tmp_path: Path) -> None:
    """
    After 20,000 points, ten more cost those ten, and those of the page that is not full.
    """
    writer = Writer(tmp_path, "example")
    sequences = [writer.sequence(name) for name in ("loss", "accuracy")]
    for step in range(10_000):
        for sequence in sequences:
            sequence.track(step)
    followed = FollowedJournal(tmp_path, writer.id)
    followed.refresh()
    steps = followed.of_sequence(1).column("step")
    before = followed.split_count

    for step in range(10_000, 10_005):
        for sequence in sequences:
            sequence.track(step)
    followed.refresh()
    later = followed.of_sequence(1).column("step")

    assert list(range(10_005)) == later.tolist()
    assert followed.split_count - before < 300
    assert np.shares_memory(steps, later)
    writer.close()


def test_a_journal_split_at_every_look_has_the_records_of_one_scan(tmp_path: Path) -> None:
    """
    Whenever it is looked at while it fills, the columns are those of the journal read at once.
    """
    chance = random.Random(3)
    writer = Writer(tmp_path, "example")
    sequences = [writer.sequence(f"metric {number}") for number in range(5)]
    followed = FollowedJournal(tmp_path, writer.id)
    for step in range(3_000):
        chance.choice(sequences).track(chance.random(), step=step)
        if chance.random() < 0.01:
            followed.refresh()
            followed.of_sequence(chance.randrange(1, 6))
    writer.close()
    followed.refresh(is_still=True)
    whole = records.scan(tmp_path, writer.id).records

    for number in range(1, 6):
        rows = whole[whole["sequence"] == number]
        for name in COLUMNS:
            np.testing.assert_array_equal(rows[name], followed.of_sequence(number).column(name))
    assert len(whole) == len(followed)
