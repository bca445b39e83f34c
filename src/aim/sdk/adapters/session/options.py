"""
The arguments that every adapter takes.

The first five, which adapters take by position, are those of Aim 3; `AdapterOptions` are the keyword arguments after
them. Some adapters of Aim 3 call the experiment `experiment_name`; each of ours takes both names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from aim.core.errors import UsageError

if TYPE_CHECKING:
    from aim.sdk.run import Run

Ranks = Literal["zero", "all"]
Prefixes = Mapping[str, Mapping[str, "str | Sequence[str] | None"]]
"""Context key -> the value of the key -> the prefix, or the prefixes, that mean it."""

RANKS = ("zero", "all")
METRIC_NAMES = ("split", "keep")


class SharedOptions(TypedDict, total=False):
    """The keyword arguments that every adapter takes; `SessionOptions` and `NameOptions` say what they mean."""

    run: Run | None
    tags: Sequence[str]
    description: str | None
    ranks: Ranks
    rewind_on_resume: bool
    context: Mapping[str, Any] | None
    metric_names: Literal["split", "keep"]


class RunNameOptions(SharedOptions, total=False):
    """The same, with those that some adapters take by position."""

    run_hash: str | None
    run_name: str | None
    context_prefixes: Prefixes | str | None
    context_postfixes: Prefixes | None


class AdapterOptions(RunNameOptions, total=False):
    """Those of an adapter that calls the experiment `experiment`."""

    experiment_name: str | None


class OtherNameOptions(RunNameOptions, total=False):
    """Those of an adapter that calls the experiment `experiment_name`."""

    experiment: str | None


class WrongOption(UsageError, TypeError):
    """An argument of an adapter that it does not take, or two that contradict each other."""


@dataclass
class SessionOptions:
    """
    Which run an adapter records into.

    Attributes:
        repo, experiment, system_tracking_interval, log_system_params, capture_terminal_logs: as for `Run`.
        run: an open run of the caller: it is used, and never closed by the adapter.
        run_hash: the run to resume.
        run_name, tags, description: set on the run when it begins.
        ranks: which processes of a training record: `"zero"`, the others get a run that records nothing; or `"all"`,
            each into the same run, with its rank in the context.
        rewind_on_resume: when a training goes on from a checkpoint, hide what was tracked at later steps.
    """

    repo: Any = None
    experiment: str | None = None
    system_tracking_interval: float | None = 10
    log_system_params: bool = True
    capture_terminal_logs: bool | str = True
    run: Any = None
    run_hash: str | None = None
    run_name: str | None = None
    tags: Sequence[str] = ()
    description: str | None = None
    ranks: str = "zero"
    rewind_on_resume: bool = True

    def __post_init__(self) -> None:
        if self.ranks not in RANKS:
            raise WrongOption(f"ranks is {self.ranks!r}; it has to be 'zero' or 'all'.")
        if self.run is not None and self.run_hash is not None and self.run.hash != self.run_hash:
            raise WrongOption(f"run is {self.run.hash}, and run_hash is {self.run_hash}: give one of them.")
        if isinstance(self.tags, str):
            self.tags = (self.tags,)
        if self.run is None and hasattr(self.repo, "track"):
            raise WrongOption("repo is a Run; an open run is given as run=..., a repository as a folder or a Repo.")


@dataclass
class NameOptions:
    """
    How names of metrics become names and contexts.

    Attributes:
        context: part of the context of every value.
        context_prefixes: context key -> value -> prefix, such as `{"subset": {"train": "train_"}}`; `"slash"`: the
            usual names with a slash, such as `train/loss`; None: what is usual for the framework.
        context_postfixes: likewise, for the end of a name.
        metric_names: `"keep"` leaves all names whole.
    """

    context: Mapping[str, Any] = field(default_factory=dict)
    context_prefixes: Prefixes | str | None = None
    context_postfixes: Prefixes | None = None
    metric_names: str = "split"

    def __post_init__(self) -> None:
        self.context = dict(self.context or {})
        if self.metric_names not in METRIC_NAMES:
            raise WrongOption(f"metric_names is {self.metric_names!r}; it has to be 'split' or 'keep'.")


RUN_OPTIONS = ("run", "run_hash", "run_name", "tags", "description", "ranks", "rewind_on_resume")
NAME_OPTIONS = ("context", "context_prefixes", "context_postfixes", "metric_names")


def parted(
    adapter: str,
    repo: Any,
    experiment: str | None,
    system_tracking_interval: float | None,
    log_system_params: bool,
    capture_terminal_logs: bool | str,
    options: Mapping[str, Any],
) -> tuple[SessionOptions, NameOptions]:
    """
    Return the arguments of an adapter in their two groups.

    Args:
        adapter: its name, for errors.
        options: the keyword arguments of `AdapterOptions`.

    Raises:
        WrongOption: (a TypeError) an argument that no adapter takes, or two names of the experiment.

    >>> run, names = parted("aim.example", None, None, 10, True, True, {"experiment_name": "digits", "ranks": "all"})
    >>> run.experiment, run.ranks, names.metric_names
    ('digits', 'all', 'split')
    """
    unknown = sorted(set(options) - {*RUN_OPTIONS, *NAME_OPTIONS, "experiment", "experiment_name"})
    if unknown:
        raise WrongOption(f"{adapter} takes no argument {unknown[0]!r}.")
    names = {name for name in (experiment, options.get("experiment"), options.get("experiment_name")) if name}
    if len(names) > 1:
        raise WrongOption(f"{adapter} was given two experiments: {' and '.join(map(repr, sorted(names)))}.")
    run_options = SessionOptions(
        repo,
        next(iter(names), None),
        system_tracking_interval,
        log_system_params,
        capture_terminal_logs,
        **{name: options[name] for name in RUN_OPTIONS if name in options},
    )
    return run_options, NameOptions(**{name: options[name] for name in NAME_OPTIONS if name in options})
