"""
The bodies of requests: read up to a bound, and checked.

A `Body` returns each member by name and type, or its default. A member of another type refuses the request, with a
message that names the member and what it must be.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Collection, Mapping
from datetime import tzinfo
from typing import Any, TypeVar

from starlette.requests import Request

from aim.core import contexts
from aim.core.errors import UntrackableValue, UsageError
from aim.core.zones import read_zone
from aim.engine.matching import as_expression
from aim.server.answers import JSON_TYPE, Refusal, wrong

BODY_BYTES_MAX = 2 << 20  # a document of 1 MB as JSON with escapes; a request for 50,000 runs
QUERY_CHARS_MAX = 20_000
RUNS_MAX = 100_000
KEYS_MAX = 1_000
WHOLE_MAX = 1 << 1023
SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")

Value = TypeVar("Value")
Key = tuple[str, str | None]
"""The name of a sequence and the text of its context; None: every context."""


async def read_body(request: Request, bytes_max: int = BODY_BYTES_MAX) -> Body:
    """
    Read the JSON body of a request.

    Raises:
        Refusal: the body is not a JSON object, or larger than *bytes_max*.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != JSON_TYPE:
        raise Refusal(415, "request", f"The body has to be {JSON_TYPE}.")
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > bytes_max:
            raise Refusal(413, "request", f"The body is over {bytes_max:,} bytes.")
    return Body.from_json(bytes(content), zone=zone_of(request))


def zone_of(request: Request) -> tzinfo:
    """
    Return the time zone of the reader: `zone` in the query string; without it that of this process.

    Raises:
        Refusal: this machine knows none of the zones in it.
    """
    text = request.query_params.get("zone")
    try:
        return read_zone(text or None)
    except UsageError as error:
        raise wrong(f"`zone`: {error}") from None


