"""
One project of a cluster: its tables, its objects and its name, which all that reads or writes it shares.
"""

from __future__ import annotations

from aim.storage.cluster import rows
from aim.storage.cluster.cluster_marks import ClusterMarks
from aim.storage.cluster.database import Database
from aim.storage.cluster.object_store import Objects


class ClusterProject:
    """
    The project *name*. Any number of threads may use it.

    Attributes:
        database: the tables.
        objects: bytes of blob files, of sealed files and of artifacts.
        name: of the project, the first column of its rows.
        address: where it is, for messages.
        marks: which runs are deleted.
    """

    def __init__(self, database: Database, objects: Objects, name: str, address: str = "") -> None:
        self.database = database
        self.objects = objects
        self.name = name
        self.address = address or name
        self.marks = ClusterMarks(database, name)

    def table(self, name: str) -> str:
        """Return the full name of a table."""
        return self.database.table(name)

    def rid(self, run_hash: str) -> bytes:
        """Return the 16 bytes that stand for a run of the project."""
        return rows.rid_of(self.name, run_hash)
