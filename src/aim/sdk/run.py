"""
`Run`: record a training, and read it back.

    run = Run(experiment="mnist")
    run["hparams"] = {"lr": 0.01}
    run.track(0.5, name="loss", step=1, context={"subset": "train"})

A `Run` that records owns a `storage.writer.Writer`; one that reads owns nothing but a name. Both read through the
engine's
reader, from the files: what `track()` or `run[key] = value` returned for is seen at once, by this and any other
process.

This module and what it imports at its head need the standard library only: a training process pays for nothing else.
"""

from __future__ import annotations

import logging
import os
import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol

from aim.core import params
from aim.core.errors import AimError, ReadOnly, RunClosed, RunNotFound, UntrackableValue, UsageError, WrongType
from aim.core.values import Loader
from aim.engine import sealing
from aim.engine.repository import Repository
from aim.sdk.run_artifacts import RunArtifactsMixin
from aim.sdk.run_history import RunHistoryMixin
from aim.sdk.run_properties import StructuredRunMixin
from aim.sdk.run_reading import RunReadingMixin
from aim.sdk.run_services import RunServicesMixin, check_capture
from aim.storage import store
from aim.storage.forms import edits
from aim.storage.forms.state import RunState
from aim.storage.recording import encoding
from aim.storage.recording.writer import SequenceWriter, Writer

if TYPE_CHECKING:
    from aim.sdk.run_tree import RunTree
    from aim.storage.reading.points import Points
    from aim.storage.reading.reader import RunReader

PLAIN_KINDS = frozenset({"int", "float", "str"})

log = logging.getLogger("aim")
_beginning = threading.Lock()


class RunRepo(Protocol):
    """What a run asks of the repository object that it was given. `Repo` is one."""

    path: str
    root_path: str
    read_only: bool | None

    @property
    def repository(self) -> Repository:
        """The engine's side of the repository."""


def _no_repo(root: str) -> RunRepo:
    raise AimError("aim.sdk.repo is not imported")


open_repo: Callable[[str], RunRepo] = _no_repo  # aim.sdk.repo puts `Repo.from_path` here


def restore(kind: str, fields: Mapping[str, Any], load: Loader) -> object:
    """Make an object that was stored as *kind*."""
    if kind in PLAIN_KINDS:
        return params.decode(fields["value"])
    from aim.sdk.objects import registry

    return registry.restore(kind, fields, load)


