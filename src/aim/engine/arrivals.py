"""
The thread that reads what has arrived of many runs, so that a page does not wait until all of it was read.

    few runs arrive     a question reads what has arrived before it                     0.2 ms a run
    many                a thread does, once in `PAUSE_S` or a bit more; a question is answered from what it has read

A thousand trainings that ship to a server change five hundred runs a second. What a training records is on its way for
a second or more by then (`next_in`), so a page that shows it a second later loses nothing. Everything else is seen at
once as always: new runs, edits, deletions, and what trainings of this host record.

The thread begins with a question, and ends when nobody has asked for a while.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from aim.core.errors import AimError
from aim.engine.background import BackgroundThread
from aim.storage.catalogue.snapshot import DamagedSnapshot

if TYPE_CHECKING:
    from aim.engine.live_catalogue import LiveCatalogue
    from aim.storage.backend import ArrivingTable
    from aim.storage.catalogue.catalogue_update import CatalogueChanges

MANY = 64  # runs that arrive
BATCH = 32  # runs that are read while a question waits
PAUSE_S, PAUSE_MAX_S = 0.5, 2.0
PAUSE_SHARE = 2.0  # of the time that reading took: at most a third of the time is spent
YIELD_S = 0.002
OLD_S = 5.0  # what was read before that is read by the question itself: the thread is held up
IDLE_S = 10.0  # without a question

log = logging.getLogger("aim")


class ArrivalsReader:
    """
    Reads what arrives for *catalogue*. Its lock is held by whoever calls, but for `stop`.

    Args:
        tell: called with what has changed, under the lock.
    """

    def __init__(self, catalogue: LiveCatalogue, tell: Callable[[CatalogueChanges], None]) -> None:
        self._catalogue = catalogue
        self._tell = tell
        self._thread = BackgroundThread("aim-arrivals", self._run)
        self._asked_s = self._read_s = 0.0

    def is_reading(self) -> bool:
        """Return whether a question may be answered from what the thread has read; the thread goes on for it."""
        self._asked_s = time.monotonic()
        return self._thread.is_running and self._asked_s - self._read_s < OLD_S

    def start_for(self, arriving: ArrivingTable | None) -> None:
        """Begin when many runs arrive, all of which were just read."""
        if arriving is not None and arriving.count >= MANY and self._thread.can_start():
            self._read_s = time.monotonic()
            self._thread.start()

    def stop(self) -> None:
        """End the thread, and wait for it. The lock is not held."""
        self._thread.stop()

    def _run(self) -> None:
        lock = self._catalogue.lock
        pause_s = PAUSE_S
        try:
            while not self._thread.is_stopped(pause_s):
                begun_s = time.monotonic()
                count = self._read_all()
                with lock:
                    if count < MANY or begun_s - self._asked_s > IDLE_S:
                        self._thread.ended()  # the next question finds it gone, and reads
                        return
                    self._read_s = begun_s
                pause_s = min(PAUSE_MAX_S, max(PAUSE_S, PAUSE_SHARE * (time.monotonic() - begun_s)))
        except (AimError, OSError, DamagedSnapshot) as error:  # the next question meets it too, and raises it
            log.warning("Aim stopped reading what arrives in %s: %s", self._catalogue.address, error)
        finally:
            with lock:
                self._thread.ended()

    def _read_all(self) -> int:
        """Read what has arrived so far, in small parts; return how many runs arrive."""
        catalogue = self._catalogue
        with catalogue.lock:
            due = [] if catalogue.arriving is None else catalogue.arriving.changed()
        for start in range(0, len(due), BATCH):
            with catalogue.lock:
                if catalogue.arriving is not None:
                    self._tell(catalogue.arriving.read(due[start : start + BATCH]))
            if self._thread.is_stopped(YIELD_S):  # so that another thread gets the lock in between
                break
        return 0 if catalogue.arriving is None else catalogue.arriving.count
