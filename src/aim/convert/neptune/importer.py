"""
The importer of Neptune's offline folders: `.neptune/offline/run__<id>__*/{metadata.json, data-N.log}`.

A line of a log is an operation on an attribute, whose path is a list of texts. Points without a step are numbered, and
so are those whose steps have a fraction. The client itself drops NaN and infinity.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np

from aim.convert import steps
from aim.convert.events import (
    ArtifactFile,
    Ended,
    Event,
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
from aim.convert.media import ImageFile, Media, PlainText
from aim.core.reserved import SYSTEM_PREFIX

FOLDER = re.compile(r"run__([0-9a-f-]{36})__.*")
LOG = re.compile(r"data-(\d+)\.log")
ASSIGNED = frozenset({"AssignFloat", "AssignInt", "AssignBool", "AssignString", "AssignDatetime"})
AttributePath = tuple[str, ...]
NAME: AttributePath = ("sys", "name")
DESCRIPTION: AttributePath = ("sys", "description")
FAILED: AttributePath = ("sys", "failed")
TAGS: tuple[AttributePath, ...] = (("sys", "tags"), ("sys", "group_tags"))
MONITORING = "monitoring"


class NeptuneImporter(Importer):
    """The importer of Neptune's offline runs."""

    name = "neptune"
    title = "Neptune offline"
    looked_for = ".neptune/offline/run__*/metadata.json"
    owns_below = True

    def is_here(self, folder: Path, folders: Sequence[str], files: Sequence[str]) -> bool:
        """Return whether there are offline runs in *folder*, or it is one."""
        if "metadata.json" in files and FOLDER.fullmatch(folder.name):
            return True
        return any(FOLDER.fullmatch(name) and (folder / name / "metadata.json").is_file() for name in folders)

    def runs(self, source: Source, options: ImportOptions) -> Iterator[SourceRun]:
        """List the runs."""
        for folder in source.folders:
            for path in [folder] if FOLDER.fullmatch(folder.name) else sorted(folder.iterdir()):
                match = FOLDER.fullmatch(path.name)
                if match and (path / "metadata.json").is_file():
                    files = (path / "metadata.json", *_logs(path))
                    yield SourceRun(match[1], match[1], files, locator=path)

    def read(self, source: Source, run: SourceRun, options: ImportOptions) -> Iterator[Event]:
        """Read a run."""
        state = _RunState(run.locator)
        damage = list(state.read())
        yield from state.described()
        yield from damage
        yield from state.series_events()
        yield from state.files()
        yield Ended("failed" if state.values.get(FAILED) else "finished")


def _logs(folder: Path) -> list[Path]:
    numbered = [(int(match[1]), path) for path in folder.iterdir() if (match := LOG.fullmatch(path.name))]
    return [path for _, path in sorted(numbered)]


