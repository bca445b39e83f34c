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
    The metadata of a `Dataset`, or of the split `train` (else the first one) of a `DatasetDict`.

    Beside what the library describes there are `num_rows` and `fingerprint`, which tells whether two runs had the same
    data; of a `DatasetDict` both are dicts by split, and of an `IterableDataset` None.

    Raises:
        WrongType: (a TypeError) *dataset* is neither.
    """

    AIM_NAME: ClassVar[str] = "hf_datasets.metadata"
    DEFAULT_KEY: ClassVar[str] = "train"

    def __init__(self, dataset: Any) -> None:
        split = dataset
        if isinstance(dataset, Mapping) and dataset:
            split = dataset.get(self.DEFAULT_KEY, next(iter(dataset.values())))
        info = getattr(split, "info", None)
        if info is None:
            raise WrongType(f"dataset must be a Dataset or a DatasetDict of datasets, not a {type(dataset).__name__}.")
        counted = {"num_rows": _of_splits(dataset, "num_rows"), "fingerprint": _of_splits(dataset, "_fingerprint")}
        super().__init__({"source": "huggingface_datasets", "meta": {**_metadata(info), **counted}})


def _of_splits(dataset: Any, name: str) -> Any:
    """Return an attribute of a dataset, or of each split by its name; None where a dataset does not have it."""
    if isinstance(dataset, Mapping):
        return {str(split): getattr(part, name, None) for split, part in dataset.items()}
    return getattr(dataset, name, None)


def _metadata(info: Any) -> dict[str, Any]:
    """Return the fields of a `DatasetInfo`; those that its version of the library lacks are None."""
    features, splits, templates = (getattr(info, name, None) or {} for name in ("features", "splits", "task_templates"))
    return {
        **{name: getattr(info, name, None) for name in AS_THEY_ARE},
        **{name: str(getattr(info, name, None)) for name in AS_TEXTS},
        "features": [{name: str(feature)} for name, feature in features.items()] or None,
        "task_templates": [str(template) for template in templates] or None,
        "splits": [
            {name: {field: getattr(split, field, None) for field in OF_A_SPLIT}} for name, split in splits.items()
        ]
        or None,
    }
