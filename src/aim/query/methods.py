"""
The methods and attributes of plain values that a query may use. They read a value and never change it.

    METHODS      "startswith" -> {str: ..., bytes: ...}       by name, then by type
    ATTRIBUTES   datetime -> {"year", ...}                    the attributes of a dict are its keys: `run.hparams.lr`

`attribute` and `call_method` use only these tables, so a query can't reach any other attribute of a Python object.
A method that the type of the value does not have returns `MISSING`; `check` refuses a name that no type has.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from aim.core.value_objects import ValueObject
from aim.query.functions import ARGUMENTS_MAX, Clock, sized
from aim.query.limits import bounded, check_size, check_width
from aim.query.operators import MISSING, subscript
from aim.query.regex import Match

STRFTIME = re.compile(r"(?:[^%]|%[A-Za-z%]){0,200}")


class TypeMethod(ValueObject):
    """A method of one type; *least* and *most* count its arguments, without keywords."""

    call: Callable[..., object]
    least: int
    most: int
    keywords: frozenset[str] = frozenset()
    clocked: bool = False


def _replace(text: Any, old: Any, new: Any, count: int = -1) -> object:
    replaced_count = text.count(old) if count < 0 else min(count, text.count(old))
    check_size(len(text) + replaced_count * len(new))
    return text.replace(old, new, count)


def _join(text: Any, items: Any) -> object:
    check_size(sum(len(item) + len(text) for item in sized(items)))
    return text.join(items)


def _padded(name: str) -> Callable[..., object]:
    def padded(text: Any, width: int, *fill: Any) -> object:
        check_width(width)
        return getattr(text, name)(width, *fill)

    return padded


def _expandtabs(text: Any, width: int = 8) -> object:
    check_width(width)
    check_size(len(text) + text.count("\t") * max(0, width))
    return text.expandtabs(width)


def _strftime(moment: Any, form: str) -> str:
    if not STRFTIME.fullmatch(form):
        raise ValueError("a format of a time has letters after its `%`, and at most 200 characters")
    return moment.strftime(form)  # type: ignore[no-any-return]


def _replace_parts(moment: Any, **parts: int) -> object:
    if not all(isinstance(part, int) for part in parts.values()):
        raise TypeError("replace() takes integers")
    return moment.replace(**parts)


def _get(value: Any, key: Any, default: Any = None) -> object:
    try:
        return subscript(value, key)
    except LookupError:
        return default


def _plain(kind: type, names: str, least: int, most: int, keywords: str = "") -> dict[str, TypeMethod]:
    """Return Python's own methods *names*, which are safe: their results are not much longer than their arguments."""
    return {
        name: TypeMethod(_bounded(getattr(kind, name)), least, most, frozenset(keywords.split()))
        for name in names.split()
    }


def _bounded(method: Callable[..., object]) -> Callable[..., object]:
    return lambda *arguments, **keywords: bounded(method(*arguments, **keywords))


