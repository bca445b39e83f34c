"""
`repo.runs`: runs that match, in the order of a column.
"""

from __future__ import annotations

import pytest

from aim import Repo, Run
from aim.core.errors import InvalidQuery, UsageError


@pytest.fixture(name="runs")
def _runs(repo: Repo) -> list[str]:
    """
    The hashes of four runs; the third has no loss, and the losses of the fourth are those of two contexts.
    """
    hashes = []
    for index, losses in enumerate([[3.0, 2.0], [1.0, 5.0], [], [9.0]]):
        with Run(
            repo=repo,
            name=f"run {index}",
            config={"lr": index},
            system_tracking_interval=None,
            capture_terminal_logs=False,
        ) as run:
            for loss in losses:
                run.track(loss, name="loss")
            if index == 3:
                run.track(0.0, name="loss", context={"subset": "val"})
            hashes.append(run.hash)
    return hashes


def test_runs_come_newest_first(repo: Repo, runs: list[str]) -> None:
    """
    Without a column the order is that of all lists of runs, and what is returned are runs.
    """
    listed = repo.runs()

    assert runs[::-1] == [run.hash for run in listed]
    assert all(isinstance(run, Run) and run.read_only for run in listed)


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("loss.min", [1, 0, 3, 2]),
        ("-loss.max", [3, 1, 0, 2]),
        ("loss[subset=val].last", [3, 2, 1, 0]),
        ("loss.argmin", [3, 1, 0, 2]),
        ("lr", [0, 1, 2, 3]),
        ("-name", [3, 2, 1, 0]),
    ],
)
def test_runs_are_sorted_by_any_column(repo: Repo, runs: list[str], sort: str, expected: list[int]) -> None:
    """
    A summary, a param or a property orders them; runs without a value come last, both ways.
    """
    assert expected == [runs.index(run.hash) for run in repo.runs(sort=sort)]


def test_a_query_and_a_limit_leave_the_best(repo: Repo, runs: list[str]) -> None:
    """
    The limit counts after the query and the order.
    """
    assert [runs[0]] == [run.hash for run in repo.runs("run.lr != 1", sort="loss.min", limit=1)]
    assert [] == repo.runs("run.lr == 77")


def test_an_unknown_column_and_a_wrong_query_are_errors(repo: Repo, runs: list[str]) -> None:
    """
    Nothing is silently unsorted or empty.
    """
    with pytest.raises(UsageError, match=r"No run has a column 'los\.min'\. Did you mean 'loss\.min'"):
        repo.runs(sort="los.min")
    with pytest.raises(InvalidQuery):
        repo.runs("run.lr ==")
