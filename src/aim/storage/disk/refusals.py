"""
What a disk has refused. It is logged once, loudly: the training does not stop, and its log is not flooded either.

    report   logs the first refusal, and no other one until recording has gone on
    resumed  logs that recording goes on and how many points were lost, when nothing is refused any more
"""

from __future__ import annotations

import errno
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from aim.core.errors import AimError, DiskRefused
from aim.core.logs import log
from aim.core.tuples import NamedTuple
from aim.core.words import counted

RETRY_S = 1.0  # after a refusal the disk is asked again once a second

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
"""What helps when a run can't begin, by the number of the error."""
PATH_CHARS_MAX = 200


@contextmanager
def explained(what: str, path: Path) -> Iterator[None]:
    """
    Explain an OSError that is raised within: what could not be done, with which path, and what helps.

    Raises:
        DiskRefused: (an OSError) in place of an OSError; a FileNotFoundError is raised as it is.

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
        location = str(error.filename or path)
        if len(location) > PATH_CHARS_MAX:
            location = f"{location[: PATH_CHARS_MAX // 2]} ... {location[-PATH_CHARS_MAX // 2 :]}"
        advice = ADVICE.get(error.errno or 0, f"Look at the disk, {ELSEWHERE}")
        raise DiskRefused(
            f"Aim can't {what} in '{location}': {error.strerror or error}. {advice}", error.errno
        ) from None


class Losses(NamedTuple):
    """How many points were lost, and when the first and the last of them."""

    point_count: int = 0
    from_s: float = 0.0
    until_s: float = 0.0

    def with_point(self, moment_s: float) -> Losses:
        """Return these losses and one more, of this moment."""
        return Losses(self.point_count + 1, self.from_s or moment_s, moment_s)


class Refusals:
    """
    The refusals of one run in one process.

    Attributes:
        kinds: what the disk refused when it was last asked: `segment`, `objects`.
        lost_count: points that found no room since the last `resumed`.
        reason: what the disk said last.
        retry_at_s: when the disk may be asked again, by the monotonic clock.
    """

    def __init__(self, run_hash: str, folder: Path) -> None:
        self._run_hash = run_hash
        self._folder = folder
        self.forked()

    def forked(self) -> None:
        """In the child of a fork: begin anew, since the refusals were the parent's."""
        self._is_reported = False
        self._lock = threading.RLock()  # held for no longer than a flag takes
        self.kinds: set[str] = set()
        self.lost_count = 0
        self.reason = ""
        self._losses = Losses()
        self.retry_at_s = 0.0

    def count_lost(self) -> bool:
        """Count a lost point; always return False."""
        with self._lock:
            self.lost_count += 1
            self._losses = self._losses.with_point(time.time())
        return False

    def take_losses(self) -> Losses:
        """Return the points that were lost since the last call."""
        with self._lock:
            losses, self._losses = self._losses, Losses()
            return losses

    def retry_later(self, kind: str | None = None) -> None:
        """Note that the disk has refused *kind*, and do not ask it again for a while."""
        self.retry_at_s = time.monotonic() + RETRY_S
        if kind is not None:
            self.kinds.add(kind)

    def may_retry(self) -> bool:
        """Return whether the disk may be asked again."""
        return time.monotonic() >= self.retry_at_s

    def report(self, error: OSError) -> None:
        """Log that the disk refuses, unless that was logged."""
        with self._lock:
            self.reason = error.strerror or str(error)
            if self._is_reported:
                return
            self._is_reported = True
        log.error(
            "Aim can't write run %s in %s: %s. The training goes on; what was recorded before stays readable, and "
            "recording resumes when the disk takes it again.",
            self._run_hash,
            self._folder,
            error.strerror or error,
        )

    def resumed(self) -> None:
        """Log that recording goes on, if it was logged that it does not and nothing is refused any more."""
        with self._lock:
            if not self._is_reported or self.kinds:
                return
            lost_count, self.lost_count, self._is_reported = self.lost_count, 0, False
        losses = counted(lost_count, "point found no room and is lost", "points found no room and are lost")
        log.error("Aim: recording of run %s goes on. %s.", self._run_hash, losses)


def first_refusal(works: Iterable[Callable[[], object]]) -> OSError | None:
    """Do each of *works*, whatever the others raise, and return the first OSError."""
    refusal = None
    for work in works:
        try:
            work()
        except OSError as error:
            refusal = refusal or error
    return refusal
