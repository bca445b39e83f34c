"""
The importer of Comet's offline experiments: a ZIP file with `experiment.json` and `messages.json`.

    metric_msg       a value: name, step, epoch, time; `train`, `validate` and `test` as context are the subset
    parameter_msg    params, whose nested names are joined by `|`; what Comet logs by itself is none
    log_other        `Name` is the name; the others are the params `comet.others`
    file_upload      images, sounds and texts; other files lie in the ZIP and are counted

A run is in memory as a whole. Points without a step are numbered in their order.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from aim.convert import steps
from aim.convert.bounded import ZIP_DAMAGE, check_size, zip_names
from aim.convert.errors import DamagedSource
from aim.convert.events import (
    Ended,
    Event,
    LeftOut,
    LogLines,
    ObjectStep,
    ParamValue,
    PointBatch,
    Refused,
    Renumbered,
    RunFound,
    SourceDamage,
    TagName,
)
from aim.convert.formats import Importer, ImportOptions, Source, SourceRun
from aim.convert.media import ImageFile, Media, PlainText, SoundFile
from aim.convert.point_batches import number_array
from aim.core.reserved import SYSTEM_PREFIX

EXPERIMENT, MESSAGES = "experiment.json", "messages.json"
SUBSETS = {"train": "train", "validate": "val", "test": "test"}
INTERNAL = frozenset({"offline_experiment", "hasNestedParams"})
SPECIAL = frozenset({"NaN", "Infinity", "-Infinity"})
SYSTEM = "sys."
AUTO_LOGGED = "auto-logged"
MEDIA: dict[str, Callable[[bytes], Media]] = {
    "visualization": lambda data: ImageFile(data),
    "audio": lambda data: SoundFile(data),
    "text-sample": lambda data: PlainText(data.decode("utf-8", "replace")),
}
SeriesKey = tuple[str, str]


class CometImporter(Importer):
    """The importer of Comet's offline ZIP files."""

    name = "comet"
    title = "Comet offline"
    looked_for = f"*.zip with {EXPERIMENT} and {MESSAGES}"

    def is_here(self, folder: Path, folders: Sequence[str], files: Sequence[str]) -> bool:
        """Return whether there is an experiment in *folder*."""
        return any(_is_experiment(folder / name) for name in files if name.endswith(".zip"))

    def runs(self, source: Source, options: ImportOptions) -> Iterator[SourceRun]:
        """List the experiments. Raises DamagedSource."""
        for path in source.files():
            if _is_experiment(path):
                with zipfile.ZipFile(path) as archive:
                    described = _described(path, archive)
                run_id = str(described.get("offline_id") or path.stem)
                project = str(described.get("project_name") or "")
                yield SourceRun(run_id, run_id, (path,), project or None, locator=path)

    def read(self, source: Source, run: SourceRun, options: ImportOptions) -> Iterator[Event]:
        """Read an experiment."""
        path: Path = run.locator
        try:
            with zipfile.ZipFile(path) as archive:
                check_size(path, path.stat().st_size, sum(entry.file_size for entry in archive.infolist()))
                yield from _ExperimentReading(path, archive).events()
        except ZIP_DAMAGE as error:
            yield SourceDamage(str(path), None, str(error))


def _is_experiment(path: Path) -> bool:
    return path.suffix == ".zip" and zip_names(path) >= {EXPERIMENT, MESSAGES}


def _described(path: Path, archive: zipfile.ZipFile) -> dict[str, Any]:
    try:
        described = json.loads(archive.read(EXPERIMENT))
    except (KeyError, RecursionError, *ZIP_DAMAGE) as error:
        raise DamagedSource(str(path), None, f"{EXPERIMENT} can't be read ({error})") from None
    return described if isinstance(described, dict) else {}


