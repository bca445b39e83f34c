"""
A process that reads chunks, seen from the import: what is asked of it, and how it ends when a chunk makes it hang or
break. It reads one chunk after the other; after one that ended it, the next chunk gets a new process.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import weakref
from collections.abc import Iterator
from pathlib import Path

from aim.convert.aim3.chunk_reading import BATCH, CLOSE, ENTRIES, FAILED, HEAD, OPEN, Entry, entries_of
from aim.core.errors import AimError

PROCESSOR_LIMIT_S = 8
"""Of processor time from one answer to the next: a whole chunk answers within milliseconds."""
LIMIT_S = 60.0
"""From one byte to the next, for a process that does nothing. Long: the disk of a whole chunk may be slow, or far."""
BEGIN_LIMIT_S = 300.0
END_LIMIT_S = 5.0
READ_BYTES = 1 << 20
# -I and the paths of this process: the folder that the user is in may hold a module of any name
COMMAND = "import sys; sys.path[:] = sys.argv[2:]; from aim.convert.aim3.chunk_reading import main; main()"


class UnreadableChunk(AimError):
    """RocksDB refuses a chunk, hangs at it, or breaks at it."""


class ChunkProcess:
    """
    Reads chunks in another process, which begins with the first one and ends with this object.

    Args:
        limit_s: of waiting for an answer, in seconds.
        processor_limit_s: of processor time for an answer, in whole seconds.

    Cost: some 0.2 s for the process, and 30 MiB as long as it is there.
    """

    def __init__(self, *, limit_s: float = LIMIT_S, processor_limit_s: int = PROCESSOR_LIMIT_S) -> None:
        self._limit_s = limit_s
        self._processor_limit_s = processor_limit_s
        self._process: subprocess.Popen[bytes] | None = None
        self._end: weakref.finalize[..., ChunkProcess] | None = None
        self._is_answering = False

    def open(self, folder: Path, name: Path) -> None:
        """
        Open the chunk in *folder*, which errors call *name*.

        Raises:
            UnreadableChunk: RocksDB can't open it.
        """
        if self._process is None:
            self._begin(name)
        for _ in self._answers(OPEN, os.fsencode(folder), name, "open"):
            pass

    def entries(self, prefix: bytes, name: Path) -> Iterator[Entry]:
        """
        Go through keys and values of the open chunk under *prefix*, in the order of keys.

        Raises:
            UnreadableChunk: a block of it is damaged.
        """
        for batch in self.batches(prefix, name):
            yield from entries_of(batch)

    def batches(self, prefix: bytes, name: Path) -> Iterator[bytes]:
        """
        Go through the same keys and values, many at once, as `chunk_reading.packed` makes them.

        Raises:
            UnreadableChunk: a block of it is damaged.
        """
        return self._answers(ENTRIES, prefix, name, "read on in")

    def close(self, name: Path) -> None:
        """Close the chunk. The process ends if it is not yet done with the last question, or can't close it."""
        if self._process is None:
            return
        if self._is_answering:
            self.end()
            return
        with contextlib.suppress(UnreadableChunk):
            for _ in self._answers(CLOSE, b"", name, "close"):
                pass

    def end(self) -> None:
        """End the process, if there is one."""
        if self._end is not None:
            self._end()
        self._process = self._end = None
        self._is_answering = False

    def _begin(self, name: Path) -> None:
        paths = [path for path in sys.path if path]
        self._process = subprocess.Popen(
            [sys.executable or "python3", "-I", "-c", COMMAND, str(self._processor_limit_s), *paths],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # RocksDB's last words; how it ended says enough
            start_new_session=True,  # Ctrl-C is for the import, which ends this process
        )
        self._end = weakref.finalize(self, _end, self._process)
        self._answer(name, BEGIN_LIMIT_S)

    def _answers(self, question: bytes, content: bytes, name: Path, what: str) -> Iterator[bytes]:
        """Ask, and go through the batches of the answer. Raises UnreadableChunk."""
        process = self._process
        if process is None or process.stdin is None:
            raise UnreadableChunk(f"RocksDB can't {what} '{name}': its process has ended")
        self._is_answering = True
        try:
            process.stdin.write(HEAD.pack(question, len(content)) + content)
            process.stdin.flush()
        except BrokenPipeError:
            raise UnreadableChunk(self._ended(name)) from None
        while True:
            kind, answer = self._answer(name, self._limit_s)
            if kind == BATCH:
                yield answer
                continue
            self._is_answering = False
            if kind == FAILED:
                raise UnreadableChunk(f"RocksDB can't {what} '{name}': {answer.decode('utf-8', 'replace')}")
            return

    def _answer(self, name: Path, limit_s: float) -> tuple[bytes, bytes]:
        kind, size = HEAD.unpack(self._received(HEAD.size, name, limit_s))
        return kind, self._received(size, name, limit_s)

    def _received(self, size: int, name: Path, limit_s: float) -> bytes:
        assert self._process is not None
        assert self._process.stdout is not None
        output = self._process.stdout.fileno()
        content = bytearray()
        with selectors.DefaultSelector() as selector:
            selector.register(output, selectors.EVENT_READ)
            while len(content) < size:
                if not selector.select(limit_s):
                    self._process.kill()
                    self.end()
                    raise UnreadableChunk(f"RocksDB does not answer within {limit_s:g} s at '{name}'")
                piece = os.read(output, min(READ_BYTES, size - len(content)))
                if not piece:
                    raise UnreadableChunk(self._ended(name))
                content += piece
        return bytes(content)

    def _ended(self, name: Path) -> str:
        """Say how the process ended by itself."""
        process = self._process
        self.end()
        code = 0 if process is None else process.returncode
        if code == -getattr(signal, "SIGXCPU", 0) and code:
            return f"RocksDB does not come to an end within {self._processor_limit_s} s of processor time at '{name}'"
        with contextlib.suppress(ValueError):
            return f"RocksDB broke at '{name}': {signal.Signals(-code).name}"
        return f"RocksDB broke at '{name}': exit code {code}"


def _end(process: subprocess.Popen[bytes]) -> None:
    """Close both ends, and wait for the end of a process; one that goes on is killed."""
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
    try:
        process.wait(END_LIMIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
