"""
One reader of a run: used by several threads, and the points of several writers as one sequence.
"""

from __future__ import annotations

import math
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from aim.core.values import Stored
from aim.storage.forms import edits
from aim.storage.forms.history import Deletion, Rewind
from aim.storage.reading.folder_source import open_run
from aim.storage.recording.writer import Writer
from tests.storage.writing import Picture

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
    reader = open_run(tmp_path)
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
    points = open_run(tmp_path).points(("count", "{}"))
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
    points = open_run(tmp_path).points(("loss", "{}"))
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
    points = open_run(tmp_path).points(("loss", "{}"))
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
    reader = open_run(tmp_path)

    assert {} == reader.sequences()


# objects


@pytest.fixture(name="pictures")
def _pictures(tmp_path: Path) -> Writer:
    """
    An ended run of lists of three objects at steps 0 and 1, and of single ones in another sequence.
    """
    writer = Writer(tmp_path, "example")
    for step in range(2):
        objects = [Picture(b"%d%s" % (step, letter)) for letter in (b"a", b"b")]
        writer.sequence("pictures").track([*objects, Text(f"{step}c")], step)
        writer.sequence("one").track(Picture(b"%d" % step), step)
    writer.close()
    return writer


@dataclass
class Text:
    """An object without bytes, of another kind."""

    text: str

    def stored(self) -> Stored:
        """Return its stored form."""
        return Stored("aim.text", {"text": self.text})


def restored(kind: str, fields: Mapping[str, Any], load: Callable[[], bytes]) -> tuple[str, object, bytes]:
    """Return kind, text and bytes of an object."""
    return kind, fields.get("text"), load()


def test_objects_are_restored_with_their_own_kinds_and_bytes(pictures: Writer) -> None:
    """
    A list is a list of what was tracked, a single object is itself; an object without bytes has none.
    """
    reader = open_run(pictures.files.folder)
    lists, single = (reader.points((name, "{}")) for name in ("pictures", "one"))
    assert lists is not None
    assert single is not None

    assert [("test.picture", None, b"1a"), ("test.picture", None, b"1b"), ("aim.text", "1c", b"")] == reader.objects(
        lists, 1, restored
    )
    assert ("test.picture", None, b"0") == reader.objects(single, 0, restored)


@pytest.mark.parametrize(
    ("hidden", "expected"), [(frozenset(), [0, 1, 2]), (frozenset({1}), [0, 2]), (frozenset({0, 1, 2}), [])]
)
def test_deleted_objects_of_a_list_are_left_out(pictures: Writer, hidden: frozenset[int], expected: list[int]) -> None:
    """
    What is left keeps its index in the list that was tracked; other steps have all their objects.
    """
    folder = pictures.files.folder
    deletion = Deletion(0.0, frozenset({1}), hidden)
    edits.write(folder, {"delete": [deletion.entry("pictures", {})]}, by="test", seen_at_s=4e9)
    reader = open_run(folder)
    points = reader.points(("pictures", "{}"))
    assert points is not None

    assert expected == [index for index, _ in reader.items(points, 1)]
    assert len(expected) == len(reader.record(points, 1)["items"]) == len(reader.objects(points, 1, restored))
    assert [0, 1, 2] == [index for index, _ in reader.items(points, 0)]
    assert 3 == len(reader.record(points, 0)["items"])


def test_the_run_before_a_rewind_is_read_by_its_lines(pictures: Writer, tmp_path: Path) -> None:
    """
    What is known of the run as it is now says nothing of an earlier state of it.
    """
    reader = open_run(pictures.files.folder, before=Rewind(0, 1.0))
    reader.use_sole_writer(pictures.id, 0)

    assert {} == reader.points_of_sole_writer([("pictures", "{}")])
    points = reader.points(("pictures", "{}"))
    assert points is None or 0 == len(points)


def test_points_in_memory_are_counted_through_the_source(pictures: Writer) -> None:
    """
    Of an ended run that was read from its journal the count is known; before it was read it is not.
    """
    reader = open_run(pictures.files.folder)
    state = reader.state()
    assert math.inf == reader.journal_point_count(state)
    reader.points_of_many()

    assert 4 == reader.journal_point_count(state)
