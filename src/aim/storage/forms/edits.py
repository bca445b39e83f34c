"""
Edits: changes of a run that do not come from its writer. Specified in docs/formats/edits.md.

Each edit is one small immutable file, so any number of people and programs can change a run at once without a lock.
fold.py puts them in order.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aim.core import clock
from aim.storage.disk import changes, layout
from aim.storage.disk.files import DISK, Disk
from aim.storage.forms import events

BY_UI, BY_CLI, BY_PYTHON, BY_SDK = "ui", "cli", "python", "sdk"
"""The value of `by` in edits that are made by the pages, the command line, a `Run`, a `Repo`."""


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
