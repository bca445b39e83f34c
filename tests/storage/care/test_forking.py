"""
Forking a run: the child is whole or not there, and stands alone.
"""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aim.core.errors import RunNotFound
from aim.core.statuses import FINISHED
from aim.core.values import Stored
from aim.storage.care.check import check_run
from aim.storage.care.forking import fork_run
from aim.storage.disk import layout
from aim.storage.disk.files import Disk
from aim.storage.forms import blobs
from aim.storage.forms.run_log import RunLog
from aim.storage.reading.folder_source import open_run
from aim.storage.reading.reader import RunReader
from aim.storage.recording.writer import Writer
from aim.storage.sealing import seal
from aim.storage.store import Store
from tests.crash.disks import CountingDisk, Crash, CrashingDisk, RefusingDisk

PARENT = "parent"


class Picture:
    """An object of some bytes."""

    def __init__(self, number: int) -> None:
        self.number = number

    def stored(self) -> Stored:
        """Return its stored form."""
        return Stored("aim.image", {"format": "png", "caption": str(self.number)}, bytes([self.number]) * 50, "png")


@pytest.fixture(name="store")
def _store(tmp_path: Path) -> Store:
    """
    A repository with one ended run that has a bit of everything.
    """
    store = Store(tmp_path / ".aim", create=True)
    writer = Writer(store.create_run(PARENT), PARENT)
    writer.lines.set_param(("hparams",), {"lr": 0.1, "picture": Picture(3), 7: [float("nan")]})
    writer.lines.set_param(("__system_params",), {"packages": {}})
    writer.lines.set_property(name="base", experiment="e", archived=True, description="d", notes="n")
    writer.lines.change_tags(["good"])
    for step in range(10):
        writer.sequence("loss", {"subset": "val"}).track(step / 4, step=step, epoch=0.1)
        writer.sequence("mixed").track(step if step % 2 else step + 0.5, step=step)
        writer.sequence("large").track(2**60 + step if step % 3 else step, step=step, epoch=2)
        writer.sequence("__system__cpu").track(50.0, step=step)
        writer.sequence("pictures").track([Picture(step), Picture(step + 1)], step=step)
        writer.sequence("single").track(Picture(step), step=step)
    writer.close()
    return store


def facts(store: Store, run_hash: str, step_max: int) -> dict[str, Any]:
    """Return all that a fork copies, up to a step."""
    reader = open_run(store.runs / run_hash)
    found: dict[str, Any] = {}
    for key, points in reader.points_of_many().items():
        stop = int(np.searchsorted(points.steps, step_max, "right"))
        values = points.values[:stop].tolist()
        if not reader.state().sequences[key].is_numeric:
            values = [stored(reader, store.runs / run_hash, points, place) for place in range(stop)]
        columns = (points.steps[:stop].tolist(), points.times_us[:stop].tolist(), repr(points.epochs[:stop].tolist()))
        if stop and not key[0].startswith("__system__"):
            found[repr(key)] = (columns, values, reader.state().sequences[key].kind)
    return found


def stored(reader: RunReader, folder: Path, points: Any, place: int) -> Any:
    """Return the objects of a point with their bytes."""
    path = layout.blob_file(folder, points.writer_ids[int(points.writers[place])], 0)
    record = reader.record(points, place)
    return [blobs.read_item(path, record["kind"], item) for item in record["items"]]


@pytest.mark.parametrize("is_sealed", [False, True])
def test_a_fork_shows_what_the_parent_shows(store: Store, is_sealed: bool) -> None:
    """
    Points up to the step are there with values, kinds, times, epochs and bytes; nothing is damaged.
    """
    folder = store.runs / PARENT
    if is_sealed:
        for writer in list(RunLog(folder).refresh().writers):
            seal.seal_writer(folder, writer, RunLog(folder).refresh())
    child = fork_run(store, PARENT, 6)

    assert facts(store, PARENT, 6) == facts(store, child, 1 << 60)
    assert 5 == len(facts(store, child, 6))
    assert [] == check_run(store.runs / child)


def test_a_fork_has_what_is_said_of_the_parent(store: Store) -> None:
    """
    Params, with objects among them, name, experiment, description and tags are copied; notes, archived and the system's
    params are not.
    """
    child = fork_run(store, PARENT, 6)
    forms = {}
    for run_hash in (PARENT, child):
        reader = open_run(store.runs / run_hash, lambda kind, fields, load: (kind, dict(fields), load()))
        forms[run_hash] = reader.params()
    state = RunLog(store.runs / child).refresh()
    parent = forms[PARENT]
    del parent["__system_params"]

    assert repr(parent) == repr(forms[child])
    assert {"name": "base", "experiment": "e", "description": "d"} == state.properties
    assert ["good"] == list(state.tags)
    assert state.forked_from is not None
    assert (PARENT, 6) == (state.forked_from.run_hash, state.forked_from.step)
    assert FINISHED == state.status()[0]


