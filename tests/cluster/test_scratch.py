"""
A run of a cluster as a folder again: what `aim sync` takes out of a cluster, and what forks are made of.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from aim.storage.cluster.cluster_backend import ClusterBackend
from aim.storage.cluster.cluster_project import ClusterProject
from aim.storage.cluster.cluster_scratch import scratch_of
from aim.storage.reading.folder_source import open_run
from aim.storage.store import Store
from tests.cluster.running import ship
from tests.storage.recorded import RUN, points_in_place, points_of_reader, record, seal_all
from tests.storage.shipping.wires import run_bytes


@pytest.mark.parametrize("is_sealed", [False, True])
def test_a_run_comes_out_of_a_cluster_as_it_was_recorded(
    tmp_path: Path, project: ClusterProject, *, is_sealed: bool
) -> None:
    """
    Lines, edits and bytes of objects are the same bytes, and points, state and params are equal.
    """
    store = Store(tmp_path / "spool", create=True)
    folder = store.path / "runs" / RUN
    record(folder)
    if is_sealed:
        seal_all(folder)
    ship(store, project)
    with scratch_of(project, RUN) as scratch:
        back = scratch.run_folder(RUN)
        here, there = open_run(folder).state(), open_run(back).state()
        recorded, returned = run_bytes(folder), run_bytes(back)
        lines = [name for name in recorded if not name.rpartition(".")[2].startswith("points-")]

        assert points_in_place(folder) == points_in_place(back)
        assert (here.tree, here.tags, here.properties) == (there.tree, there.tags, there.properties)
        assert (here.status(), here.created_at_s) == (there.status(), there.created_at_s)
        assert {name: recorded[name] for name in lines} == {name: returned[name] for name in lines}
        assert set(recorded) == set(returned)


def test_a_fork_has_what_its_parent_showed_at_that_step(
    tmp_path: Path, project: ClusterProject, backend: ClusterBackend
) -> None:
    """
    The child is a run of the project, with the points of its parent up to the step.
    """
    store = Store(tmp_path / "spool", create=True)
    record(store.path / "runs" / RUN)
    ship(store, project)
    child = backend.fork_run(RUN, 100, name="child")
    parent_points = points_of_reader(backend.reader(RUN))
    expected = {key: content[0] for key, content in parent_points.items() if key[2] <= 100}
    points = {key: content[0] for key, content in points_of_reader(backend.reader(child)).items()}

    assert expected == points
    assert "child" == backend.log(child).refresh().name
    assert {RUN, child} == set(backend.run_hashes())
