"""
Completion of a query that is being written.

An unfinished query can't be parsed, so the text before the cursor is matched with patterns. Four cases:

    run.hparams.l|             a member that begins like this: params, properties, context keys, methods
    run.hparams.opt == "ad|    a value that runs have there, within the quotes
    metric.name == |           a value, with its quotes, and how many runs have it
    (run.lr > 1 an|            a word: subjects, functions, keywords

Of words that are searched for (`aim.query.words`) nothing is completed but the beginning of a query.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from aim.core.kinds import METRIC
from aim.core.reserved import SYSTEM_PARAMS
from aim.core.statuses import STATUSES
from aim.query import names
from aim.query.functions import FUNCTIONS, MODULES
from aim.query.methods import BY_TYPE
from aim.query.words import is_search
from aim.storage.catalogue.run_table import RunTable

IntArray = npt.NDArray[Any]

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
    rf"(?<![\w.\]])([A-Za-z_]\w*)({_MEMBER}*)\s*(?:==|!=|[<>]=?|\bin\b\s*[\[(]?(?:[^\[\]()]*,)?)\s*(['\"]?)([^'\"]*)$"
)
TAGGED = re.compile(r"(?:^|[^\w'\"])(['\"])([^'\"]*)$")
STEP = re.compile(r"\.(\w+)|\[\s*(?:'([^']*)'|\"([^\"]*)\"|(-?\d+))\s*\]")
IDENTIFIER = re.compile(r"[A-Za-z_]\w*")
PLAIN_TYPES = (str, bool, int, float)

Steps = tuple[str | int, ...]
"""A path: names after dots, and keys and indices in brackets."""


@dataclass(frozen=True)
class Completion:
    """One completion. *kind*: property param method metric context value function keyword; *detail*: what it is."""

    text: str
    kind: str
    detail: str = ""


@dataclass(frozen=True)
class Completions:
    """What can replace the characters *start* to *end*, best first."""

    start: int
    end: int
    items: list[Completion]


def complete(table: RunTable, text: str, at: int) -> Completions:
    """
    Return completions at the character *at* of an unfinished query. It never raises an error.

    >>> complete(RunTable(lambda run_hash: None), "run.exp", 7).items[0].text
    'experiment'
    """
    before = text[:at]
    completed = _in_value(table, before) or _in_key(table, before) or _member(table, before) or _word(before)
    if completed is None:
        return Completions(at, at, [])
    typed, items = completed
    return Completions(at - len(typed), at, _best(typed, items))


_Completed = tuple[str, list[Completion]]


def _best(typed: str, items: Iterable[Completion]) -> list[Completion]:
    typed_text = typed.strip("'\"").casefold()
    ranked = []
    for index, item in enumerate(items):
        plain = item.text.strip("'\"").casefold()
        if typed_text in plain and (plain != typed_text or item.text != typed):
            ranked.append((not plain.startswith(typed_text), index, item))
    ranked.sort(key=lambda ranking: ranking[:2])
    return list(dict.fromkeys(item for _, _, item in ranked))[:ITEMS_MAX]


def _steps(chain: str) -> Steps:
    steps: list[str | int] = []
    for match in STEP.finditer(chain):
        plain, single, double, number = match.groups()
        steps.append(
            int(number) if number is not None else next(key for key in (plain, single, double) if key is not None)
        )
    return tuple(steps)


def _is_open(before: str) -> bool:
    """Return whether the text ends within quotes."""
    quote = ""
    for character in before:
        if not quote and character in "'\"":
            quote = character
        elif character == quote:
            quote = ""
    return bool(quote)


def _in_value(table: RunTable, before: str) -> _Completed | None:
    match = VALUE.search(before)
    if match is None or bool(match[3]) != _is_open(before):
        return None
    root, steps, quote, typed = match[1], _steps(match[2]), match[3], match[4]
    if not quote and (typed.strip() != typed or not re.fullmatch(r"[\w.+-]*", typed)):
        return None
    counts = _values(table, root, steps)
    if not counts:
        return None
    return typed, [
        Completion(str(value) if quote else _literal(value), "value", f"{count:,} {'run' if count == 1 else 'runs'}")
        for value, count in counts
        if not quote or isinstance(value, str)
    ]


def _literal(value: object) -> str:
    if isinstance(value, float) and math.isinf(value):
        return "math.inf" if value > 0 else "-math.inf"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)


_Counts = list[tuple[object, int]]
"""Values, and how many runs have each."""


def _values(table: RunTable, root: str, steps: Steps) -> _Counts:
    """Return the values that runs or sequences have at a path, with the number of runs that have them."""
    if root == "run" and steps:
        counts = _run_values(table, steps)
        if steps != ("status",):
            return counts
        count_of = dict(counts)
        return [(status, count_of.get(status, 0)) for status in STATUSES]
    return _pair_values(table, root, steps) if root in names.SUBJECTS[1:] else []


def _pair_values(table: RunTable, kind: str, steps: Steps) -> _Counts:
    is_name = steps == ("name",)
    if not is_name and (len(steps) != 2 or steps[0] != "context"):
        return []
    rows: dict[object, list[IntArray]] = {}
    for pair_index, pair in enumerate(table.pairs):
        value = pair.name if is_name else pair.context.get(str(steps[-1]))
        if pair.kind == kind and isinstance(value, PLAIN_TYPES) and len(rows) < VALUES_MAX:
            rows.setdefault(value, []).append(table.rows(pair_index))
    counts = [(value, len(np.unique(np.concatenate(parts)))) for value, parts in rows.items()]
    return sorted(((value, count) for value, count in counts if count), key=lambda pair: repr(pair[0]))


def _run_values(table: RunTable, steps: Steps) -> _Counts:
    name = names.STORED_AS.get(str(steps[0]), str(steps[0]))
    column = table.field(name) if len(steps) == 1 and name in table.fields else table.param(steps)
    if column is None:
        return []
    values = list(column.values[:VALUES_MAX])
    run_counts = np.bincount(column.codes[column.codes >= 0], minlength=len(values)).tolist()
    plain = [value.item() if hasattr(value, "item") else value for value in values]
    return sorted(
        (
            (value, count)
            for value, count in zip(plain, run_counts, strict=False)
            if count and isinstance(value, PLAIN_TYPES) and value == value  # NaN equals nothing
        ),
        key=_value_order,
    )


def _value_order(counted: tuple[object, int]) -> tuple[bool, Any]:
    """Numbers come first, by size; then texts."""
    return isinstance(counted[0], str), counted[0]


def _in_key(table: RunTable, before: str) -> _Completed | None:
    """Complete within `run["` or `run.hparams['`, and tags before `in run.tags`."""
    if not _is_open(before):
        return None
    match = OPEN_KEY.search(before)
    if match is not None:
        return _run_keys(table, _steps(match[2]), match[4]) if match[1] == "run" else None
    quoted = TAGGED.search(before)
    return None if quoted is None else (quoted[2], [Completion(tag, "value", "tag") for tag in _tags(table)])


def _run_keys(table: RunTable, steps: Steps, typed: str) -> _Completed:
    if steps == ("metrics",):
        metric_names = {pair.name for pair in table.pairs if pair.kind == METRIC}
        return typed, [Completion(name, "metric") for name in sorted(metric_names)]
    return typed, [Completion(str(key), "param", detail) for key, detail in _children(table, steps)]


def _tags(table: RunTable) -> list[str]:
    tags: dict[str, None] = {}
    for value in table.field("tags").values:
        tags.update(dict.fromkeys(value if isinstance(value, list) else ()))
    return sorted(tags)


def _children(table: RunTable, steps: Steps) -> list[tuple[str | int, str]]:
    """Return the keys below a path of the params, and what is there."""
    details: dict[str | int, str] = {}
    for path in table.leaf_paths(steps):
        key = path[len(steps)]
        if key == SYSTEM_PARAMS:
            continue
        if len(path) > len(steps) + 1:
            details[key] = "dict"
        else:
            column = table.param(path)
            values = [] if column is None else list(column.values[:3])
            details[key] = ", ".join(
                _literal(getattr(value, "item", lambda value=value: value)())[:20] for value in values
            )
    return list(details.items())


def _member(table: RunTable, before: str) -> _Completed | None:
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


def _run_members(table: RunTable, steps: Steps) -> list[Completion]:
    children = [
        Completion(str(key), "param", detail)
        for key, detail in _children(table, steps)
        if isinstance(key, str) and IDENTIFIER.fullmatch(key)
    ]
    if not steps:
        properties = [Completion(name, "property", kind.__name__) for name, kind in names.RUN.items()]
        return [*children, *properties, Completion("metrics", "property", "summaries of metrics")]
    if children:
        return children
    return [Completion(name, "method") for name in sorted(BY_TYPE[str])] if _is_text(table, steps) else []


def _is_text(table: RunTable, steps: Steps) -> bool:
    """Return whether a property or a param of a run holds texts."""
    if len(steps) == 1 and steps[0] in names.RUN:
        return names.RUN[str(steps[0])] is str
    column = table.param(steps)
    return column is not None and any(isinstance(value, str) for value in column.values)


def _sequence_members(table: RunTable, root: str, steps: Steps) -> list[Completion]:
    if not steps:
        types = names.sequence_names(root)
        return [
            *(Completion(name, "property", kind.__name__) for name, kind in types.items()),
            Completion("run", "property"),
        ]
    if steps == ("context",):
        keys = sorted({key for pair in table.pairs if pair.kind == root for key in pair.context})
        return [Completion(key, "context") for key in keys if IDENTIFIER.fullmatch(key)]
    if steps[0] == "run":
        return _run_members(table, steps[1:])
    return [Completion(name, "method") for name in sorted(BY_TYPE[str])] if steps == ("name",) else []


def _word(before: str) -> _Completed | None:
    match = WORD.search(before)
    if match is None or _is_open(before) or (is_search(before) and not match[1]):
        return None
    functions = [*FIRST_FUNCTIONS, *sorted(name for name in FUNCTIONS if "." not in name and not name.startswith("_"))]
    return match[1] or "", [
        *(Completion(name, "property") for name in names.SUBJECTS),
        *(Completion(name, "keyword") for name in KEYWORDS),
        *(Completion(name, "function") for name in dict.fromkeys(functions)),
    ]
