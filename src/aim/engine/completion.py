"""
What could stand at a place of a query that is being written.

The text before the place is looked at, not parsed: an unfinished query is no query. Four cases:

    run.hparams.l|             a member: params, facts, context keys, methods     what begins like the last part
    run.hparams.opt == "ad|    a value: those that runs have there               within the quotes
    metric.name == |           a value, with its quotes
    (run.lr > 1 an|            a word: subjects, functions, keywords
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass

from aim.core.reserved import SYSTEM_PARAMS
from aim.core.statuses import STATUSES
from aim.query import names
from aim.query.functions import FUNCTIONS, MODULES
from aim.query.methods import BY_TYPE
from aim.storage.catalogue.run_table import RunTable

ITEMS_MAX = 50
VALUES_MAX = 2_000
KEYWORDS = ("and", "or", "not", "in", "is", "if", "else", "None", "True", "False")
FIRST_FUNCTIONS = (
    "len",
    "any",
    "all",
    "min",
    "max",
    "abs",
    "round",
    "sum",
    "sorted",
    "str",
    "int",
    "float",
    "bool",
    "datetime",
)

_MEMBER = r"(?:\.\w+|\[\s*(?:'[^']*'|\"[^\"]*\"|-?\d+)\s*\])"
PATH = re.compile(rf"(?<![\w.\]])([A-Za-z_]\w*)({_MEMBER}*)\.(\w*)$")
OPEN_KEY = re.compile(rf"(?<![\w.\]])([A-Za-z_]\w*)({_MEMBER}*)\[\s*(['\"])([^'\"]*)$")
WORD = re.compile(r"(?<![\w.'\"])([A-Za-z_]\w*)?$")
VALUE = re.compile(
    rf"(?<![\w.\]])([A-Za-z_]\w*)({_MEMBER}*)\s*(?:==|!=|\bin\b\s*[\[(]?(?:[^\[\]()]*,)?)\s*(['\"]?)([^'\"]*)$"
)
TAGGED = re.compile(r"(?:^|[^\w'\"])(['\"])([^'\"]*)$")
STEP = re.compile(r"\.(\w+)|\[\s*(?:'([^']*)'|\"([^\"]*)\"|(-?\d+))\s*\]")
IDENTIFIER = re.compile(r"[A-Za-z_]\w*")


@dataclass(frozen=True)
class Completion:
    """One thing that could stand there. *kind*: property param method metric context value function keyword."""

    text: str
    kind: str
    detail: str = ""


@dataclass(frozen=True)
class Completions:
    """What could stand in place of the characters *start* to *end*, best first."""

    start: int
    end: int
    items: list[Completion]


def complete(table: RunTable, text: str, at: int) -> Completions:
    """
    Return what could stand at the character *at* of an unfinished query. Never an error.

    >>> complete(RunTable(lambda run_hash: None), "run.exp", 7).items[0].text
    'experiment'
    """
    before = text[:at]
    found = _in_value(table, before) or _in_key(table, before) or _member(table, before) or _word(before)
    if found is None:
        return Completions(at, at, [])
    typed, items = found
    return Completions(at - len(typed), at, _best(typed, items))


_Found = tuple[str, list[Completion]]


def _best(typed: str, items: Iterable[Completion]) -> list[Completion]:
    wanted = typed.strip("'\"").casefold()
    ranked = []
    for place, item in enumerate(items):
        plain = item.text.strip("'\"").casefold()
        if wanted in plain and (plain != wanted or item.text != typed):
            ranked.append((not plain.startswith(wanted), place, item))
    ranked.sort(key=lambda one: one[:2])
    return list(dict.fromkeys(item for _, _, item in ranked))[:ITEMS_MAX]


def _steps(chain: str) -> tuple[str | int, ...]:
    found: list[str | int] = []
    for match in STEP.finditer(chain):
        plain, single, double, number = match.groups()
        found.append(
            int(number) if number is not None else next(one for one in (plain, single, double) if one is not None)
        )
    return tuple(found)


def _is_open(before: str) -> bool:
    """Return whether the text ends within quotes."""
    quote = ""
    for character in before:
        if not quote and character in "'\"":
            quote = character
        elif character == quote:
            quote = ""
    return bool(quote)


def _in_value(table: RunTable, before: str) -> _Found | None:
    match = VALUE.search(before)
    if match is None or bool(match[3]) != _is_open(before):
        return None
    root, steps, quote, typed = match[1], _steps(match[2]), match[3], match[4]
    if not quote and (typed.strip() != typed or not re.fullmatch(r"\w*", typed)):
        return None
    values = _values(table, root, steps)
    if not values:
        return None
    if quote:
        texts = [value for value in values if isinstance(value, str)]
        return typed, [Completion(value, "value") for value in texts]
    return typed, [Completion(_literal(value), "value") for value in values]


def _literal(value: object) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)


def _values(table: RunTable, root: str, steps: tuple[str | int, ...]) -> list[object]:
    if root == "run" and steps:
        if steps == ("status",):
            return list(STATUSES)
        name = names.STORED_AS.get(str(steps[0]), str(steps[0]))
        column = table.field(name) if len(steps) == 1 and name in table.fields else table.param(steps)
        values = [] if column is None else list(column.values[:VALUES_MAX])
        plain = [value.item() if hasattr(value, "item") else value for value in values]
        known = [value for value in plain if isinstance(value, (str, bool, int, float))]
        return sorted(
            known, key=lambda value: (isinstance(value, str), str(value) if isinstance(value, str) else value)
        )
    if root in names.SUBJECTS[1:]:
        pairs = [pair for pair in table.pairs if pair.kind == root]
        if steps == ("name",):
            return list[object](sorted({pair.name for pair in pairs}))
        if len(steps) == 2 and steps[0] == "context":
            contexts = [pair.context.get(str(steps[1])) for pair in pairs]
            return list[object](sorted({one for one in contexts if isinstance(one, (str, bool, int, float))}, key=repr))
    return []


def _in_key(table: RunTable, before: str) -> _Found | None:
    """Complete within `run["` or `run.hparams['`, and tags before `in run.tags`."""
    match = OPEN_KEY.search(before)
    if match is not None and _is_open(before):
        steps = _steps(match[2])
        if match[1] == "run" and steps == ("metrics",):
            named = {pair.name for pair in table.pairs if pair.kind == "metric"}
            return match[4], [Completion(name, "metric") for name in sorted(named)]
        if match[1] == "run":
            return match[4], [Completion(str(key), "param", detail) for key, detail in _children(table, steps)]
        return None
    tagged = TAGGED.search(before)
    if tagged is not None and _is_open(before):
        return tagged[2], [Completion(tag, "value", "tag") for tag in _tags(table)]
    return None


def _tags(table: RunTable) -> list[str]:
    found: dict[str, None] = {}
    for value in table.field("tags").values:
        found.update(dict.fromkeys(value if isinstance(value, list) else ()))
    return sorted(found)


def _children(table: RunTable, steps: tuple[str | int, ...]) -> list[tuple[str | int, str]]:
    """Return the keys below a path of the params, and what is there."""
    found: dict[str | int, str] = {}
    for path in table.leaf_paths(steps):
        key = path[len(steps)]
        if key == SYSTEM_PARAMS:
            continue
        if len(path) > len(steps) + 1:
            found[key] = "dict"
        else:
            column = table.param(path)
            values = [] if column is None else list(column.values[:3])
            found[key] = ", ".join(
                _literal(getattr(value, "item", lambda value=value: value)())[:20] for value in values
            )
    return list(found.items())


def _member(table: RunTable, before: str) -> _Found | None:
    match = PATH.search(before)
    if match is None or _is_open(before):
        return None
    root, steps, typed = match[1], _steps(match[2]), match[3]
    if root in MODULES and not steps:
        members = sorted(name.partition(".")[2] for name in FUNCTIONS if name.startswith(f"{root}."))
        return typed, [Completion(name, "function") for name in members]
    if root == "run":
        return typed, _run_members(table, steps)
    if root in names.SUBJECTS:
        return typed, _sequence_members(table, root, steps)
    return None


def _run_members(table: RunTable, steps: tuple[str | int, ...]) -> list[Completion]:
    children = [
        Completion(str(key), "param", detail)
        for key, detail in _children(table, steps)
        if isinstance(key, str) and IDENTIFIER.fullmatch(key)
    ]
    if not steps:
        facts = [Completion(name, "property", kind.__name__) for name, kind in names.RUN.items()]
        return [*children, *facts, Completion("metrics", "property", "summaries of metrics")]
    if children:
        return children
    column = table.param(steps) if len(steps) > 1 or steps[0] not in names.RUN else None
    kind = names.RUN.get(str(steps[0])) if len(steps) == 1 and column is None else None
    is_text = kind is str or (column is not None and any(isinstance(value, str) for value in column.values))
    return [Completion(name, "method") for name in sorted(BY_TYPE[str])] if is_text else []


def _sequence_members(table: RunTable, root: str, steps: tuple[str | int, ...]) -> list[Completion]:
    if not steps:
        known = names.sequence_names(root)
        return [
            *(Completion(name, "property", kind.__name__) for name, kind in known.items()),
            Completion("run", "property"),
        ]
    if steps == ("context",):
        keys = sorted({key for pair in table.pairs if pair.kind == root for key in pair.context})
        return [Completion(key, "context") for key in keys if IDENTIFIER.fullmatch(key)]
    if steps[0] == "run":
        return _run_members(table, steps[1:])
    return [Completion(name, "method") for name in sorted(BY_TYPE[str])] if steps == ("name",) else []


def _word(before: str) -> _Found | None:
    match = WORD.search(before)
    if match is None or _is_open(before):
        return None
    functions = [*FIRST_FUNCTIONS, *sorted(name for name in FUNCTIONS if "." not in name and not name.startswith("_"))]
    return match[1] or "", [
        *(Completion(name, "property") for name in names.SUBJECTS),
        *(Completion(name, "keyword") for name in KEYWORDS),
        *(Completion(name, "function") for name in dict.fromkeys(functions)),
    ]
