"""
Sealed files in memory: a whole one with three row groups, and ones of which something was changed.
"""

from __future__ import annotations

import functools
import json
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from aim.storage.forms import records
from aim.storage.sealing import file_end, pages, seal
from aim.storage.sealing.declarations import SequenceDeclaration
from aim.storage.sealing.file_end import BLOCK, METADATA_KEY
from aim.storage.sealing.footer import JournalOrigin
from aim.storage.sealing.sealed import Sealed

NAME = "0badcafe.points.parquet"
DECLARED = {
    1: SequenceDeclaration("loss", {"subset": "train"}, "float"),
    2: SequenceDeclaration("loss", {"subset": "val"}, "float"),
    3: SequenceDeclaration("count", {}, "int"),
    4: SequenceDeclaration("pictures", {}, "aim.image"),
}
LENGTHS = {1: 45_000, 2: 2_000, 3: 7, 4: 900}
STRIDES = {1: 3, 2: 1, 3: 1, 4: 2}


@functools.cache
def content() -> bytes:
    """Return a file whose first group has pages of 20,000 rows; its steps grow evenly, but for those of `count`."""
    table = np.zeros(sum(LENGTHS.values()), records.RECORD_DTYPE)
    table["sequence"] = np.repeat(list(LENGTHS), list(LENGTHS.values()))
    table["step"] = np.concatenate([np.arange(LENGTHS[number]) * STRIDES[number] for number in LENGTHS])
    table["step"][table["sequence"] == 3] = [0, 1, 2, 4, 8, 16, 32]
    table["value"] = np.arange(len(table)) % 1013
    table["time"] = 1795380918 + np.arange(len(table)) / 1000
    table["epoch"] = np.arange(len(table)) // 10_000
    return seal.encode(table, DECLARED, JournalOrigin("run", "0badcafe", 1, len(table), 77))


def opened(file_content: bytes) -> Sealed:
    """Open the bytes of a file."""
    return Sealed.of(Path(NAME), file_content)


def flipped(file_content: bytes, offset: int) -> bytes:
    """Change one byte."""
    changed = bytearray(file_content)
    changed[offset] ^= 0x10
    return bytes(changed)


def forged(file_content: bytes, change: Callable[[dict[str, Any]], object]) -> bytes:
    """Return a file whose footer says something else, with the CRC that belongs to it: as another program writes it."""
    offset = file_end.block_offset(file_content)
    footer = bytearray(file_content[offset + BLOCK.size :])
    key_offset = footer.find(METADATA_KEY) + len(METADATA_KEY)
    length, start = pages.varint(bytes(footer), key_offset)
    form = json.loads(footer[start : start + length])
    change(form)
    text = json.dumps(form, separators=(",", ":"), ensure_ascii=False).encode()
    assert len(text) <= length
    footer[start : start + length] = text.ljust(length)
    head = file_content[: offset + BLOCK.size - 4]
    return head + struct.pack("<I", zlib.crc32(footer)) + bytes(footer)
