"""
The importers of tables: a file of numbers by its name, and the folders of Lightning's CSVLogger.

An empty cell is no point. A column of texts becomes texts. Which column is what is said in `columns`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from aim.convert import steps
from aim.convert.errors import NeedsExtra
from aim.convert.events import Ended, Event, ObjectStep, ParamValue, PointBatch, Refused, Renumbered, RunFound
from aim.convert.formats import Importer, ImportOptions, Source, SourceRun
from aim.convert.media import PlainText
from aim.convert.tables import columns
from aim.convert.tables.columns import ColumnRoles
from aim.convert.tables.reading import SUFFIXES, TableBatch, batches

WITHOUT_STEP = "rows without a column for the step: numbered"
LIGHTNING_FILES = ("metrics.csv", "hparams.yaml")


class TableImporter(Importer):
    """The importer of tables."""

    name = "table"
    title = "Table"
    looked_for = "a file .csv, .tsv, .jsonl or .parquet, when it is named itself"
    is_asked_for = True

    def is_here(self, folder: Path, folders: Sequence[str], files: Sequence[str]) -> bool:
        """Return whether there is a table in *folder*."""
        return any(Path(name).suffix.lower() in SUFFIXES for name in files)

    def runs(self, source: Source, options: ImportOptions) -> Iterator[SourceRun]:
        """List the runs: one a file, or one for each text in the column of runs."""
        for path in _tables(source):
            root = source.path if source.path.is_dir() else source.path.parent
            title = path.relative_to(root).as_posix()
            names = _runs_in(path, options)
            for name in names or (None,):
                run_id = f"{path.resolve()}" if name is None else f"{path.resolve()}\0{name}"
                yield SourceRun(run_id, name or title, (path,), root.name, locator=(path, name))

    def read(self, source: Source, run: SourceRun, options: ImportOptions) -> Iterator[Event]:
        """Read a table, or the rows of one run in it."""
        path, name = run.locator
        yield RunFound(name=name or path.stem)
        yield from TableReading(options, name).read(path)
        yield Ended("finished")


class CsvLoggerImporter(Importer):
    """The importer of Lightning's CSVLogger."""

    name = "lightning-csv"
    title = "Lightning CSVLogger"
    looked_for = "folders with metrics.csv and hparams.yaml"

    def is_here(self, folder: Path, folders: Sequence[str], files: Sequence[str]) -> bool:
        """Return whether *folder* is a version of CSVLogger."""
        return set(LIGHTNING_FILES) <= set(files)

    def runs(self, source: Source, options: ImportOptions) -> Iterator[SourceRun]:
        """List the folders."""
        root = source.path if source.path.is_dir() else source.path.parent
        for folder in source.folders:
            title = folder.relative_to(root).as_posix() if folder != root else folder.name
            files = tuple(folder / name for name in LIGHTNING_FILES)
            yield SourceRun(str(folder.resolve()), title, files, folder.parent.name, locator=folder)

    def read(self, source: Source, run: SourceRun, options: ImportOptions) -> Iterator[Event]:
        """Read a folder."""
        folder: Path = run.locator
        yield RunFound(name=run.title)
        yield from _hparams(folder / LIGHTNING_FILES[1])
        yield from TableReading(options, None).read(folder / LIGHTNING_FILES[0])
        yield Ended("finished")


def _hparams(path: Path) -> Iterator[Event]:
    try:
        import yaml
    except ImportError:
        raise NeedsExtra("Reading hparams.yaml", "pyyaml", "import") from None

    class PlainLoader(yaml.SafeLoader):  # type: ignore[misc]
        """Keeps what has a tag of Python as a text."""

    def as_text(loader: yaml.SafeLoader, tag: str, node: yaml.Node) -> str:
        return f"!{tag} {node.value if isinstance(node, yaml.ScalarNode) else ''}".strip()

    PlainLoader.add_multi_constructor("tag:yaml.org,2002:python/", as_text)
    PlainLoader.add_multi_constructor("!", as_text)
    try:
        tree = yaml.load(path.read_text(encoding="utf-8"), PlainLoader)
    except (OSError, ValueError, RecursionError, yaml.YAMLError):
        yield Refused("hparams.yaml: it can't be read")
        return
    for key, value in tree.items() if isinstance(tree, dict) else ():
        yield ParamValue(("hparams", key if isinstance(key, int) else str(key)), value)


def _tables(source: Source) -> Iterator[Path]:
    if source.path.is_file():
        yield source.path
        return
    for folder in source.folders:
        yield from sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES and path.is_file())


def _runs_in(path: Path, options: ImportOptions) -> list[str]:
    """Return the runs that the column of runs names; none without such a column."""
    names: dict[str, None] = {}
    for batch in batches(path, str(options.choices.get("encoding") or "utf-8")):
        roles = columns.roles_of(list(batch.columns), options.choices)
        if roles.run is None or roles.run not in batch.columns:
            if batch.columns:
                return []
            continue
        names |= dict.fromkeys(str(name) for name in batch.columns[roles.run].unique().to_pylist() if name is not None)
    return list(names)


