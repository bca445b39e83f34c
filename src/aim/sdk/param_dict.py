"""
`run.config` and `run.summary`: the params of a run as a dict whose keys are attributes too, as users of W&B have them.

    run.config.lr = 0.1              run["lr"] = 0.1                      a query finds run.lr
    run.config.update(args)          a param for each field of a namespace, dataclass or config
    run.summary["best"] = 0.9        run["summary", "best"] = 0.9         a query finds run.summary.best
    run.summary["loss"]              the last value of the metric `loss`, unless the summary has a value of that name

Nothing is kept here: each access reads the run, so that other processes see the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any

from aim.core.configs import mapping_of
from aim.core.errors import UsageError
from aim.core.params import as_path
from aim.core.reserved import SYSTEM_PARAMS, SYSTEM_PREFIX

if TYPE_CHECKING:
    from aim.sdk.run import Run
    from aim.storage.forms.state import SequenceState

SUMMARY = "summary"


class ParamDict(MutableMapping[str, Any]):
    """
    The params of *run* below *prefix*, as a dict.

    Cost: a look at the files of the run for each value that is read; keep what a loop needs in a variable.
    """

    __slots__ = ("_prefix", "_run")

    _run: Run
    _prefix: tuple[str, ...]

    def __init__(self, run: Run, prefix: tuple[str, ...] = ()) -> None:
        # by this way, because setting an attribute sets a param
        object.__setattr__(self, "_run", run)
        object.__setattr__(self, "_prefix", prefix)

    def __getitem__(self, key: Any) -> Any:
        return self._run[(*self._prefix, *as_path(key))]

    def __setitem__(self, key: Any, value: Any) -> None:
        self._run.set((*self._prefix, *as_path(key)), value)

    def __delitem__(self, key: Any) -> None:
        if key not in self:
            raise KeyError(key)
        del self._run[(*self._prefix, *as_path(key))]

    def __iter__(self) -> Iterator[str]:
        params = self._run.get(self._prefix or ..., {})
        return iter(params if isinstance(params, Mapping) else ())

    def __len__(self) -> int:
        return len(list(iter(self)))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        try:
            return self[name]
        except KeyError:
            import difflib

            near = difflib.get_close_matches(name, [key for key in self if isinstance(key, str)], 1)
            advice = (
                f" Did you mean {near[0]!r}?" if near else f" There are: {', '.join(map(str, self)) or 'none yet'}."
            )
            raise AttributeError(f"Run {self._run.hash} has no value {name!r} here.{advice}") from None

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def __delattr__(self, name: str) -> None:
        del self[name]

    def __repr__(self) -> str:
        return repr(dict(self))

    def update(self, values: Any = None, **more: Any) -> None:  # type: ignore[override]  # configs of libraries too
        """
        Set several values.

        Args:
            values: a dict, a namespace, a dataclass, or another config that a param may be.

        Raises:
            UsageError: *values* is no config.
            UnstorableParam: (a TypeError) with its path.
        """
        fields: Mapping[Any, Any] | None = {} if values is None else mapping_of(values)
        if fields is None:
            raise UsageError(f"A config is a dict, a namespace or a dataclass, not a {type(values).__name__}.")
        for key, value in {**fields, **more}.items():
            self[key] = value


class RunConfig(ParamDict):
    """
    The settings of a run: its params, without what Aim records of the environment and without the summary.

    >>> import tempfile
    >>> from aim.sdk.run import Run
    >>> run = Run(repo=tempfile.mkdtemp(), config={"lr": 0.1, "optimizer": {"name": "adam"}})
    >>> run.config.epochs = 3
    >>> run.config.lr, run.config["optimizer"], run["epochs"], len(run.config)
    (0.1, {'name': 'adam'}, 3, 3)
    >>> run.close()
    """

    __slots__ = ()

    def __iter__(self) -> Iterator[str]:
        return (key for key in super().__iter__() if key not in (SYSTEM_PARAMS, SUMMARY))


class RunSummary(ParamDict):
    """
    What a run came to: values that were set, and the last value of each metric.

    A metric with several contexts is left out, unless one of its contexts is empty: `run.metrics()` has them all.

    >>> import tempfile
    >>> from aim.sdk.run import Run
    >>> run = Run(repo=tempfile.mkdtemp(), system_tracking_interval=None)
    >>> run.log({"loss": 0.5})
    >>> run.log({"loss": 0.25})
    >>> run.summary["best"] = 0.125
    >>> dict(run.summary)
    {'best': 0.125, 'loss': 0.25}
    >>> run.close()
    """

    __slots__ = ()

    def __getitem__(self, key: Any) -> Any:
        try:
            return super().__getitem__(key)
        except KeyError:
            metric = self._metrics().get(key) if isinstance(key, str) else None
            if metric is None:
                raise
            series = self._run.get_metric(metric.name, metric.context)
            if series is None:
                raise
            return series.last

    def __iter__(self) -> Iterator[str]:
        names = list(super().__iter__())
        return iter(dict.fromkeys([*names, *self._metrics()]))

    def _metrics(self) -> dict[str, SequenceState]:
        """Return the metric that each name means."""
        by_name: dict[str, list[SequenceState]] = {}
        for info in self._run._stored_sequences():
            if info.is_numeric and not info.name.startswith(SYSTEM_PREFIX):
                by_name.setdefault(info.name, []).append(info)
        chosen = {}
        for name, infos in by_name.items():
            plain = [info for info in infos if not info.context] or infos
            if len(plain) == 1:
                chosen[name] = plain[0]
        return chosen
