"""
The importer of neptune-scale's offline folders: `.neptune/<project>_<run id>_<time>/run_operations.sqlite3`.

Several folders of one run id are one run, in the order in which they were begun. Files that the program made itself lie
beside the database, under the last part of their paths; others are where the program left them.
"""

from __future__ import annotations

import math
import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from aim.convert.events import Event, LeftOut, Refused, RunFound, SourceDamage
from aim.convert.formats import Importer, ImportOptions, Source, SourceRun
from aim.convert.media import HistogramBins, ImageFile, PlainText
from aim.convert.neptune import operations
from aim.convert.neptune.attributes import AttributePath, RunAttributes
from aim.convert.protobuf import BadMessage, decode
from aim.convert.sqlite_source import answer_of, files_of, opened, tables_of
from aim.convert.timestamps import seconds

DATABASE = "run_operations.sqlite3"
BEGUN = re.compile(r"_(\d+)$")
PLAIN = ("float", "int", "bool", "text")
SERIES_FILE_BYTES_MAX = 1 << 30


class NeptuneScaleImporter(Importer):
    """The importer of runs that neptune-scale recorded offline."""

    name = "neptune-scale"
    title = "Neptune offline (neptune-scale)"
    looked_for = f".neptune/*/{DATABASE}"
    owns_below = True

    def is_here(self, folder: Path, folders: Sequence[str], files: Sequence[str]) -> bool:
        """Return whether *folder* is that of one run."""
        return DATABASE in files and "run_operations" in tables_of(folder / DATABASE)

    def runs(self, source: Source, options: ImportOptions) -> Iterator[SourceRun]:
        """List the runs. Raises SourceNotRecognised: a database is damaged."""
        by_id: dict[tuple[str, str], list[Path]] = {}
        for folder in [source.root] if source.path.is_file() else source.folders:
            rows = answer_of(folder / DATABASE, _identity, self)
            if rows:
                by_id.setdefault((str(rows[0]), str(rows[1])), []).append(folder)
        for (project, run_id), folders in sorted(by_id.items()):
            folders.sort(key=_begun)
            files = tuple(path for folder in folders for path in files_of(folder / DATABASE))
            yield SourceRun(f"{project}/{run_id}", run_id, files, project, locator=tuple(folders))

    def read(self, source: Source, run: SourceRun, options: ImportOptions) -> Iterator[Event]:
        """Read a run."""
        reading = _ScaleReading(run)
        others = [event for folder in run.locator for event in reading.folder(folder)]
        begun, *events = reading.attributes.events(reading.begun)
        yield begun
        yield from others
        yield from events


def _identity(database: sqlite3.Connection) -> Any:
    return database.execute("SELECT project, run_id FROM metadata ORDER BY id").fetchone()


def _begun(folder: Path) -> tuple[int, str]:
    match = BEGUN.search(folder.name)
    return int(match[1]) if match else 0, folder.name


