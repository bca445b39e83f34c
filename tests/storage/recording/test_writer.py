"""
One process recording into one run: its event lines, its handles, and what a second's work does.
"""

from __future__ import annotations

import errno
import itertools
import json
import math
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aim.__about__ import __version__
from aim.core import clock
from aim.core.errors import RunClosed, UnstorableParam, UntrackableValue
from aim.core.statuses import FINISHED
from aim.storage.disk import layout
from aim.storage.disk.files import Disk
from aim.storage.forms import journal, records
from aim.storage.forms.run_log import RunLog
from aim.storage.reading.folder_source import open_run
from aim.storage.recording import background
from aim.storage.recording.lifecycle import WriterState
from aim.storage.recording.writer import Writer
from tests.storage.writing import DEADLINE_S, Picture, lines, segment_of, state, values

# the event file


def test_the_first_line_says_who_records(writer: Writer) -> None:
    """
    The `begin` line names the run, the writer, and the process in a way that outlives its pid.
    """
    begin = lines(writer)[0]["begin"]
    process = clock.this_process()

    assert ("run", writer.id, 1) == (begin["run"], begin["writer"], begin["format"])
    assert (process.host, process.pid, process.boot) == (begin["host"], begin["pid"], begin["boot"])
    assert (process.start, process.namespace) == (begin["process"], begin["pids"])
    assert (sys.version.split()[0], __version__, list(sys.argv)) == (begin["python"], begin["aim"], begin["command"])


def test_the_last_line_says_what_there_is(writer: Writer) -> None:
    """
    The `end` line counts segments, slots and blob files, and has each sequence's next step.
    """
    writer.sequence("loss").track(0.5, step=6)
    writer.sequence("count").track(3)
    writer.sequence("pictures").track(Picture())
    for _ in range(400):
        writer.sequence("loss").track(0.5)
    writer.close()

    end = {"state": "finished", "error": None, "segments": 2, "points": 403, "blobs": 1, "next": [407, 1, 1]}
    assert end == lines(writer)[-1]["end"]


def test_times_increase_with_every_line(writer: Writer) -> None:
    """
    No two lines of a writer have the same `at`, however fast they come.
    """
    for number in range(200):
        writer.lines.set_param(("a",), number)

    moments = [line["at"] for line in lines(writer)]
    assert all(later > earlier for earlier, later in itertools.pairwise(moments))


def test_what_is_said_after_the_end_is_refused(writer: Writer) -> None:
    """
    After `close()` params, properties and tags are errors, and the file stays as it was.
    """
    writer.close()
    before = writer.lines.log.path.read_bytes()
    calls: tuple[Callable[[], None], ...] = (
        lambda: writer.lines.set_param(("a",), 1),
        lambda: writer.lines.delete_param(("a",)),
        lambda: writer.lines.set_property(name="x"),
        lambda: writer.lines.change_tags(add=["x"]),
        lambda: writer.lifecycle.check_open(),
    )
    for call in calls:
        with pytest.raises(RunClosed):
            call()

    assert before == writer.lines.log.path.read_bytes()


def test_params_properties_and_tags_are_read_back(writer: Writer, folder: Path) -> None:
    """
    What was set, deleted and tagged is there at once.
    """
    writer.lines.set_param((), {"a": {"b": 1, 3: [1, math.inf]}, "gone": 1})
    writer.lines.set_param(("a", "c"), b"\0")
    writer.lines.delete_param(("gone",))
    writer.lines.set_property(name="first", notes=None)
    writer.lines.set_property(name="second")
    writer.lines.change_tags(add=["x", "y"])
    writer.lines.change_tags(remove=["x"])

    log = RunLog(folder)
    state_now = log.refresh()
    assert {"a": {"b": 1, "c": b"\0", 3: [1, math.inf]}} == log.params
    assert {"name": "second", "notes": None} == state_now.properties
    assert ["y"] == list(state_now.tags)


