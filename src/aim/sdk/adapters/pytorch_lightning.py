"""
Lightning: `AimLogger`, for `lightning` and `pytorch_lightning`.

    trainer = Trainer(logger=AimLogger(experiment="digits"))

    self.log("train_loss", ...)      loss          {"subset": "train"}
    self.log("train_loss", on_step)  loss_step     {"subset": "train"}
    self.log("val/acc", ...)         val/acc       {}                    AimLogger(context_prefixes="slash"): acc, val
    self.save_hyperparameters()      run["hparams"]

The two packages have class trees of their own. `AimLogger` derives from the Logger of the one that is imported, and is
registered as a Logger of the other: isinstance is true for both.

`fit`, `test` and what follows are in one run, which ends with the logger or the process, or as failed by the exception
of a training. With `run_hash=` a training that goes on from a checkpoint rewinds the run when it logs again at a step
that the run has already: Lightning tells loggers no other step.
"""

from __future__ import annotations

import math
import os
import sys
import warnings
import weakref
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aim.core.addresses import folder_of_address, has_scheme
from aim.core.configs import mapping_of, plain
from aim.core.errors import UsageError
from aim.sdk.adapters.session import progress
from aim.sdk.adapters.session.checkpoints import Checkpoints
from aim.sdk.adapters.session.frameworks import framework, is_installed
from aim.sdk.adapters.session.holder import hook
from aim.sdk.adapters.session.metric_names import SUBSETS
from aim.sdk.adapters.session.model_watch import ModelRecorder, ModelWatch
from aim.sdk.adapters.session.object_logging import ObjectLogger
from aim.sdk.adapters.session.options import Prefixes, SharedOptions
from aim.sdk.adapters.session.run_session import RunSession
from aim.storage.store import find_root, folder_name

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from aim.sdk.run import Run

PACKAGES = {"lightning.pytorch": "lightning", "pytorch_lightning": "pytorch-lightning"}


def _package() -> Any:
    """Import the package of the Trainer that is in use: one that is imported, else one that is installed."""
    loaded = [module for module in PACKAGES if module in sys.modules]
    installed = [module for module in PACKAGES if is_installed(module)]
    module = (loaded or installed or ["lightning.pytorch"])[0]
    return framework(module, PACKAGES[module], "aim.pytorch_lightning")


# Names of this module in Aim 3, which others import from it.
pl = _package()
Logger = pl.loggers.Logger
rank_zero_only = pl.utilities.rank_zero_only
rank_zero_experiment = pl.loggers.logger.rank_zero_experiment


def _rank() -> int | None:
    return getattr(rank_zero_only, "rank", None)


class TrainingFailed(RuntimeError):
    """A training that its framework called failed, without an exception."""


class TrainingLength:
    """How far the training of a Trainer is; copies, also those in other processes, have no Trainer."""

    def __init__(self) -> None:
        self._trainer: Any = lambda: None

    def take(self, model: Any) -> None:
        """Take note of the Trainer of a module that it trains."""
        trainer = getattr(model, "_trainer", None)
        if trainer is not None:
            self._trainer = weakref.ref(trainer)

    def report(self, session: RunSession) -> None:
        """Report the progress of a `fit` whose length is known, if it is due."""
        trainer = self._trainer()
        if trainer is None or trainer.state.fn != "fit":
            return
        if trainer.max_steps > 0:
            progress.report(session, trainer.global_step, trainer.max_steps)
            return
        total = (trainer.max_epochs or 0) * trainer.num_training_batches
        if 0 < total < math.inf:
            progress.report(session, trainer.fit_loop.epoch_loop.total_batch_idx + 1, total, "batches")

    def __reduce__(self) -> tuple[Any, ...]:
        return TrainingLength, ()


