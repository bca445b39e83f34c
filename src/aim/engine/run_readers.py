"""
The readers of a repository's runs: one for each run while it is in use, so that what was decoded is decoded once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from aim.core.errors import UsageError
from aim.core.params import Restore
from aim.core.recent import MEMORY, Recent
from aim.storage.forms.history import Rewind
from aim.storage.forms.state import RunState

if TYPE_CHECKING:
    from aim.storage.backend import Backend
    from aim.storage.forms.run_log import RunLog
    from aim.storage.reading.reader import RunReader

READERS_MAX = 4_096  # runs whose readers are kept,
READERS_BYTES_MAX = 256 << 20  # while they hold no more than this together; the newest alone may hold more
LOOKS_BETWEEN = 256  # readers grow while they read, so after so many looks their sizes are added up
EARLIER_MAX = 64  # earlier states of runs

SoleWriter = Callable[[str], "tuple[str, int] | None"]
"""Returns the writer that sealed all points of a run, and the time of its folder then; None: unknown."""


class RunReaders:
    """
    The readers of the runs in *backend*. Any thread may ask.

    Args:
        restore: makes the objects of params.
        sole_writer: answers for runs that one writer has sealed, so that their points are found without their lines.
    """

    def __init__(self, backend: Backend, restore: Restore | None, sole_writer: SoleWriter) -> None:
        self.backend = backend
        self.restore = restore
        self._sole_writer = sole_writer
        self._readers: Recent[str, RunReader] = Recent(READERS_MAX)
        self._earlier: Recent[tuple[str, Rewind], RunReader] = Recent(EARLIER_MAX)
        self._logs: WeakValueDictionary[str, RunLog] = WeakValueDictionary()
        self._lock = threading.Lock()
        self._look_count = 0
        self._held_bytes = 0
        MEMORY.add(self)

    def reader(self, run_hash: str) -> RunReader:
        """Return the reader of a run; the same one while it is in use. Raises RunNotFound."""
        reader = self._readers.lookup(run_hash)
        if reader is None:
            with self._lock:
                reader = self._readers.get(
                    run_hash, None, lambda: self.backend.reader(run_hash, self.restore, log=self._log(run_hash))
                )
        else:
            self.backend.check_exists(run_hash)
        self._look_count += 1
        if self._look_count % LOOKS_BETWEEN == 0:
            self._drop_large()
        sole = self._sole_writer(run_hash)
        if sole is not None:
            reader.use_sole_writer(*sole)
        return reader

    @property
    def size_bytes(self) -> int:
        """About how many bytes of memory the readers held when their sizes were last added up."""
        return self._held_bytes

    def drop_oldest(self) -> bool:
        """Drop the reader that was not used for the longest time; return False when there is no more than one."""
        readers = self._readers.items()
        if len(readers) < 2:
            return False
        run_hash, reader = readers[0]
        self._readers.pop(run_hash)
        self._held_bytes -= _held_bytes(reader)
        return True

    def _drop_large(self) -> None:
        """Drop the readers that were not used for the longest time, when all together hold too much."""
        self._held_bytes = sum(_held_bytes(reader) for _, reader in self._readers.items())
        while self._held_bytes > READERS_BYTES_MAX and self.drop_oldest():
            pass
        MEMORY.keep()

    def reader_before(self, run_hash: str, rewind: Rewind) -> RunReader:
        """Return the reader of a run as it stood just before a rewind; the same one while it is in use."""
        self.backend.check_exists(run_hash)
        with self._lock:
            return self._earlier.get(
                (run_hash, rewind),
                None,
                lambda: self.backend.reader(run_hash, self.restore, log=self._log(run_hash), before=rewind),
            )

    def log(self, run_hash: str) -> RunLog:
        """Return what reads the state of a run; the same one while it is in use. Raises RunNotFound."""
        log = self._logs.get(run_hash)
        if log is None:
            with self._lock:
                return self._log(run_hash)
        self.backend.check_exists(run_hash)
        return log

    def _log(self, run_hash: str) -> RunLog:
        log = self._logs.get(run_hash)
        if log is None:
            log = self._logs[run_hash] = self.backend.log(run_hash, self.restore)
        return log

    def state(self, run_hash: str) -> RunState:
        """Return the state of a run, read anew. Raises RunNotFound."""
        return self.backend.log(run_hash, self.restore).refresh()

    def artifacts_folder(self, run_hash: str) -> Path:
        """Return the folder of a run's own artifacts. Raises RunNotFound, and UsageError where there are no folders."""
        files = self.backend.files
        if files is None:
            raise UsageError(f"{self.backend.address}: this repository keeps no artifacts of its own.")
        return files.artifacts_folder(run_hash)

    def forget(self, run_hash: str) -> None:
        """Drop the readers of a run that was deleted."""
        with self._lock:
            self._readers.pop(run_hash)
            self._logs.pop(run_hash, None)
            for key in self._earlier:
                if key[0] == run_hash:
                    self._earlier.pop(key)


def _held_bytes(reader: RunReader) -> int:
    from aim.storage.reading.reader import held_bytes  # where there is a reader, it is loaded

    return held_bytes(reader)
