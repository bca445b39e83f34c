"""
Tokens on the settings page: who is asking, their tokens, new ones, and revocations. Specified in docs/formats/wire.md,
section 11.

A person who signed in makes tokens for their own machines; an administrator makes tokens for anybody. A token that is
no administrator's makes none: it would outlive its own end.
"""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from aim.core.errors import UsageError
from aim.server.answers import Refusal, json_answer, missing, wrong
from aim.server.bodies import read_body
from aim.server.roles import ADMIN, RIGHTS, Grant, Principal
from aim.server.server_state import in_thread, principal_of, server_of
from aim.server.tokens import Token, TokenFile

NAMES_MAX = 100
LIFETIME_S_MAX = 10 * 366 * 86_400
LIFETIME_S_DEFAULT = 90 * 86_400


def wire_principal(principal: Principal, *, is_asked: bool) -> dict[str, Any]:
    """Return who sends a request, as it stands in an answer."""
    return {
        "name": principal.name,
        "role": principal.role,
        "rights": sorted(frozenset().union(*(RIGHTS[grant.role] for grant in principal.grants))),
        "roles": [role for role, rights in RIGHTS.items() if rights <= RIGHTS[principal.role]],
        "projects": sorted({pattern for grant in principal.grants for pattern in grant.projects}),
        "signed_in": is_asked and _may_sign_out(principal),
        "makes_tokens": is_asked and may_make_tokens(principal),
    }


def _may_sign_out(principal: Principal) -> bool:
    by_proxy = principal.is_person and not principal.session_id  # whom the next request names again
    return not by_proxy and bool(principal.token_id or principal.session_id or principal.may(ADMIN))


def may_make_tokens(principal: Principal) -> bool:
    """Return whether it may make tokens."""
    return principal.may(ADMIN) or principal.is_person


async def tokens(request: Request) -> Response:
    """Answer `GET api/tokens`."""
    principal, file = principal_of(request), _file(request)
    listed = await in_thread(request, file.tokens)
    return json_answer({"tokens": [_wire(token) for token in listed.values() if _is_theirs(principal, token)]})


async def create(request: Request) -> Response:
    """Answer `POST api/tokens`."""
    body = await read_body(request)
    principal, file = principal_of(request), _file(request)
    name, role = body.text("name"), body.text("role")
    projects = body.texts("projects", NAMES_MAX) or list(principal.projects)
    lifetime_s: float | None = LIFETIME_S_DEFAULT
    if "expires_in" in body:
        is_endless = body.raw("expires_in") is None
        lifetime_s = None if is_endless else body.whole("expires_in", LIFETIME_S_DEFAULT, 60, LIFETIME_S_MAX)
    check_no_more(principal, role, projects)
    user = "" if not principal.is_person else principal.name
    try:
        text = await in_thread(request, file.create, name, role, projects, lifetime_s, user=user)
    except UsageError as error:
        raise wrong(str(error)) from None
    return json_answer({"token": text})


def check_no_more(principal: Principal, role: str, projects: list[str]) -> None:
    """
    Check that a token would allow no more than who makes it may do.

    Raises:
        Refusal: (403) it would, or who asks may make no tokens; (400) there is no such role.
    """
    if role not in RIGHTS:
        raise wrong(f"`role` must be one of {', '.join(RIGHTS)}.")
    if not may_make_tokens(principal):
        raise Refusal(403, "role", "A token can't make tokens, but that of an administrator.", needed=ADMIN)
    grants = [grant for grant in principal.grants if RIGHTS[role] <= RIGHTS[grant.role]]
    if not grants:
        raise Refusal(403, "role", f"The role {principal.role} can't make a token of the role {role}.", needed=ADMIN)
    outside = [pattern for pattern in projects if not any(_is_within(pattern, grant) for grant in grants)]
    if outside:
        raise Refusal(403, "role", f"You may not do all of that in the projects {outside[0]!r}.", needed=ADMIN)


def _is_within(pattern: str, grant: Grant) -> bool:
    is_name = not set(pattern) & set("*?[")
    return "*" in grant.projects or pattern in grant.projects or (is_name and grant.covers(pattern))


async def revoke(request: Request) -> Response:
    """Answer `DELETE api/tokens/<id>`."""
    principal, file = principal_of(request), _file(request)
    token_id = request.path_params["id"]
    token = (await in_thread(request, file.tokens)).get(token_id)
    if token is None or not _is_theirs(principal, token):
        raise missing(f"You have no token {token_id[:20]!r}.")
    await in_thread(request, file.revoke, token_id)
    return json_answer({})


def _file(request: Request) -> TokenFile:
    access = server_of(request).guard.access
    if access.tokens is None or not access.asks_for_token:
        raise Refusal(409, "conflict", "This server asks for no tokens. `aim token create` makes the first one.")
    return access.tokens


def _is_theirs(principal: Principal, token: Token) -> bool:
    return principal.may(ADMIN) or (principal.is_person and token.user == principal.name)


def _wire(token: Token) -> dict[str, Any]:
    return {
        "id": token.token_id,
        "name": token.name,
        "role": token.role,
        "projects": list(token.projects),
        "user": token.user or None,
        "created_at": token.created_at_s,
        "expires_at": token.expires_at_s,
        "state": token.state,
    }
