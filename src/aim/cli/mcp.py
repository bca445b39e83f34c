"""
`aim mcp`: the tools of the Model Context Protocol over a repository.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import click

from aim.cli import output
from aim.cli.main import repo_option
from aim.cli.runs import chosen_address, open_repository
from aim.core.addresses import is_server, server_address
from aim.core.errors import UsageError
from aim.engine.door import Door
from aim.engine.remote.door import ServerRepository
from aim.mcp.serving import Requester, Requesters, one_caller
from aim.server.roles import EDIT, READ, RIGHTS
from aim.server.settings import AUTH_FOLDER, Settings
from aim.server.tokens import TokenFile

PORT_DEFAULT = 43_801
DOORS_MAX = 64  # tokens whose connections are kept
LOCAL = ("127.0.0.1", "localhost", "::1")


@click.command("mcp", short_help="Serve tools for language models (MCP).")
@repo_option
@click.option("--http", is_flag=True, help="Serve streamable HTTP at /mcp instead of standard input and output.")
@click.option("-h", "--host", default=LOCAL[0], show_default=True, help="With --http: the address to listen on.")
@click.option("-p", "--port", type=click.IntRange(0, 65_535), default=PORT_DEFAULT, show_default=True, help="0: any.")
@click.option("--token", default=None, envvar="AIM_MCP_TOKEN", help="With --http: require this bearer token.")
@click.option("--write", is_flag=True, help="Allow tags, notes and the archive too; nothing is ever deleted.")
def serve_tools(repo: Path | None, http: bool, host: str, port: int, token: str | None, write: bool) -> None:
    """
    Serve tools that language models call: sum up, list, compare and rank runs, read curves and logs, look at images.

    Example: let Claude Code ask about the runs of this folder

        claude mcp add aim -- aim mcp --repo .

    Every answer is bounded. Needs pip install "aim[mcp]". With --http on an address that other machines reach, a token
    is required: --token, or one that `aim token create` made. The role of each request's token says what it may do; a
    repository on a server gets the token passed on.
    """
    from aim.mcp import serving

    door = open_repository(repo)
    if not http:
        serving.make_server(door, writes=write).run("stdio")
        return
    callers = one_caller(door, token) if token else _callers(chosen_address(repo), door, is_local=host in LOCAL)
    if callers is None and host not in LOCAL:
        raise UsageError(f"Other machines can reach {host}: give --token, or make one with `aim token create`.")
    import uvicorn

    from aim.server.serve import address, listen

    settings = Settings((), host=host, port=port)
    server = serving.make_server(door, writes=write, callers=callers)
    config = uvicorn.Config(serving.http_app(server, host, callers), log_level="warning")
    with listen(settings) as opened:  # the kernel accepts connections from here on
        output.tell(f"Serving MCP at {address(settings, opened).rstrip('/')}{serving.PATH}")
        uvicorn.Server(config).run(sockets=[opened])


def _callers(address: Path | str, door: Door, *, is_local: bool) -> Requesters | None:
    """Return who may come in by the roles of tokens; None: there are no tokens, and nobody is asked for one."""
    if is_server(address):
        return _callers_of_server(str(address), door, is_local=is_local)
    tokens = None if door.files is None else TokenFile(door.files / AUTH_FOLDER)
    if tokens is None or not tokens.exists:
        return None

    def callers(text: str) -> Requester | None:
        recognised = tokens.recognised(text)
        rights = RIGHTS[recognised.role] if recognised is not None else frozenset()
        return Requester(door, may_change=EDIT in rights) if READ in rights else None

    return callers


def _callers_of_server(address: str, own: Door, *, is_local: bool) -> Requesters:
    """
    Return callers whose token the server of the repository gets, which decides what they may do.

    Args:
        own: the repository with the token of this user, for requests of this machine without a token.
    """

    @lru_cache(maxsize=DOORS_MAX)
    def callers(text: str) -> Requester | None:
        if text:
            return Requester(ServerRepository(server_address(address), token=text), may_change=True)
        return Requester(own, may_change=True) if is_local else None

    return callers
