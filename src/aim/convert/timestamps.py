"""
Times in messages of Protocol Buffers: `google.protobuf.Timestamp`, Unix seconds and the nanoseconds after them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aim.convert.protobuf import INT, MessageField, Table

TIMESTAMP: Table = {1: MessageField("seconds", INT), 2: MessageField("nanos", INT)}


def seconds(timestamp: Mapping[str, Any] | None) -> float | None:
    """
    Return a time of two parts as Unix seconds; None: there is none.

    >>> seconds({"seconds": 3, "nanos": 500_000_000}), seconds(None)
    (3.5, None)
    """
    return timestamp.get("seconds", 0) + timestamp.get("nanos", 0) / 1e9 if timestamp else None
