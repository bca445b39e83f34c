"""
The door of all exports: which runs, in which format, where to.

    format         what is written
    csv            a folder: runs.csv, points.csv
    jsonl          a folder: runs.jsonl, points.jsonl, objects.jsonl; nothing that runs show is lost
    parquet        a folder: runs.parquet, points.parquet
    tensorboard    a folder a run, with an event file
    mlflow         a file store, `mlruns`
    zip            one file: the runs as they are, tables and media beside them
    html           one file: the pages, for a browser without a network

Everything is written under a temporary name beside the target and renamed at the end: an export that fails or is
killed leaves no half of a file under the name that was asked for.
"""

from __future__ import annotations

import os
import shutil
import urllib.parse
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from aim.convert.exporting.export_report import ExportReport
from aim.convert.exporting.exported_run import ExportedRuns, SequenceFilter, subject_filter
from aim.convert.exporting.page_choice import PageChoice
from aim.core import contexts
from aim.core.errors import NotFound, UsageError
from aim.core.words import counted
from aim.engine import matching
from aim.engine.opening import open_door
from aim.storage.disk.refusals import explained
from aim.storage.forms.state import SequenceKey

if TYPE_CHECKING:
    from aim.engine.door import Door
    from aim.sdk.repo import Repo

WriteRuns = Callable[..., None]
"""Called with the runs, the path to write and the report; of a page, with the choice of what it has."""


@dataclass(frozen=True)
class ExportFormat:
    """
    A format.

    Attributes:
        writer: the function that writes it, as `module:name`; it is imported when it is used.
        is_folder: whether a folder is written.
        suffix: of a target that means this format.
    """

    writer: str
    is_folder: bool
    suffix: str = ""


FORMATS = {
    "csv": ExportFormat("aim.convert.exporting.table_files:write_csv", is_folder=True),
    "jsonl": ExportFormat("aim.convert.exporting.table_files:write_jsonl", is_folder=True),
    "parquet": ExportFormat("aim.convert.exporting.table_files:write_parquet", is_folder=True),
    "tensorboard": ExportFormat("aim.convert.exporting.event_files:write_event_files", is_folder=True),
    "mlflow": ExportFormat("aim.convert.exporting.mlflow_store:write_file_store", is_folder=True),
    "zip": ExportFormat("aim.convert.exporting.repository_archive:write_archive", is_folder=False, suffix=".zip"),
    "html": ExportFormat("aim.convert.exporting.one_file_page:write_page", is_folder=False, suffix=".html"),
}


