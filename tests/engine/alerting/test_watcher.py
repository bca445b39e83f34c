"""
Alerts that reach people: by a real HTTP server, a real mail server, a command; across restarts, and while nobody
receives them.
"""

from __future__ import annotations

import json
import os
import stat
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from aim import Run
from aim.core.errors import UsageError
from aim.engine.alerting.channels import AlertChannel, AlertChannels
from aim.engine.alerting.findings import finder
from aim.engine.alerting.rules import AlertRules
from aim.engine.alerting.sending import AlertMessage, NotDelivered, send, webhook_body
from aim.engine.alerting.watcher import AlertWatcher
from aim.engine.repository import Repository
from tests.ports import own_port


class Receiver:
    """An HTTP server that keeps what is posted; *status* is what it answers."""

    def __init__(self, port: int = 0) -> None:
        self.posts: list[dict[str, Any]] = []
        self.status = 200
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if receiver.status == 200:
                    receiver.posts.append(json.loads(body))
                self.send_response(receiver.status)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", port), Handler)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05})
        self.thread.start()

    def close(self) -> None:
        """End the server."""
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture(name="receiver")
def _receiver() -> Iterator[Receiver]:
    """A receiver that is there."""
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture(name="door")
def _door(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Repository]:
    """A repository with one run that records, and a home folder of its own."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    folder = tmp_path / "repo"
    folder.mkdir()
    with Run("r", repo=folder, create=True, system_tracking_interval=None, capture_terminal_logs=False) as run:
        run.name = "training"
        run.track(0.5, name="loss")
        yield Repository(folder)


def track(door: Repository, value: float, name: str = "loss") -> None:
    """Track a value in the run that records."""
    with Run("r", repo=door.address, system_tracking_interval=None, capture_terminal_logs=False) as run:
        run.track(value, name=name)


def webhook(receiver: Receiver, **options: Any) -> AlertChannel:
    """Return a channel to the receiver, with a secret in its address."""
    values = {"url": f"http://127.0.0.1:{receiver.port}/hook/s3cret-token", "shape": "slack"}
    return AlertChannel("team", "webhook", values, **options)


class Clock:
    """A clock that is set by hand."""

    def __init__(self, at_s: float) -> None:
        self.at_s = at_s

    def __call__(self) -> float:
        return self.at_s


def watcher_at(door: Repository, clock: Clock) -> AlertWatcher:
    """Return a watcher as a new process would make it."""
    return AlertWatcher(door, now=clock)


def test_a_rule_fires_once_after_its_time_and_again_after_it_recovered(door: Repository, receiver: Receiver) -> None:
    """
    A match shorter than `--for` is no alert; one that lasts is one message, also across restarts of the watcher.
    """
    AlertChannels().add(webhook(receiver))
    AlertRules(door.documents).add("metric.name == 'loss' and metric.last > 10", for_s=300, title="loss")
    clock = Clock(door.run("r").state().created_at_s + 10)
    track(door, 20.0)
    counts = []
    for pause_s in (0, 200, 110, 10):
        clock.at_s += pause_s
        watcher_at_once(door, clock)
        counts.append(len(receiver.posts))
    track(door, 1.0)
    watcher = watcher_at(door, clock)
    watcher.look()
    track(door, 30.0)
    watcher.look()
    clock.at_s += 400
    watcher.look()
    watcher.file.unlock()

    assert ([0, 0, 1, 1], 2) == (counts, len(receiver.posts))
    assert "[warning] loss: training (r)" in receiver.posts[0]["text"]


def test_what_a_training_says_and_what_is_found_is_delivered_together(door: Repository, receiver: Receiver) -> None:
    """
    `run.alert` and a NaN that is found are one message; alerts from before the first look are not delivered.
    """
    AlertChannels().add(webhook(receiver))
    with Run("r", repo=door.address, system_tracking_interval=None, capture_terminal_logs=False) as run:
        run.alert("old news")
    watcher = AlertWatcher(door, found_alerts=finder(door))
    watcher.look()
    with Run("r", repo=door.address, system_tracking_interval=None, capture_terminal_logs=False) as run:
        run.alert("Gradients vanish", "norm 1e-9", level="error")
        run.track(float("nan"), name="loss")

    assert 1 == watcher.look()
    watcher.file.unlock()

    (post,) = receiver.posts
    assert "Gradients vanish: norm 1e-9" in post["text"]
    assert "computes no numbers any more: loss" in post["text"]
    assert "old news" not in post["text"]


def test_a_receiver_that_is_away_gets_it_later_across_a_restart(door: Repository) -> None:
    """
    The message waits in a file, is tried again after a pause, and its error has no secret.
    """
    receiver = Receiver()
    AlertChannels().add(webhook(receiver))
    receiver.close()
    clock = Clock(door.run("r").state().created_at_s + 10)
    AlertRules(door.documents).add("run.active", title="it records")
    first = watcher_at(door, clock)
    assert 0 == first.look()
    first.file.unlock()
    waiting = first.file.read().waiting
    clock.at_s += 5
    assert 0 == watcher_at_once(door, clock)
    back = Receiver(receiver.port)
    clock.at_s += 60

    delivered = watcher_at_once(door, clock)
    back.close()

    assert [(1, "waiting")] == [(each.attempts, each.state) for each in waiting]
    assert "s3cret" not in waiting[0].error
    assert "refused" in waiting[0].error
    assert (1, 1) == (delivered, len(back.posts))
    assert ["delivered"] == [each.state for each in first.file.read().log]


def watcher_at_once(door: Repository, clock: Clock) -> int:
    """Look once as a process of its own would, and return what was delivered."""
    watcher = watcher_at(door, clock)
    count = watcher.look()
    watcher.file.unlock()
    return count


def test_a_refusal_of_the_receiver_is_tried_again_and_given_up_after_a_day(
    door: Repository, receiver: Receiver
) -> None:
    """
    An answer of 500 is no delivery; after a day the message is failed and shown as such.
    """
    AlertChannels().add(webhook(receiver))
    receiver.status = 500
    clock = Clock(door.run("r").state().created_at_s + 10)
    AlertRules(door.documents).add("run.active")
    for pause_s in (0, 40, 90, 4000, 90_000):
        clock.at_s += pause_s
        watcher_at_once(door, clock)

    state = watcher_at(door, clock).file.read()

    assert ([], ["failed"]) == (state.waiting, [each.state for each in state.log])
    assert (5, True) == (state.log[0].attempts, "500" in state.log[0].error)


def test_quiet_hours_hold_all_but_errors(door: Repository, receiver: Receiver) -> None:
    """
    Warnings wait for the end of the quiet hours, as one message; an error goes at once.
    """
    AlertChannels().add(webhook(receiver, quiet="00:00-23:59"))
    rules = AlertRules(door.documents)
    rules.add("run.active", title="first")
    clock = Clock(door.run("r").state().created_at_s + 10)
    watcher_at_once(door, clock)
    held = len(receiver.posts)
    rules.add("run.active", title="second", level="error")
    watcher_at_once(door, clock)

    assert (0, 1) == (held, len(receiver.posts))
    assert "first" in receiver.posts[0]["text"]
    assert "second" in receiver.posts[0]["text"]


def test_two_watchers_deliver_once(door: Repository, receiver: Receiver) -> None:
    """
    While one watches, the other does nothing.
    """
    AlertChannels().add(webhook(receiver))
    AlertRules(door.documents).add("run.active")
    first, second = AlertWatcher(door), AlertWatcher(door)

    assert (1, 0) == (first.look(), second.look())
    assert 1 == len(receiver.posts)
    first.file.unlock()


def test_a_mail_is_delivered_to_a_real_server() -> None:
    """
    Subject, sender and lines arrive by SMTP.
    """
    from aiosmtpd.controller import Controller
    from aiosmtpd.handlers import Message

    mails: list[Any] = []

    class Box(Message):
        def handle_message(self, message: Any) -> None:
            mails.append(message)

    port = own_port()
    controller = Controller(Box(), hostname="127.0.0.1", port=port)
    controller.start()
    values = {"host": "127.0.0.1", "port": port, "to": "ada@example.org", "sender": "aim@example.org", "tls": "none"}
    try:
        send(AlertChannel("mail", "smtp", values), AlertMessage("Aim: 1 alert", ["loss: lr-0.1"], "error"))
    finally:
        controller.stop()

    assert ["Aim: 1 alert"] == [mail["Subject"] for mail in mails]
    assert "loss: lr-0.1" in mails[0].get_payload()


def test_a_command_gets_the_alert_as_json(tmp_path: Path) -> None:
    """
    A command reads the message from its standard input; one that fails is no delivery.
    """
    script = f"import sys; open({str(tmp_path / 'out')!r}, 'w').write(sys.stdin.read())"
    channel = AlertChannel("own", "command", {"command": [sys.executable, "-c", script]})
    send(channel, AlertMessage("Aim: 1 alert", ["a"], "info"))

    assert "Aim: 1 alert" == json.loads((tmp_path / "out").read_text())["title"]
    failing = AlertChannel("own", "command", {"command": [sys.executable, "-c", "raise SystemExit(3)"]})
    with pytest.raises(NotDelivered):
        send(failing, AlertMessage("a", [], "info"))


@pytest.mark.parametrize(
    ("shape", "member"), [("slack", "text"), ("mattermost", "text"), ("discord", "content"), ("teams", "attachments")]
)
def test_webhooks_have_the_shapes_of_their_programs(shape: str, member: str) -> None:
    """
    Each program finds the message where it looks for it.
    """
    body = webhook_body(AlertMessage("Aim: 2 alerts", ["one", "two"], "error"), shape)

    assert "two" in json.dumps(body[member])


def test_channels_are_a_file_of_this_user_alone_and_masked(door: Repository, receiver: Receiver) -> None:
    """
    The file has mode 0600, and is refused when others may read it; what is shown of a channel has no secret.
    """
    channels = AlertChannels()
    channels.add(webhook(receiver))
    mode = stat.S_IMODE(channels.path.stat().st_mode)
    shown = json.dumps([channel.masked() for channel in channels.all()])
    os.chmod(channels.path, 0o644)

    assert (0o600, False) == (mode, "s3cret" in shown)
    with pytest.raises(UsageError, match="chmod 600"):
        channels.all()


def test_queries_find_runs_by_their_alerts(door: Repository) -> None:
    """
    `run.alerts` is a list, and each alert has its level.
    """
    with Run("r", repo=door.address, system_tracking_interval=None, capture_terminal_logs=False) as run:
        run.alert("Gradients vanish", level="error")
    questions = door.questions()

    assert ["r"] == questions.runs("any(alert.level == 'error' for alert in run.alerts)")
    assert [] == questions.runs("any(alert.level == 'info' for alert in run.alerts)")
    assert ["r"] == questions.runs("len(run.alerts) == 1")
    with pytest.raises(UsageError, match="has to be one of info, warning, error"):
        run.alert("a", level="loud")
