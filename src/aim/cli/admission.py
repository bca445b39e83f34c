"""
Who is let in when a server starts, and what its start says of that.

A server that other machines can reach, or that has a token file, is never open by accident: it makes a token for this
start when nobody has one with which to administer it.
"""

from __future__ import annotations

import secrets
from dataclasses import replace

from aim.cli import output
from aim.server.settings import INSECURE_WRITE, Settings
from aim.server.tokens import TokenFile

TOKEN_BYTES = 24


def guarded(settings: Settings) -> Settings:
    """
    Return the settings with a token for this start, if nobody has one yet; and say who is let in.

    Raises:
        UsageError: others may read the token file.
    """
    _warn_of_plain_http(settings)
    file = None if settings.auth is None else TokenFile(settings.auth)
    has_file = file is not None and file.exists
    has_administrator = file is not None and file.has_administrator()
    if settings.insecure is not None and not settings.is_local:
        _warn(settings)
        return settings
    if settings.token is not None or (settings.is_local and not has_file):
        return settings
    if has_administrator or settings.people.are_asked:
        output.tell("This server asks everybody who they are. `aim token create` makes tokens; --role lets people in.")
        return settings
    output.tell(
        f"{'There is a token file' if has_file else 'Other machines can reach this server'}, so it asks for a token. "
        "It has made one for this start; --token or AIM_UI_TOKEN chooses one, `aim token create` makes one that stays, "
        "--insecure lets everybody read."
    )
    return replace(settings, token=secrets.token_urlsafe(TOKEN_BYTES))


def _warn_of_plain_http(settings: Settings) -> None:
    if not settings.is_local and settings.certificate is None and not settings.people.trusted_proxies:
        output.tell(
            f"Warning: on {settings.host} it answers plain HTTP, so others on the way can read tokens and runs. Use "
            "--ssl-certfile, or a proxy with TLS in front of it."
        )


def _warn(settings: Settings) -> None:
    may_write = settings.insecure == INSECURE_WRITE and not settings.read_only
    changes = " and change them" if may_write else ""
    output.tell(
        f"Warning: everybody who can reach {settings.host} can read these runs{changes}, because of --insecure."
    )
