"""
Runs that have ended, read for the first time: most of what a machine finds in a repository that it has never seen.

    listing of the folder -> event lines -> fields, leaves, declared sequences
                          -> footers of sealed files, and the journals of all runs at once        -> `CatalogueRow`

`RunWatch` reads any run, and goes on from where it was; here nothing is kept, so nothing is copied, put in order
or asked twice. Only the usual run is known: all its lines whole, each writer ended, each event one of those below. Of
any other run nothing is said, and `RunWatch` reads it. What is said is what `RunWatch` says.

Rule 1: what is not known to be harmless is unusual: a new event, a new field of an old one, any damage.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from aim.core import contexts, kinds, params
from aim.core.params import Key
from aim.core.params import Path as ParamPath
from aim.storage.catalogue import summaries
from aim.storage.catalogue.catalogue_row import CatalogueRow, KindNumbers, PairKey, fields_of, pair_kind
from aim.storage.catalogue.summaries import SequenceSummary
from aim.storage.disk import layout
from aim.storage.forms import events, journal, records
from aim.storage.forms.events import SECONDS_MAX, Event
from aim.storage.forms.state import RunState, SequencePart, SequenceState, WriterInfo
from aim.storage.sealing import sealed

REDUCED_BYTES = 1 << 22  # of journals are reduced together; a larger one is left to RunWatch
NUMBERS_MAX = 1 << 16  # sequences reduced together: their numbers are sorted in two bytes
BEGIN_KEYS = frozenset(
    ("format", "run", "writer", "host", "pid", "boot", "process", "pids", "python", "aim", "command")
)
END_KEYS = frozenset(("state", "error", "segments", "points", "blobs", "next"))
HARMLESS_KEYS = frozenset(("at", "by", "begin", "end", "check_in", "artifact"))
ROW_KEYS = (
    "first", "last", "min", "max", "mean", "count", "first_step", "last_step", "argmin", "argmax", "has_nan",
)  # fmt: skip
UNUSUAL = (OSError, LookupError, TypeError, ValueError, ArithmeticError, AttributeError, RecursionError)
Lines = list[tuple[float, str, Event]]
Leaves = dict[ParamPath, object]


class _Unusual(ValueError):
    """A run that is left to `RunWatch`."""


class _Declared(NamedTuple):
    """What a line declares: a sequence and the kind of its values."""

    key: PairKey
    context: Mapping[str, Any]
    kind: str
    number: int
    is_numeric: bool
    is_list: bool


class _Paths:
    """The paths of leaves below one path, each made once."""

    __slots__ = ("at", "below", "path")

    def __init__(self, path: ParamPath) -> None:
        self.path = path
        self.at: dict[Key, ParamPath] = {}
        self.below: dict[Key, _Paths] = {}

    def leaf(self, key: Key) -> ParamPath:
        known = self.at.get(key)
        if known is None:
            known = self.at[key] = (*self.path, key)
        return known

    def inside(self, key: Key) -> _Paths:
        known = self.below.get(key)
        if known is None:
            known = self.below[key] = _Paths((*self.path, key))
        return known


class _Run:
    """One run on the way."""

    __slots__ = ("declared", "journals", "known", "parts", "sealed", "state")

    def __init__(self, run_hash: str) -> None:
        self.state = RunState(run_hash)
        self.known = CatalogueRow(run_hash)
        self.declared: dict[tuple[str, int], _Declared] = {}
        self.parts: dict[tuple[str, str], list[tuple[str, int]]] = {}
        self.sealed: dict[str, sealed.Sealed] = {}
        self.journals: dict[str, _Journal] = {}


class _Journal:
    """One writer's records: how many there are, of sequences of which numbers, and what they come to."""

    __slots__ = ("count", "is_odd", "number_max", "parts")

    def __init__(self, count: int, number_max: int) -> None:
        self.count = count
        self.number_max = number_max
        self.parts: dict[int, summaries.Part] = {}
        self.is_odd = False


