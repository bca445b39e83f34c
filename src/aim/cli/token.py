"""
`aim token`: make, list and revoke the tokens of a server.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from aim.cli import output
from aim.cli.formats import format_option, json_option
from aim.cli.main import FOLDER_ADDRESS, AimGroup
from aim.core.errors import RepoNotFound
from aim.core.words import counted
from aim.engine.opening import find_repository, repository_exists
from aim.server.roles import RIGHTS
from aim.server.settings import auth_folder
from aim.server.tokens import Token, TokenFile, lifetime_s

COLUMNS = ("id", "name", "role", "projects", "state", "expires", "created", "user")
LIFETIME_DEFAULT = "90d"


def _folder_options(command: Any) -> Any:
    command = click.option(
        "--repo",
        type=FOLDER_ADDRESS,
        default=None,
        help="The repository that is served alone.  [default: the current folder, or the nearest above it]",
    )(command)
    return click.option(
        "--root",
        type=click.Path(file_okay=False, exists=True, path_type=Path),
        default=None,
        help="The folder of projects that `aim server --root` serves.",
    )(command)


@click.group(cls=AimGroup, short_help="Make, list and revoke the tokens of a server.")
def token() -> None:
    """
    Make, list and revoke tokens, with which programs and people reach a server.

    A server counts a new token, and a revocation, at once. As soon as there is a token file, the server asks everybody
    for a token.
    """


def _tokens(root: Path | None, repo: Path | None) -> TokenFile:
    if root is not None and repo is not None:
        raise click.UsageError("--root and --repo exclude each other.")
    if root is not None:
        return TokenFile(auth_folder(root, ()))
    named = None if repo is None else Path(os.path.expanduser(repo))
    found = find_repository(Path.cwd()) if named is None else named if repository_exists(named) else None
    if found is None:
        folder = named or Path.cwd()
        raise RepoNotFound(f"There is no repository in {folder}. Name one with --repo, or a folder with --root.")
    return TokenFile(auth_folder(None, (found,)))


@token.command("create", short_help="Make a token and print it, this once.")
@_folder_options
@click.option("--name", required=True, help="What the token is for, for people.")
@click.option(
    "--role",
    type=click.Choice(tuple(RIGHTS)),
    default="viewer",
    show_default=True,
    help="viewer: reads. writer: also records and edits runs, deletes nothing. editor: reads, edits and deletes. "
    "admin: all, in all projects.",
)
@click.option(
    "--project",
    "projects",
    multiple=True,
    default=("*",),
    metavar="PATTERN",
    help="The projects that it is for, as in 'vision*'; may be repeated.  [default: all]",
)
@click.option(
    "--expires",
    default=LIFETIME_DEFAULT,
    show_default=True,
    metavar="TIME",
    help="How long it is valid: a number of hours, days or weeks (12h, 90d, 4w), or never.",
)
@json_option
def create(
    root: Path | None,
    repo: Path | None,
    name: str,
    role: str,
    projects: tuple[str, ...],
    expires: str,
    as_json: bool,
) -> None:
    """
    Make a token and print it. It is stored nowhere, so it is printed this once.

    Example: a token with which jobs record into the projects whose names begin with vision

        aim token create --root /data/aim --name slurm --role writer --project 'vision*' --expires 90d
    """
    tokens = _tokens(root, repo)
    text = tokens.create(name, role, projects, lifetime_s(expires))
    token_id = text.split("_")[1]
    if as_json:
        output.say(output.json_line({"id": token_id, "token": text}))
        return
    output.say(text)
    output.tell(
        f"Give it to programs as AIM_TOKEN, or store it on a machine with `aim login`. `aim token revoke {token_id}` "
        "ends it."
    )


@token.command("ls", short_help="List tokens.")
@_folder_options
@format_option
def ls(root: Path | None, repo: Path | None, form: str | None) -> None:
    """List the tokens of a server with their roles, projects and ends; their secrets are stored nowhere."""
    tokens = list(_tokens(root, repo).tokens().values())
    output.rows([_record(token) for token in tokens], COLUMNS, form=form)
    output.tell(f"Total {counted(len(tokens), 'token')}.")


def _record(token: Token) -> Mapping[str, Any]:
    return {
        "id": token.token_id,
        "name": token.name,
        "role": token.role,
        "projects": ",".join(token.projects),
        "state": token.state,
        "expires": None if token.expires_at_s is None else _time(token.expires_at_s),
        "created": _time(token.created_at_s),
        "user": token.user or None,
    }


def _time(at_s: float) -> str:
    return datetime.fromtimestamp(round(at_s)).astimezone().isoformat()


@token.command("revoke", short_help="End a token.")
@_folder_options
@click.argument("token_id", metavar="ID")
@json_option
def revoke(root: Path | None, repo: Path | None, token_id: str, as_json: bool) -> None:
    """
    End the token ID, the 8 hex digits in its text and in `aim token ls`. Servers refuse it at once.
    """
    token = _tokens(root, repo).revoke(token_id)
    record = {"id": token.token_id, "state": "revoked"}
    output.result(record, f"The token {token.token_id} ({token.name}) is revoked.", as_json=as_json)
