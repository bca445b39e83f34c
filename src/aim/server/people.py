"""
People: whom a proxy vouches for, and what each of them may do.

    proxy, such as oauth2-proxy      names the person in headers; they count only when the proxy itself sends them
    provider of identities (OIDC)    oidc.py and sessions.py

    --role 'group:ml=editor'                  members of the group ml are editors of all projects
    --role 'user:*@example.org=viewer'        whoever has such an address is a viewer
    --role 'group:nlp=editor:nlp-*,shared'    members of nlp are editors of these projects

All rules that fit a person count, each in its projects. Whom none fits is not let in.
"""

from __future__ import annotations

import fnmatch
import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass

from starlette.datastructures import Headers

from aim.core.errors import UsageError
from aim.server.roles import EVERY_PROJECT, RIGHTS, Grant, Principal

RULE = re.compile(r"(user|group):([^=]+)=([a-z]+)(?::(.+))?")
UNIX_SOCKET = "unix"
NAME_CHARS_MAX = 200
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True)
class RoleRule:
    """
    Gives a role to people.

    Attributes:
        subject: `user` or `group`.
        pattern: of the name of a person or of a group.
        grant: the role and its projects.
    """

    subject: str
    pattern: str
    grant: Grant

    def fits(self, user: str, groups: Iterable[str]) -> bool:
        """Return whether the rule is for a person."""
        names = [user] if self.subject == "user" else groups
        return any(fnmatch.fnmatchcase(name.lower(), self.pattern.lower()) for name in names)


def read_rule(text: str) -> RoleRule:
    """
    Read a rule of `--role`.

    Raises:
        UsageError: it is none.

    >>> read_rule("group:nlp=editor:nlp-*,shared")
    RoleRule(subject='group', pattern='nlp', grant=Grant(role='editor', projects=('nlp-*', 'shared')))
    """
    match = RULE.fullmatch(text)
    if match is None or match[3] not in RIGHTS:
        raise UsageError(
            f"--role gives a role to users or groups, as in 'group:ml=editor' or 'user:*@example.org=viewer:vision*', "
            f"not {text!r}. Roles are {', '.join(RIGHTS)}."
        )
    projects = EVERY_PROJECT if match[4] is None else tuple(part.strip() for part in match[4].split(","))
    return RoleRule(match[1], match[2], Grant(match[3], projects))


def read_proxy(text: str) -> Network | None:
    """
    Read an address or a network of `--trusted-proxy`; None: the Unix socket.

    Raises:
        UsageError: it is none.

    >>> read_proxy("10.0.0.0/8"), read_proxy("unix")
    (IPv4Network('10.0.0.0/8'), None)
    """
    if text == UNIX_SOCKET:
        return None
    try:
        return ipaddress.ip_network(text)
    except ValueError as error:
        raise UsageError(f"--trusted-proxy is an address, a network or `{UNIX_SOCKET}`: {error}.") from None


@dataclass(frozen=True)
class OidcSettings:
    """
    A provider of identities.

    Attributes:
        issuer: its address, as its tokens name it.
        client_id, secret: what this server is to it.
        user_claim, groups_claim: which claims of an ID token name the person and their groups.
    """

    issuer: str
    client_id: str
    secret: str
    user_claim: str = "email"
    groups_claim: str = "groups"


@dataclass(frozen=True)
class PeopleSettings:
    """
    How people are recognised.

    Attributes:
        rules: who may do what.
        user_header, groups_header: the headers in which a trusted proxy names a person; empty: none does.
        trusted_proxies: from where these headers, and `X-Forwarded-For`, count; None among them: the Unix socket.
        oidc: the provider of identities; None: none.
    """

    rules: tuple[RoleRule, ...] = ()
    user_header: str = ""
    groups_header: str = ""
    trusted_proxies: tuple[Network | None, ...] = ()
    oidc: OidcSettings | None = None

    @property
    def are_asked(self) -> bool:
        """Whether people are recognised at all."""
        return bool(self.user_header) or self.oidc is not None

    def is_trusted(self, address: str) -> bool:
        """
        Return whether a proxy at that address is trusted; the address of a Unix socket is empty.

        >>> PeopleSettings(trusted_proxies=(read_proxy("10.0.0.7"),)).is_trusted("::ffff:10.0.0.7")
        True
        """
        if not self.trusted_proxies:
            return False
        if not address:
            return None in self.trusted_proxies
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
            parsed = parsed.ipv4_mapped
        return any(network is not None and parsed in network for network in self.trusted_proxies)

    def person(self, user: str, groups: Iterable[str], session_id: str = "") -> Principal | None:
        """Return a person with what the rules give them; None: no rule fits them."""
        named_groups = list(groups)
        grants = tuple(dict.fromkeys(rule.grant for rule in self.rules if rule.fits(user, named_groups)))
        if not user or len(user) > NAME_CHARS_MAX or not user.isprintable() or not grants:
            return None
        strongest = max(grants, key=lambda grant: len(RIGHTS[grant.role]))
        others = tuple(grant for grant in grants if grant is not strongest)
        return Principal(
            user, strongest.role, strongest.projects, session_id=session_id, is_person=True, more_grants=others
        )

    def by_headers(self, headers: Headers, address: str) -> Principal | None:
        """Return the person whom a trusted proxy names; None: it is no trusted proxy, or it names nobody."""
        if not self.user_header or not self.is_trusted(address):
            return None
        users = headers.getlist(self.user_header)
        if len(users) != 1:  # a proxy that adds its header to that of a client names two
            return None
        listed = headers.getlist(self.groups_header) if self.groups_header else []
        groups = [group.strip() for text in listed for group in text.split(",")]
        return self.person(users[0].strip(), [group for group in groups if group])
