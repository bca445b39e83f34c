"""
PyTorch-Ignite: an `AimLogger` whose handlers are attached to engines, as those of Ignite's own loggers.

    logger = AimLogger(experiment="digits")
    logger.attach_output_handler(trainer, Events.EPOCH_COMPLETED, tag="training", metric_names=["loss"])
    logger.attach_opt_params_handler(trainer, Events.ITERATION_STARTED, optimizer=optimizer)

    records                                      as
    loss with tag="training" (or "train")        loss, {"subset": "train"}; "validation" and "val": val; "test": test
    another tag, such as "fold1"                 fold1_loss
    lr of the second group of an optimizer       lr_group_1
    weights and gradients: norms                 weights_norm/<name>, grads_norm/<name>
    weights and gradients: distributions         <name>, {"type": "data" | "gradients"}

The step is that of the event, unless `global_step_transform=global_step_from_engine(trainer)` tells another engine's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from aim.sdk.adapters.session import progress
from aim.sdk.adapters.session.frameworks import FrameworkMissing, framework
from aim.sdk.adapters.session.holder import RunHolder, hook
from aim.sdk.adapters.session.options import AdapterOptions, Prefixes

if TYPE_CHECKING:
    from typing_extensions import Unpack

PACKAGE = "pytorch-ignite"
framework("ignite", PACKAGE, "aim.pytorch_ignite")


def base_module() -> Any:
    """Return Ignite's module of loggers, which older versions keep among their contributions."""
    try:
        return framework("ignite.handlers.base_logger", PACKAGE, "aim.pytorch_ignite")
    except FrameworkMissing:
        return framework("ignite.contrib.handlers.base_logger", PACKAGE, "aim.pytorch_ignite")


loggers: Any = base_module()
idist: Any = framework("ignite.distributed", PACKAGE, "aim.pytorch_ignite")
handlers: Any = framework("ignite.handlers", PACKAGE, "aim.pytorch_ignite")
global_step_from_engine = handlers.global_step_from_engine


def ignite_rank() -> int | None:
    """Return the rank of this process; None where Ignite knows of no other process."""
    return int(idist.get_rank()) if idist.get_world_size() > 1 else None


def subset_prefixes(train: str | None, val: str | None, test: str | None) -> Prefixes:
    """Return the prefixes that are cut off names; None or '' drops a subset."""
    return {
        "subset": {
            "train": (train, "training_") if train else None,
            "val": (val, "validation_") if val else None,
            "test": test,
        }
    }


class AimLogger(RunHolder, loggers.BaseLogger):
    """
    A logger of Ignite that records into a run.

    Args:
        repo, experiment, system_tracking_interval, log_system_params, capture_terminal_logs: see `Run`.
        train_metric_prefix, val_metric_prefix, test_metric_prefix: what names of each subset begin with.
        options: those of every adapter, such as `run`, `run_hash`, `run_name`, `tags` and `context`.
    """

    def __init__(
        self,
        repo: Any = None,
        experiment: str | None = None,
        train_metric_prefix: str | None = "train_",
        val_metric_prefix: str | None = "val_",
        test_metric_prefix: str | None = "test_",
        system_tracking_interval: float | None = 10,
        log_system_params: bool = True,
        capture_terminal_logs: bool | str = True,
        **options: Unpack[AdapterOptions],
    ) -> None:
        self._hold(
            "aim.pytorch_ignite.AimLogger", repo, experiment, system_tracking_interval, log_system_params,
            capture_terminal_logs, options, rank=ignite_rank,
            usual=subset_prefixes(train_metric_prefix, val_metric_prefix, test_metric_prefix),
        )  # fmt: skip

    @hook
    def log_params(self, params: Mapping[str, Any]) -> None:
        """Record the params of a training below `hparams`."""
        self._session.set_params("hparams", params)

    @hook
    def log_metrics(
        self, metrics: Mapping[str, Any], step: int | None = None, epoch: float | None = None, **context: Any
    ) -> None:
        """Record values by name."""
        self._session.track(metrics, step=step, epoch=epoch, context=context or None)

    def is_training(self, tag: str) -> bool:
        """Return whether what a handler with this tag records is of the training."""
        return self._session.names.split(f"{tag}_loss")[1].get("subset") == "train"

    @property
    def save_dir(self) -> str:
        """The folder of the repository."""
        return str(self.experiment.repo.path)

    @property
    def name(self) -> str | None:
        """The name of the experiment; None: none was given."""
        return self._session.options.experiment

    @property
    def version(self) -> str | None:
        """The hash of the run."""
        run_hash: str | None = self.experiment.hash
        return run_hash

    def _create_output_handler(self, *args: Any, **kwargs: Any) -> OutputHandler:
        return OutputHandler(*args, **kwargs)

    def _create_opt_params_handler(self, *args: Any, **kwargs: Any) -> OptimizerParamsHandler:
        return OptimizerParamsHandler(*args, **kwargs)


