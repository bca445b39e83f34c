"""
Weights & Biases: all folders of one run id are one run, in the order in which they were begun.

    offline-run-<time>-<id>/run-<id>.wandb        written offline
    run-<time>-<id>/run-<id>.wandb                written online: the same records

Of a step that two folders have, the later folder's values count, and the earlier ones stay in the history. The last
folder's exit record says how the run ended; without one it was lost.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from aim.convert.blocks import BlockGap, BlockReader
from aim.convert.errors import CannotGrow
from aim.convert.events import (
    BytesRead,
    Ended,
    Event,
    LeftOut,
    NoteText,
    ObjectStep,
    ParamValue,
    RunFound,
    SourceDamage,
    TagName,
)
from aim.convert.files import run_files
from aim.convert.formats import Following, Importer, ImportOptions, Source, SourceRun
from aim.convert.media import StoredObject
from aim.convert.protobuf import BadMessage, decode
from aim.convert.timestamps import seconds
from aim.convert.wandb.history import HistoryRows
from aim.convert.wandb.messages import MAGIC, RECORD
from aim.convert.wandb.settings import RunSettings
from aim.convert.wandb.terminal import TerminalLines
from aim.core.kinds import RECORDS_NAME
from aim.core.values import Stored

FOLDER_NAME = re.compile(r"(?:offline-)?run-(\d{8}_\d{6})-(.+)")
LEVELS = {"INFO": 20, "WARN": 30, "WARNING": 30, "ERROR": 40}
UNNAMED_PROJECT = "uncategorized"
NEVER_IMPORTED = {"telemetry": "telemetry (never imported)", "environment": "environment (never imported)"}


class RunFolder(NamedTuple):
    """One folder of a run."""

    path: Path
    file: Path
    begun: str
    run_id: str


class WandbImporter(Importer):
    """The importer of W&B's folders."""

    name = "wandb"
    title = "Weights & Biases"
    looked_for = "folders named offline-run-* or run-* with a file run-*.wandb"
    owns_below = True

    def is_here(self, folder: Path, folders: Sequence[str], files: Sequence[str]) -> bool:
        """Return whether *folder* is the folder of one run."""
        return FOLDER_NAME.fullmatch(folder.name) is not None and any(_is_run_file(name) for name in files)

    def runs(self, source: Source, options: ImportOptions) -> Iterator[SourceRun]:
        """List the runs; the record of each that says its project is read."""
        by_id: dict[tuple[str, str, str], list[RunFolder]] = {}
        for path in source.folders:
            folder = _run_folder(path)
            if folder is not None:
                entity, project = _owner(folder.file)
                by_id.setdefault((entity, project, folder.run_id), []).append(folder)
        for (entity, project, run_id), folders in sorted(by_id.items()):
            folders.sort(key=lambda folder: folder.begun)
            files = tuple(path for folder in folders for path in _files(folder))
            yield SourceRun(f"{entity}/{project}/{run_id}", run_id, files, project, locator=tuple(folders))

    def read(self, source: Source, run: SourceRun, options: ImportOptions) -> Iterator[Event]:
        """Read the folders of one run."""
        yield from _RunReading(options, is_growing=False).look(run)

    def following(self, options: ImportOptions) -> Following:
        """Return what reads a run whose files grow."""
        return _RunReading(options, is_growing=True)


def _is_run_file(name: str) -> bool:
    return name.startswith("run-") and name.endswith(".wandb")


def _run_folder(path: Path) -> RunFolder | None:
    match = FOLDER_NAME.fullmatch(path.name)
    files = sorted(each for each in path.iterdir() if _is_run_file(each.name)) if match else []
    return RunFolder(path, files[0], match[1], match[2]) if match and files else None


def _files(folder: RunFolder) -> list[Path]:
    return [folder.file, *sorted(path for path in (folder.path / "files").rglob("*") if path.is_file())]


def _owner(file: Path) -> tuple[str, str]:
    """Return entity and project of a run, from the first records of its file."""
    with open(file, "rb") as stream:
        for number, record in enumerate(BlockReader(stream, MAGIC).records()):
            if number > 50:
                break
            if not isinstance(record, BlockGap):
                try:
                    run = decode(record.data, RECORD).get("run")
                except BadMessage:
                    continue
                if run is not None:
                    return run.get("entity", ""), run.get("project") or UNNAMED_PROJECT
    return "", UNNAMED_PROJECT


