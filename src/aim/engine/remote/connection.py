"""
The connection to a server: requests of HTTP/1.1, kept alive, with the token of this user.

    connection = ServerConnection(server_address("aim://host/vision"))
    answer = connection.ask("POST", connection.path("ship"), body, content_type="application/octet-stream")

Any thread may ask. A socket that waited may be closed by the server in the instant in which it is used again: the
request is then sent once more. So a request that may not be repeated gets a new socket.

**Over plain HTTP a token is sent to addresses of this machine and of private networks only**: what counts is where the
socket is connected to, not its name. `AIM_ALLOW_PLAIN=1` lifts this.

Redirects are not followed: they would lead the token elsewhere. Only the standard library is used, as trainings ask
servers too.
"""

from __future__ import annotations

import http.client
import io
import ipaddress
import json
import os
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from aim.__about__ import VERSION
from aim.core.addresses import ServerAddress
from aim.core.errors import InsecureAddress, ServerRefused, ServerUnreachable, UsageError
from aim.engine.remote.credentials import token_for
from aim.engine.remote.sockets import ServerSocket, Sockets, Untrusted, unreachable

PLAIN_VARIABLE = "AIM_ALLOW_PLAIN"
JSON_TYPE = "application/json"
CONNECT_S = 10.0
ANSWER_S = 75.0  # the server gives up on a request after 60 s, and says so
PAUSES_S = (0.2, 1.0)  # before a request is asked again, when no server answers or it was busy
TRIES = len(PAUSES_S) + 1
BUSY_PAUSE_S_MAX = 5.0
REFUSAL_BYTES_MAX = 1 << 20
DEFAULT_PROJECT = "default"


class ServerAnswer(NamedTuple):
    """An answer that was read to its end."""

    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Return the body as JSON. Raises ServerUnreachable when it is none: no Aim server wrote it."""
        try:
            return json.loads(self.body)
        except ValueError:
            raise ServerUnreachable("The answer is not that of an Aim server: its body is no JSON.") from None


class ServerStream(io.RawIOBase):
    """
    An answer that is read piece by piece. Close it, or use it in a `with` block.

    Attributes:
        headers: those of the answer.
    """

    def __init__(
        self, address: ServerAddress, sockets: Sockets, used: ServerSocket, answer: http.client.HTTPResponse
    ) -> None:
        super().__init__()
        self.headers: Mapping[str, str] = dict(answer.headers.items())
        self._address = address
        self._sockets = sockets
        self._socket = used
        self._answer = answer

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read as many bytes as *buffer* has, fewer at the end only; see `read`."""
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def read(self, size: int | None = -1) -> bytes:
        """
        Read *size* bytes, or all that is left; fewer at the end only.

        Raises:
            ServerUnreachable: the connection was cut before the end.
        """
        try:
            asked = -1 if size is None else size
            data = self._answer.read() if asked < 0 else self._answer.read(asked)
        except (OSError, http.client.HTTPException) as error:
            raise unreachable(self._address, error, "the answer was cut short") from error
        if len(data) < asked and self._answer.length:
            raise unreachable(self._address, EOFError("the connection was closed"), "the answer was cut short")
        return data

    def close(self) -> None:
        """Give the socket back, or close it when there is more to be read."""
        if not self.closed:
            super().close()
            is_read = self._answer.isclosed() or self._answer.length == 0
            self._answer.close()
            self._sockets.give_back(self._socket, is_reusable=is_read)


class ServerRequest(NamedTuple):
    """
    One request.

    Attributes:
        path: from the root of the host; see `ServerConnection.path`.
        headers: beside those that each request has.
        is_repeatable: the same request may reach the server twice.
        tries: how often it is asked in all, with pauses, when no server answers or it is busy.
        answer_s: how long to wait for each part of the answer; None: as the connection.
    """

    method: str
    path: str
    body: bytes | None = None
    content_type: str = JSON_TYPE
    headers: Mapping[str, str] = {}
    is_repeatable: bool = True
    tries: int = TRIES
    answer_s: float | None = None

    def pause_s(self, error: ServerUnreachable | ServerRefused, number: int) -> float | None:
        """Return for how long to wait after the failed try *number*; None: it is not asked again."""
        if number >= self.tries or isinstance(error, Untrusted):
            return None
        pause_s = PAUSES_S[min(number, len(PAUSES_S)) - 1]
        if isinstance(error, ServerRefused):  # a busy server has not begun to do what it was asked
            return min(error.retry_after_s or pause_s, BUSY_PAUSE_S_MAX) if error.status == 503 else None
        return pause_s if self.is_repeatable else None


