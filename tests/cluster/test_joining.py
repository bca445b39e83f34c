"""
Small objects of blob files are joined, and are read meanwhile and whenever that is interrupted.
"""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from aim.core.errors import Unavailable
from aim.server.settings import Settings
from aim.storage.cluster import part_joining, rows
from aim.storage.cluster.cluster_backend import ClusterBackend
from aim.storage.cluster.cluster_files import PartsFile
from aim.storage.cluster.cluster_project import ClusterProject
from aim.storage.cluster.database import Database
from aim.storage.cluster.object_store import Objects, writer_prefix
from aim.storage.cluster.part_joining import JoinedFile, join_file, join_parts
from aim.storage.recording.writer import Writer
from aim.storage.store import Store
from tests.cluster.running import RunningCluster, ship
from tests.remote.servers import wait_until
from tests.server.conftest import RunningServer
from tests.storage.recorded import RUN, Picture, PointKey, points_of_reader

PICTURES = 8


class Interrupted:
    """What is away after it was asked *left* times."""

    left = math.inf

    def spend(self) -> None:
        """Count a question, or be away."""
        if self.left <= 0:
            raise Unavailable("away")
        self.left -= 1


@pytest.fixture(name="file")
def _file(project: ClusterProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> JoinedFile:
    """
    The blob file of a run that has ended, whose bytes came in small pieces.
    """
    monkeypatch.setattr(part_joining, "PARTS_MIN", 4)
    store = Store(tmp_path / ".aim", create=True)
    folder = store.runs / RUN
    folder.mkdir(parents=True)
    writer = Writer(folder, RUN)
    for number in range(PICTURES):
        writer.sequence("pictures", None).track([Picture(str(number))], number)
    writer.close()
    ship(store, project, budget_bytes=500)
    return JoinedFile(project, project.rid(RUN), rows.writer_number(writer.id), 0)


def pictures(backend: ClusterBackend) -> dict[PointKey, tuple[object, ...]]:
    """Return what the run has, with the bytes of all pictures, read anew."""
    return points_of_reader(backend.reader(RUN))


def test_parts_of_a_run_that_has_ended_become_one(
    cluster: RunningCluster, project: ClusterProject, backend: ClusterBackend, file: JoinedFile
) -> None:
    """
    Only then; a file that was opened before is read on; and joining again does nothing.
    """
    expected = pictures(backend)
    join_parts(project.database, cluster.project, math.inf)
    before, opened = file.parts(), PartsFile(project.objects, file.parts(), file.parts)
    backend.catalogue(backend.reader).refresh()
    join_parts(project.database, cluster.project, math.inf)
    ((start, size_bytes, key),) = file.parts()

    assert len(before) > 4
    assert (0, max(part[0] + part[1] for part in before)) == (start, size_bytes)
    assert [key] == project.objects.keys(writer_prefix(file.rid, file.writer))
    assert project.objects.read_whole(key) == opened.readall()
    assert (PICTURES, expected) == (len(expected), pictures(backend))
    assert (False, [(start, size_bytes, key)]) == (join_file(file), file.parts())


def test_joining_may_be_interrupted_after_any_step(
    cluster: RunningCluster, project: ClusterProject, backend: ClusterBackend, file: JoinedFile
) -> None:
    """
    All pictures are there then, and the next server goes on.
    """
    away, expected = Interrupted(), pictures(backend)

    class Asked(Database):
        def insert(self, *words: object, **named: object) -> None:
            away.spend()
            super().insert(*words, **named)  # type: ignore[arg-type]

        def execute(self, *words: object, **named: object) -> None:
            away.spend()
            super().execute(*words, **named)  # type: ignore[arg-type]

    class Kept(Objects):
        def put(self, *words: object) -> None:
            away.spend()
            super().put(*words)  # type: ignore[arg-type]

        def delete(self, keys: object) -> None:
            for key in keys:  # type: ignore[attr-defined]
                away.spend()
                super().delete([key])

    there = ClusterProject(Asked(cluster.settings), Kept(cluster.settings.objects), project.name)
    interruptions = 0
    while True:
        away.left = interruptions
        try:
            join_file(file._replace(project=there))
        except Unavailable:
            assert expected == pictures(backend), interruptions
            interruptions += 1
            continue
        break

    assert interruptions >= 4
    assert expected == pictures(backend)
    assert [part[2] for part in file.parts()] == project.objects.keys(writer_prefix(file.rid, file.writer))
    assert 1 == len(file.parts())


def test_a_server_joins_what_is_small(
    cluster: RunningCluster, project: ClusterProject, backend: ClusterBackend, file: JoinedFile
) -> None:
    """
    With the other things that servers do once a minute.
    """
    expected = pictures(backend)
    backend.catalogue(backend.reader).refresh()
    server = RunningServer(Settings((), cluster=cluster.settings, port=0))
    try:
        wait_until(lambda: len(file.parts()) == 1, "the joining")
    finally:
        assert server.stop()
    assert expected == pictures(backend)
