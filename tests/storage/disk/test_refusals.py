"""
What a disk refuses when a repository is opened or a run begun: which folder, why, and what helps.
"""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from aim import Repo, Run
from aim.core.errors import DiskRefused
from aim.engine.repository import Repository
from aim.storage.disk.files import Disk
from aim.storage.disk.refusals import ADVICE, Losses, Refusals, explained, first_refusal

SOURCE = Path(__file__).parents[3] / "src"


class Full(Disk):
    """A disk without room for another file."""

    is_full = False

    def create(self, path: Path) -> int:
        """Refuse."""
        if self.is_full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        return super().create(path)


def test_a_run_that_finds_no_room_says_where_and_what_helps(tmp_path: Path) -> None:
    """
    A new run and a resumed one on a full disk name the path and the advice; the error is an OSError with its number.
    """
    disk = Full()
    repository = Repository(tmp_path, create=True, disk=disk)
    repository.new_run("old").close()
    disk.is_full = True

    calls: list[Callable[[], object]] = [
        repository.new_run,
        lambda: repository.resume_run("old"),
        lambda: repository.new_run("old"),
    ]
    for begin in calls:
        with pytest.raises(OSError, match="No space left on device. Free some room there, or name another") as caught:
            begin()
        assert errno.ENOSPC == caught.value.errno
        assert f"in '{tmp_path}" in str(caught.value)
        assert "[Errno" not in str(caught.value)


@pytest.mark.parametrize("call", [lambda path: Run(repo=path), lambda path: Repo(path, init=True)])
def test_a_place_that_can_t_be_a_folder_is_named(tmp_path: Path, call: Callable[[str], object]) -> None:
    """
    A file where a folder should be, a name that is too long, and one that no system takes.
    """
    (tmp_path / "file").write_text("x")

    with pytest.raises(DiskRefused, match="A part of this path is a file"):
        call(str(tmp_path / "file" / "below"))
    with pytest.raises(DiskRefused, match="Name a folder with a shorter path"):
        call(str(tmp_path / ("x" * 300)))
    with pytest.raises(RuntimeError, match="NUL character"):
        call(f"{tmp_path}/a\0b")


def test_a_long_path_is_cut_in_the_middle() -> None:
    """
    The message of a path that is too long is not that long.
    """
    path = "/" + "a" * 3000 + "/end"
    with pytest.raises(DiskRefused) as caught, explained("begin", Path("/")):
        raise OSError(errno.ENAMETOOLONG, "File name too long", path)

    assert len(str(caught.value)) < 400
    assert "aaa ... aaa" in str(caught.value)
    assert "/end'" in str(caught.value)


def test_every_refusal_has_its_number_and_advice() -> None:
    """
    What is known of gets its own advice, anything else a general one; what is not there stays a FileNotFoundError.
    """
    for number in (*ADVICE, errno.EIO):
        says = pytest.raises(DiskRefused, match=r"Aim can't begin in '/x': .*\. \w+ .*\.")
        with says as caught, explained("begin", Path("/x")):
            raise OSError(number, os.strerror(number))
        assert number == caught.value.errno
    with pytest.raises(FileNotFoundError), explained("begin", Path("/x")):
        raise FileNotFoundError(errno.ENOENT, "gone")


FORBIDDEN = """
import os, sys
from aim import Repo, Run
folder = sys.argv[1]
Run(repo=folder, system_tracking_interval=None, capture_terminal_logs=False).close()
os.chmod(folder + "/.aim/runs", 0o555)
if os.geteuid() == 0:
    os.seteuid(65534)
for call in (lambda: Run(repo=folder), lambda: Repo(folder + "/.aim/runs", init=True)):
    try:
        call()
    except PermissionError:
        print("bare")
    except OSError as error:
        print(error)
Repo(folder)
"""


