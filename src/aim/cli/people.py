"""
The options that say how people are recognised, and what each of them may do.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import click

from aim.core.errors import UsageError
from aim.server.people import OidcSettings, PeopleSettings, read_proxy, read_rule

SECRET_VARIABLE = "AIM_OIDC_SECRET"
Option = Callable[[Callable[..., None]], Callable[..., None]]

PEOPLE_OPTIONS: tuple[Option, ...] = (
    click.option(
        "--role",
        "roles",
        multiple=True,
        metavar="RULE",
        help="What people may do, as in 'group:ml=editor' or 'user:*@example.org=viewer:vision*'; may be repeated.",
    ),
    click.option(
        "--user-header",
        default="",
        metavar="NAME",
        help="The header in which --trusted-proxy names the person, as in X-Auth-Request-Email.",
    ),
    click.option(
        "--groups-header", default="", metavar="NAME", help="The header in which it names their groups, with commas."
    ),
    click.option(
        "--trusted-proxy",
        "proxies",
        multiple=True,
        metavar="ADDRESS",
        help="An address or network whose headers count, or `unix`, the proxy at --uds; may be repeated.",
    ),
    click.option(
        "--oidc-issuer",
        default="",
        metavar="URL",
        help="Let people sign in by this OpenID Connect provider; needs aim[oidc], and the secret in AIM_OIDC_SECRET.",
    ),
    click.option("--oidc-client-id", default="", metavar="ID", help="What this server is called at the provider."),
)
"""The options of a command that serves."""


def people_of(options: dict[str, Any]) -> PeopleSettings:
    """
    Take the options of this module out of *options*, and return what they say.

    Raises:
        UsageError: one can't be read, or lacks another.
    """
    rules = tuple(map(read_rule, options.pop("roles")))
    user_header, groups_header = options.pop("user_header"), options.pop("groups_header")
    proxies = tuple(map(read_proxy, options.pop("proxies")))
    issuer, client_id = options.pop("oidc_issuer"), options.pop("oidc_client_id")
    if (user_header or groups_header) and not (user_header and proxies):
        raise UsageError("Headers count from a proxy only: give --user-header with --trusted-proxy.")
    if (user_header or issuer) and not rules:
        raise UsageError("No person may do anything without a rule: give --role 'user:*@example.org=viewer', say.")
    return PeopleSettings(rules, user_header, groups_header, proxies, _oidc_of(issuer, client_id))


def _oidc_of(issuer: str, client_id: str) -> OidcSettings | None:
    if not issuer and not client_id:
        return None
    secret = os.environ.get(SECRET_VARIABLE, "")
    if not (issuer and client_id and secret):
        raise UsageError(f"OIDC needs --oidc-issuer, --oidc-client-id, and the secret in {SECRET_VARIABLE}.")
    from aim.server.oidc import check_installed

    check_installed()
    return OidcSettings(issuer, client_id, secret)
