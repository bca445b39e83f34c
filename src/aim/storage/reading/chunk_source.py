"""
What a `RunReader` asks of the place where the points of a run are.

    ChunkSource    one run     ->  of each writer its `WriterPoints`, and the records of objects
    WriterPoints   one writer  ->  of each part of a sequence a `Chunk`, or whole `Points` when nothing has to be merged

`folder_source` implements both over the files of a run's folder. Another place of storage implements these two, and
merging, visibility and caching stay the same.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator
from typing import Any, Protocol

from aim.storage.forms.state import SequenceKey, SequencePart, SequenceState, WriterInfo
from aim.storage.reading.points import Chunk, Points


class WriterPoints(Protocol):
    """What one writer recorded."""

    def chunk(self, part: SequencePart) -> Chunk:
        """Return all points of a part, hidden or not, in the order of recording."""

    def ordered_points(self, part: SequencePart) -> Points | None:
        """Return the points of a part that is its whole sequence; None when its steps do not increase."""

    def undeclared(self, declared_numbers: Collection[int]) -> list[SequenceState]:
        """Return the sequences whose numbers are not in *declared_numbers*: their declarations were lost."""


class ChunkSource(Protocol):
    """
    The points and objects of one run. One thread at a time asks it.

    Attributes:
        run_hash: the run.
        run_key: identifies the run among all runs that the process reads.
    """

    run_hash: str
    run_key: Hashable

    def points_of_writer(self, writer: WriterInfo) -> WriterPoints | None:
        """Return what a writer has recorded by now; None when it cannot be read."""

    def is_unchanging(self, writer_id: str) -> bool:
        """Return whether the points of a writer were read from a form that does not change any more."""

    def journal_point_count(self, writer_ids: Collection[str]) -> float:
        """Return how many points are in memory, when all of these writers have ended journals; else infinity."""

    def held_bytes(self) -> int:
        """Return about how many bytes of memory are held, so that what reads many runs can stay within a bound."""

    def use_sole_writer(self, writer_id: str, stamp: int) -> None:
        """Expect that all points are what one writer has sealed, while *stamp* is that of the run."""

    def sole_parts(self, keys: Collection[SequenceKey]) -> dict[SequenceKey, tuple[WriterPoints, SequencePart]]:
        """Return sequences of the expected sole writer, without those for which the run's state has to be asked."""

    def record_of_step(self, writer_id: str, position: int, step: int) -> dict[str, Any]:
        """Return the record of the objects of one point, from its position. Raises DamagedFile."""

    def read_record(self, writer_id: str, file_number: int, offset: int) -> dict[str, Any]:
        """Return a record as it is stored. Raises FileNotFoundError and DamagedFile."""

    def read_data(self, writer_id: str, file_number: int, offset: int) -> bytes:
        """Return the bytes of one object. Raises FileNotFoundError and DamagedFile."""

    def read_data_part(self, writer_id: str, file_number: int, offset: int, start: int, stop: int) -> bytes:
        """Return some bytes of one object, unchecked; nothing else is read. Raises FileNotFoundError, DamagedFile."""

    def data_chunks(self, writer_id: str, file_number: int, offset: int, chunk_bytes: int) -> Iterator[bytes]:
        """Go through the bytes of one object in chunks. Raises FileNotFoundError, and DamagedFile before the last."""