class _ExperimentReading:
    """One experiment being read."""

    def __init__(self, path: Path, archive: zipfile.ZipFile) -> None:
        self._path = path
        self._archive = archive
        self._name: str | None = None
        self._points: dict[SeriesKey, list[tuple[Any, ...]]] = {}
        self._objects: list[Event] = []
        self._printed: list[tuple[str, float]] = []
        self._line = ""
        self._take: dict[str, Callable[[Mapping[str, Any]], Iterator[Event]]] = {
            "metric_msg": self._metric,
            "parameter_msg": self._param,
            "log_other": self._other,
            "standard_output": self._output,
            "file_upload": self._file,
        }

    def events(self) -> Iterator[Event]:
        """Go through the experiment."""
        described = _described(self._path, self._archive)
        events = list(self._messages())
        ended_s = _seconds(described.get("stop_time"))
        yield RunFound(self._name, described.get("project_name"), created_at_s=_seconds(described.get("start_time")))
        yield from (TagName(str(tag)) for tag in described.get("tags") or ())
        if described.get("workspace"):
            yield ParamValue(("comet", "workspace"), described["workspace"])
        yield from events
        yield from self._series()
        if self._printed:
            yield LogLines([text for text, _ in self._printed], [time_s for _, time_s in self._printed])
        if described.get("customer_error_reported"):
            yield Ended("failed", ended_s, str(described.get("customer_error_message") or "") or None)
        else:
            yield Ended("lost" if ended_s is None else "finished", ended_s)

    def _messages(self) -> Iterator[Event]:
        offset = 0
        with self._archive.open(MESSAGES) as file:
            for line in file:
                try:
                    message = json.loads(line)
                    kind, payload = str(message["type"]), message["payload"]
                    take = self._take.get(kind)
                    if take is None:
                        yield LeftOut(f"messages of the type {kind}")
                    else:
                        yield from take(payload)
                except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
                    yield SourceDamage(f"{self._path}:{MESSAGES}", offset, "this line is no message")
                offset += len(line)
        if self._line:
            self._printed.append((self._line, float("nan")))

    def _metric(self, payload: Mapping[str, Any]) -> Iterator[Event]:
        metric, context = payload["metric"], str(payload.get("context") or "")
        value, step, epoch = metric["metricValue"], metric.get("step"), metric.get("epoch")
        if isinstance(value, str) and value not in SPECIAL:
            yield Refused(f"values of {metric['metricName']!r} that are texts")
            return
        number = float(value) if isinstance(value, str) else value + 0
        row = (_float(step), number, float(payload["local_timestamp"]) / 1e3, _float(epoch))
        self._points.setdefault((str(metric["metricName"]), context), []).append(row)

    def _param(self, payload: Mapping[str, Any]) -> Iterator[Event]:
        param = payload.get("param") or payload["params"]
        if param.get("source") != AUTO_LOGGED:
            yield ParamValue(tuple(str(param["paramName"]).split("|")), param["paramValue"])

    def _other(self, payload: Mapping[str, Any]) -> Iterator[Event]:
        key = str(payload["key"])
        if key == "Name":
            self._name = str(payload["value"])
        elif key not in INTERNAL:
            yield ParamValue(("comet", "others", key), payload["value"])

    def _output(self, payload: Mapping[str, Any]) -> Iterator[Event]:
        *lines, self._line = (self._line + str(payload["output"])).split("\n")
        time_s = float(payload["local_timestamp"]) / 1e3
        self._printed += [(line, time_s) for line in lines]
        yield from ()

    def _file(self, payload: Mapping[str, Any]) -> Iterator[Event]:
        kind, details = str(payload["upload_type"]), payload.get("additional_params") or {}
        make = MEDIA.get(kind)
        if make is None:
            yield LeftOut(f"files of the type {kind} in the ZIP")
            return
        try:
            medium = make(self._archive.read(str(payload["file_path"])))
        except KeyError:
            yield Refused("media: the file is not in the ZIP")
            return
        name = str(details.get("figName") or "") if kind == "visualization" else str(details.get("fileName") or "")
        label = name if kind != "text-sample" and name else kind
        step, time_s = details.get("step"), float(payload["local_timestamp"]) / 1e3
        epoch = _float(details.get("epoch"))
        yield ObjectStep(label, _context(str(details.get("context") or "")), int(step or 0), [medium], time_s, epoch)

    def _series(self) -> Iterator[Event]:
        for (label, context), rows in self._points.items():
            own_steps, values, times_s, epochs = (list(column) for column in zip(*rows))
            numbered = steps.whole_array(np.array(own_steps, np.float64))
            if numbered.reason is not None:
                yield Renumbered(numbered.reason, len(rows))
            order = numbered.order
            is_system = label.startswith(SYSTEM)
            name = SYSTEM_PREFIX + label[len(SYSTEM) :] if is_system else label
            kept_epochs = numbered.epochs if numbered.reason else np.array(epochs, np.float64)
            numbers, moments = number_array(values)[order], np.array(times_s)[order]
            yield PointBatch(
                name, _context(context), numbered.steps, numbers, moments, kept_epochs, is_system=is_system
            )


def _seconds(value_ms: Any) -> float | None:
    return value_ms / 1e3 if isinstance(value_ms, (int, float)) else None


def _float(value: Any) -> float:
    return float("nan") if value is None else float(value)


def _context(label: str) -> dict[str, Any]:
    if not label:
        return {}
    return {"subset": SUBSETS[label]} if label in SUBSETS else {"context": label}
