"""
From names to what they stand for, and every error that can be found without looking at a run.

A dotted or bracketed name is followed from its left end. On the way it is a *place*, at its end a node:

    run                          RunName()
    run.name                     Input(RunField("name"))              and stays a node: .lower() is a method of a text
    run.hparams['a', 'b'].lr     ParamPrefix(("hparams", "a", "b", "lr"))  becomes Input(RunParam(...)) where it ends
    run.metrics['loss'].min      MetricsName(), MetricOfRun("loss", "{}"), Input(RunMetric("loss", "{}", "min"))
    metric.last                  SequenceName(), Input(SummaryValue("last"))
    math.sqrt                    ModuleName("math"), and the function it is called as

Found here: names that do not exist (with the nearest that does), functions and methods with the wrong number of
arguments, an order between what has none, patterns that are wrong, and operations on constants that always fail.
What needs no run is worked out here, once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NoReturn

from aim.core import contexts
from aim.core.errors import InvalidQuery, UntrackableValue
from aim.core.statuses import STATUSES
from aim.query import names, regex, tree
from aim.query.evaluate import Evaluator
from aim.query.functions import FUNCTIONS, MODULES, VALUES, Clock, Function, members
from aim.query.limits import Budget, TooMuch, weigh
from aim.query.methods import ATTRIBUTES, BY_TYPE, METHODS, TypeMethod
from aim.query.names import nearest
from aim.query.pattern import BadPattern
from aim.query.table import Path

FOLD_TIME_S = 1.0
FOLDED_SIZE_MAX = 2_000  # a larger constant stays an operation: there may be thousands
ORDERINGS = frozenset({"<", "<=", ">", ">="})
NUMBERS = (bool, int, float)


@dataclass(frozen=True)
class RunName:
    """`run`, which is no value by itself."""


@dataclass(frozen=True)
class SequenceName:
    """`metric`, `images` ..., which is no value by itself."""


@dataclass(frozen=True)
class MetricsName:
    """`run.metrics`, which is no value by itself."""


@dataclass(frozen=True)
class MetricOfRun:
    """`run.metrics['loss']`: as a value, whether the run has it."""

    name: str
    context: str


@dataclass(frozen=True)
class ParamPrefix:
    """A way into the run's params."""

    path: Path


@dataclass(frozen=True)
class ModuleName:
    """`math`, `re` ...; `datetime` and `date` are types as well."""

    name: str


Place = RunName | SequenceName | MetricsName | MetricOfRun | ParamPrefix | ModuleName | tree.Node
Bound = frozenset[str]
"""The variables of comprehensions, lambdas and `:=` that are known at a place."""


def check(node: tree.Node, text: str, subject: str, clock: Clock) -> tree.Node:
    """
    Return the tree with all names replaced by what they stand for.

    Raises:
        InvalidQuery: a name is unknown, a call is wrong, or an operation always fails.
    """
    checker = _Checker(text, subject, clock)
    return checker.value(node, frozenset(tree.assigned(node)))


