"""
`cluster.toml`: where a cluster is.

    [clickhouse]
    addresses = ["http://clickhouse-1:8123", "http://clickhouse-2:8123"]
    database = "aim"
    user = "aim"
    password_file = "/run/secrets/clickhouse"     # or the variable AIM_CLICKHOUSE_PASSWORD
    cluster = "main"                              # its name in remote_servers; without it one server, and no replicas

    [objects]
    address = "s3://aim-runs/team"
    endpoint = "https://s3.example.org"           # of a store that is not at Amazon
    access_key_id = "..."                         # or the variables that the store's own tools read
    secret_access_key_file = "/run/secrets/s3"

    [server]                                      # may be left out
    runs_in_memory = 200000                       # of a project; of a larger one only some are in memory
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from aim.core.errors import UsageError

RUNS_IN_MEMORY_MAX = 200_000
"""So many runs of a project a server has in memory when the settings say nothing."""
PASSWORD_VARIABLE = "AIM_CLICKHOUSE_PASSWORD"
TABLES: Mapping[str, Mapping[str, type]] = {
    "clickhouse": {
        "addresses": list,
        "database": str,
        "user": str,
        "password_file": str,
        "cluster": str,
    },
    "objects": {
        "address": str,
        "endpoint": str,
        "region": str,
        "access_key_id": str,
        "secret_access_key_file": str,
    },
    "server": {"runs_in_memory": int},
}
OPTIONAL = frozenset(("server",))


class ObjectSettings(NamedTuple):
    """The object store: `address` such as s3://bucket/prefix, and options of `obstore.store.from_url`."""

    address: str
    options: Mapping[str, str] = {}

    def __repr__(self) -> str:
        return f"ObjectSettings({self.address!r})"  # no secret in a log


class ClusterSettings(NamedTuple):
    """
    Where a cluster is.

    Attributes:
        addresses: of its ClickHouse servers; each can answer everything.
        cluster: the name of the cluster there; "": one server.
        runs_in_memory: of a project; of a larger one a server has only some in memory.
    """

    addresses: tuple[str, ...]
    objects: ObjectSettings
    database: str = "aim"
    user: str = "default"
    password: str = ""
    cluster: str = ""
    runs_in_memory: int = RUNS_IN_MEMORY_MAX

    def __repr__(self) -> str:
        return f"ClusterSettings({', '.join(self.addresses)}, database={self.database!r}, {self.objects!r})"


def read_settings(path: Path, environment: Mapping[str, str] = os.environ) -> ClusterSettings:
    """
    Read a `cluster.toml`.

    Raises:
        UsageError: it is not there, is no TOML, or a value is missing, unknown or of another type.
    """
    if sys.version_info >= (3, 11):
        import tomllib
    else:  # with Python 3.10, a package of `aim[cluster]`
        import tomli as tomllib
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise UsageError(f"Can't read '{path}': {error.strerror or error}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"'{path}' is no TOML: {error}.") from None
    _check(path, content)
    clickhouse, objects = content["clickhouse"], content["objects"]
    return ClusterSettings(
        tuple(_address(path, address) for address in clickhouse["addresses"]),
        ObjectSettings(objects["address"].rstrip("/"), _options(path, objects)),
        clickhouse.get("database", "aim"),
        clickhouse.get("user", "default"),
        _secret(path, clickhouse.get("password_file"), environment.get(PASSWORD_VARIABLE, "")),
        clickhouse.get("cluster", ""),
        content.get("server", {}).get("runs_in_memory", RUNS_IN_MEMORY_MAX),
    )


def _check(path: Path, content: Mapping[str, Any]) -> None:
    for table, keys in TABLES.items():
        values = content.get(table, {} if table in OPTIONAL else None)
        if not isinstance(values, dict):
            raise UsageError(f"'{path}' has no [{table}]. docs/guide/cluster.md has an example.")
        for key, value in values.items():
            if key not in keys:
                raise UsageError(f"'{path}': [{table}] has no {key!r}. It has: {', '.join(keys)}.")
            if type(value) is not keys[key]:
                raise UsageError(f"'{path}': {key!r} of [{table}] must be of type {keys[key].__name__}, not {value!r}.")
    if not content["clickhouse"].get("addresses"):
        raise UsageError(f"'{path}': [clickhouse] needs addresses, such as [\"http://clickhouse-1:8123\"].")
    if content.get("server", {}).get("runs_in_memory", 1) < 1:
        raise UsageError(f"'{path}': 'runs_in_memory' of [server] must be 1 or more.")
    if not content["objects"].get("address"):
        raise UsageError(f"'{path}': [objects] needs an address, such as \"s3://bucket/prefix\".")


def _address(path: Path, address: object) -> str:
    parts = urlsplit(address) if isinstance(address, str) else None
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
        raise UsageError(
            f"'{path}': {address!r} is no address of ClickHouse, such as http://clickhouse-1:8123. User and password "
            "have keys of their own."
        )
    return f"{parts.scheme}://{parts.netloc}"


def _options(path: Path, objects: Mapping[str, Any]) -> dict[str, str]:
    options = {key: objects[key] for key in ("endpoint", "region", "access_key_id") if key in objects}
    secret = _secret(path, objects.get("secret_access_key_file"), "")
    if secret:
        options["secret_access_key"] = secret
    if options.get("endpoint", "").startswith("http://"):
        options["allow_http"] = "true"
    return options


def _secret(path: Path, file: str | None, otherwise: str) -> str:
    if file is None:
        return otherwise
    try:
        return (path.parent / file).read_text("utf-8").strip()
    except OSError as error:
        raise UsageError(f"Can't read '{file}', which '{path}' names: {error.strerror or error}.") from None
