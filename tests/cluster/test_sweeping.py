"""
What a server that was killed has left half done is finished or removed by the next one.
"""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from aim.core.clock import MICROSECONDS
from aim.sdk.repo import Repo
from aim.server.settings import Settings
from aim.storage.cluster import cluster_marks, rows
from aim.storage.cluster.cluster_backend import ClusterBackend
from aim.storage.cluster.cluster_marks import DELETED, MAKING, SWEEPING, SWEPT
from aim.storage.cluster.cluster_project import ClusterProject
from aim.storage.cluster.cluster_trash import sweep, sweep_due
from aim.storage.recording.writer import Writer
from aim.storage.store import Store
from tests.cluster.running import RunningCluster, row_counts, ship
from tests.remote.servers import wait_until
from tests.server.conftest import RunningServer
from tests.storage.recorded import RUN, points_in_place, points_of_reader

WORK = """
import sys
from pathlib import Path
from aim.storage.cluster.cluster_project import ClusterProject
from aim.storage.cluster.cluster_scratch import fork_run
from aim.storage.cluster.cluster_trash import sweep
from aim.storage.cluster.database import Database
from aim.storage.cluster.object_store import Objects
from aim.storage.cluster.settings import read_settings

settings = read_settings(Path(sys.argv[2]))
project = ClusterProject(Database(settings), Objects(settings.objects), sys.argv[3])
if sys.argv[1] == "fork":
    fork_run(project, sys.argv[4], 10**6)
else:
    sweep(project, sys.argv[4])
"""


def killed_while(cluster: RunningCluster, project: ClusterProject, work: str, state: int) -> str:
    """Begin some work on the run in another process, kill that when a mark says so; return the run of the mark."""
    words = [work, str(cluster.toml), project.name, RUN]
    process = subprocess.Popen([sys.executable, "-c", WORK, *words])
    marked: list[str] = []

    def is_marked() -> bool:
        statement = f"SELECT run FROM {project.table('marks')} WHERE project = {{project:String}} AND state = {state}"
        marked.extend(run for (run,) in project.database.rows(statement, {"project": project.name}))
        return bool(marked)

    wait_until(is_marked, "the mark")
    process.kill()
    process.wait()
    wait_until(lambda: not _statements_of_others(project), "what ClickHouse still does of the killed one's statements")
    return marked[0]


def _statements_of_others(project: ClusterProject) -> list[tuple[object, ...]]:
    statement = "SELECT query FROM system.processes WHERE query_id != queryID() AND query_kind IN ('Insert', 'Delete')"
    return project.database.rows(statement)


def test_a_removal_that_was_killed_is_finished(
    cluster: RunningCluster,
    project: ClusterProject,
    backend: ClusterBackend,
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """
    The next server removes the rest, and the run can be recorded again.
    """
    project.marks.write(RUN)
    killed_while(cluster, project, "sweep", SWEEPING)
    monkeypatch.setattr(cluster_marks, "WORK_S_MAX", 0.0)
    backend.trash.empty()
    later = Store(store.path.parent / "later", create=True)
    folder = later.path / "runs" / RUN
    folder.mkdir(parents=True)
    counts = set(row_counts(project).values())
    writer = Writer(folder, RUN)
    writer.sequence("loss").track(0.5, 0)
    writer.close()
    ship(later, project)

    assert {0} == counts
    assert points_in_place(folder) == points_of_reader(backend.reader(RUN))


def test_a_fork_that_was_killed_is_whole_or_removed(
    cluster: RunningCluster,
    project: ClusterProject,
    backend: ClusterBackend,
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """
    Nobody sees a part of it, and the next server removes what there is.
    """
    child = killed_while(cluster, project, "fork", MAKING)
    is_whole = child in backend.run_hashes()
    monkeypatch.setattr(cluster_marks, "WORK_S_MAX", 0.0)
    backend.trash.empty()
    parent_points = {key: content[0] for key, content in points_of_reader(backend.reader(RUN)).items()}

    if is_whole:
        assert parent_points == {key: content[0] for key, content in points_of_reader(backend.reader(child)).items()}
    else:
        assert {0} == set(row_counts(project, child).values())
    assert {RUN, *([child] if is_whole else [])} == set(backend.run_hashes())


def test_a_server_removes_what_another_one_has_deleted(
    cluster: RunningCluster, project: ClusterProject, store: Store
) -> None:
    """
    A server that starts looks for runs that were deleted more than a minute ago, in all projects.
    """
    assert [RUN] == store.run_hashes()
    row = rows.mark_row(project.name, RUN, time.time() - 2 * cluster_marks.WAIT_S, DELETED)
    project.database.insert("marks", rows.MARK_COLUMNS, row)
    server = RunningServer(Settings((), cluster=cluster.settings, port=0))
    try:
        wait_until(lambda: set(row_counts(project).values()) == {0}, "the removal")
    finally:
        assert server.stop()


def test_a_server_that_stops_leaves_deleted_runs_to_another_one(
    cluster: RunningCluster, project: ClusterProject, store: Store
) -> None:
    """
    It does not wait for the minute in which a deletion can be taken back, nor for what is to be removed.
    """
    assert [RUN] == store.run_hashes()
    server = RunningServer(Settings((), cluster=cluster.settings, port=0))
    Repo(f"{server.address.strip().rstrip('/')}/{project.name}").delete_run(RUN)

    assert server.stop()
    assert set(row_counts(project).values()) != {0}
    assert DELETED == cluster.project(project.name).marks.deletions()[RUN].state


def test_a_removal_begins_nothing_when_its_time_is_over(
    cluster: RunningCluster, project: ClusterProject, store: Store
) -> None:
    """
    What is left is removed the next time.
    """
    assert [RUN] == store.run_hashes()
    row = rows.mark_row(project.name, RUN, time.time() - 2 * cluster_marks.WAIT_S, DELETED)
    project.database.insert("marks", rows.MARK_COLUMNS, row)
    other = cluster.project(project.name)  # which has not asked for marks before
    is_done = sweep_due(other, until_s=time.monotonic() - 1)
    counts = set(row_counts(project).values())

    assert (False, True) == (is_done, sweep_due(other))
    assert counts != {0} == set(row_counts(project).values())


def test_of_two_servers_one_removes_a_run(project: ClusterProject, store: Store) -> None:
    """
    The one that has said so first; when it has done so, the other one leaves alone what was begun since.
    """
    assert [RUN] == store.run_hashes()
    project.marks.write(RUN)
    project.marks.write(RUN, SWEEPING)
    is_done_by_second = sweep(project, RUN)
    counts = set(row_counts(project).values())
    project.marks.write(RUN, SWEPT)
    is_done_again = sweep(project, RUN)

    assert (False, False) == (is_done_by_second, is_done_again)
    assert counts == set(row_counts(project).values()) != {0}
    assert SWEPT == project.marks.deletions()[RUN].state


def test_a_run_that_was_taken_back_is_in_the_table_again(
    project: ClusterProject, backend: ClusterBackend, store: Store
) -> None:
    """
    Also after other runs have grown.
    """
    assert [RUN] == store.run_hashes()
    catalogue = backend.catalogue(backend.reader)
    catalogue.refresh()
    backend.trash.put_away(RUN)
    late_us = round((time.time() + 60) * MICROSECONDS)
    other = rows.head_row(project.name, "other", 1, (0, 0), seen_us=late_us)
    project.database.insert("heads", rows.HEAD_COLUMNS, other)
    removed = catalogue.refresh().removed
    backend.trash.bring_back(RUN)

    assert ([RUN], [RUN]) == (removed, [run for run in catalogue.refresh().changed if run == RUN])
