"""
From text to a tree: Python's syntax, without anything about runs.

    query := ["select" anything "if"] expression           the first part is ignored, as in Aim 3
    ""    := everything

`ast.parse` reads the text. A node of it that is in `READERS` becomes a node of `tree`, any other is refused with its
span. Nothing is ever compiled to code. Spans count characters of the text as the user wrote it.

The text is parsed within a pair of brackets, so that it may have several lines. A text that closes the bracket around
it is refused.
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
# Operators and words of other languages, with Python's. They are searched only in a text that is not an expression.
FOREIGN = {"&&": "and", "||": "or", "<>": "!=", "===": "==", "!==": "!="}
FOREIGN_WORDS = {"AND": "and", "OR": "or", "NOT": "not", "IN": "in", "IS": "is", "where": "", "WHERE": ""}
FIRST_LINE = 2  # of the text within the brackets: line 1 is the bracket
STRING = re.compile(r"""(?:'''.*?'''|\"\"\".*?\"\"\"|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*")""", re.DOTALL)
SELECT = re.compile(r"\s*select\b", re.IGNORECASE)
IF = re.compile(r"\bif\b", re.IGNORECASE)


def parse(text: str) -> tree.Node | None:
    """
    Read the text of a query.

    Returns:
        The tree, or None for an empty query, which matches everything.
    Raises:
        InvalidQuery: the text is not an expression, has a part that queries don't have, or is too long or too deep.

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
        first_if = IF.search(text)
        begin = first_if.end() if first_if else len(text)
    if not text[begin:].strip():
        return None
    return _Reader(text, begin).read()


class _Reader:
    """Reads one text; *begin* is the offset of the expression in it."""

    def __init__(self, text: str, begin: int) -> None:
        self.text = text
        self.begin = begin
        self.body = text[begin:].replace("\r", " ").replace("\f", " ")
        self.lines = self.body.split("\n")
        self.line_starts = [begin]
        for line in self.lines:
            self.line_starts.append(self.line_starts[-1] + len(line) + 1)
        self.node_count = 0
        self.outer_span: tuple[int, int] | None = None  # of an f-string: Python before 3.12 has no spans within one

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

    # Spans

    def span(self, node: ast.AST) -> tuple[int, int]:
        if self.outer_span is not None:
            return self.outer_span
        line, end_line = getattr(node, "lineno", FIRST_LINE), getattr(node, "end_lineno", FIRST_LINE)
        return (
            self._offset(line, getattr(node, "col_offset", 0)),
            self._offset(end_line, getattr(node, "end_col_offset", 0)),
        )

    def _offset(self, line: int, column_bytes: int) -> int:
        index = line - FIRST_LINE
        if index >= len(self.lines):
            return len(self.text)
        return self.line_starts[index] + len(self.lines[index].encode()[:column_bytes].decode(errors="ignore"))

    def refuse(self, node: ast.AST, message: str, suggestion: str | None = None) -> NoReturn:
        start, end = self.span(node)
        raise InvalidQuery(message, self.text, start, end, suggestion)

    # Errors

    def _check_brackets(self) -> None:
        """Refuse a text that closes the bracket around it: `a) or (b`."""
        depth = 0
        bare = re.sub(r"#[^\n]*", lambda comment: " " * len(comment[0]), self._without_strings())
        for offset, letter in enumerate(bare):
            depth += (letter in "([{") - (letter in ")]}")
            if depth < 0:
                self._refuse_bare(offset, offset + 1, f"`{letter}` closes nothing")

    def _without_strings(self) -> str:
        """Return the body with blanks for its strings, of equal length. A quote after `#` is taken for a string."""
        return STRING.sub(lambda string: " " * len(string[0]), self.body)

    def _refuse_bare(self, start: int, end: int, message: str, suggestion: str | None = None) -> NoReturn:
        """Raise InvalidQuery at a span of the body."""
        raise InvalidQuery(message, self.text, self.begin + start, self.begin + end, suggestion) from None

    def _explain(self, error: SyntaxError) -> NoReturn:
        """Raise InvalidQuery for a text that Python can't read, with a message about queries."""
        self._check_brackets()
        bare = self._without_strings()
        for foreign, ours in FOREIGN.items():
            offset = bare.find(foreign)
            if offset >= 0:
                self._refuse_bare(offset, offset + len(foreign), f"`{foreign}` is not an operator", ours)
        for word in re.finditer(r"[A-Za-z]+", bare):
            if word[0] in FOREIGN_WORDS:
                self._refuse_bare(*word.span(), f"`{word[0]}` is not an operator", FOREIGN_WORDS[word[0]] or None)
        equals = re.search(r"(?<![=!<>:])=(?!=)", bare)
        if equals and "keyword" not in error.msg:
            self._refuse_bare(*equals.span(), "`=` does not compare", "==")
        self._refuse_syntax(error)

    def _refuse_syntax(self, error: SyntaxError) -> NoReturn:
        """Raise InvalidQuery with Python's own message, at the span that Python names."""
        line_index = (error.lineno or 2) - FIRST_LINE
        start = len(self.text.rstrip())
        end = start + 1
        message = f"This is not an expression: {re.sub(r' on line .*| [(]detected at line .*', '', error.msg)}"
        if not 0 <= line_index < len(self.lines):  # at the brackets that `read` puts around the text
            message = "This is not an expression: it ends too early, or a bracket is never closed"
        else:
            line_start = self.line_starts[line_index]
            start = min(line_start + max(0, (error.offset or 1) - 1), len(self.text))
            end = start + 1
            if error.end_lineno == error.lineno and (error.end_offset or 0) > (error.offset or 0):
                end = min(line_start + (error.end_offset or 0) - 1, len(self.text))
        start = min(start, len(self.text) - 1)
        raise InvalidQuery(message, self.text, start, min(max(end, start + 1), len(self.text))) from None

    # Nodes

    def node(self, node: ast.AST, depth: int) -> tree.Node:
        """Return the node of `tree` for a node of `ast`, or refuse it."""
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
    return tree.Constant(*reader.span(node), node.value)


