"""
`LoggingRun`: what a training says beside its values, log records and check-ins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aim.core import levels
from aim.sdk import log_records, run_services
from aim.sdk.run_edits import EditableRun

if TYPE_CHECKING:
    from aim.sdk.capture.log_handler import RunHandler


class LoggingRun(EditableRun):
    """A run that takes log records and check-ins; see `Run`."""

    def log_debug(self, msg: object, **params: Any) -> None:
        """Log a message of level DEBUG; see `log_info`."""
        log_records.keep_message(self._recording.ready_writer(), levels.LOG_DEBUG, msg, params)

    def log_info(self, msg: object, **params: Any) -> None:
        """
        Log a message of level INFO: it is kept with the run, together with the line of code that logged it.

        Args:
            msg: kept as it is; `%` signs are not filled in.
            params: values that belong to the message, as params are.

        Raises:
            UnstorableParam: (a TypeError) one of *params* can't be stored.

        Cost: about 30 us.
        """
        log_records.keep_message(self._recording.ready_writer(), levels.LOG_INFO, msg, params)

    def log_warning(self, msg: object, **params: Any) -> None:
        """Log a message of level WARNING; see `log_info`."""
        log_records.keep_message(self._recording.ready_writer(), levels.LOG_WARNING, msg, params)

    def log_error(self, msg: object, **params: Any) -> None:
        """Log a message of level ERROR; see `log_info`. Returns when it is on the disk."""
        log_records.keep_message(self._recording.ready_writer(), levels.LOG_ERROR, msg, params)

    def log_handler(self, level: int = 0) -> RunHandler:
        """
        Return a handler for the standard library's `logging` that keeps what is logged with this run.

        >>> import tempfile
        >>> from aim import Run
        >>> run = Run(repo=tempfile.mkdtemp())
        >>> import logging
        >>> logger = logging.getLogger("training")
        >>> logger.addHandler(run.log_handler(logging.INFO))
        >>> logger.warning("the loss is %s", "high")
        >>> [record.message for record in run.get_log_records()]
        ['the loss is high']
        >>> run.close()
        """
        return log_records.handler(self._recording.ready_writer(), level)

    def alert(self, title: str, text: str = "", level: str = "warning") -> None:
        """
        Record an alert: a page, `aim watch` and the like bring it to people (docs/guide/alerts.md).

        Args:
            title: one line that says what is wrong.
            text: more of it.
            level: `info`, `warning` or `error`.

        Raises:
            UsageError: the title is empty, or there is no such level.
            NotRecording: (a ValueError) the run is open for reading.

        Cost: about 30 us.

        >>> import tempfile
        >>> from aim import Run
        >>> run = Run(repo=tempfile.mkdtemp(), system_tracking_interval=None)
        >>> run.alert("The loss is NaN", level="error")
        >>> [(alert.title, alert.level) for alert in run.alerts]
        [('The loss is NaN', 'error')]
        >>> run.close()
        """
        self._recording.alert(*run_services.check_alert(title, text, level))

    def report_progress(
        self,
        done: float | None = None,
        total: float | None = None,
        *,
        unit: str = "steps",
        expect_next_in: float = 0,
        block: bool = False,
    ) -> None:
        """
        Report that the training makes progress; `run.check_in` returns the latest report, in any process.

        Args:
            done, total: how far the work is, such as 300 of 1,000 steps: percent, rate and time left follow from it,
                in `run.check_in.progress`, in tables, pages and `aim top`.
            unit: what *done* and *total* count.
            expect_next_in: seconds within which the next call is promised; when it is late,
                `run.check_in.is_overdue()` is True. 0 promises nothing.
            block: return when the report is on the disk, safe from a power cut too.

        Raises:
            NotRecording: (a ValueError) the run is open for reading.
        """
        promise = {"expect_next_in": run_services.check_promise(expect_next_in)}
        self._recording.check_in({**promise, **run_services.check_progress(done, total, unit)}, block)

    def report_successful_finish(self, *, block: bool = True) -> None:
        """Report that the work is done, so that no further check-in is expected; see `report_progress`."""
        self._recording.check_in({"finished": True}, block)
