"""
What `Run.collect_sequence_info` returns: which sequences a run has, and what is in each, in the form of Aim 3.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from aim.core.kinds import element_of, is_numeric_sequence, is_own, subject_of
from aim.sdk.objects.damaged import DamagedObject, or_damaged
from aim.sdk.sequence_types import KINDS, InvalidSequenceType, check_types
from aim.storage.forms.state import SequenceState

if TYPE_CHECKING:
    from aim.engine.door import RunDoor
    from aim.storage.reading.points import Points

    ReadObjects = Callable[[Points, int], Any]

ANY_KIND = "*"
PLAIN_LISTS = ("list", "list(int)", "list(float)", "list(str)", "list(bool)")
VALUE_KINDS = frozenset(kind for kinds in KINDS.values() for kind in kinds) | set(PLAIN_LISTS)
NUMBERS_VERSION, OBJECTS_VERSION = 2, 1  # Aim 3's numbers for the form of the points


class CollectedSequences(dict[str, list[dict[str, Any]]]):
    """
    What `Run.collect_sequence_info` returns: type -> list of `{"context", "name", "values"}`, as Aim 3.29 has it.

    `triplets()` returns the list of the early reference: (context, name, last value).
    """

    def triplets(self) -> list[tuple[dict[str, Any], str, Any]]:
        """Return (context, name, last value or None) of each sequence."""
        return [
            (info["context"], info["name"], (info.get("values") or {}).get("last"))
            for infos in self.values()
            for info in infos
        ]


def kinds_of(dtypes: str | Iterable[str]) -> set[str] | None:
    """
    Return the kinds of values that are meant by *dtypes*; None: any.

    >>> sorted(kinds_of(["int", "images"])), kinds_of("*")
    (['aim.image', 'int', 'list(aim.image)'], None)
    >>> sorted(kinds_of(["list(float)", "acme.mesh"]))
    ['acme.mesh', 'list(float)']

    Raises:
        InvalidSequenceType: a type that does not exist.
    """
    names = (dtypes,) if isinstance(dtypes, str) else tuple(dtypes)
    for name in names:
        if name not in VALUE_KINDS and name not in KINDS and name != ANY_KIND and is_own(element_of(name)):
            listed = ", ".join(sorted(VALUE_KINDS))
            raise InvalidSequenceType(
                f"'{name}' is no type of values. Types are: *, {listed}, and the names of your own classes."
            )
    return None if ANY_KIND in names else {kind for name in names for kind in KINDS.get(name, (name,))}


def collect(
    infos: Iterable[SequenceState],
    sequence_types: str | Iterable[str],
    run: RunDoor | None,
    read_objects: ReadObjects,
) -> CollectedSequences:
    """
    Return the sequences among *infos* that are of the types asked for.

    Args:
        run: where their points are read; None leaves out `values`.
        read_objects: returns the object, or the list of objects, of one point.

    Raises:
        InvalidSequenceType: a type that does not exist.
    """
    collected = CollectedSequences({name: [] for name in check_types(sequence_types)})
    points_by_key = {} if run is None else run.points_of_many()
    for info in infos:
        subject = subject_of(info.kind)
        if subject is not None and subject in collected:
            described: dict[str, Any] = {"context": dict(info.context), "name": info.name}
            if run is not None:
                described["values"] = _values(info.kind, points_by_key.get(info.key), run, read_objects)
            collected[subject].append(described)
    return collected


def _values(kind: str, points: Points | None, run: RunDoor, read_objects: ReadObjects) -> dict[str, Any]:
    if points is None or not len(points):
        return {"dtype": kind, "version": NUMBERS_VERSION}
    last = len(points) - 1
    steps = {"first_step": int(points.steps[0]), "last_step": int(points.steps[last])}
    if is_numeric_sequence(kind):
        values = points.values.tolist()
        comparable = [value for value in values if value == value]
        bounds = {"min": min(comparable), "max": max(comparable)} if comparable else {}
        return {"dtype": kind, "version": NUMBERS_VERSION, **steps, "first": values[0], "last": values[last], **bounds}
    described = {"dtype": kind, "version": OBJECTS_VERSION, **steps}
    described["first"] = or_damaged(read_objects, points, 0)
    described["last"] = or_damaged(read_objects, points, last)
    if kind.startswith("list"):
        stored = (or_damaged(run.record, points, position) for position in range(len(points)))
        lengths = (len(record["items"]) for record in stored if not isinstance(record, DamagedObject))
        described["record_max_length"] = max(lengths, default=0)
    return described
