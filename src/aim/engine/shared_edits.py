"""
Edits of many runs at once: runs whose edit is the same get it as one write.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from aim.core import clock
from aim.storage.backend import Backend

RunEdit = tuple[str, Mapping[str, Any], float]
"""The hash of a run, the change that its edit makes, and the latest time that was seen in the run."""


def write_edits(backend: Backend, run_edits: Iterable[RunEdit], *, by: str) -> list[str]:
    """
    Write edits of runs (docs/formats/edits.md), and return the runs that have theirs: not those that are gone, and not
    those that an empty edit leaves as they are.

    Args:
        by: the program that edits; see `storage.forms.edits`.

    Raises:
        OSError: the disk refuses. Some of the runs may have their edit then.
    """
    groups: dict[tuple[str, float], tuple[Mapping[str, Any], list[str]]] = {}
    now_s = clock.now()
    for run_hash, change, seen_at_s in run_edits:
        if change:
            # a run whose clock is ahead gets an edit that is ahead too; the others must not
            key = (json.dumps(change), seen_at_s if seen_at_s >= now_s else 0.0)
            groups.setdefault(key, (change, []))[1].append(run_hash)
    edited: list[str] = []
    for (_, seen_at_s), (change, hashes) in groups.items():
        edited += backend.edit_runs(hashes, change, by=by, seen_at_s=seen_at_s)
    return edited