class _RunState:
    """The attributes of a run after all operations; the series, which are small in what is kept offline, too."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.values: dict[AttributePath, Any] = {}
        self._sets: dict[AttributePath, dict[str, None]] = {}
        self._series: dict[AttributePath, list[tuple[str, dict[str, Any]]]] = {}
        self._files: dict[AttributePath, dict[str, Any]] = {}

    def read(self) -> Iterator[Event]:
        """Apply the operations of all logs; go through what can't be read."""
        for path in _logs(self._folder):
            offset = 0
            with open(path, "rb") as file:
                for line in file:
                    try:
                        operation = json.loads(line)["obj"]
                        yield from self._apply(str(operation["type"]), tuple(map(str, operation["path"])), operation)
                    except (ValueError, KeyError, TypeError, RecursionError):
                        yield SourceDamage(str(path), offset, "this line is no operation")
                    offset += len(line)

    def _apply(self, kind: str, path: AttributePath, operation: Mapping[str, Any]) -> Iterator[Event]:
        if kind in ASSIGNED:
            self.values[path] = _assigned(kind, operation["value"])
        elif kind in ("AddStrings", "RemoveStrings"):
            chosen = self._sets.setdefault(path, {})
            for text in operation["values"]:
                chosen.pop(str(text), None)
                if kind == "AddStrings":
                    chosen[str(text)] = None
        elif kind == "DeleteAttribute":
            for members in (self.values, self._sets, self._series, self._files):
                members.pop(path, None)
        elif kind in ("LogFloats", "LogStrings", "LogImages"):
            self._series.setdefault(path, []).extend((kind, value) for value in operation["values"])
        elif kind == "UploadFile":
            self._files[path] = dict(operation)
        elif kind != "UploadFileSet" or operation.get("file_globs"):
            yield Refused(f"an operation {kind}")

    def described(self) -> Iterator[Event]:
        """Go through the events that describe the run."""
        try:
            metadata = json.loads((self._folder / "metadata.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            metadata = {}
        yield RunFound(
            name=self.values.get(NAME) or None,
            description=self.values.get(DESCRIPTION) or None,
            created_at_s=_seconds(metadata.get("createdAt")),
            tool_version=metadata.get("neptuneClientVersion"),
        )
        for path in TAGS:
            yield from (TagName(tag) for tag in self._sets.get(path, ()))
        for path, value in self.values.items():
            if path not in (NAME, DESCRIPTION, FAILED):
                yield ParamValue(path, value)
        for path, members in self._sets.items():
            if path not in TAGS:
                yield ParamValue(path, list(members))

    def series_events(self) -> Iterator[Event]:
        """Go through the points and objects of the series."""
        for path, logged in self._series.items():
            numbered = steps.whole_steps([value.get("step") for _, value in logged])
            if numbered.reason is not None:
                yield Renumbered(numbered.reason, len(logged))
            ordered = [logged[index] for index in numbered.order.tolist()]
            times_s = np.array([float(value.get("ts") or math.nan) for _, value in ordered])
            is_system = path[0] == MONITORING
            name = SYSTEM_PREFIX + "/".join(path[2:]) if is_system else "/".join(path)
            if ordered[0][0] == "LogFloats":
                numbers = np.array([float(value["value"]) for _, value in ordered])
                yield PointBatch(name, {}, numbered.steps, numbers, times_s, numbered.epochs, is_system=is_system)
                continue
            rows = zip(numbered.steps.tolist(), times_s.tolist(), numbered.epochs.tolist(), ordered)
            for step, time_s, epoch, (kind, value) in rows:
                medium = _medium(kind, value["value"])
                yield ObjectStep(name, {}, step, [medium], time_s, epoch) if medium else Refused("an image: not base64")

    def files(self) -> Iterator[Event]:
        """Go through the uploaded files."""
        for path, operation in self._files.items():
            name = "/".join(path)
            extension = f".{operation['ext']}" if operation.get("ext") else ""
            name = name if not extension or name.endswith(extension) else name + extension
            beside = operation.get("tmp_file_name")
            where = self._folder / "upload_path" / str(beside) if beside else Path(str(operation.get("file_path")))
            yield ArtifactFile(name, path=where)


def _assigned(kind: str, value: Any) -> Any:
    if kind == "AssignDatetime":
        return datetime.fromtimestamp(float(value) / 1e3, timezone.utc).isoformat().replace("+00:00", "Z")
    return value


def _seconds(text: Any) -> float | None:
    try:
        return datetime.fromisoformat(str(text).replace("Z", "+00:00")).timestamp()
    except ValueError:
        return None


def _medium(kind: str, value: Any) -> Media | None:
    if kind == "LogStrings":
        return PlainText(str(value))
    try:
        data = base64.b64decode(value["data"], validate=True)
    except (KeyError, TypeError, ValueError, binascii.Error):
        return None
    caption = ": ".join(str(value[name]) for name in ("name", "description") if value.get(name))
    return ImageFile(data, caption)
