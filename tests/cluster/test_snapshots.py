"""
Snapshots of the catalogue in the object store: a server that starts reads them, and believes only what the tables say.
"""

from __future__ import annotations

import random
import subprocess
import sys
import threading
import time
from contextlib import nullcontext
from pathlib import Path

import pytest

from aim.core.clock import MICROSECONDS
from aim.storage.catalogue import snapshot
from aim.storage.catalogue.catalogue_row import CatalogueRow
from aim.storage.catalogue.run_table import RunTable
from aim.storage.cluster import cluster_facts
from aim.storage.cluster.cluster_catalogue import CatalogueReading, ClusterCatalogue
from aim.storage.cluster.cluster_edits import write_edits
from aim.storage.cluster.cluster_marks import DELETED
from aim.storage.cluster.cluster_project import ClusterProject
from aim.storage.cluster.cluster_snapshots import ClusterSnapshots, SnapshotKey, snapshot_keys
from aim.storage.cluster.cluster_trash import sweep
from aim.storage.reading.reader import RunReader
from tests.cluster.running import RunningCluster
from tests.cluster.test_large_projects import KINDS, RUNS, fill, row_of
from tests.query.superset_fuzz import random_run
from tests.remote.servers import wait_until

NOW_US = 10**15


def no_reader(run_hash: str) -> RunReader:
    """Fail: nothing may read the lines of a run that has facts."""
    raise AssertionError(run_hash)


def made_rows(count: int = RUNS) -> dict[str, CatalogueRow]:
    """
    Return random runs.
    """
    chance = random.Random(count)
    return {f"run{number:03d}": row_of(f"run{number:03d}", random_run(chance)) for number in range(count)}


def catalogue_of(project: ClusterProject, folder: Path, runs_min: int = 1) -> tuple[ClusterCatalogue, ClusterSnapshots]:
    """
    Return the catalogue of a server that starts, and its snapshots.
    """
    snapshots = ClusterSnapshots(project, folder=folder, runs_min=runs_min, look_s=0)
    return ClusterCatalogue(project, reading_of_facts(), snapshots=snapshots), snapshots


def reading_of_facts() -> CatalogueReading:
    """
    Return what fails when the lines and points of a run are read.
    """
    return CatalogueReading(no_reader, lambda runs: pytest.fail(f"{runs} were read"), lambda marks: None)


def content(table: RunTable) -> dict[str, tuple[object, ...]]:
    """
    Return all that a table has of each run.
    """
    names = sorted(name for name in table.fields if name != "sole_writer")
    return {
        run_hash: (
            *(table.fields[name].value(table.runs.slot_of(run_hash) or 0) for name in names),
            repr(table.document(table.row_of(run_hash) or 0)),
        )
        for run_hash in table.hashes()
    }


def stamps_of(project: ClusterProject) -> dict[str, int]:
    """
    Return the `seen` of the facts of each run.
    """
    return {run_hash: at.seen_us for run_hash, at in cluster_facts.facts_marks(project).items()}


def has_snapshot_since(project: ClusterProject, begun_us: int) -> bool:
    """
    Return whether a snapshot was written after a moment.
    """
    return any(key.seen_us > begun_us for key in snapshot_keys(project))


@pytest.fixture(name="written")
def _written(project: ClusterProject, tmp_path: Path) -> dict[str, tuple[object, ...]]:
    """
    What the table has of the runs of a project that has a snapshot.
    """
    fill(project, made_rows())
    catalogue, snapshots = catalogue_of(project, tmp_path / "first")
    catalogue.refresh()
    snapshots.wait()
    assert [snapshot.FORMAT_NUMBER] == [key.number for key in snapshot_keys(project)]
    return content(catalogue.table)


def test_a_server_that_starts_decodes_no_facts_of_the_runs_of_a_snapshot(
    project: ClusterProject, tmp_path: Path, written: dict[str, tuple[object, ...]]
) -> None:
    """
    Its table has the same of all runs.
    """
    catalogue, _ = catalogue_of(project, tmp_path / "second")
    changes = catalogue.refresh()
    assert ([], 0, written) == (changes.changed, changes.unread_count, content(catalogue.table))


def test_runs_that_have_changed_since_a_snapshot_come_from_facts(
    project: ClusterProject, tmp_path: Path, written: dict[str, tuple[object, ...]]
) -> None:
    """
    New runs, and those whose facts were written again, are read; the others come from the snapshot.
    """
    other = made_rows(RUNS + 1)
    changed = {name: other[name] for name in ("run003", f"run{RUNS:03d}")}
    fill(project, {f"run{RUNS:03d}": changed[f"run{RUNS:03d}"]})
    cluster_facts.keep_facts(project, changed["run003"], 101, KINDS)  # the same mark: as after a restored backup
    catalogue, _ = catalogue_of(project, tmp_path / "second")
    assert sorted(changed) == sorted(catalogue.refresh().changed)
    fresh, _ = catalogue_of(project, tmp_path / "third", runs_min=10**6)  # which uses none
    fresh.refresh()
    assert content(fresh.table) == content(catalogue.table)
    assert written["run003"] != content(catalogue.table)["run003"]


