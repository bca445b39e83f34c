"""
The requests about one project of a server: JSON there and back, with the errors of a folder, and what is read ahead.

**Reading ahead.** Who goes through the runs of an answer, or through its sequences, asks for one after another. So that
each does not cost a journey, what was asked for in the order of the last answer is read ahead, twice as much each time.
What was read ahead is given once, and within `FRESH_S`; so it is at most that old. Anything else is as new as the
request. A change made through this project forgets what was read ahead.
"""

from __future__ import annotations

import os
import threading
import time
import urllib.parse
from collections.abc import Callable, Hashable, Mapping, Sequence
from datetime import datetime, timezone, tzinfo
from pathlib import Path
from typing import Any, Generic, TypeVar

from aim.core.errors import ServerRefused
from aim.core.zones import ProcessZone
from aim.engine.remote.connection import ServerConnection, ServerRequest, ServerStream, json_body
from aim.engine.remote.refusals import error_of

FRESH_S = 2.0

Name = TypeVar("Name", bound=Hashable)
Value = TypeVar("Value")


class Project:
    """Asks one project through *connection*."""

    def __init__(self, connection: ServerConnection) -> None:
        self.connection = connection

    def post(
        self,
        name: str,
        body: Mapping[str, Any],
        *,
        query: str = "",
        zone: tzinfo | None = None,
        is_repeatable: bool = True,
    ) -> Any:
        """
        Post *body* to `…/<name>`, and return the answer, which is JSON.

        Args:
            query: the query in *body*, for errors in it.
            zone: that of the reader, on whose clock the times in the query are; None: that of this process.
        """
        path = self._path(name)
        if query:
            path += f"?zone={urllib.parse.quote(zone_text(zone), safe='')}"
        try:
            return self.connection.ask_json(path, body, is_repeatable=is_repeatable)
        except ServerRefused as refused:
            raise error_of(refused, query) from None

    def send(self, method: str, name: str, body: Mapping[str, Any] | None = None) -> Any:
        """Send a request of any method once, and return the answer, which is JSON."""
        content = None if body is None else json_body(body)
        try:
            return self.connection.ask(method, self._path(name), content, is_repeatable=method == "GET").json()
        except ServerRefused as refused:
            raise error_of(refused) from None

    def stream(self, method: str, name: str, body: Mapping[str, Any] | None = None) -> ServerStream:
        """Send a request, and return the answer to be read piece by piece."""
        content = None if body is None else json_body(body)
        try:
            return self.connection.stream(ServerRequest(method, self._path(name), content))
        except ServerRefused as refused:
            raise error_of(refused) from None

    def _path(self, name: str) -> str:
        try:
            return self.connection.path(name)
        except ServerRefused as refused:
            raise error_of(refused) from None


class Ahead(Generic[Name, Value]):
    """
    Reads ahead in the order of the last answer. Any thread may ask.

    Args:
        read: returns the values of some names, in their order; None: there is no such one.
        size_max: the largest number of names that are read at once.
    """

    def __init__(self, read: Callable[[Sequence[Name]], Sequence[Value | None]], size_max: int) -> None:
        self._read = read
        self._size_max = size_max
        self._order: Sequence[Name] = ()
        self._indices: dict[Name, int] | None = None
        self._next = 0
        self._size = 1
        self._values: dict[Name, tuple[float, Value | None]] = {}
        self._lock = threading.Lock()

    def expect(self, order: Sequence[Name]) -> None:
        """Expect that values are asked for in this order."""
        with self._lock:
            self._order, self._indices, self._next, self._size = order, None, 0, 1
            self._values = {}

    def forget(self) -> None:
        """Forget what was read ahead."""
        with self._lock:
            self._values = {}

    def get(self, name: Name) -> Value | None:
        """Return the value of *name*; None when there is none."""
        with self._lock:
            read_at_s, value = self._values.pop(name, (0.0, None))
            is_fresh = time.monotonic() - read_at_s <= FRESH_S
            if read_at_s and is_fresh:
                return value
            names = self._names_from(name, is_late=bool(read_at_s))
        values = self._read(names)
        now_s = time.monotonic()
        with self._lock:
            for other, read in zip(names[1:], values[1:], strict=True):
                self._values[other] = (now_s, read)
        return values[0]

    def _names_from(self, name: Name, is_late: bool) -> Sequence[Name]:
        """Return the names to read for *name*; *is_late*: what was read ahead had become too old for use."""
        if self._indices is None:
            self._indices = {other: index for index, other in enumerate(self._order)}
        index = self._indices.get(name)
        if index is None or (index < self._next and not is_late):
            return [name]
        self._size = min(2 * self._size, self._size_max) if index == self._next else 1
        self._next = index + self._size
        if is_late or self._size == 1:
            self._values = {}
        return self._order[index : self._next]


def zone_text(zone: tzinfo | None) -> str:
    """
    Return a time zone as the interface takes it: its name, and its offset now for a server that does not know the name.

    >>> zone_text(timezone.utc)
    'UTC,+00:00'
    """
    moment = datetime.now(timezone.utc)
    local = moment.astimezone() if zone is None or isinstance(zone, ProcessZone) else moment.astimezone(zone)
    offset = local.strftime("%z")
    names = [_name_of(zone), f"{offset[:3]}:{offset[3:5]}"]
    return ",".join(name for name in names if name)


def _name_of(zone: tzinfo | None) -> str | None:
    if zone is not None and not isinstance(zone, ProcessZone):
        name = getattr(zone, "key", None)
        return name if isinstance(name, str) else "UTC" if zone is timezone.utc else None
    said = os.environ.get("TZ", "").lstrip(":")
    if said:
        return said if said.replace("/", "").replace("_", "").isalpha() else None
    _, _, name = Path(os.path.realpath("/etc/localtime")).as_posix().partition("/zoneinfo/")
    return name or None
