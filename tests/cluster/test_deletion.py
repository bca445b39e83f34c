"""
Deleting runs of a cluster: hidden at once, taken back for a while, removed in the end.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from aim.core.errors import RunNotFound
from aim.storage.cluster.cluster_backend import ClusterBackend
from aim.storage.cluster.cluster_intake import ClusterIntake
from aim.storage.cluster.cluster_project import ClusterProject
from aim.storage.cluster.cluster_trash import sweep
from aim.storage.recording.writer import Writer
from aim.storage.shipping.exchange import Exchange, Marks
from aim.storage.store import Store
from tests.cluster.running import row_counts, ship
from tests.storage.recorded import RUN, points_in_place, points_of_reader
from tests.storage.shipping.wires import shipments_of


def test_a_deletion_is_taken_back_with_everything(
    store: Store, project: ClusterProject, backend: ClusterBackend
) -> None:
    """
    A hidden run is in no list, and comes back as it was.
    """
    name = backend.trash.put_away(RUN)
    hidden = backend.run_hashes()
    with pytest.raises(RunNotFound):
        backend.reader(RUN)

    assert ([], RUN) == (hidden, backend.trash.bring_back(name))
    assert points_in_place(store.run_folder(RUN)) == points_of_reader(backend.reader(RUN))


def test_a_removed_run_leaves_nothing_and_is_not_sent_again(
    store: Store, project: ClusterProject, backend: ClusterBackend
) -> None:
    """
    No table and no object has anything of it; a shipper that comes later is told that it is gone, and may insist.
    """
    backend.trash.remove(backend.trash.put_away(RUN))
    assert {0} != set(row_counts(project).values())  # that is the work of the servers' sweeping
    sweep(project, RUN)
    exchange = Exchange("node8")
    request = exchange.gather(shipments_of(store), Marks())
    assert request is not None
    states = {verdict.state for verdict in exchange.accept(ClusterIntake(project).receive(request.body))}

    assert {"gone"} == states
    assert {0} == set(row_counts(project).values())
    assert [] == [key for prefix in "bw" for key in project.objects.keys(f"{prefix}/{project.rid(RUN).hex()}")]
    with pytest.raises(RunNotFound):
        backend.trash.bring_back(RUN)


def test_a_run_that_is_begun_again_has_nothing_of_the_deleted_one(
    store: Store, project: ClusterProject, backend: ClusterBackend, tmp_path: Path
) -> None:
    """
    A training that goes on under the hash of a deleted run is shown, without what was deleted.
    """
    backend.trash.put_away(RUN)
    later = Store(tmp_path / "later", create=True)
    folder = later.path / "runs" / RUN
    folder.mkdir(parents=True)
    writer = Writer(folder, RUN)
    writer.sequence("loss").track(0.5, 0)
    writer.close()
    ship(later, project)

    assert [RUN] == backend.run_hashes()
    assert points_in_place(folder) == points_of_reader(backend.reader(RUN))
