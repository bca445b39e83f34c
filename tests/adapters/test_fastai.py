"""
The callback of fastai, on a line through points.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from aim.core.errors import UsageError
from tests.adapters.readings import QUIET, metrics, points, steps, the_run
from tests.adapters.trainings import fastai_learner

pytest.importorskip("fastai.learner")
schedule = pytest.importorskip("fastai.callback.schedule")
adapter = pytest.importorskip("aim.fastai")
TRAIN, VAL = {"subset": "train"}, {"subset": "val"}


def test_a_training_is_recorded(repo: Path) -> None:
    """
    Batches with the subset train, epochs with the subset val; two fits are one curve.
    """
    callback = adapter.AimCallback(str(repo), "line", log_model=True, log_preds=True, n_preds=3, **QUIET)
    learner = fastai_learner(cbs=[callback], path=repo)
    with learner.no_logging():
        learner.fit(1)
        learner.fit(2)
    callback.close()
    run = the_run(repo)

    assert list(range(6)) == steps(run, "loss", **TRAIN)
    assert [1, 3, 5] == steps(run, "loss", **VAL)
    assert [0.5, 1.0, 1.5, 2.0, 2.5, 3.0] == run.get_metric("loss", TRAIN).epochs.values_list()
    assert {("lr_0", (("subset", "train"),)), ("mom_0", (("subset", "train"),))} <= metrics(run)
    assert [0.01] * 6 == pytest.approx([value for _, value in points(run, "lr_0", **TRAIN)])
    assert ["checkpoints/model.pth"] == list(run.artifacts)
    assert 3 == len(run.get_table_sequence("predictions", {}).values.values_list()[-1])
    assert ("Linear", 0.01, 4) == tuple(run["hparams", name] for name in ("model", "lr", "batch_size"))


def test_a_resumed_training_is_one_curve(repo: Path) -> None:
    """
    With `start_epoch=` the steps after that epoch are hidden and recorded again; without it a resumed run is continued.
    """
    first = adapter.AimCallback(str(repo), **QUIET)
    learner = fastai_learner(cbs=[first])
    with learner.no_logging():
        learner.fit(3)
    first.close()
    second = adapter.AimCallback(str(repo), run_hash=the_run(repo).hash, **QUIET)
    learner = fastai_learner(cbs=[second])
    with learner.no_logging():
        learner.fit(2, start_epoch=1)
    second.close()
    run = the_run(repo)
    curves = [run.get_metric("loss", TRAIN).epochs.values_list(), steps(run, "loss", **VAL)]
    third = adapter.AimCallback(str(repo), run_hash=run.hash, **QUIET)
    learner = fastai_learner(cbs=[third])
    with learner.no_logging():
        learner.fit(1)
    third.close()

    assert [[0.5, 1.0, 1.5, 2.0], [1, 3]] == curves
    assert [1] == [rewind.step for rewind in run.rewinds]
    assert list(range(6)) == steps(the_run(repo), "loss", **TRAIN)
    assert 3.0 == the_run(repo).get_metric("loss", TRAIN).epochs.values_list()[-1]


def test_a_search_for_the_learning_rate_records_nothing(repo: Path) -> None:
    """
    `lr_find` and predictions are no training.
    """
    callback = adapter.AimCallback(str(repo), **QUIET)
    learner = fastai_learner(cbs=[callback], path=repo)
    with learner.no_logging():
        learner.lr_find(start_lr=1e-7, end_lr=1e-4, num_it=20, stop_div=False, show_plot=False)
        learner.get_preds()

    assert not (repo / ".aim").exists()


def test_the_names_of_aim_3_are_kept_on_request(repo: Path) -> None:
    """
    Epochs have the names of the recorder, without a context.
    """
    callback = adapter.AimCallback(str(repo), names="aim3", **QUIET)
    learner = fastai_learner(cbs=[callback])
    with learner.no_logging():
        learner.fit(1)
    callback.close()

    assert {("train_loss", (("subset", "train"),)), ("valid_loss", ()), ("train_loss", ())} <= metrics(the_run(repo))
    with pytest.raises(UsageError, match="names"):
        adapter.AimCallback(names="aim2")
