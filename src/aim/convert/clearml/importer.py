"""
The importer of ClearML's offline tasks: a ZIP with `task.json`, `metrics.jsonl` and `log.jsonl`.

    metric / variant    the name, and the context {"series": variant}
    Summary             single values: params `clearml.summary`
    :monitor:...        metrics of the machine
    plots               figures of plotly; tables and histograms are such, too

A line of `metrics.jsonl` and of `log.jsonl` is a list of events. The tool itself wrote 0.0 for NaN and infinity. An
offline task has no status.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from aim.convert.bounded import ZIP_DAMAGE, check_size, zip_names
from aim.convert.errors import DamagedSource
from aim.convert.events import (
    Ended,
    Event,
    LeftOut,
    LogLines,
    NoteText,
    ObjectStep,
    ParamValue,
    PointBatch,
    Refused,
    RunFound,
    SourceDamage,
    TagName,
)
from aim.convert.formats import Importer, ImportOptions, Source, SourceRun
from aim.convert.media import FigureJson, ImageFile, Media, SoundFile
from aim.core.reserved import SYSTEM_PREFIX

TASK, METRICS, LOG = "task.json", "metrics.jsonl", "log.jsonl"
NAME = "offline-"
SUMMARY, SUMMARY_STEP, MONITOR = "Summary", -(2**31), ":monitor:"
SOUNDS = frozenset({".wav", ".mp3", ".flac", ".ogg"})
BATCH_POINTS = 1 << 16


class ClearmlImporter(Importer):
    """The importer of ClearML's offline ZIPs."""

    name = "clearml"
    title = "ClearML offline"
    looked_for = "offline-*.zip with task.json and metrics.jsonl"

    def is_here(self, folder: Path, folders: Sequence[str], files: Sequence[str]) -> bool:
        """Return whether there is a task in *folder*."""
        return any(_is_task(folder / name) for name in files)

    def runs(self, source: Source, options: ImportOptions) -> Iterator[SourceRun]:
        """List the tasks. Raises DamagedSource."""
        for path in source.files():
            if _is_task(path):
                with zipfile.ZipFile(path) as archive:
                    task = _task(path, archive)
                run_id, project = str(task.get("id") or path.stem), str(task.get("project_name") or "")
                yield SourceRun(run_id, str(task.get("name") or run_id), (path,), project or None, locator=path)

    def read(self, source: Source, run: SourceRun, options: ImportOptions) -> Iterator[Event]:
        """Read a task."""
        path: Path = run.locator
        try:
            with zipfile.ZipFile(path) as archive:
                check_size(path, path.stat().st_size, sum(entry.file_size for entry in archive.infolist()))
                yield from _described(_task(path, archive))
                yield from _TaskEvents(path, archive).read()
        except ZIP_DAMAGE as error:
            yield SourceDamage(str(path), None, str(error))
        yield Ended("finished")


def _is_task(path: Path) -> bool:
    return path.suffix == ".zip" and path.name.startswith(NAME) and TASK in zip_names(path)


def _task(path: Path, archive: zipfile.ZipFile) -> dict[str, Any]:
    try:
        task = json.loads(archive.read(TASK))
    except (KeyError, RecursionError, *ZIP_DAMAGE) as error:
        raise DamagedSource(str(path), None, f"{TASK} can't be read ({error})") from None
    return task if isinstance(task, dict) else {}


def _described(task: Mapping[str, Any]) -> Iterator[Event]:
    yield RunFound(name=task.get("name"), experiment=task.get("project_name"))
    if task.get("comment"):
        yield NoteText(str(task["comment"]))
    yield from (TagName(str(tag)) for tag in task.get("tags") or ())
    for section, options in (task.get("hyperparams") or {}).items():
        for name, option in options.items():
            yield ParamValue((str(section), *str(name).split("/")), _value(option))
    for name, configuration in (task.get("configuration") or {}).items():
        yield ParamValue(("configuration", str(name)), _value(configuration))
    if task.get("type"):
        yield ParamValue(("clearml", "type"), task["type"])
    yield from _artifacts(task)


