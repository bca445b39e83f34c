"""
What a sealed file says of a sequence, from the lines of the run.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from aim.storage.forms.state import RunState


class SequenceDeclaration(NamedTuple):
    """Name, context and kind of one writer's sequence."""

    name: str
    context: dict[str, Any]
    kind: str


def declarations(state: RunState, writer_id: str) -> dict[int, SequenceDeclaration]:
    """Return what a writer declared, by sequence number."""
    return {
        part.number: SequenceDeclaration(sequence.name, sequence.context, part.kind)
        for sequence in state.sequences.values()
        for part in sequence.parts
        if part.writer == writer_id
    }


def undeclared(number: int, kind: str = "float") -> SequenceDeclaration:
    """
    Return the declaration of a sequence whose own one was lost.

    >>> undeclared(3)
    SequenceDeclaration(name='(unknown 3)', context={}, kind='float')
    """
    return SequenceDeclaration(unknown_name(number), {}, kind)


def unknown_name(number: int) -> str:
    """Return the name of a sequence whose name was lost."""
    return f"(unknown {number})"
