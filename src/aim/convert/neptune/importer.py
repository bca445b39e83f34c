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

from aim.convert.events import Event, Refused, RunFound, SourceDamage
from aim.convert.formats import Importer, ImportOptions, Source, SourceRun
from aim.convert.media import ImageFile, Media, PlainText
from aim.convert.neptune.attributes import AttributePath, RunAttributes, number_or_nan

FOLDER = re.compile(r"run__([0-9a-f-]{36})__.*")
LOG = re.compile(r"data-(\d+)\.log")
ASSIGNED = frozenset({"AssignFloat", "AssignInt", "AssignBool", "AssignString", "AssignDatetime"})


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
        operations = _Operations(run.locator)
        damage = list(operations.read())
        begun, *others = operations.attributes.events(_described(run.locator))
        yield begun
        yield from damage
        yield from others


def _logs(folder: Path) -> list[Path]:
    numbered = [(int(match[1]), path) for path in folder.iterdir() if (match := LOG.fullmatch(path.name))]
    return [path for _, path in sorted(numbered)]


class _Operations:
    """The operations of the logs, applied to the attributes of the run."""

    def __init__(self, folder: Path) -> None:
        self.attributes = RunAttributes()
        self._folder = folder

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
        attributes = self.attributes
        if kind in ASSIGNED:
            attributes.values[path] = _assigned(kind, operation["value"])
        elif kind in ("AddStrings", "RemoveStrings"):
            attributes.change_set(path, list(map(str, operation["values"])), is_added=kind == "AddStrings")
        elif kind == "DeleteAttribute":
            attributes.delete(path)
        elif kind == "LogFloats":
            rows = [(number_or_nan(each.get("step")), each["value"], _time(each)) for each in operation["values"]]
            attributes.add_points(path, *zip(*rows))
        elif kind in ("LogStrings", "LogImages"):
            for each in operation["values"]:
                medium = _medium(kind, each["value"])
                if medium is None:
                    yield Refused("an image: not base64")
                else:
                    attributes.add_object(path, number_or_nan(each.get("step")), _time(each), medium)
        elif kind == "UploadFile":
            attributes.files[path] = self._file(path, operation)
        elif kind != "UploadFileSet" or operation.get("file_globs"):
            yield Refused(f"an operation {kind}")

    def _file(self, path: AttributePath, operation: Mapping[str, Any]) -> tuple[str, Path]:
        name = "/".join(path)
        extension = f".{operation['ext']}" if operation.get("ext") else ""
        name = name if not extension or name.endswith(extension) else name + extension
        beside = operation.get("tmp_file_name")
        return name, self._folder / "upload_path" / str(beside) if beside else Path(str(operation.get("file_path")))


def _described(folder: Path) -> RunFound:
    try:
        metadata = json.loads((folder / "metadata.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        metadata = {}
    return RunFound(created_at_s=_seconds(metadata.get("createdAt")), tool_version=metadata.get("neptuneClientVersion"))


def _time(value: Mapping[str, Any]) -> float:
    return float(value.get("ts") or math.nan)


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
