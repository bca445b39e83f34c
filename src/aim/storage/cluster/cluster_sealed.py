"""
Sealed points that are shipped as one file: its rows go into the table `points`, after all slots of a journal.

A writer may have shipped slots before its points were sealed, so the same point can be there twice: as a slot, and as a
row of the sealed file. The head of the writer says when all rows of its sealed file are there; from then on only these
are read.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from aim.storage.cluster import rows
from aim.storage.cluster.cluster_files import WholeFile
from aim.storage.cluster.cluster_project import ClusterProject
from aim.storage.sealing.sealed import Sealed

SEALED_FILE = (1 << 32) - 1  # in the table `parts`: its key is a digest
SEALED = 1 << 63
"""The slot of the first row of a sealed file. A journal never has as many slots."""


def sealed_rows(rid: bytes, writer: int, name: str, content: bytes) -> bytes:
    """
    Return the rows of `points` of a whole sealed file, in the form RowBinary.

    Raises:
        DamagedFile, ValueError: it is none.
    """
    numbers, columns = Sealed.of(Path(name), content).all()
    recorded = np.empty(len(numbers), rows.POINT_ROW)
    recorded["rid"] = np.frombuffer(rid, "V16")
    recorded["writer"] = writer
    recorded["number"] = numbers
    recorded["step"] = columns.steps
    recorded["slot"] = np.uint64(SEALED) + np.arange(len(numbers), dtype=np.uint64)
    recorded["time"] = columns.times_us
    recorded["value"] = columns.values
    recorded["epoch"] = columns.epochs
    return recorded.tobytes()


def sealed_part(rid: bytes, writer: int, sha256: str, size_bytes: int) -> bytes:
    """Return the row of `parts` that says which whole file the sealed points of a writer are."""
    return rows.part_row(rid, writer, SEALED_FILE, 0, size_bytes, sha256)


def sealed_file(project: ClusterProject, rid: bytes, writer: int) -> WholeFile | None:
    """Return the sealed points of a writer as they were shipped; None: they were not. Raises ClusterUnavailable."""
    parts = project.database.rows(
        f"SELECT bytes, key FROM {project.table('parts')} FINAL WHERE rid = {{rid:FixedString(16)}} "
        "AND writer = {writer:UInt32} AND file = {file:UInt32} LIMIT 1",
        {"rid": rid, "writer": writer, "file": SEALED_FILE},
    )
    return WholeFile(project.objects, rid, parts[0][1], parts[0][0]) if parts else None


def points_of_writer(project: ClusterProject) -> str:
    """Return the condition for the points of a writer; its values are `project`, `rid` and `writer`."""
    return (
        "rid = {rid:FixedString(16)} AND writer = {writer:UInt32} AND slot >= ("
        f"SELECT if(max(slots) >= {SEALED}, {SEALED}, 0) FROM {project.table('heads')} "
        "WHERE project = {project:String} AND rid = {rid:FixedString(16)} AND writer = {writer:UInt32})"
    )
