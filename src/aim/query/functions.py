"""
The functions and modules that a query may use, each with its bounds.

    FUNCTIONS   "len", "sorted", "math.sqrt", "re.search", "datetime.now" ...    name -> Function
    VALUES      "math.pi", "re.I", "string.digits" ...                           name -> plain value

A function takes and returns plain values. A function of many items counts them first, so that `sum(range(10**12))` is
refused before it begins. A function that makes a large value checks the size before it makes the value.

The result of a *clocked* function depends on the time and the time zone of the query; that of a *volatile* function
differs from call to call.
"""

from __future__ import annotations

import math
import random
import string
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta, tzinfo
from typing import Any

from aim.core.value_objects import ValueObject
from aim.core.zones import UTC, local_time, unix_seconds
from aim.query import regex
from aim.query.limits import TooMuch, bounded, check_bits, check_hashed, check_size, check_width, piled
from aim.query.operators import MISSING, power, rough_size

INT_DIGITS_MAX = 1_200  # of a text that `int` reads: 4,096 bits have 1,233
FACTORIAL_MAX = 500  # 500! has 3,768 bits
ARGUMENTS_MAX = 99  # of functions that take any number of them
MATH_OF_ONE = (
    *("acos", "acosh", "asin", "asinh", "atan", "atanh", "cos", "cosh", "sin", "sinh", "tan", "tanh"),
    *("ceil", "degrees", "erf", "erfc", "exp", "expm1", "fabs", "floor", "gamma", "isfinite", "isinf", "isnan"),
    *("isqrt", "lgamma", "log10", "log1p", "log2", "modf", "radians", "sqrt", "trunc"),
)
STRING_VALUES = (
    *("ascii_letters", "ascii_lowercase", "ascii_uppercase", "digits", "hexdigits", "octdigits"),
    *("punctuation", "whitespace"),
)


class Clock(ValueObject):
    """
    The time and the time zone of a query.

    Attributes:
        now_s: seconds since 1970 UTC.
        zone: the time zone of the reader.
    """

    now_s: float
    zone: tzinfo = UTC

    def local(self, seconds: float) -> datetime:
        """Return a time on the reader's clock, without zone, rounded to the microsecond (halves to even)."""
        return local_time(seconds, self.zone)

    def seconds(self, moment: datetime) -> float:
        """Return the seconds since 1970 UTC of a time on the reader's clock."""
        return unix_seconds(moment, self.zone)


class Function(ValueObject):
    """
    A function of a query. It is also a value: `sorted(run.tags, key=len)`.

    Attributes:
        call: takes plain values, and before them the `Clock` if *clocked*.
        least, most: the number of arguments, without keywords.
        kind: the type that `isinstance` takes it for; None if it is not a type.
    """

    name: str
    call: Callable[..., object]
    least: int = 1
    most: int = 1
    keywords: frozenset[str] = frozenset()
    kind: type | None = None
    clocked: bool = False
    volatile: bool = False

    def __call__(self, *arguments: object) -> object:
        """Call it as an argument of another function, such as the `key` of `sorted`."""
        if any(argument is MISSING for argument in arguments):
            return MISSING
        return self.call(*arguments)

    def __repr__(self) -> str:
        return self.name


def sized(items: Any) -> Any:
    """Return *items* if they can be iterated and are not too many."""
    if isinstance(items, range):
        check_size(_length(items))
    elif isinstance(items, (list, tuple, set, frozenset, dict, str, bytes)):
        check_size(len(items))
    else:
        raise TypeError(f"{type(items).__name__!r} object is not iterable")
    return items


def _length(items: Any) -> int:
    try:
        return len(items)
    except OverflowError:
        raise TooMuch("this range has more numbers than can be counted") from None


def _hashable(items: Any) -> Any:
    check_hashed(len(sized(items)))
    return items


def _int(value: Any = 0, base: int | None = None) -> int:
    if isinstance(value, (str, bytes)) and len(value) > INT_DIGITS_MAX:
        check_bits(4 * len(value))
    number = int(value) if base is None else int(value, base)
    check_bits(number.bit_length())
    return number


def _str(value: Any = "") -> str:
    if not isinstance(value, str):
        check_size(rough_size(value))
    check_size(len(text := str(value)))
    return text


