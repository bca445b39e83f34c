"""
Operations that are wrong whatever the run holds, although every name in them is known.

    run.name.startswit('a')              a method or attribute that a value of this type does not have
    round()                              a wrong number of arguments, or a `name=value` that the function does not take
    re.search('(a', run.name)            a pattern that can't be used
    run.created_at > '2024-05-01'        an order between values that have none
    run.status == 'runing'               a status that no run has
    run.name is 'alpha'                  `is` with anything but None, True and False

`check` asks these rules while it replaces names; each raises InvalidQuery with the characters at fault.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NoReturn

from aim.core.errors import InvalidQuery
from aim.core.statuses import STATUSES
from aim.query import names, regex, tree
from aim.query.functions import ARGUMENTS_MAX, Function
from aim.query.methods import ATTRIBUTES, BY_TYPE, METHODS, TypeMethod
from aim.query.names import nearest
from aim.query.pattern import BadPattern
from aim.query.words import pattern_of

ORDERINGS = frozenset({"<", "<=", ">", ">="})
NUMBERS = (bool, int, float)
SOURCE_TEXT_CHARS_MAX = 60
MEMBERS_LISTED_MAX = 30  # a message lists the members of what has fewer


class OperationRules:
    """The rules for one query; *text* is the query as the user wrote it."""

    def __init__(self, text: str) -> None:
        self.text = text

    def refuse(self, node: tree.Node, message: str, suggestion: str | None = None) -> NoReturn:
        """Raise InvalidQuery at the characters of *node*."""
        raise InvalidQuery(message, self.text, node.start, node.end, suggestion)

    def refuse_member(self, node: tree.Attribute, message: str, members: Iterable[str]) -> NoReturn:
        """Raise InvalidQuery at the name after the dot, with the nearest of *members*, or with all if they are few."""
        members = list(members)
        suggestion = nearest(node.name, members)
        if suggestion is None and len(members) < MEMBERS_LISTED_MAX:
            message = f"{message}; it has {', '.join(members)}"
        start = max(node.start, node.end - len(node.name))
        raise InvalidQuery(message, self.text, start, node.end, suggestion)

    def source_text(self, node: tree.Node) -> str:
        """Return what the user wrote for a node, cut to the length that a message has room for."""
        source_text = self.text[node.start : node.end]
        is_short = len(source_text) <= SOURCE_TEXT_CHARS_MAX
        return source_text if is_short else f"{source_text[: SOURCE_TEXT_CHARS_MAX - 3]}..."

    def check_attribute(self, node: tree.Attribute, base: tree.Node) -> None:
        """Refuse an attribute of a value whose type is known and has none of that name."""
        kind = static_type(base)
        if kind is None or kind is dict or node.name in ATTRIBUTES.get(kind, ()):
            return
        subject = f"`{self.source_text(base)}` is {_type_name(kind)}"
        if node.name in BY_TYPE.get(kind, {}):
            self.refuse(node, f"{subject}; `{node.name}` has to be called", f"{self.source_text(node)}()")
        members = [*ATTRIBUTES.get(kind, ()), *BY_TYPE.get(kind, {})]
        self.refuse_member(node, f"{subject}, which has no `{node.name}`", members)

    def methods(self, called: tree.Attribute, kind: type | None) -> Sequence[TypeMethod]:
        """Return the methods that a call may mean: that of the type *kind* if it is known, else those of all types."""
        if kind is not None and kind in BY_TYPE:
            if called.name not in BY_TYPE[kind]:
                subject = f"`{self.source_text(called.value)}` is {_type_name(kind)}"
                self.refuse_member(called, f"{subject}, which has no method `{called.name}`", BY_TYPE[kind])
            return [BY_TYPE[kind][called.name]]
        if called.name == "format":
            self.refuse(called, "A query has no `format`; write f'{run.name}'")
        if called.name not in METHODS:
            self.refuse_member(called, f"There is no method `{called.name}`", METHODS)
        return list(METHODS[called.name].values())

    def check_arguments(
        self,
        node: tree.Call,
        name: str,
        candidates: Sequence[Function | TypeMethod],
        keywords: Sequence[tree.Keyword],
    ) -> None:
        """Refuse a call whose arguments none of the *candidates* takes."""
        for keyword in keywords:
            accepted = sorted({word for candidate in candidates for word in candidate.keywords})
            if keyword.name not in accepted:
                self.refuse(keyword, f"`{name}` takes no `{keyword.name}`", nearest(keyword.name, accepted))
        count = len(node.arguments)
        if any(each.least <= count + len(keywords) and count <= each.most for each in candidates):
            return
        least, most = min(each.least for each in candidates), max(each.most for each in candidates)
        expected = (
            f"{least}" if least == most else f"{least} or more" if most >= ARGUMENTS_MAX else f"{least} to {most}"
        )
        self.refuse(node, f"`{name}` takes {expected} argument{'s' * (expected != '1')}, not {count}")

    def check_pattern(self, function: Function, arguments: Sequence[tree.Node]) -> None:
        """Refuse a wrong pattern that is written out."""
        if not function.name.startswith("re.") or function.name == "re.escape":
            return
        pattern = arguments[0] if arguments else None
        flags = arguments[2] if len(arguments) > 2 else None
        if not isinstance(pattern, tree.Constant) or not isinstance(pattern.value, str):
            return
        flag_bits = flags.value if isinstance(flags, tree.Constant) and isinstance(flags.value, int) else 0
        self._check_regex(pattern, pattern.value, flag_bits)

    def _check_regex(self, node: tree.Node, pattern: str, flag_bits: int) -> None:
        try:
            regex.compiled(pattern, flag_bits)
        except BadPattern as error:
            self.refuse(node, f"This pattern can't be used: {error} (at its character {error.offset + 1})")

    def search_text(self, node: tree.Call) -> str:
        """Return what `run.search(...)` looks for; refuse all but one text that is written out."""
        text = node.arguments[0] if len(node.arguments) == 1 and not node.keywords else None
        if not isinstance(text, tree.Constant) or not isinstance(text.value, str):
            self.refuse(node, "`run.search` takes one text that is written out, as in run.search('adam')")
        pattern = pattern_of(text.value)
        if pattern is not None:
            self._check_regex(text, pattern, 0)
        return text.value

    def check_comparison(self, operator: str, left: tree.Node, right: tree.Node) -> None:
        """Refuse a comparison that is never true, and `is` between values."""
        if operator in ("is", "is not") and not any(_is_singleton(side) for side in (left, right)):
            instead = "==" if operator == "is" else "!="
            message = f"`{operator}` is for None, True and False; values are compared with `{instead}`"
            raise InvalidQuery(message, self.text, left.start, right.end)
        for side, other in ((left, right), (right, left)):
            if isinstance(side, tree.Input) and isinstance(other, tree.Constant):
                if side.source == tree.RunField("status") and operator in ("==", "!=", "in", "not in"):
                    self._check_status(other)
                if operator in ORDERINGS:
                    self._check_order(side, other)

    def _check_status(self, constant: tree.Constant) -> None:
        values = constant.value
        for status in values if isinstance(values, (list, tuple, set)) else [values]:
            if isinstance(status, str) and status not in STATUSES:
                statuses = ", ".join(STATUSES)
                message = f"No run has the status '{status}'; there are {statuses}"
                self.refuse(constant, message, nearest(status, STATUSES))

    def _check_order(self, side: tree.Input, constant: tree.Constant) -> None:
        kind, value = static_type(side), constant.value
        if kind is None or value is None:
            return
        if kind is type(value) or (kind in NUMBERS and isinstance(value, NUMBERS)):
            return
        what, other = _type_name(kind), names.TYPE_NAMES.get(type(value), f"a {type(value).__name__}")
        message = f"`{self.source_text(side)}` is {what}, which is not before or after {other}"
        self.refuse(constant, message, _as_time(kind, value))


def static_type(node: tree.Node) -> type | None:
    """Return the type that the value of *node* has unless it is None or missing; None if it may have any."""
    if isinstance(node, tree.Constant):
        return type(node.value)
    if isinstance(node, tree.FString):
        return str
    if isinstance(node, tree.Input):
        return _source_type(node.source)
    if isinstance(node, tree.Method) and node.name in ("lower", "upper", "strip"):
        return static_type(node.value)
    return None


def _source_type(source: tree.Source) -> type | None:
    if isinstance(source, tree.RunField):
        return names.RUN[source.name]
    if isinstance(source, tree.PairField):
        return names.PAIR[source.name]
    if isinstance(source, tree.SummaryValue):
        return names.SUMMARY[source.name]
    if isinstance(source, tree.RunMetric):
        return names.SUMMARY[source.summary] if source.summary else bool
    if isinstance(source, tree.RunSearch):
        return bool
    return list if isinstance(source, tree.PointList) else None


def _type_name(kind: type) -> str:
    return names.TYPE_NAMES.get(kind, kind.__name__)


def _is_singleton(node: tree.Node) -> bool:
    return isinstance(node, tree.Constant) and (node.value is None or node.value is True or node.value is False)


def _as_time(kind: type, constant: object) -> str | None:
    """Return how a text that is a date is written as a time; None for anything else."""
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
