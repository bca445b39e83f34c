"""
A server over a cluster: what is recorded into it, read from it and changed in it, as with any server.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

import httpx
import numpy as np

from aim import Image, Repo, Run
from aim.engine.opening import open_door
from aim.sdk.run import BasicRun
from aim.server.settings import Settings
from aim.storage.cluster import rows, schema_changes
from aim.storage.cluster.database import Database
from aim.storage.cluster.settings import read_settings
from aim.storage.store import Store
from tests.cli.schemas import call
from tests.cluster.running import RunningCluster
from tests.cluster.servers import DEADLINE_S
from tests.remote.servers import wait_until
from tests.server.conftest import RunningServer
from tests.storage.recorded import RUN, points_in_place, record
from tests.storage.shipping.wires import run_bytes


def recorded(address: str, **options: str) -> str:
    """Record a small run; return its hash."""
    with BasicRun(repo=address, **options) as run:
        run["hparams"] = {"lr": 0.1}
        for step in range(100):
            run.track(step * 0.5, name="loss", step=step, context={"subset": "train"})
        run.track(Image(np.full((4, 4), 7, np.uint8)), name="picture", step=1)
    return run.hash


def page(address: str, path: str) -> httpx.Response:
    """Ask what a page asks of a project."""
    origin, _, project = address.rpartition("/")
    return httpx.get(f"{origin}/api/repos/{project}/{path}", timeout=DEADLINE_S)


def test_a_run_that_was_recorded_is_read_back(address: str) -> None:
    """
    Params, points and pictures are read through the server, and a query tells runs apart.
    """
    run_hash = recorded(address, experiment="digits")
    repo = Repo(address)
    (metric,) = list(repo.query_metrics("run.hparams.lr == 0.1 and metric.name == 'loss'"))
    (picture,) = list(repo.query_images("images.name == 'picture'"))

    assert [step * 0.5 for step in range(100)] == metric.values.tolist()
    assert (7, "digits") == (picture.values.tolist()[0].to_pil_image().getpixel((0, 0)), picture.run.experiment)
    assert [] == list(repo.query_metrics("run.hparams.lr == 0.2"))
    assert run_hash == metric.run.hash


def test_tables_that_this_version_cannot_use_are_refused_with_what_to_do(
    cluster: RunningCluster, tmp_path: Path
) -> None:
    """
    A server answers 503 while there are no tables, works after `aim cluster init`, and refuses those of a later format.
    """
    text = cluster.toml.read_text().replace("[objects]", 'database = "refused"\n[objects]')
    (tmp_path / "cluster.toml").write_text(text)
    (tmp_path / "secret").write_text((cluster.toml.parent / "secret").read_text())
    settings = read_settings(tmp_path / "cluster.toml")
    answers = []
    for prepare in (None, schema_changes.make, make_later):
        if prepare is not None:
            prepare(Database(settings))
        server = RunningServer(Settings((), cluster=settings, port=0))
        answers.append(page(f"{server.address.strip().rstrip('/')}/default", "documents"))
        assert server.stop()
    missing, made, later = answers

    assert (503, 200, 503) == (missing.status_code, made.status_code, later.status_code)
    assert "Run aim cluster init" in missing.text
    assert "have format 99" in later.text
    assert "Upgrade Aim" in later.text


def make_later(database: Database) -> None:
    """Have the tables say that a later version of Aim made them."""
    row = rows.text(b"") + rows.text(schema_changes.FORMAT_DOCUMENT.encode()) + rows.number(time.time_ns() // 1_000, 8)
    body = rows.text(json.dumps({"format": 99}).encode()) + rows.number(0, 1)
    database.insert("documents", schema_changes.DOCUMENT_COLUMNS, row + body)


def test_an_artifact_is_on_the_page_of_its_run_and_is_downloaded(address: str, tmp_path: Path) -> None:
    """
    A file of several parts comes back byte for byte, whole or as a range, and the page of the run lists it.
    """
    content = np.random.default_rng(7).bytes(3_000_000)
    (tmp_path / "model.pt").write_bytes(content)
    with BasicRun(repo=address) as run:
        run.log_artifact(tmp_path / "model.pt")
    path = f"runs/{run.hash}/artifacts/model.pt"
    wait_until(lambda: page(address, path).status_code == 200, "the artifact")
    listed = page(address, f"runs/{run.hash}").json()["artifacts"]

    assert content == page(address, path).content
    assert [("model.pt", 3_000_000, True)] == [(file["name"], file["size"], file["here"]) for file in listed]


def test_names_tags_notes_and_archiving_change_a_run(address: str) -> None:
    """
    Edits through the server are there for the next reader, and the table of runs follows them.
    """
    run_hash = recorded(address)
    run = BasicRun(run_hash, repo=address, read_only=True)
    run.name = "baseline"
    run.add_tag("paper")
    run.archived = True
    again = BasicRun(run_hash, repo=address, read_only=True)

    assert ("baseline", ["paper"], True) == (again.name, list(again.tags), again.archived)
    assert [run_hash] == [
        one.run.hash for one in Repo(address).query_runs("run.name == 'baseline' and run.archived").iter_runs()
    ]


def test_a_deleted_run_is_gone_until_the_deletion_is_taken_back(address: str) -> None:
    """
    A deletion hides a run from every question.
    """
    run_hash, other = recorded(address), recorded(address)
    open_door(address).delete_run(run_hash)

    assert [other] == [one.run.hash for one in Repo(address).query_runs("").iter_runs()]


def test_a_project_moves_from_a_folder_into_a_cluster_and_back(address: str, tmp_path: Path) -> None:
    """
    `aim sync` sends all runs of a folder, and brings them into another one, where they are equal; also those that are
    being recorded, whose rest comes with the next call. Reports and colours of tags are there and back, too, and so are
    their deletions.
    """
    local, back = Store(tmp_path / "local" / ".aim", create=True), tmp_path / "back"
    record(local.runs / RUN)
    growing = Run(repo=local.path.parent, system_tracking_interval=None, capture_terminal_logs=False)
    growing.track(0.5, name="loss", step=0)
    here = open_door(local.path.parent)
    here.documents.put("report", "weekly", None, {"text": "It learns."})
    here.tags(by="test").put("paper", color="green")
    codes = [call("sync", str(local.path.parent), address).code, call("sync", address, str(back)).code]
    first = points_in_place(Store(back / ".aim").run_folder(growing.hash))
    growing.track(0.25, name="loss", step=1)
    growing.close()
    codes += [call("sync", str(local.path.parent), address).code, call("sync", address, str(back)).code]
    returned = Store(back / ".aim")

    assert ([0] * 4, 1) == (codes, len(first))
    assert sorted(local.run_hashes()) == sorted(returned.run_hashes())
    for run_hash in local.run_hashes():
        assert points_in_place(local.run_folder(run_hash)) == points_in_place(returned.run_folder(run_hash))
        assert bytes_without_points(local, run_hash) == bytes_without_points(returned, run_hash)
    for door in (open_door(address), open_door(back)):
        assert [("report", {"text": "It learns."}), ("tag", {"color": "#3f9463", "name": "paper"})] == [
            (document.kind, document.body) for document in door.documents.list()
        ]
    here.documents.delete("report", "weekly")
    open_door(address).tags(by="sdk").delete("paper")
    codes = [call("sync", str(local.path.parent), address).code, call("sync", address, str(back)).code]
    assert ([0, 0], [], []) == (codes, open_door(address).documents.list(), open_door(back).documents.list())


def bytes_without_points(store: Store, run_hash: str) -> dict[str, bytes]:
    """Return lines, edits and bytes of objects; times of points have other digits below a microsecond."""
    files = run_bytes(store.run_folder(run_hash))
    return {name: content for name, content in files.items() if ".points-" not in name}


def test_a_fork_is_made_at_the_server(address: str) -> None:
    """
    `Run.fork` of a run in a cluster gives a run of the cluster with the curves up to the step.
    """
    run_hash = recorded(address)
    child = open_door(address).fork_run(run_hash, 10, name="child")
    (metric,) = list(Repo(address).query_metrics("run.name == 'child' and metric.name == 'loss'"))

    assert (child, [step * 0.5 for step in range(11)]) == (metric.run.hash, metric.values.tolist())
