"""
Edits: changes of a run that do not come from its writer. Specified in docs/formats/edits.md.

Each edit is one small immutable file, so any number of people and programs can change a run at once without a lock.
fold.py puts them in order.

An edit of many runs is one file with a name in the folder of each: it is written and synced once, however many runs it
changes.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from aim.core import clock
from aim.storage.disk import changes, layout
from aim.storage.disk.files import DISK, Disk
from aim.storage.forms import events

BY_UI, BY_CLI, BY_PYTHON, BY_SDK, BY_MCP = "ui", "cli", "python", "sdk", "mcp"
"""The value of `by` in edits that are made by the pages, the command line, a `Run`, a `Repo`, tools of models."""
SYNC_THREADS = 16  # folders that are synced at once: a journal writes what all of them wait for in one go


def write(folder: Path, change: Mapping[str, Any], *, by: str, seen_at_s: float = 0.0, disk: Disk = DISK) -> float:
    """
    Add an edit to the run in *folder*; return its `at`.

    Args:
        change: `property`, `tags`, `set` and `value`, `del`, `drop`, `delete` or `undelete`: docs/formats/edits.md.
        by: the program that edits, for people.
        seen_at_s: the newest time that the editing program saw in this run; the edit is later.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> at_s = write(folder, {"property": {"archived": True}}, by="doctest", seen_at_s=4e9)
    >>> at_s
    4000000000.000001
    """
    at_s = clock.after(seen_at_s)
    path = layout.edit_file(folder, round(at_s * 1e6))
    disk.publish(path, events.encode({"at": at_s, "by": by, **change}))
    changes.touch(folder, disk)
    return at_s


def write_shared(
    folders: Iterable[Path], change: Mapping[str, Any], *, by: str, seen_at_s: float = 0.0, disk: Disk = DISK
) -> list[Path]:
    """
    Add the same edit to the runs in all of *folders*; return those that have it, without those that are gone.

    Args:
        change, by, seen_at_s: see `write`.

    Raises:
        OSError: the disk refuses. Some of the runs may have the edit then.

    Cost: one write and one sync of a file, and for each run a name and the sync of its folder, 16 at a time. Where the
    file system has no hard links, a file for each run.
    """
    at_s = clock.after(seen_at_s)
    content = events.encode({"at": at_s, "by": by, **change})
    edited: list[Path] = []
    scratch: Path | None = None
    try:
        for folder in folders:
            if not folder.is_dir():
                continue
            path = layout.edit_file(folder, round(at_s * 1e6))
            scratch = _link(scratch, path, content, disk)
            edited.append(folder)
    finally:
        if scratch is not None:
            disk.unlink(scratch)
    _sync_folders(edited, disk)
    for folder in edited:
        changes.touch(folder, disk)
    return edited


def _link(scratch: Path | None, path: Path, content: bytes, disk: Disk) -> Path:
    """Give *scratch* the further name *path*, and return it; it is written when it is not there."""
    if scratch is not None:
        try:
            disk.link(scratch, path)
            return scratch
        except FileNotFoundError:  # without hard links the file has moved to the run before; or a folder is gone
            pass
    scratch = path.with_name(f".{path.name}.{os.urandom(4).hex()}")
    disk.write_new(scratch, content)
    disk.link(scratch, path)
    return scratch


def _sync_folders(folders: list[Path], disk: Disk) -> None:
    if len(folders) == 1:
        return disk.sync_folder(folders[0])
    if not folders:
        return None
    # imported here: a training process writes edits of single runs only
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(min(SYNC_THREADS, len(folders)), "aim-sync") as threads:
        list(threads.map(disk.sync_folder, folders))
