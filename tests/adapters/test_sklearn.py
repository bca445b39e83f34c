"""
scikit-learn: estimators that are recorded by a call, and by themselves.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from aim import Run
from tests.adapters.conftest import runs_of
from tests.adapters.readings import QUIET, metrics, points, the_run
from tests.adapters.trainings import FEATURES, LABELS

linear_model = pytest.importorskip("sklearn.linear_model")
model_selection = pytest.importorskip("sklearn.model_selection")
pipeline = pytest.importorskip("sklearn.pipeline")
preprocessing = pytest.importorskip("sklearn.preprocessing")
adapter = pytest.importorskip("aim.sklearn")


@pytest.fixture(autouse=True)
def _undone() -> Iterator[None]:
    """
    No test leaves the library changed.
    """
    yield
    adapter.autolog(disable=True)


def test_a_fitted_estimator_is_recorded_by_a_call(repo: Path) -> None:
    """
    Params, scores, importances and the model are recorded into the run of the caller, which stays open.
    """
    model = linear_model.LogisticRegression(C=0.5).fit(FEATURES, LABELS)
    with Run(repo=str(repo), system_tracking_interval=None) as run:
        adapter.log_fit(run, model, FEATURES, LABELS, log_model=True)
        assert run.active
    run = the_run(repo)

    assert ("LogisticRegression", 0.5) == (run["hparams", "class"], run["hparams", "C"])
    assert {(name, (("subset", "train"),)) for name in ("score", "accuracy", "precision", "recall", "f1")} == (
        metrics(run)
    )
    assert [model.score(FEATURES, LABELS)] == [value for _, value in points(run, "score", subset="train")]
    assert 3 == len(run.get_table_sequence("feature_importance", {}).values.values_list()[-1])
    assert ["checkpoints/model.joblib"] == list(run.artifacts)


def test_autolog_records_each_outermost_fit_until_it_is_undone(repo: Path) -> None:
    """
    A pipeline and a search are one run each, whatever they fit inside; the `fit` of each class comes back as it was.
    """
    before = linear_model.LogisticRegression.fit
    adapter.autolog(str(repo), "sklearn", log_system_params=False)
    pipeline.make_pipeline(preprocessing.StandardScaler(), linear_model.Ridge(alpha=0.5)).fit(FEATURES, LABELS)
    search = model_selection.GridSearchCV(linear_model.LogisticRegression(), {"C": [0.1, 10.0]}, cv=2)
    search.fit(FEATURES, LABELS)
    adapter.autolog(disable=True)
    linear_model.LogisticRegression().fit(FEATURES, LABELS)
    first, second = runs_of(repo)

    assert before is linear_model.LogisticRegression.fit
    assert ("Pipeline", 0.5) == (first["hparams", "class"], first["hparams", "ridge__alpha"])
    assert {("r2", (("subset", "train"),)), ("rmse", (("subset", "train"),))} <= metrics(first)
    assert ("GridSearchCV", search.best_params_) == (second["hparams", "class"], second["best_params"])
    assert search.best_score_ == second["best_score"]
    assert 2 == len(second.get_table_sequence("cv_results", {}).values.values_list()[-1])
    assert ["finished", "finished"] == [first.status, second.status]


def test_a_fit_that_fails_raises_its_own_error_and_its_run_has_failed(repo: Path) -> None:
    """
    Recording changes nothing of what the library does.
    """
    adapter.autolog(str(repo), log_system_params=False)

    with pytest.raises(ValueError, match="NaN"):
        linear_model.LinearRegression().fit([[float("nan")]], [1.0])
    assert ("failed", "ValueError") == (the_run(repo).status, the_run(repo).error)


def test_a_failure_of_recording_does_not_end_the_training(repo: Path) -> None:
    """
    A repository that can't be made costs the record, not the fit.
    """
    (repo / "file").write_text("no folder")
    adapter.autolog(str(repo / "file"), log_system_params=False)

    assert linear_model.LinearRegression().fit(FEATURES, LABELS).coef_.shape == (3,)


def test_a_wrong_argument_is_an_error_at_once() -> None:
    """
    A typo is no surprise in the first fit.
    """
    with pytest.raises(TypeError, match="'rum_name'"):
        adapter.autolog(rum_name="x")


def test_estimators_without_labels_have_their_score(repo: Path) -> None:
    """
    A clustering has a score, and no accuracy.
    """
    cluster = pytest.importorskip("sklearn.cluster")
    model = cluster.KMeans(2, n_init=1, random_state=0).fit(FEATURES)
    with Run(repo=str(repo), **{name: value for name, value in QUIET.items() if name != "log_system_params"}) as run:
        adapter.log_fit(run, model, FEATURES)

    assert {("score", (("subset", "train"),))} == metrics(the_run(repo))
