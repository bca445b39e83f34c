"""
Each way in which server, network and disks fail, as docs/guide/remote.md says it.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from aim.sdk.objects.text import Text
from aim.sdk.run import BasicRun, Run
from aim.server.settings import auth_folder
from aim.server.tokens import TokenFile
from aim.storage.forms import events
from aim.storage.forms.run_log import RunLog
from aim.storage.shipping.new_lines import without_crc
from aim.storage.shipping.spool import Spool
from aim.storage.store import Store
from tests.cli.schemas import call
from tests.remote.servers import Server, assert_equal, wait_until


@pytest.fixture(name="quick", autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Closing a run waits for a moment only.
    """
    monkeypatch.setenv("AIM_CLOSE_WAIT", "1")


def spool_of(server: Server) -> Store:
    """Return the repository in the spool of a server."""
    return Store(Spool(server.address).folder / ".aim")


def record(run: Run, first: int, count: int = 100) -> None:
    """Record points, each with its step as its value."""
    for step in range(first, first + count):
        run.track(float(step), name="loss", step=step)


def refusals(caplog: pytest.LogCaptureFixture, server: Server) -> list[str]:
    """Return the warnings that runs can't be sent to *server*; those of servers of earlier tests do not count."""
    texts = [record.getMessage() for record in caplog.records]
    return [text for text in texts if "Aim can't send runs" in text and str(Spool(server.address).folder) in text]


def test_server_down_at_start(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """
    One warning; the training goes on, and the run is at the server when it is there.
    """
    server = Server(tmp_path / "vision")
    run = BasicRun(repo=server.address)
    record(run, 0)
    wait_until(lambda: refusals(caplog, server), "the warning")
    server.start()
    record(run, 100)
    wait_until(lambda: len(server.values(run.hash)) == 200, "the points")
    run.close()
    server.kill()

    assert 1 == len(refusals(caplog, server))
    assert "takes runs again" in caplog.text


def test_server_killed_while_a_run_ships(server: Server) -> None:
    """
    Nothing is lost, and nobody notices but by a warning.
    """
    run = BasicRun(repo=server.address)
    for part in range(4):
        record(run, 100 * part)
        if part % 2:
            server.kill()
            server.start()
    wait_until(lambda: len(server.values(run.hash)) == 400, "the points")
    run.close()
    assert 0 == call("sync", "--wait", "300").code
    assert_equal(spool_of(server), server.store)


def test_server_away_at_the_end(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """
    `close` does not wait for long; it says how much is left, and `aim sync` sends it.
    """
    server = Server(tmp_path / "vision")
    run = BasicRun(repo=server.address)
    record(run, 0)
    begun_s = time.monotonic()
    run.close()

    assert time.monotonic() - begun_s < 60
    assert "`aim sync` sends what is in" in caplog.text
    server.start()
    assert 0 == call("sync", "--wait", "300").code
    assert 100 == len(server.values(run.hash))
    server.kill()


def test_trainer_killed(server: Server) -> None:
    """
    Everything up to the last `track` that returned is at the server after `aim sync`, and the run is complete there.
    """
    code = (
        "import sys, os\nfrom aim.sdk.run import BasicRun\n"
        "run = BasicRun('killed', repo=sys.argv[1], create=True)\n"
        "for step in range(1000):\n    run.track(float(step), name='loss', step=step)\n"
        "os.kill(os.getpid(), 9)"
    )
    ran = subprocess.run([sys.executable, "-c", code, server.address], check=False)
    assert -signal.SIGKILL == ran.returncode

    assert 0 == call("sync", "--wait", "300").code
    assert list(range(1000)) == server.values("killed")
    folder = server.store.run_folder("killed")
    wait_until(lambda: list(folder.glob("*.complete")), "the mark of a complete writer")
    state = RunLog(folder).refresh()
    assert "lost" == state.status()[0]
    assert all(writer.has_ended(time.time()) for writer in state.writers.values())


def test_spool_lost(server: Server) -> None:
    """
    What was sent before the disk of a training is lost stays at the server; the run is shown as lost.
    """
    code = (
        "import sys, os\nfrom aim.sdk.run import BasicRun\n"
        "run = BasicRun('lost', repo=sys.argv[1], create=True)\n"
        "for step in range(100):\n    run.track(float(step), name='loss', step=step)\n"
        "run.flush()\nos.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", code, server.address], check=False)
    shutil.rmtree(Spool(server.address).folder)
    folder = server.store.run_folder("lost")
    _grow_old(folder)

    assert list(range(100)) == server.values("lost")
    assert "lost" == RunLog(folder).refresh().status()[0]


def _grow_old(folder: Path) -> None:
    """Let the event files of a run at a server be as after a day of silence, on another host than that of the run."""
    for path in folder.glob("*.events.jsonl"):
        first, *others = events.read(path).events
        first["begin"]["host"] = "another-host"
        path.write_bytes(b"".join(events.encode(without_crc(line)) for line in [first, *others]))
        os.utime(path, (time.time() - 86_400,) * 2)


def test_network_cut_for_a_day(server: Server) -> None:
    """
    The run is shown as lost while nothing comes, and as running when the network is back; nothing is missing.
    """
    run = BasicRun(repo=server.address)
    record(run, 0)
    run.flush()
    folder = server.store.run_folder(run.hash)
    server.kill()
    for path in folder.glob("*.events.jsonl"):
        os.utime(path, (time.time() - 86_400,) * 2)
    away = _heard_s_ago(folder)
    record(run, 100)
    server.start()
    wait_until(lambda: len(server.values(run.hash)) == 200, "the points")
    wait_until(lambda: _heard_s_ago(folder) < 3600, "a sign of life")
    run.close()

    assert away > 80_000


def _heard_s_ago(folder: Path) -> float:
    """Return how long ago the writers of a run at a server showed that they were alive."""
    return time.time() - max(writer.heard_at_s for writer in RunLog(folder).refresh().writers.values())


def test_what_a_killed_trainer_left_is_sent_by_the_next(server: Server) -> None:
    """
    The next training of this user on this host has the rest sent by a process of its own.
    """
    code = (
        "import sys, os\nfrom aim.sdk.run import BasicRun\n"
        "run = BasicRun('killed', repo=sys.argv[1], create=True, offline=True)\n"
        "run.track(0.5, name='loss')\nos.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", code, server.address], check=False)
    run = BasicRun(repo=server.address)
    wait_until(lambda: server.values("killed") == [0.5], "the run of the killed training")
    run.close()


