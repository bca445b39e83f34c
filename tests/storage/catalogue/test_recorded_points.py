"""
What a catalogue sums up of one run: journals as they grow, sealed files, and what rewinds hide of both.
"""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from aim.storage.catalogue.recorded_points import RecordedPoints
from aim.storage.catalogue.reduction import summarize_chunks
from aim.storage.catalogue.summaries import PartialSummary, merged
from aim.storage.forms.run_log import RunLog
from aim.storage.forms.state import RunState
from aim.storage.recording.sequence_writer import SequenceWriter
from aim.storage.recording.writer import Writer
from aim.storage.sealing import seal
from aim.storage.sealing.sealed import Sealed


@pytest.fixture(name="points")
def _points(folder: Path) -> RecordedPoints:
    return RecordedPoints(folder)


def look(points: RecordedPoints, folder: Path) -> RunState:
    """Read what is new and sum it up, as a catalogue does."""
    state = RunLog(folder).refresh()
    points.begin_look()
    for writer in state.writers.values():
        points.look_at(writer, state)
    sum_up(points)
    return state


def sum_up(points: RecordedPoints) -> None:
    """Sum up what was read."""
    new = points.pop_new_records()
    parts = summarize_chunks([chunk for records in new for chunk in (records.full, records.behind)])
    for records, full_parts, open_parts in zip(new, parts[::2], parts[1::2]):
        records.add(full_parts, open_parts)


def whole(points: RecordedPoints, state: RunState, name: str = "loss") -> PartialSummary | None:
    """Return all parts of a sequence as one; None when its points have to be read."""
    sequence = state.sequences[name, "{}"]
    parts = points.parts(sequence, state.rewinds, is_numeric=sequence.is_numeric)
    if not parts:
        return None
    result = parts[0]
    for part in parts[1:]:
        result = merged(result, part)
    return result


def seal_all(folder: Path) -> None:
    """Seal all writers of the run."""
    state = RunLog(folder).refresh()
    for writer in state.writers:
        seal.seal_writer(folder, writer, state)


@pytest.mark.parametrize("batch", [1, 100, 500])
def test_a_journal_is_summed_up_as_it_grows(
    points: RecordedPoints, folder: Path, loss: SequenceWriter, batch: int
) -> None:
    """
    After any number of looks the summary is that of all points so far, each counted once.
    """
    count = 0
    for _ in range(5):
        for _ in range(batch):
            loss.track(float(count))
            count += 1
        part = whole(points, look(points, folder))
        assert part is not None
        summary = part.summary
        assert (count, 0, count - 1) == (summary.point_count, summary.first_step, summary.last_step)
        assert (0.0, count - 1.0, float(sum(range(count)))) == (summary.min, summary.max, part.total)


def test_a_look_says_whether_there_are_other_points(points: RecordedPoints, folder: Path, loss: SequenceWriter) -> None:
    """
    The first look, new points and a sealed file are changes; a look at the same points is none.
    """
    loss.track(0.5)
    look(points, folder)
    answers = [points.pop_has_changed()]
    look(points, folder)
    answers.append(points.pop_has_changed())
    loss.track(0.5)
    look(points, folder)
    answers += [points.pop_has_changed(), points.pop_has_changed()]

    assert [True, False, True, False] == answers


def test_sequences_with_points_are_listed(points: RecordedPoints, folder: Path, writer: Writer) -> None:
    """
    By writer and number, from full pages, from open ones and from sealed files.
    """
    for _ in range(200):
        writer.sequence("a").track(0.5)
    writer.sequence("b").track(0.5)
    look(points, folder)
    assert {(writer.id, 1), (writer.id, 2)} == set(points.numbers())
    assert not points.is_sealed(writer.id)
    writer.close()
    seal_all(folder)
    fresh = RecordedPoints(folder)
    look(fresh, folder)

    assert {(writer.id, 1), (writer.id, 2)} == set(fresh.numbers())
    assert fresh.is_sealed(writer.id)


