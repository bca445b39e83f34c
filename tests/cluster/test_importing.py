"""
Imports into a cluster: the same runs as in a folder, each once, whenever a process is killed.
"""

from __future__ import annotations

import json
import math
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aim.core.errors import RunExists, Unavailable, UsageError
from aim.sdk.run import BasicRun
from aim.storage.care.shipped_import import ShippedImports
from aim.storage.cluster import import_sweeping, rows
from aim.storage.cluster.cluster_backend import ClusterBackend
from aim.storage.cluster.cluster_intake import ClusterIntake
from aim.storage.cluster.cluster_project import ClusterProject
from aim.storage.cluster.import_sweeping import sweep_imports
from aim.storage.folder import FolderBackend
from aim.storage.shipping.receiving import Receiver
from aim.storage.store import Store
from tests.cli.schemas import call
from tests.cluster.running import RunningCluster
from tests.convert.sources import DATA
from tests.storage.recorded import points_of_reader

SOURCE = DATA / "wandb-ended"
IMPORT = "import sys; from aim.convert.importing import import_; print('begun', flush=True); import_(*sys.argv[1:])"
RUN = "3df703c1b2a94c5d8e6f7a80"


class Interrupted(ClusterIntake):
    """A server that is away after it has taken *left* requests."""

    def __init__(self, project: ClusterProject, left: int) -> None:
        super().__init__(project)
        self.left = left

    def receive(self, body: bytes) -> dict[str, Any]:
        """Take a request, or be away."""
        if self.left == 0:
            raise Unavailable("away")
        self.left -= 1
        return super().receive(body)


def made(imports: ShippedImports, count: int, name: str = "loss") -> None:
    """Import a run of *count* points."""
    run = imports.import_run(RUN, created_at_s=1.7e9)
    try:
        steps = np.arange(count)
        run.points(name, {}, steps, steps.astype(np.float64), 1.7e9)
        run.write()
        run.finish({"files": {"a": count}})
    finally:
        run.abandon()


def shown(backend: ClusterBackend) -> dict[str, int]:
    """Return how many points the metrics of the run have."""
    if not backend.has_run(RUN):
        return {}
    reader = backend.reader(RUN)
    return {name: len(points) for (name, _), points in reader.points_of_many().items()}


def rows_of(project: ClusterProject, table: str) -> int:
    """Return how many rows of the run a table has."""
    ((count,),) = project.database.rows(
        f"SELECT count() FROM {project.table(table)} FINAL WHERE rid = {{rid:FixedString(16)}}",
        {"rid": project.rid(RUN)},
    )
    return int(count)


def contents(backend: FolderBackend | ClusterBackend) -> Mapping[str, object]:
    """Return what the runs have, without when they were imported."""
    everything = {}
    for run_hash in sorted(backend.run_hashes()):
        reader = backend.reader(run_hash)
        tree = dict(reader.state().tree)
        tree["imported"] = {key: value for key, value in tree["imported"].items() if key != "at"}
        everything[run_hash] = repr(tree), points_of_reader(reader), reader.state().status()
    return everything


