"""
The members that all adapters have, and their hooks.

    class AimCallback(RunHolder, framework.Callback):
        def __init__(self, repo=None, experiment=None, ..., **options):
            super().__init__()
            self._hold("aim.example.AimCallback", repo, experiment, ..., options, usual=SUBSETS)

        @hook
        def on_epoch_end(self, epoch, logs):
            self._session.track(logs, step=epoch)

`RunHolder` has no `__init__`, so that it stands before any class of a framework.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any, ParamSpec, TypeVar

from aim.core.shield import shielded
from aim.sdk.adapters.session.options import Prefixes, parted
from aim.sdk.adapters.session.run_session import RunSession

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


def hook(method: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """
    Let a method of a `RunHolder` never raise: its failure is logged once, and it returns None then.

    AIM_ADAPTER_STRICT=1 raises, for tests. `KeyboardInterrupt` and `SystemExit` pass.
    """

    @functools.wraps(method)
    def call(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Any:
        results: list[Result] = []
        holder: Any = args[0]
        shielded(
            lambda: results.append(method(*args, **kwargs)),
            lambda error: holder._session.failures.report(error, method.__name__),
        )
        return results[0] if results else None

    return call


class RunHolder:
    """What every adapter is: the holder of a run."""

    _session: RunSession

    def _hold(
        self,
        adapter: str,
        repo: Any,
        experiment: str | None,
        system_tracking_interval: float | None,
        log_system_params: bool,
        capture_terminal_logs: bool | str,
        options: Mapping[str, Any],
        *,
        usual: Prefixes | None = None,
        rank: Callable[[], int | None] | None = None,
    ) -> None:
        """
        Begin the session of this adapter; no run is made yet.

        Args:
            options: the keyword arguments of `AdapterOptions`.
            usual, rank: as for `RunSession`; *rank* is a function of a module.

        Raises:
            WrongOption: (a TypeError) an argument that no adapter takes, or that contradicts another one.
        """
        parts = parted(
            adapter, repo, experiment, system_tracking_interval, log_system_params, capture_terminal_logs, options
        )
        self._session = RunSession(adapter, *parts, usual, rank)

    @property
    def experiment(self) -> Any:
        """The `Run`, made at the first use; in a process that does not record, a run that records nothing."""
        return self._session.run()

    def setup(self, args: Any = None) -> None:
        """Make the run, if it was not made, and record *args* as its param `hparams`."""
        self._session.run()
        if args:
            self._session.set_params("hparams", args)

    def close(self) -> None:
        """End the run, unless it is the caller's. What is recorded later goes on in the same run."""
        self._session.close()

    # names by which subclasses written for Aim 3 read the same

    @property
    def _run(self) -> Any:
        return self._session.open_run()

    @_run.setter
    def _run(self, run: Any) -> None:
        self._session.take(run)

    @property
    def _run_hash(self) -> str | None:
        return self._session.run_hash

    @property
    def _repo_path(self) -> Any:
        return self._session.options.repo

    @property
    def _experiment_name(self) -> str | None:
        return self._session.options.experiment

    @property
    def _run_name(self) -> str | None:
        return self._session.options.run_name
