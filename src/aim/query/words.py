"""
Search as people type it: words that a run has anywhere, which is what `run.search('adam cifar')` asks.

    adam cifar        both words, each of them anywhere: in the name, experiment, tags, description, notes or params
    "best run"        one piece of text, with its space
    lr=0.01           a param whose last key is `lr`, and whose value begins with 0.01
    /adamw?-v\\d/      a regular expression, in the same places; case does not matter here either

Within a text, and in the hash, a word may stand anywhere. A number, True, False and None are told by their beginning,
so that 1 does not find each 0.001. The environment that a run records by itself, such as its packages, is left out: the
same words stand there in every run.

Cost: each distinct value is looked at once for each word.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from aim.core.kinds import QUERY_SUBJECTS
from aim.core.reserved import SYSTEM_PARAMS
from aim.core.value_objects import ValueObject
from aim.query import regex
from aim.query.limits import CALL_STEPS, Budget
from aim.query.table import Path, QueryColumn, QueryTable

if TYPE_CHECKING:
    from aim.query.arrays import BoolArray

FIELDS = ("hash", "name", "experiment", "description", "tags", "notes")
_WORD = re.compile(r'"([^"]*)"|(\S+)')
_EXPRESSION = re.compile(
    r"[()\[\]<>#]|==|!=|\b(?:and|or|not|in|is|if|lambda|True|False|None)\b"
    rf"|\b(?:run|{'|'.join(QUERY_SUBJECTS)})\s*\.\s*\w"
)

Test = Callable[[object], bool]


class Word(ValueObject):
    """
    One word of a search.

    Attributes:
        text: what is looked for, in lower case.
        key: the last key of the params that are looked at, in lower case; "": all params, and the fields.
    """

    text: str
    key: str = ""


def is_search(text: str) -> bool:
    """
    Return whether a text is words to look for and no expression: it has no operator, bracket or `run.`.

    >>> [is_search(text) for text in ("adam", "lr=0.1", "/ada.*/", "run.lr > 0.1", "lr > 0.1", "")]
    [True, True, True, False, False, False]
    """
    text = text.strip()
    return bool(text) and (pattern_of(text) is not None or _EXPRESSION.search(text) is None)


def pattern_of(text: str) -> str | None:
    """
    Return the regular expression of a search; None when it is words.

    >>> pattern_of("/ada.*/"), pattern_of("/tmp/x")
    ('ada.*', None)
    """
    text = text.strip()
    return text[1:-1] if len(text) > 2 and text.startswith("/") and text.endswith("/") else None


def words_of(text: str) -> list[Word]:
    """
    Return the words of a search.

    >>> words_of('Adam "best run" lr=0.1')
    [Word(text='adam', key=''), Word(text='best run', key=''), Word(text='0.1', key='lr')]
    """
    return [_word(match[1], match[2]) for match in _WORD.finditer(text)]


def _word(quoted: str | None, plain: str | None) -> Word:
    if plain is None:
        return Word((quoted or "").casefold())
    key, _, value = plain.casefold().partition("=")
    return Word(value, key) if key and value else Word(plain.casefold())


def runs_with(table: QueryTable, text: str) -> BoolArray:
    """
    Return for each run whether it has all that a search asks for.

    Raises:
        BadPattern: the regular expression is wrong.
        TooMuch: it needs too many steps, or the time is spent.
    """
    import numpy as np

    budget = Budget()
    pattern = pattern_of(text)
    if pattern is not None:
        program = regex.compiled(pattern, int(re.IGNORECASE))
        return _runs_where(table, lambda value: program.find(_shown(value), "search") is not None, budget)
    is_match = np.ones(table.run_count, dtype=bool)
    for word in words_of(text):
        if is_match.any():
            is_match &= _runs_with_word(table, word, budget)
    return is_match


def _runs_with_word(table: QueryTable, word: Word, budget: Budget) -> BoolArray:
    import numpy as np

    if not word.key:
        return _runs_where(table, lambda value: _has(value, word.text), budget)
    is_match = np.zeros(table.run_count, dtype=bool)
    for path in _paths(table):
        if str(path[-1]).casefold() == word.key:
            _add(is_match, table.param(path), lambda value: _shown(value).startswith(word.text), budget)
    return is_match


def _runs_where(table: QueryTable, test: Test, budget: Budget) -> BoolArray:
    import numpy as np

    is_match = np.zeros(table.run_count, dtype=bool)
    for column in (*map(table.field, FIELDS), *map(table.param, _paths(table))):
        _add(is_match, column, test, budget)
    return is_match


def _paths(table: QueryTable) -> list[Path]:
    return [path for path in table.leaf_paths(()) if path[0] != SYSTEM_PARAMS]


def _add(is_match: BoolArray, column: QueryColumn | None, test: Test, budget: Budget) -> None:
    """Add the runs whose value of a column passes a test."""
    import numpy as np

    if column is None:
        return
    passes = np.zeros(len(column.values) + 1, dtype=bool)  # the last one is that of the code -1
    for code, value in enumerate(column.values):
        budget.spend(CALL_STEPS)
        passes[code] = any(map(test, _leaves(value)))
    is_match |= passes[column.codes]


def _leaves(value: object) -> Iterator[object]:
    # without recursion: a param may be nested as deeply as it likes
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
        else:
            yield value


def _has(value: object, text: str) -> bool:
    return text in value.casefold() if isinstance(value, str) else _shown(value).startswith(text)


def _shown(value: object) -> str:
    return (value if isinstance(value, str) else repr(value)).casefold()
