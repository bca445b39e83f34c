"""
Programs that record with Aim and that nobody here wrote, as they are installed: their calls work.
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest

from aim import Run
from tests.adapters.conftest import contexts_of, points, runs_of

QUIET: dict[str, Any] = {"system_tracking_interval": None, "capture_terminal_logs": False}


def test_accelerate_records_with_its_own_tracker(repo: Path) -> None:
    """
    Accelerate's AimTracker makes a run with params, metrics and images.
    """
    accelerate = pytest.importorskip("accelerate")
    import numpy as np

    accelerator = accelerate.Accelerator(log_with="aim", project_dir=str(repo), cpu=True)
    accelerator.init_trackers("digits", config={"lr": 0.1}, init_kwargs={"aim": QUIET})
    for step in range(3):
        accelerator.log({"loss": 1.0 / (step + 1)}, step=step)
    accelerator.get_tracker("aim").log_images({"picture": (np.zeros((4, 4, 3), np.uint8), "a caption")}, step=1)
    accelerator.end_training()
    (run,) = runs_of(repo)

    assert ({"lr": 0.1}, "digits", "finished") == (run["hparams"], run.name, run.status)
    assert [0, 1, 2] == [step for step, _, _ in points(run, "loss")]
    assert run.get_image_sequence("picture") is not None


def test_langchain_records_with_its_own_callback(repo: Path) -> None:
    """
    langchain-community's AimCallbackHandler records prompts and answers of a chain.
    """
    pytest.importorskip("langchain_community")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from langchain_community.callbacks import AimCallbackHandler
        from langchain_core.language_models.fake import FakeListLLM

    handler = AimCallbackHandler(repo=str(repo), experiment_name="chains", system_tracking_interval=None)
    model = FakeListLLM(responses=["an answer"], callbacks=[handler])
    model.invoke("a question")
    handler.flush_tracker(reset=False, finish=True)
    (run,) = runs_of(repo)
    texts = {name for name, _, _ in run.iter_sequence_info_by_type("texts")}

    assert {"on_llm_start", "on_llm_end"} <= texts
    assert ("chains", "finished") == (run.experiment, run.status)


def test_mmengine_trains_and_tests_in_one_run(repo: Path, caplog: pytest.LogCaptureFixture) -> None:
    """
    mmengine's AimVisBackend closes its run after the training and goes on in the test: it is one run, nothing lost.
    """
    pytest.importorskip("mmengine")
    import torch
    from mmengine.evaluator import BaseMetric
    from mmengine.hooks import Hook
    from mmengine.model import BaseModel
    from mmengine.runner import Runner

    class Slope(BaseModel):
        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.Linear(1, 1)

        def forward(self, inputs: Any, mode: str = "tensor") -> Any:
            output = self.layer(inputs)
            return {"loss": (output**2).mean()} if mode == "loss" else [output]

    class Mean(BaseMetric):
        def process(self, data_batch: Any, data_samples: Any) -> None:
            self.results.append(1.0)

        def compute_metrics(self, results: Any) -> dict[str, float]:
            return {"mean": sum(results) / len(results)}

    class ShowsTest(Hook):
        def after_test_epoch(self, runner: Any, metrics: Any = None) -> None:
            runner.visualizer.add_scalars(metrics, step=9)

    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.ones(4, 1)))
    backend = {"type": "AimVisBackend", "init_kwargs": {"repo": str(repo), **QUIET}}
    with warnings.catch_warnings(), caplog.at_level(logging.WARNING, "aim"):
        warnings.simplefilter("ignore")
        runner = Runner(
            model=Slope(),
            work_dir=str(repo / "work"),
            train_dataloader=loader,
            train_cfg={"by_epoch": True, "max_epochs": 2},
            optim_wrapper={"optimizer": {"type": "SGD", "lr": 0.1}},
            test_dataloader=loader,
            test_cfg={},
            test_evaluator=[Mean()],
            custom_hooks=[ShowsTest()],
            default_hooks={"logger": {"type": "LoggerHook", "interval": 1}, "checkpoint": None},
            visualizer={"type": "Visualizer", "name": "aim-test", "vis_backends": [backend]},
        )
        runner.train()
        runner.test()
    runner.visualizer.close()
    (run,) = runs_of(repo)
    names = {name for name, _ in contexts_of(run)}

    assert {"loss", "lr", "mean"} <= names
    assert 8 == len(points(run, "loss"))
    assert "finished" == run.status
    assert 1 == len([record for record in caplog.records if "was closed" in record.message])


def test_aimx_shows_the_params_of_a_run(repo: Path) -> None:
    """
    aimx reads a repository: `query params` shows params, `query metrics` metrics.
    """
    pytest.importorskip("aimx")
    with Run(repo=repo, experiment="digits", **QUIET) as run:
        run["hparams"] = {"lr": 0.125}
        run.track(0.5, name="loss", context={"subset": "train"})
    program = Path(sys.executable).with_name("aimx")
    answers = {}
    for subject in ("params", "metrics"):
        done = subprocess.run(
            [program, "query", subject, "--repo", repo, "--json"], capture_output=True, text=True, check=False
        )
        assert 0 == done.returncode, done.stderr + done.stdout
        answers[subject] = json.dumps(json.loads(done.stdout))

    assert "0.125" in answers["params"]
    assert '"loss"' in answers["metrics"]


def test_ahsi_records_with_its_own_backend(repo: Path) -> None:
    """
    ahsi's AimBackend records the params and metrics of a training.
    """
    pytest.importorskip("ashi")
    from ashi.backends.aim import AimBackend
    from ashi.event import Event

    backend = AimBackend(repo=str(repo), experiment="digits", **QUIET)
    for kind, fields in (
        ("train_start", {"Experiment": "digits", "lr": 0.1}),
        ("epoch_end", {"loss": "0.5"}),
        ("checkpoint", {"Path": "model.pt"}),
        ("train_end", {"Total Steps": "8"}),
    ):
        assert backend.emit(Event(kind=kind, title=kind, fields=fields, step=1))
    (run,) = runs_of(repo)

    assert (0.1, 8.0, "model.pt") == (run["lr"], run["total_steps"], run["checkpoint_path"])
    assert ([(1, 0.5)], "finished") == ([point[:2] for point in points(run, "loss")], run.status)


def test_spacy_trains_with_the_logger_of_aim_spacy(repo: Path) -> None:
    """
    A training of spaCy whose config names aim-spacy's logger records scores and losses.
    """
    spacy = pytest.importorskip("spacy")
    pytest.importorskip("aim_spacy")
    from spacy.cli.init_config import init_config
    from spacy.tokens import DocBin
    from spacy.training.initialize import init_nlp
    from spacy.training.loop import train

    nlp = spacy.blank("en")
    docs = DocBin(store_user_data=True)
    for text, tags in (("good day", "AN"), ("run away", "VR")):
        doc = nlp(text)
        for token, tag in zip(doc, tags):
            token.tag_ = tag
        docs.add(doc)
    docs.to_disk(repo / "docs.spacy")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        config = init_config(lang="en", pipeline=["tagger"], optimize="efficiency", silent=True)
        config["paths"] = {**config["paths"], "train": str(repo / "docs.spacy"), "dev": str(repo / "docs.spacy")}
        config["training"] |= {"max_steps": 3, "eval_frequency": 1}
        config["training"]["logger"] = {
            "@loggers": "spacy.AimLogger.v1", "repo": str(repo), "experiment_name": "texts", "viz_path": None,
            "model_log_interval": None, "image_size": "600,200", "experiment_type": None,
        }  # fmt: skip
        train(init_nlp(config, use_gpu=-1), stdout=sys.stdout, stderr=sys.stderr)
    (run,) = runs_of(repo)
    names = {name for name, _ in contexts_of(run)}

    assert {"Score", "tagger"} <= names
    assert ("texts", ["tok2vec", "tagger"]) == (run.experiment, run["config", "nlp", "pipeline"])


def test_a_logger_of_hydra_is_made_from_yaml(repo: Path) -> None:
    """
    The logger that lightning-hydra-template configures in YAML, with the prefixes that it passes, is made by hydra.
    """
    hydra_utils = pytest.importorskip("hydra.utils")
    from omegaconf import OmegaConf

    config = OmegaConf.create(
        f"""
        root: {repo}
        aim:
          _target_: aim.pytorch_lightning.AimLogger
          repo: ${{root}}
          experiment: null
          train_metric_prefix: "train/"
          val_metric_prefix: "val/"
          test_metric_prefix: "test/"
          system_tracking_interval: 10
          log_system_params: true
          capture_terminal_logs: false
        """
    )
    with pytest.warns(DeprecationWarning, match="context_prefixes"):
        logger = hydra_utils.instantiate(config.aim)
    logger.log_hyperparams({"model": config})
    logger.log_metrics({"train/loss": 0.5, "val/acc": 0.25, "epoch": 0}, step=1)
    logger.close()
    (run,) = runs_of(repo)
    with pytest.warns(DeprecationWarning, match="context_prefixes"):
        later = hydra_utils.instantiate(config.aim, _partial_=True)(experiment="b")

    assert {("loss", "{'subset': 'train'}"), ("acc", "{'subset': 'val'}")} == contexts_of(run)
    assert (str(repo), "b") == (run["hparams", "model", "root"], later.name)
