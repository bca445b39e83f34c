"""
What is wrong with a cluster, and how to mend it: `aim cluster check`.

Each check asks one server, or the object store, and says what it found. Nothing is changed but an object that is
written, read and deleted again.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

from aim.storage.cluster import schema, schema_changes
from aim.storage.cluster.database import ClusterUnavailable, Database
from aim.storage.cluster.object_store import Objects, ObjectsUnavailable
from aim.storage.cluster.settings import ClusterSettings

OK, WARNING, WRONG = "ok", "warning", "wrong"
VERSION_MIN = (24, 8)
VERSION_TESTED = (26, 7)
SKEW_WARNING_S, SKEW_WRONG_S = 1.0, 10.0
SKEW_ASKED = 3
REFUSED_LOGIN = re.compile(r"AUTHENTICATION_FAILED|Authentication failed|REQUIRED_PASSWORD|code:? 516|code:? 194", re.I)
NO_BUCKET = re.compile(r"NoSuchBucket|bucket does not exist|404|not found", re.I)
NO_RIGHT = re.compile(r"AccessDenied|Forbidden|403|SignatureDoesNotMatch|InvalidAccessKeyId|Unauthorized|401", re.I)


class Finding(NamedTuple):
    """
    What one check found.

    Attributes:
        subject: the address of a server, or of the object store.
        check: what was looked at.
        state: `ok`, `warning` or `wrong`.
        mending: what to do; "" where nothing is to be done.
    """

    subject: str
    check: str
    state: str
    text: str
    mending: str = ""


def check(settings: ClusterSettings) -> Iterator[Finding]:
    """Check all servers of a cluster and its object store."""
    answering: list[Database] = []
    for address in settings.addresses:
        database = Database(settings._replace(addresses=(address,)))
        findings = list(_check_server(database, address))
        yield from findings
        if findings[0].state != WRONG:
            answering.append(database)
    if answering:
        yield from _check_cluster(answering[0], settings)
        yield _schema(answering[0])
    for database in answering:
        database.close()
    yield from _check_objects(settings)


def _check_server(database: Database, address: str) -> Iterator[Finding]:
    try:
        ((number,),) = database.rows("SELECT version()")
        skew_s = min((_skew(database) for _ in range(SKEW_ASKED)), key=abs)
    except ClusterUnavailable as error:
        if REFUSED_LOGIN.search(str(error)):
            yield Finding(
                address,
                "server",
                WRONG,
                f"It refuses the user or the password. {error}",
                "Set `user` and `password_file` in [clickhouse], or the variable AIM_CLICKHOUSE_PASSWORD.",
            )
        else:
            yield Finding(
                address,
                "server",
                WRONG,
                str(error),
                "Start the server, or correct `addresses`; its HTTP port (8123) must be reachable from here.",
            )
        return
    yield version(address, str(number))
    yield clock(address, skew_s)


def _skew(database: Database) -> float:
    """Return by how many seconds the clock of the server is ahead, at least: an answer takes some time, too."""
    before_s = time.time()
    ((clock_s,),) = database.rows("SELECT toFloat64(now64(6))")
    after_s = time.time()
    return max(0.0, float(clock_s) - after_s) or min(0.0, float(clock_s) - before_s)


def version(address: str, text: str) -> Finding:
    """Return whether a version of ClickHouse is new enough."""
    number = tuple(int(part) for part in re.findall(r"\d+", text)[:2])
    if number < VERSION_MIN:
        oldest = ".".join(map(str, VERSION_MIN))
        return Finding(address, "server", WRONG, f"ClickHouse {text} is too old.", f"Upgrade it to {oldest} or later.")
    tested = "" if number[0] == VERSION_TESTED[0] else f" Aim is tested with {'.'.join(map(str, VERSION_TESTED))}."
    return Finding(address, "server", OK, f"ClickHouse {text} answers.{tested}")


def clock(address: str, skew_s: float) -> Finding:
    """Return whether a clock is right; *skew_s*: how far it is ahead."""
    text = f"Its clock is {abs(skew_s):.1f} s {'ahead of' if skew_s > 0 else 'behind'} the clock here."
    if abs(skew_s) < SKEW_WARNING_S:
        return Finding(address, "clock", OK, text)
    state = WRONG if abs(skew_s) >= SKEW_WRONG_S else WARNING
    mending = "Have both set by NTP: changes are seen late, and running trainings may look lost."
    return Finding(address, "clock", state, text, mending)


def _check_cluster(database: Database, settings: ClusterSettings) -> Iterator[Finding]:
    """Check the cluster that the settings name: its shards, its replicas, and Keeper."""
    if not settings.cluster:
        return
    subject = f"cluster {settings.cluster}"
    servers = database.rows(
        "SELECT shard_num, host_name, errors_count FROM system.clusters WHERE cluster = {cluster:String}",
        {"cluster": settings.cluster},
    )
    if not servers:
        names = database.rows("SELECT DISTINCT cluster FROM system.clusters ORDER BY cluster")
        yield Finding(
            subject,
            "servers",
            WRONG,
            f"ClickHouse has no cluster of this name; it has: {', '.join(name for (name,) in names) or 'none'}.",
            "Set `cluster` in [clickhouse] to a name of <remote_servers> in the configuration of ClickHouse.",
        )
        return
    yield _replicas(subject, servers)
    try:
        database.rows("SELECT count() FROM system.zookeeper WHERE path = '/'")
    except ClusterUnavailable as error:
        yield Finding(
            subject, "keeper", WRONG, str(error), "Start ClickHouse Keeper: replicated tables are read-only without it."
        )
    else:
        yield Finding(subject, "keeper", OK, "Keeper answers.")


def _replicas(subject: str, servers: list[tuple[Any, ...]]) -> Finding:
    text = f"{len({shard for shard, *_ in servers})} shards on {len(servers)} servers."
    failing = [str(host) for _, host, errors in servers if errors]
    if not failing:
        return Finding(subject, "servers", OK, text)
    mending = "Look at these servers: what only they have can't be read."
    return Finding(subject, "servers", WARNING, f"{text} Errors with: {', '.join(failing)}.", mending)


def _schema(database: Database) -> Finding:
    subject, upgrade = f"database {database.name}", "Upgrade Aim on this machine."
    try:
        state = schema_changes.compare(database)
    except ClusterUnavailable as error:
        mending = "Grant SELECT, INSERT and ALTER DELETE on it to the user of Aim."
        return Finding(subject, "tables", WRONG, str(error), mending)
    if state.is_newer:
        return Finding(subject, "tables", WRONG, schema_changes.newer(database, state.number), upgrade)
    if state.missing:
        text = "There are none." if state.is_empty else f"Missing: {', '.join(state.missing)}."
        return Finding(subject, "tables", WRONG, text, "Run `aim cluster init`: it adds what is missing.")
    if state.different:
        text = f"Columns of another type: {', '.join(state.different)}."
        mending = "Aim did not make these tables. Name another `database` in [clickhouse]."
        return Finding(subject, "tables", WRONG, text, mending)
    return Finding(subject, "tables", OK, f"All tables are there, in format {schema.FORMAT_NUMBER}.")


def _check_objects(settings: ClusterSettings) -> Iterator[Finding]:
    address = settings.objects.address
    key, content = f"check/{os.urandom(8).hex()}", b"aim cluster check"
    objects = Objects(settings.objects)
    doing = "write"
    try:
        objects.put(key, content)
        doing = "read"
        has_read = objects.read(key, 4, 7) == content[4:11]
        doing = "list"
        has_listed = key in objects.keys("check/")
        doing = "delete"
        objects.delete([key])
    except (ObjectsUnavailable, FileNotFoundError) as error:
        yield Finding(address, "objects", WRONG, f"It can't {doing}. {error}", objects_mending(str(error)))
        return
    if not has_read or not has_listed:
        yield Finding(
            address,
            "objects",
            WRONG,
            "What was written is not there.",
            "Choose a store that shows an object as soon as it is written, as S3 does.",
        )
        return
    yield Finding(address, "objects", OK, "Objects are written, read, listed and deleted.")


def objects_mending(error: str) -> str:
    """Return what to do about an error of an object store."""
    if NO_RIGHT.search(error):
        return (
            "Set `access_key_id` and `secret_access_key_file` in [objects]; they need the rights to get, put, list and "
            "delete objects."
        )
    if NO_BUCKET.search(error):
        return "Make the bucket, or correct `address` in [objects]."
    return "Start the object store, or correct `endpoint` in [objects]."