def _repr(value: Any) -> str:
    check_size(rough_size(value))
    check_size(len(text := repr(value)))
    return text


def _bytes(value: Any = b"", encoding: str = "utf-8") -> bytes:
    if isinstance(value, str):
        return value.encode(encoding) if encoding in ("utf-8", "ascii", "latin-1") else value.encode("utf-8")
    if isinstance(value, int):
        check_size(value)
    return bytes(value if isinstance(value, int) else sized(value))


def _sum(items: Any, start: Any = 0) -> object:
    if isinstance(start, (list, tuple, str, bytes)):
        raise TypeError("sum() adds numbers")
    return bounded(sum(sized(items), start))


def _extreme(choose: Callable[..., object]) -> Callable[..., object]:
    def extreme(*items: Any, **keywords: Any) -> object:
        if len(items) == 1:
            return choose(sized(items[0]), **_key(keywords))
        if "default" in keywords:
            raise TypeError("a default needs one list of items")
        return choose(*items, **_key(keywords))

    return extreme


def _key(keywords: dict[str, Any]) -> dict[str, Any]:
    """Return *keywords* if their `key` is a function of the query or None."""
    key = keywords.get("key")
    if key is not None and not is_function(key):
        raise TypeError(f"key is a {type(key).__name__}, not a function")
    return keywords


def _sorted(items: Any, key: Any = None, reverse: Any = False) -> list[object]:
    if key is None:
        return sorted(sized(items), reverse=bool(reverse))
    item_list = list(sized(items))
    keys: list[Any] = piled(map(_called(key), item_list))
    return [item_list[number] for number in sorted(range(len(item_list)), key=keys.__getitem__, reverse=bool(reverse))]


def _round(number: Any, digits: int | None = None) -> object:
    if digits is None:
        return round(number)
    check_width(digits)
    return bounded(round(number, digits))


def _power(base: Any, exponent: Any, modulus: Any = None) -> object:
    return power(base, exponent) if modulus is None else pow(base, exponent, modulus)


def _zip(*several: Any) -> object:
    if several:
        check_size(min(_length(sized(items)) for items in several) * len(several))
    return bounded(list(zip(*several)))


def _enumerate(items: Any, start: int = 0) -> object:
    return bounded(list(enumerate(sized(items), start)))


def _map(function: Any, *several: Any) -> object:
    return piled(_none(value) for value in map(_called(function), *map(sized, several)))


def _filter(function: Any, items: Any) -> object:
    return list(filter(None if function is None else _called(function), sized(items)))


def _none(value: object) -> object:
    return None if value is MISSING else value


def _called(function: Any) -> Callable[..., object]:
    if not is_function(function):
        raise TypeError(f"{type(function).__name__!r} object is not callable")
    return function  # type: ignore[no-any-return]


def _dict(items: Any = ()) -> object:
    return bounded(dict(_hashable(items)))


def is_function(value: object) -> bool:
    """Return whether *value* is a function of the query: a `Function`, or a lambda, whose class has `is_lambda`."""
    return isinstance(value, Function) or getattr(type(value), "is_lambda", False) is True


def kinds(types: object) -> tuple[type, ...]:
    """Return the types that the second argument of `isinstance` means."""
    if isinstance(types, tuple):
        return tuple(kind for item in types for kind in kinds(item))
    if isinstance(types, Function) and types.kind is not None:
        return (types.kind,)
    if types is None:
        return (type(None),)
    raise TypeError("isinstance() takes a type, such as str, or several in a tuple")


def _is_subclass(kind: Any, types: Any) -> bool:
    return issubclass(kinds(kind)[0], kinds(types))


def _same_type(first: Any, *others: Any) -> bool:
    return all(type(first) is type(other) for other in others)


def _test(*pairs: Any) -> object:
    for number in range(0, len(pairs) - 1, 2):
        if pairs[number]:
            return pairs[number + 1]
    return pairs[-1] if len(pairs) % 2 else None


def _reorder(items: Any, first: Any = (), without: Any = ()) -> list[object]:
    left_out = [item for item in sized(items) if item not in sized(without)]
    return [item for item in sized(first) if item in left_out] + [item for item in left_out if item not in first]