class _Checker:
    def __init__(self, text: str, subject: str, clock: Clock) -> None:
        self.text = text
        self.subject = subject
        self.clock = clock
        self.budget = Budget(FOLD_TIME_S)

    def refuse(self, start: int, end: int, message: str, suggestion: str | None = None) -> NoReturn:
        raise InvalidQuery(message, self.text, start, end, suggestion)

    def source_text(self, node: tree.Node) -> str:
        """The user's own words for a node, for a message."""
        words = self.text[node.start : node.end]
        return words if len(words) <= 60 else f"{words[:57]}..."

    # Values

    def value(self, node: tree.Node, bound: Bound) -> tree.Node:
        """Return the node that stands for the value of *node*."""
        place = self.place(node, bound)
        if isinstance(place, tree.Node):
            return place
        if isinstance(place, ParamPrefix):
            return tree.Input(node.start, node.end, tree.RunParam(place.path))
        if isinstance(place, MetricOfRun):
            return tree.Input(node.start, node.end, tree.RunMetric(place.name, place.context, ""))
        if isinstance(place, ModuleName):
            if place.name in FUNCTIONS:
                return tree.Builtin(node.start, node.end, place.name)
            self.refuse(node.start, node.end, f"`{place.name}` is a module; name what you want of it")
        if isinstance(place, MetricsName):
            self.refuse(
                node.start,
                node.end,
                "`run.metrics` is asked for one metric: run.metrics['loss', {'subset': 'val'}].last",
            )
        example = "run.hparams.lr" if isinstance(place, RunName) else f"{self.source_text(node)}.name"
        self.refuse(
            node.start,
            node.end,
            f"`{self.source_text(node)}` is no value by itself; name what you want of it, as in {example}",
        )

    def place(self, node: tree.Node, bound: Bound) -> Place:
        """Return what *node* stands for, which may be on the way to a value."""
        if isinstance(node, tree.Name):
            return self._name(node, bound)
        if isinstance(node, tree.Attribute):
            return self._attribute(node, bound)
        if isinstance(node, tree.Subscript):
            return self._subscript(node, bound)
        if isinstance(node, tree.Call):
            return self._call(node, bound)
        if isinstance(node, tree.Compare):
            return self._compare(node, bound)
        if isinstance(node, tree.Comprehension):
            return self._comprehension(node, bound)
        if isinstance(node, tree.Lambda):
            known = bound | frozenset(node.parameters) | frozenset(tree.assigned(node.body))
            body = self.value(node.body, known)
            return replace(node, body=body)
        return self.folded(self._rebuilt(node, bound))

    def _rebuilt(self, node: tree.Node, bound: Bound) -> tree.Node:
        """A node of any other kind, with its parts checked."""
        if isinstance(node, tree.Unary):
            return replace(node, operand=self.value(node.operand, bound))
        if isinstance(node, tree.Assign):
            return replace(node, value=self.value(node.value, bound))
        if isinstance(node, tree.Field):
            form = None if node.format is None else self.value(node.format, bound)
            return replace(node, value=self.value(node.value, bound), format=form)
        if isinstance(node, tree.Binary):
            return replace(node, left=self.value(node.left, bound), right=self.value(node.right, bound))
        if isinstance(node, (tree.Logic, tree.Group)):
            return replace(node, items=self.values(node.items, bound))
        if isinstance(node, tree.Choice):
            test, then, otherwise = self.values((node.test, node.then, node.otherwise), bound)
            return tree.Choice(node.start, node.end, test, then, otherwise)
        if isinstance(node, tree.Dict):
            return replace(node, keys=self.values(node.keys, bound), values=self.values(node.values, bound))
        if isinstance(node, tree.FString):
            return replace(node, parts=self.values(node.parts, bound))
        if isinstance(node, tree.Slice):
            edges = (None if edge is None else self.value(edge, bound) for edge in (node.lower, node.upper, node.step))
            return tree.Slice(node.start, node.end, *edges)
        return node

    def values(self, nodes: Iterable[tree.Node], bound: Bound) -> tuple[tree.Node, ...]:
        return tuple(self.value(node, bound) for node in nodes)

    # Names

    def _name(self, node: tree.Name, bound: Bound) -> Place:
        name = node.name
        if name in bound:
            return node
        if name == "run":
            return RunName()
        if name == self.subject:
            return SequenceName()
        if name in MODULES:
            return ModuleName(name)
        if name in FUNCTIONS:
            return tree.Builtin(node.start, node.end, name)
        if name in names.CONSTANTS:
            self.refuse(node.start, node.end, f"`{name}` is not known", names.CONSTANTS[name])
        if names.SUBJECT_ALIASES.get(name) == self.subject:
            self.refuse(node.start, node.end, f"`{name}` is not known", self.subject)
        if name in names.SUBJECTS or name in names.SUBJECT_ALIASES:
            known = "`run`" if self.subject == "run" else f"`{self.subject}` and `run`"
            self.refuse(node.start, node.end, f"`{name}` is not known here: this query knows {known}")
        variables = {"run", self.subject, *bound}
        known_names = [*variables, *(known for known in FUNCTIONS if "." not in known), *MODULES]
        suggestion = nearest(name, variables) or nearest(name, known_names)
        self.refuse(
            node.start,
            node.end,
            f"`{name}` is not known. A param is written run.{name}" if not suggestion else f"`{name}` is not known",
            suggestion,
        )

    def _attribute(self, node: tree.Attribute, bound: Bound) -> Place:
        base, name = self.place(node.value, bound), node.name
        if isinstance(base, RunName):
            if name == "metrics":
                return MetricsName()
            if name in names.RUN:
                field = tree.RunField(names.STORED_AS.get(name, name))
                return tree.Input(node.start, node.end, field)
            return ParamPrefix((name,))
        if isinstance(base, ParamPrefix):
            return ParamPrefix((*base.path, name))
        if isinstance(base, SequenceName):
            return self._of_sequence(node)
        if isinstance(base, MetricOfRun):
            return self._of_series(node, base)
        if isinstance(base, ModuleName):
            return self._of_module(node, base)
        if isinstance(base, MetricsName):
            self.refuse(node.start, node.end, f"A metric of a run is written run.metrics['{name}']")
        if isinstance(base, tree.Input) and base.source == tree.RunField("experiment") and name == "name":
            return replace(base, end=node.end)
        self._check_attribute(node, base)
        return self.folded(replace(node, value=base))

    def _of_sequence(self, node: tree.Attribute) -> Place:
        name = node.name
        if name == "run":
            return RunName()
        known = names.sequence_names(self.subject)
        if name not in known:
            self._unknown(node, f"`{self.subject}` has no `{name}`", [*known, "run"])
        source: tree.Source
        if name in names.PAIR:
            source = tree.PairField(name)
        elif name in names.SUMMARY:
            source = tree.SummaryValue(name)
        else:
            source = tree.PointList(name)
        return tree.Input(node.start, node.end, source)

    def _of_series(self, node: tree.Attribute, base: MetricOfRun) -> Place:
        known = [name for name in names.sequence_names("metric") if name in names.SUMMARY]
        if node.name == "dtype":
            exists = tree.Input(node.start, node.end, tree.RunMetric(base.name, base.context, ""))
            dtype = tree.Constant(node.start, node.end, names.DTYPES["metric"])
            return tree.Choice(node.start, node.end, exists, dtype, tree.Constant(node.start, node.end, None))
        if node.name not in known:
            self._unknown(node, f"A metric of a run has no `{node.name}`", known)
        return tree.Input(node.start, node.end, tree.RunMetric(base.name, base.context, node.name))

    def _of_module(self, node: tree.Attribute, base: ModuleName) -> Place:
        full = f"{base.name}.{node.name}"
        if full in VALUES:
            return tree.Constant(node.start, node.end, VALUES[full])
        if full not in FUNCTIONS:
            self._unknown(node, f"`{base.name}` has no `{node.name}`", members(base.name))
        return tree.Builtin(node.start, node.end, full)

    def _unknown(self, node: tree.Attribute, message: str, known: Iterable[str]) -> NoReturn:
        known = list(known)
        suggestion = nearest(node.name, known)
        if suggestion is None and len(known) < 30:
            message = f"{message}; it has {', '.join(known)}"
        self.refuse(max(node.start, node.end - len(node.name)), node.end, message, suggestion)

    def _check_attribute(self, node: tree.Attribute, base: tree.Node) -> None:
        """Refuse an attribute of a value whose type is known and has none of that name."""
        kind = known_type(base)
        if kind is None or kind is dict or node.name in ATTRIBUTES.get(kind, ()):
            return
        words = f"`{self.source_text(base)}` is {names.TYPE_NAMES.get(kind, kind.__name__)}"
        if node.name in BY_TYPE.get(kind, {}):
            self.refuse(node.start, node.end, f"{words}; `{node.name}` has to be called", f"{self.source_text(node)}()")
        known = [*ATTRIBUTES.get(kind, ()), *BY_TYPE.get(kind, {})]
        self._unknown(node, f"{words}, which has no `{node.name}`", known)

    # Brackets

    def _subscript(self, node: tree.Subscript, bound: Bound) -> Place:
        base = self.place(node.value, bound)
        index = self.value(node.index, bound)
        if isinstance(base, (RunName, ParamPrefix)):
            keys = _keys(index)
            path = base.path if isinstance(base, ParamPrefix) else ()
            if keys is not None:
                return ParamPrefix((*path, *keys))
            if isinstance(index, tree.Slice) and not path:
                self.refuse(node.start, node.end, "`run` has no slices")
            document = tree.Input(node.value.start, node.value.end, tree.RunParam(path))
            return tree.Subscript(node.start, node.end, document, index)
        if isinstance(base, MetricsName):
            return self._series(node, index)
        if isinstance(base, tree.Node):
            return self.folded(tree.Subscript(node.start, node.end, base, index))
        return self.folded(tree.Subscript(node.start, node.end, self.value(node.value, bound), index))

    def _series(self, node: tree.Subscript, index: tree.Node) -> MetricOfRun:
        wanted = index.value if isinstance(index, tree.Constant) else None
        name, context = wanted if isinstance(wanted, tuple) and len(wanted) == 2 else (wanted, {})
        if not isinstance(name, str) or not isinstance(context, dict):
            self.refuse(
                node.index.start,
                node.index.end,
                "A metric of a run is asked for by a name and a context that are written out, "
                "as in run.metrics['loss', {'subset': 'val'}]",
            )
        try:
            return MetricOfRun(name, contexts.text(context))
        except UntrackableValue as error:
            self.refuse(node.index.start, node.index.end, f"No metric has this context: {error}")

    # Calls

    def _call(self, node: tree.Call, bound: Bound) -> Place:
        arguments = self.values(node.arguments, bound)
        keywords = tuple(replace(keyword, value=self.value(keyword.value, bound)) for keyword in node.keywords)
        called = node.function
        if isinstance(called, tree.Attribute):
            base = self.place(called.value, bound)
            if not isinstance(base, ModuleName):
                return self._method(node, called, base, arguments, keywords)
        function = self.value(called, bound)
        if isinstance(function, tree.Builtin):
            known = FUNCTIONS[function.name]
            self._check_arguments(node, function.name, [known], len(arguments), keywords)
            self._check_pattern(known, arguments)
            return self.folded(tree.Invoke(node.start, node.end, known.name, arguments, keywords))
        if isinstance(function, tree.Constant):
            self.refuse(called.start, called.end, f"`{self.source_text(called)}` is not a function")
        if keywords:
            self.refuse(keywords[0].start, keywords[0].end, "A lambda takes no `name=value`")
        return self.folded(tree.Call(node.start, node.end, function, arguments))

    def _method(
        self,
        node: tree.Call,
        called: tree.Attribute,
        base: Place,
        arguments: tuple[tree.Node, ...],
        keywords: tuple[tree.Keyword, ...],
    ) -> Place:
        name = called.name
        if isinstance(base, (SequenceName, MetricsName, MetricOfRun)):
            self.refuse(called.start, called.end, f"`{self.source_text(called.value)}` has no methods")
        place = called.value
        if isinstance(base, (RunName, ParamPrefix)):
            path = base.path if isinstance(base, ParamPrefix) else ()
            keys = _keys(arguments[0]) if arguments and not keywords and len(arguments) <= 2 else None
            if name == "get" and keys is not None:
                default = arguments[1] if len(arguments) == 2 else tree.Constant(node.end, node.end, None)
                return tree.Get(
                    node.start, node.end, tree.Input(node.start, node.end, tree.RunParam((*path, *keys))), default
                )
            if not path and name not in BY_TYPE[dict]:
                self._unknown(called, f"`run` has no method `{name}`", BY_TYPE[dict])
            value: tree.Node = tree.Input(place.start, place.end, tree.RunParam(path))
        else:
            value = base if isinstance(base, tree.Node) else self.value(place, bound=frozenset())
        kind = known_type(value)
        methods = self._methods(called, kind, place)
        self._check_arguments(node, name, methods, len(arguments), keywords)
        return self.folded(tree.Method(node.start, node.end, value, name, arguments, keywords))

    def _methods(self, called: tree.Attribute, kind: type | None, place: tree.Node) -> list[TypeMethod]:
        """The methods that a call may mean: of the type if it is known, else of all types."""
        if kind is not None and kind in BY_TYPE:
            if called.name not in BY_TYPE[kind]:
                words = f"`{self.source_text(place)}` is {names.TYPE_NAMES.get(kind, kind.__name__)}"
                self._unknown(called, f"{words}, which has no method `{called.name}`", BY_TYPE[kind])
            return [BY_TYPE[kind][called.name]]
        if called.name == "format":
            self.refuse(called.start, called.end, "A query has no `format`; write f'{run.name}'")
        if called.name not in METHODS:
            self._unknown(called, f"There is no method `{called.name}`", METHODS)
        return list(METHODS[called.name].values())

    def _check_arguments(
        self,
        node: tree.Call,
        name: str,
        known: list[Function] | list[TypeMethod],
        count: int,
        keywords: tuple[tree.Keyword, ...],
    ) -> None:
        for keyword in keywords:
            allowed = sorted({word for one in known for word in one.keywords})
            if keyword.name not in allowed:
                self.refuse(
                    keyword.start, keyword.end, f"`{name}` takes no `{keyword.name}`", nearest(keyword.name, allowed)
                )
        if not any(one.least <= count + len(keywords) and count <= one.most for one in known):
            least, most = min(one.least for one in known), max(one.most for one in known)
            wanted = f"{least}" if least == most else f"{least} or more" if most >= 99 else f"{least} to {most}"
            self.refuse(node.start, node.end, f"`{name}` takes {wanted} argument{'s' * (wanted != '1')}, not {count}")

    def _check_pattern(self, function: Function, arguments: tuple[tree.Node, ...]) -> None:
        """Find what is wrong with a pattern that is written out."""
        if not function.name.startswith("re.") or function.name == "re.escape":
            return
        pattern = arguments[0] if arguments else None
        flags = arguments[2] if len(arguments) > 2 else None
        if not isinstance(pattern, tree.Constant) or not isinstance(pattern.value, str):
            return
        known_flags = flags.value if isinstance(flags, tree.Constant) and isinstance(flags.value, int) else 0
        try:
            regex.compiled(pattern.value, known_flags)
        except BadPattern as error:
            self.refuse(
                pattern.start, pattern.end, f"This pattern can't be used: {error} (at its character {error.place + 1})"
            )

    # Comparisons

    def _compare(self, node: tree.Compare, bound: Bound) -> Place:
        items: list[tree.Node] = []
        for place, item in enumerate(node.items):
            operators = node.operators[max(0, place - 1) : place + 1]
            named = isinstance(item, tree.Name) and item.name == "run" and "run" not in bound
            if named and place == 1 and operators[0] in ("in", "not in"):
                items.append(tree.Input(item.start, item.end, tree.RunParam(())))  # 'hparams' in run
            else:
                items.append(self.value(item, bound))
        for operator, left, right in zip(node.operators, items, items[1:]):
            self._check_comparison(operator, left, right)
        return self.folded(tree.Compare(node.start, node.end, node.operators, tuple(items)))

    def _check_comparison(self, operator: str, left: tree.Node, right: tree.Node) -> None:
        if operator in ("is", "is not") and not any(_is_singleton(side) for side in (left, right)):
            instead = "==" if operator == "is" else "!="
            self.refuse(
                left.start, right.end, f"`{operator}` is for None, True and False; values are compared with `{instead}`"
            )
        for side, other in ((left, right), (right, left)):
            if isinstance(side, tree.Input) and isinstance(other, tree.Constant):
                self._check_constant(operator, side, other)

    def _check_constant(self, operator: str, side: tree.Input, other: tree.Constant) -> None:
        """Refuse a comparison of a fact with a constant that is never true."""
        kind, constant = known_type(side), other.value
        if side.source == tree.RunField("status") and operator in ("==", "!=", "in", "not in"):
            for status in constant if isinstance(constant, (list, tuple, set)) else [constant]:
                if isinstance(status, str) and status not in STATUSES:
                    known = ", ".join(STATUSES)
                    self.refuse(
                        other.start,
                        other.end,
                        f"No run has the status '{status}'; there are {known}",
                        nearest(status, STATUSES),
                    )
        if kind is None or operator not in ORDERINGS or constant is None:
            return
        if kind is type(constant) or (kind in NUMBERS and isinstance(constant, NUMBERS)):
            return
        what = names.TYPE_NAMES.get(kind, kind.__name__)
        given = names.TYPE_NAMES.get(type(constant), f"a {type(constant).__name__}")
        self.refuse(
            other.start,
            other.end,
            f"`{self.source_text(side)}` is {what}, which is not before or after {given}",
            _as_time(kind, constant),
        )

    # Comprehensions

    def _comprehension(self, node: tree.Comprehension, bound: Bound) -> Place:
        loops = []
        for loop in node.loops:
            items = self.value(loop.items, bound)
            bound = bound | _target_names(loop.target)
            loops.append(replace(loop, items=items, conditions=self.values(loop.conditions, bound)))
        element = self.value(node.element, bound)
        value = None if node.value is None else self.value(node.value, bound)
        return self.folded(replace(node, element=element, value=value, loops=tuple(loops)))

    # Constants

    def folded(self, node: tree.Node) -> tree.Node:
        """Return *node* as a constant if it needs no run, no variable and no chance."""
        if isinstance(node, (tree.Constant, tree.Input, tree.Slice, tree.Field)) or not _is_closed(node):
            return node
        value = Evaluator(node, self.text, self.clock, strict=True).ask((), self.budget)
        try:
            small = weigh(value) <= FOLDED_SIZE_MAX
        except TooMuch:
            small = False
        return tree.Constant(node.start, node.end, value) if small else node


