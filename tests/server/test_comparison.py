"""
Two groups of runs, compared over HTTP.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from aim.sdk.repo import Repo
from tests.server.conftest import Browser, MakeBrowser, MakeRun

SCORE = {"name": "score", "context": {}}


@pytest.fixture(name="groups")
def _groups(make_run: MakeRun, make_browser: MakeBrowser) -> Browser:
    """
    Three runs of two optimizers each, with the same seeds.
    """
    for seed, (low, high) in enumerate(((1.0, 2.0), (2.0, 2.5), (3.0, 4.5))):
        for name, value in (("sgd", low), ("adam", high)):
            run = make_run(f"{name}{seed}")
            run["optimizer"], run["seed"] = name, seed
            run.track(value, name="score", step=0)
            run.close()
    return make_browser()


def test_the_answer_is_that_of_the_sdk(groups: Browser, root: Path) -> None:
    """
    The numbers, the method and the sentences are those of `Repo.compare_groups`.
    """
    a, b = [f"sgd{seed}" for seed in range(3)], [f"adam{seed}" for seed in range(3)]
    answer = groups.post("compare-groups", {"metric": SCORE, "a": a, "b": b})
    expected = Repo(str(root)).compare_groups("score", a, b)

    assert (expected.difference, expected.low, expected.high, expected.p) == (
        answer["difference"],
        answer["low"],
        answer["high"],
        answer["p"],
    )
    assert ("paired", "max", ["optimizer"]) == (answer["method"], answer["value"], answer["separated_by"])
    assert {"count": 3, "mean": 2.0, "std": 1.0, "seeds": 3} == answer["a"]
    assert expected.explanation == answer["explanation"]


def test_what_cannot_be_compared_is_refused(groups: Browser) -> None:
    """
    An empty group, an unknown value, a run in both groups, a metric that no run has.
    """
    for body, message in (
        ({"a": [], "b": ["adam0"]}, "`a` must be a list of the hashes"),
        ({"a": ["sgd0"], "b": ["adam0"], "value": "middle"}, "`value` must be one of best"),
        ({"a": ["sgd0"], "b": ["sgd0"]}, "1 runs are in both groups"),
        ({"a": ["sgd0"], "b": ["adam0"], "metric": {"name": "x", "context": {}}}, "no run has a column"),
    ):
        answer = groups.post("compare-groups", {"metric": SCORE, **body}, status=400)
        assert message.lower() in answer["message"].lower(), answer
