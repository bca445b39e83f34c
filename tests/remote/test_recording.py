"""
`Run(repo="aim://...")`: a run that records to a server, in each of the ways in which runs are used.
"""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from aim import Image, Run
from aim.core.errors import RunNotFound, ServerUnreachable
from aim.sdk.run import BasicRun
from aim.storage.shipping.spool import Spool
from aim.storage.store import Store
from tests.cli.schemas import call
from tests.remote.servers import Server, assert_equal, wait_until


def spool_of(server: Server) -> Store:
    """Return the repository in the spool of a server."""
    return Store(Spool(server.address).folder / ".aim")


def test_a_run_is_at_the_server_when_it_is_closed(server: Server) -> None:
    """
    Params, points, objects and artifacts of a run are at the server, as they are in the spool.
    """
    with BasicRun(repo=server.address, experiment="digits") as run:
        run["hparams"] = {"lr": 0.1}
        for step in range(3000):
            run.track(step * 0.5, name="loss", step=step, context={"subset": "train"})
        run.track(Image(np.zeros((4, 4), np.uint8)), name="picture", step=1)
        run.track(2**60 + 1, name="large", step=1)

    assert_equal(spool_of(server), server.store)
    there = Run(run.hash, repo=server.root, read_only=True)
    assert (0.1, "digits", "finished") == (there["hparams", "lr"], there.experiment, there.status)


def test_artifacts_are_kept_with_the_run_at_the_server(server: Server, tmp_path: Path) -> None:
    """
    A file that is logged is at the server, and can be read from there.
    """
    (tmp_path / "model.pt").write_bytes(b"weights" * 1000)
    with BasicRun(repo=server.address) as run:
        run.log_artifact(tmp_path / "model.pt")
    path = server.store.run_folder(run.hash) / "files" / "model.pt"
    wait_until(path.exists, "the artifact")

    assert b"weights" * 1000 == path.read_bytes()


def test_a_new_run_is_read_back_while_it_records(server: Server) -> None:
    """
    The process that records sees what it has recorded at once, whether the server has it or not.
    """
    run = BasicRun(repo=server.address)
    run["lr"] = 0.1
    run.track(0.5, name="loss")

    assert (0.1, [0.5]) == (run["lr"], run.get_metric("loss").values.tolist())
    run.close()


def test_flush_returns_when_the_server_has_it(server: Server) -> None:
    """
    After `flush` everything is durable at the server.
    """
    run = BasicRun(repo=server.address)
    for step in range(100):
        run.track(step, name="loss", step=step)
    run.flush()

    assert list(range(100)) == server.values(run.hash)
    run.close()


def test_a_resumed_run_goes_on_where_it_was(server: Server) -> None:
    """
    Values without a step continue after those of the server, and what is read has both.
    """
    with BasicRun(repo=server.address) as first:
        for value in (3.0, 2.0):
            first.track(value, name="loss", context={"subset": "val"})
    with BasicRun(first.hash, repo=server.address) as second:
        second.track(1.0, name="loss", context={"subset": "val"})
        metric = second.get_metric("loss", {"subset": "val"})
        assert metric is not None
        assert ([0, 1, 2], [3.0, 2.0, 1.0]) == metric.values.sparse_list()

    assert 2 == len(list(server.store.run_folder(first.hash).glob("*.events.jsonl")))


def test_a_run_that_is_nowhere_is_not_resumed(server: Server) -> None:
    """
    The error is that of a folder.
    """
    with pytest.raises(RunNotFound, match="Cannot find run 'nothing'"):
        BasicRun("nothing", repo=server.address)


def test_without_a_server_a_run_is_not_resumed_blindly(tmp_path: Path) -> None:
    """
    A run that only the server has can't go on while it does not answer; with `create` it is recorded all the same.
    """
    server = Server(tmp_path / "vision")
    with pytest.raises(ServerUnreachable):
        BasicRun("digits-1", repo=server.address)
    BasicRun("digits-1", repo=server.address, create=True, offline=True).close()

    assert ["digits-1"] == spool_of(server).run_hashes()


