"""
What a run can hold besides numbers. Each class is imported when it is first named.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aim.core.faces import lazy_face

if TYPE_CHECKING:
    from aim.sdk.objects.audio import Audio as Audio
    from aim.sdk.objects.distribution import Distribution as Distribution
    from aim.sdk.objects.figure import Figure as Figure
    from aim.sdk.objects.image import Image as Image
    from aim.sdk.objects.image import convert_to_aim_image_list as convert_to_aim_image_list
    from aim.sdk.objects.log_line import LogLine as LogLine
    from aim.sdk.objects.log_record import LogRecord as LogRecord
    from aim.sdk.objects.object3d import Object3D as Object3D
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
    "Object3D",
    "Table",
    "Text",
    "UnknownObject",
    "Video",
    "convert_to_aim_image_list",
]

_DEFINED_IN = {
    "Audio": "aim.sdk.objects.audio",
    "Distribution": "aim.sdk.objects.distribution",
    "Figure": "aim.sdk.objects.figure",
    "Image": "aim.sdk.objects.image",
    "LogLine": "aim.sdk.objects.log_line",
    "LogRecord": "aim.sdk.objects.log_record",
    "Object3D": "aim.sdk.objects.object3d",
    "Table": "aim.sdk.objects.table",
    "Text": "aim.sdk.objects.text",
    "UnknownObject": "aim.sdk.objects.registry",
    "Video": "aim.sdk.objects.video",
    "convert_to_aim_image_list": "aim.sdk.objects.image",
}

__getattr__, __dir__ = lazy_face(__name__, _DEFINED_IN)
