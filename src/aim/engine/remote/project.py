"""
The requests about one project of a server: JSON there and back, with the errors of a folder, and what is read ahead.

**Reading ahead.** Who goes through the runs of an answer, or through its sequences, asks for one after another. So that
each does not cost a journey, what was asked for in the order of the last answer is read ahead, four times as much each
time.
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
GROWTH = 4

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
        read: returns the values of some names, in their order, or of the first of them, of one at least; None: there is
            no such one.
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
        return self.get_many([name])[0]

    def get_many(self, names: Sequence[Name]) -> list[Value | None]:
        """Return the values of *names*, which are distinct; None for each that there is none of."""
        with self._lock:
            taken, is_late = self._take(names)
            missing = [name for name in names if name not in taken]
            asked = self._with_next(missing, is_late) if missing else missing
        read: list[Value | None] = []
        while len(read) < len(missing):
            read += self._read(asked[len(read) :])
        now_s = time.monotonic()
        with self._lock:
            self._next -= len(asked) - len(read)
            for name, value in list(zip(asked, read))[len(missing) :]:
                self._values[name] = (now_s, value)
        taken.update(zip(missing, read))
        return [taken[name] for name in names]

    def _take(self, names: Sequence[Name]) -> tuple[dict[Name, Value | None], bool]:
        """Return what was read ahead of *names*, and whether some of it has become too old for use."""
        now_s = time.monotonic()
        kept = {name: self._values.pop(name) for name in names if name in self._values}
        fresh = {name: value for name, (read_at_s, value) in kept.items() if now_s - read_at_s <= FRESH_S}
        return fresh, len(fresh) < len(kept)

    def _with_next(self, missing: list[Name], is_late: bool) -> list[Name]:
        """Return the names to read for *missing*; *is_late*: what was read ahead had become too old for use."""
        if self._indices is None:
            self._indices = {name: index for index, name in enumerate(self._order)}
        index = self._indices.get(missing[0])
        if index is None or (index < self._next and not is_late):
            return missing
        goes_on = index == self._next
        self._size = min(GROWTH * self._size, self._size_max) if goes_on else 1
        upcoming = self._order[index : index + max(self._size, len(missing))]
        self._next = index + len(upcoming)
        if not goes_on:
            self._values = {}
        return list(dict.fromkeys([*missing, *upcoming]))


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
