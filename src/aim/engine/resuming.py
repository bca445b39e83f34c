"""
Recording on into a run that exists: when its last writer wrote, and the steps that its sequences have reached.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from aim.core.errors import NotFound
from aim.storage.forms import history
from aim.storage.forms.state import RunState, SequenceState
from aim.storage.recording.sequence_writer import EarlierWriters
from aim.storage.recording.sequences import ReadEarlier
from aim.storage.recording.writer import Writer

if TYPE_CHECKING:
    from aim.engine.run_readers import RunReaders
    from aim.storage.backend import Backend
    from aim.storage.forms.state import SequenceKey


def resume_run(backend: Backend, readers: RunReaders, run_hash: str) -> Writer:
    """
    Begin to record into a run that exists. Raises RunNotFound, and DiskRefused as `Repository.new_run`.

    The times of the new writer come after those that the run has, however wrong the clocks are.
    """
    try:
        latest_at_s = readers.state(run_hash).latest_at_s
    except OSError:  # deleted meanwhile, or unreadable: recording is possible all the same
        latest_at_s = 0.0
    writer = backend.resume_writer(run_hash, _earlier_reader(readers, run_hash))
    writer.sequences.advance_clock(latest_at_s)
    return writer


def _earlier_reader(readers: RunReaders, run_hash: str) -> ReadEarlier:
    def read() -> Mapping[SequenceKey, EarlierWriters]:
        try:
            return earlier_writers(readers, run_hash)
        except (NotFound, FileNotFoundError):  # deleted meanwhile: the training goes on all the same
            return {}

    return read


def earlier_writers(readers: RunReaders, run_hash: str) -> Mapping[SequenceKey, EarlierWriters]:
    """
    Return what the writers of a run recorded of each sequence, so that a new writer continues at the next step.

    Cost: for writers that ended properly, one line; for others their points are read.
    """
    state = readers.state(run_hash)
    earlier: dict[SequenceKey, EarlierWriters] = {}
    for key, sequence in state.sequences.items():
        next_step, is_known = _next_step(state, sequence)
        if not is_known:  # points that rewinds hide are left out here
            points = readers.reader(run_hash).points(key)
            if points is not None and len(points):
                next_step = max(next_step, int(points.steps[-1]) + 1)
        earlier[key] = EarlierWriters(frozenset(part.kind for part in sequence.parts), next_step)
    return earlier


def _next_step(state: RunState, sequence: SequenceState) -> tuple[int, bool]:
    """Return the step after the last one, by the writers that noted it at their end; and whether all of them did."""
    next_step, is_known = 0, True
    rewinds = state.rewinds if sequence.is_rewound else ()
    for part in sequence.parts:
        writer = state.writers[part.writer]
        noted = writer.end.get("next", ()) if writer.end else ()
        if 0 < part.number <= len(noted):
            later = [rewind for rewind in rewinds if rewind.time_s > (writer.ended_at_s or 0.0)]
            next_step = max(next_step, history.next_step(noted[part.number - 1], later))
        else:
            is_known = False
    return next_step, is_known
