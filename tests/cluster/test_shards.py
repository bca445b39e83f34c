"""
Two shards: runs are spread over two servers of ClickHouse, and one that is away gives an error, never a gap.

The tables are those of `schema.TABLES` without replicas: the ClickHouse that tests can install has no Keeper.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from pathlib import Path

import httpx
import pytest

from aim.engine.backend_repository import BackendRepository
from aim.server.settings import Settings
from aim.storage.cluster import schema
from aim.storage.cluster.cluster_backend import ClusterBackend
from aim.storage.cluster.cluster_project import ClusterProject
from aim.storage.cluster.database import ClusterUnavailable, Database
from aim.storage.cluster.object_store import Objects
from aim.storage.cluster.settings import ClusterSettings, read_settings
from aim.storage.store import Store
from bench import repository as made
from tests.cluster.running import RunningCluster, ship
from tests.cluster.servers import DEADLINE_S, ClickHouse
from tests.remote.servers import wait_until
from tests.server.conftest import RunningServer

RUNS = 12
NAME = "both"
HOSTS = ("127.0.0.21", "127.0.0.22")
CONFIGURATION = """<clickhouse>
  <logger><level>warning</level><log>{folder}/node.log</log><errorlog>{folder}/node.err</errorlog></logger>
  <remote_servers><main>{shards}</main></remote_servers>
</clickhouse>
"""
SHARD = "<shard><replica><host>{host}</host><port>{port}</port></replica></shard>"


class Shards:
    """
    Two servers of ClickHouse, and the object store of *cluster*.

    Attributes:
        nodes: both servers.
        settings: those of a server of Aim.
    """

    def __init__(self, folder: Path, cluster: RunningCluster) -> None:
        self.nodes = [ClickHouse(folder / host, host) for host in HOSTS]
        shards = "".join(SHARD.format(host=node.host, port=node.native_port) for node in self.nodes)
        for node in self.nodes:
            (node.folder / "node.xml").write_text(CONFIGURATION.format(folder=node.folder, shards=shards))
            node.start()
        toml = folder / "cluster.toml"
        lines = cluster.toml.read_text().splitlines()
        addresses = ", ".join(f'"{node.address}"' for node in self.nodes)
        lines[1:2] = [f"addresses = [{addresses}]", 'cluster = "main"']
        toml.write_text("\n".join(lines).replace("team", "shards"))
        (folder / "secret").write_bytes((cluster.toml.parent / "secret").read_bytes())
        self.settings: ClusterSettings = read_settings(toml)
        for node in self.nodes:
            self._make_tables(node)

    def _make_tables(self, node: ClickHouse) -> None:
        database = Database(self.settings._replace(addresses=(node.address,)))
        for statement in schema.statements(database):
            database.execute(statement.replace(" ON CLUSTER 'main'", "").replace("Replicated", ""))
        database.close()

    def project(self) -> ClusterProject:
        """Return the project that the tests fill."""
        return ClusterProject(Database(self.settings), Objects(self.settings.objects), NAME)

    def wait_for(self, answers: Callable[[], bool], what: str) -> None:
        """Wait until *answers* says True; a server that has ended meanwhile is started."""

        def asked() -> bool:
            for node in self.nodes:
                node.start_again()
            return answers()

        wait_until(asked, what)


@pytest.fixture(scope="module", name="shards")
def _shards(cluster: RunningCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shards]:
    """
    Two shards, over which some runs are spread.
    """
    folder = tmp_path_factory.mktemp("shards")
    shards = Shards(folder, cluster)
    (folder / "made").mkdir()
    ship(Store(made.build(folder / "made", made.Size(RUNS, 6, 3, 40)).files), shards.project())
    yield shards
    for node in shards.nodes:
        node.kill()


def point_counts(backend: ClusterBackend, run_hashes: Iterable[str]) -> set[int]:
    """
    Return how many points the sequences of some runs have.
    """
    readers = [backend.reader(run_hash) for run_hash in run_hashes]
    return {len(points) for reader in readers for points in reader.points_of_many().values()}


def test_runs_are_spread_and_read_from_both_shards(shards: Shards) -> None:
    """
    Each shard has some of the rows; a catalogue has all runs with all of their points.
    """
    statement = "SELECT uniqExact(rid) FROM aim.points_local"
    counts = [
        int(httpx.get(node.address, params={"query": statement}, timeout=DEADLINE_S).text) for node in shards.nodes
    ]
    backend = ClusterBackend(shards.project())
    catalogue = backend.catalogue(BackendRepository(backend).readers.reader)
    catalogue.refresh()
    lengths = point_counts(backend, backend.run_hashes())

    assert (RUNS, True, True) == (sum(counts), counts[0] > 0, counts[1] > 0)
    assert (RUNS, {40}) == (catalogue.table.run_count, lengths)


def test_a_shard_that_is_away_is_an_error_and_never_a_gap(shards: Shards) -> None:
    """
    Nothing is answered from the other shard alone: neither queries, lists, nor a new row; and all is there afterwards.
    """
    project = shards.project()
    backend = ClusterBackend(project)
    catalogue = backend.catalogue(BackendRepository(backend).readers.reader)
    catalogue.refresh()
    before = sorted(catalogue.table.hashes())
    shards.nodes[1].kill()
    try:
        for question in (backend.run_hashes, catalogue.refresh, lambda: point_counts(backend, before)):
            with pytest.raises(ClusterUnavailable):
                question()
        present = sorted(catalogue.table.hashes())
    finally:
        shards.nodes[1].start()
    after: list[str] = []

    def answers() -> bool:
        try:
            after[:] = sorted(backend.run_hashes())
        except ClusterUnavailable:
            return False
        return True

    shards.wait_for(answers, "the shards")

    assert before == present == after


def test_pages_say_that_a_shard_is_away(shards: Shards, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The server answers 503 with the reason, of which the page makes its banner; then it answers all runs again.
    """
    server = RunningServer(Settings((), cluster=shards.settings, port=0))
    url = f"{server.address.strip().rstrip('/').replace('aim://', 'http://')}/api/repos/{NAME}/runs"

    def answer() -> httpx.Response:
        return httpx.post(url, json={"query": "", "limit": 100}, timeout=DEADLINE_S)

    def total() -> int:
        totals: list[int] = []

        def answers() -> bool:
            runs = answer()
            if runs.status_code != HTTPStatus.OK or runs.json()["indexing"]:
                return False
            totals.append(runs.json()["total"])
            return True

        shards.wait_for(answers, "the runs")
        return totals[-1]

    try:
        before = total()
        shards.nodes[1].kill()
        try:
            away = answer()
        finally:
            shards.nodes[1].start()
        after = total()
    finally:
        server.stop()

    assert (503, "away") == (away.status_code, away.json()["kind"])
    assert before == after == RUNS