def test_a_param_that_holds_itself_is_refused(writer: Writer) -> None:
    """
    What would never end is an error of ours that names the place.
    """
    tree: dict[str, object] = {}
    tree["self"] = tree
    with pytest.raises(UnstorableParam, match="hparams.* is nested more than 100 deep, or holds itself"):
        writer.lines.set_param(("hparams",), tree)
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(UnstorableParam, match="nested more than 100 deep"):
        writer.lines.set_param(("hparams",), deep)
    while deep:  # taken apart by hand: the interpreter's own way is recursive
        deep = deep[0]  # type: ignore[assignment]

    assert 1 == len(lines(writer))


def test_text_of_any_kind_survives(writer: Writer, folder: Path) -> None:
    """
    Quotes, newlines, NUL, other scripts and half surrogates come back as they were, as names, params and context
    values.
    """
    texts = ['"}\n{"crc":"', "\0", "größe", "日本", "\ud800", "a.b/c", " ", "\r\n\u2028"]
    for text in texts:
        writer.sequence(text, {text: text}).track(0.5)
        writer.lines.set_param((text,), text)

    state_now = open_run(folder).state()
    assert set(texts) == {name for name, _ in state_now.sequences}
    assert {text: text for text in texts} == open_run(folder).params()
    assert [{text: text} for text in texts] == [sequence.context for sequence in state_now.sequences.values()]
    assert [] == state_now.damage


# handles


@pytest.mark.parametrize(
    ("handle", "other"),
    [
        (None, {}),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ({"a": 1}, {"a": 1.0}),
        ({"a": 1}, {"a": True}),
        ({"a": (1, 2)}, {"a": [1, 2]}),
        ({"a": np.float32(0.5)}, {"a": 0.5}),
        ({"a": math.nan}, {"a": math.nan}),
        ({1: "x"}, {"1": "x"}),
    ],
)
def test_equal_contexts_have_one_handle(writer: Writer, handle: object, other: object) -> None:
    """
    One sequence has one handle, however its context is written.
    """
    assert writer.sequence("loss", handle) is writer.sequence("loss", other)


@pytest.mark.parametrize("name", ["", 5, None, b"loss"])
def test_a_sequence_needs_a_name(writer: Writer, name: Any) -> None:
    """
    A name that would spoil the run later is refused now.
    """
    with pytest.raises(UntrackableValue, match="name has to be a string"):
        writer.sequence(name)


# a second's work


def test_a_seconds_work_takes_the_crcs_of_full_pages(writer: Writer) -> None:
    """
    Full pages have their CRC after a second's work, the page being filled has none before the end.
    """
    for _ in range(300):
        writer.sequence("loss").track(0.5)
    path = segment_of(writer).path
    assert [0, 0, 0] == _crcs(path)
    writer.tick()
    assert [True, True, False] == [crc != 0 for crc in _crcs(path)]
    writer.close()

    assert [True, True, True] == [crc != 0 for crc in _crcs(path)]
    assert [] == records.scan(writer.files.folder, writer.id).damage


def _crcs(path: Path) -> list[int]:
    return [int(crc) for crc in np.frombuffer(path.read_bytes(), "<u4", 3, journal.CRC_TABLE_OFFSET)]


def test_a_page_with_an_open_slot_gets_no_crc(writer: Writer) -> None:
    """
    While a thread has taken a slot and not stored yet, its page has no CRC: it would fail when the store comes.
    """
    loss = writer.sequence("loss")
    loss.track(0.5)
    slot = next(segment_of(writer).free)
    for _ in range(200):
        loss.track(0.5)
    writer.tick()
    assert 0 == _crcs(segment_of(writer).path)[0]
    journal.RECORD.pack_into(segment_of(writer).map, slot, 0.25, 1000, 1.0, math.nan, 1)
    writer.tick()

    assert 0 != _crcs(segment_of(writer).path)[0]
    assert 0.25 == values(writer.files.folder)[1000]


