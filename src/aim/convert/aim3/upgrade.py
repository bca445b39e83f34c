"""
A repository of Aim 3 and its successor change places: two renames, undone by renaming back.

    .aim -> .aim3        .aim4-import/.aim -> .aim

Only if no process of Aim 3 records: it would go on in the renamed folder. Linux tells who holds the lock of a chunk
(proc(5), `locks`); elsewhere a chunk that changed in the last minute counts as being recorded.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from aim.core.errors import NotFound, RunBusy, RunExists
from aim.core.statuses import RUNNING
from aim.engine.opening import open_door, repository_exists
from aim.storage.store import folder_name, is_old_repository

OLD_NAME = ".aim3"
LOCKS = Path("/proc/locks")
RECENT_S = 60.0


class NoOldRepository(NotFound):
    """There is no repository of Aim 3."""


def old_folder(root: Path) -> Path:
    """Return the folder of Aim 3's repository in *root*. Raises NoOldRepository."""
    folder = root / folder_name()
    if not is_old_repository(folder):
        raise NoOldRepository(
            f"There is no repository of Aim 3 in '{root}'. Name the folder that contains it by --repo."
        )
    return folder


def check_not_live(root: Path) -> None:
    """
    Raise RunBusy when a process of Aim 3 records into the repository in *root*.

    Raises:
        NoOldRepository: there is none.
    """
    busy = live_runs(old_folder(root))
    if busy:
        raise RunBusy(
            f"Aim 3 records into '{root}' at this moment: {', '.join(busy[:3])}. Wait until these runs have ended; "
            "without --switch their runs can be imported now, and again later."
        )


def check_ended(target: Path) -> None:
    """Raise RunBusy when a process records into the repository in *target*, which is about to be renamed."""
    if not repository_exists(target):
        return
    busy = [state.run_hash for state in open_door(target).states() if state.status()[0] == RUNNING]
    if busy:
        raise RunBusy(f"Run {busy[0]} is being recorded into '{target}'. Wait until it has ended, and switch then.")


def live_runs(folder: Path) -> list[str]:
    """Return the hashes of the runs of an old repository that a process has open for writing."""
    chunks = [path for part in ("meta", "seqs") for path in (folder / part / "chunks").glob("*") if path.is_dir()]
    try:
        held = {line.split()[5] for line in LOCKS.read_text(encoding="ascii").splitlines()}
    except (OSError, IndexError):
        return sorted({path.name for path in chunks if _changed_s(path) < RECENT_S})
    return sorted({path.name for path in chunks if _lock_id(path / "LOCK") in held})


def _lock_id(path: Path) -> str:
    try:
        status = path.stat()
    except OSError:
        return ""
    return f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}:{status.st_ino}"


def _changed_s(folder: Path) -> float:
    return time.time() - max((path.stat().st_mtime for path in folder.iterdir()), default=0.0)


def switch(root: Path, target: Path) -> Path:
    """
    Let the new repository in the folder *target* take the place of the old one in *root*; return where that is now.

    Raises:
        RunExists: there is an `.aim3` already.
        OSError: the disk refuses; both are where they were.
    """
    check_not_live(root)
    old, new = old_folder(root), target / folder_name()
    renamed = root / OLD_NAME
    if renamed.exists():
        raise RunExists(f"'{renamed}' is there already. Rename it, and call the command again.")
    os.rename(old, renamed)
    try:
        os.rename(new, old)
    except OSError:
        os.rename(renamed, old)
        raise
    return renamed
