"""
From names to what they stand for.

A dotted or bracketed name is followed from its left end. Each step of the way has a *referent*, the last one a node:

    run                          RunName()
    run.name                     Input(RunField("name"))                   a node: .lower() would be its method
    run.hparams['a', 'b'].lr     ParamPrefix(("hparams", "a", "b", "lr"))  becomes Input(RunParam(...)) where it ends
    run.metrics['loss'].min      MetricsName(), MetricOfRun("loss", "{}"), Input(RunMetric("loss", "{}", "min"))
    metric.last                  SequenceName(), Input(SummaryValue("last"))
    math.sqrt                    ModuleName("math"), and the function that it is called as

A name that does not exist is refused here, with the nearest that does; `rules` refuses wrong operations on known names.
What needs no run is computed here, once.
"""

from __future__ import annotations

from collections.abc import Iterable

from aim.core import contexts
from aim.core.errors import UntrackableValue
from aim.core.value_objects import ValueObject
from aim.query import names, tree
from aim.query.evaluate import Evaluator
from aim.query.functions import FUNCTIONS, MODULES, VALUES, Clock, members
from aim.query.limits import Budget, TooMuch, weigh
from aim.query.methods import BY_TYPE
from aim.query.names import nearest
from aim.query.rules import OperationRules, static_type
from aim.query.table import Path

FOLD_TIME_S = 1.0
FOLDED_SIZE_MAX = 2_000  # a larger constant stays an operation: there may be thousands


class RunName(ValueObject):
    """`run`, which is not a value by itself."""


class SequenceName(ValueObject):
    """`metric`, `images` ..., which is not a value by itself."""


class MetricsName(ValueObject):
    """`run.metrics`, which is not a value by itself."""


class MetricOfRun(ValueObject):
    """`run.metrics['loss']`: as a value, whether the run has it."""

    name: str
    context: str


class ParamPrefix(ValueObject):
    """The beginning of a path into the run's params, or all of it."""

    path: Path


class ModuleName(ValueObject):
    """`math`, `re` ...; `datetime` and `date` are types as well."""

    name: str


