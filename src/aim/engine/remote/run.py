"""
A run of a server, as a `RunDoor`.

Records and bytes of objects never change once they are written, so those that were read are kept, and those of the
next points are read with them: who goes through the images of a sequence waits for one request in many.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from aim.core import params
from aim.core.errors import AimError, NotFound, ServerUnreachable, UsageError
from aim.core.params import Path as ParamPath
from aim.core.params import Restore
from aim.core.recent import Recent
from aim.engine.artifacts import RunFile, ServerFile
from aim.engine.door import RunDoor
from aim.engine.remote.points import SequenceAddress
from aim.engine.remote.refusals import error_of_body
from aim.engine.state_forms import sequence_of
from aim.storage.forms import blobs
from aim.storage.forms.history import Rewind
from aim.storage.reading.stored_objects import objects_of, visible_items, visible_record

if TYPE_CHECKING:
    from aim.engine.arrow_sequences import SentSequence
    from aim.engine.remote.door import ServerRuns
    from aim.engine.remote.project import Ahead, Project
    from aim.storage.forms.state import RunState, SequenceKey, SequenceState
    from aim.storage.reading.asked_points import AskedPoints
    from aim.storage.reading.points import Points

ENTRY = struct.Struct("<QI")
REFUSED_ENTRY = (1 << 64) - 1
RECORDS_MAX, RECORDS_AHEAD_MAX = 4_096, 256
DATA_BYTES_MAX, DATA_AHEAD_BYTES_MAX = 64 << 20, 4 << 20

DataKey = tuple[str, int, int]
"""The writer, the number of its blob file, the offset in it."""


class DistantRun(RunDoor):
    """
    The run *run_hash*; *rewind*: as it stood just before that rewind.

    Args:
        runs: what the repository knows of its runs.
    """

    def __init__(self, runs: ServerRuns, run_hash: str, rewind: Rewind | None = None) -> None:
        self._run_hash = run_hash
        self._runs = runs
        self._rewind = rewind
        self._objects = ServerObjects(runs.project, run_hash)

    @property
    def run_hash(self) -> str:
        return self._run_hash

    def state(self) -> RunState:
        state = self._runs.states.get(self._run_hash)
        if state is None:
            raise FileNotFoundError(f"There is no run {self._run_hash}.")
        return state

    def params(self) -> Any:
        return self.state().params

    def param(self, path: ParamPath) -> Any:
        return params.get_at(self.state().tree, path)

    def sequences(self) -> dict[SequenceKey, SequenceState]:
        before = None if self._rewind is None else list(self._rewind)
        with _gone_is_missing(self._run_hash):
            answer = self._runs.project.post("sequences", {"run": self._run_hash, "before": before})
        sequences = [sequence_of(form) for form in answer["sequences"]]
        return {sequence.key: sequence for sequence in sequences}

    def points(self, key: SequenceKey) -> Points | None:
        sent = self._runs.points.get(SequenceAddress(self._run_hash, *key, self._rewind))
        return None if sent is None else self._points_in(sent)

    def _points_in(self, sent: SentSequence) -> Points | None:
        if sent.error is not None:
            raise self._error(sent.error)
        return sent.points

    def asked_points(self, key: SequenceKey, missing: Exception) -> AskedPoints:
        from aim.storage.reading.asked_points import AskedPoints, LastPoints  # numpy: where points are read

        name = SequenceAddress(self._run_hash, *key, self._rewind)

        def read_all() -> Points:
            points = self.points(key)
            if points is None:
                raise missing
            return points

        def read_last(count: int) -> LastPoints:
            sent = self._runs.last_points.get(name) if count == 1 else self._runs.tail(name, count)
            points = None if sent is None else self._points_in(sent)
            if sent is None or points is None:
                raise missing
            if sent.total is None or sent.first is None:
                points = points if sent.total is None else read_all()  # a server of an earlier version
                return LastPoints(points, len(points), points.first() if len(points) else (0, None))
            return LastPoints(points, sent.total, sent.first)

        return AskedPoints(read_all, read_last)

    def points_of_many(self, keys: Iterable[SequenceKey] | None = None) -> dict[SequenceKey, Points]:
        names = [
            SequenceAddress(self._run_hash, *key, self._rewind) for key in (self.sequences() if keys is None else keys)
        ]
        return {key: points for key, (points, _) in self._sent(names, self._runs.points).items()}

    def last_points_of_many(self, keys: Iterable[SequenceKey]) -> dict[SequenceKey, tuple[Points, int]]:
        names = [SequenceAddress(self._run_hash, *key, self._rewind) for key in keys]
        return self._sent(names, self._runs.last_points)

    def _sent(
        self, names: Sequence[SequenceAddress], source: Ahead[SequenceAddress, SentSequence]
    ) -> dict[SequenceKey, tuple[Points, int]]:
        points_by_key = {}
        for name, sent in zip(names, source.get_many(names)):
            points = None if sent is None else self._points_in(sent)
            if sent is not None and points is not None:
                points_by_key[name.name, name.context_text] = (points, sent.total or len(points))
        return points_by_key

    def _error(self, body: Mapping[str, Any]) -> Exception:
        error = error_of_body(body)
        if isinstance(error, NotFound):
            return FileNotFoundError(f"There is no run {self._run_hash}.")
        return error or ServerUnreachable(str(body.get("message")))

    def record(self, points: Points, index: int) -> dict[str, Any]:
        return visible_record(self._objects.record(points, index), points, index)

    def items(self, points: Points, index: int) -> list[tuple[int, dict[str, Any]]]:
        return visible_items(self._objects.record(points, index), points, index)

    def objects(self, points: Points, index: int, restore: Restore) -> Any:
        writer, number, _ = _position(points, index)
        record = self.record(points, index)

        def read_data(offset: int) -> bytes:
            return self._objects.data((writer, number, offset), points, index)

        return objects_of(record, read_data, restore)

    def read_data(self, writer: str, number: int, offset: int) -> bytes:
        return self._objects.data((writer, number, offset))

    def before(self, rewind: Rewind) -> DistantRun:
        return DistantRun(self._runs, self._run_hash, rewind)

    def files(self) -> list[RunFile]:
        records = self.state().artifacts
        with _gone_is_missing(self._run_hash):
            listed = self._runs.project.send("GET", f"runs/{self._run_hash}")["artifacts"]
        return [
            ServerFile(
                form["name"],
                form["uri"] or "",
                form["size"],
                form["sha256"],
                None,
                form["name"] not in records or records[form["name"]].uri is None,
                form["here"],
                partial(self._runs.open_artifact, self._run_hash, form["name"]),
            )
            for form in listed
        ]

    def artifact_folder(self) -> Path:
        raise UsageError(f"Run {self._run_hash} is on a server: its artifacts are in no folder of this machine.")

    def artifact_uri(self, name: str) -> str:
        connection = self._runs.project.connection
        return f"{connection.address.origin}{connection.path(artifact_path(self._run_hash, name))}"


class _gone_is_missing:
    """Within the block the error of a run that is gone becomes FileNotFoundError, as that of a folder."""

    def __init__(self, run_hash: str) -> None:
        self._run_hash = run_hash

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if isinstance(error, NotFound):
            raise FileNotFoundError(f"There is no run {self._run_hash}.") from None


class ServerObjects:
    """The records and bytes of the objects of one run, those that were read lately."""

    def __init__(self, project: Project, run_hash: str) -> None:
        self._project = project
        self._run_hash = run_hash
        self._records: Recent[tuple[str, int, int], Mapping[str, Any]] = Recent(RECORDS_MAX)
        self._data: Recent[DataKey, bytes] = Recent(DATA_BYTES_MAX, len)
        self._record_rows, self._data_rows = _Rows(), _Rows()

    def record(self, points: Points, index: int) -> dict[str, Any]:
        """Return the record of the point at *index*, with deleted objects too. Raises DamagedFile."""
        key = _record_key(points, index)
        answer = self._records.lookup(key)
        if answer is None:
            rows = self._record_rows.ahead(index, len(points), RECORDS_AHEAD_MAX)
            keys = list(dict.fromkeys(_record_key(points, row) for row in rows))
            with _gone_is_missing(self._run_hash):
                answers = self._project.post("records", {"run": self._run_hash, "records": keys})["records"]
            for other, read in zip(keys, answers, strict=True):
                self._records.put(other, None, read)
            answer = answers[0]
        if answer["error"] is not None:
            raise _raised(answer["error"])
        return dict(answer["record"])

    def data(self, key: DataKey, points: Points | None = None, index: int = 0) -> bytes:
        """Return the bytes of a data entry; *points* and *index* tell whose it is, and which may be asked for next."""
        content = self._data.lookup(key)
        if content is not None:
            return content
        keys = [key, *(() if points is None else self._data_ahead(key, points, index))]
        with _gone_is_missing(self._run_hash):
            stream = self._project.stream("POST", "data", {"run": self._run_hash, "data": keys})
        with stream:
            body = stream.read()
        entries = _entries(body)
        first = next(entries)
        for other, entry in zip(keys[1:], entries, strict=False):
            if isinstance(entry, bytes):
                self._data.put(other, None, entry)
        if not isinstance(first, bytes):
            raise first
        if points is not None:
            self._data.put(key, None, first)
        return first

    def _data_ahead(self, key: DataKey, points: Points, index: int) -> Iterator[DataKey]:
        size_bytes = 0
        for row in self._data_rows.ahead(index, len(points), RECORDS_AHEAD_MAX):
            answer = self._records.lookup(_record_key(points, row))
            writer, number, _ = _position(points, row)
            for item in answer["record"]["items"] if answer and answer["record"] else ():
                other = (writer, number, item.get("data"))
                if item.get("data") is not None and other != key:
                    size_bytes += int(item.get("size") or 0)
                    if size_bytes > DATA_AHEAD_BYTES_MAX:
                        return
                    yield other


class _Rows:
    """Which rows are read together: twice as many each time while they are asked for in order."""

    def __init__(self) -> None:
        self._next, self._size = -1, 1

    def ahead(self, index: int, count: int, size_max: int) -> range:
        self._size = min(2 * self._size, size_max) if index == self._next else 1
        self._next = min(index + self._size, count)
        return range(index, self._next)


def artifact_path(run_hash: str, name: str) -> str:
    """Return the path of an artifact below that of its project."""
    return f"runs/{run_hash}/artifacts/{quote(name, safe='/')}"


def _position(points: Points, index: int) -> tuple[str, int, int]:
    number, offset = blobs.split_position(int(points.values[index]))
    return points.writer_ids[int(points.writers[index])], number, offset


def _record_key(points: Points, index: int) -> tuple[str, int, int]:
    writer = points.writer_ids[int(points.writers[index])]
    return writer, int(points.values[index]), int(points.steps[index])


def _entries(body: bytes) -> Iterator[bytes | AimError]:
    import json

    at = 0
    while at < len(body):
        length, refused_length = ENTRY.unpack_from(body, at)
        at += ENTRY.size
        if length == REFUSED_ENTRY:
            yield _raised(json.loads(body[at : at + refused_length]))
            at += refused_length
        else:
            yield body[at : at + length]
            at += length


def _raised(body: Mapping[str, Any]) -> AimError:
    return error_of_body(body) or ServerUnreachable(str(body.get("message")))
