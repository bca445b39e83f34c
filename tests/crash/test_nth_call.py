"""
A crash, or a refusal, at each single call of the disk in a history of a run.
"""

from __future__ import annotations

import errno
import logging
from pathlib import Path

import pytest

from aim.core.errors import RepoNotFound
from aim.storage.disk import refusals
from aim.storage.disk.files import Disk
from aim.storage.forms.records import scan
from aim.storage.recording.writer import Writer
from aim.storage.store import Store
from tests.crash.disks import CountingDisk, Crash, CrashingDisk, RefusingDisk
from tests.crash.history import RUN, Facts, Story, found, missing

pytestmark = pytest.mark.usefixtures("no_thread")


def calls_of_history(root: Path) -> int:
    """Count the calls of the disk that the whole history makes."""
    disk = CountingDisk()
    root.mkdir()
    Story(root, disk).play()
    return disk.count


def run_folder(root: Path) -> Path:
    """Return the folder of the history's run."""
    return root / ".aim" / "runs" / RUN


def facts_of(root: Path) -> Facts:
    """Return what fresh readers find after a crash, where there may be no run, or no repository yet."""
    return found(run_folder(root)) if run_folder(root).is_dir() else Facts()


def test_the_whole_history_is_read_back(tmp_path: Path) -> None:
    """
    Without a fault, what was asked for is acknowledged, synced and found, and nothing else is.
    """
    story = Story(tmp_path, CountingDisk())
    story.play()

    assert story.asked == story.acknowledged == story.synced
    assert [] == missing(story.asked, found(run_folder(tmp_path)))
    assert [] == missing(found(run_folder(tmp_path)), story.asked)
    assert [] == story.raised


def test_a_crash_at_any_call_loses_nothing_acknowledged(tmp_path: Path) -> None:
    """
    For every n: after a crash at the n-th call, half of a write done, fresh readers find all that was acknowledged and
    nothing that was not asked for, and the run can be recorded into again.
    """
    for crash_at in range(calls_of_history(tmp_path / "whole")):
        root = tmp_path / str(crash_at)
        root.mkdir()
        story = Story(root, CrashingDisk(crash_at))
        with pytest.raises(Crash):
            story.play()

        facts = facts_of(root)
        assert [] == missing(story.acknowledged, facts), f"crash at call {crash_at}"
        assert [] == missing(facts, story.asked), f"crash at call {crash_at}"
        assert [] == story.raised
        _assert_recording_goes_on(root)


def _assert_recording_goes_on(root: Path) -> None:
    store = Store(root / ".aim", create=True)
    writer = Writer(store.create_run(RUN), RUN)
    writer.sequence("after").track(1.5)
    writer.close()
    facts = found(run_folder(root))
    assert {0: 1.5} == {step: value for step, (value, _) in facts.points["after"].items()}
    for path in run_folder(root).glob("*.events.jsonl"):
        assert [] == [damage for damage in scan(run_folder(root), path.name[:8]).damage if "CRC" in damage.problem]


@pytest.mark.parametrize("count", [1, 7])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
def test_a_refusal_at_any_call_does_not_stop_the_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, code: int, count: int
) -> None:
    """
    For every n: when the disk refuses its n-th call, or that and the next ones, the training sees no error, one message
    says so, all that was acknowledged is readable, and recording goes on.
    """
    monkeypatch.setattr(refusals, "RETRY_S", 0.0)
    first_calls = _calls_to_begin(tmp_path / "begin")
    for first in range(first_calls, calls_of_history(tmp_path / "whole")):
        root = tmp_path / str(first)
        root.mkdir()
        caplog.clear()
        disk = RefusingDisk(code, first, count)
        story = Story(root, disk)
        story.play()

        facts = found(run_folder(root))
        reports = [record for record in caplog.records if "can't write run" in record.getMessage()]
        from_edit = [error for error in story.raised if isinstance(error, OSError)]
        assert len(story.raised) == len(from_edit) <= 1, f"refusals from call {first}"
        assert [] == missing(story.acknowledged, facts), f"refusals from call {first}"
        assert [] == missing(facts, story.asked), f"refusals from call {first}"
        assert len(reports) <= 1
        assert all(record.levelno >= logging.ERROR for record in reports)


def _calls_to_begin(root: Path) -> int:
    # opening a repository and beginning a run may raise: who calls that is told at once
    disk = CountingDisk()
    root.mkdir()
    writer = Writer(Store(root / ".aim", create=True, disk=disk).create_run(RUN), RUN, disk=disk)
    writer.close()
    begun = CountingDisk()
    root.joinpath("again").mkdir()
    Writer(Store(root / "again" / ".aim", create=True, disk=begun).create_run(RUN), RUN, disk=begun)
    return begun.count


def test_a_repository_that_could_not_be_made_can_be_made_again(tmp_path: Path) -> None:
    """
    For every n: when making a repository and a run is refused at the n-th call, the error is the system's, and a second
    try succeeds.
    """
    for first in range(_calls_to_begin(tmp_path / "begin")):
        root = tmp_path / str(first)
        root.mkdir()
        disk = RefusingDisk(errno.ENOSPC, first)
        codes = set()
        try:
            Writer(Store(root / ".aim", create=True, disk=disk).create_run(RUN), RUN, disk=disk).close()
        except OSError as error:
            codes.add(error.errno)
        assert codes <= {errno.ENOSPC}
        _assert_recording_goes_on(root)


def test_a_repository_is_not_there_before_its_format_is(tmp_path: Path) -> None:
    """
    A crash before the repository has its FORMAT leaves no repository, and the message says what to do.
    """
    with pytest.raises(Crash):
        Store(tmp_path / ".aim", create=True, disk=CrashingDisk(1))

    with pytest.raises(RepoNotFound, match="aim init"):
        Store(tmp_path / ".aim")


def test_each_call_that_changes_the_disk_is_counted() -> None:
    """
    The disk of these tests counts every method of the real one but `publish`, `publish_made` and
    `write_new`, which are made of them.
    """
    methods = {name for name, value in vars(Disk).items() if callable(value) and not name.startswith("_")}

    assert methods - {"publish", "publish_made", "write_new"} == {
        name for name in vars(CountingDisk) if name in methods
    }
