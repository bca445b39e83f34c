"""
`Repo`: a repository of runs, as users see it.

A repository is a folder that holds a folder `.aim`. Everything here asks `engine.repository`; nothing is cached, so
what another process recorded before a call is seen by it.
"""

from __future__ import annotations

import logging
import os
import weakref
from collections.abc import Iterable, Iterator
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from aim.core import params
from aim.core.errors import AimError, ReadOnly, RepoNotFound, RunNotFound, UsageError, WrongType
from aim.core.kinds import subject_of
from aim.core.statuses import RUNNING
from aim.engine.repository import Repository
from aim.sdk import run as run_module
from aim.sdk.data_version import DATA_VERSION
from aim.sdk.repo_paths import clean_repo_path
from aim.sdk.repo_tags import RepoTagsMixin
from aim.sdk.run import Run, restore
from aim.sdk.sequence_types import KINDS, check_types
from aim.sdk.types import QueryReportMode
from aim.storage.store import folder_name

if TYPE_CHECKING:
    from aim.sdk.sequence_collection import QueryRunSequenceCollection, QuerySequenceCollection

log = logging.getLogger("aim")


class RepoStatus(Enum):
    """What a folder is to this version of Aim."""

    MISSING = 1
    UPDATE_REQUIRED = 2
    PATCH_REQUIRED = 3
    UPDATED = 4


