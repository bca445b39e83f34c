"""
What a run records by itself, and what it says of itself: system metrics, captured output, the environment, log records,
check-ins, artifacts.

Each service is a module of its own, imported when it is asked for, and works beside the training through the writer
(storage/recording/services.py). Nothing here holds the `Run`: a run that nobody holds any more ends.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from abc import abstractmethod
from collections.abc import Mapping
from types import FrameType
from typing import TYPE_CHECKING, Any

from aim.core import contexts, params
from aim.core.clock import MICROSECOND_S
from aim.core.errors import ReadOnly, UsageError
from aim.core.kinds import LINES_NAME, RECORDS_NAME
from aim.core.reserved import SYSTEM_PARAMS
from aim.engine.repository import Repository
from aim.storage.forms.check_ins import CheckIn
from aim.storage.forms.state import RunState
from aim.storage.recording.writer import Writer

if TYPE_CHECKING:
    from aim.sdk.capture.log_handler import RunHandler
    from aim.storage.recording.sequence_writer import SequenceWriter

DESCRIPTORS = "fd"

log = logging.getLogger("aim")


class RunServicesMixin:
    """What a `Run` records by itself; see there."""

    hash: str
    _writer: Writer | None
    _repository: Repository

    @abstractmethod
    def _state(self) -> RunState:
        """Return the run's state as it is now."""

    @abstractmethod
    def _edit(self, change: Mapping[str, Any], after_s: float = 0.0) -> float:
        """Change the run by an edit, later than *after_s*; give its time."""

    @abstractmethod
    def _recording(self) -> Writer:
        """Return the writer of a run that records."""

    def _start_services(
        self, system_tracking_interval: float | None, log_system_params: bool, capture_terminal_logs: bool | str
    ) -> None:
        writer = self._recording()
        if capture_terminal_logs:
            _start_capture(writer, self._repository, capture_terminal_logs)
        if log_system_params:
            _start_environment(writer)
        if system_tracking_interval is not None:
            from aim.sdk.capture.resources import ResourceTracker

            if ResourceTracker.check_interval(system_tracking_interval):
                tracker = ResourceTracker(_recorder(writer), system_tracking_interval)
                writer.services.add(tracker)
                tracker.start()

    # what was logged

    def log_debug(self, msg: object, **params: Any) -> None:
        """Log a message of level DEBUG; see `log_info`."""
        self._keep_message(logging.DEBUG, msg, params)

    def log_info(self, msg: object, **params: Any) -> None:
        """
        Log a message of level INFO: it is kept with the run, with where it was logged.

        Args:
            msg: shown as it is; nothing is filled in for `%` signs.
            params: what belongs to it, as params are.

        Raises:
            UnstorableParam: (a TypeError) one of *params* can't be stored.

        Cost: about 30 us.
        """
        self._keep_message(logging.INFO, msg, params)

    def log_warning(self, msg: object, **params: Any) -> None:
        """Log a message of level WARNING; see `log_info`."""
        self._keep_message(logging.WARNING, msg, params)

    def log_error(self, msg: object, **params: Any) -> None:
        """Log a message of level ERROR; see `log_info`. Returns when it is on the disk."""
        self._keep_message(logging.ERROR, msg, params)
        self._recording().flush()

    def _keep_message(self, level: int, msg: object, args: Mapping[str, Any]) -> None:
        from aim.sdk.objects.log_record import LogRecord

        frame: FrameType | None = sys._getframe(2)
        while frame is not None and frame.f_globals.get("__name__", "").startswith("aim."):  # safe mode is between
            frame = frame.f_back
        place = (None, None) if frame is None else (frame.f_code.co_filename, frame.f_lineno)
        record = LogRecord(msg, level, args, *place)
        self._recording().sequence(RECORDS_NAME).track(record)

    def log_handler(self, level: int = logging.NOTSET) -> RunHandler:
        """
        Return a handler for the standard library's `logging` that keeps what is logged with this run.

        >>> import tempfile
        >>> from aim.sdk.run import Run
        >>> run = Run(repo=tempfile.mkdtemp())
        >>> logger = logging.getLogger("training")
        >>> logger.addHandler(run.log_handler(logging.INFO))
        >>> logger.warning("the loss is %s", "high")
        >>> [record.message for record in run.get_log_records()]
        ['the loss is high']
        >>> run.close()
        """
        from aim.sdk.capture.log_handler import RunHandler

        return RunHandler(self._recording().sequence(RECORDS_NAME), level)

    # check-ins

    def report_progress(self, *, expect_next_in: float = 0, block: bool = False) -> None:
        """
        Say that the training makes progress; `run.check_in` gives it back, in any process.

        Args:
            expect_next_in: seconds within which the next call is promised; when it has not come by then,
                `run.check_in.is_overdue()` says so. 0 promises nothing.
            block: return when it is on the disk, safe from a power cut too.

        Raises:
            NotRecording: (a ValueError) the run is open for reading.
        """
        if not isinstance(expect_next_in, (int, float)) or not 0 <= expect_next_in < float("inf"):
            raise UsageError(f"expect_next_in is {expect_next_in!r}; it has to be a number of seconds, 0 or more.")
        self._check_in({"expect_next_in": float(expect_next_in)}, block)

    def report_successful_finish(self, *, block: bool = True) -> None:
        """Say that the work is done, so that nobody waits for a next check-in; see `report_progress`."""
        self._check_in({"finished": True}, block)

    def _check_in(self, said: Mapping[str, Any], block: bool) -> None:
        if self._writer is None:
            raise NotRecording(f"Run {self.hash} is open for reading only: it can't report progress.")
        writer = self._recording()
        writer.check_in(said)
        if block:
            writer.flush()

    @property
    def check_in(self) -> CheckIn | None:
        """The latest check-in; None when there was none."""
        return self._state().check_in

    # taking back

    def delete_metric(self, name: str, context: Mapping[str, Any] | None = None) -> bool:
        """
        Hide what was tracked of a sequence until now, of numbers or of objects; give whether there was any.

        What is tracked later is shown, with the steps going on. The points stay in the files.

        >>> import tempfile
        >>> from aim.sdk.run import Run
        >>> run = Run(repo=tempfile.mkdtemp())
        >>> run.track(0.5, name="los")
        >>> run.delete_metric("los"), run.get_metric("los")
        (True, None)
        >>> run.close()
        """
        if self._writer is not None:
            self._writer.encoding.wait_until_done()
        facts = self._state().sequences.get((name, contexts.text(context)))
        if facts is None or not facts.parts:
            return False
        points = self._repository.reader(self.hash).points(facts.key)
        recorded_at_s = float(points.times_s.max()) if points is not None and len(points) else 0.0
        change = {"drop": [{"name": name, "context": params.encode(contexts.plain(context))}]}
        at_s = self._edit(change, recorded_at_s)
        if self._writer is not None and not self._writer.closed:  # what is tracked next is not meant
            self._writer.set_earliest_time(at_s + MICROSECOND_S)
        return True