class AimLogger(ObjectLogger, Logger):  # type: ignore[misc, valid-type]
    """
    A logger of Lightning that records into a `Run`.

    Args:
        repo, experiment, system_tracking_interval, log_system_params, capture_terminal_logs: as for `Run`.
        train_metric_prefix, val_metric_prefix, test_metric_prefix: deprecated; use *context_prefixes*. None or ""
            leaves names of that subset whole.
        run_name, run_hash: the name of a new run; the run to resume.
        context_prefixes: such as `{"subset": {"train": "train_"}}`, or `"slash"` for names such as `val/acc`.
        context_postfixes: likewise, for the end of a name.
        log_model: `True`: the best and the last checkpoint become artifacts when the training ends, `"all"`: each as it
            is written, `"reference"`: its path and SHA-256 only.
        checkpoint_name: a folder for the artifacts, below `checkpoints/`.
        prefix: stands before each name, with a slash.
        options: see `SharedOptions`.

    Raises:
        ValueError: a prefix argument is given together with *context_prefixes*.
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
        run_name: str | None = None,
        run_hash: str | None = None,
        context_prefixes: Prefixes | str | None = None,
        context_postfixes: Prefixes | None = None,
        *,
        log_model: bool | str = False,
        checkpoint_name: str | None = None,
        prefix: str = "",
        **options: Unpack[SharedOptions],
    ) -> None:
        super().__init__()
        register()
        subsets = {"train": train_metric_prefix, "val": val_metric_prefix, "test": test_metric_prefix}
        if subsets != SUBSETS["subset"]:
            if context_prefixes is not None:
                raise PrefixConflict("Give context_prefixes, or the three prefixes of subsets, not both.")
            warnings.warn(
                "train_metric_prefix, val_metric_prefix and test_metric_prefix are deprecated: "
                f"use context_prefixes={{'subset': {subsets!r}}}.",
                DeprecationWarning,
                stacklevel=2,
            )
        named = {
            "run_name": run_name, "run_hash": run_hash,
            "context_prefixes": context_prefixes, "context_postfixes": context_postfixes,
        }  # fmt: skip
        self._hold(
            "aim.pytorch_lightning.AimLogger", repo, experiment, system_tracking_interval, log_system_params,
            capture_terminal_logs, {**options, **named}, usual={"subset": subsets}, rank=_rank,
        )  # fmt: skip
        self._checkpoints = Checkpoints(self._session, log_model)
        self._checkpoint_name = checkpoint_name
        self._prefix = prefix
        self._epoch: float | None = None
        self._last_checkpoints: dict[str, dict[str, Any]] = {}
        self._has_logged = False
        self._length = TrainingLength()

    # what Lightning asks

    @property
    def experiment(self) -> Run:
        """The `Run`, made at the first use; on other ranks than 0 a run that records nothing."""
        return self._session.run()  # type: ignore[no-any-return]

    @property
    def save_dir(self) -> str | None:
        """The folder of the repository, where Lightning keeps checkpoints; None when the repository is an address."""
        options = self._session.options
        repo = options.repo if options.run is None else options.run.repo
        if repo is None:
            return str((find_root(Path.cwd()) or Path.cwd()) / folder_name())
        address = os.fspath(getattr(repo, "path", repo))
        if has_scheme(address) and not address.startswith("file:"):
            return None
        folder = folder_of_address(address)
        return str(folder if folder.name == folder_name() else folder / folder_name())

    @property
    def name(self) -> str:
        """The name of the experiment, `default` where none is given."""
        run = self._session.open_run()
        return (self._session.options.experiment if run is None else run.experiment) or "default"

    @property
    def version(self) -> str | None:
        """The hash of the run, which is made for it on rank 0; None on other ranks where nothing tells it."""
        return self._session.run().hash  # type: ignore[no-any-return]

    @property
    def root_dir(self) -> str | None:
        """The folder of the experiment's checkpoints; None as for `save_dir`."""
        return None if self.save_dir is None else os.path.join(self.save_dir, self.name)

    @property
    def log_dir(self) -> str | None:
        """The folder of the run's checkpoints; None as for `save_dir`."""
        root = self.root_dir
        version = None if root is None else self.version
        return None if root is None or version is None else os.path.join(root, version)

    # recording

    def parse_context(self, name: str) -> tuple[str, dict[str, Any]]:
        """Return the name and the context of a metric; a subclass may name metrics otherwise."""
        metric, context = self._session.names.split(name)
        return (f"{self._prefix}/{metric}" if self._prefix else metric), context

    @hook
    def log_hyperparams(self, params: Any, metrics: Mapping[str, Any] | None = None, *_: Any, **__: Any) -> None:
        """
        Record params as `run["hparams"]`, beside those that are there.

        Args:
            params: a dict, a namespace, a config of OmegaConf, a dataclass ...; trees stay trees.
            metrics: recorded at step 0.
        """
        params = vars(params) if isinstance(params, Namespace) else params
        tree = mapping_of(params) or plain(params)
        if isinstance(tree, Mapping):
            earlier = self.experiment.get("hparams")
            self._session.set_params("hparams", {**(earlier if isinstance(earlier, dict) else {}), **tree})
        if isinstance(metrics, Mapping):
            self.log_metrics(metrics, 0)

    @hook
    def log_metrics(self, metrics: Mapping[str, Any], step: int | None = None) -> None:
        """
        Record the values of one step.

        Args:
            metrics: numbers, tensors, or objects such as `Image`, by name; `epoch` is the epoch of the others.
        """
        values = dict(metrics)
        epoch = values.pop("epoch", None)
        self._epoch = self._epoch if epoch is None else float(epoch)
        run = self.experiment
        if step and not self._has_logged:
            self._has_logged = True
            self._go_on(values, int(step))
        self._session.track(values, step, epoch, run=run, split=self.parse_context)
        self._length.report(self._session)

    def _go_on(self, values: Mapping[str, Any], step: int) -> None:
        # a run that has values at this step already goes on from a checkpoint before it
        run = self._session.open_run()
        if run is not None and self._session.is_resumed:
            for name in values:
                metric = run.get_metric(*self.parse_context(name))
                if metric is not None and (metric.last_step() or 0) >= step:
                    self._session.rewind(step - 1)
                    return

    def log_graph(self, model: Any, input_array: Any = None) -> None:
        """Record the layers of the model, as text; called by the Trainer when it begins."""
        self._length.take(model)
        self.log_text("model", str(model))

    def watch(self, model: Any, log: str = "gradients", log_freq: int = 100, **options: Any) -> ModelWatch:
        """
        Record distributions of parameters or gradients at each *log_freq*-th backward pass, until `.remove()`.

        Args:
            log: `gradients`, `parameters` or `all`.
            options: see `ModelRecorder`.
        """
        return ModelWatch(ModelRecorder(model, self._session.run, **options), log, log_freq)

    # checkpoints and the end

    @hook
    def after_save_checkpoint(self, checkpoint_callback: Any) -> None:
        """Record the checkpoint that a ModelCheckpoint has written, or remember it for the end."""
        last = getattr(checkpoint_callback, "_last_checkpoint_saved", "") or checkpoint_callback.best_model_path
        details = {
            "step": getattr(checkpoint_callback, "_last_global_step_saved", None),
            "epoch": self._epoch,
            "monitor": getattr(checkpoint_callback, "monitor", None),
        }
        score = getattr(checkpoint_callback, "current_score", None)
        best_score = getattr(checkpoint_callback, "best_model_score", None)
        best = getattr(checkpoint_callback, "best_model_path", "")
        if self._checkpoints.takes_each:
            self._store(last, {**details, "score": score})
        # the best one may have been written before: what is known of it then stays
        earlier = self._last_checkpoints
        self._last_checkpoints = {last: {**details, "score": score}}
        if best and best != last:
            self._last_checkpoints[best] = {**earlier.get(best, {}), "score": best_score}

    def _store(self, path: str, details: Mapping[str, Any]) -> None:
        name = os.path.basename(path)
        self._checkpoints.save(path, f"{self._checkpoint_name}/{name}" if self._checkpoint_name else name, **details)

    @hook
    def finalize(self, status: str) -> None:
        """
        Take note that a part of the training has ended.

        Args:
            status: `success`: the run goes on, since a test may follow; `failed`, `interrupted`: the run fails by the
                exception that is being handled.
        """
        if status in ("failed", "interrupted", "aborted"):
            self._session.close(sys.exc_info()[1] or TrainingFailed(status))
            return
        if self._checkpoints.takes_last:
            for path, details in self._last_checkpoints.items():
                if os.path.exists(path):
                    self._store(path, details)
            self._last_checkpoints = {}
        self._length.report(self._session)
        run = self._session.open_run()
        if run is not None:
            run.flush()


class PrefixConflict(UsageError, ValueError):
    """Two arguments that name the prefixes of subsets."""


def register() -> None:
    """Make `AimLogger` a Logger of each package of Lightning that is imported."""
    for module in PACKAGES:
        if module in sys.modules:
            loggers = framework(module, PACKAGES[module], "aim.pytorch_lightning").loggers
            if not issubclass(AimLogger, loggers.Logger):
                loggers.Logger.register(AimLogger)


register()
