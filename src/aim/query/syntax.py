"""
From text to a tree: the stage that knows Python's syntax and nothing about runs.

    query := ["select" anything "if"] expression           the first part is thrown away, as in Aim 3
    ""    := everything

`ast.parse` reads the text; each of its nodes is then either on our list and becomes a node of `tree`, or is refused
with its place. Nothing is ever compiled to code. Places are counted in characters of the text as it was given.

The text is read within brackets of ours, so that it may span lines. A text that closes our bracket is refused.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable
from typing import NoReturn

from aim.core.errors import InvalidQuery
from aim.query import tree
from aim.query.limits import DEPTH_MAX, NODES_MAX, TEXT_CHARS_MAX
from aim.query.quiet import quiet

BINARY = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.Pow: "**",
    ast.LShift: "<<",
    ast.RShift: ">>",
    ast.BitAnd: "&",
    ast.BitOr: "|",
    ast.BitXor: "^",
}
UNARY = {ast.USub: "-", ast.UAdd: "+", ast.Invert: "~", ast.Not: "not"}
COMPARE = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Is: "is",
    ast.IsNot: "is not",
    ast.In: "in",
    ast.NotIn: "not in",
}
# Other languages' words, and what they are here. Looked for only in a text that is not an expression.
FOREIGN = {"&&": "and", "||": "or", "<>": "!=", "===": "==", "!==": "!="}
FOREIGN_WORDS = {"AND": "and", "OR": "or", "NOT": "not", "IN": "in", "IS": "is", "where": "", "WHERE": ""}
STRING = re.compile(r"""(?:'''.*?'''|\"\"\".*?\"\"\"|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*")""", re.DOTALL)
SELECT = re.compile(r"\s*select\b", re.IGNORECASE)
IF = re.compile(r"\bif\b", re.IGNORECASE)


def parse(text: str) -> tree.Node | None:
    """
    Read the text of a query.

    Returns:
        The tree, or None for a text that asks for everything.
    Raises:
        InvalidQuery: it is not an expression, has a part that queries don't have, or is too long or too deep.

    >>> tree.show(parse("select x if run.lr > 1"))
    "Compare(('>',), [Attribute(Name(run), lr), Constant(1)])"
    """
    if not isinstance(text, str):
        raise InvalidQuery(f"A query is a text, not a {type(text).__name__}", repr(text))
    if len(text) > TEXT_CHARS_MAX:
        raise InvalidQuery(
            f"The query has {len(text):,} characters; the most is {TEXT_CHARS_MAX:,}", text[:80] + " ..."
        )
    text = text.encode(errors="replace").decode()  # half of a surrogate pair becomes `?`; lengths stay
    begin = 0
    if SELECT.match(text):
        found = IF.search(text)
        begin = found.end() if found else len(text)
    if not text[begin:].strip():
        return None
    return _Reader(text, begin).read()


class _Reader:
    """Reads one text; holds what is needed to find places in it."""

    def __init__(self, text: str, begin: int) -> None:
        self.text = text
        self.begin = begin
        self.body = text[begin:].replace("\r", " ").replace("\f", " ")
        self.lines = self.body.split("\n")
        self.line_starts = [begin]
        for line in self.lines:
            self.line_starts.append(self.line_starts[-1] + len(line) + 1)
        self.node_count = 0
        self.fixed: tuple[int, int] | None = None  # the place of the f-string we are in, where Python can't tell

    def read(self) -> tree.Node:
        try:
            with quiet():
                parsed = ast.parse(f"(\n{self.body}\n)", mode="eval").body
        except SyntaxError as error:
            self._explain(error)
        except (RecursionError, MemoryError):
            raise InvalidQuery("The query is nested too deeply", self.text) from None
        except ValueError as error:  # a NUL, an integer of 5,000 digits
            raise InvalidQuery(f"The query can't be read: {error}", self.text) from None
        self._check_brackets()
        return self.node(parsed, 0)

    # Places

    def place(self, node: ast.AST) -> tuple[int, int]:
        if self.fixed is not None:
            return self.fixed
        line, end_line = getattr(node, "lineno", 2), getattr(node, "end_lineno", 2)
        return (
            self._offset(line, getattr(node, "col_offset", 0)),
            self._offset(end_line, getattr(node, "end_col_offset", 0)),
        )

    def _offset(self, line: int, column_bytes: int) -> int:
        number = line - 2  # ours is line 1
        if number >= len(self.lines):
            return len(self.text)
        return self.line_starts[number] + len(self.lines[number].encode()[:column_bytes].decode(errors="ignore"))

    def refuse(self, node: ast.AST, message: str, suggestion: str | None = None) -> NoReturn:
        start, end = self.place(node)
        raise InvalidQuery(message, self.text, start, end, suggestion)

    # Errors

    def _check_brackets(self) -> None:
        """Refuse a text that closes the bracket around it: `a) or (b`."""
        depth = 0
        bare = re.sub(r"#[^\n]*", lambda found: " " * len(found[0]), self._without_strings())
        for place, letter in enumerate(bare):
            depth += (letter in "([{") - (letter in ")]}")
            if depth < 0:
                start = self.begin + place
                raise InvalidQuery(f"`{letter}` closes nothing", self.text, start, start + 1)

    def _without_strings(self) -> str:
        """The body with strings blanked out, of the same length. A `#` before a quote on a line is not understood."""
        return STRING.sub(lambda found: " " * len(found[0]), self.body)

    def _explain(self, error: SyntaxError) -> NoReturn:
        """Say what is wrong with a text that Python can't read, in words that fit queries."""
        self._check_brackets()
        bare = self._without_strings()
        for foreign, ours in FOREIGN.items():
            place = bare.find(foreign)
            if place >= 0:
                start = self.begin + place
                raise InvalidQuery(
                    f"`{foreign}` is not an operator", self.text, start, start + len(foreign), ours
                ) from None
        for found in re.finditer(r"[A-Za-z]+", bare):
            if found[0] in FOREIGN_WORDS:
                start, end = self.begin + found.start(), self.begin + found.end()
                raise InvalidQuery(
                    f"`{found[0]}` is not an operator", self.text, start, end, FOREIGN_WORDS[found[0]] or None
                ) from None
        found_one = re.search(r"(?<![=!<>:])=(?!=)", bare)
        if found_one and "keyword" not in error.msg:
            start = self.begin + found_one.start()
            raise InvalidQuery("`=` does not compare", self.text, start, start + 1, "==") from None
        number = (error.lineno or 2) - 2
        start = len(self.text.rstrip())
        end = start + 1
        message = f"This is not an expression: {re.sub(r' on line .*| [(]detected at line .*', '', error.msg)}"
        if number < 0:
            message = "This is not an expression: it ends too early, or a bracket is never closed"
        elif number < len(self.lines):
            line = self.line_starts[number]
            start = min(line + max(0, (error.offset or 1) - 1), len(self.text))
            end = start + 1
            if error.end_lineno == error.lineno and (error.end_offset or 0) > (error.offset or 0):
                end = min(line + (error.end_offset or 0) - 1, len(self.text))
        start = min(start, len(self.text) - 1)
        raise InvalidQuery(message, self.text, start, min(max(end, start + 1), len(self.text))) from None

    # Nodes

    def node(self, node: ast.AST, depth: int) -> tree.Node:
        """Return our node for one of Python's, or refuse it."""
        self.node_count += 1
        if self.node_count > NODES_MAX:
            self.refuse(node, f"The query has more than {NODES_MAX:,} parts")
        if depth > DEPTH_MAX:
            self.refuse(node, f"The query is nested more than {DEPTH_MAX} deep")
        read = READERS.get(type(node))
        if read is None:
            self.refuse(node, f"A query can't have {REFUSED.get(type(node).__name__, 'this')}")
        return read(self, node, depth + 1)

    def nodes(self, nodes: list[ast.expr], depth: int) -> tuple[tree.Node, ...]:
        return tuple(self.node(item, depth) for item in nodes)

    def optional(self, node: ast.expr | None, depth: int) -> tree.Node | None:
        return None if node is None else self.node(node, depth)