Referent = RunName | SequenceName | MetricsName | MetricOfRun | ParamPrefix | ModuleName | tree.Node
Bound = frozenset[str]
"""The variables of comprehensions, lambdas and `:=` that a part of the query may read."""


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
        self.rules = OperationRules(text)

    # Values

    def value(self, node: tree.Node, bound: Bound) -> tree.Node:
        """Return the node that stands for the value of *node*."""
        referent = self.referent(node, bound)
        if isinstance(referent, tree.Node):
            return referent
        if isinstance(referent, ParamPrefix):
            return tree.Input(node.start, node.end, tree.RunParam(referent.path))
        if isinstance(referent, MetricOfRun):
            return tree.Input(node.start, node.end, tree.RunMetric(referent.name, referent.context, ""))
        if isinstance(referent, ModuleName):
            if referent.name in FUNCTIONS:
                return tree.Builtin(node.start, node.end, referent.name)
            self.rules.refuse(node, f"`{referent.name}` is a module; name the member that you want")
        if isinstance(referent, MetricsName):
            self.rules.refuse(
                node, "`run.metrics` needs the name of one metric: run.metrics['loss', {'subset': 'val'}].last"
            )
        source_text = self.rules.source_text(node)
        example = "run.hparams.lr" if isinstance(referent, RunName) else f"{source_text}.name"
        self.rules.refuse(node, f"`{source_text}` is not a value by itself; name one of its fields, as in {example}")

    def values(self, nodes: Iterable[tree.Node], bound: Bound) -> tuple[tree.Node, ...]:
        return tuple(self.value(node, bound) for node in nodes)

    def referent(self, node: tree.Node, bound: Bound) -> Referent:
        """Return what *node* stands for, which may be a step on the way to a value."""
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
            inner = bound | frozenset(node.parameters) | frozenset(tree.assigned(node.body))
            return node.replaced(body=self.value(node.body, inner))
        return self._folded(tree.map_children(node, lambda part: self.value(part, bound)))

    # Names

    def _name(self, node: tree.Name, bound: Bound) -> Referent:
        if node.name in bound:
            return node
        if node.name == "run":
            return RunName()
        if node.name == self.subject:
            return SequenceName()
        if node.name in MODULES:
            return ModuleName(node.name)
        if node.name in FUNCTIONS:
            return tree.Builtin(node.start, node.end, node.name)
        self._check_foreign_name(node)
        subjects = names.SUBJECTS if self.subject == "run" else ("run", self.subject)  # runs by their sequences
        variables = {*subjects, *bound}
        visible_names = [*variables, *(name for name in FUNCTIONS if "." not in name), *MODULES]
        suggestion = nearest(node.name, variables) or nearest(node.name, visible_names)
        advice = "" if suggestion else f". A param is written run.{node.name}"
        self.rules.refuse(node, f"`{node.name}` is not known{advice}", suggestion)

    def _check_foreign_name(self, node: tree.Name) -> None:
        """Refuse a constant of another language, and the variable of a query about something else."""
        name = node.name
        if name in names.CONSTANTS:
            self.rules.refuse(node, f"`{name}` is not known", names.CONSTANTS[name])
        if names.SUBJECT_ALIASES.get(name) == self.subject:
            self.rules.refuse(node, f"`{name}` is not known", self.subject)
        if self.subject == "run" and name in names.SUBJECT_ALIASES:
            self.rules.refuse(node, f"`{name}` is not known", names.SUBJECT_ALIASES[name])
        if name in names.SUBJECTS or name in names.SUBJECT_ALIASES:
            variables = "`run`" if self.subject == "run" else f"`{self.subject}` and `run`"
            self.rules.refuse(node, f"`{name}` is not known here: this query is about {variables}")

    def _attribute(self, node: tree.Attribute, bound: Bound) -> Referent:
        base, name = self.referent(node.value, bound), node.name
        if isinstance(base, RunName):
            return self._run_attribute(node)
        if isinstance(base, ParamPrefix):
            return ParamPrefix((*base.path, name))
        if isinstance(base, SequenceName):
            return self._sequence_attribute(node)
        if isinstance(base, MetricOfRun):
            return self._metric_attribute(node, base)
        if isinstance(base, ModuleName):
            return self._module_member(node, base)
        if isinstance(base, MetricsName):
            self.rules.refuse(node, f"A metric of a run is written run.metrics['{name}']")
        if isinstance(base, tree.Input) and base.source == tree.RunField("experiment") and name == "name":
            return base.replaced(end=node.end)
        self.rules.check_attribute(node, base)
        return self._folded(node.replaced(value=base))

    def _run_attribute(self, node: tree.Attribute) -> Referent:
        if node.name == "metrics":
            return MetricsName()
        if node.name in names.RUN:
            field = tree.RunField(names.STORED_AS.get(node.name, node.name))
            return tree.Input(node.start, node.end, field)
        return ParamPrefix((node.name,))

    def _sequence_attribute(self, node: tree.Attribute) -> Referent:
        name = node.name
        if name == "run":
            return RunName()
        attributes = names.sequence_names(self.subject)
        if name not in attributes:
            self.rules.refuse_member(node, f"`{self.subject}` has no `{name}`", [*attributes, "run"])
        source: tree.Source
        if name in names.PAIR:
            source = tree.PairField(name)
        elif name in names.SUMMARY:
            source = tree.SummaryValue(name)
        else:
            source = tree.PointList(name)
        return tree.Input(node.start, node.end, source)

    def _metric_attribute(self, node: tree.Attribute, metric: MetricOfRun) -> Referent:
        summaries = [name for name in names.sequence_names("metric") if name in names.SUMMARY]
        if node.name not in summaries:
            self.rules.refuse_member(node, f"A metric of a run has no `{node.name}`", summaries)
        return tree.Input(node.start, node.end, tree.RunMetric(metric.name, metric.context, node.name))

    def _module_member(self, node: tree.Attribute, module: ModuleName) -> Referent:
        full_name = f"{module.name}.{node.name}"
        if full_name in VALUES:
            return tree.Constant(node.start, node.end, VALUES[full_name])
        if full_name not in FUNCTIONS:
            self.rules.refuse_member(node, f"`{module.name}` has no `{node.name}`", members(module.name))
        return tree.Builtin(node.start, node.end, full_name)

    # Brackets

    def _subscript(self, node: tree.Subscript, bound: Bound) -> Referent:
        base = self.referent(node.value, bound)
        index = self.value(node.index, bound)
        if isinstance(base, (RunName, ParamPrefix)):
            keys = _keys(index)
            path = base.path if isinstance(base, ParamPrefix) else ()
            if keys is not None:
                return ParamPrefix((*path, *keys))
            if isinstance(index, tree.Slice) and not path:
                self.rules.refuse(node, "`run` has no slices")
            document = tree.Input(node.value.start, node.value.end, tree.RunParam(path))
            return tree.Subscript(node.start, node.end, document, index)
        if isinstance(base, MetricsName):
            return self._metric(node, index)
        items = base if isinstance(base, tree.Node) else self.value(node.value, bound)
        return self._folded(tree.Subscript(node.start, node.end, items, index))

    def _metric(self, node: tree.Subscript, index: tree.Node) -> MetricOfRun:
        key = index.value if isinstance(index, tree.Constant) else None
        name, context = key if isinstance(key, tuple) and len(key) == 2 else (key, {})
        if not isinstance(name, str) or not isinstance(context, dict):
            self.rules.refuse(
                node.index,
                "The name and the context of a metric of a run have to be written out, "
                "as in run.metrics['loss', {'subset': 'val'}]",
            )
        try:
            return MetricOfRun(name, contexts.text(context))
        except UntrackableValue as error:
            self.rules.refuse(node.index, f"No metric has this context: {error}")

    # Calls

    def _call(self, node: tree.Call, bound: Bound) -> Referent:
        arguments = self.values(node.arguments, bound)
        keywords = tuple(keyword.replaced(value=self.value(keyword.value, bound)) for keyword in node.keywords)
        called = node.function
        if isinstance(called, tree.Attribute):
            base = self.referent(called.value, bound)
            if not isinstance(base, ModuleName):
                return self._method_call(node.replaced(arguments=arguments, keywords=keywords), called, base)
        function = self.value(called, bound)
        if isinstance(function, tree.Builtin):
            builtin = FUNCTIONS[function.name]
            self.rules.check_arguments(node, function.name, [builtin], keywords)
            self.rules.check_pattern(builtin, arguments)
            return self._folded(tree.Invoke(node.start, node.end, builtin.name, arguments, keywords))
        if isinstance(function, tree.Constant):
            self.rules.refuse(called, f"`{self.rules.source_text(called)}` is not a function")
        if keywords:
            self.rules.refuse(keywords[0], "A lambda takes no `name=value`")
        return self._folded(tree.Call(node.start, node.end, function, arguments))

    def _method_call(self, node: tree.Call, called: tree.Attribute, base: Referent) -> Referent:
        """Return what `base.name(...)` stands for; the arguments of *node* are checked already."""
        if isinstance(base, (SequenceName, MetricsName, MetricOfRun)):
            self.rules.refuse(called, f"`{self.rules.source_text(called.value)}` has no methods")
        if isinstance(base, (RunName, ParamPrefix)):
            path = base.path if isinstance(base, ParamPrefix) else ()
            key_and_default = _get_of_constant_key(node, called)
            if key_and_default is not None:
                keys, default = key_and_default
                param = tree.Input(node.start, node.end, tree.RunParam((*path, *keys)))
                return tree.Get(node.start, node.end, param, default)
            if not path and called.name == names.SEARCH:
                return tree.Input(node.start, node.end, tree.RunSearch(self.rules.search_text(node)))
            if not path and called.name not in BY_TYPE[dict]:
                visible_names = [*BY_TYPE[dict], names.SEARCH]
                self.rules.refuse_member(called, f"`run` has no method `{called.name}`", visible_names)
            base = tree.Input(called.value.start, called.value.end, tree.RunParam(path))
        assert isinstance(base, tree.Node), base
        methods = self.rules.methods(called, static_type(base))
        self.rules.check_arguments(node, called.name, methods, node.keywords)
        return self._folded(tree.Method(node.start, node.end, base, called.name, node.arguments, node.keywords))

    # Comparisons

    def _compare(self, node: tree.Compare, bound: Bound) -> Referent:
        items: list[tree.Node] = []
        for number, item in enumerate(node.items):
            is_run = isinstance(item, tree.Name) and item.name == "run" and "run" not in bound
            if is_run and number == 1 and node.operators[0] in ("in", "not in"):
                items.append(tree.Input(item.start, item.end, tree.RunParam(())))  # 'hparams' in run
            else:
                items.append(self.value(item, bound))
        for operator, left, right in zip(node.operators, items, items[1:]):
            self.rules.check_comparison(operator, left, right)
        return self._folded(tree.Compare(node.start, node.end, node.operators, tuple(items)))

    # Comprehensions

    def _comprehension(self, node: tree.Comprehension, bound: Bound) -> Referent:
        loops = []
        for loop in node.loops:
            items = self.value(loop.items, bound)
            bound = bound | _target_names(loop.target)
            loops.append(loop.replaced(items=items, conditions=self.values(loop.conditions, bound)))
        element = self.value(node.element, bound)
        value = None if node.value is None else self.value(node.value, bound)
        return self._folded(node.replaced(element=element, value=value, loops=tuple(loops)))

    # Constants

    def _folded(self, node: tree.Node) -> tree.Node:
        """Return *node* as a constant if its value is the same for every run and at every time."""
        if isinstance(node, (tree.Constant, tree.Input, tree.Slice, tree.Field)) or not _is_closed(node):
            return node
        value = Evaluator(node, self.text, self.clock, strict=True).ask((), self.budget)
        try:
            is_small = weigh(value) <= FOLDED_SIZE_MAX
        except TooMuch:
            is_small = False
        return tree.Constant(node.start, node.end, value) if is_small else node


