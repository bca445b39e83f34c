"""
Requests of shippers as they stand, whatever is wrong with them.
"""

from __future__ import annotations

import json
import struct
import zlib
from typing import Any

WRITER = {"run": "digits-1", "writer": "8c2f01ab"}


def header(**more: Any) -> dict[str, Any]:
    """Return the header of a request of one writer."""
    return {"shipper": "0123456789abcdef", "number": 17, "writers": [WRITER], **more}


def body_of(about: dict[str, Any], *frames: bytes) -> bytes:
    """Return a request as it stands, whatever is wrong with it."""
    text = json.dumps({"protocol": 1, **about}).encode()
    return b"AXS1" + struct.pack("<I", len(text)) + text + b"".join(frames)


def frame_of(
    *, kind: int = 0, pack: int = 0, writer: int = 0, file: int = 0, offset: int = 0, raw: bytes = b"x\n", **more: Any
) -> bytes:
    """Return a frame as it stands, whatever is wrong with it."""
    packed: bytes = more.get("packed", raw)
    sizes = (more.get("raw_bytes", len(raw)), more.get("packed_bytes", len(packed)), more.get("crc", zlib.crc32(raw)))
    return struct.pack("<BBHIQIII", kind, pack, writer, file, offset, *sizes) + packed