def export(
    repo: Repo | str | os.PathLike[str],
    to: str | os.PathLike[str],
    *,
    query: str = "",
    runs: Iterable[str] | None = None,
    view: str | None = None,
    format: str | None = None,
    overwrite: bool = False,
    page: PageChoice | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> ExportReport:
    """
    Write runs to a file or folder that other programs read, and report what was written and what was left out.

    Args:
        repo: the repository, or the folder that contains its `.aim`.
        to: the file or folder to write.
        query: which runs; or, if it is about sequences (`metric.name == "loss"`), which of their sequences. Without
            one all runs are exported, archived ones too.
        runs: the hashes of the runs, in place of a query.
        view: the name of a saved view, whose query is used.
        format: one of `csv`, `jsonl`, `parquet`, `tensorboard`, `mlflow`, `zip`, `html`; by default what the
            ending of *to* says.
        overwrite: replace what is at *to*.
        page: of `html`: how many points, which media, how large.
        on_progress: is called with how many runs are done, and of how many.

    Returns:
        What was written, and what the format can't hold.

    Raises:
        UsageError: there is something at *to*, or the format is not known.
        NotFound: there is no such view.
        InvalidQuery: the query can't be understood.
        DiskRefused: (an OSError) the disk has no room, or may not be written to.

    >>> import tempfile
    >>> from aim import Run
    >>> folder = tempfile.mkdtemp()
    >>> with Run(repo=folder, create=True) as run:
    ...     for step in range(3):
    ...         run.track(1 / (step + 1), name="loss", step=step)
    >>> report = export(folder, folder + "/losses", query='metric.name == "loss"', format="csv")
    >>> report.runs, report.points
    (1, 3)
    """
    target = Path(to).absolute()
    name, chosen = chosen_format(format, target)
    door = open_door(repo) if isinstance(repo, (str, os.PathLike)) else repo.door
    report = ExportReport(name, Path(to))
    query = query if view is None else query_of_view(door, view)
    hashes, is_chosen = _choose(door, query, runs)
    exported = ExportedRuns(door, hashes, is_chosen, report.leave_out, on_progress)
    first_page = "" if view is None else page_of_view(door, view)
    write = _writer(chosen, replace(page or PageChoice(), query=query, page=first_page))
    with written_whole(target, is_folder=chosen.is_folder, overwrite=overwrite) as scratch:
        write(exported, scratch, report)
        report.size_bytes = _size_bytes(scratch)
    return report


def write_runs(root: Path, path: Path, hashes: Sequence[str], query: str) -> None:
    """
    Write runs of the repository in the folder *root* to the file *path*; its ending says the format.

    Args:
        query: what they were chosen by, for people.
    """
    export(root, path, runs=hashes, query=query or counted(len(hashes), "chosen run"))


def _writer(chosen: ExportFormat, choice: PageChoice) -> WriteRuns:
    module_name, function_name = chosen.writer.split(":")
    write: WriteRuns = getattr(import_module(module_name), function_name)
    return partial(write, choice=choice) if chosen == FORMATS["html"] else write


def chosen_format(name: str | None, target: Path) -> tuple[str, ExportFormat]:
    """
    Return the format of that name; without a name, the one that the ending of *target* means.

    Raises:
        UsageError: there is none.

    >>> chosen_format(None, Path("runs.zip"))[0]
    'zip'
    """
    if name is None:
        suffix = target.suffix.lower()
        name = next((key for key in FORMATS if suffix and suffix in (f".{key}", FORMATS[key].suffix)), None)
    if name not in FORMATS:
        raise UsageError(f"Choose a format with --format: {', '.join(FORMATS)}.")
    return name, FORMATS[name]


def query_of_view(door: Door, name: str) -> str:
    """
    Return the query of a saved view.

    Raises:
        NotFound: there is no view of that name or id.
    """
    return urllib.parse.parse_qs(urllib.parse.urlsplit(_view(door, name)).query).get("q", [""])[0]


def page_of_view(door: Door, name: str) -> str:
    """Return the address of the page that a saved view shows, without its query. Raises NotFound."""
    address = urllib.parse.urlsplit(_view(door, name))
    settings = [pair for pair in address.query.split("&") if pair and pair.split("=")[0] not in ("q", "repo")]
    return "?".join(part for part in (address.path, "&".join(settings)) if part)


def _view(door: Door, name: str) -> str:
    views = door.documents.list("view")
    for view in views:
        if name in (view.id, view.body.get("name")):
            return str(view.body.get("page", ""))
    names = ", ".join(repr(view.body.get("name", view.id)) for view in views) or "none yet"
    raise NotFound(f"There is no saved view {name!r}. There are: {names}.")


def _choose(door: Door, query: str, runs: Iterable[str] | None) -> tuple[list[str], SequenceFilter | None]:
    if runs is not None:
        return [door.find_run(run_hash) for run_hash in runs], None
    if not query.strip():
        states = sorted(door.states(), key=lambda state: (state.created_at_s, state.run_hash))
        return [state.run_hash for state in states], None
    subject = matching.ask(query).subject
    hashes = door.questions().runs(query)[::-1]
    if subject == matching.RUN:
        return hashes, None
    keys: dict[str, set[SequenceKey]] = {}
    for sequence in door.questions().sequences(query, subject):
        keys.setdefault(sequence.run_hash, set()).add((sequence.name, contexts.text(sequence.context)))
    return hashes, subject_filter(subject, {run_hash: frozenset(members) for run_hash, members in keys.items()})


@contextmanager
def written_whole(target: Path, *, is_folder: bool, overwrite: bool) -> Iterator[Path]:
    """
    Hand out a temporary path beside *target*, which becomes *target* when all went well, and is removed otherwise.

    Raises:
        UsageError: there is something at *target*, and *overwrite* is false.
        DiskRefused: (an OSError) the disk refuses.
    """
    if (target.exists() or target.is_symlink()) and not overwrite:
        raise UsageError(f"{target} exists already. Choose another target, or replace it with --overwrite.")
    scratch = target.parent / f".{target.name}.{os.urandom(4).hex()}"
    with explained("write an export", target):
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            if is_folder:
                scratch.mkdir()
            yield scratch
            if target.is_dir() and not target.is_symlink():
                shutil.rmtree(target)
            os.replace(scratch, target)
        finally:
            if scratch.is_dir():
                shutil.rmtree(scratch, ignore_errors=True)
            else:
                scratch.unlink(missing_ok=True)


def _size_bytes(path: Path) -> int:
    if path.is_file():
        return path.stat().st_size
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