class EndedRuns:
    """
    Reads runs that have ended, many at once.

    Args:
        kinds: the stored kinds that the catalogue has met.
    """

    def __init__(self, kinds: KindNumbers) -> None:
        self._kinds = kinds
        self._known_declared: dict[Any, _Declared] = {}
        self._paths = _Paths(())
        self._journals = _Journals()

    def read(self, folders: Iterable[str]) -> dict[str, CatalogueRow]:
        """
        Return what the runs in *folders* are, by hash; those that are not usual are left out.

        Cost: 0.15 ms a run of 50 params and 5 sealed sequences; 50 ns a point of journals.
        """
        looked: list[_Run] = []
        for folder in folders:
            try:
                looked.append(self._look(folder))
            except UNUSUAL:
                continue
        self._journals.reduce()
        result = {}
        for run in looked:
            try:
                self._sum_up(run)
            except UNUSUAL:
                continue
            result[run.known.run_hash] = run.known
        return result

    # one run's lines

    def _look(self, folder: str) -> _Run:
        run = _Run(os.path.basename(folder))
        listed: dict[str, set[str]] = {}
        edits = []
        for name in os.listdir(folder):
            match = layout.WRITER_FILE.fullmatch(name)
            if match:
                listed.setdefault(match[1], set()).add(match[2])
            elif layout.EDIT_FILE.fullmatch(name):
                edits.append(name)
        lines: Lines = []
        for writer, names in listed.items():
            if "events.jsonl" not in names:
                raise _Unusual
            self._take_writer(run, writer, _lines(f"{folder}/{writer}.events.jsonl"), lines)
        for name in edits:
            found = _lines(f"{folder}/{name}")
            if len(found) != 1:
                raise _Unusual
            lines.append((_moment(found[0]), "edit", found[0]))
        if not lines:
            raise _Unusual
        if len(listed) + len(edits) > 1:
            lines.sort(key=lambda line: line[:2])
        run.state.latest_at_s = lines[-1][0]
        self._fold(run, lines)
        run.known.fields = fields_of(run.state)
        for writer, names in listed.items():
            self._open(run, folder, writer, "points.parquet" in names)
        if len(run.sealed) == len(listed) == 1:
            run.known.fields["sole_writer"] = next(iter(listed))
        return run

    def _take_writer(self, run: _Run, writer: str, found: list[Event], lines: Lines) -> None:
        known = WriterInfo(writer)
        known.begin, known.end = found[0]["begin"], found[-1]["end"]
        if not (known.begin.keys() <= BEGIN_KEYS and known.end.keys() <= END_KEYS):
            raise _Unusual
        before_s = -SECONDS_MAX
        for event in found:
            at_s = _moment(event)
            if at_s < before_s:
                raise _Unusual
            before_s = at_s
            lines.append((at_s, writer, event))
        known.begun_at_s, known.ended_at_s = lines[-len(found)][0], before_s
        state = run.state
        state.writers[writer] = known
        state.created_at_s = min(state.created_at_s or known.begun_at_s, known.begun_at_s)

    def _fold(self, run: _Run, lines: Lines) -> None:
        state = run.state
        settings: list[Event] = []
        for at_s, writer, event in lines:
            if "sequence" in event and len(event) == 5:
                self._declare(run, writer, event)
            elif "set" in event and len(event) - ("by" in event) == 3:
                settings.append(event)
            else:
                for key, value in event.items():
                    if key == "property":
                        state.properties.update(value)
                    elif key == "tags":
                        _tag(state, value, at_s)
                    elif key not in HARMLESS_KEYS:
                        raise _Unusual
        run.known.params = self._leaves(settings)

    def _declare(self, run: _Run, writer: str, event: Event) -> None:
        number, name, kind = event["sequence"], event["name"], event["kind"]
        key = (name, kind, *event["context"].items())
        known = self._known_declared.get(key)
        if known is None:
            if number.__class__ is not int or name.__class__ is not str or kind.__class__ is not str:
                raise _Unusual
            known = self._known_declared[key] = self._declaration(name, kind, params.decode(event["context"]))
        place = (writer, number)
        if place in run.declared:
            raise _Unusual
        run.declared[place] = known
        run.parts.setdefault(known.key[:2], []).append(place)

    def _declaration(self, name: str, kind: str, context: dict[str, Any]) -> _Declared:
        key = (name, contexts.text(context), pair_kind(kind))
        is_numeric = kinds.is_numeric_sequence(kind)
        return _Declared(key, context, kind, self._kinds.number(kind), is_numeric, kind.startswith("list"))

    # params

    def _leaves(self, settings: Sequence[Event]) -> Leaves:
        leaves: Leaves = {}
        heads = {event["set"][0] for event in settings if event["set"]}
        if len(heads) < len(settings):  # one may replace another, or lie in it
            tree: Any = {}
            for event in settings:
                tree = params.set_at(tree, tuple(event["set"]), params.decode(event["value"]))
            if isinstance(tree, dict):
                self._flatten(tree, self._paths, leaves, is_form=False)
            return leaves
        for event in settings:
            path = event["set"]
            paths = self._paths
            for key in path[:-1]:
                paths = paths.inside(_key(key))
            self._flatten({_key(path[-1]): event["value"]}, paths, leaves, is_form=True)
        return leaves

    def _flatten(self, tree: Mapping[Key, Any], paths: _Paths, leaves: Leaves, *, is_form: bool) -> None:
        # `params.decode` and `params.flatten` in one, as the order of keys does not matter here
        known = paths.at
        for key, value in tree.items():
            kind = value.__class__
            if kind is dict and value:
                plain = is_form
                if plain and len(value) == 1 and next(iter(value)).startswith("$"):
                    value, plain = params.decode(value), False
                if value.__class__ is dict and value:
                    self._flatten(value, paths.inside(key), leaves, is_form=plain)
                    continue
            elif kind is list and is_form:
                value = params.decode(value)
            leaves[known.get(key) or paths.leaf(key)] = value

    # points

    def _open(self, run: _Run, folder: str, writer: str, is_sealed: bool) -> None:
        if is_sealed:
            file = run.sealed[writer] = sealed.Sealed.open(Path(f"{folder}/{writer}.points.parquet"))
            if file.damage:
                raise _Unusual
            return
        count = (run.state.writers[writer].end or {})["segments"]
        if count.__class__ is not int:
            raise _Unusual
        if count:
            number_max = max((number for who, number in run.declared if who == writer), default=0)
            paths = [f"{folder}/{writer}.points-{number:04d}" for number in range(count)]
            run.journals[writer] = self._journals.read(paths, number_max)

    def _sum_up(self, run: _Run) -> None:
        known = run.known
        tables: dict[str, Mapping[int, Any]] = {}
        for writer, file in run.sealed.items():
            table = file.facts["sequences"]
            tables[writer] = dict(zip(table["number"], zip(*(table[key] for key in ROW_KEYS))))
        for writer, found in run.journals.items():
            if found.is_odd:
                raise _Unusual
            tables[writer] = found.parts
        declared = run.declared
        for writer, there in tables.items():
            for number in there:
                if (writer, number) not in declared:
                    raise _Unusual
        for places in run.parts.values():
            if len(places) == 1:
                about = declared[places[0]]
                row = tables[places[0][0]].get(places[0][1]) if places[0][0] in tables else None
                if row is None:
                    continue
                if about.is_numeric and row.__class__ is summaries.Part:
                    summary = _of_part(row, about)
                elif about.is_numeric and row[-1] is not None:
                    summary = _of_row(row, about)
                else:
                    summary = self._joined(run, places, about, tables)
            else:
                about = self._together([declared[place] for place in places])
                if not any(number in tables.get(writer, ()) for writer, number in places):
                    continue
                summary = self._joined(run, places, about, tables)
            known.sequences[about.key] = summary
            known.contexts[about.key[1]] = about.context

    def _together(self, declared: Sequence[_Declared]) -> _Declared:
        first = declared[0]
        parts = [SequencePart("", 0, about.kind) for about in declared]
        kind = SequenceState(first.key[0], dict(first.context), first.key[1], parts).kind
        return self._declaration(first.key[0], kind, dict(first.context))

    def _joined(
        self, run: _Run, places: Sequence[tuple[str, int]], about: _Declared, tables: Mapping[str, Mapping[int, Any]]
    ) -> SequenceSummary:
        parts = []
        for writer, number in places:
            there = tables.get(writer)
            if there is None or number not in there:
                continue
            part: summaries.Part | None
            if writer in run.sealed:
                sequence = run.sealed[writer].sequence(number)
                part = summaries.of_sealed(sequence, is_numeric=about.is_numeric, alone=len(places) == 1)
            else:
                part = there[number]
            if part is None:
                raise _Unusual
            parts.append(part)
        summary = summaries.summary_of(parts, about.number, is_numeric=about.is_numeric, is_list=about.is_list)
        if summary is None:
            raise _Unusual
        return summary