class _RunReading:
    """
    One run being read, folder by folder.

    Args:
        is_growing: what is not whole yet at the end of a file is left for the next look.
    """

    def __init__(self, options: ImportOptions, *, is_growing: bool) -> None:
        self._is_growing = is_growing
        self._readers: dict[Path, BlockReader] = {}
        self._ends: dict[Path, Ended] = {}
        self._settings = RunSettings()
        self._history = HistoryRows(self._settings, by_metric=options.choices.get("steps") == "metric")
        self._lines = TerminalLines()
        self._has_begun = False
        self._alert_count = 0
        self._ended = Ended("lost")
        self._tool_version: str | None = None
        self._waiting: list[Event] = []
        self._take: dict[str, Callable[[Mapping[str, Any]], object]] = {
            "run": self._take_run,
            "config": lambda record: self._waiting.extend(self._settings.take_config(record)),
            "summary": lambda record: self._waiting.extend(self._settings.take_summary(record)),
            "metric": self._settings.take_metric,
            "history": self._history.take,
            "stats": self._history.take_stats,
            "output": self._lines.take,
            "alert": self._take_alert,
            "files": self._take_files,
            "exit": self._take_exit,
            "header": self._take_header,
        }

    def look(self, run: SourceRun) -> Iterator[Event]:
        """Go through what came since the last look. Raises CannotGrow: a file is another one now."""
        folders: Sequence[RunFolder] = run.locator
        for folder in folders:
            self._ended = self._ends.get(folder.path, Ended("lost"))
            yield from self._folder(folder)
            self._ends[folder.path] = self._ended
            if folder is not folders[-1] or not self._is_growing:
                self._lines.end()
        if self._has_begun or not self._is_growing:
            yield from self._rest(folders)

    def _folder(self, folder: RunFolder) -> Iterator[Event]:
        self._history.files = folder.path / "files"
        with open(folder.file, "rb") as stream:
            reader = self._readers.setdefault(folder.path, BlockReader(stream, MAGIC))
            reader.resume(stream)
            if folder.file.stat().st_size < reader.offset:
                raise CannotGrow(folder.file)
            before = reader.offset
            for record in reader.records(is_growing=self._is_growing):
                if isinstance(record, BlockGap):
                    size = f" ({record.end - record.offset:,} bytes)"
                    self._waiting.append(SourceDamage(str(folder.file), record.offset, record.reason + size))
                    continue
                self._record(folder, record.offset, record.data)
                if self._has_begun and (self._history.points.is_full or self._history.others or self._lines.is_full):
                    yield from self._flushed()
                    yield BytesRead(record.offset - before)
                    before = record.offset

    def _record(self, folder: RunFolder, offset: int, data: bytes) -> None:
        try:
            record = decode(data, RECORD)
        except BadMessage as error:
            self._waiting.append(SourceDamage(str(folder.file), offset, f"not a record: {error}"))
            return
        if not record:
            self._waiting.append(LeftOut("records of artifacts and requests (their content lies elsewhere)"))
        for name, content in record.items():
            take = self._take.get(name)
            if take is not None:
                take(content)
            elif name in NEVER_IMPORTED:
                self._waiting.append(LeftOut(NEVER_IMPORTED[name]))

    def _flushed(self) -> Iterator[Event]:
        waiting, self._waiting = self._waiting, []
        others, self._history.others = self._history.others, []
        yield from waiting
        yield from others
        if self._history.points.is_full:
            yield from self._history.points.flushed()
        if self._lines.is_full:
            yield from self._lines.flushed()

    def _rest(self, folders: Sequence[RunFolder]) -> Iterator[Event]:
        """Return what was gathered of the run, and its end."""
        if not self._has_begun:
            yield RunFound(folders[0].run_id)
            self._waiting.append(LeftOut("run without a record: its program was killed before it wrote one"))
        yield from self._flushed()
        yield from self._history.points.flushed()
        yield from self._lines.flushed()
        yield from self._settings.params(self._history.names)
        yield from run_files([folder.path / "files" for folder in folders], lambda path: path.parts[0] != "media")
        yield self._ended

    # records

    def _take_header(self, header: Mapping[str, Any]) -> None:
        self._tool_version = header.get("version", {}).get("producer", "").partition("+")[0] or None

    def _take_run(self, run: Mapping[str, Any]) -> None:
        self._waiting += self._settings.take_config(run.get("config", {}))
        if self._has_begun:
            return
        self._has_begun = True
        begun = RunFound(
            run.get("display_name") or run.get("id"),
            run.get("project"),
            created_at_s=seconds(run.get("start_time")),
            tool_version=self._tool_version or run.get("telemetry", {}).get("cli_version"),  # of 0.18 and older
        )
        events: list[Event] = [begun, *(TagName(tag) for tag in run.get("tags", ()))]
        if run.get("notes"):
            events.append(NoteText(run["notes"]))
        events += [ParamValue(("wandb", key), run[key]) for key in ("group", "job_type") if run.get(key)]
        self._waiting[:0] = events

    def _take_exit(self, record: Mapping[str, Any]) -> None:
        code = record.get("exit_code", 0)
        moment_s = self._history.last_s if math.isfinite(self._history.last_s) else None
        self._ended = Ended("failed", moment_s, f"SystemExit({code})") if code else Ended("finished", moment_s)

    def _take_files(self, record: Mapping[str, Any]) -> None:
        for file in record.get("files", ()):
            if not (self._history.files / file.get("path", "")).is_file():
                self._waiting.append(LeftOut(f"file {file.get('path')!r}: it is not in the run's folder"))

    def _take_alert(self, alert: Mapping[str, Any]) -> None:
        text = ": ".join(part for part in (alert.get("title"), alert.get("text")) if part)
        form = Stored("aim.log_record", {"message": text, "level": LEVELS.get(str(alert.get("level")), 20)})
        self._waiting.append(ObjectStep(RECORDS_NAME, {}, self._alert_count, [StoredObject(form)]))
        self._alert_count += 1
