"""
One run followed: read as a whole the first time, and then only what is new.

    RunWatch.look()     event lines and journal pages that were added           (reads files)
    summaries.parts()   once for the records of many runs                       (numpy)
    RunWatch.row()      `CatalogueRow`: fields, params, a summary of each sequence

A run is *open* while one of its writers may still record. When its last writer is found to be gone, the run is read
once more: this catches what the writer stored after the first read. After that the time of its folder tells whether
anything changed.
"""

from __future__ import annotations

import copy
import os
import time
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from aim.core import kinds, params
from aim.storage.catalogue import summaries
from aim.storage.catalogue.catalogue_row import CatalogueRow, KindNumbers, PairKey, fields_of, pair_kind
from aim.storage.catalogue.summaries import Part, SequenceSummary
from aim.storage.disk import layout, unreadable
from aim.storage.forms import journal, records, visible
from aim.storage.forms.records import Records
from aim.storage.forms.run_log import RunLog
from aim.storage.forms.state import RunState, SequenceState, WriterInfo
from aim.storage.reading.folder_source import open_run
from aim.storage.reading.reader import RunReader
from aim.storage.sealing import sealed

NO_RECORDS = np.empty(0, records.RECORD_DTYPE)


class _Tail:
    """One writer's journal, read from where its pages were not full the last time."""

    def __init__(self, folder: Path, writer: str) -> None:
        self._folder = folder
        self.writer = writer
        self._prefix = f"{folder}{os.sep}{writer}.points-"
        self._next = (0, 1)  # segment, page
        self.is_complete = False
        self.has_gap = False  # a segment could not be read
        self.closed: dict[int, Part] = {}  # by sequence number, of pages that are full
        self.open: dict[int, Part] = {}  # of the others
        self.open_count = 0

    def read(self, segments: int | None) -> tuple[Records, Records]:
        """
        Return the records of pages that have become full, and those of the pages behind them.

        Args:
            segments: how many there are, when the writer has said so at its end: then all pages count as full.

        Raises:
            FileNotFoundError: the journal was sealed.
        """
        number, page = self._next
        full: list[Records] = []
        rest: list[Records] = []
        found = False
        while segments is None or number < segments:
            slots = self._slots(number, page, is_still=segments is not None)
            if slots is None:
                later = [n for n in records.segment_numbers(self._folder, self.writer) if n > number]
                if not later:
                    break
                number, page = later[0], 1  # one in between is missing: damage, which fsck names; the rest still counts
                continue
            found = True
            filled = slots["sequence"] != 0
            keep = filled & (slots["sequence"] != journal.VOID)
            split = len(slots)
            # a file without slots was created this moment, and will be as long as the others
            is_full = segments is not None or (split > 0 and bool(filled.all()))
            if split and not is_full:
                split = int(np.argmin(filled)) // journal.PAGE_RECORDS * journal.PAGE_RECORDS
            if not rest:
                full.append(slots[:split][keep[:split]])
                self._next = (number + 1, 1) if is_full else (number, page + split // journal.PAGE_RECORDS)
            if rest or not is_full:
                start = 0 if rest else split
                rest.append(slots[start:][keep[start:]])
            number, page = number + 1, 1
        if not found and segments != 0 and os.path.exists(layout.sealed_file(self._folder, self.writer)):
            raise FileNotFoundError(self.writer)
        return _together(full), _together(rest)

    def _slots(self, number: int, page: int, *, is_still: bool) -> Records | None:
        path = f"{self._prefix}{number:04d}"
        try:
            return _slots(path, page, is_still=is_still)
        except OSError as error:
            unreadable.note(path, error)
            self.has_gap = True
            return None


def _slots(path: str, page: int, *, is_still: bool) -> Records | None:
    start = page * journal.PAGE_BYTES
    try:
        content = _content(path, start) if is_still else records.read_live_segment(Path(path), start)
    except FileNotFoundError:
        return None
    return np.frombuffer(content, records.RECORD_DTYPE, len(content) // journal.RECORD_BYTES)


def _content(path: str, start: int) -> bytes:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        size = os.fstat(descriptor).st_size - start
        return os.pread(descriptor, size, start) if size > 0 else b""
    finally:
        os.close(descriptor)


def _segments(writer: WriterInfo) -> int | None:
    count = writer.end.get("segments") if writer.end else None
    return count if isinstance(count, int) else None


def _together(found: Sequence[Records]) -> Records:
    if not found:
        return NO_RECORDS
    return found[0] if len(found) == 1 else np.concatenate(found)


class RunWatch:
    """Follows the run in *folder*; `read` below reads many at once."""

    def __init__(self, folder: Path, kinds: KindNumbers) -> None:
        self.folder = folder
        self._kinds = kinds
        self._log = RunLog(folder)
        self._reader: RunReader | None = None
        self._tails: dict[str, _Tail] = {}
        self._sealed: dict[str, dict[int, sealed.SealedSequence]] = {}
        self._state = RunState(folder.name)
        self._lines = -1
        self._known = CatalogueRow(folder.name)
        self._seemed_over = False
        self._refuses_sealed = False  # a sealed file could not be read
        self._has_news = True
        self.is_open = True
        self.fresh: list[tuple[_Tail, Records, Records]] = []

    def look(self) -> None:
        """
        Read what was added.

        Raises:
            FileNotFoundError: the run was deleted.
        """
        self._look()
        if self.is_open and self._seemed_over:
            # the second look gives the open pages again: of the first only the full ones count
            self.fresh = [(tail, full, NO_RECORDS) for tail, full, _ in self.fresh]
            self._look()

    def _look(self) -> None:
        was_over = self._seemed_over
        rewinds = self._state.rewinds
        self._state = self._log.refresh()
        if self._state.rewinds != rewinds:  # what was read and reduced may be hidden now
            self._tails.clear()
            self.fresh = []
            self._has_news = True
        self._refuses_sealed = False
        for writer in self._state.writers.values():
            self._look_at(writer)
        lacking = [writer for writer in self._state.writers.values() if writer.end is None]
        now_s = time.time()
        self._seemed_over = all(writer.has_ended(now_s) for writer in lacking)
        self.is_open = (bool(lacking) and not (was_over and self._seemed_over)) or self._lacks_files()

    def _lacks_files(self) -> bool:
        # a file that can be read again changes nothing that the catalogue looks at: so the run is asked each time
        return self._refuses_sealed or self._log.lacks_files or any(tail.has_gap for tail in self._tails.values())

    def _look_at(self, writer: WriterInfo) -> None:
        for _ in range(3):  # a sealer may come between the look and the reading: then look again
            if writer.id in self._sealed:
                return
            tail = self._tails.get(writer.id)
            if tail is not None and tail.is_complete:
                return
            if tail is not None and tail.has_gap:
                self._drop(writer.id)
                self._has_news, tail = True, None
            if tail is None:
                # a journal of which both forms are there says the same in both
                path = layout.sealed_file(self.folder, writer.id)
                may_be_sealed = writer.end is None or not writer.end.get("segments") or os.path.exists(path)
                if may_be_sealed and self._look_at_sealed(writer, path):
                    return
                tail = self._tails[writer.id] = _Tail(self.folder, writer.id)
            try:
                full, rest = tail.read(_segments(writer))
            except FileNotFoundError:
                self._drop(writer.id)
                continue
            tail.is_complete = writer.end is not None and not tail.has_gap
            self._has_news = self._has_news or bool(len(full)) or len(rest) != tail.open_count
            tail.open_count = len(rest)
            self.fresh.append((tail, self._not_rewound(writer.id, full), self._not_rewound(writer.id, rest)))
            return

    def _drop(self, writer: str) -> None:
        self._tails.pop(writer, None)
        self.fresh = [item for item in self.fresh if item[0].writer != writer]

    def _not_rewound(self, writer: str, found: Records) -> Records:
        if not self._state.rewinds or not len(found):
            return found
        numbers = self._state.sequences_by_number.items()
        spared = [number for (who, number), facts in numbers if who == writer and not facts.is_rewound]
        return found[visible.visible_records(found, spared, self._state.rewinds)]

    def _look_at_sealed(self, writer: WriterInfo, path: Path) -> bool:
        try:
            file = sealed.Sealed.open(path)
        except FileNotFoundError:
            return False
        except OSError as error:
            unreadable.note(path, error)
            self._refuses_sealed = True
            return True
        self._has_news = True
        self._sealed[writer.id] = {item.number: item for item in file.sequences}
        return True

    def row(self) -> CatalogueRow:
        """Return what the run is now, after `look` and the reduction of `fresh`."""
        state = self._state
        if self._lines != self._log.line_count:
            self._lines = self._log.line_count
            tree = state.tree
            leaves = dict(params.flatten(tree)) if isinstance(tree, dict) else {}
            # the fold changes lists in place
            leaves = {path: copy.deepcopy(leaf) if isinstance(leaf, list) else leaf for path, leaf in leaves.items()}
            self._known = CatalogueRow(self.folder.name, params=leaves)
            self._has_news = True
        known = self._known
        if self._has_news:
            known.sequences, known.contexts = self._sequences(state)
            self._has_news = False
        fields, is_open = fields_of(state), self.is_open
        sole = self._sole_writer(state)
        if sole is not None:
            fields["sole_writer"] = sole
        return CatalogueRow(
            known.run_hash, fields, known.params, known.sequences, known.contexts, is_open, state.retraction_count
        )

    def _sole_writer(self, state: RunState) -> str | None:
        """Return the writer that has sealed all points of the run, each visible as recorded; None if there is none."""
        writers = list(state.writers)
        if len(writers) != 1 or writers[0] not in self._sealed or state.retraction_count or state.damage:
            return None
        if state.forked_from is not None or any(facts.exact_points for facts in state.sequences.values()):
            return None
        return None if self._has_undeclared(state) else writers[0]

    def _sequences(self, state: RunState) -> tuple[dict[PairKey, SequenceSummary], dict[str, Mapping[str, Any]]]:
        found: dict[PairKey, SequenceSummary] = {}
        used: dict[str, Mapping[str, Any]] = {}
        if self._has_undeclared(state):
            # declared and tracked between reading the lines and reading the points; if not, the declaration was lost
            state = self._state = self._log.refresh()
        whole = self._whole_reader().sequences() if self._has_undeclared(state) else state.sequences
        for facts in whole.values():
            if not facts.parts:
                continue
            stored = facts.kind if len(facts.parts) > 1 else facts.parts[0].kind
            summary = self._summary(facts, stored, state)
            if summary is not None:
                found[(facts.name, facts.text, pair_kind(stored))] = summary
                used[facts.text] = facts.context
        return found, used

    def _has_undeclared(self, state: RunState) -> bool:
        declared = state.sequences_by_number
        return any(
            (writer, number) not in declared
            for writer, tail in self._tails.items()
            for numbers in (tail.closed, tail.open)
            for number in numbers
        ) or any((writer, number) not in declared for writer, known in self._sealed.items() for number in known)

    def _summary(self, facts: SequenceState, stored: str, state: RunState) -> SequenceSummary | None:
        number = self._kinds.number(stored)
        is_numeric, is_list = kinds.is_numeric_sequence(stored), stored.startswith("list")
        if not facts.exact_points and not facts.dropped_at_s and not facts.deletions:
            found = self._parts(facts, is_numeric)
            if found is not None:
                if not found:
                    return None
                summary = summaries.summary_of(found, number, is_numeric=is_numeric, is_list=is_list)
                if summary is not None:
                    return _until_looked_up(summary, state.retraction_count)
        points = self._whole_reader().points_of(facts, state)
        summary = summaries.of_points(points, number, is_numeric=is_numeric, is_list=is_list)
        if summary is None or not is_list:
            return summary
        shown = zlib.crc32(points.times_us.tobytes(), zlib.crc32(points.values.tobytes()))
        return _until_looked_up(summary, (state.retraction_count << 32) + shown)

    def _parts(self, facts: SequenceState, is_numeric: bool) -> list[Part] | None:
        found: list[Part] = []
        rewinds = self._state.rewinds if facts.is_rewound else ()
        for part in facts.parts:
            known = self._sealed.get(part.writer)
            if known is not None:
                sequence = known.get(part.number)
                if sequence is None:
                    continue
                reduced = summaries.of_sealed(sequence, is_numeric=is_numeric, alone=len(facts.parts) == 1)
                if reduced is None or any(reduced.last_step > rewind.step for rewind in rewinds):
                    return None
                found.append(reduced)
                continue
            tail = self._tails.get(part.writer)
            if tail is None:
                continue
            closed, rest = tail.closed.get(part.number), tail.open.get(part.number)
            if closed is not None and rest is not None:
                found.append(summaries.joined(closed, rest))
            elif closed is not None or rest is not None:
                found.append(closed or rest)  # type: ignore[arg-type]
        return found

    def _whole_reader(self) -> RunReader:
        if self._reader is None:
            self._reader = open_run(self.folder, may_seal=False)
        return self._reader


def _until_looked_up(summary: SequenceSummary, shown: int) -> SequenceSummary:
    # Of lists the longest is looked up when somebody asks. Where other lists are shown at the same steps, the summary
    # has to be another one, or the old length would stay
    unknown = summary.record_max_length == summaries.UNKNOWN_LENGTH
    return summary._replace(record_max_length=summaries.UNKNOWN_LENGTH - shown) if unknown and shown else summary


def read_runs(watches: Iterable[RunWatch], refused: Callable[[str, OSError], None]) -> dict[str, CatalogueRow]:
    """
    Read what is new of many runs, and give what each is now; runs deleted meanwhile are left out.

    Args:
        refused: told of a run that the system lets nobody read; it is left out.
    """
    there: list[RunWatch] = []
    found: dict[str, CatalogueRow] = {}
    for watch in watches:
        try:
            watch.look()
            there.append(watch)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            refused(watch.folder.name, error)
    _reduce(there)
    for watch in there:
        try:
            found[watch.folder.name] = watch.row()
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            refused(watch.folder.name, error)
    return found


def _reduce(watches: Iterable[RunWatch]) -> None:
    # all records of all runs in one go: each chunk's sequence numbers are moved to a stretch of their own
    chunks: list[Records] = []
    homes: list[tuple[int, dict[int, Part]]] = []  # first number, and where the parts go
    joins: list[tuple[_Tail, dict[int, Part]]] = []
    start = 0
    moved: list[Any] = []
    for watch in watches:
        for tail, full, rest in watch.fresh:
            tail.open = {}
            added: dict[int, Part] = {}
            joins.append((tail, added))
            for chunk, home in ((full, added), (rest, tail.open)):
                if len(chunk):
                    homes.append((start, home))
                    moved.append(chunk["sequence"].astype(np.int64) + start)
                    start += int(chunk["sequence"].max()) + 1
                    chunks.append(chunk)
        watch.fresh = []
    if chunks:
        numbers, together = np.concatenate(moved), np.concatenate(chunks)
        # two bytes are sorted by counting, in a tenth of the time
        numbers = numbers.astype(np.uint16) if start <= 1 << 16 else numbers
        reduced = summaries.parts(numbers, together["step"], together["value"])
        firsts = np.array([first for first, _ in homes])
        places = np.searchsorted(firsts, np.fromiter(reduced, np.int64, len(reduced)), "right") - 1
        for place, (number, part) in zip(places.tolist(), reduced.items()):
            first, home = homes[place]
            home[number - first] = part
    for tail, added in joins:
        if not tail.closed:
            tail.closed = added
            continue
        for number, part in added.items():
            earlier = tail.closed.get(number)
            tail.closed[number] = part if earlier is None else summaries.joined(earlier, part)