class Repo(RepoTagsMixin):
    """
    The repository in the folder *path*.

    Args:
        path: the folder that contains `.aim`.
        read_only: True refuses every change through this object.
        init: make the repository if it is not there.

    Raises:
        RepoNotFound: there is none in *path*; it is a RuntimeError.

    >>> import tempfile
    >>> repo = Repo(tempfile.mkdtemp(), init=True)
    >>> repo.total_runs_count()
    0
    """

    _pool: ClassVar[weakref.WeakValueDictionary[str, Repo]] = weakref.WeakValueDictionary()

    def __init__(self, path: str | os.PathLike[str], *, read_only: bool | None = None, init: bool = False) -> None:
        if not isinstance(path, (str, os.PathLike)):
            raise WrongType(f"path has to be a folder, not {path!r}.")
        if Repo.is_remote_path(str(path)):
            raise UsageError(f"{path}: a repository on a server can't be opened by this version; give a folder.")
        self.root_path = str(path)
        self.path = os.path.join(self.root_path, folder_name())
        self.read_only = read_only
        try:
            self._repository = Repository(Path(self.root_path), create=init, restore=restore)
        except RepoNotFound as error:  # `Run()` looks upward, and somebody may have recorded so
            above = Repository.find_root(Path(self.root_path).absolute())
            hint = f" There is one in '{above}': Repo.default_repo() looks upward." if above else ""
            raise RepoNotFound(f"{error}{hint}") from None

    def __reduce__(self) -> tuple[Any, tuple[str, bool | None]]:
        """Return what another process needs to open this repository: its folder."""
        return Repo.from_path, (os.path.abspath(self.root_path), self.read_only)

    @property
    def repository(self) -> Repository:
        """The engine's side of this repository."""
        return self._repository

    @property
    def is_remote_repo(self) -> bool:
        """Whether the repository is on a server; not yet."""
        return False

    @classmethod
    def from_path(cls, path: str | os.PathLike[str], read_only: bool | None = None, init: bool = False) -> Repo:
        """
        Return the repository in *path*; the same object for the same folder.

        Args:
            path: the folder that contains `.aim`, or the `.aim` folder itself.
            read_only: True refuses every change through the object.
            init: make the repository if it is not there.

        Raises:
            RepoNotFound: there is none; it is a RuntimeError.
        """
        root = clean_repo_path(path)
        key = f"{os.path.realpath(root)}|{read_only}"
        repo = cls._pool.get(key)
        if repo is None or not cls.exists(root):
            repo = cls(root, read_only=read_only, init=init)
            cls._pool[key] = repo
        return repo

    @classmethod
    def default_repo_path(cls) -> str:
        """Return the nearest folder from the current one upward that holds a repository, else the current one."""
        found = Repository.find_root(Path.cwd())
        return str(found or Path.cwd())

    @classmethod
    def default_repo(cls, init: bool = False) -> Repo:
        """
        Return the repository of the nearest folder from the current one upward that holds one, else of the current one.

        Args:
            init: make it if it is not there.

        Raises:
            RepoNotFound: there is none; it is a RuntimeError.
        """
        return cls.from_path(cls.default_repo_path(), init=init)

    @classmethod
    def exists(cls, path: str | os.PathLike[str]) -> bool:
        """Return whether there is a repository in *path*."""
        return Repository.exists(Path(clean_repo_path(path)))

    @classmethod
    def rm(cls, path: str | os.PathLike[str]) -> None:
        """
        Delete the repository in *path*, with all its runs. There is no way back.

        Raises:
            FileNotFoundError: there is none.
        """
        root = clean_repo_path(path)
        Repository.remove(Path(root))
        for key in [key for key in cls._pool if key.startswith(f"{os.path.realpath(root)}|")]:
            cls._pool.pop(key, None)

    @classmethod
    def is_remote_path(cls, path: str) -> bool:
        """Return whether *path* names a server."""
        return str(path).startswith(("aim://", "ssh://"))

    @classmethod
    def get_version(cls, path: str | os.PathLike[str]) -> tuple[int, int]:
        """
        Return the version of the files of the repository in *path*: `aim.sdk.data_version.DATA_VERSION`, above all of
        Aim 3's.

        Raises:
            RepoNotFound, UnsupportedFormat: see `Repo`; both are RuntimeErrors.
        """
        Repository(Path(clean_repo_path(path)))
        return DATA_VERSION

    @classmethod
    def check_repo_status(cls, path: str | os.PathLike[str]) -> RepoStatus:
        """Say what is in *path*: nothing, a repository, or one of another version."""
        if not cls.exists(path):
            folder = Path(clean_repo_path(path)) / folder_name()
            return RepoStatus.UPDATE_REQUIRED if (folder / "run_metadata.sqlite").exists() else RepoStatus.MISSING
        return RepoStatus.UPDATED

    def __repr__(self) -> str:
        return f"<Repo#{hash(self)} path={self.path} read_only={self.read_only}>"

    def _repr_html_(self) -> str:
        from aim.sdk.html import parts, runs

        def draw() -> str:
            scan = self._repository.questions()
            newest = [self.get_run(run_hash) for run_hash in scan.runs(limit=runs.RUNS_SHOWN_MAX)]
            active_count = len(scan.runs("run.active"))
            return runs.repository(self.path, self.total_runs_count(), active_count, [run for run in newest if run])

        return parts.or_notice(draw)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Repo) and self._real_path() == other._real_path()

    def __hash__(self) -> int:
        return hash(self._real_path())

    def _real_path(self) -> str:
        return os.path.realpath(self._repository.path)

    # runs

    def get_run(self, run_hash: str | None) -> Run | None:
        """
        Return the run of that hash, for reading.

        Args:
            run_hash: the whole hash; None is no run.

        Returns:
            The `Run`; None when there is none.
        """
        if not run_hash or not self._repository.has_run(run_hash):
            return None
        return Run(run_hash, repo=self, read_only=True)

    def iter_runs(self) -> Iterator[Run]:
        """Go through all runs, for reading, in the order of their hashes."""
        for run_hash in self._repository.run_hashes():
            run = self.get_run(run_hash)
            if run is not None:
                yield run

    def run_exists(self, run_hash: str) -> bool:
        """Return whether there is a run of that hash."""
        return self._repository.has_run(run_hash)

    def list_all_runs(self) -> list[str]:
        """List the hashes of all runs."""
        return self._repository.run_hashes()

    def total_runs_count(self) -> int:
        """Count the runs."""
        return len(self._repository.store.run_hashes())

    def list_active_runs(self) -> list[str]:
        """List the hashes of the runs into which some process records."""
        return sorted(state.run_hash for state in self._repository.states() if state.status()[0] == RUNNING)

    def list_corrupted_runs(self) -> list[str]:
        """List the hashes of the runs with damaged event lines; `aim fsck` looks at every byte."""
        return sorted(state.run_hash for state in self._repository.states() if state.damage)

    def _check_writable(self, what: str) -> None:
        if self.read_only:
            raise ReadOnly(f"Repository {self.root_path} is open for reading only: it can't {what}.")

    def delete_run(self, run_hash: str) -> bool:
        """
        Delete a run. A process that records into it goes on training, without being recorded.

        Raises:
            RunNotFound: there is no such run.
        """
        self._check_writable("delete a run")
        self._repository.delete_run(run_hash)
        return True

    def delete_runs(self, run_hashes: Iterable[str]) -> tuple[bool, list[str]]:
        """Delete runs; give whether all went, and the hashes of those that did not."""
        self._check_writable("delete runs")
        return self._each(run_hashes, self._repository.delete_run)

    def copy_runs(self, run_hashes: Iterable[str], dest_repo: Repo | str) -> tuple[bool, list[str]]:
        """
        Copy runs into another repository; give whether all went, and the hashes of those that did not.

        Of a run that is still recording the copy has what is there now, and a warning says so.
        """
        target = self._target(dest_repo)

        def copy(run_hash: str) -> None:
            if not self._repository.copy_run(run_hash, target):
                log.warning("Run %s is still recording: the copy has what was there.", run_hash)

        return self._each(run_hashes, copy)

    def move_runs(self, run_hashes: Iterable[str], dest_repo: Repo | str) -> tuple[bool, list[str]]:
        """
        Move runs into another repository; give whether all went, and the hashes of those that did not.

        A run that is still recording is not moved, and an error that is logged says so.
        """
        self._check_writable("move runs")
        target = self._target(dest_repo)
        return self._each(run_hashes, lambda run_hash: self._repository.move_run(run_hash, target))

    def _target(self, dest: Repo | str) -> Repository:
        repo = dest if isinstance(dest, Repo) else Repo.from_path(dest)
        repo._check_writable("take runs")
        return repo._repository

    def _each(self, run_hashes: Iterable[str], change: Any) -> tuple[bool, list[str]]:
        remaining = []
        for run_hash in run_hashes:
            try:
                change(run_hash)
            except (AimError, OSError) as error:
                log.error("Run %s: %s", run_hash, error)
                remaining.append(run_hash)
        return not remaining, remaining

    def delete_experiment(self, exp_id: str) -> bool:
        """Delete all runs of an experiment, whose id is its name; give whether there was one."""
        self._check_writable("delete an experiment")
        members = [state.run_hash for state in self._repository.states() if state.experiment == exp_id]
        return bool(members) and self.delete_runs(members)[0]

    def prune(self) -> None:
        """Remove what killed deletions left in `trash/`."""
        self._check_writable("remove files")
        self._repository.store.empty_trash()

    def close(self) -> None:
        """Nothing stays open; for callers of Aim 3."""

    # what there is

    @staticmethod
    def available_sequence_types() -> list[str]:
        """List the types of sequences."""
        return list(KINDS)

    @staticmethod
    def validate_sequence_types(sequence_types: str | Iterable[str]) -> None:
        """Raise ValueError when one of the names is no type of sequences."""
        check_types(sequence_types)

    def collect_sequence_info(
        self, sequence_types: str | Iterable[str] = "metric"
    ) -> dict[str, dict[str, list[dict[str, Any]]]]:
        """
        Return the names of all sequences of the given types, each with its distinct contexts.

        Args:
            sequence_types: one of `metric`, `images`, `audios`, `texts`, `distributions`, `figures` ..., or several.

        Returns:
            type -> name -> list of contexts.
        """
        names = check_types(sequence_types)
        found: dict[str, dict[str, dict[str, dict[str, Any]]]] = {name: {} for name in names}
        for state in self._repository.states():
            for facts in state.sequences.values():
                sequence_type = subject_of(facts.kind) if facts.parts else None
                if sequence_type in found:
                    found[sequence_type].setdefault(facts.name, {}).setdefault(facts.text, facts.context)
        return {
            name: {key: [*by_text.values()] for key, by_text in sorted(by_name.items())}
            for name, by_name in found.items()
        }

    def collect_params_info(self) -> dict[Any, Any]:
        """
        Return one tree of the params of all runs; a leaf says which types its values have: `{"__example_type__": …}`.
        """
        merged: dict[Any, Any] = {}
        for state in self._repository.states():
            if isinstance(state.tree, dict):
                _merge_types(merged, state.tree)
        return _ordered(merged)

    # queries

    def query_runs(
        self,
        query: str = "",
        paginated: bool = False,
        offset: str | None = None,
        report_mode: QueryReportMode = QueryReportMode.PROGRESS_BAR,
        limit: int | None = None,
    ) -> QueryRunSequenceCollection:
        """
        Return the runs that match *query*, newest first.

        Args:
            query: see docs/query-language.md; empty: all runs that are not archived.
            paginated: without meaning; give *offset* and *limit*.
            offset: the hash of the last run seen; the runs after it are given.
            report_mode: whether and how progress is shown.
            limit: the largest number of runs.

        Raises:
            InvalidQuery: at once; it is a SyntaxError.
        """
        from aim.sdk.sequence_collection import QueryRunSequenceCollection

        return QueryRunSequenceCollection(
            self, query=query, paginated=paginated, offset=offset, report_mode=report_mode, limit=limit
        )

    def query_metrics(
        self, query: str = "", report_mode: QueryReportMode = QueryReportMode.PROGRESS_BAR
    ) -> QuerySequenceCollection:
        """
        Return the metrics that match *query*: of the newest run first.

        Args:
            query: see docs/query-language.md; empty: all metrics of the runs that are not archived.
            report_mode: whether and how progress is shown.

        Returns:
            A collection of `Metric`s, which looks them up anew each time it is gone through.
        Raises:
            InvalidQuery: at once; it is a SyntaxError.

        >>> import tempfile
        >>> repo = Repo(tempfile.mkdtemp(), init=True)
        >>> with Run(repo=repo, system_tracking_interval=None) as run:
        ...     run["hparams"] = {"lr": 0.01}
        ...     run.track(0.5, name="loss")
        >>> [metric.values.tolist() for metric in repo.query_metrics("run.hparams.lr < 0.1 and metric.name == 'loss'")]
        [[0.5]]
        """
        return self._query_sequences("metric", query, report_mode)

    def query_images(
        self, query: str = "", report_mode: QueryReportMode = QueryReportMode.PROGRESS_BAR
    ) -> QuerySequenceCollection:
        """Return the sequences of images that match *query*, which names them `images`; see `query_metrics`."""
        return self._query_sequences("images", query, report_mode)

    def query_texts(
        self, query: str = "", report_mode: QueryReportMode = QueryReportMode.PROGRESS_BAR
    ) -> QuerySequenceCollection:
        """Return the sequences of texts that match *query*."""
        return self._query_sequences("texts", query, report_mode)

    def query_audios(
        self, query: str = "", report_mode: QueryReportMode = QueryReportMode.PROGRESS_BAR
    ) -> QuerySequenceCollection:
        """Return the sequences of audio that match *query*."""
        return self._query_sequences("audios", query, report_mode)

    def query_distributions(
        self, query: str = "", report_mode: QueryReportMode = QueryReportMode.PROGRESS_BAR
    ) -> QuerySequenceCollection:
        """Return the sequences of distributions that match *query*."""
        return self._query_sequences("distributions", query, report_mode)

    def query_figure_objects(
        self, query: str = "", report_mode: QueryReportMode = QueryReportMode.PROGRESS_BAR
    ) -> QuerySequenceCollection:
        """Return the sequences of figures that match *query*."""
        return self._query_sequences("figures", query, report_mode)

    def query_videos(
        self, query: str = "", report_mode: QueryReportMode = QueryReportMode.PROGRESS_BAR
    ) -> QuerySequenceCollection:
        """Return the sequences of videos that match *query*, which names them `videos`."""
        return self._query_sequences("videos", query, report_mode)

    def query_tables(
        self, query: str = "", report_mode: QueryReportMode = QueryReportMode.PROGRESS_BAR
    ) -> QuerySequenceCollection:
        """Return the sequences of tables that match *query*, which names them `tables`."""
        return self._query_sequences("tables", query, report_mode)

    def _query_sequences(self, sequence_type: str, query: str, report_mode: QueryReportMode) -> QuerySequenceCollection:
        from aim.sdk.sequence_collection import QuerySequenceCollection
        from aim.sdk.sequences.sequence_type_map import SEQUENCE_TYPE_MAP

        return QuerySequenceCollection(
            self, seq_cls=SEQUENCE_TYPE_MAP[sequence_type], query=query, report_mode=report_mode
        )


def _merge_types(merged: dict[Any, Any], tree: dict[Any, Any]) -> None:
    for key, value in tree.items():
        if isinstance(value, dict) and value:
            below = merged.setdefault(key, {})
            if "__example_type__" in below:
                below = merged[key] = {}
            _merge_types(below, value)
        else:
            merged.setdefault(key, {"__example_type__": str(type(value))})


def _ordered(tree: dict[Any, Any]) -> dict[Any, Any]:
    return {key: _ordered(below) if isinstance(below, dict) else below for key, below in params.ordered(tree).items()}


def _open_repo(root: str) -> Repo:
    return Repo.from_path(root)


run_module.open_repo = _open_repo
__all__ = ["Repo", "RepoStatus", "RepoNotFound", "RunNotFound", "clean_repo_path"]
