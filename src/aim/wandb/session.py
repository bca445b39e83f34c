"""
The run that `wandb.init` began, and the functions of the module that act on it.

    wandb.init(id=..., resume=...)    no such run                       there is such a run
    nothing said                      a new run                         its points are hidden, and it begins again
    allow, auto, True                 a new run                         continues at the next step
    must                              UsageError                        continues at the next step
    never                             a new run                         UsageError

Options that contradict each other, and a repository that can't be written, are errors of `init`. Nothing else raises.
"""

from __future__ import annotations

import logging
import os
import secrets
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from aim.core.errors import UsageError
from aim.sdk.objects.once import warn_once
from aim.sdk.repo import Repo
from aim.sdk.run import Run
from aim.wandb.open_run import WandbRun, not_begun
from aim.wandb.options import NEVER, RunOptions, options_of
from aim.wandb.settings import WandbConfig, WandbSummary, settings_of

log_line = logging.getLogger("aim")
DEFAULTS_FILE = "config-defaults.yaml"
FINISH_PREVIOUS = ("finish_previous", True)
CREATE_NEW = "create_new"


class Session:
    """
    What the module remembers between calls.

    Attributes:
        records_tensorboard: whether each run records what writers of TensorBoard write.
        config: that of the run, or of the next one.
        summary: that of the run, also after its end.
    """

    def __init__(self) -> None:
        self._run: WandbRun | None = None
        self._choice: tuple[str | None, Mapping[str, Any], str | None] = (None, {}, None)
        self.records_tensorboard = False
        self.config = WandbConfig()
        self.summary = WandbSummary()

    @property
    def run(self) -> WandbRun | None:
        """The run that `init` began and nobody ended; None: there is none."""
        return self._run if self._run is not None and self._run.is_open else None

    def choose(self, sweep_id: str | None, chosen: Mapping[str, Any], project: str | None) -> None:
        """Let the next runs have the settings that a sweep chose; with None for *sweep_id* none."""
        self._choice = sweep_id, chosen, project

    def begin(self, options: RunOptions, reinit: Any) -> WandbRun:
        """Begin a run, or return the one that is going on; see `init`."""
        before = self.run
        if before is not None and reinit not in (*FINISH_PREVIOUS, CREATE_NEW):
            warn_once("wandb.init again", "Aim: wandb.init() was called again: it returns the open run.")
            before.config.update(options.config)
            return before
        if before is not None and reinit in FINISH_PREVIOUS:
            before.finish()
        if self._run is not None:
            self.config = WandbConfig()
        values = {**_defaults(), **settings_of(options.config)}
        self.config.update({key: value for key, value in values.items() if key not in options.config_exclude_keys})
        sweep_id, chosen, project = self._choice
        if sweep_id is not None:
            self.config.lock(chosen)
            options.sweep_id, options.project = sweep_id, options.project or project
        run, resumed = (None, False) if options.is_disabled else _opened(options)
        self._run = WandbRun(run, options, self.config, resumed)
        self.summary = self._run.summary
        return self._run

    def end(self, exit_code: int | None = None) -> None:
        """End the run, if there is one."""
        if self.run is not None:
            self.run.finish(exit_code)
            self._run, self.config = None, WandbConfig()


SESSION = Session()
errors = SimpleNamespace(Error=UsageError, UsageError=UsageError, CommError=ConnectionError)
util = SimpleNamespace(generate_id=lambda length=8: secrets.token_hex(length)[:length])


def _defaults() -> dict[str, Any]:
    return settings_of(DEFAULTS_FILE) if os.path.isfile(DEFAULTS_FILE) else {}


def _opened(options: RunOptions) -> tuple[Run, bool]:
    """Return the run of the options, and whether it was there before and continues."""
    is_there = options.id is not None and _has_run(options.id)
    if is_there and options.resume == NEVER:
        raise UsageError(f"wandb.init(id={options.id!r}, resume='never'): there is such a run. Choose another id.")
    if not is_there and options.resume == "must":
        raise UsageError(f"wandb.init(id={options.id!r}, resume='must'): there is no such run in this repository.")
    run = Run(
        options.id,
        experiment=options.project,
        create=options.id is not None,
        system_tracking_interval=options.system_interval_s,
        capture_terminal_logs=options.captures_terminal,
        log_system_params=True,
    )
    if is_there and not options.resume:
        log_line.info("Aim: the run %s begins again; what it recorded before is in its history.", run.hash)
        run.rewind(-1)
    _describe(run, options)
    return run, is_there and bool(options.resume)


