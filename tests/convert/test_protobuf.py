"""
Messages of Protocol Buffers: what an encoder writes is read back, and nothing else than `BadMessage` is raised.
"""

from __future__ import annotations

import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aim.convert.protobuf import (
    BOOL,
    BYTES,
    DEPTH_MAX,
    DOUBLE,
    FLOAT,
    INT,
    PACKED_DOUBLE,
    PACKED_INT,
    TEXT,
    BadMessage,
    MessageField,
    Table,
    decode,
)

ITEM: Table = {1: MessageField("key", TEXT), 16: MessageField("json", TEXT)}
TABLE: Table = {
    1: MessageField("step", INT),
    2: MessageField("wall", DOUBLE),
    3: MessageField("ratio", FLOAT),
    4: MessageField("done", BOOL),
    5: MessageField("raw", BYTES),
    6: MessageField("tags", TEXT, is_repeated=True),
    7: MessageField("items", ITEM, is_repeated=True),
    8: MessageField("labels", {1: MessageField("key", TEXT), 2: MessageField("value", INT)}, is_map=True),
    9: MessageField("steps", PACKED_INT),
    300: MessageField("values", PACKED_DOUBLE),
}
INTS = st.integers(-(2**63), 2**63 - 1)
MESSAGES = st.fixed_dictionaries(
    {},
    optional={
        "step": INTS,
        "wall": st.floats(allow_nan=False),
        "ratio": st.floats(width=32, allow_nan=False),
        "done": st.booleans(),
        "raw": st.binary(max_size=300),
        "tags": st.lists(st.text(max_size=200), min_size=1, max_size=3),
        "items": st.lists(
            st.fixed_dictionaries({}, optional={"key": st.text(), "json": st.text()}), min_size=1, max_size=3
        ),
        "labels": st.dictionaries(st.text(max_size=5), INTS, min_size=1, max_size=3),
        "steps": st.lists(INTS, min_size=1, max_size=5),
        "values": st.lists(st.floats(allow_nan=False), min_size=1, max_size=5),
    },
)


def varint(number: int) -> bytes:
    """Encode a number, a negative one as its 64 bits."""
    number %= 1 << 64
    content = b""
    while number >= 0x80:
        content += bytes([number & 0x7F | 0x80])
        number >>= 7
    return content + bytes([number])


def field(number: int, wire: int, content: bytes) -> bytes:
    """Encode a field."""
    length = varint(len(content)) if wire == 2 else b""
    return varint(number << 3 | wire) + length + content


def encoded_value(number: int, kind: Any, value: Any) -> bytes:
    """Encode one value of a field."""
    if kind in (INT, BOOL):
        return field(number, 0, varint(int(value)))
    if kind in (DOUBLE, FLOAT):
        return field(number, 1 if kind == DOUBLE else 5, struct.pack("<d" if kind == DOUBLE else "<f", value))
    return field(number, 2, value.encode() if kind == TEXT else value)


def encoded(message: dict[str, Any], table: Table) -> bytes:
    """Encode a message as the page of the format says."""
    content = b""
    for number, (name, kind, is_repeated, is_map) in table.items():
        if name not in message:
            continue
        value = message[name]
        if is_map:
            value = [{"key": key, "value": each} for key, each in value.items()]
        if kind.__class__ is not int:
            content += b"".join(field(number, 2, encoded(each, kind)) for each in value)
        elif kind == PACKED_INT:
            content += field(number, 2, b"".join(map(varint, value)))
        elif kind == PACKED_DOUBLE:
            content += field(number, 2, struct.pack(f"<{len(value)}d", *value))
        else:
            content += b"".join(encoded_value(number, kind, each) for each in (value if is_repeated else [value]))
    return content


@given(MESSAGES)
def test_what_was_encoded_is_read_back(message: dict[str, Any]) -> None:
    """
    Each field of each kind comes back, and fields that no table names are skipped.
    """
    unknown = field(99, 2, b"x" * 200) + field(98, 0, varint(2**64 - 1)) + field(97, 5, b"1234")

    assert message == decode(encoded(message, TABLE) + unknown, TABLE)


@given(MESSAGES, st.data())
def test_a_damaged_message_is_called_bad_or_is_another_one(message: dict[str, Any], data: st.DataObject) -> None:
    """
    A message that was cut, or had a byte changed, raises nothing but `BadMessage`.
    """
    content = bytearray(encoded(message, TABLE))
    if content:
        position = data.draw(st.integers(0, len(content) - 1))
        if data.draw(st.booleans()):
            del content[position:]
        else:
            content[position] ^= data.draw(st.integers(1, 255))
    try:
        changed = decode(bytes(content), TABLE)
    except BadMessage:
        return

    assert set(changed) <= {each.name for each in TABLE.values()}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\x08", "ends within a number"),
        (b"\x0a", "ends within a number"),
        (b"\x32\x05hi", "ends within a field"),
        (b"\x11\x00\x00", "ends within a field"),
        (b"\x0b", "a field of wire type 3"),
        (b"\x38\x01", "items is no message"),
        (b"\x0a\x01x", "a number that is none"),
        (b"\x28\x01", "a text that is none"),
        (b"\x08" + b"\xff" * 11, "a number of more than 64 bits"),
    ],
)
def test_what_is_no_message_is_said(content: bytes, reason: str) -> None:
    """
    The error says what is wrong with the bytes.
    """
    with pytest.raises(BadMessage, match=reason):
        decode(content, TABLE)


def test_messages_within_messages_have_a_bound() -> None:
    """
    A table that holds itself does not let a message take the stack.
    """
    nesting: dict[int, MessageField] = {}
    nesting[1] = MessageField("below", nesting)
    content = b""
    for _ in range(DEPTH_MAX + 2):
        content = field(1, 2, content)

    with pytest.raises(BadMessage, match="messages in messages"):
        decode(content, nesting)
