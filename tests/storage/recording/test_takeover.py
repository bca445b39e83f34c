"""
A writer that was sealed as dead goes on under a new id, and records again what the sealer may not have seen.
"""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from aim.core.values import Stored
from aim.storage.disk import layout
from aim.storage.forms import journal
from aim.storage.forms.journal import VOID
from aim.storage.reading.folder_source import open_run
from aim.storage.recording.segment_chain import SegmentChain
from aim.storage.recording.takeover import Takeover
from aim.storage.recording.writer import Writer
from tests.storage.writing import Picture, lines, segment_of, values


@pytest.fixture(name="takeover")
def _takeover(writer: Writer) -> Takeover:
    return Takeover(writer.files, writer.sequences, writer.refusals)


def take(writer: Writer, takeover: Takeover) -> str:
    """Begin new files, and take over the former ones; return the former id."""
    former = writer.files.begin_again()
    takeover.take(former)
    assert -1 == former.log.descriptor
    assert [-1] * len(former.segments) == [segment.descriptor for segment in former.segments]
    return former.writer


def without(folder: Path, writer: str) -> Path:
    """Remove the files of a former writer, so that only what was recorded again is left."""
    for path in folder.glob(f"{writer}.*"):
        path.unlink()
    return folder


def test_points_are_recorded_again_as_they_were(writer: Writer, takeover: Takeover, folder: Path) -> None:
    """
    Value, step, time and epoch of each number are those of the former files, of several segments and sequences.
    """
    for step in range(400):
        writer.sequence("loss").track(step / 2, step, epoch=step // 100)
    writer.sequence("count", {"subset": "val"}).track(7)
    before = {key: open_run(folder).points(key) for key in (("loss", "{}"), ("count", '{"subset":"val"}'))}
    former = take(writer, takeover)
    reader = open_run(without(folder, former))

    for key, points in before.items():
        again = reader.points(key)
        assert points is not None
        assert again is not None
        for name in ("steps", "values", "times_s", "epochs"):
            assert getattr(points, name).tolist() == pytest.approx(getattr(again, name).tolist(), abs=0, nan_ok=True)
    assert ["sequence", "sequence"] == [
        next(iter(set(line) - {"at", "name", "context", "kind"})) for line in lines(writer)[1:]
    ]


def test_objects_are_recorded_again_with_their_bytes(writer: Writer, takeover: Takeover, folder: Path) -> None:
    """
    The former blob file is not needed any more: bytes, fields and steps are in the new one.
    """
    for step in (3, 5):
        writer.sequence("pictures").track(Picture(b"%d" % step), step)
    writer.sequence("words").track_shared([Stored("aim.text", {"text": letter}) for letter in "ab"], (7, 8))
    former = take(writer, takeover)
    without(folder, former)
    reader = open_run(folder)
    words = reader.points(("words", "{}"))

    assert {3: b"3", 5: b"5"} == values(folder, "pictures")
    assert words is not None
    assert [(7, "a"), (8, "b")] == [
        (step, reader.record(words, index)["items"][0]["text"]) for index, step in enumerate(words.steps.tolist())
    ]


def test_an_object_that_is_gone_is_counted_as_lost(writer: Writer, takeover: Takeover, folder: Path) -> None:
    """
    Where the former blob file can't be read, its points are lost and counted, and the others are taken.
    """
    writer.sequence("pictures").track(Picture(), 0)
    writer.sequence("loss").track(0.5, 0)
    former = writer.files.begin_again()
    layout.blob_file(folder, former.writer, 0).unlink()
    takeover.take(former)
    without(folder, former.writer)

    assert (1, {0: 0.5}) == (writer.refusals.lost_count, values(folder))
    assert {} == values(folder, "pictures")


def test_void_slots_are_not_recorded_again(writer: Writer, takeover: Takeover, folder: Path) -> None:
    """
    A slot whose value was refused, and one with a number that no sequence has, are left out.
    """
    writer.sequence("loss").track(0.5, 0)
    for number in (VOID, 2):
        segment = segment_of(writer)
        journal.RECORD.pack_into(segment.map, next(segment.slots), 9.0, 9, 1.0, math.nan, number)
    former = take(writer, takeover)

    assert {0: 0.5} == values(without(folder, former))
    assert 1 == segment_of(writer).taken()


def test_a_thread_that_stores_late_is_not_forgotten(writer: Writer, takeover: Takeover, folder: Path) -> None:
    """
    A slot that was empty when the files changed is looked at again at each tick, until its record is there; each
    record is taken once.
    """
    writer.sequence("loss").track(0.5, 0)
    segment = segment_of(writer)
    slots = [next(segment.slots) for _ in range(2)]
    former = take(writer, takeover)
    takeover.take_stragglers()
    assert 1 == segment_of(writer).taken()
    for count, slot in enumerate(slots, 2):
        journal.RECORD.pack_into(segment.map, slot, float(count), count, 1e9, math.nan, 1)
        takeover.take_stragglers()
        takeover.take_stragglers()
        assert count == segment_of(writer).taken()

    assert {0: 0.5, 2: 2.0, 3: 3.0} == values(without(folder, former))


def test_an_empty_slot_takes_nothing_more_than_its_record(writer: Writer, takeover: Takeover, folder: Path) -> None:
    """
    The former segment hands out no slot any more: what is tracked after the change goes into the new files.
    """
    writer.sequence("loss").track(0.5, 0)
    segment = segment_of(writer)
    former = take(writer, takeover)

    assert [] == list(segment.slots)
    writer.sequence("loss").track(1.5, 1)
    assert {0: 0.5, 1: 1.5} == values(without(folder, former))


def test_a_child_of_a_fork_forgets_the_stragglers(writer: Writer, takeover: Takeover) -> None:
    """
    Late records of the parent are the parent's.
    """
    writer.sequence("loss").track(0.5, 0)
    segment = segment_of(writer)
    slot = next(segment.slots)
    take(writer, takeover)
    takeover.forget()
    journal.RECORD.pack_into(segment.map, slot, 1.0, 1, 1e9, math.nan, 1)
    takeover.take_stragglers()
    chain: SegmentChain = writer.files.segments

    assert 1 == chain.point_count
