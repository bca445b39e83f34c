"""
`aim login` and `aim logout`: store and forget the token with which this user asks a server.
"""

from __future__ import annotations

import sys

import click

from aim.cli import output
from aim.cli.formats import json_option
from aim.core.addresses import ServerAddress, server_address
from aim.core.errors import ServerRefused, ServerUnreachable, UsageError
from aim.engine.remote.connection import ServerConnection
from aim.engine.remote.credentials import forget_token, keep_token

ANSWER_S = 10.0
UNKNOWN_TOKEN = 401


@click.command(short_help="Store the token of a server on this machine.")
@click.argument("address")
@click.option("--token", default=None, help="The token.  [default: asked for, or the first line of standard input]")
@json_option
def login(address: str, token: str | None, as_json: bool) -> None:
    """
    Store a token for ADDRESS, such as aim://host:53800/vision, in ~/.config/aim/tokens.json, which only this user may
    read. Trainings and commands then use it by themselves. AIM_TOKEN comes before it. The server is asked whether it
    knows the token; where no server answers, the token is stored all the same.

    Example: a token for every project of a server

        aim login aim://aim.example.org
    """
    server = server_address(address)
    if token is None:
        token = str(click.prompt("Token", hide_input=True)) if sys.stdin.isatty() else sys.stdin.readline()
    text = token.strip()
    if not text:
        raise UsageError("There is no token: give one with --token, or on standard input.")
    role, said = _checked(server, text)
    path = keep_token(server, text)
    record = {"address": str(server), "outcome": "stored", "file": str(path), "role": role}
    output.result(record, f"Stored the token for {server} in {path}. {said}", as_json=as_json)


def _checked(server: ServerAddress, token: str) -> tuple[str | None, str]:
    """
    Return the role that a server knows a token by, if it can be asked, and what to tell.

    Raises:
        UsageError: the server does not know the token.
        InsecureAddress: it would be sent in the clear.
    """
    connection = ServerConnection(server, token=token, connect_s=ANSWER_S, answer_s=ANSWER_S)
    try:
        info = connection.ask("GET", f"{server.base}/api/info", tries=1).json()
    except ServerRefused as refused:
        if refused.status == UNKNOWN_TOKEN:
            raise UsageError(
                f"{server}: the server does not know this token, or it has expired or was revoked; it was not stored. "
                "`aim token ls` on the server lists its tokens."
            ) from None
        return None, f"It was not checked: {refused}"
    except ServerUnreachable as error:
        return None, f"It was not checked: {error}"
    if not info.get("token"):
        return None, "The server asks for no token now."
    you = info.get("you") or {}
    return you.get("role"), f"Its role is {you.get('role')}, in {', '.join(you.get('projects', ()))}."


@click.command(short_help="Forget the token of a server on this machine.")
@click.argument("address")
@json_option
def logout(address: str, as_json: bool) -> None:
    """
    Forget the token that `aim login` stored for ADDRESS. The token stays valid: `aim token revoke` ends it.
    """
    server = server_address(address)
    was_stored = forget_token(server)
    record = {"address": str(server), "outcome": "removed" if was_stored else "unknown"}
    text = f"Removed the token for {server}." if was_stored else f"There was no token for {server}."
    output.result(record, text, as_json=as_json)
