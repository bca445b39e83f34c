"""
Which stored objects were deleted, by their place in the blob files: so that nobody hands out the bytes by a place that
somebody remembers.

    place of a record (writer, blobs.pack_position)  ->  None: all of it, or the places in its list
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
    """Return whether objects of a run were deleted, without looking at its points."""
    return any(_is_concerned(facts) for facts in state.sequences.values())


def _is_concerned(facts: SequenceState) -> bool:
    return bool(facts.dropped_at_s or facts.deletions) and not facts.is_numeric


def deleted_objects(reader: RunReader, state: RunState) -> DeletedItems:
    """Return all records of which something was deleted. Cost: reads the points of the sequences concerned."""
    found: dict[RecordKey, frozenset[int] | None] = {}
    for facts in state.sequences.values():
        if not _is_concerned(facts):
            continue
        visibility = Visibility((), facts.dropped_at_s, tuple(facts.deletions))
        for chunk in reader.recorded_chunks(facts, state):
            gone = ~visibility.visible_mask(chunk.steps, chunk.times_us)
            found |= {(chunk.writer, int(where)): None for where in chunk.values[gone].tolist()}
            for deletion in facts.deletions:
                if deletion.items is None:
                    continue
                steps = np.fromiter(deletion.steps, np.int64, len(deletion.steps))
                meant = np.isin(chunk.steps, steps) & (chunk.times_us <= microseconds(deletion.time_s)) & ~gone
                for where in chunk.values[meant].tolist():
                    known = found.get((chunk.writer, int(where))) or frozenset()
                    found[(chunk.writer, int(where))] = known | deletion.items
    return found