def test_runs_imported_through_a_server_are_those_of_a_folder_and_once(
    address: str, backend: ClusterBackend, tmp_path: Path
) -> None:
    """
    `aim import --repo aim://...` makes the runs that an import into a folder makes; killed at any moment and called
    again, and called once more, it makes each once.
    """
    assert 0 == call("import", str(SOURCE), "--repo", str(tmp_path / "folder")).code
    for wait_s in (0.3, 1.0):
        process = subprocess.Popen(
            [sys.executable, "-c", IMPORT, str(SOURCE), address], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        assert process.stdout is not None
        process.stdout.readline()
        try:
            process.wait(wait_s)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
        process.communicate()
    first = call("import", str(SOURCE), "--repo", address)
    again = call("import", str(SOURCE), "--repo", address, "--json")

    assert (0, 0) == (first.code, again.code)
    assert contents(FolderBackend(tmp_path / "folder" / ".aim")) == contents(backend)
    assert {"unchanged"} == {
        line["state"] for line in map(json.loads, again.out.splitlines()) if line["event"] == "run"
    }


def test_an_import_that_ends_after_any_request_shows_the_run_before_or_the_run_after(
    project: ClusterProject, backend: ClusterBackend
) -> None:
    """
    A first import shows nothing until it is whole; one that replaces it shows the points before, and then its own.
    """
    for before, after, name in (({}, {"loss": 10}, "loss"), ({"loss": 10}, {"accuracy": 20}, "accuracy")):
        reader = backend.reader(RUN) if before else None
        requests = 0
        while True:
            try:
                made(ShippedImports(Interrupted(project, requests), "there"), after[name], name)
            except Unavailable:
                assert before == shown(backend), requests
                if reader is not None:
                    assert before == {key[0]: len(points) for key, points in reader.points_of_many().items()}
                requests += 1
                continue
            break

        assert after == shown(backend)
        assert (requests >= 3, after[name]) == (True, rows_of(project, "points"))
        if reader is not None:  # it has read the run before
            assert after == {key[0]: len(points) for key, points in reader.points_of_many().items()}


def test_what_others_did_to_an_imported_run_stays_when_it_is_imported_again(
    address: str, project: ClusterProject, backend: ClusterBackend, tmp_path: Path
) -> None:
    """
    A table that has grown is imported in place of the run before; the tag that somebody has set is still there.
    """
    table = tmp_path / "history.csv"
    table.write_text("step,loss\n0,0.5\n1,0.25\n")
    codes = [call("import", str(table), "--repo", address).code]
    (run_hash,) = backend.run_hashes()
    BasicRun(run_hash, repo=address, read_only=True).add_tag("paper")
    table.write_text("step,loss\n0,0.5\n1,0.25\n2,0.125\n")
    codes += [call("import", str(table), "--repo", address).code for _ in range(2)]
    reader = ClusterBackend(project).reader(run_hash)

    assert ([0, 0, 0], [run_hash]) == (codes, backend.run_hashes())
    assert [[0.5, 0.25, 0.125]] == [points.values.tolist() for points in reader.points_of_many().values()]
    assert ["paper"] == list(reader.state().tags)


def test_what_a_broken_off_import_has_left_is_removed(
    cluster: RunningCluster, project: ClusterProject, backend: ClusterBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Its rows that nobody sees, a week later; the run of an earlier import stays, and importing again replaces it. An
    import that goes on after that is refused.
    """
    for before, after in ({}, {"loss": 10}), ({"loss": 10}, {"loss": 20}):
        broken = ShippedImports(Interrupted(project, 2), "there")
        with pytest.raises(Unavailable):
            made(broken, 30)
        left = rows_of(project, "lines")
        sweep_imports(project.database, cluster.project, math.inf)
        kept = rows_of(project, "lines")
        monkeypatch.setattr(import_sweeping, "GIVEN_UP_S", 0.0)
        sweep_imports(project.database, cluster.project, math.inf)
        monkeypatch.undo()
        swept, is_whole = rows_of(project, "lines"), sum(before.values()) == rows_of(project, "points")
        made(ShippedImports(ClusterIntake(project), "there"), after["loss"])

        assert (left, True, True) == (kept, swept < left, is_whole)
        assert (after, after["loss"]) == (shown(backend), rows_of(project, "points"))
    monkeypatch.setattr(import_sweeping, "GIVEN_UP_S", 0.0)
    sweep_imports(project.database, cluster.project, math.inf)
    assert {"loss": 20} == shown(backend)
    assert {"a": 20} == (ShippedImports(ClusterIntake(project), "there").import_note(RUN) or {})["files"]


def test_of_two_imports_of_one_run_the_later_one_is_shown(project: ClusterProject, backend: ClusterBackend) -> None:
    """
    An import that began before another one is refused when it wants to be shown; a recorded run is never replaced.
    """
    earlier, later = (ShippedImports(ClusterIntake(project), "there") for _ in range(2))
    earlier.ask(RUN, {"note": {"writers": ["0000000a"]}})
    made(later, 10)
    refusals = []
    for run_hash, said in ((RUN, {"show": ["0000000a"]}), ("recorded", {"note": {"writers": []}})):
        seen = rows.head_row(project.name, "recorded", 7, (1, 0), seen_us=1)
        project.database.insert("heads", rows.HEAD_COLUMNS, seen)
        try:
            earlier.ask(run_hash, said)
        except RunExists as error:
            refusals.append(str(error))

    assert {"loss": 10} == shown(backend)
    assert ["Another import of run" in refusals[0], "was not imported" in refusals[1]] == [True, True]


def test_a_server_over_a_folder_says_what_to_do_instead(tmp_path: Path) -> None:
    """
    It answers requests of imports as it always did, so nothing is sent.
    """
    imports = ShippedImports(Receiver(Store(tmp_path / ".aim", create=True)), "aim://folder/demo")
    with pytest.raises(UsageError, match="aim sync FOLDER aim://folder/demo"):
        imports.import_note(RUN)
