"""
Alerts that reach people: by a real HTTP server, a real mail server, a command; across restarts, and while nobody
receives them.
"""

from __future__ import annotations

import json
import os
import ssl
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import AuthResult

from aim import Run
from aim.core.errors import UsageError
from aim.engine.alerting.channels import SHAPES, AlertChannel, AlertChannels, mail_values
from aim.engine.alerting.findings import finder
from aim.engine.alerting.rules import AlertRules
from aim.engine.alerting.sending import AlertMessage, NotDelivered, send, tried
from aim.engine.alerting.watcher import AlertWatcher
from aim.engine.repository import Repository
from tests.cli.certificate import make_certificate
from tests.receivers import Receiver, mail_box


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
    with mail_box() as (port, mails):
        values = mail_values("127.0.0.1", port, "ada@example.org", sender="aim@example.org", tls="none")
        message = AlertMessage("Aim: 1 alert", ["loss: lr-0.1"], "error", "7f")
        send(AlertChannel("mail", "smtp", values), message)

    assert ["Aim: 1 alert"] == [mail["Subject"] for mail in mails]
    assert "<7f@example.org>" == mails[0]["Message-ID"]
    assert "loss: lr-0.1" in mails[0].get_payload()


def test_a_mail_server_that_asks_for_a_password_gets_it_by_tls_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    After STARTTLS the login is sent; a wrong password is a refusal whose text has none of it; a certificate that nobody
    vouches for is refused before anything is said.
    """
    certificate, key = make_certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    def check(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        return AuthResult(success=(b"ada", b"right-one") == (data.login, data.password))

    options: dict[str, Any] = {
        "authenticator": check,
        "auth_required": True,
        "tls_context": context,
        "require_starttls": True,
    }
    errors = []
    with mail_box(0, **options) as (port, mails):
        for trusted, password in ((None, "right-one"), (certificate, "wrong-one"), (certificate, "right-one")):
            if trusted is not None:
                monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
            values = mail_values("127.0.0.1", port, "ada@example.org", user="ada", password=password)
            errors.append(tried(AlertChannel("mail", "smtp", values)))

    assert [True, True, False] == [bool(error) for error in errors]
    assert "certificate" in str(errors[0])
    assert "wrong-one" not in str(errors[1])
    assert ["Aim: a test"] == [mail["Subject"] for mail in mails]


def test_a_notice_on_the_desktop_is_what_the_desktop_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    `notify-send` gets the title and the lines as words of its own, so nothing of an alert is an option or a command.
    """
    words = tmp_path / "words.json"
    program = tmp_path / "notify-send"
    program.write_text(
        f"#!{sys.executable}\nimport json, sys\nopen({str(words)!r}, 'w').write(json.dumps(sys.argv[1:]))\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "platform", "linux")
    send(AlertChannel("here", "desktop"), AlertMessage("--hint=x", ["$(reboot) of lr-1"], "error"))

    assert ["--app-name=Aim", "--", "--hint=x", "$(reboot) of lr-1"] == json.loads(words.read_text())


def test_a_command_gets_the_alert_as_json(tmp_path: Path) -> None:
    """
    A command reads the message from its standard input; one that fails is no delivery.
    """
    script = f"import sys; open({str(tmp_path / 'out')!r}, 'w').write(sys.stdin.read())"
    channel = AlertChannel("own", "command", {"command": [sys.executable, "-c", script]})
    send(channel, AlertMessage("Aim: 1 alert", ["a"], "info"))

    assert "Aim: 1 alert" == json.loads((tmp_path / "out").read_text())["title"]
    failing = AlertChannel("own", "command", {"command": [sys.executable, "-c", "raise SystemExit(3)"]})
    absent = AlertChannel("own", "command", {"command": ["no-such-program"]})
    assert "There is no program 'no-such-program' on this machine." == tried(absent)
    with pytest.raises(NotDelivered, match="exit code 3"):
        send(failing, AlertMessage("a", [], "info"))


def test_webhooks_have_the_shapes_of_their_programs(receiver: Receiver) -> None:
    """
    Each program finds the message where it looks for it, as JSON and within its limits, with an id that stays.
    """
    message = AlertMessage("Aim: 2 alerts", ["[error] loss: lr-1 <b> & *x*", "two " + "x" * 2_500], "error", "7f")
    for shape in SHAPES:
        send(AlertChannel(shape, "webhook", {"url": receiver.url(), "shape": shape}), message)
    slack, mattermost, discord, teams, plain = receiver.posts
    card = teams["attachments"][0]["content"]

    assert {"text"} == slack.keys() == mattermost.keys()
    assert "*Aim: 2 alerts*\n[error] loss: lr-1 &lt;b&gt; &amp; *x*" == slack["text"].partition("\ntwo")[0]
    assert "**Aim: 2 alerts**\n[error] loss: lr-1 <b> & *x*" == mattermost["text"].partition("\ntwo")[0]
    assert (True, {"parse": []}) == (len(discord["content"]) <= 2_000, discord["allowed_mentions"])
    assert ("message", "application/vnd.microsoft.card.adaptive") == (
        teams["type"],
        teams["attachments"][0]["contentType"],
    )
    assert ("AdaptiveCard", ["Aim: 2 alerts", "[error] loss: lr-1 <b> & *x*"]) == (
        card["type"],
        [block["text"] for block in card["body"][:2]],
    )
    assert ("Aim: 2 alerts", "error", "7f") == (plain["title"], plain["level"], plain["id"])
    assert {("7f", "application/json")} == {
        (header["Idempotency-Key"], header["Content-Type"]) for header in receiver.headers
    }


def test_a_channel_of_an_editor_does_not_reach_the_server_itself(receiver: Receiver) -> None:
    """
    A guarded channel is refused before anything is sent, by HTTP and by SMTP, for each name of this machine.
    """
    with mail_box() as (port, mails):
        channels = [
            AlertChannel(
                "a", "webhook", {"url": receiver.url().replace("127.0.0.1", host), "shape": "json"}, is_guarded=True
            )
            for host in ("127.0.0.1", "localhost")
        ]
        mail = mail_values("127.0.0.1", port, "ada@example.org", tls="none")
        errors = [tried(channel) for channel in (*channels, AlertChannel("b", "smtp", mail, is_guarded=True))]

    assert [True] * 3 == ["may not reach the machine of the server" in str(error) for error in errors]
    assert ([], []) == (receiver.posts, mails)


def test_a_channel_may_be_of_one_repository(door: Repository, receiver: Receiver) -> None:
    """
    It takes the alerts of that one alone, beside the channels of all; a name stands for one of them.
    """
    channels = AlertChannels()
    channels.add(webhook(receiver))
    channels.add(AlertChannel("ops", "command", {"command": ["true"]}, repo=door.address))

    assert ["ops", "team"] == sorted(channel.name for channel in channels.of(door.address))
    assert ["team"] == [channel.name for channel in channels.of("/elsewhere")]
    with pytest.raises(UsageError, match="channel 'team' of all repositories already"):
        channels.add(AlertChannel("team", "command", {"command": ["true"]}, repo=door.address))
    channels.remove(f"ops @ {door.address}")
    assert ["team"] == [channel.name for channel in channels.all()]


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
