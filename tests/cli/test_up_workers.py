"""
`aim up --workers`: several processes answer on one port, as one would.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import psutil
import pytest

from aim import Run
from aim.server.workers import can_fork
from tests.cli.test_up import started

DEADLINE_S = 90.0
CONNECTIONS = 12  # enough that all processes get some

pytestmark = pytest.mark.skipif(not can_fork(), reason="this system can't fork")


@pytest.fixture(scope="module", name="root")
def _root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """
    A repository with two runs.
    """
    root = tmp_path_factory.mktemp("workers")
    for number in range(2):
        run = Run(f"run-{number}", repo=root, create=True, system_tracking_interval=None, capture_terminal_logs=False)
        for step in range(20):
            run.track(step * 0.5, name="loss", step=step)
        run.close()
    return root


def waited(condition: Callable[[], bool]) -> bool:
    """Wait until something is so."""
    until_s = time.monotonic() + DEADLINE_S
    while not condition() and time.monotonic() < until_s:
        time.sleep(0.05)
    return condition()


def readers_of(pid: int) -> list[psutil.Process]:
    """Return the reading processes of a server."""
    return [reader for keeper in psutil.Process(pid).children() for reader in keeper.children()]


def tags(address: str, project: str) -> list[list[str]]:
    """Return the tags of all runs, as a new connection gets them."""
    answer = httpx.post(f"{address}api/repos/{project}/runs", json={"fields": [["run", "tags"]]}, timeout=DEADLINE_S)
    values: list[list[str]] = answer.json()["columns"][0]["values"]
    return values


def test_a_change_is_seen_by_the_next_request_whoever_answers(root: Path) -> None:
    """
    The first process alone makes changes, and all read the same folder; undo is where the change was made.
    """
    with started("up", "--no-open", "--repo", str(root), "--workers", "3") as (process, address, _said):
        assert waited(lambda: len(readers_of(process.pid)) == 2)
        project = httpx.get(f"{address}api/info", timeout=DEADLINE_S).json()["repos"][0]["id"]
        base = f"{address}api/repos/{project}"
        for number in range(CONNECTIONS):
            edit = {"runs": ["run-0"], "change": {"tags": {"add": [f"t{number}"], "remove": []}}}
            undo = httpx.post(f"{base}/edits", json=edit, timeout=DEADLINE_S).json()["undo"]
            assert [[], [f"t{number}"]] == sorted(tags(address, project))
            undone = httpx.post(f"{base}/undo", json={"undo": undo}, timeout=DEADLINE_S)
            assert 200 == undone.status_code, undone.text
            assert [[], []] == tags(address, project)


def test_a_page_that_follows_gets_what_is_new_from_the_process_that_named_its_state(root: Path) -> None:
    """
    The stream of changes comes from the first process, and so does what a page asks since one of its states.
    """
    with started("up", "--no-open", "--repo", str(root), "--workers", "2") as (process, address, _said):
        assert waited(lambda: len(readers_of(process.pid)) == 1)
        project = httpx.get(f"{address}api/info", timeout=DEADLINE_S).json()["repos"][0]["id"]
        base = f"{address}api/repos/{project}"
        starts = set()
        for _ in range(CONNECTIONS):
            with httpx.stream("GET", f"{base}/events", timeout=DEADLINE_S) as stream:
                lines = iter(stream.iter_lines())
                state = next(line for line in lines if line.startswith("id: ")).removeprefix("id: ")
            starts.add(state.partition(".")[0])
            body = {"metrics": [{"name": "loss"}], "buckets": 10, "since": state}
            new, whole = (
                len(httpx.post(f"{base}/series", json=asked, timeout=DEADLINE_S).content)
                for asked in (body, {**body, "since": None})
            )
            assert new < whole

        assert 1 == len(starts)


def test_a_reading_process_that_dies_is_replaced_and_all_end_with_the_first(root: Path) -> None:
    """
    Whatever happens to a reading process, requests are answered; when the first process is killed, nothing stays.
    """
    with started("up", "--no-open", "--repo", str(root), "--workers", "2") as (process, address, _said):
        assert waited(lambda: len(readers_of(process.pid)) == 1)
        (reader,) = readers_of(process.pid)
        reader.send_signal(signal.SIGKILL)
        assert waited(lambda: [other for other in readers_of(process.pid) if other.pid != reader.pid] != [])
        assert 200 == httpx.get(f"{address}api/info", timeout=DEADLINE_S).status_code
        everything = psutil.Process(process.pid).children(recursive=True)
        os.kill(process.pid, signal.SIGKILL)
        process.wait(timeout=DEADLINE_S)

        assert waited(lambda: not any(other.is_running() for other in everything))


def test_a_token_is_asked_for_by_all_processes(root: Path) -> None:
    """
    A request without the token is refused whoever answers it, and the secret between processes lets nobody in.
    """
    options = ("--no-open", "--repo", str(root), "--workers", "2", "--token", "open sesame")
    with started("up", *options) as (process, address, _said):
        address = address.partition("?")[0]
        assert waited(lambda: len(readers_of(process.pid)) == 1)
        for _ in range(CONNECTIONS):
            forged = {"x-aim-inside": "0" * 64, "x-aim-peer": "192.0.2.1"}
            statuses = [
                httpx.get(f"{address}api/info", headers=headers, timeout=DEADLINE_S).status_code
                for headers in ({}, forged, {"Authorization": "Bearer open sesame"})
            ]
            assert [401, 401, 200] == statuses
            assert 401 == httpx.post(f"{address}api/repos/workers/edits", json={}, timeout=DEADLINE_S).status_code
