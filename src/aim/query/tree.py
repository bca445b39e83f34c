"""
The parts of a query, as a small tree.

`syntax` makes the tree from text, and `check` replaces the names in it by what they stand for:

    text                            syntax                                     check
    run.hparams.lr                  Attribute(Attribute(Name run, hparams), lr)   Input(RunParam(("hparams", "lr")))
    metric.last                     Attribute(Name metric, last)                  Input(SummaryValue("last"))
    run.name.startswith("a")        Call(Attribute(...), [Constant])              Method(Input, "startswith", ...)
    len(run.tags)                   Call(Name len, ...)                           Invoke("len", ...)

Every node has its span: `start` and `end` count characters of the text as the user wrote it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from aim.core.value_objects import ValueObject
from aim.query.table import Path


class Node(ValueObject):
    """A part of a query, from character *start* up to *end*."""

    start: int
    end: int


class Constant(Node):
    """A value that is written out, or that was computed without a run."""

    value: object


class Name(Node):
    """Any name in the tree of `syntax`; after `check` only a variable of a comprehension, a lambda or `:=`."""

    name: str


class Attribute(Node):
    """`value.name`"""

    value: Node
    name: str


class Subscript(Node):
    """`value[index]`"""

    value: Node
    index: Node


class Slice(Node):
    """`lower:upper:step`, within brackets."""

    lower: Node | None
    upper: Node | None
    step: Node | None


class Keyword(Node):
    """`name=value`, within a call."""

    name: str
    value: Node


class Call(Node):
    """`function(arguments, keywords)`"""

    function: Node
    arguments: tuple[Node, ...]
    keywords: tuple[Keyword, ...] = ()


class Unary(Node):
    """`operator operand`; operator is one of `- + ~ not`."""

    operator: str
    operand: Node


class Binary(Node):
    """`left operator right`, for arithmetic and bits."""

    operator: str
    left: Node
    right: Node


class Logic(Node):
    """`item and item ...` or `item or item ...`"""

    operator: str
    items: tuple[Node, ...]


class Compare(Node):
    """`items[0] operators[0] items[1] operators[1] items[2] ...`"""

    operators: tuple[str, ...]
    items: tuple[Node, ...]


class Choice(Node):
    """`then if test else otherwise`"""

    test: Node
    then: Node
    otherwise: Node


class Group(Node):
    """A list, tuple or set that is written out; *kind* is its name."""

    kind: str
    items: tuple[Node, ...]


class Dict(Node):
    """A dict that is written out."""

    keys: tuple[Node, ...]
    values: tuple[Node, ...]


class Target(Node):
    """What a `for` gives names to: one name, or several in a (nested) tuple."""

    name: str | None
    parts: tuple[Target, ...] = ()


class For(Node):
    """`for target in items if condition ...`, within a comprehension."""

    target: Target
    items: Node
    conditions: tuple[Node, ...]


class Comprehension(Node):
    """A comprehension; *kind* is list, set or dict. Only a dict has a *value*. A generator counts as a list."""

    kind: str
    element: Node
    value: Node | None
    loops: tuple[For, ...]


class Lambda(Node):
    """`lambda parameters: body`"""

    parameters: tuple[str, ...]
    body: Node


class Assign(Node):
    """`(name := value)`"""

    name: str
    value: Node


class Field(Node):
    """`{value!conversion:format}`, within an f-string."""

    value: Node
    conversion: str
    format: Node | None


class FString(Node):
    """An f-string: constants and fields in turn."""

    parts: tuple[Node, ...]


# What names become in `check`.


class RunField(ValueObject):
    """A field of the run, one of `names.RUN`."""

    name: str


class RunParam(ValueObject):
    """The value at *path* in the run's params: a leaf, a dict, or something within a leaf."""

    path: Path


class RunMetric(ValueObject):
    """A summary value of the run's metric with this name and context text; "" asks whether the run has the metric."""

    name: str
    context: str
    summary: str


class RunSearch(ValueObject):
    """Whether the run has the words of *text* anywhere; see `words`."""

    text: str


class PairField(ValueObject):
    """What all sequences of a pair share, one of `names.PAIR`."""

    name: str


