"""
The table `documents`: saved views, reports and other small files beside the runs. The latest revision of each counts.
"""

from __future__ import annotations

import base64
import time

from aim.storage.cluster import rows
from aim.storage.cluster.cluster_project import ClusterProject

STAMP_AGE_MAX_S = 2.0  # pages look for changes four times a second
COLUMNS = ("project", "name", "revision", "body", "deleted")


class ClusterDocuments:
    """
    The documents of *project*; a `DocumentFiles`.

    Args:
        shelf: of documents that are not among those of the project: what follows its name in the rows.
    """

    def __init__(self, project: ClusterProject, shelf: str = "") -> None:
        self._project = project
        self._name = project.name + shelf
        self._stamp = 0
        self._stamped_at_s = -STAMP_AGE_MAX_S

    def stamp(self) -> int:
        """Return a number that changes with a document; asked of the database at most once in some seconds."""
        if time.monotonic() - self._stamped_at_s >= STAMP_AGE_MAX_S:
            self._stamped_at_s = time.monotonic()
            [[self._stamp]] = self._project.database.rows(
                f"SELECT max(revision) FROM {self._project.table('documents')} WHERE project = {{project:String}}",
                {"project": self._name},
            )
        return int(self._stamp)

    def names(self) -> list[str]:
        """List the names of the documents, sorted."""
        names = self._project.database.rows(
            f"SELECT name FROM {self._project.table('documents')} FINAL "
            "WHERE project = {project:String} AND deleted = 0 ORDER BY name",
            {"project": self._name},
        )
        return [name for (name,) in names]

    def read(self, name: str) -> bytes | None:
        """Return the content of a document; None when there is none."""
        contents = self._project.database.rows(
            f"SELECT base64Encode(body) FROM {self._project.table('documents')} FINAL "
            "WHERE project = {project:String} AND name = {name:String} AND deleted = 0",
            {"project": self._name, "name": name},
        )
        return base64.b64decode(contents[0][0]) if contents else None

    def write(self, name: str, content: bytes) -> None:
        """Write a document instead of that of its name."""
        self._insert(name, content, is_deleted=False)

    def delete(self, name: str) -> bool:
        """Delete a document; return whether there was one."""
        if self.read(name) is None:
            return False
        self._insert(name, b"", is_deleted=True)
        return True

    def _insert(self, name: str, content: bytes, *, is_deleted: bool) -> None:
        revision = time.time_ns() // 1000
        row = rows.text(self._name.encode()) + rows.text(name.encode()) + rows.number(revision, 8)
        self._project.database.insert("documents", COLUMNS, row + rows.text(content) + rows.number(is_deleted, 1))
