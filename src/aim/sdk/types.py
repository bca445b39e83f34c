"""
Types for callers: what `Run.track` takes, and small types of the SDK's surface.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, Protocol, SupportsFloat, SupportsIndex

from aim.core.values import Storable
from aim.storage.types import AimObject as AimObject
from aim.storage.types import AimObjectArray as AimObjectArray
from aim.storage.types import AimObjectDict as AimObjectDict
from aim.storage.types import AimObjectKey as AimObjectKey
from aim.storage.types import AimObjectPath as AimObjectPath
from aim.storage.types import AimObjectPrimitive as AimObjectPrimitive


class SupportsItem(Protocol):
    """A scalar of another library, such as a tensor of one element."""

    def item(self) -> Any:
        """Return the scalar as a Python number."""


Number = SupportsFloat | SupportsIndex | SupportsItem
"""A number of any library: Python's own, scalars of numpy and torch, tensors of one element."""

TrackableValue = Number | Storable | Sequence[Storable | Number]
"""What one sequence takes: a number, an object such as `Image`, or a list of them."""

Trackable = TrackableValue | Mapping[str, TrackableValue | Mapping[str, Any]]
"""What `Run.track` takes: a value, or values by the names of their sequences, which may be nested."""


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
    "Number",
    "QueryReportMode",
    "Trackable",
    "TrackableValue",
]
