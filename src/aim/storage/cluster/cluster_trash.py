"""
Deleted runs of a project: hidden at once, removed when nobody can take the deletion back any more.

Rows are removed by run, from all tables, and then the objects below the prefixes of the run. Meanwhile a mark says so
to all servers, and they take nothing of the run: else rows that come at that moment would be removed with the others.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable

from aim.core.clock import MICROSECONDS
from aim.core.errors import RunExists, RunNotFound, Unavailable
from aim.storage.cluster.cluster_marks import AGE_S, DELETED, RESTORED, SWEEPING, SWEPT, is_given_up
from aim.storage.cluster.cluster_project import ClusterProject
from aim.storage.cluster.cluster_snapshots import remove_snapshots
from aim.storage.cluster.object_store import run_prefixes
from aim.storage.cluster.schema import TABLES

TOGETHER = 20
REMOVED = tuple(name for name, table in TABLES.items() if "rid FixedString" in table.columns and name != "marks")


class ClusterTrash:
    """The deleted runs of *project*; a `RunTrash`."""

    def __init__(self, project: ClusterProject, check_exists: Callable[[str], None]) -> None:
        self._project = project
        self._check_exists = check_exists

    def put_away(self, run_hash: str) -> str:
        """Hide a run; return the name under which it waits. Raises RunNotFound."""
        self._check_exists(run_hash)
        self._project.marks.write(run_hash)
        return run_hash

    def bring_back(self, trash_name: str) -> str:
        """Show a run again; return its hash. Raises RunNotFound and RunExists."""
        deletion = self._project.marks.deletions().get(trash_name)
        if deletion is None:
            raise RunExists(f"Run {trash_name!r} is not deleted.")
        if deletion.state != DELETED:
            raise RunNotFound(f"Run {trash_name!r} was removed for good.")
        self._project.marks.write(trash_name, RESTORED)
        return trash_name

    def remove(self, trash_name: str) -> None:
        """Do nothing: the servers remove what was deleted a minute ago, whichever of them has deleted it."""

    def empty(self) -> None:
        """
        Remove the runs that were deleted more than a minute ago, and what servers that are gone have left half done.

        Raises:
            ClusterUnavailable, ObjectsUnavailable.
        """
        sweep_due(self._project)


def sweep_due(project: ClusterProject, until_s: float = math.inf) -> bool:
    """
    Remove the runs of a project that `ClusterTrash.empty` does; begin none after the moment *until_s* of the monotonic
    clock. Return whether all of them were looked at.

    Raises:
        ClusterUnavailable, ObjectsUnavailable.

    Cost: as of `sweep` for each `TOGETHER` runs, which share the wait.
    """
    now_s = time.time()
    due = [run_hash for run_hash, deletion in project.marks.deletions().items() if deletion.is_due(now_s)]
    for start in range(0, len(due), TOGETHER):
        if time.monotonic() > until_s:
            return False
        _sweep_together(project, due[start : start + TOGETHER])
    return True


def sweep(project: ClusterProject, run_hash: str) -> bool:
    """
    Remove all that there is of a run, but that it was deleted. It may be interrupted, and done again.

    Return whether it was done: False when another server is doing it, or the deletion was taken back meanwhile. The
    server that has made the earliest mark does it, else the later one could remove what is begun after that.

    Raises:
        ClusterUnavailable, ObjectsUnavailable: a part of it may be there still.

    Cost: a second, and one deletion for each table.
    """
    return bool(_sweep_together(project, [run_hash]))


def _sweep_together(project: ClusterProject, run_hashes: Iterable[str]) -> list[str]:
    """Do as `sweep` for some runs; return those for which it was done."""
    begun = {run_hash: project.marks.write(run_hash, SWEEPING) for run_hash in run_hashes}
    time.sleep(AGE_S)  # until every server has seen the marks
    return [run_hash for run_hash, begun_s in begun.items() if _remove_marked(project, run_hash, begun_s)]


def _remove_marked(project: ClusterProject, run_hash: str, begun_s: float) -> bool:
    """Remove a run that this server has marked at *begun_s*, unless another server is to do it."""
    state, state_at_s = project.marks.before(run_hash, begun_s) or (DELETED, begun_s)
    if state in (RESTORED, SWEPT):
        project.marks.write(run_hash, state)
        return False
    if state == SWEEPING and not is_given_up(begun_s - state_at_s):
        return False
    remove_rows(project, REMOVED, project.rid(run_hash))
    for prefix in run_prefixes(project.rid(run_hash)):
        project.objects.delete(project.objects.keys(prefix))
    remove_snapshots(project, round(begun_s * MICROSECONDS))
    project.marks.write(run_hash, SWEPT)
    return True


def sweep_before(project: ClusterProject, run_hash: str) -> None:
    """Remove a run so that it can be begun again. Raises as `sweep`, and Unavailable: another server is doing it."""
    if not sweep(project, run_hash):
        raise _being_removed(run_hash)


def remove_rows(project: ClusterProject, tables: Iterable[str], rid: bytes, condition: str = "") -> None:
    """Delete the rows of a run from tables; *condition*: only those for which it holds. Raises ClusterUnavailable."""
    database = project.database
    on_cluster = f" ON CLUSTER '{database.cluster}'" if database.cluster else ""
    for name in tables:
        database.execute(
            f"DELETE FROM {database.name}.{name}_local{on_cluster} WHERE rid = unhex({{rid:String}}){condition}",
            {"rid": rid.hex()},
        )


def check_not_sweeping(project: ClusterProject, run_hash: str) -> None:
    """Raise Unavailable while a server removes the rows of a run."""
    deletion = project.marks.deletions().get(run_hash)
    if deletion is not None and deletion.state == SWEEPING:
        raise _being_removed(run_hash)


def _being_removed(run_hash: str) -> Unavailable:
    return Unavailable(f"Run {run_hash!r} is being removed. Try again in a moment.")
