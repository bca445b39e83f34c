"""
A run of a folder, as a `RunDoor`: its state and params without points, its points by the reader that is kept for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aim.core.params import Path as ParamPath
from aim.core.params import Restore
from aim.engine.door import RunDoor
from aim.storage.forms.history import Rewind

if TYPE_CHECKING:
    from aim.engine.artifacts import RunFile
    from aim.engine.run_readers import RunReaders
    from aim.storage.forms.run_log import RunLog
    from aim.storage.forms.state import RunState, SequenceKey, SequenceState
    from aim.storage.reading.points import Points
    from aim.storage.reading.reader import RunReader


class OpenRun(RunDoor):
    """
    The run *run_hash*; *rewind*: as it stood just before that rewind.

    Raises:
        RunNotFound: there is no such run.
    """

    def __init__(self, readers: RunReaders, run_hash: str, rewind: Rewind | None = None) -> None:
        readers.backend.check_exists(run_hash)
        self._run_hash = run_hash
        self._readers = readers
        self._rewind = rewind
        self._held_log: RunLog | None = None

    @property
    def run_hash(self) -> str:
        return self._run_hash

    @property
    def _log(self) -> RunLog:
        # made when the lines are first asked for, and held: of a sealed run the points are there without them
        if self._held_log is None:
            self._held_log = self._readers.log(self._run_hash)
        return self._held_log

    @property
    def _reader(self) -> RunReader:
        # not kept: a run of a deleted one's name has another reader
        if self._rewind is None:
            return self._readers.reader(self.run_hash)
        return self._readers.reader_before(self.run_hash, self._rewind)

    def state(self) -> RunState:
        return self._log.refresh()

    def params(self) -> Any:
        self._log.refresh()
        return self._log.params

    def param(self, path: ParamPath) -> Any:
        self._log.refresh()
        return self._log.param(path)

    def sequences(self) -> dict[SequenceKey, SequenceState]:
        return self._reader.sequences()

    def points(self, key: SequenceKey) -> Points | None:
        return self._reader.points(key)

    def points_of_many(self, keys: Iterable[SequenceKey] | None = None) -> dict[SequenceKey, Points]:
        return self._reader.points_of_many(keys)

    def asked_points(self, key: SequenceKey, missing: Exception) -> Points:
        points = self.points(key)
        if points is None:
            raise missing
        return points

    def last_points_of_many(self, keys: Iterable[SequenceKey]) -> dict[SequenceKey, tuple[Points, int]]:
        return {key: (points, len(points)) for key, points in self.points_of_many(keys).items()}

    def record(self, points: Points, index: int) -> dict[str, Any]:
        return self._reader.record(points, index)

    def items(self, points: Points, index: int) -> list[tuple[int, dict[str, Any]]]:
        return self._reader.items(points, index)

    def objects(self, points: Points, index: int, restore: Restore) -> Any:
        return self._reader.objects(points, index, restore)

    def read_data(self, writer: str, number: int, offset: int) -> bytes:
        return self._reader.read_data(writer, number, offset)

    def record_of_step(self, writer: str, position: int, step: int) -> dict[str, Any]:
        """Return the record at a position, with deleted objects too. Raises DamagedFile, and ValueError for a step
        that it has not."""
        from aim.storage.reading.reader import record_of_step  # a training reads no objects

        return record_of_step(self._reader, writer, position, step)

    def before(self, rewind: Rewind) -> OpenRun:
        return OpenRun(self._readers, self.run_hash, rewind)

    def files(self) -> list[RunFile]:
        from aim.engine.artifacts import artifacts_of, stored_artifacts  # a training lists none

        backend, records = self._readers.backend, self.state().artifacts
        if backend.files is None:
            return stored_artifacts(records, partial(backend.open_artifact, self.run_hash))
        return artifacts_of(self.artifact_folder(), records)

    def artifact_folder(self) -> Path:
        return self._readers.artifacts_folder(self.run_hash)

    def artifact_uri(self, name: str) -> str:
        return (self.artifact_folder() / name).as_uri()