def _name(reader: _Reader, node: ast.Name, depth: int) -> tree.Node:
    if node.id.startswith("_") and node.id != "_":
        reader.refuse(node, f"`{node.id}` begins with `_`; a query has no such names")
    return tree.Name(*reader.span(node), node.id)


def _attribute(reader: _Reader, node: ast.Attribute, depth: int) -> tree.Node:
    if node.attr.startswith("_"):
        start, end = reader.span(node)
        message = f"`.{node.attr}` begins with `_`. A param of that name is written ['{node.attr}']"
        raise InvalidQuery(message, reader.text, max(start, end - len(node.attr)), end)
    return tree.Attribute(*reader.span(node), reader.node(node.value, depth), node.attr)


def _subscript(reader: _Reader, node: ast.Subscript, depth: int) -> tree.Node:
    return tree.Subscript(*reader.span(node), reader.node(node.value, depth), reader.node(node.slice, depth))


def _slice(reader: _Reader, node: ast.Slice, depth: int) -> tree.Node:
    parts = (reader.optional(part, depth) for part in (node.lower, node.upper, node.step))
    return tree.Slice(*reader.span(node), *parts)


def _call(reader: _Reader, node: ast.Call, depth: int) -> tree.Node:
    keywords = []
    for keyword in node.keywords:
        if keyword.arg is None:
            reader.refuse(keyword.value, "A query can't have `**` before an argument")
        keywords.append(tree.Keyword(*reader.span(keyword), keyword.arg, reader.node(keyword.value, depth)))
    function = reader.node(node.func, depth)
    return tree.Call(*reader.span(node), function, reader.nodes(node.args, depth), tuple(keywords))


