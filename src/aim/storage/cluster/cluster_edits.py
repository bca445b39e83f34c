"""
Edits of runs as rows of the table `lines`: their content as it is in the file of a folder, under its time and digits.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from typing import Any

from aim.core import clock
from aim.core.clock import MICROSECONDS
from aim.storage.cluster import rows
from aim.storage.cluster.cluster_heads import edit_head
from aim.storage.cluster.cluster_project import ClusterProject
from aim.storage.disk import layout
from aim.storage.forms import events


def edit_identity(name: str) -> tuple[int, int]:
    """
    Return the microseconds and the random digits in the name of an edit, as its row has them.

    >>> edit_identity("edit-1700000000000000-0a1b2c3d.json")
    (1700000000000000, 169552957)
    """
    match = layout.EDIT_FILE.fullmatch(name)
    assert match is not None, "checked by check_name"
    return int(match[1]), int(match[2], 16)


def edit_name(at_us: int, nonce: int) -> str:
    """Return the name of the file of an edit."""
    return f"edit-{at_us:016d}-{nonce:08x}.json"


def edit_row(project: ClusterProject, run_hash: str, identity: tuple[int, int], content: bytes) -> bytes:
    """Return the row of `lines` of an edit."""
    at_us, nonce = identity
    seen_us = round(time.time() * MICROSECONDS)
    return rows.line_row(project.name, project.rid(run_hash), rows.EDITS, at_us, nonce, content, seen_us)


def write_edits(
    project: ClusterProject, run_hashes: Iterable[str], change: Mapping[str, Any], *, by: str, seen_at_s: float
) -> float:
    """Add the same edit to runs; return its time, which is later than *seen_at_s*. Raises ClusterUnavailable."""
    at_s = clock.after(seen_at_s)
    content = events.encode({"at": at_s, "by": by, **change})
    identities = {
        run_hash: (round(at_s * MICROSECONDS), int.from_bytes(os.urandom(4), "little")) for run_hash in run_hashes
    }
    lines = [edit_row(project, run_hash, identity, content) for run_hash, identity in identities.items()]
    heads = [edit_head(project.name, run_hash, identity) for run_hash, identity in identities.items()]
    if lines:
        project.database.insert("lines", rows.LINE_COLUMNS, b"".join(lines))
        project.database.insert("heads", rows.HEAD_COLUMNS, b"".join(heads))
    return at_s