class SummaryValue(ValueObject):
    """A summary value of the sequence, one of `names.SUMMARY`."""

    name: str


class PointList(ValueObject):
    """The points of the sequence as a list, one of `names.POINTS`."""

    name: str


Source = RunField | RunParam | RunMetric | RunSearch | PairField | SummaryValue | PointList
"""Where an input's values come from."""


class Input(Node):
    """A value that is read from the table."""

    source: Source


class Builtin(Node):
    """A function or type, as a value: the `len` of `sorted(x, key=len)`."""

    name: str


class Invoke(Node):
    """A call of one of `functions.FUNCTIONS`, such as `len` or `math.sqrt`."""

    name: str
    arguments: tuple[Node, ...]
    keywords: tuple[Keyword, ...] = ()


class Method(Node):
    """A call of a method of a plain value."""

    value: Node
    name: str
    arguments: tuple[Node, ...]
    keywords: tuple[Keyword, ...] = ()


class Get(Node):
    """`params.get(key, default)` where the path of the key is written out: *value* is the param at that path."""

    value: Node
    default: Node


_FIELD_NAMES: dict[type[Node], tuple[str, ...]] = {}


def _field_names(kind: type[Node]) -> tuple[str, ...]:
    """Return the names of the fields of a type of node, without its span."""
    names = _FIELD_NAMES.get(kind)
    if names is None:
        names = tuple(name for name in kind.FIELDS if name not in ("start", "end"))
        _FIELD_NAMES[kind] = names
    return names


def children(node: Node) -> Iterator[Node]:
    """Return the nodes directly below *node*, in the order of the text."""
    for name in _field_names(type(node)):
        value = getattr(node, name)
        if isinstance(value, Node):
            yield value
        elif isinstance(value, tuple):
            for item in value:
                if isinstance(item, Node):
                    yield item


def map_children(node: Node, change: Callable[[Node], Node]) -> Node:
    """
    Return *node* with *change* applied to each node directly below it.

    >>> show(map_children(Unary(0, 5, "not", Name(4, 5, "x")), lambda child: Constant(4, 5, 1)))
    'Unary(not, Constant(1))'
    """
    changes: dict[str, object] = {}
    for name in _field_names(type(node)):
        value = getattr(node, name)
        if isinstance(value, Node):
            changes[name] = change(value)
        elif isinstance(value, tuple) and any(isinstance(item, Node) for item in value):
            changes[name] = tuple(change(item) if isinstance(item, Node) else item for item in value)
    return node.replaced(**changes) if changes else node


def walk(node: Node) -> Iterator[Node]:
    """Return *node* and all nodes below it."""
    waiting = [node]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(children(node))


def assigned(node: Node) -> tuple[str, ...]:
    """
    Return the names that `:=` assigns in *node*, without those that a lambda within it assigns for itself.

    >>> assigned(Assign(0, 6, "x", Constant(5, 6, 1)))
    ('x',)
    """
    assigned_names: dict[str, None] = {}
    waiting = [node]
    while waiting:
        part = waiting.pop()
        if isinstance(part, Assign):
            assigned_names[part.name] = None
        if not isinstance(part, Lambda):
            waiting.extend(children(part))
    return tuple(assigned_names)


def show(node: Node | Source) -> str:
    """
    Return a tree as text on one line, without spans.

    >>> show(Unary(0, 5, "not", Constant(4, 5, 1)))
    'Unary(not, Constant(1))'
    """
    parts = []
    for name in node.FIELDS:
        if name not in ("start", "end"):
            value = getattr(node, name)
            if value == () and name in ("keywords", "parts"):
                continue
            parts.append(_show_value(value, quoted=isinstance(node, Constant) or not isinstance(node, Node)))
    return f"{type(node).__name__}({', '.join(parts)})"


def _show_value(value: object, quoted: bool) -> str:
    if isinstance(value, (Node, RunField, RunParam, RunMetric, RunSearch, PairField, SummaryValue, PointList)):
        return show(value)
    if isinstance(value, tuple) and any(isinstance(item, Node) for item in value):
        return f"[{', '.join(_show_value(item, quoted) for item in value)}]"
    return repr(value) if quoted or not isinstance(value, str) else value
