"""
The lines of one run from the table `lines`; a `LineSource`.

Rows may come in any order, and a server may be asked before the rows of another one are there. So the lines of a writer
are read up to the first gap, and rows are asked again for as long as another server may be inserting them.
"""

from __future__ import annotations

from typing import Any

from aim.core.clock import MICROSECONDS
from aim.core.errors import RunNotFound
from aim.storage.cluster import rows
from aim.storage.cluster.cluster_edits import edit_name
from aim.storage.cluster.cluster_heads import LATE_US
from aim.storage.cluster.cluster_project import ClusterProject
from aim.storage.cluster.read_ahead import ReadAhead, WriterHead
from aim.storage.forms import events
from aim.storage.forms.fold import Line
from aim.storage.forms.run_log import LineCollection
from aim.storage.forms.state import WriterInfo


class ClusterLines(LineCollection):
    """The lines of the run *run_hash*."""

    def __init__(self, project: ClusterProject, run_hash: str, ahead: ReadAhead | None = None) -> None:
        self._ahead = ahead or ReadAhead(project)
        self._points = self._ahead.points_of(run_hash)  # held, so that they are those of the reader
        self._project = project
        self._run_hash = run_hash
        self._rid = project.rid(run_hash)
        super().__init__()

    def _forget(self) -> None:
        super()._forget()
        self._waiting: dict[str, dict[int, bytes]] = {}  # by writer: lines that were not taken, by their offsets
        self._edits: set[tuple[int, int]] = set()
        self._seen_us = 0

    def read(self) -> list[Line] | None:
        """
        Return the new lines; see `LineSource`. Raises ClusterUnavailable.

        Those of writers without a head wait: an import inserts heads when all of it is there.

        Cost: two statements; of a run that did not change, some milliseconds.
        """
        heads, inserted = self._ahead.heads_and_lines(self._run_hash)
        if not self._take_heads(heads):
            self._forget()
            return None
        if inserted is None:
            inserted = self._project.database.rows(
                "SELECT writer, start, nonce, base64Encode(line), toUnixTimestamp64Micro(seen) "
                f"FROM {self._project.table('lines')} FINAL WHERE rid = {{rid:FixedString(16)}} "
                "AND toUnixTimestamp64Micro(seen) >= {seen:Int64}",
                {"rid": self._rid, "seen": self._seen_us - LATE_US},
            )
        fresh: list[Line] = []
        for number, start, nonce, line, seen_us in inserted:
            self._seen_us = max(self._seen_us, seen_us)
            content = _decoded(line)
            if number == rows.EDITS:
                fresh += self._take_new_edit((start, nonce), content)
            else:
                self._keep(rows.writer_id(number), start, content)
        for writer in self._waiting.keys() & self.writers.keys():
            fresh += self._take_contiguous(writer)
        return fresh

    def created_at_s(self) -> float:
        """Return when the first row of the run was inserted."""
        table = self._project.table("lines")
        ((seen_us,),) = self._project.database.rows(
            f"SELECT toUnixTimestamp64Micro(min(seen)) FROM {table} WHERE rid = {{rid:FixedString(16)}}",
            {"rid": self._rid},
        )
        return float(seen_us) / MICROSECONDS

    def _take_heads(self, heads: list[WriterHead]) -> bool:
        """Take which writers there are; return whether all that were there before still are."""
        if not heads:
            raise RunNotFound(f"There is no run {self._run_hash!r} in '{self._project.address}'.")
        for number, complete, alive_s, *_ in heads:
            if complete == rows.WITHDRAWN:
                if rows.writer_id(number) in self.writers:
                    return False
                continue
            if number == rows.EDITS:
                continue
            writer = self.writers.setdefault(rows.writer_id(number), WriterInfo(rows.writer_id(number)))
            writer.heard_at_s = alive_s
            writer.is_complete = bool(complete)
        return True

    def _take_new_edit(self, identity: tuple[int, int], content: bytes) -> list[Line]:
        if identity in self._edits:
            return []
        self._edits.add(identity)
        return self.take_edit(content, edit_name(*identity))

    def _keep(self, writer_id: str, offset: int, line: bytes) -> None:
        writer = self.writers.get(writer_id)
        if writer is None or offset + len(line) > writer.offset:
            self._waiting.setdefault(writer_id, {})[offset] = line

    def _take_contiguous(self, writer_id: str) -> list[Line]:
        writer, waiting = self.writers[writer_id], self._waiting[writer_id]
        start = writer.offset
        content = rows.contiguous(
            (max(0, offset - start), line[max(0, start - offset) :]) for offset, line in waiting.items()
        )
        lines = events.parse(content, start)
        fresh = self.take_events(writer, lines, f"{writer_id}.events.jsonl")
        for offset in [offset for offset, line in waiting.items() if offset + len(line) <= writer.offset]:
            del waiting[offset]
        return fresh


def line_rows(project: ClusterProject, run_hash: str) -> tuple[dict[str, bytes], dict[tuple[int, int], bytes]]:
    """
    Return the event file of each writer of a run up to its first gap, and the edits by their identities.

    Raises:
        ClusterUnavailable.
    """
    inserted = project.database.rows(
        f"SELECT writer, start, nonce, base64Encode(line) FROM {project.table('lines')} FINAL "
        "WHERE rid = {rid:FixedString(16)}",
        {"rid": project.rid(run_hash)},
    )
    lines: dict[str, list[tuple[int, bytes]]] = {}
    edits: dict[tuple[int, int], bytes] = {}
    for number, start, nonce, line in inserted:
        if number == rows.EDITS:
            edits[start, nonce] = _decoded(line)
        else:
            lines.setdefault(rows.writer_id(number), []).append((start, _decoded(line)))
    return {writer: rows.contiguous(of_writer) for writer, of_writer in lines.items()}, edits


def _decoded(line: Any) -> bytes:
    import base64

    return base64.b64decode(line)
