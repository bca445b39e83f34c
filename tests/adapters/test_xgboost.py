"""
The callback of XGBoost, with trainings of a few trees.
"""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from typing import Any

import pytest

from aim import Run
from tests.adapters.readings import QUIET, metrics, points, steps, the_run
from tests.adapters.trainings import FEATURES, LABELS

xgboost = pytest.importorskip("xgboost")
AimCallback = pytest.importorskip("aim.xgboost").AimCallback

PARAMS = {"objective": "binary:logistic", "max_depth": 2, "eval_metric": ["logloss", "error"], "nthread": 1, "eta": 0.3}


@pytest.fixture(scope="module", name="data")
def _data() -> Any:
    """
    Forty samples.
    """
    return xgboost.DMatrix(FEATURES, label=LABELS)


def test_a_training_is_recorded(repo: Path, data: Any) -> None:
    """
    Each metric of each set has a point an iteration; the params, the importances and the model are there.
    """
    callback = AimCallback(repo, "boosting", log_model=True, **QUIET)
    history: dict[str, Any] = {}
    xgboost.train(
        PARAMS, data, 4, evals=[(data, "train"), (data, "valid")], callbacks=[callback], evals_result=history,
        verbose_eval=False,
    )  # fmt: skip
    callback.close()
    run = the_run(repo)
    table = run.get_table_sequence("feature_importance", {}).values.values_list()[-1]

    assert list(enumerate(history["valid"]["logloss"])) == points(run, "logloss", subset="valid")
    assert {(name, (("subset", subset),)) for name in ("logloss", "error") for subset in ("train", "valid")} == (
        metrics(run)
    )
    assert [0.3, 2, "binary:logistic"] == [run["hparams", name] for name in ("eta", "max_depth", "objective")]
    assert ("f0", ["feature", "gain"]) == (table[0]["feature"], table.columns)
    assert ["checkpoints/model.ubj"] == list(run.artifacts)


def test_cross_validation_has_means_and_deviations(repo: Path, data: Any) -> None:
    """
    The deviation has the context stdv=True, as in Aim 3, and it is the deviation.
    """
    callback = AimCallback(repo, **QUIET)
    table = xgboost.cv(PARAMS, data, 3, nfold=2, callbacks=[callback], verbose_eval=False)
    callback.close()
    run = the_run(repo)

    assert list(enumerate(table["test-logloss-mean"])) == points(run, "logloss", subset="test", stdv=False)
    assert list(enumerate(table["test-logloss-std"])) == points(run, "logloss", subset="test", stdv=True)


def test_early_stopping_tells_the_best_iteration(repo: Path, data: Any) -> None:
    """
    The best iteration and its score are params.
    """
    callback = AimCallback(repo, **QUIET)
    booster = xgboost.train(
        PARAMS, data, 9, evals=[(data, "valid")], callbacks=[callback], early_stopping_rounds=2, verbose_eval=False
    )
    callback.close()
    run = the_run(repo)

    assert (booster.best_iteration, pytest.approx(booster.best_score)) == (run["best_iteration"], run["best_score"])


def test_a_resumed_training_is_one_curve(repo: Path, data: Any) -> None:
    """
    A training that goes on from a model hides what an aborted one recorded later, and continues the steps.
    """
    first = AimCallback(repo, **QUIET)
    booster = xgboost.train(PARAMS, data, 3, evals=[(data, "valid")], callbacks=[first], verbose_eval=False)
    first.experiment.track(9.0, name="logloss", step=7, context={"subset": "valid"})
    first.close()
    second = AimCallback(repo, run_hash=first._run_hash, **QUIET)
    xgboost.train(PARAMS, data, 2, evals=[(data, "valid")], callbacks=[second], xgb_model=booster, verbose_eval=False)
    second.close()

    assert [0, 1, 2, 3, 4] == steps(the_run(repo), "logloss", subset="valid")


def test_a_second_fit_begins_again(repo: Path, data: Any) -> None:
    """
    The curve of the first training is hidden, and the first training hides nothing of the caller's run.
    """
    with Run(repo=str(repo), system_tracking_interval=None) as run:
        run.track(1.0, name="before", step=5)
        callback = AimCallback(run=run)
        xgboost.train(PARAMS, data, 4, evals=[(data, "valid")], callbacks=[callback], verbose_eval=False)
        assert [(5, 1.0)] == points(run, "before")
        xgboost.train(PARAMS, data, 2, evals=[(data, "valid")], callbacks=[callback], verbose_eval=False)

        assert [0, 1] == steps(run, "logloss", subset="valid")


def test_an_estimator_with_the_callback_is_copied_and_pickled(repo: Path) -> None:
    """
    A fitted `XGBClassifier` is cloned and pickled, and its copy records into the same run.
    """
    model = xgboost.XGBClassifier(n_estimators=2, callbacks=[AimCallback(repo, **QUIET)], n_jobs=1)
    model.fit(FEATURES, LABELS, eval_set=[(FEATURES, LABELS)], verbose=False)
    again = pickle.loads(pickle.dumps(model))  # noqa: S301
    copy.deepcopy(model)
    again.callbacks[0].experiment.track(1.0, name="from_the_copy")
    again.callbacks[0].close()
    model.callbacks[0].close()
    run = the_run(repo)

    assert [0, 1] == steps(run, "logloss", subset="validation_0")
    assert [1.0] == [value for _, value in points(run, "from_the_copy")]
