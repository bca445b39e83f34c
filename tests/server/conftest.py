"""
A repository made by the SDK, and the real server over it, on a free port of this machine.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from aim.sdk.run import Run
from aim.server.open_repository import Progress
from aim.server.serve import address, listen, make_server
from aim.server.settings import Settings


class RunningServer:
    """
    The server in a thread of its own, until `stop`.
    """

    def __init__(self, settings: Settings, progress: Progress | None = None) -> None:
        self.server = make_server(settings, progress)
        self._socket = listen(settings)
        self.address = address(settings, self._socket)
        self._thread = threading.Thread(target=self.server.run, kwargs={"sockets": [self._socket]})
        self._thread.start()

    def stop(self) -> bool:
        """Ask it to stop, and wait; say whether it did."""
        self.server.should_exit = True
        self._thread.join(timeout=10)
        self._socket.close()
        return not self._thread.is_alive()


class Browser:
    """
    Asks the app as a page does; the paths of `api/repos/<repo>/` are given without that.
    """

    def __init__(self, client: httpx.Client, server: RunningServer, repo: str = "demo") -> None:
        self.client = client
        self.server = server
        self.base = f"/api/repos/{repo}/"

    def post(self, path: str, body: object, status: int = 200, **options: Any) -> Any:
        """Post JSON; give the JSON of the answer, which has to have *status*."""
        answer = self.client.post(self.base + path, json=body, **options)
        assert status == answer.status_code, answer.text
        return answer.json()

    def get(self, path: str, status: int = 200, **options: Any) -> Any:
        """Get JSON; the answer has to have *status*."""
        answer = self.client.get(self.base + path, **options)
        assert status == answer.status_code, answer.text
        return answer.json()

    def bytes(self, path: str, body: object | None = None) -> bytes:
        """Get, or with *body* post, and give the bytes of the answer."""
        answer = self.client.get(self.base + path) if body is None else self.client.post(self.base + path, json=body)
        assert 200 == answer.status_code, answer.text
        return answer.content


MakeBrowser = Callable[..., Browser]
MakeRun = Callable[..., Run]


@pytest.fixture(name="root")
def _root(tmp_path: Path) -> Path:
    """
    The folder of a repository that is called demo.
    """
    return tmp_path / "demo"


@pytest.fixture(name="make_run")
def _make_run(root: Path) -> Iterator[MakeRun]:
    """
    Makes runs that are still being written; those left open are closed at the end.
    """
    made: list[Run] = []

    def make(run_hash: str | None = None, **params: object) -> Run:
        run = Run(run_hash, repo=str(root), system_tracking_interval=None, capture_terminal_logs=False, create=True)
        if params:
            run["hparams"] = params
        made.append(run)
        return run

    yield make
    for run in made:
        run.close()


@pytest.fixture(name="make_browser")
def _make_browser(root: Path) -> Iterator[MakeBrowser]:
    """
    Starts the server over the repository, with the settings that are given, and who is told of its progress.
    """
    started: list[tuple[httpx.Client, RunningServer]] = []

    def make(repo: str = "demo", progress: Progress | None = None, **settings: Any) -> Browser:
        server = RunningServer(Settings(**{"roots": (root,), "port": 0, **settings}), progress)
        client = httpx.Client(base_url=server.address, timeout=30)
        started.append((client, server))
        return Browser(client, server, repo)

    yield make
    for client, server in started:
        client.close()
        assert server.stop()


@pytest.fixture(name="browser")
def _browser(make_run: MakeRun, make_browser: MakeBrowser) -> Browser:
    """
    A browser on three runs, `a` the oldest, with params and two metrics.
    """
    for place, (run_hash, lr) in enumerate((("a", 0.1), ("b", 0.01), ("c", 0.001))):
        run = make_run(run_hash, lr=lr, optimizer="sgd" if place else "adam")
        run.name = f"run {run_hash}"
        for step in range(10):
            run.track(lr * step, name="loss", step=step, context={"subset": "val"})
        run.track(float(place), name="acc", step=0)
        run.close()
    return make_browser()
