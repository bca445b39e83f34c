"""
A server over a cluster: what is recorded into it, read from it and changed in it, as with any server.
"""

from __future__ import annotations

from pathlib import Path

import httpx
import numpy as np

from aim import Image, Repo
from aim.engine.opening import open_door
from aim.sdk.run import BasicRun
from tests.cluster.servers import DEADLINE_S
from tests.remote.servers import wait_until


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
