"""
A server of Weights & Biases, asked by W&B's own client: the whole history, and what else its runs have.
"""

from __future__ import annotations

import hashlib
import io
import math
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from aim import Repo, Run
from tests.adapters.wandb_service import ServedRun, WandbServer, answering
from tests.convert.sources import fingerprint

pytest.importorskip("wandb")
ROWS = 2_500


def picture() -> bytes:
    """Return a PNG of four pixels."""
    file = io.BytesIO()
    Image.new("RGB", (2, 2), (255, 0, 0)).save(file, "PNG")
    return file.getvalue()


def runs() -> list[ServedRun]:
    """Return a long run that finished, and one that crashed."""
    image = {"_type": "image-file", "path": "media/images/x.png", "sha256": hashlib.sha256(picture()).hexdigest()}
    rows: list[dict[str, Any]] = [
        {"_step": step, "_timestamp": 1.7e9 + step, "_runtime": step, "loss": 1 / (step + 1)} for step in range(ROWS)
    ]
    rows[3]["loss"] = "NaN"
    rows[4] |= {"loss": "-Infinity", "val": {"acc": 0.5}, "note": "a text", "count": 2**53 + 1, "x": image}
    record = {
        "name": "abc123", "displayName": "first", "tags": ["a", "b"], "notes": "a note", "group": "g",
        "jobType": "train", "config": {"lr": 0.1, "model": {"layers": 2}}, "summary": {"loss": 0.5, "best": 3},
    }  # fmt: skip
    files = {"media/images/x.png": picture(), "output.log": b"begun\nended\n", "config.yaml": b"lr: 0.1"}
    crashed = {"name": "def456", "displayName": "second", "state": "crashed"}
    return [ServedRun(record, rows, files), ServedRun(crashed, [{"_step": 0, "loss": 1}], {})]


@pytest.fixture(name="server", scope="module")
def _server() -> Iterator[WandbServer]:
    """
    A server with two runs.
    """
    with answering(runs()) as server:
        yield server


def convert(server_address: str, repo: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Call the command in a process of its own, which the client's program ends with."""
    environment = {
        **os.environ, "WANDB_BASE_URL": server_address, "WANDB_API_KEY": "a" * 40, "WANDB_SILENT": "true",
        "WANDB_ERROR_REPORTING": "false", "WANDB_CACHE_DIR": str(repo / "cache"), "AIM_REPO": str(repo),
    }  # fmt: skip
    command = [sys.executable, "-m", "aim.cli", "convert", "wandb", "--entity", "team", "--project", "digits"]
    return subprocess.run([*command, *words], capture_output=True, text=True, env=environment, cwd=repo, timeout=300)


def run_named(repo: Path, name: str) -> Run:
    """Return the run of a name."""
    (run,) = [run for run in Repo(str(repo)).iter_runs() if run.name == name]
    return run


@pytest.fixture(name="imported", scope="module")
def _imported(server: WandbServer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """
    A repository with both runs; the server said once that it was asked too often.
    """
    repo = tmp_path_factory.mktemp("repo")
    server.refusals = 1
    done = convert(server.address, repo, "--artifacts", "copy")

    assert (0, True) == (done.returncode, "2 imported" in done.stdout), done.stdout + done.stderr
    return repo


def test_every_row_of_the_history_is_there(server: WandbServer, imported: Path) -> None:
    """
    No sample: all points, with NaN, infinities, long integers and their times, though the server refused once.
    """
    run = run_named(imported, "first")
    loss = run.get_metric("loss", {})
    count = run.get_metric("count", {})

    assert loss is not None
    assert count is not None
    assert (ROWS, 0) == (len(loss.indices), server.refusals)
    values = loss.values.tolist()
    assert (1.0, True, -math.inf, 1 / ROWS) == (values[0], math.isnan(values[3]), values[4], values[-1])
    assert 1.7e9 + 7 == loss.timestamps.tolist()[7]
    assert [2**53 + 1] == count.values.tolist()
    assert run.get_metric("val.acc", {}) is not None


def test_a_run_is_described_as_on_the_server(imported: Path) -> None:
    """
    Settings, tags, notes, group, terminal, pictures and files come along, and how it ended.
    """
    run = run_named(imported, "first")
    images = run.get_image_sequence("x", {})

    assert (0.1, 2, "g", "train", 3) == (
        run["lr"], run["model", "layers"], run["wandb", "group"], run["wandb", "job_type"],
        run["wandb", "summary", "best"],
    )  # fmt: skip
    assert (["a", "b"], "digits", "finished") == (sorted(run.tags), run.experiment, run.status)
    assert images is not None
    assert ["begun", "ended"] == [line.data for line in run.get_terminal_logs().values.tolist()]
    assert ["config.yaml"] == list(run.artifacts)
    assert ("wandb", "team/digits/abc123") == (run["imported", "from"], run["imported", "id"])
    assert "lost" == run_named(imported, "second").status


def test_the_same_project_twice_is_once(server: WandbServer, imported: Path) -> None:
    """
    A second call asks for no history, and changes no byte.
    """
    pages, before = server.pages, fingerprint(imported / ".aim" / "runs")
    done = convert(server.address, imported, "--artifacts", "copy")

    assert (0, True) == (done.returncode, "2 unchanged" in done.stdout), done.stdout
    assert (pages, before) == (server.pages, fingerprint(imported / ".aim" / "runs"))


def test_one_run_is_chosen_by_its_id(server: WandbServer, tmp_path: Path) -> None:
    """
    The others are not asked for.
    """
    done = convert(server.address, tmp_path, "--run-id", "def456")

    assert (0, True) == (done.returncode, "1 imported" in done.stdout), done.stdout + done.stderr
    assert ["second"] == [run.name for run in Repo(str(tmp_path)).iter_runs()]


def test_a_server_that_does_not_answer_is_an_error_in_words(tmp_path: Path) -> None:
    """
    The error names the server, and the way that needs none.
    """
    done = convert("http://127.0.0.1:9", tmp_path)

    assert (True, True) == (done.returncode != 0, "aim import ./wandb" in done.stderr.replace("\n", " "))