class ServerConnection:
    """
    Asks the server of *address*. No socket is opened before the first request.

    Args:
        token: the token to ask with; None: that of this user for the address, looked up at each request.
        connect_s, answer_s: how long it may take to connect, and until a part of an answer comes.

    Raises:
        ServerUnreachable: by each request, when no server answers.
        ServerRefused: by each request, when the server answers with an error.
        InsecureAddress: by each request, when a token would be sent in the clear.
        UsageError: by each request, when the tokens of this user or `AIM_CA_FILE` can't be read.
    """

    def __init__(
        self,
        address: ServerAddress,
        *,
        token: str | None = None,
        connect_s: float = CONNECT_S,
        answer_s: float = ANSWER_S,
    ) -> None:
        self.address = address
        self._token = token
        self._answer_s = answer_s
        self._sockets = Sockets(address, connect_s)
        self._project = address.project

    def __reduce__(self) -> tuple[Any, tuple[ServerAddress]]:
        """Return what another process needs to ask the same server; the token is looked up there."""
        return type(self), (self.address,)

    # what to ask

    def path(self, name: str) -> str:
        """
        Return the path of something of the project, such as `ship`: `/base/api/repos/vision/ship`.

        When the address names no project, the server is asked once which ones it has.

        Raises:
            UsageError: the server has several projects, and the address names none.
        """
        if self._project is None:
            self._project = self._only_project()
        return f"{self.address.base}/api/repos/{self._project}/{name}"

    def info(self) -> dict[str, Any]:
        """Return what the server says of itself: `GET api/info`."""
        info: dict[str, Any] = self.ask("GET", f"{self.address.base}/api/info").json()
        return info

    def _only_project(self) -> str:
        info = self.info()
        projects: list[str] = [repo["id"] for repo in info.get("repos", ())]
        default: str | None = info.get("project")
        if default in projects:
            return default
        if len(projects) > 1:
            server = str(self.address._replace(project=None)).rstrip("/")
            listed = ", ".join(f"{server}/{name}" for name in projects[:5])
            raise UsageError(
                f"{self.address}: this server has {len(projects)} projects, so the address has to name one: "
                f"{listed}{' ...' if len(projects) > 5 else ''}"
            )
        return projects[0] if projects else default or DEFAULT_PROJECT

    # asking

    def ask(self, method: str, path: str, body: bytes | None = None, **options: Any) -> ServerAnswer:
        """
        Send one request and read its answer.

        Args:
            options: `content_type headers is_repeatable tries answer_s`; see `ServerRequest`.
        """
        with self.stream(ServerRequest(method, path, body, **options)) as stream:
            return ServerAnswer(stream.headers, stream.read())

    def ask_json(self, path: str, body: Mapping[str, Any], **options: Any) -> Any:
        """Post *body* as JSON, and return the answer, which is JSON; *options* as for `ask`."""
        return self.ask("POST", path, json_body(body), **options).json()

    def stream(self, request: ServerRequest) -> ServerStream:
        """Send one request, and return its answer to be read piece by piece."""
        number = 1
        while True:
            try:
                return self._stream_once(request)
            except (ServerUnreachable, ServerRefused) as error:
                pause_s = request.pause_s(error, number)
                if pause_s is None:
                    raise
            time.sleep(pause_s)
            number += 1

    def _stream_once(self, request: ServerRequest) -> ServerStream:
        used = self._sockets.take() if request.is_repeatable else self._sockets.open()
        answer = None
        try:
            token = self._checked_token(used)
            used.http.timeout = request.answer_s or self._answer_s
            used.http.sock.settimeout(used.http.timeout)
            used.http.request(request.method, request.path, request.body, _headers(request, token))
            answer = used.http.getresponse()
        except (OSError, http.client.HTTPException) as error:
            if not used.is_used or not isinstance(error, (ConnectionError, http.client.BadStatusLine)):
                raise unreachable(self.address, error) from error
        finally:
            if answer is None:
                used.http.close()
        if answer is None:  # the server closed it in that instant
            return self._stream_once(request)
        stream = ServerStream(self.address, self._sockets, used, answer)
        if answer.status == 200:
            return stream
        with stream:
            raise _refusal(self.address, answer, stream.read(REFUSAL_BYTES_MAX), token)

    def close(self) -> None:
        """Close the sockets that wait. The connection can be used again."""
        self._sockets.close()

    def _checked_token(self, used: ServerSocket) -> str | None:
        token = token_for(self.address) if self._token is None else self._token
        if token and not self.address.is_secure and os.environ.get(PLAIN_VARIABLE, "") in ("", "0"):
            peer = used.http.sock.getpeername()[0]
            if not is_private(peer):
                raise InsecureAddress(
                    f"{self.address}: over plain HTTP a token is sent to private networks only, and {peer} is none. "
                    f"Use https://, or an SSH tunnel. {PLAIN_VARIABLE}=1 sends it all the same."
                )
        return token


def json_body(body: Mapping[str, Any]) -> bytes:
    """Return the bytes of a body of JSON."""
    return json.dumps(body, separators=(",", ":"), allow_nan=False).encode()


def is_private(peer: str) -> bool:
    """
    Return whether the IP address *peer* belongs to this machine or to a private network.

    >>> is_private("127.0.0.1"), is_private("10.1.2.3"), is_private("fe80::1%eth0"), is_private("8.8.8.8")
    (True, True, True, False)
    """
    address = ipaddress.ip_address(peer.partition("%")[0])
    plain = getattr(address, "ipv4_mapped", None) or address
    return bool(plain.is_private or plain.is_loopback or plain.is_link_local)


def _headers(request: ServerRequest, token: str | None) -> dict[str, str]:
    headers = {"User-Agent": f"aim/{VERSION}", **request.headers}
    if request.body is not None:
        headers["Content-Type"] = request.content_type
    if token:
        headers["Authorization"] = f"Bearer {token}"
    return headers


def _refusal(
    address: ServerAddress, answer: http.client.HTTPResponse, content: bytes, token: str | None
) -> ServerRefused:
    try:
        body = json.loads(content)
    except ValueError:
        body = None
    members: dict[str, Any] = body if isinstance(body, dict) else {}
    kind = str(members.get("kind", ""))
    message = str(members.get("message") or f"HTTP {answer.status} {answer.reason or ''}".strip() + ".")
    if 300 <= answer.status < 400:
        kind, message = "redirect", f"It leads elsewhere: use the address {answer.headers.get('Location', '')!r}."
    elif answer.status == 401:
        message = f"{message} Give the token in AIM_TOKEN, or run `aim login {address}`."
    elif not kind:  # a proxy answers, or another program
        message = f"There is no Aim server here: {message}"
    if token:
        message = message.replace(token, "...")
    after = answer.headers.get("Retry-After", "").strip()
    return ServerRefused(
        f"{address}: {message}", answer.status, kind, float(after) if after.isdigit() else None, members
    )
