"""
The meaning of a query in the plainest form: one run or sequence at a time, along Python's own tree.

It shares no code with `aim.query`, and follows only the table in docs/query-language.md. It is slow and
has no bounds: for the queries of tests only.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from tests.query.memory_table import PlainRun, Series, points_of

EPOCH = datetime(1970, 1, 1)
FAILURES = (TypeError, ValueError, ArithmeticError, LookupError, AttributeError)


class _Missing:
    def __bool__(self) -> bool:
        return False


MISSING = _Missing()
BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
}
COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Is: operator.is_,
    ast.In: lambda item, items: item in items,
}
POSITIVE: dict[type[ast.cmpop], type[ast.cmpop]] = {ast.NotEq: ast.Eq, ast.IsNot: ast.Is, ast.NotIn: ast.In}
FUNCTIONS: dict[str, Any] = {
    function.__name__: function
    for function in (len, abs, str, int, float, bool, min, max, sum, sorted, any, all, isinstance, list, tuple, round)
} | {"datetime": datetime, "timedelta": timedelta}


class RunView:
    """`run`: fields first, then params."""

    def __init__(self, run: PlainRun, now_s: float, offset_minutes: int) -> None:
        self.run = run
        self.now_s = now_s
        self.offset_minutes = offset_minutes

    def time(self, seconds: float | None) -> datetime | None:
        if seconds is None:
            return None
        return EPOCH + timedelta(microseconds=round(seconds * 1e6)) - timedelta(minutes=self.offset_minutes)

    def attribute(self, name: str) -> Any:
        begin, end, done = (self.run.fact(each) for each in ("creation_time", "end_time", "done_at"))
        made: dict[str, Callable[[], Any]] = {
            "created_at": lambda: self.time(begin),
            "updated_at": lambda: self.time(self.run.fact("update_time")),
            "finalized_at": lambda: self.time(end),
            "duration": lambda: None if begin is None else (self.now_s if end is None else end) - begin,
            "remaining": lambda: None if done is None else max(done - self.now_s, 0.0),
            "active": lambda: self.run.fact("status") == "running",
            "is_archived": lambda: self.run.fact("archived"),
            "metrics": lambda: MetricsView(self.run),
        }
        if name in made:
            return made[name]()
        stored = ("hash", "name", "description", "experiment", "tags", "archived", "notes", "creation_time", "end_time")
        if name in (*stored, "status"):
            return self.run.fact(name)
        return self.run.params.get(name, MISSING)


class MetricsView:
    """`run.metrics`: its metrics by name and context."""

    def __init__(self, run: PlainRun) -> None:
        self.run = run

    def item(self, key: Any) -> Any:
        name, context = key if isinstance(key, tuple) else (key, {})
        for series in self.run.series:
            if series.kind == "metric" and series.name == name and series.context == context:
                return SeriesView(series)
        return MISSING


class SeriesView:
    """A sequence, by its attributes."""

    def __init__(self, series: Series, run: RunView | None = None) -> None:
        self.series = series
        self.run = run

    def attribute(self, name: str) -> Any:
        if name == "run":
            return self.run
        if name in ("name", "context"):
            return getattr(self.series, name)
        if name == "dtype":
            return self.series.stored_kind
        if name == "version":
            return 2 if self.series.kind == "metric" else 1
        if name == "record_max_length":
            return self.series.record_max_length
        if name in ("values", "steps", "epochs", "timestamps"):
            found = points_of(self.series, name)
        else:
            found = self.series.summary(name)  # type: ignore[assignment]
        return MISSING if found is None else found


class Oracle:
    """Evaluates queries for one run or sequence."""

    def __init__(self, run: RunView, subject: str, series: Series | None = None) -> None:
        self.variables: dict[str, Any] = {"run": run}
        if series is not None:
            self.variables[subject] = SeriesView(series, run)

    def holds(self, text: str) -> bool:
        """Return whether the query *text* is true."""
        return bool(self.value(ast.parse(text.strip(), mode="eval").body))

    def value(self, node: ast.AST) -> Any:
        """The value of a node; a metric of the run, by itself, is just there."""
        place = self.place(node)
        return True if isinstance(place, SeriesView) else place

    def place(self, node: ast.AST) -> Any:
        """The value of a node, or a view that its next attribute is looked up in."""
        method = getattr(self, f"on_{type(node).__name__}")
        try:
            return method(node)
        except FAILURES:
            return MISSING

    def kept(self, node: ast.AST) -> Any:
        """The value as a member of something: missing becomes None."""
        value = self.value(node)
        return None if value is MISSING else value

    def on_Constant(self, node: ast.Constant) -> Any:
        return node.value

    def on_Name(self, node: ast.Name) -> Any:
        return self.variables[node.id] if node.id in self.variables else FUNCTIONS[node.id]

    def on_Attribute(self, node: ast.Attribute) -> Any:
        value = self.place(node.value)
        if isinstance(value, (RunView, SeriesView)):
            return value.attribute(node.attr)
        if isinstance(value, dict):
            return value.get(node.attr, MISSING)
        if isinstance(node.value, ast.Attribute) and (node.value.attr, node.attr) == ("experiment", "name"):
            return value
        if isinstance(value, datetime) and node.attr in ("year", "month", "day", "hour"):
            return getattr(value, node.attr)
        return MISSING

    def on_Subscript(self, node: ast.Subscript) -> Any:
        value, key = self.value(node.value), self.value(node.slice)
        if value is MISSING or key is MISSING:
            return MISSING
        if isinstance(value, MetricsView):
            return value.item(key)
        if isinstance(value, RunView):
            value = value.run.params
        for step in key if isinstance(key, tuple) else (key,):
            value = value[step]
        return value

    def on_Slice(self, node: ast.Slice) -> Any:
        edges = [None if edge is None else self.value(edge) for edge in (node.lower, node.upper, node.step)]
        return MISSING if MISSING in edges else slice(*edges)

    def on_BoolOp(self, node: ast.BoolOp) -> Any:
        value = None
        for item in node.values:
            value = self.value(item)
            if bool(value) is isinstance(node.op, ast.Or):
                break
        return value

    def on_UnaryOp(self, node: ast.UnaryOp) -> Any:
        value = self.value(node.operand)
        if isinstance(node.op, ast.Not):
            return not value
        if value is MISSING:
            return MISSING
        return -value if isinstance(node.op, ast.USub) else +value

    def on_BinOp(self, node: ast.BinOp) -> Any:
        left, right = self.value(node.left), self.value(node.right)
        if left is MISSING or right is MISSING:
            return MISSING
        return BINARY[type(node.op)](left, right)

    def on_Compare(self, node: ast.Compare) -> Any:
        left = self.value(node.left)
        for op, item in zip(node.ops, node.comparators):
            right = self.value(item)
            if not self.compared(op, left, right):
                return False
            left = right
        return True

    def compared(self, op: ast.cmpop, left: Any, right: Any) -> bool:
        if isinstance(right, RunView):
            right = right.run.params
        if isinstance(op, (ast.NotEq, ast.IsNot, ast.NotIn)):
            return not self.compared(POSITIVE[type(op)](), left, right)
        left, right = (None if side is MISSING else side for side in (left, right))
        try:
            return bool(COMPARE[type(op)](left, right))
        except FAILURES:
            return False

    def on_IfExp(self, node: ast.IfExp) -> Any:
        return self.value(node.body if self.value(node.test) else node.orelse)

    def on_List(self, node: ast.List) -> Any:
        return [self.kept(item) for item in node.elts]

    def on_Tuple(self, node: ast.Tuple) -> Any:
        return tuple(self.kept(item) for item in node.elts)

    def on_Dict(self, node: ast.Dict) -> Any:
        return {self.kept(key): self.kept(value) for key, value in zip(node.keys, node.values) if key is not None}

    def on_JoinedStr(self, node: ast.JoinedStr) -> Any:
        return "".join(self.text(part) for part in node.values)

    def text(self, node: ast.AST) -> str:
        return format(self.kept(node.value)) if isinstance(node, ast.FormattedValue) else str(self.value(node))

    def on_NamedExpr(self, node: ast.NamedExpr) -> Any:
        self.variables[node.target.id] = self.value(node.value)
        return self.variables[node.target.id]

    def on_ListComp(self, node: ast.ListComp | ast.GeneratorExp) -> Any:
        (loop,) = node.generators
        items = self.value(loop.iter)
        if not isinstance(items, (list, tuple, str, dict)):
            return MISSING
        assert isinstance(loop.target, ast.Name)
        outer, found = dict(self.variables), []
        for item in items:
            self.variables[loop.target.id] = item
            if all(self.value(condition) for condition in loop.ifs):
                found.append(self.kept(node.elt))
        self.variables = outer
        return found

    on_GeneratorExp = on_ListComp

    def on_Call(self, node: ast.Call) -> Any:
        arguments = [self.value(argument) for argument in node.args]
        if isinstance(node.func, ast.Attribute):
            return self.method(self.value(node.func.value), node.func.attr, arguments)
        function = self.value(node.func)
        if any(argument is MISSING for argument in arguments):
            return False if function in (bool, isinstance) else MISSING
        return function(*arguments)

    def method(self, value: Any, name: str, arguments: list[Any]) -> Any:
        if isinstance(value, RunView):
            value = value.run.params
        if name == "get":
            default = arguments[1] if len(arguments) > 1 else None
            if not isinstance(value, Mapping):
                return default
            try:
                return value[arguments[0]]
            except LookupError:
                return default
        if value is MISSING or MISSING in arguments:
            return MISSING
        result = getattr(value, name)(*arguments)
        return list(result) if name in ("keys", "values", "items") else result
