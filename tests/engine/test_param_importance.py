"""
Which params a metric depends on: what decides it comes first, and chance is worth nothing.
"""

from __future__ import annotations

import numpy as np
import pytest

from aim import Repo, Run
from aim.core.errors import UsageError


@pytest.fixture(name="repo", scope="module")
def _repo(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    """
    Sixty runs: the accuracy depends on the learning rate, half as much on the model, and not on the seed.
    """
    folder = tmp_path_factory.mktemp("importance")
    random = np.random.default_rng(1)
    for seed in range(60):
        rate, model = 10 ** float(random.uniform(-4, -1)), str(random.choice(["small", "large"]))
        with Run(repo=folder, system_tracking_interval=None, capture_terminal_logs=False) as run:
            run["hparams"] = {"lr": rate, "model": model, "seed": seed, "batch_size": 32}
            accuracy = 0.2 * np.log10(rate) + (0.15 if model == "large" else 0) + 0.02 * float(random.normal())
            run.track(accuracy, name="acc", context={"subset": "val"})
            run.track(float("nan"), name="acc", context={"subset": "val"})
    return Repo(str(folder))


def test_what_decides_the_metric_comes_first(repo: Repo) -> None:
    """
    The learning rate, then the model; the seed explains nothing, and a param that is the same in all runs is left out.
    """
    params = repo.importance("val/acc")
    importance = {param.name: param.importance for param in params}

    assert ["hparams.lr", "hparams.model", "hparams.seed"] == [param.name for param in params]
    assert importance["hparams.lr"] > 0.6 > importance["hparams.model"] > 0.05 >= importance["hparams.seed"]
    assert {60} == {param.run_count for param in params}


def test_the_correlation_says_in_which_direction(repo: Repo) -> None:
    """
    Larger rates are better here; a text has no direction.
    """
    params = {
        param.name: param.correlation for param in repo.importance("val/acc", params=["hparams.lr", "hparams.model"])
    }

    assert params["hparams.lr"] is not None
    assert params["hparams.lr"] > 0.8
    assert params["hparams.model"] is None


def test_an_unknown_param_is_refused(repo: Repo) -> None:
    """
    The message has the name that is near.
    """
    with pytest.raises(UsageError, match=r"Did you mean 'hparams.lr'"):
        repo.importance("acc", params=["hparams.ir"])