def _unary(reader: _Reader, node: ast.UnaryOp, depth: int) -> tree.Node:
    return tree.Unary(*reader.span(node), UNARY[type(node.op)], reader.node(node.operand, depth))


def _binary(reader: _Reader, node: ast.BinOp, depth: int) -> tree.Node:
    operator = BINARY.get(type(node.op))
    if operator is None:
        reader.refuse(node, "A query can't have `@`")
    return tree.Binary(*reader.span(node), operator, reader.node(node.left, depth), reader.node(node.right, depth))


def _logic(reader: _Reader, node: ast.BoolOp, depth: int) -> tree.Node:
    operator = "and" if isinstance(node.op, ast.And) else "or"
    return tree.Logic(*reader.span(node), operator, reader.nodes(node.values, depth))


def _compare(reader: _Reader, node: ast.Compare, depth: int) -> tree.Node:
    operators = tuple(COMPARE[type(operator)] for operator in node.ops)
    return tree.Compare(*reader.span(node), operators, reader.nodes([node.left, *node.comparators], depth))


def _choice(reader: _Reader, node: ast.IfExp, depth: int) -> tree.Node:
    parts = reader.nodes([node.test, node.body, node.orelse], depth)
    return tree.Choice(*reader.span(node), *parts)


def _group(reader: _Reader, node: ast.List | ast.Tuple | ast.Set, depth: int) -> tree.Node:
    return tree.Group(*reader.span(node), type(node).__name__.lower(), reader.nodes(node.elts, depth))


def _dict(reader: _Reader, node: ast.Dict, depth: int) -> tree.Node:
    keys = []
    for key in node.keys:
        if key is None:
            reader.refuse(node, "A query can't have `**` in a dict")
        keys.append(reader.node(key, depth))
    return tree.Dict(*reader.span(node), tuple(keys), reader.nodes(node.values, depth))


def _target(reader: _Reader, node: ast.expr, depth: int) -> tree.Target:
    start, end = reader.span(node)
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
        return tree.Comprehension(*reader.span(node), "dict", key, value, tuple(loops))
    kind = "set" if isinstance(node, ast.SetComp) else "list"
    return tree.Comprehension(*reader.span(node), kind, reader.node(node.elt, depth), None, tuple(loops))


def _lambda(reader: _Reader, node: ast.Lambda, depth: int) -> tree.Node:
    takes = node.args
    if takes.vararg or takes.kwarg or takes.kwonlyargs or takes.defaults or takes.posonlyargs:
        reader.refuse(node, "A lambda in a query takes plain parameters only")
    for parameter in takes.args:
        if parameter.arg.startswith("_") and parameter.arg != "_":
            reader.refuse(parameter, f"`{parameter.arg}` begins with `_`; a query has no such names")
    parameters = tuple(parameter.arg for parameter in takes.args)
    return tree.Lambda(*reader.span(node), parameters, reader.node(node.body, depth))


def _assign(reader: _Reader, node: ast.NamedExpr, depth: int) -> tree.Node:
    _name(reader, node.target, depth)
    return tree.Assign(*reader.span(node), node.target.id, reader.node(node.value, depth))


def _text(reader: _Reader, node: ast.JoinedStr, depth: int) -> tree.Node:
    span, span_before = reader.span(node), reader.outer_span
    if sys.version_info < (3, 12):
        reader.outer_span = span
    parts = reader.nodes(node.values, depth)
    reader.outer_span = span_before
    return tree.FString(*span, parts)


def _field(reader: _Reader, node: ast.FormattedValue, depth: int) -> tree.Node:
    conversion = chr(node.conversion) if node.conversion > 0 else ""
    value = reader.node(node.value, depth)
    return tree.Field(*reader.span(node), value, conversion, reader.optional(node.format_spec, depth))


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
"""The nodes of `ast` that a query may have, and how each becomes a node of `tree`."""
