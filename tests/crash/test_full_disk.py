"""
A disk that is really full: a tmpfs of a few pages, filled to the last byte.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from aim.core.statuses import FINISHED
from aim.storage.care.check import check_run
from aim.storage.disk import refusals
from aim.storage.forms.run_log import RunLog
from aim.storage.recording.writer import Writer
from aim.storage.store import Store
from tests.crash.history import RUN, Picture, found
from tests.small_disks import fill, small_disk

DISK_KIB = 512


@pytest.fixture(name="small_disk")
def _small_disk(tmp_path: Path) -> Iterator[Path]:
    """
    A file system of 512 KiB of its own.
    """
    with small_disk(tmp_path / "small", DISK_KIB) as target:
        yield target


@pytest.mark.usefixtures("no_thread")
def test_a_full_disk_is_said_once_and_recording_goes_on_when_there_is_room(
    small_disk: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    On a full disk the training goes on; what was tracked before and what came after is there, and the end too.
    """
    monkeypatch.setattr(refusals, "RETRY_S", 0.0)
    store = Store(small_disk / ".aim", create=True)
    writer = Writer(store.create_run(RUN), RUN)
    loss = writer.sequence("loss")
    for step in range(384):  # the first segment, to its end
        loss.track(0.5, step)
    filler = fill(small_disk)
    for step in range(384, 5000):
        loss.track(0.5, step)
        if step % 1000 == 0:
            writer.sequence("pictures").track(Picture(b"x" * 5000), step)
            writer.lines.set_param(("big",), "y" * 5000)
            writer.tick()
    full = [record.getMessage() for record in caplog.records]
    filler.unlink()
    for step in range(5000, 6000):
        loss.track(0.5, step)
    writer.tick()
    reported = [record.getMessage() for record in caplog.records]
    writer.close()

    assert ["No space left on device" in message for message in full] == [True]
    assert ["goes on. 4,620 points" in message for message in reported] == [False, True]
    assert {logging.ERROR} == {record.levelno for record in caplog.records}
    gaps = RunLog(writer.files.folder).refresh().gaps
    assert (4620, 0) == (sum(gap.point_count for gap in gaps), sum(gap.line_count for gap in gaps))
    assert {"No space left on device"} == {gap.reason for gap in gaps}
    damage = [item.problem for item in check_run(writer.files.folder)]
    assert len(gaps) == len([problem for problem in damage if "lost: No space left on device" in problem])
    facts = found(writer.files.folder)
    assert [*range(384), *range(5000, 6000)] == sorted(facts.points["loss"])
    assert {"big": "y" * 5000} == facts.params
    assert FINISHED == _status(writer)


@pytest.mark.usefixtures("no_thread")
def test_the_end_is_said_on_a_full_disk(small_disk: Path) -> None:
    """
    The segment that was prepared and not needed gives its room back, so that the end of the run finds some.
    """
    writer = Writer(Store(small_disk / ".aim", create=True).create_run(RUN), RUN)
    loss = writer.sequence("loss")
    for step in range(300):  # over half of the first segment
        loss.track(0.5, step)
    writer.tick()
    os.truncate(writer.lines.log.path, writer.lines.log.size_bytes)
    fill(small_disk)
    writer.close()

    assert FINISHED == _status(writer)
    assert list(range(300)) == sorted(found(writer.files.folder).points["loss"])
    assert [f"{writer.id}.points-0000"] == [path.name for path in writer.files.folder.glob("*.points-*")]


@pytest.mark.usefixtures("no_thread")
def test_a_param_that_does_not_fit_holds_back_nothing_else(small_disk: Path) -> None:
    """
    A param larger than the room that is left is missing alone: later params, tags, sequences and the end are there.
    """
    writer = Writer(Store(small_disk / ".aim", create=True).create_run(RUN), RUN)
    writer.lines.set_param(("big",), "y" * (DISK_KIB << 10))
    writer.lines.set_param(("lr",), 0.1)
    writer.lines.change_tags(add=["good"])
    writer.sequence("loss").track(0.5, 0)
    writer.tick()

    facts = found(writer.files.folder)
    assert {"lr": 0.1} == facts.params
    assert {"good"} == facts.tags
    assert [0] == list(facts.points["loss"])
    writer.close()
    assert FINISHED == _status(writer)
    (gap,) = RunLog(writer.files.folder).refresh().gaps
    assert (0, 1) == (gap.point_count, gap.line_count)
    assert ["1 event line is lost: No space left on device"] == [
        item.problem for item in check_run(writer.files.folder)
    ]


def _status(writer: Writer) -> str:
    return RunLog(writer.files.folder).refresh().status()[0]
