"""
Which kinds of values a sequence takes: numbers go with numbers, a list with lists of the same, anything else only with
its own kind. Each kind that this writer records gets a number, which stands in its records.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from aim.core.errors import IncompatibleValue
from aim.core.kinds import is_number, list_of
from aim.core.logs import log
from aim.core.values import Deferred, Stored, short_text

PLAIN_LIST_KINDS = frozenset({"list(int)", "list(float)", "list(str)", "list(bool)"})


class SequenceKinds:
    """
    The kinds of one sequence.

    Attributes:
        names: the kinds so far, those included that other writers recorded.
        numbers: by kind, the number that this writer gave it.
    """

    __slots__ = ("names", "numbers")

    def __init__(self, earlier: Collection[str] = ()) -> None:
        self.names = set(earlier)
        self.numbers: dict[str, int] = {}

    def check(self, kind: str, sequence: str, value: object) -> None:
        """
        Check that *value*, which is of *kind*, may follow.

        Raises:
            IncompatibleValue: the sequence holds values of another kind.
        """
        for earlier in tuple(self.names):
            if not _go_together(kind, earlier):
                advice = f"It holds {earlier}, and this is {kind}. Use another name or context."
                raise IncompatibleValue(short_text(value, str), sequence, advice)

    def add(self, kind: str, number: int, sequence: str) -> None:
        """Note the number of a kind; warn of what is allowed and seldom meant."""
        self.numbers[kind] = number
        self.names.add(kind)
        if kind in PLAIN_LIST_KINDS:
            log.warning(
                "Sequence %r holds lists of plain values, which no query and no page shows. "
                "Track each value by itself, or a Distribution of them.",
                sequence,
            )

    def of_list(self, members: Sequence[Stored | Deferred]) -> str:
        """
        Return the kind of a list: that of its first member; of an empty list that of the lists so far.

        >>> SequenceKinds(["list(aim.image)"]).of_list([]), SequenceKinds().of_list([Stored("aim.text", {})])
        ('list(aim.image)', 'list(aim.text)')
        """
        if members:
            return list_of(members[0].kind)
        return next((kind for kind in self.names if kind.startswith("list")), "list")


def _go_together(kind: str, earlier: str) -> bool:
    if kind == earlier or (is_number(kind) and is_number(earlier)):
        return True
    return kind.startswith("list") and earlier.startswith("list") and "list" in (kind, earlier)
