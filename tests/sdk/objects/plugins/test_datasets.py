"""
Descriptions of datasets as params, made from what looks like the libraries' own objects: they are not installed here.
"""

from __future__ import annotations

import sys
import types
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from aim import Run
from aim.hf_dataset import HFDataset
from aim.sdk.objects.plugins.deeplake_dataset import (
    CannotSave,
    DeeplakeDataset,
    UncommittedDatasetWarning,
    ViewOnUncommittedDatasetWarning,
)
from aim.sdk.objects.plugins.dvc_metadata import DvcData, NoDvc
from aim.sdk.objects.plugins.hub_dataset import HubDataset


class Tensor(list[int]):
    """A tensor of Deep Lake or Hub, as far as it describes itself."""

    key = "images"
    htype = "image"
    dtype = np.dtype("uint8")
    meta = SimpleNamespace(sample_compression=None, chunk_compression="lz4")
    info = SimpleNamespace(_info={"classes": ["cat", "dog"]})


class Lake(SimpleNamespace):
    """A dataset of Deep Lake or Hub."""

    def __init__(self, **changes: Any) -> None:
        known: dict[str, Any] = {"path": "mem://lake", "commit_id": "c1", "branch": "main", "has_head_changes": False}
        known |= {"num_samples": np.int64(2), "max_len": 2, "min_len": 2, "is_view": False, "info": {"title": "Cats"}}
        known |= {"tensors": {"images": Tensor([1, 2])}, "meta": SimpleNamespace(version="3.9"), "saved": []}
        known |= {"pending_commit_id": "c2"}
        super().__init__(**(known | changes))

    def __len__(self) -> int:
        return 2

    def size_approx(self) -> int:
        """Return its size."""
        return 1024

    def commit(self, message: str) -> str:
        """Commit."""
        self.has_head_changes = False
        self.commit_id = "c2"
        return "c2"

    def save_view(self, message: str, id: str, optimize: bool) -> str:
        """Save a view; a dataset in memory can't."""
        self.saved.append(id)
        raise NotImplementedError("in memory")

    def _get_view_info(self) -> dict[str, Any]:
        return {"id": "v1"}


TENSOR = {
    "name": "images",
    "num_samples": 2,
    "htype": "image",
    "dtype": "uint8",
    "compression_type": "chunk_compression",
    "compression_format": "lz4",
    "info": {"classes": ["cat", "dog"]},
}


def stored(tmp_path: Path, description: object) -> dict[str, Any]:
    """Return what a run says of a description, read back."""
    with Run(repo=tmp_path, system_tracking_interval=None, capture_terminal_logs=False) as run:
        run["dataset"] = description
    read = Run(run.hash, repo=tmp_path, read_only=True)
    assert type(description) is type(read["dataset"])
    found: dict[str, Any] = read.get("dataset", resolve_objects=True)["dataset"]
    return found


def test_a_dataset_of_hub_is_a_param(tmp_path: Path) -> None:
    """
    Path, version, info, tensors and the number of samples are kept, and read back as plain values.
    """
    meta = {"path": "mem://lake", "version": "3.9", "info": {"title": "Cats"}, "num_samples": 2}

    assert {"source": "hub", "meta": {**meta, "tensors": {"images": TENSOR}}} == stored(tmp_path, HubDataset(Lake()))


def test_a_dataset_of_deep_lake_is_a_param(tmp_path: Path) -> None:
    """
    Its commit, its tensors and its sizes are kept; what is no dataset is refused.
    """
    found = stored(tmp_path, DeeplakeDataset(Lake()))

    assert ("deeplake", "c1", None, 2, 1024) == (
        found["source"],
        *(found["meta"][name] for name in ("commit_id", "pending_commit_id", "num_samples", "size_approx")),
    )
    assert {"images": TENSOR} == found["meta"]["tensors"]
    with pytest.raises(TypeError, match="must be a deeplake.Dataset, not a list"):
        DeeplakeDataset([])


