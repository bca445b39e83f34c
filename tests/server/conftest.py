"""
A repository recorded by the SDK, and the real server for it, on a free port of this machine.
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
        """Stop the server, wait, and return whether it has stopped."""
        self.server.should_exit = True
        self._thread.join(timeout=60)
        self._socket.close()
        return not self._thread.is_alive()


class Browser:
    """
    Sends requests as a page does. Paths are relative to `api/repos/<repo>/`.
    """

    def __init__(self, client: httpx.Client, server: RunningServer, repo: str = "demo") -> None:
        self.client = client
        self.server = server
        self.base = f"/api/repos/{repo}/"

    def post(self, path: str, body: object, status: int = 200, **options: Any) -> Any:
        """Post JSON, check the status of the answer, and return its JSON."""
        answer = self.client.post(self.base + path, json=body, **options)
        assert status == answer.status_code, answer.text
        return answer.json()

    def get(self, path: str, status: int = 200, **options: Any) -> Any:
        """Get an address, check the status of the answer, and return its JSON."""
        answer = self.client.get(self.base + path, **options)
        assert status == answer.status_code, answer.text
        return answer.json()

    def bytes(self, path: str, body: object | None = None) -> bytes:
        """Get an address, or post *body* to it, and return the bytes of the answer."""
        answer = self.client.get(self.base + path) if body is None else self.client.post(self.base + path, json=body)
        assert 200 == answer.status_code, answer.text
        return answer.content


MakeBrowser = Callable[..., Browser]
MakeRun = Callable[..., Run]


@pytest.fixture(name="root")
def _root(tmp_path: Path) -> Path:
    """
    The folder of a repository with the id demo.
    """
    return tmp_path / "demo"


@pytest.fixture(name="make_run")
def _make_run(root: Path) -> Iterator[MakeRun]:
    """
    Makes open runs, and closes those that a test left open.
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
    Starts a server for the repository, with other settings than the default.
    """
    started: list[tuple[httpx.Client, RunningServer]] = []

    def make(repo: str = "demo", progress: Progress | None = None, **settings: Any) -> Browser:
        server = RunningServer(Settings(**{"roots": (root,), "port": 0, **settings}), progress)
        client = httpx.Client(base_url=server.address, timeout=60)
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
    for index, (run_hash, lr) in enumerate((("a", 0.1), ("b", 0.01), ("c", 0.001))):
        run = make_run(run_hash, lr=lr, optimizer="sgd" if index else "adam")
        run.name = f"run {run_hash}"
        for step in range(10):
            run.track(lr * step, name="loss", step=step, context={"subset": "val"})
        run.track(float(index), name="acc", step=0)
        run.close()
    return make_browser()