REFUSED = {
    "Starred": "`*` before an argument or item",
    "Await": "`await`",
    "Yield": "`yield`",
    "YieldFrom": "`yield`",
    "TemplateStr": "template strings",
}


def _constant(reader: _Reader, node: ast.Constant, depth: int) -> tree.Node:
    if node.value is ...:
        reader.refuse(node, "A query can't have `...`")
    return tree.Constant(*reader.place(node), node.value)


def _name(reader: _Reader, node: ast.Name, depth: int) -> tree.Node:
    if node.id.startswith("_") and node.id != "_":
        reader.refuse(node, f"`{node.id}` begins with `_`; a query knows no such names")
    return tree.Name(*reader.place(node), node.id)


def _attribute(reader: _Reader, node: ast.Attribute, depth: int) -> tree.Node:
    if node.attr.startswith("_"):
        start, end = reader.place(node)
        message = f"`.{node.attr}` begins with `_`. A param of that name is written ['{node.attr}']"
        raise InvalidQuery(message, reader.text, max(start, end - len(node.attr)), end)
    return tree.Attribute(*reader.place(node), reader.node(node.value, depth), node.attr)


def _subscript(reader: _Reader, node: ast.Subscript, depth: int) -> tree.Node:
    return tree.Subscript(*reader.place(node), reader.node(node.value, depth), reader.node(node.slice, depth))


