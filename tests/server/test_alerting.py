"""
Rules, channels and deliveries, as the pages ask for them and change them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from aim.engine.alerting.channels import AlertChannel, AlertChannels
from aim.engine.alerting.watching import watcher_of
from aim.engine.repository import Repository
from aim.server.settings import auth_folder
from aim.server.tokens import TokenFile
from tests.ports import own_port
from tests.receivers import Receiver
from tests.server.conftest import Browser, MakeBrowser, MakeRun

SECRET = "s3cret-token"


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home folder of its own for the channels and for what was delivered."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture(name="receiver")
def _receiver() -> Iterator[Receiver]:
    """A receiver that is there."""
    receiver = Receiver()
    yield receiver
    receiver.close()


def change(browser: Browser, method: str, path: str, body: object = None, **options: Any) -> httpx.Response:
    """Send a change, and return the answer."""
    return browser.client.request(method, browser.base + f"alerting/{path}", json=body, **options)


def test_a_rule_is_added_checked_and_removed(browser: Browser) -> None:
    """
    A rule of a page is that of `aim alert ls`; a query that can't be understood is refused with what is wrong in it.
    """
    body = {"query": "metric.last > 10", "for_s": 300, "level": "error", "title": "large"}
    added = change(browser, "POST", "rules", body).json()
    listed = browser.get("alerting")["rules"]
    refused = change(browser, "POST", "rules", {"query": "metric.lost > 10"}).json()
    removed = change(browser, "DELETE", f"rules/{added['id']}").status_code

    assert [added] == listed
    assert ("metric.last > 10", 300.0, "error", "large") == tuple(added[name] for name in body)
    assert ("query", "last") == (refused["kind"], refused["suggestion"])
    assert (200, []) == (removed, browser.get("alerting")["rules"])
    assert 404 == change(browser, "DELETE", f"rules/{added['id']}").status_code


def test_a_channel_is_added_tried_changed_and_removed(browser: Browser, receiver: Receiver) -> None:
    """
    Its secret is in no answer; its level and hours change without it; the test button says what came of it.
    """
    body = {"kind": "webhook", "url": receiver.url(f"/hook/{SECRET}"), "shape": "slack", "quiet": "00:00-23:59"}
    added = change(browser, "PUT", "channels/team", body)
    tried = change(browser, "POST", "channels/team/test", {}).json()
    receiver.status = 500
    failed = change(browser, "POST", "channels/team/test", {}).json()
    changed = change(browser, "PUT", "channels/team", {"level": "error", "quiet": ""}).json()
    answer = browser.get("alerting")
    (stored,) = AlertChannels().all()
    removed = change(browser, "DELETE", "channels/team").status_code

    assert ("webhook", "slack", True, False, True) == tuple(
        added.json()[name] if name != "where" else added.json()["where"].split()[0]
        for name in ("kind", "where", "is_quiet", "for_all", "may_change")
    )
    assert SECRET not in added.text + str(answer) + str(failed)
    assert {"state": "delivered", "error": None} == tried
    assert ("failed", True) == (failed["state"], "500" in failed["error"])
    assert ("error", "", [changed]) == (changed["level"], changed["quiet"], answer["channels"])
    assert (body["url"], str(browser.server.server._state.repos.get("demo").folder().root)) == (
        stored.values["url"],
        stored.repo,
    )
    assert (200, []) == (removed, AlertChannels().all())


def test_what_a_channel_may_not_be_is_refused(browser: Browser) -> None:
    """
    A command is not added over the network; a wrong address, level, mail or name is said; nothing of it is stored.
    """
    hook = {"kind": "webhook", "url": "https://hooks.test/x"}
    wrong: list[tuple[str, dict[str, Any]]] = [
        ("a", {"kind": "command", "command": ["reboot"]}),
        ("a", {"kind": "webhook", "url": "file:///etc/passwd"}),
        ("a", {**hook, "level": "loud"}),
        ("a", {**hook, "quiet": "at night"}),
        ("a", {**hook, "shape": "round"}),
        ("a", {"kind": "smtp", "host": "mail.test", "to": "ada@example.org\r\nBcc: all@example.org"}),
        ("a b", hook),
    ]

    assert [400] * len(wrong) == [change(browser, "PUT", f"channels/{name}", body).status_code for name, body in wrong]
    assert 404 == change(browser, "PUT", "channels/nobody", {"level": "info"}).status_code
    assert 404 == change(browser, "POST", "channels/nobody/test", {}).status_code
    assert [] == AlertChannels().all()


def test_failures_to_deliver_are_there_with_their_reason_and_next_try(make_run: MakeRun, browser: Browser) -> None:
    """
    A message that waits has its attempts, its error and its next try; one that waits for quiet hours to end says so.
    """
    repo = Repository(browser.server.server._state.repos.get("demo").folder().root)
    url = f"http://127.0.0.1:{own_port()}/{SECRET}"
    AlertChannels().add(AlertChannel("away", "webhook", {"url": url, "shape": "json"}))
    AlertChannels().add(AlertChannel("night", "webhook", {"url": url, "shape": "json"}, quiet="00:00-23:59"))
    before = browser.get("alerting")["looked_at"]
    watcher = watcher_of(repo)
    watcher.look()
    make_run("d").alert("Gradients vanish", "the norm is 1e-9")
    watcher.look()
    watcher.file.unlock()
    answer = browser.get("alerting")
    by_channel = {delivery["channel"]: delivery for delivery in answer["deliveries"]}
    away, night = by_channel["away"], by_channel["night"]

    assert (None, True) == (before, answer["looked_at"] is not None)
    assert ("waiting", 1, False, True) == (away["state"], away["attempts"], away["is_held"], "refused" in away["error"])
    assert 30 <= away["next_at"] - answer["looked_at"] + 1
    assert ("waiting", 0, True, None, None) == tuple(
        night[name] for name in ("state", "attempts", "is_held", "error", "next_at")
    )
    assert "Gradients vanish: the norm is 1e-9" in away["lines"][0]
    assert SECRET not in str(answer)


def test_each_role_does_what_it_may(
    root: Path, make_run: MakeRun, make_browser: MakeBrowser, receiver: Receiver
) -> None:
    """
    A viewer sees; an editor changes the rules, and the channels of the repository, which do not reach this machine; a
    channel of all repositories is for administrators.
    """
    make_run("a").close()
    tokens = TokenFile(auth_folder(None, (root,)))
    roles = ("viewer", "writer", "editor", "admin")
    headers = {role: {"Authorization": f"Bearer {tokens.create(role, role, ['*'], None)}"} for role in roles}
    browser = make_browser(auth=auth_folder(None, (root,)))
    AlertChannels().add(AlertChannel("all", "webhook", {"url": receiver.url(f"/{SECRET}"), "shape": "slack"}))

    def statuses(method: str, path: str, body: object) -> list[int]:
        return [change(browser, method, path, body, headers=headers[role]).status_code for role in roles]

    hook = {"kind": "webhook", "url": receiver.url()}
    changes = [403, 403, 200, 200]
    seen = [browser.client.get(f"{browser.base}alerting", headers=headers[role]).json() for role in roles]

    assert 401 == browser.client.get(f"{browser.base}alerting").status_code
    assert [False, False, False, True] == [answer["channels"][0]["may_change"] for answer in seen]
    assert SECRET not in str(seen)
    assert changes == statuses("POST", "rules", {"query": "metric.last > 10"})
    assert changes == statuses("PUT", "channels/team", hook)
    assert changes == statuses("POST", "channels/all/test", {})
    assert [403, 403, 403, 200] == statuses("PUT", "channels/all", {"level": "error"})
    assert [403, 403, 403, 200] == statuses("PUT", "channels/every", {**hook, "for_all": True})
    assert [403, 403, 403, 200] == statuses("PUT", "channels/here", {"kind": "desktop"})
    change(browser, "PUT", "channels/team", hook, headers=headers["editor"])
    refused = change(browser, "POST", "channels/team/test", {}, headers=headers["editor"]).json()
    assert ("failed", True) == (refused["state"], "may not reach the machine of the server" in refused["error"])
    assert [403, 403, 403, 200] == statuses("DELETE", "channels/all", None)


def test_nothing_changes_on_a_server_that_is_read_only(make_run: MakeRun, make_browser: MakeBrowser) -> None:
    """
    Rules and channels can be seen, and not changed.
    """
    make_run("a").close()
    browser = make_browser(read_only=True)

    assert [] == browser.get("alerting")["rules"]
    assert [403, 403] == [
        change(browser, "POST", "rules", {"query": "run.active"}).status_code,
        change(browser, "PUT", "channels/a", {"kind": "webhook", "url": "https://hooks.test/x"}).status_code,
    ]


def test_a_file_of_channels_that_others_may_read_is_a_problem_that_is_said(browser: Browser) -> None:
    """
    The page says what to do; the rules are there all the same.
    """
    AlertChannels().add(AlertChannel("a", "command", {"command": ["true"]}))
    AlertChannels().path.chmod(0o644)

    answer = browser.get("alerting")

    assert ([], True) == (answer["channels"], "chmod 600" in answer["problem"])
