"""
Time zones: what a text means, and what clocks show.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

import pytest

from aim.core.errors import UsageError
from aim.core.zones import ProcessZone, local_time, read_zone, unix_seconds, utc_without_zone

AUTUMN_S = 1_730_000_000.0 - 1_730_000_000.0 % 86_400  # 2024-10-27, when Berlin's clocks go back at 01:00 UTC
HOUR_S = 3_600.0


@pytest.fixture(name="berlin")
def _berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This process in the time zone of Berlin."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_the_zone_of_the_process_is_that_of_the_name(berlin: None) -> None:
    """
    Through the night when the clocks go back, this process's zone and the named one show and read the same times.
    """
    named = read_zone("Europe/Berlin")
    for quarter in range(4 * 24):
        moment_s = AUTUMN_S + quarter * HOUR_S / 4
        shown = local_time(moment_s, ProcessZone())
        assert (local_time(moment_s, named), local_time(moment_s, named).fold) == (shown, shown.fold)
        assert moment_s == unix_seconds(shown, ProcessZone()) == unix_seconds(shown, named)


@pytest.mark.parametrize(
    ("named", "hours"),
    [("UTC", 0.0), ("Z", 0.0), ("+02:00", 2.0), ("-0330", -3.5), ("UTC+5", 5.0), (-90, 1.5), ("Asia/Tokyo", 9.0)],
)
def test_a_zone_is_a_name_an_offset_or_the_minutes_of_a_browser(named: str | int, hours: float) -> None:
    """
    Each form gives the local time.
    """
    assert timedelta(hours=hours) == local_time(AUTUMN_S, read_zone(named)) - utc_without_zone(AUTUMN_S)


def test_of_several_zones_the_first_that_is_known_counts() -> None:
    """
    A name that this machine lacks is passed over.
    """
    assert timezone(timedelta(hours=2)) == read_zone("Europe/Atlantis, +02:00")


@pytest.mark.parametrize("named", ["Europe/Atlantis", "Europe", "../etc/passwd", "", "+99:00", 1_440, "a\0b", True])
def test_what_is_no_zone_is_refused(named: str | int) -> None:
    """
    The error says what a zone may be.
    """
    with pytest.raises(UsageError, match=r"no time zone .* such as Europe/Berlin, or an offset"):
        read_zone(named)


@pytest.mark.parametrize("zone", [None, "UTC", "Asia/Tokyo", "-11:00"])
@pytest.mark.parametrize(("seconds", "year"), [(1e12, 9999), (-1e12, 1), (float("inf"), 9999), (1e300, 9999)])
def test_a_time_beyond_datetimes_is_their_last_or_first(zone: str | None, seconds: float, year: int) -> None:
    """
    Such a time raises nothing in any zone, and is at the end of the calendar.
    """
    shown = local_time(seconds, read_zone(zone))

    assert year == shown.year
    assert isinstance(unix_seconds(shown, read_zone(zone)), float)
    assert isinstance(unix_seconds(datetime.max, ProcessZone()), float)