def test_a_snapshot_does_not_bring_back_a_deleted_run(
    project: ClusterProject, tmp_path: Path, written: dict[str, tuple[object, ...]]
) -> None:
    """
    It is hidden while its deletion can be taken back, and then its snapshot is removed with its rows.
    """
    project.marks.write("run005", DELETED)
    catalogue, _ = catalogue_of(project, tmp_path / "second")
    catalogue.refresh()
    assert sorted(written.keys() - {"run005"}) == sorted(catalogue.table.hashes())
    assert sweep(project, "run005")
    assert [] == snapshot_keys(project)
    assert catalogue.refresh().unread_count == 0


def test_a_run_that_is_recorded_again_under_its_hash_is_not_that_of_the_snapshot(
    project: ClusterProject, tmp_path: Path, written: dict[str, tuple[object, ...]]
) -> None:
    """
    It has the same mark, and other facts.
    """
    content_before = project.objects.read_whole(snapshot_keys(project)[0].text(project.name))
    key = snapshot_keys(project)[0]
    project.marks.write("run005", DELETED)
    assert sweep(project, "run005")
    project.objects.put(key.text(project.name), content_before)  # a server that wrote it meanwhile
    again = made_rows(7)["run005"]
    fill(project, {"run005": again})
    project.marks.deletions()
    catalogue, _ = catalogue_of(project, tmp_path / "second")
    assert ["run005"] == catalogue.refresh().changed
    assert written["run005"] != content(catalogue.table)["run005"]