class NotRecording(ReadOnly, ValueError):
    """A run that is open for reading was asked to report of itself."""


def check_capture(how: object) -> None:
    """Raise `UsageError` unless *how* is what `capture_terminal_logs` may be."""
    if isinstance(how, str) and how != DESCRIPTORS:
        raise UsageError(f"capture_terminal_logs is {how!r}; it has to be True, False or {DESCRIPTORS!r}.")


def _recorder(writer: Writer) -> Any:
    handles: dict[Any, SequenceWriter] = {}

    def record(value: float, name: str, context: Mapping[str, Any]) -> None:
        key = (name, *context.items())
        handle = handles.get(key)
        if handle is None:
            handle = handles[key] = writer.sequence(name, context)
        handle.track(value)

    return record


def _start_environment(writer: Writer) -> None:
    from aim.sdk.capture.environment import EnvironmentRecorder

    recorder = EnvironmentRecorder(lambda found: writer.set_param((SYSTEM_PARAMS,), found, strict=False))
    writer.services.add(recorder)
    recorder.start()


def _start_capture(writer: Writer, repository: Repository, how: bool | str) -> None:
    from aim.sdk.capture.terminal import TerminalLog

    def sequence() -> SequenceWriter:
        # two processes that number their lines from the same one would replace each other's
        others = repository.state(writer.run_hash).writers.values()
        is_shared = any(other.id != writer.id and other.is_alive(time.time()) for other in others)
        return writer.sequence(LINES_NAME, {"writer": writer.id} if is_shared else None)

    terminal = TerminalLog(sequence, reads_descriptors=how == DESCRIPTORS)
    writer.services.add(terminal)
    try:
        terminal.start()
    except OSError as error:
        log.warning("Aim: output can't be captured (%s); it is not recorded.", os.strerror(error.errno or 0))
