"""
The logger and the handlers of Ignite, on engines of a few iterations.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.adapters.readings import QUIET, metrics, points, steps, the_run
from tests.adapters.trainings import ignite_trainer

engines = pytest.importorskip("ignite.engine")
torch = pytest.importorskip("torch")
adapter = pytest.importorskip("aim.pytorch_ignite")
Events = engines.Events


def evaluator_of(values: dict[str, Any]) -> Any:
    """Return an engine that has metrics."""
    evaluator = engines.Engine(lambda engine, batch: None)
    evaluator.add_event_handler(Events.EPOCH_COMPLETED, lambda engine: engine.state.metrics.update(values))
    return evaluator


def test_engines_are_recorded_with_their_subsets(repo: Path) -> None:
    """
    Tags that name a subset become one; the step of an evaluator is the trainer's.
    """
    logger = adapter.AimLogger(str(repo), "digits", **QUIET)
    trainer = ignite_trainer(logger)
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.5)
    logger.attach_opt_params_handler(trainer, Events.EPOCH_STARTED, optimizer=optimizer)
    for tag, value in (("validation", 0.25), ("test", 0.75), ("fold1", 1.0)):
        evaluator = evaluator_of({"accuracy": value, "note": "a text"})
        logger.attach_output_handler(
            evaluator, Events.EPOCH_COMPLETED, tag=tag, metric_names=["accuracy"],
            global_step_transform=adapter.global_step_from_engine(trainer),
        )  # fmt: skip
        trainer.add_event_handler(Events.EPOCH_COMPLETED, lambda engine, evaluator=evaluator: evaluator.run([0]))
    logger.log_params({"depth": 3})
    trainer.run(range(3), max_epochs=2)
    logger.close()
    run = the_run(repo)

    assert [1, 2, 3, 4, 5, 6] == steps(run, "loss", subset="train")
    assert [(1, 0.25), (2, 0.25)] == points(run, "accuracy", subset="val")
    assert [(1, 0.75), (2, 0.75)] == points(run, "accuracy", subset="test")
    assert {("fold1_accuracy", ()), ("lr_group_0", ())} <= metrics(run)
    assert ([(0, 0.5), (1, 0.5)], 3) == (
        [(index, value) for index, (_, value) in enumerate(points(run, "lr_group_0"))],
        run["hparams", "depth"],
    )
    assert ("digits", run.hash) == (logger.name, logger.version)
    assert logger.save_dir.startswith(str(repo))


def test_a_resumed_training_is_one_curve(repo: Path) -> None:
    """
    A run that is taken back to the iteration of the checkpoint goes on from there.
    """
    first = adapter.AimLogger(str(repo), **QUIET)
    trainer = ignite_trainer(first)
    trainer.run(range(3), max_epochs=1)
    checkpoint = trainer.state_dict()
    trainer.run(range(3), max_epochs=4)
    first.close()
    second = adapter.AimLogger(str(repo), run_hash=first.version, **QUIET)
    resumed = ignite_trainer(second)
    resumed.load_state_dict(checkpoint)
    second.experiment.rewind(resumed.state.iteration)
    resumed.run(range(3), max_epochs=2)
    second.close()

    assert [1, 2, 3, 4, 5, 6] == steps(the_run(repo), "loss", subset="train")


def test_weights_and_gradients_are_recorded(repo: Path) -> None:
    """
    Numbers and distributions, of all weights or of those that a function chooses.
    """
    model = torch.nn.Linear(2, 1)
    model(torch.ones(1, 2)).sum().backward()
    logger = adapter.AimLogger(str(repo), **QUIET)
    trainer = engines.Engine(lambda engine, batch: None)
    for handler in (
        adapter.WeightsScalarHandler(model),
        adapter.GradsScalarHandler(model, tag="net"),
        adapter.WeightsHistHandler(model, whitelist=lambda name, _: name == "weight"),
        adapter.GradsHistHandler(model),
    ):
        logger.attach(trainer, log_handler=handler, event_name=Events.ITERATION_COMPLETED)
    trainer.run([0])
    logger.close()
    run = the_run(repo)

    assert {
        ("weights_norm/weight", ()),
        ("weights_norm/bias", ()),
        ("net_grads_norm/weight", ()),
        ("net_grads_norm/bias", ()),
    } == metrics(run)
    assert run.get_distribution_sequence("weight", {"type": "data"}) is not None
    assert run.get_distribution_sequence("bias", {"type": "data"}) is None
    assert run.get_distribution_sequence("bias", {"type": "gradients"}) is not None


def test_a_subset_can_be_dropped(repo: Path) -> None:
    """
    A prefix of None leaves the names whole.
    """
    logger = adapter.AimLogger(str(repo), train_metric_prefix=None, **QUIET)
    logger.log_metrics({"train_loss": 0.5, "val_loss": 0.25}, step=1)
    logger.close()

    assert {("train_loss", ()), ("loss", (("subset", "val"),))} == metrics(the_run(repo))
