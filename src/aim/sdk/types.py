"""
Small types of the SDK's surface.
"""

from __future__ import annotations

from enum import Enum

from aim.storage.types import AimObject as AimObject
from aim.storage.types import AimObjectArray as AimObjectArray
from aim.storage.types import AimObjectDict as AimObjectDict
from aim.storage.types import AimObjectKey as AimObjectKey
from aim.storage.types import AimObjectPath as AimObjectPath
from aim.storage.types import AimObjectPrimitive as AimObjectPrimitive


class QueryReportMode(Enum):
    """How a query shows its progress."""

    DISABLED = 0
    PROGRESS_BAR = 1
    PROGRESS_TUPLE = 2


__all__ = [
    "AimObject",
    "AimObjectArray",
    "AimObjectDict",
    "AimObjectKey",
    "AimObjectPath",
    "AimObjectPrimitive",
    "QueryReportMode",
]
