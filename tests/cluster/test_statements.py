"""
How many statements reading costs: some for many runs, whatever they hold; and only what is new of runs that record.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aim.engine.backend_repository import BackendRepository
from aim.engine.curves import CurveRequest, View, draw
from aim.engine.live_catalogue import LiveCatalogue
from aim.engine.points import PointStore
from aim.engine.tail import Watch
from aim.storage.cluster.cluster_backend import ClusterBackend
from aim.storage.cluster.cluster_edits import write_edits
from aim.storage.cluster.cluster_intake import ClusterIntake
from aim.storage.cluster.cluster_project import ClusterProject
from aim.storage.cluster.database import Database
from aim.storage.recording.writer import Writer
from aim.storage.shipping.delivery import deliver
from aim.storage.store import Store
from bench import repository as made
from tests.cluster.running import RunningCluster, ship

RUNS, SEQUENCES, POINTS = 12, 8, 50


class CountingDatabase(Database):
    """
    A database that counts.

    Attributes:
        statements: how many were asked.
        points: how many points were answered to the reader of many writers.
        rows_of_arrays: how many rows of buckets were answered.
    """

    statements = points = rows_of_arrays = 0

    def _ask(self, question: Callable[[Any], Any]) -> Any:
        self.statements += 1
        return super()._ask(question)

    def array(self, statement: str, dtype: Any, values: Any = None) -> Any:
        """Return the rows of an answer, of which those of buckets are counted."""
        recorded = super().array(statement, dtype, values)
        self.rows_of_arrays += len(recorded) if "bucket" in statement else 0
        return recorded

    def binary(self, statement: str, values: Any = None) -> bytes:
        """Return an answer, of which the arrays of points are counted."""
        content = super().binary(statement, values)
        self.points += len(content) // 24 if "groupArray" in statement else 0
        return content


@pytest.fixture(name="counted")
def _counted(cluster: RunningCluster, project: ClusterProject, tmp_path: Path) -> ClusterProject:
    """
    A project of some runs that have ended, over a database that counts.
    """
    root = tmp_path / "made"
    root.mkdir()
    repository = made.build(root, made.Size(RUNS, 12, SEQUENCES, POINTS))
    ship(Store(repository.files), project)
    return ClusterProject(CountingDatabase(cluster.settings), cluster.objects, project.name)


def statements_of(project: ClusterProject, action: Callable[[], Any]) -> tuple[int, Any]:
    """Return how many statements something costs, and what it returns."""
    database = project.database
    assert isinstance(database, CountingDatabase)
    before = database.statements
    result = action()
    return database.statements - before, result


def test_a_catalogue_reads_many_runs_by_some_statements(counted: ClusterProject) -> None:
    """
    Twelve runs of eight sequences: a dozen statements; after an edit of all of them their points are not read
    again.
    """
    backend = ClusterBackend(counted)
    repository = BackendRepository(backend)
    catalogue = backend.catalogue(repository.readers.reader)
    first, _ = statements_of(counted, catalogue.refresh)
    write_edits(counted, backend.run_hashes(), {"tags": {"add": ["seen"], "remove": []}}, by="test", seen_at_s=0.0)
    again, changes = statements_of(counted, catalogue.refresh)

    assert (RUNS, RUNS) == (catalogue.table.run_count, len(changes.changed))
    assert [first < 16, again < 16] == [True, True], (first, again)
    assert counted.database.points < RUNS * SEQUENCES * (POINTS + 4)  # type: ignore[attr-defined]


def test_a_look_when_nothing_has_changed_is_one_statement(counted: ClusterProject) -> None:
    """
    Beside the one a second that asks for deletions; and the next look sees an edit, a deletion and its end.
    """
    backend = ClusterBackend(counted)
    catalogue = backend.catalogue(BackendRepository(backend).readers.reader)
    catalogue.refresh()
    catalogue.refresh(full=True)
    catalogue.refresh()
    quiet = [statements_of(counted, catalogue.refresh)[0] for _ in range(3)]
    edited, deleted, *_ = sorted(backend.run_hashes())
    write_edits(counted, [edited], {"name": "renamed"}, by="test", seen_at_s=0.0)
    after_edit = catalogue.refresh().changed
    backend.delete_run(deleted)
    after_deletion = catalogue.refresh().removed
    backend.trash.bring_back(deleted)
    after_return = catalogue.refresh().changed

    assert [count <= 2 for count in quiet] == [True] * 3, quiet
    assert min(quiet) == 1
    assert ([edited], [deleted], [deleted]) == (after_edit, after_deletion, after_return)


def test_a_picture_of_many_runs_costs_some_statements(counted: ClusterProject) -> None:
    """
    All curves of all runs come by less than ten statements, the same ones again by none, and are those of the folder.
    """
    repository = BackendRepository(ClusterBackend(counted))
    catalogue = LiveCatalogue(repository.readers)
    catalogue.ask_now(lambda table: None)
    store = PointStore(BackendRepository(ClusterBackend(counted)), Watch(catalogue))
    key = (made.NAMES[0], '{"subset":"train"}')
    requests = [CurveRequest(run_hash, 0.0, key) for run_hash in ClusterBackend(counted).run_hashes()]
    first, pieces = statements_of(counted, lambda: draw(store, requests, View()))
    again, same = statements_of(counted, lambda: draw(store, requests, View(buckets=10)))

    assert ([RUNS, POINTS], 0) == ([len(pieces), pieces[0].point_count], again)
    assert first < 10
    assert len(same) == RUNS


def test_of_a_run_that_records_only_new_points_are_read(
    cluster: RunningCluster, project: ClusterProject, tmp_path: Path
) -> None:
    """
    A reader that has 1,000 points asks for the next ones only, in whatever order their sequences come.
    """
    database = CountingDatabase(cluster.settings)
    backend = ClusterBackend(ClusterProject(database, cluster.objects, project.name))
    folder = tmp_path / "growing"
    folder.mkdir()
    writer, intake = Writer(folder, "growing"), ClusterIntake(project)
    lengths: list[list[int]] = []
    points: list[int] = []
    for count in (1_000, 10, 5):
        for _ in range(count):
            writer.sequence("loss", None).track(0.5)
            writer.sequence("accuracy", None).track(0.5)
        writer.flush()
        deliver(folder, intake)
        before = database.points
        if not lengths:
            reader = backend.reader("growing")
        lengths.append([len(each) for each in reader.points_of_many().values()])
        points.append(database.points - before)
    writer.close()

    assert [[1_000] * 2, [1_010] * 2, [1_015] * 2] == lengths
    assert [points[0] >= 2_000, points[1] < 30, points[2] < 20] == [True] * 3, points