class _ScaleReading:
    """One run being read, folder by folder."""

    def __init__(self, run: SourceRun) -> None:
        self.attributes = RunAttributes()
        self.begun = RunFound(run.title, run.experiment)
        self._folder = Path()
        self._files: dict[str, Path] = {}  # by the address that operations give

    def folder(self, folder: Path) -> Iterator[Event]:
        """Apply the operations of one folder; go through what can't be read."""
        self._folder = folder
        try:
            with opened(folder / DATABASE) as database:
                rows = database.execute("SELECT source_path, destination, is_temporary FROM file_upload_requests")
                for source_path, destination, is_temporary in rows:
                    path = Path(str(source_path))
                    self._files[str(destination)] = folder / path.name if is_temporary else path
                query = "SELECT sequence_id, operation_type, operation FROM run_operations ORDER BY sequence_id"
                for number, kind, content in database.execute(query):
                    yield from self._operation(number, kind, content)
        except sqlite3.DatabaseError as error:
            yield SourceDamage(str(folder / DATABASE), None, f"SQLite: {error}")

    def _operation(self, number: int, kind: int, content: Any) -> Iterator[Event]:
        try:
            if kind == operations.CREATE:
                self._create(decode(bytes(content), operations.CREATION))
            elif kind == operations.UPDATE:
                yield from self._update(decode(bytes(content), operations.UPDATE_OF_RUN))
            else:
                yield Refused(f"operations of type {kind}")
        except (BadMessage, TypeError, ValueError, OverflowError) as error:
            yield SourceDamage(str(self._folder / DATABASE), None, f"operation {number} is none: {error}")

    def _create(self, operation: Mapping[str, Any]) -> None:
        if self.begun.created_at_s is None:
            name = operation.get("experiment") or self.begun.name
            self.begun = self.begun._replace(created_at_s=seconds(operation.get("created_at")), name=name)

    def _update(self, operation: Mapping[str, Any]) -> Iterator[Event]:
        for key, value in operation.get("assign", {}).items():
            yield from self._assign(tuple(key.split("/")), value or {})
        for key, change in operation.get("change", {}).items():
            members = ((change or {}).get("texts") or {}).get("members", {})
            for member, how in members.items():
                self.attributes.change_set(tuple(key.split("/")), [member], is_added=how != operations.REMOVE)
        step = operation.get("step")
        own_step = math.nan if step is None else step.get("whole", 0) + step.get("millionths", 0) / 1e6
        moment_s = seconds(operation.get("timestamp"))
        time_s = math.nan if moment_s is None else moment_s
        for key, value in operation.get("append", {}).items():
            yield from self._append(tuple(key.split("/")), value or {}, own_step, time_s)

    def _assign(self, path: AttributePath, value: Mapping[str, Any]) -> Iterator[Event]:
        plain = [value[name] for name in PLAIN if name in value]
        if plain:
            self.attributes.values[path] = plain[0]
        elif "time" in value:
            self.attributes.values[path] = _moment(value["time"])
        elif "texts" in value:
            self.attributes.sets[path] = dict.fromkeys(value["texts"].get("values", ()))
        elif "file" in value:
            file = self._file(value["file"])
            suffix = "" if "." in path[-1] else file.suffix
            self.attributes.files[path] = ("/".join(path) + suffix, file)
        else:
            yield LeftOut("attributes of a kind that is not read")

    def _append(self, path: AttributePath, value: Mapping[str, Any], own_step: float, time_s: float) -> Iterator[Event]:
        if "float" in value or "int" in value:
            number = value.get("float", value.get("int"))
            self.attributes.add_points(path, [own_step], [number], [time_s])
        elif "text" in value:
            self.attributes.add_object(path, own_step, time_s, PlainText(value["text"]))
        elif "histogram" in value:
            histogram = value["histogram"]
            counts = (histogram.get("counts") or histogram.get("densities") or {}).get("values", [])
            self.attributes.add_object(path, own_step, time_s, HistogramBins(histogram.get("edges", []), counts))
        elif "file" in value:
            yield from self._append_file(path, value["file"], own_step, time_s)
        else:
            yield LeftOut("values of series of a kind that is not read")

    def _append_file(
        self, path: AttributePath, value: Mapping[str, Any], own_step: float, time_s: float
    ) -> Iterator[Event]:
        file = self._file(value)
        kind = str(value.get("mime_type", "")).partition("/")[0]
        try:
            if file.parent != self._folder:
                yield Refused(f"file of the series {'/'.join(path)!r}: it lies outside of the source")
            elif kind not in ("image", "text") or file.stat().st_size > SERIES_FILE_BYTES_MAX:
                yield LeftOut(f"files of series that are neither images nor texts ({value.get('mime_type')})")
            elif kind == "image":
                self.attributes.add_object(path, own_step, time_s, ImageFile(file.read_bytes()))
            else:
                text = file.read_bytes().decode("utf-8", "replace")
                self.attributes.add_object(path, own_step, time_s, PlainText(text))
        except OSError as error:
            yield Refused(f"file of the series {'/'.join(path)!r}: {error.strerror}")

    def _file(self, value: Mapping[str, Any]) -> Path:
        address = str(value.get("path", ""))
        return self._files.get(address, self._folder / Path(address).name)


def _moment(timestamp: Mapping[str, Any]) -> str:
    moment_s = seconds(timestamp) or 0.0
    return datetime.fromtimestamp(moment_s, timezone.utc).isoformat().replace("+00:00", "Z")
