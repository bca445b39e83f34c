"""
The files of a run's folder as a source of points: from the journal or the sealed file, whichever there is at a look.
"""

from __future__ import annotations

import errno
import math
import os
from pathlib import Path
from typing import Any

import pytest

from aim.core.errors import DamagedFile
from aim.core.values import Stored
from aim.storage.disk import freshness, layout
from aim.storage.forms import blobs
from aim.storage.forms.run_log import RunLog
from aim.storage.forms.state import SequencePart, WriterInfo
from aim.storage.reading import folder_source
from aim.storage.reading.folder_source import FolderSource, JournalPoints, SealedPoints, SealLater
from aim.storage.reading.followed_journal import FollowedJournal
from aim.storage.recording.writer import Writer
from aim.storage.sealing import seal
from aim.storage.sealing.sealed import Sealed
from tests.storage.event_files import OTHER
from tests.storage.writing import Picture

LOSS = ("loss", "{}")


@pytest.fixture(name="ended")
def _ended(writer: Writer) -> Writer:
    """
    A writer that has ended: a metric with even steps, one with mixed steps and kinds, and objects.
    """
    for step in range(20):
        writer.sequence("loss").track(step / 2, 3 * step, epoch=1)
    for step, value in ((5, 1), (2, 2), (9, 0.5)):
        writer.sequence("mixed").track(value, step)
    for step in range(3):
        writer.sequence("pictures").track(Picture(b"%d" % step), step)
    writer.sequence("words").track_shared([Stored("aim.text", {"text": letter}) for letter in "ab"], (7, 8))
    writer.close()
    return writer


def source_of(writer: Writer, seal_later: SealLater | None = None) -> FolderSource:
    """Return a new source of the run."""
    folder = writer.files.folder
    return FolderSource(folder, RunLog(folder), seal_later=seal_later)


def info(writer: Writer) -> WriterInfo:
    """Return what the lines say of a writer now."""
    return RunLog(writer.files.folder).refresh().writers[writer.id]


def seal_it(writer: Writer) -> None:
    """Seal the writer."""
    folder = writer.files.folder
    assert seal.seal_writer(folder, writer.id, RunLog(folder).refresh())


def part_of(writer: Writer, name: str, index: int = 0) -> SequencePart:
    """Return one part of a sequence."""
    return RunLog(writer.files.folder).refresh().sequences[name, "{}"].parts[index]


def columns(points: Any) -> list[list[Any]]:
    """Return steps, values, times and epochs of points or of a chunk."""
    return [getattr(points, name).tolist() for name in ("steps", "values", "times_us", "epochs")]


# points


@pytest.mark.parametrize(("name", "index"), [("loss", 0), ("mixed", 0), ("mixed", 1), ("pictures", 0)])
def test_both_forms_have_the_same_points(ended: Writer, name: str, index: int) -> None:
    """
    Steps, values, times and epochs of each part are the same from the journal and from the sealed file, in their types.
    """
    part = part_of(ended, name, index)
    journal = source_of(ended).points_of_writer(info(ended))
    assert isinstance(journal, JournalPoints)
    before, before_ordered = journal.chunk(part), journal.ordered_points(part)
    seal_it(ended)
    sealed = source_of(ended).points_of_writer(info(ended))
    assert isinstance(sealed, SealedPoints)
    after, after_ordered = sealed.chunk(part), sealed.ordered_points(part)

    by_step = sorted(zip(*columns(before)))
    assert repr(by_step) == repr(sorted(zip(*columns(after))))
    assert (before.values.dtype, ended.id, ended.id) == (after.values.dtype, before.writer, after.writer)
    if before_ordered is not None:
        assert after_ordered is not None
        texts = [repr(columns(points)) for points in (before, before_ordered, after_ordered)]
        assert 1 == len(set(texts))
        assert [part.kind, part.kind] == [before_ordered.kind, after_ordered.kind]
        assert ((ended.id,), (ended.id,)) == (before_ordered.writer_ids, after_ordered.writer_ids)


def test_steps_that_do_not_increase_have_no_ordered_points(ended: Writer) -> None:
    """
    A journal is in the order of recording, so a part whose steps go back has to be merged.
    """
    journal = source_of(ended).points_of_writer(info(ended))

    assert journal is not None
    assert journal.ordered_points(part_of(ended, "mixed")) is None
    assert journal.ordered_points(part_of(ended, "loss")) is not None


def test_a_live_journal_is_read_at_each_look(writer: Writer) -> None:
    """
    What was tracked since the last look is there at the next one.
    """
    source = source_of(writer)
    for step in range(3):
        writer.sequence("loss").track(step / 2)
        points = source.points_of_writer(info(writer))
        assert points is not None
        assert step + 1 == len(points.chunk(part_of(writer, "loss")).steps)

    assert not source.is_unchanging(writer.id)
    assert math.inf == source.journal_point_count([writer.id])


