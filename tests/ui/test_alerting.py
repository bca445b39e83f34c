"""
Rules, channels and deliveries on the pages: added, tried, changed and removed with the mouse; and by each role.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright import sync_api

from aim import Run
from aim.engine.alerting.channels import AlertChannel, AlertChannels
from aim.server.settings import auth_folder
from aim.server.tokens import TokenFile
from tests.ports import own_port
from tests.receivers import Receiver
from tests.ui.conftest import Open, in_both_themes, serving

Shot = Callable[["sync_api.Page"], None]
expect = sync_api.expect
SECRET = "s3cret-token"


@pytest.fixture(name="repo")
def _repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A repository in which a run records, and a home folder of its own for channels."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    root = tmp_path / "demo"
    with Run(repo=root, create=True, system_tracking_interval=None, capture_terminal_logs=False) as run:
        run.name = "lr-0.1"
        run.track(12.0, name="loss")
        yield root


@pytest.fixture(name="receiver")
def _receiver() -> Iterator[Receiver]:
    """A receiver that is there."""
    receiver = Receiver()
    yield receiver
    receiver.close()


@in_both_themes
def test_alerts_reach_people_by_what_is_written_on_the_page(
    repo: Path, receiver: Receiver, open_page: Open, shot: Shot
) -> None:
    """
    A channel and a rule are added, the channel is tried, the alert is delivered, and one that can't be says why and
    when it is tried again. No secret is on the page.
    """
    AlertChannels().add(
        AlertChannel("away", "webhook", {"url": f"http://127.0.0.1:{own_port()}/{SECRET}", "shape": "slack"})
    )
    with serving("--repo", str(repo), "--watch-every", "0.5") as address:
        page = open_page(address + "settings")
        page.get_by_role("link", name="Rules, channels and deliveries").click()
        page.get_by_role("button", name="New channel").click()
        page.get_by_label("Name", exact=True).fill("team")
        page.get_by_label("Address").fill(receiver.url(f"/{SECRET}"))
        page.get_by_role("button", name="Slack").click()
        page.get_by_label("Quiet hours").fill("at night")
        page.get_by_role("button", name="Add the channel").click()
        expect(page.get_by_role("alert")).to_contain_text("Write 22:00-07:00")
        page.get_by_label("Quiet hours").fill("03:00-03:01")
        page.get_by_role("button", name="Add the channel").click()
        channels = page.get_by_role("region", name="Channels")
        expect(channels).to_contain_text(re.compile(r"slack at http://127\.0\.0\.1:\d+/\*\*\*"))
        page.get_by_role("button", name="Test team").click()
        expect(channels.get_by_role("status")).to_have_text("The test message was delivered.")

        page.get_by_role("button", name="New rule").click()
        query = page.get_by_role("dialog").get_by_label("Query", exact=True)
        query.fill("metric.last > ")
        page.get_by_role("button", name="Add the rule").click()
        expect(page.get_by_role("alert")).to_be_visible()
        query.fill('metric.name == "loss" and metric.last > 10')
        page.get_by_label("Title").fill("The loss is large")
        page.get_by_role("button", name="error", exact=True).click()
        page.get_by_role("button", name="Add the rule").click()
        expect(page.get_by_role("region", name="Rules")).to_contain_text("The loss is large")

        deliveries = page.get_by_role("region", name="Deliveries")
        delivered = deliveries.locator("li", has_text="delivered")
        waiting = deliveries.locator("li", has_text="waiting")
        expect(delivered).to_contain_text("[error] The loss is large: lr-0.1")
        expect(waiting).to_contain_text("refused")
        expect(waiting).to_contain_text(re.compile("tried (once|. times); again (in .* s|soon)"))
        assert SECRET not in page.content()
        shot(page)
        page.get_by_role("button", name="Remove the rule The loss is large").click()
        page.get_by_role("button", name="Change team").click()
        page.get_by_label("Quiet hours").fill("00:00-23:59")
        page.get_by_role("button", name="Save").click()
        expect(channels).to_contain_text("quiet 00:00-23:59, now: only errors go")
        page.get_by_role("button", name="Remove team").click()
        expect(channels).not_to_contain_text("team")
        expect(page.get_by_role("region", name="Rules")).to_contain_text("No rule yet")

    assert ["Aim: a test", "Aim: 1 alert"] == [re.split(r"\*", post["text"])[1] for post in receiver.posts]


def test_a_viewer_sees_and_an_editor_changes(repo: Path, receiver: Receiver, open_page: Open) -> None:
    """
    A viewer has no buttons; an editor has those of rules and of the channels of the repository, and no other.
    """
    tokens = TokenFile(auth_folder(None, (repo,)))
    AlertChannels().add(AlertChannel("all", "webhook", {"url": receiver.url(f"/{SECRET}"), "shape": "slack"}))
    texts = {role: tokens.create(role, role, ["*"], None) for role in ("viewer", "editor")}
    with serving("--repo", str(repo), "--watch-every", "0.5") as address:
        viewer = open_page(f"{address}alerts?token={texts['viewer']}")
        expect(viewer.get_by_role("region", name="Channels")).to_contain_text("for all repositories")
        expect(viewer.locator(".alerting button")).to_have_count(0)
        editor = open_page(f"{address}alerts?token={texts['editor']}")
        expect(editor.get_by_role("button", name="Test all")).to_be_visible()
        expect(editor.get_by_role("button", name="Remove all")).to_have_count(0)
        editor.get_by_role("button", name="New channel").click()
        expect(editor.get_by_role("button", name="Mail")).to_be_visible()
        expect(editor.get_by_role("button", name="Desktop of the server")).to_have_count(0)
