"""
Lightning's trainers, of both packages, with our logger.
"""

from __future__ import annotations

import copy
import importlib
import logging
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from aim import Image, Run
from aim.sdk.adapters.session.ranks import SilentRun
from tests.adapters.conftest import contexts_of, points, runs_of

torch = pytest.importorskip("torch")
PACKAGES = ("lightning.pytorch", "pytorch_lightning")
QUIET: dict[str, Any] = {"system_tracking_interval": None, "log_system_params": False, "capture_terminal_logs": False}
SILENT: dict[str, Any] = {
    "accelerator": "cpu", "devices": 1, "enable_progress_bar": False, "enable_model_summary": False,
    "log_every_n_steps": 1,
}  # fmt: skip


@pytest.fixture(name="pl", params=PACKAGES)
def _pl(request: pytest.FixtureRequest) -> Any:
    """
    Each package of Lightning.
    """
    return pytest.importorskip(request.param)


@pytest.fixture(name="logger_class")
def _logger_class(pl: Any) -> Any:
    """
    Our logger, imported after that package.
    """
    return importlib.import_module("aim.pytorch_lightning").AimLogger


def model_of(pl: Any, **hparams: Any) -> Any:
    """Return a module with a weight and two metrics; `fail_at=` ends its training with an exception."""

    class Slope(pl.LightningModule):
        def __init__(self, lr: float = 0.1, fail_at: int = -1, odd: bool = False, layers: object = ()) -> None:
            super().__init__()
            self.save_hyperparameters()
            self.layer = torch.nn.Linear(1, 1)
            with torch.no_grad():
                self.layer.weight.fill_(1.0)
                self.layer.bias.fill_(0.0)

        def training_step(self, batch: Any, index: int) -> Any:
            loss = (self.layer(batch[0]) ** 2).mean()
            self.log("train_loss", loss)
            self.log("lr", self.hparams.lr)
            if self.hparams.odd:
                self.logger.log_metrics({"train_text": "no number", "train_none": None, "train_kind": object()}, 1)
            if self.global_step == self.hparams.fail_at:
                raise ValueError("a bad batch")
            return loss

        def validation_step(self, batch: Any, index: int) -> None:
            self.log("val_loss", (self.layer(batch[0]) ** 2).mean())
            self.log("val/acc", 0.5)

        def test_step(self, batch: Any, index: int) -> None:
            self.log("test_loss", 0.25)

        def configure_optimizers(self) -> Any:
            return torch.optim.SGD(self.parameters(), lr=self.hparams.lr)

    return Slope(**hparams)


def data() -> Any:
    """Return four batches of one sample."""
    return torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.ones(4, 1)))


def test_records_have_the_names_of_aim_3(pl: Any, logger_class: Any, repo: Path) -> None:
    """
    Names, contexts, steps and epochs of a fit and a test are what Aim 3 records, in one run, with values by hand.
    """
    logger = logger_class(repo, "slope", **QUIET)
    trainer = pl.Trainer(max_epochs=2, logger=logger, enable_checkpointing=False, **SILENT)
    model = model_of(pl, layers=[1, {"deep": (2, 3)}])
    trainer.fit(model, data(), data())
    trainer.test(model, data(), verbose=False)
    logger.experiment.track(0.9, name="by_hand", step=8)
    logger.log_metrics({"train_picture": Image(torch.zeros(3, 2, 2)), "epoch": 3}, 9)
    logger.close()
    (run,) = runs_of(repo)

    assert {
        ("loss", "{'subset': 'train'}"),
        ("lr", "{}"),
        ("loss", "{'subset': 'val'}"),
        ("val/acc", "{}"),
        ("loss", "{'subset': 'test'}"),
        ("by_hand", "{}"),
    } == contexts_of(run)
    assert list(range(8)) == [step for step, _, _ in points(run, "loss", subset="train")]
    assert [0, 0, 0, 0, 1, 1, 1, 1] == [epoch for _, _, epoch in points(run, "loss", subset="train")]
    assert [(3, 0.0), (7, 1.0)] == [(step, epoch) for step, _, epoch in points(run, "loss", subset="val")]
    assert [(8, 0.25, 2.0)] == points(run, "loss", subset="test")
    assert {"lr": 0.1, "fail_at": -1, "odd": False, "layers": [1, {"deep": [2, 3]}]} == run["hparams"]
    assert ("slope", "finished") == (run.experiment, run.status)
    assert run.get_image_sequence("picture", {"subset": "train"}) is not None


