"""
The HTTP boundary: each request is checked here, and each error becomes an answer.

    Refusal, an error of the request   ->  400 401 403 404 409 413 415 503, with the message
    InvalidQuery                       ->  400 with the characters of the query that are wrong
    a disk that may not be written to  ->  403 of kind `read-only`
    any other exception                ->  500 of kind `internal`; the trace goes to the log, never to the browser

Each answer gets the security headers. An error after the answer began ends the connection.
"""

from __future__ import annotations

import errno
import logging
import time

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from aim.core.errors import AimError, DamagedFile, InvalidQuery, NotFound, Unavailable, UsageError
from aim.server.answers import Refusal, json_answer
from aim.server.compression import compressing
from aim.server.request_log import RequestLog
from aim.server.roles import NEEDED, OPEN
from aim.server.security import HEADERS, Guard, page_policy

log = logging.getLogger("aim.server")

NOT_WRITABLE = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})
REFUSED = ((NotFound, 404, "not-found"), (UsageError, 400, "request"), (AimError, 500, "damaged"))
"""How errors of Aim are answered; the first class that fits counts."""
OPEN_API = frozenset(
    path for _, _, path in (name.partition(" ") for name in NEEDED if NEEDED[name] == OPEN) if path.startswith("/api/")
)
"""The addresses below `/api/` that need no token."""
NO_STORE = (b"cache-control", b"no-store")


def error_answer(error: Exception) -> Response:
    """Return the answer for an expected error. Raises TypeError for an error that is not."""
    refusal = refusal_of(error)
    return json_answer(refusal.body, refusal.status)


def refusal_of(error: Exception) -> Refusal:
    """Return an expected error as it is answered. Raises TypeError for an error that is not expected."""
    if isinstance(error, Refusal):
        return error
    if isinstance(error, InvalidQuery):
        hint = f". Did you mean `{error.suggestion}`?" if error.suggestion else ""
        span = {"start": error.start, "end": error.end, "suggestion": error.suggestion}
        return Refusal(400, "query", error.message + hint, **span)
    if isinstance(error, DamagedFile):
        span = {"file": error.file, "position": error.position, "defect": error.defect}
        return Refusal(500, "damaged", str(error), error="DamagedFile", **span)
    if isinstance(error, HTTPException):
        return Refusal(error.status_code, "not-found" if error.status_code == 404 else "request", f"{error.detail}.")
    if isinstance(error, Unavailable):
        return Refusal(503, "away", str(error))
    if isinstance(error, OSError):
        return _refusal_of_disk(error)
    for error_class, status, kind in REFUSED:
        if isinstance(error, error_class):
            return Refusal(status, kind, str(error), error=type(error).__name__)
    raise TypeError(f"{type(error).__name__} is not an expected error")


def _refusal_of_disk(error: OSError) -> Refusal:
    if isinstance(error, FileNotFoundError):
        return Refusal(404, "not-found", "This run was deleted meanwhile.")
    if error.errno in NOT_WRITABLE:
        return Refusal(403, "read-only", f"The repository can't be changed: {error.strerror or error}.")
    return Refusal(500, "disk", f"The disk refused: {error.strerror or error}.")


def internal_answer(error: BaseException) -> Response:
    """Return the answer for a bug in the server: the class of the error, without a trace."""
    message = f"The server made a mistake ({type(error).__name__}). Its log says more; please report it."
    return json_answer({"kind": "internal", "message": message}, 500)


class Boundary:
    """
    The routes of *app*, with each request checked and each error answered.

    The middleware of the app is left out: it would answer errors before this class sees them.
    """

    def __init__(self, app: Starlette, guard: Guard, base_path: str, requests: RequestLog) -> None:
        self._requests = requests
        self._app = app
        self._routes = app.router
        self._guard = guard
        self._base_path = base_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        scope = {**scope, "app": self._app}
        if scope["type"] != "http":
            await self._routes(scope, receive, send)
            return
        has_begun = False
        begun_s, status, sent_bytes = time.monotonic(), 0, 0
        log_fields = (scope["method"], scope["path"])  # without the query, which may hold the token

        async def send_checked(message: Message) -> None:
            nonlocal has_begun, status, sent_bytes
            sent_bytes += len(message.get("body", b""))
            if message["type"] == "http.response.start":
                has_begun = True
                status = message["status"]
                log.info("%s %r %d", *log_fields, message["status"])
                header_names = {name for name, _ in message["headers"]}
                headers = [*message["headers"], *(pair for pair in HEADERS if pair[0] not in header_names)]
                if b"content-security-policy" not in header_names:
                    host = Headers(scope=scope).get("host", "")
                    headers.append((b"content-security-policy", page_policy(host).encode("ascii")))
                if not any(name == b"cache-control" for name, _ in headers):
                    headers.append(NO_STORE)
                message = {**message, "headers": headers}
            await send(message)

        scope = self._relative(scope)
        try:
            is_api = scope["path"].startswith("/api/") and scope["path"] not in OPEN_API
            scope["principal"] = self._guard.check(scope, is_api=is_api)
            await self._routes(scope, receive, compressing(scope, send_checked))
        except ClientDisconnect:  # its request was cut: nobody waits for an answer
            log.info("%s %r was cut short", *log_fields)
        except Exception as error:
            try:
                answer = error_answer(error)
            except TypeError:
                log.exception("%s %r failed", scope["method"], scope["path"])
                answer = internal_answer(error)
            if has_begun:
                raise
            await answer(scope, receive, send_checked)
        finally:
            seconds = time.monotonic() - begun_s
            self._requests.add(scope, self._guard.access.address(scope), status, sent_bytes, seconds)

    def _relative(self, scope: Scope) -> Scope:
        """Return the scope without the base path, which a proxy may have sent along."""
        path = scope["path"]
        if self._base_path and (path == self._base_path or path.startswith(self._base_path + "/")):
            return {**scope, "path": path[len(self._base_path) :] or "/", "root_path": ""}
        return scope