def _tag(state: RunState, change: Mapping[str, Sequence[str]], at_s: float) -> None:
    for tag in change.get("remove", ()):
        state.tags.pop(tag, None)
    for tag in change.get("add", ()):
        state.tags.setdefault(tag, at_s)


def _of_row(row: Sequence[Any], about: _Declared) -> SequenceSummary:
    if dict in map(type, row):
        row = [params.decode(value) if value.__class__ is dict else value for value in row]
    if not row[5]:  # no point counts
        raise _Unusual
    return SequenceSummary._make((*row, 0, about.number))


def _of_part(part: summaries.Part, about: _Declared) -> SequenceSummary:
    first, last, low, high, total, count, numbers, first_step, last_step, argmin, argmax, is_regular = part
    if not is_regular:
        raise _Unusual
    mean = total / numbers if numbers else summaries.NAN
    has_nan = numbers < count
    row = (first, last, low, high, mean, count, first_step, last_step, argmin, argmax, has_nan, 0, about.number)
    return SequenceSummary._make(row)


def _key(key: Key) -> Key:
    if key.__class__ is str or key.__class__ is int:
        return key
    raise _Unusual


def _lines(path: str) -> list[Event]:
    with open(path, "rb", buffering=0) as file:
        found = events.parse_whole(file.read())
    if not found:
        raise _Unusual
    return found


