"""
What a disk has refused, said once, loudly: the training does not stop for it, and does not drown in messages either.

    report   the first refusal is said; later ones are not, until recording has gone on
    resumed  says that recording goes on, and how many points were lost, when nothing is refused any more
"""

from __future__ import annotations

import logging
import threading
from pathlib import Path

from aim.core.words import counted

log = logging.getLogger("aim")


class Refusals:
    """
    The refusals of one run in one process.

    Attributes:
        kinds: what the disk had no room for when it was last asked: `segment`, `objects`.
        lost_count: points that found no room since the last `resumed`.
    """

    def __init__(self, run_hash: str, folder: Path) -> None:
        self._run_hash = run_hash
        self._folder = folder
        self._reported = False
        self._lock = threading.RLock()  # held for no longer than a flag takes
        self.kinds: set[str] = set()
        self.lost_count = 0

    def lose(self) -> bool:
        """Count a lost point; gives False."""
        with self._lock:
            self.lost_count += 1
        return False

    def report(self, error: OSError) -> None:
        """Say that the disk refuses, unless that was said."""
        with self._lock:
            if self._reported:
                return
            self._reported = True
        log.error(
            "Aim can't write run %s in %s: %s. The training goes on; what was recorded before stays readable, and "
            "recording resumes when the disk takes it again.",
            self._run_hash,
            self._folder,
            error.strerror or error,
        )

    def resumed(self) -> None:
        """Say that recording goes on, if it was said that it does not and nothing is refused any more."""
        with self._lock:
            if not self._reported or self.kinds:
                return
            lost, self.lost_count, self._reported = self.lost_count, 0, False
        told = counted(lost, "point found no room and is lost", "points found no room and are lost")
        log.error("Aim: recording of run %s goes on. %s.", self._run_hash, told)
