"""
Datasets of Deep Lake (version 3).
"""

from __future__ import annotations

import logging
import warnings
from typing import Any, ClassVar

from aim.core.errors import UsageError, WrongType
from aim.sdk.objects.plugins.described import Described, of_info, of_tensor

FIELDS = (
    "path", "commit_id", "branch", "has_head_changes", "num_samples", "max_len", "min_len", "is_view",
)  # fmt: skip

log = logging.getLogger("aim")


class UncommittedDatasetWarning(UserWarning):
    """A dataset has changes that are not committed: what a run trained on can't be found again."""


class ViewOnUncommittedDatasetWarning(UserWarning):
    """A view of a dataset with changes that are not committed: it can't be made again."""


class CannotSave(UsageError, ValueError):
    """A view of uncommitted changes, which Deep Lake neither commits nor saves."""


class DeeplakeDataset(Described):
    """
    What Deep Lake says of *dataset*, a `deeplake.Dataset` or a view of one: path, commit, branch, tensors, sizes.

    Args:
        auto_commit: commit the changes of the dataset's head first.
        auto_save_view: save a view first, so that its id leads back to it.

    Raises:
        WrongType: (a TypeError) *dataset* is none.
        CannotSave: (a ValueError) to commit or save was asked for, of a view of uncommitted changes.
    """

    AIM_NAME: ClassVar[str] = "deeplake.dataset"

    def __init__(self, dataset: Any, auto_commit: bool = False, auto_save_view: bool = False) -> None:
        if not all(hasattr(dataset, name) for name in (*FIELDS, "tensors")):
            raise WrongType(f"dataset must be a deeplake.Dataset, not a {type(dataset).__name__}.")
        _check_changes(dataset, auto_commit, auto_save_view)
        view_info = None
        if not dataset.is_view:
            if auto_commit and dataset.has_head_changes:
                commit = dataset.commit(message="committed for a run of Aim")
                log.info("Aim: committed the changes of %s as %s.", dataset.path, commit)
        elif auto_save_view and not dataset.has_head_changes:
            view_info = _saved(dataset)
        meta = {name: getattr(dataset, name) for name in FIELDS}
        meta |= {
            "pending_commit_id": dataset.pending_commit_id if dataset.has_head_changes else None,
            "info": of_info(dataset.info),
            "view_info": view_info,
            "tensors": {name: of_tensor(tensor) for name, tensor in dataset.tensors.items()},
            "size_approx": dataset.size_approx(),
            "deeplake_version": dataset.meta.version,
        }
        super().__init__({"source": "deeplake", "meta": meta})


def _check_changes(dataset: Any, auto_commit: bool, auto_save_view: bool) -> None:
    if not dataset.has_head_changes:
        return
    if dataset.is_view and (auto_commit or auto_save_view):
        raise CannotSave(
            f"The view of {dataset.path} is one of uncommitted changes, so it can't be saved. Commit them before "
            "making the view, or leave auto_commit and auto_save_view out."
        )
    if dataset.is_view:
        text = f"{dataset.path}: a view of uncommitted changes can't be found again. Commit before making the view."
        warnings.warn(text, ViewOnUncommittedDatasetWarning, stacklevel=3)
    elif not auto_commit:
        text = f"{dataset.path} has uncommitted changes, so what the run trains on can't be found again. Commit them."
        warnings.warn(text, UncommittedDatasetWarning, stacklevel=3)


def _saved(view: Any) -> dict[str, Any]:
    info: dict[str, Any] = view._get_view_info()
    try:
        path = view.save_view(message="saved for a run of Aim", id=info.get("id"), optimize=False)
        log.info("Aim: saved the view %s of %s in %s.", info.get("id"), view.path, path)
    except (NotImplementedError, OSError, ValueError) as error:  # of a dataset in memory: its id is kept all the same
        log.info("Aim: the view of %s is not saved: %s", view.path, error)
    return info