def known_type(node: tree.Node) -> type | None:
    """Return the type that the value of *node* has unless it is None or missing; None if it may have any."""
    if isinstance(node, tree.Constant):
        return type(node.value)
    if isinstance(node, tree.FString):
        return str
    if isinstance(node, tree.Input):
        source = node.source
        if isinstance(source, tree.RunField):
            return names.RUN[source.name]
        if isinstance(source, tree.PairField):
            return names.PAIR[source.name]
        if isinstance(source, (tree.SummaryValue, tree.RunMetric)):
            return names.SUMMARY[source.name if isinstance(source, tree.SummaryValue) else source.summary or "has_nan"]
        if isinstance(source, tree.PointList):
            return list
    if isinstance(node, tree.Method) and node.name in ("lower", "upper", "strip"):
        return known_type(node.value)
    return None


def _keys(index: tree.Node) -> Path | None:
    """The steps into params that a constant index means; None if it means none."""
    if not isinstance(index, tree.Constant):
        return None
    steps = index.value if isinstance(index.value, tuple) else (index.value,)
    if not steps or not all(type(step) in (str, int) for step in steps):
        return None
    return tuple(steps)


def _is_singleton(node: tree.Node) -> bool:
    return isinstance(node, tree.Constant) and (node.value is None or node.value is True or node.value is False)


