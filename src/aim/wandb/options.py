"""
What `wandb.init` is told: by its arguments, by variables of the environment, by `wandb.Settings`.

    WANDB_PROJECT, WANDB_ENTITY, WANDB_NAME, WANDB_NOTES, WANDB_RUN_GROUP, WANDB_JOB_TYPE, WANDB_TAGS (with commas),
    WANDB_RUN_ID, WANDB_RESUME, WANDB_DIR, WANDB_MODE (online, offline, disabled), WANDB_DISABLED, WANDB_CONSOLE (off)

An argument comes before a variable. `online` and `offline` are the same: all is recorded into the repository.
"""

from __future__ import annotations

import os
import types
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aim.core.errors import UsageError
from aim.sdk.objects.once import warn_once

VARIABLES = {
    "project": "WANDB_PROJECT",
    "entity": "WANDB_ENTITY",
    "name": "WANDB_NAME",
    "notes": "WANDB_NOTES",
    "group": "WANDB_RUN_GROUP",
    "job_type": "WANDB_JOB_TYPE",
    "id": "WANDB_RUN_ID",
    "resume": "WANDB_RESUME",
    "dir": "WANDB_DIR",
    "mode": "WANDB_MODE",
}
DISABLED = "disabled"
WITHOUT_EFFECT = ("anonymous", "force", "allow_val_change", "save_code", "magic", "monitor_gym", "config_include_keys")
RESUMES = {"allow", "must", "auto"}
NEVER = "never"


@dataclass
class RunOptions:
    """
    What a run is called, and how it is recorded.

    Attributes:
        resume: `allow`, `must`, `auto` or `never`; '' when nothing was said.
        config: the settings that `init` was given, not read yet.
        settings: `wandb.Settings`, as attributes.
    """

    project: str | None = None
    entity: str | None = None
    name: str | None = None
    notes: str | None = None
    group: str | None = None
    job_type: str | None = None
    id: str | None = None
    resume: str = ""
    dir: str | None = None
    mode: str = ""
    tags: list[str] = field(default_factory=list)
    config: Any = None
    config_exclude_keys: tuple[str, ...] = ()
    settings: Any = field(default_factory=types.SimpleNamespace)
    sweep_id: str | None = None

    @property
    def is_disabled(self) -> bool:
        """Whether nothing is to be recorded."""
        return self.mode == DISABLED or os.environ.get("WANDB_DISABLED", "").lower() in ("true", "1")

    @property
    def captures_terminal(self) -> bool:
        """Whether printed lines are recorded."""
        return "off" not in (getattr(self.settings, "console", ""), os.environ.get("WANDB_CONSOLE", ""))

    @property
    def system_interval_s(self) -> float | None:
        """The seconds between system metrics; None: there are none."""
        is_off = any(getattr(self.settings, name, False) for name in ("_disable_stats", "x_disable_stats"))
        return None if is_off else float(getattr(self.settings, "x_stats_sampling_interval", 10))


def options_of(arguments: Mapping[str, Any]) -> RunOptions:
    """
    Return the options of the arguments of `init`, of the environment and of the settings.

    Raises:
        UsageError: `resume` or `mode` is none of W&B's words.

    >>> options_of({"project": "digits", "tags": "baseline", "resume": True}).resume
    'allow'
    """
    settings = _settings(arguments.get("settings"))
    chosen: dict[str, Any] = {"settings": settings}
    for name, variable in VARIABLES.items():
        value = arguments.get(name)
        value = getattr(settings, f"run_{name}", getattr(settings, name, None)) if value is None else value
        value = os.environ.get(variable) if value is None else value
        if value is not None:
            chosen[name] = value
    chosen["resume"] = _resume_word(chosen.get("resume"))
    chosen["tags"] = _tags(arguments.get("tags"))
    chosen["config"] = arguments.get("config")
    chosen["config_exclude_keys"] = tuple(arguments.get("config_exclude_keys") or ())
    _warn_of_what_has_no_effect(arguments)
    return RunOptions(**chosen)


def _settings(settings: Any) -> Any:
    if settings is None:
        return types.SimpleNamespace()
    return types.SimpleNamespace(**settings) if isinstance(settings, Mapping) else settings


def _resume_word(resume: Any) -> str:
    word = {None: "", False: "", True: "allow"}.get(resume, resume)
    if word not in {"", NEVER, *RESUMES}:
        raise UsageError(f"wandb.init(resume={resume!r}): expected allow, must, auto, never, True or False.")
    return str(word)


def _tags(tags: Any) -> list[str]:
    if tags is None:
        tags = os.environ.get("WANDB_TAGS", "").split(",")
    return [tag for tag in ([tags] if isinstance(tags, str) else tags) if tag]


def _warn_of_what_has_no_effect(arguments: Mapping[str, Any]) -> None:
    for name in WITHOUT_EFFECT:
        if arguments.get(name) not in (None, False, ()):
            warn_once(f"wandb.init {name}", f"Aim: wandb.init({name}=...) has no effect. The training goes on.")
