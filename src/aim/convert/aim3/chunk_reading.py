"""
The program of the process that reads chunks: it opens them with RocksDB, and writes what is in them to its output.

    asked        OPEN folder  |  ENTRIES prefix  |  CLOSE
    answered     DONE, or FAILED and the reason; before them, to ENTRIES, any number of BATCH
    both         kind (1 byte), size (8 bytes, little-endian), content
    a batch      how many entries (4 bytes), the sizes of their keys and values in turn (4 bytes each), these in turn

RocksDB is a program of its own within the process: damaged files can make it loop, or end the process. Another process
gives that an end. The limit of processor time between two answers is kept here, by the system: so it does not matter
how busy the machine is.
"""

from __future__ import annotations

import contextlib
import itertools
import math
import os
import struct
import sys
import time
from array import array
from collections.abc import Iterator
from typing import Any, BinaryIO

from aim.convert.aim3.values import BLOBS
from aim.core.shield import shielded

OPEN, ENTRIES, CLOSE, DONE, FAILED, BATCH = b"O", b"E", b"C", b"D", b"F", b"B"
HEAD = struct.Struct("<cQ")
COUNT = struct.Struct("<I")
BATCH_BYTES = 256 << 10
ENTRY_BYTES_MAX = 1 << 31
ENTRIES_AT_ONCE = 64

Entry = tuple[bytes, bytes]


def packed(entries: list[bytes]) -> bytes:
    r"""
    Return a batch of keys and values, which are in turn in *entries*.

    >>> list(entries_of(packed([b"key", b"value", b"", b"\x00"])))
    [(b'key', b'value'), (b'', b'\x00')]
    """
    sizes = array("I", map(len, entries))
    return b"".join((COUNT.pack(len(entries)), sizes.tobytes(), *entries))


def edges_of(batch: bytes) -> list[int]:
    """Return where the keys and values of a batch begin, in turn, and where the last one ends."""
    (count,) = COUNT.unpack_from(batch)
    sizes = array("I")
    begin = COUNT.size + count * sizes.itemsize
    sizes.frombytes(batch[COUNT.size : begin])
    return list(itertools.accumulate(sizes, initial=begin))


def entries_of(batch: bytes) -> Iterator[Entry]:
    """Go through the entries of a batch."""
    pieces = [batch[first:last] for first, last in itertools.pairwise(edges_of(batch))]
    return zip(pieces[::2], pieces[1::2])


MEMORY_BYTES_MAX = 1 << 30
"""Of the whole process. A chunk with values of 100 MiB takes 500 MiB; a damaged length asks for anything."""


class ChunkProgram:
    """
    Answers what is asked about one chunk after the other.

    Args:
        limit_s: of processor time between two answers, in seconds; the process ends when more is needed.
    """

    def __init__(self, source: BinaryIO, target: BinaryIO, limit_s: int) -> None:
        self._source = source
        self._target = target
        self._limit_s = limit_s
        self._database: Any = None

    def run(self) -> None:
        """Answer until nobody asks any more."""
        works = {OPEN: self._open, ENTRIES: self._entries, CLOSE: self._close}
        self._answer(DONE)
        while head := self._source.read(HEAD.size):
            kind, size = HEAD.unpack(head)
            content = self._source.read(size)
            errors: list[Exception] = []
            # rocksdict raises plain exceptions
            shielded(lambda work=works[kind], content=content: work(content), errors.append)  # type: ignore[misc]
            self._answer(FAILED, str(errors[0]).encode("utf-8", "replace")) if errors else self._answer(DONE)

    def _answer(self, kind: bytes, content: bytes = b"") -> None:
        self._target.write(HEAD.pack(kind, len(content)))
        self._target.write(content)
        self._target.flush()
        limit_processor_time(self._limit_s)

    def _open(self, folder: bytes) -> None:
        from rocksdict import AccessType, Options, Rdict

        options = Options(raw_mode=True)
        self._database = Rdict(folder.decode("utf-8", "surrogateescape"), options, access_type=AccessType.read_only())

    def _entries(self, prefix: bytes) -> None:
        items = self._database.items(from_key=prefix)
        entries: list[Entry] = []
        size, is_read = 0, False
        try:
            while not is_read:
                begin = len(entries)
                entries.extend(itertools.islice(items, ENTRIES_AT_ONCE))
                fresh = entries[begin:]
                is_read = len(fresh) < ENTRIES_AT_ONCE or not fresh[-1][0].startswith(prefix)
                size += sum(map(len, itertools.chain.from_iterable(fresh)))
                if size > BATCH_BYTES:
                    self._send(entries, prefix)
                    entries, size = [], 0
        finally:  # what came before a damaged block counts
            self._send(entries, prefix)

    def _send(self, entries: list[Entry], prefix: bytes) -> None:
        """Answer with entries: all at once, or with large values that are looked up now, batch by batch."""
        while entries and not entries[-1][0].startswith(prefix):
            entries.pop()
        pieces = list(itertools.chain.from_iterable(entries))
        if b"" not in pieces[1::2]:
            if entries:
                self._answer(BATCH, packed(pieces))
            return
        batch: list[bytes] = []
        size = 0
        for key, value in entries:
            content = value or self._large_value(key)
            batch += (key, content)
            size += len(key) + len(content)
            if size > BATCH_BYTES:
                self._answer(BATCH, packed(batch))
                batch, size = [], 0
        if batch:
            self._answer(BATCH, packed(batch))

    def _large_value(self, key: bytes) -> bytes:
        values: list[Any] = []
        shielded(lambda: values.append(self._database.get(BLOBS + key)), lambda _: None)
        value: bytes = values[0] if values and values[0] else b""
        return value if len(value) < ENTRY_BYTES_MAX else b""

    def _close(self, _: bytes) -> None:
        database, self._database = self._database, None
        if database is not None:
            database.close()


def limit_processor_time(seconds: int) -> None:
    """Let the system end this process when it uses more processor time from now on; only where systems can do that."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_CPU)
        soft = math.ceil(time.process_time()) + seconds
        resource.setrlimit(resource.RLIMIT_CPU, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))


def limit_memory(size_bytes: int) -> None:
    """Let the system refuse this process more than so many bytes of data; only where systems can do that."""
    with contextlib.suppress(ImportError, AttributeError, ValueError, OSError):
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        soft = size_bytes if hard == resource.RLIM_INFINITY else min(size_bytes, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def main() -> None:
    """Answer on the standard output what is asked on the standard input."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    limit_memory(MEMORY_BYTES_MAX)
    target = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what RocksDB prints is no answer
    with contextlib.suppress(BrokenPipeError):
        ChunkProgram(sys.stdin.buffer, target, int(sys.argv[1])).run()