def _slice(reader: _Reader, node: ast.Slice, depth: int) -> tree.Node:
    parts = (reader.optional(part, depth) for part in (node.lower, node.upper, node.step))
    return tree.Slice(*reader.place(node), *parts)


def _call(reader: _Reader, node: ast.Call, depth: int) -> tree.Node:
    keywords = []
    for keyword in node.keywords:
        if keyword.arg is None:
            reader.refuse(keyword.value, "A query can't have `**` before an argument")
        keywords.append(tree.Keyword(*reader.place(keyword), keyword.arg, reader.node(keyword.value, depth)))
    function = reader.node(node.func, depth)
    return tree.Call(*reader.place(node), function, reader.nodes(node.args, depth), tuple(keywords))


def _unary(reader: _Reader, node: ast.UnaryOp, depth: int) -> tree.Node:
    return tree.Unary(*reader.place(node), UNARY[type(node.op)], reader.node(node.operand, depth))


def _binary(reader: _Reader, node: ast.BinOp, depth: int) -> tree.Node:
    operator = BINARY.get(type(node.op))
    if operator is None:
        reader.refuse(node, "A query can't have `@`")
    return tree.Binary(*reader.place(node), operator, reader.node(node.left, depth), reader.node(node.right, depth))


def _logic(reader: _Reader, node: ast.BoolOp, depth: int) -> tree.Node:
    operator = "and" if isinstance(node.op, ast.And) else "or"
    return tree.Logic(*reader.place(node), operator, reader.nodes(node.values, depth))


def _compare(reader: _Reader, node: ast.Compare, depth: int) -> tree.Node:
    operators = tuple(COMPARE[type(operator)] for operator in node.ops)
    return tree.Compare(*reader.place(node), operators, reader.nodes([node.left, *node.comparators], depth))


def _choice(reader: _Reader, node: ast.IfExp, depth: int) -> tree.Node:
    parts = reader.nodes([node.test, node.body, node.orelse], depth)
    return tree.Choice(*reader.place(node), *parts)


def _group(reader: _Reader, node: ast.List | ast.Tuple | ast.Set, depth: int) -> tree.Node:
    return tree.Group(*reader.place(node), type(node).__name__.lower(), reader.nodes(node.elts, depth))


def _dict(reader: _Reader, node: ast.Dict, depth: int) -> tree.Node:
    keys = []
    for key in node.keys:
        if key is None:
            reader.refuse(node, "A query can't have `**` in a dict")
        keys.append(reader.node(key, depth))
    return tree.Dict(*reader.place(node), tuple(keys), reader.nodes(node.values, depth))


