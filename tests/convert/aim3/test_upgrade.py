"""
A repository of Aim 3 and its successor change places only when everything is there and nobody records.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from aim import Repo, Run
from aim.convert.aim3 import upgrade
from aim.core.errors import RunBusy
from aim.engine.repository import Repository
from tests.convert.sources import DATA, fingerprint


@pytest.fixture(name="root")
def _root(tmp_path: Path) -> Path:
    """
    A folder with a repository of Aim 3.
    """
    shutil.copytree(DATA / "aim-3.29.1", tmp_path / "work")
    return tmp_path / "work"


def aim(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Call the command line in the folder *root*."""
    return python(root, "from aim.cli.main import main; main()", *arguments)


def python(root: Path, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a program in the folder *root*."""
    return subprocess.run(
        [sys.executable, "-c", program, *arguments], cwd=root, capture_output=True, text=True, check=False
    )


def test_an_upgrade_is_written_beside_and_switched_at_the_end(root: Path) -> None:
    """
    Without --switch the old repository stays what it is; with it the two change places.
    """
    before = fingerprint(root / ".aim")
    beside = aim(root, "storage", "upgrade", "3to4")

    assert 0 == beside.returncode, beside.stderr
    assert before == fingerprint(root / ".aim")
    assert 6 == Repository(root / ".aim4-import").run_count()

    switched = aim(root, "storage", "upgrade", "3to4", "--switch")

    assert 0 == switched.returncode, switched.stderr
    assert 6 == Repository(root).run_count()
    assert before == fingerprint(root / ".aim3")


@pytest.mark.skipif(not upgrade.LOCKS.exists(), reason="this system does not tell who holds a lock")
def test_a_repository_that_records_is_not_switched(root: Path) -> None:
    """
    While a process holds the lock of a chunk nothing is renamed.
    """
    lock = next((root / ".aim" / "seqs" / "chunks").glob("*/LOCK"))
    hold = (
        "import fcntl, sys; f = open(sys.argv[1], 'r+'); fcntl.lockf(f, fcntl.LOCK_EX); print('held', flush=True); "
        "sys.stdin.read()"
    )
    holder = subprocess.Popen([sys.executable, "-c", hold, str(lock)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert holder.stdout is not None
        assert b"held\n" == holder.stdout.readline()
        with pytest.raises(RunBusy, match=lock.parent.name):
            upgrade.check_not_live(root)
    finally:
        holder.communicate()

    upgrade.check_not_live(root)


@pytest.mark.parametrize("command", [["runs", "ls"], ["up"], ["metrics"]])
def test_commands_say_what_an_old_repository_is(root: Path, command: list[str]) -> None:
    """
    A command that meets a repository of Aim 3 says so and ends with 2, instead of showing an empty list.
    """
    below = root / "below"
    below.mkdir()
    done = aim(below, *command)

    assert 2 == done.returncode
    assert "was written by Aim 3 (format 1.3, 6 runs)" in done.stderr


TRAINING = """
from aim import Repo, Run

for name in ("first", "second"):
    with Run(name=name, system_tracking_interval=None, capture_terminal_logs=False) as run:
        run.track({"loss": 0.5})
print(*sorted(run.name for run in Repo(".").runs()))
print(Repo.default_repo().path)
"""


def test_a_training_in_a_folder_of_aim_3_is_recorded_beside_it(root: Path) -> None:
    """
    A script that was written for Aim 3 trains on: its runs go into the folder beside, with one warning, and everything
    that is called in the folder reads them there.
    """
    before = fingerprint(root / ".aim")
    trained = python(root, TRAINING)
    listed = aim(root, "runs", "ls")

    assert 0 == trained.returncode, trained.stderr
    assert ["first second", str(root / ".aim4-import" / ".aim")] == trained.stdout.splitlines()
    assert 1 == trained.stderr.count("was written by Aim 3")
    assert "upgrade 3to4" in trained.stderr
    assert before == fingerprint(root / ".aim")
    assert 2 == Repository(root / ".aim4-import").run_count()
    assert (0, 1) == (listed.returncode, listed.stderr.count("was written by Aim 3")), listed.stderr


def test_what_was_recorded_beside_is_with_the_runs_that_are_brought(root: Path) -> None:
    """
    After the import one repository has both, and it takes the place of the old one when nothing records.
    """
    python(root, TRAINING)
    run = Run(repo=root, system_tracking_interval=None, capture_terminal_logs=False)
    busy = aim(root, "storage", "upgrade", "3to4", "--switch")
    run.close()

    assert (1, True) == (busy.returncode, f"Run {run.hash} is being recorded" in busy.stderr), busy.stderr

    switched = aim(root, "storage", "upgrade", "3to4", "--switch")

    assert 0 == switched.returncode, switched.stderr
    assert 6 + 3 == Repository(root).run_count()
    assert 9 - 1 == len(Repo(str(root)).runs())  # of those of Aim 3 one is archived
