"""
`wandb.run`: W&B's face of one `aim.Run`.

    WandbDetails      what it is called: id, name, project, tags, folder
    └── WandbFiles    its files: artifacts, `save`, `restore`
        └── WandbRun    what it records: config, log, summary, watch, finish

A run in the mode `disabled` has the same members and records nothing.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from aim.sdk.objects.once import warn_once
from aim.sdk.run import Run
from aim.wandb.artifacts import WandbArtifact, stored_artifact
from aim.wandb.history import History, MetricDefinition
from aim.wandb.missing import forgiving, missing
from aim.wandb.options import RunOptions
from aim.wandb.settings import WandbConfig, WandbSummary


class AlertLevel(Enum):
    """How much an alert matters."""

    INFO = "INFO"
    WARN = "WARN"
    ERROR = "ERROR"


class EndedWithExitCode(Exception):
    """The script ended its run by `finish(exit_code)` with a code that is not 0."""


class WandbDetails:
    """
    What a run is called.

    Attributes:
        aim_run: the run of Aim; None in the mode `disabled`.
        is_open: whether nobody has ended it.

    Args:
        run: what records; None: nothing does.
        options: what `init` was told.
        resumed: whether the run was there before.
    """

    def __init__(self, run: Run | None, options: RunOptions, resumed: bool = False) -> None:
        self.aim_run = run
        self.is_open = True
        self._run = run
        self._options = options
        self._folder: Path | None = None
        self.resumed = resumed
        self.start_time = time.time()
        self.project = options.project
        self.entity = options.entity or ""
        self.group = options.group
        self.job_type = options.job_type
        self.sweep_id = options.sweep_id
        self.disabled = run is None
        self.offline = True
        self.settings = options.settings
        self.url = None

    @property
    def id(self) -> str:
        """The hash of the run."""
        return "disabled" if self.aim_run is None else self.aim_run.hash

    @property
    def name(self) -> str:
        """The name; the id, until one is set."""
        return self._options.name or self.id

    @name.setter
    def name(self, value: str) -> None:
        self._options.name = value
        if self._run is not None:
            self._run.name = value

    @property
    def notes(self) -> str | None:
        """The description of the run."""
        return self._options.notes

    @notes.setter
    def notes(self, value: str | None) -> None:
        self._options.notes = value
        if self._run is not None:
            self._run.description = value

    @property
    def tags(self) -> tuple[str, ...]:
        """The names of its tags."""
        return tuple(self._options.tags) if self._run is None else tuple(self._run.tags)

    @tags.setter
    def tags(self, names: Iterable[str]) -> None:
        after = list(names)
        if self._run is not None:
            for name in self._run.tags:
                if name not in after:
                    self._run.remove_tag(tag_name=name)
            for name in after:
                self._run.add_tag(name)
        self._options.tags = after

    @property
    def dir(self) -> str:
        """A folder for files of the run; what is in it at the end becomes artifacts."""
        if self._folder is None:
            parent = self._options.dir or tempfile.gettempdir()
            self._folder = Path(parent, "wandb", f"run-{self.id}", "files")
            self._folder.mkdir(parents=True, exist_ok=True)
        return str(self._folder)

    @property
    def path(self) -> str:
        """Entity, project and id, with slashes between."""
        return "/".join(part for part in (self.entity, self.project, self.id) if part)

    def get_url(self) -> None:
        """Return None: `aim up` shows the run, wherever that is started."""
        return


class WandbFiles(WandbDetails):
    """The files of a run."""

    def __init__(self, run: Run | None, options: RunOptions, resumed: bool = False) -> None:
        super().__init__(run, options, resumed)
        self._live: dict[str, Path] = {}

    @forgiving("wandb.log_artifact")
    def log_artifact(
        self,
        artifact_or_path: WandbArtifact | str,
        name: str | None = None,
        type: str | None = None,
        aliases: Sequence[str] | None = None,
        tags: Sequence[str] | None = None,
    ) -> WandbArtifact:
        """
        Store an artifact, or a file or folder as one; return it with its version.

        Args:
            name: of an artifact made of a path; by default the name of the file.
            type: of an artifact made of a path.
            aliases: names of this version.
            tags: ignored.
        """
        artifact = artifact_or_path
        if not isinstance(artifact, WandbArtifact):
            path = Path(artifact)
            artifact = WandbArtifact(name or path.name, type or "unspecified")
            if path.is_dir():
                artifact.add_dir(path)
            else:
                artifact.add_file(path)
        if self._run is not None:
            artifact.store(self._run, [aliases] if isinstance(aliases, str) else aliases or ())
        return artifact

    def log_model(
        self, path: str, name: str | None = None, aliases: Sequence[str] | None = None
    ) -> WandbArtifact | None:
        """Store a file or folder as an artifact of the type `model`."""
        return self.log_artifact(path, name, "model", aliases)

    def use_artifact(
        self, artifact_or_name: WandbArtifact | str, type: str | None = None, **ignored: Any
    ) -> WandbArtifact:
        """
        Return a stored artifact, and remember in the param `wandb.used_artifacts` that this run used it.

        Raises:
            NoVersion: (a ValueError) no run of the repository has it: the script can't go on without it.
        """
        if isinstance(artifact_or_name, WandbArtifact) or self._run is None:
            return artifact_or_name if isinstance(artifact_or_name, WandbArtifact) else WandbArtifact(artifact_or_name)
        artifact = stored_artifact(self._run, artifact_or_name)
        self._run["wandb", "used_artifacts", artifact.base_name] = artifact.version
        return artifact

    def use_model(self, name: str) -> str:
        """Copy the one file of a model, or the folder of one that has several; return the path of the copy."""
        artifact = self.use_artifact(name)
        return artifact.file() if len(artifact.files()) == 1 else artifact.download()

    @forgiving("wandb.save")
    def save(self, glob_str: str | None = None, base_path: str | None = None, policy: str = "live") -> list[str]:
        """
        Store the files that fit a pattern as artifacts; return their paths.

        Args:
            glob_str: a path with `*`.
            base_path: the folder that names are relative to; by default that of the file.
            policy: `now`; or `live` and `end`, which store the files again when the run ends.
        """
        if glob_str is None or self._run is None:
            return []
        pattern = Path(glob_str)
        paths = [path for path in sorted(pattern.parent.glob(pattern.name)) if path.is_file()]
        for path in paths:
            name = path.relative_to(base_path).as_posix() if base_path else path.name
            self._run.log_artifact(path, name)
            if policy != "now":
                self._live[name] = path
        return [str(path) for path in paths]

    @forgiving("wandb.restore")
    def restore(
        self, name: str, run_path: str | None = None, replace: bool = False, root: str | None = None
    ) -> IO[str]:
        """Copy a file of this run, or of the run at the end of *run_path*, and open the copy."""
        run = self._run
        if run is not None and run_path is not None:
            run = run.repo.get_run(run_path.rpartition("/")[2])
        if run is None or name not in run.artifacts:
            raise FileNotFoundError(f"The run {run_path or self.id} has no file {name!r}.")
        return open(run.artifacts[name].download(root or self.dir), encoding="utf-8")

    def _store_files(self) -> None:
        """Store what lies in the folder of the run, and the files that may have changed since they were saved."""
        if self._run is None:
            return
        for name, path in self._live.items():
            if path.is_file():
                self._run.log_artifact(path, name)
        if self._folder is not None:
            for path in sorted(self._folder.rglob("*")):
                if path.is_file():
                    self._run.log_artifact(path, path.relative_to(self._folder).as_posix())


class WandbRun(WandbFiles):
    """
    A run with W&B's members; `aim_run` is the run itself.

    A member that is not here is warned of once, and does nothing.
    """

    def __init__(self, run: Run | None, options: RunOptions, config: WandbConfig, resumed: bool = False) -> None:
        super().__init__(run, options, resumed)
        self.config = config
        self.summary = WandbSummary()
        self._history: History | None = None
        self._watches: list[Any] = []
        self._tensorboard_patch: Any = None
        if run is None:
            return
        self._history = History(run, self.summary, next_step(run) if resumed else 0)
        self.summary.remember(run.get("summary", {}) if resumed else {})
        self.summary.connect(lambda key, value: run.set(("summary", key), value, strict=False))
        config.connect(lambda key, value: run.set(key, value, strict=False))

    @property
    def step(self) -> int:
        """The number of the row that the next `log` fills."""
        return 0 if self._history is None else self._history.step

    @forgiving("wandb.log")
    def log(
        self, data: Mapping[str, Any], step: int | None = None, commit: bool | None = None, sync: bool | None = None
    ) -> None:
        """Record a row of values; see `history`."""
        if self._history is not None:
            self._history.log(data, step, commit)

    @forgiving("wandb.define_metric")
    def define_metric(
        self,
        name: str,
        step_metric: Any = None,
        step_sync: bool | None = None,
        hidden: bool | None = None,
        summary: str | None = None,
        goal: str | None = None,
        overwrite: bool | None = None,
    ) -> MetricDefinition:
        """
        Say what the x axis of metrics is, and what their summary has.

        Args:
            name: of a metric, or the beginning of names and a `*`.
            step_metric: the name of the metric whose values are the epochs of these.
            summary: `min`, `max`, `mean`, `first`, `last`, `best` or `none`; several with commas.
            goal: `minimize` or `maximize`, for `best`.
            step_sync, hidden, overwrite: ignored.
        """
        axis = getattr(step_metric, "pattern", step_metric)
        definition = MetricDefinition(name, axis, tuple((summary or "").replace(" ", "").split(",")), goal)
        definition.summary = tuple(filter(None, definition.summary))
        if self._history is not None:
            self._history.define(definition)
            described = {"step_metric": axis, "summary": summary, "goal": goal}
            self._history.run["wandb", "define_metric", name] = described
        return definition

    @forgiving("wandb.watch")
    def watch(
        self,
        models: Any,
        criterion: Any = None,
        log: str | None = "gradients",
        log_freq: int = 1000,
        idx: int | None = None,
        log_graph: bool = False,
    ) -> None:
        """Record distributions of the gradients, the parameters or both (`all`) of models of PyTorch."""
        if self._run is None or log is None:
            return
        for model in models if isinstance(models, (list, tuple)) else [models]:
            # by its name: this module does not import PyTorch
            watch = import_module("aim.pytorch").watch
            self._watches.append(watch(model, self._run, log=log, log_freq=log_freq))

    @forgiving("wandb.unwatch")
    def unwatch(self, models: Any = None) -> None:
        """Stop recording distributions of models."""
        while self._watches:
            self._watches.pop().remove()

    @forgiving("wandb.init(sync_tensorboard=True)")
    def record_tensorboard(self) -> None:
        """Record what writers of TensorBoard write, too, until the run ends: those of torch and tensorboardX."""
        if self._run is not None and self._tensorboard_patch is None:
            from aim.tensorboard import patch

            self._tensorboard_patch = patch(run=self._run, split_tags=True)

    @forgiving("wandb.alert")
    def alert(self, title: str, text: str, level: Any = None, wait_duration: Any = None) -> None:
        """Log a message with the run, of the level INFO, WARN or ERROR."""
        if self._run is not None:
            word = str(getattr(level, "value", level) or "INFO").upper()
            by_level = {"WARN": self._run.log_warning, "WARNING": self._run.log_warning, "ERROR": self._run.log_error}
            by_level.get(word, self._run.log_info)(f"{title}: {text}")

    @forgiving("wandb.finish")
    def finish(self, exit_code: int | None = None, quiet: bool | None = None) -> None:
        """End the run; with an exit code that is not 0 it has failed. A second call does nothing."""
        self._end(EndedWithExitCode(f"exit code {exit_code}") if exit_code else None)

    def _end(self, error: BaseException | None) -> None:
        self.is_open = False
        if self._run is None:
            return
        self.unwatch()
        if self._tensorboard_patch is not None:
            self._tensorboard_patch.close()
        if self._history is not None:
            self._history.store_aggregates()
        self._store_files()
        run, self._run, self._history = self._run, None, None
        run.__exit__(None if error is None else type(error), error, None)

    def __enter__(self) -> WandbRun:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end(value)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return missing(f"wandb.run.{name}")

    def __repr__(self) -> str:
        return f"<wandb run {self.name} of {self.project or 'no project'}>"


def next_step(run: Run) -> int:
    """Return the step after the largest that any metric of *run* has."""
    steps = [metric.values.sparse_numpy()[0] for metric in run.metrics() if not metric.name.startswith("__")]
    return max((int(step[-1]) + 1 for step in steps if len(step)), default=0)


def not_begun(name: str) -> None:
    """Warn that a call came before `init`."""
    warn_once(f"{name} before init", f"Aim: {name} was called before wandb.init(); nothing is recorded.")