class TableReading:
    """
    The rows of one run, as events.

    Args:
        run_name: take the rows of this run only, in a table of several.
        metric: the name of the one metric of the table, in place of its column's.
    """

    def __init__(self, options: ImportOptions, run_name: str | None, *, metric: str | None = None) -> None:
        self._metric = metric
        self._options = options
        self._run_name = run_name
        self._row_count = 0
        self._fraction_counts: dict[str, int] = {}

    def read(self, path: Path) -> Iterator[Event]:
        """Go through the events of a table."""
        for batch in batches(path, str(self._options.choices.get("encoding") or "utf-8")):
            yield from batch.damage
            if batch.row_count:
                roles = columns.roles_of(list(batch.columns), self._options.choices)
                yield from self._batch(self._of_run(batch, roles), roles)

    def _of_run(self, batch: TableBatch, roles: ColumnRoles) -> TableBatch:
        if self._run_name is None or roles.run is None:
            return batch
        import pyarrow
        import pyarrow.compute

        is_own = pyarrow.compute.equal(batch.columns[roles.run].cast(pyarrow.string()), self._run_name)
        chosen = {name: column.filter(is_own) for name, column in batch.columns.items()}
        return TableBatch(chosen, int(pyarrow.compute.sum(is_own).as_py() or 0))

    def _batch(self, batch: TableBatch, roles: ColumnRoles) -> Iterator[Event]:
        count = batch.row_count
        first, self._row_count = self._row_count, self._row_count + count
        own_steps = _column(batch, roles.step)
        if own_steps is None:
            own_steps = np.arange(first, first + count, dtype=np.float64)
            yield Renumbered(WITHOUT_STEP, count)
        epochs = _column(batch, roles.epoch)
        times = None if roles.time is None else columns.seconds(batch.columns[roles.time])
        empty = np.full(count, np.nan)
        moments = (own_steps, empty if times is None else times, empty if epochs is None else epochs.astype(np.float64))
        if roles.is_long:
            yield from self._long(batch, roles, moments)
            return
        for name in roles.metrics(list(batch.columns)):
            yield from self._points(self._metric or name, {}, batch.columns[name], moments)

    def _long(self, batch: TableBatch, roles: ColumnRoles, moments: Sequence[Any]) -> Iterator[Event]:
        labels = [str(name) for name in batch.columns[str(roles.name)].to_pylist()]
        texts = [""] * len(labels) if roles.context is None else batch.columns[roles.context].to_pylist()
        rows: dict[tuple[str, str], list[int]] = {}
        for index, key in enumerate(zip(labels, (str(text or "") for text in texts))):
            rows.setdefault(key, []).append(index)
        for (name, text), indices in rows.items():
            chosen = [moment[indices] for moment in moments]
            yield from self._points(name, _context(text), batch.columns[str(roles.value)].take(indices), chosen)

    def _points(
        self, name: str, context: Mapping[str, Any], cells: Any, moments: Sequence[npt.NDArray[Any]]
    ) -> Iterator[Event]:
        if cells.null_count:
            is_there = ~columns.empty_cells(cells)
            moments = [moment[is_there] for moment in moments]
            cells = cells.drop_null()
        own_steps, times, epochs = moments
        values = columns.numbers(cells)
        key = f"{name}\0{sorted(context.items())}"
        whole, epochs, reason = self._whole(key, own_steps, epochs)
        if reason is not None:
            yield Renumbered(reason, len(whole))
        if values is not None and len(values):
            yield PointBatch(name, context, whole, values, times, epochs)
        elif values is None:
            texts = columns.plain_cells(cells)
            for step, time_s, epoch, cell in zip(whole.tolist(), times.tolist(), epochs.tolist(), texts):
                text = cell if isinstance(cell, str) else json.dumps(cell, default=str)
                yield ObjectStep(name, context, step, [PlainText(text)], time_s, epoch)

    def _whole(
        self, key: str, own_steps: npt.NDArray[Any], epochs: npt.NDArray[np.float64]
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64], str | None]:
        """Return whole steps; where one has a fraction, the points are numbered and the step is the epoch."""
        is_whole = own_steps.dtype.kind == "i" or bool((own_steps == np.floor(own_steps)).all())
        numbered = self._fraction_counts.get(key)
        if is_whole and numbered is None:
            return own_steps.astype(np.int64), epochs, None
        first = numbered or 0
        self._fraction_counts[key] = first + len(own_steps)
        whole = np.arange(first, first + len(own_steps), dtype=np.int64)
        return whole, own_steps.astype(np.float64), steps.WITH_FRACTION


def _column(batch: TableBatch, name: str | None) -> npt.NDArray[Any] | None:
    if name is None or name not in batch.columns:
        return None
    return columns.numbers(batch.columns[name])


def _context(text: str) -> dict[str, Any]:
    try:
        context = json.loads(text) if text else {}
    except ValueError:
        return {"context": text}
    return context if isinstance(context, dict) else {"context": text}
