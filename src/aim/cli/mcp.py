"""
`aim mcp`: the tools of the Model Context Protocol over a repository.
"""

from __future__ import annotations

from pathlib import Path

import click

from aim.cli import output
from aim.cli.main import repo_option
from aim.cli.runs import open_repository
from aim.core.errors import UsageError
from aim.mcp.serving import Admits, equals_token
from aim.server.roles import EDIT, READ, RIGHTS
from aim.server.settings import AUTH_FOLDER, Settings
from aim.server.tokens import TokenFile

PORT_DEFAULT = 43_801
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
    is required: --token, or one that `aim token create` made.
    """
    from aim.mcp import serving

    door = open_repository(repo)
    server = serving.make_server(door, writes=write)
    if not http:
        server.run("stdio")
        return
    admits = _admits(door.files, token, write=write)
    if admits is None and host not in LOCAL:
        raise UsageError(f"Other machines can reach {host}: give --token, or make one with `aim token create`.")
    import uvicorn

    from aim.server.serve import address, listen

    settings = Settings((), host=host, port=port)
    config = uvicorn.Config(serving.http_app(server, host, admits), log_level="warning")
    with listen(settings) as opened:  # the kernel accepts connections from here on
        output.tell(f"Serving MCP at {address(settings, opened).rstrip('/')}{serving.PATH}")
        uvicorn.Server(config).run(sockets=[opened])


def _admits(files: Path | None, token: str | None, *, write: bool) -> Admits | None:
    """Return who may come in: the holder of *token*, or of a token of the server with a role that suffices."""
    if token:
        return equals_token(token)
    tokens = None if files is None else TokenFile(files / AUTH_FOLDER)
    if tokens is None or not tokens.exists:
        return None
    right = EDIT if write else READ

    def admits(text: str) -> bool:
        recognised = tokens.recognised(text)
        return recognised is not None and recognised.state == "valid" and right in RIGHTS[recognised.role]

    return admits
