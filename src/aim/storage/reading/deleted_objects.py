"""
The stored objects of a run that were deleted, by the positions of their records: an old address of such an object is
then refused.

    position of a record (writer, blobs.pack_position)  ->  None: all its objects; or the indices of some
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from aim.storage.forms.state import RunState, SequenceState
from aim.storage.forms.visible import Visibility, microseconds
from aim.storage.reading.reader import RunReader

RecordKey = tuple[str, int]
DeletedItems = Mapping[RecordKey, frozenset[int] | None]


def has_deleted(state: RunState) -> bool:
    """Return whether objects of a run were deleted. Cost: no points are read."""
    return any(_has_deleted(sequence) for sequence in state.sequences.values())


def _has_deleted(sequence: SequenceState) -> bool:
    return bool(sequence.dropped_at_s or sequence.deletions) and not sequence.is_numeric


def deleted_objects(reader: RunReader, state: RunState) -> DeletedItems:
    """Return all records of which objects were deleted. Cost: reads the points of the sequences concerned."""
    deleted: dict[RecordKey, frozenset[int] | None] = {}
    for sequence in state.sequences.values():
        if not _has_deleted(sequence):
            continue
        visibility = Visibility((), sequence.dropped_at_s, tuple(sequence.deletions))
        for chunk in reader.recorded_chunks(sequence, state):
            is_hidden = ~visibility.visible_mask(chunk.steps, chunk.times_us)
            deleted |= {(chunk.writer, int(position)): None for position in chunk.values[is_hidden].tolist()}
            for deletion in sequence.deletions:
                if deletion.items is None:
                    continue
                steps = np.fromiter(deletion.steps, np.int64, len(deletion.steps))
                is_meant = np.isin(chunk.steps, steps) & (chunk.times_us <= microseconds(deletion.time_s)) & ~is_hidden
                for position in chunk.values[is_meant].tolist():
                    key = (chunk.writer, int(position))
                    deleted[key] = (deleted.get(key) or frozenset()) | deletion.items
    return deleted
