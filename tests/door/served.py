"""
A repository that is recorded in a folder and read over HTTP, so that tests of the SDK run over an address unchanged.

The server has this folder, or a cluster into which the folder is shipped before each request.

    tests/sdk/test_metric.py         the tests, over a folder
    tests/door/test_metric.py        the same functions, over a server: `globals().update(over_http(...))`

A test is one of a repository when it asks for the fixture `repo` or `run`; the others are of classes alone, and run
over a folder only.
"""

from __future__ import annotations

import inspect
import threading
from importlib import import_module
from pathlib import Path
from typing import Any

from aim.core.addresses import ServerAddress, server_address
from aim.engine.opening import open_door
from aim.engine.remote.connection import ServerConnection, ServerRequest, ServerStream
from aim.engine.remote.door import ServerRepository
from aim.engine.remote.fetching import fetch_runs
from aim.engine.repository import Repository
from aim.sdk.repo import Repo
from aim.sdk.run_source import restore
from aim.storage.cluster.cluster_backend import ClusterBackend
from aim.storage.cluster.cluster_intake import ClusterIntake
from aim.storage.forms.state import RunState
from aim.storage.recording.writer import Writer
from aim.storage.shipping.exchange import Exchange
from aim.storage.shipping.shipment import WriterShipment
from aim.storage.store import Store
from tests.storage.shipping.wires import ROUNDS_MAX, shipments_of

ASKED_OF_A_REPOSITORY = {"repo", "run"}


class ShippedRoot:
    """
    The writers of the folder *root*, which are shipped into a project of a cluster as often as `ship` is called.
    """

    def __init__(self, root: Path, backend: ClusterBackend) -> None:
        self._store = Store(root / ".aim")
        self._intake = ClusterIntake(backend.project)
        self._exchange = Exchange("node")
        self._shipments: dict[tuple[str, str], WriterShipment] = {}
        self._lock = threading.Lock()

    def ship(self) -> None:
        """Send all that was recorded since the last call."""
        with self._lock:
            self._ship()

    def _ship(self) -> None:
        for shipment in shipments_of(self._store):
            self._shipments.setdefault((shipment.folder.name, shipment.writer), shipment)
        living = [shipment for shipment in self._shipments.values() if shipment.folder.exists()]
        for _ in range(ROUNDS_MAX):
            request = self._exchange.gather(living)
            if request is None:
                return
            gone = {verdict.shipment for verdict in self._exchange.accept(self._intake.receive(request.body))}
            living = [shipment for shipment in living if shipment not in gone]
        raise AssertionError("not everything was shipped")


class ShippingConnection(ServerConnection):
    """
    A connection whose every request comes after what was recorded in a folder until then.
    """

    def __init__(self, address: ServerAddress, shipped: ShippedRoot) -> None:
        super().__init__(address)
        self._shipped = shipped

    def stream(self, request: ServerRequest) -> ServerStream:
        """Ship, then ask."""
        self._shipped.ship()
        return super().stream(request)


class RecordedInFolder(ServerRepository):
    """
    The door of a server whose runs are recorded in the folder *root*: it serves this folder, or a cluster into which
    *shipped* sends what the folder gets.
    """

    can = ServerRepository.can | {"record"}

    def __init__(self, address: str, root: Path, shipped: ShippedRoot | None = None) -> None:
        super().__init__(server_address(address), restore)
        self._shipped = shipped
        if shipped is not None:
            self.project.connection = ShippingConnection(server_address(address), shipped)
        recorder = open_door(root, restore=restore)
        assert isinstance(recorder, Repository)
        self.recorder = recorder

    def new_run(self, run_hash: str | None = None) -> Writer:
        return self.recorder.new_run(run_hash)

    def resume_run(self, run_hash: str) -> Writer:
        self._fetch(run_hash)
        return self.recorder.resume_run(run_hash)

    def recorded_state(self, run_hash: str) -> RunState:
        self._fetch(run_hash)
        return self.recorder.recorded_state(run_hash)

    def ended(self, writer: Writer) -> None:
        self.recorder.ended(writer)
        if self._shipped is not None:
            self._shipped.ship()

    def _fetch(self, run_hash: str) -> None:
        """Bring a run that only the cluster has into the folder: a fork that was made at the server."""
        if self._shipped is not None and not self.recorder.has_run(run_hash) and self.has_run(run_hash):
            fetch_runs(self, self.recorder, [run_hash], lambda done, total: None)


class ServedRepo(Repo):
    """
    The repository at *address*, which is recorded in the folder *root*.
    """

    def __init__(self, address: str, root: Path, shipped: ShippedRoot | None = None) -> None:
        super().__init__(address)
        self._door = RecordedInFolder(address, root, shipped)
        self.folder = root


def over_http(module_name: str, *, without: tuple[str, ...] = ()) -> dict[str, Any]:
    """
    Return the tests of a module that ask for a repository, and its fixtures, for the namespace of another module.

    Args:
        without: tests of what only a folder has.
    """
    module = import_module(module_name)
    chosen: dict[str, Any] = {}
    for name, member in vars(module).items():
        if name.startswith("test_"):
            if name not in without and ASKED_OF_A_REPOSITORY & _fixtures_of(module, member):
                chosen[name] = member
        elif _is_fixture(member):
            chosen[name] = member
    missing = set(without) - vars(module).keys()
    assert not missing, f"{module_name} has no tests {sorted(missing)}"
    return chosen


def _is_fixture(member: object) -> bool:
    return type(member).__name__ == "FixtureFunctionDefinition" or hasattr(member, "_pytestfixturefunction")


def _fixtures_of(module: object, function: Any) -> set[str]:
    """Return the fixtures that a test asks for, and those that these ask for."""
    by_name = {}
    for name, member in vars(module).items():
        if _is_fixture(member):
            marker = getattr(member, "_fixture_function_marker", None) or member._pytestfixturefunction
            wrapped = getattr(member, "_fixture_function", None) or inspect.unwrap(member)
            by_name[marker.name or name] = wrapped
    asked, pending = set(), [function]
    while pending:
        for name in inspect.signature(pending.pop()).parameters:
            if name not in asked:
                asked.add(name)
                if name in by_name:
                    pending.append(by_name[name])
    return asked