def _target(reader: _Reader, node: ast.expr, depth: int) -> tree.Target:
    start, end = reader.place(node)
    if isinstance(node, ast.Name):
        _name(reader, node, depth)
        return tree.Target(start, end, node.id)
    if isinstance(node, (ast.Tuple, ast.List)) and depth <= DEPTH_MAX:
        return tree.Target(start, end, None, tuple(_target(reader, part, depth + 1) for part in node.elts))
    reader.refuse(node, "`for` can give names only")


def _comprehension(
    reader: _Reader, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp, depth: int
) -> tree.Node:
    loops = []
    for loop in node.generators:
        if loop.is_async:
            reader.refuse(loop.target, "A query can't have `async`")
        items = reader.node(loop.iter, depth)
        target = _target(reader, loop.target, depth)
        loops.append(tree.For(target.start, items.end, target, items, reader.nodes(loop.ifs, depth)))
    if isinstance(node, ast.DictComp):
        key, value = reader.node(node.key, depth), reader.node(node.value, depth)
        return tree.Comprehension(*reader.place(node), "dict", key, value, tuple(loops))
    kind = "set" if isinstance(node, ast.SetComp) else "list"
    return tree.Comprehension(*reader.place(node), kind, reader.node(node.elt, depth), None, tuple(loops))


def _lambda(reader: _Reader, node: ast.Lambda, depth: int) -> tree.Node:
    takes = node.args
    if takes.vararg or takes.kwarg or takes.kwonlyargs or takes.defaults or takes.posonlyargs:
        reader.refuse(node, "A lambda in a query takes plain parameters only")
    for parameter in takes.args:
        if parameter.arg.startswith("_") and parameter.arg != "_":
            reader.refuse(parameter, f"`{parameter.arg}` begins with `_`; a query knows no such names")
    parameters = tuple(parameter.arg for parameter in takes.args)
    return tree.Lambda(*reader.place(node), parameters, reader.node(node.body, depth))


def _assign(reader: _Reader, node: ast.NamedExpr, depth: int) -> tree.Node:
    _name(reader, node.target, depth)
    return tree.Assign(*reader.place(node), node.target.id, reader.node(node.value, depth))


def _text(reader: _Reader, node: ast.JoinedStr, depth: int) -> tree.Node:
    place, outer = reader.place(node), reader.fixed
    if sys.version_info < (3, 12):
        reader.fixed = place
    parts = reader.nodes(node.values, depth)
    reader.fixed = outer
    return tree.FString(*place, parts)


def _field(reader: _Reader, node: ast.FormattedValue, depth: int) -> tree.Node:
    conversion = chr(node.conversion) if node.conversion > 0 else ""
    value = reader.node(node.value, depth)
    return tree.Field(*reader.place(node), value, conversion, reader.optional(node.format_spec, depth))


def _readers() -> dict[type[ast.AST], Callable[[_Reader, ast.AST, int], tree.Node]]:
    table: dict[type[ast.AST], object] = {
        ast.Constant: _constant,
        ast.Name: _name,
        ast.Attribute: _attribute,
        ast.Subscript: _subscript,
        ast.Slice: _slice,
        ast.Call: _call,
        ast.UnaryOp: _unary,
        ast.BinOp: _binary,
        ast.BoolOp: _logic,
        ast.Compare: _compare,
        ast.IfExp: _choice,
        ast.List: _group,
        ast.Tuple: _group,
        ast.Set: _group,
        ast.Dict: _dict,
        ast.ListComp: _comprehension,
        ast.SetComp: _comprehension,
        ast.GeneratorExp: _comprehension,
        ast.DictComp: _comprehension,
        ast.Lambda: _lambda,
        ast.NamedExpr: _assign,
        ast.JoinedStr: _text,
        ast.FormattedValue: _field,
    }
    return table  # type: ignore[return-value]


READERS = _readers()
"""The nodes of Python that a query may have, and how each becomes one of ours."""
