"""
The importer of a project on a server of Weights & Biases: the same runs as from its folders.

A run of a server has no files whose times tell whether it changed: its state, its settings and the number of its rows
do. Of its files, those of media and the terminal are fetched always, the others where `--artifacts copy` asks for them;
one run's at a time, into a scratch folder that goes with the importer.
"""

from __future__ import annotations

import math
import shutil
import tempfile
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from aim.convert.events import (
    ArtifactFile,
    Ended,
    Event,
    LeftOut,
    LogLines,
    NoteText,
    ParamValue,
    Refused,
    RunFound,
    TagName,
)
from aim.convert.files import COPY, LINK, WITHOUT_COPY, safe_name
from aim.convert.formats import ImportOptions, Source, SourceRun
from aim.convert.wandb.history import HistoryRows
from aim.convert.wandb.importer import WandbImporter
from aim.convert.wandb.service import WandbService, moment_s, stamp_of, summary_of
from aim.convert.wandb.settings import RunSettings

MEDIA, TERMINAL = "media/", "output.log"
NOT_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
STATES = {"finished": "finished", "failed": "failed", "killed": "failed"}  # crashed, running: lost
SAMPLED = "metrics of the machine (the service has only a sample of them)"


class WandbServiceImporter(WandbImporter):
    """
    The importer of a project, or of one run of it.

    Raises:
        NeedsExtra: the client of W&B is not installed.
        AimError: nothing answers there.
    """

    is_parallel = False

    def __init__(self, entity: str, project: str, run_id: str | None = None) -> None:
        self._service = WandbService(entity, project, run_id)
        self._owner = (entity, project)
        self._scratch = Path(tempfile.mkdtemp(prefix="aim-import-"))
        weakref.finalize(self, shutil.rmtree, self._scratch, ignore_errors=True)
        self.source = Source(self, self._scratch, address=self._service.label)

    def runs(self, source: Source, options: ImportOptions) -> Iterator[SourceRun]:
        """List the runs of the project."""
        entity, project = self._owner
        for run in self._service.runs():
            run_id = f"{entity}/{project}/{run.id}"
            yield SourceRun(run_id, str(run.id), (), project, locator=run, stamp=stamp_of(run))

    def read(self, source: Source, run: SourceRun, options: ImportOptions) -> Iterator[Event]:
        """Read a run."""
        listed = run.locator
        folder = Path(tempfile.mkdtemp(dir=self._scratch))
        yield from described(listed, self._owner[1])
        settings = RunSettings()
        settings.take_trees(listed.config, summary_of(listed))
        yield from self._files(listed, folder, options)
        yield from self._history(listed, folder, settings)
        yield LeftOut(SAMPLED)
        yield ended(listed)
        shutil.rmtree(folder)

    def _files(self, run: Any, folder: Path, options: ImportOptions) -> Iterator[Event]:
        for file in self._service.files(run):
            if safe_name(file.name) is None:
                yield Refused(f"file {file.name!r}: its name leads out of the run")
            elif file.name.startswith(MEDIA):
                self._service.download(file, folder)
            elif file.name == TERMINAL:
                lines = self._service.download(file, folder).read_text("utf-8", "replace").splitlines()
                yield LogLines(lines, [math.nan] * len(lines))
            elif options.artifacts == COPY:
                yield ArtifactFile(file.name, self._service.download(file, folder))
            elif options.artifacts == LINK:
                yield ArtifactFile(file.name, uri=f"{run.url}/files/{file.name}")
            else:
                yield LeftOut(WITHOUT_COPY)

    def _history(self, run: Any, folder: Path, settings: RunSettings) -> Iterator[Event]:
        history = HistoryRows(settings, by_metric=False)
        history.files = folder
        for row in self._service.rows(run):
            history.take_row(*parted(row))
            if history.points.is_full or history.others:
                yield from _others(history)
                if history.points.is_full:
                    yield from history.points.flushed()
        yield from _others(history)
        yield from history.points.flushed()
        yield from settings.params(history.names)


def _others(history: HistoryRows) -> Iterator[Event]:
    others, history.others = history.others, []
    yield from others


def parted(row: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """
    Return the values of a row of the service, and its trees of values apart; numbers that JSON does not have are texts
    in it.

    >>> parted({"_step": 1, "loss": "NaN", "val": {"loss": 0.5}, "x": {"_type": "image-file"}})
    ({'_step': 1, 'loss': nan, 'x': {'_type': 'image-file'}}, {'val': {'loss': 0.5}})
    """
    values: dict[str, Any] = {}
    nested: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, dict) and "_type" not in value:
            nested[name] = value
        else:
            values[name] = NOT_FINITE.get(value, value) if isinstance(value, str) else value
    return values, nested


def described(run: Any, project: str) -> Iterator[Event]:
    """Return the events of what a run is."""
    yield RunFound(run.name or run.id, project, created_at_s=moment_s(run.created_at), url=run.url)
    yield from (TagName(str(tag)) for tag in run.tags or ())
    if run.notes:
        yield NoteText(run.notes)
    for key, value in (("group", run.group), ("job_type", run.job_type), ("sweep", run.sweep_name)):
        if value:
            yield ParamValue(("wandb", key), value)


def ended(run: Any) -> Ended:
    """Return how a run ended, as the service says."""
    state = str(run.state)
    error = state if STATES.get(state) == "failed" else None
    return Ended(STATES.get(state, "lost"), moment_s(run._attrs.get("heartbeatAt")), error)
