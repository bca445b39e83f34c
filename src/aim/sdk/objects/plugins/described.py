"""
What every description of a dataset has in common: a tree of plain values under `dataset`.

    run["dataset"] = HFDataset(data)
    run.get("dataset", resolve_objects=True)["dataset"]["meta"]["splits"]

A description is made from what the library's object says of itself; the library is not imported by these modules.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aim.core.values import is_number, number
from aim.sdk.objects.custom import CustomObject


class Described(CustomObject):
    """A dataset's description: the tree *about*, kept under `dataset`."""

    def __init__(self, description: Mapping[str, Any]) -> None:
        super().__init__({"dataset": plain(description)})


def plain(value: Any) -> Any:
    """
    Return a value as params can hold it: what is no number, text, list or dict becomes its text.

    >>> plain({"shape": (2, 3), 1: {"a"}, "dtype": float})
    {'shape': [2, 3], '1': ['a'], 'dtype': "<class 'float'>"}
    """
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    return number(value) if is_number(value) else str(value)


def of_tensor(tensor: Any) -> dict[str, Any]:
    """Describe one tensor of Deep Lake or Hub."""
    meta = tensor.meta
    of_samples, of_chunks = meta.sample_compression, meta.chunk_compression
    return {
        "name": tensor.key,
        "num_samples": len(tensor),
        "htype": tensor.htype,
        "dtype": str(tensor.dtype) if tensor.dtype else None,
        "compression_type": "sample_compression" if of_samples else "chunk_compression" if of_chunks else None,
        "compression_format": of_samples or of_chunks,
        "info": of_info(tensor.info),
    }


def of_info(info: Any) -> dict[str, Any]:
    """Return what people wrote of a dataset or tensor."""
    inner = getattr(info, "_info", None)
    return dict(inner if isinstance(inner, Mapping) else info)
