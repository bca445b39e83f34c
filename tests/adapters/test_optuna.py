"""
The callback of Optuna: studies of a few trials.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.conftest import runs_of
from tests.adapters.readings import QUIET, metrics, points, the_run

optuna = pytest.importorskip("optuna")
AimCallback = pytest.importorskip("aim.optuna").AimCallback


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """
    Optuna prints nothing of failed trials.
    """
    optuna.logging.set_verbosity(optuna.logging.CRITICAL)
    yield
    optuna.logging.set_verbosity(optuna.logging.INFO)


def study_of(**options: Any) -> Any:
    """Return a study that tries random values."""
    return optuna.create_study(study_name="search", sampler=optuna.samplers.RandomSampler(0), **options)


def objective(trial: Any) -> float:
    """Try a number and a word; the second trial is pruned, the third one fails."""
    x = trial.suggest_float("x", 0, 1)
    trial.suggest_categorical("optimizer", ["adam", "sgd"])
    trial.set_user_attr("note", "tried")
    trial.report(x / 2, step=10)
    if trial.number == 1:
        raise optuna.TrialPruned
    if trial.number == 2:
        raise ValueError("no")
    return float(x)


def test_a_study_is_one_run(repo: Path) -> None:
    """
    Values and numeric params are metrics by trial, words are params; pruned and failed trials don't end the study.
    """
    study = study_of()
    callback = AimCallback("loss", repo=repo, experiment_name="search", **QUIET)
    study.optimize(objective, n_trials=4, callbacks=[callback], catch=(ValueError,))
    callback.close()
    run = the_run(repo)
    trials = run.get_table_sequence("trials", {}).values.values_list()[-1]

    assert [(0, study.trials[0].value), (3, study.trials[3].value)] == points(run, "loss")
    assert [0, 1, 2, 3] == [step for step, _ in points(run, "x")]
    assert [(10, study.trials[1].params["x"] / 2)] == points(run, "intermediate", trial=1)
    assert ("pruned", "fail", "complete") == tuple(run["trials", number, "state"] for number in ("1", "2", "3"))
    assert study.trials[0].params == run["trials", "0", "params"]
    assert ("minimize", "search", "tried") == (
        run["hparams", "direction"],
        run["study_name"],
        run["trials", "0", "user_attrs", "note"],
    )
    assert study.best_value == points(run, "best_value")[-1][1]
    assert ["complete", "pruned", "fail", "complete"] == trials["state"]
    assert run.get_figure_sequence("optimization_history", {}) is not None


def test_each_trial_is_a_run_and_the_study_another(repo: Path) -> None:
    """
    The run of a trial has its params, its values and its state; the one that failed has failed.
    """
    study = study_of(direction="maximize")
    callback = AimCallback("loss", as_multirun=True, repo=repo, **QUIET)

    @callback.track_in_aim()
    def tracked(trial: Any) -> float:
        callback.experiment.track(trial.number, name="inside")
        return objective(trial)

    study.optimize(tracked, n_trials=3, callbacks=[callback], catch=(ValueError,))
    callback.close()
    runs = {run.name: run for run in runs_of(repo)}
    trials = [runs[f"trial-{number}"] for number in range(3)]
    (study_run,) = (run for name, run in runs.items() if not str(name).startswith("trial-"))

    assert ["finished", "finished", "failed", "finished"] == [run.status for run in (*trials, study_run)]
    assert ["complete", "pruned", "fail"] == [run["state"] for run in trials]
    assert {**study.trials[0].params, "direction": "maximize"} == trials[0]["hparams"]
    assert (study.trials[0].value, 0) == (trials[0]["loss"], trials[0]["trial_number"])
    assert [[0.0], [1.0], [2.0]] == [[value for _, value in points(run, "inside")] for run in trials]
    assert [(study_run.hash, "search")] * 3 == [(run["study", "run"], run["study", "name"]) for run in trials]
    assert {("best_value", ()), ("loss", ())} == metrics(study_run)


def test_threads_of_a_study_track_into_their_own_runs(repo: Path) -> None:
    """
    With `n_jobs` trials run at once, and `experiment` is the one of the thread.
    """
    callback = AimCallback(as_multirun=True, study_run=False, repo=repo, **QUIET)
    together = threading.Barrier(2)

    @callback.track_in_aim()
    def tracked(trial: Any) -> float:
        together.wait(timeout=120)
        callback.experiment.track(trial.number, name="number")
        return float(trial.suggest_float("x", 0, 1))

    study_of().optimize(tracked, n_trials=4, n_jobs=2, callbacks=[callback])
    callback.close()

    assert {(f"trial-{number}", float(number)) for number in range(4)} == {
        (run.name, value) for run in runs_of(repo) for _, value in points(run, "number")
    }
    assert callback.experiment is None


def test_several_objectives_have_a_name_each(repo: Path) -> None:
    """
    Names are given, or the values are numbered.
    """
    for names, expected in ((["loss", "size"], {"loss", "size"}), ("value", {"value_0", "value_1"})):
        folder = repo / str(len(expected & {"loss"}))
        callback = AimCallback(names, repo=folder, **QUIET)
        study = study_of(directions=["minimize", "maximize"])
        study.optimize(lambda trial: (trial.suggest_float("x", 0, 1), 1.0), n_trials=2, callbacks=[callback])
        callback.close()
        run = the_run(folder)

        assert expected == {name for name, _ in metrics(run)} - {"x"}
        assert ["minimize", "maximize"] == run["hparams", "direction"]