def test_a_fork_lives_without_its_parent(store: Store) -> None:
    """
    After the parent is deleted the child is as it was.
    """
    child = fork_run(store, PARENT, 6)
    before = facts(store, child, 6)
    store.delete_run(PARENT)

    assert before == facts(store, child, 6)


def test_a_run_that_is_not_there_is_not_forked(store: Store) -> None:
    """
    Forking an unknown run is an error, and leaves nothing.
    """
    with pytest.raises(RunNotFound):
        fork_run(store, "nobody", 6)

    assert [PARENT] == store.run_hashes()


def test_a_fork_before_the_first_step_has_no_points(store: Store) -> None:
    """
    A fork at a step before all has the params only.
    """
    child = fork_run(store, PARENT, -1)

    assert {} == facts(store, child, 1 << 60)
    assert [] == check_run(store.runs / child)


def calls_of_fork(store: Store) -> int:
    """Count the calls of the disk that a fork makes."""
    disk = CountingDisk()
    store.delete_run(fork_run(store, PARENT, 6, disk=disk))
    return disk.count


def test_a_crash_at_any_call_leaves_no_child_or_a_whole_one(store: Store) -> None:
    """
    For every n: after a crash at the n-th call there is the parent alone, or it and a whole child.
    """
    expected = facts(store, PARENT, 6)
    outcomes = set()
    for crash_at in range(calls_of_fork(store)):
        with pytest.raises(Crash):
            fork_run(store, PARENT, 6, disk=CrashingDisk(crash_at))
        children = [run_hash for run_hash in store.run_hashes() if run_hash != PARENT]
        outcomes.add(len(children))
        for child in children:
            assert expected == facts(store, child, 1 << 60), f"crash at call {crash_at}"
            assert [] == check_run(store.runs / child)
            store.delete_run(child)

    assert {0, 1} == outcomes
    assert expected == facts(store, PARENT, 6)


def test_a_disk_that_refuses_at_any_call_is_an_error_and_leaves_no_child(store: Store) -> None:
    """
    For every n: when the disk is full at the n-th call, the fork raises and no run has come, or it went well.
    """
    for first in range(calls_of_fork(store)):
        disk = RefusingDisk(errno.ENOSPC, first)
        try:
            store.delete_run(fork_run(store, PARENT, 6, disk=disk))
        except OSError:
            assert [PARENT] == store.run_hashes(), f"refused at call {first}"
        assert [] == list(store.path.glob(".fork-*")), f"refused at call {first}"


def test_what_a_killed_fork_left_is_removed_with_the_trash(store: Store) -> None:
    """
    Scratch folders of forks and copies that are older than an hour go with the trash; younger ones may be at work.
    """
    old, young = store.path / ".fork-x-0123abcd", store.path / ".copy-y-0123abcd"
    for folder in (old, young):
        folder.mkdir()
    os.utime(old, (1.0, 1.0))
    store.empty_trash()

    assert (False, True) == (old.exists(), young.exists())


def test_a_repository_that_may_not_link_or_be_the_same_disk_forks_all_the_same(store: Store) -> None:
    """
    A fork needs no hard links: nothing of the child is shared with the parent.
    """

    class NoLinks(Disk):
        """A disk without hard links."""

        def link(self, source: Path, target: Path) -> None:
            """Refuse."""
            raise OSError(errno.EPERM, "no links")

    child = fork_run(store, PARENT, 6, disk=NoLinks())
    before = facts(store, child, 6)
    shutil.rmtree(store.runs / PARENT)

    assert before == facts(store, child, 6)
    assert {1} == {path.stat().st_nlink for path in (store.runs / child).iterdir()}


def test_a_fork_goes_on_after_its_step(store: Store) -> None:
    """
    A resumed child goes on where its parent was at the step, each sequence for itself; its end says so.
    """
    child = fork_run(store, PARENT, 4)
    (state,) = [RunLog(store.run_folder(child)).refresh()]
    (writer,) = state.writers.values()
    assert writer.end is not None
    next_steps = {
        sequence.name: writer.end["next"][part.number - 1]
        for sequence in state.sequences.values()
        for part in sequence.parts
    }

    assert {5} == {next_steps[name] for name in ("loss", "mixed", "large")}


@pytest.mark.parametrize(("name", "expected"), [(None, "base"), ("mine", "mine"), ("", "")])
def test_a_fork_may_have_a_name_of_its_own(store: Store, name: str | None, expected: str) -> None:
    """
    Without one it has the name of its parent.
    """
    assert expected == RunLog(store.run_folder(fork_run(store, PARENT, 4, name=name))).refresh().name
