"""
A writer that others disturb: its run is deleted or sealed, its process forks or gets signals, its file system lacks
something.
"""

from __future__ import annotations

import errno
import gc
import math
import mmap
import os
import shutil
import signal
import threading
import weakref
import zipfile
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import pytest

from aim.core import clock
from aim.core.statuses import FINISHED, RUNNING
from aim.storage.care.check import check_run
from aim.storage.disk.files import Disk
from aim.storage.forms import blobs, journal, records
from aim.storage.forms.run_log import RunLog
from aim.storage.reading.folder_source import open_run
from aim.storage.recording import background, recording_files, sequence_writer
from aim.storage.recording.writer import Writer
from aim.storage.sealing import seal
from tests.storage.writing import Picture, segment_of, state, values

# deleted, sealed, forked


class FullAtTheEnd(Disk):
    """A disk that has room for one more block when the directory of a ZIP comes."""

    def write_at(self, descriptor: int, data: bytes, offset: int) -> None:
        """Write, or half of it."""
        if data.startswith(b"PK\x01\x02"):
            super().write_at(descriptor, data[: len(data) // 2], offset)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        super().write_at(descriptor, data, offset)


def test_a_disk_that_is_full_at_the_end_leaves_no_damage(folder: Path) -> None:
    """
    A blob file whose directory found no room is whole without it, and gets it from `aim storage seal`.
    """
    writer = Writer(folder, "run", disk=FullAtTheEnd())
    writer.sequence("pictures").track(Picture())
    writer.close()
    (path,) = folder.glob("*.zip")

    assert ([], FINISHED) == (check_run(folder), state(folder).status()[0])
    assert not zipfile.is_zipfile(path)
    assert seal.seal_writer(folder, writer.id, state(folder))
    assert ([], 2) == (check_run(folder), len(zipfile.ZipFile(path).namelist()))
    assert {0: b"1234"} == values(folder, "pictures")
    assert not seal.seal_writer(folder, writer.id, state(folder))


def test_a_deleted_run_is_said_once_and_training_goes_on(
    writer: Writer, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """
    A writer whose run is deleted says so once; tracking, params and `close()` go on without an error or a file.
    """
    loss = writer.sequence("loss")
    loss.track(0.5)
    shutil.rmtree(folder)
    for _ in range(3):
        for _ in range(1000):
            loss.track(0.5)
        loss.track(1)
        writer.sequence("pictures").track(Picture())
        writer.lines.set_param(("a",), 1)
        writer.tick()
    writer.close()

    deleted = [record for record in caplog.records if "was deleted while it was recording" in record.getMessage()]
    assert 1 == len(deleted)
    assert len([record for record in caplog.records if record.levelname == "ERROR"]) <= 2
    assert not folder.exists()


@pytest.mark.parametrize(
    ("comes_back", "is_told"),
    [(False, True), (True, True), (True, False)],
    ids=["for good", "for a while", "where no path is told"],
)
def test_a_run_whose_folder_is_renamed_records_on(
    writer: Writer,
    folder: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    comes_back: bool,
    is_told: bool,
) -> None:
    """
    A folder that is renamed, or away for a while, is no deleted run: no point, object or param of it is lost.
    """
    if not is_told:
        monkeypatch.setattr(recording_files, "path_of", lambda descriptor: None)
    loss, pictures = writer.sequence("loss"), writer.sequence("pictures")
    loss.track(0.5)
    pictures.track(Picture(), 0)
    elsewhere = folder.parent.with_name("renamed") / folder.name
    folder.parent.rename(elsewhere.parent)
    writer.tick()
    loss.track(1.5)
    writer.lines.set_param(("a",), 1)
    pictures.track(Picture(), 1)
    writer.tick()
    if comes_back:
        elsewhere.parent.rename(folder.parent)
        writer.tick()
    place = folder if comes_back else elsewhere
    for step in range(2, 2_000):  # into new segments
        loss.track(step + 0.5)
    pictures.track(Picture(), 2)
    writer.close()

    assert {step: step + 0.5 for step in range(2_000)} == values(place)
    assert [0, 1, 2] == sorted(values(place, "pictures"))
    log = RunLog(place)
    log.refresh()
    assert {"a": 1} == log.params
    assert ([], FINISHED) == (check_run(place), state(place).status()[0])
    assert [] == caplog.records


def test_a_deleted_run_in_the_trash_is_said_once(
    writer: Writer, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """
    The trash keeps the files of a deleted run for a while; the writer does not follow them there.
    """
    writer.sequence("loss").track(0.5)
    trash = folder.parent.parent / "trash"
    trash.mkdir()
    folder.rename(trash / "run.1234")
    for _ in range(3):
        writer.tick()
        writer.sequence("loss").track(0.5)
    writer.close()

    assert 1 == caplog.text.count("was deleted while it was recording")


def _sealed_by_mistake(writer: Writer) -> dict[int, float]:
    # what a sealer has seen goes into the sealed file, and the segments lose their names
    seen = records.scan(writer.files.folder, writer.id).records
    for number in reversed(records.segment_numbers(writer.files.folder, writer.id)):
        (writer.files.folder / f"{writer.id}.points-{number:04d}").unlink()
    return dict(zip(seen["step"].tolist(), seen["value"].tolist(), strict=True))


def test_a_writer_that_was_taken_for_dead_goes_on_as_another(writer: Writer, folder: Path) -> None:
    """
    When the segments of a writer were sealed under it, what came after the sealer's reading is recorded again, as it
    was: value, step, time, epoch, type, objects with their bytes.
    """
    loss, count, pictures = (writer.sequence(name) for name in ("loss", "count", "pictures"))
    for step in range(500):
        loss.track(step * 1.1, step, 0.5)
    first, sealed = writer.id, _sealed_by_mistake(writer)
    for step in range(500, 1000):
        loss.track(step * 1.1, step, 0.25)
        count.track(step)
    pictures.track(Picture(b"late" * 100), 7)
    moment_s = clock.now()
    writer.tick()
    for step in range(1000, 1500):
        loss.track(step * 1.1, step)
        count.track(step)
    writer.close()

    assert first != writer.id
    points_now = values(folder)
    assert {step: step * 1.1 for step in range(1500)} == {**sealed, **points_now}
    assert set(range(500, 1500)) <= set(points_now)
    assert {number: 500 + number for number in range(1000)} == values(folder, "count")
    assert {7: b"late" * 100} == values(folder, "pictures")
    points = open_run(folder).points(("loss", "{}"))
    assert points is not None
    late = (points.steps >= 500) & (points.steps < 1000)
    assert np.all(points.epochs[late] == 0.25)
    assert np.all(points.times_s[late] <= moment_s)
    assert "float" == state(folder).sequences[("loss", "{}")].kind
    assert [] == records.scan(folder, writer.id).damage


def test_a_store_under_way_while_a_writer_goes_on_as_another_is_kept(writer: Writer, folder: Path) -> None:
    """
    A thread that had taken its slot before, and stores after, loses nothing: its record is fetched the next second.
    """
    loss = writer.sequence("loss")
    loss.track(0.5)
    segment, slot = segment_of(writer), next(segment_of(writer).free)
    loss.track(0.75)
    _sealed_by_mistake(writer)
    writer.tick()
    journal.RECORD.pack_into(segment.map, slot, 0.25, 1000, clock.now(), math.nan, loss.number)
    writer.tick()
    writer.close()

    assert {0: 0.5, 1: 0.75, 1000: 0.25} == values(folder)


def test_a_store_under_way_through_two_new_ids_is_kept(writer: Writer, folder: Path) -> None:
    """
    A writer that is sealed twice by mistake still fetches the record that was under way at the first time.
    """
    loss = writer.sequence("loss")
    loss.track(0.5)
    segment, slot = segment_of(writer), next(segment_of(writer).free)
    for _ in range(2):
        _sealed_by_mistake(writer)
        writer.tick()
        loss.track(0.75)
    journal.RECORD.pack_into(segment.map, slot, 0.25, 1000, clock.now(), math.nan, loss.number)
    writer.tick()
    writer.close()

    assert 0.25 == values(folder)[1000]


def test_threads_that_track_while_a_writer_goes_on_as_another_lose_nothing(writer: Writer, folder: Path) -> None:
    """
    Threads on the hot path notice nothing when the writer goes on in other files: no point is lost or in another
    sequence.
    """
    handles = [writer.sequence(f"s{number}") for number in range(4)]
    stop = threading.Event()
    counts = [0] * len(handles)
    allowed = [500]

    def work(number: int) -> None:
        while not stop.is_set():
            if counts[number] < allowed[0]:
                handles[number].track(number + 0.5)
                counts[number] += 1

    threads = [threading.Thread(target=work, args=(number,)) for number in range(len(handles))]
    for thread in threads:
        thread.start()
    sealed: list[Any] = []
    for _ in range(6):
        floor = allowed[0] - 300
        while min(counts) < floor:
            pass
        allowed[0] += 500
        sealed.append(records.scan(folder, writer.id).records)
        for number in reversed(records.segment_numbers(folder, writer.id)):
            (folder / f"{writer.id}.points-{number:04d}").unlink(missing_ok=True)
        writer.tick()
    stop.set()
    for thread in threads:
        thread.join()
    writer.tick()
    writer.close()

    others = [records.scan(folder, path.name[:8]).records for path in folder.glob("*.events.jsonl")]
    everything = np.concatenate([*sealed, *others])
    for number, count in enumerate(counts):
        mine = everything[everything["value"] == number + 0.5]
        assert set(range(count)) == set(mine["step"].tolist())
        assert {number + 0.5} == set(mine["value"].tolist())
    numbers = {(row["sequence"].item(), row["value"].item()) for row in np.unique(everything[["sequence", "value"]])}
    assert len(handles) == len(numbers)


def test_a_sealed_file_alone_is_enough_to_go_on_as_another(writer: Writer, folder: Path) -> None:
    """
    From the moment the sealed file has its name readers look at nothing else: the writer moves on at once.
    """
    writer.sequence("loss").track(0.5)
    first = writer.id
    (folder / f"{first}.points.parquet").write_bytes(b"")
    writer.tick()
    (folder / f"{first}.points.parquet").unlink()
    (folder / f"{first}.points-0000").unlink()

    assert first != writer.id
    assert {0: 0.5} == values(folder)


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_child_that_the_disk_refuses_goes_on_training(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """
    In the child of a fork tracking never raises for the disk: a file that can't be made is reported, and asked for
    again.
    """

    class Refusing(Disk):
        refuses = False

        def create(self, path: Path) -> int:
            if self.refuses:
                raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
            return super().create(path)

    disk = Refusing()
    writer = Writer(folder, "run", disk=disk)
    background.unregister(writer)
    loss = writer.sequence("loss")
    loss.track(0.5)
    parent_file = writer.lines.log.path
    writer.forked()  # what a fork does in the child
    disk.refuses = True
    for value in (0.5, 1, Picture(), 2**60):
        loss.track(value) if value == 0.5 else writer.sequence(str(value)).track(value)
    writer.lines.set_param(("a",), 1)
    disk.refuses = False
    writer.refusals.retry_at_s = 0.0  # the second after which it asks again has passed
    loss.track(0.25)
    writer.close()

    reports = [record.getMessage() for record in caplog.records if "can't write" in record.getMessage()]
    assert ["Too many open files" in report for report in reports] == [True]
    assert parent_file != writer.lines.log.path
    assert 0.25 in values(folder).values()


def test_a_run_without_a_handle_ends_when_it_is_closed_only(folder: Path) -> None:
    """
    A writer that nobody holds goes on being looked after: the run's owner decides when it ends.
    """
    writer = Writer(folder, "run")
    loss, reference = writer.sequence("loss"), weakref.ref(writer)
    del writer
    gc.collect()
    loss.track(0.5)
    assert RUNNING == state(folder).status()[0]
    open_writer = reference()
    assert open_writer is not None
    open_writer.close()

    assert FINISHED == state(folder).status()[0]


# other machines


def test_a_file_system_that_can_not_map_records_all_the_same(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Where files can't be mapped, records are written one by one into the same format.
    """

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))

    class Flaky(Disk):
        refused = 0

        def write_at(self, descriptor: int, data: bytes, offset: int) -> None:
            is_record = len(data) == journal.RECORD_BYTES and offset % (journal.RECORD_BYTES * 50) == 0
            if is_record and self.refused < 5:
                self.refused += 1
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            super().write_at(descriptor, data, offset)

    monkeypatch.setattr(mmap, "mmap", refuse)
    disk = Flaky()
    writer = Writer(folder, "run", disk=disk)
    background.unregister(writer)
    for step in range(1000):
        writer.sequence("loss").track(step * 1.1, step)
        writer.sequence("count").track(step)
        if step % 100 == 0:
            writer.tick()
    writer.close()
    monkeypatch.undo()

    assert 5 == disk.refused
    assert {step: step * 1.1 for step in range(1000)} == values(folder)
    assert {step: step for step in range(1000)} == values(folder, "count")
    assert [] == records.scan(folder, writer.id).damage


def test_without_a_gil_every_step_is_given_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The path of free-threaded builds, which locks, gives every step once and loses no value.
    """
    monkeypatch.setattr(sequence_writer, "FREE_THREADED", True)
    monkeypatch.setattr(journal, "FREE_THREADED", True)
    writer = Writer(folder, "run")
    loss = writer.sequence("loss")

    def work() -> None:
        for _ in range(500):
            loss.track(0.5)
            loss.track(np.float32(0.5))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    writer.close()

    steps_found = records.scan(folder, writer.id).records
    assert list(range(8000)) == sorted(steps_found["step"].tolist())
    assert sequence_writer.NO_TYPES == loss.floats


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no interval timer")
def test_a_signal_handler_may_record(writer: Writer, folder: Path) -> None:
    """
    A handler that tracks, sets params and begins sequences amid the same calls blocks nothing and loses nothing.
    """
    from_handler: list[int] = []
    loss, other = writer.sequence("loss"), writer.sequence("other")

    def handle(_number: int, _frame: FrameType | None) -> None:
        from_handler.append(len(from_handler))
        other.track(0.5)
        writer.lines.set_param(("handled",), len(from_handler))
        writer.sequence(f"new{len(from_handler)}").track(1)
        signal.setitimer(signal.ITIMER_REAL, 0.0005)  # again, but not while this one still runs on a busy machine

    previous = signal.signal(signal.SIGALRM, handle)
    signal.setitimer(signal.ITIMER_REAL, 0.0005)
    try:
        count = 0
        while len(from_handler) < 300:
            loss.track(count * 1.1)
            writer.lines.set_param(("count",), count)
            writer.sequence("pictures").track(Picture())
            count += 1
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
    writer.close()

    log = RunLog(folder)
    values_found = log.refresh()
    assert [] == values_found.damage
    assert {"count": count - 1, "handled": len(from_handler)} == log.params
    assert {step: step * 1.1 for step in range(count)} == values(folder)
    assert len(from_handler) == len(values(folder, "other"))
    assert count == len(values(folder, "pictures"))


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # it may hit a callback of the collector
def test_an_interrupt_within_a_call_leaves_a_run_that_goes_on(writer: Writer, folder: Path) -> None:
    """
    KeyboardInterrupt anywhere in tracking or setting leaves no lock taken and no file torn.
    """

    def handle(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    previous = signal.signal(signal.SIGALRM, handle)
    interrupted = 0
    try:
        while interrupted < 200:
            try:
                signal.setitimer(signal.ITIMER_REAL, 0.0003 + interrupted * 1e-6)
                for _ in range(200):  # the signal may come where the interpreter ignores what is raised
                    writer.sequence("loss").track(0.5)
                    writer.sequence("pictures").track(Picture())
                    writer.lines.set_param(("a",), 1)
                signal.setitimer(signal.ITIMER_REAL, 0)
            except KeyboardInterrupt:
                interrupted += 1
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
    writer.sequence("loss").track(0.25, step=10**6)
    writer.close()

    assert FINISHED == state(folder).status()[0]
    assert [] == state(folder).damage
    assert 0.25 == values(folder)[10**6]
    assert all(data == b"1234" for data in values(folder, "pictures").values())
    for path in folder.glob("*.zip"):
        assert blobs.directory(*blobs.walk(path)) == path.read_bytes()[blobs.walk(path)[1] :]


def test_a_second_close_ends_a_run_whose_first_was_stopped_on_its_way(folder: Path) -> None:
    """
    A thread that has only announced the end keeps nobody else from it: the next `close()` does the last sync.
    """
    writer = Writer(folder, "run")
    writer.sequence("loss").track(0.5)
    writer._stop(None, 1.0)  # as far as a first close() has come when its thread is stopped
    assert RUNNING == state(folder).status()[0]

    writer.close()
    assert FINISHED == state(folder).status()[0]

    writer.close()
    assert 1 == writer.lines.log.path.read_bytes().count(b'"end"')
