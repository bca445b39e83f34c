"""
Runs that have ended, read for the first time: most of what a machine finds in a repository that it has never seen.

    listing of the folder -> event lines -> fields, params, declared sequences              (forms.fold.FirstFold)
                          -> footers of sealed files, and the journals of many runs at once -> `CatalogueRow`

`RunWatch` reads any run, and goes on from where it was. Here nothing is kept, so nothing is copied, put in order or
read twice. Only a *usual* run is read: all its lines are whole, each writer has ended, and `FirstFold` knows each
line. Any other run is left out, and `RunWatch` reads it. The rows are those that `RunWatch` makes.

Rule: what is not known to be harmless is unusual: a new event, a new field of an old one, any damage.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from aim.core import contexts, kinds
from aim.core.clock import SECONDS_MAX
from aim.core.summaries import Summary
from aim.storage.catalogue.catalogue_row import (
    CatalogueRow,
    CatalogueSequence,
    KindNumbers,
    PairKey,
    fields_of,
    pair_kind,
)
from aim.storage.catalogue.reduction import summarize_table
from aim.storage.catalogue.summaries import PartialSummary, partial_of_sealed, summary_of_parts
from aim.storage.disk import layout
from aim.storage.forms import events
from aim.storage.forms.events import Event
from aim.storage.forms.fold import MALFORMED, FirstFold, Line
from aim.storage.forms.records import RECORD_DTYPE, Records
from aim.storage.forms.state import BEGUN_S_MIN, SequencePart, SequenceState, WriterInfo
from aim.storage.reading.journal_cursor import JournalCursor
from aim.storage.sealing.sealed import Sealed

TABLE_RECORDS = 1 << 14  # of journals are summed up together: 512 KiB, as much as a processor's cache holds
BEGIN_KEYS = frozenset(
    ("format", "run", "writer", "host", "pid", "boot", "process", "pids", "python", "aim", "command")
)
END_KEYS = frozenset(("state", "error", "segments", "points", "blobs", "next"))
UNUSUAL = (OSError, *MALFORMED)

WriterNumber = tuple[str, int]
"""A writer, and its number of a sequence."""

Points = dict[str, Mapping[int, PartialSummary | Summary | None]]
"""What is known of the points, by writer and number; None: of objects in a sealed file."""


class _UnusualRun(ValueError):
    """A run that is left to `RunWatch`."""


class _Declaration(NamedTuple):
    """What a line declares: a sequence and the kind of its values."""

    key: PairKey
    context: Mapping[str, Any]
    stored_kind: str
    kind_number: int
    is_numeric: bool
    is_list: bool


class _EndedRun:
    """
    One run while it is read.

    Attributes:
        declarations: by writer and its number of the sequence.
        sealed: the sealed files, by writer.
        parts: by writer and number, of the writers that have a journal.
    """

    __slots__ = ("declarations", "parts", "row", "sealed")

    def __init__(self, row: CatalogueRow, declarations: dict[WriterNumber, _Declaration]) -> None:
        self.row = row
        self.declarations = declarations
        self.sealed: dict[str, Sealed] = {}
        self.parts: dict[str, dict[int, PartialSummary]] = {}


class EndedRuns:
    """
    Reads runs that have ended, many at once.

    Args:
        kind_numbers: the stored kinds that the catalogue has met.
    """

    def __init__(self, kind_numbers: KindNumbers) -> None:
        self._kind_numbers = kind_numbers
        self._fold = FirstFold(self._declaration)
        self._journals = _WaitingJournals()

    def read(self, folders: Iterable[str]) -> dict[str, CatalogueRow]:
        """
        Return what the runs in *folders* are, by hash; those that are not usual are left out.

        Cost: 0.15 ms a run of 50 params and 5 sealed sequences; 50 ns a point of journals.
        """
        runs: list[_EndedRun] = []
        for folder in folders:
            try:
                runs.append(self._look(folder))
            except UNUSUAL:
                continue
        self._journals.sum_up()
        rows = {}
        for run in runs:
            try:
                self._add_sequences(run)
            except UNUSUAL:
                continue
            rows[run.row.run_hash] = run.row
        return rows

    # one run's lines

    def _look(self, folder: str) -> _EndedRun:
        files_of_writer: dict[str, set[str]] = {}
        edits = []
        for name in os.listdir(folder):
            match = layout.WRITER_FILE.fullmatch(name)
            if match:
                files_of_writer.setdefault(match[1], set()).add(match[2])
            elif layout.EDIT_FILE.fullmatch(name):
                edits.append(name)
        lines: list[Line] = []
        writers: dict[str, WriterInfo] = {}
        for writer, files in files_of_writer.items():
            if "events.jsonl" not in files:
                raise _UnusualRun
            writers[writer] = _writer(writer, _events(f"{folder}/{writer}.events.jsonl"), lines)
        for name in edits:
            (event,) = _events(f"{folder}/{name}")
            lines.append((_time_s(event), "edit", len(lines), event))
        if len(writers) + len(edits) > 1:
            lines.sort(key=lambda line: line[:2])
        folded = self._fold.fold(os.path.basename(folder), lines)
        state = folded.state
        state.writers = writers
        state.created_at_s = min(writer.begun_at_s or 0.0 for writer in writers.values())
        state.latest_at_s = lines[-1][0]
        run = _EndedRun(CatalogueRow(state.run_hash, fields_of(state), folded.leaves), folded.declared)
        for writer, files in files_of_writer.items():
            self._open(run, folder, writers[writer], files)
        if len(run.sealed) == len(writers) == 1:
            run.row.fields["sole_writer"] = next(iter(writers))
        return run

    def _declaration(self, name: str, stored_kind: str, context: dict[str, Any]) -> _Declaration:
        return _Declaration(
            key=(name, contexts.text(context), pair_kind(stored_kind)),
            context=context,
            stored_kind=stored_kind,
            kind_number=self._kind_numbers.number(stored_kind),
            is_numeric=kinds.is_numeric_sequence(stored_kind),
            is_list=stored_kind.startswith("list"),
        )

    # points

    def _open(self, run: _EndedRun, folder: str, writer: WriterInfo, files: set[str]) -> None:
        if "points.parquet" in files:
            file = run.sealed[writer.id] = Sealed.open(Path(f"{folder}/{writer.id}.points.parquet"))
            if file.damage:
                raise _UnusualRun
            return
        count = (writer.end or {})["segments"]
        if count.__class__ is not int or not files.issuperset(f"points-{number:04d}" for number in range(count)):
            raise _UnusualRun
        if count:
            cursor = JournalCursor(folder, writer.id)
            records, _ = cursor.advance(is_still=True, segment_count=count)
            if cursor.has_gap:
                raise _UnusualRun
            self._journals.add(records, run.parts.setdefault(writer.id, {}))

    def _add_sequences(self, run: _EndedRun) -> None:
        points: Points = {**run.parts, **{writer: file.summaries() for writer, file in run.sealed.items()}}
        if not _are_declared(points, run.declarations):
            raise _UnusualRun
        parts_of: dict[tuple[str, str], list[WriterNumber]] = {}
        for writer_number, declaration in run.declarations.items():
            parts_of.setdefault(declaration.key[:2], []).append(writer_number)
        for writer_numbers in parts_of.values():
            with_points = [pair for pair in writer_numbers if pair[1] in points.get(pair[0], ())]
            if not with_points:
                continue
            summary: Summary | None = None
            if len(writer_numbers) == 1:
                writer, number = writer_numbers[0]
                declaration = run.declarations[writer_numbers[0]]
                summary = _sole_summary(points[writer][number], declaration)
            else:
                declaration = self._merged([run.declarations[pair] for pair in writer_numbers])
            if summary is None:
                summary = _summary(run, with_points, declaration, is_sole=len(writer_numbers) == 1)
            run.row.sequences[declaration.key] = CatalogueSequence(summary, declaration.kind_number)
            run.row.contexts[declaration.key[1]] = declaration.context

    def _merged(self, declarations: Sequence[_Declaration]) -> _Declaration:
        """Return the declaration of a sequence of several parts, which may be of an int and a float kind."""
        first = declarations[0]
        parts = [SequencePart("", 0, declaration.stored_kind) for declaration in declarations]
        kind = SequenceState(first.key[0], dict(first.context), first.key[1], parts).kind
        return self._declaration(first.key[0], kind, dict(first.context))


def _are_declared(points: Points, declarations: Mapping[WriterNumber, _Declaration]) -> bool:
    return all((writer, number) in declarations for writer, numbers in points.items() for number in numbers)


def _sole_summary(points: PartialSummary | Summary | None, declaration: _Declaration) -> Summary | None:
    """Return the summary of a sequence of one part; None where `_summary` has to make it."""
    if not declaration.is_numeric or points is None:
        return None
    if isinstance(points, Summary):
        return points if points.point_count else None
    return points.summary if points.is_regular else None


def _summary(
    run: _EndedRun, writer_numbers: Sequence[WriterNumber], declaration: _Declaration, *, is_sole: bool
) -> Summary:
    parts = []
    for writer, number in writer_numbers:
        part: PartialSummary | None
        if writer in run.sealed:
            sequence = run.sealed[writer].sequence(number)
            part = partial_of_sealed(sequence, is_numeric=declaration.is_numeric, is_sole=is_sole)
        else:
            part = run.parts[writer][number]
        if part is None:
            raise _UnusualRun
        parts.append(part)
    summary = summary_of_parts(parts, is_numeric=declaration.is_numeric, is_list=declaration.is_list)
    if summary is None:
        raise _UnusualRun
    return summary


def _writer(writer: str, writer_events: Sequence[Event], lines: list[Line]) -> WriterInfo:
    """Return a writer that has ended, and add its events to *lines*."""
    begin, end = writer_events[0]["begin"], writer_events[-1]["end"]
    if not (begin.keys() <= BEGIN_KEYS and end.keys() <= END_KEYS):
        raise _UnusualRun
    before_s = -SECONDS_MAX
    for event in writer_events:
        at_s = _time_s(event)
        if at_s < before_s:
            raise _UnusualRun
        before_s = at_s
        lines.append((at_s, writer, len(lines), event))
    info = WriterInfo(writer)
    info.begin, info.end = begin, end
    info.begun_at_s, info.ended_at_s = lines[-len(writer_events)][0], before_s
    if info.begun_at_s < BEGUN_S_MIN:
        raise _UnusualRun
    return info


def _events(path: str) -> list[Event]:
    with open(path, "rb", buffering=0) as file:
        whole_events = events.parse_whole(file.read())
    if not whole_events:
        raise _UnusualRun
    return whole_events


def _time_s(event: Event) -> float:
    at_s: float = event["at"]
    if at_s.__class__ is float and -SECONDS_MAX < at_s < SECONDS_MAX:
        return at_s
    raise _UnusualRun


_WHOLE = np.dtype((np.void, RECORD_DTYPE.itemsize))  # records as they are: numpy copies structures field by field


class _WaitingJournals:
    """Records of many writers, copied into one array that is used again and again, and summed up together."""

    def __init__(self) -> None:
        self._table = np.empty(TABLE_RECORDS, RECORD_DTYPE)
        self._slots = self._table.view(_WHOLE)
        self._lengths: list[int] = []
        self._parts: list[dict[int, PartialSummary]] = []

    def add(self, records: Records, parts: dict[int, PartialSummary]) -> None:
        """Add the records of one writer; *parts* is filled by `sum_up`."""
        count = len(records)
        if count > TABLE_RECORDS:
            parts.update(summarize_table(records, [count])[0])
            return
        start = sum(self._lengths)
        if start + count > TABLE_RECORDS:
            self.sum_up()
            start = 0
        self._slots[start : start + count] = records.view(_WHOLE)
        self._lengths.append(count)
        self._parts.append(parts)

    def sum_up(self) -> None:
        """Sum up what was added since the last time."""
        lengths, waiting = self._lengths, self._parts
        self._lengths, self._parts = [], []
        summaries = summarize_table(self._table[: sum(lengths)], lengths)
        for parts, of_writer in zip(waiting, summaries, strict=True):
            parts.update(of_writer)
