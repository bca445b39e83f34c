"""
The types of sequences, by the name that users ask for them and by the kinds of values that they hold.

    metric          int, float, number (both)
    images ...      the kind of its object, or a list of it
"""

from __future__ import annotations

from collections.abc import Iterable

from aim.core.errors import UsageError

KINDS: dict[str, tuple[str, ...]] = {
    "metric": ("float", "float64", "int", "number"),
    "images": ("aim.image", "list(aim.image)"),
    "audios": ("aim.audio", "list(aim.audio)"),
    "texts": ("aim.text", "list(aim.text)"),
    "distributions": ("aim.distribution", "list(aim.distribution)"),
    "figures": ("aim.figure", "list(aim.figure)"),
    "videos": ("aim.video", "list(aim.video)"),
    "tables": ("aim.table", "list(aim.table)"),
    "logs": ("aim.log_line",),
    "log_records": ("aim.log_record",),
}

LINES_NAME = "logs"
RECORDS_NAME = "__log_records"


class InvalidSequenceType(UsageError, ValueError):
    """A name that is no type of sequences."""


def check_types(sequence_types: str | Iterable[str]) -> tuple[str, ...]:
    """
    Return the names as a tuple.

    Raises:
        InvalidSequenceType: one of them is no type.

    >>> check_types("metric")
    ('metric',)
    """
    names = (sequence_types,) if isinstance(sequence_types, str) else tuple(sequence_types)
    for name in names:
        if name not in KINDS:
            raise InvalidSequenceType(f"'{name}' is not a valid Sequence. The types are: {', '.join(KINDS)}.")
    return names


def type_of(kind: str) -> str | None:
    """
    Return the type of sequences that hold *kind*, or None when no type does.

    >>> type_of("list(aim.image)"), type_of("list(float)")
    ('images', None)
    """
    for name, kinds in KINDS.items():
        if kind in kinds:
            return name
    return None
