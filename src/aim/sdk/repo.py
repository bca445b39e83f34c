"""
`Repo`: a repository of runs, as users see it.

A repository is a folder that holds a folder `.aim`, or is on a server. Everything here asks its `engine.door.Door`. A
call sees what another process recorded before it.
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from aim.core.addresses import folder_of_address, has_scheme, is_server
from aim.core.errors import AimError, ReadOnly, RepoNotFound, RunNotFound, WrongType
from aim.core.kinds import METRIC
from aim.core.logs import log
from aim.core.statuses import RUNNING
from aim.core.tags import Tag
from aim.engine.opening import (
    default_address,
    find_repository,
    open_door,
    remove_repository,
    repository_exists,
    server_has,
)
from aim.sdk import repo_contents
from aim.sdk.data_version import DATA_VERSION
from aim.sdk.recording import for_reading
from aim.sdk.repo_insights import RepoInsights
from aim.sdk.repo_paths import clean_repo_path, real_address
from aim.sdk.run import Run
from aim.sdk.run_source import restore
from aim.sdk.sequence_types import KINDS, check_types
from aim.storage.forms import edits
from aim.storage.store import SIBLING, folder_name

if TYPE_CHECKING:
    from aim.engine.door import Door, RunDoor, TagDoor


class RepoStatus(Enum):
    """What is in a folder, as this version of Aim sees it."""

    MISSING = 1
    UPDATE_REQUIRED = 2
    PATCH_REQUIRED = 3
    UPDATED = 4


class Repo(RepoInsights):
    """
    The repository in the folder *path*, or on a server.

    Args:
        path: the folder that contains `.aim`, or its `file://` address; or the address of a server, such as
            `aim://host:53800/project` or `https://host/project`.
        read_only: True refuses every change through this object.
        init: make the repository if it does not exist.

    Raises:
        RepoNotFound: there is no repository in *path*; it is a RuntimeError.
        ServerUnreachable: no server answers there; it is a ConnectionError.

    >>> import tempfile
    >>> repo = Repo(tempfile.mkdtemp(), init=True)
    >>> repo.total_runs_count()
    0
    """

    _pool: ClassVar[weakref.WeakValueDictionary[str, Repo]] = weakref.WeakValueDictionary()

    def __init__(self, path: str | os.PathLike[str], *, read_only: bool | None = None, init: bool = False) -> None:
        if not isinstance(path, (str, os.PathLike)):
            raise WrongType(f"path has to be a folder or the address of a server, not {path!r}.")
        text = str(path)
        if on_server := is_server(text):
            self.root_path = self.path = clean_repo_path(text)
        else:
            self.root_path = str(folder_of_address(text)) if has_scheme(text) else text
            self.path = os.path.join(self.root_path, folder_name())
        self.read_only = read_only
        try:
            self._door = open_door(self.root_path, create=init, restore=restore)
        except RepoNotFound as error:  # `Run()` looks upward, so the runs may be in a folder above
            if on_server:
                raise
            above = find_repository(Path(self.root_path).absolute())
            hint = f" There is one in '{above}': Repo.default_repo() looks upward." if above else ""
            raise RepoNotFound(f"{error}{hint}") from None
        if self._door.files is not None and self._door.files.parent.name == SIBLING:  # beside a repository of Aim 3
            self.root_path, self.path = str(self._door.files.parent), str(self._door.files)

    def __reduce__(self) -> tuple[Any, tuple[str, bool | None]]:
        """Return what another process needs to open this repository: its folder."""
        address = self.root_path if self.is_remote_repo else os.path.abspath(self.root_path)
        return Repo.from_path, (address, self.read_only)

    @property
    def door(self) -> Door:
        """What this repository is asked by; see `aim.engine.door`."""
        return self._door

    @property
    def is_remote_repo(self) -> bool:
        """Whether the repository is on a server."""
        return is_server(self.root_path)

    @classmethod
    def from_path(cls, path: str | os.PathLike[str], read_only: bool | None = None, init: bool = False) -> Repo:
        """
        Return the repository in *path*; for the same folder, the same object.

        Args:
            path: the folder that contains `.aim`, or the `.aim` folder itself; or the address of a server.
            read_only: True refuses every change through the object.
            init: make the repository if it does not exist.

        Raises:
            RepoNotFound: there is no repository; it is a RuntimeError.
        """
        root = clean_repo_path(path)
        key = f"{real_address(root)}|{read_only}"
        repo = cls._pool.get(key)
        if repo is None or not (is_server(root) or cls.exists(root)):
            repo = cls(root, read_only=read_only, init=init)
            cls._pool[key] = repo
        return repo

    @classmethod
    def default_repo_path(cls) -> str:
        """
        Return the repository of `AIM_REPO`, a folder or the address of a server; else the nearest folder from the
        current one upward that holds a repository, else the current one.
        """
        return default_address()

    @classmethod
    def default_repo(cls, init: bool = False) -> Repo:
        """
        Return the repository of the nearest folder from the current one upward that holds one, else of the current one.

        Args:
            init: make the repository if it does not exist.

        Raises:
            RepoNotFound: there is no repository; it is a RuntimeError.
        """
        return cls.from_path(cls.default_repo_path(), init=init)

    @classmethod
    def exists(cls, path: str | os.PathLike[str]) -> bool:
        """Return whether there is a repository in *path*, a folder or the address of a server."""
        root = clean_repo_path(path)
        return server_has(root) if is_server(root) else repository_exists(Path(root))

    @classmethod
    def rm(cls, path: str | os.PathLike[str]) -> None:
        """
        Delete the repository in *path*, with all its runs. This can't be undone.

        Raises:
            FileNotFoundError: there is no repository.
            UsageError: it is on a server.
        """
        root = clean_repo_path(path)
        remove_repository(folder_of_address(root))
        for key in [key for key in cls._pool if key.startswith(f"{real_address(root)}|")]:
            cls._pool.pop(key, None)

    @classmethod
    def is_remote_path(cls, path: str) -> bool:
        """Return whether *path* is the address of a server."""
        return is_server(str(path))

    @classmethod
    def get_version(cls, path: str | os.PathLike[str]) -> tuple[int, int]:
        """
        Return the version of the files of the repository in *path*: `aim.sdk.data_version.DATA_VERSION`.

        It is larger than all versions of Aim 3.

        Raises:
            RepoNotFound, UnsupportedFormat: see `Repo`; both are RuntimeErrors.
        """
        open_door(clean_repo_path(path))
        return DATA_VERSION

    @classmethod
    def check_repo_status(cls, path: str | os.PathLike[str]) -> RepoStatus:
        """Return what is in *path*: nothing, a repository, or one of another version."""
        if not cls.exists(path):
            folder = Path(clean_repo_path(path)) / folder_name()
            return RepoStatus.UPDATE_REQUIRED if (folder / "run_metadata.sqlite").exists() else RepoStatus.MISSING
        return RepoStatus.UPDATED

    def __repr__(self) -> str:
        return f"<Repo#{hash(self)} path={self.path} read_only={self.read_only}>"

    def _repr_html_(self) -> str:
        from aim.sdk.html import parts, runs

        def draw() -> str:
            questions = self._door.questions()
            newest = [self.run_of_answer(run_hash) for run_hash in questions.runs(limit=runs.RUNS_SHOWN_MAX)]
            active_count = len(questions.runs("run.active"))
            return runs.repository(self.path, self.total_runs_count(), active_count, [run for run in newest if run])

        return parts.or_notice(draw)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Repo) and self._real_address() == other._real_address()

    def __hash__(self) -> int:
        return hash(self._real_address())

    def _real_address(self) -> str:
        return real_address(self._door.address)

    # runs

    def get_run(self, run_hash: str | None) -> Run | None:
        """
        Return the run of that hash, for reading.

        Args:
            run_hash: the whole hash, or None.

        Returns:
            The `Run`; None when there is no such run.
        """
        if not run_hash or not self._door.has_run(run_hash):
            return None
        return self._read_run(run_hash)

    def run_of_answer(self, run_hash: str) -> Run | None:
        """Return a run that an answer of the repository has named, for reading; None when it was deleted since."""
        opened = self._door.run_of_answer(run_hash)
        return None if opened is None else self._read_run(run_hash, opened)

    def _read_run(self, run_hash: str, opened: RunDoor | None = None) -> Run:
        run = Run.__new__(Run)  # __init__ would look for the run a second time
        run._attach(for_reading(self._door, run_hash, self), self, opened)
        return run

    def iter_runs(self) -> Iterator[Run]:
        """Go through all runs, for reading, in the order of their hashes."""
        for run_hash in self._door.run_hashes():
            run = self.run_of_answer(run_hash)
            if run is not None:
                yield run

    def run_exists(self, run_hash: str) -> bool:
        """Return whether there is a run of that hash."""
        return self._door.has_run(run_hash)

    def list_all_runs(self) -> list[str]:
        """List the hashes of all runs."""
        return self._door.run_hashes()

    def total_runs_count(self) -> int:
        """Count the runs."""
        return self._door.run_count()

    def list_active_runs(self) -> list[str]:
        """List the hashes of the runs that some process records."""
        return sorted(state.run_hash for state in self._door.states() if state.status()[0] == RUNNING)

    def list_corrupted_runs(self) -> list[str]:
        """List the hashes of the runs with damaged event lines; `aim fsck` looks at every byte."""
        return sorted(state.run_hash for state in self._door.states() if state.damage)

    def _check_writable(self, action: str) -> None:
        if self.read_only:
            raise ReadOnly(f"Repository {self.root_path} is open for reading only: it can't {action}.")

    def delete_run(self, run_hash: str) -> bool:
        """
        Delete a run. A process that records into it goes on training, without being recorded.

        Raises:
            RunNotFound: there is no such run.
        """
        self._check_writable("delete a run")
        self._door.delete_run(run_hash)
        return True

    def delete_runs(self, run_hashes: Iterable[str]) -> tuple[bool, list[str]]:
        """Delete runs; return whether all were deleted, and the hashes of those that were not."""
        self._check_writable("delete runs")
        return self._each(run_hashes, self._door.delete_run)

    def copy_runs(self, run_hashes: Iterable[str], dest_repo: Repo | str) -> tuple[bool, list[str]]:
        """
        Copy runs into another repository; return whether all were copied, and the hashes of those that were not.

        The copy of a run that is still recording has what was recorded so far, and a warning is logged.
        """
        target = self._target(dest_repo)

        def copy(run_hash: str) -> None:
            if not self._door.copy_run(run_hash, target):
                log.warning("Run %s is still recording: the copy has what was recorded so far.", run_hash)

        return self._each(run_hashes, copy)

    def move_runs(self, run_hashes: Iterable[str], dest_repo: Repo | str) -> tuple[bool, list[str]]:
        """
        Move runs into another repository; return whether all were moved, and the hashes of those that were not.

        A run that is still recording is not moved, and an error is logged.
        """
        self._check_writable("move runs")
        target = self._target(dest_repo)
        return self._each(run_hashes, lambda run_hash: self._door.move_run(run_hash, target))

    def _target(self, dest: Repo | str) -> Door:
        repo = dest if isinstance(dest, Repo) else Repo.from_path(dest)
        repo._check_writable("take runs")
        return repo.door

    def _each(self, run_hashes: Iterable[str], change: Callable[[str], object]) -> tuple[bool, list[str]]:
        remaining = []
        for run_hash in run_hashes:
            try:
                change(run_hash)
            except (AimError, OSError) as error:
                log.error("Run %s: %s", run_hash, error)
                remaining.append(run_hash)
        return not remaining, remaining

    def delete_experiment(self, exp_id: str) -> bool:
        """Delete all runs of an experiment, whose id is its name; return whether there were any."""
        self._check_writable("delete an experiment")
        members = [state.run_hash for state in self._door.states() if state.experiment == exp_id]
        return bool(members) and self.delete_runs(members)[0]

    def prune(self) -> None:
        """Remove the files that interrupted deletions left in `trash/`."""
        self._check_writable("remove files")
        self._door.empty_trash()

    def close(self) -> None:
        """Do nothing: nothing stays open. Accepted for Aim 3 callers."""

    # contents

    @staticmethod
    def available_sequence_types() -> list[str]:
        """List the types of sequences."""
        return list(KINDS)

    @staticmethod
    def validate_sequence_types(sequence_types: str | Iterable[str]) -> None:
        """Raise ValueError if one of the names is no type of sequences."""
        check_types(sequence_types)

    def collect_sequence_info(
        self, sequence_types: str | Iterable[str] = METRIC
    ) -> dict[str, dict[str, list[dict[str, Any]]]]:
        """
        Return the names of all sequences of the given types, each with its distinct contexts.

        Args:
            sequence_types: one of `metric`, `images`, `audios`, `texts`, `distributions`, `figures` ..., or several.

        Returns:
            type -> name -> list of contexts.
        """
        return repo_contents.sequence_info(self._door.states(), sequence_types)

    def collect_params_info(self) -> dict[Any, Any]:
        """
        Return one tree of the params of all runs; a leaf says which type its values have: `{"__example_type__": …}`.

        A list is the list of its items. Where one run has a number and another one a dict, both are there: the type
        beside the keys of the dict; the items of a list are then under their numbers.
        """
        return repo_contents.params_info(self._door.states())

    # tags

    def _tags(self, action: str | None = None) -> TagDoor:
        if action is not None:
            self._check_writable(action)
        return self._door.tags(by=edits.BY_SDK)

    def tags(self) -> list[Tag]:
        """
        List the tags, by name: the tags of runs, archived ones too, and those that `set_tag` described.

        >>> import tempfile
        >>> repo = Repo(tempfile.mkdtemp(), init=True)
        >>> repo.set_tag("paper", color="green", description="is in the paper").color
        '#3f9463'
        >>> [(tag.name, tag.description, tag.run_count) for tag in repo.tags()]
        [('paper', 'is in the paper', 0)]
        """
        return self._tags().all()

    def set_tag(self, name: str, *, color: str | None = None, description: str | None = None) -> Tag:
        """
        Set the colour and the description of a tag, for everybody who uses the repository, and return the tag.

        Args:
            name: the tag; no run need have it.
            color: `#rrggbb`, or red, orange, yellow, green, teal, blue, purple, pink, brown or grey.
            description: any text. For both, None changes nothing and '' removes it.

        Raises:
            UsageError: the name is empty, or *color* is no colour.
        """
        return self._tags("set a tag").put(name, color=color, description=description)

    def rename_tag(self, name: str, new_name: str) -> int:
        """
        Rename a tag on all its runs, and return how many runs that were. Two tags of one name become one.

        Raises:
            NotFound: there is no such tag.
        """
        return self._tags("rename a tag").rename(name, new_name)

    def delete_tag(self, name: str) -> int:
        """
        Remove a tag from all its runs, with its colour and description, and return how many runs had it.

        Raises:
            NotFound: there is no such tag.
        """
        return self._tags("delete a tag").delete(name)


__all__ = ["Repo", "RepoStatus", "RepoNotFound", "RunNotFound", "clean_repo_path"]
