"""
Deleting with a way back: a run's folder leaves `runs/` at once, waits in `trash/`, and is removed when nobody wants it
back.

A folder in the trash has the name `<run hash>.<8 hex digits>`, as storage/store.py gives it; whoever empties the trash
removes it.
"""

from __future__ import annotations

import secrets
from pathlib import Path

from aim.core.errors import RunExists, RunNotFound
from aim.engine.repository import Repository
from aim.storage.disk import changes


def put_away(repository: Repository, run_hash: str) -> Path:
    """
    Take a run out of the repository; give the folder where it waits.

    Raises:
        RunNotFound: there is no such run.
    """
    store = repository.store
    folder = store.run_folder(run_hash)
    store.disk.make_folder(store.trash)
    waiting = store.trash / f"{run_hash}.{secrets.token_hex(4)}"
    try:
        store.disk.rename(folder, waiting)
    except FileNotFoundError:
        raise RunNotFound(f"Run {run_hash!r} was deleted by somebody else meanwhile.") from None
    changes.touch(folder, store.disk)
    return waiting


def bring_back(repository: Repository, waiting: Path) -> str:
    """
    Put a run back from the trash; give its hash.

    Raises:
        RunNotFound: it was removed for good.
        RunExists: a run of that hash has been made meanwhile.
    """
    store = repository.store
    run_hash = waiting.name.rpartition(".")[0]
    folder = store.runs / run_hash
    if folder.exists():
        raise RunExists(f"There is a new run {run_hash!r} by now.")
    try:
        store.disk.rename(waiting, folder)
    except FileNotFoundError:
        raise RunNotFound(f"Run {run_hash!r} was removed from the trash meanwhile.") from None
    changes.touch(folder, store.disk)
    return run_hash


def remove(repository: Repository, waiting: Path) -> None:
    """Remove a run in the trash for good; one that is gone already is fine."""
    repository.store.disk.remove_folder(waiting)
