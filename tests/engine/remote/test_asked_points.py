"""
What travels of a curve of a server when only a part of it is asked for, as the access log of the server says it.
"""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aim import Metric, Repo, Run
from aim.core.errors import RunNotFound
from aim.server.settings import Settings
from tests.server.conftest import RunningServer

POINTS = 100_000
LITTLE_BYTES = 4_000
DEADLINE_S = 60.0
LARGE = 2**60 + 1


class LoggedServer:
    """
    A server of one repository, whose access log tells what it has sent.
    """

    def __init__(self, folder: Path) -> None:
        self.root = folder / "vision"
        self._log = folder / "access.log"
        self._server = RunningServer(Settings((self.root,), port=0, access_log=str(self._log)))
        self.repo = Repo(f"{self._server.address}vision")

    def sent_bytes(self, ask: Callable[[], object]) -> list[int]:
        """Return how many bytes each answer with points had that *ask* needed."""
        before = len(self._lines())
        ask()
        urllib.request.urlopen(f"{self._server.address}healthz").close()
        until_s = time.monotonic() + DEADLINE_S
        while sum(line["path"] == "/healthz" for line in self._lines()[before:]) == 0:
            assert time.monotonic() < until_s
        return [line["bytes"] for line in self._lines()[before:] if line["path"].endswith("/points")]

    def _lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._log.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]

    def stop(self) -> None:
        """Stop the server."""
        assert self._server.stop()


@pytest.fixture(name="server", scope="module")
def _server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LoggedServer]:
    """
    A server whose run `long` has a curve of 100,000 points, one of large integers, and an empty one.
    """
    folder = tmp_path_factory.mktemp("asked")
    with Run("long", repo=str(folder / "vision"), create=True, system_tracking_interval=None) as run:
        for step in range(POINTS):
            run.track(step / 2, name="loss", step=10 * step)
        for step in range(3):
            run.track(LARGE + step, name="count", step=step)
    server = LoggedServer(folder)
    yield server
    server.stop()


def metric_of(server: LoggedServer, name: str = "loss") -> Metric:
    """Return a metric of the run."""
    metric = server.repo.get_run("long").get_metric(name)
    assert metric is not None
    return metric


@pytest.mark.parametrize(
    ("ask", "expected"),
    [
        (lambda metric: metric.values.last(), (10 * (POINTS - 1), (POINTS - 1) / 2)),
        (lambda metric: metric.values.last_value(), (POINTS - 1) / 2),
        (lambda metric: metric.values.first(), (0, 0.0)),
        (lambda metric: len(metric.values), POINTS),
        (len, POINTS),
        (lambda metric: (metric.first, metric.last, metric.count)[1], (POINTS - 1) / 2),
        (lambda metric: (metric.first_step(), metric.last_step()), (0, 10 * (POINTS - 1))),
        (lambda metric: [part.tolist() for part in metric.values.tail(2)], [[999_980, 999_990], [49_999.0, 49_999.5]]),
    ],
    ids=["last", "last value", "first", "length", "len of a metric", "properties", "steps", "tail"],
)
def test_a_part_of_a_curve_costs_a_part_of_its_bytes(
    server: LoggedServer, ask: Callable[[Metric], Any], expected: Any
) -> None:
    """
    Of a curve of 2.4 MB a few kilobytes travel when its ends, its length or its last points are asked for.
    """
    metric, answers = metric_of(server), []
    sent = server.sent_bytes(lambda: answers.append(ask(metric)))

    assert [expected] == answers
    assert 1 <= len(sent) <= 3
    assert LITTLE_BYTES * len(sent) > sum(sent)


def test_a_whole_curve_takes_one_request(server: LoggedServer) -> None:
    """
    Who asks for all values gets them at once: the ends are not asked for before.
    """
    view = metric_of(server).values
    (size_bytes,) = server.sent_bytes(lambda: np.testing.assert_array_equal(view[:], np.arange(POINTS) / 2))

    assert size_bytes > 8 * POINTS
    assert [] == server.sent_bytes(lambda: (view.last(), view.first(), len(view), view.tail(5)))


def test_integers_keep_all_their_digits(server: LoggedServer) -> None:
    """
    The first, the last, and the last two of integers that no double holds.
    """
    values = metric_of(server, "count").values

    assert [(0, LARGE), (2, LARGE + 2), 3] == [values.first(), values.last(), len(values)]
    assert [LARGE + 1, LARGE + 2] == values.tail(2)[1].tolist()


def test_a_view_does_not_change_when_more_is_tracked(server: LoggedServer) -> None:
    """
    The points of a view are those of its first question.
    """
    run = Run("grows", repo=str(server.root), create=True, system_tracking_interval=None)
    for step in range(10):
        run.track(float(step), name="loss", step=step)
    metric = server.repo.get_run("grows").get_metric("loss")
    assert metric is not None
    view, later = metric.values, metric.values
    assert 9.0 == view.last_value()
    for step in range(10, 20):
        run.track(float(step), name="loss", step=step)
    run.close()

    assert (10, list(range(10)), 19.0) == (len(view), view.values_list(), later.last_value())
    assert [8, 9] == view.tail(2)[0].tolist()


def test_a_metric_that_is_not_there_is_an_error_when_it_is_asked_for(server: LoggedServer) -> None:
    """
    The error is that of a folder; it comes with the first question.
    """
    run = metric_of(server).run
    with pytest.raises(RunNotFound, match="has no sequence 'nothing'"):
        Metric("nothing", metric_of(server).context, run).values.last()
    with pytest.raises(RunNotFound, match="has no sequence 'nothing'"):
        Metric("nothing", metric_of(server).context, run).values.sparse_list()
