"""
Signing in by OpenID Connect: the code flow, with PKCE and a nonce. Needs `aim[oidc]`.

    GET api/oidc/begin    ->  the provider, which asks the person      state, nonce, verifier are remembered for 10 min,
                                                                       and bound to the browser by a cookie
    GET api/oidc/done     <-  a code; it is exchanged for an ID token, whose signature, issuer, audience, nonce and
                              times are checked; a session begins

The ID token comes over TLS from the provider itself, and its signature is checked all the same.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import logging
import secrets
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from aim.core.errors import UsageError
from aim.core.recent import Recent
from aim.server.answers import Refusal
from aim.server.people import OidcSettings, PeopleSettings
from aim.server.sessions import Sessions

STATE_COOKIE = "aim_oidc"
SCOPE = "openid email profile"
ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")
BEGUN_MAX = 10_000
BEGUN_S = 600.0
METADATA_S = 3600.0
TIMEOUT_S = 15.0
ANSWER_BYTES_MAX = 1 << 20
CLOCK_DIFFERENCE_S = 120
NO_ROLE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Aim</title>
<h1>You are signed in, and may not see anything here</h1>
<p>No rule of this server gives you a role. Ask who runs it.</p></html>
"""

log = logging.getLogger("aim.server")


@dataclass(frozen=True)
class _Begun:
    nonce: str
    verifier: str
    redirect: str
    at_s: float


def check_installed() -> None:
    """Raise UsageError when what `aim[oidc]` adds is not installed."""
    try:
        import joserfc  # noqa: F401
    except ImportError as error:
        raise UsageError(f"Signing in by OIDC needs a package more: pip install 'aim[oidc]' ({error}).") from None


class Provider:
    """
    The provider of identities, as this server asks it.

    Args:
        people: who may do what.
        sessions: where sessions begin.
    """

    def __init__(self, settings: OidcSettings, people: PeopleSettings, sessions: Sessions) -> None:
        self._settings = settings
        self._people = people
        self._sessions = sessions
        self._begun: Recent[str, _Begun] = Recent(BEGUN_MAX)
        self._metadata: tuple[float, dict[str, Any]] | None = None

    async def begin(self, redirect: str) -> tuple[str, str]:
        """
        Begin to sign a person in.

        Args:
            redirect: the address of `api/oidc/done`, as the browser reaches it.

        Returns:
            The address of the provider to go to, and the state, which the browser keeps in a cookie.
        """
        metadata = await self._provider()
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        self._begun.put(state, None, _Begun(nonce, verifier, redirect, time.monotonic()))
        asked = {
            "response_type": "code",
            "client_id": self._settings.client_id,
            "redirect_uri": redirect,
            "scope": SCOPE,
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge_of(verifier),
            "code_challenge_method": "S256",
        }
        endpoint = str(metadata["authorization_endpoint"])
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(asked)}", state

    async def finish(self, code: str, state: str, kept_state: str) -> str | None:
        """
        Finish to sign a person in; return the id of their session, or None when no rule gives them a role.

        Raises:
            Refusal: (403) it was not begun by this browser, or the provider's answer can't be trusted.
        """
        begun = self._begun.pop(state)
        is_own = hmac.compare_digest(state.encode(), kept_state.encode())
        if begun is None or not is_own or time.monotonic() - begun.at_s > BEGUN_S:
            raise _refused("This sign-in was not begun by this browser, or more than 10 minutes ago. Begin again.")
        metadata = await self._provider()
        claims = await self._claims(code, begun, metadata)
        user = str(claims.get(self._settings.user_claim) or claims["sub"])
        if self._settings.user_claim == "email" and claims.get("email_verified") is False:
            raise _refused("The provider has not verified your address.")
        named = claims.get(self._settings.groups_claim) or []
        groups = [str(group) for group in (named if isinstance(named, list) else [named])]
        if self._people.person(user, groups) is None:
            log.warning("%r signed in, and no --role gives them a role", user)
            return None
        return self._sessions.begin(user, groups)

    async def _provider(self) -> dict[str, Any]:
        if self._metadata is None or time.monotonic() - self._metadata[0] > METADATA_S:
            address = f"{self._settings.issuer.rstrip('/')}/.well-known/openid-configuration"
            metadata = await _asked(address)
            if metadata.get("issuer") != self._settings.issuer:
                raise _refused("The provider of identities names itself otherwise than --oidc-issuer does.")
            self._metadata = (time.monotonic(), metadata)
        return self._metadata[1]

    async def _claims(self, code: str, begun: _Begun, metadata: dict[str, Any]) -> dict[str, Any]:
        from joserfc.errors import JoseError

        settings = self._settings
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": begun.redirect,
            "code_verifier": begun.verifier,
        }
        pair = f"{quote(settings.client_id, safe='')}:{quote(settings.secret, safe='')}"
        credentials = base64.b64encode(pair.encode()).decode("ascii")
        answer = await _asked(str(metadata["token_endpoint"]), form, {"Authorization": f"Basic {credentials}"})
        keys = await _asked(str(metadata["jwks_uri"]))
        try:
            return checked_claims(str(answer.get("id_token", "")), keys, settings, begun.nonce)
        except (JoseError, ValueError, KeyError) as error:
            log.warning("A sign-in failed: %s", type(error).__name__)
            raise _refused("The provider's answer can't be trusted, so nobody is signed in.") from None


