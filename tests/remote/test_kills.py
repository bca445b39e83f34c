"""
Trainings, shippers and servers are killed at random moments: in the end the server has what the spool has.

`AIM_KILL_HISTORIES` says how many histories there are, `AIM_KILL_EVENTS` how much happens in each, and
`AIM_KILL_RESULTS` names the file that counts them: `make kills` plays 300 short histories, `make crash` long ones.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from aim import Run
from aim.core.errors import RunNotFound
from aim.sdk.repo import Repo
from aim.storage.shipping.spool import Spool
from aim.storage.store import Store
from tests.cli.schemas import call
from tests.remote.servers import Server, assert_received, kill_shipper, started, wait_until

HISTORIES = int(os.environ.get("AIM_KILL_HISTORIES", "2"))
EVENTS = int(os.environ.get("AIM_KILL_EVENTS", "12"))
RESULTS = os.environ.get("AIM_KILL_RESULTS")
TRAINERS_MAX = 3
RUNS = ("digits-0", "digits-1")
FATES = ("trainer", "trainer", "server", "sync", "shipper", "begin", "begin", "begin")
PAUSES_S = (0.05, 0.1, 0.1, 0.5, 3.0)  # several things happen at once, and then nothing for a while


class History:
    """
    Some trainers of two runs, and a server; `event` lets something happen. Nothing waits until what was started works:
    the next kill comes at any moment of it.

    Attributes:
        kills: how often something was killed, by what.
    """

    def __init__(self, server: Server, seed: int) -> None:
        self.server = server
        self.chance = random.Random(seed)
        self.kills: Counter[str] = Counter()
        self._trainers: list[subprocess.Popen[bytes]] = []
        self._syncing: subprocess.Popen[bytes] | None = None

    def begin(self) -> None:
        """Start a trainer."""
        words = [self.server.address, self.chance.choice(RUNS), str(self.chance.randrange(10**6)), "100000"]
        self._trainers.append(started("tests.remote.trainer", *words))

    def event(self) -> None:
        """Kill something, start something, or change a run at the server."""
        time.sleep(self.chance.random() * 2 * self.chance.choice(PAUSES_S))
        fate = self.chance.choice(FATES)
        if fate == "trainer":
            self.kill_trainer()
        elif fate == "server":
            self.kill_server()
        elif fate == "sync":
            self.kill_sync()
            self._syncing = started("aim.cli", "sync")
        elif fate == "shipper":
            self.kills["shipper"] += kill_shipper(Spool(self.server.address))
        elif len(self._trainers) < TRAINERS_MAX:
            self.begin()
        elif self.server.answers():
            self._change()

    def kill_trainer(self) -> None:
        """Kill a trainer, and with it the children of its forks."""
        if self._trainers:
            trainer = self._trainers.pop(self.chance.randrange(len(self._trainers)))
            os.killpg(trainer.pid, signal.SIGKILL)
            trainer.wait()
            self.kills["trainer"] += 1

    def kill_server(self) -> None:
        """Kill the server, and start it again."""
        self.server.kill()
        self.kills["server"] += 1
        self.server.begin()

    def kill_sync(self) -> None:
        """Kill the `aim sync` that runs, if one does."""
        if self._syncing is not None:
            self.kills["shipper"] += self._syncing.poll() is None
            self._syncing.kill()
            self._syncing.wait()
            self._syncing = None

    def _change(self) -> None:
        run_hash = self.chance.choice(RUNS)
        try:
            if self.chance.random() < 0.05:
                Repo(self.server.address).delete_run(run_hash)
            else:
                Run(run_hash, repo=self.server.address, read_only=True).description = "changed at the server"
        except RunNotFound:  # nothing of it is there yet
            pass

    def end(self) -> None:
        """Kill all but the server."""
        while self._trainers:
            self.kill_trainer()
        self.kill_sync()


@pytest.fixture(name="history")
def _history(server: Server, request: pytest.FixtureRequest) -> Iterator[History]:
    """
    A history of a seed, all of whose processes are gone after the test.
    """
    history = History(server, request.param)
    yield history
    history.end()


@pytest.mark.parametrize("history", range(HISTORIES), indirect=True, ids=str)
def test_after_any_kills_the_server_has_what_the_spool_has(
    history: History, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    By the reader, and byte for byte of lines and slots, after one last `aim sync`; and nothing else is there.
    """
    monkeypatch.setattr("aim.storage.shipping.shipments.AGAIN_S", 0.5)
    monkeypatch.setenv("AIM_SEAL_ON_CLOSE", str(history.chance.randrange(2)))
    history.begin()
    wait_until(lambda: list(Spool(server.address).folder.glob(".aim/runs/*/*.jsonl")), "the first run")
    for _ in range(EVENTS):
        history.event()
    history.end()
    wait_until(server.answers, "the server")

    assert 0 == call("sync", "--wait", "600").code
    assert sum(history.kills.values()) > 0
    spool = Store(Spool(server.address).folder / ".aim")
    counted = assert_received(spool, server.store)
    note(history.kills, counted)


def note(kills: Counter[str], counted: Counter[str]) -> None:
    """Add a history without a difference to the file of results, if the environment names one."""
    if not RESULTS:
        return
    path = Path(RESULTS)
    before = json.loads(path.read_bytes()) if path.exists() else {"kills_by_process": {}}
    by_process = dict(sorted((Counter(before["kills_by_process"]) + kills).items()))
    figures = {name: before.get(name, 0) + counted[name] for name in sorted(counted)}
    figures |= {"histories": before.get("histories", 0) + 1, "kills": sum(by_process.values())}
    text = {**figures, "kills_by_process": by_process, "lost": 0, "doubled": 0, "python": sys.version.split()[0]}
    path.write_text(json.dumps(text, indent=1) + "\n", "utf-8")