def _as_time(kind: type, constant: object) -> str | None:
    """How a text that is a date is written as a time."""
    if kind is not datetime or not isinstance(constant, str):
        return None
    try:
        moment = datetime.fromisoformat(constant)
    except ValueError:
        return None
    parts = [moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second]
    while len(parts) > 3 and parts[-1] == 0:
        parts.pop()
    return f"datetime({', '.join(map(str, parts))})"


def _target_names(target: tree.Target) -> Bound:
    if target.name is not None:
        return frozenset({target.name})
    return frozenset(name for part in target.parts for name in _target_names(part))


def _is_closed(node: tree.Node, bound: Bound = frozenset()) -> bool:
    """Whether the value of *node* is the same for every run and at every time."""
    if isinstance(node, (tree.Input, tree.Assign)):
        return False
    if isinstance(node, tree.Name):
        return node.name in bound
    if isinstance(node, (tree.Invoke, tree.Builtin)) and FUNCTIONS[node.name].volatile:
        return False
    if isinstance(node, tree.Lambda):
        return _is_closed(node.body, bound | frozenset(node.parameters))
    if isinstance(node, tree.Comprehension):
        for loop in node.loops:
            if not _is_closed(loop.items, bound):
                return False
            bound = bound | _target_names(loop.target)
            if not all(_is_closed(condition, bound) for condition in loop.conditions):
                return False
        return _is_closed(node.element, bound) and (node.value is None or _is_closed(node.value, bound))
    return all(_is_closed(part, bound) for part in tree.children(node))
