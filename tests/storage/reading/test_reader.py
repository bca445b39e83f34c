"""
One reader of a run: used by several threads, and the points of several writers as one sequence.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from aim.storage.forms import edits
from aim.storage.reading.folder_source import open_run
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
    reader = open_run(tmp_path, may_seal=False)
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


def test_each_exact_integer_names_its_own_writer(tmp_path: Path) -> None:
    """
    Integers that no double holds, recorded by several writers, are each counted to the writer that recorded them.
    """
    writers = [Writer(tmp_path, "example"), Writer(tmp_path, "example")]
    for step, writer in enumerate(writers):
        writer.sequence("count").track(2**60 + step, step)
        writer.close()
    points = open_run(tmp_path, may_seal=False).points(("count", "{}"))
    assert points is not None

    assert [2**60, 2**60 + 1] == points.values.tolist()
    assert [writer.id for writer in writers] == [points.writer_ids[index] for index in points.writers.tolist()]


def test_of_two_points_at_one_step_the_later_one_counts(tmp_path: Path) -> None:
    """
    The time decides between the points of two writers.
    """
    earlier, later = Writer(tmp_path, "example"), Writer(tmp_path, "example")
    earlier.sequence("loss").track(1.0, 0)
    later.sequence("loss").track(2.0, 0)
    for writer in (earlier, later):
        writer.close()
    points = open_run(tmp_path, may_seal=False).points(("loss", "{}"))
    assert points is not None

    assert ([0], [2.0]) == (points.steps.tolist(), points.values.tolist())


def test_ints_and_floats_of_one_sequence_stay_what_they_are(tmp_path: Path) -> None:
    """
    The merged values of both kinds are Python numbers.
    """
    writer = Writer(tmp_path, "example")
    writer.sequence("loss").track(1, 0)
    writer.sequence("loss").track(0.5, 1)
    writer.close()
    points = open_run(tmp_path, may_seal=False).points(("loss", "{}"))
    assert points is not None

    assert ("number", ["1", "0.5"]) == (points.kind, [repr(value) for value in points.values.tolist()])


def test_a_sequence_whose_points_are_all_hidden_is_left_out(tmp_path: Path) -> None:
    """
    A sequence of which everything was dropped has no points, and is not listed.
    """
    writer = Writer(tmp_path, "example")
    writer.sequence("loss").track(1.0, 0)
    writer.close()
    edits.write(tmp_path, {"drop": [{"name": "loss", "context": {}}]}, by="test")
    reader = open_run(tmp_path, may_seal=False)

    assert {} == reader.sequences()
