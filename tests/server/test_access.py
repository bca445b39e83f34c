"""
Tokens over HTTP: whom they let in, where they are sent, and how they end.
"""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import httpx
import pytest

from aim.server.settings import auth_folder
from aim.server.tokens import TokenFile
from tests.server.conftest import Browser, MakeBrowser, MakeRun

WAIT_S = 60


@pytest.fixture(name="tokens")
def _tokens(root: Path, make_run: MakeRun) -> TokenFile:
    """
    The token file of a repository with one run, `a`.
    """
    make_run("a").close()
    return TokenFile(auth_folder(None, (root,)))


@pytest.fixture(name="guarded")
def _guarded(root: Path, tokens: TokenFile, make_browser: MakeBrowser) -> Browser:
    """
    A browser on a server for that repository, which looks at its token file.
    """
    return make_browser(auth=auth_folder(None, (root,)))


def bearer(text: str) -> dict[str, str]:
    """Return the headers that send a token."""
    return {"Authorization": f"Bearer {text}"}


def test_a_server_asks_for_tokens_as_soon_as_there_is_one(guarded: Browser, tokens: TokenFile) -> None:
    """
    Without a token file this machine needs none; the first token closes the server, and a revocation does not open it.
    """
    assert (200, False) == (guarded.client.get("api/info").status_code, guarded.client.get("api/info").json()["token"])
    text = tokens.create("me", "viewer", ["*"], None)

    assert 401 == guarded.client.get("api/info").status_code
    you = guarded.client.get("api/info", headers=bearer(text)).json()["you"]
    assert {
        "name": "me",
        "role": "viewer",
        "rights": ["read"],
        "roles": ["viewer"],
        "projects": ["*"],
        "signed_in": True,
        "makes_tokens": False,
    } == you
    tokens.revoke(text.split("_")[1])
    assert 401 == guarded.client.get("api/info", headers=bearer(text)).status_code
    assert 401 == guarded.client.get("api/info").status_code


def test_a_token_sees_the_projects_of_its_scope_only(guarded: Browser, tokens: TokenFile) -> None:
    """
    A repository outside of the scope is not listed, and is answered as one that there is not.
    """
    foreign = bearer(tokens.create("a", "admin", ["other*"], None))
    own = bearer(tokens.create("a", "viewer", ["de*"], None))

    assert [] == guarded.client.get("api/info", headers=foreign).json()["repos"]
    refused = guarded.client.get(f"{guarded.base}runs/a", headers=foreign)
    missing = guarded.client.get("api/repos/nothing/runs/a", headers=own)
    assert (404, "No repository 'demo' is served here.") == (refused.status_code, refused.json()["message"])
    assert (404, "No repository 'nothing' is served here.") == (missing.status_code, missing.json()["message"])
    assert 200 == guarded.client.get(f"{guarded.base}runs/a", headers=own).status_code


def test_what_a_role_may_not_do_is_refused_with_the_right_that_it_takes(guarded: Browser, tokens: TokenFile) -> None:
    """
    A writer edits and does not delete; a viewer does neither; an editor does both. Edits say who made them.
    """
    edit = {"runs": ["a"], "change": {"name": "new"}}
    delete = {"runs": ["a"], "change": {"deleted": True}}
    headers = {role: bearer(tokens.create(role, role, ["*"], None)) for role in ("viewer", "writer", "editor")}

    def statuses(body: object, *roles: str) -> list[int]:
        path = f"{guarded.base}edits"
        return [guarded.client.post(path, json=body, headers=headers[role]).status_code for role in roles]

    assert [403, 200] == statuses(edit, "viewer", "writer")
    assert [403, 403, 200] == statuses(delete, "viewer", "writer", "editor")
    refused = guarded.client.post(f"{guarded.base}undo", json={"undo": "u1"}, headers=headers["writer"])
    assert {
        "kind": "role",
        "message": "The role writer may not do this; it takes one of editor, admin.",
        "needed": "change",
    } == refused.json()


def test_edits_say_who_made_them(guarded: Browser, tokens: TokenFile, root: Path) -> None:
    """
    The `by` of an edit has the name of the token; without tokens it is `ui`.
    """
    guarded.post("edits", {"runs": ["a"], "change": {"name": "first"}})
    headers = bearer(tokens.create("ada", "editor", ["*"], None))
    undo = guarded.post("edits", {"runs": ["a"], "change": {"name": "second"}}, headers=headers)["undo"]
    guarded.post("undo", {"undo": undo}, headers=headers)

    files = sorted((root / ".aim" / "runs" / "a").glob("edit-*.json"))
    assert ["ui", "ui:ada", "ui:ada"] == [json.loads(file.read_bytes())["by"] for file in files]


