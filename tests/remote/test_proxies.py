"""
Between trainings and server is a proxy that repeats, reorders, delays, cuts and damages: both ends hold the same.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from aim import Run
from aim.core.errors import ServerUnreachable
from aim.sdk.run import BasicRun
from aim.storage.shipping.spool import Spool
from aim.storage.store import Store
from tests.cli.schemas import call
from tests.remote.proxy import TEN, Proxy
from tests.remote.servers import Server, assert_received, started, wait_until

HISTORIES = int(os.environ.get("AIM_PROXY_HISTORIES", "2"))
TRAINERS, STEPS = 2, 250


@pytest.fixture(name="proxy")
def _proxy(server: Server, request: pytest.FixtureRequest) -> Iterator[Proxy]:
    """
    A proxy before the server, whose harm follows from a seed.
    """
    proxy = Proxy(server.port, getattr(request, "param", 0))
    yield proxy
    proxy.close()


def address_of(proxy: Proxy, server: Server) -> str:
    """Return the address of the repository of a server through a proxy."""
    return f"http://127.0.0.1:{proxy.port}/{server.root.name}"


@pytest.mark.parametrize("proxy", range(HISTORIES), indirect=True, ids=str)
def test_repeated_reordered_and_cut_requests_change_nothing(proxy: Proxy, server: Server) -> None:
    """
    Two trainings record into one run, the server is killed meanwhile, and what was late for long arrives at the end:
    server and spool are equal by the reader, and byte for byte of lines and slots.
    """
    address = address_of(proxy, server)
    trainers = [
        started("tests.remote.trainer", address, "digits-0", str(number), str(STEPS)) for number in range(TRAINERS)
    ]
    wait_until(lambda: proxy.counts.total() > 2 * len(TEN), "requests")
    server.kill()
    server.start()
    assert [0] * TRAINERS == [trainer.wait() for trainer in trainers]

    assert 0 == call("sync", "--wait", "600").code
    assert proxy.deliver_late() > 0
    assert set(TEN) == set(proxy.counts)
    counted = assert_received(Store(Spool(address).folder / ".aim"), server.store)
    assert counted["points"] > STEPS


def test_a_cut_request_is_no_error_of_the_server(server: Server) -> None:
    """
    A client that is gone before its request was sent leaves one line in the log of the server, and nothing else.
    """
    server.kill()
    server.log = server.root.with_suffix(".log")
    server.start()
    proxy = Proxy(server.port, 0, ("cut",))
    with BasicRun(repo=address_of(proxy, server)) as run:
        run.track(0.5, name="loss")
        wait_until(lambda: proxy.counts["cut"] > 0, "a cut request")
        proxy.is_calm = True
        wait_until(lambda: server.values(run.hash) == [0.5], "the point")
    proxy.close()

    assert "Traceback" not in server.log.read_text()


def test_reading_through_a_bad_proxy_is_right_or_an_error(proxy: Proxy, server: Server) -> None:
    """
    Whoever reads gets what is there, or is told that the server can't be reached; never a part of it as the whole.
    """
    with BasicRun("read", repo=server.root, create=True) as run:
        for step in range(500):
            run.track(step * 0.5, name="loss", step=step)
    answers = []
    for _ in range(20):
        try:
            metric = Run("read", repo=address_of(proxy, server), read_only=True).get_metric("loss")
            assert metric is not None
            answers.append(metric.values.tolist())
        except ServerUnreachable:
            pass

    assert answers
    assert all(answer == [step * 0.5 for step in range(500)] for answer in answers)


def test_an_artifact_comes_whole_through_a_bad_proxy(proxy: Proxy, server: Server, tmp_path: Path) -> None:
    """
    A file of several parts has its name at the server when its SHA-256 is right.
    """
    content = os.urandom(5 << 20)
    (tmp_path / "model.pt").write_bytes(content)
    with BasicRun("kept", repo=address_of(proxy, server), create=True) as run:
        run.log_artifact(tmp_path / "model.pt")
    assert 0 == call("sync", "--wait", "600").code

    assert content == (server.store.run_folder("kept") / "files" / "model.pt").read_bytes()
