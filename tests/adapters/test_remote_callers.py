"""
Programs that nobody here wrote, with an address in the place of a folder: what is at the server is what is in a folder.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from aim import Repo
from tests.adapters.conftest import points
from tests.remote.servers import Server

QUIET: dict[str, Any] = {"system_tracking_interval": None, "capture_terminal_logs": False}
OF_TIME = ("runtime", "per_second")  # how fast it was differs each time


@pytest.fixture(name="server", scope="module")
def _server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """
    A server of an empty repository; what is sent to it goes through a spool of these tests.
    """
    folder = tmp_path_factory.mktemp("remote")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("AIM_SPOOL", str(folder / "spool"))
        server = Server(folder / "vision").start()
        yield server
        server.kill()


def contents(repo: str, experiment: str) -> dict[str, Any]:
    """Return what the run of an experiment holds, but for what depends on how fast it was."""
    (run,) = Repo(repo).runs(f"run.experiment == {experiment!r}")
    infos = [(name, context.to_dict()) for name, context, _ in run.iter_metrics_info()]
    curves = {
        f"{name} {context}": points(run, name, **context)
        for name, context in infos
        if not any(part in name for part in OF_TIME)
    }
    params = {name: run[name] for name in ("hparams", "model") if name in run}
    return {"name": run.name, "status": run.status, "params": params, "curves": curves}


def train_by_accelerate(repo: str) -> None:
    """Record with the tracker that accelerate has."""
    accelerate = pytest.importorskip("accelerate")
    accelerator = accelerate.Accelerator(log_with="aim", cpu=True, project_dir=repo)
    accelerator.init_trackers("digits", config={"lr": 0.1}, init_kwargs={"aim": {**QUIET, "experiment": "accelerate"}})
    for step in range(3):
        accelerator.log({"loss": 1.0 / (step + 1)}, step=step)
    accelerator.end_training()


def train_by_lightning(repo: str) -> None:
    """Train a line with Lightning."""
    pytest.importorskip("lightning.pytorch")
    lightning = importlib.import_module("tests.adapters.test_lightning")
    pl = importlib.import_module("lightning.pytorch")
    logger_class = importlib.import_module("aim.pytorch_lightning").AimLogger
    logger = logger_class(repo, "lightning", run_name="a line", **lightning.QUIET)
    trainer = pl.Trainer(max_epochs=2, logger=logger, enable_checkpointing=False, **lightning.SILENT)
    trainer.fit(lightning.model_of(pl), lightning.data(), lightning.data())
    logger.close()


def train_by_transformers(repo: str) -> None:
    """Train a small BERT with a Trainer of transformers."""
    pytest.importorskip("transformers")
    hugging_face = importlib.import_module("tests.adapters.test_hugging_face")
    callback = hugging_face.callback_class()(repo, "transformers", **hugging_face.QUIET)
    hugging_face.trainer_of(Path("out"), callback, run_name="a small BERT").train()
    callback.close()


@pytest.mark.parametrize("train", [train_by_accelerate, train_by_lightning, train_by_transformers])
def test_a_server_has_what_a_folder_has(
    train: Callable[[str], None], server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    The same training is recorded into a folder and to a server: params, curves and status are equal.
    """
    monkeypatch.chdir(tmp_path)
    train(str(tmp_path / "local"))
    train(server.address)
    experiment = train.__name__.rpartition("_")[2]
    local = contents(str(tmp_path / "local"), experiment)

    assert ("finished", True) == (local["status"], len(local["curves"]) > 0)
    assert local == contents(server.address, experiment)
