"""
`Run`: record a training, and read it back.

    run = Run(experiment="mnist")
    run["hparams"] = {"lr": 0.01}
    run.track(0.5, name="loss", step=1, context={"subset": "train"})

A `Run` that records has a `storage.recording.writer.Writer`; a `Run` that only reads has none. Both read from the
files (run_view.py): what `track()` or `run[key] = value` returned for is seen at once, by this and any other process.

This module and what it imports at its head need the standard library only: a training process pays for nothing else.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from aim.core import params
from aim.core.addresses import is_server
from aim.core.configs import mapping_of
from aim.core.errors import IncompatibleValue, RunClosed, RunNotFound, UntrackableValue, UsageError
from aim.core.values import epoch_number, step_number
from aim.engine import rewinding
from aim.engine.opening import open_door
from aim.sdk import run_services
from aim.sdk.familiar_run import FamiliarRun
from aim.sdk.recording import Recording, for_reading
from aim.sdk.repo_paths import real_address
from aim.sdk.run_edits import EditableRun
from aim.sdk.run_source import opened, restore, unknown_run
from aim.storage.recording.checked_values import CheckedValue, names_of
from aim.storage.recording.sequence_writer import SequenceWriter, put_all, ready_values

if TYPE_CHECKING:
    from aim.engine.door import RunDoor
    from aim.sdk.artifacts import Artifact, RunArtifacts
    from aim.sdk.repo import Repo
    from aim.sdk.run_tree import RunTree
    from aim.sdk.tracker import RunTracker
    from aim.sdk.types import Number, Trackable
    from aim.storage.forms.history import Rewind

StructuredRunMixin = EditableRun  # Aim 3's name of the class that has the properties


class Run(FamiliarRun):
    """
    One run: what a training records, and what is read of it.

    Args:
        run_hash: the run to resume or to read; None: a new run.
        repo: the repository: a folder, the address of a server such as `aim://host:53800/project`, or a `Repo`. None:
            that of `AIM_REPO`, else the nearest folder upward that holds one, else the current folder. The repository
            is made if it does not exist.
        read_only: only read. Properties and tags can be changed all the same.
        experiment: the name of the experiment; None or empty: `default`, and a resumed run keeps the one it has.
        force_resume: Ignored; accepted for Aim 3 callers.
        system_tracking_interval: seconds between system metrics; None: record no system metrics.
        log_system_params: record packages, git and environment.
        capture_terminal_logs: record what is printed through `sys.stdout` and `sys.stderr`; `"fd"`: what child
            processes and C code print too.
        create: with a *run_hash* of the caller's own choice: make that run if it does not exist. Several processes may
            do so at once with the same hash.
        offline: of a repository on a server: record into the spool on this disk only; `aim sync` sends it later.

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

    read_only: bool
    _handles: dict[Any, SequenceWriter]
    _handles_by_context: dict[tuple[Any, ...], dict[Any, SequenceWriter]]
    _repo: Repo | None

    def __init__(
        self,
        run_hash: str | None = None,
        *,
        repo: str | os.PathLike[str] | Repo | None = None,
        read_only: bool = False,
        experiment: str | None = None,
        force_resume: bool = False,
        system_tracking_interval: float | None = 10,
        log_system_params: bool = False,
        capture_terminal_logs: bool | str = True,
        create: bool = False,
        name: str | None = None,
        tags: str | Iterable[str] = (),
        config: Any = None,
        description: str | None = None,
        notes: str | None = None,
        offline: bool = False,
    ) -> None:
        run_services.check_capture(capture_terminal_logs)
        door, repo_face = opened(repo, read_only, offline=offline)
        if read_only:
            if run_hash is None:
                raise UsageError("A run is opened for reading by its hash: Run(run_hash, read_only=True).")
            if not door.has_run(run_hash):
                raise unknown_run(run_hash, door)
            self._attach(for_reading(door, run_hash, repo_face), repo_face)
            self._describe(name=name, tags=tags, config=config, description=description, notes=notes)
            return
        try:
            writer = door.new_run(run_hash) if run_hash is None or create else door.resume_run(run_hash)
        except RunNotFound:
            raise unknown_run(run_hash, door) from None
        self._attach(Recording(door, writer.run_hash, writer), repo_face)
        if experiment:  # scripts often pass on an empty name that their user did not set
            self.experiment = experiment
        self._describe(name=name, tags=tags, config=config, description=description, notes=notes)
        run_services.start(
            self._recording.ready_writer(),
            door,
            system_tracking_interval=system_tracking_interval,
            log_system_params=log_system_params,
            capture_terminal_logs=capture_terminal_logs,
        )

    def _attach(self, recording: Recording, repo: Repo | None, opened: RunDoor | None = None) -> None:
        """
        Make this object the run of *recording*: all that a `Run` holds is set here.

        Args:
            opened: the run, for reading, when its door has opened it already.
        """
        super().__init__(recording, opened)
        self.read_only = recording.read_only
        self._handles = {}
        self._handles_by_context = {}
        self._repo = repo

    @property
    def repo(self) -> Repo:
        """The `Repo` that holds this run."""
        if self._repo is None:
            # by its name: `Repo` makes runs, so this module can't import it
            self._repo = import_module("aim.sdk.repo").Repo.from_path(self._recording.door.address)
        return self._repo

    def __repr__(self) -> str:
        door = self._recording.door
        return f"<Run#{self.hash} repo={door.files or door.address}{' read_only' if self.read_only else ''}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Run) and self.hash == other.hash and self._real_address() == other._real_address()

    def _real_address(self) -> str:
        return real_address(self._recording.door.address)

    def __hash__(self) -> int:
        return hash(self.hash)

    # recording

    def track(
        self,
        value: Trackable,
        name: str | None = None,
        step: Number | None = None,
        epoch: Number | None = None,
        *,
        context: Mapping[str, Any] | None = None,
        sync: bool = False,
    ) -> None:
        """
        Record *value* in the sequence of *name* and *context*.

        Args:
            value: a number of any library, an object such as `Image`, or a list of objects. Without a *name*: a dict
                of values by name; names of nested dicts are joined with `/`.
            name: the name of the sequence.
            step: a whole number; by default the step after the largest so far. A step tracked again replaces its value.
            epoch: a number; kept to 7 digits.
            context: what distinguishes sequences of one name, such as `{"subset": "train"}`.
            sync: record an object that takes time to encode, such as an image, before this returns. By default it is
                copied, and encoded and written in the background; `flush()` and `close()` wait for it.

        Raises:
            UntrackableValue: the value can't be recorded; it is a ValueError.

        Cost: about 1 us, with no system call; the value survives a kill of the process when the call returns. The
        same value through a handle (`sequence`) costs about half.
        """
        try:
            sequence = self._handles[(name, *context.items()) if context else name]
        except (KeyError, TypeError, AttributeError):
            if isinstance(value, Mapping):
                return self._track_dict(value, name, step, epoch, context, sync)
            sequence = self._handle(name, context)
        try:
            return sequence.track(value, step, epoch, sync)
        except RunClosed:
            self._handles.clear()  # they belong to the part of the run that was closed
            return self._handle(name, context).track(value, step, epoch, sync)

    def _handle(self, name: str | None, context: Mapping[str, Any] | None) -> SequenceWriter:
        # the first value of a sequence, a dict of values, or an unusual context
        if name is None:
            raise UntrackableValue(
                "'name' should not be None.",
                "Name the sequence: run.track(0.5, name='loss'), or run.track({'loss': 0.5}).",
            )
        sequence = self.sequence(name, context)
        try:
            self._handles[(name, *context.items()) if context else name] = sequence
        except (TypeError, AttributeError):
            pass
        return sequence

    def _track_dict(
        self,
        values: Mapping[str, Any],
        name: str | None,
        step: object,
        epoch: object,
        context: Mapping[str, Any] | None,
        sync: bool,
    ) -> None:
        if name is not None:
            raise UntrackableValue(
                "'name' should be None when tracking values dictionary.", "The keys of the dict are the names."
            )
        plain_step = step if step is None or step.__class__ is int else step_number(step)
        plain_epoch = None if epoch is None else epoch_number(epoch)
        by_name = self._handles_by_name(context)
        ready = ready_values(by_name, values)
        if ready is not None:
            for sequence, value in ready:
                sequence.track(value, plain_step, plain_epoch)
            return
        checked: list[tuple[SequenceWriter, CheckedValue]] = []  # all before any is recorded
        for key, value in names_of(values).items():
            if key not in by_name or by_name[key].recorder.lifecycle.is_closed:  # of a part of the run that ended
                by_name[key] = self._handle(key, context)
            sequence = by_name[key]
            checked.append((sequence, self._checked(sequence, value, plain_step, plain_epoch, sync)))
        put_all(checked)

    def _handles_by_name(self, context: Mapping[str, Any] | None) -> dict[Any, SequenceWriter]:
        if not context:
            return self._handles
        try:
            return self._handles_by_context.setdefault(tuple(context.items()), {})
        except (TypeError, AttributeError):
            return {}

    @staticmethod
    def _checked(sequence: SequenceWriter, value: object, step: object, epoch: object, sync: bool) -> CheckedValue:
        try:
            return sequence.check(value, step, epoch, sync)
        except IncompatibleValue:
            raise
        except UntrackableValue as error:
            raise UntrackableValue(f"{sequence.name!r}: {error}") from error

    def sequence(self, name: str, context: Mapping[str, Any] | None = None) -> SequenceWriter:
        """
        Return a handle on one sequence, for the hottest loops: `loss = run.sequence("loss")`, then `loss.track(0.5)`.
        """
        try:
            return self._recording.ready_writer().sequence(name, context)
        except RecursionError:
            raise UntrackableValue(f"The context of {name!r} is nested too deeply, or contains itself.") from None

    def flush(self) -> None:
        """Wait until everything recorded is on the disk, safe from a power cut too."""
        self._recording.flush()

    def close(self) -> None:
        """
        End the run, within a few seconds, whatever the disk does. A second call does nothing.

        What is recorded after it resumes the run, with one warning; handles of `sequence` raise RunClosed.
        """
        self._recording.close()

    def finalize(self) -> None:
        """End the run, as `close`; for callers of Aim 3."""
        self.close()

    def __enter__(self) -> Run:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._recording.close(kind() if value is None and kind is not None else value)

    # params

    def __setitem__(self, key: Any, val: object) -> None:
        """
        Set a param; it replaces what was at *key*, with all below it.

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
        Set a param; it replaces what was at *key*, with all below it.

        Args:
            strict: raise for what can't be stored; else store its `repr()`.

        Raises:
            UnstorableParam: with its path; it is a TypeError.
        """
        path = params.as_path(key)
        if not path and mapping_of(val) is None:
            raise UsageError(f"run[...] takes a dict or a config of all params, not a {type(val).__name__}.")
        self._recording.ready_writer().lines.set_param(path, val, strict=strict)

    def __delitem__(self, key: Any) -> None:
        """
        Remove a param and all below it; it need not exist.

        Args:
            key: a name, a path, or `...` for all.
        """
        self._recording.ready_writer().lines.delete_param(params.as_path(key))

    @property
    def _tracker(self) -> RunTracker:
        # of Aim 3: values with times of their own
        from aim.sdk.tracker import RunTracker

        return RunTracker(self._handle)

    @property
    def meta_run_tree(self) -> RunTree:
        """Values that other programs keep with the run, beside its params."""
        from aim.sdk.run_tree import RunTree

        return RunTree(self, self._recording)

    # artifacts

    @functools.cached_property
    def _artifacts(self) -> RunArtifacts:
        from aim.sdk.artifacts import RunArtifacts

        return RunArtifacts(self._recording, self._source)

    @property
    def artifacts_uri(self) -> str | None:
        """Where this run's artifacts go; None: into its own folder."""
        return self._artifacts.uri()

    def set_artifacts_uri(self, uri: str) -> None:
        """
        Keep artifacts below *uri* from now on, in a folder named by this run's hash.

        Args:
            uri: `file:///folder`, a path, or an address of an object store such as `s3://bucket/prefix`.

        Raises:
            UnknownStore: (a ValueError) Aim has no store for such an address.
        """
        self._artifacts.set_uri(uri)

    @property
    def artifacts(self) -> Mapping[str, Artifact]:
        """The stored artifacts by name. Those that are still being stored are missing; `flush()` waits for them."""
        return self._artifacts.stored()

    def log_artifact(self, path: str | os.PathLike[str], name: str | None = None, *, block: bool = False) -> None:
        """
        Store a file with the run, in the background.

        Args:
            name: the name of the artifact, with slashes for folders; by default the file's own name. It replaces an
                artifact of that name.
            block: return when the file is stored, and raise the error if that failed.

        Raises:
            NoSuchFile: (a ValueError, and a FileNotFoundError) *path* is no file.
            NoArtifact: (a ValueError) *name* leads out of the run's artifacts.
            OSError: with *block*, the file can't be read, or the store refuses.
        """
        self._artifacts.log_file(Path(path), name, block=block)

    def log_artifacts(self, path: str | os.PathLike[str], name: str | None = None, *, block: bool = False) -> None:
        """
        Store all files of a folder and of those below it, as `<name>/<path below the folder>`.

        Args:
            name: by default the folder's own name.
            block: see `log_artifact`.

        Raises:
            NoSuchFile: (a ValueError, and a FileNotFoundError) *path* is no folder.
            NoArtifact: (a ValueError) *name* leads out of the run's artifacts.
        """
        self._artifacts.log_folder(Path(path), name, block=block)

    # history

    def rewind(self, step: Number) -> Rewind:
        """
        Take the run back to *step*, as after loading a checkpoint: what was tracked until now at later steps is hidden,
        in all sequences, whichever process tracked it. Values without a step continue at the step after it.

        Params stay, and so do terminal lines, log records and system metrics. Nothing is erased: `rewinds`, `before`
        and the `history` of sequences show what was hidden.

        Args:
            step: the last step that stays visible; -1 hides all from 0 on.

        Raises:
            ReadOnly: the run is open for reading; `Run(hash)` resumes it.
            UntrackableValue: *step* is no whole number.

        >>> import tempfile
        >>> run = Run(repo=tempfile.mkdtemp(), system_tracking_interval=None)
        >>> for value in (3.0, 2.0, float("nan")):
        ...     run.track(value, name="loss")
        >>> run.rewind(1).step
        1
        >>> run.track(1.5, name="loss")
        >>> [metric.values.sparse_list() for metric in run.get_metric("loss").history()]
        [([0, 1, 2], [3.0, 2.0, nan]), ([0, 1, 2], [3.0, 2.0, 1.5])]
        >>> run.close()
        """
        writer = self._recording.ready_writer()
        return rewinding.rewind(self._recording.door.recorded_state(self.hash), writer, step)

    def fork(
        self,
        step: Number,
        *,
        name: str | None = None,
        system_tracking_interval: float | None = 10,
        log_system_params: bool = False,
        capture_terminal_logs: bool | str = True,
    ) -> Run:
        """
        Return a new run of the same repository that continues from *step* of this one.

        The new run has a copy of what this run shows up to *step*: numbers and objects with their times, params,
        experiment, description and tags. Values without a step continue after it. This run does not change; it may be
        live or ended, and may be deleted later.

        Args:
            step: the last step that is copied.
            name: the name of the new run; by default the name that this run was given, if any.
            system_tracking_interval, log_system_params, capture_terminal_logs: of the new run, as for `Run`.

        Raises:
            ReadOnly: the repository is open for reading only.
            UntrackableValue: *step* is no whole number.

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
            self._recording.fork(step_number(step), name),
            repo=self._repo or self._recording.door.address,
            system_tracking_interval=system_tracking_interval,
            log_system_params=log_system_params,
            capture_terminal_logs=capture_terminal_logs,
        )

    # in other processes

    def __reduce__(self) -> tuple[Callable[..., Run], tuple[type[Run], str, str, bool]]:
        """
        Return what another process needs to continue this run: its hash and the address of its repository.

        There it records by itself, beginning with its first value, without system metrics and captured output. A run
        that was closed can only be read there.
        """
        is_over = self.read_only or (self._recording.writer is not None and not self._recording.is_open)
        return _elsewhere, (type(self), self.hash, self._recording.door.address, is_over)

    def __copy__(self) -> Run:
        return self

    def __deepcopy__(self, memo: dict[int, object]) -> Run:
        return self  # two objects would both end the run


def _elsewhere(kind: type[Run], run_hash: str, address: str, read_only: bool) -> Run:
    # not by __init__: a subclass may have its own, and nothing is recorded before there is something to record
    run = kind.__new__(kind)
    door = open_door(address, create=is_server(address), restore=restore)  # a server is not asked before a value comes
    run._attach(Recording(door, run_hash, read_only=read_only), None)
    return run


class BasicRun(Run):
    """A run without system metrics and terminal capture; for the other arguments see `Run`."""

    def __init__(self, run_hash: str | None = None, **options: Any) -> None:
        super().__init__(run_hash, **{"system_tracking_interval": None, "capture_terminal_logs": False, **options})


__all__ = ["BasicRun", "Run", "RunClosed", "StructuredRunMixin"]
