"""
A run of a cluster as a folder for a while, for what works on folders: archives, forks.

    rows and objects  ->  requests, as a shipper sends them  ->  the receiver of a folder  ->  files

The receiver writes the files of whoever recorded: the same lines, slots, bytes of objects and edits. Times of points
have the microseconds that readers show.
"""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from aim.core.clock import MICROSECONDS
from aim.core.errors import RunNotFound, Unavailable
from aim.storage.cluster import rows
from aim.storage.cluster.cluster_edits import edit_name
from aim.storage.cluster.cluster_files import PartsFile, WholeFile, blob_parts
from aim.storage.cluster.cluster_intake import Answer, ClusterIntake
from aim.storage.cluster.cluster_lines import ClusterLines, line_rows
from aim.storage.cluster.cluster_marks import AGE_S, MAKING, RESTORED, WAIT_S
from aim.storage.cluster.cluster_project import ClusterProject
from aim.storage.cluster.cluster_sealed import SEALED, sealed_file
from aim.storage.forms.artifact_records import FILES_FOLDER
from aim.storage.forms.records import RECORD_DTYPE
from aim.storage.forms.run_log import RunLog
from aim.storage.shipping import frames as wire
from aim.storage.shipping.delivery import deliver
from aim.storage.shipping.frames import Frame
from aim.storage.shipping.receiving import Receiver
from aim.storage.store import Store

PIECE_BYTES = 2 << 20
SLOT_COLUMNS = np.dtype(
    [("number", "<u4"), ("step", "<i8"), ("slot", "<u8"), ("time", "<i8"), ("value", "<f8"), ("epoch", "<f4")]
)


@contextmanager
def scratch_of(project: ClusterProject, run_hash: str) -> Iterator[Store]:
    """
    Within a `with` block: a repository in a temporary folder that has one run of *project*, as it is now.

    Raises:
        RunNotFound: there is no such run.
        ClusterUnavailable, ObjectsUnavailable: a part of the cluster is away.
        OSError: the disk of the server refuses.

    Cost: reads all of the run; about 1 us a point.
    """
    with tempfile.TemporaryDirectory(prefix="aim-cluster-") as folder:
        store = Store(Path(folder) / ".aim", create=True)
        _ReadBack(project, run_hash, store).write()
        yield store


def fork_run(project: ClusterProject, run_hash: str, step: int, *, name: str | None = None) -> str:
    """
    Make a new run of what a run shows up to *step*; return its hash. Raises as `scratch_of` does.

    It is hidden until it is whole: of a server that is killed meanwhile another one removes what there is of it.

    Cost: that of `scratch_of`, of sending the run, and two seconds.
    """
    from aim.storage.care import forking  # it imports what reads Parquet

    with scratch_of(project, run_hash) as store:
        child = forking.fork_run(store, run_hash, step, name=name)
        intake = _HiddenIntake(project, child)
        deliver(store.run_folder(child), intake)
        intake.show()
        return child


def write_archive(project: ClusterProject, run_hash: str, target: BinaryIO) -> None:
    """Write a run as an archive, as that of a folder. Raises as `scratch_of` does."""
    from aim.storage.care import archive

    with scratch_of(project, run_hash) as store:
        archive.write_archive(store, target, run_hashes=[run_hash])


class _HiddenIntake(ClusterIntake):
    """Receives a run that is hidden until `show` is called."""

    def __init__(self, project: ClusterProject, run_hash: str) -> None:
        super().__init__(project)
        self._run_hash = run_hash
        self._marked_s = project.marks.write(run_hash, MAKING)
        time.sleep(AGE_S)  # until every server has seen the mark: else some would show a part of the run

    def receive(self, body: bytes) -> Answer:
        """Take a request, and say from time to time that the run is still being made."""
        if time.time() - self._marked_s > WAIT_S:
            self._marked_s = self._project.marks.write(self._run_hash, MAKING)
        return super().receive(body)

    def show(self) -> None:
        """Show the run. Raises Unavailable: another server has held this one to be gone, and removes the run."""
        deletion = self._project.marks.deletions().get(self._run_hash)
        if deletion is None or deletion.state != MAKING:
            raise Unavailable("It took too long to copy the run. Try again.")
        self._project.marks.write(self._run_hash, RESTORED)
        time.sleep(AGE_S)  # until every server has seen the mark


