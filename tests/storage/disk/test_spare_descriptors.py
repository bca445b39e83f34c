"""
Descriptors that are held for the moment when a process has none left.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

BEGIN = """
import errno, os, resource, sys
from pathlib import Path
from aim.storage.disk.files import DISK
from aim.storage.disk.spare_descriptors import HELD_COUNT, SPARE

folder = Path(sys.argv[1])
resource.setrlimit(resource.RLIMIT_NOFILE, (32, 32))

def take_all():
    taken = []
    try:
        while True:
            taken.append(os.open(os.devnull, os.O_RDONLY))
    except OSError:
        return taken

def refusal(call):
    try:
        call()
    except OSError as error:
        return error.errno
"""


def script(folder: Path, text: str) -> str:
    """Run a program that has few descriptors; return what it prints."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    command = [sys.executable, "-c", BEGIN + text, str(folder)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (0, "") == (done.returncode, done.stderr)
    return done.stdout


def test_a_process_without_descriptors_opens_one_file_at_a_time(tmp_path: Path) -> None:
    """
    A spare descriptor opens a file, is held again when it is closed, and so opens the next one.
    """
    text = """
SPARE.hold()
taken = take_all()
for number in range(10):
    descriptor = SPARE.open(lambda: DISK.create(folder / str(number)))
    assert errno.EMFILE == refusal(lambda: os.open(os.devnull, os.O_RDONLY))
    DISK.write(descriptor, b"written")
    SPARE.close(descriptor)
print(len(os.listdir(folder)) if os.close(taken.pop()) is None else 0)
"""
    assert "10\n" == script(tmp_path, text)


def test_a_folder_that_can_not_be_synced_for_want_of_descriptors_is_said(tmp_path: Path) -> None:
    """
    With a spare descriptor a folder is synced; without one the call raises, so that it is tried again.
    """
    text = """
taken = take_all()
print(refusal(lambda: DISK.sync_folder(folder)) == errno.EMFILE)
os.close(taken.pop())
os.close(taken.pop())
SPARE.hold()
taken += take_all()
print(refusal(lambda: DISK.sync_folder(folder)))
"""
    assert "True\nNone\n" == script(tmp_path, text)


def test_descriptors_that_the_program_has_closed_are_left_alone(tmp_path: Path) -> None:
    """
    A program that closes all descriptors, as daemons do, gives their numbers to other files: those stay open.
    """
    text = """
SPARE.hold()
os.closerange(3, 32)
taken = take_all()
print(refusal(lambda: SPARE.open(lambda: os.open(os.devnull, os.O_RDONLY))) == errno.EMFILE)
print(all(os.fstat(descriptor) for descriptor in taken), len(taken))
"""
    assert "True\nTrue 29\n" == script(tmp_path, text)