def _has_run(run_hash: str) -> bool:
    path = Repo.default_repo_path()
    return Repo.exists(path) and Repo.from_path(path).run_exists(run_hash)


def _describe(run: Run, options: RunOptions) -> None:
    if options.name:
        run.name = options.name
    if options.notes:
        run.description = options.notes
    for tag in options.tags:
        run.add_tag(tag)
    for name in ("entity", "group", "job_type", "sweep_id"):
        value = getattr(options, name)
        if value is not None:
            run["wandb", name] = value


def init(
    entity: str | None = None,
    project: str | None = None,
    dir: Any = None,
    id: str | None = None,
    name: str | None = None,
    notes: str | None = None,
    tags: Any = None,
    config: Any = None,
    config_exclude_keys: Any = None,
    group: str | None = None,
    job_type: str | None = None,
    mode: str | None = None,
    reinit: Any = None,
    resume: bool | str | None = None,
    settings: Any = None,
    sync_tensorboard: bool | None = None,
    **more: Any,
) -> WandbRun:
    """
    Begin a run in the repository of the current folder; `wandb.run` is this run until `finish`.

    Args:
        project: the name of the experiment.
        id: the hash of the run.
        name, notes, tags: of the run; the notes are its description.
        config: a dict, namespace or other config, or the path of a YAML file: the params of the run.
        dir: where `wandb.run.dir` lies; runs are in the repository.
        entity, group, job_type: params below `wandb`.
        mode: `disabled` records nothing; `online` and `offline` are the same.
        reinit: while a run goes on: `finish_previous` or True ends it, `create_new` leaves it alone, and by default it
            is returned.
        resume: see above.
        settings: `wandb.Settings` or a dict.
        sync_tensorboard: record what writers of TensorBoard write, too: those of torch and tensorboardX, at the call.
            The folder of a writer is the context `entry`, and `train/loss` is `loss` in {"subset": "train"}.

    Raises:
        UsageError: *resume* and *id* contradict what is there.

    >>> init(mode="disabled", config={"lr": 0.1}).config.lr
    0.1
    >>> finish()
    """
    arguments = {**locals(), **more}
    run = SESSION.begin(options_of(arguments), reinit)
    if sync_tensorboard or more.get("tensorboard") or SESSION.records_tensorboard:
        run.record_tensorboard()
    return run


def patch_tensorboard(*args: Any, **kwargs: Any) -> None:
    """Let the run, and each one that begins later, record what writers of TensorBoard write; see `aim.tensorboard`."""
    SESSION.records_tensorboard = True
    if SESSION.run is not None:
        SESSION.run.record_tensorboard()


def unpatch_tensorboard() -> None:
    """Let the runs that begin later record only what is logged."""
    SESSION.records_tensorboard = False


tensorboard = SimpleNamespace(patch=patch_tensorboard, unpatch=unpatch_tensorboard)


def finish(exit_code: int | None = None, quiet: bool | None = None) -> None:
    """End the run; with an exit code that is not 0 it has failed."""
    SESSION.end(exit_code)


def of_run(name: str) -> Any:
    """Return the function of the module that is the method *name* of the run that is going on."""

    def call(*args: Any, **kwargs: Any) -> Any:
        if SESSION.run is None:
            return not_begun(f"wandb.{name}")
        return getattr(SESSION.run, name)(*args, **kwargs)

    call.__name__ = call.__qualname__ = name
    call.__doc__ = getattr(WandbRun, name).__doc__
    return call


def login(*args: Any, **kwargs: Any) -> bool:
    """Return True: there is no account and no service."""
    return True


def setup(*args: Any, **kwargs: Any) -> SimpleNamespace:
    """Return an object without members: nothing has to be set up."""
    return SimpleNamespace()


def teardown(exit_code: int | None = None) -> None:
    """End the run, as `finish`."""
    finish(exit_code)


def termlog(string: str = "", **ignored: Any) -> None:
    """Log a line of the level INFO."""
    log_line.info("%s", string)


def termwarn(string: str = "", **ignored: Any) -> None:
    """Log a line of the level WARNING."""
    log_line.warning("%s", string)


def termerror(string: str = "", **ignored: Any) -> None:
    """Log a line of the level ERROR."""
    log_line.error("%s", string)