def _factorial(number: int) -> int:
    if number > FACTORIAL_MAX:
        raise TooMuch(f"this makes a factorial of more than {FACTORIAL_MAX}")
    return math.factorial(number)


def _choose(count: Callable[[int, int], int]) -> Callable[[int, int], int]:
    def chosen(items: int, taken: int) -> int:
        factors = min(taken, items - taken) if count is math.comb else taken
        check_bits(factors * items.bit_length())
        return count(items, taken)

    return chosen


def _product(items: Any) -> object:
    result: Any = 1
    for item in sized(items):
        if not isinstance(item, (int, float)):
            raise TypeError("prod() multiplies numbers")
        result = bounded(result * item)
    return result


def _lcm(*numbers: int) -> object:
    result = 1
    for number in numbers:
        check_bits(result.bit_length() + number.bit_length())
        result = math.lcm(result, number)
    return result


def _datetime(*parts: int, **named: int) -> datetime:
    for part in (*parts, *named.values()):
        if not isinstance(part, int):
            raise TypeError("datetime() takes integers")
    return datetime(*parts, **named)  # type: ignore[arg-type]


def _utc(clock: Clock) -> datetime:
    return local_time(clock.now_s, UTC)


def _strptime(text: str, form: str) -> datetime:
    if len(form) > 100:
        raise TooMuch("this format of a time has more than 100 characters")
    return datetime.strptime(text, form)


def _f(
    name: str, call: Callable[..., object], least: int = 1, most: int | None = None, keywords: str = "", **more: Any
) -> Function:
    return Function(name, call, least, least if most is None else most, frozenset(keywords.split()), **more)