class Body:
    """
    The members of a JSON object, read by name and type.

    Attributes:
        zone: the time zone of the reader, on whose clock the times in a query are.
    """

    def __init__(self, members: Mapping[str, Any], where: str = "", zone: tzinfo | None = None) -> None:
        self._members = members
        self._where = where
        self.zone = read_zone(zone)

    @classmethod
    def from_json(cls, content: bytes | str, zone: tzinfo | None = None) -> Body:
        """Read a JSON object. Raises Refusal."""
        try:
            content = content.decode() if isinstance(content, bytes) else content
            members = json.loads(content)
            if SURROGATE.search(content):
                json.dumps(members, ensure_ascii=False).encode()  # half of a character can't be stored or sent
        except (ValueError, RecursionError):
            raise wrong("The body is not JSON.") from None
        if not isinstance(members, dict):
            raise wrong("The body has to be a JSON object.")
        return cls(members, zone=zone)

    def __contains__(self, name: str) -> bool:
        return name in self._members

    def names(self) -> Collection[str]:
        """Return the names of the members."""
        return self._members.keys()

    def _name(self, name: str) -> str:
        return f"{self._where}.{name}" if self._where else name

    def _refuse(self, name: str, expected: str) -> Refusal:
        text = json.dumps(self._members.get(name))
        return wrong(f"`{self._name(name)}` must be {expected}, got {text if len(text) < 60 else text[:57] + '...'}.")

    def text(self, name: str, default: str = "", chars_max: int = QUERY_CHARS_MAX) -> str:
        """Return a string."""
        value = self._members.get(name, default)
        if not isinstance(value, str):
            raise self._refuse(name, "a string")
        if len(value) > chars_max:
            raise wrong(f"`{self._name(name)}` has {len(value):,} characters; at most {chars_max:,} are read.")
        return value

    def query(self) -> str:
        """Return the query of a request; words that people look for are a query too, see `aim.query.words`."""
        return as_expression(self.text("query"))

    def search(self) -> str | None:
        """Return words that people look for as an expression; None when the query of the request is one itself."""
        text, query = self.text("query"), self.query()
        return None if query == text else query

    def text_or_none(self, name: str, chars_max: int = 1 << 20) -> str | None:
        """Return a string, or None."""
        return None if self._members.get(name) is None else self.text(name, chars_max=chars_max)

    def whole(self, name: str, default: int, low: int, high: int) -> int:
        """Return an integer between *low* and *high*."""
        value = self._members.get(name, default)
        value = default if value is None else value
        if isinstance(value, bool) or not isinstance(value, int):
            raise self._refuse(name, "an integer")
        if value < low:
            raise wrong(f"`{self._name(name)}` must be {low} or more, got {value}.")
        if value > high:
            raise wrong(f"`{self._name(name)}` must be {high} or less, got {value}.")
        return value

    def number(self, name: str, default: float = 0.0) -> float:
        """Return a finite number."""
        value = self._members.get(name, default)
        if not _is_finite(value):
            raise self._refuse(name, "a number")
        return float(value)

    def flag(self, name: str) -> bool:
        """Return true or false."""
        value = self._members.get(name, False)
        if not isinstance(value, bool):
            raise self._refuse(name, "true or false")
        return value

    def choice(self, name: str, choices: Collection[str], default: str | None = None) -> str:
        """Return one of *choices*."""
        value = self._members.get(name, default)
        if value not in choices:
            raise self._refuse(name, f"one of {', '.join(choices)}")
        return str(value)

    def items(self, name: str, count_max: int = RUNS_MAX) -> list[Any] | None:
        """Return a list, or None."""
        value = self._members.get(name)
        if value is None:
            return None
        if not isinstance(value, list) or len(value) > count_max:
            raise self._refuse(name, f"a list of at most {count_max:,}")
        return value

    def texts(self, name: str, count_max: int = RUNS_MAX) -> list[str] | None:
        """Return a list of strings, or None."""
        values = self.items(name, count_max)
        if values is not None and not all(isinstance(value, str) for value in values):
            raise self._refuse(name, "a list of strings")
        return values

    def inner(self, name: str) -> Body | None:
        """Return a JSON object, or None."""
        value = self._members.get(name)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise self._refuse(name, "an object")
        return Body(value, self._name(name))

    def each(self, name: str, read: Callable[[Any, str], Value], count_max: int = KEYS_MAX) -> list[Value] | None:
        """Return a list, each item read by *read*, or None."""
        values = self.items(name, count_max)
        if values is None:
            return None
        return [read(value, f"{self._name(name)}[{index}]") for index, value in enumerate(values)]

    def window(self, name: str) -> tuple[float, float] | None:
        """Return two numbers in order, or None."""
        values = self.items(name, 2)
        if values is None:
            return None
        if len(values) != 2 or not all(_is_finite(value) for value in values) or values[0] > values[1]:
            raise self._refuse(name, "two numbers, the lower one first")
        return float(values[0]), float(values[1])

    def raw(self, name: str) -> Any:
        """Return the member unchecked; None when there is none."""
        return self._members.get(name)


def _is_finite(value: object) -> bool:
    if isinstance(value, int):  # an integer of 400 digits is not a double
        return not isinstance(value, bool) and abs(value) < WHOLE_MAX
    return isinstance(value, float) and math.isfinite(value)


def read_key(value: Any, where: str) -> Key:
    """
    Read the key of a sequence.

    >>> read_key({"name": "loss", "context": {"subset": "val"}}, "metrics[0]")
    ('loss', '{"subset":"val"}')
    """
    if not isinstance(value, dict) or not isinstance(value.get("name"), str):
        raise wrong(f'`{where}` must be a sequence key, such as {{"name":"loss","context":{{"subset":"val"}}}}.')
    context = value.get("context")
    return value["name"], None if context is None else context_text(context, f"{where}.context")


def context_text(value: Any, where: str) -> str:
    """Return the text of a context of a request. Raises Refusal."""
    if not isinstance(value, dict):
        raise wrong(f"`{where}` must be an object.")
    try:
        return contexts.text(value)
    except UntrackableValue as error:
        raise wrong(f"`{where}`: {error}") from None
