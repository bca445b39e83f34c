"""
Which requests the first of several processes answers alone.
"""

from __future__ import annotations

import pytest

from aim.server.forwarding import is_held
from aim.server.roles import NEEDED, OPEN, READ


@pytest.mark.parametrize(
    "name", [name for name, right in NEEDED.items() if right not in (READ, OPEN)] + ["POST /api/login"]
)
def test_what_changes_something_is_for_the_first_process(name: str) -> None:
    """
    Every address that takes more than the right to read is handed on.
    """
    method, _, path = name.partition(" ")

    assert is_held(method, path.replace("{repo}", "runs").replace("{id}", "7").replace("{name}", "x"))


@pytest.mark.parametrize("subject", ["runs", "fields", "series", "objects", "table", "points", "query"])
def test_what_reads_is_answered_by_any_process(subject: str) -> None:
    """
    Tables, curves, objects and questions are not handed on, nor are the pages.
    """
    assert not is_held("POST", f"/api/repos/runs/{subject}")
    assert not is_held("GET", f"/{subject}")


@pytest.mark.parametrize(
    "path", ["/api/repos/runs/events", "/api/repos/runs/edits", "/api/repos/runs/edits/u1", "/api/tokens", "/metrics"]
)
def test_what_a_process_remembers_for_itself_is_asked_of_the_first(path: str) -> None:
    """
    Streams of changes, what can be undone, tokens and the numbers for a monitor are those of one process.
    """
    assert is_held("GET", path)
