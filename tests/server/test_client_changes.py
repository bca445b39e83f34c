"""
Changes that clients make: an edit is understood before it is stored, and nothing is changed on a server for reading.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.server.conftest import Browser, MakeBrowser, MakeRun


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"begin": {}},
        {"gap": {"points": 1}},
        {"property": 7},
        {"tags": "paper"},
        {"set": ["a"]},
        {"delete": [{"name": "loss"}]},
        {"property": {"name": "a"}, "end": {}},
    ],
)
def test_an_edit_that_no_reader_would_understand_is_refused(
    browser: Browser, make_run: MakeRun, change: dict[str, Any]
) -> None:
    """
    It would stay with the run for ever.
    """
    run = make_run()

    assert "request" == browser.post("edit", {"run": run.hash, "change": change}, status=400)["kind"]
    assert [] == browser.post("states", {"runs": [run.hash]})["states"][0]["damage"]


def test_an_edit_is_later_than_what_its_author_saw(browser: Browser, make_run: MakeRun) -> None:
    """
    However wrong the clocks are; and an edit of a run that is not there is 404.
    """
    run = make_run()
    body = {"run": run.hash, "change": {"property": {"name": "best"}}, "after": 4e9}

    assert browser.post("edit", body)["at"] > 4e9
    assert "best" == run.name
    assert "not-found" == browser.post("edit", {**body, "run": "none"}, status=404)["kind"]
    assert "by" in browser.post("edit", {**body, "by": "somebody"}, status=400)["message"]


def test_a_server_for_reading_changes_nothing(make_browser: MakeBrowser, make_run: MakeRun) -> None:
    """
    Edits, forks and tags are refused with 403.
    """
    run = make_run()
    browser = make_browser(read_only=True)
    for path, body in (
        ("edit", {"run": run.hash, "change": {"property": {"name": "a"}}}),
        ("fork", {"run": run.hash, "step": 0}),
        ("tags", {"action": "set", "name": "paper", "color": "red"}),
    ):
        assert "read-only" == browser.post(path, body, status=403)["kind"]
