"""
The importer of MLflow: file stores and databases of SQLite, with the artifacts that lie beside them.

An address of artifacts is absolute, and leads nowhere once the folder was moved: a folder `artifacts` beside the run,
or the end of the address below the source, is looked at first. `log_image(key=, step=)` becomes a sequence of images.
"""

from __future__ import annotations

import re
import sqlite3
import urllib.parse
from collections.abc import Generator, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from aim.convert.events import ArtifactFile, Event, SourceDamage
from aim.convert.files import is_below
from aim.convert.formats import Importer, ImportOptions, Source, SourceRun
from aim.convert.mlflow import file_store, sql_store
from aim.convert.mlflow.artifacts import artifact_events
from aim.convert.mlflow.file_store import StoredRun
from aim.convert.mlflow.records import MlflowRun, described, ended
from aim.convert.sqlite_source import answer_of, files_of, opened, tables_of
from aim.core.errors import AimError

DATABASE = re.compile(r".*\.(db|sqlite|sqlite3)", re.IGNORECASE)
TAIL_PARTS = (4, 3, 2)  # of an address of artifacts, that are looked for below the source


class MlflowImporter(Importer):
    """The importer of MLflow's stores."""

    name = "mlflow"
    title = "MLflow"
    looked_for = "mlruns/<number>/meta.yaml, and databases of SQLite with the tables experiments, runs, metrics"
    owns_below = True

    def is_here(self, folder: Path, folders: Sequence[str], files: Sequence[str]) -> bool:
        """Return whether *folder* is a file store, or has a database."""
        if any(file_store.is_experiment(folder / name) for name in folders if file_store.EXPERIMENT.fullmatch(name)):
            return True
        return any(_is_database(folder / name) for name in files)

    def runs(self, source: Source, options: ImportOptions) -> Iterator[SourceRun]:
        """List the runs of the stores. Raises NeedsExtra, SourceNotRecognised."""
        if source.path.is_file():
            yield from self._of_database(source.path)
            return
        for folder in source.folders:
            for path in sorted(folder.iterdir()):
                if path.is_file() and _is_database(path):
                    yield from self._of_database(path)
            for stored in file_store.stored_runs(folder):
                title = f"{stored.experiment}/{stored.folder.name}"
                files = file_store.files_of(stored)
                experiment_id = stored.folder.parent.name
                yield SourceRun(stored.folder.name, title, files, stored.experiment, experiment_id, locator=stored)

    def _of_database(self, path: Path) -> Iterator[SourceRun]:
        for run_id, experiment, experiment_id in answer_of(path, sql_store.run_ids, self):
            yield SourceRun(run_id, f"{experiment}/{run_id}", files_of(path), experiment, experiment_id, locator=path)

    def read(self, source: Source, run: SourceRun, options: ImportOptions) -> Iterator[Event]:
        """Read a run."""
        keeps_steps = bool(options.choices.get("keep_steps"))
        if isinstance(run.locator, StoredRun):
            tracked = file_store.read_run(run.locator)
            if tracked is None:
                raise AimError(f"'{run.locator.folder / file_store.META}' can't be read.")
            yield from described(tracked, options)
            yield from file_store.metrics(run.locator, keeps_steps=keeps_steps)
            yield from _artifacts(tracked, source.root, run.locator.folder / "artifacts")
        else:
            tracked = yield from _stored(run, options, keeps_steps=keeps_steps)
            if tracked is None:
                return
            yield from _artifacts(tracked, source.root, None)
        yield ended(tracked)


def _stored(run: SourceRun, options: ImportOptions, *, keeps_steps: bool) -> Generator[Event, None, MlflowRun | None]:
    """Go through what a database has of a run, and return the run; None: its row can't be read."""
    tracked: MlflowRun | None = None
    problems: list[str] = []
    try:
        with opened(run.locator) as database:
            tracked = sql_store.read_run(database, run.run_id, problems)
            yield from described(tracked, options)
            yield from sql_store.metrics(database, run.run_id, keeps_steps=keeps_steps)
    except sqlite3.DatabaseError as error:
        problems.append(f"SQLite: {error}")
    for problem in problems:
        yield SourceDamage(str(run.locator), None, problem)
    return tracked


def _is_database(path: Path) -> bool:
    return DATABASE.fullmatch(path.name) is not None and tables_of(path) >= sql_store.NEEDED


def _artifacts(run: MlflowRun, root: Path, beside: Path | None) -> Iterator[Event]:
    folder = beside if beside is not None and beside.is_dir() else _folder_of(run.artifact_uri, root)
    if folder is None:
        if urllib.parse.urlsplit(run.artifact_uri).scheme not in ("", "file", "mlflow-artifacts"):
            yield ArtifactFile("artifacts", uri=run.artifact_uri)
        return
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink() and is_below(path, root):
            yield from artifact_events(path, path.relative_to(folder).as_posix())


def _folder_of(uri: str, root: Path) -> Path | None:
    """Return the folder of an address of artifacts: the end of it below the source, or itself if it is there."""
    parts = Path(urllib.parse.unquote(urllib.parse.urlsplit(uri).path)).parts
    for count in TAIL_PARTS:
        tail = parts[-count:]
        with suppress(OSError, ValueError):
            candidate = root.joinpath(*tail)
            if len(tail) == count and "/" not in tail and ".." not in tail and candidate.is_dir():
                return candidate
    return None
