"""
Points of many sequences as one Arrow table.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from aim.core.values import EXACT_INT_MAX
from aim.engine import point_tables
from aim.engine.door import SequencePoints
from aim.engine.repository import Repository

LONG = EXACT_INT_MAX + 1


@pytest.fixture(name="series", scope="module")
def _series(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[SequencePoints]]:
    """
    Two sequences of a run, with and without epochs, one of them of integers that no double holds.
    """
    repository = Repository(tmp_path_factory.mktemp("tables"), create=True)
    writer = repository.new_run("example")
    for step, value in enumerate((0.5, math.nan)):
        writer.sequence("loss", {"b": 1, "a": "x"}).track(value, step=step * 2, epoch=step or None)
    for step, number in enumerate((7, LONG, -LONG)):
        writer.sequence("seen").track(number, step=step)
    writer.close()
    scan = repository.questions()
    yield sorted(scan.series(scan.sequences("")), key=lambda member: member.sequence.name)
    scan.catalogue.close()


def test_each_point_is_a_row(series: list[SequencePoints]) -> None:
    """
    Labels are repeated for each point; an epoch that is none is null, and long integers have a column of their own.
    """
    table = point_tables.batch(series).to_pydict()

    assert ["example"] * 5 == table["run"]
    assert ["loss", "loss", "seen", "seen", "seen"] == table["name"]
    assert ['{"a":"x","b":1}', '{"a":"x","b":1}', "{}", "{}", "{}"] == table["context"]
    assert [0, 2, 0, 1, 2] == table["step"]
    assert [0.5, "nan", 7.0, float(LONG), float(-LONG)] == [
        "nan" if value != value else value for value in table["value"]
    ]
    assert [None, 1.0, None, None, None] == table["epoch"]
    assert [None, None, None, LONG, -LONG] == table["exact"]


def test_times_are_microseconds_of_utc(series: list[SequencePoints]) -> None:
    """
    The time of a row is the recorded one to the microsecond.
    """
    times = point_tables.batch(series).column("time").to_pylist()
    recorded_s = np.concatenate([member.points.times_s for member in series]).tolist()

    assert [round(moment_s, 6) for moment_s in recorded_s] == [round(moment.timestamp(), 6) for moment in times]
    assert {"UTC"} == {str(moment.tzinfo) for moment in times}


def test_a_batch_has_the_schema(series: list[SequencePoints]) -> None:
    """
    One sequence and many have the same columns and types.
    """
    for some in (series, series[:1], series[1:]):
        assert point_tables.schema() == point_tables.batch(some).schema
        assert sum(len(member.points) for member in some) == point_tables.batch(some).num_rows


def test_half_of_a_surrogate_pair_becomes_a_question_mark(tmp_path: Path) -> None:
    """
    Arrow takes valid Unicode only.
    """
    repository = Repository(tmp_path, create=True)
    writer = repository.new_run("example")
    writer.sequence("a\ud800b").track(1.0)
    writer.close()
    scan = repository.questions()

    assert ["a?b"] == point_tables.batch(list(scan.series(scan.sequences("")))).to_pydict()["name"]
