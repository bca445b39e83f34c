"""
`Sequence`: one tracked series of a run, read.

A sequence holds its name, its context and its run, and reads anew at each access: what was tracked before is seen.
`values`, `epochs`
and `timestamps` are `ArrayView`s whose indices are the steps, ascending; `data` is all columns at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Sequence as AnySequence
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from aim.core.errors import RunNotFound, UsageError
from aim.core.kinds import is_numeric_sequence
from aim.core.words import counted
from aim.sdk.sequence_types import KINDS
from aim.storage.arrayview import ArrayView
from aim.storage.context import Context
from aim.storage.reading.points import Points

if TYPE_CHECKING:
    from aim.storage.forms.history import Rewind
    from aim.storage.forms.state import RunState

AnySequenceType = TypeVar("AnySequenceType", bound="Sequence")
Array = npt.NDArray[Any]
COLUMNS = ("val", "epoch", "time")


class SequenceOwner(Protocol):
    """What a sequence asks of its run. `Run` is one."""

    hash: str

    def read_points(self, name: str, context_text: str) -> Points | None:
        """Return the points of a sequence as they are now."""

    def read_points_of_many(self, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Points]:
        """Return the points of several sequences as they are now."""

    def read_objects(self, points: Points, position: int) -> Any:
        """Return the objects of one point."""

    @property
    def rewinds(self) -> list[Rewind]:
        """The run's rewinds, oldest first."""

    def before(self, rewind: Rewind) -> SequenceOwner:
        """Return the run as it stood just before a rewind."""

    def delete_points(
        self,
        name: str,
        context: Mapping[str, Any] | None = None,
        *,
        steps: int | Iterable[int],
        items: int | Iterable[int] | None = None,
    ) -> int:
        """Hide points of a sequence; give how many."""

    def _state(self) -> RunState:
        """Return the run's state as it is now."""