def _value(option: Any) -> Any:
    return option.get("value") if isinstance(option, dict) else option


def _artifacts(task: Mapping[str, Any]) -> Iterator[Event]:
    artifacts = (task.get("execution") or {}).get("artifacts") or ()
    for artifact in artifacts:
        yield ParamValue(("clearml", "artifacts", str(artifact.get("key"))), _address(artifact))
    if artifacts:
        yield LeftOut("artifacts in a ZIP: their names and hashes are params `clearml.artifacts`", len(artifacts))


def _address(artifact: Mapping[str, Any]) -> dict[str, Any]:
    return {name: artifact[name] for name in ("uri", "hash", "content_size", "type") if name in artifact}


class _TaskEvents:
    """The events of a task's files."""

    def __init__(self, path: Path, archive: zipfile.ZipFile) -> None:
        self._path = path
        self._archive = archive
        self._points: dict[tuple[str, str], list[tuple[int, float, float]]] = {}
        self._count = 0

    def read(self) -> Iterator[Event]:
        """Go through the events of the task."""
        for event in self._lines(METRICS):
            if isinstance(event, SourceDamage):
                yield event
            else:
                yield from self._metric_event(event)
            if self._count >= BATCH_POINTS:
                yield from self._batches()
        yield from self._batches()
        yield from self._log()

    def _lines(self, name: str) -> Iterator[dict[str, Any] | SourceDamage]:
        if name not in self._archive.namelist():
            return
        offset = 0
        with self._archive.open(name) as file:
            for line in file:
                try:
                    events = json.loads(line) if line.strip() else []
                    yield from (event for event in events if isinstance(event, dict))
                except (ValueError, TypeError, RecursionError):
                    yield SourceDamage(f"{self._path}:{name}", offset, "this line is no list of events")
                offset += len(line)

    def _metric_event(self, event: Mapping[str, Any]) -> Iterator[Event]:
        kind, metric, variant = str(event.get("type")), str(event.get("metric")), str(event.get("variant"))
        try:
            step, time_s = int(event["iter"]), float(event["timestamp"]) / 1e3
            if kind == "training_stats_scalar" and (metric, step) == (SUMMARY, SUMMARY_STEP):
                yield ParamValue(("clearml", "summary", variant), event["value"])
            elif kind == "training_stats_scalar":
                self._points.setdefault((metric, variant), []).append((step, time_s, event["value"]))
                self._count += 1
            elif kind == "plot":
                yield ObjectStep(metric, {"series": variant}, step, [FigureJson(str(event["plot_str"]))], time_s)
            elif kind == "training_debug_image":
                medium = self._medium(str(event["key"]))
                yield ObjectStep(metric, {"series": variant}, step, [medium], time_s) if medium else _lost()
            else:
                yield LeftOut(f"events of the type {kind}")
        except (KeyError, TypeError, ValueError):
            yield Refused(f"an event of the type {kind} without a step, a time or a value")

    def _medium(self, key: str) -> Media | None:
        try:
            data = self._archive.read(f"data/{key}")
        except KeyError:
            return None
        return SoundFile(data) if PurePosixPath(key).suffix.lower() in SOUNDS else ImageFile(data)

    def _batches(self) -> Iterator[Event]:
        for (metric, variant), rows in self._points.items():
            own_steps, times_s, values = zip(*rows)
            is_system = metric.startswith(MONITOR)
            name = SYSTEM_PREFIX + variant if is_system else metric
            context = {} if is_system else {"series": variant}
            numbers = np.array(values, np.float64)
            yield PointBatch(
                name, context, np.array(own_steps, np.int64), numbers, np.array(times_s), is_system=is_system
            )
        self._points, self._count = {}, 0

    def _log(self) -> Iterator[Event]:
        for event in self._lines(LOG):
            if isinstance(event, SourceDamage):
                yield event
            elif event.get("msg"):
                lines = str(event["msg"]).split("\n")
                yield LogLines(lines, [float(event.get("timestamp") or "nan") / 1e3] * len(lines))


def _lost() -> Event:
    return Refused("media: the file is not in the ZIP")
