"""
What a training logs with `run.log_info` and its like, or through `logging`: each message is a log record of the run.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from types import FrameType
from typing import TYPE_CHECKING, Any

from aim.core.kinds import RECORDS_NAME
from aim.core.levels import LOG_ERROR
from aim.storage.recording.writer import Writer

if TYPE_CHECKING:
    from aim.sdk.capture.log_handler import RunHandler

OWN_MODULES = "aim."


def keep_message(writer: Writer, level: int, message: object, args: Mapping[str, Any]) -> None:
    """Record a message with the line of the caller's code that logged it; an error is flushed to the disk."""
    from aim.sdk.objects.log_record import LogRecord

    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_globals.get("__name__", "").startswith(OWN_MODULES):
        frame = frame.f_back
    source_line = (None, None) if frame is None else (frame.f_code.co_filename, frame.f_lineno)
    writer.sequence(RECORDS_NAME).track(LogRecord(message, level, logger_info=source_line, args=args))
    if level >= LOG_ERROR:
        writer.flush()


def handler(writer: Writer, level: int) -> RunHandler:
    """Return a handler for `logging` that records what is logged."""
    from aim.sdk.capture.log_handler import RunHandler

    return RunHandler(writer.sequence(RECORDS_NAME), level)