def test_the_next_segment_is_prepared_when_one_is_half_full(writer: Writer, folder: Path) -> None:
    """
    The background makes the next segment, so that `track()` need not; one that is not needed goes at the end.
    """
    loss = writer.sequence("loss")
    for count, expected in ((191, 1), (1, 2), (192, 2), (1, 2)):
        for _ in range(count):
            loss.track(0.5)
        writer.tick()
        assert expected == len(list(folder.glob("*.points-*")))
    for _ in range(1919 // 2 + 1):
        loss.track(0.5)
    writer.tick()
    assert 3 == len(list(folder.glob("*.points-*")))
    writer.close()

    assert 2 == len(list(folder.glob("*.points-*")))
    assert 2 == lines(writer)[-1]["end"]["segments"]


def test_full_segments_are_let_go(writer: Writer, folder: Path) -> None:
    """
    A segment that is full and safe costs the process no descriptor and no memory any more, and stays counted.
    """
    loss = writer.sequence("loss")
    for _ in range(384 + 1920 + 10):
        loss.track(0.5)
    before = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else 0
    for _ in range(3):
        writer.tick()
    after = len(os.listdir("/proc/self/fd")) if before else 0
    writer.close()

    assert after < before or not before
    assert 384 + 1920 + 10 == lines(writer)[-1]["end"]["points"]
    assert [] == records.scan(folder, writer.id).damage


def test_the_event_file_is_the_heartbeat(writer: Writer) -> None:
    """
    A second's work sets the event file's time to now.
    """
    os.utime(writer.lines.log.path, (1.0, 1.0))
    writer.tick()

    assert clock.now() - writer.lines.log.path.stat().st_mtime < DEADLINE_S


def test_flush_waits_for_the_disk_and_says_when_it_refuses(folder: Path) -> None:
    """
    `flush()` syncs events, blobs, segments and names, and raises what the disk says: who asks wants to know.
    """
    disk = _RecordingDisk()
    writer = Writer(folder, "run", disk=disk)
    background.unregister(writer)
    writer.sequence("loss").track(0.5)
    writer.sequence("pictures").track(Picture())
    writer.flush()
    assert ["sync", "sync", "sync", "sync_folder"] == disk.calls
    disk.refuses = True
    with pytest.raises(OSError, match="Input/output error"):
        writer.flush()
    disk.refuses = False
    writer.close()
    writer.flush()

    assert FINISHED == state(folder).status()[0]


class _RecordingDisk(Disk):
    def __init__(self) -> None:
        self.calls: list[str] = []
        self.refuses = False

    def sync(self, descriptor: int) -> None:
        self.calls.append("sync")
        if self.refuses:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        super().sync(descriptor)

    def sync_folder(self, path: Path) -> None:
        self.calls.append("sync_folder")
        super().sync_folder(path)


def test_the_background_thread_does_the_work(folder: Path) -> None:
    """
    A writer that nobody ticks is synced by the thread beside the training.
    """
    synced = threading.Event()

    class Told(Disk):
        def sync(self, descriptor: int) -> None:
            super().sync(descriptor)
            synced.set()

    writer = Writer(folder, "run", disk=Told())
    writer.sequence("loss").track(0.5)
    assert synced.wait(DEADLINE_S)
    writer.close()


def test_tracking_waits_for_no_disk(folder: Path) -> None:
    """
    Neither tracking nor beginning a new segment syncs anything: that is the thread's part.
    """
    disk = _RecordingDisk()
    writer = Writer(folder, "run", disk=disk)
    background.unregister(writer)
    for step in range(5000):
        writer.sequence("loss").track(0.5, step)
        if step % 1000 == 0:
            writer.sequence("pictures").track(Picture(), step)
            writer.lines.set_param(("a",), step)
    assert [] == disk.calls
    writer.close()


def test_event_lines_are_json_that_any_tool_reads(writer: Writer) -> None:
    """
    Each line is one JSON object, NaN and bytes included.
    """
    writer.lines.set_param(("a",), {"x": math.nan, "b": b"\xff", "o": 2**62})
    writer.sequence("loss", {"f": math.inf}).track(2**60, epoch=math.nan)

    for line in writer.lines.log.path.read_text(encoding="utf-8").splitlines():
        json.loads(line, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))