def test_a_failed_training_is_a_failed_run(pl: Any, logger_class: Any, repo: Path) -> None:
    """
    The exception of a training is in the status of the run.
    """
    trainer = pl.Trainer(max_epochs=1, logger=logger_class(repo, **QUIET), enable_checkpointing=False, **SILENT)
    with pytest.raises(ValueError, match="a bad batch"):
        trainer.fit(model_of(pl, fail_at=2), data())
    (run,) = runs_of(repo)

    assert ("failed", "ValueError") == (run.status, run.error)


def test_a_resumed_training_has_no_zigzag(pl: Any, logger_class: Any, repo: Path, tmp_path: Path) -> None:
    """
    A training that goes on from a checkpoint hides the steps that it repeats.
    """
    first = logger_class(repo, **QUIET)
    saving = {"dirpath": tmp_path / "saved", "every_n_train_steps": 2, "save_top_k": -1}
    trainer = pl.Trainer(max_epochs=2, logger=first, callbacks=[pl.callbacks.ModelCheckpoint(**saving)], **SILENT)
    trainer.fit(model_of(pl), data())
    first.close()
    checkpoint = next((tmp_path / "saved").glob("*step=4.ckpt"))
    second = logger_class(repo, run_hash=first.version, **QUIET)
    trainer = pl.Trainer(max_epochs=3, logger=second, enable_checkpointing=False, **SILENT)
    trainer.fit(model_of(pl), data(), ckpt_path=checkpoint)
    second.close()
    (run,) = runs_of(repo)
    steps = [step for step, _, _ in points(run, "loss", subset="train")]

    assert list(range(12)) == steps
    assert [3] == [rewind.step for rewind in run.rewinds]


