"""
What a server does with the requests of shippers in a cluster: frames become rows and objects. docs/formats/ship.md.

    receive(body) -> answer     check all frames; then objects and lines, then points, then heads; each insert is
                                acknowledged before the next one, and all before the answer

So what is answered is `durable`, and a server keeps nothing: any of them can answer any request. Inserting a subset of
the true rows, in any cut and any number of times, leaves a subset of the true rows with repetitions, and readers see
the set. A shipper repeats until it is told that a request is durable, so finally the set is whole.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, NamedTuple

from aim.core.clock import MICROSECONDS
from aim.storage.cluster import rows
from aim.storage.cluster.cluster_edits import edit_identity, edit_row
from aim.storage.cluster.cluster_files import WholeFile
from aim.storage.cluster.cluster_heads import edit_head
from aim.storage.cluster.cluster_imports import ClusterImports
from aim.storage.cluster.cluster_marks import DELETED, MAKING, RESTORED, SWEPT
from aim.storage.cluster.cluster_project import ClusterProject
from aim.storage.cluster.cluster_sealed import SEALED, SEALED_FILE, sealed_part, sealed_rows
from aim.storage.cluster.cluster_trash import check_not_sweeping, sweep_before
from aim.storage.cluster.object_store import ObjectsUnavailable, part_key
from aim.storage.disk import layout
from aim.storage.forms import events
from aim.storage.shipping import frames as wire
from aim.storage.shipping.frames import Frame, Request
from aim.storage.shipping.whole_files import frames_by_writer

SERVER = "cluster"  # in place of the id of a process: whoever answers, what is durable stays so
WRITERS_KEPT = 100_000
CHECKED_BYTES_MAX = 256 << 20  # a whole file up to here is read back to compare its digest when its last part comes

Answer = dict[str, Any]
WriterState = dict[str, Any]


class _ArrivingWriter(NamedTuple):
    run_hash: str
    rid: bytes
    writer: int
    entry: dict[str, Any]
    frames: list[Frame]

    def begin_line(self) -> dict[str, Any] | None:
        """Return the first line of the writer; an empty one when it is damaged, None when it is not in the request."""
        first = self.frames[0] if self.frames else None
        if not self.entry.get("begin") or first is None or (first.kind, first.offset) != (wire.EVENTS, 0):
            return None
        return events.decode(first.data.partition(b"\n")[0]) or {}


class _Blocks:
    """The rows of one request, by table."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.points: list[bytes] = []
        self.parts: list[bytes] = []
        self.heads: list[bytes] = []


