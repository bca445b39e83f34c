"""
How a cluster is: what is in it, where, how far replicas are behind, and which statements were slow.

`aim cluster status` shows it.
"""

from __future__ import annotations

import time
from typing import Any, NamedTuple

from aim.storage.cluster import schema
from aim.storage.cluster.database import ClusterUnavailable, Database

SLOW_MS = 1_000
SLOW_MAX = 10
STATEMENT_CHARS = 200


class ShardSize(NamedTuple):
    """What one server has: its rows and bytes on disk, how many parts they are in, and how far it is behind."""

    shard: int
    server: str
    rows: int
    bytes: int
    parts: int
    delay_s: float | None
    errors: int


class TableSize(NamedTuple):
    """What one table has, over all servers with their copies."""

    table: str
    rows: int
    bytes: int


class SlowStatement(NamedTuple):
    """A statement of the last hour that took more than a second."""

    took_ms: int
    at_s: float
    rows_read: int
    statement: str


class ClusterStatus(NamedTuple):
    """
    Attributes:
        projects, runs: how many there are, deleted ones included.
        latest_s: how many seconds ago something was recorded; None: never.
        object_bytes: what the object store has of blobs and files, without repetitions.
        slow: None: ClickHouse keeps no log of statements.
    """

    projects: int
    runs: int
    points: int
    latest_s: float | None
    object_count: int
    object_bytes: int
    shards: list[ShardSize]
    tables: list[TableSize]
    slow: list[SlowStatement] | None


def status(database: Database) -> ClusterStatus:
    """Return how a cluster is. Raises ClusterUnavailable. Cost: some ten statements, none of which reads points."""
    table = database.table
    ((projects, runs, latest),) = database.rows(
        f"SELECT uniq(project), uniq(project, rid), toFloat64(max(seen)) FROM {table('heads')}"
    )
    ((points,),) = database.rows(
        f"SELECT sum(writer_slots) FROM (SELECT max(slots) AS writer_slots FROM {table('heads')} "
        "GROUP BY project, rid, writer)"
    )
    ((object_count, object_bytes),) = database.rows(
        f"SELECT count(), sum(bytes) FROM (SELECT DISTINCT key, bytes FROM {table('parts')})"
    )
    return ClusterStatus(
        int(projects),
        int(runs),
        int(points or 0),
        max(0.0, time.time() - float(latest)) if latest else None,
        int(object_count),
        int(object_bytes or 0),
        _shards(database),
        _tables(database),
        _slow(database),
    )


def _of_system(database: Database, name: str) -> str:
    """Return a table of the system over all servers of the cluster."""
    return f"clusterAllReplicas('{database.cluster}', system.{name})" if database.cluster else f"system.{name}"


def _shards(database: Database) -> list[ShardSize]:
    sizes = {
        str(server): (int(rows), int(size_bytes), int(parts))
        for server, rows, size_bytes, parts in database.rows(
            f"SELECT hostName(), sum(rows), sum(bytes_on_disk), count() FROM {_of_system(database, 'parts')} "
            "WHERE database = {database:String} AND active GROUP BY hostName()",
            {"database": database.name},
        )
    }
    if not database.cluster:
        ((server,),) = database.rows("SELECT hostName()")
        return [ShardSize(1, str(server), *sizes.get(str(server), (0, 0, 0)), None, 0)]
    delays = dict(
        database.rows(
            f"SELECT hostName(), max(absolute_delay) FROM {_of_system(database, 'replicas')} "
            "WHERE database = {database:String} GROUP BY hostName()",
            {"database": database.name},
        )
    )
    servers = database.rows(
        "SELECT shard_num, host_name, errors_count FROM system.clusters WHERE cluster = {cluster:String} "
        "ORDER BY shard_num, replica_num",
        {"cluster": database.cluster},
    )
    return [
        ShardSize(int(shard), str(host), *sizes.get(str(host), (0, 0, 0)), delays.get(host), int(errors))
        for shard, host, errors in servers
    ]


def _tables(database: Database) -> list[TableSize]:
    sizes = {
        str(name): (int(rows), int(size_bytes))
        for name, rows, size_bytes in database.rows(
            f"SELECT table, sum(rows), sum(bytes_on_disk) FROM {_of_system(database, 'parts')} "
            "WHERE database = {database:String} AND active GROUP BY table",
            {"database": database.name},
        )
    }
    return [TableSize(name, *sizes.get(f"{name}_local", (0, 0))) for name in schema.TABLES]


def _slow(database: Database) -> list[SlowStatement] | None:
    try:
        logged: list[tuple[Any, ...]] = database.rows(
            "SELECT query_duration_ms, toFloat64(event_time_microseconds), read_rows, query "
            f"FROM {_of_system(database, 'query_log')} WHERE event_time > now() - 3600 AND type = 'QueryFinish' "
            f"AND query_duration_ms >= {SLOW_MS} AND has(databases, {{database:String}}) "
            f"ORDER BY query_duration_ms DESC LIMIT {SLOW_MAX}",
            {"database": database.name},
        )
    except ClusterUnavailable:
        return None
    return [
        SlowStatement(int(took_ms), float(at_s), int(read), " ".join(str(statement).split())[:STATEMENT_CHARS])
        for took_ms, at_s, read, statement in logged
    ]