def test_a_person_signs_in_with_a_token_and_out(guarded: Browser, tokens: TokenFile) -> None:
    """
    The token becomes a cookie that scripts can't read; signing out removes it. A wrong token sets none.
    """
    text = tokens.create("me", "viewer", ["*"], None)
    client = guarded.client

    assert 401 == client.post("api/login", json={"token": "aim_00000000_" + "A" * 43}).status_code
    assert (
        f"aim_token={text}; HttpOnly; Path=/; SameSite=strict"
        == (client.post("api/login", json={"token": f" {text}\n"}).headers["set-cookie"])
    )
    assert 200 == client.get("api/info").status_code
    assert 200 == client.post("api/logout", json={}).status_code
    assert 401 == client.get("api/info").status_code
    assert 303 == client.get(f"run/a?token={text}").status_code
    assert 200 == client.get("api/info").status_code


def test_a_cookie_needs_the_origin_of_the_server_and_a_token_in_a_header_does_not(
    guarded: Browser, tokens: TokenFile
) -> None:
    """
    A page of another site can send the cookie of a person, and cannot know a token.
    """
    text = tokens.create("me", "editor", ["*"], None)
    change = {"runs": ["a"], "change": {"name": "x"}}
    foreign = {"Origin": "https://evil.example"}

    path = f"{guarded.base}edits"
    assert 403 == guarded.client.post(path, json=change, headers={**foreign, "Cookie": f"aim_token={text}"}).status_code
    assert 200 == guarded.client.post(path, json=change, headers={**foreign, **bearer(text)}).status_code


def test_an_address_that_sends_wrong_tokens_is_slowed_down(
    root: Path, tokens: TokenFile, make_browser: MakeBrowser
) -> None:
    """
    After ten wrong tokens the next is answered with 429, and so is a token that somebody chose; a token of the token
    file, which nobody guesses, is let in all the same.
    """
    guarded = make_browser(auth=auth_folder(None, (root,)), token="hunter2")
    good = tokens.create("me", "viewer", ["*"], None)

    def status(text: str) -> int:
        return guarded.client.get("api/info", headers=bearer(text)).status_code

    assert 200 == status("hunter2")
    assert [401] * 10 == [status(f"guess {number}") for number in range(10)]
    assert [429, 429, 200] == [status("guess 11"), status("hunter2"), status(good)]
    assert 429 == guarded.client.post("api/login", json={"token": "guess"}).status_code
    assert 401 == guarded.client.get("api/info").status_code


def test_a_token_that_was_revoked_or_has_expired_is_refused_by_the_next_request(
    guarded: Browser, tokens: TokenFile
) -> None:
    """
    Reading, changing and recording are answered with 401 from then on, whichever process has revoked the token.
    """
    requests = (("GET", "api/info"), ("POST", f"{guarded.base}runs"), ("POST", f"{guarded.base}ship"))

    def statuses(text: str) -> list[int]:
        return [guarded.client.request(*request, headers=bearer(text)).status_code for request in requests]

    revoked, brief = tokens.create("a", "admin", ["*"], None), tokens.create("b", "admin", ["*"], 3.0)
    before = statuses(revoked)
    TokenFile(tokens.path.parent).revoke(revoked.split("_")[1])
    after = statuses(revoked)
    until_s = time.monotonic() + WAIT_S
    while statuses(brief) != [401] * 3:
        assert time.monotonic() < until_s

    assert 401 not in before
    assert [401] * 3 == after


def test_a_stream_of_updates_ends_with_its_token(guarded: Browser, tokens: TokenFile) -> None:
    """
    A page that listens is cut off when the token is revoked, without another request.
    """
    text = tokens.create("me", "viewer", ["*"], None)
    with guarded.client.stream("GET", f"{guarded.base}events", headers=bearer(text), timeout=WAIT_S) as stream:
        lines = stream.iter_lines()
        assert ": hello" == next(lines)
        threading.Timer(0.2, tokens.revoke, [text.split("_")[1]]).start()

        assert not [line for line in lines if line == ": alive"]


