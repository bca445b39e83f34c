"""
What was recorded into a cluster is what would have been recorded into a folder.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from aim.storage.catalogue.run_table import RunTable
from aim.storage.cluster.cluster_backend import ClusterBackend
from aim.storage.cluster.cluster_project import ClusterProject
from aim.storage.cluster.cluster_sealed import SEALED
from aim.storage.folder import FolderBackend
from aim.storage.reading.folder_source import open_run
from aim.storage.store import Store
from tests.cluster.running import ship
from tests.storage.recorded import RUN, points_in_place, points_of_reader, record, seal_all

FIELDS = ("last", "min", "max", "mean", "std", "count", "first_step", "last_step")


@pytest.fixture(name="store")
def _store(tmp_path: Path) -> Store:
    """
    A folder with one run of two writers, with a bit of everything.
    """
    store = Store(tmp_path / "spool", create=True)
    record(store.path / "runs" / RUN)
    return store


def test_a_run_of_a_cluster_equals_the_run_of_a_folder(
    store: Store, project: ClusterProject, backend: ClusterBackend
) -> None:
    """
    State, points and objects are the same, whatever was recorded.
    """
    ship(store, project)
    local, remote = open_run(store.run_folder(RUN)), backend.reader(RUN)
    here, there = local.state(), remote.state()

    assert points_in_place(store.run_folder(RUN)) == points_of_reader(remote)
    assert (here.tree, here.tags, here.created_at_s) == (there.tree, there.tags, there.created_at_s)
    assert (here.properties, here.status(), []) == (there.properties, there.status(), there.damage)
    assert [RUN] == backend.run_hashes()


def test_requests_that_come_again_in_another_cut_change_nothing(
    store: Store, project: ClusterProject, backend: ClusterBackend
) -> None:
    """
    A shipper that forgot what it was told sends all once more, in small pieces, and the points are there once.
    """
    ship(store, project)
    once = points_of_reader(backend.reader(RUN))
    ship(store, project, budget_bytes=3_000)

    assert once == points_of_reader(backend.reader(RUN))
    assert once == points_in_place(store.run_folder(RUN))


def test_the_table_of_runs_is_that_of_a_folder(store: Store, project: ClusterProject, backend: ClusterBackend) -> None:
    """
    The catalogue of a project has the same fields, params, pairs and summaries, read from points or from kept facts.
    """
    ship(store, project)
    folder = FolderBackend(store.path)
    expected = folder.catalogue(folder.reader, cache=store.path / "cache")
    expected.refresh()
    for attempt in ("points", "facts"):
        catalogue = backend.catalogue(backend.reader)
        catalogue.refresh()

        assert expected.table.hashes() == catalogue.table.hashes(), attempt
        assert fields_of(expected.table) == fields_of(catalogue.table), attempt
        assert sorted(expected.table.params) == sorted(catalogue.table.params), attempt
        assert summaries_of(expected.table) == summaries_of(catalogue.table), attempt


def test_sealed_points_are_there_once_though_their_slots_came_before(
    store: Store, project: ClusterProject, backend: ClusterBackend
) -> None:
    """
    A folder that ships its slots, seals, and ships again, has the same points in the cluster, each once.
    """
    folder = store.run_folder(RUN)
    expected = points_in_place(folder)
    ship(store, project)
    seal_all(folder)
    ship(store, project, budget_bytes=3_000)
    statement = "SELECT count() FROM aim.points_local WHERE rid = {rid:FixedString(16)} AND slot >= {slot:UInt64}"
    ((sealed,),) = project.database.rows(statement, {"rid": project.rid(RUN), "slot": SEALED})

    assert expected == points_of_reader(backend.reader(RUN))
    assert sealed >= len(expected)


def test_a_folder_of_sealed_runs_is_shipped_whole(
    store: Store, project: ClusterProject, backend: ClusterBackend
) -> None:
    """
    Points that were never shipped as slots are read from the rows of their sealed files.
    """
    folder = store.run_folder(RUN)
    expected = points_in_place(folder)
    seal_all(folder)
    ship(store, project)

    assert expected == points_of_reader(backend.reader(RUN))


def fields_of(table: RunTable) -> dict[str, object]:
    """Return the fields of the first run."""
    return {name: column.value(0) for name, column in table.fields.items()}


def summaries_of(table: RunTable) -> dict[tuple[str, str, str], list[str]]:
    """Return the summaries of all pairs, as text, since NaN is none of itself."""
    return {
        (pair.name, pair.context_text, pair.kind): [str(table.summary(number, field)) for field in FIELDS]
        for number, pair in enumerate(table.pairs)
    }
