"""
The importer of what Neptune's exporter writes: `data/<project>/<run id>_part_<n>.parquet`, and files beside it.

    attribute_type                        column                          becomes
    string, int, float, bool, datetime    string_value, int_value ...     a param
    string_set                            string_set_value                tags, or a param
    float_series                          step, timestamp, float_value    points
    string_series, histogram_series       ..., string_value ...           texts, distributions
    file, file_series                     file_value.path                 artifacts, images and texts

The exporter renames part 0 last: a run without it is not whole, and is refused. Its files lie below `files/` beside
`data/`. The columns are those that the exporter documents; no file of the tool itself was at hand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from aim.convert.events import Event, LeftOut, Refused, RunFound, SourceDamage
from aim.convert.files import is_below
from aim.convert.formats import Importer, ImportOptions, Source, SourceRun
from aim.convert.media import HistogramBins, ImageFile, PlainText
from aim.convert.neptune.attributes import CREATED, AttributePath, RunAttributes, number_or_nan
from aim.core.errors import AimError

PART = re.compile(r"(?P<run>.+)_part_(?P<part>\d+)\.parquet(?P<unfinished>\.tmp)?")
COLUMNS = frozenset({"project_id", "run_id", "attribute_path", "attribute_type", "step", "float_value"})
BATCH_ROWS = 1 << 16
FILES, DATA = "files", "data"
PLAIN = {"string": "string_value", "int": "int_value", "float": "float_value", "bool": "bool_value"}
IMAGES = frozenset({".png", ".jpg", ".jpeg", ".gif", ".webp"})
TEXTS = frozenset({".txt", ".md", ".html", ".json", ".csv", ".log"})
FILE_BYTES_MAX = 1 << 30


class NeptuneExportImporter(Importer):
    """The importer of Neptune's exports."""

    name = "neptune-export"
    title = "Neptune export"
    looked_for = "data/<project>/<run>_part_0.parquet, as Neptune's exporter writes it"

    def is_here(self, folder: Path, folders: Sequence[str], files: Sequence[str]) -> bool:
        """Return whether there are parts of runs in *folder*."""
        parts = [name for name in files if PART.fullmatch(name)]
        whole = next((name for name in parts if name.endswith(".parquet")), None)
        return whole is not None and _columns(folder / whole) >= COLUMNS

    def runs(self, source: Source, options: ImportOptions) -> Iterator[SourceRun]:
        """List the runs, those that are not whole too."""
        for folder in [source.root] if source.path.is_file() else source.folders:
            by_run: dict[str, dict[int, Path]] = {}
            for path in sorted(folder.iterdir()):
                match = PART.fullmatch(path.name)
                if match is not None:
                    parts = by_run.setdefault(match["run"], {})
                    if not match["unfinished"]:
                        parts[int(match["part"])] = path
            for run_id, parts in sorted(by_run.items()):
                files = tuple(parts[number] for number in sorted(parts))
                yield SourceRun(f"{folder.name}/{run_id}", run_id, files, locator=(folder, 0 in parts))

    def read(self, source: Source, run: SourceRun, options: ImportOptions) -> Iterator[Event]:
        """Read a run."""
        folder, is_whole = run.locator
        if not is_whole:
            raise AimError("the export of this run was not finished: there is no part 0. Export it again.")
        reading = _ExportReading(_files_of(folder, source.root), source.root)
        others = [event for path in run.files for event in reading.part(path)]
        begun, *events = reading.attributes.events(
            RunFound(run.run_id, reading.project, created_at_s=reading.created_at_s), no_params=frozenset({CREATED})
        )
        yield begun
        yield from others
        yield from events


def _columns(path: Path) -> frozenset[str]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return frozenset(pq.read_schema(path).names)
    except (pa.ArrowException, OSError, ValueError):  # ValueError: a name that is no UTF-8
        return frozenset()


def _files_of(folder: Path, root: Path) -> Path:
    for base in (folder.parent.parent, folder.parent, root):
        if (base / FILES).is_dir():
            return base / FILES
    return folder.parent.parent / FILES


