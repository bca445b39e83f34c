"""
The run of one adapter.

    made        when it is first used, by the process that records (ranks.py); `__init__` of an adapter makes none
    resumed     by `run_hash=`, or by AIM_RUN_HASH in the environment; then `rewind` takes it back to the checkpoint
    failed      by the exception of the training, where the framework has a hook for that
    closed      when the framework says that nothing follows, when nobody holds the adapter any more, or at the end of
                the process

The end of a training is not the end of a run: a test, or values that the caller tracks, come after it and belong to
the same run. A run of the caller's own (`run=`) is never closed here.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Mapping
from typing import Any

from aim.sdk.adapters.session import beginning
from aim.sdk.adapters.session.failures import Failures
from aim.sdk.adapters.session.metric_names import MetricNames
from aim.sdk.adapters.session.options import NameOptions, Prefixes, SessionOptions
from aim.sdk.adapters.session.progress import ReportPace
from aim.sdk.adapters.session.ranks import SilentRun, rank_of
from aim.sdk.adapters.session.scalars import fetched
from aim.sdk.run import Run


class RunSession:
    """
    The run of one adapter, and what is recorded into it.

    Attributes:
        options: which run it is.
        names: how names of metrics become names and contexts.
        failures: what could not be recorded.
        run_hash: the hash of the run, as far as it is decided.
        pace: when the progress is reported again.
        is_resumed: whether the run had been there before this session began it.
        last_step: the largest step that was recorded through this object; -1 before the first.

    Args:
        adapter: its name, for messages.
        usual: the prefixes of metrics that are usual for the framework.
        framework_rank: returns the rank of this process as the framework knows it, or None where it does not know. A
            function of a module, so that the session can be pickled.

    >>> import tempfile
    >>> options = SessionOptions(repo=tempfile.mkdtemp(), system_tracking_interval=None, capture_terminal_logs=False)
    >>> session = RunSession("aim.example", options, NameOptions(), {"subset": {"train": "train_"}})
    >>> session.track({"train_loss": 0.5, "odd": object()}, step=1)
    >>> session.run().get_metric("loss", {"subset": "train"}).values.tolist(), session.failures.counts
    ([0.5], {"metric 'odd'": 1})
    >>> session.close()
    """

    def __init__(
        self,
        adapter: str,
        options: SessionOptions,
        names: NameOptions,
        usual: Prefixes | None = None,
        framework_rank: Callable[[], int | None] | None = None,
    ) -> None:
        self.options = options
        self.names = MetricNames(names, usual)
        self.failures = Failures(adapter)
        self.pace = ReportPace()
        self.last_step = -1
        self.is_resumed = options.run is not None
        self._framework_rank = framework_rank
        self._run: Any = options.run
        self._lock = threading.RLock()
        self._threads: list[threading.Thread] = []
        self.run_hash: str | None = (
            options.run_hash if options.run is None else options.run.hash
        ) or beginning.published_hash(options, self.rank)

    @property
    def rank(self) -> int:
        """The rank of this process; 0 where there are no others."""
        return rank_of(self._framework_rank)

    # the run

    def open_run(self) -> Run | None:
        """Return the run if it was made; None before the first use, and where this process does not record."""
        return None if isinstance(self._run, SilentRun) else self._run

    def run(self) -> Any:
        """Return the run, which is made at the first call; a `SilentRun` where this process does not record."""
        if self._run is None:
            with self._lock:
                if self._run is None:
                    self._run = self._begun()
        return self._run

    def _begun(self) -> Any:
        rank = self.rank
        if rank != 0 and self.options.ranks != "all":
            return SilentRun(self.run_hash or beginning.launcher_hash())
        run, self.is_resumed = beginning.begun(self.options, self.run_hash, rank)
        self.run_hash = run.hash
        if self.options.ranks == "all":
            self.names.context["rank"] = rank
        return run

    def take(self, run: Any) -> None:
        """Record into *run*, an open run of the caller, from now on; None: into a new one, at the next use."""
        with self._lock:
            self._run = self.options.run = run
            self.is_resumed = run is not None
            self.run_hash = self.options.run_hash = None if run is None else run.hash
            self.last_step = -1

    # recording

    def track(
        self,
        values: Mapping[Any, Any],
        step: int | None = None,
        epoch: float | None = None,
        context: Mapping[str, Any] | None = None,
        *,
        run: Any = None,
        split: Callable[[str], tuple[str, dict[str, Any]]] | None = None,
    ) -> None:
        """
        Record the values of one step, by the names that the framework gives them.

        A value that can't be recorded is left out, with one warning for its name; None is left out silently.

        Args:
            values: numbers, tensors, objects such as `Image`, lists of objects, and dicts of them, by name.
            context: is added to what the names say.
            run, split: in place of the session's run and of `names.split`, where an adapter lets subclasses decide.
        """
        run = run or self.run()
        split = split or self.names.split
        if isinstance(run, SilentRun):
            return
        for name, value in fetched(values).items():
            if value is not None:
                metric, split_context = split(name)
                whole = {**split_context, **context} if context else split_context
                recorded = functools.partial(run.track, value, metric, step, epoch, context=whole)
                self.failures.guarded(recorded, f"metric {name!r}")
        if step is not None and step > self.last_step:
            self.last_step = int(step)

    def set_params(self, key: Any, value: object) -> None:
        """Set a param or a tree of them; what is no plain value is stored as a text, and nothing raises."""
        self.failures.guarded(lambda: self.run().set(key, value, strict=False), f"param {key!r}")

    def rewind(self, step: int) -> None:
        """
        Hide what the run has after *step*, since the training goes on from a checkpoint of that step.

        Nothing is done for a run that began with this training, nor with `rewind_on_resume=False`.
        """
        run = self.run()
        if self.options.rewind_on_resume and self.rank == 0 and (self.is_resumed or self.last_step > step):
            self.failures.guarded(lambda: run.rewind(step), "rewind")
        self.last_step = min(self.last_step, step)

    def in_background(self, work: Callable[[], object], what: str) -> None:
        """Do *work* in a thread of its own; the end of the run, and that of the process, wait for it."""
        thread = threading.Thread(target=self.failures.guarded, args=(work, what), name="aim-adapter")
        self._threads = [other for other in self._threads if other.is_alive()] + [thread]
        thread.start()

    # the end

    def close(self, error: BaseException | None = None) -> None:
        """
        End the run, unless it is the caller's; the next use resumes it. A second call does nothing.

        Args:
            error: what ended the training: the run has failed.
        """
        with self._lock:
            for thread in self._threads:
                thread.join()
            run = self.open_run()
            if run is not None and run is not self.options.run:
                run.__exit__(None if error is None else type(error), error, None)
                beginning.retract_hash(run.hash)
                self._run = None

    def renew(self) -> None:
        """End the run, and begin another one at the next use: for each trial of a search."""
        self.close()
        self.take(None)

    # in other processes

    def __getstate__(self) -> dict[str, Any]:
        """Return what another process needs: it attaches to the run by its hash when it records first."""
        state = {**self.__dict__, "_run": None, "_lock": None, "_threads": []}
        if self.run_hash is not None:
            state["options"] = beginning.elsewhere(self.options, self.run_hash)
        return state

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        self.__dict__.update(state)
        self._lock = threading.RLock()
