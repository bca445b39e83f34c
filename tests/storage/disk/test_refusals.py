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

import pytest

from aim import Repo, Run
from aim.core.errors import DiskRefused
from aim.engine.repository import Repository
from aim.storage.disk.files import Disk
from aim.storage.disk.refusals import ADVICE, explained

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
