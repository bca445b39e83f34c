"""
The types of params, for annotations: what `run[key]` accepts and returns.
"""

from __future__ import annotations

from typing import Any

AimObjectKey = int | str
AimObjectPath = AimObjectKey | tuple[AimObjectKey, ...]
AimObjectPrimitive = None | bool | int | float | str | bytes
AimObjectArray = list[Any] | tuple[Any, ...]
AimObjectDict = dict[AimObjectKey, Any]
AimObject = AimObjectPrimitive | AimObjectArray | AimObjectDict
