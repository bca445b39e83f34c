"""
A condition in SQL that no matching run can fail: what a database is asked before the query itself is evaluated.

    query  ->  superset(query)  ->  Condition or None  ->  sql(condition)      the runs that are worth reading

The condition is *sound*: if the query holds for a run, so does the condition. It may hold too often, since the runs
that it leaves are evaluated by the query itself. So types, rounding and missing values need care in one direction only:

    run.a == "x"        a text that is equal                 an int is rounded to the float that the constant becomes
    run.a == 3          a number that is equal               1, 1.0 and True are equal in Python too
    <  <=  >  >=        a closed bound                       swallows the rounding; UTF-8 has the order of characters
    in (...)            any of the equals
    run.a, is not None  the leaf is there, or one below it
    a and b, a or b     both; either, if there is a condition for both
    !=  not in  not     nothing: a missing param makes them true, and so do `== None` and `is None`

Whatever else a clause says gives no condition, so only the other clauses narrow the runs. A param may also lie within a
leaf above it, as an item of a list does: such a leaf always passes.

A row of the table is one leaf of one run, see core/query_leaves.py. Rule: no value is written into the text; it is a
parameter, and texts are in hexadecimal digits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from typing import NamedTuple

from aim.core import query_leaves as leaf_names
from aim.core.query_leaves import NUMBERS, as_bytes, as_float
from aim.core.value_objects import ValueObject
from aim.query import plan, tree
from aim.query.query import Query

DAY_S = 86_400.0
ZONES_S = 2 * DAY_S  # a time is compared on the reader's clock, which is less than this from UTC
YEARS = range(1972, 9_000)  # beyond, times are cut to what a datetime can hold
TIME_FIELDS = {"created_at": "creation_time", "updated_at": "update_time", "finalized_at": "end_time"}
MIRRORED = {"==": "==", "is": "is", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
TEXTS = ("str", "long")


class LeafTest(ValueObject):
    """
    Some leaf of the run is at a path and has a value.

    Attributes:
        is_prefix: the path of the leaf only begins with *path*.
        kinds: the kinds that it may have.
        low, high: bounds of its number or text, inclusive; None: no bound. A `long` text is within any.
        begin: what its text begins with.
    """

    path: str
    is_prefix: bool = False
    kinds: tuple[str, ...] = leaf_names.KINDS[1:]
    low: float | bytes | None = None
    high: float | bytes | None = None
    begin: bytes = b""


class AllOf(ValueObject):
    """Each of *items* holds."""

    items: tuple[Condition, ...]


class AnyOf(ValueObject):
    """One of *items* holds."""

    items: tuple[Condition, ...]


Condition = LeafTest | AllOf | AnyOf


class Statement(NamedTuple):
    """
    A condition as parts of `SELECT rid FROM leaves WHERE ... GROUP BY rid HAVING ...`.

    Attributes:
        values: the parameters of both texts.
    """

    where: str
    having: str
    values: dict[str, str]


def superset(query: Query) -> Condition | None:
    """
    Return what holds for each run that *query* matches, or that has a sequence that it matches; None: nothing is known.

    >>> from aim.query.query import compile_query
    >>> superset(compile_query("run.hparams.lr > 0.1 and run.name != 'x'"))
    LeafTest(path='["hparams","lr"]', is_prefix=False, kinds=('bool', 'int', 'float'), low=0.1, high=None, begin=b'')
    """
    return _all([_of_test(clause.test, query.subject) for clause in query.clauses])


def sql(condition: Condition) -> Statement:
    """
    Return a condition as SQL of ClickHouse.

    >>> sql(LeafTest('["lr"]', kinds=NUMBERS, low=0.5)).having
    "countIf(path = unhex({leaf0:String}) AND kind IN ('bool', 'int', 'float') AND num >= {leaf1:Float64}) > 0"
    """
    writer = _SqlWriter()
    having = writer.text(condition)
    return Statement(" OR ".join(dict.fromkeys(writer.tests)), having, writer.values)


class _SqlWriter:
    """Writes a condition, and gathers its parameters and the tests of single rows."""

    def __init__(self) -> None:
        self.tests: list[str] = []
        self.values: dict[str, str] = {}

    def text(self, condition: Condition) -> str:
        if isinstance(condition, LeafTest):
            test = self._test(condition)
            self.tests.append(f"({test})")
            return f"countIf({test}) > 0"
        word = " AND " if isinstance(condition, AllOf) else " OR "
        return f"({word.join(map(self.text, condition.items))})"

    def _test(self, test: LeafTest) -> str:
        path = self._bytes(test.path.encode("ascii"))
        parts = [f"startsWith(path, {path})" if test.is_prefix else f"path = {path}"]
        parts.append(f"kind IN ({', '.join(map(repr, test.kinds))})")
        parts.extend(self._bound(">=", test.low) if test.low is not None else ())
        parts.extend(self._bound("<=", test.high) if test.high is not None else ())
        if test.begin:
            parts.append(f"(kind = 'long' OR startsWith(str, {self._bytes(test.begin)}))")
        return " AND ".join(parts)

    def _bound(self, operator: str, bound: float | bytes) -> list[str]:
        if isinstance(bound, bytes):
            return [f"(kind = 'long' OR str {operator} {self._bytes(bound)})"]
        return [f"num {operator} {{{self._parameter(repr(bound))}:Float64}}"]

    def _bytes(self, content: bytes) -> str:
        return f"unhex({{{self._parameter(content.hex())}:String}})"

    def _parameter(self, value: str) -> str:
        name = f"leaf{len(self.values)}"
        self.values[name] = value
        return name


# from the plan


def _of_test(test: plan.Test, subject: str) -> Condition | None:
    if isinstance(test, plan.Leaf):
        return _of_node(test.node, subject)
    if isinstance(test, plan.And):
        return _all([_of_test(item, subject) for item in test.items])
    if isinstance(test, plan.Or):
        return _any([_of_test(item, subject) for item in test.items])
    if isinstance(test, plan.If):
        return _any([_of_test(part, subject) for part in (test.then, test.otherwise)])
    return None


def _all(parts: Sequence[Condition | None]) -> Condition | None:
    items = tuple(part for part in parts if part is not None)
    return AllOf(items) if len(items) > 1 else items[0] if items else None


def _any(parts: Sequence[Condition | None]) -> Condition | None:
    items = tuple(part for part in parts if part is not None)
    if not items or len(items) < len(parts):
        return None
    return AnyOf(items) if len(items) > 1 else items[0]


def _of_node(node: tree.Node, subject: str) -> Condition | None:
    if isinstance(node, tree.Input):
        return _presence(node.source, subject)
    if isinstance(node, tree.Compare):
        pairs = zip(node.items, node.operators, node.items[1:])
        return _all([_of_comparison(left, operator, right, subject) for left, operator, right in pairs])
    if isinstance(node, tree.Method) and node.name == "startswith" and len(node.arguments) == 1 and not node.keywords:
        return _of_beginning(node.value, node.arguments[0], subject)
    return None


def _of_beginning(value: tree.Node, argument: tree.Node, subject: str) -> Condition | None:
    is_text = isinstance(argument, tree.Constant) and isinstance(argument.value, str)
    if not is_text or not isinstance(value, tree.Input):
        return None
    assert isinstance(argument, tree.Constant)
    begin = as_bytes(str(argument.value))
    return _with_value(value.source, subject, lambda leaf: leaf.replaced(kinds=TEXTS, begin=begin), is_text=True)


def _of_comparison(left: tree.Node, operator: str, right: tree.Node, subject: str) -> Condition | None:
    if isinstance(left, tree.Input) and isinstance(right, tree.Constant):
        return _of_constant(left.source, operator, right.value, subject)
    if isinstance(left, tree.Constant) and isinstance(right, tree.Input):
        if operator == "in":
            return _of_member(left.value, right.source, subject)
        return _of_constant(right.source, MIRRORED.get(operator, ""), left.value, subject)
    return None


def _of_member(member: object, source: tree.Source, subject: str) -> Condition | None:
    """`member in source`"""
    if source == tree.RunField("tags"):
        return LeafTest(leaf_names.tag_path(member), kinds=("json",)) if isinstance(member, str) else None
    return _presence(source, subject) if isinstance(source, tree.RunParam) else None


def _of_constant(source: tree.Source, operator: str, value: object, subject: str) -> Condition | None:
    """`source operator value`"""
    if operator == "is not" and value is None:
        return _presence(source, subject)
    if operator == "in" and isinstance(value, (list, tuple, set, frozenset)):
        return _any([_of_constant(source, "==", item, subject) for item in value])
    if operator not in MIRRORED:
        return None
    if isinstance(source, tree.PairField):
        return _of_name(source, operator, value, subject)
    return (
        _of_time(source, operator, value)
        if isinstance(value, datetime)
        else _of_scalar(source, operator, value, subject)
    )


def _of_scalar(source: tree.Source, operator: str, value: object, subject: str) -> Condition | None:
    bound: float | bytes
    kinds: tuple[str, ...]
    if type(value) is str:
        bound, kinds = as_bytes(value), TEXTS
    elif type(value) in (bool, int, float):
        bound, kinds = as_float(value), NUMBERS  # type: ignore[arg-type]
    else:
        return None
    low = bound if operator in ("==", "is", ">", ">=") else None
    high = bound if operator in ("==", "is", "<", "<=") else None

    def bounded(leaf: LeafTest) -> LeafTest:
        return leaf.replaced(kinds=kinds, low=low, high=high)

    return _with_value(source, subject, bounded, is_text=kinds is TEXTS)


def _of_name(source: tree.PairField, operator: str, value: object, subject: str) -> Condition | None:
    """The name of a sequence is known; what else a pair has gives no condition."""
    if source.name != "name" or operator not in ("==", "is") or not isinstance(value, str):
        return None
    return LeafTest(leaf_names.sequence_path(subject, leaf_names.values_of(subject)[0], value), is_prefix=True)


def _of_time(source: tree.Source, operator: str, value: datetime) -> Condition | None:
    """A time on the reader's clock, which is not far from UTC."""
    name = TIME_FIELDS.get(source.name) if isinstance(source, tree.RunField) else None
    if name is None or value.tzinfo is not None or value.year not in YEARS:
        return None
    moment_s = value.replace(tzinfo=timezone.utc).timestamp()
    low = moment_s - ZONES_S if operator in ("==", "is", ">", ">=") else None
    high = moment_s + ZONES_S if operator in ("==", "is", "<", "<=") else None
    return LeafTest(leaf_names.field_path(name), kinds=NUMBERS, low=low, high=high)


