"""
What holds for every adapter, tried with the smallest training of its framework.
"""

from __future__ import annotations

import importlib
import pickle
from pathlib import Path
from typing import Any

import pytest

from aim import Run
from aim.core.errors import UsageError
from tests.adapters.readings import QUIET, points, the_run
from tests.adapters.trainings import TRAININGS, Training

each_training = pytest.mark.parametrize("training", TRAININGS, ids=str)


def made(training: Training, repo: object = None, **options: Any) -> Any:
    """Return a new adapter."""
    adapter = getattr(importlib.import_module(training.module), training.name)
    return adapter(repo=repo, **training.options, **options)


@each_training
def test_a_training_and_what_follows_are_one_finished_run(
    training: Training, repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    The run begins with the training, goes on with what the caller tracks after it, and is finished by `close`.
    """
    monkeypatch.setenv("AIM_ADAPTER_STRICT", "1")
    adapter = made(training, str(repo), run_name="first", tags=["a"], **QUIET)
    assert not (repo / ".aim").exists()
    training.train(adapter)
    adapter.experiment.track(0.5, name="by_hand")
    adapter.close()
    run = the_run(repo)

    assert ("finished", "first", ["a"]) == (run.status, run.name, run.tags)
    assert len(points(run, training.metric[0], **training.metric[1])) >= 2
    assert [0.5] == [value for _, value in points(run, "by_hand")]


@each_training
def test_the_long_path_has_the_same_class(training: Training) -> None:
    """
    `aim.<name>` and `aim.sdk.adapters.<name>` give one class.
    """
    long_path = importlib.import_module(training.module.replace("aim.", "aim.sdk.adapters."))

    assert getattr(long_path, training.name) is getattr(importlib.import_module(training.module), training.name)


@each_training
def test_the_run_of_the_caller_is_used_and_stays_open(training: Training, repo: Path) -> None:
    """
    With `run=` nothing is closed, and every value has the base context.
    """
    with Run(repo=str(repo), system_tracking_interval=None) as run:
        adapter = made(training, run=run, context={"fold": 3})
        training.train(adapter)
        adapter.close()
        name, context = training.metric

        assert run.active
        assert len(points(run, name, fold=3, **context)) >= 2


@each_training
def test_another_rank_records_nothing(training: Training, repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The second process of a training makes no run.
    """
    monkeypatch.setenv("RANK", "1")
    adapter = made(training, str(repo), **QUIET)
    training.train(adapter)
    adapter.close()

    assert not (repo / ".aim").exists()


@each_training
def test_a_failure_of_recording_does_not_end_the_training(training: Training, repo: Path) -> None:
    """
    A repository that can't be made costs the record, not the training; the failure is counted.
    """
    (repo / "file").write_text("no folder")
    adapter = made(training, str(repo / "file"), **QUIET)
    training.train(adapter)

    assert adapter._session.failures.counts


@each_training
def test_an_adapter_is_pickled_and_goes_on_in_the_same_run(training: Training, repo: Path) -> None:
    """
    A copy in another process attaches to the run by its hash.
    """
    adapter = made(training, str(repo), **QUIET)
    adapter.experiment.track(0.5, name="by_hand", step=0)
    copied = pickle.loads(pickle.dumps(adapter))  # noqa: S301
    copied.experiment.track(0.25, name="by_hand", step=1)
    copied.close()
    adapter.close()

    assert [(0, 0.5), (1, 0.25)] == points(the_run(repo), "by_hand")


@each_training
def test_an_argument_that_no_adapter_takes_is_an_error(training: Training) -> None:
    """
    A typo is said at once, with the name.
    """
    with pytest.raises(UsageError, match="'rum_name'"):
        made(training, rum_name="first")
