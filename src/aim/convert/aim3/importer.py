"""
Repositories of Aim 3: each run keeps its hash, its params, its sequences with steps, times and epochs, its objects.

    meta/chunks/<hash>   params, contexts, end time        seqs/chunks/<hash>   sequences        run_metadata.sqlite
"""

from __future__ import annotations

import hashlib
import math
import re
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from aim.convert.aim3 import metadata, objects, values
from aim.convert.aim3.chunks import Chunk3, check_package, files_of, opened_chunk
from aim.convert.aim3.reading_process import ChunkProcess, UnreadableChunk
from aim.convert.aim3.series import BadEntry, NumberSeries, ObjectPoint, SeriesReader, is_object
from aim.convert.aim3.values import BadValue, path_of, text_part, value_of
from aim.convert.errors import SourceIsNewer
from aim.convert.events import (
    ArtifactFile,
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
from aim.core.kinds import LINES_NAME
from aim.core.reserved import SYSTEM_PREFIX

VERSIONS = ("1.0", "1.1", "1.2", "1.3")
FOLDER_NAME = ".aim"
CONTEXTS: dict[int, dict[str, Any]] = {-4504863053055089774: {}, -8686149688933388395: {"subset": "train"}}
"""Contexts that some versions do not write down: the empty one, and {"subset": "train"}."""
META_NAMES = ("attrs", "contexts", "end_time", "artifacts")
COLOR = re.compile(r"#[0-9a-fA-F]{6}")


class OldRunFolders(NamedTuple):
    """Where one run is: its two chunks, and its row; *damage*: why no run has a row, said by the first of them."""

    meta: Path
    sequences: Path
    row: metadata.RunRow | None
    damage: SourceDamage | None = None


class Aim3Importer(Importer):
    """The importer of Aim 3's repositories. *process* reads the chunks."""

    name = "aim3"
    title = "Aim 3"
    looked_for = "a folder .aim with VERSION and meta/chunks"
    owns_below = True
    keeps_names = True

    def __init__(self, process: ChunkProcess | None = None) -> None:
        self._process = process or ChunkProcess()

    def is_here(self, folder: Path, folders: Sequence[str], files: Sequence[str]) -> bool:
        """Return whether *folder* is the `.aim` of a repository of Aim 3."""
        return "FORMAT" not in files and ("VERSION" in files or metadata.FILE_NAME in files) and "meta" in folders

    def runs(self, source: Source, options: ImportOptions) -> Iterator[SourceRun]:
        """List the runs. Raises NeedsExtra, SourceIsNewer."""
        check_package()
        for folder in source.folders:
            check_version(folder)
            rows: dict[str, metadata.RunRow] = {}
            damage: SourceDamage | None = None
            try:
                rows = metadata.read_rows(folder)
            except sqlite3.Error as error:
                reason = f"SQLite: {error}. Names, experiments, tags and notes of the runs can't be read"
                damage = SourceDamage(str(folder / metadata.FILE_NAME), None, reason)
            chunks = folder / "meta" / "chunks"
            hashes = {path.name for path in chunks.iterdir()} if chunks.is_dir() else set()
            for run_hash in sorted(hashes | rows.keys(), key=lambda each: _order(each, rows)):
                row = rows.get(run_hash)
                folders = OldRunFolders(chunks / run_hash, folder / "seqs" / "chunks" / run_hash, row, damage)
                damage = None
                stamp = hashlib.blake2b(repr(row).encode("utf-8", "replace"), digest_size=16).hexdigest()
                files = (*files_of(folders.meta), *files_of(folders.sequences))
                title = (row and row.name) or run_hash
                yield SourceRun(run_hash, title, files, run_hash=run_hash, locator=folders, stamp=stamp)

    def read(self, source: Source, run: SourceRun, options: ImportOptions) -> Iterator[Event]:
        """Read one run. Raises SourceBeingWritten."""
        folders: OldRunFolders = run.locator
        row = folders.row or metadata.RunRow(run.run_id)
        version = _text(source.folders[0] / "VERSION")
        yield RunFound(
            row.name,
            row.experiment,
            row.description,
            row.created_at_s,
            is_archived=row.is_archived,
            tool_version=f"format {version}" if version else None,
        )
        if folders.damage is not None:
            yield folders.damage
        for name, color in row.tags:
            yield TagName(name, color.lower() if color and COLOR.fullmatch(color) else None)
        yield from map(NoteText, row.notes)
        if row.about_experiment:
            yield ParamValue(("aim3", "experiment"), row.about_experiment)
        contexts = dict(CONTEXTS)
        if folders.meta.is_dir():
            yield from self._meta(folders.meta, run.run_id, contexts)
        else:
            yield LeftOut("run without data: it has a name only")
        if folders.sequences.is_dir():
            yield from self._sequences(folders.sequences, run.run_id, contexts)

    def _meta(self, folder: Path, run_hash: str, contexts: dict[int, dict[str, Any]]) -> Iterator[Event]:
        """Read params, contexts, artifacts and the end of the run; *contexts* is filled."""
        trees: dict[str, list[tuple[values.Path, Any]]] = {name: [] for name in META_NAMES}
        try:
            with opened_chunk(folder, self._process) as chunk:
                yield from _trees(chunk, run_hash, trees)
        except UnreadableChunk as error:
            yield SourceDamage(str(folder), None, str(error))
        stored_contexts = _branches(trees["contexts"])
        contexts |= {key: context for key, context in stored_contexts.items() if isinstance(context, dict)}
        for name, value in _branches(trees["attrs"]).items():
            yield ParamValue((name,), objects.param(value))
        for record in _branches(trees["artifacts"]).values():
            if isinstance(record, dict) and record.get("uri"):
                yield ArtifactFile(str(record.get("name") or record.get("path")), uri=str(record["uri"]))
        end_s = values.fold(trees["end_time"])
        yield Ended("finished", end_s) if isinstance(end_s, float) else Ended("lost")

    def _sequences(self, folder: Path, run_hash: str, contexts: dict[int, dict[str, Any]]) -> Iterator[Event]:
        lines: list[ObjectPoint] = []
        try:
            with opened_chunk(folder, self._process) as chunk:
                for version in (1, 2):
                    for item in SeriesReader(chunk, run_hash, version).read():
                        if isinstance(item, BadEntry):
                            yield Refused(f"value of {item.path}: {item.reason}")
                        elif isinstance(item, NumberSeries):
                            yield from _numbers_of(item, _context(item.context_id, contexts))
                        elif item.name == LINES_NAME and objects.is_line(item.value):
                            lines.append(item)
                        else:
                            yield _object_step(item, _context(item.context_id, contexts))
        except UnreadableChunk as error:
            yield SourceDamage(str(folder), None, str(error))
        yield from _log(lines, contexts)


def check_version(folder: Path) -> str:
    """Return the version in an old `.aim`; empty where it says none. Raises SourceIsNewer."""
    version = _text(folder / "VERSION")
    if version and version not in VERSIONS and _numbers(version) > _numbers(VERSIONS[-1]):
        raise SourceIsNewer(folder, "Aim 3", version, VERSIONS[-1])
    return version


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _order(run_hash: str, rows: dict[str, metadata.RunRow]) -> tuple[float, str]:
    row = rows.get(run_hash)
    moment_s = math.inf if row is None or row.created_at_s is None else row.created_at_s
    return moment_s, run_hash


def _trees(chunk: Chunk3, run_hash: str, trees: dict[str, list[tuple[values.Path, Any]]]) -> Iterator[Event]:
    """Fill *trees* with what lies below each of their names."""
    prefix = b"meta\xfechunks\xfe" + text_part(run_hash)
    depth = len(path_of(prefix))
    for key, content in chunk.items(prefix):
        path = path_of(key)[depth:]
        tree = trees.get(str(path[0])) if path else None
        if tree is None:
            continue
        try:
            tree.append((path[1:], value_of(content)))
        except BadValue as error:
            yield Refused(f"value of {'/'.join(map(str, path))}: {error}")


def _branches(entries: list[tuple[values.Path, Any]]) -> dict[Any, Any]:
    tree = values.fold(entries)
    return tree if isinstance(tree, dict) else {}


def _context(context_id: int, contexts: dict[int, dict[str, Any]]) -> dict[str, Any]:
    return contexts.get(context_id, {"context": str(context_id)})


def _numbers_of(series: NumberSeries, context: dict[str, Any]) -> Iterator[Event]:
    is_system = series.name.startswith(SYSTEM_PREFIX)
    if len(series.steps):
        yield PointBatch(
            series.name, context, series.steps, series.numbers, series.times_s, series.epochs, is_system=is_system
        )
    if series.incomplete_count:
        yield Refused(f"points of {series.name!r} without a step, which a kill left", series.incomplete_count)
    if series.cut_count:
        yield LeftOut(f"fractions of steps of {series.name!r}, as Aim 3 shows them", series.cut_count)
    if series.text_epoch_count:
        yield LeftOut(f"epochs of {series.name!r} that are no numbers", series.text_epoch_count)


def _object_step(point: ObjectPoint, context: dict[str, Any]) -> Event:
    if not is_object(point.value):
        return Refused(f"value of {point.name!r} at step {point.step}: neither a number nor an object")
    is_list = isinstance(point.value, list)
    items = [objects.media_of(item) for item in (point.value if is_list else [point.value])]
    return ObjectStep(point.name, context, point.step, items, point.time_s, point.epoch, is_list=is_list)


def _log(lines: list[ObjectPoint], contexts: dict[int, dict[str, Any]]) -> Iterator[Event]:
    """Return the lines of the terminal: together where they are numbered from 0, else one by one."""
    is_usual = [line.step for line in lines] == list(range(len(lines)))
    if is_usual and lines and not any(_context(line.context_id, contexts) for line in lines):
        texts = [objects.text_of(line.value) for line in lines]
        yield LogLines(texts, [line.time_s for line in lines])
        return
    for line in lines:
        yield _object_step(line, _context(line.context_id, contexts))
