"""
Which requests are answered: those of Aim's own pages, by a host name of this server, with the token if there is one.

A page of another site must not read runs or change them. These attacks are stopped:

    another page fetches an answer      there is no CORS, so it can't read the answer
    another page posts a change         a change needs a JSON body, and an Origin equal to its Host
    another page points its own name    the Host of a request must be an IP address, a name of this machine, or a name
    at 127.0.0.1 (DNS rebinding)        of `--trusted-host`; not needed with a token, since cookies belong to a name
    a script gets into Aim's pages      Content-Security-Policy: only Aim's scripts run, and connect only to this server
    another page shows Aim in a frame   frame-ancestors: only pages of this machine and of the same host may, as
    and steals clicks                   notebooks do
    another page loads an image of      Cross-Origin-Resource-Policy
    Aim to learn whether it exists

A token travels in a header or in a cookie that scripts can't read; access.py says whom it lets in. A request with a
token in its header comes from no page of another site, which could not know it, so its Origin is not looked at.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from functools import lru_cache
from typing import Literal
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import Scope

from aim.server.access import Access, peer_of
from aim.server.answers import Refusal, json_answer
from aim.server.bodies import read_body
from aim.server.oidc import NO_ROLE, STATE_COOKIE, Provider
from aim.server.roles import Principal
from aim.server.settings import Settings

HOSTS_KEPT = 256  # of Host headers: each request has one, and most have the same
COOKIE = "aim_token"
SESSION_COOKIE = "aim_session"
READING = frozenset({"GET", "HEAD", "OPTIONS"})
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "media-src 'self' blob:; font-src 'self'; connect-src 'self'; worker-src 'self' blob:; frame-src 'self'; "
    "base-uri 'self'; form-action 'self'"
)
HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
NAME = re.compile(r"[a-z0-9.-]{1,253}")
NO_TOKEN = (
    "This server asks for a token: that of the address which it printed at its start, or one that `aim token create` "
    "printed."
)
WRONG_TOKEN = "This is not a token of this server, or it is not valid any more."


@lru_cache(HOSTS_KEPT)
def page_policy(host: str) -> str:
    """
    Return the Content-Security-Policy of a page for a request with the Host header *host*.

    >>> page_policy("node7:43800").rpartition("; ")[2]
    "frame-ancestors 'self' localhost:* 127.0.0.1:* vscode-webview: http://node7:* https://node7:*"
    """
    name = host_name(host)
    around = f" http://{name}:* https://{name}:*" if NAME.fullmatch(name) else ""
    return f"{CONTENT_SECURITY_POLICY}; frame-ancestors 'self' localhost:* 127.0.0.1:* vscode-webview:{around}"


@lru_cache(HOSTS_KEPT)
def host_name(host: str) -> str:
    """
    Return the name in a Host header, without its port.

    >>> host_name("Localhost:43800"), host_name("[::1]:80")
    ('localhost', '::1')
    """
    try:
        return (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return ""


class Guard:
    """The checks that each request must pass."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.access = Access(settings)
        own_names = {
            "localhost",
            settings.host.lower(),
            socket.gethostname().lower(),
            *map(str.lower, settings.trusted_hosts),
        }
        self._names = own_names - {""}

    def is_own_name(self, name: str) -> bool:
        """Return whether browsers may reach this server by *name*."""
        if name in self._names or name.endswith(".localhost"):
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True

    def check(self, scope: Scope, *, is_api: bool) -> Principal | None:
        """
        Check the host, the origin and the token of a request; return who sent it. None, of a page: nobody is known.

        Raises:
            Refusal: (403) of kind `origin`, or (401, 429) of kind `token`.
        """
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if not self.access.asks_for_token and not self.is_own_name(host_name(host)):
            raise Refusal(
                403,
                "origin",
                f"{host_name(host)!r} is not a known name of this server. To reach it by that name, start it with "
                f"`--trusted-host {host_name(host)}` or with `--token`.",
            )
        bearer = bearer_of(headers)
        if scope["method"] not in READING and bearer is None:
            self._check_origin(host, headers)
        sent = [*([] if bearer is None else [bearer]), *cookies(headers, COOKIE)]
        person = None if bearer else self.access.person(headers, cookies(headers, SESSION_COOKIE), peer_of(scope))
        principal = person or self.access.principal(sent, self.access.address(scope), counts=is_api)
        if is_api and principal is None:
            raise Refusal(401, "token", WRONG_TOKEN if sent else NO_TOKEN, provider=self.access.provider is not None)
        return principal

    def _check_origin(self, host: str, headers: Headers) -> None:
        site = headers.get("sec-fetch-site")
        origin = headers.get("origin")
        if site == "same-origin":  # browsers set it, and no page can forge it
            return
        is_own = origin is None or urlsplit(origin).netloc.lower() == host.lower()
        if site in ("cross-site", "same-site") or not is_own:
            raise Refusal(403, "origin", "A page of another site may not change anything here.")

    async def login(self, request: Request) -> Response:
        """Answer `POST api/login`: set the token as a cookie."""
        body = await read_body(request)
        text, address = body.text("token").strip(), self.access.address(request.scope)
        answer = json_answer({})
        if self.access.asks_for_token:
            if self.access.recognised(text, address) is None:
                self.access.refuse(address)
                raise Refusal(401, "token", WRONG_TOKEN)
            self._set_cookie(answer, request, text, folder(request.scope["path"], up=1))
        return answer

    def logout(self, request: Request) -> Response:
        """Answer `POST api/logout`: end the session, and remove the cookies."""
        answer = json_answer({})
        path = self._settings.base_path + folder(request.scope["path"], up=1)
        for session_id in cookies(request.headers, SESSION_COOKIE):
            if self.access.sessions is not None:
                self.access.sessions.end(session_id)
        for name in (COOKIE, SESSION_COOKIE):
            answer.delete_cookie(name, path=path)
        return answer

    def admit(self, request: Request, depth: int) -> Response | None:
        """
        Return a redirect that sets the token of `?token=…` as a cookie and removes it from the address.

        None when the token is wrong. The cookie is for the folder of the app, *depth* above that of the page.
        """
        token, address = request.query_params.get("token"), self.access.address(request.scope)
        if token is None or not self.access.asks_for_token:
            return None
        if self.access.recognised(token, address) is None:
            self.access.refuse(address)
            return None
        other_pairs = [pair for pair in request.url.query.split("&") if not pair.startswith("token=")]
        last = request.scope["path"].rpartition("/")[2]
        answer = RedirectResponse(f"./{last}" + ("?" + "&".join(other_pairs) if other_pairs else ""), 303)
        self._set_cookie(answer, request, token, folder(request.scope["path"], up=depth))
        return answer

    async def begin_oidc(self, request: Request) -> Response:
        """Answer `GET api/oidc/begin`: send the browser to the provider of identities."""
        address, state = await self._provider().begin(self._own_address(request, "api/oidc/done"))
        answer = RedirectResponse(address, 303)
        self._set(answer, request, STATE_COOKIE, state, folder(request.scope["path"], up=2), same_site="lax")
        return answer

    async def finish_oidc(self, request: Request) -> Response:
        """Answer `GET api/oidc/done`: begin the session of whom the provider of identities names."""
        asked = request.query_params
        if "error" in asked:
            raise Refusal(403, "token", "The provider of identities refused the sign-in.")
        kept_states = cookies(request.headers, STATE_COOKIE)
        kept_state = kept_states[0] if kept_states else ""
        session_id = await self._provider().finish(asked.get("code", ""), asked.get("state", ""), kept_state)
        if session_id is None:
            return HTMLResponse(NO_ROLE, 403)
        answer = RedirectResponse("../../", 303)
        path = folder(request.scope["path"], up=2)
        self._set(answer, request, SESSION_COOKIE, session_id, path, same_site="lax")
        answer.delete_cookie(STATE_COOKIE, path=self._settings.base_path + path)
        return answer

    def _provider(self) -> Provider:
        if self.access.provider is None:
            raise Refusal(404, "not-found", "This server knows no provider of identities: see `--oidc-issuer`.")
        return self.access.provider

    def _own_address(self, request: Request, path: str) -> str:
        scheme = "https" if _is_secure(request) else "http"
        return f"{scheme}://{request.headers.get('host', '')}{self._settings.base_path}/{path}"

    def _set_cookie(self, answer: Response, request: Request, token: str, path: str) -> None:
        self._set(answer, request, COOKIE, token, path, same_site="strict")

    def _set(
        self,
        answer: Response,
        request: Request,
        name: str,
        value: str,
        path: str,
        *,
        same_site: Literal["lax", "strict"],
    ) -> None:
        answer.set_cookie(
            name,
            value,
            path=self._settings.base_path + path,
            httponly=True,
            samesite=same_site,
            secure=_is_secure(request),
        )


def _is_secure(request: Request) -> bool:
    return request.headers.get("x-forwarded-proto", request.url.scheme) == "https"


def folder(path: str, up: int = 0) -> str:
    """
    Return the folder of an address, *up* levels higher.

    >>> folder("/aim/run/3df7", up=1), folder("/runs")
    ('/aim/', '/')
    """
    parts = path.split("/")[: -1 - up]
    return "/".join(parts) + "/"


def bearer_of(headers: Headers) -> str | None:
    """Return the token in the header `Authorization`; None when there is none."""
    kind, _, text = headers.get("authorization", "").partition(" ")
    return text.strip() if kind.lower() == "bearer" else None


def cookies(headers: Headers, name: str) -> list[str]:
    """Return the values of all cookies of that name: cookies of several paths may come together."""
    values = []
    for header in headers.getlist("cookie"):
        for pair in header.split(";"):
            key, _, value = pair.strip().partition("=")
            if key == name:
                values.append(value)
    return values
