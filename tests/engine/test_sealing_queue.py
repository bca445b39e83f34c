"""
The queue of runs that are to be sealed: one process for all of them, begun when it is quiet.
"""

from __future__ import annotations

import fcntl
import os
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from aim import Run
from aim.engine import sealing, sealing_queue

RUNS = 12
DEADLINE_S = 120


@pytest.fixture(name="repository")
def _repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """
    A repository whose closed runs are queued, and the machine's caches for it alone.
    """
    monkeypatch.setenv("AIM_CACHE_DIR", str(tmp_path / "caches"))
    monkeypatch.setenv("AIM_SEAL_ON_CLOSE", "1")
    monkeypatch.setattr(sealing, "_children", [])
    (tmp_path / ".aim").mkdir()
    yield tmp_path / ".aim"
    for child in sealing._children:
        os.waitpid(child, 0)


def closed_run(repository: Path) -> Path:
    """Record and close a run; give its folder."""
    with Run(repo=repository.parent, system_tracking_interval=None, capture_terminal_logs=False) as run:
        run.track(0.5, name="loss")
    return repository / "runs" / run.hash


def locked_queue(repository: Path) -> tuple[int, Path]:
    """Open and lock the queue of a repository, as the process that seals has it."""
    path = sealing_queue.queue_file(repository)
    descriptor = sealing_queue._opened(path)
    assert sealing_queue._lock(descriptor)
    return descriptor, path


@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells what a process is")
def test_a_sweep_of_runs_is_sealed_by_one_process_that_begins_when_it_is_quiet(repository: Path) -> None:
    """
    Closing a dozen runs starts one shell, which waits, and no Python beside them; then all runs are sealed, and the
    queue is gone.
    """
    folders = [closed_run(repository) for _ in range(RUNS)]
    (child,) = sealing._children
    command = Path(f"/proc/{child}/cmdline").read_bytes()
    until_s = time.monotonic() + DEADLINE_S
    while not all(list(folder.glob("*.parquet")) for folder in folders) and time.monotonic() < until_s:
        time.sleep(0.05)

    assert command.startswith(b"/bin/sh\0-c\0sleep ")
    assert [1] * RUNS == [len(list(folder.glob("*.parquet"))) for folder in folders]
    os.waitpid(sealing._children.pop(), 0)
    assert not sealing_queue.queue_file(repository).exists()


def test_what_is_closed_while_others_are_sealed_is_sealed_too(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A run that comes during the last pass is sealed by another pass of the same process.
    """
    monkeypatch.setattr(sealing_queue, "QUIET_S", 0.0)
    descriptor, path = locked_queue(repository)
    first, second = repository / "runs" / "first", repository / "runs" / "second"
    assert sealing_queue.add(first) is None
    passes: list[list[Path]] = []

    def seal(folders: Iterable[Path]) -> None:
        passes.append(list(folders))
        if len(passes) == 1:
            assert sealing_queue.add(second) is None
            assert sealing_queue.add(second) is None

    sealing_queue.drain(descriptor, path, seal)
    os.close(descriptor)

    assert [[first], [second]] == passes
    assert not path.exists()


def test_what_comes_right_before_the_lock_is_given_back_is_sealed_too(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Who opened the queue before it was removed, and found it locked, is seen after the lock was given back.
    """
    monkeypatch.setattr(sealing_queue, "QUIET_S", 0.0)
    descriptor, path = locked_queue(repository)
    late = sealing_queue._opened(path)
    run = repository / "runs" / "late"
    passes: list[list[Path]] = []

    class LateLocks:
        LOCK_EX, LOCK_NB, LOCK_UN = fcntl.LOCK_EX, fcntl.LOCK_NB, fcntl.LOCK_UN

        @staticmethod
        def flock(locked: int, operation: int) -> None:
            if operation == fcntl.LOCK_UN and len(passes) == 1:
                os.write(late, os.fsencode(run) + b"\0")
            fcntl.flock(locked, operation)

    monkeypatch.setattr(sealing_queue, "fcntl", LateLocks)
    sealing_queue.drain(descriptor, path, lambda folders: passes.append(list(folders)))
    os.close(descriptor)
    os.close(late)

    assert [[], [run]] == passes


def test_without_a_place_for_the_queue_the_run_is_sealed_at_once(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A user without a cache folder has no queue; a process seals the one run then.
    """
    monkeypatch.setenv("AIM_CACHE_DIR", os.devnull)
    folder = closed_run(repository)
    os.waitpid(sealing._children.pop(), 0)

    assert 1 == len(list(folder.glob("*.parquet")))
