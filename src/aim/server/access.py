"""
Who sends a request: the token, the person, or nobody in particular.

    a token of `--token`, or the one that was made for this start      an administrator
    a token of the token file                                          its role, in its projects
    a person whom a trusted proxy names in a header (people.py)        what the rules of --role give them
    the session of a person who signed in by OIDC (sessions.py)        the same
    no token, where nobody is asked who they are                       an administrator (this machine only),
                                                                       or with `--insecure` a viewer

A token that is wrong counts against the address that sent it: after 10 within a minute the next wrong one is answered
with 429, and so is the text of `--token`, which a person may have chosen and somebody else may guess. Nobody guesses a
token of the token file, so these are let in all the same: an office behind one address must not be locked out by one
forgotten script.
"""

from __future__ import annotations

import hmac
import logging
import time
from collections import deque
from collections.abc import Callable, Collection, Mapping
from typing import TypeVar

from starlette.datastructures import Headers
from starlette.types import Scope

from aim.core.errors import UsageError
from aim.core.recent import Recent
from aim.server.answers import Refusal
from aim.server.oidc import Provider
from aim.server.roles import ADMINISTRATOR, ANYBODY, VISITOR, Principal
from aim.server.sessions import Sessions
from aim.server.settings import INSECURE_WRITE, Settings
from aim.server.tokens import TokenFile

FAILURES_MAX = 10
FAILURES_WITHIN_S = 60.0
ADDRESSES_MAX = 10_000

log = logging.getLogger("aim.server")

Result = TypeVar("Result")


def _trusted(what: str, read: Callable[[], Result]) -> Result | None:
    """Return what *read* returns; None, and a line in the log, when its file can't be trusted: it lets nobody in."""
    try:
        return read()
    except (UsageError, OSError) as error:
        log.error("The %s can't be read: %s", what, error)
        return None


def peer_of(scope: Scope) -> str:
    """Return the address at the other end of a connection; that of a Unix socket is empty."""
    client: tuple[str, int] | None = scope.get("client")
    return "" if client is None else client[0]


class WrongTokens:
    """
    The wrong tokens that each address sent lately. Bounded: of 10,000 addresses at most.

    >>> wrong = WrongTokens()
    >>> [wrong.are_too_many("192.0.2.1", at_s=0) or wrong.add("192.0.2.1", at_s=0) for _ in range(11)][-2:]
    [None, True]
    >>> wrong.are_too_many("192.0.2.1", at_s=61)
    False
    """

    def __init__(self) -> None:
        self._times: Recent[str, deque[float]] = Recent(ADDRESSES_MAX)

    def add(self, address: str, at_s: float) -> None:
        """Count one."""
        times = self._times.get(address, None, lambda: deque(maxlen=FAILURES_MAX))
        times.append(at_s)

    def are_too_many(self, address: str, at_s: float) -> bool:
        """Return whether an address sent too many within the last minute."""
        times = self._times.lookup(address)
        return times is not None and len(times) == FAILURES_MAX and at_s - times[0] < FAILURES_WITHIN_S


class Access:
    """Recognises who sends a request, by the settings and by the token file."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.tokens = None if settings.auth is None else TokenFile(settings.auth)
        self._wrong = WrongTokens()
        self.sessions: Sessions | None = None
        self.provider: Provider | None = None
        people = settings.people
        if people.oidc is not None and settings.auth is not None:
            self.sessions = Sessions(settings.auth)
            self.provider = Provider(people.oidc, people, self.sessions)

    @property
    def asks_for_token(self) -> bool:
        """Whether people and programs are asked who they are; if not, everybody who reaches the server is let in."""
        settings = self._settings
        has_file = self.tokens is not None and self.tokens.exists
        asks = settings.token is not None or has_file or settings.people.are_asked
        return asks or not (settings.is_local or settings.insecure)

    def nobody(self) -> Principal | None:
        """Return who sends a request without a token; None when there has to be one."""
        settings = self._settings
        if settings.insecure is not None and not settings.is_local:
            return ANYBODY if settings.insecure == INSECURE_WRITE else VISITOR
        return None if self.asks_for_token else ANYBODY

    def principal(self, texts: Collection[str], address: str, *, counts: bool) -> Principal | None:
        """
        Return who sends a request; None when it has to carry a token, and carries none that is right.

        Args:
            texts: the tokens that it carries; the first that is right counts.
            address: of the machine that sends it.
            counts: whether wrong tokens count against the address.

        Raises:
            Refusal: (429) all are wrong, and so were too many of that address before.
        """
        for text in texts:
            principal = self.recognised(text, address)
            if principal is not None:
                return principal
        if texts and counts and self.asks_for_token:
            self.refuse(address)
        return self.nobody()

    def person(self, headers: Headers, session_ids: Collection[str], peer: str) -> Principal | None:
        """
        Return the person who sends a request: whom a trusted proxy names, or who signed in.

        Args:
            peer: the address at the other end of the connection.
        """
        people = self._settings.people
        person = people.by_headers(headers, peer)
        return person or next(filter(None, map(self.of_session, session_ids)), None)

    def of_session(self, session_id: str) -> Principal | None:
        """Return the person of a session; None: it has ended, or no rule fits them any more."""
        sessions = self.sessions
        session = None if sessions is None else _trusted("sessions", lambda: sessions.session(session_id))
        return None if session is None else self._settings.people.person(session.user, session.groups, session_id)

    def address(self, scope: Scope) -> str:
        """Return the address of the machine that sent a request, also through a trusted proxy."""
        peer = peer_of(scope)
        if self._settings.people.is_trusted(peer):
            forwarded = Headers(scope=scope).getlist("x-forwarded-for")
            return forwarded[-1].rpartition(",")[2].strip()[:64] if forwarded else peer
        return peer

    def recognised(self, text: str, address: str) -> Principal | None:
        """Return who carries the token *text*; None: it is wrong."""
        token = self._of_file(text)
        if token is not None:
            return token
        chosen = self._settings.token
        if chosen is None or self._wrong.are_too_many(address, time.monotonic()):
            return None
        is_equal = hmac.compare_digest(text.encode("utf-8", "surrogatepass"), chosen.encode("utf-8", "surrogatepass"))
        return Principal("", ADMINISTRATOR) if is_equal else None

    def _of_file(self, text: str) -> Principal | None:
        tokens = self.tokens
        token = None if tokens is None else _trusted("tokens", lambda: tokens.recognised(text))
        if token is None:
            return None
        return Principal(token.user or token.name, token.role, token.projects, token_id=token.token_id)

    def refuse(self, address: str) -> None:
        """Count a wrong token. Raises Refusal: (429) an address has sent too many."""
        now_s = time.monotonic()
        if self._wrong.are_too_many(address, now_s):
            raise Refusal(429, "token", "Too many wrong tokens came from this address. Try again in a minute.")
        self._wrong.add(address, now_s)

    def states(self) -> Mapping[str, str]:
        """Return the states of all tokens of the token file by id; none when it can't be trusted."""
        try:
            tokens = self.tokens.tokens() if self.tokens is not None else {}
        except (UsageError, OSError):
            return {}
        return {token_id: token.state for token_id, token in tokens.items()}

    def is_current(self, principal: Principal) -> bool:
        """Return whether who was let in would be let in again: the token is neither revoked nor expired."""
        if principal.session_id:
            return self.of_session(principal.session_id) is not None
        if not principal.token_id or self.tokens is None:
            return True
        try:
            return self.tokens.is_valid(principal.token_id)
        except (UsageError, OSError):
            return False