def _keys(index: tree.Node) -> Path | None:
    """Return the keys of params that a constant index means; None if it is not one."""
    if not isinstance(index, tree.Constant):
        return None
    keys = index.value if isinstance(index.value, tuple) else (index.value,)
    if not keys or not all(type(key) in (str, int) for key in keys):
        return None
    return tuple(keys)


def _get_of_constant_key(node: tree.Call, called: tree.Attribute) -> tuple[Path, tree.Node] | None:
    """Return the keys and the default of `get('key', default)`; None for any other call."""
    if called.name != "get" or node.keywords or len(node.arguments) not in (1, 2):
        return None
    keys = _keys(node.arguments[0])
    if keys is None:
        return None
    return keys, node.arguments[1] if len(node.arguments) == 2 else tree.Constant(node.end, node.end, None)


def _target_names(target: tree.Target) -> Bound:
    if target.name is not None:
        return frozenset({target.name})
    return frozenset(name for part in target.parts for name in _target_names(part))


def _is_closed(node: tree.Node, bound: Bound = frozenset()) -> bool:
    """Return whether the value of *node* is the same for every run and at every time."""
    if isinstance(node, (tree.Input, tree.Assign)):
        return False
    if isinstance(node, tree.Name):
        return node.name in bound
    if isinstance(node, (tree.Invoke, tree.Builtin)) and FUNCTIONS[node.name].volatile:
        return False
    if isinstance(node, tree.Comprehension):
        return _is_closed_comprehension(node, bound)
    if isinstance(node, tree.Lambda):
        bound = bound | frozenset(node.parameters)
    return all(_is_closed(part, bound) for part in tree.children(node))


def _is_closed_comprehension(node: tree.Comprehension, bound: Bound) -> bool:
    for loop in node.loops:
        if not _is_closed(loop.items, bound):
            return False
        bound = bound | _target_names(loop.target)
        if not all(_is_closed(condition, bound) for condition in loop.conditions):
            return False
    return _is_closed(node.element, bound) and (node.value is None or _is_closed(node.value, bound))
