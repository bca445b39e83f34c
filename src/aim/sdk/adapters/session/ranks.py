"""
Which process of a training records.

A training on several devices is several processes, its *ranks*. The framework says which one this is; without it
`torch.distributed`; and then what launchers set in the environment: RANK (torchrun), SLURM_PROCID or
OMPI_COMM_WORLD_RANK.

    ranks="zero"   rank 0 records; the others get a `SilentRun`
    ranks="all"    each rank records into the same run by its hash, which AIM_RUN_HASH or one broadcast tells

A launcher can set AIM_RUN_HASH to a hash of its own choice before the workers start: the first one makes that run.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

from aim.sdk.run import Run

HASH_VARIABLE = "AIM_RUN_HASH"
RANK_VARIABLES = ("RANK", "SLURM_PROCID", "OMPI_COMM_WORLD_RANK")


def distributed() -> Any:
    """Return torch.distributed when a group of processes is up; else None. Nothing is imported."""
    module = sys.modules.get("torch.distributed")
    return module if module is not None and module.is_available() and module.is_initialized() else None


def rank_of(framework_rank: Callable[[], int | None] | None = None) -> int:
    """
    Return the rank of this process; 0 when nothing says that there are others.

    Args:
        framework_rank: returns the rank as the framework knows it, or None where it does not know.

    >>> rank_of(), rank_of(lambda: 3)
    (0, 3)
    """
    rank = None if framework_rank is None else framework_rank()
    if rank is not None:
        return int(rank)
    group = distributed()
    if group is not None:
        return int(group.get_rank())
    for name in RANK_VARIABLES:
        text = os.environ.get(name, "")
        if text.isdigit():
            return int(text)
    return 0


def broadcast_hash(run_hash: str | None) -> str | None:
    """
    Return the hash that rank 0 has; without a group of processes *run_hash*.

    Every rank has to call it, since it waits for rank 0.
    """
    group = distributed()
    if group is None or group.get_world_size() < 2:
        return run_hash
    hashes = [run_hash]
    group.broadcast_object_list(hashes, src=0)
    return hashes[0]


class SilentRun:
    """
    The run of a process that does not record: it has the members of a `Run`, and none of them does anything.

    Attributes:
        hash: the hash of the run that rank 0 records into, where it is told; else None.

    >>> run = SilentRun(None)
    >>> run.track(0.5, name="loss")
    >>> run["hparams"] = {"lr": 0.1}
    >>> run.get("hparams"), run.name, run.active
    (None, None, None)
    """

    def __init__(self, run_hash: str | None) -> None:
        self.hash = run_hash

    def __repr__(self) -> str:
        return f"<SilentRun#{self.hash}: another process records>"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or not hasattr(Run, name):
            raise AttributeError(f"A run has no attribute {name!r}.")
        return _nothing if callable(getattr(Run, name)) else None

    def __setitem__(self, key: object, value: object) -> None:
        """Record nothing."""

    def __delitem__(self, key: object) -> None:
        """Remove nothing."""

    def __getitem__(self, key: object) -> Any:
        raise KeyError(key)

    def __contains__(self, key: object) -> bool:
        return False

    def __enter__(self) -> SilentRun:
        return self

    def __exit__(self, *raised: object) -> None:
        """End nothing."""


def _nothing(*values: object, **options: object) -> None:
    pass
