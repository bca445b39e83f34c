"""
Log records under the name of Aim 3: `from aim.sdk.logging import LogRecord, LogRecords`.
"""

from __future__ import annotations

from aim.sdk.capture.log_handler import RunHandler as RunHandler
from aim.sdk.objects.log_record import LogRecord as LogRecord
from aim.sdk.sequences.log_sequences import LogRecords as LogRecords
