"""
`aim cluster`: make the tables of a cluster, find what is wrong with it, and see how it is.
"""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import click

from aim.cli import output
from aim.cli.formats import format_option, json_option
from aim.cli.main import AimGroup
from aim.core.words import counted
from aim.storage.cluster import cluster_check, cluster_status, schema, schema_changes
from aim.storage.cluster.cluster_check import OK, WRONG
from aim.storage.cluster.cluster_status import ClusterStatus
from aim.storage.cluster.database import Database
from aim.storage.cluster.settings import read_settings

CHECK_COLUMNS = ("subject", "check", "state", "text", "mending")
UNITS = ("B", "KB", "MB", "GB", "TB", "PB")
STEP = 1_000

settings_argument = click.argument(
    "file", type=click.Path(dir_okay=False, path_type=Path), default=Path("cluster.toml"), required=False
)


@click.group(cls=AimGroup, short_help="Make, check and watch a cluster: ClickHouse and an object store.")
def cluster() -> None:
    """
    Make, check and watch a cluster: the runs of `aim server --cluster`, in ClickHouse and an object store.

    FILE says where the cluster is: cluster.toml in the current folder, unless it is named.
    """


@cluster.command(short_help="Make the tables of a cluster, or add what they lack.")
@settings_argument
@json_option
def init(file: Path, as_json: bool) -> None:
    """
    Make the database and the tables of the cluster that FILE describes.

    What is there stays, and calling it again changes nothing. After an upgrade of Aim it adds new tables and columns.
    """
    settings = read_settings(file)
    database = Database(settings)
    added = schema_changes.make(database)
    database.close()
    if as_json:
        output.say(output.json_line({"database": settings.database, "format": schema.FORMAT_NUMBER, "added": added}))
    elif added:
        output.tell(f"Made in the database {settings.database}: {', '.join(added)}.")
    else:
        output.tell(f"The database {settings.database} has all tables; nothing was changed.")


@cluster.command(short_help="Say what is wrong with a cluster, and how to mend it.")
@settings_argument
@format_option
def check(file: Path, form: str | None) -> None:
    """
    Check the servers, the clocks, the tables and the object store of the cluster that FILE describes.

    Each thing that is wrong comes with what to do. Exit code 0: the cluster can be used; 1: something is wrong.
    """
    findings = list(cluster_check.check(read_settings(file)))
    output.rows([finding._asdict() for finding in findings], CHECK_COLUMNS, form=form)
    for finding in findings:
        if finding.state != OK:
            output.tell(f"{finding.subject}, {finding.check}: {finding.text} {finding.mending}")
    wrong_count = sum(finding.state == WRONG for finding in findings)
    if wrong_count:
        output.tell(f"{counted(wrong_count, 'check')} failed.")
        raise click.exceptions.Exit(1)
    output.tell("The cluster can be used.")


@cluster.command(short_help="Show shards, sizes, delays and slow statements of a cluster.")
@settings_argument
@json_option
def status(file: Path, as_json: bool) -> None:
    """Show what is in the cluster that FILE describes, on which servers, how far they are behind, and what was slow."""
    database = Database(read_settings(file))
    now = cluster_status.status(database)
    database.close()
    if as_json:
        output.say(output.json_line(_record(now)))
        return
    output.say(
        f"{counted(now.projects, 'project')}, {counted(now.runs, 'run')}, {counted(now.points, 'point')}, "
        f"{counted(now.object_count, 'object')} of {size(now.object_bytes)}; last recorded {_age(now.latest_s)}."
    )
    output.say("")
    output.rows([_shown(shard._asdict()) for shard in now.shards], list(now.shards[0]._fields), form=output.TABLE)
    output.say("")
    output.rows([_shown(table._asdict()) for table in now.tables], list(now.tables[0]._fields), form=output.TABLE)
    output.say("")
    if now.slow is None:
        output.say("ClickHouse keeps no log of statements (query_log), so slow ones are not known.")
    elif not now.slow:
        output.say("No statement of the last hour took longer than a second.")
    else:
        output.rows(_record(now)["slow"], ("took_ms", "at", "rows_read", "statement"), form=output.TABLE)


def _record(now: ClusterStatus) -> dict[str, Any]:
    slow = None
    if now.slow is not None:
        slow = [
            {**statement._asdict(), "at": datetime.fromtimestamp(statement.at_s, timezone.utc)}
            for statement in now.slow
        ]
        for statement in slow:
            del statement["at_s"]
    return {
        **now._asdict(),
        "shards": [shard._asdict() for shard in now.shards],
        "tables": [table._asdict() for table in now.tables],
        "slow": slow,
    }


def _shown(record: dict[str, Any]) -> dict[str, Any]:
    return {**record, "bytes": size(record["bytes"])}


def size(size_bytes: float) -> str:
    """
    Return a number of bytes for people.

    >>> size(999), size(1_500_000)
    ('999 B', '1.5 MB')
    """
    number = 0
    while size_bytes >= STEP and number < len(UNITS) - 1:
        size_bytes /= STEP
        number += 1
    return f"{size_bytes:.1f} {UNITS[number]}" if number else f"{size_bytes:.0f} B"


def _age(age_s: float | None) -> str:
    return "never" if age_s is None else f"{age_s:.0f} s ago"
