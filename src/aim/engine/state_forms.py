"""
The state of a run as JSON, and back: what a server tells of a run, without points. Specified in docs/formats/wire.md,
section 12.

    server      RunState of files           ->  state_form   ->  JSON
    client      JSON                        ->  state_of     ->  RunState, with what the server knows of its writers

Params, properties and contexts have the JSON form of events.md, so nothing is lost on the way: NaN, keys that are ints,
bytes, and objects with their content.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aim.core import contexts, params
from aim.core.params import Restore
from aim.core.values import Loader, Stored
from aim.storage.forms.artifact_records import ArtifactRecord
from aim.storage.forms.check_ins import CheckIn
from aim.storage.forms.gaps import Gap
from aim.storage.forms.history import Deletion, ForkedFrom, Rewind
from aim.storage.forms.state import Damage, RunState, SequencePart, SequenceState, WriterInfo


@dataclass(frozen=True)
class StoredParam:
    """An object among params as it is stored, on its way from files to JSON."""

    kind: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    content: bytes = b""

    def stored(self) -> Stored:
        """Return the stored form."""
        return Stored(self.kind, self.fields, self.content or None)


def stored_param(kind: str, fields: Mapping[str, Any], load: Loader) -> StoredParam:
    """Keep an object of the params as it is stored; it is a `Restore`."""
    return StoredParam(kind, fields, load())


class DistantWriter(WriterInfo):
    """
    A writer of a run on a server.

    Attributes:
        is_recording: whether it still records: only the server sees its process and its files.
    """

    def __init__(self, id: str, is_recording: bool = False, **others: Any) -> None:
        super().__init__(id, **others)
        self.is_recording = is_recording

    def is_alive(self, now_s: float) -> bool:
        """Whether the writer recorded when the server was asked."""
        return self.is_recording

    def has_ended(self, now_s: float) -> bool:
        """Whether the writer had ended when the server was asked."""
        return not self.is_recording


# to JSON


def state_form(state: RunState, now_s: float) -> dict[str, Any]:
    """
    Return the form of a state, whose objects among the params are `StoredParam`s.

    Args:
        now_s: the time at which it is looked at.
    """
    origin, check_in = state.forked_from, state.check_in
    return {
        "run": state.run_hash,
        "params": params.encode(state.tree, strict=False),
        "properties": params.encode(state.properties, strict=False),
        "tags": list(state.tags.items()),
        "sequences": [sequence_form(sequence) for sequence in state.sequences.values()],
        "writers": [_writer_form(writer, now_s) for writer in state.writers.values()],
        "damage": [list(damage) for damage in state.damage],
        "latest_at": state.latest_at_s,
        "created_at": state.created_at_s,
        "check_in": None if check_in is None else list(check_in),
        "artifacts": [list(record) for record in state.artifacts.values()],
        "rewinds": [list(rewind) for rewind in state.rewinds],
        "forked_from": None if origin is None else list(origin),
        "gaps": [gap.to_event() for gap in state.gaps],
        "retractions": state.retraction_count,
    }


def sequence_form(sequence: SequenceState) -> dict[str, Any]:
    """Return the form of a sequence without its points."""
    return {
        "name": sequence.name,
        "context": params.encode(sequence.context, strict=False),
        "parts": [list(part) for part in sequence.parts],
        "dropped_at": sequence.dropped_at_s,
        "deletions": [
            [deletion.time_s, sorted(deletion.steps), None if deletion.items is None else sorted(deletion.items)]
            for deletion in sequence.deletions
        ],
    }


def _writer_form(writer: WriterInfo, now_s: float) -> dict[str, Any]:
    return {
        "writer": writer.id,
        "begin": params.encode(writer.begin, strict=False),
        "begun_at": writer.begun_at_s,
        "end": params.encode(writer.end, strict=False),
        "ended_at": writer.ended_at_s,
        "heard_at": writer.heard_at_s,
        "line_at": writer.line_at_s,
        "recording": writer.is_alive(now_s),
    }


# from JSON


def state_of(form: Mapping[str, Any], restore: Restore | None) -> RunState:
    """
    Return the state of a form.

    Args:
        restore: makes the objects among the params; without it they are dicts.
    """
    sequences = [sequence_of(sequence) for sequence in form["sequences"]]
    origin, check_in = form["forked_from"], form["check_in"]
    return RunState(
        form["run"],
        tree=params.decode(form["params"], restore),
        properties=params.decode_in_order(form["properties"]),
        tags=dict(form["tags"]),
        sequences={sequence.key: sequence for sequence in sequences},
        writers={writer["writer"]: _writer_of(writer) for writer in form["writers"]},
        sequences_by_number={(part.writer, part.number): sequence for sequence in sequences for part in sequence.parts},
        damage=[Damage(*damage) for damage in form["damage"]],
        latest_at_s=form["latest_at"],
        created_at_s=form["created_at"],
        check_in=check_in and CheckIn(*check_in),
        artifacts={record[0]: ArtifactRecord(*record) for record in form["artifacts"]},
        rewinds=tuple(Rewind(*rewind) for rewind in form["rewinds"]),
        forked_from=origin and ForkedFrom(*origin),
        gaps=tuple(Gap.from_event(gap) for gap in form["gaps"]),
        retraction_count=form["retractions"],
    )


def sequence_of(form: Mapping[str, Any]) -> SequenceState:
    """Return the sequence of a form."""
    context = params.decode_in_order(form["context"])
    return SequenceState(
        form["name"],
        context,
        contexts.text(context),
        [SequencePart(*part) for part in form["parts"]],
        dropped_at_s=form["dropped_at"],
        deletions=[
            Deletion(time_s, frozenset(steps), None if items is None else frozenset(items))
            for time_s, steps, items in form["deletions"]
        ],
    )


def _writer_of(form: Mapping[str, Any]) -> DistantWriter:
    return DistantWriter(
        form["writer"],
        begin=params.decode_in_order(form["begin"]),
        begun_at_s=form["begun_at"],
        end=params.decode_in_order(form["end"]),
        ended_at_s=form["ended_at"],
        heard_at_s=form["heard_at"],
        line_at_s=form["line_at"],
        is_recording=form["recording"],
    )
