"""
`Sequence`: one tracked series of a run, read.

A sequence holds its name, its context and its run. Each access reads the files anew, so whatever was tracked before it
is there. `values`, `epochs` and `timestamps` are `ArrayView`s whose indices are the steps, ascending; `data` is all
columns at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

from aim.core.errors import RunNotFound
from aim.core.kinds import is_numeric_sequence
from aim.sdk.objects.damaged import or_damaged
from aim.sdk.sequence_data import SequenceData as SequenceData
from aim.sdk.sequence_types import KINDS
from aim.storage.context import Context

if TYPE_CHECKING:
    from aim.sdk.run import Run
    from aim.sdk.run_view import RunView
    from aim.storage.arrayview import ArrayView
    from aim.storage.reading.asked_points import AskedPoints
    from aim.storage.reading.points import Points

SequenceT = TypeVar("SequenceT", bound="Sequence")


class Sequence:
    """
    One tracked series.

    Runs and collections make sequences; there is no need to call the constructor.

    Attributes:
        name, context, run: which sequence it is. A sequence of `run.before(...)` has that earlier run as its `run`.
        collections_allowed: whether a step may hold a list of values.
    """

    _subject: ClassVar[str] = "sequence"
    registry: ClassVar[dict[str, type[Sequence]]] = {}
    collections_allowed: ClassVar[bool] = False

    def __init__(self, name: str, context: Context, run: RunView) -> None:
        self.name = name
        self.context = context
        self.run = cast("Run", run)

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        name = cls.sequence_name()
        if name in KINDS:
            Sequence.registry[name] = cls

    @classmethod
    def allowed_dtypes(cls) -> str | tuple[str, ...]:
        """Return the types of values that a sequence of this class holds; `*` means any."""
        return KINDS.get(cls.sequence_name(), "*")

    @classmethod
    def sequence_name(cls) -> str:
        """Return the name of the type of sequences; a plain `Sequence` may be of any type."""
        return cls._subject

    @classmethod
    def _holds(cls, kind: str) -> bool:
        """Return whether a sequence of this class may hold values of *kind*."""
        allowed = cls.allowed_dtypes()
        return allowed == "*" or kind in allowed

    def __repr__(self) -> str:
        description = f"name={self.name} context={self.context.to_dict()} run={self.run.hash}"
        return f"<{type(self).__name__}#{hash(self)} {description}>"

    def _repr_html_(self) -> str:
        from aim.sdk.html import parts, sequences

        kind, context = self.sequence_name(), self.context.to_dict()
        return parts.or_notice(lambda: sequences.draw(kind, self.name, context, self.run, self._points()))

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Sequence)
            and (self.name, self.context) == (other.name, other.context)
            and self.run == other.run
        )

    def __hash__(self) -> int:
        return hash((self.name, self.context, self.run.hash))

    @property
    def _key(self) -> tuple[str, str]:
        """The name and the text of the context; no other sequence of the run has the same."""
        return self.name, self.context.text

    def _points(self) -> Points:
        """
        Return the points as arrays, as they are now.

        Raises:
            RunNotFound: the run no longer has such a sequence.
        """
        points = self.run._read_points(self.name, self.context.text)
        if points is None:
            raise self._missing()
        return points

    def _asked_points(self) -> Points | AskedPoints:
        """
        Do as `_points`; of a run on a server no more points travel than are needed, when they are needed.

        Raises:
            RunNotFound: as `_points`; of a run on a server when the points are needed.
        """
        return self.run._read_asked_points(self.name, self.context.text, self._missing())

    def _missing(self) -> RunNotFound:
        return RunNotFound(f"Run {self.run.hash} has no sequence {self.name!r} with context {self.context.to_dict()}.")

    @property
    def dtype(self) -> str:
        """The type of the values: `int`, `float`, `number` (both), `aim.image` ..."""
        return self.run._read_kind(self.name, self.context.text)

    @property
    def version(self) -> int:
        """Aim 3's number of the form of the points: 2 for numbers, 1 for objects."""
        return 2 if is_numeric_sequence(self.dtype) else 1

    @property
    def data(self) -> SequenceData:
        """All columns at once: values, epochs and times by step."""
        return SequenceData(self._points(), partial(or_damaged, self.run._read_objects))

    @property
    def values(self) -> ArrayView[Any]:
        """
        The values by step. A damaged object raises DamagedFile where it alone is asked for; among several a
        `DamagedObject` stands for it.
        """
        return self._view(self._points())

    def _view(self, points: Points) -> ArrayView[Any]:
        from aim.sdk.number_view import NumberView
        from aim.storage.arrayview import ArrayView

        if points.is_numeric:
            return NumberView(points)
        read = partial(self.run._read_objects, points)
        return ArrayView(points.steps, points.values, restore=read, restore_each=partial(or_damaged, read))

    @property
    def epochs(self) -> ArrayView[float | None]:
        """The epochs by step; a missing one is None in lists and NaN in arrays."""
        from aim.storage.arrayview import ArrayView

        points = self._points()
        return ArrayView(points.steps, points.epochs, dtype="float64", nan_is_none=True)

    @property
    def timestamps(self) -> ArrayView[float]:
        """The times of tracking by step, in Unix seconds."""
        from aim.storage.arrayview import ArrayView

        points = self._points()
        return ArrayView(points.steps, points.times_s, dtype="float64")

    @property
    def indices(self) -> list[int]:
        """The steps, ascending."""
        steps: list[int] = self._points().steps.tolist()
        return steps

    def first_step(self) -> int | None:
        """Return the first step; None when nothing is tracked."""
        points = self._asked_points()
        return points.first_step() if len(points) else None

    def last_step(self) -> int | None:
        """Return the last step; None when nothing is tracked."""
        points = self._asked_points()
        return points.last_step() if len(points) else None

    def preload(self) -> None:
        """Do nothing; accepted for Aim 3 callers."""

    def __len__(self) -> int:
        return len(self._asked_points())

    def history(self: SequenceT) -> list[SequenceT]:
        """
        Return the sequence as it stood just before each rewind of its run, oldest first; the last one is as it is now.
        """
        kind = type(self)
        return [*(kind(self.name, self.context, self.run.before(rewind)) for rewind in self.run.rewinds), self]

    def delete(self, steps: int | Iterable[int], index: int | Iterable[int] | None = None) -> int:
        """
        Hide what was tracked until now at some steps; return how many points that were.

        `Run.undelete_points` shows them again.

        Args:
            steps: one, or several.
            index: hide only this object, or these, of the list that was tracked at the step, counted from 0.
        """
        return self.run.delete_points(self.name, self.context.to_dict(), steps=steps, items=index)

    def __bool__(self) -> bool:
        return True


class MediaSequenceBase(Sequence):
    """A series of objects, or of lists of objects."""

    collections_allowed: ClassVar[bool] = True

    def record_length(self) -> int | None:
        """Return the length of the longest tracked list, or None when single objects are tracked."""
        if not self.dtype.startswith("list"):
            return None
        points = self._points()
        lists = (or_damaged(self.run._read_objects, points, position) for position in range(len(points)))
        return max((len(objects) for objects in lists if isinstance(objects, list)), default=0)


# Aim 3 has two classes, for objects and for numbers
SequenceV1Data = SequenceV2Data = SequenceData