_FUNCTIONS: Iterable[Function] = (
    # Types
    _f("bool", bool, 0, 1, kind=bool),
    _f("int", _int, 0, 2, "base", kind=int),
    _f("float", float, 0, 1, kind=float),
    _f("complex", complex, 0, 2, kind=complex),
    _f("str", _str, 0, 1, kind=str),
    _f("bytes", _bytes, 0, 2, kind=bytes),
    _f("list", lambda items=(): list(sized(items)), 0, 1, kind=list),
    _f("tuple", lambda items=(): tuple(sized(items)), 0, 1, kind=tuple),
    _f("set", lambda items=(): set(_hashable(items)), 0, 1, kind=set),
    _f("frozenset", lambda items=(): frozenset(_hashable(items)), 0, 1, kind=frozenset),
    _f("dict", _dict, 0, 1, kind=dict),
    _f("range", range, 1, 3, kind=range),
    _f("slice", slice, 1, 3, kind=slice),
    _f("datetime", _datetime, 0, 7, "year month day hour minute second microsecond", kind=datetime),
    _f("timedelta", timedelta, 0, 7, "days seconds microseconds milliseconds minutes hours weeks", kind=timedelta),
    _f("date", date, 3, 3, kind=date),
    # Numbers and texts
    _f("abs", abs),
    _f("round", _round, 1, 2, "ndigits"),
    _f("divmod", divmod, 2),
    _f("pow", _power, 2, 3),
    _f("hash", hash),
    _f("chr", chr),
    _f("ord", ord),
    _f("hex", hex),
    _f("oct", oct),
    _f("bin", bin),
    _f("repr", _repr),
    # Many items
    _f("len", lambda items: _length(items)),
    _f("sum", _sum, 1, 2, "start"),
    _f("min", _extreme(min), 1, ARGUMENTS_MAX, "key default"),
    _f("max", _extreme(max), 1, ARGUMENTS_MAX, "key default"),
    _f("any", lambda items: any(sized(items))),
    _f("all", lambda items: all(sized(items))),
    _f("sorted", _sorted, 1, 1, "key reverse"),
    _f("reversed", lambda items: list(reversed(sized(items)))),
    _f("zip", _zip, 0, ARGUMENTS_MAX),
    _f("enumerate", _enumerate, 1, 2, "start"),
    _f("map", _map, 2, ARGUMENTS_MAX),
    _f("filter", _filter, 2),
    # Tests of types
    _f("isinstance", lambda value, types: isinstance(value, kinds(types)), 2),
    _f("issubclass", _is_subclass, 2),
    _f("callable", is_function),
    _f("same_type", _same_type, 2, ARGUMENTS_MAX),
    _f("test", _test, 2, ARGUMENTS_MAX),
    _f("reorder", _reorder, 1, 3),
    # Time
    _f("datetime.now", lambda clock: clock.local(clock.now_s), 0, clocked=True),
    _f("datetime.today", lambda clock: clock.local(clock.now_s), 0, clocked=True),
    _f("datetime.utcnow", _utc, 0, clocked=True),
    _f("datetime.fromtimestamp", lambda clock, seconds: clock.local(seconds), 1, clocked=True),
    _f("datetime.utcfromtimestamp", lambda seconds: local_time(seconds, UTC)),
    _f("datetime.fromisoformat", datetime.fromisoformat),
    _f("datetime.strptime", _strptime, 2),
    _f("date.today", lambda clock: clock.local(clock.now_s).date(), 0, clocked=True),
    _f("date.fromisoformat", date.fromisoformat),
    # Patterns
    _f("re.search", regex.search, 2, 3, "flags"),
    _f("re.match", regex.match, 2, 3, "flags"),
    _f("re.fullmatch", regex.fullmatch, 2, 3, "flags"),
    _f("re.escape", lambda text: bounded(regex.escape(text))),
    # Mathematics
    _f("math.factorial", _factorial),
    _f("math.comb", _choose(math.comb), 2),
    _f("math.perm", _choose(math.perm), 2),
    _f("math.prod", _product),
    _f("math.lcm", _lcm, 1, ARGUMENTS_MAX),
    _f("math.gcd", math.gcd, 1, ARGUMENTS_MAX),
    _f("math.fsum", lambda items: math.fsum(sized(items))),
    _f("math.hypot", math.hypot, 1, ARGUMENTS_MAX),
    _f("math.log", math.log, 1, 2),
    _f("math.isclose", math.isclose, 2, 2, "rel_tol abs_tol"),
    *(_f(f"math.{name}", getattr(math, name)) for name in MATH_OF_ONE),
    *(_f(f"math.{name}", getattr(math, name), 2) for name in ("atan2", "copysign", "fmod", "pow", "remainder")),
    # Chance
    _f("random.random", random.random, 0, volatile=True),
    _f("random.uniform", random.uniform, 2, volatile=True),
    _f("random.randint", random.randint, 2, volatile=True),
    _f("random.gauss", random.gauss, 2, volatile=True),
    _f("random.choice", lambda items: random.choice(sized(items)), 1, volatile=True),
)
FUNCTIONS: dict[str, Function] = {function.name: function for function in _FUNCTIONS}
"""All functions and types, by their names in a query."""

VALUES: dict[str, object] = {
    **{f"math.{name}": getattr(math, name) for name in ("pi", "e", "tau", "inf", "nan")},
    **{f"re.{name}": value for name, value in regex.FLAGS.items()},
    **{f"string.{name}": getattr(string, name) for name in STRING_VALUES},
    "datetime.min": datetime.min,
    "datetime.max": datetime.max,
}
"""The values in modules, by their full names."""

MODULES: frozenset[str] = frozenset(name.partition(".")[0] for name in (*FUNCTIONS, *VALUES) if "." in name)
"""The names that have members behind a dot; `datetime` and `date` are types as well."""

TAKES_MISSING = frozenset({"bool", "isinstance", "callable"})
"""Functions that return False for a missing argument. All others return missing."""


def invoke(function: Function, clock: Clock, arguments: Sequence[object], keywords: dict[str, object]) -> object:
    """
    Call *function*; the result is missing if an argument is.

    >>> invoke(FUNCTIONS["len"], Clock(0.0), ["adam"], {}), invoke(FUNCTIONS["len"], Clock(0.0), [MISSING], {})
    (4, MISSING)
    """
    if any(value is MISSING for value in (*arguments, *keywords.values())):
        if function.name not in TAKES_MISSING:
            return MISSING
        return False
    if function.clocked:
        return function.call(clock, *arguments)
    return function.call(*arguments, **keywords)


def members(module: str) -> list[str]:
    """Return the names of the members of a module, for suggestions."""
    return [name.partition(".")[2] for name in (*FUNCTIONS, *VALUES) if name.startswith(f"{module}.")]