@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="there are no users here")
def test_a_folder_without_the_right_to_write_is_named(open_folder: Path) -> None:
    """
    A run in a repository that may only be read says so; reading it goes on.
    """
    done = subprocess.run(
        [sys.executable, "-c", FORBIDDEN, str(open_folder)],
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert 0 == done.returncode, done.stderr
    assert 2 == done.stdout.count("Permission denied. Get the right to read and write there"), done.stdout


# refusals while a run records


@pytest.fixture(name="refusals")
def _refusals(tmp_path: Path) -> Refusals:
    return Refusals("3df703c", tmp_path)


FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_refusal_is_logged_once_until_recording_goes_on(refusals: Refusals, caplog: pytest.LogCaptureFixture) -> None:
    """
    The first refusal names run, folder and reason; the others are silent until it was said that recording goes on.
    """
    for _ in range(3):
        refusals.report(FULL)
    refusals.resumed()
    refusals.resumed()
    refusals.report(OSError("without a number"))
    first, goes_on, again = (record.getMessage() for record in caplog.records)

    assert first.startswith(f"Aim can't write run 3df703c in {refusals._folder}: No space left on device. The training")
    assert "Aim: recording of run 3df703c goes on. 0 points found no room and are lost." == goes_on
    assert ": without a number. " in again
    assert "without a number" == refusals.reason


@pytest.mark.parametrize(
    ("count", "says"),
    [(1, "1 point found no room and is lost."), (1234, "1,234 points found no room and are lost.")],
)
def test_the_points_that_were_lost_are_counted(
    refusals: Refusals, caplog: pytest.LogCaptureFixture, count: int, says: str
) -> None:
    """
    When recording goes on, the count is said, and begins anew.
    """
    assert [False] * count == [refusals.count_lost() for _ in range(count)]
    refusals.report(FULL)
    assert count == refusals.lost_count
    refusals.resumed()

    assert caplog.records[-1].getMessage().endswith(f"goes on. {says}")
    assert 0 == refusals.lost_count


def test_recording_does_not_go_on_while_anything_is_refused(
    refusals: Refusals, caplog: pytest.LogCaptureFixture
) -> None:
    """
    With segments or objects still refused, nothing is said; without a report neither.
    """
    refusals.resumed()
    refusals.report(FULL)
    refusals.kinds.add("objects")
    refusals.resumed()
    assert 1 == len(caplog.records)
    refusals.kinds.clear()
    refusals.resumed()

    assert 2 == len(caplog.records)


def test_the_disk_is_asked_again_after_a_second(refusals: Refusals, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    After a refusal of a kind the disk is not asked for a second; without one it may always be asked.
    """
    moments = iter([100.0, 100.0, 100.999, 101.0])
    monkeypatch.setattr("aim.storage.disk.refusals.time", SimpleNamespace(monotonic=lambda: next(moments)))
    assert refusals.may_retry()
    refusals.retry_later("segment")

    assert ([False, True], {"segment"}) == ([refusals.may_retry(), refusals.may_retry()], refusals.kinds)


def test_a_refusal_without_a_kind_is_of_no_kind(refusals: Refusals) -> None:
    """
    What is refused beside segments and objects only waits.
    """
    refusals.retry_later()

    assert (set(), False) == (refusals.kinds, refusals.may_retry())


def test_losses_are_taken_once(refusals: Refusals, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Losses have their first and their last moment, and each is handed out once.
    """
    moments = iter([5.0, 6.0, 9.0, 12.0])
    monkeypatch.setattr("aim.storage.disk.refusals.time", SimpleNamespace(time=lambda: next(moments)))
    for _ in range(3):
        refusals.count_lost()
    assert [Losses(3, 5.0, 9.0), Losses()] == [refusals.take_losses(), refusals.take_losses()]
    refusals.count_lost()

    assert Losses(1, 12.0, 12.0) == refusals.take_losses()
    assert (0, 0.0, 0.0) == Losses()


def test_a_child_of_a_fork_has_refusals_of_its_own(refusals: Refusals, caplog: pytest.LogCaptureFixture) -> None:
    """
    What the parent was refused, lost and reported is not the child's.
    """
    refusals.report(FULL)
    refusals.count_lost()
    refusals.retry_later("segment")
    refusals.forked()

    assert (set(), 0, "", True) == (refusals.kinds, refusals.lost_count, refusals.reason, refusals.may_retry())
    assert Losses() == refusals.take_losses()
    refusals.report(FULL)
    assert 2 == len(caplog.records)


def test_all_is_tried_and_the_first_refusal_counts() -> None:
    """
    `first_refusal` does everything; an error that no disk raises passes through.
    """
    done: list[str] = []

    def work(name: str, error: Exception | None = None) -> Callable[[], None]:
        def run() -> None:
            done.append(name)
            if error is not None:
                raise error

        return run

    second = OSError("second")
    assert FULL is first_refusal([work("a"), work("b", FULL), work("c", second), work("d")])
    assert first_refusal([work("e")]) is None
    with pytest.raises(ValueError, match="no refusal"):
        first_refusal([work("f", ValueError("no refusal")), work("g")])

    assert list("abcdef") == done


@pytest.mark.parametrize(("length", "is_cut"), [(200, False), (201, True)])
def test_a_path_of_200_characters_is_shown_whole(length: int, is_cut: bool) -> None:
    """
    A longer one is shown with its first and its last hundred characters.
    """
    path = "/" + "a" * (length - 5) + "/end"
    with pytest.raises(DiskRefused) as caught, explained("begin", Path(path)):
        raise OSError(errno.EIO, "Input/output error")
    shown_path = str(caught.value).split("'")[2]

    assert (f"{path[:100]} ... {path[-100:]}" if is_cut else path) == shown_path
