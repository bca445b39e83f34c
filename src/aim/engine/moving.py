"""
Moving a run from one repository to another: copied, then deleted here, but never while it records.
"""

from __future__ import annotations

from aim.core.errors import RunBusy, RunNotFound
from aim.core.statuses import RUNNING
from aim.engine.door import Door

BUSY_ADVICE = "Close it first, or copy it: the copy gets what is there (`aim runs cp`)."


def is_recording(source: Door, run_hash: str) -> bool:
    """Return whether some process records into a run. Raises RunNotFound."""
    try:
        return source.run(run_hash).state().status()[0] == RUNNING
    except FileNotFoundError:
        raise RunNotFound(
            f"Cannot find run {run_hash!r} in repository '{source.address}'. `aim runs ls` lists the runs."
        ) from None


def move_run(source: Door, run_hash: str, target: Door) -> None:
    """Move a run; see `Door.move_run`."""
    if is_recording(source, run_hash):
        raise RunBusy(f"Run {run_hash!r} is still recording, so it is not moved. {BUSY_ADVICE}")
    source.copy_run(run_hash, target)
    if is_recording(source, run_hash):  # resumed meanwhile
        target.delete_run(run_hash)
        raise RunBusy(f"Run {run_hash!r} began to record again while it was moved; it stays here. {BUSY_ADVICE}")
    source.delete_run(run_hash)
