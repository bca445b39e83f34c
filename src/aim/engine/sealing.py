"""
Sealing in the background: a closed run is sealed by a detached process of low priority.

A closing training must not wait for pyarrow and must not hold its memory, so `seal_soon` queues the run for a process
that seals all runs of its repository which end on this machine (sealing_queue.py). `AIM_SEAL_ON_CLOSE=0` in the
environment turns it off.
"""

from __future__ import annotations

import functools
import os
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from aim.core.logs import log
from aim.core.shield import shielded
from aim.core.words import counted
from aim.engine import sealing_queue
from aim.storage.forms.run_log import RunLog
from aim.storage.recording import detached

SWITCH_VARIABLE = "AIM_SEAL_ON_CLOSE"
NICENESS = 19

_children: list[int] = []


def seal_soon(folder: Path, writer: str) -> bool:
    """
    Have what an ended writer recorded in the run folder *folder* sealed; return whether a process was started for it.
    """
    if os.environ.get(SWITCH_VARIABLE, "1") == "0":
        return False
    try:
        if not _has_journal(folder, writer):
            return False
        child = sealing_queue.add(folder)
    except OSError:
        child = None if _reap() else detached.start("aim.engine.sealing", str(folder.absolute()))
    _reap()
    if child is not None:
        _children.append(child)
    return child is not None


def _reap() -> bool:
    """Forget the processes that have ended; return whether one goes on."""
    for child in tuple(_children):
        try:
            ended = os.waitpid(child, os.WNOHANG)[0] == child
        except OSError:  # of the parent of a fork, or waited for by somebody else
            ended = True
        if ended:
            _children.remove(child)
    return bool(_children)


def _has_journal(folder: Path, writer: str) -> bool:
    return any(folder.glob(f"{writer}.points-[0-9]*"))


def seal_run(folder: Path) -> int:
    """
    Seal all ended writers of the run in *folder*; return how many.

    Raises:
        FileNotFoundError: the run is gone.
        OSError: the folder can't be written to; or what a writer said can't be read.
        Exception: another failure with one writer. Whatever is raised, the other writers are sealed.
    """
    from aim.storage.sealing import seal

    state = RunLog(folder).refresh()
    moment_s = time.time()
    ended = [writer.id for writer in state.writers.values() if writer.has_ended(moment_s) and writer.unreadable is None]
    refused = [writer.id for writer in state.writers.values() if writer.unreadable is not None]
    total = 0
    errors: list[Exception] = []
    for writer_id in (*ended, *refused):  # the refused ones raise, and so it is told
        sealed: list[bool] = []
        shielded(lambda: sealed.append(seal.seal_writer(folder, writer_id, state)), errors.append)  # noqa: B023
        total += sum(sealed)
    if errors:
        raise errors[0]
    return total


def seal_all(folders: Iterable[Path], progress: Callable[[Path, int], None] | None = None) -> int:
    """
    Seal the ended writers of many runs, and return how many. *progress* is called with each run and its sealed writers.

    A run that can't be sealed, whatever the reason, is left as it is, and the others are sealed; a warning says how
    many were left, and names the first.
    """
    total = 0
    refused: list[str] = []

    def refuse(folder: Path, error: Exception) -> None:
        if not isinstance(error, FileNotFoundError):
            refused.append(str(error) if isinstance(error, OSError) else f"{folder}: {error!r}")

    for folder in folders:
        sealed: list[int] = []
        if shielded(lambda: sealed.append(seal_run(folder)), functools.partial(refuse, folder)):  # noqa: B023
            total += sealed[0]
            if progress is not None:
                progress(folder, sealed[0])
    if refused:
        log.warning("%s could not be sealed. The first one: %s", counted(len(refused), "run"), refused[0])
    return total


def main(arguments: list[str]) -> int:
    """Seal one run, or what is queued; return the exit code: 1 where the run could not be sealed."""
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    if arguments[0] == "--queue":
        sealing_queue.drain(sealing_queue.QUEUE, Path(arguments[1]), seal_all)
        return 0
    # the run is gone, or the folder can't be written: the journal is as good
    return 0 if shielded(lambda: seal_run(Path(arguments[0])), lambda error: None) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
