"""
The tables of a cluster. Their columns are specified in docs/formats/cluster.md.

Each table is keyed by the *identity* of what a row says: the offset of a line in its event file, the slot of a point. A
row's content is a function of its identity, so inserting it again, in another cut or from another server, changes
nothing that a reader sees with FINAL.

    x_local    on each shard; Replicated where there are several servers
    x          over all shards, by sipHash64(rid): all of a run is on one shard. One server has no such table
"""

from __future__ import annotations

from typing import NamedTuple

from aim.core import query_leaves
from aim.storage.cluster.database import Database

FORMAT_NUMBER = 1
BY_RUN = "sipHash64(rid)"
BY_PROJECT = "sipHash64(project)"


class ClusterTable(NamedTuple):
    """A table: its columns, its engine with its settings, and what spreads its rows over the shards."""

    columns: str
    engine: str
    settings: str
    sharding: str = BY_RUN


KINDS = ", ".join(f"'{kind}' = {number}" for number, kind in enumerate(query_leaves.KINDS))

TABLES = {
    # event lines and edits, as they are: the truth about everything but points
    "lines": ClusterTable(
        "project LowCardinality(String), rid FixedString(16), writer UInt64, start UInt64, nonce UInt32,"
        " line String CODEC(ZSTD(3)), seen DateTime64(6)",
        "ReplacingMergeTree",
        "ORDER BY (rid, writer, start, nonce)",
    ),
    # records of journals, as they are; a slot is counted over the segments of its writer
    "points": ClusterTable(
        "rid FixedString(16), writer UInt32, number UInt32, step Int64 CODEC(DoubleDelta, ZSTD(1)),"
        " slot UInt64 CODEC(DoubleDelta, ZSTD(1)), time Int64 CODEC(DoubleDelta, ZSTD(1)),"
        " value Float64 CODEC(ZSTD(1)), epoch Float32 CODEC(ZSTD(1)), INDEX recent slot TYPE minmax GRANULARITY 1",
        "ReplacingMergeTree",
        "PARTITION BY if(time BETWEEN 1577836800000000 AND 4102444800000000,"
        " toYYYYMM(fromUnixTimestamp64Micro(time)), 0) ORDER BY (rid, writer, number, step, slot)"
        " SETTINGS index_granularity = 1024, min_compress_block_size = 16384, max_compress_block_size = 65536",
    ),
    # of each writer how much there is, and when it was last alive; the columns only grow
    "heads": ClusterTable(
        "project LowCardinality(String), rid FixedString(16), run SimpleAggregateFunction(any, String), writer UInt64,"
        " lines_end SimpleAggregateFunction(max, UInt64), slots SimpleAggregateFunction(max, UInt64),"
        " complete SimpleAggregateFunction(max, UInt8),"
        " edits SimpleAggregateFunction(groupUniqArrayArray, Array(UInt64)),"
        " alive SimpleAggregateFunction(max, DateTime64(3)),"
        " seen SimpleAggregateFunction(max, DateTime64(6))",
        "AggregatingMergeTree",
        "ORDER BY (project, rid, writer)",
    ),
    # a cache: what the catalogue keeps of a run
    "facts": ClusterTable(
        "project LowCardinality(String), rid FixedString(16), run String, mark UInt64, facts String CODEC(ZSTD(3)),"
        " seen DateTime64(6), deleted UInt8",
        "ReplacingMergeTree(mark)",
        "ORDER BY (project, rid)",
    ),
    # what queries can compare of the runs that have facts, so that a large project needs not be in memory
    "leaves": ClusterTable(
        "project LowCardinality(String), path String CODEC(ZSTD(1)), rid FixedString(16), mark UInt64,"
        f" kind Enum8({KINDS}), num Float64 CODEC(ZSTD(1)), str String CODEC(ZSTD(1))",
        "ReplacingMergeTree(mark)",
        "ORDER BY (project, path, rid)",
    ),
    # where the bytes of blob files and whole files lie in the object store
    "parts": ClusterTable(
        "rid FixedString(16), writer UInt32, file UInt32, start UInt64, bytes UInt32, key String",
        "ReplacingMergeTree",
        "ORDER BY (rid, writer, file, start, bytes)",
    ),
    # deletions of runs
    "marks": ClusterTable(
        "project LowCardinality(String), rid FixedString(16), run String, deleted_at DateTime64(6), state UInt8",
        "ReplacingMergeTree",
        "ORDER BY (project, rid, deleted_at)",
    ),
    # saved views, reports and other small files beside the runs
    "documents": ClusterTable(
        "project LowCardinality(String), name String, revision UInt64, body String, deleted UInt8",
        "ReplacingMergeTree(revision)",
        "ORDER BY (project, name)",
        BY_PROJECT,
    ),
}


def statements(database: Database) -> list[str]:
    """Return the statements that make what is missing; executing them again changes nothing."""
    cluster = database.cluster
    on_cluster = f" ON CLUSTER '{cluster}'" if cluster else ""
    replicated = "Replicated" if cluster else ""
    made = [f"CREATE DATABASE IF NOT EXISTS {database.name}{on_cluster}"]
    for name, table in TABLES.items():
        local = f"{database.name}.{name}_local"
        made.append(
            f"CREATE TABLE IF NOT EXISTS {local}{on_cluster} ({table.columns}) "
            f"ENGINE = {replicated}{table.engine} {table.settings}"
        )
        if cluster:
            over_all = f"Distributed('{cluster}', '{database.name}', '{name}_local', {table.sharding})"
            made.append(f"CREATE TABLE IF NOT EXISTS {database.name}.{name}{on_cluster} AS {local} ENGINE = {over_all}")
    return made
