"""
Datasets of Hugging Face.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from aim.core.errors import WrongType
from aim.sdk.objects.plugins.described import Described

AS_THEY_ARE = (
    "description", "citation", "homepage", "license", "builder_name", "config_name", "download_checksums",
    "download_size", "post_processing_size", "dataset_size", "size_in_bytes",
)  # fmt: skip
AS_TEXTS = ("post_processed", "supervised_keys", "version")
OF_A_SPLIT = ("num_bytes", "num_examples", "dataset_name")


class HFDataset(Described):
    """
    What `datasets` says of *dataset*: a `Dataset`, or a `DatasetDict`, of which the split `train` or the first speaks.

    Raises:
        WrongType: (a TypeError) *dataset* is neither.
    """

    AIM_NAME: ClassVar[str] = "hf_datasets.metadata"
    DEFAULT_KEY: ClassVar[str] = "train"

    def __init__(self, dataset: Any) -> None:
        one = dataset
        if isinstance(dataset, Mapping) and dataset:
            one = dataset.get(self.DEFAULT_KEY, next(iter(dataset.values())))
        info = getattr(one, "info", None)
        if info is None:
            raise WrongType(f"dataset must be a Dataset or a DatasetDict of datasets, not a {type(dataset).__name__}.")
        meta: dict[str, Any] = {name: getattr(info, name, None) for name in AS_THEY_ARE}
        meta |= {name: str(getattr(info, name, None)) for name in AS_TEXTS}
        features, splits = getattr(info, "features", None) or {}, getattr(info, "splits", None) or {}
        templates = getattr(info, "task_templates", None) or ()
        meta["features"] = [{name: str(feature)} for name, feature in features.items()] or None
        meta["task_templates"] = [str(template) for template in templates] or None
        meta["splits"] = [
            {name: {field: getattr(split, field, None) for field in OF_A_SPLIT}} for name, split in splits.items()
        ] or None
        super().__init__({"source": "huggingface_datasets", "meta": meta})
