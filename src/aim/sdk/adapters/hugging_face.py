"""
The Trainer of transformers, and those that derive from it (TRL, sentence-transformers, setfit): `AimCallback`.

    Trainer(..., callbacks=[AimCallback(experiment="bert")])
    install(); TrainingArguments(report_to="aim")

    log of the Trainer     metric     context
    loss, learning_rate    as it is   {}, or `unprefixed_context`
    eval_loss              loss       {"subset": "eval"}
    eval_de_loss           loss       {"subset": "eval", "sub_dataset": "de"}     of eval_dataset={"de": ...}
    train_runtime          runtime    {"subset": "train"}, and the param `summary.train_runtime`
    test_loss of predict   loss       {"subset": "test"}

A training that goes on from a checkpoint goes on in the run that wrote it, taken back to the step of the checkpoint:
the run's hash is in the checkpoint, in `trainer_state.json` and `aim_run.json`. Each other training is a new run, and
so is each trial of a search. The name of a data set is exact: its evaluation has a `eval_<name>_runtime`.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sized
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aim.core.errors import RunNotFound
from aim.sdk.adapters.session import progress
from aim.sdk.adapters.session.checkpoints import Checkpoints, store
from aim.sdk.adapters.session.frameworks import framework
from aim.sdk.adapters.session.holder import RunHolder, hook
from aim.sdk.adapters.session.model_watch import ModelRecorder, ModelWatch
from aim.sdk.adapters.session.options import AdapterOptions, Prefixes
from aim.sdk.adapters.session.torch_models import model_params

if TYPE_CHECKING:
    from typing_extensions import Unpack

transformers = framework("transformers", "transformers", "aim.hugging_face")
trainer_callback = framework("transformers.trainer_callback", "transformers", "aim.hugging_face")
TrainerCallback = transformers.TrainerCallback
ExportableState = getattr(trainer_callback, "ExportableState", object)  # transformers 4.42 and later

SUBSETS: Prefixes = {"subset": {"train": "train_", "eval": "eval_", "test": "test_"}}
RUN_FILE = "aim_run.json"
INTEGRATION = "aim"
LOG_MODEL_VARIABLE = "AIM_LOG_MODEL"
WATCH_STEPS = 100

log = logging.getLogger("aim")


class AimCallback(RunHolder, TrainerCallback, ExportableState):  # type: ignore[misc, valid-type]
    """
    A callback of the Trainer that records into a `Run`.

    Args:
        repo, experiment, system_tracking_interval, log_system_params, capture_terminal_logs: as for `Run`.
        log_model: `True` or `"end"`: the best checkpoint and the final model become artifacts; `"all"` or
            `"checkpoint"`: each checkpoint as it is written; `"reference"`: its path and SHA-256 only. By default what
            the variable AIM_LOG_MODEL says, else False.
        watch: `gradients`, `parameters` or `all`: their distributions at each 100th step; False records none.
        unprefixed_context: the context of logs without a prefix, such as `{"subset": "train"}`.
        options: see `AdapterOptions`.
    """

    def __init__(
        self,
        repo: Any = None,
        experiment: str | None = None,
        system_tracking_interval: float | None = 10,
        log_system_params: bool = True,
        capture_terminal_logs: bool | str = True,
        *,
        log_model: bool | str | None = None,
        watch: bool | str = False,
        unprefixed_context: Mapping[str, Any] | None = None,
        **options: Unpack[AdapterOptions],
    ) -> None:
        super().__init__()
        self._hold(
            "aim.hugging_face.AimCallback", repo, experiment, system_tracking_interval, log_system_params,
            capture_terminal_logs, options, usual=SUBSETS,
        )  # fmt: skip
        if log_model is None:
            log_model = os.environ.get(LOG_MODEL_VARIABLE) or False
        self._checkpoints = Checkpoints(self._session, log_model)
        self._watch_log = "gradients" if watch is True else watch
        self._watch: ModelWatch | None = None
        self._unprefixed_context = dict(unprefixed_context or {})
        self._has_trained = False
        self._is_callers = options.get("run") is not None or options.get("run_hash") is not None
        self._trial_count = 0
        self._step = 0

    # the beginning of a training

    def setup(self, args: Any = None, state: Any = None, model: Any = None) -> None:
        """Make the run, if it was not made, and record what the training is: its arguments, its model."""
        run = self._session.run()
        options = self._session.options
        run_name = getattr(args, "run_name", None)
        is_named = run_name and run_name != getattr(args, "output_dir", None)
        if is_named and options.run_name is None and not self._session.is_resumed:
            run.name = run_name
        if args is not None:
            self._session.set_params("hparams", args.to_sanitized_dict())
        if model is not None:
            for key, tree in model_params(model).items():
                self._session.set_params(key, tree)

    @hook
    def on_train_begin(self, args: Any, state: Any, control: Any, model: Any = None, **kwargs: Any) -> None:
        """Begin a run, or go on in the one that wrote the checkpoint."""
        if state.is_hyper_param_search:
            self._begin_trial(state)
        elif state.global_step:
            self._resume(args, state)
        elif self._has_trained and not self._is_callers:
            self._session.renew()
        self._has_trained = True
        self.setup(args, state, model)
        if state.trial_params:
            self._session.set_params("trial", state.trial_params)
        self._record_size("train", kwargs.get("train_dataloader"))
        progress.report(self._session, state.global_step, state.max_steps)
        if self._watch_log and model is not None:
            self._watch = self._watched(model, args, state)

    def _watched(self, model: Any, args: Any, state: Any) -> ModelWatch:
        steps = max(WATCH_STEPS, int(args.logging_steps))
        recorder = ModelRecorder(model, self._session.run)
        return ModelWatch(recorder, str(self._watch_log), steps, step_of=lambda: int(state.global_step))

    def _record_size(self, name: str, loader: Any) -> None:
        dataset = getattr(loader, "dataset", None)
        if isinstance(dataset, Sized):
            self._session.set_params(("dataset_sizes", name), len(dataset))

    def _begin_trial(self, state: Any) -> None:
        if self._trial_count:
            self._session.renew()
        if not self._is_callers:
            self._session.options.run_name = state.trial_name or f"trial-{self._trial_count}"
        self._trial_count += 1

    def _resume(self, args: Any, state: Any) -> None:
        run_hash = self._session.run_hash or _stored_hash(args, state)
        if self._session.run_hash is None and run_hash is not None:
            self._session.run_hash = run_hash
            try:
                self._session.run()
            except RunNotFound as error:
                log.warning("Aim: %s The training goes on in a new run.", error)
                self._session.renew()
                return
        self._session.rewind(state.global_step)

    # what happens on the way

    @hook
    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Report how far the training is."""
        progress.report(self._session, state.global_step, state.max_steps)

    @hook
    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
        """Record what the Trainer logs."""
        self._step = state.global_step
        self._track(dict(logs or {}), state)
        if logs and "train_runtime" in logs:
            self._session.set_params("summary", dict(logs))

    @hook
    def on_evaluate(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Record how large the data set is; the metrics are in the log."""
        if self._has_trained and not isinstance(kwargs.get("eval_dataloader"), Mapping):
            self._record_size("eval", kwargs.get("eval_dataloader"))

    @hook
    def on_predict(self, args: Any, state: Any, control: Any, metrics: Any = None, **kwargs: Any) -> None:
        """Record the metrics of a prediction, which the Trainer does not log."""
        self._track(dict(metrics or {}), state)

    def _track(self, logs: dict[str, Any], state: Any) -> None:
        epoch = logs.pop("epoch", state.epoch)
        data_sets = _data_sets(logs)

        def split(name: str) -> tuple[str, dict[str, Any]]:
            metric, context = self._session.names.split(name)
            if metric == name:
                return name, {**context, **self._unprefixed_context}
            for data_set in data_sets:
                if metric.startswith(f"{data_set}_"):
                    return metric[len(data_set) + 1 :], {**context, "sub_dataset": data_set}
            return metric, context

        self._session.track({name: _recordable(value) for name, value in logs.items()}, self._step, epoch, split=split)

    # checkpoints and the end

    @hook
    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Note the run in the checkpoint, and record the checkpoint as `log_model` says."""
        folder = Path(args.output_dir) / f"checkpoint-{state.global_step}"
        run = self._session.open_run()
        if run is None or self._session.rank != 0 or not folder.is_dir():
            return
        note = {"repo": run.repo.path, "hash": run.hash, "step": state.global_step}
        (folder / RUN_FILE).write_text(json.dumps(note), encoding="utf-8")
        if self._checkpoints.takes_each:
            self._checkpoints.save(folder, **_details(args, state, folder))

    @hook
    def on_train_end(self, args: Any, state: Any, control: Any, model: Any = None, **kwargs: Any) -> None:
        """Record the best checkpoint and the final model, if asked; the run goes on, since an evaluation may follow."""
        if self._watch is not None:
            self._watch.remove()
            self._watch = None
        run = self._session.open_run()
        if run is None or self._session.rank != 0:
            return
        if self._checkpoints.takes_last:
            best = state.best_model_checkpoint
            if best and Path(best).is_dir():
                self._checkpoints.save(best, **_details(args, state, Path(best)))
            self._store_model(run, model, kwargs.get("processing_class"))
        run.flush()

    def _store_model(self, run: Any, model: Any, processor: Any) -> None:
        folder = Path(tempfile.mkdtemp(prefix="aim-model-"))
        try:
            for part in (model, processor):
                if hasattr(part, "save_pretrained"):
                    part.save_pretrained(folder)
            store(run, folder, "final")
            run.set(("checkpoints", "final"), {"step": self._step}, strict=False)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    # in a checkpoint, and in another process

    def state(self) -> dict[str, Any]:
        """Return what the Trainer keeps in `trainer_state.json`: enough to go on in the same run."""
        options = self._session.options
        run = self._session.open_run()
        return {
            "args": {
                "repo": None if run is None else run.repo.path,
                "experiment": options.experiment,
                "system_tracking_interval": options.system_tracking_interval,
                "log_system_params": options.log_system_params,
                "capture_terminal_logs": options.capture_terminal_logs,
                "run_hash": self._session.run_hash,
            },
            "attributes": {},
        }

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_watch": None}


def _data_sets(logs: Mapping[str, Any]) -> list[str]:
    # `eval_de_runtime` is there if and only if "de" was evaluated; the longest name first: "de_at" before "de"
    prefix, suffix = "eval_", "_runtime"
    names = [name[len(prefix) : -len(suffix)] for name in logs if name.startswith(prefix) and name.endswith(suffix)]
    return sorted(filter(None, names), key=len, reverse=True)


def _details(args: Any, state: Any, folder: Path) -> dict[str, Any]:
    is_best = state.best_model_checkpoint and Path(state.best_model_checkpoint).name == folder.name
    return {
        "step": int(folder.name.rpartition("-")[2]),
        "epoch": state.epoch,
        "monitor": args.metric_for_best_model,
        "score": state.best_metric if is_best else None,
    }


def _stored_hash(args: Any, state: Any) -> str | None:
    """Return the hash of the run that wrote the checkpoint that *state* comes from, or None."""
    stored = state.stateful_callbacks.get("AimCallback") or {}
    stored = stored[0] if isinstance(stored, list) else stored
    run_hash = stored.get("args", {}).get("run_hash") if isinstance(stored, Mapping) else None
    file = Path(args.output_dir) / f"checkpoint-{state.global_step}" / RUN_FILE
    if run_hash is None and file.is_file():
        run_hash = json.loads(file.read_text(encoding="utf-8")).get("hash")
    return run_hash


def _recordable(value: Any) -> Any:
    """Return texts, images and data frames as objects; other values as they are."""
    if isinstance(value, str):
        from aim.sdk.objects.text import Text

        return Text(value)
    if isinstance(value, (list, tuple)) and value and all(isinstance(member, (str, *_pictures())) for member in value):
        return [_recordable(member) for member in value]
    if isinstance(value, _pictures()):
        from aim.sdk.objects.image import Image

        return Image(value)
    if type(value).__name__ == "DataFrame":
        from aim.sdk.objects.table import Table

        return Table(value)
    return value


def _pictures() -> tuple[type, ...]:
    pillow = sys.modules.get("PIL.Image")
    return () if pillow is None else (pillow.Image,)


def install() -> None:
    """
    Let `TrainingArguments(report_to="aim")` mean this callback; `report_to="all"` has it, too.

    The callback is made without arguments: the repository is that of the current folder.
    """
    integrations = framework("transformers.integrations.integration_utils", "transformers", "aim.hugging_face")
    integrations.INTEGRATION_TO_CALLBACK[INTEGRATION] = AimCallback
    available = integrations.get_available_reporting_integrations
    if not hasattr(available, "__wrapped__"):

        def with_aim() -> list[str]:
            return [*available(), INTEGRATION]

        with_aim.__wrapped__ = available  # type: ignore[attr-defined]
        integrations.get_available_reporting_integrations = with_aim
