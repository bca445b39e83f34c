"""
A cluster that runs, and what tests ask of it.
"""

from __future__ import annotations

import time
from pathlib import Path

from aim.storage.cluster import schema_changes
from aim.storage.cluster.cluster_backend import ClusterBackend
from aim.storage.cluster.cluster_intake import ClusterIntake
from aim.storage.cluster.cluster_project import ClusterProject
from aim.storage.cluster.cluster_trash import REMOVED
from aim.storage.cluster.database import Database
from aim.storage.cluster.object_store import Objects, ObjectsUnavailable
from aim.storage.cluster.settings import ClusterSettings, read_settings
from aim.storage.shipping.exchange import Exchange, Marks
from aim.storage.store import Store
from tests.cluster.servers import DEADLINE_S, S3, SECRET, ClickHouse
from tests.storage.recorded import RUN
from tests.storage.shipping.wires import PASSING, ROUNDS_MAX, shipments_of

TOML = """[clickhouse]
addresses = ["{clickhouse}"]
[objects]
address = "s3://runs/team"
endpoint = "{s3}"
region = "us-east-1"
access_key_id = "tests"
secret_access_key_file = "secret"
"""


class RunningCluster:
    """
    A cluster with its data in *folder*.

    Attributes:
        toml: its file of settings.
        settings: what this file says.
    """

    def __init__(self, folder: Path) -> None:
        self.clickhouse = ClickHouse(folder / "clickhouse")
        self.s3 = S3(folder / "s3")
        self.clickhouse.start()
        self.s3.start()
        self.toml = folder / "cluster.toml"
        self.toml.write_text(TOML.format(clickhouse=self.clickhouse.address, s3=self.s3.address))
        (folder / "secret").write_text(SECRET)
        self.settings: ClusterSettings = read_settings(self.toml)
        self.database = Database(self.settings)
        self.objects = Objects(self.settings.objects)
        schema_changes.make(self.database)
        self.wait_for_objects()

    def wait_for_objects(self) -> None:
        """Wait until the object store takes objects: its parts find each other after it answers."""
        until_s = time.monotonic() + DEADLINE_S
        while True:
            try:
                return self.objects.put("test", b"test")
            except ObjectsUnavailable:
                assert time.monotonic() < until_s, "the object store takes no object"
                time.sleep(0.2)

    def backend(self, project: str) -> ClusterBackend:
        """Return a project."""
        return ClusterBackend(self.project(project))

    def project(self, name: str) -> ClusterProject:
        """Return the tables and objects of a project."""
        return ClusterProject(self.database, self.objects, name)

    def stop(self) -> None:
        """End both servers."""
        self.database.close()
        self.clickhouse.kill()
        self.s3.kill()


def ship(store: Store, project: ClusterProject, budget_bytes: int = 1 << 22) -> None:
    """Ship all that a folder has into a project."""
    exchange, intake = Exchange("node7"), ClusterIntake(project)
    shipments = shipments_of(store)
    for _ in range(ROUNDS_MAX):
        request = exchange.gather(shipments, Marks(), budget_bytes=budget_bytes)
        if request is None:
            assert all(shipment.is_complete() for shipment in shipments)
            return
        assert set() == {verdict.state for verdict in exchange.accept(intake.receive(request.body))} - set(PASSING)
    raise AssertionError("not everything was shipped")


def row_counts(project: ClusterProject, run_hash: str = RUN) -> dict[str, int]:
    """Return how many rows each table has of a run."""
    values = {"rid": project.rid(run_hash)}
    where = "WHERE rid = {rid:FixedString(16)}"
    return {
        name: project.database.rows(f"SELECT count() FROM {project.table(name)} {where}", values)[0][0]
        for name in REMOVED
    }
