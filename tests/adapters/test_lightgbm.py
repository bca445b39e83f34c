"""
The callback of LightGBM, with trainings of a few trees.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.adapters.readings import QUIET, metrics, points, steps, the_run
from tests.adapters.trainings import FEATURES, LABELS

lightgbm = pytest.importorskip("lightgbm")
AimCallback = pytest.importorskip("aim.lightgbm").AimCallback

PARAMS: dict[str, Any] = {
    "objective": "binary",
    "metric": ["auc", "binary_logloss"],
    "verbose": -1,
    "num_threads": 1,
    "min_data_in_leaf": 2,
}


def data() -> Any:
    """Return a set of forty samples."""
    return lightgbm.Dataset(FEATURES, label=LABELS, free_raw_data=False)


def test_a_training_is_recorded(repo: Path) -> None:
    """
    Each metric of each set has a point an iteration; the params, the importances and the model are there.
    """
    callback = AimCallback(repo, "boosting", log_model=True, **QUIET)
    history: dict[str, Any] = {}
    samples = data()
    lightgbm.train(
        PARAMS, samples, 3, valid_sets=[samples], valid_names=["valid"],
        callbacks=[callback, lightgbm.record_evaluation(history)],
    )  # fmt: skip
    callback.close()
    run = the_run(repo)
    table = run.get_table_sequence("feature_importance", {}).values.values_list()[-1]

    assert list(enumerate(history["valid"]["auc"])) == points(run, "auc", subset="valid", data_name="valid")
    assert {(name, (("data_name", "valid"), ("subset", "valid"))) for name in PARAMS["metric"]} == metrics(run)
    assert ("binary", 2) == (run["hparams", "objective"], run["hparams", "min_data_in_leaf"])
    assert ("Column_0", ["feature", "gain", "split"]) == (table[0]["feature"], table.columns)
    assert ["checkpoints/model.txt"] == list(run.artifacts)


def test_cross_validation_has_the_names_of_aim_3(repo: Path) -> None:
    """
    Mean and deviation are metrics of their own names; LightGBM 4.7 tells them otherwise than before.
    """
    callback = AimCallback(repo, **QUIET)
    result = lightgbm.cv(PARAMS, data(), 3, nfold=2, callbacks=[callback], seed=0)
    callback.close()
    run = the_run(repo)

    assert list(enumerate(result["valid auc-mean"])) == points(run, "auc-mean", subset="valid", data_name="valid")
    assert list(enumerate(result["valid auc-stdv"])) == points(run, "auc-stdv", subset="valid", data_name="valid")


def test_results_of_older_versions_are_read() -> None:
    """
    Before 4.7 the data set was a word before the metric's name.
    """
    from aim.sdk.adapters.lightgbm import _scores

    assert [("valid", {"auc-mean": 0.5, "auc-stdv": 0.1})] == list(_scores([("cv_agg", "valid auc", 0.5, True, 0.1)]))


def test_a_summary_is_logged_after_early_stopping(repo: Path) -> None:
    """
    `log_summary` takes the booster, or the estimator that was fitted.
    """
    callback = AimCallback(repo, **QUIET)
    model = lightgbm.LGBMClassifier(n_estimators=50, n_jobs=1, verbose=-1)
    model.fit(
        FEATURES, LABELS, eval_set=[(FEATURES[:4], LABELS[:4])],
        callbacks=[callback, lightgbm.early_stopping(2, verbose=False)],
    )  # fmt: skip
    callback.log_summary(model)
    callback.close()
    run = the_run(repo)

    assert model.best_iteration_ - 1 == run["best_iteration"]
    assert model.best_score_["valid_0"]["binary_logloss"] == run["best_score", "valid_0", "binary_logloss"]
    assert run.get_table_sequence("feature_importance", {}) is not None


def test_a_training_that_goes_on_continues_its_steps(repo: Path) -> None:
    """
    With `init_model=` the iterations go on.
    """
    callback = AimCallback(repo, **QUIET)
    samples = data()
    booster = lightgbm.train(PARAMS, samples, 2, valid_sets=[samples], callbacks=[callback])
    lightgbm.train(PARAMS, samples, 2, valid_sets=[samples], callbacks=[callback], init_model=booster)
    callback.close()

    assert [0, 1, 2, 3] == steps(the_run(repo), "auc", subset="training", data_name="training")


def test_subclasses_hear_of_each_iteration(repo: Path) -> None:
    """
    `before_tracking` and `after_tracking` are called around the values, as in Aim 3.
    """
    heard = []

    class Child(AimCallback):  # type: ignore[misc, valid-type]
        """A callback with hooks."""

        def before_tracking(self, env: Any) -> None:
            """Take note."""
            heard.append(("before", env.iteration))

        def after_tracking(self, env: Any) -> None:
            """Take note."""
            heard.append(("after", env.iteration))

    samples = data()
    lightgbm.train(PARAMS, samples, 2, valid_sets=[samples], callbacks=[Child(repo, **QUIET)])

    assert [("before", 0), ("after", 0), ("before", 1), ("after", 1)] == heard
