"""
Datasets of Hub, the library that Deep Lake was before.
"""

from __future__ import annotations

from typing import Any, ClassVar

from aim.sdk.objects.plugins.described import Described, of_info, of_tensor


class HubDataset(Described):
    """What Hub says of *dataset*, a `hub.Dataset`: path, version, info, tensors, samples."""

    AIM_NAME: ClassVar[str] = "hub.dataset"

    def __init__(self, dataset: Any) -> None:
        meta = {
            "path": dataset.path,
            "version": dataset.meta.version,
            "info": of_info(dataset.info),
            "tensors": {name: of_tensor(tensor) for name, tensor in dataset.tensors.items()},
            "num_samples": len(dataset),
        }
        super().__init__({"source": "hub", "meta": meta})
