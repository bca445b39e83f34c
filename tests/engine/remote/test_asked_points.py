"""
What travels of a curve of a server when only a part of it is asked for, counted by a client.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aim import Metric, Repo, Run
from aim.core.addresses import ServerAddress, server_address
from aim.core.errors import RunNotFound
from aim.engine.remote.connection import ServerConnection, ServerRequest, ServerStream
from aim.engine.remote.door import ServerRepository
from aim.server.settings import Settings
from tests.server.conftest import RunningServer

POINTS = 100_000
LITTLE_BYTES = 4_000
LARGE = 2**60 + 1


class CountingConnection(ServerConnection):
    """
    A connection that counts the bytes of each answer with points.
    """

    def __init__(self, address: ServerAddress) -> None:
        super().__init__(address)
        self.sizes: list[int] = []

    def stream(self, request: ServerRequest) -> ServerStream:
        """Send a request; count what is read of its answer."""
        answer = super().stream(request)
        if request.path.endswith("/points"):
            index, read = len(self.sizes), answer.read
            self.sizes.append(0)

            def counted(size: int | None = -1) -> bytes:
                data = read(size)
                self.sizes[index] += len(data)
                return data

            answer.read = counted  # type: ignore[method-assign]
        return answer


class CountedServer:
    """
    A server of one repository, and a client that counts what it receives.
    """

    def __init__(self, folder: Path) -> None:
        self.root = folder / "vision"
        self._server = RunningServer(Settings((self.root,), port=0))
        address = f"{self._server.address}vision"
        self.repo = Repo(address)
        self._connection = CountingConnection(server_address(address))
        door = self.repo.door
        assert isinstance(door, ServerRepository)
        door.project.connection = self._connection

    def sent_bytes(self, ask: Callable[[], object]) -> list[int]:
        """Return how many bytes each answer with points had that *ask* needed."""
        before = len(self._connection.sizes)
        ask()
        return self._connection.sizes[before:]

    def stop(self) -> None:
        """Stop the server."""
        assert self._server.stop()


@pytest.fixture(name="server", scope="module")
def _server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CountedServer]:
    """
    A server whose run `long` has a curve of 100,000 points, one of large integers, and an empty one.
    """
    folder = tmp_path_factory.mktemp("asked")
    with Run("long", repo=str(folder / "vision"), create=True, system_tracking_interval=None) as run:
        for step in range(POINTS):
            run.track(step / 2, name="loss", step=10 * step)
        for step in range(3):
            run.track(LARGE + step, name="count", step=step)
    server = CountedServer(folder)
    yield server
    server.stop()


def metric_of(server: CountedServer, name: str = "loss") -> Metric:
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
    server: CountedServer, ask: Callable[[Metric], Any], expected: Any
) -> None:
    """
    Of a curve of 2.4 MB a few kilobytes travel when its ends, its length or its last points are asked for.
    """
    metric, answers = metric_of(server), []
    sent = server.sent_bytes(lambda: answers.append(ask(metric)))

    assert [expected] == answers
    assert 1 <= len(sent) <= 3
    assert LITTLE_BYTES * len(sent) > sum(sent)


def test_a_whole_curve_takes_one_request(server: CountedServer) -> None:
    """
    Who asks for all values gets them at once: the ends are not asked for before.
    """
    view = metric_of(server).values
    (size_bytes,) = server.sent_bytes(lambda: np.testing.assert_array_equal(view[:], np.arange(POINTS) / 2))

    assert size_bytes > 8 * POINTS
    assert [] == server.sent_bytes(lambda: (view.last(), view.first(), len(view), view.tail(5)))


def test_integers_keep_all_their_digits(server: CountedServer) -> None:
    """
    The first, the last, and the last two of integers that no double holds.
    """
    values = metric_of(server, "count").values

    assert [(0, LARGE), (2, LARGE + 2), 3] == [values.first(), values.last(), len(values)]
    assert [LARGE + 1, LARGE + 2] == values.tail(2)[1].tolist()


def test_a_view_does_not_change_when_more_is_tracked(server: CountedServer) -> None:
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


def test_a_metric_that_is_not_there_is_an_error_when_it_is_asked_for(server: CountedServer) -> None:
    """
    The error is that of a folder; it comes with the first question.
    """
    run = metric_of(server).run
    with pytest.raises(RunNotFound, match="has no sequence 'nothing'"):
        Metric("nothing", metric_of(server).context, run).values.last()
    with pytest.raises(RunNotFound, match="has no sequence 'nothing'"):
        Metric("nothing", metric_of(server).context, run).values.sparse_list()
