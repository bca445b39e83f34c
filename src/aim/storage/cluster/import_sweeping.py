"""
What imports have left that were broken off and never repeated: rows and objects of writers that nobody sees.

    note of a run, a week old   ->   its writers that readers do not see   ->   not in the note as those of an import
                                                                           ->   their rows and objects go
                                                                           ->   not in the note at all

A note is changed before anything is removed: an import that goes on after a week is refused then, when it wants to be
shown. Each step may be interrupted, and done again.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from aim.core.clock import MICROSECONDS
from aim.storage.cluster.cluster_documents import ClusterDocuments
from aim.storage.cluster.cluster_imports import SHELF, remove_writers, visible_writers
from aim.storage.cluster.cluster_project import ClusterProject
from aim.storage.cluster.database import Database

GIVEN_UP_S = 7 * 86_400.0  # an import of one run takes no longer
AT_ONCE = 100  # notes
SETTLED = "settled"  # in a note: nothing hidden is left of the import


def sweep_imports(database: Database, project_of: Callable[[str], ClusterProject], until_s: float) -> bool:
    """
    Remove what imports have left in all projects; begin with no run after the moment *until_s* of the monotonic clock.
    Return whether all were looked at.

    Raises:
        ClusterUnavailable, ObjectsUnavailable: the rest is removed the next time.

    Cost: one statement, which reads all notes; and four for a run that was imported a week ago, once.
    """
    notes = database.rows(
        f"SELECT project, name FROM {database.table('documents')} FINAL WHERE endsWith(project, {{shelf:String}}) "
        f"AND deleted = 0 AND revision < {{before:UInt64}} AND NOT JSONExtractBool(body, '{SETTLED}') LIMIT {AT_ONCE}",
        {"shelf": SHELF, "before": round((time.time() - GIVEN_UP_S) * MICROSECONDS)},
    )
    for shelf, run_hash in notes:
        if time.monotonic() > until_s:
            return False
        _settle(project_of(shelf.removesuffix(SHELF)), run_hash)
    return len(notes) < AT_ONCE


def _settle(project: ClusterProject, run_hash: str) -> None:
    notes = ClusterDocuments(project, SHELF)
    note = _object(notes.read(run_hash))
    named = {*note.get("writers", ()), *note.get("replaced", ())}
    is_shown = visible_writers(project, run_hash).issuperset(note.get("writers", ()))
    if not is_shown:
        note = {"writers": [], "replaced": sorted(named)}
        notes.write(run_hash, json.dumps(note).encode())
    hidden = named - visible_writers(project, run_hash)  # only now: from here on no more of them is shown
    remove_writers(project, run_hash, sorted(hidden))
    if _object(notes.read(run_hash)) == note:  # else a new import has begun, and replaces them
        left = {**note, "replaced": sorted({*note.get("replaced", ())} - hidden), SETTLED: True}
        notes.write(run_hash, json.dumps(left, ensure_ascii=False).encode("utf-8", "replace"))


def _object(content: bytes | None) -> dict[str, Any]:
    note = json.loads(content or b"{}")
    return note if isinstance(note, dict) else {}
