"""
The state that all endpoints share: settings, repositories, threads, and whether the server is about to stop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ParamSpec, TypeVar

from starlette.requests import Request

from aim.server.answers import Refusal
from aim.server.open_repository import OpenRepository, Repositories, no_repository
from aim.server.pool import Pool
from aim.server.request_log import RequestLog
from aim.server.roles import CHANGE, OPEN, Principal, roles_with
from aim.server.room import PROJECT
from aim.server.security import Guard
from aim.server.settings import Settings
from aim.storage.forms import edits

INSUFFICIENT_STORAGE = 507
READ_ONLY_TEXTS = {
    "disk": "The disk of this repository is read-only now, so nothing can be changed here.",
    "rights": "The server may not write to the folder of this repository, so nothing can be changed here.",
}
"""What people read for each of the reasons of `OpenRepository.read_only_reason`."""

Result = TypeVar("Result")
Arguments = ParamSpec("Arguments")


@dataclass
class ServerState:
    """The state that all endpoints share; it is `app.state.server`."""

    settings: Settings
    repos: Repositories
    guard: Guard
    pool: Pool = field(default_factory=Pool)
    requests: RequestLog = field(default_factory=RequestLog)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)


def server_of(request: Request) -> ServerState:
    """Return the state that all endpoints share."""
    server: ServerState = request.app.state.server
    return server


def repo_of(request: Request) -> OpenRepository:
    """Return the repository that the address names. Raises Refusal: (404) there is none."""
    return server_of(request).repos.get(request.path_params["repo"])


def principal_of(request: Request) -> Principal:
    """Return who sent a request. Raises Refusal: (401) nobody is known, which only pages are answered."""
    principal: Principal | None = request.scope["principal"]
    if principal is None:
        raise Refusal(401, "token", "This address asks for a token.")
    return principal


async def open_project(request: Request, *, create: bool, grows: bool) -> None:
    """
    Open the repository that an address names, if it names one; afterwards `repo_of` is quick.

    Args:
        create: make it if there is none.
        grows: the request may record into it.

    Raises:
        Refusal: (404) there is none; (507) it may not grow.
    """
    project: str | None = request.path_params.get("repo")
    if project is None:
        return
    server = server_of(request)
    if not server.repos.is_open(project):
        await server.pool.run(server.repos.get, project, create=create and not server.settings.read_only)
    if grows:
        await _check_room(server, project)


async def _check_room(server: ServerState, project: str) -> None:
    try:
        if server.repos.is_measured(project):  # many trainings ship: they take no threads from who reads
            server.repos.check_room(project)
        else:
            await server.pool.run(server.repos.check_room, project)
    except Refusal as refusal:
        if refusal.status == INSUFFICIENT_STORAGE:
            server.repos.get(project).room.refuse(PROJECT)
        raise


def editor_of(request: Request) -> str:
    """Return who sent a request, as edits say it: `ui:ada`, or `ui` where nobody is asked who they are."""
    name = principal_of(request).name
    return f"{edits.BY_UI}:{name}" if name else edits.BY_UI


def check_right(request: Request, right: str) -> None:
    """
    Check that who sent a request has a right, in the repository that its address names.

    Raises:
        Refusal: (401) nobody is known; (404) the repository is not one that it may see; (403) its role lacks the right.
    """
    if right == OPEN:
        return
    principal = principal_of(request)
    project: str | None = request.path_params.get("repo")
    if project is not None and not principal.covers(project):
        raise no_repository(project)
    if not principal.may(right, project):
        raise Refusal(
            403,
            "role",
            f"The role {principal.role} may not do this; it takes one of {', '.join(roles_with(right))}.",
            needed=right,
        )


def check_change(request: Request) -> None:
    """Check that who sent an edit may delete. Raises Refusal: (403) it may only edit."""
    check_right(request, CHANGE)


def check_writable(request: Request) -> None:
    """Raise Refusal (403) if the server was started with `--read-only`, or can't write to the repository's folder."""
    if server_of(request).settings.read_only:
        raise Refusal(403, "read-only", "This server was started with --read-only: nothing can be changed here.")
    reason = repo_of(request).read_only_reason()
    if reason is not None:
        raise Refusal(403, "read-only", READ_ONLY_TEXTS[reason])


async def in_thread(
    request: Request, work: Callable[Arguments, Result], *arguments: Arguments.args, **named: Arguments.kwargs
) -> Result:
    """Run *work* in a thread and return its result; see `Pool.run`."""
    return await server_of(request).pool.run(work, *arguments, **named)


async def in_long_thread(
    request: Request, work: Callable[Arguments, Result], *arguments: Arguments.args, **named: Arguments.kwargs
) -> Result:
    """Run *work*, which may take seconds, in a thread and return its result; see `Pool.run_long`."""
    return await server_of(request).pool.run_long(work, *arguments, **named)
