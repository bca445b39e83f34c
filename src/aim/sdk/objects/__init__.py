"""
What a run can hold besides numbers. Each class is imported when it is first named.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aim.sdk.objects.audio import Audio as Audio
    from aim.sdk.objects.distribution import Distribution as Distribution
    from aim.sdk.objects.figure import Figure as Figure
    from aim.sdk.objects.image import Image as Image
    from aim.sdk.objects.image import convert_to_aim_image_list as convert_to_aim_image_list
    from aim.sdk.objects.log_line import LogLine as LogLine
    from aim.sdk.objects.log_record import LogRecord as LogRecord
    from aim.sdk.objects.registry import UnknownObject as UnknownObject
    from aim.sdk.objects.table import Table as Table
    from aim.sdk.objects.text import Text as Text
    from aim.sdk.objects.video import Video as Video

__all__ = [
    "Audio",
    "Distribution",
    "Figure",
    "Image",
    "LogLine",
    "LogRecord",
    "Table",
    "Text",
    "UnknownObject",
    "Video",
    "convert_to_aim_image_list",
]

_MODULES = {
    "Audio": "audio",
    "Distribution": "distribution",
    "Figure": "figure",
    "Image": "image",
    "LogLine": "log_line",
    "LogRecord": "log_record",
    "Table": "table",
    "Text": "text",
    "UnknownObject": "registry",
    "Video": "video",
    "convert_to_aim_image_list": "image",
}


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