def test_the_begin_of_a_writer_holds_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The command line is on the disk with stars in place of what follows `--token`.
    """
    monkeypatch.setattr("sys.argv", ["train.py", "--token", "hunter2", "--url=https://ada:hunter2@host", "--lr", "0.1"])
    writer = Writer(tmp_path, "run")
    writer.close()
    line = layout.events_file(tmp_path, writer.id).read_text(encoding="utf-8")

    assert '"command":["train.py","--token","***","--url=https://***@host","--lr","0.1"]' in line
    assert "hunter2" not in line


# what the parts do together


class _Gathering:
    """A service that records what it is asked to."""

    def __init__(self, writer: Writer) -> None:
        self.writer = writer
        self.waits: list[bool] = []

    def record_pending(self, *, wait: bool) -> None:
        self.waits.append(wait)
        self.writer.sequence("gathered").track(float(len(self.waits)))

    def stop(self, deadline_s: float) -> None:
        self.record_pending(wait=True)

    def forked(self) -> None:
        self.waits.clear()


def test_services_are_asked_before_the_disk(writer: Writer, folder: Path) -> None:
    """
    A flush waits for what they have gathered, a second's work takes what is there, and an end takes the rest.
    """
    service = _Gathering(writer)
    writer.services.add(service)
    writer.flush()
    writer.tick()
    writer.close()
    writer.flush()

    assert [True, False, True] == service.waits
    assert {0: 1.0, 1: 2.0, 2: 3.0} == values(folder, "gathered")


def test_a_refused_second_is_said_once_and_so_is_the_next_good_one(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """
    While the disk refuses, the training hears it once; the first second that is whole says that recording goes on.
    """
    disk = _RecordingDisk()
    writer = Writer(folder, "run", disk=disk)
    background.unregister(writer)
    writer.sequence("loss").track(0.5)
    for refuses in (False, True, True, False, False):
        disk.refuses = refuses
        writer.tick()
    writer.close()

    assert ["can't write run run", "recording of run run goes on"] == [
        text for record in caplog.records for text in ("can't write run run", "recording of run run goes on")
        if text in record.getMessage()
    ]  # fmt: skip


def test_an_end_that_is_refused_is_said(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """
    What the last sync meets is reported; the run is closed all the same.
    """
    disk = _RecordingDisk()
    writer = Writer(folder, "run", disk=disk)
    background.unregister(writer)
    writer.sequence("loss").track(0.5)
    disk.refuses = True
    writer.close()

    assert 1 == len([record for record in caplog.records if "Input/output error" in record.getMessage()])
    assert (WriterState.CLOSED, True) == (writer.lifecycle.state, writer.closed)


def test_what_a_thread_stores_late_is_taken_by_the_ticks_after_a_takeover(writer: Writer, folder: Path) -> None:
    """
    A writer that was sealed as dead goes on as another one, and looks each second for what the former one still gets.
    """
    writer.sequence("loss").track(0.5, 0)
    former, segment = writer.id, segment_of(writer)
    slots = [next(segment.slots) for _ in range(2)]
    layout.sealed_file(folder, former).touch()
    writer.tick()
    assert former != writer.id
    journal.RECORD.pack_into(segment.map, slots[0], 0.25, 1, 1e9, math.nan, 1)
    writer.tick()
    journal.RECORD.pack_into(segment.map, slots[1], 0.125, 2, 1e9, math.nan, 1)
    writer.close()
    for path in folder.glob(f"{former}.*"):
        path.unlink()

    assert {0: 0.5, 1: 0.25, 2: 0.125} == values(folder)


def test_a_child_whose_files_are_refused_counts_its_points_and_tries_again(writer: Writer, folder: Path) -> None:
    """
    In the child of a fork the first record begins the files; while the disk refuses, points are lost and counted.
    """
    writer.sequence("loss").track(0.5)
    parent = writer.id
    writer.refusals.count_lost()
    writer.forked()
    assert 0 == writer.refusals.lost_count
    folder.rename(folder.with_name("away"))
    for step in range(3):
        writer.sequence("loss").track(0.5, step)
    assert (3, parent, WriterState.FORKED) == (writer.refusals.lost_count, writer.id, writer.lifecycle.state)
    folder.with_name("away").rename(folder)
    writer.sequence("loss").track(0.5, 8)
    assert 4 == writer.refusals.lost_count  # it is not asked again within a second
    writer.refusals.retry_at_s = 0.0
    writer.sequence("loss").track(0.5, 9)
    background.unregister(writer)

    assert parent != writer.id
    assert [9] == records.scan(folder, writer.id).records["step"].tolist()
