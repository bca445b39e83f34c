"""
The part of a cluster's `Backend` that imports runs: as from any other machine, but the requests stay in the process.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aim.storage.cluster.cluster_project import ClusterProject

if TYPE_CHECKING:
    from aim.storage.care.importing import ImportFollowers, RunImport
    from aim.storage.care.shipped_import import ShippedImports


class ImportedRuns:
    """The imported runs of *project*."""

    project: ClusterProject

    def import_run(self, run_hash: str, *, created_at_s: float | None = None) -> RunImport:
        """Begin to write a run; see `Backend`."""
        return _imports(self.project).import_run(run_hash, created_at_s=created_at_s)

    def import_note(self, run_hash: str) -> dict[str, Any] | None:
        """Return what was noted when a run was imported; None when it was not."""
        return _imports(self.project).import_note(run_hash)

    def import_followers(self, run_hash: str) -> ImportFollowers:
        """Return who records what the source of an imported run still gets: nobody."""
        return _imports(self.project).import_followers(run_hash)


def _imports(project: ClusterProject) -> ShippedImports:
    from aim.storage.care.shipped_import import ShippedImports  # it imports what writes folders
    from aim.storage.cluster.cluster_intake import ClusterIntake

    return ShippedImports(ClusterIntake(project), project.address)
