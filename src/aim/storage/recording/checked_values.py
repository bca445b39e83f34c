"""
A value before it is recorded: all that can be wrong with it is seen here, and nothing is declared by that.

So a call that is refused leaves nothing behind: no sequence without points, no type that a sequence then has for good,
and no half of a dict of values.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from aim.core import params
from aim.core.errors import UntrackableValue
from aim.core.kinds import is_own
from aim.core.tuples import NamedTuple
from aim.core.values import Deferred, Storable, Stored, epoch_number, number, step_number, stored_or_deferred
from aim.storage.forms.blobs import check_size
from aim.storage.recording.sequence_kinds import SequenceKinds

FLOAT = "float"


class CheckedValue(NamedTuple):
    """
    A value of one sequence that can be recorded as it is.

    Attributes:
        kind: its stored kind.
        value: a number, or the objects of one step.
        step: None: the sequence counts.
        epoch: NaN: there is none.
    """

    kind: str
    value: Any
    step: int | None
    epoch: float

    @property
    def is_number(self) -> bool:
        """Whether `value` is a number, not objects."""
        return self.kind == FLOAT or self.kind == "int"


def checked_value(
    value: object, step: object, epoch: object, sync: bool, name: str, kinds: SequenceKinds
) -> CheckedValue:
    """
    Return *value* as what the sequence *name* of *kinds* records.

    Args:
        sync: make the bytes of objects now, not later by another thread.

    Raises:
        UntrackableValue: the value, step or epoch is none.
        IncompatibleValue: the sequence holds values of another kind.
        OverflowError: the value or step is an integer beyond 64 bits.
    """
    step_checked = None if step is None else step_number(step)
    epoch_checked = epoch_number(epoch)
    plain: Any
    if value.__class__ is float or _is_float_scalar(value):
        kind, plain = FLOAT, value
    elif isinstance(value, Storable):
        plain = [stored_or_deferred(value, sync=sync)]
        kind = plain[0].kind
    elif isinstance(value, (list, tuple)):
        plain = [_member(member, sync) for member in value]
        kind = kinds.of_list(plain)
    else:
        plain = number(value)
        kind = type(plain).__name__
    kinds.check(kind, name, value)
    checked = CheckedValue(kind, plain, step_checked, epoch_checked)
    if not checked.is_number:
        _check_objects(plain, name, step)
    return checked


def _is_float_scalar(value: object) -> bool:
    kind = type(value)
    if kind.__module__ != "numpy" or kind.__name__ == "ndarray":
        return False
    dtype = getattr(value, "dtype", None)
    return dtype is not None and dtype.kind == "f" and dtype.itemsize <= 8


def _member(value: object, sync: bool) -> Stored | Deferred:
    if isinstance(value, Storable):
        return stored_or_deferred(value, sync=sync)
    if isinstance(value, str):
        return Stored("str", {"value": value})
    plain = number(value)
    return Stored(type(plain).__name__, {"value": params.encode(plain)})


def _check_objects(objects: Sequence[Stored | Deferred], name: str, step: object) -> None:
    made = [item for item in objects if isinstance(item, Stored)]
    check_size(name, step, made)
    for item in made:
        if not is_own(item.kind):  # the classes of this package make JSON only
            try:
                json.dumps(dict(item.fields))
            except (TypeError, ValueError, RecursionError) as error:
                raise UntrackableValue(
                    f"A field of the {item.kind} for {name!r} is no JSON value: {error}. "
                    "Give texts, numbers, lists and dicts of them."
                ) from None


def names_of(values: Mapping[Any, object]) -> dict[str, object]:
    """
    Return a dict of values by the names of their sequences; keys of nested dicts are joined with `/`.

    Raises:
        UntrackableValue: two keys are one name, or the dict contains itself.

    >>> names_of({"loss": 0.5, 1: 2, "train": {"loss": 0.25}})
    {'loss': 0.5, '1': 2, 'train/loss': 0.25}
    """
    by_name: dict[str, object] = {}
    try:
        _name_all(values, "", by_name)
    except RecursionError:
        raise UntrackableValue("The dict of values is nested too deeply, or contains itself.") from None
    return by_name


def _name_all(values: Mapping[Any, object], prefix: str, by_name: dict[str, object]) -> None:
    for key, value in values.items():
        name = f"{prefix}{key}"
        if value.__class__ is not float and isinstance(value, Mapping):
            _name_all(value, f"{name}/", by_name)
            continue
        if name in by_name:
            raise UntrackableValue(f"Two keys of the dict are {name!r} as the name of a sequence. Rename one.")
        by_name[name] = value