class Sequence:
    """
    One tracked series.

    Attributes:
        collections_allowed: whether a step may hold a list of values.

    Args:
        name, context, run: which one. Sequences are given by runs and collections; nobody needs to make one.
    """

    subject: ClassVar[str] = "sequence"
    registry: ClassVar[dict[str, type[Sequence]]] = {}
    collections_allowed: ClassVar[bool] = False

    def __init__(self, name: str, context: Context, run: SequenceOwner) -> None:
        self.name = name
        self.context = context
        self.run = run

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        name = cls.sequence_name()
        if name in KINDS:
            Sequence.registry[name] = cls

    @classmethod
    def allowed_dtypes(cls) -> str | tuple[str, ...]:
        """Return the types of values that such a sequence holds; `*` means any."""
        return KINDS.get(cls.sequence_name(), "*")

    @classmethod
    def sequence_name(cls) -> str:
        """Return the name of the type of sequences; a plain `Sequence` may be of any type."""
        return cls.subject

    @classmethod
    def holds(cls, kind: str) -> bool:
        """Return whether such a sequence may hold values of *kind*."""
        allowed = cls.allowed_dtypes()
        return allowed == "*" or kind in allowed

    def __repr__(self) -> str:
        about = f"name={self.name} context={self.context.to_dict()} run={self.run.hash}"
        return f"<{type(self).__name__}#{hash(self)} {about}>"

    def _repr_html_(self) -> str:
        from aim.sdk.html import parts, sequences

        kind, context = self.sequence_name(), self.context.to_dict()
        return parts.or_notice(lambda: sequences.draw(kind, self.name, context, self.run, self.points()))

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Sequence)
            and (self.name, self.context) == (other.name, other.context)
            and self.run == other.run
        )

    def __hash__(self) -> int:
        return hash((self.name, self.context, self.run.hash))

    @property
    def key(self) -> tuple[str, str]:
        """The name and the text of the context: what tells the sequences of a run apart."""
        return self.name, self.context.text

    def points(self) -> Points:
        """
        Return the points as arrays, as they are now.

        Raises:
            RunNotFound: the run has no such sequence any more.
        """
        points = self.run.read_points(self.name, self.context.text)
        if points is None:
            raise RunNotFound(
                f"Run {self.run.hash} has no sequence {self.name!r} with context {self.context.to_dict()}."
            )
        return points

    @property
    def dtype(self) -> str:
        """The type of the values: `int`, `float`, `number` (both), `aim.image` ..."""
        return self.run._state().sequences[(self.name, self.context.text)].kind

    @property
    def version(self) -> int:
        """Aim 3's number of the form of the points: 2 for numbers, 1 for objects."""
        return 2 if self._is_numeric else 1

    @property
    def _is_numeric(self) -> bool:
        return is_numeric_sequence(self.dtype)

    @property
    def data(self) -> SequenceData:
        """All columns at once: values, epochs and times by step."""
        return SequenceData(self.points(), self)

    @property
    def values(self) -> ArrayView[Any]:
        """The values by step."""
        points = self.points()
        if points.is_numeric:
            return ArrayView(points.steps, points.values)
        return ArrayView(points.steps, points.values, restore=lambda at: self.run.read_objects(points, at))

    @property
    def epochs(self) -> ArrayView[float | None]:
        """The epochs by step; none: None in lists, NaN in arrays."""
        points = self.points()
        return ArrayView(points.steps, points.epochs, dtype="float64", nan_is_none=True)

    @property
    def timestamps(self) -> ArrayView[float]:
        """The times of tracking by step, in Unix seconds."""
        points = self.points()
        return ArrayView(points.steps, points.times_s, dtype="float64")

    @property
    def indices(self) -> list[int]:
        """The steps, ascending."""
        steps: list[int] = self.points().steps.tolist()
        return steps

    def first_step(self) -> int | None:
        """Return the first step; None when nothing is tracked."""
        steps = self.points().steps
        return int(steps[0]) if len(steps) else None

    def last_step(self) -> int | None:
        """Return the last step; None when nothing is tracked."""
        steps = self.points().steps
        return int(steps[-1]) if len(steps) else None

    def preload(self) -> None:
        """Nothing has to be loaded before it is read; for callers of Aim 3."""

    def __len__(self) -> int:
        return len(self.points())

    def history(self: AnySequenceType) -> list[AnySequenceType]:
        """
        Return the sequence as it stood just before each rewind of its run, oldest first, and at the end as it is now.
        """
        kind = type(self)
        return [*(kind(self.name, self.context, self.run.before(rewind)) for rewind in self.run.rewinds), self]

    def delete(self, steps: int | Iterable[int], index: int | Iterable[int] | None = None) -> int:
        """
        Hide what was tracked until now at some steps; give how many points. `Run.undelete_points` shows them again.

        Args:
            steps: one, or several.
            index: only this one, or these, of the list of objects tracked there, counted from 0.
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
        points = self.points()
        lists = (self.run.read_objects(points, position) for position in range(len(points)))
        return max((len(objects) for objects in lists), default=0)


class SequenceData:
    """
    The columns of a sequence: `val`, `epoch` and `time`, by step.

    It is what was tracked at the moment it was taken.
    """

    def __init__(
        self,
        points: Points,
        sequence: Sequence,
        columns: AnySequence[str] = COLUMNS,
        positions: npt.NDArray[np.int64] | None = None,
    ) -> None:
        self._points = points
        self._sequence = sequence
        self._columns = tuple(columns)
        self._positions = np.arange(len(points)) if positions is None else positions
        self._numeric = points.is_numeric

    def __len__(self) -> int:
        return len(self._positions)

    def __repr__(self) -> str:
        return f"<SequenceData of {counted(len(self), 'point')}: {', '.join(self._columns)}>"

    def _array(self, column: str) -> Array:
        if column == "epoch":
            return self._points.epochs[self._positions]
        if column == "time":
            return self._points.times_s[self._positions]
        if self._numeric:
            return self._points.values[self._positions]
        objects = np.empty(len(self), object)
        objects[:] = [self._sequence.run.read_objects(self._points, int(at)) for at in self._positions]
        return objects

    def _list(self, column: str) -> list[Any]:
        if column == "val" and not self._numeric:
            return [self._sequence.run.read_objects(self._points, int(at)) for at in self._positions]
        values = self._array(column).tolist()
        return [None if value != value else value for value in values] if column == "epoch" else values

    def indices_list(self) -> list[int]:
        """Return the steps."""
        steps: list[int] = self._points.steps[self._positions].tolist()
        return steps

    def indices(self) -> Iterator[int]:
        """Go through the steps."""
        return iter(self.indices_list())

    def indices_numpy(self) -> Array:
        """Return the steps as an array of shape (n,)."""
        return self._points.steps[self._positions]

    def values_list(self) -> list[list[Any]]:
        """Return the columns, each a list in the order of steps."""
        return [self._list(column) for column in self._columns]

    def values(self) -> Iterator[tuple[Any, ...]]:
        """Go through the rows without their steps."""
        return zip(*self.values_list(), strict=True)

    def items_list(self) -> tuple[list[int], list[list[Any]]]:
        """Return (steps, columns)."""
        return self.indices_list(), self.values_list()

    def items(self) -> Iterator[tuple[int, tuple[Any, ...]]]:
        """Go through (step, (value, epoch, time))."""
        return zip(self.indices_list(), self.values(), strict=True)

    def __iter__(self) -> Iterator[tuple[int, tuple[Any, ...]]]:
        return self.items()

    def numpy(self) -> tuple[Array, list[Array]]:
        """Return (steps, columns) as arrays of shape (n,); an epoch that was not given is NaN."""
        return self.indices_numpy(), [self._array(column) for column in self._columns]

    def view(self, columns: str | AnySequence[str]) -> SequenceData:
        """
        Return the same points with only some of the columns `val`, `epoch`, `time`.

        Raises:
            UsageError: no such column; it is a ValueError.
        """
        names = (columns,) if isinstance(columns, str) else tuple(columns)
        if not names:
            raise UnknownColumn(f"A view has one column or more of: {', '.join(COLUMNS)}.")
        for name in names:
            if name not in COLUMNS:
                raise UnknownColumn(f"{name!r} is no column of a sequence. The columns are: {', '.join(COLUMNS)}.")
        return SequenceData(self._points, self._sequence, names, self._positions)

    def range(self, start: int | None = None, stop: int | None = None) -> SequenceData:
        """Return the points with start <= step < stop."""
        steps = self.indices_numpy()
        low = 0 if start is None else int(np.searchsorted(steps, start))
        high = len(steps) if stop is None else int(np.searchsorted(steps, stop))
        return SequenceData(self._points, self._sequence, self._columns, self._positions[low : max(low, high)])

    def sample(self, k: int) -> SequenceData:
        """
        Return at most *k* points, evenly chosen, the first and the last among them (the last, if *k* is 1).

        Raises:
            UsageError: *k* is less than 1; it is a ValueError.
        """
        if k < 1:
            raise UnknownColumn(f"A sample has 1 point or more, not {k}.")
        if k >= len(self):
            return self
        chosen = np.linspace(0, len(self) - 1, k).round().astype(np.int64) if k > 1 else np.array([len(self) - 1])
        return SequenceData(self._points, self._sequence, self._columns, self._positions[chosen])


# Aim 3.29 has two classes, for objects and for numbers.
SequenceV1Data = SequenceV2Data = SequenceData


class UnknownColumn(UsageError, ValueError):
    """A column or size that a sequence's data does not have."""
