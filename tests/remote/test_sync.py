"""
`aim sync`: runs of any folder go to a server, whatever form they have.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from aim import Repo, Run
from aim.engine.opening import open_door
from aim.engine.sealing import seal_run
from aim.storage.shipping.spool import ShippedFolder
from aim.storage.store import Store
from tests.cli.schemas import call
from tests.remote.servers import Server, assert_equal, started
from tests.storage.recorded import record
from tests.storage.writing import DEADLINE_S

RUN = "digits-1"


@pytest.fixture(name="local")
def _local(tmp_path: Path) -> Store:
    """
    A local repository with an ended run and edits of it.
    """
    store = Store(tmp_path / "local" / ".aim", create=True)
    record(store.runs / RUN)
    return store


def sync(local: Store, server: Server, *more: str) -> int:
    """Send the runs of a folder, and return the exit code."""
    return call("sync", str(local.path.parent), server.address, *more).code


@pytest.mark.parametrize("is_sealed", [False, True])
def test_a_local_repository_is_sent(local: Store, server: Server, *, is_sealed: bool) -> None:
    """
    Runs with their edits are at the server as they are here, sealed or not; a second time nothing changes.
    """
    if is_sealed:
        seal_run(local.run_folder(RUN))

    assert [0, 0] == [sync(local, server), sync(local, server)]
    assert_equal(local, server.store)


def test_what_is_recorded_later_is_sent_later(local: Store, server: Server) -> None:
    """
    A repository that was sent is sent again: new runs, new points and new edits come, and nothing is sent twice.
    """
    sync(local, server)
    with Run("more", repo=local.path.parent, create=True, system_tracking_interval=None) as run:
        run.track(0.5, name="loss")
    Run(RUN, repo=local.path.parent, read_only=True).name = "renamed"

    assert 0 == sync(local, server)
    assert_equal(local, server.store)
    assert "renamed" == Run(RUN, repo=server.root, read_only=True).name


def test_a_run_is_sent_while_it_is_recorded(local: Store, server: Server) -> None:
    """
    What was recorded until now is sent, and the rest when it is sent again.
    """
    run = Run(repo=local.path.parent, system_tracking_interval=None, capture_terminal_logs=False)
    for step in range(1000):
        run.track(step * 0.5, name="loss", step=step)

    assert 0 == sync(local, server)
    assert [step * 0.5 for step in range(1000)] == server.values(run.hash)
    run.track(-1.0, name="loss", step=1000)
    run.close()
    assert 0 == sync(local, server)
    assert -1.0 == server.values(run.hash)[-1]


def test_only_runs_that_match_are_sent(local: Store, server: Server) -> None:
    """
    `--query` chooses runs.
    """
    with Run("other", repo=local.path.parent, create=True, system_tracking_interval=None) as run:
        run["kind"] = "other"

    assert 0 == sync(local, server, "--query", "run.kind == 'other'")
    assert ["other"] == server.store.run_hashes()


def test_documents_go_with_the_runs(local: Store, server: Server, tmp_path: Path) -> None:
    """
    Saved views and colours of tags are at the server and come back; of two, the one that was saved last stays.
    """
    here, back = local.path.parent, tmp_path / "back"
    Repo(str(here)).set_tag("paper", color="green")
    open_door(here).documents.put("view", "nightly", None, {"name": "Nightly"})
    sent = json.loads(call("sync", str(here), server.address, "--json").out)
    again = json.loads(call("sync", str(here), server.address, "--json").out)
    fetched = json.loads(call("sync", server.address, str(back), "--json").out)
    documents = open_door(back).documents
    documents.put("view", "nightly", documents.list("view")[0].revision, {"name": "Daily"})
    call("sync", str(back), server.address)
    call("sync", server.address, str(here))

    assert (2, 0, 2) == (sent["documents"], again["documents"], fetched["documents"])
    assert [("paper", "#3f9463")] == [(tag.name, tag.color) for tag in Repo(str(back)).tags() if tag.color]
    assert [{"name": "Daily"}] == [document.body for document in open_door(here).documents.list("view")]


def test_what_was_deleted_on_one_side_is_deleted_on_the_other(local: Store, server: Server, tmp_path: Path) -> None:
    """
    From the folder to the server, and from the server to a folder; a view that was saved again since stays.
    """
    here, back = local.path.parent, tmp_path / "back"
    mine, theirs = open_door(here).documents, open_door(server.address).documents
    for name in ("a", "b", "c"):
        mine.put("view", name, None, {"name": name})
    call("sync", str(here), server.address)
    call("sync", server.address, str(back))
    mine.delete("view", "a")
    theirs.delete("view", "b")
    mine.delete("view", "c")
    theirs.put("view", "c", theirs.list("view")[-1].revision, {"name": "again"})
    sent = json.loads(call("sync", str(here), server.address, "--json").out)
    at_server = [document.body["name"] for document in theirs.list("view")]
    fetched = json.loads(call("sync", server.address, str(back), "--json").out)
    call("sync", server.address, str(here))

    assert (0, 1) == (sent["documents"], sent["documents_deleted"])
    assert (1, 2) == (fetched["documents"], fetched["documents_deleted"])
    assert [["again"]] * 3 == [
        at_server,
        [document.body["name"] for document in mine.list("view")],
        [document.body["name"] for document in open_door(back).documents.list("view")],
    ]


def test_what_is_left_is_said(local: Store, server: Server) -> None:
    """
    Without a server the exit code is 3, and the output says how much is left, and why.
    """
    server.kill()
    printed = call("sync", str(local.path.parent), server.address, "--wait", "1", "--json")
    report = json.loads(printed.out)

    assert (3, 1, True) == (printed.code, report["left_runs"], report["left_bytes"] > 1000)
    assert f"{server.address}: " in report["failure"]


def test_a_server_that_is_away_is_said_once(
    local: Store, server: Server, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    The summary names it; while a longer wait goes on, a warning does so at once, and the summary not again.
    """
    server.kill()
    monkeypatch.setattr("aim.engine.syncing.STILL_S", 1.0)
    printed = call("sync", str(local.path.parent), server.address)
    said_before = caplog.text
    waited = call("sync", str(local.path.parent), server.address, "--wait", "1")

    assert (3, 1) == (printed.code, printed.err.count("no Aim server answers"))
    assert "Aim can't send runs" not in said_before
    assert "Aim can't send runs" in caplog.text
    assert (3, True) == (waited.code, "Left: 1 run" in waited.err)
    assert 1 == f"{caplog.text}{waited.err.replace(caplog.text, '')}".count("no Aim server answers")


