"""
The table `facts`: what the catalogue keeps of a run, so that a server that starts reads no points. It is a cache.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

from aim.core.clock import MICROSECONDS
from aim.storage.catalogue import catalogue_row
from aim.storage.catalogue.catalogue_row import CatalogueRow, KindNumbers
from aim.storage.cluster import rows
from aim.storage.cluster.cluster_heads import Head
from aim.storage.cluster.cluster_project import ClusterProject

COLUMNS = ("project", "rid", "run", "mark", "facts", "seen", "deleted")


def read_facts(
    project: ClusterProject, heads: dict[str, Head], kind_numbers: KindNumbers
) -> Iterator[tuple[CatalogueRow, int]]:
    """Go through the facts that are as new as *heads*, each with its mark. Raises ClusterUnavailable."""
    texts = project.database.rows(
        f"SELECT run, mark, facts FROM {project.table('facts')} FINAL WHERE project = {{project:String}}",
        {"project": project.name},
    )
    for run_hash, mark, text in texts:
        head = heads.get(run_hash)
        if head is not None and head.mark == mark:
            yield catalogue_row.from_json(json.loads(text), kind_numbers), mark


def keep_facts(project: ClusterProject, row: CatalogueRow, mark: int, kind_numbers: KindNumbers) -> None:
    """Keep what was read of a run that has ended. Raises ClusterUnavailable."""
    text = json.dumps(catalogue_row.to_json(row, kind_numbers), separators=(",", ":"))
    project.database.insert(
        "facts",
        COLUMNS,
        rows.text(project.name.encode())
        + project.rid(row.run_hash)
        + rows.text(row.run_hash.encode())
        + rows.number(mark, 8)
        + rows.text(text.encode("utf-8", "surrogatepass"))
        + rows.number(round(time.time() * MICROSECONDS), 8)
        + rows.number(0, 1),
    )
