"""
A real tracking server of MLflow: its runs come over through its own client as they do from its database.
"""

from __future__ import annotations

import math
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aim.convert.detecting import recognised
from aim.convert.errors import ExperimentNotFound
from aim.convert.formats import ImportOptions, Source
from aim.convert.importing import import_sources
from aim.convert.mlflow.server_importer import MlflowServerImporter
from aim.convert.names import FULL
from aim.convert.report import UNCHANGED, Report
from aim.core.errors import AimError
from aim.engine.repository import Repository
from tests.convert.sources import objects, shown, values
from tests.ports import own_port

mlflow = pytest.importorskip("mlflow")
WAIT_S = 240.0
VALUES = [(1, 0.5), (3, math.nan), (2, math.inf), (2**40, -math.inf), (-4, 1e-300), (3, 0.25)]


@pytest.fixture(name="folder", scope="module")
def _folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """
    Where the server keeps its database and its artifacts.
    """
    return tmp_path_factory.mktemp("mlflow")


@pytest.fixture(name="address", scope="module")
def _address(folder: Path) -> Iterator[str]:
    """
    The address of a server, which has some runs.
    """
    port = own_port()
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    stores = ["--backend-store-uri", f"sqlite:///{folder}/mlflow.db", "--artifacts-destination", str(folder / "files")]
    environment = {**os.environ, "MLFLOW_TRACKING_URI": "", "MLFLOW_DISABLE_TELEMETRY": "true"}
    with open(folder / "server.log", "wb") as log:
        server = subprocess.Popen([*command, *stores], stdout=log, stderr=log, env=environment, start_new_session=True)
    address = f"http://127.0.0.1:{port}"
    try:
        _wait(address, server)
        _record(address)
        yield address
    finally:
        os.killpg(server.pid, 15)
        server.wait(60)


def _wait(address: str, server: subprocess.Popen[bytes]) -> None:
    until_s = time.monotonic() + WAIT_S
    while True:
        try:
            with urllib.request.urlopen(f"{address}/health", timeout=60):
                return
        except OSError:
            assert server.poll() is None
            assert time.monotonic() < until_s
            time.sleep(0.2)


def _record(address: str) -> None:
    """Record runs as a user does, one of them failed and one deleted."""
    client = mlflow.MlflowClient(address)
    experiment = client.create_experiment("vision/é")
    parent = client.create_run(
        experiment, run_name="parent ✓", tags={"stage": "dev", "mlflow.note.content": "a *note*"}
    )
    run_id = parent.info.run_id
    client.log_param(run_id, "lr", "0.1")
    for number, (step, value) in enumerate(VALUES):
        client.log_metric(run_id, "loss", value, timestamp=1_700_000_000_000 + number, step=step)
    for number in range(3):
        client.log_metric(run_id, "without step", number / 2, timestamp=1_700_000_000_000 - number)
    client.log_text(run_id, "remember", "notes/readme.txt")
    client.log_image(run_id, np.full((4, 6, 3), 128, np.uint8), key="dog", step=3, timestamp=1_700_000_000_000)
    client.set_terminated(run_id)
    child = client.create_run(experiment, tags={"mlflow.parentRunId": run_id})
    client.set_terminated(child.info.run_id, "FAILED")
    client.delete_run(client.create_run("0").info.run_id)


def server_source(address: str) -> Source:
    """Return the server as a source."""
    return MlflowServerImporter(address).source


def imported(source: Source, root: Path, **options: Any) -> Report:
    """Import a source with its files, under its own names."""
    return import_sources([source], root, ImportOptions(**{"naming": FULL, "artifacts": "copy", **options}))


def test_a_server_gives_the_same_runs_as_its_database(address: str, folder: Path, tmp_path: Path) -> None:
    """
    Hashes, params, points to the bit, images, notes, parents and ends are equal, whichever way they came.
    """
    through_client = imported(server_source(address), tmp_path / "client")
    (database,) = recognised(folder / "mlflow.db", "mlflow")
    imported(database, tmp_path / "database")
    first, second = Repository(tmp_path / "client"), Repository(tmp_path / "database")

    assert 3 == len(through_client.runs)
    assert sorted(first.run_hashes()) == sorted(second.run_hashes())
    (parent,) = [state.run_hash for state in first.states() if state.name == "parent ✓"]
    for run_hash in first.run_hashes():
        without_files = {"objects"} if run_hash == parent else set()  # the database does not say where they are
        assert _without(shown(second, run_hash), without_files) == _without(shown(first, run_hash), without_files)
    last = values(first, parent, "loss")
    assert [-4, 1, 2, 3, 2**40] == sorted(last)
    assert (math.inf, 0.25, -math.inf) == (last[2], last[3], last[2**40])
    assert [1.0, 0.5, 0.0] == list(values(first, parent, "without step").values())
    assert [3] == list(objects(first, parent, "dog"))
    assert ["notes/readme.txt"] == list(first.readers.state(parent).artifacts)


def _without(fields: dict[str, Any], names: set[str]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name not in names}


def test_the_same_server_twice_is_once(address: str, tmp_path: Path) -> None:
    """
    Nothing is read again until a run gets another point; then that run is.
    """
    imported(server_source(address), tmp_path)
    again = imported(server_source(address), tmp_path)
    client = mlflow.MlflowClient(address)
    (experiment,) = client.search_experiments(filter_string="name = 'Default'")
    run = client.create_run(experiment.experiment_id)
    client.log_metric(run.info.run_id, "loss", 1.0, step=1)
    third = imported(server_source(address), tmp_path)
    client.log_metric(run.info.run_id, "loss", 1.0, step=2)
    fourth = imported(server_source(address), tmp_path)

    assert {UNCHANGED} == {each.state for each in again.runs}
    assert [1, 1] == [sum(each.state != UNCHANGED for each in report.runs) for report in (third, fourth)]


def test_one_experiment_is_chosen_by_its_name(address: str, tmp_path: Path) -> None:
    """
    With an experiment only its runs come; a name that no run has is an error that lists those that there are.
    """
    one = imported(server_source(address), tmp_path, experiment="vision/é")

    assert 2 == len(one.runs)
    with pytest.raises(ExperimentNotFound, match="vision/é"):
        imported(server_source(address), tmp_path, experiment="vision")


def test_the_command_of_aim_3_reads_a_server(address: str, tmp_path: Path) -> None:
    """
    `aim convert mlflow --tracking_uri http://...` brings its runs.
    """
    command = [sys.executable, "-m", "aim.cli", "convert", "mlflow", "--repo", str(tmp_path), "--tracking_uri", address]
    done = subprocess.run(command, capture_output=True, text=True)

    assert (0, True) == (done.returncode, f"MLflow  {address}" in done.stdout), done.stderr


def test_what_is_no_server_of_mlflow_is_an_error_in_words(tmp_path: Path) -> None:
    """
    An address whose protocol the client does not know is named.
    """
    with pytest.raises(AimError, match="nonsense://there"):
        imported(server_source("nonsense://there"), tmp_path)