def test_server_restored_from_an_old_backup(server: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """
    What the server lost is sent again, and said by name.
    """
    run = BasicRun(repo=server.address)
    record(run, 0)
    run.flush()
    shutil.copytree(server.root, tmp_path / "backup")
    record(run, 100)
    run["after"] = "the backup"
    run.flush()
    server.kill()
    shutil.rmtree(server.root)
    shutil.copytree(tmp_path / "backup", server.root)
    server.start()
    wait_until(lambda: len(server.values(run.hash)) == 200, "the points")
    run.close()

    assert f"has lost a part of run {run.hash}" in caplog.text
    assert "Nothing is lost." in caplog.text


def test_server_restored_from_a_backup_older_than_what_the_spool_has_freed(
    server: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    What neither has any more is lost: the trainer says how much, `aim fsck` at the server names the holes, and the rest
    is there.
    """
    monkeypatch.setenv("AIM_SPOOL_MAX", "3M")
    monkeypatch.setattr("aim.storage.shipping.spool.MEASURED_S", 0.0)
    run = BasicRun(repo=server.address)
    record(run, 0)
    run.track(Text("before"), name="text", step=0)
    run.flush()
    shutil.copytree(server.root, tmp_path / "backup")
    spool = spool_of(server).run_folder(run.hash)
    (writer,) = RunLog(spool).refresh().writers
    recorded = 100
    while (spool / f"{writer}.points-0002").exists() or recorded == 100:
        record(run, recorded, 5000)
        recorded += 5000
        run.flush()
    assert list(map(float, range(recorded))) == server.values(run.hash)
    server.kill()
    shutil.rmtree(server.root)
    shutil.copytree(tmp_path / "backup", server.root)
    server.start()
    record(run, recorded)
    run.flush()
    wait_until(lambda: float(recorded + 99) in server.values(run.hash), "the newest points")
    run.close()
    assert 0 == call("sync", "--wait", "300").code

    values = server.values(run.hash)
    lost = recorded + 100 - len(values)
    assert 0 < lost < recorded
    assert list(map(float, range(100))) == values[:100]
    assert "finished" == RunLog(server.store.run_folder(run.hash)).refresh().status()[0]
    assert f"has lost a part of run {run.hash}" in caplog.text
    assert f"{lost:,} points" in caplog.text
    checked = call("fsck", "--repo", str(server.root), run.hash)
    assert 1 == checked.code
    assert f"{writer}.points-0002" in checked.out


def test_two_servers_on_one_folder(server: Server) -> None:
    """
    A client that moves from one to the other loses and doubles nothing.
    """
    other = Server(server.root)
    run = BasicRun("moved", repo=server.address, create=True)
    record(run, 0)
    run.flush()
    port, server.port = server.port, other.port
    server.kill()
    other.port = port
    other.start()
    record(run, 100)
    wait_until(lambda: len(server.values("moved")) == 200, "the points")
    run.close()
    other.kill()

    assert list(range(200)) == server.values("moved")


def test_run_deleted_while_it_ships(
    server: Server, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    It is said once, the training goes on, and the run stays gone; its spool keeps what it has.
    """
    monkeypatch.setattr("aim.storage.shipping.shipments.AGAIN_S", 0.5)
    run = BasicRun(repo=server.address)
    record(run, 0)
    run.flush()
    server.store.delete_run(run.hash)
    deadline_s = time.monotonic() + 120
    while "was deleted while it was recording" not in caplog.text:
        assert time.monotonic() < deadline_s
        run.track(-1.0, name="loss")
        time.sleep(0.05)
    run.track(1.0, name="loss")
    run.close()

    assert [] == server.store.run_hashes()
    assert [run.hash] == spool_of(server).run_hashes()
    assert 1 == caplog.text.count("`aim sync --again")


def test_deleted_and_recorded_again(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A hash that is used again on purpose is a new run, also on the machine that has the former one in its spool.
    """
    monkeypatch.setattr("aim.storage.shipping.shipments.AGAIN_S", 0.5)
    with BasicRun("again", repo=server.address, create=True) as run:
        record(run, 0)
    server.store.delete_run("again")
    assert 0 == call("sync", "--wait", "60").code
    with BasicRun("again", repo=server.address, create=True) as run:
        record(run, 0, 10)
        run.flush()

    assert 10 == len(server.values("again"))


def test_spool_full_and_server_away(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Points that find no room are counted and said; the training goes on, and so does recording when there is room.
    """
    monkeypatch.setenv("AIM_SPOOL_MAX", "300K")
    monkeypatch.setattr("aim.storage.shipping.spool.MEASURED_S", 0.0)
    server = Server(tmp_path / "vision")
    run = BasicRun(repo=server.address, offline=True)
    record(run, 0, 30_000)
    monkeypatch.setenv("AIM_SPOOL_MAX", "1G")
    run.close()

    assert "The spool is full (AIM_SPOOL_MAX)" in caplog.text
    assert 1000 < sum(path.stat().st_size for path in spool_of(server).run_folder(run.hash).glob("*.points-*"))


@pytest.mark.skipif(sys.platform != "linux", reason="the limit of another process is set on Linux only")
def test_server_without_descriptors(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    """
    A server that can open no more files says that it is busy; what it did not take is sent when it can.
    """
    with BasicRun(repo=server.address) as run:
        record(run, 0)
        run.flush()
    process = psutil.Process(server.pid)
    before = process.rlimit(psutil.RLIMIT_NOFILE)
    process.rlimit(psutil.RLIMIT_NOFILE, (process.num_fds() + 1, before[1]))
    runs = [BasicRun(repo=server.address) for _ in range(10)]
    for run in runs:
        record(run, 0)
    wait_until(lambda: refusals(caplog, server), "the warning")
    process.rlimit(psutil.RLIMIT_NOFILE, before)
    wait_until(lambda: all(len(server.values(run.hash)) == 100 for run in runs), "the points")
    for run in runs:
        run.close()

    assert ["no file descriptors left" in text for text in refusals(caplog, server)] == [True]


def test_token_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """
    One warning that names the way out; the run is kept, and sent with the next token.
    """
    server = Server(tmp_path / "vision")
    server.options = ("--token", "right-token-of-this-server")
    server.start()
    monkeypatch.setenv("AIM_TOKEN", "a-wrong-one")
    run = BasicRun(repo=server.address)
    record(run, 0)
    wait_until(lambda: refusals(caplog, server), "the warning")
    monkeypatch.setenv("AIM_TOKEN", "right-token-of-this-server")
    wait_until(lambda: len(server.values(run.hash)) == 100, "the points")
    run.close()
    server.kill()

    assert "This is not a token of this server, or it is not valid any more." in refusals(caplog, server)[0]
    assert "AIM_TOKEN" in refusals(caplog, server)[0]


def test_token_revoked_while_a_run_ships(
    server: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """
    One warning; what is recorded from then on is kept, and sent with the next token.
    """
    server.kill()
    tokens = TokenFile(auth_folder(None, (server.root,)))
    text = tokens.create("job", "writer", ["*"], None)
    server.start()
    monkeypatch.setenv("AIM_TOKEN", text)
    run = BasicRun(repo=server.address)
    record(run, 0)
    wait_until(lambda: len(server.values(run.hash)) == 100, "the points")
    tokens.revoke(text.split("_")[1])
    record(run, 100)
    wait_until(lambda: refusals(caplog, server), "the warning")
    record(run, 200)
    monkeypatch.setenv("AIM_TOKEN", tokens.create("job", "writer", ["*"], None))
    wait_until(lambda: len(server.values(run.hash)) == 300, "the points")
    run.close()
    server.kill()

    assert 1 == len(refusals(caplog, server))
    assert list(range(300)) == server.values(run.hash)


@pytest.mark.parametrize("ahead_s", [-3 * 86_400, 3 * 86_400])
def test_clock_of_the_trainer_wrong(server: Server, ahead_s: int) -> None:
    """
    Times are as they were recorded, and a change made at the server afterwards counts, though its clock is behind.
    """
    code = (
        "import sys, time\nahead_s = int(sys.argv[2])\nseconds, nanoseconds = time.time, time.time_ns\n"
        "time.time = lambda: seconds() + ahead_s\ntime.time_ns = lambda: nanoseconds() + ahead_s * 10**9\n"
        "from aim.sdk.run import BasicRun\n"
        "with BasicRun('clock', repo=sys.argv[1], create=True, name='recorded') as run:\n"
        "    for step in range(100):\n        run.track(float(step), name='loss', step=step)"
    )
    subprocess.run([sys.executable, "-c", code, server.address, str(ahead_s)], check=True)
    assert 0 == call("sync", "--wait", "300").code
    run = Run("clock", repo=server.address, read_only=True)
    before = run.name
    run.name = "changed"
    (metric,) = run.metrics()
    _, (_, _, times_s) = metric.data.numpy()

    assert ("recorded", "changed", "finished") == (before, run.name, run.status)
    assert list(range(100)) == server.values("clock")
    assert abs(times_s - time.time() - ahead_s).max() < 3600
    assert_equal(spool_of(server), server.store)


def test_same_writer_id_twice(server: Server) -> None:
    """
    Two machines whose writers have one id: both are at the server, the second under a new id.
    """
    with BasicRun("twins", repo=server.address, create=True) as run:
        record(run, 0)
    folder = spool_of(server).run_folder("twins")
    (path,) = folder.glob("*.points-0000")
    content = bytearray(path.read_bytes())
    content[4096:4104] = bytes(7) + b"@"
    path.write_bytes(content)
    (Spool(server.address).folder / "sent.json").unlink(missing_ok=True)
    call("sync", "--wait", "60")

    assert 2 == len(list(server.store.run_folder("twins").glob("*.events.jsonl")))
