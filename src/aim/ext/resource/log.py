"""
Captured output under the name of Aim 3: `from aim.ext.resource.log import LogLine, Logs`.
"""

from __future__ import annotations

from aim.sdk.objects.log_line import LogLine as LogLine
from aim.sdk.sequences.log_sequences import Logs as Logs
