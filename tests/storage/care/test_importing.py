"""
A run written as a whole: in parts of bounded size, with the source's times, in place of an earlier import.
"""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from aim.core.errors import RunExists
from aim.core.statuses import LOST
from aim.core.values import Stored
from aim.storage.care import importing
from aim.storage.care.check import check_run
from aim.storage.care.importing import RunImport, read_note
from aim.storage.disk.files import Disk
from aim.storage.forms import edits
from aim.storage.forms.run_log import RunLog
from aim.storage.reading.folder_source import open_run
from aim.storage.recording.writer import Writer
from aim.storage.store import Store

RUN = "3df703c1b2a94c5d8e6f7a80"
START_S = 1.7e9
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(name="store")
def _store(tmp_path: Path) -> Store:
    """
    An empty repository.
    """
    return Store(tmp_path / ".aim", create=True)


def imported(store: Store, value: float = 0.5) -> RunImport:
    """Import a run of one metric, and return what did it."""
    run = RunImport(store, RUN, created_at_s=START_S)
    run.points("loss", {}, np.arange(3), np.full(3, value), START_S + np.arange(3.0))
    run.properties(name="first")
    run.write(ended_at_s=START_S + 9)
    run.finish({"from": "test"})
    return run


def test_a_large_run_is_written_in_parts(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Each part is a writer of its own; of two points of one step and time the one that was recorded later counts.
    """
    monkeypatch.setattr(importing, "PART_POINTS", 10)
    run = RunImport(store, RUN, created_at_s=START_S)
    run.points("loss", {"subset": "val"}, np.arange(35), np.arange(35) / 4, math.nan)
    run.points("loss", {"subset": "val"}, np.array([3]), np.array([99.0]), math.nan)
    run.write()
    run.finish({})
    points = open_run(store.runs / RUN).points(("loss", '{"subset":"val"}'))

    assert points is not None
    assert [*range(35)] == points.steps.tolist()
    assert 99.0 == points.values[3]
    assert len(list((store.runs / RUN).glob("*.events.jsonl"))) > 3
    assert [] == check_run(store.runs / RUN)


def test_all_kinds_of_numbers_stay_what_they_are(store: Store) -> None:
    """
    Ints beyond doubles, mixed kinds, NaN and negative zero come back as they were.
    """
    values = np.array([2**60 + 1, 0.5, -0.0, math.nan, 7], object)
    run = RunImport(store, RUN)
    run.points("mixed", {}, np.arange(-2, 3), values, START_S)
    run.write()
    run.finish({})
    points = open_run(store.runs / RUN).points(("mixed", "{}"))

    assert points is not None
    assert repr(values.tolist()) == repr(points.values.tolist())


def test_times_are_those_of_the_source(store: Store) -> None:
    """
    Begin, end, points and a rewind have the times that were given; the status too.
    """
    run = RunImport(store, RUN, created_at_s=START_S)
    run.points("loss", {}, np.arange(10), np.arange(10.0), START_S + np.arange(10.0))
    run.rewind(4, START_S + 20)
    run.points("loss", {}, np.arange(5, 7), np.array([50.0, 60.0]), START_S + 20 + np.arange(2.0))
    run.write(status=LOST, ended_at_s=START_S + 30)
    run.finish({})
    reader = open_run(store.runs / RUN)
    points = reader.points(("loss", "{}"))

    assert points is not None
    assert [0.0, 1.0, 2.0, 3.0, 4.0, 50.0, 60.0] == points.values.tolist()
    assert (LOST, START_S + 30) == reader.state().status()
    assert START_S == reader.state().created_at_s
    assert START_S + 21 == points.times_s[-1]


def test_nothing_is_there_before_the_end(store: Store) -> None:
    """
    Until it is finished a run is not in the repository, and an abandoned one leaves nothing.
    """
    run = RunImport(store, RUN)
    run.objects("pictures", {}, [0], [Stored("aim.image", {"format": "png"}, b"x", "png")])
    run.write()

    assert [] == store.run_hashes()
    run.abandon()
    assert [] == list(store.path.glob(".import-*"))


def test_a_second_import_keeps_what_others_did(store: Store) -> None:
    """
    The new import takes the place of the old one; edits and other writers of the run stay.
    """
    imported(store)
    folder = store.runs / RUN
    edits.write(folder, {"tags": {"add": ["good"], "remove": []}}, by="test")
    writer = Writer(folder, RUN)
    writer.sequence("more").track(1.0)
    writer.close()
    imported(store, 0.25)
    reader = open_run(folder)
    loss, more = reader.points(("loss", "{}")), reader.points(("more", "{}"))

    assert loss is not None
    assert more is not None
    assert ([0.25] * 3, [1.0]) == (loss.values.tolist(), more.values.tolist())
    assert ["good"] == list(RunLog(folder).refresh().tags)
    assert {"from": "test"} == {key: (read_note(store, RUN) or {}).get(key) for key in ("from",)}
    assert [] == [path.name for path in store.path.glob(".*")]


KILLED = """
import os, signal, sys
from pathlib import Path
from aim.storage.disk.files import Disk
from aim.storage.store import Store
from tests.storage.care.test_importing import imported

class KillingDisk(Disk):
    def rename(self, source, target):
        if int(sys.argv[2]) == 0 and ".replaced-" in source.name + target.name:
            os.kill(os.getpid(), signal.SIGKILL)
        super().rename(source, target)
        if ".replaced-" in target.name:
            os.kill(os.getpid(), signal.SIGKILL)

    def remove_folder(self, path):
        if ".replaced-" in path.name:
            os.kill(os.getpid(), signal.SIGKILL)
        super().remove_folder(path)

if int(sys.argv[2]) == 2:
    KillingDisk.rename = Disk.rename
imported(Store(Path(sys.argv[1]), disk=KillingDisk()), 0.25)
"""


@pytest.mark.parametrize("moment", [0, 1, 2], ids=["before the renames", "between them", "after both"])
def test_what_others_did_outlives_a_killed_second_import(store: Store, moment: int) -> None:
    """
    Wherever an import is killed while it replaces a run, the next one takes over the edits of the run, and leaves
    nothing behind.
    """
    imported(store)
    edits.write(store.runs / RUN, {"tags": {"add": ["good"], "remove": []}}, by="test")
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(store.path), str(moment)],
        env={**os.environ, "PYTHONPATH": path},
        check=False,
        timeout=120,
    )
    assert -signal.SIGKILL == killed.returncode
    assert (moment == 1) is not store.has_run(RUN)
    imported(store, 0.125)

    points = open_run(store.runs / RUN).points(("loss", "{}"))
    assert points is not None
    assert [0.125] * 3 == points.values.tolist()
    assert ["good"] == list(RunLog(store.runs / RUN).refresh().tags)
    assert [] == [path.name for path in store.path.glob(".replaced-*")]


def test_a_run_stays_when_the_disk_refuses_its_replacement(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    When the new folder can't take the name, the old one has it again.
    """
    imported(store)
    rename = type(store.disk).rename

    def refuse(self: Disk, source: Path, target: Path) -> None:
        if source.name.startswith(".import-"):
            raise OSError(28, "No space left on device")
        rename(self, source, target)

    monkeypatch.setattr(type(store.disk), "rename", refuse)
    with pytest.raises(OSError, match="No space"):
        imported(store, 0.25)

    points = open_run(store.runs / RUN).points(("loss", "{}"))
    assert points is not None
    assert [0.5] * 3 == points.values.tolist()


def test_a_run_that_was_not_imported_is_not_replaced(store: Store) -> None:
    """
    A run of that hash that was recorded here stays as it is.
    """
    Writer(store.create_run(RUN), RUN).close()

    with pytest.raises(RunExists, match="was not imported"):
        imported(store)
    assert read_note(store, RUN) is None