def test_a_sealed_file_is_taken_as_soon_as_it_is_there(ended: Writer) -> None:
    """
    A source that has read the journal goes on with the sealed file, and opens that once.
    """
    source = source_of(ended)
    assert isinstance(source.points_of_writer(info(ended)), JournalPoints)
    assert (28, False) == (source.journal_point_count([ended.id]), source.is_unchanging(ended.id))
    seal_it(ended)
    sealed = source.points_of_writer(info(ended))

    assert isinstance(sealed, SealedPoints)
    assert sealed is source.points_of_writer(info(ended))
    assert (math.inf, True) == (source.journal_point_count([ended.id]), source.is_unchanging(ended.id))


def test_points_in_memory_are_counted_when_all_writers_have_ended(ended: Writer) -> None:
    """
    Of no writers, and with one that was not read, there is no count.
    """
    source = source_of(ended)
    assert math.inf == source.journal_point_count([ended.id])
    source.points_of_writer(info(ended))

    assert [math.inf, 28, math.inf] == [
        source.journal_point_count(writers) for writers in ([], [ended.id], [ended.id, OTHER])
    ]


def test_a_journal_that_goes_while_it_is_read_has_no_points(ended: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A run that is deleted during the look has no points, and nothing is raised.
    """

    def vanish(*_: object, **__: object) -> None:
        raise FileNotFoundError(errno.ENOENT, "gone")

    monkeypatch.setattr(FollowedJournal, "refresh", vanish)

    assert source_of(ended).points_of_writer(info(ended)) is None


def test_a_refused_file_has_no_points(ended: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A sealed file that can't be read is left out.
    """
    seal_it(ended)

    def refuse(path: Path) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(Sealed, "open", refuse)

    assert source_of(ended).points_of_writer(info(ended)) is None


def test_sequences_without_a_declaration_are_named_after_their_numbers(ended: Writer) -> None:
    """
    A journal knows numbers only; a sealed file knows names, contexts and kinds.
    """
    known = {1, 2, 3}
    journal = source_of(ended).points_of_writer(info(ended))
    assert journal is not None
    nameless = [(s.name, s.text, s.kind, s.parts) for s in journal.undeclared(known)]
    seal_it(ended)
    sealed = source_of(ended).points_of_writer(info(ended))
    assert sealed is not None
    named = [(s.name, s.text, s.kind, s.parts) for s in sealed.undeclared(known)]

    part = [SequencePart(ended.id, 4, "float")], [SequencePart(ended.id, 5, "float")]
    assert [("(unknown 4)", "{}", "float", part[0]), ("(unknown 5)", "{}", "float", part[1])] == nameless
    assert [("pictures", "test.picture"), ("words", "aim.text")] == [(name, kind) for name, _, kind, _ in named]
    assert [] == journal.undeclared({1, 2, 3, 4, 5}) == sealed.undeclared({1, 2, 3, 4, 5})


# sealing on the way


@pytest.mark.parametrize(("count_min", "is_sealed"), [(28, True), (29, False)])
def test_a_large_journal_is_sealed_later_when_it_is_read(
    ended: Writer, monkeypatch: pytest.MonkeyPatch, count_min: int, is_sealed: bool
) -> None:
    """
    From some records on, whoever seals is told once of an ended journal; the reader itself goes on with the journal.
    """
    monkeypatch.setattr(folder_source, "SEAL_RECORDS_MIN", count_min)
    named: list[tuple[Path, str]] = []
    source = source_of(ended, lambda folder, writer_id: named.append((folder, writer_id)))
    for _ in range(2):
        assert source.points_of_writer(info(ended)) is not None

    assert ([(ended.files.folder, ended.id)] if is_sealed else []) == named
    assert not layout.sealed_file(ended.files.folder, ended.id).exists()


def test_a_live_run_is_not_sealed(writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A journal that still grows stays a journal.
    """
    monkeypatch.setattr(folder_source, "SEAL_RECORDS_MIN", 1)
    writer.sequence("loss").track(0.5)
    source = source_of(writer, lambda *_: pytest.fail("it is to be sealed"))

    assert source.points_of_writer(info(writer)) is not None


# objects


def test_records_and_bytes_are_read_by_their_position(ended: Writer) -> None:
    """
    A point's value is the position of its record, which says where the bytes are; a shared record is taken apart.
    """
    source = source_of(ended)
    points = source.points_of_writer(info(ended))
    assert points is not None
    pictures = points.chunk(part_of(ended, "pictures"))
    for step, position in zip(pictures.steps.tolist(), pictures.values.tolist()):
        (item,) = source.record_of_step(ended.id, position, step)["items"]
        assert b"%d" % step == source.read_data(ended.id, 0, item["data"])
    words = points.chunk(part_of(ended, "words"))
    texts = [source.record_of_step(ended.id, position, step) for step, position in zip((7, 8), words.values.tolist())]

    assert [[{"text": "a"}], [{"text": "b"}]] == [record["items"] for record in texts]


def test_a_record_that_many_points_share_is_read_once(ended: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The lines of a log lie in one record; another record is read anew.
    """
    read: list[int] = []
    whole = blobs.read_record

    def noted(path: Path, offset: int) -> dict[str, Any]:
        read.append(offset)
        return whole(path, offset)

    monkeypatch.setattr(blobs, "read_record", noted)
    source = source_of(ended)
    points = source.points_of_writer(info(ended))
    assert points is not None
    first, second = (
        blobs.split_position(int(points.chunk(part_of(ended, name)).values[0]))[1] for name in ("words", "pictures")
    )
    for offset in (first, first, second, second, first):
        source.read_record(ended.id, 0, offset)

    assert [first, second, first] == read


@pytest.mark.parametrize(
    ("position", "step", "says"),
    [
        (blobs.pack_position(0, 3), 0, "does not check"),
        (blobs.pack_position(7, 0), 0, "the file is gone"),
    ],
)
def test_a_position_of_nothing_is_damage(ended: Writer, position: int, step: int, says: str) -> None:
    """
    What a point refers to has to be there.
    """
    with pytest.raises(DamagedFile, match=says):
        source_of(ended).record_of_step(ended.id, position, step)


def test_a_record_of_other_points_is_damage(ended: Writer) -> None:
    """
    A shared record that does not have the step of the point is another one's.
    """
    source = source_of(ended)
    points = source.points_of_writer(info(ended))
    assert points is not None
    position = int(points.chunk(part_of(ended, "words")).values[0])
    with pytest.raises(DamagedFile, match="the record of other points"):
        source.record_of_step(ended.id, position, 99)


def test_a_refused_blob_file_is_damage_and_a_missing_one_is_not_there(ended: Writer) -> None:
    """
    What the system refuses to read is named; what is gone is for the caller to decide about.
    """
    path = layout.blob_file(ended.files.folder, ended.id, 0)
    path.rename(path.with_suffix(".away"))
    source = source_of(ended)
    for read in (source.read_record, source.read_data):
        with pytest.raises(FileNotFoundError):
            read(ended.id, 0, 0)
    path.mkdir()
    for read in (source.read_record, source.read_data):
        with pytest.raises(DamagedFile, match="can't be read: Is a directory"):
            read(ended.id, 0, 0)


# a writer that was cut off


def test_last_points_of_a_dead_writer_without_their_objects_are_left_out(
    writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    While the writer lives its points are all there; when it is dead those without an object count as not stored.
    """
    for step in range(3):
        writer.sequence("pictures").track(Picture(), step)
        writer.sequence("loss").track(0.5, step)
    path = layout.blob_file(writer.files.folder, writer.id, 0)
    os.truncate(path, blobs.walk(path)[0][3].end)
    steps = {}
    for is_alive in (True, False):
        monkeypatch.setattr(WriterInfo, "is_alive", lambda self, now_s, alive=is_alive: alive)
        points = source_of(writer).points_of_writer(info(writer))
        assert points is not None
        assert [0, 1, 2] == points.chunk(part_of(writer, "loss")).steps.tolist()
        steps[is_alive] = points.chunk(part_of(writer, "pictures")).steps.tolist()
        assert is_alive == (points.ordered_points(part_of(writer, "pictures")) is not None)

    assert {True: [0, 1, 2], False: [0, 1]} == steps


# a sole writer


def test_a_sole_writer_answers_while_its_stamp_is_that_of_the_folder(ended: Writer) -> None:
    """
    Sequences are read without the lines; where ints and floats are mixed, or after a change, the lines are asked.
    """
    seal_it(ended)
    folder = ended.files.folder
    source = source_of(ended)
    assert {} == source.sole_parts([LOSS])
    source.use_sole_writer(ended.id, freshness.folder_time(folder).stamp)
    source.use_sole_writer(OTHER, freshness.folder_time(folder).stamp)  # of the same moment: nothing changes
    parts = source.sole_parts([LOSS, ("mixed", "{}"), ("nothing", "{}")])
    assert [LOSS] == list(parts)
    assert 20 == len(parts[LOSS][0].chunk(parts[LOSS][1]).steps)
    os.utime(folder, (1.5, 1.5))

    assert {} == source.sole_parts([LOSS])
