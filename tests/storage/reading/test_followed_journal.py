"""
A journal followed while it fills: by several threads at once, and while its next segment is being made.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from aim.storage.catalogue.catalogue import Catalogue
from aim.storage.disk.files import Disk
from aim.storage.reading.folder_source import open_run
from aim.storage.reading.followed_journal import FollowedJournal
from aim.storage.recording.writer import Writer

POINTS = 60_000
READERS = 4


class WatchedDisk(Disk):
    """A disk on which somebody looks at each file that was created and has no content yet."""

    def __init__(self, look: Callable[[], object]) -> None:
        self._look = look

    def allocate(self, descriptor: int, size_bytes: int) -> None:
        """Have it looked at; then as on any disk."""
        self._look()
        super().allocate(descriptor, size_bytes)


@pytest.fixture(name="_many_turns")
def _many_turns_of_threads() -> Iterator[None]:
    """Let threads take turns a hundred times as often as usual."""
    before_s = sys.getswitchinterval()
    sys.setswitchinterval(5e-5)
    yield
    sys.setswitchinterval(before_s)


@pytest.mark.usefixtures("_many_turns")
def test_threads_that_follow_one_journal_at_once_lose_no_record(tmp_path: Path) -> None:
    """
    Several threads refresh one journal while it fills; at the end it holds each point once.
    """
    writer = Writer(tmp_path, "example")
    loss = writer.sequence("loss")
    loss.track(0.0)
    followed = FollowedJournal(tmp_path, writer.id)
    has_ended = threading.Event()

    def follow() -> None:
        while not has_ended.is_set():
            followed.refresh()
            followed.of_sequence(1)

    readers = [threading.Thread(target=follow) for _ in range(READERS)]
    for reader in readers:
        reader.start()
    for step in range(1, POINTS):
        loss.track(float(step))
    has_ended.set()
    for reader in readers:
        reader.join()
    followed.refresh()

    assert list(range(POINTS)) == followed.of_sequence(1).column("step").tolist()
    assert POINTS == len(followed)
    writer.close()


def test_a_segment_that_is_seen_while_it_is_made_is_read_later(tmp_path: Path) -> None:
    """
    A reader that finds a segment of no bytes reads it when it has some.
    """
    reader = open_run(tmp_path)
    writer = Writer(tmp_path, "example", disk=WatchedDisk(lambda: reader.points(("loss", "{}"))))
    for step in range(POINTS):
        writer.sequence("loss").track(float(step))
    points = reader.points(("loss", "{}"))
    assert points is not None

    assert list(range(POINTS)) == points.steps.tolist()
    writer.close()


def test_the_catalogue_counts_the_points_of_a_segment_that_it_saw_being_made(tmp_path: Path) -> None:
    """
    A catalogue that finds a segment of no bytes reads it when it has some.
    """
    folder = tmp_path / "runs" / "example"
    folder.mkdir(parents=True)
    catalogue = Catalogue(tmp_path, lambda _: open_run(folder), cache=tmp_path / "cache")
    writer = Writer(folder, "example", disk=WatchedDisk(catalogue.refresh))
    for step in range(POINTS):
        writer.sequence("loss").track(float(step))
    catalogue.refresh()
    place = catalogue.table.pair_index(("loss", "{}", "metric"))
    assert place is not None
    counts = catalogue.table.summary(place, "count")
    assert counts is not None

    assert [POINTS] == counts.tolist()
    writer.close()


def test_a_sequence_that_is_asked_for_late_has_all_its_points(tmp_path: Path) -> None:
    """
    Refreshes between which only one of two sequences is read lose nothing of the other, in full pages or behind them.
    """
    writer = Writer(tmp_path, "example")
    followed = FollowedJournal(tmp_path, writer.id)
    steps = range(1_000)
    for step in steps:
        writer.sequence("often").track(step / 2, step=step)
        writer.sequence("late").track(-step, step=step)
        if step % 90 == 0:
            followed.refresh()
            assert step + 1 == len(followed.of_sequence(1))
    writer.close()
    followed.refresh(is_still=True)

    assert [1, 2] == followed.numbers()
    assert (
        list(steps)
        == followed.of_sequence(2).column("step").tolist()
        == followed.of_sequence(1).column("step").tolist()
    )
    assert [-step for step in steps] == followed.of_sequence(2).column("value").tolist()
