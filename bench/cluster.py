"""
What a cluster costs, with a bare ClickHouse and a server over a folder beside it, in one run.

    python -m bench cluster                        2,000 runs in the catalogue, 400,000 points in curves: a minute
    python -m bench cluster --full                 100,000 runs, 5 million sequences; 4 and 10 million points in curves
    python -m bench cluster --runs 10000           another size

    ingest        the requests of a shipper, by two processes into the cluster; by one into a folder; and their points
                  as rows in blocks of 100,000 into a bare table
    curves        pictures through a server, the first time and again; and the same columns by a bare SELECT
    long curves   pictures of a few very long curves, reduced by ClickHouse, and by the server after reading all
    queries       a catalogue of so many runs: start, a selective question, a look when nothing and when runs changed
    lag           from `track()` to the answer of the server that has the point

Processor times are those of all processes together, ClickHouse included: other programs change them less than the
clock. Needs what tests/cluster needs: ClickHouse (`scripts/find-clickhouse`) and SeaweedFS, which all run on this
machine, so that there is no network. Results are stored in bench/results/cluster.json.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import numpy as np
import psutil

from aim.core.clock import MICROSECONDS
from aim.engine.live_catalogue import LiveCatalogue
from aim.engine.repository import Repository
from aim.engine.run_readers import RunReaders
from aim.engine.scan import Scan
from aim.sdk.run import BasicRun
from aim.server.settings import Settings
from aim.storage.catalogue.catalogue_row import KindNumbers
from aim.storage.cluster import cluster_facts, rows
from aim.storage.cluster.cluster_backend import ClusterBackend
from aim.storage.cluster.cluster_edits import write_edits
from aim.storage.cluster.cluster_intake import ClusterIntake
from aim.storage.cluster.cluster_project import ClusterProject
from aim.storage.cluster.database import Database
from aim.storage.cluster.object_store import Objects
from aim.storage.cluster.settings import read_settings
from aim.storage.shipping.delivery import shipments_in
from aim.storage.shipping.exchange import Exchange
from aim.storage.shipping.receiving import Receiver
from aim.storage.store import Store
from bench import report
from bench import repository as made
from tests.cluster.running import RunningCluster
from tests.server.conftest import RunningServer
from tests.storage.shipping.wires import shipments_of

SELECTIVE = "run.hparams.lr > 0.05 and run.hparams.optimizer == 'adam'"
FLOOR_ROWS = 100_000  # of an insert into a bare table
FACTS_AT_ONCE = 500
CHANGED = 100
NODES = 2
GOALS: dict[str, tuple[float, tuple[str, ...]]] = {
    "points/s of two nodes, at least": (200_000, ("ingest", "cluster, two nodes", "points/s")),
    "bytes a point": (6.5, ("size", "bytes a point")),
    "one series, first, s": (0.015, ("curves", "cluster", "one series, first", "wall s")),
    "2,000 series of 2,000 points, first, s": (1.0, ("curves", "cluster", "all series, first", "wall s")),
    "2,000 series of 2,000 points, again, s": (0.3, ("curves", "cluster", "all series, again", "wall s")),
    "100 series of 100,000 points, first, s": (2.5, ("long curves", "cluster", "all series, first", "wall s")),
    "query of 100,000 runs, ms": (20, ("queries", "query", "median_ms")),
    "refresh with 100 changed runs, s": (0.1, ("queries", "refresh with changed runs", "wall s")),
    "node start to first answer, s": (10, ("queries", "node start to first answer", "wall s")),
    "lag, s": (2, ("lag", "cluster", "median s")),
}
"""The figures that a cluster of the sizes of `--full` should have, and where they stand in the results."""


@dataclass(frozen=True)
class Sizes:
    """How much is measured: runs in a catalogue, runs with curves, and runs with long curves."""

    catalogue: made.Size
    curves: made.Size
    long: made.Size
    lag_trials: int


SMALL = Sizes(made.Size(2_000, 50, 20, 1_000), made.Size(20, 20, 10, 2_000), made.Size(1, 20, 4, 250_000), lag_trials=5)
FULL = Sizes(
    made.Size(100_000, 50, 50, 1_000), made.Size(200, 20, 10, 2_000), made.Size(10, 20, 10, 100_000), lag_trials=20
)


class Meter:
    """
    Measures the clock and the processor: of this process, of those it started, and of ClickHouse.

    Attributes:
        wall_s, cpu_s, database_cpu_s: of the last `with`; `cpu_s` includes that of the database.
    """

    def __init__(self, cluster: RunningCluster) -> None:
        self._database = psutil.Process(cluster.clickhouse.pid)
        self._own = psutil.Process()
        self.wall_s = self.cpu_s = self.database_cpu_s = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        """Measure what runs within."""
        begun_s, own_s, database_s = time.perf_counter(), self._own_s(), self._database_s()
        yield
        self.wall_s = time.perf_counter() - begun_s
        self.database_cpu_s = self._database_s() - database_s
        self.cpu_s = self._own_s() - own_s + self.database_cpu_s

    def figures(self, points: int = 0) -> dict[str, float]:
        """Return the figures of the last `with`; *points*: and what each second brought."""
        figures = {"wall s": round(self.wall_s, 3), "cpu s": round(self.cpu_s, 3)}
        figures["cpu s of ClickHouse"] = round(self.database_cpu_s, 3)
        if points:
            figures["points/s"] = round(points / self.wall_s)
            figures["points a cpu s"] = round(points / max(self.cpu_s, 1e-3))
        return figures

    def _own_s(self) -> float:
        times = self._own.cpu_times()
        return float(times.user + times.system + times.children_user + times.children_system)

    def _database_s(self) -> float:
        times = self._database.cpu_times()
        return float(times.user + times.system)


# ingest


def requests_of(store: Store, folder: Path, meter: Meter, points: int) -> dict[str, Any]:
    """Have a folder receive all runs of *store*; leave the requests in *folder*, one file each."""
    receiver = Receiver(Store(folder / "received", create=True))
    bodies: list[Path] = []
    with meter.running():
        for number, run_hash in enumerate(sorted(store.run_hashes())):
            exchange, shipments = Exchange("node7"), shipments_in(store.run_folder(run_hash))
            while (request := exchange.gather(shipments, budget_bytes=1 << 20)) is not None:
                bodies.append(folder / f"{number % NODES}-{len(bodies):06d}.request")
                bodies[-1].write_bytes(request.body)
                answer = receiver.receive(request.body)
                receiver.sync()
                exchange.accept({**answer, "durable": [[request.number, request.number]]})
    figures = meter.figures(points)
    receiver.close()
    return {"requests": len(bodies), "folder server": figures}


def send(toml: Path, project: str, bodies: list[Path]) -> None:
    """Take requests into a project, as a server does."""
    settings = read_settings(toml)
    intake = ClusterIntake(ClusterProject(Database(settings), Objects(settings.objects), project))
    for body in bodies:
        states = [writer["state"] for writer in intake.receive(body.read_bytes())["writers"]]
        assert states == ["ok"] * len(states), states


def ingest(cluster: RunningCluster, meter: Meter, store: Store, size: made.Size, folder: Path) -> dict[str, Any]:
    """Measure taking the requests of all runs of *store*."""
    points = size.runs * size.sequences * size.points
    figures = {"points": points, **requests_of(store, folder, meter, points)}
    with meter.running():
        command = [sys.executable, "-m", "bench.cluster", "--send", str(cluster.toml), str(folder)]
        nodes = [subprocess.Popen([*command, str(number)]) for number in range(NODES)]
        assert [0] * NODES == [node.wait() for node in nodes]
    figures["cluster, two nodes"] = meter.figures(points)
    database = cluster.database
    database.execute(f"CREATE TABLE {database.name}.floor_local AS {database.name}.points_local")
    blocks = floor_blocks(points)
    with meter.running():
        for block in blocks:
            cluster.database.insert("floor", rows.POINT_COLUMNS, block)
    figures["bare ClickHouse"] = meter.figures(points)
    return figures


def floor_blocks(points: int) -> list[bytes]:
    """Return rows of `points`, in blocks of `FLOOR_ROWS`."""
    chance = np.random.default_rng(7)
    blocks = []
    for start in range(0, points, FLOOR_ROWS):
        block = np.zeros(min(FLOOR_ROWS, points - start), rows.POINT_ROW)
        block["writer"] = start // FLOOR_ROWS
        block["step"] = block["slot"] = np.arange(len(block))
        block["time"] = made.BEGIN_S * MICROSECONDS + block["step"] * 50_000
        block["value"] = chance.random(len(block))
        blocks.append(block.tobytes())
    return blocks


def bytes_a_point(cluster: RunningCluster) -> dict[str, float]:
    """Measure a point of curves whose values have the precision of float32, as trainings have them."""
    database = cluster.database
    table = f"{database.name}.sizes_local"
    database.execute(f"CREATE TABLE {table} AS {database.name}.points_local")
    database.execute(
        f"INSERT INTO {table} SELECT toFixedString(toString(intDiv(number, 100000)), 16), 1, 1, number % 100000, "
        "number % 100000, 1760000000000000 + (number % 100000) * 50000 + rand() % 2000, "
        "toFloat32(1 / (1 + (number % 100000) / 1000) + (rand(1) % 1000) / 10000), nan FROM numbers(1000000)"
    )
    database.execute(f"OPTIMIZE TABLE {table} FINAL")
    ((size, count),) = database.rows(
        "SELECT sum(bytes_on_disk), sum(rows) FROM system.parts WHERE database = {database:String} "
        "AND table = 'sizes_local' AND active",
        {"database": database.name},
    )
    return {"points": int(count), "bytes a point": round(size / count, 2)}


# curves


def asked(address: str, project: str, path: str, body: dict[str, Any]) -> bytes:
    """Ask a server what a page asks."""
    url = f"{address.strip().rstrip('/').replace('aim://', 'http://')}/api/repos/{project}/{path}"
    request = Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urlopen(request, timeout=600) as answer:
        content: bytes = answer.read()
        return content


def pictures(meter: Meter, address: str, project: str, runs: list[str]) -> dict[str, Any]:
    """Measure one curve and all curves of a project, the first time and again."""
    everything = {"runs": runs, "limit": 20_000}
    name, context = made.sequences_of(1)[0]
    one = {"runs": runs[:1], "metrics": [{"name": name, "context": context}]}
    while json.loads(asked(address, project, "runs", {"query": "", "limit": 1}))["indexing"]:
        time.sleep(0.1)  # the catalogue is being read
    figures: dict[str, Any] = {}
    for label, body in (("one series", one), ("all series", everything)):
        for moment, buckets in (("first", 300), ("again", 299)):  # the frame of the first picture is kept
            asking = {**body, "buckets": buckets}
            with meter.running():
                size = len(asked(address, project, "series", asking))
            figures[f"{label}, {moment}"] = {**meter.figures(), "MB": round(size / 1e6, 2)}
    return figures


def bare_select(cluster: RunningCluster, meter: Meter, project: str) -> dict[str, Any]:
    """Measure a bare SELECT of the steps and values of all points of a project."""
    rids = f"SELECT rid FROM {cluster.database.table('heads')} WHERE project = {{project:String}}"
    with meter.running():
        columns = cluster.database.array(
            f"SELECT writer, number, step, value FROM {cluster.database.table('points')} FINAL WHERE rid IN ({rids})",
            np.dtype([("writer", "<u4"), ("number", "<u4"), ("step", "<i8"), ("value", "<f8")]),
            {"project": project},
        )
    return {"points": len(columns), **meter.figures()}


def curves(cluster: RunningCluster, meter: Meter, store: Store, project: str) -> dict[str, Any]:
    """Measure pictures of a project of the cluster, and of the folder that it came from."""
    runs = sorted(store.run_hashes())
    server = RunningServer(Settings((), cluster=cluster.settings, port=0))
    try:
        figures = {"cluster": pictures(meter, server.address, project, runs)}
    finally:
        server.stop()
    figures["bare SELECT of all"] = bare_select(cluster, meter, project)
    server = RunningServer(Settings((store.path.parent,), port=0))
    try:
        figures["folder server"] = pictures(meter, server.address, store.path.parent.name, runs)
    finally:
        server.stop()
    return figures


def taken_in(cluster: RunningCluster, store: Store, project: str) -> None:
    """Take all runs of *store* into a project."""
    exchange, shipments = Exchange("node7"), shipments_of(store)
    intake = ClusterIntake(cluster.project(project))
    while (request := exchange.gather(shipments, budget_bytes=8 << 20)) is not None:
        exchange.accept(intake.receive(request.body))


# queries


def fill(cluster: RunningCluster, project: str, size: made.Size) -> float:
    """Write what a server keeps of runs that ended; return the seconds that it took."""
    begun_s = time.perf_counter()
    target, kinds = cluster.project(project), KindNumbers(["float"])
    pending: list[tuple[Any, int]] = []
    for row in made.catalogue_rows(size, kinds.number("float")):
        pending.append((row, 101))
        if len(pending) == FACTS_AT_ONCE:
            _keep(cluster, target, pending, kinds)
            pending = []
    _keep(cluster, target, pending, kinds)
    return time.perf_counter() - begun_s


def _keep(cluster: RunningCluster, target: ClusterProject, pending: list[tuple[Any, int]], kinds: KindNumbers) -> None:
    if not pending:
        return
    seen_us = round(time.time() * MICROSECONDS)
    heads = [
        rows.head_row(target.name, row.run_hash, 1, (100, 0), is_complete=True, seen_us=seen_us) for row, _ in pending
    ]
    cluster.database.insert("heads", rows.HEAD_COLUMNS, b"".join(heads))
    cluster_facts.keep_many(target, pending, kinds)


def scan_of(cluster: RunningCluster, project: str, runs_max: int = 10_000_000) -> Scan:
    """Return what answers queries of a project."""
    backend = ClusterBackend(cluster.project(project), runs_max=runs_max)
    return Scan(LiveCatalogue(RunReaders(backend, None, lambda run_hash: None)))


def once(call: Callable[[], object]) -> float:
    """Return the milliseconds of one call."""
    begun_s = time.perf_counter()
    call()
    return round((time.perf_counter() - begun_s) * 1e3, 1)


def queries(cluster: RunningCluster, meter: Meter, size: made.Size, changing: str) -> dict[str, Any]:
    """Measure a catalogue of *size*, and the refresh of the project *changing*, whose runs have lines and points."""
    figures: dict[str, Any] = {"runs": size.runs, "fill s": round(fill(cluster, "queries", size), 1)}
    before_mb = report.memory_mb()
    scan = scan_of(cluster, "queries")
    with meter.running():
        figures["matches"] = len(scan.runs(SELECTIVE))
    figures["node start to first answer"] = meter.figures()
    figures["memory MB"] = round(report.memory_mb() - before_mb)
    figures["query"] = report.timed(lambda: scan.runs(SELECTIVE), repeats=15)
    figures["refresh, nothing changed"] = report.timed(lambda: scan.catalogue.refresh(), repeats=15)
    partial = scan_of(cluster, "queries", max(10, size.runs // 20))
    figures["as a large project: node start, ms"] = once(lambda: partial.runs("run.hparams.seed == 1"))
    figures["as a large project: query of one run, ms"] = once(lambda: partial.runs("run.hparams.seed == 77"))
    other = scan_of(cluster, changing)
    hashes = other.runs("")[:CHANGED]
    write_edits(cluster.project(changing), hashes, {"tags": {"add": ["seen"], "remove": []}}, by="bench", seen_at_s=0)
    with meter.running():
        changed = other.catalogue.refresh().changed
    assert set(hashes) <= set(changed)
    figures["refresh with changed runs"] = {"runs": len(hashes), **meter.figures()}
    return figures


def folder_queries(folder: Path, meter: Meter, size: made.Size) -> dict[str, Any]:
    """Measure the same catalogue over a folder."""
    root, cache = folder / "queries", folder / "cache"
    repository = made.fill_catalogue(root, size, cache)
    scan = Scan(LiveCatalogue(repository.readers, cache=cache))
    with meter.running():
        scan.runs(SELECTIVE)
    return {
        "start to first answer": meter.figures(),
        "query": report.timed(lambda: scan.runs(SELECTIVE), repeats=15),
        "refresh, nothing changed": report.timed(lambda: scan.catalogue.refresh(), repeats=15),
    }


# lag


def lag(settings: Settings, project: str, trials: int) -> dict[str, float]:
    """Measure from `track()` to the answer of a server that has the point."""
    server = RunningServer(settings)
    address = server.address.strip().rstrip("/")
    taken: list[float] = []
    try:
        with BasicRun(repo=f"{address}/{project}") as run:
            for step in range(trials + 1):
                run.track(float(step), name="lag", step=step)
                begun_s = time.perf_counter()
                while True:
                    try:
                        table = asked(address, project, "runs", {"query": f"metric.last == {step}", "limit": 1})
                    except OSError:  # the project is not there yet
                        table = b"{}"
                    if run.hash in table.decode():
                        break
                    time.sleep(0.02)
                taken.append(time.perf_counter() - begun_s)
    finally:
        server.stop()
    measured = sorted(taken[1:])
    return {"median s": round(measured[len(measured) // 2], 2), "max s": round(measured[-1], 2)}


def measure(sizes: Sizes, folder: Path) -> dict[str, Any]:
    """Measure everything, with all data in *folder*."""
    cluster = RunningCluster(folder / "cluster")
    try:
        meter = Meter(cluster)
        stores = {}
        for name, size in (("curves", sizes.curves), ("long", sizes.long)):
            stores[name] = Store(made.build(folder / name, size).files)
        (folder / "requests").mkdir()
        found: dict[str, Any] = {
            "ingest": ingest(cluster, meter, stores["curves"], sizes.curves, folder / "requests"),
            "size": bytes_a_point(cluster),
            "curves": curves(cluster, meter, stores["curves"], "requests"),
        }
        taken_in(cluster, stores["long"], "long")
        found["long curves"] = curves(cluster, meter, stores["long"], "long")
        found["queries"] = queries(cluster, meter, sizes.catalogue, "requests")
        found["queries"]["folder"] = folder_queries(folder, meter, sizes.catalogue)
        (folder / "lag").mkdir()
        Repository(folder / "lag", create=True)
        found["lag"] = {
            "cluster": lag(Settings((), cluster=cluster.settings, port=0), "lag", sizes.lag_trials),
            "folder server": lag(Settings((folder / "lag",), port=0), "lag", sizes.lag_trials),
        }
        return found
    finally:
        cluster.stop()


def lines_of(figures: dict[str, Any], path: str = "") -> Iterator[tuple[str, object]]:
    """Go through figures, each with its path."""
    for name, value in figures.items():
        if isinstance(value, dict):
            yield from lines_of(value, f"{path}{name}: ")
        else:
            yield f"{path}{name}", f"{value:,}"


def main(arguments: list[str] | None = None) -> dict[str, Any] | None:
    """Measure, print a table, store bench/results/cluster.json."""
    parser = argparse.ArgumentParser(prog="bench cluster", description=__doc__)
    parser.add_argument("--full", action="store_true", help="the sizes of the acceptance figures: some minutes")
    parser.add_argument("--runs", type=int, help="so many runs in the catalogue")
    parser.add_argument("--folder", type=Path, help="where its data lie meanwhile")
    parser.add_argument("--send", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.send:
        toml, folder, node = options.send
        bodies = sorted(Path(folder).glob(f"{node}-*.request"))
        send(Path(toml), "requests", bodies)
        return None
    sizes = FULL if options.full else SMALL
    if options.runs:
        sizes = replace(sizes, catalogue=replace(sizes.catalogue, runs=options.runs))
    with tempfile.TemporaryDirectory(prefix="aim-bench-", dir=options.folder) as folder:
        found = measure(sizes, Path(folder))
    report.table(("cluster", ""), list(lines_of(found)))
    print()
    report.table(("", "goal", "measured"), goals(found))
    name = "cluster" if options.full else "cluster_small"
    return report.store(name, {"goals": {goal: value for goal, value, _ in goals(found)}, **found})


def goals(found: dict[str, Any]) -> list[tuple[str, float, float]]:
    """Return each goal with what was measured."""
    compared = []
    for name, (goal, path) in GOALS.items():
        figure: Any = found
        for key in path:
            figure = figure[key]
        compared.append((name, goal, figure))
    return compared


if __name__ == "__main__":
    main()
