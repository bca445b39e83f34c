"""
What a run can hold besides numbers. Each class is imported when it is first named.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aim.sdk.objects.image import Image as Image
    from aim.sdk.objects.image import convert_to_aim_image_list as convert_to_aim_image_list
    from aim.sdk.objects.registry import UnknownObject as UnknownObject
    from aim.sdk.objects.text import Text as Text

_MODULES = {
    "Image": "image",
    "Text": "text",
    "UnknownObject": "registry",
    "convert_to_aim_image_list": "image",
}

__all__ = ["Image", "Text", "UnknownObject", "convert_to_aim_image_list"]


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
