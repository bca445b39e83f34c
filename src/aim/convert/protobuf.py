"""
Messages of Protocol Buffers, decoded by tables of field numbers (protobuf.dev/programming-guides/encoding).

    message := field*       field := key value       key := varint (number << 3 | wire)
    wire 0 varint | 1 eight bytes | 2 a length and so many bytes | 5 four bytes

    EVENT = {1: MessageField("wall_time", DOUBLE), 2: MessageField("step", INT), 5: MessageField("summary", SUMMARY)}

The tables are what a format's page says. Fields that are not in a table are skipped. Why not the package `protobuf`:
docs/decisions/dependencies.md.

Rule: no message, however damaged, raises anything but `BadMessage`, or takes more than time linear in its length.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

DEPTH_MAX = 40
DOUBLE, FLOAT, INT, BOOL, TEXT, BYTES, PACKED_DOUBLE, PACKED_FLOAT, PACKED_INT = range(9)
"""Kinds of fields; one whose kind is a table is a message. `PACKED` ones come packed or one by one."""

_DOUBLE = struct.Struct("<d")
_FLOAT = struct.Struct("<f")
_WIDTHS = {1: 8, 5: 4}
_PACKED = frozenset({PACKED_DOUBLE, PACKED_FLOAT, PACKED_INT})


class BadMessage(ValueError):
    """Bytes that are no message."""


class MessageField(NamedTuple):
    """
    A field of a message.

    Attributes:
        kind: one of the above, or the table of a message.
        is_repeated: whether it may come several times, and is a list.
        is_map: whether it is a list of messages with the fields 1 `key` and 2 `value`, and becomes a dict.
    """

    name: str
    kind: Any
    is_repeated: bool = False
    is_map: bool = False


Table = Mapping[int, MessageField]


def varint(content: bytes, offset: int) -> tuple[int, int]:
    """
    Return the number at *offset*, and the offset after it.

    >>> varint(bytes([0xAC, 0x02]), 0)
    (300, 2)
    """
    value = shift = 0
    while True:
        if offset >= len(content):
            raise BadMessage("ends within a number")
        byte = content[offset]
        offset += 1
        if byte < 0x80:
            return (value | byte << shift) & 0xFFFFFFFFFFFFFFFF, offset
        value |= (byte & 0x7F) << shift
        shift += 7
        if shift > 63:
            raise BadMessage("a number of more than 64 bits")


def signed(value: int) -> int:
    """
    Return a number of 64 bits with its sign.

    >>> signed(2**64 - 3)
    -3
    """
    return value - (1 << 64) if value >= 1 << 63 else value


def decode(content: bytes, table: Table, depth: int = 0) -> dict[str, Any]:
    """
    Decode a message; fields that are not in it are not in the result.

    Raises:
        BadMessage: it is none.

    Cost: about 0.5 us a field.

    >>> table = {1: MessageField("step", INT), 3: MessageField("tags", TEXT, is_repeated=True)}
    >>> decode(bytes.fromhex("0803 1a02 6869"), table)
    {'step': 3, 'tags': ['hi']}
    """
    if depth > DEPTH_MAX:
        raise BadMessage(f"messages in messages, more than {DEPTH_MAX} deep")
    values: dict[str, Any] = {}
    for number, wire, raw in _fields(content):
        field = table.get(number)
        if field is None:
            continue
        name, kind, is_repeated, is_map = field
        if wire == 2 and kind == TEXT:
            value: Any = raw.decode("utf-8", "replace")
        elif kind.__class__ is not int:
            if wire != 2:
                raise BadMessage(f"{name} is no message")
            value = decode(raw, kind, depth + 1)
        elif kind in _PACKED:
            values.setdefault(name, []).extend(_UNPACKED[kind](raw, wire))
            continue
        else:
            value = _SCALARS[kind](raw, wire)
        if is_map:
            values.setdefault(name, {})[value.get("key")] = value.get("value")
        elif is_repeated:
            values.setdefault(name, []).append(value)
        else:
            values[name] = value
    return values


def _fields(content: bytes) -> Iterator[tuple[int, int, Any]]:
    """Yield the number of each field, its wire type, and its number or bytes."""
    offset, size = 0, len(content)
    while offset < size:
        key = content[offset]
        offset += 1
        if key >= 0x80:
            key, offset = varint(content, offset - 1)
        wire = key & 7
        if wire == 0:
            number, offset = varint(content, offset)
            yield key >> 3, wire, number
            continue
        if wire == 2 and offset < size and content[offset] < 0x80:
            length = content[offset]
            offset += 1
        elif wire == 2:
            length, offset = varint(content, offset)
        elif wire in _WIDTHS:
            length = _WIDTHS[wire]
        else:
            raise BadMessage(f"a field of wire type {wire}")
        end = offset + length
        if end > size:
            raise BadMessage("ends within a field")
        yield key >> 3, wire, content[offset:end]
        offset = end


def _double(raw: Any, wire: int) -> float:
    if wire != 1:
        raise BadMessage("a double of another size")
    number: float = _DOUBLE.unpack(raw)[0]
    return number


def _float(raw: Any, wire: int) -> float:
    if wire != 5:
        raise BadMessage("a float of another size")
    number: float = _FLOAT.unpack(raw)[0]
    return number


def _int(raw: Any, wire: int) -> int:
    if wire != 0:
        raise BadMessage("a number that is none")
    return signed(raw)


def _bool(raw: Any, wire: int) -> bool:
    return _int(raw, wire) != 0


def _text(raw: Any, wire: int) -> str:
    return _bytes(raw, wire).decode("utf-8", "replace")


def _bytes(raw: Any, wire: int) -> bytes:
    if wire != 2:
        raise BadMessage("a text that is none")
    content: bytes = raw
    return content


def _doubles(raw: Any, wire: int) -> list[float]:
    return _fixed(raw, wire, "d", 8) if wire == 2 else [_double(raw, wire)]


def _floats(raw: Any, wire: int) -> list[float]:
    return _fixed(raw, wire, "f", 4) if wire == 2 else [_float(raw, wire)]


def _fixed(raw: bytes, wire: int, code: str, width: int) -> list[float]:
    if len(raw) % width:
        raise BadMessage("numbers that are cut")
    return list(struct.unpack(f"<{len(raw) // width}{code}", raw))


def _ints(raw: Any, wire: int) -> list[int]:
    if wire != 2:
        return [_int(raw, wire)]
    numbers = []
    offset = 0
    while offset < len(raw):
        number, offset = varint(raw, offset)
        numbers.append(signed(number))
    return numbers


_SCALARS: dict[int, Callable[[Any, int], Any]] = {
    DOUBLE: _double,
    FLOAT: _float,
    INT: _int,
    BOOL: _bool,
    TEXT: _text,
    BYTES: _bytes,
}
_UNPACKED: dict[int, Callable[[Any, int], list[Any]]] = {
    PACKED_DOUBLE: _doubles,
    PACKED_FLOAT: _floats,
    PACKED_INT: _ints,
}