@pytest.mark.parametrize("harm", ["cut", "bit", "other format", "text"])
def test_a_damaged_snapshot_is_not_used(
    project: ClusterProject, tmp_path: Path, written: dict[str, tuple[object, ...]], harm: str
) -> None:
    """
    The table is made from facts, and the next snapshot replaces the damaged one.
    """
    (key,) = snapshot_keys(project)
    data = project.objects.read_whole(key.text(project.name))
    project.objects.delete([key.text(project.name)])
    harmed = {
        "cut": data[: len(data) // 2],
        "bit": data[:-100] + bytes([data[-100] ^ 1]) + data[-99:],
        "other format": data,
        "text": b"no snapshot",
    }[harm]
    number = key.number + (harm == "other format")
    project.objects.put(key._replace(number=number).text(project.name), harmed)
    catalogue, snapshots = catalogue_of(project, tmp_path / "second")
    assert RUNS == len(catalogue.refresh().changed)
    assert written == content(catalogue.table)
    snapshots.wait()
    snapshots.write(catalogue.table, stamps_of(project), key.seen_us + 1)
    whole, _ = catalogue_of(project, tmp_path / "third")
    assert ([], written) == (whole.refresh().changed, content(whole.table))


def test_a_snapshot_of_another_cluster_shows_nothing(
    cluster: RunningCluster, project: ClusterProject, tmp_path: Path, written: dict[str, tuple[object, ...]]
) -> None:
    """
    Its runs have the same names and marks, and other facts.
    """
    other = ClusterProject(cluster.database, cluster.objects, f"{project.name}-other")
    others = made_rows(RUNS + 5)
    fill(other, {name: others[name] for name in made_rows()})
    (key,) = snapshot_keys(project)
    other.objects.put(key.text(other.name), project.objects.read_whole(key.text(project.name)))
    catalogue, _ = catalogue_of(other, tmp_path / "second")
    assert RUNS == len(catalogue.refresh().changed)
    fresh, _ = catalogue_of(other, tmp_path / "third", runs_min=10**6)
    fresh.refresh()
    assert content(fresh.table) == content(catalogue.table)


def test_a_file_that_is_damaged_on_this_machine_is_read_again_from_the_store(
    project: ClusterProject, tmp_path: Path, written: dict[str, tuple[object, ...]]
) -> None:
    """
    The machine keeps the file of the last start, and compares it with its name.
    """
    for _ in range(2):
        catalogue, _ = catalogue_of(project, tmp_path / "second")
        assert ([], written) == (catalogue.refresh().changed, content(catalogue.table))
        catalogue.close()
        (path,) = (tmp_path / "second").glob("*.sqlite")
        path.write_bytes(path.read_bytes()[:-1] + b"?")


def test_two_servers_that_write_at_once_leave_a_whole_snapshot(
    project: ClusterProject, tmp_path: Path, written: dict[str, tuple[object, ...]]
) -> None:
    """
    A server that starts meanwhile finds one, or reads facts.
    """
    started = [catalogue_of(project, tmp_path / f"server{number}") for number in range(2)]
    for catalogue, _ in started:
        catalogue.refresh()
    stamps, begun_us = stamps_of(project), round(time.time() * MICROSECONDS)

    def write(number: int) -> None:
        catalogue, snapshots = started[number]
        for turn in range(5):
            snapshots.write(catalogue.table, stamps, begun_us + 2 * turn + number)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for turn in range(4):
        meanwhile, _ = catalogue_of(project, tmp_path / f"meanwhile{turn}")
        meanwhile.refresh()
        assert written == content(meanwhile.table)
    for thread in threads:
        thread.join()
    assert begun_us + 9 == snapshot_keys(project)[-1].seen_us
    last, _ = catalogue_of(project, tmp_path / "last")
    assert ([], written) == (last.refresh().changed, content(last.table))


WRITING = """
import sys
from pathlib import Path
from tests.cluster.test_snapshots import catalogue_of, stamps_of
from aim.storage.cluster.cluster_project import ClusterProject
from aim.storage.cluster.database import Database
from aim.storage.cluster.object_store import Objects
from aim.storage.cluster.settings import read_settings

settings = read_settings(Path(sys.argv[1]))
project = ClusterProject(Database(settings), Objects(settings.objects), sys.argv[2])
catalogue, snapshots = catalogue_of(project, Path(sys.argv[3]))
catalogue.refresh()
stamps, seen_us = stamps_of(project), int(sys.argv[4])
while True:
    seen_us += 1
    snapshots.write(catalogue.table, stamps, seen_us)
"""


def test_a_server_that_is_killed_while_it_writes_leaves_no_wrong_snapshot(
    cluster: RunningCluster, project: ClusterProject, tmp_path: Path, written: dict[str, tuple[object, ...]]
) -> None:
    """
    The next server has all runs as they are.
    """
    for turn in range(3):
        begun_us = round(time.time() * MICROSECONDS)
        words = [str(cluster.toml), project.name, str(tmp_path / "killed"), str(begun_us)]
        process = subprocess.Popen([sys.executable, "-c", WRITING, *words])
        wait_until(lambda: has_snapshot_since(project, begun_us), "its first snapshot")  # noqa: B023 - within the turn
        time.sleep(0.03 * turn)  # so that the kills hit different moments
        process.kill()
        process.wait()
        catalogue, _ = catalogue_of(project, tmp_path / f"next{turn}")
        catalogue.refresh()
        assert written == content(catalogue.table)


def test_a_snapshot_is_written_when_many_runs_have_changed(project: ClusterProject, tmp_path: Path) -> None:
    """
    More than the smallest number and 1 % of the runs; the earlier one is removed. And when there is none.
    """
    everything = made_rows(RUNS + 40)
    names = sorted(everything)
    _, snapshots = catalogue_of(project, tmp_path / "first", runs_min=10)
    written: list[list[SnapshotKey]] = []
    for first, last in ((0, RUNS), (RUNS, RUNS + 5), (RUNS + 5, RUNS + 40)):
        fill(project, {name: everything[name] for name in names[first:last]})
        catalogue = ClusterCatalogue(project, reading_of_facts(), snapshots=snapshots)
        catalogue.refresh()  # it reads the facts of those runs that the snapshot lacks
        snapshots.wait()
        written.append(snapshot_keys(project))
    assert [1, 1, 1] == [len(keys) for keys in written]
    assert written[0] == written[1] != written[2]
    project.objects.delete([written[2][0].text(project.name)])
    snapshots.note(1)
    catalogue.refresh()
    snapshots.wait()
    assert 1 == len(snapshot_keys(project))


def test_edits_of_a_run_count_though_the_snapshot_has_the_run_before_them(
    project: ClusterProject, tmp_path: Path, written: dict[str, tuple[object, ...]]
) -> None:
    """
    Its mark has changed, so it is read from its lines.
    """
    write_edits(project, ["run007"], {"name": "renamed"}, by="tests", seen_at_s=0)
    snapshots = ClusterSnapshots(project, folder=tmp_path / "second", runs_min=1)
    asked: list[str] = []

    def reader(run_hash: str) -> RunReader:
        asked.append(run_hash)
        raise AssertionError(run_hash)

    catalogue = ClusterCatalogue(
        project, CatalogueReading(reader, lambda runs: nullcontext(), lambda marks: None), snapshots=snapshots
    )
    with pytest.raises(AssertionError):
        catalogue.refresh()
    assert ["run007"] == asked


def test_keys_of_other_objects_are_no_snapshots(project: ClusterProject) -> None:
    """
    What somebody else has put there is left alone.
    """
    project.objects.put(f"c/{project.name}/notes.txt", b"mine")
    project.objects.put(SnapshotKey(8, NOW_US, "ab").text(project.name), b"none")
    assert [SnapshotKey(8, NOW_US, "ab")] == snapshot_keys(project)