def test_both_forms_have_one_summary(points: RecordedPoints, folder: Path, writer: Writer) -> None:
    """
    A sealed file says of numbers what its journal said; it is opened once.
    """
    for step in range(300):
        writer.sequence("loss").track(step / 3, step)
    writer.close()
    before = whole(points, look(points, folder))
    seal_all(folder)
    fresh = RecordedPoints(folder)
    after = whole(fresh, look(fresh, folder))

    assert before is not None
    assert after is not None
    one, other = (part.summary._replace(median=0.0, std=0.0, mean=0.0) for part in (before, after))
    assert one == other
    assert pytest.approx([before.summary.mean, before.summary.std]) == [after.summary.mean, after.summary.std]
    assert (300, True) == (after.number_count, after.is_regular)


def test_a_complete_journal_is_not_read_again(
    points: RecordedPoints, folder: Path, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    When a writer has ended and all its journal was read, later looks cost nothing.
    """
    writer.sequence("loss").track(0.5)
    writer.close()
    look(points, folder)
    monkeypatch.setattr(
        "aim.storage.reading.journal_cursor.JournalCursor.advance", lambda *_, **__: pytest.fail("read")
    )

    assert whole(points, look(points, folder)) is not None


@pytest.mark.parametrize(("step", "is_known", "count"), [(9, True, 10), (5, False, 6)])
def test_rewound_points_do_not_count(
    points: RecordedPoints, folder: Path, writer: Writer, step: int, is_known: bool, count: int
) -> None:
    """
    Of a journal only visible records are summed up; of a sealed file that a rewind cuts the points have to be read.
    """
    for _ in range(10):
        writer.sequence("loss").track(0.5)
    look(points, folder)
    writer.sequences.rewind(step)
    points.read_anew()
    part = whole(points, look(points, folder))
    assert part is not None
    assert count == part.summary.point_count
    writer.close()
    seal_all(folder)
    fresh = RecordedPoints(folder)
    sealed = whole(fresh, look(fresh, folder))

    # sealing leaves what a rewind hides in the file
    assert is_known == (sealed is not None)


def test_system_metrics_are_not_rewound(points: RecordedPoints, folder: Path, writer: Writer) -> None:
    """
    What a process did stays counted.
    """
    for name in ("loss", "__system__cpu"):
        for _ in range(10):
            writer.sequence(name).track(0.5)
    writer.sequences.rewind(3)
    state = look(points, folder)
    counts = [
        part and part.summary.point_count for part in (whole(points, state, n) for n in ("loss", "__system__cpu"))
    ]

    assert [4, 10] == counts


def test_a_second_look_before_the_sum_counts_no_record_twice(
    points: RecordedPoints, folder: Path, loss: SequenceWriter
) -> None:
    """
    Open pages are read again by a second look: the first reading of them is dropped, and full pages are kept.
    """
    for _ in range(200):
        loss.track(0.5)
    for _ in range(2):
        state = RunLog(folder).refresh()
        points.begin_look()
        for writer in state.writers.values():
            points.look_at(writer, state)
        loss.track(0.5)
    sum_up(points)
    part = whole(points, RunLog(folder).refresh())

    assert part is not None
    assert 201 == part.summary.point_count


def test_a_file_that_can_not_be_read_is_lacking_until_it_can(
    points: RecordedPoints, folder: Path, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A refused sealed file is tried again at the next look, and then the run lacks nothing.
    """
    writer.sequence("loss").track(0.5)
    writer.close()
    seal_all(folder)

    def refuse(path: Path) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(Sealed, "open", refuse)
        state = look(points, folder)
        assert (True, None, False) == (points.lacks_files, whole(points, state), points.is_sealed(writer.id))
    state = look(points, folder)

    assert (False, True) == (points.lacks_files, points.is_sealed(writer.id))
    assert whole(points, state) is not None


def test_objects_have_no_numbers_to_sum_up(points: RecordedPoints, folder: Path, writer: Writer) -> None:
    """
    A sequence that no writer has recorded in a sealed file has no part; numbers without a summary have to be read.
    """
    writer.sequence("loss").track(0.5)
    writer.close()
    seal_all(folder)
    state = look(points, folder)
    sequence = state.sequences["loss", "{}"]
    points._sealed[writer.id] = {}

    assert [] == points.parts(sequence, (), is_numeric=True)
