"""
Times in queries are on the reader's clock, in columns as in Python.
"""

from __future__ import annotations

import numpy as np
import pytest

from aim.core.zones import EPOCH, MICROSECOND, local_time, read_zone
from aim.query.query import compile_query
from aim.query.times import TimeColumn, clock_micros
from tests.query.memory_table import MemoryTable, PlainRun

OCTOBER_27_S = 1_729_987_200.0  # 2024-10-27 00:00 UTC, in Berlin 02:00; at 01:00 UTC the clocks go back to 02:00
ZONES = ["UTC", "Europe/Berlin", "Asia/Kolkata", "America/New_York", "Australia/Lord_Howe"]


@pytest.mark.parametrize("name", ZONES)
def test_what_clocks_show_is_the_same_for_many_times_as_for_each(name: str) -> None:
    """
    For times of 60 years, and for each minute of the days when clocks change, columns have what datetimes have.
    """
    zone = read_zone(name)
    random = np.random.default_rng(7)
    years = random.integers(0, 2_000_000_000_000_000, 2_000)
    nights = np.arange(OCTOBER_27_S - 86_400, OCTOBER_27_S + 2 * 86_400, 60.0).astype(np.int64) * 1_000_000
    micros = np.concatenate([years, nights])

    expected = [(local_time(moment / 1e6, zone) - EPOCH) // MICROSECOND for moment in micros.tolist()]
    assert expected == clock_micros(micros, zone).tolist()


def test_a_time_shown_twice_keeps_its_moment() -> None:
    """
    02:30 of the night when the clocks go back is two moments: `timestamp` tells them apart.
    """
    first_s = OCTOBER_27_S + 1_800.0
    table = MemoryTable([PlainRun(fields={"creation_time": first_s + hours * 3_600.0}) for hours in (0, 1)])
    berlin = read_zone("Europe/Berlin")

    both = compile_query("run.created_at == datetime(2024, 10, 27, 2, 30)", zone=berlin)
    later = compile_query(f"run.created_at.timestamp() > {first_s}", zone=berlin)
    assert [0, 1] == both.select_runs(table).tolist()
    assert [1] == later.select_runs(table).tolist()


@pytest.mark.parametrize("text", ["run.created_at > datetime(2020, 1, 1)", "run.created_at.year > 2020"])
def test_a_time_beyond_the_calendar_does_not_end_a_query_about_others(text: str) -> None:
    """
    A run whose clock was in the year 33,658 is later than all others; one whose time is no number has no time.
    """
    odd = [1_000_000_000_000.0, -1e18, float("inf"), float("nan"), 1_700_000_000.0]
    table = MemoryTable([PlainRun(fields={"creation_time": seconds}) for seconds in odd])

    assert [0, 4] == compile_query(text, zone=read_zone("Asia/Tokyo")).select_runs(table).tolist()


def test_some_rows_of_times() -> None:
    """
    A column of some rows has their times, and None where there is none.
    """
    column = TimeColumn(np.array([0.0, 60.0, 0.0]), np.array([True, True, False]), read_zone("+01:00"))

    assert ["01:01", None] == [
        None if moment is None else f"{moment:%H:%M}" for moment in column.at(np.array([1, 2])).objects()
    ]


def test_times_compare_as_what_their_clocks_show() -> None:
    """
    The numbers of a column are microseconds on its clock, and a row without a time has none.
    """
    numbers = TimeColumn(np.array([0.0, 60.0, 0.0]), np.array([True, True, False]), read_zone("+01:00")).numbers()

    assert numbers.is_number is not None
    assert numbers.is_absent is not None
    assert [3_600_000_000.0, 3_660_000_000.0] == numbers.values[:2].tolist()
    assert ([True, True, False], [False, False, True]) == (numbers.is_number.tolist(), numbers.is_absent.tolist())
