"""
Which role may do what, and that each address says what it needs.
"""

from __future__ import annotations

import pytest
from starlette.routing import Mount, Route

from aim.server.app import guarded, routes
from aim.server.roles import NEEDED, OPEN, RIGHTS, Principal, needed_right, roles_with


def addresses() -> set[str]:
    """Return the method and the path of each address of the app, as the table of rights names them."""
    listed: set[str] = set()
    for route in routes():
        inner = route.routes or [] if isinstance(route, Mount) else [route]
        base = route.path if isinstance(route, Mount) else ""
        for one in inner:
            assert isinstance(one, Route)
            listed |= {f"{method} {base}{one.path}" for method in (one.methods or set()) - {"HEAD"}}
    return listed


def test_each_address_names_the_right_that_it_needs() -> None:
    """
    The table of rights has a row for each address of the app, and no other row.
    """
    assert addresses() == set(NEEDED)


def test_an_address_without_a_right_is_not_served() -> None:
    """
    A route that the table lacks stops the app from starting, with a message that says where to add a row.
    """
    with pytest.raises(LookupError, match=r"POST /api/new names no right: add a row to NEEDED in server/roles.py"):
        guarded([Route("/api/new", lambda request: None, methods=["POST"])])


def test_only_pages_and_the_sign_in_are_open() -> None:
    """
    No address that answers with data of a repository, or changes one, is open to everybody.
    """
    open_addresses = {address for address, right in NEEDED.items() if right == OPEN}

    signing = {"POST /api/login", "POST /api/logout", "GET /api/oidc/begin", "GET /api/oidc/done"}
    assert signing == {address for address in open_addresses if "/api/" in address}
    assert {"GET", "POST"} == {address.partition(" ")[0] for address in open_addresses}


def test_each_role_has_the_rights_of_its_row() -> None:
    """
    A viewer reads; a writer records and edits, and deletes nothing; an editor deletes, and records nothing.
    """
    rights = ("read", "record", "edit", "change", "admin")
    expected = {"viewer": "x....", "writer": "xxx..", "editor": "x.xx.", "admin": "xxxxx"}
    actual = {role: "".join("x" if Principal("", role).may(right) else "." for right in rights) for role in RIGHTS}

    assert expected == actual
    assert ["editor", "admin"] == roles_with("change")


def test_a_head_request_needs_what_get_needs() -> None:
    """
    HEAD has no rows of its own.
    """
    assert "read" == needed_right("HEAD", "/api/info")


def test_a_scope_is_a_list_of_patterns_of_projects() -> None:
    """
    A pattern stands for the whole name of a project; letters of another case are another name.
    """
    principal = Principal("slurm", "writer", ("vision*", "nlp"))

    assert [True, True, True, False, False, False] == [
        principal.covers(name) for name in ("vision", "vision-2", "nlp", "nlp-2", "my-vision", "Vision")
    ]
