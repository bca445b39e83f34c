"""
The tables `facts` and `leaves`: what the catalogue keeps of a run that has ended. Both are caches.

    CatalogueRow  ->  leaves, then facts        so a run that has facts has its leaves
    facts         ->  CatalogueRow              a server that starts reads no points
    condition     ->  leaves  ->  facts         the runs that a query may match; `aim.query.sql` makes the condition

Facts hold while the mark of the run is the one that they have. Leaves of earlier marks stay, so a condition may leave
too many runs, never too few.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from aim.core import query_leaves
from aim.core.clock import MICROSECONDS
from aim.core.query_leaves import QueryLeaf, leaves_of
from aim.storage.catalogue import catalogue_row
from aim.storage.catalogue.catalogue_row import CatalogueRow, KindNumbers
from aim.storage.cluster import rows
from aim.storage.cluster.cluster_project import ClusterProject

FACTS_COLUMNS = ("project", "rid", "run", "mark", "facts", "seen", "deleted")
LEAF_COLUMNS = ("project", "path", "rid", "mark", "kind", "num", "str")
RIDS_AT_ONCE = 2_000  # of one statement: 64 KB of hexadecimal digits
RID = "toFixedString(unhex(substring({rids:String}, 1 + 32 * number, 32)), 16)"
AMONG = f"AND rid IN (SELECT {RID} FROM numbers(intDiv(length({{rids:String}}), 32)))"


class FactsMark(NamedTuple):
    """
    Which facts of a run there are. Facts with the same numbers have the same content.

    Attributes:
        mark: of the run when it was read.
        seen_us: when they were kept, by the clock of the server that did it.
    """

    mark: int
    seen_us: int


def keep_facts(project: ClusterProject, row: CatalogueRow, mark: int, kind_numbers: KindNumbers) -> None:
    """Keep what was read of a run that has ended. Raises ClusterUnavailable."""
    keep_many(project, [(row, mark)], kind_numbers)


def keep_many(project: ClusterProject, runs: Iterable[tuple[CatalogueRow, int]], kind_numbers: KindNumbers) -> int:
    """
    Keep what was read of runs that have ended, each with its mark, by two inserts. Return the `seen_us` of all of them.
    Raises ClusterUnavailable.
    """
    seen_us = round(time.time() * MICROSECONDS)
    blocks = [_facts_block(project, row, FactsMark(mark, seen_us), kind_numbers) for row, mark in runs]
    if blocks:
        project.database.insert("leaves", LEAF_COLUMNS, b"".join(leaves for leaves, _ in blocks))
        project.database.insert("facts", FACTS_COLUMNS, b"".join(facts for _, facts in blocks))
    return seen_us


def _facts_block(
    project: ClusterProject, row: CatalogueRow, at: FactsMark, kind_numbers: KindNumbers
) -> tuple[bytes, bytes]:
    """Return the rows of `leaves` and of `facts` of a run."""
    name, rid, marked = rows.text(project.name.encode()), project.rid(row.run_hash), rows.number(at.mark, 8)
    leaves = [
        name + rows.text(leaf.path.encode("ascii")) + rid + marked + rows.leaf_value(leaf) for leaf in row_leaves(row)
    ]
    content = json.dumps(catalogue_row.to_json(row, kind_numbers), separators=(",", ":"))
    facts = (
        name
        + rid
        + rows.text(row.run_hash.encode())
        + marked
        + rows.text(content.encode("utf-8", "surrogatepass"))
        + rows.number(at.seen_us, 8)
        + rows.number(0, 1)
    )
    return b"".join(leaves), facts


def row_leaves(row: CatalogueRow) -> Iterator[QueryLeaf]:
    """Go through the leaves of a run."""
    sequences = (
        (kind, name, text, {**sequence.summary._asdict(), "count": sequence.summary.point_count})
        for (name, text, kind), sequence in row.sequences.items()
    )
    return leaves_of({**row.fields, "hash": row.run_hash}, row.params, sequences)


def facts_of(
    project: ClusterProject, run_hashes: Iterable[str], kind_numbers: KindNumbers
) -> Iterator[tuple[CatalogueRow, FactsMark]]:
    """
    Go through the facts of runs, each with its mark; those that have none are left out. Raises ClusterUnavailable.

    Cost: a statement for 2,000 runs, and some 0.5 ms a run of 50 params and 50 sequences. Runs whose `rid` are
    neighbours lie together; of a large project, others have ClickHouse read most of the table.
    """
    for chosen in among(project, run_hashes):
        texts = project.database.rows(
            f"SELECT mark, toUnixTimestamp64Micro(seen), facts FROM {project.table('facts')} FINAL "
            f"WHERE project = {{project:String}} {AMONG}",
            {"project": project.name, **chosen},
        )
        for mark, seen_us, text in texts:
            yield catalogue_row.from_json(json.loads(text), kind_numbers), FactsMark(int(mark), int(seen_us))


def facts_marks(project: ClusterProject) -> dict[str, FactsMark]:
    """Return of all runs that have facts which these are. Raises ClusterUnavailable. Cost: 1 us a run."""
    names, marks, seen = project.database.columns(
        f"SELECT run, mark, toUnixTimestamp64Micro(seen) FROM {project.table('facts')} FINAL "
        "WHERE project = {project:String}",
        {"project": project.name},
        count=3,
    )
    return dict(zip(names, map(FactsMark, marks, seen), strict=True))


def marks_of(project: ClusterProject, run_hashes: Iterable[str]) -> dict[str, int]:
    """Return the marks of the facts of runs, of those that have some. Raises ClusterUnavailable."""
    marks: dict[str, int] = {}
    for chosen in among(project, run_hashes):
        latest = project.database.rows(
            f"SELECT run, max(mark) FROM {project.table('facts')} WHERE project = {{project:String}} {AMONG} "
            "GROUP BY run",
            {"project": project.name, **chosen},
        )
        marks.update((str(run_hash), int(mark)) for run_hash, mark in latest)
    return marks


def among(project: ClusterProject, run_hashes: Iterable[str]) -> Iterator[dict[str, str]]:
    """Go through runs, many at a time, as the value that AMONG needs."""
    rids = [project.rid(run_hash).hex() for run_hash in run_hashes]
    for start in range(0, len(rids), RIDS_AT_ONCE):
        yield {"rids": "".join(rids[start : start + RIDS_AT_ONCE])}


def runs_matching(project: ClusterProject, condition: tuple[str, str, Mapping[str, str]], count_max: int) -> list[str]:
    """
    Return at most *count_max* runs that have facts and pass a condition. Raises ClusterUnavailable.

    Args:
        condition: which leaves matter, what holds of those of a run, and values: `aim.query.sql.Statement`.
    """
    where, having, values = condition
    chosen = (
        f"SELECT rid FROM {project.table('leaves')} WHERE project = {{project:String}} AND ({where}) "
        f"GROUP BY rid HAVING {having}"
    )
    return _runs(project, chosen, values, count_max)


def newest_runs(project: ClusterProject, count_max: int) -> list[str]:
    """Return the *count_max* runs that have facts and were created last. Raises ClusterUnavailable."""
    chosen = (
        f"SELECT rid FROM {project.table('leaves')} WHERE project = {{project:String}} AND path = {{path:String}} "
        f"ORDER BY num DESC LIMIT {count_max:d}"
    )
    return _runs(project, chosen, {"path": query_leaves.field_path("creation_time")}, count_max)


def _runs(project: ClusterProject, rids: str, values: Mapping[str, str], count_max: int) -> list[str]:
    names = project.database.rows(
        f"SELECT DISTINCT run FROM {project.table('facts')} WHERE project = {{project:String}} "
        f"AND rid GLOBAL IN ({rids}) LIMIT {count_max:d}",
        {"project": project.name, **values},
    )
    return [str(run_hash) for (run_hash,) in names]