def test_tokens_reach_neither_the_log_nor_an_error(
    root: Path, tokens: TokenFile, make_browser: MakeBrowser, caplog: pytest.LogCaptureFixture
) -> None:
    """
    Neither a right nor a wrong token, in a header, a cookie or an address, is written down.
    """
    right, wrong = tokens.create("me", "viewer", ["*"], None), "aim_00000000_" + "W" * 43
    guarded = make_browser(auth=auth_folder(None, (root,)), log_level="info")
    caplog.set_level("INFO")
    answers: list[httpx.Response] = []
    for text in (right, wrong):
        answers += [
            guarded.client.get("api/info", headers=bearer(text)),
            guarded.client.get("api/info", headers={"Cookie": f"aim_token={text}"}),
            guarded.client.get(f"runs?token={text}", follow_redirects=True),
            guarded.client.post("api/login", json={"token": text}),
        ]
    logged = [record.getMessage() for record in caplog.records if not record.name.startswith("http")]
    said = "\n".join([*logged, *(answer.text for answer in answers)])

    assert logged
    assert right not in said
    assert wrong not in said


def test_a_file_that_others_may_read_lets_nobody_in(guarded: Browser, tokens: TokenFile) -> None:
    """
    The server goes on, and refuses its tokens until the mode is right again.
    """
    text = tokens.create("me", "viewer", ["*"], None)
    tokens.path.chmod(0o644)
    assert 401 == guarded.client.get("api/info", headers=bearer(text)).status_code
    tokens.path.chmod(0o600)

    assert 200 == guarded.client.get("api/info", headers=bearer(text)).status_code


def test_a_server_for_other_machines_is_never_open_by_accident(tokens: TokenFile, make_browser: MakeBrowser) -> None:
    """
    On 0.0.0.0, with neither a token nor --insecure, everything but pages is answered with 401.
    """
    guarded = make_browser(host="0.0.0.0")

    assert [401, 401, 401] == [
        guarded.client.get(path).status_code for path in ("api/info", f"{guarded.base}runs/a", "api/nothing")
    ]
    assert guarded.client.get("runs").status_code in (200, 503)


def test_an_open_server_is_read_by_everybody_and_changed_by_tokens(
    root: Path, tokens: TokenFile, make_browser: MakeBrowser
) -> None:
    """
    With --insecure a request without a token is that of a viewer; one with a token has the role of the token.
    """
    guarded = make_browser(host="0.0.0.0", insecure="read", auth=auth_folder(None, (root,)))
    edit = {"runs": ["a"], "change": {"name": "x"}}
    guarded.post("edits", edit, status=403)
    headers = bearer(tokens.create("me", "editor", ["*"], None))

    assert 1 == guarded.post("edits", edit, headers=headers)["done"]
    assert "x" == guarded.get("runs/a")["name"]


def test_who_may_make_tokens_makes_none_above_the_own_role(guarded: Browser, tokens: TokenFile) -> None:
    """
    An administrator makes, lists and revokes tokens over HTTP; any other token makes none.
    """
    admin = bearer(tokens.create("root", "admin", ["*"], None))
    viewer = bearer(tokens.create("v", "viewer", ["*"], None))
    body = {"name": "laptop", "role": "writer", "projects": ["demo"], "expires_in": 3600}

    def post(headers: dict[str, str], **changed: object) -> httpx.Response:
        return guarded.client.post("api/tokens", json={**body, **changed}, headers=headers)

    made = post(admin)
    assert 200 == made.status_code
    assert ("laptop", "writer", ("demo",)) == (lambda token: (token.name, token.role, token.projects))(
        tokens.recognised(made.json()["token"])
    )
    assert [403, 400, 400, 400] == [
        post(viewer, role="viewer").status_code,
        post(admin, role="owner").status_code,
        post(admin, expires_in=1).status_code,
        post(admin, projects=["../x"]).status_code,
    ]
    listed = guarded.client.get("api/tokens", headers=admin).json()["tokens"]
    assert ["root", "v", "laptop"] == [token["name"] for token in listed]
    assert [] == guarded.client.get("api/tokens", headers=viewer).json()["tokens"]
    address = f"api/tokens/{listed[2]['id']}"
    assert [404, 200] == [guarded.client.delete(address, headers=headers).status_code for headers in (viewer, admin)]
    assert tokens.recognised(made.json()["token"]) is None