def test_a_fork_has_what_was_recorded_until_now(server: Server) -> None:
    """
    The copies are made at the server, from all that the run has recorded.
    """
    run = BasicRun(repo=server.address)
    for value in (3.0, 2.0, 9.0):
        run.track(value, name="loss")
    other = run.fork(1, system_tracking_interval=None, capture_terminal_logs=False)
    other.track(1.0, name="loss")
    other.close()
    run.close()

    assert [3.0, 2.0, 1.0] == server.values(other.hash)


def test_a_pickled_run_records_in_another_process(server: Server, spool: Path) -> None:
    """
    The other process has a writer of its own in the spool, and its values come to the same run.
    """
    run = BasicRun(repo=server.address)
    run.track(0.0, name="loss", step=0)
    run.flush()
    code = "import pickle, sys; run = pickle.loads(bytes.fromhex(sys.argv[1]))\n"
    code += "run.track(1.0, name='loss', step=1); run.close()"
    subprocess.run([sys.executable, "-c", code, pickle.dumps(run).hex()], check=True)
    run.close()

    assert [0.0, 1.0] == server.values(run.hash)
    assert copy.copy(run) is run


def test_a_forked_child_ships_its_own(server: Server) -> None:
    """
    After a fork parent and child ship their own writers of one run.
    """
    code = (
        "import os, sys\nfrom aim import Run\n"
        "run = Run(repo=sys.argv[1], system_tracking_interval=None, capture_terminal_logs=False)\n"
        "run.track(0.0, name='loss', step=0)\nrun.flush()\n"
        "child = os.fork()\n"
        "run.track(float(child == 0) + 1, name='loss', step=1 + (child == 0))\n"
        "run.close()\n"
        "if child:\n    os.waitpid(child, 0)\n    print(run.hash)\nelse:\n    os._exit(0)\n"
    )
    ran = subprocess.run([sys.executable, "-c", code, server.address], capture_output=True, text=True, check=True)

    assert [0.0, 1.0, 2.0] == server.values(ran.stdout.strip())


def test_offline_nothing_is_sent_until_aim_sync(
    server: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """
    With `AIM_OFFLINE` a run is in the spool only, and a message says where; `aim sync` sends it to its address.
    """
    monkeypatch.setenv("AIM_OFFLINE", "1")
    with BasicRun(repo=server.address) as run:
        run.track(0.5, name="loss")
        assert [0.5] == run.get_metric("loss").values.tolist()
    assert [] == server.store.run_hashes()
    kept = f"what goes to {server.address} is kept in {Spool(server.address).folder} until `aim sync` sends it."
    assert [f"Aim records offline: {kept}"] == caplog.messages

    assert 0 == call("sync").code
    assert [0.5] == server.values(run.hash)


def test_a_short_script_that_does_not_close_is_sent(server: Server) -> None:
    """
    A script that ends without `close` is at the server when it has ended.
    """
    code = "import sys\nfrom aim import Run\nrun = Run(repo=sys.argv[1])\nrun.track(0.5, name='loss')\nprint(run.hash)"
    ran = subprocess.run([sys.executable, "-c", code, server.address], capture_output=True, text=True, check=True)

    run_hash = ran.stdout.strip()
    assert [0.5] == server.values(run_hash)
    assert "finished" == Run(run_hash, repo=server.root, read_only=True).status


def test_a_training_loads_no_http_for_a_folder(tmp_path: Path) -> None:
    """
    Who records into a folder pays nothing for servers.
    """
    code = "import sys\nfrom aim import Run\nrun = Run(repo=sys.argv[1])\nrun.close()\n"
    code += "print(sorted({'http.client', 'ssl'} & set(sys.modules)))"
    ran = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)

    assert "[]" == ran.stdout.strip()
