"""
The types of sequences that users ask for, and the types of values (dtypes) that each holds; from `aim.core.kinds`.
"""

from __future__ import annotations

from collections.abc import Iterable

from aim.core.errors import UsageError
from aim.core.kinds import METRIC, OBJECT_KINDS, stored_kinds

AIM3_FLOAT = "float64"  # Aim 3 called floats of numpy so; callers still ask for it

KINDS: dict[str, tuple[str, ...]] = {
    METRIC: tuple(sorted({*stored_kinds(METRIC), AIM3_FLOAT})),
    **{kind.subject: kind.stored_names for kind in OBJECT_KINDS},
}
"""The dtypes of each type of sequences."""


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
