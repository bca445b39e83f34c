"""
What a server does with what requests say of imports into a cluster; the requests are those of `ShippedImports`.

    {run}              the note of the run, if it was imported
    {run, note}        an import begins: its note is kept, with the writers that it is to replace
    {run, withheld}    frames are taken as of every writer, but no head is written: readers leave the writers out
    {run, show}        the heads of the import's writers, and those that say that replaced writers are *withdrawn*, are
                       inserted together; then the rows and objects of the replaced writers are removed

The rows of `heads` are one block of one shard, so readers see the run as it was before, or as it is then. Each step may
be repeated. The note names every writer that an import of the run has made and that may still have rows.
"""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from aim.core.clock import MICROSECONDS
from aim.storage.cluster import rows
from aim.storage.cluster.cluster_documents import ClusterDocuments
from aim.storage.cluster.cluster_marks import DELETED
from aim.storage.cluster.cluster_project import ClusterProject
from aim.storage.cluster.cluster_sealed import SEALED_FILE
from aim.storage.cluster.cluster_trash import check_not_sweeping, remove_rows, sweep_before
from aim.storage.cluster.object_store import writer_prefix

SHELF = "/imports"
"""Follows the name of the project in the rows of `documents` that are notes; no project has a slash in its name."""


class ClusterImports:
    """The notes of the imported runs of *project*."""

    def __init__(self, project: ClusterProject) -> None:
        self._project = project
        self._notes = ClusterDocuments(project, SHELF)

    def answer(self, said: Mapping[str, Any]) -> dict[str, Any]:
        """Act on what a request says of an import; return what the answer says of it. Raises ClusterUnavailable."""
        run_hash = str(said["run"])
        if isinstance(said.get("note"), dict):
            return self._begin(run_hash, said["note"])
        if isinstance(said.get("show"), list):
            return self._show(run_hash, [str(writer) for writer in said["show"]])
        return {"note": self._finished_note(run_hash)}

    def _begin(self, run_hash: str, note: dict[str, Any]) -> dict[str, Any]:
        check_not_sweeping(self._project, run_hash)
        deletion = self._project.marks.deletions().get(run_hash)
        before = self._read(run_hash)
        if deletion is not None and deletion.state == DELETED:  # what was deleted is not to be shown with it
            sweep_before(self._project, run_hash)
        elif before is None and visible_writers(self._project, run_hash):
            return {"refused": f"There is a run {run_hash!r}, which was not imported."}
        replaced = {*(before or {}).get("writers", ()), *(before or {}).get("replaced", ())}
        content = {**note, "replaced": sorted(replaced - set(note.get("writers", ())))}
        self._notes.write(run_hash, json.dumps(content, ensure_ascii=False).encode("utf-8", "replace"))
        return {}

    def _show(self, run_hash: str, writers: list[str]) -> dict[str, Any]:
        note = self._read(run_hash) or {}
        if note.get("writers") != writers:
            return {"refused": f"Another import of run {run_hash!r} has begun meanwhile."}
        replaced = [str(writer) for writer in note.get("replaced", ())]
        heads = self._heads(run_hash, writers)
        withdrawn = [self._withdrawn(run_hash, writer) for writer in replaced]
        self._project.database.insert("heads", rows.HEAD_COLUMNS, b"".join([*heads, *withdrawn]))
        if (self._read(run_hash) or {}).get("writers") != writers:  # it does not know this one, so it can't replace it
            again = [self._withdrawn(run_hash, writer) for writer in writers]
            self._project.database.insert("heads", rows.HEAD_COLUMNS, b"".join(again))
            return {"refused": f"Another import of run {run_hash!r} has begun meanwhile."}
        remove_writers(self._project, run_hash, replaced)
        return {}

    def _read(self, run_hash: str) -> dict[str, Any] | None:
        content = self._notes.read(run_hash)
        note = None if content is None else json.loads(content)
        return note if isinstance(note, dict) else None

    def _finished_note(self, run_hash: str) -> dict[str, Any] | None:
        """Return the note of a run; of one whose import was killed only which writers it knows."""
        note = self._read(run_hash)
        deletion = self._project.marks.deletions().get(run_hash)
        if note is None or (deletion is not None and deletion.hides):
            return None
        visible = visible_writers(self._project, run_hash)
        if note.get("writers") and visible.issuperset(note["writers"]):
            return note
        return {"writers": note.get("writers", [])} if visible else None

    def _heads(self, run_hash: str, writers: list[str]) -> list[bytes]:
        """Return the heads of writers, by what there is of them."""
        rid = self._project.rid(run_hash)
        numbers = _listed(rows.writer_number(writer) for writer in writers)
        where = f"WHERE rid = {{rid:FixedString(16)}} AND writer IN ({numbers}) GROUP BY writer"
        database, table = self._project.database, self._project.table
        lines = dict(
            database.rows(f"SELECT writer, max(start + length(line)) FROM {table('lines')} {where}", {"rid": rid})
        )
        slots = dict(database.rows(f"SELECT writer, max(slot) + 1 FROM {table('points')} {where}", {"rid": rid}))
        return [
            rows.head_row(
                self._project.name,
                run_hash,
                number,
                (int(lines.get(number, 0)), int(slots.get(number, 0))),
                seen_us=_now_us(),
            )
            for number in map(rows.writer_number, writers)
        ]

    def _withdrawn(self, run_hash: str, writer: str) -> bytes:
        return rows.head_row(
            self._project.name,
            run_hash,
            rows.writer_number(writer),
            (0, 0),
            completeness=rows.WITHDRAWN,
            seen_us=_now_us(),
        )


def visible_writers(project: ClusterProject, run_hash: str) -> set[str]:
    """Return the writers of a run that readers see. Raises ClusterUnavailable."""
    heads = project.database.rows(
        f"SELECT writer FROM {project.table('heads')} WHERE project = {{project:String}} "
        f"AND rid = {{rid:FixedString(16)}} GROUP BY writer HAVING max(complete) < {rows.WITHDRAWN}",
        {"project": project.name, "rid": project.rid(run_hash)},
    )
    return {rows.writer_id(number) for (number,) in heads if number != rows.EDITS}


def remove_writers(project: ClusterProject, run_hash: str, writers: Collection[str]) -> None:
    """
    Remove the rows and objects of withdrawn writers. It may be interrupted, and done again.

    Raises:
        ClusterUnavailable, ObjectsUnavailable: a part of them may be there still; nobody sees it.

    Cost: one deletion for each of three tables.
    """
    if not writers:
        return
    rid, numbers = project.rid(run_hash), [rows.writer_number(writer) for writer in writers]
    of_them = f"rid = {{rid:FixedString(16)}} AND writer IN ({_listed(numbers)})"
    sealed = project.database.rows(
        f"SELECT key FROM {project.table('parts')} WHERE {of_them} AND file = {SEALED_FILE}", {"rid": rid}
    )
    for (sha256,) in sealed:
        project.objects.delete(project.objects.keys(f"w/{rid.hex()}/{sha256}"))
    for number in numbers:
        project.objects.delete(project.objects.keys(writer_prefix(rid, number)))
    remove_rows(project, ("lines", "points", "parts"), rid, f" AND writer IN ({_listed(numbers)})")


def _listed(numbers: Iterable[int]) -> str:
    return ", ".join(f"{number:d}" for number in numbers)


def _now_us() -> int:
    return round(time.time() * MICROSECONDS)
