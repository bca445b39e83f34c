"""
Alerts that `aim up` and `aim server` deliver while they run: to a real web server and a real mail server, also after a
kill, and to a receiver that was away.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from aim import Run
from aim.engine.alerting.channels import AlertChannel, AlertChannels, mail_values
from aim.engine.alerting.rules import AlertRules
from aim.engine.alerting.state import StateFile, WatchState, state_path, watched_address
from aim.engine.repository import Repository
from tests.cli.test_watch import DEADLINE_S, SOURCE, wait_for
from tests.ports import own_port
from tests.receivers import Receiver, mail_box


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home folder of its own for the channels and for what was delivered."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@contextmanager
def serving(*words: str) -> Iterator[subprocess.Popen[str]]:
    """Start `aim up` or `aim server` on a free port; it is ended afterwards."""
    command = [sys.executable, "-m", "aim", *words, "--port", "0", "--watch-every", "0.3"]
    environment = {**os.environ, "PYTHONPATH": str(SOURCE), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "http://" in line:
                break
        yield process
        process.terminate()
        process.communicate(timeout=DEADLINE_S)


def state_of(root: Path) -> WatchState:
    """Return what is remembered of a repository."""
    return StateFile(state_path(watched_address(str(root)))).read()


def is_watched(root: Path, after_s: float = 0.0) -> bool:
    """Return whether somebody looked at a repository after a time."""
    return state_of(root).looked_at_s > after_s


def test_aim_up_delivers_each_alert_once_by_web_and_mail_across_a_kill(tmp_path: Path) -> None:
    """
    A rule and what a training says go to both receivers; after a kill of the server only what is new goes out.
    """
    root = tmp_path / "demo"
    receiver = Receiver()
    with (
        mail_box() as (port, mails),
        Run("r", repo=root, create=True, system_tracking_interval=None, capture_terminal_logs=False) as run,
    ):
        run.track(0.5, name="loss")
        AlertChannels().add(AlertChannel("web", "webhook", {"url": receiver.url(), "shape": "slack"}))
        AlertChannels().add(AlertChannel("mail", "smtp", mail_values("127.0.0.1", port, "a@example.org", tls="none")))
        AlertRules(Repository(root).documents).add("metric.name == 'loss' and metric.last > 10", title="The loss")
        with serving("up", "--no-open", "--repo", str(root)) as process:
            wait_for(lambda: is_watched(root))
            run.track(20.0, name="loss")
            wait_for(lambda: [each.state for each in state_of(root).log] == ["delivered"] * 2)
            process.kill()
        run.alert("Gradients vanish", level="error")
        with serving("up", "--no-open", "--repo", str(root)):
            wait_for(lambda: [each.state for each in state_of(root).log] == ["delivered"] * 4)
    receiver.close()

    assert [True, True] == ["The loss" in receiver.posts[0]["text"], "Gradients vanish" in receiver.posts[1]["text"]]
    assert [True, True] == ["The loss" in mails[0].get_payload(), "Gradients vanish" in mails[1].get_payload()]
    assert (2, 2) == (len(receiver.posts), len(mails))
    assert 2 == len({mail["Message-ID"] for mail in mails})


def test_aim_server_delivers_to_a_receiver_that_was_away_and_watches_what_comes_later(tmp_path: Path) -> None:
    """
    A channel that is added and a project that is made while the server runs count; a message waits for its receiver
    across a restart, with the reason, and then comes once.
    """
    root = tmp_path / "projects"
    root.mkdir()
    project = root / "vision"
    port = own_port()
    with serving("server", "--root", str(root)) as process:
        channel = AlertChannel("web", "webhook", {"url": f"http://127.0.0.1:{port}/s3cret", "shape": "json"})
        AlertChannels().add(channel)
        with Run("r", repo=project, create=True, system_tracking_interval=None, capture_terminal_logs=False) as run:
            wait_for(lambda: is_watched(project))
            run.alert("Gradients vanish", level="error")
            wait_for(lambda: any(each.attempts for each in state_of(project).waiting))
        process.kill()
    waiting = state_of(project).waiting
    receiver = Receiver(port)
    with serving("server", "--root", str(root)):
        wait_for(lambda: [each.state for each in state_of(project).log] == ["delivered"])
        delivered_at_s = state_of(project).looked_at_s
        wait_for(lambda: is_watched(project, delivered_at_s))
    receiver.close()

    assert ("waiting", True, False) == (waiting[0].state, "refused" in waiting[0].error, "s3cret" in waiting[0].error)
    assert [["[error] Gradients vanish"]] == [
        [line.partition(":")[0] for line in post["lines"]] for post in receiver.posts
    ]
    assert [waiting[0].id] == [post["id"] for post in receiver.posts]