def test_odd_values_do_not_end_a_training(
    pl: Any, logger_class: Any, repo: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """
    What can't be recorded is said once, and the training ends well.
    """
    logger = logger_class(repo, **QUIET)
    trainer = pl.Trainer(max_epochs=1, logger=logger, enable_checkpointing=False, **SILENT)
    with caplog.at_level(logging.WARNING, "aim"):
        trainer.fit(model_of(pl, odd=True, layers=[object(), 10**30]), data())
    logger.close()
    (run,) = runs_of(repo)

    assert 2 == len([record for record in caplog.records if record.name == "aim"])
    assert ["<object object>", 10**30] == run["hparams", "layers"]
    assert 4 == len(points(run, "loss", subset="train"))


def test_both_packages_take_the_logger(pl: Any, logger_class: Any) -> None:
    """
    It is a Logger of either package, and so is a subclass.
    """

    class Mine(logger_class):
        pass

    for kind in (logger_class, Mine):
        assert isinstance(kind(), pl.loggers.Logger)


def test_the_short_names_are_the_same_objects() -> None:
    """
    `aim.pytorch_lightning`, `aim.lightning` and the long name have the same classes.
    """
    names = ("aim.pytorch_lightning", "aim.lightning", "aim.sdk.adapters.pytorch_lightning")
    modules = [importlib.import_module(name) for name in names]

    for name in ("AimLogger", "Logger", "pl", "rank_zero_only", "rank_zero_experiment"):
        assert 1 == len({id(getattr(module, name)) for module in modules})


def test_a_logger_pickles_and_copies(logger_class: Any, repo: Path) -> None:
    """
    A copy in another process goes on in the same run, as ddp_spawn needs it.
    """
    logger = logger_class(repo, "slope", **QUIET)
    logger.log_metrics({"train_loss": 1.0}, 0)
    copies = [pickle.loads(pickle.dumps(logger)), copy.deepcopy(logger)]  # noqa: S301
    for step, other in enumerate(copies, start=1):
        other.log_metrics({"train_loss": 0.5}, step)
        other.close()
    logger.close()
    (run,) = runs_of(repo)

    assert [0, 1, 2] == [step for step, _, _ in points(run, "loss", subset="train")]


def test_checkpoints_become_artifacts(pl: Any, logger_class: Any, repo: Path) -> None:
    """
    `log_model=True` stores the best and the last checkpoint, "all" each that was written, though Lightning removes it.
    """
    kept = {}
    for log_model in (False, True, "all"):
        logger = logger_class(repo, log_model=log_model, **QUIET)
        saving = pl.callbacks.ModelCheckpoint(monitor="val_loss", mode="max", save_top_k=1, every_n_epochs=1)
        trainer = pl.Trainer(max_epochs=3, logger=logger, callbacks=[saving], **SILENT)
        trainer.fit(model_of(pl), data(), data())
        run_hash = logger.version
        logger.close()
        kept[log_model] = (run_hash, saving.best_model_path)
    runs = {run.hash: run for run in runs_of(repo)}
    best = "epoch=0-step=4.ckpt"

    assert {} == runs[kept[False][0]].artifacts
    assert [f"checkpoints/{best}"] == list(runs[kept[True][0]].artifacts)
    assert [f"checkpoints/{best}"] == list(runs[kept["all"][0]].artifacts)
    details = runs[kept["all"][0]]["checkpoints", best]
    assert (4, "val_loss", True) == (details["step"], details["monitor"], details["score"] > 0)
    assert str(repo / ".aim/default" / kept[True][0] / "checkpoints" / best) == kept[True][1]


def test_objects_and_layers_are_recorded(logger_class: Any, repo: Path) -> None:
    """
    The methods for images, texts, tables, figures and the graph, and `watch`.
    """
    import pandas
    import plotly.graph_objects as go

    logger = logger_class(repo, **QUIET)
    pixels = torch.zeros(3, 2, 2)
    logger.log_image("train_image", [pixels, pixels], step=1, caption=["a", "b"])
    logger.log_text("text", ["a", "b"], step=1)
    logger.log_table("table", columns=["x", "y"], data=[[1, 2]], step=1)
    logger.log_table("frame", dataframe=pandas.DataFrame({"x": [1, 2]}), step=1)
    logger.log_figure("figure", go.Figure(), step=1)
    logger.log_audio("sound", torch.zeros(100), step=1, rate=8000)
    logger.log_video("film", torch.zeros(2, 4, 4, 3, dtype=torch.uint8), step=1, fps=2, format="gif")
    model = torch.nn.Sequential(torch.nn.Linear(2, 2))
    logger.log_graph(model)
    with logger.watch(model, log="all", log_freq=1):
        model(torch.ones(1, 2)).sum().backward()
    failures = logger._session.failures.counts
    logger.close()
    (run,) = runs_of(repo)

    assert {} == failures
    images = run.get_image_sequence("image", {"subset": "train"}).values.sparse_list()[1][0]
    assert ["a", "b"] == [image.caption for image in images]
    assert "Linear" in run.get_text_sequence("model").values.sparse_list()[1][0].data
    assert {"data", "gradients"} == {
        info.context["type"] for info in run._stored_sequences() if info.kind.endswith("distribution")
    }


def test_prefix_arguments_work_and_warn(logger_class: Any, repo: Path) -> None:
    """
    The prefixes of Aim 3 are taken by keyword, with a warning; together with context_prefixes they are an error.
    """
    with pytest.warns(DeprecationWarning, match="context_prefixes"):
        logger = logger_class(repo, train_metric_prefix="train/", val_metric_prefix="val/", test_metric_prefix=None)

    assert ("loss", {"subset": "train"}) == logger.parse_context("train/loss")
    assert ("test_loss", {}) == logger.parse_context("test_loss")
    with pytest.raises(ValueError, match="not both"):
        logger_class(repo, train_metric_prefix="t_", context_prefixes={"subset": {"train": "train_"}})
    with_prefix = logger_class(repo, prefix="stage1", context={"fold": 3}, context_prefixes="slash")
    assert ("stage1/acc", {"fold": 3, "subset": "val"}) == with_prefix.parse_context("val/acc")


def test_folders_are_those_of_the_repository(logger_class: Any, repo: Path) -> None:
    """
    Lightning keeps checkpoints below the repository; of an address no folder is made.
    """
    logger = logger_class(str(repo), "slope", **QUIET)

    assert (str(repo / ".aim"), "slope") == (logger.save_dir, logger.name)
    assert str(repo / ".aim/slope" / logger.version) == logger.log_dir
    assert str(repo / ".aim") == logger_class().save_dir == logger_class(repo / ".aim").save_dir
    assert "default" == logger_class(repo).name
    assert (None, None) == (logger_class("aim://host:53800").save_dir, logger_class("s3://bucket/x").log_dir)
    logger.close()


def test_a_subclass_may_name_metrics(logger_class: Any, repo: Path) -> None:
    """
    What a subclass for Aim 3 overrides is used.
    """

    class Mine(logger_class):
        def parse_context(self, name: str) -> tuple[str, dict[str, Any]]:
            return name.upper(), {"mine": True}

    with Run(repo=repo, **QUIET) as run:
        logger = Mine(run=run)
        logger.log_metrics({"train_loss": 1.0}, 0)
        assert (run, run.hash, "default") == (logger.experiment, logger.version, logger.name)
        logger.finalize("success")

    assert {("TRAIN_LOSS", "{'mine': True}")} == contexts_of(run)


def test_another_rank_makes_no_run(logger_class: Any, repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    On a rank above 0 the logger records nothing.
    """
    module = importlib.import_module("aim.pytorch_lightning")
    monkeypatch.setattr(module.rank_zero_only, "rank", 1)
    logger = logger_class(repo, **QUIET)
    logger.log_hyperparams({"lr": 0.1})
    logger.log_metrics({"train_loss": 1.0}, 0)
    logger.finalize("success")

    assert isinstance(logger.experiment, SilentRun)
    assert (None, []) == (logger.version, runs_of(repo))


DDP = """
import sys
import lightning.pytorch as pl
from aim.pytorch_lightning import AimLogger
from tests.adapters.test_lightning import QUIET, SILENT, data, model_of

loggers = [AimLogger(sys.argv[1], ranks, ranks=ranks, **QUIET) for ranks in ("zero", "all")]
options = {**SILENT, "devices": 2, "strategy": "ddp", "max_epochs": 1, "enable_checkpointing": False}
trainer = pl.Trainer(logger=loggers, **options)
trainer.fit(model_of(pl), data())
for logger in loggers:
    logger.log_metrics({"by_hand": float(trainer.global_rank)}, 9)
    logger.close()
"""


def test_two_processes_are_one_run(repo: Path, tmp_path: Path) -> None:
    """
    A training of two processes with gloo is one run; with `ranks="all"` both record into it.
    """
    script = tmp_path / "train.py"
    script.write_text(DDP)
    done = subprocess.run([sys.executable, script, str(repo)], check=False, capture_output=True, text=True, timeout=300)
    assert 0 == done.returncode, done.stderr
    contexts = {
        run.experiment: {context for name, context in contexts_of(run) if name == "by_hand"} for run in runs_of(repo)
    }

    assert {"zero": {"{}"}, "all": {"{'rank': 0}", "{'rank': 1}"}} == contexts
    assert ["finished"] * 2 == [run.status for run in runs_of(repo)]
