"""
`aim login` and `aim logout`: store and forget the token with which this user asks a server.
"""

from __future__ import annotations

import sys

import click

from aim.cli import output
from aim.cli.formats import json_option
from aim.core.addresses import server_address
from aim.core.errors import UsageError
from aim.engine.remote.credentials import forget_token, keep_token


@click.command(short_help="Store the token of a server on this machine.")
@click.argument("address")
@click.option("--token", default=None, help="The token.  [default: asked for, or the first line of standard input]")
@json_option
def login(address: str, token: str | None, as_json: bool) -> None:
    """
    Store a token for ADDRESS, such as aim://host:53800/vision, in ~/.config/aim/tokens.json, which only this user may
    read. Trainings and commands then use it by themselves. AIM_TOKEN comes before it.

    Example: a token for every project of a server

        aim login aim://aim.example.org
    """
    server = server_address(address)
    if token is None:
        token = str(click.prompt("Token", hide_input=True)) if sys.stdin.isatty() else sys.stdin.readline()
    text = token.strip()
    if not text:
        raise UsageError("There is no token: give one with --token, or on standard input.")
    path = keep_token(server, text)
    record = {"address": str(server), "outcome": "stored", "file": str(path)}
    output.result(record, f"Stored the token for {server} in {path}.", as_json=as_json)


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
