"""
Aim 3's callback for distributed trainings of transformers, which is `aim.hugging_face` with `ranks="all"` now.

Aim 3 collects the system metrics of other ranks through a socket of rank 0. Here each rank records into the same run by
itself: no port is opened, nothing waits, and the arguments of the connection mean nothing.
"""

from __future__ import annotations

import os
import warnings
from typing import TYPE_CHECKING, Any

from aim.sdk.adapters import hugging_face
from aim.sdk.adapters.session.options import AdapterOptions

if TYPE_CHECKING:
    from typing_extensions import Unpack

NODE_RANK_VARIABLES = ("GROUP_RANK", "NODE_RANK", "SLURM_NODEID")


def _node_rank() -> int:
    texts = (os.environ.get(name, "") for name in NODE_RANK_VARIABLES)
    return next((int(text) for text in texts if text.isdigit()), 0)


class AimCallback(hugging_face.AimCallback):
    """
    `aim.hugging_face.AimCallback` of which each rank records, with `rank` and `node_rank` in the context.

    Args:
        main_port, main_addr, distributed_information, connection_timeout: no longer used.
        workers_only_on_rank_0: no longer used: each rank records its own system metrics.
        repo, experiment, system_tracking_interval, log_system_params, capture_terminal_logs: as for `Run`.
    """

    def __init__(
        self,
        main_port: int | None = None,
        repo: Any = None,
        experiment: str | None = None,
        system_tracking_interval: float | None = 10,
        log_system_params: bool = True,
        capture_terminal_logs: bool | str = True,
        main_addr: str | None = None,
        distributed_information: Any = None,
        connection_timeout: int = 300,
        workers_only_on_rank_0: bool = True,
        **options: Unpack[AdapterOptions],
    ) -> None:
        warnings.warn(
            "aim.distributed_hugging_face is aim.hugging_face.AimCallback(ranks='all'): no port is opened.",
            DeprecationWarning,
            stacklevel=2,
        )
        options["context"] = {"node_rank": _node_rank(), **(options.get("context") or {})}
        options.setdefault("ranks", "all")
        super().__init__(
            repo, experiment, system_tracking_interval, log_system_params, capture_terminal_logs, **options
        )
