"""
One reader of a run: used by several threads, and the points of several writers as one sequence.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from aim.storage.reading.reader import RunReader
from aim.storage.recording.writer import Writer

READERS = 4
ROUNDS = 100
POINTS = 20_000
KEY = ("loss", "{}")


@pytest.fixture(name="_many_turns")
def _many_turns_of_threads() -> Iterator[None]:
    """Let threads take turns a hundred times as often as usual."""
    before_s = sys.getswitchinterval()
    sys.setswitchinterval(5e-5)
    yield
    sys.setswitchinterval(before_s)


@pytest.mark.usefixtures("_many_turns")
def test_threads_that_share_a_reader_see_each_point_once(tmp_path: Path) -> None:
    """
    While the run records, whatever a thread reads was recorded; after that, all threads read every point.
    """
    writer = Writer(tmp_path, "example")
    loss = writer.sequence("loss")
    loss.track(0.0)
    reader = RunReader(tmp_path, may_seal=False)
    wrong: list[object] = []

    def read() -> None:
        for _ in range(ROUNDS):
            alone, together = reader.points(KEY), reader.points_of_many()[KEY]
            if alone is None or not len(alone.steps) <= len(together.steps):
                wrong.append((alone, together))
            wrong.extend(together.steps[together.steps != together.values])

    threads = [threading.Thread(target=read) for _ in range(READERS)]
    for thread in threads:
        thread.start()
    for step in range(1, POINTS):
        loss.track(float(step))
    for thread in threads:
        thread.join()
    writer.close()

    points = reader.points(KEY)
    assert points is not None
    assert ([], list(range(POINTS))) == (wrong, points.steps.tolist())
