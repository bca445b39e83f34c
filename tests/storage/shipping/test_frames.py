"""
The bytes of a request: what is encoded is decoded, and nothing else is.
"""

from __future__ import annotations

import struct
import zlib

import pytest

from aim.storage.forms.journal import RECORD
from aim.storage.shipping import frames as wire
from aim.storage.shipping.frames import Frame, MalformedRequest, UnsupportedProtocol
from tests.storage.shipping.raw_requests import WRITER, body_of, frame_of, header

SLOT = RECORD.pack(0.5, 7, 1795380918.5, 1.0, 3)


def test_what_is_encoded_is_decoded() -> None:
    """
    Frames of all kinds arrive as they were sent, whatever way their bytes travelled.
    """
    files = [{"name": "files/a", "bytes": 5000, "sha256": "0" * 64}]
    frames = [
        Frame(wire.EVENTS, 0, 0, 0, b'{"crc":"00000000"}\n' * 400),
        Frame(wire.BLOBS, 0, 3, 1 << 33, bytes(range(256)) * 20),
        Frame(wire.SLOTS, 0, 1, 12, SLOT * 300),
        Frame(wire.SLOTS, 0, 2, 0, b""),
        Frame(wire.ARTIFACT, 0, 0, 0, b"7" * 5000),
    ]

    request = wire.decode(wire.encode(header(files=files), frames))

    assert frames == request.frames
    assert ("0123456789abcdef", 17, [WRITER], files) == (
        request.shipper,
        request.number,
        request.writers,
        request.files,
    )


def test_slots_travel_in_less_than_their_size() -> None:
    """
    A thousand points of a curve take less than a third of their 32 bytes each.
    """
    slots = b"".join(RECORD.pack(1 / (step + 1), step, 1795380918.5 + step / 8, 1.0, 3) for step in range(1000))

    assert len(wire.encode(header(), [Frame(wire.SLOTS, 0, 0, 0, slots)])) < 32_000 / 3


BOMB = zlib.compress(bytes(64 << 20), 9)
DAMAGE = {
    "no request at all": b"GET / HTTP/1.1",
    "a header of 4 GB": b"AXS1" + struct.pack("<I", 0xFFFFFFFF) + b"{}",
    "a header that is no JSON": b"AXS1" + struct.pack("<I", 2) + b"{]",
    "a header that is a list": b"AXS1" + struct.pack("<I", 2) + b"[]",
    "a deep header": b"AXS1" + struct.pack("<I", 100_000) + b"[" * 100_000,
    "no shipper": body_of(header(shipper=None)),
    "a shipper with a path": body_of(header(shipper="../../etc/passwd")),
    "no number": body_of(header(number="17")),
    "a million writers": body_of(header(writers=[WRITER] * 20_000)),
    "a writer that is a text": body_of(header(writers=["8c2f01ab"])),
    "a run with a path": body_of(header(writers=[{"run": "../x", "writer": "8c2f01ab"}])),
    "a writer with a path": body_of(header(writers=[{"run": "x", "writer": "../8c2f0"}])),
    "sizes that are texts": body_of(header(writers=[{**WRITER, "has": {"slots": {"0": "1"}}}])),
    "counts that are texts": body_of(header(writers=[{**WRITER, "end": {"slots": "1"}}])),
    "a damaged page beyond its segment": body_of(header(writers=[{**WRITER, "damaged": [[0, 4, 1]]}])),
    "a file without a digest": body_of(header(files=[{"name": "files/a", "bytes": 1}])),
    "a file of a negative size": body_of(header(files=[{"name": "files/a", "bytes": -1, "sha256": "0" * 64}])),
    "an import of a run with a path": body_of(header(**{"import": {"run": "../x"}})),
    "an import that shows a path": body_of(header(**{"import": {"run": "x", "show": ["../8c2f0"]}})),
    "an import whose note is a text": body_of(header(**{"import": {"run": "x", "note": "8c2f01ab"}})),
    "a frame that is cut short": body_of(header(), frame_of()[:20]),
    "data that is cut short": body_of(header(), frame_of()[:-1]),
    "an unknown kind": body_of(header(), frame_of(kind=6)),
    "an unknown pack": body_of(header(), frame_of(pack=3)),
    "event lines that are transposed": body_of(header(), frame_of(pack=2)),
    "an unknown writer": body_of(header(), frame_of(writer=1)),
    "an unknown file": body_of(header(), frame_of(kind=5)),
    "a file beyond all files": body_of(header(), frame_of(kind=2, file=1 << 20)),
    "an offset of 2^63": body_of(header(), frame_of(kind=2, offset=1 << 63)),
    "more data than a frame may have": body_of(header(), frame_of(raw=bytes(4 << 20) + b"x")),
    "a bomb": body_of(header(), frame_of(pack=1, packed=BOMB, raw_bytes=100)),
    "a bomb that says its size": body_of(header(), frame_of(pack=1, packed=BOMB, raw_bytes=64 << 20)),
    "less than it says": body_of(header(), frame_of(pack=1, packed=zlib.compress(b"x"), raw_bytes=2)),
    "no zlib": body_of(header(), frame_of(pack=1, packed=b"nonsense", raw_bytes=8)),
    "a wrong CRC": body_of(header(), frame_of(crc=1)),
    "half a slot": body_of(header(), frame_of(kind=1, raw=SLOT[:16])),
    "slots beyond the segment": body_of(header(), frame_of(kind=1, offset=383, raw=SLOT * 2)),
    "an empty slot": body_of(header(), frame_of(kind=1, raw=SLOT + bytes(32))),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_what_is_no_request_is_refused(damage: bytes) -> None:
    """
    A body that is damaged, hostile or of something else is refused as a whole.
    """
    with pytest.raises(MalformedRequest):
        wire.decode(damage)


def test_each_damaged_byte_is_noticed() -> None:
    """
    Whichever byte of the frames was damaged on the way, the request is refused.
    """
    frames = [Frame(wire.EVENTS, 0, 0, 0, b'{"crc":"x"}\n'), Frame(wire.SLOTS, 0, 0, 5, SLOT * 4)]
    body = wire.encode(header(), frames)
    undamaged = wire.decode(body)
    first = body.index(b"}]", 8) if b"}]" in body else 0
    unnoticed = []
    for offset in range(first + 40, len(body)):
        damaged = bytearray(body)
        damaged[offset] ^= 0x10
        try:
            request = wire.decode(bytes(damaged))
        except MalformedRequest:
            continue
        if [frame.data for frame in request.frames] != [frame.data for frame in undamaged.frames]:
            unnoticed.append(offset)

    assert [] == unnoticed


def test_another_version_says_which_side_to_upgrade() -> None:
    """
    A request of another version of the protocol is refused by name.
    """
    with pytest.raises(UnsupportedProtocol, match="version 2 of the protocol.*Upgrade the older"):
        wire.decode(body_of(header(protocol=2)))
