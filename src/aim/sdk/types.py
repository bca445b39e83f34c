"""
Small types of the SDK's surface.
"""

from __future__ import annotations

from enum import Enum


class QueryReportMode(Enum):
    """How a query shows its progress."""

    DISABLED = 0
    PROGRESS_BAR = 1
    PROGRESS_TUPLE = 2