KILLED = """
import sys, time
from aim import Run, Text
run = Run("killed", repo=sys.argv[1], create=True, system_tracking_interval=None, capture_terminal_logs=False)
run.track(Text("whole"), name="text", step=0)
run.track(0.5, name="loss", step=0)
run.flush()
print("recorded", flush=True)
time.sleep(600)
"""


def test_what_a_killed_training_has_begun_to_write_is_not_waited_for(local: Store, server: Server) -> None:
    """
    The beginning of an object that no point refers to, and of a line, are not sent; everything else is, and is all.
    """
    words = [sys.executable, "-c", KILLED, str(local.path.parent)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as training:
        assert training.stdout is not None
        assert "recorded\n" == training.stdout.readline()
        training.kill()
    for pattern in ("*.blobs-*.zip", "*.events.jsonl"):
        (path,) = local.run_folder("killed").glob(pattern)
        with open(path, "ab") as file:
            file.write(b"begun")

    assert 0 == sync(local, server, "--wait", "120")
    assert [0.5] == server.values("killed")
    assert 0 == sync(local, server, "--wait", "120")


def test_a_server_that_has_all_is_not_waited_for(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    """
    A spool whose runs were all confirmed is no reason for a warning when the server is away, nor for exit code 3.
    """
    assert 0 == started("tests.remote.trainer", server.address, "digits", "7", "20").wait()
    assert 0 == call("sync").code
    server.kill()
    printed = call("sync", "--wait", str(DEADLINE_S * 100), "--json")
    report = json.loads(printed.out)

    assert (0, 1, 0) == (printed.code, report["runs"], report["left_runs"])
    assert report["failure"].startswith("It has confirmed that before, and does not answer now: ")
    assert "Aim can't send runs" not in caplog.text


def test_a_wait_ends_when_the_server_comes(local: Store, server: Server) -> None:
    """
    `--wait` goes on while no server answers, and ends when all is sent.
    """
    import threading

    server.kill()
    starting = threading.Thread(target=server.start)
    starting.start()
    begun_s = time.monotonic()

    assert 0 == sync(local, server, "--wait", str(DEADLINE_S * 10))
    starting.join()
    assert time.monotonic() - begun_s < DEADLINE_S * 10
    assert_equal(local, server.store)


def test_a_deleted_run_is_sent_again_on_request(local: Store, server: Server) -> None:
    """
    A run that was deleted at the server stays away, unless `--again` asks for it.
    """
    sync(local, server)
    server.store.delete_run(RUN)
    hints = ShippedFolder.of_repository(local.path.parent, server.address)
    names = [f"{RUN}/{path.name[:8]}" for path in local.run_folder(RUN).glob("*.events.jsonl")]
    hints.write_hints({"gone": dict.fromkeys(names, time.time())})

    assert (0, []) == (sync(local, server), server.store.run_hashes())
    assert (0, [RUN]) == (sync(local, server, "--again", RUN), server.store.run_hashes())
    assert_equal(local, server.store)


def test_a_folder_without_an_address_is_a_wrong_call(local: Store) -> None:
    """
    The message shows what to write.
    """
    printed = call("sync", str(local.path.parent))

    assert 2 == printed.code
    assert "aim sync FOLDER aim://host:53800/project" in printed.err


def test_without_spools_nothing_is_sent() -> None:
    """
    On a machine where nothing waits this is said, and nothing is wrong.
    """
    printed = call("sync")

    assert (0, "Nothing waits on this machine to be sent.\n") == (printed.code, printed.err)