class ClusterIntake:
    """Receives into a project of a cluster. Any number of threads, processes and machines may do so."""

    def __init__(self, project: ClusterProject) -> None:
        self._project = project
        self._imports = ClusterImports(project)
        self._lock = threading.Lock()
        self._present: OrderedDict[tuple[bytes, int], None] = OrderedDict()  # writers whose first line is there

    def receive(self, body: bytes) -> Answer:
        """
        Take a request; return the answer.

        Raises:
            MalformedRequest, UnsupportedProtocol: see `frames.decode`; nothing of the request was taken.
            ClusterUnavailable: the same request can be sent again, to any server.
        """
        request = wire.decode(body)
        arrivals = self._arrivals(request)
        blocks = _Blocks()
        states = [self._take(arriving, request, blocks) for arriving in arrivals]
        said = request.importing
        is_withheld = said is not None and bool(said.get("withheld"))
        if is_withheld:
            blocks.heads.clear()
        self._insert(blocks)
        answer = self._answer(request, states)
        if said is not None and not is_withheld:
            answer["import"] = self._imports.answer(said)
        if is_withheld:
            return answer
        with self._lock:
            for arriving, state in zip(arrivals, states):
                if state["state"] in (wire.OK, wire.LATER):
                    self._present[arriving.rid, arriving.writer] = None
            while len(self._present) > WRITERS_KEPT:
                self._present.popitem(last=False)
        return answer

    def _answer(self, request: Request, states: list[WriterState]) -> Answer:
        sender = {"shipper": request.shipper, "number": request.number}
        return {"server": SERVER, **sender, "durable": [[request.number, request.number]], "writers": states}

    def sync(self) -> None:
        """Do nothing: what was answered is durable."""

    def doubt(self, refusal: Exception) -> None:
        """Do nothing: what was answered is durable."""

    def close(self) -> None:
        """Do nothing: nothing is held."""

    def _arrivals(self, request: Request) -> list[_ArrivingWriter]:
        by_writer = frames_by_writer(request)
        return [
            _ArrivingWriter(
                entry["run"],
                self._project.rid(entry["run"]),
                rows.writer_number(entry["writer"]),
                entry,
                by_writer.get(index, []),
            )
            for index, entry in enumerate(request.writers)
        ]

    def _insert(self, blocks: _Blocks) -> None:
        # a point comes after the line that declares it and the object that it refers to; heads say what is there
        for table, columns, block in (
            ("parts", rows.PART_COLUMNS, blocks.parts),
            ("lines", rows.LINE_COLUMNS, blocks.lines),
            ("points", rows.POINT_COLUMNS, blocks.points),
            ("heads", rows.HEAD_COLUMNS, blocks.heads),
        ):
            if block:
                self._project.database.insert(table, columns, b"".join(block))

    # one writer

    def _take(self, arriving: _ArrivingWriter, request: Request, blocks: _Blocks) -> WriterState:
        is_withheld = request.importing is not None and bool(request.importing.get("withheld"))
        refusal = None if is_withheld else self._refusal(arriving)
        if refusal is not None:
            return refusal
        answer: WriterState = {"state": wire.OK}
        lines_end = slot_end = 0
        for frame in arriving.frames:
            if frame.kind == wire.EVENTS:
                self._take_lines(arriving, frame, blocks)
                lines_end = max(lines_end, frame.offset + len(frame.data))
            elif frame.kind == wire.SLOTS:
                if answer["state"] == wire.LATER:  # a point must not come before its object
                    continue
                first = rows.slots_before(frame.file) + frame.offset
                blocks.points.append(rows.point_rows(arriving.rid, arriving.writer, first, frame.data).tobytes())
                slot_end = max(slot_end, first + len(frame.data) // 32)
            else:
                self._take_bytes(arriving, frame, request, blocks, answer)
        blocks.heads.append(self._head(arriving, (lines_end, slot_end)))
        return answer

    def _head(self, arriving: _ArrivingWriter, counts: tuple[int, int]) -> bytes:
        moment_s = time.time()
        return rows.head_row(
            self._project.name,
            arriving.run_hash,
            arriving.writer,
            counts,
            is_complete=bool(arriving.entry.get("complete")),
            alive_s=moment_s if arriving.entry.get("alive") or arriving.frames else 0.0,
            seen_us=round(moment_s * MICROSECONDS),
        )

    def _take_lines(self, arriving: _ArrivingWriter, frame: Frame, blocks: _Blocks) -> None:
        seen_us = round(time.time() * MICROSECONDS)
        project = self._project.name
        for start, line in rows.lines_of(frame.data, frame.offset):
            blocks.lines.append(rows.line_row(project, arriving.rid, arriving.writer, start, 0, line, seen_us))

    def _take_bytes(
        self, arriving: _ArrivingWriter, frame: Frame, request: Request, blocks: _Blocks, answer: WriterState
    ) -> None:
        """Put the bytes of a frame into the object store; where it is away, the answer is that objects come later."""
        label = request.files[frame.file] if frame.kind in wire.WHOLE_FILES else None
        if frame.kind == wire.EDIT and label is not None:
            identity = edit_identity(label["name"])
            blocks.lines.append(edit_row(self._project, arriving.run_hash, identity, frame.data))
            blocks.heads.append(edit_head(self._project.name, arriving.run_hash, identity))
            answer.setdefault("files", {})[label["name"]] = len(frame.data)
            return
        try:
            if label is not None:
                size_bytes = self._take_part(arriving, frame, label, blocks)
                answer.setdefault("files", {})[label["name"]] = size_bytes
                return
            key = part_key(arriving.rid, arriving.writer, frame.file, frame.offset, len(frame.data))
            self._project.objects.put(key, frame.data)
        except ObjectsUnavailable:
            if frame.kind == wire.SEALED:  # `later` is for objects and artifacts only
                raise
            answer["state"] = wire.LATER
            return
        blocks.parts.append(
            rows.part_row(arriving.rid, arriving.writer, frame.file, frame.offset, len(frame.data), key)
        )

    def _take_part(self, arriving: _ArrivingWriter, frame: Frame, label: Mapping[str, Any], blocks: _Blocks) -> int:
        """Store a part of a sealed file or of an artifact; return how many bytes of it are there."""
        size_bytes = int(label["bytes"])
        file = WholeFile(self._project.objects, arriving.rid, str(label["sha256"]), size_bytes)
        is_artifact = frame.kind == wire.ARTIFACT
        if is_artifact and frame.offset == 0 and file.is_whole():
            return size_bytes
        file.put(frame.offset, frame.data)
        end = frame.offset + len(frame.data)
        if end < size_bytes:
            return end
        present_bytes = file.present_bytes()
        if present_bytes < size_bytes:
            return present_bytes
        if size_bytes <= CHECKED_BYTES_MAX and not file.has_its_digest():
            file.delete()
            return 0
        if not is_artifact:
            with file.opened() as opened:
                block = sealed_rows(arriving.rid, arriving.writer, label["name"], opened.read())
            blocks.points.append(block)
            blocks.parts.append(sealed_part(arriving.rid, arriving.writer, str(label["sha256"]), size_bytes))
            counts = 0, SEALED + len(block) // rows.POINT_ROW.itemsize
            blocks.heads.append(self._head(arriving, counts))
        return size_bytes

    # what stands against it

    def _refusal(self, arriving: _ArrivingWriter) -> WriterState | None:
        line = arriving.begin_line()
        if self._was_deleted(arriving, line):
            return {"state": wire.GONE}
        if line is not None:
            begin = line.get("begin")
            number = begin.get("format") if isinstance(begin, dict) else None
            if isinstance(number, int) and number > layout.FORMAT_NUMBER:
                why = f"The run has format {number}; this server reads up to {layout.FORMAT_NUMBER}. Upgrade it."
                return {"state": wire.REFUSED, "why": why}
            return None
        sizes = self._sizes(arriving) if self._must_ask(arriving) else None
        return sizes if sizes is not None and _is_less(sizes, arriving.entry) else None

    def _must_ask(self, arriving: _ArrivingWriter) -> bool:
        with self._lock:
            is_present = (arriving.rid, arriving.writer) in self._present
        return not is_present or "has" in arriving.entry or "end" in arriving.entry

    def _sizes(self, arriving: _ArrivingWriter) -> WriterState | None:
        """Return how much of the writer is there, as the answer `behind` says it; None: all, as it is sealed."""
        writer = {"rid": arriving.rid, "writer": arriving.writer}
        where = "WHERE rid = {rid:FixedString(16)} AND writer = {writer:UInt32}"
        database, table = self._project.database, self._project.table
        ((slots_end,),) = database.rows(
            f"SELECT max(slots) FROM {table('heads')} WHERE project = {{project:String}} AND "
            "rid = {rid:FixedString(16)} AND writer = {writer:UInt32}",
            {"project": self._project.name, **writer},
        )
        if slots_end >= SEALED:
            return None
        lines = database.rows(f"SELECT start, length(line) FROM {table('lines')} FINAL {where} ORDER BY start", writer)
        slots = database.rows(f"SELECT slot FROM {table('points')} FINAL {where}", writer)
        parts = database.rows(
            f"SELECT file, start, bytes FROM {table('parts')} FINAL {where} "
            f"AND file < {SEALED_FILE} ORDER BY file, start",
            writer,
        )
        return {
            "state": wire.BEHIND,
            "events": _prefix(lines),
            "blobs": {str(file): _prefix([part[1:] for part in parts if part[0] == file]) for file, *_ in parts},
            "slots": _by_segment([slot for (slot,) in slots]),
        }

    def _was_deleted(self, arriving: _ArrivingWriter, line: dict[str, Any] | None) -> bool:
        deletion = self._project.marks.deletions().get(arriving.run_hash)
        if deletion is None:
            return False
        check_not_sweeping(self._project, arriving.run_hash)
        if arriving.entry.get("again"):
            self._project.marks.write(arriving.run_hash, RESTORED)
            return False
        if deletion.state == MAKING:
            return False
        if line is None and deletion.state == SWEPT and self._is_present(arriving):
            return False  # a writer that was begun after the deletion
        if line is None or events.seconds(line.get("at")) <= deletion.at_s:
            return True
        if deletion.state == DELETED:  # the run is begun again: what was deleted is not to be shown with it
            sweep_before(self._project, arriving.run_hash)
        return False

    def _is_present(self, arriving: _ArrivingWriter) -> bool:
        statement = (
            f"SELECT 1 FROM {self._project.table('lines')} "
            "WHERE rid = {rid:FixedString(16)} AND writer = {writer:UInt64} AND start = 0 LIMIT 1"
        )
        return bool(self._project.database.rows(statement, {"rid": arriving.rid, "writer": arriving.writer}))


def _prefix(spans: list[Any]) -> int:
    """Return up to where spans, each of an offset and a size, cover a file without a gap."""
    end = 0
    for start, size_bytes in sorted(spans):
        if start > end:
            break
        end = max(end, start + size_bytes)
    return end


def _by_segment(slots: list[int]) -> dict[str, int]:
    """Return how many of *slots* lie in each segment."""
    counts: dict[str, int] = {}
    segment, end = 0, rows.slots_before(1)
    for slot in sorted(slots):
        while slot >= end:
            segment += 1
            end = rows.slots_before(segment + 1)
        counts[str(segment)] = counts.get(str(segment), 0) + 1
    return counts


def _is_less(sizes: WriterState, entry: dict[str, Any]) -> bool:
    """Return whether less is there than the shipper believes, or nothing."""
    expected, end = entry.get("has", {}), entry.get("end")
    is_less = sizes["events"] < max(1, expected.get("events", 0))
    for name in ("blobs", "slots"):
        is_less = is_less or any(sizes[name].get(key, 0) < count for key, count in expected.get(name, {}).items())
    if end is not None:
        is_less = is_less or sum(sizes["slots"].values()) < end.get("slots", 0)
        is_less = is_less or len(sizes["blobs"]) < end.get("blobs", 0)
    return bool(is_less)
