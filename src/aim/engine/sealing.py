"""
Sealing in the background: a closed run is sealed by a detached process of low priority.

A closing training must not wait for pyarrow and must not hold its memory, so `seal_soon` starts another Python and
returns. Each training starts one such process at a time; a reader or `aim storage seal` seals the other runs.
`AIM_SEAL_ON_CLOSE=0` in the environment turns it off.
"""

from __future__ import annotations

import functools
import logging
import os
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from aim.core.shield import shielded
from aim.core.words import counted
from aim.storage.forms.run_log import RunLog
from aim.storage.recording import detached

SWITCH_VARIABLE = "AIM_SEAL_ON_CLOSE"
NICENESS = 19

log = logging.getLogger("aim")
_children: list[int] = []


def seal_soon(folder: Path, writer: str) -> bool:
    """
    Start a process that seals what an ended writer recorded in the run folder *folder*; return whether it was started.
    """
    if os.environ.get(SWITCH_VARIABLE, "1") == "0":
        return False
    if _is_sealing() or not _has_journal(folder, writer):
        return False
    child = detached.start("aim.engine.sealing", str(folder.absolute()))
    if child is None:  # a reader will seal the run
        return False
    _children.append(child)
    return True


def _is_sealing() -> bool:
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


if __name__ == "__main__":
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    if not shielded(lambda: seal_run(Path(sys.argv[1])), lambda error: None):
        sys.exit(1)  # the run is gone, or the folder can't be written: the journal is as good