class Run(StructuredRunMixin, RunServicesMixin, RunHistoryMixin, RunArtifactsMixin, RunReadingMixin):
    """
    One run: what a training records, and what is read of it.

    Args:
        run_hash: the run to resume or to read; None: a new one.
        repo: the repository: a folder, a `Repo`, or None for the nearest folder upward that holds one, else the
            current folder. A repository that is not there is made.
        read_only: only read. Properties and tags can be changed all the same.
        experiment: the name of the experiment; None or empty: `default`, and of a resumed run the one it has.
        force_resume: without meaning: nothing ever has to be forced.
        system_tracking_interval: seconds between system metrics; None: none.
        log_system_params: record packages, git and environment.
        capture_terminal_logs: record what is printed through `sys.stdout` and `sys.stderr`; `"fd"`: what child
            processes and C code print too.
        create: with a *run_hash* of the caller's own choice: make that run if it is not there. Several processes may
            do so at once with the same one.

    Raises:
        RunNotFound: there is no run of that hash; it is Aim 3's MissingRunError.

    >>> import tempfile
    >>> run = Run(repo=tempfile.mkdtemp(), experiment="digits")
    >>> run["hparams"] = {"lr": 0.01}
    >>> run.track(0.5, name="loss", context={"subset": "train"})
    >>> run["hparams", "lr"], run.get_metric("loss", {"subset": "train"}).values.tolist()
    (0.01, [0.5])
    >>> run.close()
    """

    def __init__(
        self,
        run_hash: str | None = None,
        *,
        repo: str | os.PathLike[str] | RunRepo | None = None,
        read_only: bool = False,
        experiment: str | None = None,
        force_resume: bool = False,
        system_tracking_interval: float | None = 10,
        log_system_params: bool = False,
        capture_terminal_logs: bool | str = True,
        create: bool = False,
    ) -> None:
        check_capture(capture_terminal_logs)
        self._repo: RunRepo | None = None
        self._repository = self._open_repository(repo, read_only)
        self._writer: Writer | None = None
        self._handles: dict[Any, SequenceWriter] = {}
        self._sequence_writers: dict[tuple[str, str], SequenceWriter] = {}
        if read_only:
            if run_hash is None:
                raise UsageError("A run is opened for reading by its hash: Run(run_hash, read_only=True).")
            if not self._repository.has_run(run_hash):
                raise RunNotFound(f"Cannot find run {run_hash!r} in repository '{self._repository.root}'.")
            self.hash = run_hash
        else:
            if run_hash is None or create:
                self._own(self._repository.new_run(run_hash))
            else:
                self._own(self._repository.resume_run(run_hash))
        self.read_only = read_only
        self._log = self._repository.log(self.hash)
        if experiment and not read_only:  # an empty one is none, as many scripts hand on what they were not given
            self.experiment = experiment
        if not read_only:
            self._start_services(system_tracking_interval, log_system_params, capture_terminal_logs)

    def _open_repository(self, repo: str | os.PathLike[str] | RunRepo | None, read_only: bool) -> Repository:
        if repo is None:
            root = store.find_root(Path.cwd()) or Path.cwd()
        elif isinstance(repo, (str, os.PathLike)):
            if str(repo).startswith(("aim://", "ssh://")):
                raise UsageError(f"{repo}: tracking to a server is not part of this version; give a folder.")
            root = Path(os.path.expanduser(repo))
            if root.name == store.folder_name():
                root = root.parent
        elif hasattr(repo, "repository"):
            self._repo = repo
            if repo.read_only and not read_only:
                raise ReadOnly(f"Repository {repo.root_path} is open for reading only: it can't take a run.")
            return repo.repository
        else:
            raise WrongType(f"repo has to be a folder or a Repo, not a {type(repo).__name__}.")
        return Repository(root, create=not read_only, restore=restore)

    @property
    def repo(self) -> RunRepo:
        """The `Repo` that holds this run."""
        if self._repo is None:
            self._repo = open_repo(str(self._repository.root))
        return self._repo

    def __repr__(self) -> str:
        return f"<Run#{self.hash} repo={self._repository.path}{' read_only' if self.read_only else ''}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Run) and self.hash == other.hash and self._same_repository(other)

    def _same_repository(self, other: Run) -> bool:
        return os.path.realpath(self._repository.path) == os.path.realpath(other._repository.path)

    def __hash__(self) -> int:
        return hash(self.hash)

    # recording

    def track(
        self,
        value: object,
        name: str | None = None,
        step: object = None,
        epoch: object = None,
        *,
        context: Mapping[str, Any] | None = None,
        sync: bool = False,
    ) -> None:
        """
        Record *value* in the sequence of *name* and *context*.

        Args:
            value: a number of any library, an object such as `Image`, a list of objects, or, without a *name*, a dict
            of
                values by name.
            name: of the sequence.
            step: an integer; without it the one after the largest so far. Tracking a step again replaces its value.
            epoch: a number; kept to 7 digits.
            context: what tells sequences of one name apart, such as `{"subset": "train"}`.
            sync: of an object that takes time to encode, such as an image: record it before this returns. By default
                it is copied, and encoded and written in the background; `flush()` and `close()` wait for it.

        Raises:
            UntrackableValue: it can't be recorded; it is a ValueError.
            RunClosed: the run was closed.

        Cost: about 1 us, with no system call; the value survives a kill of the process when the call returns. The
        same value through a handle (`sequence`) costs about half.
        """
        try:
            sequence = self._handles[(name, *context.items()) if context else name]
        except (KeyError, TypeError, AttributeError):
            found = self._handle(value, name, step, epoch, context, sync)
            if found is None:
                return
            sequence = found
        sequence.track(value, step, epoch, sync)

    def _handle(
        self,
        value: object,
        name: str | None,
        step: object,
        epoch: object,
        context: Mapping[str, Any] | None,
        sync: bool,
    ) -> SequenceWriter | None:
        # the first value of a sequence, a dict of values, or an unusual context
        if isinstance(value, Mapping):
            if name is not None:
                raise UntrackableValue("'name' should be None when tracking values dictionary.")
            for key, item in value.items():
                if isinstance(item, Mapping):
                    raise UntrackableValue(
                        f"{key!r} holds a dict: a dict of values can't be nested. Use names like 'a/b'."
                    )
                try:
                    self.track(item, str(key), step, epoch, context=context, sync=sync)
                except UntrackableValue as error:
                    raise UntrackableValue(f"{key!r}: {error}") from error
            return None
        if name is None:
            raise UntrackableValue("'name' should not be None.")
        sequence = self.sequence(name, context)
        try:
            self._handles[(name, *context.items()) if context else name] = sequence
        except (TypeError, AttributeError):
            pass
        return sequence

    def sequence(self, name: str, context: Mapping[str, Any] | None = None) -> SequenceWriter:
        """
        Return a handle on one sequence, for the hottest loops: `loss = run.sequence("loss")`, then `loss.track(0.5)`.
        """
        try:
            return self._recording().sequence(name, context)
        except RecursionError:
            raise UntrackableValue(f"The context of {name!r} is nested too deeply, or holds itself.") from None

    def _recording(self) -> Writer:
        writer = self._writer or self._resumed()
        writer.ready()
        return writer

    def _resumed(self) -> Writer:
        if self.read_only:
            raise ReadOnly(f"Run {self.hash} is open for reading only. Resume it with Run({self.hash!r}) to record.")
        with _beginning:
            return self._writer or self._own(self._repository.resume_run(self.hash))

    def _own(self, writer: Writer) -> Writer:
        self.hash = writer.run_hash
        self._writer = writer
        self._finalizer = weakref.finalize(self, _end, writer, self._repository)
        self._finalizer.atexit = False  # storage.background ends open runs, and knows whether an exception did
        return writer

    # in other processes

    def __reduce__(self) -> tuple[Callable[..., Run], tuple[type[Run], str, str, bool]]:
        """
        Return what another process needs to go on with this run: its hash and the folder of its repository.

        There it records by itself, beginning with its first value, without system metrics and captured output. A run
        that was closed comes as one to read.
        """
        is_over = self.read_only or (self._writer is not None and self._writer.closed)
        return _elsewhere, (type(self), self.hash, str(self._repository.root), is_over)

    def __copy__(self) -> Run:
        return self

    def __deepcopy__(self, memo: dict[int, object]) -> Run:
        return self  # a run is a handle; what it records into is one

    def fork(
        self,
        step: object,
        *,
        name: str | None = None,
        system_tracking_interval: float | None = 10,
        log_system_params: bool = False,
        capture_terminal_logs: bool | str = True,
    ) -> Run:
        """
        Return a new run of the same repository that records on from *step* of this one.

        Copied are what this run shows up to *step*, numbers and objects with their times, its params, experiment,
        description and tags. Values without a step go on after it. This run is left as it is, live or ended, and may
        be deleted.

        Args:
            step: the last one that is copied.
            name: of the new run; None: that of this one, if it was given one.
            system_tracking_interval, log_system_params, capture_terminal_logs: of the new run, as for `Run`.

        Raises:
            ReadOnly: the repository is open for reading only.
            UntrackableValue: *step* is no integer.

        Cost: 0.2 s for loading pyarrow, and 0.5 us a point.

        >>> import tempfile
        >>> run = Run(repo=tempfile.mkdtemp(), system_tracking_interval=None)
        >>> for value in (3.0, 2.0, 9.0):
        ...     run.track(value, name="loss")
        >>> other = run.fork(1, system_tracking_interval=None)
        >>> other.track(1.0, name="loss")
        >>> other.get_metric("loss").values.tolist(), other.forked_from.run_hash == run.hash
        ([3.0, 2.0, 1.0], True)
        >>> other.close()
        >>> run.close()
        """
        return Run(
            self._fork(step, name),
            repo=str(self._repository.root) if self._repo is None else self._repo,
            system_tracking_interval=system_tracking_interval,
            log_system_params=log_system_params,
            capture_terminal_logs=capture_terminal_logs,
        )

    def flush(self) -> None:
        """Wait until everything recorded is on the disk, safe from a power cut too."""
        if self._writer is not None:
            self._writer.flush()

    def close(self) -> None:
        """End the run. Again: nothing happens. Waits a few seconds at most, whatever the disk does."""
        if self._writer is not None:
            self._finalizer.detach()
            _end(self._writer, self._repository)

    def finalize(self) -> None:
        """End the run, as `close`; for callers of Aim 3."""
        self.close()

    def __enter__(self) -> Run:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._writer is not None:
            if isinstance(value, SystemExit) and not value.code:  # sys.exit() and sys.exit(0) are no failure
                kind = value = None
            self._finalizer.detach()
            if value is not None and not self._writer.closed:
                self._writer.services.failed(value)
            _end(self._writer, self._repository, kind.__name__ if kind else None)

    # params

    def __setitem__(self, key: Any, val: object) -> None:
        """
        Set a param; what was at *key* is replaced, with all below it.

        Args:
            key: a name, a path such as `("hparams", "lr")`, or `...` for all params at once.
            val: see docs/guide/recording.md for what may be stored.

        Raises:
            UnstorableParam: with its path; it is a TypeError.

        >>> import tempfile
        >>> run = Run(repo=tempfile.mkdtemp(), system_tracking_interval=None)
        >>> run["hparams"] = {"lr": 0.01, "batch_size": 42}
        >>> run["hparams", "lr"] = 0.1
        >>> run[...]
        {'hparams': {'batch_size': 42, 'lr': 0.1}}
        >>> run.close()
        """
        self.set(key, val)

    def set(self, key: Any, val: object, strict: bool = True) -> None:
        """
        Set a param; what was at *key* is replaced, with all below it.

        Args:
            strict: raise for what can't be stored; else store its `repr()`.

        Raises:
            UnstorableParam: with its path; it is a TypeError.
        """
        path = params.as_path(key)
        if not path and not isinstance(val, Mapping):
            raise UsageError(f"run[...] takes a dict of all params, not a {type(val).__name__}.")
        self._recording().set_param(path, val, strict=strict)

    def __delitem__(self, key: Any) -> None:
        """
        Take away a param and all below it; one that is not there is fine.

        Args:
            key: a name, a path, or `...` for all.
        """
        self._recording().delete_param(params.as_path(key))

    def __getitem__(self, key: Any) -> Any:
        """
        Return a param, or a dict of all below *key*, as a copy.

        Args:
            key: a name, a path such as `("hparams", "lr")`, or `...` for all params.

        Raises:
            KeyError: there is none.
        """
        self._state()
        return self._log.param(params.as_path(key))

    def __contains__(self, key: object) -> bool:
        try:
            self[key]
        except KeyError:
            return False
        return True

    def get(self, key: Any, default: Any = None, strict: bool = True, resolve_objects: bool = False) -> Any:
        """
        Return a param, or *default* when there is none.

        Args:
            strict: False gives, for a dict, the tree of the types of its values.
            resolve_objects: give objects as dicts of what describes them.
        """
        try:
            value = self[key]
        except KeyError:
            return default
        if resolve_objects:
            value = _resolved(value)
        return value if strict or not isinstance(value, dict) else _types(value)

    @property
    def meta_run_tree(self) -> RunTree:
        """Values that other programs keep with the run, beside its params."""
        from aim.sdk.run_tree import RunTree

        return RunTree(self)

    # what the mixins ask

    def _state(self) -> RunState:
        try:
            return self._log.refresh()
        except FileNotFoundError:
            raise RunNotFound(f"Run {self.hash} was deleted from repository '{self._repository.root}'.") from None

    def _set_property(self, **properties: object) -> None:
        if self._writer is not None and not self._writer.closed:
            self._writer.set_property(**properties)
        else:
            self._edit({"property": properties})

    def _change_tags(self, add: Sequence[str], remove: Sequence[str]) -> None:
        if self._writer is not None and not self._writer.closed:
            self._writer.change_tags(add, remove)
        else:
            self._edit({"tags": {"add": list(add), "remove": list(remove)}})

    def _edit(self, change: Mapping[str, Any], after_s: float = 0.0) -> float:
        if self._repo is not None and self._repo.read_only:
            raise ReadOnly(
                f"Repository {self._repo.root_path} is open for reading only: run {self.hash} can't be changed."
            )
        return self._repository.edit(self.hash, change, by=edits.BY_PYTHON, after_s=after_s)

    def _reader(self) -> RunReader:
        if self._writer is not None:
            self._writer.services.record_pending()
            self._writer.encoding.wait_until_done()
        else:
            encoding.wait_until_encoded()
        return self._repository.reader(self.hash)

    def read_points(self, name: str, context_text: str) -> Points | None:
        """Return the points of a sequence as they are now; what `Sequence` reads."""
        return self._reader().points((name, context_text))

    def read_objects(self, points: Points, position: int) -> Any:
        """Return the objects of one point; what `Sequence` reads."""
        found = self._reader().objects(points, position, restore)
        if hasattr(found, "at"):  # a log record: its moment is that of its point
            found.at(float(points.times_s[position]))
        return found


