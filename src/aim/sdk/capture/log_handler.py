"""
From the standard library's `logging` to the log records of a run.
"""

from __future__ import annotations

import logging

from aim.core.errors import RunClosed, UnstorableParam
from aim.sdk.objects.log_record import LogRecord
from aim.storage.recording.sequence_writer import SequenceWriter

OWN_LOGGER = "aim"


class RunHandler(logging.Handler):
    """
    Keeps records of `logging` with a run; made by `run.log_handler()`.

    A record's message is kept with its arguments filled in, and a traceback below it. What Aim itself logs is left out:
    it may be about the disk that refuses. After the end of the run records are dropped.
    """

    def __init__(self, sequence: SequenceWriter, level: int = logging.NOTSET) -> None:
        super().__init__(level)
        self._sequence = sequence

    def emit(self, record: logging.LogRecord) -> None:
        """Keep *record*."""
        if record.name.partition(".")[0] == OWN_LOGGER:
            return
        try:
            message = self.format(record)
            source_line = (record.pathname, record.lineno)
            kept = LogRecord(message, record.levelno, logger_info=source_line, args={"logger": record.name})
            self._sequence.track(kept)
        except RunClosed:
            return
        except (TypeError, ValueError, UnstorableParam):  # the caller's arguments do not fit the caller's format
            self.handleError(record)
