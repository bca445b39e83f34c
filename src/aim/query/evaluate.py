"""
The value of a query for one run or sequence.

Operations mean what they mean in Python. A value that a run does not have is *missing*; docs/query-language.md has the
table of what operations do with missing values and when they fail. In short: a comparison takes missing as None; one
that Python refuses does not hold, and its negation does; any other operation on missing, or that fails, is missing. A
value beyond a bound of `limits` ends the query with `InvalidQuery`, since any answer would be wrong.

A tree becomes nested closures, which take a *frame*: a list of the budget, the inputs, and the variables. Nothing is
compiled to code, and closures call only the functions in the tables of `operators`, `functions` and `methods`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NoReturn

from aim.core.errors import InvalidQuery
from aim.query import tree
from aim.query.functions import FUNCTIONS, Clock, invoke, is_function
from aim.query.limits import CALL_STEPS, CLOCK_EVERY_STEPS, Budget, Pile, TooMuch, check_hashed, piled
from aim.query.methods import attribute, call_method
from aim.query.operators import BINARY, COMPARE, ERRORS, MISSING, NEGATIONS, UNARY, format_value, subscript

Frame = list[Any]
Closure = Callable[[Frame], Any]

FIRST_INPUT = 1
ARGUMENTS_UNWEIGHED_MAX = 8  # more arguments than these are weighed while they are gathered
ALWAYS = "This always fails"


class Evaluator:
    """
    A tree with its inputs, ready to be evaluated for any number of runs.

    Attributes:
        sources: the source of each input; `ask` takes the values in this order.
    """

    def __init__(self, node: tree.Node, text: str, clock: Clock, *, strict: bool = False) -> None:
        self.sources = inputs(node)
        scope = Scope(text, clock, strict, self.sources)
        self._assigned = scope.declare_assigned(node)
        self._closure = scope.closure(node)
        self._width = scope.width

    def frame(self, budget: Budget) -> Frame:
        """Return a frame for `closure`; it may be used again and again, but not at once."""
        return [budget, *([MISSING] * (self._width - 1))]

    def closure(self) -> Closure:
        """Return the function from a frame, with the inputs from slot FIRST_INPUT on, to the value of the tree."""
        if not self._assigned:
            return self._closure
        inner, assigned = self._closure, self._assigned

        def fresh(frame: Frame) -> Any:
            for slot in assigned:
                frame[slot] = MISSING
            return inner(frame)

        return fresh

    def ask(self, values: Sequence[object], budget: Budget | None = None) -> object:
        """Return the value of the tree for these inputs; a missing one is `MISSING`."""
        frame = self.frame(budget or Budget())
        frame[FIRST_INPUT : FIRST_INPUT + len(values)] = values
        return self.closure()(frame)


def inputs(node: tree.Node) -> tuple[tree.Source, ...]:
    """Return the distinct sources that a tree reads."""
    sources = {part.source: None for part in tree.walk(node) if isinstance(part, tree.Input)}
    return tuple(sorted(sources, key=repr))


class LambdaValue:
    """A lambda as a value: its body, the slots of its parameters, and the frame in which it was made."""

    __slots__ = ("body", "frame", "slots")
    is_lambda = True

    def __init__(self, body: Closure, slots: tuple[int, ...], frame: Frame) -> None:
        self.body = body
        self.slots = slots
        self.frame = frame

    def __repr__(self) -> str:
        return "lambda"

    def __call__(self, *arguments: object) -> object:
        """Call the lambda; a missing argument makes the result missing."""
        if len(arguments) != len(self.slots):
            raise TypeError(f"the lambda takes {len(self.slots)} arguments")
        if any(argument is MISSING for argument in arguments):
            return MISSING
        frame = self.frame.copy()
        for slot, argument in zip(self.slots, arguments):
            frame[slot] = argument
        budget: Budget = frame[0]
        budget.enter()
        try:
            return self.body(frame)
        finally:
            budget.leave()


class Scope:
    """Makes closures from nodes; has the slots of the inputs and variables in the frame."""

    def __init__(self, text: str, clock: Clock, strict: bool, sources: Sequence[tree.Source]) -> None:
        self.text = text
        self.clock = clock
        self.strict = strict
        self.input_slots = {source: FIRST_INPUT + number for number, source in enumerate(sources)}
        self.names: dict[str, int] = {}
        self.width = FIRST_INPUT + len(sources)

    def declare(self, name: str) -> int:
        """Return the slot of a new variable, which hides any other of its name until `names` is restored."""
        self.names[name] = self.width
        self.width += 1
        return self.names[name]

    def declare_assigned(self, node: tree.Node) -> tuple[int, ...]:
        """Declare the variables that `:=` assigns outside of lambdas, and return their slots."""
        return tuple(self.declare(name) for name in tree.assigned(node) if name not in self.names)

    def closure(self, node: tree.Node) -> Closure:
        """Return the closure of any node."""
        return CLOSURES[type(node)](self, node)

    def closures(self, nodes: Sequence[tree.Node]) -> tuple[Closure, ...]:
        """Return the closures of several nodes."""
        return tuple(self.closure(node) for node in nodes)

    def refuse(self, node: tree.Node, error: TooMuch) -> NoReturn:
        """Raise `InvalidQuery`: an operation would pass a bound."""
        raise InvalidQuery(f"Too much: {error}", self.text, node.start, node.end) from None

    def fail(self, node: tree.Node, error: BaseException) -> object:
        """Return the value of an operation that failed: missing; if *strict*, raise `InvalidQuery`."""
        if self.strict:
            raise InvalidQuery(f"{ALWAYS}: {error}", self.text, node.start, node.end) from None
        return MISSING

    def guarded(self, node: tree.Node, operation: Closure) -> Closure:
        """Return *operation* with its errors handled by `fail` and `refuse`."""
        fail, refuse = self.fail, self.refuse

        def guarded(frame: Frame) -> Any:
            try:
                return operation(frame)
            except ERRORS as error:
                return fail(node, error)
            except TooMuch as error:
                return refuse(node, error)

        return guarded


def _constant(scope: Scope, node: tree.Constant) -> Closure:
    value = node.value
    return lambda frame: value


def _input(scope: Scope, node: tree.Input) -> Closure:
    slot = scope.input_slots[node.source]
    return lambda frame: frame[slot]


def _name(scope: Scope, node: tree.Name) -> Closure:
    slot = scope.names[node.name]
    return lambda frame: frame[slot]


def _builtin(scope: Scope, node: tree.Builtin) -> Closure:
    function = FUNCTIONS[node.name]
    if function.clocked:
        return lambda frame: MISSING
    return lambda frame: function


def _attribute(scope: Scope, node: tree.Attribute) -> Closure:
    value, name = scope.closure(node.value), node.name
    return lambda frame: attribute(value(frame), name)


def _subscript(scope: Scope, node: tree.Subscript) -> Closure:
    value, index = scope.closure(node.value), scope.closure(node.index)

    def operation(frame: Frame) -> object:
        items, key = value(frame), index(frame)
        if items is MISSING or key is MISSING:
            return MISSING
        return subscript(items, key)

    return scope.guarded(node, operation)


def _slice(scope: Scope, node: tree.Slice) -> Closure:
    parts = [None if part is None else scope.closure(part) for part in (node.lower, node.upper, node.step)]

    def operation(frame: Frame) -> object:
        edges = [None if part is None else part(frame) for part in parts]
        return MISSING if any(edge is MISSING for edge in edges) else slice(*edges)

    return operation


def _unary(scope: Scope, node: tree.Unary) -> Closure:
    operand = scope.closure(node.operand)
    if node.operator == "not":
        return lambda frame: not operand(frame)
    operate = UNARY[node.operator]

    def operation(frame: Frame) -> object:
        value = operand(frame)
        return MISSING if value is MISSING else operate(value)

    return scope.guarded(node, operation)


def _binary(scope: Scope, node: tree.Binary) -> Closure:
    left, right, operate = scope.closure(node.left), scope.closure(node.right), BINARY[node.operator]
    fail, refuse = scope.fail, scope.refuse

    def binary(frame: Frame) -> object:
        left_value, right_value = left(frame), right(frame)
        if left_value is MISSING or right_value is MISSING:
            return MISSING
        try:
            return operate(left_value, right_value)
        except ERRORS as error:
            return fail(node, error)
        except TooMuch as error:
            return refuse(node, error)

    return binary


def _logic(scope: Scope, node: tree.Logic) -> Closure:
    *items, last = scope.closures(node.items)
    settling_value = node.operator == "or"

    def logic(frame: Frame) -> object:
        for item in items:
            value = item(frame)
            if bool(value) is settling_value:
                return value
        return last(frame)

    return logic


def compare(operator: str, left: object, right: object) -> bool:
    """
    Return whether a comparison holds, in which missing counts as None.

    >>> compare("==", MISSING, None), compare("!=", MISSING, 1), compare("<", MISSING, 3), compare("not in", 1, MISSING)
    (True, True, False, True)
    """
    try:
        return bool(COMPARE[operator](_none(left), _none(right)))
    except ERRORS:
        return operator in NEGATIONS


def _compare(scope: Scope, node: tree.Compare) -> Closure:
    if len(node.operators) > 1:
        return _compare_chain(scope, node)
    (operator,) = node.operators
    left, right = scope.closures(node.items)
    operate = COMPARE[operator]

    def comparison(frame: Frame) -> bool:
        left_value, right_value = left(frame), right(frame)
        if left_value is MISSING or right_value is MISSING:
            return compare(operator, left_value, right_value)
        try:
            return operate(left_value, right_value)  # type: ignore[return-value]
        except ERRORS:
            return operator in NEGATIONS

    return comparison


def _compare_chain(scope: Scope, node: tree.Compare) -> Closure:
    first, *others = scope.closures(node.items)
    links = list(zip(node.operators, others))

    def chain(frame: Frame) -> bool:
        left = first(frame)
        for operator, following in links:
            right = following(frame)
            if not compare(operator, left, right):
                return False
            left = right
        return True

    return chain


def _choice(scope: Scope, node: tree.Choice) -> Closure:
    test, then, otherwise = scope.closures((node.test, node.then, node.otherwise))
    return lambda frame: then(frame) if test(frame) else otherwise(frame)


def _gather(parts: Sequence[Closure], frame: Frame) -> list[Any]:
    """Return the values of several parts; many values are weighed while they are gathered."""
    values = (part(frame) for part in parts)
    return list(values) if len(parts) <= ARGUMENTS_UNWEIGHED_MAX else piled(values)


def _none(value: Any) -> Any:
    return None if value is MISSING else value


def _group(scope: Scope, node: tree.Group) -> Closure:
    items = scope.closures(node.items)
    make = {"list": list, "tuple": tuple, "set": set}[node.kind]

    def operation(frame: Frame) -> object:
        return make(piled(_none(item(frame)) for item in items))

    return scope.guarded(node, operation)


def _dict(scope: Scope, node: tree.Dict) -> Closure:
    keys, values = scope.closures(node.keys), scope.closures(node.values)

    def operation(frame: Frame) -> object:
        pile = Pile()
        made = {}
        for key, value in zip(keys, values):
            pile.add(name := _none(key(frame)))
            pile.add(item := _none(value(frame)))
            made[name] = item
        return made

    return scope.guarded(node, operation)


def _bind(scope: Scope, target: tree.Target) -> Callable[[Frame, Any], None]:
    """Return the function that assigns a value to the names of a target."""
    if target.name is not None:
        slot = scope.declare(target.name)

        def name(frame: Frame, value: Any) -> None:
            frame[slot] = value

        return name
    parts = [_bind(scope, part) for part in target.parts]

    def unpack(frame: Frame, value: Any) -> None:
        if not isinstance(value, (tuple, list, str, dict, range)) or len(value) != len(parts):
            raise ValueError("the items do not have as many parts as there are names")
        for part, item in zip(parts, value):
            part(frame, item)

    return unpack


def _comprehension(scope: Scope, node: tree.Comprehension) -> Closure:
    outer = dict(scope.names)
    loops = []
    for loop in node.loops:
        items = scope.closure(loop.items)
        bind = _bind(scope, loop.target)
        loops.append((items, bind, scope.closures(loop.conditions)))
    element = scope.closure(node.element)
    value = scope.closure(node.value) if node.value is not None else None
    scope.names = outer

    def each(frame: Frame, depth: int) -> Iterator[None]:
        """Yield once for each element, when all names are bound."""
        if depth == len(loops):
            yield
            return
        items, bind, conditions = loops[depth]
        budget: Budget = frame[0]
        for item in _iterable(items(frame)):
            budget.spend()
            bind(frame, item)
            if all(condition(frame) for condition in conditions):
                yield from each(frame, depth + 1)

    def operation(frame: Frame) -> object:
        pile = Pile()
        for _ in each(frame, 0):
            pile.add(_none(element(frame)))
            if value is not None:
                pile.add(_none(value(frame)))
        if node.kind == "list":
            return pile.items
        check_hashed(len(pile.items))
        if node.kind == "set":
            return set(pile.items)
        return dict(zip(pile.items[::2], pile.items[1::2]))

    return scope.guarded(node, operation)


def _iterable(items: Any) -> Any:
    """Return *items* if a `for` may iterate over them. A range may be of any length: the budget counts the turns."""
    if items is MISSING or not isinstance(items, (list, tuple, set, frozenset, dict, str, bytes, range)):
        raise TypeError("this can't be iterated")
    return items


def _lambda(scope: Scope, node: tree.Lambda) -> Closure:
    outer = dict(scope.names)
    slots = tuple(scope.declare(parameter) for parameter in node.parameters)
    scope.declare_assigned(node.body)
    body = scope.closure(node.body)
    scope.names = outer
    return lambda frame: LambdaValue(body, slots, frame)


def _assign(scope: Scope, node: tree.Assign) -> Closure:
    slot, value = scope.names[node.name], scope.closure(node.value)

    def assign(frame: Frame) -> object:
        frame[slot] = result = value(frame)
        return result

    return assign


def _field(scope: Scope, node: tree.Field) -> Closure:
    value, conversion = scope.closure(node.value), node.conversion
    form = scope.closure(node.format) if node.format is not None else None
    return lambda frame: format_value(_none(value(frame)), conversion, "" if form is None else form(frame))


def _text(scope: Scope, node: tree.FString) -> Closure:
    parts = scope.closures(node.parts)

    def operation(frame: Frame) -> object:
        return "".join(piled(part(frame) for part in parts))  # type: ignore[arg-type]

    return scope.guarded(node, operation)


def _keywords(scope: Scope, keywords: Sequence[tree.Keyword]) -> tuple[tuple[str, Closure], ...]:
    return tuple((keyword.name, scope.closure(keyword.value)) for keyword in keywords)


def _invoke(scope: Scope, node: tree.Invoke) -> Closure:
    function, clock = FUNCTIONS[node.name], scope.clock
    arguments, keywords = scope.closures(node.arguments), _keywords(scope, node.keywords)

    steps = CLOCK_EVERY_STEPS if node.name.startswith("re.") else CALL_STEPS  # a pattern may take half a second

    def operation(frame: Frame) -> object:
        named = {name: value(frame) for name, value in keywords}
        frame[0].spend(steps)
        return invoke(function, clock, _gather(arguments, frame), named)

    return scope.guarded(node, operation)


def _method(scope: Scope, node: tree.Method) -> Closure:
    value, name, clock = scope.closure(node.value), node.name, scope.clock
    arguments, keywords = scope.closures(node.arguments), _keywords(scope, node.keywords)

    def operation(frame: Frame) -> object:
        named = {name: part(frame) for name, part in keywords}
        return call_method(clock, value(frame), name, _gather(arguments, frame), named)

    return scope.guarded(node, operation)


def _call(scope: Scope, node: tree.Call) -> Closure:
    function = scope.closure(node.function)
    arguments = scope.closures(node.arguments)

    def operation(frame: Frame) -> object:
        called = function(frame)
        if not is_function(called):
            raise TypeError("this is not a function")
        return called(*_gather(arguments, frame))

    return scope.guarded(node, operation)


def _get(scope: Scope, node: tree.Get) -> Closure:
    value, default = scope.closure(node.value), scope.closure(node.default)

    def get(frame: Frame) -> object:
        param = value(frame)
        return default(frame) if param is MISSING else param

    return get


CLOSURES: dict[type[tree.Node], Callable[[Scope, Any], Closure]] = {
    tree.Constant: _constant,
    tree.Input: _input,
    tree.Name: _name,
    tree.Builtin: _builtin,
    tree.Attribute: _attribute,
    tree.Subscript: _subscript,
    tree.Slice: _slice,
    tree.Unary: _unary,
    tree.Binary: _binary,
    tree.Logic: _logic,
    tree.Compare: _compare,
    tree.Choice: _choice,
    tree.Group: _group,
    tree.Dict: _dict,
    tree.Comprehension: _comprehension,
    tree.Lambda: _lambda,
    tree.Assign: _assign,
    tree.Field: _field,
    tree.FString: _text,
    tree.Invoke: _invoke,
    tree.Method: _method,
    tree.Call: _call,
    tree.Get: _get,
}
"""The function that makes the closure of each type of node."""