class OutputHandler(loggers.BaseOutputHandler):
    """
    Records the metrics and the output of an engine.

    Args:
        tag: what names begin with, such as training.
        metric_names: those of the engine's metrics that are recorded, or "all".
        output_transform: makes of the engine's output a value, or a dict of values.
        global_step_transform: returns the step, of the engine and the name of the event.
        state_attributes: further attributes of the engine's state that are recorded.
    """

    def __init__(
        self,
        tag: str,
        metric_names: Any = None,
        output_transform: Callable[[Any], Any] | None = None,
        global_step_transform: Callable[[Any, Any], int] | None = None,
        state_attributes: list[str] | None = None,
    ) -> None:
        super().__init__(tag, metric_names, output_transform, global_step_transform, state_attributes)

    def __call__(self, engine: Any, logger: AimLogger, event_name: Any) -> None:
        """Record; called by the engine at the event."""
        values = self._setup_output_metrics_state_attrs(engine, key_tuple=True)
        step = self.global_step_transform(engine, event_name)
        metrics = {"_".join(map(str, key)): value for key, value in values.items() if value is not None}
        logger.log_metrics(metrics, step=int(step), epoch=engine.state.epoch)
        if logger.is_training(self.tag):
            length = (engine.state.max_epochs or 0) * (engine.state.epoch_length or 0)
            progress.report(logger._session, engine.state.iteration, length, "iterations")


class OptimizerParamsHandler(loggers.BaseOptimizerParamsHandler):
    """
    Records a param of each group of an optimizer.

    Args:
        optimizer: whose param it is.
        param_name: such as lr.
        tag: what names begin with.
    """

    def __init__(self, optimizer: Any, param_name: str = "lr", tag: str | None = None) -> None:
        super().__init__(optimizer, param_name, tag)

    def __call__(self, engine: Any, logger: AimLogger, event_name: Any) -> None:
        """Record; called by the engine at the event."""
        name = f"{self.tag}_{self.param_name}" if self.tag else self.param_name
        groups = enumerate(self.optimizer.param_groups)
        metrics = {f"{name}_group_{index}": float(group[self.param_name]) for index, group in groups}
        step = engine.state.get_event_attrib_value(event_name)
        logger.log_metrics(metrics, step=step, epoch=engine.state.epoch)


class WeightsScalarHandler(loggers.BaseWeightsScalarHandler):
    """Records a number for each weight of a model, such as its norm (`reduction=torch.norm`)."""

    prefix = "weights"

    def tensors(self) -> Iterator[tuple[str, Any]]:
        """Go through the tensors with their names."""
        yield from ((name, parameter.data) for name, parameter in self.weights)

    def __call__(self, engine: Any, logger: AimLogger, event_name: Any) -> None:
        """Record; called by the engine at the event."""
        tag = f"{self.tag}_" if self.tag else ""
        kind = f"{tag}{self.prefix}_{getattr(self.reduction, '__name__', 'value')}"
        metrics = {f"{kind}/{name}": self.reduction(tensor) for name, tensor in self.tensors()}
        step = engine.state.get_event_attrib_value(event_name)
        logger.log_metrics(metrics, step=step, epoch=engine.state.epoch)


class GradsScalarHandler(WeightsScalarHandler):
    """Records a number for the gradient of each weight of a model."""

    prefix = "grads"

    def tensors(self) -> Iterator[tuple[str, Any]]:
        """Go through the gradients with the names of their weights."""
        yield from ((name, parameter.grad) for name, parameter in self.weights if parameter.grad is not None)


class WeightsHistHandler(loggers.BaseWeightsHandler):
    """Records the distribution of each weight of a model."""

    kind = "data"

    def tensors(self) -> Iterator[tuple[str, Any]]:
        """Go through the tensors with their names."""
        yield from ((name, parameter.data) for name, parameter in self.weights)

    def __call__(self, engine: Any, logger: AimLogger, event_name: Any) -> None:
        """Record; called by the engine at the event."""
        from aim.sdk.objects.distribution import Distribution

        tag = f"{self.tag}_" if self.tag else ""
        values = {f"{tag}{name}": Distribution(tensor.detach().cpu().float()) for name, tensor in self.tensors()}
        step = engine.state.get_event_attrib_value(event_name)
        logger.log_metrics(values, step=step, epoch=engine.state.epoch, type=self.kind)


class GradsHistHandler(WeightsHistHandler):
    """Records the distribution of the gradient of each weight of a model."""

    kind = "gradients"

    def tensors(self) -> Iterator[tuple[str, Any]]:
        """Go through the gradients with the names of their weights."""
        yield from ((name, parameter.grad) for name, parameter in self.weights if parameter.grad is not None)
