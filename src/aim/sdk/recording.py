"""
How a `Run` changes what is stored of it: through the writer that records it, or by an edit.

    a run that records                          its writer: lines in files of its own
    a run that only reads, or that was closed   an edit: a small file, which anybody may add at any time

A `Recording` does not hold its `Run`: so a run ends when nobody holds it any more.

A run that was closed is resumed by what it is to record next, with one warning: loggers of training frameworks close
their run after the training, and go on with the test.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from aim.core.clock import MICROSECOND_S
from aim.core.errors import ReadOnly
from aim.core.logs import log
from aim.storage.forms import edits
from aim.storage.recording import background, encoding
from aim.storage.recording.process_end import error_name
from aim.storage.recording.writer import Writer

if TYPE_CHECKING:
    from aim.engine.door import Door
    from aim.sdk.repo import Repo

_resuming = threading.RLock()  # a signal handler may record, too


class NotRecording(ReadOnly, ValueError):
    """A run that is open for reading was asked to report its progress."""


class Recording:
    """
    The writing side of one run.

    Attributes:
        writer: what records; None: nothing was recorded yet.
        read_only: whether the run may not be recorded into.

    Args:
        locked_path: the path of a repository that was opened for reading only, which refuses edits too; or None.
    """

    def __init__(
        self,
        door: Door,
        run_hash: str,
        writer: Writer | None = None,
        *,
        read_only: bool = False,
        locked_path: str | None = None,
    ) -> None:
        self.door = door
        self.run_hash = run_hash
        self.writer: Writer | None = None
        self.read_only = read_only
        self._locked_path = locked_path
        self._has_warned = self._has_checked_in = False
        if writer is not None:
            self._begin(writer)

    def _begin(self, writer: Writer) -> Writer:
        self.writer = writer
        self._finalizer = weakref.finalize(self, _end, writer, self.door)
        self._finalizer.atexit = False  # storage.background ends open runs, and knows whether an exception did
        return writer

    @property
    def is_open(self) -> bool:
        """Whether something records into the run through this object."""
        return self.writer is not None and not self.writer.closed

    def ready_writer(self) -> Writer:
        """
        Return the writer; the first value of a run that came from another process begins one, and so does the first
        value after `close()`.

        Raises:
            ReadOnly: the run is open for reading only.
            RunNotFound: it was closed, and is deleted.
        """
        writer = self.writer or self._resume()
        if writer.closed and not background.is_ending():
            writer = self._reopen(writer)
        writer.lifecycle.admits()
        return writer

    def _resume(self) -> Writer:
        if self.read_only:
            raise ReadOnly(
                f"Run {self.run_hash} is open for reading only. Resume it with Run({self.run_hash!r}) to record."
            )
        with _resuming:
            return self.writer or self._begin(self.door.resume_run(self.run_hash))

    def _reopen(self, ended: Writer) -> Writer:
        with _resuming:
            if self.writer is ended:
                ended.close()  # returns when the end is written, so that steps go on after the last one
                self._begin(self.door.resume_run(self.run_hash))
            writer = self.writer or ended
        if not self._has_warned:
            self._has_warned = True
            log.warning(
                "Aim: run %s was closed, and is recorded into again: it goes on, without system metrics and captured "
                "output. Call close() after the last value.",
                self.run_hash,
            )
        return writer

    def settle(self) -> None:
        """Wait until what this process has tracked can be read."""
        if self.writer is not None:
            self.writer.services.record_pending()
            self.writer.encoding.wait_until_done()
            self.door.flush(self.writer, to_read=True)
        else:
            encoding.wait_until_encoded()

    def flush(self) -> None:
        """Wait until everything recorded is on the disk."""
        if self.writer is not None:
            self.writer.flush()
            self.door.flush(self.writer)

    def close(self, error: BaseException | None = None) -> None:
        """End what records; *error* is the exception that ended the run. A second call does nothing."""
        if self.writer is None:
            return
        self._finalizer.detach()
        name = None if error is None else error_name(error)
        if error is not None and name is not None and not self.writer.closed:
            self.writer.services.failed(error)
        _end(self.writer, self.door, name)

    def alert(self, title: str, text: str, level: str) -> None:
        """Record an alert. Raises NotRecording."""
        if self.writer is None:
            raise NotRecording(f"Run {self.run_hash} is open for reading only: it can't record an alert.")
        self.ready_writer().lines.add_alert(title, text, level)

    def check_in(self, report: Mapping[str, Any], block: bool) -> None:
        """Record a check-in. Raises NotRecording."""
        if self.writer is None:
            raise NotRecording(f"Run {self.run_hash} is open for reading only: it can't report progress.")
        writer = self.ready_writer()
        self._has_checked_in = True
        writer.lines.check_in(report)
        if block:
            writer.flush()

    def deduce_progress(self, progress: Mapping[str, Any]) -> None:
        """Record what an adapter knows of the progress; nothing where the training checks in by itself."""
        if self.is_open and not self._has_checked_in:
            self.ready_writer().lines.check_in(progress)

    # changes

    def set_property(self, **properties: object) -> None:
        """Set properties of the run."""
        if self.writer is not None and not self.writer.closed:
            self.writer.lines.set_property(**properties)
        else:
            self.edit({"property": properties})

    def change_tags(self, add: Sequence[str], remove: Sequence[str]) -> None:
        """Add and remove tags of the run."""
        if self.writer is not None and not self.writer.closed:
            self.writer.lines.change_tags(add, remove)
        else:
            self.edit({"tags": {"add": list(add), "remove": list(remove)}})

    def edit(self, change: Mapping[str, Any], after_s: float = 0.0) -> float:
        """Change the run by an edit that is later than *after_s*; return its time."""
        if self._locked_path is not None:
            raise ReadOnly(
                f"Repository {self._locked_path} is open for reading only: run {self.run_hash} can't be changed."
            )
        return self.door.edit(self.run_hash, change, by=edits.BY_PYTHON, after_s=after_s)

    def hide(self, change: Mapping[str, Any], after_s: float = 0.0) -> None:
        """Hide or show points by an edit; what this process tracks next is later, so the edit does not hide it."""
        at_s = self.edit(change, after_s)
        if self.writer is not None and not self.writer.closed:
            self.writer.sequences.set_earliest_time(at_s + MICROSECOND_S)

    def fork(self, step: int, name: str | None) -> str:
        """Copy the run up to *step* into a new run, and return its hash."""
        if self._locked_path is not None:
            raise ReadOnly(f"Repository {self._locked_path} is open for reading only: it can't take a run.")
        self.settle()
        return self.door.fork_run(self.run_hash, step, name=name)


def for_reading(door: Door, run_hash: str, repo: Repo | None) -> Recording:
    """Return the writing side of a run that is only read: its properties can be changed, unless *repo* is read-only."""
    locked_path = repo.root_path if repo is not None and repo.read_only else None
    return Recording(door, run_hash, read_only=True, locked_path=locked_path)


def _end(writer: Writer, door: Door, error: str | None = None) -> None:
    was_open = not writer.closed
    writer.close(error)
    if was_open:
        door.ended(writer)
