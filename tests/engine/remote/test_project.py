"""
Reading ahead in the order of an answer, and the time zone that a client tells.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from aim.core.zones import read_zone
from aim.engine.remote import project as module
from aim.engine.remote.project import Ahead, zone_text


class Reads:
    """
    Values that are their names, and which of them were read together.
    """

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.ahead: Ahead[int, int] = Ahead(self._read, 8)

    def _read(self, names: Sequence[int]) -> list[int | None]:
        self.batches.append(list(names))
        return [None if name < 0 else name for name in names]


def test_what_is_asked_for_in_order_is_read_ahead() -> None:
    """
    Four times as much each time, up to a bound, and each value once.
    """
    reads = Reads()
    reads.ahead.expect(range(30))

    assert list(range(30)) == [reads.ahead.get(name) for name in range(30)]
    assert [[0, 1, 2, 3], [*range(4, 12)], [*range(12, 20)], [*range(20, 28)], [28, 29]] == reads.batches


def test_what_is_asked_for_again_is_read_again() -> None:
    """
    A second question about a run is as new as its request, and what was read ahead stays.
    """
    reads = Reads()
    reads.ahead.expect(range(6))

    assert [0, 0, 1, 1, 4] == [reads.ahead.get(name) for name in (0, 0, 1, 1, 4)]
    assert [[0, 1, 2, 3], [0], [1], [4, 5]] == reads.batches


def test_other_names_and_other_orders_are_read_alone() -> None:
    """
    Nothing is read ahead for who does not go through the answer in its order.
    """
    reads = Reads()
    reads.ahead.expect(range(100))

    assert [50, 7, 99, None, 3] == [reads.ahead.get(name) for name in (50, 7, 99, -1, 3)]
    assert 5 == sum(map(len, reads.batches))


def test_several_are_read_together_with_those_that_follow() -> None:
    """
    Who asks for some at a time, as for the metrics of a run, gets those of the next runs with them.
    """
    reads = Reads()
    reads.ahead.expect(range(30))

    assert list(range(30)) == [
        value for start in range(0, 30, 3) for value in reads.ahead.get_many(range(start, start + 3))
    ]
    assert [[0, 1, 2, 3], [4, 5, *range(6, 12)], [*range(12, 20)], [*range(20, 28)], [28, 29]] == reads.batches
    assert [7, None, 90] == reads.ahead.get_many([7, -1, 90])


def test_a_part_of_what_was_asked_for_may_be_read() -> None:
    """
    All that is needed is read, in as many requests as it takes; the rest is asked for again when its turn comes.
    """
    batches: list[list[int]] = []

    def read(names: Sequence[int]) -> list[int | None]:
        batches.append(list(names))
        return list(names[:3])

    ahead: Ahead[int, int] = Ahead(read, 8)
    ahead.expect(range(12))

    assert [0, 1, 2, 3, 4] == ahead.get_many(range(5))
    assert list(range(5, 12)) == [ahead.get(name) for name in range(5, 12)]
    assert [[0, 1, 2, 3, 4], [3, 4], [*range(5, 12)], [8, 9, 10, 11], [11]] == batches


def test_what_was_read_ahead_is_used_for_a_moment_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Later, and after a change, it is read again.
    """
    reads = Reads()
    reads.ahead.expect(range(20))
    reads.ahead.get(0)
    monkeypatch.setattr(module, "FRESH_S", -1.0)
    reads.ahead.get(1)
    monkeypatch.setattr(module, "FRESH_S", 1e9)
    reads.ahead.get(2)
    reads.ahead.forget()
    reads.ahead.get(3)

    assert [[0, 1, 2, 3], [1], [2, 3, 4, 5], [3]] == reads.batches


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        (timezone.utc, "UTC,+00:00"),
        (timezone(timedelta(hours=5, minutes=30)), "+05:30"),
        (timezone(-timedelta(hours=3)), "-03:00"),
        (ZoneInfo("Asia/Tokyo"), "Asia/Tokyo,+09:00"),
    ],
)
def test_a_zone_is_told_by_its_name_and_its_offset(zone: timezone | ZoneInfo, expected: str) -> None:
    """
    A server that does not know the name takes the offset.
    """
    assert expected == zone_text(zone)
    read_zone(zone_text(zone))


@pytest.mark.parametrize(
    ("variable", "expected"), [("Asia/Tokyo", "Asia/Tokyo,"), (":Asia/Tokyo", "Asia/Tokyo,"), ("X-3", "+")]
)
def test_the_zone_of_this_process_is_told(monkeypatch: pytest.MonkeyPatch, variable: str, expected: str) -> None:
    """
    By the name in `TZ`, or by its offset when `TZ` has rules in place of a name.
    """
    monkeypatch.setenv("TZ", variable)

    assert zone_text(None).startswith((expected, "-"))
    read_zone(zone_text(None))