def _moment(event: Event) -> float:
    at_s = event["at"]
    if at_s.__class__ is float and -SECONDS_MAX < at_s < SECONDS_MAX:
        return at_s
    raise _Unusual


class _Journals:
    """Records of many writers, read into one place and reduced together."""

    def __init__(self) -> None:
        self._space = memoryview(bytearray(REDUCED_BYTES))
        self._used_bytes = 0
        self._waiting: list[_Journal] = []

    def read(self, paths: Sequence[str], number_max: int) -> _Journal:
        """Read the segments of one writer; what they come to is known after `reduce`."""
        descriptors: list[int] = []
        try:
            for path in paths:
                descriptors.append(os.open(path, os.O_RDONLY))
            sizes = [_records_bytes(os.fstat(descriptor).st_size) for descriptor in descriptors]
            total_bytes = sum(sizes)
            if total_bytes > REDUCED_BYTES:
                raise _Unusual
            if self._used_bytes + total_bytes > REDUCED_BYTES:
                self.reduce()
            start = self._used_bytes
            for descriptor, size_bytes in zip(descriptors, sizes, strict=True):
                os.lseek(descriptor, journal.PAGE_BYTES, os.SEEK_SET)
                if size_bytes and os.readv(descriptor, [self._space[start : start + size_bytes]]) != size_bytes:
                    raise _Unusual
                start += size_bytes
        finally:
            for descriptor in descriptors:
                os.close(descriptor)
        self._used_bytes = start
        found = _Journal(total_bytes // journal.RECORD_BYTES, number_max)
        self._waiting.append(found)
        return found

    def reduce(self) -> None:
        """Reduce what was read since the last time."""
        table = np.frombuffer(self._space, records.RECORD_DTYPE, self._used_bytes // journal.RECORD_BYTES)
        journals, self._waiting, self._used_bytes = self._waiting, [], 0
        start = row = 0
        while start < len(journals):
            stop, numbers, count = start, 0, 0
            while stop < len(journals) and (stop == start or numbers + journals[stop].number_max < NUMBERS_MAX):
                numbers += journals[stop].number_max + 1
                count += journals[stop].count
                stop += 1
            _reduce_some(journals[start:stop], numbers, table[row : row + count])
            start, row = stop, row + count


def _records_bytes(file_bytes: int) -> int:
    return max(0, file_bytes - journal.PAGE_BYTES) // journal.RECORD_BYTES * journal.RECORD_BYTES


def _reduce_some(journals: Sequence[_Journal], numbers: int, table: records.Records) -> None:
    # each journal's sequence numbers are moved to a stretch of their own
    bases = np.cumsum([0, *(found.number_max + 1 for found in journals)])
    sequence = table["sequence"]
    owners = np.repeat(np.arange(len(journals)), [found.count for found in journals])
    kept = np.flatnonzero((sequence != 0) & (sequence != journal.VOID))
    sequence, owners = sequence[kept], owners[kept]
    odd = sequence > np.array([found.number_max for found in journals])[owners]
    if odd.any():
        for place in np.unique(owners[odd]).tolist():
            journals[place].is_odd = True
        sequence = np.where(odd, 0, sequence)
    moved = sequence + bases[owners]
    if numbers <= NUMBERS_MAX:  # two bytes are sorted by counting, in a tenth of the time
        moved = moved.astype(np.uint16)
    reduced = summaries.parts(moved, table["step"][kept], table["value"][kept])
    homes = np.searchsorted(bases, np.fromiter(reduced, np.int64, len(reduced)), "right") - 1
    firsts = bases.tolist()
    for home, (number, part) in zip(homes.tolist(), reduced.items(), strict=True):
        journals[home].parts[number - firsts[home]] = part
