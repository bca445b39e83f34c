"""
Objects that do not change, are equal when their fields are, and can be keys: as frozen dataclasses, made at once.

`dataclasses` writes and compiles six methods for each class; the 50 classes of the query language took a tenth of the
first query of a process. Here the methods are those of one base. To checkers of types such a class is a dataclass.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, TypeVar

if TYPE_CHECKING:
    from typing_extensions import dataclass_transform
else:

    def dataclass_transform(**_: bool) -> Any:
        """Return what leaves a class as it is."""
        return lambda kind: kind


ValueT = TypeVar("ValueT", bound="ValueObject")


@dataclass_transform(frozen_default=True)
class ValueObject:
    """
    The base of such classes; the annotations of a class are its fields, after those of its base.

    >>> class Span(ValueObject):
    ...     start: int
    ...     end: int = 9
    >>> Span(1), Span(1) == Span(start=1, end=9), Span(1).replaced(end=2), {Span(1): "a key"}[Span(1, 9)]
    (Span(start=1, end=9), True, Span(start=1, end=2), 'a key')
    """

    FIELDS: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls) -> None:
        own = cls.__dict__.get("__annotations__", ())  # noqa: RUF063  # `inspect` takes 5 ms to load
        cls.FIELDS = tuple(dict.fromkeys((*cls.FIELDS, *own)))

    def __init__(self, *values: Any, **named: Any) -> None:
        fields = self.FIELDS
        if not named and len(values) == len(fields):
            self.__dict__.update(zip(fields, values))
            return
        state = dict(zip(fields, values), **named)
        is_clear = len(state) == len(values) + len(named)
        if len(state) < len(fields):
            kind = type(self)
            state = {name: getattr(kind, name) for name in fields if hasattr(kind, name)} | state
        if not is_clear or state.keys() != set(fields):
            raise TypeError(f"{type(self).__name__} has the fields {fields}, and was given {values} and {named}.")
        vars(self).update(state)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{name!r} of a {type(self).__name__} can't be changed.")

    def _values(self) -> tuple[Any, ...]:
        state = vars(self)
        return tuple(state[name] for name in self.FIELDS)

    def __eq__(self, other: object) -> bool:
        return vars(self) == vars(other) if other.__class__ is self.__class__ else NotImplemented

    def __hash__(self) -> int:
        return hash(self._values())

    def __repr__(self) -> str:
        state = vars(self)
        return f"{type(self).__qualname__}({', '.join(f'{name}={state[name]!r}' for name in self.FIELDS)})"

    def replaced(self: ValueT, **changes: Any) -> ValueT:
        """Return a copy with other values of some fields."""
        return type(self)(**{**vars(self), **changes})
