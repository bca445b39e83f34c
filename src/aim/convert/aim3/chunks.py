"""
One chunk: the folder of RocksDB that holds a run's params, or its sequences.

RocksDB writes into the folder that it opens (`rocksdict-config.json`), so it opens a scratch folder of links to the
files that it reads. `LOCK` and logs are left out: a reader needs neither. Such a file of an earlier program is left
out, too: it would be written through its link. RocksDB runs in another process (reading_process.py), which a damaged
chunk can end.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from aim.convert.aim3.entry_batches import EntryBatch
from aim.convert.aim3.reading_process import ChunkProcess, UnreadableChunk
from aim.convert.errors import NeedsExtra, SourceBeingWritten

NOT_LINKED = ("LOCK", "LOG", "rocksdict-config.json")
STATE_FILES = ("CURRENT", "MANIFEST")  # they change when a writer flushes or compacts


def check_package() -> None:
    """Raise NeedsExtra unless `rocksdict` is installed."""
    try:
        import rocksdict  # noqa: F401
    except ImportError:
        raise NeedsExtra("Reading a repository of Aim 3", "rocksdict", "import") from None


def files_of(folder: Path) -> list[Path]:
    """Return the files of a chunk that a reader needs; none when there is no such folder."""
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return []
    return [folder / name for name in names if not name.startswith(NOT_LINKED) and (folder / name).is_file()]


class Chunk3:
    """
    An open chunk; *process* reads it.

    Raises:
        UnreadableChunk: RocksDB can't open it.
    """

    def __init__(self, folder: Path, scratch: Path, process: ChunkProcess) -> None:
        _link_files(folder, scratch)
        process.open(scratch, folder)
        self._process = process
        self._folder = folder

    def items(self, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        """
        Go through keys and values under *prefix*, in the order of keys; large values are looked up.

        Raises:
            UnreadableChunk: a block of it is damaged.
        """
        return self._process.entries(prefix, self._folder)

    def batches(self, prefix: bytes) -> Iterator[EntryBatch]:
        """
        Go through the same, many at once.

        Raises:
            UnreadableChunk: a block of it is damaged.
        """
        return map(EntryBatch, self._process.batches(prefix, self._folder))

    def close(self) -> None:
        """Close it."""
        self._process.close(self._folder)


@contextlib.contextmanager
def opened_chunk(folder: Path, process: ChunkProcess) -> Iterator[Chunk3]:
    """
    Open the chunk in *folder*, and check at the end that nobody wrote to it meanwhile.

    Raises:
        UnreadableChunk: RocksDB can't open it.
        SourceBeingWritten: its files changed while it was read.
    """
    before = _state(folder)
    with tempfile.TemporaryDirectory(prefix="aim-chunk-") as scratch:
        try:
            chunk = Chunk3(folder, Path(scratch), process)
        except UnreadableChunk:
            if _state(folder) != before:
                raise SourceBeingWritten(folder) from None
            raise
        try:
            yield chunk
        finally:
            chunk.close()
    if _state(folder) != before:
        raise SourceBeingWritten(folder)


def _state(folder: Path) -> list[tuple[str, int, int]]:
    state = []
    for path in files_of(folder):
        if path.name.startswith(STATE_FILES):
            with contextlib.suppress(FileNotFoundError):
                status = path.stat()
                state.append((path.name, status.st_size, status.st_mtime_ns))
    return state


def _link_files(folder: Path, scratch: Path) -> None:
    for path in files_of(folder):
        try:
            os.symlink(path.absolute(), scratch / path.name)
        except OSError:  # a file system without links
            shutil.copyfile(path, scratch / path.name)