class _ReadBack:
    """Sends one run of a project to the receiver of a folder."""

    def __init__(self, project: ClusterProject, run_hash: str, store: Store) -> None:
        self._project = project
        self._run_hash = run_hash
        self._rid = project.rid(run_hash)
        self._receiver = Receiver(store)
        self._shipper = os.urandom(8).hex()
        self._number = 0

    def write(self) -> None:
        """Write all that is there."""
        lines = ClusterLines(self._project, self._run_hash)
        state = RunLog(Path(self._run_hash), None, lines).refresh()
        by_writer, edits = line_rows(self._project, self._run_hash)
        by_writer = {writer_id: content for writer_id, content in by_writer.items() if writer_id in state.writers}
        for writer_id, content in by_writer.items():
            if content:
                self._write_writer(writer_id, content, is_complete=state.writers[writer_id].is_complete)
        if by_writer:
            owner = min(by_writer)
            for identity, content in edits.items():
                self._send_file(owner, wire.EDIT, edit_name(*identity), content)
            self._write_artifacts(owner, state.artifacts.values())
        self._receiver.close()

    def _write_writer(self, writer_id: str, content: bytes, *, is_complete: bool) -> None:
        self._send_pieces(writer_id, wire.EVENTS, 0, content, is_begin=True)
        number = rows.writer_number(writer_id)
        sealed = sealed_file(self._project, self._rid, number)
        for file, parts in self._blob_files(number).items():
            again = partial(blob_parts, self._project, self._rid, number, file)
            self._send_pieces(writer_id, wire.BLOBS, file, PartsFile(self._project.objects, parts, again).readall())
        if sealed is None:
            self._write_slots(writer_id, number)
        else:
            with sealed.opened() as file_of_points:
                self._send_file(writer_id, wire.SEALED, f"{writer_id}.points.parquet", file_of_points.read())
        if is_complete:
            self._send(writer_id, [], {"complete": True})

    def _write_slots(self, writer_id: str, number: int) -> None:
        recorded = self._project.database.array(
            f"SELECT number, step, slot, time, value, epoch FROM {self._project.table('points')} FINAL "
            "WHERE rid = {rid:FixedString(16)} AND writer = {writer:UInt32} AND slot < {sealed:UInt64} ORDER BY slot",
            SLOT_COLUMNS,
            {"rid": self._rid, "writer": number, "sealed": SEALED},
        )
        segment = 0
        while len(recorded):
            start, stop = rows.slots_before(segment), rows.slots_before(segment + 1)
            count = int(np.searchsorted(recorded["slot"], stop))
            if count:
                slots = _slots(recorded[:count], start)
                piece_slots = PIECE_BYTES // slots.itemsize
                for first in range(0, len(slots), piece_slots):
                    data = slots[first : first + piece_slots].tobytes()
                    self._send(writer_id, [Frame(wire.SLOTS, 0, segment, first, data)])
            recorded = recorded[count:]
            segment += 1

    def _blob_files(self, number: int) -> dict[int, list[tuple[int, int, str]]]:
        parts = self._project.database.rows(
            f"SELECT file, start, bytes, key FROM {self._project.table('parts')} FINAL "
            "WHERE rid = {rid:FixedString(16)} AND writer = {writer:UInt32} AND file < {max:UInt32} "
            "ORDER BY file, start",
            {"rid": self._rid, "writer": number, "max": wire.FILE_MAX},
        )
        files: dict[int, list[tuple[int, int, str]]] = {}
        for file, start, size_bytes, key in parts:
            files.setdefault(file, []).append((start, size_bytes, key))
        return files

    def _write_artifacts(self, owner: str, records: Any) -> None:
        for record in records:
            file = WholeFile(self._project.objects, self._rid, record.sha256, record.size_bytes)
            if record.uri is None and file.is_whole():
                label = {"name": f"{FILES_FOLDER}/{record.name}", "bytes": record.size_bytes, "sha256": record.sha256}
                with file.opened() as opened:
                    self._send_whole(owner, wire.ARTIFACT, label, opened)

    # requests

    def _send_pieces(self, writer_id: str, kind: int, file: int, content: bytes, *, is_begin: bool = False) -> None:
        for start in range(0, len(content), PIECE_BYTES):
            frame = Frame(kind, 0, file, start, content[start : start + PIECE_BYTES])
            self._send(writer_id, [frame], {"begin": True} if is_begin and not start else {})

    def _send_file(self, writer_id: str, kind: int, name: str, content: bytes) -> None:
        label = {"name": name, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        self._send_whole(writer_id, kind, label, io.BytesIO(content))

    def _send_whole(self, writer_id: str, kind: int, label: dict[str, Any], content: BinaryIO) -> None:
        offset = 0
        while True:
            piece = content.read(PIECE_BYTES)
            if not piece and offset:
                break
            self._send(writer_id, [Frame(kind, 0, 0, offset, piece)], files=[label])
            offset += len(piece)
            if not piece:
                break

    def _send(
        self,
        writer_id: str,
        frames: list[Frame],
        flags: dict[str, Any] | None = None,
        files: list[dict[str, Any]] | None = None,
    ) -> None:
        self._number += 1
        header = {
            "shipper": self._shipper,
            "number": self._number,
            "pid": os.getpid(),
            "host": "cluster",
            "writers": [{"run": self._run_hash, "writer": writer_id, **(flags or {})}],
            "files": files or [],
        }
        (state,) = self._receiver.receive(wire.encode(header, frames))["writers"]
        if state["state"] != wire.OK:
            raise RunNotFound(f"Run {self._run_hash!r} can't be put together: {state}")


def _slots(recorded: np.ndarray[Any, np.dtype[np.void]], start: int) -> np.ndarray[Any, np.dtype[np.void]]:
    """Return records of a journal from its first slot to the last one of *recorded*; the others are empty."""
    offsets = (recorded["slot"] - np.uint64(start)).astype(np.int64)
    slots = np.zeros(int(offsets[-1]) + 1, RECORD_DTYPE)
    slots["sequence"][offsets] = recorded["number"]
    slots["step"][offsets] = recorded["step"]
    slots["time"][offsets] = recorded["time"] / MICROSECONDS
    slots["value"][offsets] = recorded["value"]
    slots["epoch"][offsets] = recorded["epoch"]
    return slots
