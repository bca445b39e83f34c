"""
What users import: runs, repositories, sequences, collections and the objects that a run can hold.

`Run` and `Repo` are here at once, so that each is complete whichever is imported first; the rest is imported when
named.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from aim.sdk.repo import Repo as Repo
from aim.sdk.run import Run as Run

if TYPE_CHECKING:
    from aim.sdk.image_sequence import Images as Images
    from aim.sdk.metric import Metric as Metric
    from aim.sdk.objects.image import Image as Image
    from aim.sdk.sequence import Sequence as Sequence

__all__ = ["Image", "Images", "Metric", "Repo", "Run", "Sequence"]

_DEFINED_IN = {
    "Image": "aim.sdk.objects.image",
    "Images": "aim.sdk.image_sequence",
    "Metric": "aim.sdk.metric",
    "Sequence": "aim.sdk.sequence",
}


def __getattr__(name: str) -> object:
    module = _DEFINED_IN.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(importlib.import_module(module), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
