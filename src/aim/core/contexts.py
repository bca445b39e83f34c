"""
Contexts of sequences, and when two of them are equal.

A context is a dict of plain values; None is the empty context. Two contexts are equal when they are equal as dicts, in
any order of keys; numbers compare by value (`1`, `1.0` and `True` are equal), and a tuple equals a list.
The *text* of a context is its JSON with sorted keys and numbers in one form, so equal contexts have equal texts.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from aim.core.errors import UntrackableValue
from aim.core.hashing import blake2b
from aim.core.values import is_number, number

ContextDict = dict[str, Any]


def plain(context: object) -> ContextDict:
    """
    Return *context* as a dict of plain values, in the caller's order.

    Accepts None, a mapping, or anything with `to_dict()`. Numbers of other libraries become Python's, tuples lists.

    Raises:
        UntrackableValue: a context can't have a key or value; the message has its path.
        OverflowError: an int outside 64 bits.

    >>> plain({"subset": "train", "fold": (1, 2)})
    {'subset': 'train', 'fold': [1, 2]}
    """
    if context is None:
        return {}
    to_dict = getattr(context, "to_dict", None)
    if to_dict is not None:
        context = to_dict()
    if not isinstance(context, Mapping):
        raise UntrackableValue(
            f"context is a {type(context).__name__}; it has to be a dict, such as {{'subset': 'train'}}."
        )
    return _plain_dict(context, "context")


def text(context: object) -> str:
    """
    Return the text of *context*; equal contexts have equal texts.

    >>> text({"b": 1.0, "a": (True,)})
    '{"a":[1],"b":1}'
    """
    if context is None:
        return "{}"
    if isinstance(context, dict):
        try:
            return _text_of(tuple(context.items()))
        except TypeError:  # a value that can't be hashed, such as a list
            pass
    return _text(context)


@lru_cache(4096)
def _text_of(items: tuple[tuple[Any, Any], ...]) -> str:
    # the cache may confuse equal items, such as 1 and True: they have equal texts
    return _text(dict(items))


def _text(context: object) -> str:
    return json.dumps(_unified(plain(context)), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def identity(context: object) -> int:
    """
    Return a 64-bit number that is the same for equal contexts, in every process: the BLAKE2b-64 of the text.

    >>> identity({}) == identity(None)
    True
    """
    data = text(context).encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(data, digest_size=8).digest(), "little", signed=True)


def _key(key: object, where: str) -> str:
    if isinstance(key, str):
        return str.__str__(key)  # the plain text of a subclass, such as an enum
    if isinstance(key, int):
        return str(int(key))
    raise UntrackableValue(f"{where} has the key {key!r}, a {type(key).__name__}; keys have to be strings.")


def _plain(value: object, where: str) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, Mapping):
        return _plain_dict(value, where)
    if isinstance(value, (list, tuple)):
        return [_plain(item, f"{where}[{index}]") for index, item in enumerate(value)]
    if is_number(value):
        return number(value)
    raise UntrackableValue(
        f"{where} is a {type(value).__name__}; a context holds strings, numbers, booleans, None, and dicts or lists of "
        "them."
    )


def _plain_dict(mapping: Mapping[object, object], where: str) -> ContextDict:
    items = {_key(key, where): _plain(value, f"{where}.{key}") for key, value in mapping.items()}
    if len(items) < len(mapping):
        raise UntrackableValue(f"{where} has a key twice, as a number and as a string: {sorted(items)}.")
    return items


def _unified(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _unified(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_unified(item) for item in value]
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            return {"$float": repr(value)}
        if value.is_integer():
            return int(value)
    return value