def challenge_of(verifier: str) -> str:
    """
    Return what a sign-in begins with, so that only who knows *verifier* can finish it (RFC 7636).

    >>> challenge_of("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
    'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'
    """
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


async def _asked(
    address: str, form: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Return the JSON object at an address of the provider. Raises Refusal: (403) it refuses; (503) it is away."""
    data = None if form is None else urlencode(form).encode("ascii")
    request = urllib.request.Request(address, data, {"Accept": "application/json", **(headers or {})})
    if urlsplit(address).scheme not in ("http", "https"):
        raise _refused("The provider of identities has an address that is none of the web.")
    try:
        content = json.loads(await asyncio.to_thread(_read, request))
    except urllib.error.HTTPError as error:
        log.warning("The provider of identities answered %d", error.code)
        raise _refused("The provider of identities refused the sign-in.") from None
    except (OSError, ValueError) as error:
        log.error("The provider of identities does not answer: %s", error)
        raise Refusal(503, "busy", "The provider of identities does not answer. Try again in a moment.") from None
    return content if isinstance(content, dict) else {}


def _read(request: urllib.request.Request) -> bytes:
    with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
        return bytes(answer.read(ANSWER_BYTES_MAX))


def checked_claims(id_token: str, keys: dict[str, Any], settings: OidcSettings, nonce: str) -> dict[str, Any]:
    """
    Return the claims of an ID token.

    Raises:
        JoseError, ValueError: it is not signed by one of *keys*, or is of another issuer, for another client, of
            another sign-in, or not valid now.
    """
    from joserfc import jwt
    from joserfc.jwk import KeySet

    key_set: Any = keys  # a JSON object, which joserfc has a type of its own for
    token = jwt.decode(id_token, KeySet.import_key_set(key_set), algorithms=ALGORITHMS)
    registry = jwt.JWTClaimsRegistry(
        leeway=CLOCK_DIFFERENCE_S,
        iss={"essential": True, "value": settings.issuer},
        aud={"essential": True, "value": settings.client_id},
        sub={"essential": True},
        exp={"essential": True},
        iat={"essential": True},
        nonce={"essential": True, "value": nonce},
    )
    claims: dict[str, Any] = token.claims
    registry.validate(claims)
    if claims.get("azp", settings.client_id) != settings.client_id:
        raise ValueError("the token is for another client")
    return claims


def _refused(message: str) -> Refusal:
    return Refusal(403, "token", message)