_STR: dict[str, TypeMethod] = {
    **_plain(str, "lower upper title capitalize casefold swapcase", 0, 0),
    **_plain(
        str, "isalpha isdigit isalnum isnumeric isdecimal isspace islower isupper istitle isidentifier isascii", 0, 0
    ),
    **_plain(str, "strip lstrip rstrip", 0, 1),
    **_plain(str, "startswith endswith find rfind index rindex count", 1, 3),
    **_plain(str, "split rsplit", 0, 2, "sep maxsplit"),
    **_plain(str, "splitlines", 0, 1, "keepends"),
    **_plain(str, "partition rpartition removeprefix removesuffix", 1, 1),
    "replace": TypeMethod(_replace, 2, 3),
    "join": TypeMethod(_join, 1, 1),
    "center": TypeMethod(_padded("center"), 1, 2),
    "ljust": TypeMethod(_padded("ljust"), 1, 2),
    "rjust": TypeMethod(_padded("rjust"), 1, 2),
    "zfill": TypeMethod(_padded("zfill"), 1, 1),
    "expandtabs": TypeMethod(_expandtabs, 0, 1),
    "encode": TypeMethod(lambda text: text.encode(), 0, 0),
}
_BYTES: dict[str, TypeMethod] = {
    **_plain(bytes, "lower upper hex", 0, 0),
    **_plain(bytes, "startswith endswith find rfind index count", 1, 3),
    "decode": TypeMethod(lambda data: data.decode(), 0, 0),
}
_DICT: dict[str, TypeMethod] = {
    "keys": TypeMethod(lambda items: list(items), 0, 0),
    "values": TypeMethod(lambda items: list(items.values()), 0, 0),
    "items": TypeMethod(lambda items: list(items.items()), 0, 0),
    "get": TypeMethod(_get, 1, 2),
}
_SET: dict[str, TypeMethod] = {
    name: TypeMethod(
        lambda members, *others, _name=name: bounded(getattr(members, _name)(*map(sized, others))),
        1,
        1 if name[0] == "i" and name != "intersection" else ARGUMENTS_MAX,
    )
    for name in ["union", "intersection", "difference", "symmetric_difference", "issubset", "issuperset", "isdisjoint"]
}
_DATE: dict[str, TypeMethod] = {
    "weekday": TypeMethod(lambda moment: moment.weekday(), 0, 0),
    "isoweekday": TypeMethod(lambda moment: moment.isoweekday(), 0, 0),
    "isocalendar": TypeMethod(lambda moment: tuple(moment.isocalendar()), 0, 0),
    "isoformat": TypeMethod(lambda moment: moment.isoformat(), 0, 0),
    "strftime": TypeMethod(_strftime, 1, 1),
    "replace": TypeMethod(
        _replace_parts, 0, 0, frozenset(["year", "month", "day", "hour", "minute", "second", "microsecond"])
    ),
}
_DATETIME: dict[str, TypeMethod] = {
    **_DATE,
    "date": TypeMethod(lambda moment: moment.date(), 0, 0),
    "time": TypeMethod(lambda moment: moment.time(), 0, 0),
    "timestamp": TypeMethod(lambda clock, moment: clock.seconds(moment), 0, 0, clocked=True),
}
_MATCH: dict[str, TypeMethod] = {
    "group": TypeMethod(lambda match, *groups: match.group(*groups), 0, 9),
    "groups": TypeMethod(lambda match, default=None: match.groups(default), 0, 1),
    "groupdict": TypeMethod(lambda match, default=None: match.groupdict(default), 0, 1),
    "start": TypeMethod(lambda match, group=0: match.start(group), 0, 1),
    "end": TypeMethod(lambda match, group=0: match.end(group), 0, 1),
    "span": TypeMethod(lambda match, group=0: match.span(group), 0, 1),
}
BY_TYPE: dict[type, dict[str, TypeMethod]] = {
    str: _STR,
    bytes: _BYTES,
    dict: _DICT,
    list: _plain(list, "index count", 1, 3),
    tuple: _plain(tuple, "index count", 1, 3),
    set: _SET,
    frozenset: _SET,
    int: {"bit_length": TypeMethod(int.bit_length, 0, 0), "bit_count": TypeMethod(int.bit_count, 0, 0)},
    bool: {"bit_length": TypeMethod(int.bit_length, 0, 0), "bit_count": TypeMethod(int.bit_count, 0, 0)},
    float: {"is_integer": TypeMethod(float.is_integer, 0, 0), "hex": TypeMethod(float.hex, 0, 0)},
    complex: {"conjugate": TypeMethod(complex.conjugate, 0, 0)},
    datetime: _DATETIME,
    date: _DATE,
    time: {"isoformat": _DATE["isoformat"], "strftime": _DATE["strftime"]},
    timedelta: {"total_seconds": TypeMethod(timedelta.total_seconds, 0, 0)},
    Match: _MATCH,
}
"""The methods of each type, by name."""

METHODS: dict[str, dict[type, TypeMethod]] = {}
"""The types that have a method, by its name."""
for _kind, _methods in BY_TYPE.items():
    for _name, _method in _methods.items():
        METHODS.setdefault(_name, {})[_kind] = _method

_DAY = frozenset({"year", "month", "day"})
_HOURS = frozenset({"hour", "minute", "second", "microsecond"})
ATTRIBUTES: dict[type, frozenset[str]] = {
    datetime: _DAY | _HOURS,
    date: _DAY,
    time: _HOURS,
    timedelta: frozenset({"days", "seconds", "microseconds"}),
    complex: frozenset({"real", "imag"}),
}
"""The attributes of each type but dict, whose attributes are its keys."""


def attribute(value: Any, name: str) -> object:
    """
    Return `value.name`: the item of a dict with this key, or an attribute in `ATTRIBUTES`.

    >>> attribute({"lr": 0.1}, "lr"), attribute(datetime(2024, 5, 1), "month"), attribute("adam", "__class__")
    (0.1, 5, MISSING)
    """
    if isinstance(value, Mapping):
        return value.get(name, MISSING)
    if name in ATTRIBUTES.get(type(value), ()):
        return getattr(value, name)
    return MISSING


def call_method(
    clock: Clock, value: Any, name: str, arguments: Sequence[object], keywords: dict[str, object]
) -> object:
    """
    Call a method of a plain value; `get` of anything but a dict returns its default.

    >>> call_method(Clock(0.0), "adamw", "startswith", ["adam"], {})
    True
    """
    if name == "get" and not isinstance(value, dict):
        return arguments[1] if len(arguments) > 1 else None
    if value is MISSING or any(item is MISSING for item in (*arguments, *keywords.values())):
        return MISSING
    method = METHODS[name].get(type(value))
    if method is None or not method.least <= len(arguments) + len(keywords) or len(arguments) > method.most:
        return MISSING
    if method.clocked:
        return method.call(clock, value, *arguments)
    return method.call(value, *arguments, **keywords)
