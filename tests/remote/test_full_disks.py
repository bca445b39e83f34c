"""
Disks that are really full, at the training and at the server: a tmpfs of a few MiB, and an ext4 of 64 MiB in a file.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from aim import Text
from aim.sdk.run import BasicRun
from aim.storage.forms.run_log import RunLog
from aim.storage.store import Store
from tests.cli.schemas import call
from tests.remote.servers import Server, wait_until
from tests.small_disks import fill, loop_disk, small_disk
from tests.storage.recorded import points_in_place

SPOOL_KIB, SERVER_KIB = 8 << 10, 4 << 10
on_both = pytest.mark.parametrize("disk", [small_disk, loop_disk], indirect=True)
MakeDisk = Callable[[Path, int], AbstractContextManager[Path]]


@pytest.fixture(name="disk")
def _disk(request: pytest.FixtureRequest) -> MakeDisk:
    """
    What makes a disk with little room; a tmpfs unless the test says another one.
    """
    make: MakeDisk = getattr(request, "param", small_disk)
    return make


@pytest.fixture(name="small_spool")
def _small_spool(disk: MakeDisk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """
    Spools on a disk with room for 8 MiB, which is measured at each look.
    """
    monkeypatch.setattr("aim.storage.shipping.spool.MEASURED_S", 0.0)
    monkeypatch.setenv("AIM_CLOSE_WAIT", "1")
    with disk(tmp_path / "small", SPOOL_KIB) as target:
        monkeypatch.setenv("AIM_SPOOL", str(target))
        yield target


def used_kib(folder: Path) -> int:
    """Return how much the spools in a folder take."""
    return sum(path.stat().st_blocks for path in folder.glob("*/.aim/**/*") if path.is_file()) // 2


def test_a_spool_that_is_nearly_full_takes_numbers_and_no_objects(
    small_spool: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """
    Objects are refused at nine tenths of the disk, which is counted and said; numbers find room then.
    """
    run = BasicRun("full", repo=Server(tmp_path / "vision").address, offline=True, create=True)
    for step in range(100):
        run.track(Text(os.urandom(100_000).hex()), name="text", step=step, sync=True)
    for step in range(1000):
        run.track(float(step), name="loss", step=step)
    run.close()
    (folder,) = small_spool.glob("*/.aim/runs/full")
    names = [key[0] for key in points_in_place(folder)]

    assert 1000 == names.count("loss")
    assert 10 < names.count("text") < 60
    assert "The spool is full (AIM_SPOOL_MAX)" in caplog.text
    assert 100 - names.count("text") == sum(gap.point_count for gap in RunLog(folder).refresh().gaps)


@on_both
def test_a_full_spool_takes_points_again_when_a_server_has_taken_some(
    small_spool: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """
    While no server answers points that find no room are counted and said, and the training goes on. What found room is
    at the server later, and recording goes on when the spool has room again.
    """
    server = Server(tmp_path / "vision")
    run = BasicRun("full", repo=server.address, create=True)
    for step in range(300_000):
        run.track(float(step), name="loss", step=step)
    full = caplog.text
    server.start()
    wait_until(lambda: used_kib(small_spool) < SPOOL_KIB * 3 // 4, "room in the spool")
    step = 300_000
    while "goes on. " not in caplog.text:  # a refused disk is tried again after a while
        run.track(float(step), name="loss", step=step)
        step += 1
        time.sleep(0.01)
    run.close()
    assert 0 == call("sync", "--wait", "300").code
    values = server.values("full")

    assert "The training goes on" in full
    assert values[-1] == step - 1
    gaps = RunLog(server.store.run_folder("full")).refresh().gaps
    assert step == len(values) + sum(gap.point_count for gap in gaps)
    server.kill()


def test_a_run_that_is_longer_than_the_spool(small_spool: Path, server: Server) -> None:
    """
    While a run goes on, segments that are wholly durable at the server leave the spool: all of 19 MB come there
    through 8 MiB.
    """
    run = BasicRun("long", repo=server.address, create=True)
    count = 0
    for _ in range(12):
        for _ in range(50_000):
            run.track(float(count), name="loss", step=count)
            count += 1
        run.flush()
        wait_until(lambda: used_kib(small_spool) < SPOOL_KIB * 3 // 4, "room in the spool")
    run.close()
    assert 0 == call("sync", "--wait", "300").code

    assert count == len(server.values("long"))
    assert not RunLog(server.store.run_folder("long")).refresh().gaps


@on_both
def test_a_full_disk_of_the_server(disk: MakeDisk, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """
    The server answers 507: one warning, the run stays in the spool, and is sent when there is room. Pages hear of it.
    """
    with disk(tmp_path / "server", SERVER_KIB) as mounted:
        server = Server(mounted / "vision").start()
        run = BasicRun("waits", repo=server.address, create=True)
        run.track(0.5, name="loss", step=0)
        run.flush()
        filler = fill(mounted)
        for step in range(1, 5000):
            run.track(0.5, name="loss", step=step)
        wait_until(lambda: "The disk of the server is full" in caplog.text, "the warning")
        full = server.info()["repos"][0]["full"]
        filler.unlink()
        wait_until(lambda: len(server.values("waits")) == 5000, "the points")
        run.close()
        assert 0 == call("sync", "--wait", "300").code
        assert ("disk", None) == (full, server.info()["repos"][0]["full"])
        there = Store(server.root / ".aim").run_folder("waits")
        assert "finished" == RunLog(there).refresh().status()[0]
        server.kill()

    assert 1 == caplog.text.count("The disk of the server is full")
