"""
Keys and values of Aim 3's trees, and the fold of a part of a tree into plain Python values.

    key    := part*                    part := text FE | FE int64-big-endian FE       (FE: the byte 0xFE)
    value  := type byte, content       0 None | 1 bool | 2 int64 | 3 float64 | 4 text | 5 bytes | 6 list | 7 dict
                                       15 object, content = its name; its fields follow under its key
    nothing at all                     content over some size: the value is under the key `BLOBS` FE key

A list has its items under ints, a dict under its keys. Sequences are lists too, whose indexes are steps or hashes of 64
bits: those are never folded.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Any, NamedTuple

END = 0xFE
INT_PART_BYTES = 10
NONE, BOOL, INT, FLOAT, TEXT, BYTES, LIST, DICT, OBJECT = 0, 1, 2, 3, 4, 5, 6, 7, 15
BLOBS = b"BLOBS\xfe"

_INT_PART = struct.Struct(">q")
_INT = struct.Struct("<q")
_FLOAT = struct.Struct("<d")

Part = str | int
Path = tuple[Part, ...]


class BadValue(ValueError):
    """Bytes that are no value of Aim 3."""


class Marker(NamedTuple):
    """What says that a list, a dict or an object begins at a path; *name*: of the object's type."""

    kind: int
    name: str = ""


class StoredFields(NamedTuple):
    """An object: the name of its type, such as `aim.image`, and its fields."""

    name: str
    fields: dict[Any, Any]


def path_of(key: bytes) -> Path:
    r"""
    Return the parts of a key.

    >>> path_of(b"meta\xfe\xfe\x00\x00\x00\x00\x00\x00\x00\x07\xfe\xfe")
    ('meta', 7, '')
    """
    parts: list[Part] = []
    offset, size = 0, len(key)
    while offset < size:
        if key[offset] == END and offset + INT_PART_BYTES <= size and key[offset + 9] == END:
            parts.append(int(_INT_PART.unpack_from(key, offset + 1)[0]))
            offset += INT_PART_BYTES
            continue
        end = key.find(END, offset)
        end = size if end < 0 else end
        parts.append(key[offset:end].decode("utf-8", "replace"))
        offset = end + 1
    return tuple(parts)


def int_part(number: int) -> bytes:
    """Return an int as a part of a key."""
    return b"\xfe" + _INT_PART.pack(number) + b"\xfe"


def text_part(text: str) -> bytes:
    """Return a text as a part of a key."""
    return text.encode("utf-8", "replace") + b"\xfe"


def value_of(content: bytes) -> Any:
    r"""
    Return the value of its bytes, or a `Marker`.

    Raises:
        BadValue: there is no such type, or the content is cut.

    >>> value_of(b"\x02\x03\0\0\0\0\0\0\0"), value_of(b"\x04relu"), value_of(b"\x06")
    (3, 'relu', Marker(kind=6, name=''))
    """
    if not content:
        raise BadValue("is empty")
    kind, body = content[0], content[1:]
    try:
        if kind == INT:
            return int(_INT.unpack(body)[0])
        if kind == FLOAT:
            return float(_FLOAT.unpack(body)[0])
    except struct.error as error:
        raise BadValue(f"a number of {len(body)} bytes") from error
    if kind == TEXT:
        return body.decode("utf-8", "replace")
    if kind == NONE:
        return None
    if kind == BOOL:
        return body != b"\0"
    if kind == BYTES:
        return body
    if kind in (LIST, DICT):
        return Marker(kind)
    if kind == OBJECT:
        return Marker(kind, body.decode("utf-8", "replace"))
    raise BadValue(f"has the type {kind}")


class _Node:
    """One point of a tree being folded: its own value, and what is below it."""

    __slots__ = ("below", "value")

    def __init__(self) -> None:
        self.value: Any = Marker(DICT)
        self.below: dict[Part, _Node] = {}


def fold(entries: Iterable[tuple[Path, Any]]) -> Any:
    """
    Return the plain value that a part of a tree holds.

    Args:
        entries: paths from its root, and values.

    >>> fold([(("layers",), Marker(LIST)), (("layers", 0), 64), (("layers", 1, "act"), "relu"), (("lr",), 0.1)])
    {'layers': [64, {'act': 'relu'}], 'lr': 0.1}
    """
    root = _Node()
    for path, value in entries:
        node = root
        for part in path:
            node = node.below.setdefault(part, _Node())
        node.value = value
    return _plain(root)


def _plain(node: _Node) -> Any:
    value = node.value
    if not isinstance(value, Marker):
        return value
    below = {part: _plain(each) for part, each in node.below.items()}
    if value.kind == OBJECT:
        return StoredFields(value.name, below)
    if value.kind == LIST and all(isinstance(part, int) for part in below):
        return [below[part] for part in sorted(below, key=_index)]
    return below


def _index(part: Part) -> int:
    return part if isinstance(part, int) else 0