# from sources


def _with_value(
    source: tree.Source, subject: str, bound: Callable[[LeafTest], LeafTest], *, is_text: bool
) -> Condition | None:
    """Return that a leaf of *source* is bounded."""
    if isinstance(source, tree.RunParam) and source.path:
        above = _above(source.path)
        here = bound(LeafTest(leaf_names.param_path(source.path)))
        return _any([here, *above])
    if isinstance(source, tree.RunField):
        names = leaf_names.TEXT_FIELDS if is_text else leaf_names.NUMBER_FIELDS
        return bound(LeafTest(leaf_names.field_path(source.name))) if source.name in names else None
    path = _summary_path(source, subject)
    return None if path is None else bound(path)


def _presence(source: tree.Source, subject: str) -> Condition | None:
    """Return that there is a value that is not None: what is true by itself has one."""
    if isinstance(source, tree.RunParam) and source.path:
        here = LeafTest(leaf_names.param_path(source.path))
        below = LeafTest(leaf_names.below_param(source.path), is_prefix=True, kinds=leaf_names.KINDS)
        return _any([here, below, *_above(source.path)])
    if isinstance(source, tree.RunField):
        if source.name == "tags":
            return None  # an empty list is not None
        name = TIME_FIELDS.get(source.name, source.name)
        is_leaf = name in (*leaf_names.TEXT_FIELDS, *leaf_names.NUMBER_FIELDS)
        return LeafTest(leaf_names.field_path(name)) if is_leaf else None
    if isinstance(source, tree.RunMetric):
        return LeafTest(leaf_names.sequence_path("metric", "last", source.name, source.context))
    return None


def _above(path: Sequence[str | int]) -> list[LeafTest]:
    """Return the leaves above a param that may hold it: a list or a text, of which it is an item."""
    lengths = [length for length in range(1, len(path)) if isinstance(path[length], int)]
    return [LeafTest(leaf_names.param_path(path[:length]), kinds=("str", "json", "long")) for length in lengths]


def _summary_path(source: tree.Source, subject: str) -> LeafTest | None:
    """Return the test of any leaf of a summary value, if there are such leaves."""
    if isinstance(source, tree.SummaryValue) and source.name in leaf_names.values_of(subject):
        return LeafTest(leaf_names.sequence_path(subject, source.name), is_prefix=True)
    if isinstance(source, tree.RunMetric) and source.summary in leaf_names.METRIC_VALUES:
        return LeafTest(leaf_names.sequence_path("metric", source.summary, source.name, source.context))
    return None
