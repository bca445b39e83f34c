"""
hydra: a run for each job, without a line in the script.

    # conf/config.yaml
    hydra:
      callbacks:
        aim:
          _target_: aim.hydra.AimJobCallback
          experiment: digits

    hparams     the config of the job, resolved
    hydra       its name and number, overrides, choices of the config groups, folders
    name        the overrides, such as `lr=0.1,depth=3`, unless run_name says another one
    status      failed, with the exception's name, when the job raised one

In the script `aim.hydra.current_run()` is the run of the job, to track into.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aim.sdk.adapters.session.frameworks import framework
from aim.sdk.adapters.session.holder import RunHolder, hook
from aim.sdk.adapters.session.options import AdapterOptions

if TYPE_CHECKING:
    from typing_extensions import Unpack

framework("hydra", "hydra-core", "aim.hydra")
callback_module: Any = framework("hydra.experimental.callback", "hydra-core", "aim.hydra")

_current: list[AimJobCallback] = []  # the callbacks of the jobs that are running in this process


class AimJobCallback(RunHolder, callback_module.Callback):
    """
    A callback of hydra that records each job as a run.

    Args:
        repo, experiment, system_tracking_interval, log_system_params, capture_terminal_logs: see `Run`. The
            experiment is the name of the job where none is given.
        options: those of every adapter, such as `run_name`, `tags` and `description`.
    """

    def __init__(
        self,
        repo: Any = None,
        experiment: str | None = None,
        system_tracking_interval: float | None = 10,
        log_system_params: bool = True,
        capture_terminal_logs: bool | str = True,
        **options: Unpack[AdapterOptions],
    ) -> None:
        self._hold(
            "aim.hydra.AimJobCallback", repo, experiment, system_tracking_interval, log_system_params,
            capture_terminal_logs, options,
        )  # fmt: skip
        self._is_named = "run_name" in options

    def on_job_start(self, config: Any, **ignored: Any) -> None:
        """Begin the run of a job."""
        _current.append(self)
        self._begin(config)

    @hook
    def _begin(self, config: Any) -> None:
        from omegaconf import OmegaConf

        job = config.hydra.job
        options = self._session.options
        options.experiment = options.experiment or job.name
        if not self._is_named:
            options.run_name = job.override_dirname or None
        self._session.set_params("hparams", OmegaConf.masked_copy(config, [key for key in config if key != "hydra"]))
        self._session.set_params("hydra", config.hydra)

    def on_job_end(self, config: Any, job_return: Any, **ignored: Any) -> None:
        """End the run of a job; with the exception that ended the job it has failed."""
        if self in _current:
            _current.remove(self)
        self._end(job_return)

    @hook
    def _end(self, job_return: Any) -> None:
        result = job_return._return_value
        self._session.close(result if isinstance(result, BaseException) else None)
        self._session.renew()


def current_run() -> Any:
    """Return the run of the job that is running in this process; None: there is none."""
    return _current[-1].experiment if _current else None
