"""
The projects of a cluster, as the repositories of a server. Any number of servers may serve one cluster.

A project is there when a training has shipped into it; it is a name in the tables and has no folder.
"""

from __future__ import annotations

import logging
import time
from typing import BinaryIO

from aim.engine.backend_repository import BackendRepository
from aim.server.open_projects import OpenProjects
from aim.server.open_repository import OpenRepository, Receiving, no_repository
from aim.server.projects import DEFAULT_PROJECT, LIST_S, is_project_name
from aim.storage.cluster import schema_changes
from aim.storage.cluster.cluster_backend import ClusterBackend
from aim.storage.cluster.cluster_heads import run_counts
from aim.storage.cluster.cluster_intake import ClusterIntake
from aim.storage.cluster.cluster_marks import projects_to_sweep
from aim.storage.cluster.cluster_project import ClusterProject
from aim.storage.cluster.cluster_scratch import write_archive
from aim.storage.cluster.cluster_trash import sweep_due
from aim.storage.cluster.database import Database
from aim.storage.cluster.import_sweeping import sweep_imports
from aim.storage.cluster.object_store import Objects
from aim.storage.cluster.part_joining import join_parts
from aim.storage.cluster.settings import ClusterSettings

SWEEP_INTERVAL_S = 60.0
SWEEP_S = 5.0  # for so long at a time: a server that stops waits for it

log = logging.getLogger("aim.server")


class OpenClusterProject(OpenRepository):
    """A project of a cluster, of which so many runs may be in memory."""

    def __init__(self, project: ClusterProject, runs_in_memory: int) -> None:
        super().__init__(
            project.name, BackendRepository(ClusterBackend(project, runs_max=runs_in_memory)), project.name
        )
        self._project = project

    def receiver(self) -> Receiving:
        """Return what takes the requests of trainings."""
        return ClusterIntake(self._project)

    def write_archive(self, run_hash: str, target: BinaryIO) -> None:
        """Write a run as an archive."""
        write_archive(self._project, run_hash, target)

    def close(self) -> None:
        """Stop reading runs. Deleted ones are removed by a server that goes on, or by the next one."""
        self.catalogue.close()


class ClusterProjects(OpenProjects):
    """
    The projects of the cluster of *settings*, by name; `Repositories`. Any thread may use it.

    Raises:
        UsageError: a package is missing, or the settings are wrong.
    """

    default = DEFAULT_PROJECT

    def __init__(self, settings: ClusterSettings) -> None:
        super().__init__()
        self._runs_in_memory = settings.runs_in_memory
        self._database = Database(settings)
        self._objects = Objects(settings.objects)
        self._address = settings.addresses[0]
        self._swept_at_s = -SWEEP_INTERVAL_S
        self._counted: tuple[float, dict[str, int]] = (-LIST_S, {})

    def names(self) -> list[str]:
        """List the names of all projects, at most 2 s old but for those that are open. Raises ClusterUnavailable."""
        return sorted({*self._run_counts(), *self._open})

    def _run_counts(self) -> dict[str, int]:
        at_s, counts = self._counted
        if time.monotonic() - at_s >= LIST_S:
            counts = run_counts(self._database)
            self._counted = (time.monotonic(), counts)
        return counts

    def location(self, name: str) -> str:
        """Return where a project is, for people."""
        return f"{self._address}/{name}"

    def run_count(self, name: str) -> int:
        """Return how many runs a project has, archived ones included, at most 2 s old. Raises ClusterUnavailable."""
        return self._run_counts().get(name, 0)

    def is_open(self, name: str) -> bool:
        """Return whether a project is open, so that `get` is quick."""
        return name in self._open

    def get(self, name: str, *, create: bool = False) -> OpenRepository:
        """
        Return a project.

        Args:
            create: open it though nothing was shipped into it yet.

        Raises:
            Refusal: (404) there is none; (400) it can't have that name.
            ClusterUnavailable: the cluster does not answer, or its tables are not those of this version.
        """
        with self._lock:
            self._used_at_s[name] = time.monotonic()
            if name not in self._open:
                if not is_project_name(name):
                    raise no_repository(name)
                schema_changes.check_tables(self._database)
                if not create and name != DEFAULT_PROJECT and name not in self.names():
                    raise no_repository(name)
                self._open[name] = OpenClusterProject(self._project(name), self._runs_in_memory)
            return self._open[name]

    def _project(self, name: str) -> ClusterProject:
        return ClusterProject(self._database, self._objects, name, self.location(name))

    def is_measured(self, name: str) -> bool:
        """Return True."""
        return True

    def check_room(self, name: str) -> None:
        """Do nothing: the room of a cluster is its operator's care."""

    def sweep(self) -> None:
        """
        Once a minute remove the runs whose deletion can't be taken back any more, whichever server has deleted them,
        and those that a server has begun to remove or to copy before it was killed; then what broken-off imports have
        left; then join small objects of runs that have ended.

        Raises:
            ClusterUnavailable, ObjectsUnavailable: the rest is done the next time.
        """
        begun_s = time.monotonic()
        if begun_s - self._swept_at_s < SWEEP_INTERVAL_S:
            return
        until_s = begun_s + SWEEP_S
        if (
            all(sweep_due(self._project(name), until_s) for name in projects_to_sweep(self._database))
            and sweep_imports(self._database, self._project, until_s)
            and join_parts(self._database, self._project, until_s)
        ):
            self._swept_at_s = begun_s  # else it goes on in a moment

    def close(self) -> None:
        """Close all that are open, and the connections."""
        super().close()
        self._database.close()
