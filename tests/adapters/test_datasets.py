"""
The metadata of datasets of Hugging Face, of the library's current version.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from aim import Run
from aim.hf_dataset import HFDataset

datasets = pytest.importorskip("datasets")


def described(repo: Path, dataset: Any) -> Any:
    """Store the metadata as a param, and return them as somebody else reads them."""
    with Run(repo=str(repo), system_tracking_interval=None, capture_terminal_logs=False) as run:
        run["dataset"] = HFDataset(dataset)
    return Run(run.hash, repo=str(repo), read_only=True).get("dataset", resolve_objects=True)["dataset"]["meta"]


def test_a_dataset_is_described(repo: Path) -> None:
    """
    Features of every kind are texts; rows and fingerprint tell whether two runs had the same data.
    """
    features = datasets.Features(
        {
            "text": datasets.Value("string"),
            "words": datasets.List(datasets.List(datasets.Value("int32"))),
            "picture": datasets.Image(),
            "sound": datasets.Audio(),
            "label": datasets.ClassLabel(names=["no", "yes"]),
        }
    )
    columns: dict[str, list[Any]] = {name: [] for name in features}
    dataset = datasets.Dataset.from_dict(columns, features=features)
    meta = described(repo, dataset)

    assert (0, dataset._fingerprint) == (meta["num_rows"], meta["fingerprint"])
    assert [{name: str(feature)} for name, feature in features.items()] == meta["features"]


def test_splits_are_counted_and_streams_are_not(repo: Path) -> None:
    """
    Of several splits each is counted; how many rows a stream has nobody knows.
    """
    train = datasets.Dataset.from_dict({"x": [1, 2, 3]})
    test = datasets.Dataset.from_dict({"x": [1]})
    meta = described(repo, datasets.DatasetDict(train=train, test=test))

    assert {"train": 3, "test": 1} == meta["num_rows"]
    assert train._fingerprint == meta["fingerprint"]["train"] != meta["fingerprint"]["test"]
    assert (None, None) == tuple(
        described(repo, train.to_iterable_dataset())[name] for name in ("num_rows", "fingerprint")
    )
