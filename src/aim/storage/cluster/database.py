"""
Statements and inserts of a ClickHouse, over `clickhouse-connect`.

Any number of threads may use one `Database`. A server that does not answer is left for the next one of the settings;
when none answers, `ClusterUnavailable` says so, and the caller's caller tries again.

Rule 1: values travel beside a statement, never within it. Names of tables are ours.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt

from aim.core.errors import Unavailable, UsageError
from aim.storage.cluster.settings import ClusterSettings

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

CONNECT_TIMEOUT_S = 5
ANSWER_TIMEOUT_S = 60
INSERT_SETTINGS = {"async_insert": 1, "wait_for_async_insert": 1}
CLUSTER_INSERT_SETTINGS = {**INSERT_SETTINGS, "insert_quorum": "auto", "distributed_foreground_insert": 1}
READ_SETTINGS = {"use_hedged_requests": 0, "skip_unavailable_shards": 0}
INSTALLING = 'A cluster needs packages: pip install "aim[cluster]".'

Answer = TypeVar("Answer")
Other = TypeVar("Other")


class ClusterUnavailable(Unavailable):
    """No server of the cluster answers, or a part of it is away."""


class Database:
    """
    The database of a cluster.

    Attributes:
        name: of the database.
        cluster: of the cluster in ClickHouse's `remote_servers`; "": one server.

    Raises:
        UsageError: `clickhouse-connect` is not installed.
    """

    def __init__(self, settings: ClusterSettings) -> None:
        self.name = settings.database
        self.cluster = settings.cluster
        self._settings = settings
        self._clients: dict[str, Client] = {}
        self._first = 0  # of the addresses: the one that has answered last
        self._lock = threading.Lock()

    def table(self, name: str) -> str:
        """Return the full name of a table: over all shards, or the only one."""
        return f"{self.name}.{name}" if self.cluster else f"{self.name}.{name}_local"

    # statements

    def execute(self, statement: str, values: Mapping[str, Any] | None = None) -> None:
        """Execute a statement without an answer. Raises ClusterUnavailable."""
        self._ask(lambda client: client.command(statement, parameters=dict(values or {}), use_database=False))

    def rows(self, statement: str, values: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """Return the rows of a short answer. Raises ClusterUnavailable."""

        def ask(client: Client) -> list[tuple[Any, ...]]:
            result = client.query(statement, parameters=dict(values or {}), settings=READ_SETTINGS)
            return [tuple(row) for row in result.result_rows]

        return self._ask(ask)

    def columns(
        self, statement: str, values: Mapping[str, Any] | None = None, *, count: int
    ) -> tuple[Sequence[Any], ...]:
        """Return the *count* columns of a long answer. Raises ClusterUnavailable. Cost: less than that of its rows."""

        def ask(client: Client) -> tuple[Sequence[Any], ...]:
            return tuple(client.query(statement, parameters=dict(values or {}), settings=READ_SETTINGS).result_columns)

        return self._ask(ask) or ((),) * count

    def array(
        self, statement: str, dtype: np.dtype[Any], values: Mapping[str, Any] | None = None
    ) -> npt.NDArray[np.void]:
        """
        Return the rows of an answer whose columns have a fixed width, as a packed *dtype*. Raises ClusterUnavailable.

        Cost: one copy of the answer.
        """
        return np.frombuffer(self.binary(statement, values), dtype)

    def binary(self, statement: str, values: Mapping[str, Any] | None = None) -> bytes:
        """Return an answer in the form RowBinary. Raises ClusterUnavailable."""

        def ask(client: Client) -> bytes:
            rows: bytes = client.raw_query(statement, dict(values or {}), settings=READ_SETTINGS, fmt="RowBinary")
            return rows

        return self._ask(ask)

    def insert(self, table: str, columns: Sequence[str], block: bytes) -> None:
        """
        Insert rows in the form RowBinary; they are acknowledged when this returns.

        Raises:
            ClusterUnavailable: perhaps some of them are there; inserting them again changes nothing.
        """
        settings = CLUSTER_INSERT_SETTINGS if self.cluster else INSERT_SETTINGS
        name = self.table(table)
        self._ask(lambda client: client.raw_insert(name, columns, block, settings, "RowBinary"))

    def close(self) -> None:
        """Close the connections."""
        with self._lock:
            clients, self._clients = self._clients, {}
        for client in clients.values():
            client.close()

    # servers

    def _ask(self, question: Callable[[Client], Answer]) -> Answer:
        """Ask one server after the other until one answers."""
        from clickhouse_connect.driver.exceptions import ClickHouseError, OperationalError

        addresses = self._settings.addresses
        reasons: list[str] = []
        for turn in range(len(addresses)):
            number = (self._first + turn) % len(addresses)
            try:
                answer = question(self._client(addresses[number]))
            except OperationalError as error:  # no connection, or it was cut
                self._drop(addresses[number])
                reasons.append(f"{addresses[number]}: {_first_line(error)}")
                continue
            except ClickHouseError as error:
                raise ClusterUnavailable(f"ClickHouse at {addresses[number]} refused: {_first_line(error)}") from None
            self._first = number
            return answer
        raise ClusterUnavailable(f"No ClickHouse server answers. {'; '.join(reasons)}")

    def _client(self, address: str) -> Client:
        with self._lock:
            client = self._clients.get(address)
        if client is not None:
            return client
        try:
            import clickhouse_connect
        except ImportError:
            raise UsageError(INSTALLING) from None
        logging.getLogger("clickhouse_connect").setLevel(logging.CRITICAL)  # errors are raised, too
        client = clickhouse_connect.get_client(
            dsn=address,
            username=self._settings.user,
            password=self._settings.password,
            autogenerate_session_id=False,  # so that threads may ask at once
            connect_timeout=CONNECT_TIMEOUT_S,
            send_receive_timeout=ANSWER_TIMEOUT_S,
        )
        with self._lock:
            return self._clients.setdefault(address, client)

    def _drop(self, address: str) -> None:
        with self._lock:
            client = self._clients.pop(address, None)
        if client is not None:
            client.close()


def at_once(first: Callable[[], Answer], second: Callable[[], Other]) -> tuple[Answer, Other]:
    """Ask two questions at the same time; return both answers. Raises what one of them raises, when both have ended."""
    with ThreadPoolExecutor(1, "aim-ask") as threads:
        later = threads.submit(second)
        answer = first()
        return answer, later.result()


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:300]
