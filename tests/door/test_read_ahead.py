"""
How often a server is asked, and how much at once, when many runs are read.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from aim import Repo, Run
from aim.core.errors import UsageError
from aim.engine.remote import door
from aim.engine.remote.connection import ServerConnection, ServerRequest, ServerStream
from aim.server import points
from tests.door.conftest import Served
from tests.door.served import ServedRepo

RUNS, POINTS = 60, 4


@pytest.fixture(name="repo")
def _repo(served: Iterator[Served]) -> Repo:
    """
    A repository of some runs, each with a param and two metrics, read over HTTP.
    """
    repo = ServedRepo(*next(served))
    for number in range(RUNS):
        run = Run(repo=repo, system_tracking_interval=None, capture_terminal_logs=False)
        run["lr"] = number
        for step in range(POINTS):
            run.track(number + step / 8, name="loss", step=step)
            run.track(number, name="epochs", step=step)
        run.close()
    return repo


@pytest.fixture(name="asked")
def _asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """
    The last part of the address of each request.
    """
    names: list[str] = []
    stream = ServerConnection.stream

    def noted(connection: ServerConnection, request: ServerRequest) -> ServerStream:
        names.append(request.path.partition("?")[0].rpartition("/")[2])
        return stream(connection, request)

    monkeypatch.setattr(ServerConnection, "stream", noted)
    return names


def curves(repo: Repo) -> list[list[float]]:
    """Return the values of all curves of the loss, by run."""
    return sorted(metric.values.values_list() for metric in repo.query_metrics("metric.name == 'loss'"))


CURVES = [[number + step / 8 for step in range(POINTS)] for number in range(RUNS)]


def test_requests_are_few_however_many_runs_there_are(repo: Repo, asked: list[str]) -> None:
    """
    Runs with their params, curves, and a data frame of both take some requests of each kind, none a run.
    """
    assert list(range(RUNS)) == sorted(run["lr"] for run in repo.iter_runs())
    assert CURVES == curves(repo)
    frame = repo.query_metrics("metric.name in ('loss', 'epochs')").dataframe(only_last=True)

    assert frame is not None
    assert (2 * RUNS, sorted(2 * list(range(RUNS)))) == (len(frame), sorted(frame["run.lr"]))
    assert max(map(asked.count, asked)) <= 12, asked


def test_more_points_than_one_request_may_have_take_several(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A server refuses what is too much at once, and the client divides it; one sequence alone can't be divided.
    """
    monkeypatch.setattr(points, "POINTS_MAX", 3 * POINTS)

    assert CURVES == curves(repo)
    monkeypatch.setattr(points, "POINTS_MAX", POINTS - 1)
    with pytest.raises(UsageError, match=f"have {POINTS} points; at most {POINTS - 1}"):
        curves(repo)


def test_long_curves_are_not_read_far_ahead(repo: Repo, monkeypatch: pytest.MonkeyPatch, asked: list[str]) -> None:
    """
    Reading ahead ends where memory would be taken for many points, and begins again from there.
    """
    monkeypatch.setattr(door, "POINTS_AHEAD_MAX", 10 * POINTS)

    assert CURVES == curves(repo)
    assert RUNS / 10 <= asked.count("points") < 15
