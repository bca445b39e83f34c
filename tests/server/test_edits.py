"""
Edits of runs, undo, and documents.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aim.sdk.repo import Repo
from tests.server.conftest import Browser, MakeBrowser, MakeRun


def test_an_edit_is_seen_by_everybody_and_taken_back(browser: Browser, root: Path) -> None:
    """
    An edit changes properties and tags of several runs at once; undo restores each of them.
    """
    before = {run: browser.get(f"runs/{run}") for run in ("a", "b")}
    change = {"name": "same", "notes": "# Why", "archived": True, "tags": {"add": ["paper"], "remove": []}}
    done = browser.post("edits", {"runs": ["a", "b"], "change": change})

    assert 2 == done["count"]
    run = Repo(str(root)).get_run("b")
    assert run is not None
    assert ("same", ["paper"], True) == (run.name, run.tags, run.archived)
    assert "# Why" == browser.get("runs/a")["notes"]
    assert 2 == browser.post("undo", {"undo": done["undo"]})["count"]
    for name in ("name", "notes", "archived", "tags"):
        assert [before[run][name] for run in "ab"] == [browser.get(f"runs/{run}")[name] for run in "ab"]
    assert "conflict" == browser.post("undo", {"undo": done["undo"]}, status=409)["kind"]


def test_undoing_leaves_what_the_edit_did_not_change(browser: Browser) -> None:
    """
    Undo does not remove a tag that a run had before the edit added it.
    """
    browser.post("edits", {"runs": ["a"], "change": {"tags": {"add": ["old"], "remove": []}}})
    done = browser.post("edits", {"runs": ["a", "b"], "change": {"tags": {"add": ["old"], "remove": ["none"]}}})
    browser.post("undo", {"undo": done["undo"]})

    assert (["old"], []) == (browser.get("runs/a")["tags"], browser.get("runs/b")["tags"])


def test_a_deleted_run_is_gone_at_once_and_can_come_back(browser: Browser) -> None:
    """
    A deleted run is in no answer; undo restores it with its points.
    """
    done = browser.post("edits", {"runs": ["a"], "change": {"deleted": True}})

    assert ["c", "b"] == browser.post("runs", {})["hash"]
    assert 404 == browser.client.get(browser.base + "runs/a").status_code
    browser.post("undo", {"undo": done["undo"]})
    assert ["c", "b", "a"] == browser.post("runs", {})["hash"]
    assert 10 == browser.get("runs/a")["sequences"][1]["count"]


def test_the_trash_is_emptied_when_the_server_stops(make_run: MakeRun, make_browser: MakeBrowser, root: Path) -> None:
    """
    Deleted runs are removed from the disk when the server stops.
    """
    make_run("a").close()
    browser = make_browser()
    browser.post("edits", {"runs": ["a"], "change": {"deleted": True}})
    trash = root / ".aim" / "trash"
    assert 1 == len([path for path in trash.iterdir() if path.is_dir()])

    assert browser.server.stop()
    assert [] == [path for path in trash.iterdir() if path.is_dir()]


def test_an_edit_is_followed_by_its_name(browser: Browser) -> None:
    """
    An answer that does not wait has the name of the edit at once; under it stands how far the edit has got.
    """
    begun = browser.post("edits", {"runs": ["a", "b"], "change": {"archived": True}, "wait_s": 0})
    assert ("u1", 2, ["archived"], "runs") == (begun["undo"], begun["count"], begun["change"], begun["of"])
    while (edit := browser.get("edits/u1"))["state"] == "running":
        assert 0 <= edit["done"] <= 2

    assert ("done", 2, None) == (edit["state"], edit["done"], edit["error"])
    assert ["u1"] == [edit["undo"] for edit in browser.get("edits")["edits"]]
    assert "undone" == browser.post("undo", {"undo": "u1"})["state"]
    assert [] == browser.get("edits")["edits"]
    assert "not-found" == browser.get("edits/u1", status=404)["kind"]


def test_edits_are_listed_for_a_page_that_was_reloaded(browser: Browser) -> None:
    """
    The newest edit comes first, with what it changed, so that a page can offer to undo what another one did.
    """
    browser.post("edits", {"runs": ["a"], "change": {"tags": {"add": ["x"], "remove": []}, "name": "n"}})
    browser.post("edits", {"runs": ["b", "c"], "change": {"deleted": True}})
    browser.post(
        "edits",
        {"runs": ["a"], "change": {"points": [{"name": "loss", "context": {"subset": "val"}, "steps": [0, 1]}]}},
    )

    assert [("u3", ["points"], 2, "points"), ("u2", ["deleted"], 2, "runs"), ("u1", ["name", "tags"], 1, "runs")] == [
        (edit["undo"], edit["change"], edit["count"], edit["of"]) for edit in browser.get("edits")["edits"]
    ]
    assert 2 == browser.post("undo", {"undo": "u2"})["count"]
    assert ["c", "b", "a"] == browser.post("runs", {})["hash"]


@pytest.mark.parametrize("wait_s", [-1, 51, "soon"])
def test_an_edit_is_waited_for_a_while_only(browser: Browser, wait_s: object) -> None:
    """
    `wait_s` is a number from 0 to 50.
    """
    edit = {"runs": ["a"], "change": {"name": "x"}, "wait_s": wait_s}

    assert browser.post("edits", edit, status=400)["message"].startswith("`wait_s` must be")
    assert [] == browser.get("edits")["edits"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({}, "An edit needs `runs`"),
        ({"colour": "red"}, "A run has no 'colour'"),
        ({"archived": "yes"}, "`archived` must be true or false"),
        ({"name": 3}, "`name` must be a text or null"),
        ({"deleted": True, "name": "x"}, "`deleted` must be true, and stand alone"),
        ({"tags": {"add": [" "], "remove": []}}, "A tag has 1 to 200 characters"),
    ],
)
def test_a_wrong_edit_changes_nothing(browser: Browser, change: dict[str, Any], message: str) -> None:
    """
    A wrong edit is refused with a reason.
    """
    before = browser.get("runs/a")
    error = browser.post("edits", {"runs": ["a"], "change": change}, status=400)

    assert error["message"].startswith(message)
    assert before["tags"] == browser.get("runs/a")["tags"]


def test_an_edit_of_an_unknown_run_changes_none(browser: Browser) -> None:
    """
    If one of several runs does not exist, none is changed.
    """
    browser.post("edits", {"runs": ["a", "zzz"], "change": {"name": "x"}}, status=404)

    assert "run a" == browser.get("runs/a")["name"]


def test_a_document_is_replaced_only_with_its_revision(browser: Browser) -> None:
    """
    A view is written, listed, replaced with its revision and deleted; a stale revision is a conflict.
    """
    written = browser.client.put(
        f"{browser.base}documents/view/nightly", json={"revision": None, "body": {"page": "runs"}}
    )
    first = written.json()

    assert [first] == browser.get("documents?kind=view")["documents"]
    assert [] == browser.get("documents?kind=report")["documents"]
    address = f"{browser.base}documents/view/nightly"
    second = browser.client.put(address, json={"revision": first["revision"], "body": {"page": "metrics"}}).json()
    assert {"page": "metrics"} == second["body"]
    for stale in (first["revision"], None):
        assert 409 == browser.client.put(address, json={"revision": stale, "body": {}}).status_code
    assert 200 == browser.client.delete(address).status_code
    assert 404 == browser.client.delete(address).status_code


@pytest.mark.parametrize("path", ["view/Nightly", "view/..", "novel/x", "view/a%2fb", f"view/{'x' * 65}"])
def test_a_document_has_a_plain_name(browser: Browser, path: str) -> None:
    """
    A document with any other kind or id is refused.
    """
    answer = browser.client.put(f"{browser.base}documents/{path}", json={"revision": None, "body": {}})

    assert answer.status_code in (400, 404, 405)


def test_a_document_has_at_most_a_million_bytes(browser: Browser) -> None:
    """
    A larger document is refused.
    """
    body = {"revision": None, "body": {"text": "x" * 1_000_001}}
    answer = browser.client.put(f"{browser.base}documents/report/long", json=body)

    assert (400, "request") == (answer.status_code, answer.json()["kind"])


def test_a_read_only_server_changes_nothing(make_run: MakeRun, make_browser: MakeBrowser) -> None:
    """
    With --read-only every change is refused, and requests that read are answered.
    """
    make_run("a").close()
    browser = make_browser(read_only=True)

    assert "read-only" == browser.post("edits", {"runs": ["a"], "change": {"name": "x"}}, status=403)["kind"]
    assert "read-only" == browser.post("undo", {"undo": "u1"}, status=403)["kind"]
    document = f"{browser.base}documents/view/x"
    assert 403 == browser.client.put(document, json={"revision": None, "body": {}}).status_code
    assert 403 == browser.client.delete(document).status_code
    assert "Run: a" == browser.get("runs/a")["name"]
    assert browser.client.get("api/info").json()["read_only"]


@pytest.fixture(name="disk")
def _disk(root: Path) -> Iterator[Path]:
    """
    A disk of its own for the repository, which a test can mount otherwise; only root can have one.
    """
    root.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", str(root)], capture_output=True).returncode:
        pytest.skip("this user can't mount a disk")
    yield root
    subprocess.run(["umount", "-l", str(root)], check=True)


def remount(disk: Path, how: str) -> None:
    """Mount a disk again: `ro` or `rw`."""
    subprocess.run(["mount", "-o", f"remount,{how}", str(disk)], check=True)


def test_a_disk_that_became_read_only_is_said_to_every_change(
    disk: Path, make_run: MakeRun, make_browser: MakeBrowser
) -> None:
    """
    Each change is refused with a sentence, pages hear of it, reading goes on, and changes are taken again afterwards.
    """
    make_run("a").close()
    browser = make_browser()
    with browser.client.stream("GET", f"{browser.base}events") as stream:
        ticks = (json.loads(line[6:]) for line in stream.iter_lines() if line.startswith("data: "))
        assert next(ticks)["read_only"] is None
        remount(disk, "ro")
        assert "disk" == next(tick for tick in ticks if tick["read_only"])["read_only"]
        changes: list[tuple[str, str, dict[str, Any]]] = [
            ("POST", "edits", {"runs": ["a"], "change": {"name": "x"}}),
            ("POST", "edits", {"runs": ["a"], "change": {"deleted": True}}),
            ("POST", "undo", {"undo": "u1"}),
            ("POST", "demo", {}),
            ("PUT", "documents/view/x", {"revision": None, "body": {}}),
            ("DELETE", "documents/view/x", {}),
        ]
        for method, path, body in changes:
            answer = browser.client.request(method, browser.base + path, json=body)
            error = answer.json()
            assert (403, "read-only") == (answer.status_code, error["kind"]), path
            assert error["message"].startswith("The disk of this repository is read-only now")
        assert ["disk"] == [repo["read_only"] for repo in browser.client.get("api/info").json()["repos"]]
        assert "Run: a" == browser.get("runs/a")["name"]
        remount(disk, "rw")
        assert next(tick for tick in ticks if tick["read_only"] is None)
    assert 1 == browser.post("edits", {"runs": ["a"], "change": {"name": "x"}})["count"]