def _elsewhere(kind: type[Run], run_hash: str, root: str, read_only: bool) -> Run:
    # not by __init__: a subclass may have its own, and nothing is recorded before there is something to record
    run = kind.__new__(kind)
    run._repo = None
    run._repository = Repository(Path(root), restore=restore)
    run._repository.store.run_folder(run_hash)
    run._writer = None
    run._handles = {}
    run.hash = run_hash
    run.read_only = read_only
    run._log = run._repository.log(run_hash)
    return run


def _end(writer: Writer, repository: Repository, error: str | None = None) -> None:
    was_open = not writer.closed
    writer.close(error)
    if was_open:
        sealing.seal_soon(writer.folder, writer.id)


def _resolved(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _resolved(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_resolved(item) for item in value]
    return value.json() if hasattr(value, "json") else value


def _types(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _types(item) for key, item in value.items()}
    found: dict[Any, Any] = {"__example_type__": str(type(value))}
    if isinstance(value, list):
        found |= {place: _types(item) for place, item in enumerate(value)}
    return found


class BasicRun(Run):
    """A run without system metrics and terminal capture."""

    def __init__(
        self,
        run_hash: str | None = None,
        *,
        repo: str | os.PathLike[str] | RunRepo | None = None,
        read_only: bool = False,
        experiment: str | None = None,
        force_resume: bool = False,
    ) -> None:
        super().__init__(
            run_hash,
            repo=repo,
            read_only=read_only,
            experiment=experiment,
            force_resume=force_resume,
            system_tracking_interval=None,
            capture_terminal_logs=False,
        )


__all__ = ["BasicRun", "Run", "RunClosed", "StructuredRunMixin"]
