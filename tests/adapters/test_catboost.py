"""
The callback and the logger of CatBoost, with trainings of a few trees.
"""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from tests.adapters.readings import QUIET, metrics, points, steps, the_run
from tests.adapters.trainings import FEATURES, LABELS, catboost_model

pytest.importorskip("catboost")
adapter = pytest.importorskip("aim.catboost")


def test_a_training_is_recorded_as_numbers(repo: Path) -> None:
    """
    Values have all their digits, and the summary has params, importances and the model.
    """
    callback = adapter.AimCallback(repo, "boosting", log_model=True, **QUIET)
    model = catboost_model(3)
    model.fit(FEATURES, LABELS, eval_set=(FEATURES, LABELS), callbacks=[callback], verbose=False)
    callback.log_summary(model)
    callback.close()
    run = the_run(repo)
    table = run.get_table_sequence("feature_importance", {}).values.values_list()[-1]
    expected = model.get_evals_result()

    assert list(enumerate(expected["learn"]["Logloss"])) == points(run, "Logloss", subset="learn", log="learn")
    assert list(enumerate(expected["validation"]["Logloss"])) == points(run, "Logloss", subset="validation", log="test")
    assert (2, "Logloss", 2) == (
        run["hparams", "depth"],
        run["hparams", "loss_function"],
        run["best_iteration"],
    )
    assert ("0", ["checkpoints/model.cbm"]) == (table[0]["feature"], list(run.artifacts))


def test_printed_lines_are_recorded_as_aim_3_does(repo: Path) -> None:
    """
    The logger passes the lines on, and records their values with the contexts learn, test and best.
    """
    printed = io.StringIO()
    logger = adapter.AimLogger("Logloss", repo, log_cout=printed, **QUIET)
    catboost_model(3).fit(FEATURES, LABELS, eval_set=(FEATURES, LABELS), log_cout=logger)
    logger.close()
    run = the_run(repo)

    assert {("Logloss", (("log", name),)) for name in ("learn", "test", "best")} == metrics(run)
    assert [0, 1, 2] == steps(run, "Logloss", log="best")
    assert (2, True) == (run["bestIteration"], 0 < run["bestTest"] < 1)
    assert "learn: " in printed.getvalue()


def test_lines_come_in_parts_and_zero_is_a_value(repo: Path) -> None:
    """
    A value of 0 is recorded, a line that says something else is passed on only.
    """
    logger = adapter.AimLogger(repo=repo, log_cout=None, **QUIET)
    for text in ("0:\tlearn: 0.0\tte", "st: 0.5\ttest1: 1\n", "Shrink model to first 2 iterations.\n", "Training\n\n"):
        logger.write(text)
    logger.flush()
    logger.close()
    run = the_run(repo)

    assert [(0, 0.0)] == points(run, "Loss", log="learn")
    assert [(0, 0.5), (0, 1.0)] == [*points(run, "Loss", log="test"), *points(run, "Loss", log="test1")]


def test_a_training_from_a_model_continues_its_steps(repo: Path) -> None:
    """
    With `first_iteration=` a run that is resumed hides what came after the model, and goes on from there.
    """
    first = adapter.AimCallback(repo, **QUIET)
    model = catboost_model(2)
    model.fit(FEATURES, LABELS, callbacks=[first], verbose=False)
    catboost_model(5).fit(FEATURES, LABELS, callbacks=[first], verbose=False)
    first.close()
    second = adapter.AimCallback(repo, run_hash=the_run(repo).hash, first_iteration=model.tree_count_, **QUIET)
    catboost_model(2).fit(FEATURES, LABELS, callbacks=[second], verbose=False, init_model=model)
    second.close()
    run = the_run(repo)

    assert [0, 1, 2, 3] == steps(run, "Logloss", subset="learn", log="learn")
    assert 1 == run.rewinds[-1].step


def test_a_second_training_begins_again(repo: Path) -> None:
    """
    The curve of the first training with the same callback is hidden.
    """
    callback = adapter.AimCallback(repo, **QUIET)
    for iterations in (4, 2):
        catboost_model(iterations).fit(FEATURES, LABELS, callbacks=[callback], verbose=False)
    callback.close()

    assert [0, 1] == steps(the_run(repo), "Logloss", subset="learn", log="learn")