class _ExportReading:
    """One run being read, part by part."""

    def __init__(self, files: Path, root: Path) -> None:
        self.attributes = RunAttributes()
        self.project: str | None = None
        self.created_at_s: float | None = None
        self._files = files
        self._root = root

    def part(self, path: Path) -> Iterator[Event]:
        """Take the rows of one file; go through what can't be read."""
        import pyarrow as pa
        import pyarrow.compute as pc
        import pyarrow.parquet as pq

        try:
            with pq.ParquetFile(path) as file:
                for batch in file.iter_batches(BATCH_ROWS):
                    is_number = pc.equal(batch.column("attribute_type"), "float_series")
                    self._points(batch.filter(is_number))
                    for cells in batch.filter(pc.invert(is_number)).to_pylist():
                        yield from self._row(cells)
        except (pa.ArrowException, OSError, KeyError, TypeError, ValueError, OverflowError) as error:
            yield SourceDamage(str(path), None, f"no part of an export: {error}")

    def _points(self, batch: Any) -> None:
        if not batch.num_rows:
            return
        paths = np.array(batch.column("attribute_path").to_pylist())
        own_steps = batch.column("step").cast("float64").to_numpy(zero_copy_only=False)
        values = batch.column("float_value").to_numpy(zero_copy_only=False)
        times_ms = batch.column("timestamp").cast("int64").to_numpy(zero_copy_only=False)
        for path in dict.fromkeys(paths.tolist()):
            rows = paths == path
            self.attributes.add_points(tuple(path.split("/")), own_steps[rows], values[rows], times_ms[rows] / 1e3)

    def _row(self, cells: dict[str, Any]) -> Iterator[Event]:
        self.project = self.project or cells["project_id"]
        path, kind = tuple(str(cells["attribute_path"]).split("/")), cells["attribute_type"]
        if kind in PLAIN:
            self.attributes.values[path] = cells[PLAIN[kind]]
        elif kind == "datetime":
            self._datetime(path, cells["datetime_value"])
        elif kind == "string_set":
            self.attributes.sets[path] = dict.fromkeys(cells["string_set_value"] or ())
        elif kind == "file":
            yield from self._file(path, cells)
        elif str(kind).endswith("_series"):
            yield from self._object(path, kind, cells)
        else:
            yield LeftOut(f"attributes of type {kind}")

    def _datetime(self, path: AttributePath, moment: datetime | None) -> None:
        if moment is not None:
            if path == CREATED:
                self.created_at_s = moment.timestamp()
            self.attributes.values[path] = moment.isoformat().replace("+00:00", "Z")

    def _file(self, path: AttributePath, cells: dict[str, Any]) -> Iterator[Event]:
        where = self._where(cells)
        if where is None:
            yield Refused(f"artifact {'/'.join(path)!r}: its file lies outside of the source")
        else:
            suffix = "" if path[-1].endswith(where.suffix) else where.suffix
            self.attributes.files[path] = ("/".join(path) + suffix, where)

    def _where(self, cells: dict[str, Any]) -> Path | None:
        where = self._files / str((cells["file_value"] or {}).get("path"))
        return where if is_below(where, self._files) else None

    def _object(self, path: AttributePath, kind: str, cells: dict[str, Any]) -> Iterator[Event]:
        own_step = number_or_nan(cells["step"])
        time_s = number_or_nan(None if cells["timestamp"] is None else cells["timestamp"].timestamp())
        if kind == "string_series":
            self.attributes.add_object(path, own_step, time_s, PlainText(str(cells["string_value"])))
        elif kind == "histogram_series":
            histogram = cells["histogram_value"] or {}
            bins = HistogramBins(histogram.get("edges") or [], histogram.get("values") or [])
            self.attributes.add_object(path, own_step, time_s, bins)
        elif kind == "file_series":
            yield from self._file_object(path, cells, own_step, time_s)
        else:
            yield LeftOut(f"series of type {kind}")

    def _file_object(
        self, path: AttributePath, cells: dict[str, Any], own_step: float, time_s: float
    ) -> Iterator[Event]:
        where = self._where(cells)
        label = f"file of the series {'/'.join(path)!r}"
        if where is None:
            yield Refused(f"{label}: it lies outside of the source")
            return
        try:
            if where.suffix.lower() not in IMAGES | TEXTS or where.stat().st_size > FILE_BYTES_MAX:
                yield LeftOut(f"files of series that are neither images nor texts ({where.suffix})")
                return
            data = where.read_bytes()
        except OSError as error:
            yield Refused(f"{label}: {error.strerror}")
            return
        is_image = where.suffix.lower() in IMAGES
        medium = ImageFile(data) if is_image else PlainText(data.decode("utf-8", "replace"))
        self.attributes.add_object(path, own_step, time_s, medium)
