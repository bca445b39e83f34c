"""
Sweeps of W&B: searches that run in this process.
"""

from __future__ import annotations

import itertools
import math
import random
from typing import Any

import pytest

import aim.wandb as wandb
from aim import Repo
from aim.core.errors import UsageError
from aim.wandb.sweeps import drawn, endless, grid


def test_a_grid_is_a_run_for_each_combination(caplog: pytest.LogCaptureFixture) -> None:
    """
    What was chosen is above what the script sets, and the run names its sweep.
    """

    def train() -> None:
        with wandb.init(config={"lr": 1.0, "epochs": 2}) as run:
            run.config.lr = 5.0
            run.log({"loss": run.config.lr * run.config.depth})

    search = {"method": "grid", "parameters": {"lr": {"values": [0.1, 0.2]}, "depth": {"min": 1, "max": 2}}}
    sweep_id = wandb.sweep(search, project="search")
    wandb.agent(sweep_id, function=train)
    runs = list(Repo(".").iter_runs())

    assert {(0.1, 1), (0.1, 2), (0.2, 1), (0.2, 2)} == {(run["lr"], run["depth"]) for run in runs}
    assert {(2, "search", sweep_id, "finished")} == {
        (run["epochs"], run.experiment, run["wandb", "sweep_id"], run.status) for run in runs
    }
    assert all(run["lr"] * run["depth"] == run.get_metric("loss").values.tolist()[0] for run in runs)
    assert 1 == sum("wandb.config.lr" in message for message in caplog.messages)


def test_a_function_that_raises_ends_its_run_and_not_the_search() -> None:
    """
    The run has failed, and the next choice is tried.
    """

    def train() -> None:
        run = wandb.init()
        if run.config.lr < 1:
            raise ValueError("too slow")

    wandb.agent(wandb.sweep({"method": "grid", "parameters": {"lr": {"values": [0.5, 2]}}}), train)

    assert {(0.5, "failed"), (2, "finished")} == {(run["lr"], run.status) for run in Repo(".").iter_runs()}
    assert {} == dict(wandb.config)


def test_a_random_search_ends_after_the_count() -> None:
    """
    Bayes is random here; nested parameters are nested.
    """
    search = {"method": "bayes", "parameters": {"optimizer": {"parameters": {"lr": {"min": 0.1, "max": 0.2}}}}}
    wandb.agent(wandb.sweep(search), lambda: wandb.init(), count=3)
    rates = [run["optimizer", "lr"] for run in Repo(".").iter_runs()]

    assert 3 == len(set(rates))
    assert all(0.1 <= rate <= 0.2 for rate in rates)


@pytest.mark.parametrize(
    ("settings", "low", "high"),
    [
        ({"min": 1, "max": 3}, 1, 3),
        ({"min": 0.0, "max": 1.0}, 0, 1),
        ({"distribution": "q_uniform", "min": 0, "max": 10, "q": 5}, 0, 10),
        ({"distribution": "log_uniform_values", "min": 0.01, "max": 1.0}, 0.01, 1),
        ({"distribution": "log_uniform", "min": -2, "max": 0}, math.exp(-2), 1),
        ({"distribution": "normal", "mu": 5, "sigma": 0}, 5, 5),
        ({"distribution": "log_normal", "mu": 0, "sigma": 0}, 1, 1),
        ({"value": 7}, 7, 7),
        ({"values": [3, 4], "probabilities": [0, 1]}, 4, 4),
    ],
    ids=repr,
)
def test_values_are_drawn_from_their_distribution(settings: dict[str, Any], low: float, high: float) -> None:
    """
    Each value is in its range, and steps of `q` are kept.
    """
    choices = itertools.islice(endless({"x": settings}, random.Random(0)), 50)
    values = [choice["x"] for choice in choices]

    assert low <= min(values) <= max(values) <= high
    assert all(value % settings["q"] == 0 for value in values if "q" in settings)


def test_what_is_no_search_is_an_error() -> None:
    """
    A wrong method, a range in a grid, an unknown distribution, a sweep of another process.
    """
    with pytest.raises(UsageError, match="method"):
        wandb.sweep({"method": "guess", "parameters": {"a": {"value": 1}}})
    with pytest.raises(UsageError, match="needs values"):
        list(grid({"a": {"min": 0.0, "max": 1.0}}))
    with pytest.raises(UsageError, match="no distribution 'beta'"):
        drawn({"distribution": "beta", "min": 0, "max": 1}, random.Random(0))
    with pytest.raises(UsageError, match="of this process"):
        wandb.agent("team/project/abcd", lambda: None)
