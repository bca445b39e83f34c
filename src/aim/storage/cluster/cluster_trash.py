"""
Deleted runs of a project: marks, which the next mark takes back.
"""

from __future__ import annotations

from collections.abc import Callable

from aim.core.errors import RunExists
from aim.storage.cluster.cluster_project import ClusterProject


class ClusterTrash:
    """Deleted runs: their rows stay for a while, so a deletion can be taken back. It is a `RunTrash`."""

    def __init__(self, project: ClusterProject, check_exists: Callable[[str], None]) -> None:
        self._marks = project.marks
        self._check_exists = check_exists

    def put_away(self, run_hash: str) -> str:
        """Delete a run; return the name under which it waits. Raises RunNotFound."""
        self._check_exists(run_hash)
        self._marks.write(run_hash)
        return run_hash

    def bring_back(self, trash_name: str) -> str:
        """Put a run back; return its hash. Raises RunNotFound and RunExists."""
        if trash_name not in self._marks.deleted():
            raise RunExists(f"Run {trash_name!r} is not deleted.")
        self._marks.write(trash_name, restored=True)
        return trash_name

    def remove(self, trash_name: str) -> None:
        """Do nothing: the rows of deleted runs are removed together, later."""

    def empty(self) -> None:
        """Do nothing; see `remove`."""
