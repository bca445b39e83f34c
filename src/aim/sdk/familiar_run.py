"""
`FamiliarRun`: calls that people know from other trackers, each a thin name for one of Aim's.

    run.log({"loss": 0.5}, step=3)     run.track({"loss": 0.5}, step=3)
    run.config.lr = 0.1                run["lr"] = 0.1
    run.summary["best"] = 0.9          run["summary", "best"] = 0.9
    run.finish()                       run.close()

Rule 1: these names are for people. Nothing in this package calls them, because a class of a user that derives from
        `Run` may have its own `log`, `config` or `finish`.
Rule 2: Aim 3 lets a script set any attribute of a run. `run.config = anything` so remains an attribute of that one
        object, which reads back what was set; a warning says how it is recorded.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast, overload

from aim.core.errors import UsageError
from aim.core.logs import log
from aim.sdk.logging_run import LoggingRun
from aim.sdk.param_dict import SUMMARY, ParamDict, RunConfig, RunSummary

if TYPE_CHECKING:
    from aim.sdk.run import Run
    from aim.sdk.types import Number, TrackableValue

DictT = TypeVar("DictT", bound=ParamDict)


class ParamAttribute(Generic[DictT]):
    """An attribute of a run that is a `ParamDict`, until a script sets something else there."""

    def __init__(self, kind: type[DictT], prefix: tuple[str, ...]) -> None:
        self._kind = kind
        self._prefix = prefix
        self.__doc__ = kind.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, run: None, owner: type) -> ParamAttribute[DictT]: ...
    @overload
    def __get__(self, run: Run, owner: type) -> DictT: ...
    def __get__(self, run: Run | None, owner: type) -> ParamAttribute[DictT] | DictT:
        if run is None:
            return self
        attributes: dict[str, Any] = vars(run)
        value: DictT = attributes[self._name] if self._name in attributes else self._kind(run, self._prefix)
        return value

    def __set__(self, run: Run, value: Any) -> None:
        if self._name not in vars(run):
            log.warning(
                "Aim: run.%s = ... sets an attribute of this object only, as in Aim 3, and records nothing. "
                "run.%s.update(values) records them.",
                self._name,
                self._name,
            )
        vars(run)[self._name] = value


class FamiliarRun(LoggingRun):
    """A run with the calls that people know from other trackers; see `Run`."""

    config = ParamAttribute(RunConfig, ())
    """The settings of the run, a dict whose keys are attributes too: `run.config.lr = 0.1` is `run["lr"] = 0.1`."""

    summary = ParamAttribute(RunSummary, (SUMMARY,))
    """What the run came to: values that are set here, and the last value of each metric."""

    def log(
        self,
        values: Mapping[str, TrackableValue | Mapping[str, Any]],
        step: Number | None = None,
        *,
        epoch: Number | None = None,
        context: Mapping[str, Any] | None = None,
    ) -> None:
        """
        Record a dict of values by name: `track` with a dict.

        Args:
            values: by the names of their sequences; names of nested dicts are joined with `/`.
            step, epoch, context: of all values, as for `track`. Without *step* each sequence counts its own steps.

        Raises:
            UntrackableValue: (a ValueError) one of the values can't be recorded; then none is.
        """
        cast("Run", self).track(values, step=step, epoch=epoch, context=context)

    def finish(self) -> None:
        """End the run, as `close`. To end it as failed, let an exception leave `with Run() as run:`."""
        cast("Run", self).close()

    def _describe(
        self, *, name: str | None, tags: str | Iterable[str], config: Any, description: str | None, notes: str | None
    ) -> None:
        """Set what `Run(name=..., tags=..., ...)` was given. Raises UsageError and UnstorableParam."""
        texts = {"name": name, "description": description, "notes": notes}
        properties = {key: str(text) for key, text in texts.items() if text is not None}
        if properties:
            self._recording.set_property(**properties)
        if tags and not isinstance(tags, Iterable):
            raise UsageError(f"tags is {tags!r}; it has to be a text or a list of texts.")
        present = self.tags if tags else []
        for tag in dict.fromkeys([tags] if isinstance(tags, str) else tags or ()):
            if str(tag) not in present:
                self.add_tag(tag)
        if config is not None:
            RunConfig(cast("Run", self)).update(config)
