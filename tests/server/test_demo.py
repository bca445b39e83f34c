"""
Demo runs, requested by the page of an empty repository.
"""

from __future__ import annotations

from pathlib import Path

from aim.engine.repository import Repository
from tests.server.conftest import MakeBrowser, MakeRun


def test_an_empty_repository_gets_runs_to_look_at(root: Path, make_browser: MakeBrowser) -> None:
    """
    Runs with curves and objects of all kinds are recorded into an empty repository only.
    """
    Repository(root, create=True)
    browser = make_browser()
    answer = browser.post("demo", {})

    assert 23 == answer["count"]
    fields = browser.post("fields", {"query": ""})
    kinds = {sequence["kind"] for sequence in fields["sequences"]}
    assert {
        "aim.image",
        "aim.text",
        "aim.audio",
        "aim.distribution",
        "aim.video",
        "aim.table",
        "aim.figure",
        "aim.object3d",
    } <= kinds
    assert "conflict" == browser.post("demo", {}, status=409)["kind"]


def test_a_read_only_server_records_no_demo(make_run: MakeRun, make_browser: MakeBrowser) -> None:
    """
    With --read-only the request is refused.
    """
    make_run("mine").close()
    assert "read-only" == make_browser(read_only=True).post("demo", {}, status=403)["kind"]
