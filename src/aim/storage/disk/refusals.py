"""
What a disk has refused, said once, loudly: the training does not stop for it, and does not drown in messages either.

    report   the first refusal is said; later ones are not, until recording has gone on
    resumed  says that recording goes on, and how many points were lost, when nothing is refused any more
"""

from __future__ import annotations

import errno
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aim.core.errors import AimError, DiskRefused
from aim.core.words import counted

log = logging.getLogger("aim")


ELSEWHERE = "or name another folder: Run(repo=...)."
ADVICE = {
    errno.ENOSPC: f"Free some room there, {ELSEWHERE}",
    errno.EDQUOT: f"Free some room there, {ELSEWHERE}",
    errno.EACCES: f"Get the right to read and write there, {ELSEWHERE}",
    errno.EPERM: f"Get the right to read and write there, {ELSEWHERE}",
    errno.EROFS: "Name a folder that can be written to: Run(repo=...).",
    errno.ENOTDIR: "A part of this path is a file: name a folder, Run(repo=...).",
    errno.EEXIST: "A part of this path is a file: name a folder, Run(repo=...).",
    errno.ENAMETOOLONG: "Name a folder with a shorter path: Run(repo=...).",
    errno.EMFILE: "This process has too many files open: close runs and files, or raise the limit (ulimit -n).",
    errno.ENFILE: "This machine has too many files open: close some.",
}
"""What somebody can do when a run can't begin. Later refusals are another matter: the training goes on."""
PATH_SHOWN_CHARS = 200


@contextmanager
def explained(what: str, path: Path) -> Iterator[None]:
    """
    Tell of what the system refuses within: what could not be done, with which path, and what helps.

    Raises:
        DiskRefused: (an OSError) in place of an OSError; a FileNotFoundError stays what it is.

    >>> with explained("begin a run", Path("/data/.aim")):
    ...     raise OSError(errno.ENOSPC, "No space left on device")
    Traceback (most recent call last):
    aim.core.errors.DiskRefused: Aim can't begin a run in '/data/.aim': No space left on device. Free some room there,
    or name another folder: Run(repo=...).
    """
    try:
        yield
    except (AimError, FileNotFoundError):
        raise
    except OSError as error:
        place = str(error.filename or path)
        if len(place) > PATH_SHOWN_CHARS:
            place = f"{place[: PATH_SHOWN_CHARS // 2]} ... {place[-PATH_SHOWN_CHARS // 2 :]}"
        advice = ADVICE.get(error.errno or 0, f"Look at the disk, {ELSEWHERE}")
        raise DiskRefused(f"Aim can't {what} in '{place}': {error.strerror or error}. {advice}", error.errno) from None


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