def test_uncommitted_changes_are_committed_or_told() -> None:
    """
    With `auto_commit` the changes are committed first; else there is a warning, and for a view of them no saving.
    """
    lake = Lake(has_head_changes=True)
    with pytest.warns(UncommittedDatasetWarning, match="mem://lake has uncommitted changes"):
        assert "c2" == DeeplakeDataset(lake).json()["dataset"]["meta"]["pending_commit_id"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert "c2" == DeeplakeDataset(lake, auto_commit=True).json()["dataset"]["meta"]["commit_id"]
    view = Lake(has_head_changes=True, is_view=True)
    with pytest.warns(ViewOnUncommittedDatasetWarning):
        DeeplakeDataset(view)
    with pytest.raises(CannotSave, match="can't be saved"):
        DeeplakeDataset(view, auto_save_view=True)


def test_a_view_is_saved_and_its_id_kept_when_it_can_t_be() -> None:
    """
    The id of a view leads back to it, also of a dataset in memory, of which views can't be saved.
    """
    view = Lake(is_view=True)

    assert {"id": "v1"} == DeeplakeDataset(view, auto_save_view=True).json()["dataset"]["meta"]["view_info"]
    assert ["v1"] == view.saved


def test_a_dataset_of_hugging_face_is_a_param(tmp_path: Path) -> None:
    """
    Of a dict of splits `train` speaks, else the first; what has no info is refused.
    """
    split = SimpleNamespace(num_bytes=10, num_examples=3, dataset_name="cats")
    info = SimpleNamespace(
        description="Cats", version="1.0.0", features={"image": int}, splits={"train": split}, dataset_size=10
    )
    data = {"test": SimpleNamespace(info=None), "train": SimpleNamespace(info=info)}
    meta = stored(tmp_path, HFDataset(data))["meta"]

    assert ("Cats", "1.0.0", 10, "None", None) == tuple(
        meta[name] for name in ("description", "version", "dataset_size", "supervised_keys", "license")
    )
    assert [{"train": {"num_bytes": 10, "num_examples": 3, "dataset_name": "cats"}}] == meta["splits"]
    assert [{"image": "<class 'int'>"}] == meta["features"]
    assert meta["features"] == HFDataset({"only": data["train"]}).json()["dataset"]["meta"]["features"]
    with pytest.raises(TypeError, match="not a list"):
        HFDataset([])


@pytest.fixture(name="dvc")
def _dvc(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    What DvcData asks of the package dvc.
    """

    class DvcException(Exception):
        pass

    def params_show(repo: str) -> dict[str, object]:
        if Path(repo, "params.yaml").exists():
            return {"lr": 0.1}
        raise DvcException("no params")

    package: Any = types.ModuleType("dvc")
    for name in ("api", "exceptions", "repo"):
        part: Any = types.ModuleType(f"dvc.{name}")
        setattr(package, name, part)
        monkeypatch.setitem(sys.modules, f"dvc.{name}", part)
    monkeypatch.setitem(sys.modules, "dvc", package)
    package.api.params_show = params_show
    package.exceptions.DvcException = DvcException
    package.repo.Repo = SimpleNamespace(ls=lambda url, **_: [{"path": "data.csv", "isdir": False}])


def test_what_dvc_tracks_is_a_param(tmp_path: Path, dvc: None, caplog: pytest.LogCaptureFixture) -> None:
    """
    The lock file, the params and the tracked files are kept; what is not there is told, and no reason to stop.
    """
    (tmp_path / "dvc.lock").write_text("schema: '2.0'\n")
    (tmp_path / "params.yaml").write_text("lr: 0.1\n")
    found = stored(tmp_path, DvcData(str(tmp_path)))

    assert ("dvc", {"lr": 0.1}, ["data.csv"]) == (found["source"], found["params"], found["tracked_files"])
    assert found["version"] in ({"schema": "2.0"}, "schema: '2.0'\n")
    empty = DvcData(str(tmp_path / "nowhere")).json()["dataset"]
    assert (None, None) == (empty["version"], empty["params"])
    assert ["dvc.lock of", "DVC gives no params"] == [
        next(part for part in ("dvc.lock of", "DVC gives no params") if part in message) for message in caplog.messages
    ]


def test_without_dvc_the_message_says_what_to_install() -> None:
    """
    DvcData needs dvc, and only when it is made.
    """
    with pytest.raises(NoDvc, match="pip install dvc"):
        DvcData()
    with pytest.raises(ImportError):
        DvcData()
