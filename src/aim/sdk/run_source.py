"""
Where a run is: the repository that `Run(repo=...)` names, and the run in it, for reading.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from aim.core import params
from aim.core.errors import ReadOnly, RunNotFound, WrongType
from aim.core.values import Loader
from aim.engine.opening import default_address, open_door
from aim.sdk.repo_paths import clean_repo_path

if TYPE_CHECKING:
    from aim.engine.door import Door, RunDoor
    from aim.sdk.repo import Repo
    from aim.storage.forms.state import RunState

PLAIN_KINDS = frozenset({"int", "float", "str"})


def restore(kind: str, fields: Mapping[str, Any], load: Loader) -> object:
    """Make an object that was stored as *kind*."""
    if kind in PLAIN_KINDS:
        return params.decode(fields["value"])
    from aim.sdk.objects import registry

    return registry.restore(kind, fields, load)


def opened(
    repo: str | os.PathLike[str] | Repo | None, read_only: bool, *, offline: bool = False
) -> tuple[Door, Repo | None]:
    """
    Open the repository that `Run` was given; see there. Return its door, and the `Repo` if it was one.

    Raises:
        ReadOnly: the `Repo` was opened for reading only, and the run is to record.
        WrongType: *repo* is neither an address nor a `Repo`.
    """
    if repo is None or isinstance(repo, (str, os.PathLike)):
        address = default_address() if repo is None else clean_repo_path(repo) if os.fspath(repo) else "."
        return open_door(address, create=not read_only, restore=restore, offline=offline), None
    if hasattr(repo, "door"):
        if repo.read_only and not read_only:
            raise ReadOnly(f"Repository {repo.root_path} is open for reading only: it can't take a run.")
        return repo.door, repo
    raise WrongType(f"repo has to be a folder, the address of a server or a Repo, not a {type(repo).__name__}.")


def unknown_run(run_hash: object, door: Door) -> RunNotFound:
    """Return the error of `Run(run_hash)` for a hash that no run has: what may have been meant, and how to write it."""
    return RunNotFound(
        f"Cannot find run {run_hash!r} in repository '{door.address}'. The first argument of Run is the hash of a "
        f"run; `aim runs ls` lists them. Run({run_hash!r}, create=True) makes a run of this hash, and "
        f"Run(name={run_hash!r}) a new one of this name."
    )


class RunSource:
    """
    Where a run is read from. The run is opened when something is first read of it.

    Args:
        settle: waits until the objects that this process has tracked are written.
        opened: the run, when *door* has opened it already.
    """

    def __init__(self, door: Door, run_hash: str, settle: Callable[[], object], opened: RunDoor | None = None) -> None:
        self.run_hash = run_hash
        self._door = door
        self._opened = opened
        self._settle = settle

    @property
    def _run(self) -> RunDoor:
        if self._opened is None:
            self._opened = self._door.run(self.run_hash)
        return self._opened

    def state(self) -> RunState:
        """Return the run's state as it is now. Raises RunNotFound when the run was deleted."""
        try:
            return self._run.state()
        except (FileNotFoundError, RunNotFound):
            raise self._deleted() from None

    def recorded_state(self) -> RunState:
        """Return what this process knows of the run that it records, without asking a server. Raises RunNotFound."""
        try:
            return self._door.recorded_state(self.run_hash)
        except (FileNotFoundError, RunNotFound):
            raise self._deleted() from None

    def param(self, path: params.Path) -> Any:
        """Return a param, or a dict of all below *path*, as a copy. Raises KeyError, and RunNotFound as `state`."""
        try:
            return self._run.param(path)
        except (FileNotFoundError, RunNotFound):
            raise self._deleted() from None

    def _deleted(self) -> RunNotFound:
        return RunNotFound(f"Run {self.run_hash} was deleted from repository '{self._door.address}'.")

    def settled(self) -> RunDoor:
        """Return the run, to read its points from, when all that this process has tracked is written."""
        self._settle()
        return self._run

    def artifact_folder(self) -> Path:
        """Return the folder for those artifacts of the run that go to no other store."""
        return self._run.artifact_folder()

    def artifact_uri(self, name: str) -> str:
        """Return the address of an artifact that is kept with the run."""
        return self._run.artifact_uri(name)

    def artifact_opener(self, name: str, uri: str | None) -> Callable[[], BinaryIO] | None:
        """
        Return what opens an artifact that is at *uri*, or that is kept with the run; None: who has the address can read
        it, as any file of a folder.
        """
        if self._door.files is not None or not (uri is None or uri.startswith("file:")):
            return None
        return lambda: self._door.artifact(self.run_hash, name)
