"""
What the server serves, and how: who can reach it, and the names of repositories in its addresses.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from aim.server.settings import Settings, clean_base_path, is_loopback, repo_ids


@pytest.mark.parametrize(
    ("options", "is_local"),
    [
        ({}, True),
        ({"host": "localhost"}, True),
        ({"host": "0.0.0.0"}, False),
        ({"host": "0.0.0.0", "uds": Path("/run/aim.sock")}, True),
    ],
)
def test_a_server_is_local_where_no_other_machine_reaches_it(options: dict[str, Any], is_local: bool) -> None:
    """
    Loopback addresses and Unix sockets are of this machine.
    """
    assert is_local is Settings((), **options).is_local


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("0.0.0.0", False),
        ("::", False),
        ("1270.example", False),
    ],
)
def test_addresses_of_this_machine_are_loopback(host: str, expected: bool) -> None:
    """
    All of 127.0.0.0/8 is this machine.
    """
    assert expected is is_loopback(host)


@pytest.mark.parametrize(
    ("roots", "expected"),
    [
        (["/data/runs"], ["runs"]),
        (["/data/My Runs_2!"], ["my-runs-2"]),
        (["/a/runs", "/b/runs", "/c/RUNS"], ["runs", "runs-2", "runs-3"]),
        (["/a/runs-2", "/a/runs", "/b/runs"], ["runs-2", "runs", "runs-3"]),
        (["/a/größe"], ["gr-e"]),
        (["/a/---"], ["repo"]),
        (["/"], ["repo"]),
        ([], []),
    ],
)
def test_each_repository_has_an_id_for_addresses(roots: list[str], expected: list[str]) -> None:
    """
    An id is made of the folder's name, and a number where several folders have one name.
    """
    ids = repo_ids(map(Path, roots))

    assert expected == list(ids)
    assert list(map(Path, roots)) == list(ids.values())


@pytest.mark.parametrize(
    ("text", "expected"), [("", ""), ("/", ""), ("aim", "/aim"), ("/aim/", "/aim"), ("//a/b//", "/a/b")]
)
def test_a_base_path_has_a_slash_in_front_only(text: str, expected: str) -> None:
    """
    The root is nothing.
    """
    assert expected == clean_base_path(text)
